/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_CELL_SEARCH_H
#define CLI_CELL_SEARCH_H

#include "indicator/word.h"

#define CELL_TRIES 4

/*
 * Which of a member's cells a word should go to, out of pages of raw cells (the
 * contract's snapshot()), as registry_choose_cell() has it out of the registry.
 * Pure. Fill the first six and zero the rest.
 */
struct cell_search {
	struct indicator indicator;
	uint16_t generation; /* the member's: words of another one are dead */
	uint32_t cap;
	uint32_t now; /* unix seconds, the chain's */
	/* Where another word is on its way: no new one goes there. */
	const uint32_t *avoid;
	unsigned avoid_count;

	bool own; /* a live word about the indicator: the lowest */
	struct report own_word;
	bool free; /* the lowest cell without a live word */
	uint32_t free_cell;
	bool oldest; /* the live word that expires first, the lowest of those */
	uint32_t oldest_cell, oldest_expiry;
	bool untouched; /* the last page held nothing at all, not even dead words */
};

/* The next page: words of the cells from `from` on. */
void cell_search_page(struct cell_search *s, uint32_t from, struct view words);

/*
 * Whether a further page, from `from` on, can matter: not behind the cap, and
 * not behind a page that was never written, since cells are taken from the
 * lowest on. (A member that does otherwise may get a second word about the same
 * indicator, which counts once.)
 */
bool cell_search_goes_on(const struct cell_search *s, uint32_t from);

/*
 * The cell and action for a report: its own live one, the lowest free one, else
 * in place of the one that expires first. 0, or -1 when the cap is 0.
 */
int cell_search_choose(const struct cell_search *s, uint32_t *cell, uint8_t *action);

#endif
