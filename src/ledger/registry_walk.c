/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is listed, a portion at a time. An order by value would need an index of its
 * own, kept with each report; the buckets of indicators have one already, by hash.
 */
#include "ledger/registry_state.h"

/* A place in the order: by hash, then by value. */
struct place {
	uint32_t hash;
	struct indicator indicator;
};

static bool is_before(const struct place *a, const struct place *b)
{
	return a->hash != b->hash ?
		a->hash < b->hash :
		memcmp(&a->indicator, &b->indicator, sizeof a->indicator) < 0;
}

static struct place place_of(const struct registry *r, const struct indicator *i)
{
	return (struct place){bucket_hash(&r->by_indicator, i, sizeof *i), *i};
}

/* The first in a chain behind *at (NULL: of all) into *at. Returns whether there is one. */
static bool next_in_chain(const struct registry *r, uint32_t slot,
	const struct place *after, struct place *out)
{
	bool found = false;

	for (; slot != NO_SLOT; slot = r->words[slot].next) {
		struct place here = place_of(r, &r->words[slot].indicator);

		if ((after && !is_before(after, &here)) ||
			(found && !is_before(&here, out)))
			continue;
		*out = here;
		found = true;
	}
	return found;
}

size_t registry_after(const struct registry *r, const struct indicator *after,
	struct indicator *out, size_t max)
{
	struct place last, next;
	bool begun = after != NULL;
	uint32_t bucket = 0;
	size_t n = 0;

	if (begun) {
		last = place_of(r, after);
		bucket = bucket_number(&r->by_indicator, last.hash);
	}
	while (n < max && bucket < r->by_indicator.count) {
		if (!next_in_chain(r, r->by_indicator.first[bucket], begun ? &last : NULL,
			    &next)) {
			bucket++;
			continue;
		}
		last = next;
		begun = true;
		out[n++] = last.indicator;
	}
	return n;
}

uint32_t registry_order(const struct registry *r)
{
	/* No indicator's length: nothing about where one stands is given away. */
	return bucket_hash(&r->by_indicator, "order", 5);
}

bool registry_listed(const struct registry *r, const struct indicator *i,
	uint8_t category, uint32_t now)
{
	for (uint32_t at = index_about(r, i); at != NO_SLOT; at = index_next(r, at)) {
		const struct word *w = &r->words[at];
		uint8_t its = is_objection(w) ? CATEGORY_OBJECTION : w->category;

		if (word_live(r, w, now) &&
			(category ? its == category : its != CATEGORY_OBJECTION))
			return true;
	}
	return false;
}
