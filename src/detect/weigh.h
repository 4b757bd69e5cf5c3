/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_WEIGH_H
#define DETECT_WEIGH_H

#include "detect/source.h"

/* Weights are fixed point; this much is a detection. */
#define WEIGHT_ONE (UINT64_C(1) << 32)

/* A scan counts when it stayed unanswered for so long. */
#define SCAN_GRACE (3 * USEC_PER_SEC)

/* Which attempts to weigh. */
struct weigh_what {
	bool spent;    /* those of the running offence, too */
	bool unripe;   /* scans younger than SCAN_GRACE, too */
	unsigned rank; /* only those with at least this proof_rank() */
	bool wire;     /* only those that the wire, not a log, showed */
	uint8_t signs; /* only those with these signs, or proved ones */
};

struct weight {
	uint64_t sum; /* against WEIGHT_ONE */
	uint32_t attempts;
	uint8_t kind;                        /* the most harmful one counted */
	uint8_t proof;                       /* the strongest one counted */
	usec oldest;                         /* time of the first one counted */
	uint32_t sources, accounts, numbers; /* distinct ones; tally() only */
};

/* Whether an attempt is among those. */
bool weigh_takes(const struct attempt *e, struct weigh_what what);

/* Whether somebody authenticated from this source within so many seconds. */
bool weigh_succeeded(const struct source *s, usec now, uint32_t window);

/*
 * Count by one rule that weighs alone, number `at` of its rules: sum is what it
 * counts over what it needs. factor multiplies what it needs.
 */
struct weight tally(const struct source *s, const struct rule *rule, unsigned at,
	uint32_t factor, struct weigh_what what, usec now);

/* How much of its threshold a rule has, of what tally() returned: N of `need`. */
uint32_t tally_count(const struct rule *rule, const struct weight *w);
uint32_t tally_need(const struct rule *rule, uint32_t factor);

/* Weigh a source's attempts at a time. Changes nothing. */
struct weight weigh(const struct source *s, const struct detect_config *config,
	struct weigh_what what, usec now);

#endif
