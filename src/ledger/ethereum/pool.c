/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/ethereum/pool_state.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define TICK_MS      100
#define ROUND_MS     3000
#define PAUSE_MS     500 /* before the second try, doubled with each */
#define PAUSE_MAX_MS 30000
#define WRONG_MS     60000 /* before somebody else's node is asked again */

uint64_t pool_now(const struct pool *p)
{
	return uv_now(p->loop);
}

const char *peer_name(const struct peer *peer)
{
	return rpc_endpoint(peer->rpc)->name;
}

void pool_say(struct pool *p, bool healthy, const char *fmt, ...)
{
	struct error line;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line.text, sizeof line.text, fmt, ap);
	va_end(ap);
	if (!p->closing && p->callbacks.trouble)
		p->callbacks.trouble(p->callbacks.context, healthy, line.text);
}

/* --- calls --- */

bool peer_ask(struct peer *peer, enum peer_call call, const char *method, json_t *params,
	unsigned timeout_ms, rpc_reply_fn *fn)
{
	if (!params)
		return false;
	rpc_cancel(peer->rpc, peer->call[call]);
	peer->call[call] = rpc_call(peer->rpc, method, params, timeout_ms, fn, peer);
	return peer->call[call] != 0;
}

void peer_cancel(struct peer *peer, enum peer_call from, enum peer_call to)
{
	for (int k = (int)from; k <= (int)to; k++) {
		rpc_cancel(peer->rpc, peer->call[k]);
		peer->call[k] = 0;
	}
}

void peer_away(struct peer *peer, const char *why)
{
	struct pool *p = peer->pool;
	struct error text;

	/* why may be the reply of a call that is forgotten here. */
	error_set(&text, "%s", why);
	peer_cancel(peer, 0, CALL_COUNT - 1);
	peer->state = PEER_AWAY;
	peer->can.probed = false;
	peer->pause_ms = peer->pause_ms ? peer->pause_ms * 2 : PAUSE_MS;
	if (peer->pause_ms > PAUSE_MAX_MS)
		peer->pause_ms = PAUSE_MAX_MS;
	peer->retry_at = pool_now(p) + (peer->wrong ? WRONG_MS : peer->pause_ms);
	pool_round_drop(p, peer);
	if (!peer->named)
		pool_say(p, false, "endpoint %s: %s", peer_name(peer), text.text);
	peer->named = true;
	pool_choose_soon(p);
}

/* --- who is followed --- */

static bool usable(const struct pool *p, unsigned i)
{
	return p->peer[i].state == PEER_READY &&
		!witness_quarantined(&p->panel, i, pool_now(p));
}

/* Nobody can be followed: say so once, when every endpoint has been tried. */
static void say_nobody(struct pool *p)
{
	for (unsigned i = 0; i < p->count; i++)
		if (p->peer[i].state == PEER_PROBING && !p->peer[i].named)
			return;
	if (p->none_named)
		return;
	p->none_named = true;
	pool_say(p, false,
		p->panel.disputed ?
			"the endpoints say different things and none can be told "
			"right: nothing new is applied until they agree (or the wrong "
			"one is taken out of [ledger] endpoint); what was verified "
			"stays until each report's own expiry" :
			"no endpoint can be used: what was verified stays until each "
			"report's own expiry, and they are tried again");
}

static void choose(uv_timer_t *timer)
{
	struct pool *p = timer->data;
	bool can[ENDPOINTS_MAX];
	int now;

	for (unsigned i = 0; i < p->count; i++)
		can[i] = usable(p, i);
	now = panel_choose(&p->panel, can, p->followed, pool_now(p));
	if (now < 0)
		say_nobody(p);
	if (now == p->followed || p->closing)
		return;
	p->followed = now;
	pool_unask(p);
	if (now >= 0 && p->none_named) {
		p->none_named = false;
		pool_say(p, true, "endpoint %s is followed", peer_name(&p->peer[now]));
	}
	if (!p->closing)
		p->callbacks.followed(
			p->callbacks.context, now < 0 ? NULL : p->peer[now].rpc);
}

void pool_choose_soon(struct pool *p)
{
	if (!p->closing)
		uv_timer_start(&p->turn, choose, 0, 0);
}

static void on_tick(uv_timer_t *timer)
{
	struct pool *p = timer->data;
	uint64_t now = pool_now(p);

	for (unsigned i = 0; i < p->count; i++)
		if (p->peer[i].state == PEER_AWAY && now >= p->peer[i].retry_at)
			peer_probe(&p->peer[i]);
	if (p->followed < 0)
		pool_choose_soon(p); /* a quarantine may have ended */
	/*
	 * Never before the last one is judged: else one slow endpoint would keep
	 * all from being judged. Its calls end by themselves.
	 */
	if (now >= p->round_at && !p->round_due) {
		p->round_at = now + p->round_ms;
		pool_round(p);
	}
}

/* --- what the owner asks and tells --- */

struct rpc *pool_followed(const struct pool *p)
{
	return p->followed < 0 ? NULL : p->peer[p->followed].rpc;
}

static struct peer *peer_of(struct pool *p, const struct rpc *rpc)
{
	for (unsigned i = 0; i < p->count; i++)
		if (p->peer[i].rpc == rpc)
			return &p->peer[i];
	return NULL;
}

const struct abilities *pool_abilities(const struct pool *p, const struct rpc *rpc)
{
	for (unsigned i = 0; i < p->count; i++)
		if (p->peer[i].rpc == rpc)
			return &p->peer[i].can;
	return NULL;
}

size_t pool_count(const struct pool *p)
{
	return p->count;
}

struct rpc *pool_rpc(const struct pool *p, size_t i)
{
	return p->peer[i].rpc;
}

bool pool_usable(const struct pool *p, size_t i)
{
	return usable(p, (unsigned)i);
}

unsigned pool_witnesses(const struct pool *p)
{
	unsigned n = 0;

	for (unsigned i = 0; i < p->count; i++)
		n += (int)i != p->followed && usable(p, i);
	return n;
}

/* Whether this other endpoint names a final block, or may yet. */
static bool says_final(const struct pool *p, unsigned i)
{
	const struct peer *peer = &p->peer[i];

	return (int)i != p->followed &&
		((usable(p, i) && peer->can.tag_final) ||
			(peer->state == PEER_PROBING && !peer->named));
}

enum pool_finality pool_final(const struct pool *p, struct final_block *out)
{
	for (unsigned i = 0; i < p->count; i++) {
		if (!says_final(p, i))
			continue;
		*out = p->final;
		return p->has_final ? POOL_FINAL_AGREED : POOL_FINAL_OPEN;
	}
	return POOL_FINAL_ALONE;
}

void pool_unfinalise(struct pool *p, uint64_t from)
{
	if (p->has_final && p->final.number >= from)
		p->has_final = false;
	/* What this round has heard was said of the chain that is gone. */
	p->round_claim = -1;
	for (unsigned i = 0; i < p->count; i++)
		p->peer[i].said.has_final = false;
}

void pool_anchor(struct pool *p, uint64_t number, const uint8_t hash[HASH_SIZE])
{
	/*
	 * What is said in this round is of the last anchor, and is judged by it. Who
	 * has that one counts as having this one until the next: else there were a
	 * gap, which a slow answer could make as long as the round.
	 */
	p->anchor_moves = true;
	p->next_anchor = number;
	memcpy(p->next_anchor_hash, hash, HASH_SIZE);
}

uint64_t pool_upheld(const struct pool *p)
{
	for (unsigned i = 0; i < p->count && p->panel.has_anchor; i++)
		if ((int)i != p->followed && p->peer[i].state == PEER_READY &&
			p->peer[i].upholds && !p->panel.of[i].lagging)
			return p->anchor_moves ? p->next_anchor : p->panel.anchor;
	return 0;
}

void pool_failed(struct pool *p, const struct rpc *rpc, const char *why)
{
	struct peer *peer = peer_of(p, rpc);

	if (peer && peer->state == PEER_READY)
		peer_away(peer, why);
}

void pool_lied(struct pool *p, const struct rpc *rpc, const char *why)
{
	struct peer *peer = peer_of(p, rpc);
	uint64_t until;

	if (!peer)
		return;
	witness_lied(&p->panel, peer->index, pool_now(p));
	until = p->panel.of[peer->index].quarantined_until;
	pool_say(p, false, "endpoint %s is not believed for %llu s: %s", peer_name(peer),
		(unsigned long long)(until - pool_now(p) + 999) / 1000, why);
	pool_choose_soon(p);
}

void pool_limits(struct pool *p, const struct witness_limits *limits, unsigned round_ms)
{
	p->panel.limits = *limits;
	p->round_ms = round_ms;
	p->round_at = pool_now(p) + round_ms;
}

/* --- life --- */

static void on_closed(uv_handle_t *handle)
{
	struct pool *p = handle->data;

	if (!--p->open_handles)
		free(p);
}

void pool_close(struct pool *p)
{
	if (!p || p->closing)
		return;
	p->closing = true;
	for (unsigned i = 0; i < p->count; i++)
		rpc_close(p->peer[i].rpc);
	uv_close((uv_handle_t *)&p->tick, on_closed);
	uv_close((uv_handle_t *)&p->turn, on_closed);
	uv_close((uv_handle_t *)&p->confirm, on_closed);
}

struct pool *pool_open(uv_loop_t *loop, const struct ethereum_settings *s,
	const struct pool_callbacks *callbacks, struct error *err)
{
	struct pool *p = calloc(1, sizeof *p);

	if (!p || !s->endpoint_count) {
		error_set(err,
			p ? "[ledger] endpoint: none is configured" : "out of memory");
		free(p);
		return NULL;
	}
	p->settings = s;
	p->callbacks = *callbacks;
	p->loop = loop;
	p->followed = -1;
	p->round_ms = ROUND_MS;
	panel_begin(&p->panel, (unsigned)s->endpoint_count, &witness_limits_default);
	for (; p->count < s->endpoint_count; p->count++) {
		struct peer *peer = &p->peer[p->count];

		*peer = (struct peer){.pool = p, .index = p->count, .state = PEER_AWAY};
		peer->rpc = rpc_open(loop, &s->endpoints[p->count], err);
		if (!peer->rpc)
			goto fail;
	}
	uv_timer_init(loop, &p->tick);
	uv_timer_init(loop, &p->turn);
	uv_timer_init(loop, &p->confirm);
	p->tick.data = p->turn.data = p->confirm.data = p;
	p->open_handles = 3;
	uv_update_time(loop);
	p->round_at = pool_now(p) + p->round_ms;
	uv_timer_start(&p->tick, on_tick, 0, TICK_MS);
	return p;
fail:
	while (p->count)
		rpc_close(p->peer[--p->count].rpc);
	free(p);
	return NULL;
}
