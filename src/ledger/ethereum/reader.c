/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/ethereum/reader_state.h"

#include <stdlib.h>

#define CONTRADICTED_MOST 2 /* rounds in a row */
#define POLL_DEFAULT_MS   1000
#define POLL_LEAST_MS     50
#define POLL_SOCKET_MS    2000 /* beside a socket, to notice when it is silent */
#define ROUND_LEAST_MS    250  /* between looks for blocks without events */
#define DOUBTS_MAX        3
#define DOUBT_MS          150
#define RATE_PAUSE_MS     1000
#define RATE_PAUSE_MAX    30000
#define RATE_GIVE_UP      6
#define OWN_TROUBLE_MS    5000
#define UNSETTLED_MS      30000 /* of rounds without an end, before another is tried */
#define UNSETTLED_STEP    20    /* pause, growing with each .. */
#define UNSETTLED_MAX     500   /* .. up to */

void (*reader_step)(const char *name);

void reader_mark(const char *name)
{
	if (reader_step)
		reader_step(name);
}

/* --- asking --- */

bool reader_ask(struct log_reader *r, enum reader_call call, const char *method,
	json_t *params, rpc_reply_fn *fn)
{
	if (!r->rpc || !params) {
		json_decref(params);
		return false;
	}
	rpc_cancel(r->rpc, r->call[call]);
	r->call[call] = rpc_call(r->rpc, method, params, CALL_TIMEOUT_MS, fn, r);
	if (!r->call[call])
		reader_own_trouble(r, "out of memory");
	return r->call[call] != 0;
}

static void on_block(void *context, const struct rpc_reply *reply)
{
	struct log_reader *r = context;
	struct error err;
	bool there;

	r->call[ASK_BLOCK] = 0;
	if (reply->outcome != RPC_RESULT) {
		reader_failed(r, reply);
		return;
	}
	there = !json_is_null(reply->result);
	if (there && header_parse(&r->block, reply->result, &err)) {
		reader_doubt(r, err.text);
		return;
	}
	r->block_done(r, there);
}

void reader_ask_block(struct log_reader *r, uint64_t number,
	void (*done)(struct log_reader *r, bool there))
{
	r->block_done = done;
	reader_ask(r, ASK_BLOCK, "eth_getBlockByNumber", request_block(number), on_block);
}

/* --- a round begins --- */

static void head_answered(struct log_reader *r)
{
	if (--r->head_due)
		return;
	reader_mark("head");
	reader_place(r);
}

static void doubt_height(struct log_reader *r)
{
	struct error why;

	error_set(&why, "it calls block %llu its newest: no chain has so many",
		(unsigned long long)r->latest.number);
	reader_doubt(r, why.text);
}

static void on_head(void *context, const struct rpc_reply *reply)
{
	struct log_reader *r = context;
	struct error err;

	r->call[ASK_HEAD] = 0;
	if (reply->outcome != RPC_RESULT)
		reader_failed(r, reply);
	else if (header_parse(&r->latest, reply->result, &err))
		reader_doubt(r, err.text);
	else if (r->latest.number > JOURNAL_BLOCK_MAX)
		doubt_height(r);
	else
		head_answered(r);
}

/* A tag that is not answered now only leaves the final block where it was. */
static void on_final(void *context, const struct rpc_reply *reply)
{
	struct log_reader *r = context;
	struct header h;

	r->call[ASK_FINAL] = 0;
	if (reply->outcome == RPC_RESULT && !header_parse(&h, reply->result, NULL)) {
		r->has_tag = true;
		r->tag = (struct final_block){
			.number = h.number, .timestamp = h.timestamp};
		memcpy(r->tag.hash, h.hash, HASH_SIZE);
	}
	head_answered(r);
}

static void begin(uv_timer_t *timer)
{
	struct log_reader *r = timer->data;
	uint8_t finality = r->settings->finality;

	if (!r->rpc || r->running)
		return;
	r->running = true;
	r->again = false;
	r->began = uv_now(r->loop);
	r->undo = r->has_base = false;
	r->events = 0;
	r->proving = r->asked_witnesses = false;
	r->head_due = 1;
	if (finality != FINALITY_DEPTH && r->can->tag_final) {
		r->head_due = 2;
		if (!reader_ask(r, ASK_FINAL, "eth_getBlockByNumber",
			    request_tag(finality == FINALITY_SAFE ? "safe" : "finalized"),
			    on_final))
			return;
	}
	reader_ask(r, ASK_HEAD, "eth_getBlockByNumber", request_tag("latest"), on_head);
}

static void poll_now(uv_timer_t *timer)
{
	struct log_reader *r = timer->data;

	r->polled = true;
	begin(timer);
}

static void begin_after(struct log_reader *r, uint64_t ms)
{
	uint64_t now = uv_now(r->loop);

	if (r->hold_until > now + ms)
		ms = r->hold_until - now;
	r->polled = false;
	uv_timer_start(&r->timer, begin, ms, 0);
}

void reader_wake(struct log_reader *r, bool soon)
{
	uint64_t now = uv_now(r->loop);

	if (!r->rpc || r->closing)
		return;
	if (r->running)
		r->again = true;
	else if (soon || now >= r->began + ROUND_LEAST_MS)
		begin_after(r, 0);
	else
		begin_after(r, r->began + ROUND_LEAST_MS - now);
}

/* --- and ends --- */

static void cancel_all(struct log_reader *r)
{
	for (int k = 0; k < ASK_COUNT; k++) {
		if (r->rpc)
			rpc_cancel(r->rpc, r->call[k]);
		r->call[k] = 0;
	}
	log_scanner_free(r->scanner);
	r->scanner = NULL;
	uv_timer_stop(&r->retry);
	pool_unask(r->pool);
	/* Not only emptied: a long reading's is of megabytes, a block's of nothing. */
	portion_free(&r->portion);
	portion_free(&r->last);
	r->running = false;
}

/* The round is over without a result; what a cut reply had staged is dropped. */
static void drop_round(struct log_reader *r)
{
	struct error err;

	cancel_all(r);
	if (journal_unreach(r->journal, &err))
		reader_own_trouble(r, err.text);
}

static uint64_t poll_interval(const struct log_reader *r)
{
	uint64_t ms = r->settings->poll_ms ? r->settings->poll_ms : POLL_DEFAULT_MS;

	if (ms < POLL_LEAST_MS)
		ms = POLL_LEAST_MS;
	return r->subscribed && ms < POLL_SOCKET_MS ? POLL_SOCKET_MS : ms;
}

void reader_round_done(struct log_reader *r, bool more)
{
	r->unsettled = 0;
	cancel_all(r);
	if (r->closing || !r->rpc)
		return;
	if (more || r->again)
		reader_wake(r, more);
	else
		uv_timer_start(&r->timer, poll_now, poll_interval(r), 0);
}

void reader_committed(struct log_reader *r, bool undone, uint64_t from)
{
	struct error line;

	reader_mark("committed");
	r->doubts = r->limited = 0;
	r->pause_ms = 0;
	r->inherited = r->careful = false;
	r->compared = true;
	if (r->trouble)
		r->callbacks.trouble(
			r->callbacks.context, true, "the journal can be written again");
	r->trouble = false;
	if (undone && from <= r->final.number) {
		error_set(&line,
			"the chain was reorganised from block %llu on, which counted as "
			"final: [ledger] finality asks too little of this chain",
			(unsigned long long)from);
		r->callbacks.trouble(r->callbacks.context, false, line.text);
	}
	if (undone)
		reader_unfinalise(r, from);
	if (undone && !r->closing)
		r->callbacks.undo(r->callbacks.context, from);
	reader_seen(r);
	reader_finalise(r);
	if (!r->closing)
		r->callbacks.head(r->callbacks.context, &r->target, r->final.number,
			r->target.number >= r->latest.number);
	if (reader_tag_lies(r) && r->rpc && !r->closing)
		pool_lied(r->pool, r->rpc,
			"it calls a block final that is not the one which was verified "
			"there");
	/*
	 * Once is no lie: what counts is the proof, and a node that mines while it is
	 * asked may answer from the block behind (anvil 1.7 does).
	 */
	if (r->contradicted >= CONTRADICTED_MOST && r->rpc && !r->closing)
		pool_lied(r->pool, r->rpc, "what eth_call says is not what it proves");
	reader_round_done(r, r->target.number < r->latest.number);
}

/* --- what does not go well --- */

void reader_retry(struct log_reader *r, uint64_t pause_ms)
{
	drop_round(r);
	if (r->closing || !r->rpc)
		return;
	if (r->hold_until < uv_now(r->loop) + pause_ms)
		r->hold_until = uv_now(r->loop) + pause_ms;
	begin_after(r, pause_ms);
}

void reader_unsettled(struct log_reader *r, uint64_t pause_ms, const char *why)
{
	uint64_t now = uv_now(r->loop), least;

	if (!r->unsettled)
		r->unsettled_since = now;
	if (now - r->unsettled_since >= UNSETTLED_MS) {
		r->unsettled = 0;
		reader_broken(r, why);
		return;
	}
	/* At once the first time: what was read was just reorganised. */
	least = (uint64_t)r->unsettled++ * UNSETTLED_STEP;
	if (least > UNSETTLED_MAX)
		least = UNSETTLED_MAX;
	reader_retry(r, pause_ms > least ? pause_ms : least);
}

uint32_t reader_rate_pause(struct log_reader *r, uint32_t retry_ms)
{
	if (++r->limited > RATE_GIVE_UP && pool_witnesses(r->pool))
		return 0;
	r->pause_ms = r->pause_ms ? r->pause_ms * 2 : RATE_PAUSE_MS;
	if (r->pause_ms > RATE_PAUSE_MAX)
		r->pause_ms = RATE_PAUSE_MAX;
	return retry_ms > r->pause_ms ? retry_ms : r->pause_ms;
}

void reader_failed(struct log_reader *r, const struct rpc_reply *reply)
{
	uint32_t pause;

	if (reply->outcome == RPC_RATE_LIMITED &&
		(pause = reader_rate_pause(r, reply->retry_ms)) != 0)
		reader_retry(r, pause);
	else
		reader_broken(r, reply->error.text);
}

void reader_broken(struct log_reader *r, const char *why)
{
	const struct rpc *rpc = r->rpc;
	struct error text;

	error_set(&text, "%s", why);
	drop_round(r);
	r->rpc = NULL; /* until the pool says whom to follow */
	pool_failed(r->pool, rpc, text.text);
}

void reader_doubt(struct log_reader *r, const char *why)
{
	struct error text, err;

	error_set(&text, "%s", why);
	drop_round(r);
	if (r->closing)
		return;
	if (journal_unstage(r->journal, &err)) {
		reader_own_trouble(r, err.text);
		return;
	}
	/* What another endpoint had said is gone: this one begins clean. */
	if (!r->inherited)
		r->doubts++;
	r->inherited = false;
	if (r->doubts < DOUBTS_MAX) {
		reader_retry(r, r->doubts * DOUBT_MS);
		return;
	}
	r->doubts = 0;
	r->doubt = text;
	if (r->rpc && r->has_base)
		reader_suspect(r);
	else
		reader_lied(r);
}

void reader_lied(struct log_reader *r)
{
	const struct rpc *rpc = r->rpc;

	cancel_all(r);
	r->rpc = NULL;
	pool_lied(r->pool, rpc, r->doubt.text);
}

void reader_own_trouble(struct log_reader *r, const char *why)
{
	cancel_all(r);
	if (r->closing)
		return;
	if (!r->trouble)
		r->callbacks.trouble(r->callbacks.context, false, why);
	r->trouble = true;
	r->hold_until = uv_now(r->loop) + OWN_TROUBLE_MS;
	if (r->rpc && !r->closing)
		begin_after(r, 0);
}

/* --- life --- */

void reader_follow(struct log_reader *r, struct rpc *rpc)
{
	uint8_t hash[HASH_SIZE];
	uint64_t head = 0, reach;
	bool has_head;

	drop_round(r);
	reader_socket_end(r);
	uv_timer_stop(&r->timer);
	if (r->closing)
		return;
	r->rpc = rpc;
	r->doubts = r->limited = r->unsettled = 0;
	r->pause_ms = 0;
	r->hold_until = 0;
	r->compared = r->has_tag = r->careful = false;
	r->tag_denies = 0;
	memset(&r->range, 0, sizeof r->range);
	has_head = journal_head(r->journal, &head, hash);
	r->inherited = false;
	for (int c = 0; c < 2; c++)
		if (journal_reach(r->journal, (enum chain)c, &reach) &&
			(!has_head || reach > head))
			r->inherited = true;
	if (!rpc)
		return;
	r->can = pool_abilities(r->pool, rpc);
	reader_socket_begin(r);
	begin_after(r, 0);
}

static void on_closed(uv_handle_t *handle)
{
	struct log_reader *r = handle->data;

	if (--r->open_handles)
		return;
	portion_free(&r->portion);
	portion_free(&r->last);
	free(r);
}

void reader_close(struct log_reader *r)
{
	if (!r || r->closing)
		return;
	r->closing = true;
	cancel_all(r);
	reader_socket_end(r);
	uv_close((uv_handle_t *)&r->timer, on_closed);
	uv_close((uv_handle_t *)&r->retry, on_closed);
	uv_close((uv_handle_t *)&r->socket_timer, on_closed);
}

struct log_reader *reader_open(uv_loop_t *loop, const struct ethereum_settings *s,
	struct journal *journal, struct pool *pool, uint32_t (*now)(void),
	const struct reader_callbacks *callbacks, struct error *err)
{
	struct log_reader *r = calloc(1, sizeof *r);

	if (!r) {
		error_set(err, "out of memory");
		return NULL;
	}
	r->loop = loop;
	r->settings = s;
	r->journal = journal;
	r->pool = pool;
	r->now = now;
	r->callbacks = *callbacks;
	uv_timer_init(loop, &r->timer);
	uv_timer_init(loop, &r->retry);
	uv_timer_init(loop, &r->socket_timer);
	r->timer.data = r->retry.data = r->socket_timer.data = r;
	r->open_handles = 3;
	return r;
}
