/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The node's bans and the enforcer: a ban is written to the store, then
 * ordered, then acknowledged. Whatever is killed in between, the store knows
 * everything that may stand in the kernel.
 */
#include "daemon/node.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "daemon/node_connector.h"
#include "store/ban_record.h"

void node_bans_begin(struct node *n, enum durability durability)
{
	struct error err = {""};

	if (n->bans_open)
		return;
	if (store_begin(n->store, durability, &err))
		log_error("store: %s", err.text);
	else
		n->bans_open = true;
}

static void record(struct node *n, const struct ban *b)
{
	struct error err = {""};

	node_bans_begin(n, STORE_SOON);
	if (ban_record_put(n->store, b, NULL, &err))
		log_error("store: %s", err.text);
}

static void forget_record(struct node *n, const struct indicator *i, uint8_t scope)
{
	struct error err = {""};

	node_bans_begin(n, STORE_SOON);
	if (ban_record_delete(n->store, i, scope, &err))
		log_error("store: %s", err.text);
}

void node_ban(struct node *n, const struct indicator *i, uint8_t scope, uint8_t origin,
	uint8_t category, uint32_t until)
{
	const struct ban *b = ban_table_get(n->bans, i, scope);

	/* A detection never shortens what stands, least of all an operator's ban. */
	if (origin == BAN_OWN && b && b->until >= until)
		return;
	if (!ban_table_set(n->bans, i, scope, origin, category, until, node_now()))
		return;
	record(n, ban_table_get(n->bans, i, scope));
	node_connectors_follow(n, i);
}

void node_ban_reason(
	struct node *n, const struct indicator *i, uint8_t scope, const char *reason)
{
	const struct ban *b = ban_table_get(n->bans, i, scope);
	struct error err = {""};

	/* An operator's ban keeps what he wrote. */
	if (!b || b->origin != BAN_OWN)
		return;
	node_bans_begin(n, STORE_SOON);
	if (ban_record_put(n->store, b, reason, &err))
		log_error("store: %s", err.text);
}

bool node_unban(struct node *n, const struct indicator *i, uint8_t scope)
{
	const struct ban *b = ban_table_get(n->bans, i, scope);
	struct ban ending;

	if (!b)
		return false;
	ending = *b;
	ending.deleting = 1;
	ban_table_clear(n->bans, i, scope);
	/* Calls to a number: nobody's answer is waited for. */
	if (ban_table_keeps(n->bans, i))
		forget_record(n, &ending.indicator, scope);
	else
		record(n, &ending);
	node_connectors_follow(n, i);
	return true;
}

static void restore(void *context, const struct ban *b, const char *note)
{
	struct node *n = context;

	(void)note;
	ban_table_restore(n->bans, b);
	if (b->deleting)
		ban_table_clear(n->bans, &b->indicator, b->scope);
}

int node_bans_load(struct node *n, struct error *err)
{
	int64_t count;

	if (ban_record_prune(n->store, node_now(), err))
		return -1;
	count = ban_record_each(n->store, restore, n, err);
	if (count > 0)
		log_info("%lld bans from before", (long long)count);
	return count < 0 ? -1 : 0;
}

/* Observe mode: what is wanted counts as done, so that nothing waits. */
static bool nothing_to_order(const struct node *n)
{
	return n->config->node.observe;
}

static void done(struct node *n, const struct ban_order *o, bool carried_out)
{
	char text[INDICATOR_TEXT];

	if (ban_table_done(n->bans, o, carried_out))
		forget_record(n, &o->indicator, o->scope);
	else if (!carried_out)
		log_warning("%s: the enforcer refused the ban (allowlist, or a full set)",
			indicator_print(text, &o->indicator));
}

static struct node_orders *free_slot(struct node *n)
{
	if (!n->in_flight)
		n->in_flight = calloc(ORDERS_IN_FLIGHT, sizeof *n->in_flight);
	for (unsigned i = 0; n->in_flight && i < ORDERS_IN_FLIGHT; i++)
		if (!n->in_flight[i].batch)
			return &n->in_flight[i];
	return NULL;
}

/* Send one batch of what waits. Returns whether there may be more. */
static bool send_orders(struct node *n)
{
	static uint8_t message[sizeof(struct order_header) +
		ORDERS_MAX * sizeof(struct ban_order)];
	struct order_header header;
	struct node_orders *slot;
	size_t size;

	if (nothing_to_order(n)) {
		struct ban_order o;

		while (ban_table_take(n->bans, &o, 1))
			done(n, &o, true);
		return false;
	}
	slot = n->enforce && n->enforcer_ready ? free_slot(n) : NULL;
	if (!slot)
		return false;
	memset(&header, 0, sizeof header);
	header.count = (uint32_t)ban_table_take(n->bans, slot->orders, ORDERS_MAX);
	if (!header.count)
		return false;
	header.batch = ++n->next_batch;
	slot->batch = header.batch;
	slot->count = header.count;
	size = sizeof header + header.count * sizeof slot->orders[0];
	memcpy(message, &header, sizeof header);
	memcpy(message + sizeof header, slot->orders, size - sizeof header);
	if (!link_send(n->enforce, MSG_ORDERS, view_of(message, size)))
		return true;
	log_warning(
		"orders to the enforcer: %s; ordered again in a moment", strerror(errno));
	slot->batch = 0;
	n->order_again_at = clock_monotonic() + USEC_PER_SEC;
	node_schedule(n);
	return false;
}

void node_bans_flush(struct node *n)
{
	struct error err = {""};

	/* Recorded before ordered: nothing stands that the store does not know. */
	if (n->bans_open) {
		n->bans_open = false;
		if (store_commit(n->store, &err))
			log_error("store: %s", err.text);
	}
	while (ban_table_queued(n->bans) && send_orders(n))
		;
	node_connectors_flush(n);
	if (n->bans_open) { /* observe mode: acknowledged at once */
		n->bans_open = false;
		if (store_commit(n->store, &err))
			log_error("store: %s", err.text);
	}
}

/* Everything is to be ordered anew: the enforcer or its table is a new one. */
static void order_everything(struct node *n)
{
	for (unsigned i = 0; n->in_flight && i < ORDERS_IN_FLIGHT; i++)
		n->in_flight[i].batch = 0;
	ban_table_requeue(n->bans);
	node_send_allow(n);
	node_bans_flush(n);
}

/* The answer to one batch of orders. */
static void on_done(struct node *n, struct view payload)
{
	struct node_orders *slot = NULL;
	struct orders_done d;
	const uint8_t *each;

	if (payload.n < sizeof d)
		return;
	memcpy(&d, payload.p, sizeof d);
	d.text[sizeof d.text - 1] = 0;
	if (payload.n != sizeof d + d.count)
		return;
	each = payload.p + sizeof d;
	for (unsigned i = 0; n->in_flight && i < ORDERS_IN_FLIGHT; i++)
		if (n->in_flight[i].batch && n->in_flight[i].batch == d.batch)
			slot = &n->in_flight[i];
	if (!slot || slot->count != d.count)
		return;
	slot->batch = 0;
	if (d.failed) {
		log_error("the enforcer failed: %s; ordering again in a moment", d.text);
		n->order_again_at = clock_monotonic() + USEC_PER_SEC;
		node_schedule(n);
		return;
	}
	for (uint32_t i = 0; i < d.count; i++)
		done(n, &slot->orders[i], each[i]);
	node_bans_flush(n);
}

void node_observe_changed(struct node *n)
{
	node_connectors_observe(n);
	/* Into observe mode the enforcer removes the whole table by itself. */
	if (!n->config->node.observe)
		order_everything(n);
}

/* What the firewall can hold of an allowlist, as it is now. */
static bool goes_to_enforcer(const struct allow_entry *e)
{
	return (e->indicator.kind == INDICATOR_IP4 ||
		       e->indicator.kind == INDICATOR_IP6) &&
		(!e->expiry || e->expiry > node_now());
}

static void send_allow_part(struct node *n, const uint8_t *message, size_t size)
{
	if (link_send(n->enforce, MSG_ALLOW, view_of(message, size)))
		log_error(
			"the allowlist does not reach the enforcer: %s", strerror(errno));
}

void node_send_allow(struct node *n)
{
	enum { PART = 1024 };
	static uint8_t message[4 + PART * INDICATOR_SIZE];
	const struct allow_entry *list;
	size_t count, part = 0;

	if (!n->enforce)
		return;
	list = allowlist_entries(n->allow, &count);
	memset(message, 0, 4);
	message[0] = 1;
	for (size_t i = 0; i < count; i++) {
		if (!goes_to_enforcer(&list[i]))
			continue;
		if (part == PART) {
			send_allow_part(n, message, sizeof message);
			message[0] = 0;
			part = 0;
		}
		memcpy(message + 4 + part++ * INDICATOR_SIZE, &list[i].indicator,
			INDICATOR_SIZE);
	}
	message[1] = 1;
	send_allow_part(n, message, 4 + part * INDICATOR_SIZE);
}

static void on_counters(struct node *n, struct view payload)
{
	size_t count = payload.n / sizeof n->counters[0];

	if (count > sizeof n->counters / sizeof n->counters[0])
		count = sizeof n->counters / sizeof n->counters[0];
	if (count)
		memcpy(n->counters, payload.p, count * sizeof n->counters[0]);
	for (size_t i = 0; i < count; i++)
		n->counters[i].set[sizeof n->counters[i].set - 1] = 0;
	n->counters_count = (unsigned)count;
	n->counters_at = clock_wall();
	node_counters_answer(n);
}

void node_enforce_message(struct node *n, uint16_t type, struct view payload)
{
	switch (type) {
	case MSG_ENFORCE_READY:
		if (payload.n != sizeof n->enforcer)
			break;
		memcpy(&n->enforcer, payload.p, sizeof n->enforcer);
		n->enforcer.text[sizeof n->enforcer.text - 1] = 0;
		n->enforcer_ready = true;
		order_everything(n);
		break;
	case MSG_ORDERS_DONE:
		on_done(n, payload);
		break;
	case MSG_LOST:
		log_warning("the firewall's table was removed by somebody; every ban is "
			    "ordered again");
		node_event(n, "trouble", NULL,
			"the firewall's table was removed; bans are "
			"ordered again");
		order_everything(n);
		break;
	case MSG_COUNTERS:
		on_counters(n, payload);
		break;
	default:
		break;
	}
}
