/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_ATTEMPT_H
#define DETECT_ATTEMPT_H

#include "detect/detect.h"

/*
 * Observations with one key within this time are one attempt: 64*T1, how long
 * a SIP transaction lives and is retransmitted (RFC 3261 17.1.2.2, timer F).
 */
#define ATTEMPT_SAME (32 * USEC_PER_SEC)

/* Most attempts kept of one source; half of them may be answered ones. */
#define ATTEMPTS_MAX 128

/* Room beyond them, so that not each new one moves all the others. */
#define ATTEMPTS_SPARE 16

enum attempt_state {
	ATTEMPT_LIVE = 0,     /* counts */
	ATTEMPT_ANSWERED = 1, /* kept to know its duplicates; never counts */
	ATTEMPT_SPENT = 2,    /* counted in the offence that is running */
};

/* Packed: tens of thousands of sources have dozens of these. */
struct __attribute__((packed, aligned(4))) attempt {
	uint64_t key;
	usec time;
	uint32_t account;     /* text_hash() of the account */
	uint32_t dialled;     /* text_hash() of the dialled string */
	uint32_t address;     /* of a network's attempt: a hash of whose it was */
	uint32_t fits;        /* bit by rule: the dialled string is one that it counts */
	uint32_t kind : 4;    /* enum observation_kind */
	uint32_t proof : 4;   /* enum proof */
	uint32_t state : 2;   /* enum attempt_state */
	uint32_t sensor : 3;  /* of the first observation */
	uint32_t method : 4;  /* enum sip_method */
	uint32_t signs : 4;   /* of enum observation_sign */
	uint32_t sensors : 8; /* bit by enum observation_sensor: who saw it */
	uint32_t phone : 1;   /* the agent is one that a rule takes for a phone's */
	uint32_t account_late : 1; /* a later observation told the account, */
	uint32_t dialled_late : 1; /* or the dialled string */
};

_Static_assert(OBSERVED_KINDS <= 16 && PROOF_COUNT <= 16, "they fit");
_Static_assert(sizeof(struct attempt) == 36, "no gaps");

/* What was asked for at first: a hash of account and dialled string; 0: nothing. */
static inline uint32_t attempt_target(const struct attempt *e)
{
	/* Multiplied, for an account that dials itself is a target, too. */
	return (e->account_late ? 0 : e->account) +
		(e->dialled_late ? 0 : e->dialled) * 31;
}

/* The attempt that an observation alone would be. */
struct attempt attempt_of(const struct observation *o);

/*
 * The attempts of one source, oldest first. Zero-initialise. capacity is how many
 * are kept until old ones are looked for; room is there for fewer, and for some
 * before list where the oldest have gone.
 */
struct attempts {
	struct attempt *list;
	uint8_t n, capacity, room, gone;
	bool mixed; /* one came later than one that is younger */
};

/* Time between two clocks' readings, whichever is later. */
static inline usec apart(usec a, usec b)
{
	return a > b ? a - b : b - a;
}

/* A short hash of a text; 0 for an empty one. */
uint32_t text_hash(const char *text);

/* Whether a kind is a challenge, which credentials would answer. */
static inline bool kind_is_challenge(uint8_t kind)
{
	return kind == OBSERVED_SCAN || kind == OBSERVED_UNKNOWN_ACCOUNT;
}

/*
 * How much harm a kind stands for: scan < malformed < unknown account <
 * failed password < refused call; 0 for kinds that never weigh together.
 */
static inline unsigned kind_harm(uint8_t kind)
{
	static const uint8_t harm[16] = {
		[OBSERVED_SCAN] = 1,
		[OBSERVED_MALFORMED] = 2,
		[OBSERVED_UNKNOWN_ACCOUNT] = 3,
		[OBSERVED_AUTH_FAILED] = 4,
		[OBSERVED_CALL_REJECTED] = 5,
	};

	return harm[kind & 15];
}

/*
 * Order of proofs: 0 none (and anything a sensor cannot give), 1 log, then
 * ack, tcp, nonce, auth. See detect.h for the reasons.
 */
static inline unsigned proof_rank(uint8_t proof)
{
	static const uint8_t rank[PROOF_COUNT] = {
		[PROOF_LOG] = 1,
		[PROOF_ACK] = 2,
		[PROOF_TCP] = 3,
		[PROOF_NONCE] = 4,
		[PROOF_AUTH] = 5,
	};

	return proof < PROOF_COUNT ? rank[proof] : 0;
}

#define PROOF_RANK_LOG    1
#define PROOF_RANK_PROVED 2 /* from here on, the wire proves the address */
#define PROOF_RANK_STRONG 3 /* by more than a tag, which may be derivable */

/*
 * The attempt of which new is one more observation, or NULL:
 * - the same key within ATTEMPT_SAME; but the same sensor naming another
 *   target is a tool that uses one Call-ID for all its guesses;
 * - the same key, sensor and target within keep microseconds, when both are
 *   challenges: a trunk that is pinged for years, a phone whose account was
 *   deleted. They try one thing, however often.
 */
struct attempt *attempts_find(
	const struct attempts *a, const struct attempt *new, usec keep);

/*
 * The attempt that new, a refused login, is one more observation of although their
 * keys differ, or NULL. Lines of Kamailio and OpenSIPS need not bear the digest's
 * response: then the same account, within ATTEMPT_TWIN, seen by one of the two and
 * not yet by the other, is the same one. At worst an attempt is not counted.
 */
#define ATTEMPT_TWIN (2 * USEC_PER_SEC) /* syslog's second, and the way */
struct attempt *attempts_twin(const struct attempts *a, const struct attempt *new);

/*
 * The newest unanswered challenge within ATTEMPT_SAME of new that new, which
 * bears credentials or was refused, may answer, or NULL: a live scan, whoever
 * it was for (the name in the request and the one in the credentials differ
 * with some phones); for credentials also an unknown account, unless they are
 * for another one.
 */
struct attempt *attempts_challenge(const struct attempts *a, const struct attempt *new);

/*
 * Append, first dropping what is older than keep microseconds, then growing
 * to ATTEMPTS_MAX, then dropping the oldest. Returns the copy inside, or NULL
 * when memory is short. Pointers into the list are invalid afterwards.
 */
struct attempt *attempts_add(struct attempts *a, const struct attempt *new, usec keep);

void attempts_free(struct attempts *a);

/* Bytes held. */
size_t attempts_memory(const struct attempts *a);

#endif
