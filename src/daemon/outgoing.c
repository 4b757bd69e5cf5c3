/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/outgoing.h"

#include <stdlib.h>

#define CELLS (UINT32_C(1) << 24) /* that a word can name */

const struct outgoing_pace outgoing_pace_at_once = {.flights = 1};
const struct outgoing_pace outgoing_pace_blocks = {
	.flights = OUTGOING_FLIGHTS, .gather = USEC_PER_SEC, .slack = 60};

/* --- when --- */

usec outgoing_wait(const struct outgoing_pace *pace, const struct outgoing_moment *m)
{
	unsigned room = pace->flights - (m->urgent ? 0 : pace->flights / 8);
	usec held = m->now - m->since;

	if (!m->waiting || m->flights >= room)
		return OUTGOING_NEVER;
	if (m->urgent || m->waiting >= OUTGOING_ROWS)
		return 0;
	if (!m->flights && (!m->left || m->now - m->left >= pace->gather))
		return 0;
	return held >= pace->gather ? 0 : pace->gather - held;
}

/* --- as which words --- */

/* A live report that may have to give way. */
struct victim {
	uint32_t expiry, cell;
};

struct outgoing {
	const struct registry *registry;
	const struct member *member;
	uint32_t now;
	uint32_t latest; /* expiry that the ledger takes */
	bool spends_only;
	uint32_t next_free; /* no cell below is free and not taken */
	/*
	 * With every cell live: those that expire first, found in one walk over
	 * the cells when the first is needed, not in one for each row.
	 */
	struct victim victims[OUTGOING_ROWS];
	unsigned victim_count, victim_at;
	bool victims_found;
	/* A bit a cell; pages that no bit is set in are never touched. */
	uint8_t taken[CELLS / 8];
};

static bool taken(const struct outgoing *o, uint32_t cell)
{
	return cell >= CELLS || o->taken[cell / 8] >> cell % 8 & 1;
}

void outgoing_avoid(struct outgoing *o, uint32_t cell)
{
	if (cell < CELLS)
		o->taken[cell / 8] |= (uint8_t)(1U << cell % 8);
}

/*
 * The lowest free cell as the registry knows it, which it does without a walk
 * over the live ones: asked for an indicator that cannot stand anywhere.
 */
static uint32_t first_free(const struct outgoing *o)
{
	static const struct indicator nothing;
	uint32_t cell;
	uint8_t action;

	if (registry_choose_cell(o->registry, o->member->index, &nothing, o->now, NULL, 0,
		    &cell, &action) ||
		action != ACTION_REPORT)
		return o->member->cap;
	return cell;
}

struct outgoing *outgoing_new(const struct registry *r, const struct member *m,
	uint32_t now, const struct outgoing_pace *pace)
{
	uint32_t ttl = registry_config(r)->max_ttl, slack = pace->slack;
	struct outgoing *o = calloc(1, sizeof *o);

	if (!o)
		return NULL;
	o->registry = r;
	o->member = m;
	o->now = now;
	if (slack > ttl / 8) /* a ledger of short reports keeps most of their life */
		slack = ttl / 8;
	o->latest = ttl - slack > UINT32_MAX - now ? UINT32_MAX : now + ttl - slack;
	/* While paused, or after a successor was named, only spends pass. */
	o->spends_only = registry_paused(r) || registry_superseded(r);
	o->next_free = first_free(o);
	return o;
}

void outgoing_free(struct outgoing *o)
{
	free(o);
}

static bool same(const struct indicator *a, const struct indicator *b)
{
	return memcmp(a, b, sizeof *a) == 0;
}

/* Whether a report may go into this cell as far as cap and flights go. */
static bool open_cell(const struct outgoing *o, uint32_t cell)
{
	return cell < o->member->cap && !taken(o, cell);
}

/*
 * The cell of the row's earlier word, if that was this member's. *free tells
 * whether it is free; it holds the row's indicator otherwise. Returns 0, or -1
 * when it is of no use.
 */
static int old_cell(const struct outgoing *o, const struct outbox_row *row,
	uint32_t *cell, bool *free_now)
{
	struct report old, there;

	if (!row->has_word)
		return -1;
	word_decode(&old, row->word);
	if (old.member != o->member->index || !open_cell(o, old.cell))
		return -1;
	*cell = old.cell;
	*free_now = registry_cell(o->registry, old.member, old.cell, o->now, &there) != 0;
	return *free_now || same(&there.indicator, &row->indicator) ? 0 : -1;
}

/* The lowest cell that is free and not taken. Returns 0 or -1. */
static int free_cell(struct outgoing *o, uint32_t *cell)
{
	struct report there;

	for (; o->next_free < o->member->cap; o->next_free++) {
		if (taken(o, o->next_free) ||
			!registry_cell(o->registry, o->member->index, o->next_free,
				o->now, &there))
			continue;
		*cell = o->next_free;
		return 0;
	}
	return -1;
}

/* Keep a cell among the victims if it expires earlier than one of them. */
static void consider(struct outgoing *o, struct victim v)
{
	unsigned at = o->victim_count;

	if (at == OUTGOING_ROWS && v.expiry >= o->victims[at - 1].expiry)
		return;
	if (at < OUTGOING_ROWS)
		o->victim_count++;
	else
		at--;
	/* Cells come in ascending order: of two that expire together the lower is first. */
	for (; at > 0 && o->victims[at - 1].expiry > v.expiry; at--)
		o->victims[at] = o->victims[at - 1];
	o->victims[at] = v;
}

static int victim_cell(struct outgoing *o, uint32_t *cell)
{
	struct report there;

	for (uint32_t c = 0; !o->victims_found && c < o->member->cap; c++)
		if (!taken(o, c) &&
			!registry_cell(o->registry, o->member->index, c, o->now, &there))
			consider(o, (struct victim){there.expiry, c});
	o->victims_found = true;
	while (o->victim_at < o->victim_count) {
		*cell = o->victims[o->victim_at++].cell;
		if (!taken(o, *cell))
			return 0;
	}
	return -1;
}

static int choose(struct outgoing *o, const struct outbox_row *row, struct report *w)
{
	uint32_t before;
	bool vacant = false;
	int old = old_cell(o, row, &before, &vacant);
	struct report own;

	w->action = ACTION_REPORT;
	if (!old && !vacant) {
		w->cell = before;
		return 0;
	}
	if (!registry_own_word(
		    o->registry, o->member->index, &row->indicator, o->now, &own) &&
		open_cell(o, own.cell)) {
		w->cell = own.cell;
		return 0;
	}
	if (!old) {
		w->cell = before;
		return 0;
	}
	if (!free_cell(o, &w->cell))
		return 0;
	w->action = ACTION_REPLACE;
	return victim_cell(o, &w->cell);
}

static enum outgoing_verdict spend(
	struct outgoing *o, const struct outbox_row *row, struct report *w)
{
	if (registry_own_word(o->registry, o->member->index, &row->indicator, o->now, w))
		return OUTGOING_DONE;
	/* A batch in flight puts another report into its cell: see what comes of it. */
	if (taken(o, w->cell))
		return OUTGOING_LATER;
	w->action = ACTION_SPEND;
	outgoing_avoid(o, w->cell);
	return OUTGOING_WORD;
}

enum outgoing_verdict outgoing_word(
	struct outgoing *o, const struct outbox_row *row, struct report *w)
{
	memset(w, 0, sizeof *w);
	if (row->want == OUTBOX_SPEND)
		return spend(o, row, w);
	if (o->spends_only)
		return OUTGOING_LATER;
	w->indicator = row->indicator;
	/* Decided before the ledger was known, or it has been configured since. */
	w->expiry = row->expiry < o->latest ? row->expiry : o->latest;
	w->member = o->member->index;
	w->generation = o->member->generation;
	w->category = row->category;
	w->proof = row->proof;
	if (choose(o, row, w))
		return OUTGOING_LATER;
	outgoing_avoid(o, w->cell);
	return OUTGOING_WORD;
}

/* --- after a refusal --- */

enum outgoing_remedy outgoing_remedy(enum refusal_code code)
{
	switch ((int)code) {
	case REFUSED_INDICATOR:
	case REFUSED_UNROUTABLE:
	case REFUSED_EXPIRY_PAST:
	case REFUSED_CATEGORY:
	case REFUSED_PROOF:
	case REFUSED_PROTECTED:
	case REFUSED_ACTION_UNKNOWN:
		return OUTGOING_DROP;
	/*
	 * A race for a cell, a cap, a longest life or a generation that was
	 * changed while the batch was on its way.
	 */
	case REFUSED_CELL_LIVE:
	case REFUSED_CELL_NOT_LIVE:
	case REFUSED_CELL_MISMATCH:
	case REFUSED_CELL_OVER_CAP:
	case REFUSED_EXPIRY_TOO_FAR:
	case REFUSED_WRONG_GENERATION:
		return OUTGOING_REBUILD;
	default:
		return OUTGOING_PAUSE;
	}
}
