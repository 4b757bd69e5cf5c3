/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LEDGER_ETHEREUM_POOL_STATE_H
#define LEDGER_ETHEREUM_POOL_STATE_H

#include "ledger/ethereum/pool.h"
#include "ledger/ethereum/request.h"

/* What pool.c, pool_probe.c and pool_round.c share. */

enum peer_state {
	PEER_PROBING = 1,
	PEER_READY = 2,
	PEER_AWAY = 3, /* until retry_at */
};

/* Which calls are on their way; each is asked at most once at a time. */
enum peer_call {
	CALL_CHAIN_ID,
	CALL_GENESIS,
	CALL_CODE,
	CALL_LATEST, /* of a probe */
	CALL_PROOF,
	CALL_BY_HASH,
	CALL_TAG,
	CALL_HEIGHT, /* of a round */
	CALL_FINAL,
	CALL_BLOCK,
	CALL_AT_FINAL,
	CALL_AT_ANCHOR,
	CALL_TIPS,          /* the last of a round */
	CALL_CONFIRM_BLOCK, /* of pool_ask() */
	CALL_CONFIRM_TIPS,
	CALL_COUNT
};

struct peer {
	struct pool *pool;
	unsigned index;
	struct rpc *rpc;
	enum peer_state state;
	struct abilities can;
	uint64_t call[CALL_COUNT];

	/* probing */
	unsigned waiting; /* answers that are due */
	bool bad;         /* one of them says that it cannot be used */
	bool wrong;       /* it answers, but is not our ledger: a long pause */
	struct error why;
	struct header latest;
	unsigned proof_tries; /* proofs that did not verify */
	uint32_t pause_ms;    /* before the next try */
	uint64_t retry_at;
	bool named; /* the operator was told that it is away */

	/* rounds */
	struct witness_answer said;
	unsigned silent; /* rounds without an answer */
	bool upholds;    /* had the panel's anchor in the last round */

	/* pool_ask() */
	struct witness_answer confirms;
	unsigned confirming; /* answers that are due */
	bool asked;
	bool late;   /* was too slow: not waited for */
	bool behind; /* does not know the block yet: asked again */
};

struct pool {
	struct ethereum_settings const *settings;
	struct pool_callbacks callbacks;
	struct peer peer[ENDPOINTS_MAX];
	unsigned count;
	struct panel panel;
	int followed;    /* as told by callbacks.followed; -1: none */
	bool none_named; /* the operator was told that nobody is usable */
	bool closing;
	unsigned open_handles;
	uv_loop_t *loop;
	uv_timer_t tick; /* pauses, quarantines, rounds */
	uv_timer_t turn; /* 0 ms: choose, outside of the owner's calls */

	unsigned round_ms;
	uint64_t round_at;  /* when the next begins */
	unsigned round_due; /* answers that are due in this step */
	bool round_second;  /* the step that asks for a common block */
	uint64_t round_number;
	int round_claim;          /* whose final block is asked for; -1: none */
	uint64_t round_final;     /* .. its number */
	bool has_final;           /* the panel has agreed on one */
	struct final_block final; /* the last that it agreed on */
	bool anchor_moves;        /* the next round asks for this one */
	uint64_t next_anchor;
	uint8_t next_anchor_hash[HASH_SIZE];

	uv_timer_t confirm; /* deadline and repetition */
	uint64_t ask_number, ask_at;
	uint64_t confirm_at; /* when pool_confirm() was called */
	bool asking;
	struct witness_answer mine;
	pool_confirm_fn *done;
	void *done_context;
};

uint64_t pool_now(const struct pool *p);
/* What the operator is told; printf of at most one line. */
void pool_say(struct pool *p, bool healthy, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
const char *peer_name(const struct peer *peer);
/* Choose anew, soon. */
void pool_choose_soon(struct pool *p);
/* It cannot be used now: calls are cancelled, it is probed again after a pause. */
void peer_away(struct peer *peer, const char *why);
void peer_cancel(struct peer *peer, enum peer_call from, enum peer_call to);
/* One question; the answer to fn with the peer. Returns whether it was asked. */
bool peer_ask(struct peer *peer, enum peer_call call, const char *method, json_t *params,
	unsigned timeout_ms, rpc_reply_fn *fn);

/* pool_probe.c */
void peer_probe(struct peer *peer);
/* pool_round.c */
void pool_round(struct pool *p);
void pool_round_drop(struct pool *p, struct peer *peer);

#endif
