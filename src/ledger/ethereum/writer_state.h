/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LEDGER_ETHEREUM_WRITER_STATE_H
#define LEDGER_ETHEREUM_WRITER_STATE_H

#include "ledger/ethereum/pending.h"
#include "ledger/ethereum/writer.h"

/* The writer's inside, for writer*.c only. */

struct writer {
	uv_loop_t *loop;
	const struct ethereum_settings *settings;
	struct journal *journal;
	struct pool *pool;
	const struct signer *signer;
	uint64_t (*now_ms)(void);
	struct writer_callbacks callbacks;

	struct pending_set *set;
	struct inquiry *inquiries;
	uv_timer_t timer;
	bool turning, closing;

	const struct rpc *no_pending_at; /* it has no block `pending` */
	const struct rpc *liar;          /* to be told of by the next turn */
	struct fee_quotes agreed;        /* by all endpoints, when they were last asked */
	bool agreed_known;
	uint64_t purse_asked; /* at so many heads; 0: never */
};

/*
 * Requests that belong together: reply sees each answer, done runs once after
 * the last of them. No answer at all counts as one, of RPC_UNREACHABLE.
 */
struct inquiry;
struct inquiry_call {
	struct inquiry *of;
	struct rpc *rpc;
	uint64_t id;
	unsigned index;
};

struct inquiry {
	struct writer *w;
	struct inquiry *next, **at;
	struct pending *batch; /* NULL: of the set */
	void (*reply)(struct inquiry *q, unsigned index, const struct rpc_reply *reply);
	void (*done)(struct inquiry *q);
	unsigned left;

	/* What came out so far. */
	struct preflight preflight; /* writer_preflight.c */
	bool at_pending;
	bool call_known;
	enum answer best; /* writer_send.c */
	struct error error;
	struct sighting sighting; /* writer_look.c */
	unsigned endpoints;
	bool canonical;
	bool missing;
	uint64_t absent;    /* a bit for each offer that somebody has no receipt of */
	bool unheard;       /* somebody may have one */
	struct rpc *teller; /* who gave the sighting; writer_count.c: who is followed */
	uint64_t counts[ENDPOINTS_MAX]; /* writer_count.c: sorted */
	unsigned said;
	bool known[2]; /* counts */
	uint64_t value[2];
	bool quoted[2 * ENDPOINTS_MAX]; /* writer_quote.c, by call */
	uint64_t quotes[2 * ENDPOINTS_MAX];
	bool based; /* asked for both kinds: a head may come that is of another sort */

	unsigned count, room;
	struct inquiry_call calls[];
};

/* With room for so many calls. NULL when memory is short. */
struct inquiry *inquiry_new(struct writer *w, struct pending *batch, unsigned room,
	void (*reply)(struct inquiry *, unsigned, const struct rpc_reply *),
	void (*done)(struct inquiry *));

/* Ask one endpoint; params is taken over (NULL: out of memory). */
void inquiry_ask(struct inquiry *q, struct rpc *rpc, const char *method, json_t *params);

/* All is asked: done runs when the last has answered, perhaps within this. */
void inquiry_launched(struct inquiry *q);

/* Forget it and its calls. */
void inquiry_free(struct inquiry *q);

/* --- actions, each reporting to the set when it is done --- */

void writer_preflight(struct writer *w, struct pending *b);
void writer_send(struct writer *w, struct pending *b);
void writer_look(struct writer *w, struct pending *b, bool everywhere, bool canonical);
void writer_count(struct writer *w);
void writer_final_count(struct writer *w, uint64_t block);
void writer_quotes(struct writer *w);

/* Do what is to be done now; not from within a call of the owner. */
void writer_turn(struct writer *w);

/* A random number for backoffs. */
uint32_t writer_jitter(void);

void writer_at(const char *step);

/* "0x" and the digits of n bytes as a JSON string; NULL when memory is short. */
json_t *json_hex(struct view bytes);

#endif
