/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/ethereum/pool_state.h"

/*
 * The witnesses' rounds: every few seconds all say their height, then all speak
 * of the highest block that each of them has; and pool_ask(), with which the
 * reader has one block confirmed before what is in it counts.
 */
#define CALL_MS    2500
#define AGAIN_MS   20 /* a witness that is a block behind is asked again */
#define SILENT_MAX 3  /* rounds */

static void note_block(struct witness_answer *a, const struct header *h)
{
	a->has_block = true;
	memcpy(a->hash, h->hash, HASH_SIZE);
	memcpy(a->state_root, h->state_root, HASH_SIZE);
}

static void note_tips(struct witness_answer *a, const struct contract_tips *tips)
{
	a->has_tips = true;
	memcpy(a->tip[0], tips->tip[0].hash, HASH_SIZE);
	memcpy(a->tip[1], tips->tip[1].hash, HASH_SIZE);
	a->seq[0] = tips->tip[0].seq;
	a->seq[1] = tips->tip[1].seq;
}

/* --- the round --- */

/* How endpoint i lied, for how long it is not believed. */
static void say_lie(struct pool *p, unsigned i, unsigned verdict)
{
	struct error text;

	if (verdict & VERDICT_DENIES)
		error_set(&text,
			"denies block %llu, which was verified, confirmed and is final",
			(unsigned long long)p->panel.anchor);
	else if (verdict & VERDICT_FINAL)
		error_set(&text, "calls block %llu final and stands alone with that",
			(unsigned long long)p->peer[i].said.final);
	else
		error_set(&text,
			"says something else about block %llu than the others or a proof",
			(unsigned long long)p->round_number);
	pool_say(p, false, "endpoint %s %s: it is not believed for %llu s",
		peer_name(&p->peer[i]), text.text,
		(unsigned long long)(p->panel.of[i].quarantined_until - pool_now(p)) /
			1000);
}

static void say_final(struct pool *p, unsigned i, unsigned verdict)
{
	const char *name = peer_name(&p->peer[i]);

	if (verdict & VERDICT_FINAL_LAGS)
		pool_say(p, false,
			"endpoint %s calls only blocks up to %llu final, others are far "
			"ahead of it with that",
			name, (unsigned long long)p->peer[i].said.final);
	if (verdict & VERDICT_FINAL_CAUGHT_UP)
		pool_say(p, true, "endpoint %s calls the same blocks final as the others",
			name);
}

/* Returns whether the panel's dispute has changed. */
static bool judge_all(struct pool *p, unsigned *verdict)
{
	struct witness_answer said[ENDPOINTS_MAX];
	struct final_block final;
	bool changed;

	for (unsigned i = 0; i < p->count; i++) {
		said[i] = p->peer[i].said;
		p->peer[i].upholds = said[i].has_at_anchor &&
			!memcmp(said[i].at_anchor, p->panel.anchor_hash, HASH_SIZE);
	}
	changed = panel_judge(&p->panel, said, pool_now(p), verdict);
	/* Perhaps a lower one: what was said alone once must not stand for ever. */
	if (panel_final(&p->panel, said, p->round_claim, pool_now(p), verdict, &final)) {
		p->has_final = true;
		p->final = final;
	}
	return changed;
}

static void judge(struct pool *p)
{
	unsigned verdict[ENDPOINTS_MAX];
	bool changed = judge_all(p, verdict);

	for (unsigned i = 0; i < p->count; i++) {
		const struct witness_answer *said = &p->peer[i].said;
		const char *name = peer_name(&p->peer[i]);

		say_final(p, i, verdict[i]);
		if (verdict[i] & VERDICT_LAGS)
			pool_say(p, false,
				"endpoint %s is behind the others: its newest block is "
				"%llu",
				name, (unsigned long long)said->height);
		if (verdict[i] & VERDICT_CAUGHT_UP)
			pool_say(p, true, "endpoint %s has caught up with the others",
				name);
		if (verdict[i] & VERDICT_LIES)
			say_lie(p, i, verdict[i]);
	}
	if (changed && p->panel.disputed)
		p->none_named = false;
	pool_choose_soon(p);
}

static void second_step(struct pool *p);

static void step_answered(struct pool *p)
{
	if (--p->round_due)
		return;
	if (!p->round_second)
		second_step(p);
	else
		judge(p);
}

static void on_height(void *context, const struct rpc_reply *reply)
{
	struct peer *peer = context;
	struct header h;

	peer->call[CALL_HEIGHT] = 0;
	if (reply->outcome == RPC_RESULT && !header_parse(&h, reply->result, NULL)) {
		peer->said.has_height = true;
		peer->said.height = h.number;
		peer->said.timestamp = h.timestamp;
		peer->silent = 0;
	} else if (++peer->silent >= SILENT_MAX) {
		peer_away(peer,
			reply->outcome == RPC_RESULT ?
				"it does not say what its newest block is" :
				reply->error.text);
		return; /* peer_away() has counted it */
	}
	step_answered(peer->pool);
}

/* A tag that is not answered is no claim. */
static void on_final(void *context, const struct rpc_reply *reply)
{
	struct peer *peer = context;
	struct witness_answer *said = &peer->said;
	struct header h;

	peer->call[CALL_FINAL] = 0;
	if (reply->outcome == RPC_RESULT && !header_parse(&h, reply->result, NULL)) {
		said->has_final = true;
		said->final = h.number;
		said->final_time = h.timestamp;
		memcpy(said->final_hash, h.hash, HASH_SIZE);
	}
	step_answered(peer->pool);
}

static void on_at_final(void *context, const struct rpc_reply *reply)
{
	struct peer *peer = context;
	const struct pool *p = peer->pool;
	struct header h;

	peer->call[CALL_AT_FINAL] = 0;
	if (reply->outcome == RPC_RESULT && !header_parse(&h, reply->result, NULL) &&
		h.number == p->round_final) {
		peer->said.has_at_final = true;
		memcpy(peer->said.at_final, h.hash, HASH_SIZE);
	}
	step_answered(peer->pool);
}

static void on_at_anchor(void *context, const struct rpc_reply *reply)
{
	struct peer *peer = context;
	const struct panel *panel = &peer->pool->panel;
	struct header h;

	peer->call[CALL_AT_ANCHOR] = 0;
	if (reply->outcome == RPC_RESULT && !header_parse(&h, reply->result, NULL) &&
		h.number == panel->anchor) {
		peer->said.has_at_anchor = true;
		memcpy(peer->said.at_anchor, h.hash, HASH_SIZE);
	}
	step_answered(peer->pool);
}

static void on_block(void *context, const struct rpc_reply *reply)
{
	struct peer *peer = context;
	struct header h;

	peer->call[CALL_BLOCK] = 0;
	if (reply->outcome == RPC_RESULT && !header_parse(&h, reply->result, NULL) &&
		h.number == peer->pool->round_number)
		note_block(&peer->said, &h);
	step_answered(peer->pool);
}

static void on_tips(void *context, const struct rpc_reply *reply)
{
	struct peer *peer = context;
	struct contract_tips tips;

	peer->call[CALL_TIPS] = 0;
	if (reply->outcome == RPC_RESULT && !result_tips(&tips, reply->result, NULL))
		note_tips(&peer->said, &tips);
	step_answered(peer->pool);
}

/* Whose final block is asked for. */
static void choose_claim(struct pool *p)
{
	struct witness_answer said[ENDPOINTS_MAX];

	for (unsigned i = 0; i < p->count; i++)
		said[i] = p->peer[i].said;
	p->round_claim = panel_final_claim(&p->panel, said, pool_now(p));
	if (p->round_claim >= 0)
		p->round_final = said[p->round_claim].final;
}

/* Returns how many questions are on their way. */
static unsigned ask_block(
	struct peer *peer, enum peer_call call, uint64_t number, rpc_reply_fn *fn)
{
	return peer_ask(
		peer, call, "eth_getBlockByNumber", request_block(number), CALL_MS, fn);
}

static void move_anchor(struct pool *p)
{
	if (!p->anchor_moves)
		return;
	p->anchor_moves = false;
	p->panel.has_anchor = true;
	p->panel.anchor = p->next_anchor;
	memcpy(p->panel.anchor_hash, p->next_anchor_hash, HASH_SIZE);
}

static void second_step(struct pool *p)
{
	struct at_block at = {0};
	uint64_t common = UINT64_MAX;

	for (unsigned i = 0; i < p->count; i++)
		if (p->peer[i].said.has_height && p->peer[i].said.height < common)
			common = p->peer[i].said.height;
	choose_claim(p);
	move_anchor(p);
	p->round_second = true;
	p->round_number = at.number = common;
	p->round_due = 1;
	for (unsigned i = 0; i < p->count && common != UINT64_MAX; i++) {
		struct peer *peer = &p->peer[i];

		if (peer->state != PEER_READY || !peer->said.has_height)
			continue;
		p->round_due += ask_block(peer, CALL_BLOCK, common, on_block);
		if (p->round_claim >= 0)
			p->round_due += ask_block(
				peer, CALL_AT_FINAL, p->round_final, on_at_final);
		if (p->panel.has_anchor)
			p->round_due += ask_block(
				peer, CALL_AT_ANCHOR, p->panel.anchor, on_at_anchor);
		p->round_due += peer_ask(peer, CALL_TIPS, "eth_call",
			request_tips(p->settings, &at), CALL_MS, on_tips);
	}
	step_answered(p);
}

void pool_round_drop(struct pool *p, struct peer *peer)
{
	/* Its calls were cancelled; what of the round is left goes on without it. */
	memset(&peer->said, 0, sizeof peer->said);
	peer->upholds = false;
	peer->asked = false;
	peer->confirming = 0;
	if (!p->round_due)
		return;
	p->round_due = 1;
	for (unsigned i = 0; i < p->count; i++)
		for (int k = CALL_HEIGHT; k <= CALL_TIPS; k++)
			p->round_due += p->peer[i].call[k] != 0;
	step_answered(p);
}

void pool_round(struct pool *p)
{
	uint8_t tag = p->settings->finality;
	unsigned ready = 0;

	for (unsigned i = 0; i < p->count; i++)
		ready += p->peer[i].state == PEER_READY;
	p->round_due = 0;
	p->round_second = false;
	if (ready < 2)
		return;
	p->round_due = 1;
	for (unsigned i = 0; i < p->count; i++) {
		struct peer *peer = &p->peer[i];

		peer_cancel(peer, CALL_HEIGHT, CALL_TIPS);
		memset(&peer->said, 0, sizeof peer->said);
		if (peer->state != PEER_READY)
			continue;
		p->round_due += peer_ask(peer, CALL_HEIGHT, "eth_getBlockByNumber",
			request_tag("latest"), CALL_MS, on_height);
		if (tag != FINALITY_DEPTH && peer->can.tag_final)
			p->round_due += peer_ask(peer, CALL_FINAL, "eth_getBlockByNumber",
				request_tag(tag == FINALITY_SAFE ? "safe" : "finalized"),
				CALL_MS, on_final);
	}
	step_answered(p);
}

/* --- one block confirmed --- */

static void ask_peer(struct peer *peer);

/*
 * It is probed for the first time: who answers first after a start is not
 * believed before the others could have been heard.
 */
static bool is_new(const struct pool *p, unsigned i)
{
	return (int)i != p->followed && p->peer[i].state == PEER_PROBING &&
		!p->peer[i].named && pool_now(p) - p->confirm_at < CALL_MS;
}

/* What is known now is enough, or the time is up: tell. */
static void settle(struct pool *p, bool time_is_up)
{
	struct witness_answer others[ENDPOINTS_MAX];
	pool_confirm_fn *done = p->done;
	unsigned n = 0, asked = 0, unknown = 0, open = 0, coming = 0;

	if (!done)
		return;
	for (unsigned i = 0; i < p->count; i++) {
		struct peer *peer = &p->peer[i];

		coming += !peer->asked && is_new(p, i);
		/* Who lags is heard where it knows the block, and not waited for. */
		if (!peer->asked ||
			(p->panel.of[i].lagging && (peer->behind || peer->confirming)))
			continue;
		asked += peer->confirming == 0 || !peer->late;
		if (peer->confirming) {
			coming++;
			open += !peer->late;
			peer->late = peer->late || time_is_up;
		} else if (peer->behind) {
			open++;
			unknown++;
		} else {
			others[n] = peer->confirms;
			n += others[n].has_block;
		}
	}
	if (open && !time_is_up && !witness_enough(&p->mine, others, n, asked))
		return;
	/* Nobody has said anything: then the slow ones are waited for (CALL_MS). */
	if (!n && !unknown && coming)
		return;
	p->done = NULL;
	done(p->done_context, witness_confirm(&p->mine, others, n, unknown));
}

static void on_confirm_timer(uv_timer_t *timer)
{
	struct pool *p = timer->data;
	uint64_t from = p->done ? p->confirm_at : p->ask_at;
	bool late = pool_now(p) - from >= POOL_CONFIRM_MS;

	for (unsigned i = 0; i < p->count && !late; i++)
		if (p->peer[i].asked && p->peer[i].behind && !p->peer[i].confirming &&
			!p->panel.of[i].lagging)
			ask_peer(&p->peer[i]);
	/* Those that have become usable meanwhile. */
	for (unsigned i = 0; i < p->count && p->done; i++)
		if ((int)i != p->followed && !p->peer[i].asked && pool_usable(p, i))
			ask_peer(&p->peer[i]);
	if (p->done)
		settle(p, late);
	else if (late)
		uv_timer_stop(timer);
}

static void confirm_answered(struct peer *peer)
{
	if (--peer->confirming)
		return;
	if (pool_now(peer->pool) - peer->pool->ask_at < POOL_CONFIRM_MS)
		peer->late = false;
	settle(peer->pool, false);
}

static void on_confirm_block(void *context, const struct rpc_reply *reply)
{
	struct peer *peer = context;
	struct header h;

	peer->call[CALL_CONFIRM_BLOCK] = 0;
	peer->behind = reply->outcome == RPC_RESULT && json_is_null(reply->result);
	if (reply->outcome == RPC_RESULT && !header_parse(&h, reply->result, NULL) &&
		h.number == peer->pool->ask_number)
		note_block(&peer->confirms, &h);
	confirm_answered(peer);
}

static void on_confirm_tips(void *context, const struct rpc_reply *reply)
{
	struct peer *peer = context;
	struct contract_tips tips;

	peer->call[CALL_CONFIRM_TIPS] = 0;
	if (reply->outcome == RPC_RESULT && !result_tips(&tips, reply->result, NULL))
		note_tips(&peer->confirms, &tips);
	confirm_answered(peer);
}

static void ask_peer(struct peer *peer)
{
	struct pool *p = peer->pool;
	struct at_block at = {.number = p->ask_number};

	memset(&peer->confirms, 0, sizeof peer->confirms);
	peer->behind = false;
	peer->confirming = 0;
	peer->confirming += peer_ask(peer, CALL_CONFIRM_BLOCK, "eth_getBlockByNumber",
		request_block(p->ask_number), CALL_MS, on_confirm_block);
	peer->confirming += peer_ask(peer, CALL_CONFIRM_TIPS, "eth_call",
		request_tips(p->settings, &at), CALL_MS, on_confirm_tips);
	peer->asked = peer->confirming > 0;
}

void pool_unask(struct pool *p)
{
	for (unsigned i = 0; i < p->count; i++) {
		peer_cancel(&p->peer[i], CALL_CONFIRM_BLOCK, CALL_CONFIRM_TIPS);
		p->peer[i].asked = p->peer[i].behind = false;
		p->peer[i].confirming = 0;
	}
	p->done = NULL;
	p->asking = false;
	uv_timer_stop(&p->confirm);
}

void pool_ask(struct pool *p, uint64_t number)
{
	pool_unask(p);
	p->asking = true;
	p->ask_number = number;
	p->ask_at = pool_now(p);
	for (unsigned i = 0; i < p->count; i++)
		if ((int)i != p->followed && pool_usable(p, i))
			ask_peer(&p->peer[i]);
	uv_timer_start(&p->confirm, on_confirm_timer, AGAIN_MS, AGAIN_MS);
}

void pool_confirm(struct pool *p, const struct witness_answer *mine,
	pool_confirm_fn *done, void *context)
{
	p->mine = *mine;
	p->done = done;
	p->done_context = context;
	p->confirm_at = pool_now(p);
	/* Reading took long: the timer has ended, and who was behind may not be. */
	uv_timer_start(&p->confirm, on_confirm_timer, AGAIN_MS, AGAIN_MS);
	settle(p, false);
}
