/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buckets.h"

#include <stdlib.h>

#define COUNT_LEAST 16

uint32_t bucket_hash(const struct buckets *b, const void *key, size_t n)
{
	return (uint32_t)(hash_bytes(&b->key, key, n) >> 32);
}

uint32_t bucket_number(const struct buckets *b, uint32_t hash)
{
	/* Not the remainder: a count of any size, without a division. */
	return (uint32_t)((uint64_t)hash * b->count >> 32);
}

uint32_t *bucket_of(const struct buckets *b, const void *key, size_t n)
{
	return &b->first[bucket_number(b, bucket_hash(b, key, n))];
}

int buckets_fit(struct buckets *b, size_t records, bool *emptied)
{
	size_t count = records < COUNT_LEAST ? COUNT_LEAST : records;
	/*
	 * 1 to 1.5 records a bucket while it grows; one that shrinks waits until
	 * there are four buckets for each, so that it does not go to and fro.
	 */
	bool many = records > b->count + (size_t)b->count / 2;
	bool few = b->count > COUNT_LEAST && records < b->count / 4;
	uint32_t *first;

	*emptied = false;
	if (b->count && !many && !few)
		return 0;
	if (records >= BUCKET_END)
		return -1;
	/* Nothing of what stands in it is needed: no second array beside it. */
	first = realloc(b->first, count * sizeof *first);
	if (!first)
		return -1;
	memset(first, 0xff, count * sizeof *first);
	b->first = first;
	b->count = (uint32_t)count;
	*emptied = true;
	return 0;
}

void buckets_free(struct buckets *b)
{
	free(b->first);
	b->first = NULL;
	b->count = 0;
}

size_t buckets_memory(const struct buckets *b)
{
	return b->count * sizeof *b->first;
}
