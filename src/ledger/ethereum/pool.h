/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LEDGER_ETHEREUM_POOL_H
#define LEDGER_ETHEREUM_POOL_H

#include "ledger/ethereum/abi.h"
#include "ledger/ethereum/header.h"
#include "ledger/ethereum/rpc.h"
#include "ledger/ethereum/settings.h"
#include "ledger/ethereum/witness.h"

/*
 * The endpoints of one node: each probed (chain id, genesis, contract code,
 * what it can do), one followed, the others witnesses that are asked for
 * height, block hash and tips. The judgement is witness.h's, pure; here is its
 * I/O. Who does not answer is tried again with growing pauses.
 */
struct pool;

/* What an endpoint was found to be able to do. */
struct abilities {
	bool probed;    /* it answered and is our ledger */
	bool proofs;    /* eth_getProof */
	bool by_hash;   /* EIP-1898 block parameters */
	bool tag_final; /* the finality tag that is configured */
};

struct pool_callbacks {
	void *context;
	/* Another endpoint is followed now (or none: NULL). */
	void (*followed)(void *context, struct rpc *rpc);
	/* One line for the operator: an endpoint named, quarantined, well again. */
	void (*trouble)(void *context, bool healthy, const char *text);
};

/* Begins to probe; callbacks come from the loop only. NULL with a text. */
struct pool *pool_open(uv_loop_t *loop, const struct ethereum_settings *s,
	const struct pool_callbacks *callbacks, struct error *err);
/* No callback after it. Frees when its handles have closed on the loop. */
void pool_close(struct pool *p);

/* Other limits than witness_limits_default; for tests, before the loop runs. */
void pool_limits(struct pool *p, const struct witness_limits *limits, unsigned round_ms);

/* The endpoint that is followed; NULL: none is usable now. */
struct rpc *pool_followed(const struct pool *p);
const struct abilities *pool_abilities(const struct pool *p, const struct rpc *rpc);

/* Every endpoint, usable or not, for sending. i < pool_count(). */
size_t pool_count(const struct pool *p);
struct rpc *pool_rpc(const struct pool *p, size_t i);
bool pool_usable(const struct pool *p, size_t i);
/* How many others than the followed one are usable: for `status`. */
unsigned pool_witnesses(const struct pool *p);

/*
 * What the endpoints together call final, for [ledger] finality = safe and
 * finalized.
 */
enum pool_finality {
	POOL_FINAL_AGREED = 1, /* *out: the last that enough of them have said */
	POOL_FINAL_ALONE = 2,  /* nobody else names one: what is followed counts */
	POOL_FINAL_OPEN = 3,   /* others are still to say */
};
enum pool_finality pool_final(const struct pool *p, struct final_block *out);

/* Blocks from this one on were taken back: what was said of them is no more. */
void pool_unfinalise(struct pool *p, uint64_t from);

/*
 * A block that was verified, confirmed by another endpoint, and is final: who
 * denies it lies, as long as somebody has it (witness.h).
 */
void pool_anchor(struct pool *p, uint64_t number, const uint8_t hash[HASH_SIZE]);
/* The anchor's height when another endpoint than the followed has it; else 0. */
uint64_t pool_upheld(const struct pool *p);

/*
 * What the caller found out about the followed one: it failed (unreachable,
 * rate limited, no block for long): another is taken; it lied (a tip, a proof,
 * a field that cannot be): it is quarantined, why says what it said.
 */
void pool_failed(struct pool *p, const struct rpc *rpc, const char *why);
void pool_lied(struct pool *p, const struct rpc *rpc, const char *why);

/*
 * Ask the witnesses for a block and the tips at it (a former question is
 * forgotten), so that they have answered when pool_confirm() asks what comes of
 * it.
 */
void pool_ask(struct pool *p, uint64_t number);

/*
 * What the witnesses say to the block that pool_ask() was called for, as it was
 * read. `done` is called once, from the loop or within this call, when enough
 * have answered, at the latest after POOL_CONFIRM_MS; a witness that was too
 * slow is not waited for until it has been in time again, unless nobody else
 * has answered: then until it does, or its call times out. pool_ask() and
 * pool_unask() forget it.
 */
#define POOL_CONFIRM_MS 300
typedef void pool_confirm_fn(void *context, enum confirmation confirmation);
void pool_confirm(struct pool *p, const struct witness_answer *mine,
	pool_confirm_fn *done, void *context);
void pool_unask(struct pool *p);

#endif
