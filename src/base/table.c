/* SPDX-License-Identifier: Apache-2.0 */
#include "base/table.h"

#include <stdlib.h>

#define FIRST_SLOTS 16

/*
 * Two arrays of `slots` (a power of two) entries: tags[] holds the low 32
 * bits of the hash with the lowest bit set, 0 for an empty slot; a probe
 * touches a record only when the tag matches. The home slot is the hash's
 * upper half, so that the tag's forced bit costs no slot.
 */
struct table {
	size_t record_size, key_size, limit;
	struct hash_key key;
	size_t slots, count;
	uint32_t *tags;
	uint8_t *records;
};

static uint8_t *record_at(const struct table *t, size_t slot)
{
	return t->records + slot * t->record_size;
}

static size_t home_of(uint64_t hash, size_t slots)
{
	return (size_t)(hash >> 32) & (slots - 1);
}

static uint32_t tag_of(uint64_t hash)
{
	return (uint32_t)hash | 1;
}

/* Returns 0, or -1 leaving the table as it was. */
static int resize(struct table *t, size_t slots)
{
	uint8_t *records;
	uint32_t *tags;

	if (slots > SIZE_MAX / 2 / t->record_size ||
		slots > SIZE_MAX / 2 / sizeof(*tags) || slots > UINT32_MAX)
		return -1;
	tags = calloc(slots, sizeof(*tags));
	if (!tags)
		return -1;
	records = malloc(slots * t->record_size);
	if (!records) {
		free(tags);
		return -1;
	}
	for (size_t i = 0; i < t->slots; i++) {
		uint64_t hash;
		size_t slot;

		if (!t->tags[i])
			continue;
		hash = hash_bytes(&t->key, record_at(t, i), t->key_size);
		slot = home_of(hash, slots);
		while (tags[slot])
			slot = (slot + 1) & (slots - 1);
		tags[slot] = t->tags[i];
		memcpy(records + slot * t->record_size, record_at(t, i), t->record_size);
	}
	free(t->tags);
	free(t->records);
	t->tags = tags;
	t->records = records;
	t->slots = slots;
	return 0;
}

struct table *table_new(
	size_t record_size, size_t key_size, size_t limit, struct hash_key key)
{
	struct table *t;

	if (key_size == 0 || key_size > record_size)
		return NULL;
	t = calloc(1, sizeof(*t));
	if (!t)
		return NULL;
	t->record_size = record_size;
	t->key_size = key_size;
	t->limit = limit;
	t->key = key;
	if (resize(t, FIRST_SLOTS) < 0) {
		free(t);
		return NULL;
	}
	return t;
}

void table_free(struct table *t)
{
	if (!t)
		return;
	free(t->records);
	free(t->tags);
	free(t);
}

/* The slot of key, or the empty slot that ends its probe. */
static size_t probe(const struct table *t, const void *key, uint64_t hash)
{
	size_t slot = home_of(hash, t->slots);
	uint32_t tag = tag_of(hash);

	/* Never more than 7/8 full: an empty slot ends every probe. */
	while (t->tags[slot] &&
		(t->tags[slot] != tag ||
			memcmp(record_at(t, slot), key, t->key_size) != 0))
		slot = (slot + 1) & (t->slots - 1);
	return slot;
}

void *table_get(const struct table *t, const void *key)
{
	size_t slot = probe(t, key, hash_bytes(&t->key, key, t->key_size));

	return t->tags[slot] ? record_at(t, slot) : NULL;
}

void *table_put(struct table *t, const void *key, bool *fresh)
{
	uint64_t hash = hash_bytes(&t->key, key, t->key_size);
	size_t slot = probe(t, key, hash);
	uint8_t *record;

	if (fresh)
		*fresh = false;
	if (t->tags[slot])
		return record_at(t, slot);
	if (t->limit != 0 && t->count >= t->limit)
		return NULL;
	if (t->count + 1 > t->slots / 8 * 7) {
		if (resize(t, 2 * t->slots) < 0)
			return NULL;
		slot = probe(t, key, hash);
	}
	t->tags[slot] = tag_of(hash);
	t->count++;
	record = record_at(t, slot);
	memset(record, 0, t->record_size);
	memcpy(record, key, t->key_size);
	if (fresh)
		*fresh = true;
	return record;
}

bool table_remove(struct table *t, const void *key)
{
	size_t mask = t->slots - 1, hole, at;

	hole = probe(t, key, hash_bytes(&t->key, key, t->key_size));
	if (!t->tags[hole])
		return false;
	/*
	 * Close the gap: a later record of the same run moves into the hole
	 * unless its home lies behind the hole (Knuth 6.4, algorithm R).
	 */
	for (at = (hole + 1) & mask; t->tags[at]; at = (at + 1) & mask) {
		size_t home = home_of(
			hash_bytes(&t->key, record_at(t, at), t->key_size), t->slots);

		if (((at - home) & mask) < ((at - hole) & mask))
			continue;
		t->tags[hole] = t->tags[at];
		memcpy(record_at(t, hole), record_at(t, at), t->record_size);
		hole = at;
	}
	t->tags[hole] = 0;
	t->count--;
	return true;
}

void table_clear(struct table *t)
{
	memset(t->tags, 0, t->slots * sizeof(*t->tags));
	t->count = 0;
}

size_t table_count(const struct table *t)
{
	return t->count;
}

void *table_next(const struct table *t, size_t *at)
{
	while (*at < t->slots) {
		size_t slot = (*at)++;

		if (t->tags[slot])
			return record_at(t, slot);
	}
	return NULL;
}

size_t table_memory(const struct table *t)
{
	return sizeof(*t) + t->slots * (sizeof(*t->tags) + t->record_size);
}
