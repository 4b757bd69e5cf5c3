/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/registry_state.h"

static uint32_t expiry_at(const struct registry *r, uint32_t at)
{
	return r->words[r->heap[at]].expiry;
}

static void heap_set(struct registry *r, uint32_t at, uint32_t slot)
{
	r->heap[at] = slot;
	r->words[slot].heap_at = at;
}

/* Move the entry at `at` to where it belongs. */
static void heap_settle(struct registry *r, uint32_t at, uint32_t count)
{
	uint32_t slot = r->heap[at], expiry = r->words[slot].expiry;

	while (at && expiry_at(r, (at - 1) / 2) > expiry) {
		heap_set(r, at, r->heap[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	for (;;) {
		uint32_t child = 2 * at + 1;

		if (child >= count)
			break;
		if (child + 1 < count && expiry_at(r, child + 1) < expiry_at(r, child))
			child++;
		if (expiry_at(r, child) >= expiry)
			break;
		heap_set(r, at, r->heap[child]);
		at = child;
	}
	heap_set(r, at, slot);
}

void heap_enter(struct registry *r, uint32_t slot)
{
	uint32_t at = r->word_count - 1;

	r->heap[at] = slot;
	heap_settle(r, at, r->word_count);
}

void heap_leave(struct registry *r, uint32_t slot)
{
	uint32_t at = r->words[slot].heap_at, last = r->word_count - 1;

	if (at == last)
		return;
	heap_set(r, at, r->heap[last]);
	heap_settle(r, at, last);
}

void heap_expiry_changed(struct registry *r, uint32_t slot)
{
	heap_settle(r, r->words[slot].heap_at, r->word_count);
}

/* Order of objections: indicator, then member, then cell. */
static int compare(const struct word *a, const struct word *b)
{
	int order = indicator_compare(&a->indicator, &b->indicator);

	if (!order)
		order = (a->member > b->member) - (a->member < b->member);
	if (!order)
		order = (a->cell > b->cell) - (a->cell < b->cell);
	return order;
}

/* The first place whose objection is not before w. */
static uint32_t place_of(const struct registry *r, const struct word *w)
{
	uint32_t lo = 0, hi = r->objection_count;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (compare(&r->words[r->objections[mid]], w) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

void objections_enter(struct registry *r, uint32_t slot)
{
	uint32_t at = place_of(r, &r->words[slot]);

	memmove(r->objections + at + 1, r->objections + at,
		(r->objection_count - at) * sizeof *r->objections);
	r->objections[at] = slot;
	r->objection_count++;
}

void objections_leave(struct registry *r, uint32_t slot)
{
	uint32_t at = place_of(r, &r->words[slot]);

	/* objections_leave_member() may have taken it out already. */
	if (at == r->objection_count || r->objections[at] != slot)
		return;
	r->objection_count--;
	memmove(r->objections + at, r->objections + at + 1,
		(r->objection_count - at) * sizeof *r->objections);
}

void objections_renumber(struct registry *r, uint32_t to)
{
	uint32_t at = place_of(r, &r->words[to]);

	if (at < r->objection_count &&
		!compare(&r->words[r->objections[at]], &r->words[to]))
		r->objections[at] = to;
}

void objections_leave_member(struct registry *r, uint16_t member)
{
	uint32_t kept = 0;

	for (uint32_t k = 0; k < r->objection_count; k++)
		if (r->words[r->objections[k]].member != member)
			r->objections[kept++] = r->objections[k];
	r->objection_count = kept;
}

void objections_inside(const struct registry *r, const struct indicator *i,
	uint32_t *first, uint32_t *end)
{
	/* Wider comes first among equal values: from i on, all that stands in
	 * its interval lies inside it. */
	struct word from = {.indicator = *i}; /* member and cell 0: before all */
	uint32_t lo = place_of(r, &from), hi = r->objection_count;

	*first = lo;
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (indicator_contains(i, &r->words[r->objections[mid]].indicator))
			lo = mid + 1;
		else
			hi = mid;
	}
	*end = lo;
}
