/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_DIRECT_H
#define CLI_DIRECT_H

#include "cli/cell_search.h"
#include "cli/desk.h"

/*
 * Reporting without the daemon: one word, signed here, straight onto the
 * ledger. What must be known for it comes from the registry (a local ledger)
 * or from a few views (one on a chain: no reading of its history).
 */
struct standing {
	struct member member; /* whose key signs; index 0: nobody's */
	struct ledger_config config;
	uint32_t now; /* the ledger's clock: a block's, where there are blocks */
};

enum direct_kind {
	DIRECT_REPORT,
	DIRECT_OBJECT,
	DIRECT_REVOKE,
};

struct direct {
	struct desk desk;
	enum direct_kind kind;
	struct indicator indicator;
	char canonical[INDICATOR_SOURCE_TEXT + 1];
	uint8_t category;
	uint32_t ttl; /* 0: the default */
	struct standing standing;
	struct report word;         /* what is signed */
	struct buffer cells;        /* the first page, as standing_chain() got it */
	uint32_t taken[CELL_TRIES]; /* cells that were refused as somebody else's */
	unsigned taken_count;
};

/*
 * direct_chain.c, in two round trips: open the session of d->desk and fill
 * d->standing from views. 0, or -1 with d->desk.why.
 */
int standing_chain(struct direct *d);

/*
 * Choose the cell of d->word, or of a revocation find the word to spend, by
 * pages of the member's cells. 0; 1: no live word to spend; -1 with d->desk.why.
 */
int cell_chain(struct direct *d);

/*
 * When the word is to expire: ttl from now, but nothing that the ledger, whose
 * clock is another one, would call too far. Pure.
 */
uint32_t direct_expiry(uint32_t now, uint32_t ttl, const struct standing *s);

#endif
