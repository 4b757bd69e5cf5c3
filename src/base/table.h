/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_TABLE_H
#define BASE_TABLE_H

#include "base/hash.h"

/*
 * A hash table of fixed-size records whose first key_size bytes are the key
 * (no padding inside the key). Open addressing with linear probing and
 * backward-shift deletion, grown by doubling at 7/8 full. Pointers to
 * records are valid until the next insert or remove. (Where a half-empty array of
 * records is too much, because there are millions: base/buckets.h.)
 */
struct table;

/*
 * record_size bytes each, of which the first key_size are the key. limit is
 * the most records it may hold (0: none). NULL when memory is short.
 */
struct table *table_new(
	size_t record_size, size_t key_size, size_t limit, struct hash_key key);
void table_free(struct table *t);

/* The record with this key, or NULL. */
void *table_get(const struct table *t, const void *key);

/*
 * The record with this key, made zeroed (but for the key) when it was not
 * there; *fresh (may be NULL) says which. NULL when full or out of memory.
 */
void *table_put(struct table *t, const void *key, bool *fresh);

/* Remove it. Returns whether it was there. */
bool table_remove(struct table *t, const void *key);

/* Remove all; the memory stays. */
void table_clear(struct table *t);

size_t table_count(const struct table *t);

/*
 * Walk: start with *at = 0; returns the next record or NULL at the end. The
 * table must not change during a walk, but for table_remove() of the record
 * just returned followed by no further step.
 */
void *table_next(const struct table *t, size_t *at);

/* Bytes held, for the memory figures of `status`. */
size_t table_memory(const struct table *t);

#endif
