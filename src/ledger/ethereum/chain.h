/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LEDGER_ETHEREUM_CHAIN_H
#define LEDGER_ETHEREUM_CHAIN_H

#include "ledger/ethereum/header.h"

/*
 * Where a new head stands to what was processed, and where a reorganisation
 * began. Pure: what the node says of a block comes as an argument.
 */
enum chain_step {
	CHAIN_KNOWN = 1,   /* the same block */
	CHAIN_EXTENDS = 2, /* its child */
	CHAIN_GAP = 3,     /* higher, unknown parent: is ours still canonical? */
	CHAIN_LEFT = 4,    /* not on top of ours: the same height or lower, or a
	                      child of another block */
};

/* ours: the block that was processed last. */
enum chain_step chain_step(
	uint64_t number, const uint8_t hash[HASH_SIZE], const struct header *head);

/*
 * The search for the last kept block that is still canonical, in the kept
 * numbers, descending (journal_blocks()). Galloping back by 1, 2, 4, .. entries
 * until one matches, then bisecting: a fork of a few blocks costs few
 * questions, a deep one few more.
 */
#define ANCESTOR_BLOCKS_MAX 4097

struct ancestor {
	const uint64_t *kept; /* descending; not owned */
	unsigned count;
	unsigned low;  /* entries before it do not match (index) */
	unsigned high; /* this entry matches; count: none is known to */
	unsigned step;
	bool gallop;
};

void ancestor_begin(struct ancestor *a, const uint64_t *kept, unsigned count);

/*
 * The next block to be asked for. Returns true with *number; false when it is
 * decided: *number is then the ancestor, or UINT64_MAX when none matches.
 */
bool ancestor_next(const struct ancestor *a, uint64_t *number);

/* Whether the block that ancestor_next() named has the kept hash. */
void ancestor_answer(struct ancestor *a, bool matches);

#endif
