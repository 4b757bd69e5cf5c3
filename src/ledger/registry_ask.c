/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "ledger/registry_state.h"

const struct ledger_config *registry_config(const struct registry *r)
{
	return &r->config;
}

const struct tip *registry_tip(const struct registry *r, enum chain chain)
{
	return &r->tips[chain];
}

const uint8_t *registry_id(const struct registry *r)
{
	return r->id;
}

const uint8_t *registry_owner(const struct registry *r)
{
	return r->owner;
}

const uint8_t *registry_guardian(const struct registry *r)
{
	return r->guardian;
}

const uint8_t *registry_proposed_owner(const struct registry *r)
{
	return bytes_zero(r->proposed, ADDRESS20) ? NULL : r->proposed;
}

bool registry_paused(const struct registry *r)
{
	return r->paused;
}

const uint8_t *registry_superseded(const struct registry *r)
{
	return r->superseded ? r->next : NULL;
}

const struct member *registry_member(const struct registry *r, uint16_t index)
{
	const struct seat *seat = registry_seat(r, index);

	return seat ? &seat->member : NULL;
}

uint16_t registry_members(const struct registry *r)
{
	return r->seat_count;
}

const struct member *registry_member_by_signer(
	const struct registry *r, const uint8_t address[ADDRESS20])
{
	const struct signer_record *s = table_get(r->signers, address);

	return s ? registry_member(r, s->member) : NULL;
}

const struct indicator *registry_protected(const struct registry *r, size_t *n)
{
	*n = r->protected_count;
	return r->protected;
}

const struct indicator *registry_protected_overlap(
	const struct registry *r, const struct indicator *i)
{
	size_t lo = 0, hi = r->protected_count;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (indicator_compare(&r->protected[mid], i) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	/* The table is disjoint: of what stands before i only the last can
	 * hold it, and if any that follows lies inside i, then the first. */
	if (lo > 0 && indicator_overlaps(&r->protected[lo - 1], i))
		return &r->protected[lo - 1];
	if (lo < r->protected_count && indicator_overlaps(&r->protected[lo], i))
		return &r->protected[lo];
	return NULL;
}

static int by_member_and_cell(const void *a, const void *b)
{
	const struct report *x = a, *y = b;

	if (x->member != y->member)
		return x->member < y->member ? -1 : 1;
	return (x->cell > y->cell) - (x->cell < y->cell);
}

size_t registry_words(const struct registry *r, const struct indicator *i, uint32_t now,
	struct report *out, size_t max)
{
	size_t n = 0;
	uint32_t at, end;

	for (at = index_about(r, i); at != NO_SLOT; at = index_next(r, at)) {
		const struct word *w = &r->words[at];

		if (!word_live(r, w, now))
			continue;
		if (n < max)
			out[n] = report_of(r, w);
		n++;
	}
	objections_inside(r, i, &at, &end);
	for (; at < end; at++) {
		const struct word *w = &r->words[r->objections[at]];

		if (!word_live(r, w, now) || !memcmp(&w->indicator, i, sizeof *i))
			continue;
		if (n < max)
			out[n] = report_of(r, w);
		n++;
	}
	if (n > 1 && max)
		qsort(out, n < max ? n : max, sizeof *out, by_member_and_cell);
	return n;
}

/* Members that have been counted. */
struct counted {
	uint64_t bits[(UINT16_MAX + 1) / 64];
};

static void count_anew(struct counted *c, const struct registry *r)
{
	memset(c->bits, 0, (r->seat_count / 64 + 1) * sizeof *c->bits);
}

/* The weight of a word's member; 0 when it was counted before, or is not live. */
static int64_t weigh(
	struct counted *c, const struct registry *r, const struct word *w, uint32_t now)
{
	uint64_t bit = UINT64_C(1) << (w->member % 64);

	if (!word_live(r, w, now) || c->bits[w->member / 64] & bit)
		return 0;
	c->bits[w->member / 64] |= bit;
	return registry_seat(r, w->member)->member.weight;
}

/* Weights of the distinct members who object to i or to a part of it. */
static int64_t objections_weight(
	const struct registry *r, const struct indicator *i, uint32_t now)
{
	struct counted counted;
	uint32_t at, end;
	int64_t sum = 0;

	objections_inside(r, i, &at, &end);
	if (at == end)
		return 0;
	count_anew(&counted, r);
	for (; at < end; at++)
		sum += weigh(&counted, r, &r->words[r->objections[at]], now);
	return sum;
}

int64_t registry_support(
	const struct registry *r, const struct indicator *i, uint32_t now)
{
	struct counted counted;
	int64_t sum = 0;

	count_anew(&counted, r);
	for (uint32_t at = index_about(r, i); at != NO_SLOT; at = index_next(r, at))
		if (!is_objection(&r->words[at]))
			sum += weigh(&counted, r, &r->words[at], now);
	return sum - objections_weight(r, i, now);
}

size_t registry_around(const struct registry *r, const struct indicator *i,
	struct indicator *out, size_t max)
{
	size_t n = 0;

	if (i->kind > INDICATOR_AGENT || i->plen > 128)
		return 0;
	for (int plen = i->plen; plen >= 0 && n < max; plen--) {
		struct indicator wide;

		if (!r->lengths[i->kind][plen])
			continue;
		wide = indicator_widen(i, (uint8_t)plen);
		if (index_about(r, &wide) != NO_SLOT)
			out[n++] = wide;
	}
	return n;
}

void registry_each(
	const struct registry *r, uint32_t now, registry_word_fn *fn, void *context)
{
	for (uint32_t slot = 0; slot < r->word_count; slot++) {
		struct report report;

		if (!word_live(r, &r->words[slot], now))
			continue;
		report = report_of(r, &r->words[slot]);
		if (!fn(context, &report))
			return;
	}
}

static bool avoided(const uint32_t *avoid, size_t n, uint32_t cell)
{
	for (size_t k = 0; k < n; k++)
		if (avoid[k] == cell)
			return true;
	return false;
}

/* The expiry of the word in a cell; 0 when it holds none. */
static uint32_t cell_expiry(const struct registry *r, uint16_t member, uint32_t cell)
{
	uint32_t slot = index_find(r, member, cell);

	return slot == NO_SLOT ? 0 : r->words[slot].expiry;
}

int registry_own_word(const struct registry *r, uint16_t member,
	const struct indicator *i, uint32_t now, struct report *out)
{
	const struct word *lowest = NULL;

	for (uint32_t at = index_about(r, i); at != NO_SLOT; at = index_next(r, at)) {
		const struct word *w = &r->words[at];

		if (w->member == member && word_live(r, w, now) &&
			(!lowest || w->cell < lowest->cell))
			lowest = w;
	}
	if (!lowest)
		return -1;
	*out = report_of(r, lowest);
	return 0;
}

/* The lowest cell where i stands already and has not expired. Returns 0 or -1. */
static int own_cell(const struct registry *r, const struct member *m,
	const struct indicator *i, uint32_t now, const uint32_t *avoid,
	size_t avoid_count, uint32_t *cell)
{
	bool found = false;

	for (uint32_t at = index_about(r, i); at != NO_SLOT; at = index_next(r, at)) {
		const struct word *w = &r->words[at];

		/* A cell past a lowered cap takes no report any more. */
		if (w->member != m->index || w->expiry <= now || w->cell >= m->cap ||
			(found && w->cell > *cell) ||
			avoided(avoid, avoid_count, w->cell))
			continue;
		*cell = w->cell;
		found = true;
	}
	return found ? 0 : -1;
}

int registry_choose_cell(const struct registry *r, uint16_t member,
	const struct indicator *i, uint32_t now, const uint32_t *avoid,
	size_t avoid_count, uint32_t *cell, uint8_t *action)
{
	const struct seat *seat = registry_seat(r, member);
	uint32_t first, soonest = UINT32_MAX;
	bool found = false;

	if (!seat || seat->member.status == MEMBER_REMOVED)
		return -1;
	*action = ACTION_REPORT;
	if (!own_cell(r, &seat->member, i, now, avoid, avoid_count, cell))
		return 0;
	/* Below free_from every cell holds a word; they need a look only if
	 * some held word is dead. */
	first = r->word_count && registry_next_expiry(r) <= now ? 0 : seat->free_from;
	for (uint32_t c = first; c < seat->member.cap; c++) {
		if (cell_expiry(r, member, c) > now || avoided(avoid, avoid_count, c))
			continue;
		*cell = c;
		return 0;
	}
	*action = ACTION_REPLACE;
	for (uint32_t c = 0; c < seat->member.cap; c++) {
		uint32_t expiry = cell_expiry(r, member, c);

		if (avoided(avoid, avoid_count, c) || (found && expiry >= soonest))
			continue;
		*cell = c;
		soonest = expiry;
		found = true;
	}
	return found ? 0 : -1;
}

int registry_cell(const struct registry *r, uint16_t member, uint32_t cell, uint32_t now,
	struct report *out)
{
	uint32_t slot = index_find(r, member, cell);

	if (slot == NO_SLOT || !word_live(r, &r->words[slot], now))
		return -1;
	*out = report_of(r, &r->words[slot]);
	return 0;
}

size_t registry_live_count(const struct registry *r)
{
	return r->word_count;
}

size_t registry_memory(const struct registry *r)
{
	return sizeof *r + r->protected_count * sizeof *r->protected +
		r->seat_capacity * sizeof *r->seats + table_memory(r->signers) +
		r->word_capacity * (sizeof *r->words + sizeof *r->heap) +
		r->objection_capacity * sizeof *r->objections +
		buckets_memory(&r->by_cell) + buckets_memory(&r->by_indicator);
}
