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
	uint32_t final_ms;   /* calls other blocks final than the others for so long */
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
	uint64_t seq[2];           /* of the tips */
	bool proved;               /* the tips, against state_root */
	bool has_final;            /* the block that the finality tag names */
	uint64_t final, final_time;
	uint8_t final_hash[HASH_SIZE];
	bool has_at_final; /* what it has at the height of panel_final_claim() */
	uint8_t at_final[HASH_SIZE];
	bool has_at_anchor; /* what it has at the height of the panel's anchor */
	uint8_t at_anchor[HASH_SIZE];
};

/* A block that counts as final. */
struct final_block {
	uint64_t number;
	uint64_t timestamp; /* unix seconds; 0: not known */
	uint8_t hash[HASH_SIZE];
	unsigned witnesses; /* endpoints that say so beside one */
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
	uint64_t final_ahead_since, final_behind_since, final_differs_since;
	bool final_lagging; /* named; it can be followed all the same */
};

struct panel {
	struct witness_limits limits;
	struct witness of[ENDPOINTS_MAX];
	unsigned count;
	uint64_t disputed_since; /* ms; 0: not */
	bool disputed;           /* for so long that nobody is followed */
	/*
	 * The newest block that was verified here, confirmed by another endpoint
	 * and is final: who has another one there is wrong however many they are,
	 * as long as one endpoint has it. (When none has it any more, the chain
	 * itself took back what counted as final.)
	 */
	bool has_anchor;
	uint64_t anchor;
	uint8_t anchor_hash[HASH_SIZE];
};

/* What a round shows, to be told to the operator; more than one may be set. */
#define VERDICT_LAGS            1u
#define VERDICT_CAUGHT_UP       2u
#define VERDICT_LIES            4u  /* witness_lied() was called for it */
#define VERDICT_DENIES          8u  /* with it: the anchor */
#define VERDICT_FINAL           16u /* with it: about what is final */
#define VERDICT_FINAL_LAGS      32u
#define VERDICT_FINAL_CAUGHT_UP 64u

void panel_begin(struct panel *p, unsigned count, const struct witness_limits *limits);

/*
 * Judge a round: answer[i] of endpoint i (those in quarantine are passed over);
 * verdict[i] is set. Returns whether p->disputed has changed.
 */
bool panel_judge(struct panel *p, const struct witness_answer *answer, uint64_t now_ms,
	unsigned *verdict);

/*
 * Whose final block is the one that more than half of those who name one have
 * reached: of two the lower, of three the middle one, which no single endpoint
 * can move past an honest one. -1: nobody names one. Others are asked what they
 * have at its height (at_final).
 */
int panel_final_claim(
	const struct panel *p, const struct witness_answer *answer, uint64_t now_ms);

/*
 * Judge what was answered to it; verdict[i] is added to. Returns whether *out is
 * final: more than half of those asked have that very block there.
 */
bool panel_final(struct panel *p, const struct witness_answer *answer, int claim,
	uint64_t now_ms, unsigned *verdict, struct final_block *out);

/*
 * Whether somebody who does not lag has the anchor; in quarantine, too: else those
 * who bring an honest one there could take back what is final as a second step.
 */
bool panel_upheld(const struct panel *p, const struct witness_answer *answer);

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
