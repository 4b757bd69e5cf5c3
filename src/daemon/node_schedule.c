/* SPDX-License-Identifier: Apache-2.0 */
/* The node's time: what ends, what is due, what is kept for a time only. */
#include "daemon/node.h"

#include "base/log.h"
#include "daemon/node_connector.h"
#include "store/allow_learnt.h"
#include "store/allow_record.h"
#include "store/audit.h"
#include "store/ban_record.h"
#include "store/outbox.h"

#define TICK_AT_MOST (60 * USEC_PER_SEC)
#define AUDIT_MOST   100000
#define OUTBOX_DAYS  7
#define PRUNE_EVERY  (86400 * USEC_PER_SEC)

static void forget_expired(void *context, const struct ban *b)
{
	struct node *n = context;
	struct error err = {""};

	node_bans_begin(n, STORE_SOON); /* a thousand may end together */
	if (node_change_told(n, NODE_EXPIRED))
		node_event(n, "expired", &b->indicator, "%s ban ended",
			ban_origin_name(b->origin));
	if (ban_record_delete(n->store, &b->indicator, b->scope, &err))
		log_error("store: %s", err.text);
	node_connectors_follow(n, &b->indicator);
}

/* One allowlist entry that has ended; NULL when there is none. */
static const struct allow_entry *allow_ended(
	const struct node *n, uint32_t now, uint32_t *next)
{
	size_t count;
	const struct allow_entry *e = allowlist_entries(n->allow, &count);

	*next = 0;
	for (size_t i = 0; i < count; i++) {
		if (e[i].expiry && e[i].expiry <= now)
			return &e[i];
		if (e[i].expiry && (!*next || e[i].expiry < *next))
			*next = e[i].expiry;
	}
	return NULL;
}

/* Allowlist entries that ended go. Returns when the next one ends, or 0. */
static uint32_t allow_expire(struct node *n, uint32_t now)
{
	const struct allow_entry *e;
	bool changed = false;
	uint32_t next;

	while ((e = allow_ended(n, now, &next))) {
		struct allow_entry gone = *e;

		allowlist_remove(n->allow, &gone.indicator, gone.origin);
		changed = true;
	}
	if (changed) {
		node_send_allow(n);
		n->all_dirty = true;
	}
	return next;
}

/* Monotonic microseconds until a wall second, at least one millisecond. */
static usec until_second(uint32_t second, usec wall)
{
	usec at = (usec)second * USEC_PER_SEC;

	return at > wall + 1000 ? at - wall : 1000;
}

static void on_tick(uv_timer_t *timer)
{
	struct node *n = timer->data;

	node_schedule(n);
}

int node_prune(struct node *n, struct error *err)
{
	uint64_t now = node_now();

	n->prune_at = clock_monotonic() + PRUNE_EVERY;
	return audit_prune(n->store, AUDIT_MOST, 0, err) ||
			allow_record_prune(n->store, now, err) ||
			allow_learnt_prune(n->store, now, err) ||
			outbox_prune(n->store, now - OUTBOX_DAYS * 86400, err) ?
		-1 :
		0;
}

static void prune_daily(struct node *n)
{
	struct error err = {""};

	if (clock_monotonic() < n->prune_at)
		return;
	if (node_prune(n, &err))
		log_error("store: %s", err.text);
}

static void on_due(uv_timer_t *timer)
{
	struct node *n = timer->data;

	node_sense_due(n);
	node_sense_start(n); /* when the ledger takes too long */
	node_allow_flush(n);
	prune_daily(n);
	node_evidence_keep(n);
	if (node_clock_was_set(n)) /* the tick goes by the other clock */
		node_schedule(n);
}

void node_schedule_start(struct node *n)
{
	node_schedule(n);
	uv_timer_start(&n->due, on_due, 1000, 1000);
}

/* Whether something of the outbox has waited as long as it was to. */
static bool outbox_due(struct node *n, usec now)
{
	if (n->retry_at && n->retry_at <= now) {
		n->retry_at = 0;
		return true;
	}
	if (n->put_off_at && n->put_off_at <= now) {
		n->put_off_at = 0;
		return true;
	}
	return !n->retry_at && n->gather_at && n->gather_at <= now;
}

void node_schedule(struct node *n)
{
	usec wall = clock_wall(), now = clock_monotonic(), wait = TICK_AT_MOST, at;
	uint32_t seconds = (uint32_t)(wall / USEC_PER_SEC), next;

	if (n->scheduling || n->stopping)
		return;
	n->scheduling = true;
	node_clock_follow(n);
	/* Words that ended touch their indicators, which are then decided anew. */
	/* Bans first: what ended by itself needs no order. */
	next = ban_table_expire_some(n->bans, seconds, NODE_DECISIONS, forget_expired, n);
	node_expiring(n, next && next <= seconds);
	if (next && until_second(next, wall) < wait)
		wait = until_second(next, wall);
	next = allow_expire(n, seconds);
	if (next && until_second(next, wall) < wait)
		wait = until_second(next, wall);
	registry_expire(n->registry, seconds, node_touch, n);
	if (table_count(n->dirty) || n->all_dirty)
		node_decide_dirty(n);
	node_bans_flush(n);
	next = registry_next_expiry(n->registry);
	if (next && until_second(next, wall) < wait)
		wait = until_second(next, wall);
	at = node_wait_expire(n, now);
	if (at && at - now < wait)
		wait = at - now;
	if (n->order_again_at && n->order_again_at <= now) {
		n->order_again_at = 0;
		ban_table_requeue(n->bans);
		node_bans_flush(n);
	}
	if (n->order_again_at && n->order_again_at - now < wait)
		wait = n->order_again_at - now;
	if (n->read_again_at && n->read_again_at <= now)
		node_ledger_start(n);
	if (n->read_again_at && n->read_again_at - now < wait)
		wait = n->read_again_at - now;
	if (outbox_due(n, now))
		node_outbox_submit(n);
	at = n->retry_at ? n->retry_at : n->gather_at;
	if (at && at - now < wait)
		wait = at - now;
	if (n->put_off_at && n->put_off_at - now < wait)
		wait = n->put_off_at - now;
	uv_timer_start(&n->tick, on_tick, wait / 1000 + 1, 0);
	n->scheduling = false;
}
