/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_BUCKETS_H
#define BASE_BUCKETS_H

#include "base/hash.h"

/*
 * The buckets of a hash table whose records stand in an array of their owner,
 * which keeps them dense: a bucket is the number of its first record, and the
 * owner links the rest through the records themselves. It costs 2 2/3 to 4
 * bytes a record beside that link, and no copy of the key; removing moves
 * nothing; and it need not grow: without memory for that, chains are longer.
 *
 * For what is held by the million. Everything else takes base/table.h, which
 * has its records itself and compares the keys.
 *
 * Zero-initialise but for the key; then bucket_of() only after the first
 * buckets_fit().
 */
#define BUCKET_END UINT32_MAX /* no record: an empty bucket, a chain's end */

struct buckets {
	struct hash_key key;
	uint32_t *first;
	uint32_t count;
};

/*
 * The bucket of a key of n bytes; it may be written. Chosen keys do not meet in
 * one: the hash is SipHash-1-3 under a key that nobody knows.
 */
uint32_t *bucket_of(const struct buckets *b, const void *key, size_t n);

/*
 * The two steps of it: what decides about a key's bucket, and the bucket's number. A
 * greater hash is in the same bucket or in a later one, however many there are: by hash
 * the keys have an order that stays when the buckets are fitted anew.
 */
uint32_t bucket_hash(const struct buckets *b, const void *key, size_t n);
uint32_t bucket_number(const struct buckets *b, uint32_t hash);

/*
 * Fit the number of buckets to that of the records (< BUCKET_END), when it is far
 * from it. *emptied: all are BUCKET_END now, and the owner enters every record
 * anew. Returns 0, or -1 with everything as it was: out of memory, which only
 * before the first success leaves nothing to work with.
 */
int buckets_fit(struct buckets *b, size_t records, bool *emptied);

void buckets_free(struct buckets *b);

/* Bytes held, for the memory figures of `status`. */
size_t buckets_memory(const struct buckets *b);

#endif
