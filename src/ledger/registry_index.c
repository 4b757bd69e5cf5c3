/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/registry_state.h"

#include <stdlib.h>

#define FIRST_WORDS 64

bool is_objection(const struct word *w)
{
	return w->category == NARROW_OBJECTION;
}

struct report report_of(const struct registry *r, const struct word *w)
{
	return (struct report){
		.indicator = w->indicator,
		.expiry = w->expiry,
		.member = w->member,
		.generation = registry_seat(r, w->member)->member.generation,
		.cell = w->cell,
		.category = is_objection(w) ? CATEGORY_OBJECTION : w->category,
		.proof = w->proof,
	};
}

/* --- the chains of cells --- */

static uint32_t *cell_bucket(const struct registry *r, uint16_t member, uint32_t cell)
{
	const uint32_t key[2] = {cell, member};

	return bucket_of(&r->by_cell, key, sizeof key);
}

uint32_t *index_link(const struct registry *r, uint16_t member, uint32_t cell)
{
	uint32_t *link = cell_bucket(r, member, cell);

	while (*link != NO_SLOT &&
		(r->words[*link].cell != cell || r->words[*link].member != member))
		link = &r->words[*link].cell_next;
	return link;
}

uint32_t index_find(const struct registry *r, uint16_t member, uint32_t cell)
{
	return *index_link(r, member, cell);
}

static void enter_cell(struct registry *r, uint32_t slot, uint32_t *link)
{
	r->words[slot].cell_next = *link;
	*link = slot;
}

static void leave_cell(struct registry *r, uint32_t slot)
{
	const struct word *w = &r->words[slot];

	*index_link(r, w->member, w->cell) = w->cell_next;
}

/* --- the chains of indicators --- */

static uint32_t *indicator_bucket(const struct registry *r, const struct indicator *i)
{
	return bucket_of(&r->by_indicator, i, sizeof *i);
}

/* From this slot of the chain on, the first about exactly i. */
static uint32_t about(const struct registry *r, uint32_t slot, const struct indicator *i)
{
	while (slot != NO_SLOT && memcmp(&r->words[slot].indicator, i, sizeof *i))
		slot = r->words[slot].next;
	return slot;
}

uint32_t index_about(const struct registry *r, const struct indicator *i)
{
	return about(r, *indicator_bucket(r, i), i);
}

uint32_t index_next(const struct registry *r, uint32_t slot)
{
	const struct word *w = &r->words[slot];

	return about(r, w->next, &w->indicator);
}

static void enter_indicator(struct registry *r, uint32_t slot, uint32_t *bucket)
{
	struct word *w = &r->words[slot];

	w->prev = NO_SLOT;
	w->next = *bucket;
	if (w->next != NO_SLOT)
		r->words[w->next].prev = slot;
	*bucket = slot;
}

/* Let what points at a word's place in its chain point at `to`. */
static void redirect(struct registry *r, const struct word *w, uint32_t to)
{
	if (w->prev != NO_SLOT)
		r->words[w->prev].next = to;
	else
		*indicator_bucket(r, &w->indicator) = to;
}

static void leave_indicator(struct registry *r, uint32_t slot)
{
	const struct word *w = &r->words[slot];

	redirect(r, w, w->next);
	if (w->next != NO_SLOT)
		r->words[w->next].prev = w->prev;
}

/* --- room --- */

/*
 * Words and buckets lie anywhere in memory, and one after the other each would
 * be waited for. In portions of so many they are on their way all at once.
 */
#define AT_ONCE 64

/* The words from `from` on that are entered at once. How many. */
static uint32_t portion_of(const struct registry *r, uint32_t from)
{
	return r->word_count - from < AT_ONCE ? r->word_count - from : AT_ONCE;
}

/* A portion of words into the buckets, which were emptied. */
static void enter_cells(struct registry *r, uint32_t from)
{
	uint32_t *bucket[AT_ONCE], n = portion_of(r, from);

	for (uint32_t k = 0; k < n; k++) {
		const struct word *w = &r->words[from + k];

		bucket[k] = cell_bucket(r, w->member, w->cell);
		__builtin_prefetch(bucket[k]);
	}
	for (uint32_t k = 0; k < n; k++)
		enter_cell(r, from + k, bucket[k]);
}

static void enter_indicators(struct registry *r, uint32_t from)
{
	uint32_t *bucket[AT_ONCE], n = portion_of(r, from);

	for (uint32_t k = 0; k < n; k++) {
		bucket[k] = indicator_bucket(r, &r->words[from + k].indicator);
		__builtin_prefetch(bucket[k]);
	}
	for (uint32_t k = 0; k < n; k++)
		if (*bucket[k] != NO_SLOT)
			__builtin_prefetch(&r->words[*bucket[k]].prev);
	for (uint32_t k = 0; k < n; k++)
		enter_indicator(r, from + k, bucket[k]);
}

/* As many buckets as suit so many words; where memory is short, as there are. */
static void fit_buckets(struct registry *r, size_t words)
{
	bool cells, indicators;

	buckets_fit(&r->by_cell, words, &cells);
	buckets_fit(&r->by_indicator, words, &indicators);
	for (size_t from = 0; cells && from < r->word_count; from += AT_ONCE)
		enter_cells(r, (uint32_t)from);
	for (size_t from = 0; indicators && from < r->word_count; from += AT_ONCE)
		enter_indicators(r, (uint32_t)from);
}

void index_expect(const struct registry *r, const struct operation *batch)
{
	uint32_t *cell[BATCH_MAX], *indicator[BATCH_MAX];

	for (uint32_t k = 0; k < batch->count; k++) {
		struct report e;

		word_decode(&e, batch->words + (size_t)k * WORD_SIZE);
		cell[k] = cell_bucket(r, e.member, e.cell);
		indicator[k] = indicator_bucket(r, &e.indicator);
		__builtin_prefetch(cell[k]);
		__builtin_prefetch(indicator[k]);
	}
	for (uint32_t k = 0; k < batch->count; k++) {
		if (*cell[k] != NO_SLOT)
			__builtin_prefetch(&r->words[*cell[k]].cell_next);
		if (*indicator[k] != NO_SLOT)
			__builtin_prefetch(&r->words[*indicator[k]].prev);
	}
}

/* Returns 0, or -1; on failure what had grown stays grown, which is harmless. */
int index_reserve(struct registry *r, size_t more)
{
	size_t need = r->word_count + more, capacity = r->word_capacity;
	size_t objections = r->objection_count + more;
	void *p;

	if (need >= NO_SLOT)
		return -1;
	if (need > capacity) {
		capacity += capacity / 16 + FIRST_WORDS;
		if (capacity < need)
			capacity = need;
		p = realloc(r->words, capacity * sizeof *r->words);
		if (!p)
			return -1;
		r->words = p;
		p = realloc(r->heap, capacity * sizeof *r->heap);
		if (!p)
			return -1;
		r->heap = p;
		r->word_capacity = (uint32_t)capacity;
	}
	if (objections > r->objection_capacity) {
		capacity = objections + objections / 4;
		p = realloc(r->objections, capacity * sizeof *r->objections);
		if (!p)
			return -1;
		r->objections = p;
		r->objection_capacity = (uint32_t)capacity;
	}
	fit_buckets(r, need);
	return 0;
}

/* --- words --- */

/* Enter a word among those about its indicator, and the objections if it is one. */
static void link_word(struct registry *r, uint32_t slot)
{
	const struct word *w = &r->words[slot];

	enter_indicator(r, slot, indicator_bucket(r, &w->indicator));
	r->lengths[w->indicator.kind][w->indicator.plen]++;
	if (is_objection(w))
		objections_enter(r, slot);
}

static void unlink_word(struct registry *r, uint32_t slot)
{
	const struct word *w = &r->words[slot];

	if (is_objection(w))
		objections_leave(r, slot);
	r->lengths[w->indicator.kind][w->indicator.plen]--;
	leave_indicator(r, slot);
}

static void word_set(struct word *w, const struct report *report)
{
	w->indicator = report->indicator;
	w->member = report->member;
	w->cell = report->cell & 0xffffff;
	w->category = report->category == CATEGORY_OBJECTION ? NARROW_OBJECTION :
							       report->category & 15;
	w->proof = report->proof & 15;
	w->expiry = report->expiry;
}

/* Another word into the same cell; mostly a refresh, which stays in its lists. */
static void rewrite(struct registry *r, uint32_t slot, const struct report *report)
{
	struct word *w = &r->words[slot];
	bool stays = !memcmp(&w->indicator, &report->indicator, sizeof w->indicator) &&
		is_objection(w) == (report->category == CATEGORY_OBJECTION);

	if (!stays)
		unlink_word(r, slot);
	word_set(w, report);
	heap_expiry_changed(r, slot);
	if (!stays)
		link_word(r, slot);
}

uint32_t index_put(struct registry *r, const struct report *report, uint32_t *link)
{
	struct seat *seat = registry_seat(r, report->member);
	uint32_t slot = *link;

	if (slot != NO_SLOT) {
		rewrite(r, slot, report);
		return slot;
	}
	slot = r->word_count++;
	word_set(&r->words[slot], report);
	enter_cell(r, slot, link);
	heap_enter(r, slot);
	link_word(r, slot);
	seat->member.live++;
	if (seat->free_from != report->cell)
		return slot;
	/* With as many words as there are cells below, none is above. */
	do
		seat->free_from++;
	while (seat->free_from < seat->member.live &&
		index_find(r, report->member, seat->free_from) != NO_SLOT);
	return slot;
}

/* Move the last word into a slot that has become free. */
static void fill(struct registry *r, uint32_t to)
{
	uint32_t from = r->word_count - 1;
	struct word *w = &r->words[to];

	if (from == to)
		return;
	*w = r->words[from];
	redirect(r, w, to);
	if (w->next != NO_SLOT)
		r->words[w->next].prev = to;
	*index_link(r, w->member, w->cell) = to;
	r->heap[w->heap_at] = to;
	if (is_objection(w))
		objections_renumber(r, to);
}

void index_drop(struct registry *r, uint32_t slot)
{
	const struct word *w = &r->words[slot];
	struct seat *seat = registry_seat(r, w->member);

	seat->member.live--;
	if (w->cell < seat->free_from)
		seat->free_from = w->cell;
	unlink_word(r, slot);
	heap_leave(r, slot);
	leave_cell(r, slot);
	fill(r, slot);
	r->word_count--;
}

void index_shrink(struct registry *r)
{
	uint32_t capacity = r->word_count + r->word_count / 16 + FIRST_WORDS;
	void *p;

	if (r->word_capacity <= 4 * FIRST_WORDS || r->word_count > r->word_capacity / 4)
		return;
	fit_buckets(r, r->word_count);
	p = realloc(r->words, capacity * sizeof *r->words);
	if (p)
		r->words = p;
	p = realloc(r->heap, capacity * sizeof *r->heap);
	if (p)
		r->heap = p;
	r->word_capacity = capacity;
	capacity = r->objection_count + FIRST_WORDS;
	if (r->objection_capacity <= 4 * capacity)
		return;
	p = realloc(r->objections, capacity * sizeof *r->objections);
	if (p) {
		r->objections = p;
		r->objection_capacity = capacity;
	}
}
