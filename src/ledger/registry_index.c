/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/registry_state.h"

#include <stdlib.h>

#define FIRST_WORDS 64

bool is_objection(const struct word *w)
{
	return w->category == CATEGORY_OBJECTION;
}

struct report report_of(const struct word *w)
{
	return (struct report){
		.indicator = w->indicator,
		.expiry = w->expiry,
		.member = w->member,
		.generation = w->generation,
		.cell = w->cell,
		.category = w->category,
		.proof = w->proof,
	};
}

static struct cell_record *cell_get(
	const struct registry *r, uint16_t member, uint32_t cell)
{
	struct cell_record key = {.cell = cell, .member = member};

	return table_get(r->cells, &key);
}

uint32_t index_find(const struct registry *r, uint16_t member, uint32_t cell)
{
	const struct cell_record *c = cell_get(r, member, cell);

	return c ? c->slot : NO_SLOT;
}

uint32_t index_head(const struct registry *r, const struct indicator *i)
{
	const struct listed_record *l = table_get(r->listed, i);

	return l ? l->head : NO_SLOT;
}

/* Returns 0, or -1; on failure what had grown stays grown, which is harmless. */
static int grow(struct registry *r, size_t more)
{
	size_t need = r->word_count + more, capacity = r->word_capacity;
	size_t objections = r->objection_count + more;
	void *p;

	if (need >= NO_SLOT)
		return -1;
	if (need > capacity) {
		capacity = capacity ? capacity + capacity / 4 : FIRST_WORDS;
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
	return 0;
}

/* Take back what index_reserve() put into the tables for no word yet. */
static void unreserve(struct registry *r, const struct report *reports, size_t n)
{
	for (size_t k = 0; k < n; k++) {
		struct cell_record key = {
			.cell = reports[k].cell, .member = reports[k].member};

		if (index_find(r, reports[k].member, reports[k].cell) == NO_SLOT)
			table_remove(r->cells, &key);
		if (index_head(r, &reports[k].indicator) == NO_SLOT)
			table_remove(r->listed, &reports[k].indicator);
	}
}

int index_reserve(struct registry *r, const struct report *reports, size_t n)
{
	if (grow(r, n))
		return -1;
	for (size_t k = 0; k < n; k++) {
		struct cell_record key = {
			.cell = reports[k].cell, .member = reports[k].member};
		struct cell_record *c;
		struct listed_record *l;
		bool fresh;

		c = table_put(r->cells, &key, &fresh);
		if (c && fresh)
			c->slot = NO_SLOT;
		l = c ? table_put(r->listed, &reports[k].indicator, &fresh) : NULL;
		if (l && fresh)
			l->head = NO_SLOT;
		if (!l) {
			unreserve(r, reports, k + 1);
			return -1;
		}
	}
	return 0;
}

/*
 * Put the word of a slot into its indicator's list, by member and cell, and
 * among the objections if it is one.
 */
static void link_word(struct registry *r, uint32_t slot)
{
	struct word *w = &r->words[slot];
	struct listed_record *l;
	uint32_t prev = NO_SLOT, next;
	bool fresh;

	l = table_put(r->listed, &w->indicator, &fresh);
	if (!l)
		abort(); /* index_reserve() made room */
	if (fresh)
		l->head = NO_SLOT;
	if (l->head == NO_SLOT)
		r->lengths[w->indicator.kind][w->indicator.plen]++;
	for (next = l->head; next != NO_SLOT; next = r->words[next].next) {
		const struct word *n = &r->words[next];

		if (n->member > w->member ||
			(n->member == w->member && n->cell > w->cell))
			break;
		prev = next;
	}
	w->prev = prev;
	w->next = next;
	if (prev == NO_SLOT)
		l->head = slot;
	else
		r->words[prev].next = slot;
	if (next != NO_SLOT)
		r->words[next].prev = slot;
	if (is_objection(w))
		objections_enter(r, slot);
}

static void unlink_word(struct registry *r, uint32_t slot)
{
	struct word *w = &r->words[slot];

	if (is_objection(w))
		objections_leave(r, slot);
	if (w->next != NO_SLOT)
		r->words[w->next].prev = w->prev;
	if (w->prev != NO_SLOT) {
		r->words[w->prev].next = w->next;
	} else if (w->next != NO_SLOT) {
		struct listed_record *l = table_get(r->listed, &w->indicator);

		l->head = w->next;
	} else {
		table_remove(r->listed, &w->indicator);
		r->lengths[w->indicator.kind][w->indicator.plen]--;
	}
}

static void word_set(struct word *w, const struct report *report)
{
	w->indicator = report->indicator;
	w->category = report->category;
	w->proof = report->proof;
	w->expiry = report->expiry;
	w->cell = report->cell;
	w->member = report->member;
	w->generation = report->generation;
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

void index_put(struct registry *r, const struct report *report)
{
	struct seat *seat = registry_seat(r, report->member);
	struct cell_record *c = cell_get(r, report->member, report->cell);
	uint32_t slot;

	if (c && c->slot != NO_SLOT) {
		rewrite(r, c->slot, report);
		return;
	}
	if (!c) { /* an earlier entry of the batch has spent the cell */
		struct cell_record key = {.cell = report->cell, .member = report->member};

		c = table_put(r->cells, &key, NULL);
		if (!c)
			abort(); /* index_reserve() made room */
	}
	slot = r->word_count++;
	c->slot = slot;
	word_set(&r->words[slot], report);
	heap_enter(r, slot);
	link_word(r, slot);
	seat->member.live++;
	if (seat->free_from == report->cell)
		while (index_find(r, report->member, seat->free_from) != NO_SLOT)
			seat->free_from++;
}

/* Move the last word into a slot that has become free. */
static void fill(struct registry *r, uint32_t to)
{
	uint32_t from = r->word_count - 1;
	struct word *w = &r->words[to];
	struct listed_record *l;

	if (from == to)
		return;
	*w = r->words[from];
	if (w->next != NO_SLOT)
		r->words[w->next].prev = to;
	if (w->prev != NO_SLOT) {
		r->words[w->prev].next = to;
	} else {
		l = table_get(r->listed, &w->indicator);
		l->head = to;
	}
	r->heap[w->heap_at] = to;
	cell_get(r, w->member, w->cell)->slot = to;
	if (is_objection(w))
		objections_renumber(r, to);
}

void index_drop(struct registry *r, uint32_t slot)
{
	const struct word *w = &r->words[slot];
	struct cell_record key = {.cell = w->cell, .member = w->member};
	struct seat *seat = registry_seat(r, w->member);

	seat->member.live--;
	if (w->cell < seat->free_from)
		seat->free_from = w->cell;
	unlink_word(r, slot);
	heap_leave(r, slot);
	table_remove(r->cells, &key);
	fill(r, slot);
	r->word_count--;
}

/* Build both tables anew at the size that the words need. Returns 0 or -1. */
static int rebuild_tables(struct registry *r)
{
	struct table *cells, *listed;

	cells = table_new(sizeof(struct cell_record), 8, 0, r->key);
	listed = table_new(sizeof(struct listed_record), INDICATOR_SIZE, 0, r->key);
	if (!cells || !listed)
		goto fail;
	for (uint32_t slot = 0; slot < r->word_count; slot++) {
		const struct word *w = &r->words[slot];
		struct cell_record key = {.cell = w->cell, .member = w->member}, *c;
		struct listed_record *l;

		c = table_put(cells, &key, NULL);
		if (!c)
			goto fail;
		c->slot = slot;
		if (w->prev != NO_SLOT)
			continue;
		l = table_put(listed, &w->indicator, NULL);
		if (!l)
			goto fail;
		l->head = slot;
	}
	table_free(r->cells);
	table_free(r->listed);
	r->cells = cells;
	r->listed = listed;
	return 0;
fail:
	table_free(listed);
	table_free(cells);
	return -1;
}

void index_shrink(struct registry *r)
{
	uint32_t capacity = r->word_count + r->word_count / 4 + FIRST_WORDS;
	void *p;

	if (r->word_capacity <= 4 * FIRST_WORDS || r->word_count > r->word_capacity / 4)
		return;
	if (rebuild_tables(r))
		return; /* memory is short: keep what there is */
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
