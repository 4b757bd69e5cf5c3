/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DIFFERENTIAL_HISTORY_H
#define DIFFERENTIAL_HISTORY_H

#include "../unit/prng.h"
#include "ledger/registry.h"
#include "ledger/signer.h"

/*
 * Random histories: operations that mostly make sense in the state that the
 * registry is in, and often enough do not.
 */
#define ACTORS      12 /* 0 owner, 1 guardian, 2 another owner, 3.. signers, last a stranger */
#define STRANGER    (ACTORS - 1)
#define MEMBERS_TOP 5
#define CELLS_TOP   12
#define POOL        50

struct history {
	struct prng random;
	const struct signer *actors[ACTORS];
	struct indicator pool[POOL];
	uint32_t time;
	/* What the last operation's views point into. */
	uint8_t words[257 * WORD_SIZE];
	uint8_t texts[600];
	uint8_t table[16 * INDICATOR_SIZE];
	char name[NAME_MAX_BYTES + 8];
};

/* Fill the pool; actors are the caller's. */
void history_begin(struct history *h, uint64_t seed, uint32_t time);

/* A configuration within its bounds, now and then not. */
struct ledger_config history_config(struct history *h, bool valid);

/*
 * The next operation, and which actor sends it; the clock moves on. seq and
 * time and actor are filled in for the registry.
 */
unsigned history_next(struct history *h, const struct registry *r, struct operation *op);

#endif
