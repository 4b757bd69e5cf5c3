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
};

struct weight {
	uint64_t sum; /* against WEIGHT_ONE */
	uint32_t attempts;
	uint8_t kind;  /* the most harmful one counted */
	uint8_t proof; /* the strongest one counted */
	usec oldest;   /* time of the first one counted */
};

/* Weigh a source's attempts at a time. Changes nothing. */
struct weight weigh(const struct source *s, const struct detect_config *config,
	struct weigh_what what, usec now);

#endif
