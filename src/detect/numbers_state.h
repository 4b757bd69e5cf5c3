/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_NUMBERS_STATE_H
#define DETECT_NUMBERS_STATE_H

#include "detect/attempt.h"
#include "detect/number_caller.h"
#include "detect/number_target.h"

/* Who called what, inside: numbers.c, number_judge.c. */
struct numbers {
	struct numbers_config config;
	struct callers *callers;
	struct targets *targets;
	number_judged_fn *watch;
	void *watch_context;
	uint64_t fates[FATE_COUNT], told, flooded;
};

/* Whether a, a time or 0 for never, is within the calls' window of b. */
static inline bool numbers_fresh(const struct numbers *n, usec a, usec b)
{
	return a && apart(a, b) <= (usec)n->config.calls.window * USEC_PER_SEC;
}

/* Whether it proves that a call is its source's. */
static inline bool numbers_proof(uint8_t proof)
{
	return proof_rank(proof) >= PROOF_RANK_PROVED;
}

/* --- number_judge.c */

/* Read an attacker's strings, and count those calls that count. */
void numbers_judge(struct numbers *n, struct caller *s);

#endif
