/* SPDX-License-Identifier: Apache-2.0 */
#include "decide/allowlist.h"

#include <stdlib.h>

#define KINDS   7   /* enum indicator_kind, 0 unused */
#define LENGTHS 129 /* prefix lengths 0..128 */

/*
 * One array, sorted by indicator and then origin. What lies inside an
 * interval follows it directly, so the narrower entries are one binary search
 * away; the wider ones are looked up by cutting the question to each prefix
 * length that is in use, which is a handful. A tree would be no faster for
 * the hundreds of entries that a node has, and larger.
 */
struct allowlist {
	struct allow_entry *entries;
	size_t n, capacity;
	uint32_t lengths[KINDS][LENGTHS]; /* entries of each kind and length */
};

struct allowlist *allowlist_new(void)
{
	return calloc(1, sizeof(struct allowlist));
}

void allowlist_free(struct allowlist *a)
{
	if (a == NULL)
		return;
	free(a->entries);
	free(a);
}

/* Index of the first entry that is not before (i, origin). */
static size_t lower_bound(
	const struct allowlist *a, const struct indicator *i, uint8_t origin)
{
	size_t low = 0, high = a->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct allow_entry *e = &a->entries[middle];
		int order = indicator_compare(&e->indicator, i);

		if (order < 0 || (order == 0 && e->origin < origin))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Whether entry at is exactly (i, origin). */
static bool is_at(
	const struct allowlist *a, size_t at, const struct indicator *i, uint8_t origin)
{
	return at < a->n && a->entries[at].origin == origin &&
		indicator_compare(&a->entries[at].indicator, i) == 0;
}

/* The count of entries with this kind and length, or NULL for an odd shape. */
static uint32_t *length_count(struct allowlist *a, const struct indicator *i)
{
	if (i->kind == 0 || i->kind >= KINDS || i->plen >= LENGTHS)
		return NULL;
	return &a->lengths[i->kind][i->plen];
}

int allowlist_add(struct allowlist *a, const struct allow_entry *e)
{
	size_t at = lower_bound(a, &e->indicator, e->origin);
	uint32_t *count = length_count(a, &e->indicator);

	if (count == NULL)
		return -1;
	if (is_at(a, at, &e->indicator, e->origin)) {
		a->entries[at] = *e;
		return 0;
	}
	if (a->n == a->capacity) {
		size_t capacity = a->capacity == 0 ? 16 : a->capacity * 2;
		struct allow_entry *grown = reallocarray(
			a->entries, capacity, sizeof(*grown));

		if (grown == NULL)
			return -1;
		a->entries = grown;
		a->capacity = capacity;
	}
	memmove(&a->entries[at + 1], &a->entries[at], (a->n - at) * sizeof(*e));
	a->entries[at] = *e;
	a->n++;
	(*count)++;
	return 0;
}

bool allowlist_remove(struct allowlist *a, const struct indicator *i, uint8_t origin)
{
	size_t at = lower_bound(a, i, origin);

	if (!is_at(a, at, i, origin))
		return false;
	(*length_count(a, i))--;
	a->n--;
	memmove(&a->entries[at], &a->entries[at + 1], (a->n - at) * sizeof(*a->entries));
	return true;
}

void allowlist_clear(struct allowlist *a, uint8_t origin)
{
	size_t kept = 0;

	for (size_t k = 0; k < a->n; k++) {
		if (a->entries[k].origin == origin)
			(*length_count(a, &a->entries[k].indicator))--;
		else
			a->entries[kept++] = a->entries[k];
	}
	a->n = kept;
}

const struct allow_entry *allowlist_find(
	const struct allowlist *a, const struct indicator *i, uint8_t origin)
{
	size_t at = lower_bound(a, i, origin);

	return is_at(a, at, i, origin) ? &a->entries[at] : NULL;
}

static bool entry_live(const struct allow_entry *e, uint8_t but, uint32_t now)
{
	return e->origin != but && (e->expiry == 0 || e->expiry > now);
}

/* A live entry about exactly i, of any origin but one, or NULL. */
static const struct allow_entry *find_exact(
	const struct allowlist *a, const struct indicator *i, uint8_t but, uint32_t now)
{
	for (size_t at = lower_bound(a, i, 0); at < a->n; at++) {
		const struct allow_entry *e = &a->entries[at];

		if (indicator_compare(&e->indicator, i) != 0)
			return NULL;
		if (entry_live(e, but, now))
			return e;
	}
	return NULL;
}

const struct allow_entry *allowlist_overlap(
	const struct allowlist *a, const struct indicator *i, uint32_t now)
{
	return allowlist_overlap_but(a, i, 0, now);
}

const struct allow_entry *allowlist_overlap_but(const struct allowlist *a,
	const struct indicator *i, uint8_t origin, uint32_t now)
{
	if (i->kind == 0 || i->kind >= KINDS || i->plen >= LENGTHS)
		return NULL;
	/* Around i, widest first: the answer that says most. */
	for (unsigned plen = 0; plen < i->plen; plen++) {
		struct indicator wide;
		const struct allow_entry *e;

		if (a->lengths[i->kind][plen] == 0)
			continue;
		wide = indicator_widen(i, (uint8_t)plen);
		e = find_exact(a, &wide, origin, now);
		if (e != NULL)
			return e;
	}
	/* i itself and what lies inside it follow in the order. */
	for (size_t at = lower_bound(a, i, 0); at < a->n; at++) {
		const struct allow_entry *e = &a->entries[at];

		if (!indicator_contains(i, &e->indicator))
			return NULL;
		if (entry_live(e, origin, now))
			return e;
	}
	return NULL;
}

const struct allow_entry *allowlist_entries(const struct allowlist *a, size_t *n)
{
	*n = a->n;
	return a->entries;
}

const char *allow_origin_name(uint8_t origin)
{
	static const char *const names[] = {"?", "configured", "operator", "own-address",
		"gateway", "resolver", "ledger", "registered", "trunk"};

	return origin < sizeof(names) / sizeof(names[0]) ? names[origin] : names[0];
}
