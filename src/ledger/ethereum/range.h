/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LEDGER_ETHEREUM_RANGE_H
#define LEDGER_ETHEREUM_RANGE_H

#include "base/bytes.h"

/*
 * How many blocks one eth_getLogs may ask for. No standard says: nodes give any
 * number, providers refuse by blocks (5, 500, 10k), by results (10,000), by
 * bytes or by time, each in his own words, some with a range that would pass.
 * Pure. Zero-initialise.
 */
struct range {
	uint64_t span;    /* blocks of the next question; 0: any number */
	uint64_t limit;   /* a number of blocks that the provider named; 0: none */
	uint64_t ceiling; /* a span that was refused for what was in it; 0: none */
	unsigned passed;  /* answers since the ceiling was met */
};

/* The last block of the next question, which begins at from (<= to). */
uint64_t range_end(const struct range *r, uint64_t from, uint64_t to);

/* A question of so many blocks was answered: the next may be larger. */
void range_passed(struct range *r, uint64_t blocks);

enum range_verdict {
	RANGE_SMALLER = 1, /* ask again: range_end() is nearer now */
	RANGE_SINGLE = 2,  /* not even one block passes: ask for parts of it */
	RANGE_LATER = 3,   /* too many questions: the same again after a while */
	RANGE_OTHER = 4,   /* an error that is not about size */
};

/*
 * A question for [from, to] was refused with an error object. message and data
 * are the provider's, unescaped. Every RANGE_SMALLER at least halves the span
 * or takes a range that the provider suggested, so that asking ends.
 */
enum range_verdict range_refused(struct range *r, uint64_t from, uint64_t to,
	int64_t code, struct view message, struct view data);

/*
 * The same when the answer broke off (a proxy's 413 or 504, a timeout, a body
 * too large): halves, RANGE_SINGLE when there is nothing to halve.
 */
enum range_verdict range_broke(struct range *r, uint64_t from, uint64_t to);

#endif
