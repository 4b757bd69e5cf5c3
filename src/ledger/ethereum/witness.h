/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LEDGER_ETHEREUM_WITNESS_H
#define LEDGER_ETHEREUM_WITNESS_H

#include "ledger/ethereum/endpoint.h"
#include "ledger/ethereum/header.h"

/*
 * What each endpoint says, set side by side: who is followed, who lags, who
 * lies. Pure: answers and a monotonic time come as arguments.
 *
 * Endpoints of a chain that forks differ for a block or two: only what lasts is
 * named. Where two say different things and nobody else can tell, neither is
 * believed. Who lied is not heard for a while, longer each time.
 */
struct witness_limits {
	uint32_t lag_blocks;    /* so many blocks and .. */
	uint32_t lag_seconds;   /* .. by the blocks' time so far behind .. */
	uint32_t lag_ms;        /* .. for so long: it lags */
	uint32_t differ_ms;     /* another block or tip for so long: it lies */
	uint32_t quarantine_ms; /* the first time; doubled with each */
	uint32_t quarantine_max_ms;
	uint32_t forgive_ms; /* well for so long: the next is the first again */
};

extern const struct witness_limits witness_limits_default;

/* One endpoint's answers in a round; height is its own, the rest about one block. */
struct witness_answer {
	bool has_height;
	uint64_t height;
	uint64_t timestamp; /* of that block, unix seconds */
	bool has_block;     /* of the block that all were asked for */
	uint8_t hash[HASH_SIZE];
	uint8_t state_root[HASH_SIZE]; /* zero: not given */
	bool has_tips;
	uint8_t tip[2][HASH_SIZE]; /* by enum chain */
	bool proved;               /* the tips, against state_root */
};

struct witness {
	uint64_t lags_since;  /* ms; 0: it does not */
	uint64_t ahead_since; /* of all others */
	uint64_t differs_since;
	uint64_t quarantined_until;
	uint64_t well_since;
	unsigned differs; /* rounds in a row */
	unsigned offences;
	bool lagging; /* named */
};

struct panel {
	struct witness_limits limits;
	struct witness of[ENDPOINTS_MAX];
	unsigned count;
	uint64_t disputed_since; /* ms; 0: not */
	bool disputed;           /* for so long that nobody is followed */
};

/* What a round shows, to be told to the operator; more than one may be set. */
#define VERDICT_LAGS      1u
#define VERDICT_CAUGHT_UP 2u
#define VERDICT_LIES      4u /* witness_lied() was called for it */

void panel_begin(struct panel *p, unsigned count, const struct witness_limits *limits);

/*
 * Judge a round: answer[i] of endpoint i (those in quarantine are passed over);
 * verdict[i] is set. Returns whether p->disputed has changed.
 */
bool panel_judge(struct panel *p, const struct witness_answer *answer, uint64_t now_ms,
	unsigned *verdict);

/* Endpoint i lied: quarantine. */
void witness_lied(struct panel *p, unsigned i, uint64_t now_ms);
bool witness_quarantined(const struct panel *p, unsigned i, uint64_t now_ms);

/*
 * Whom to follow: the one that is followed now (-1: none) while it is usable,
 * in time and not in quarantine, else the first such, else one that only lags.
 * -1: nobody, which also holds during a dispute.
 */
int panel_choose(
	const struct panel *p, const bool *usable, int followed, uint64_t now_ms);

/* What the others say to a block that was read from the followed endpoint. */
enum confirmation {
	CONFIRM_AGREED = 1,   /* more than half of those who answered */
	CONFIRM_ALONE = 2,    /* nobody else answered */
	CONFIRM_DISPUTED = 3, /* it is not to be applied now */
	CONFIRM_UNKNOWN = 4,  /* those who answered do not know the block (yet) */
};

/* others: the answers that have come; unknown: so many said there is no such block. */
enum confirmation witness_confirm(const struct witness_answer *mine,
	const struct witness_answer *others, unsigned count, unsigned unknown);

/* Whether these are enough already, of so many that were asked in all. */
bool witness_enough(const struct witness_answer *mine,
	const struct witness_answer *others, unsigned count, unsigned asked);

#endif
