/* SPDX-License-Identifier: Apache-2.0 */
/* Webhooks for people: status, test, retry. */
#include <stdio.h>
#include <string.h>

#include "base/escape.h"
#include "base/log.h"
#include "daemon/node_webhook_state.h"
#include "store/audit.h"

/* How long a test waits for its delivery; the CLI waits longer. */
#define TEST_WITHIN (20 * USEC_PER_SEC)

static const char *state_of(const struct node *n, const struct node_webhook *w)
{
	if (!w->enabled)
		return "off";
	if (w->row.state == WEBHOOK_ROW_GONE)
		return "gone";
	if (!n->deliver || !w->known)
		return "starting";
	if (w->trouble[0])
		return "trouble";
	if (w->row.attempts)
		return "failing";
	return w->ticket ? "sending" : "ready";
}

/* What is wrong, and what to do; "": nothing. */
static void trouble_of(char dst[400], const struct node *n, const struct node_webhook *w)
{
	dst[0] = 0;
	if (!w->enabled)
		return;
	if (w->row.state == WEBHOOK_ROW_GONE)
		snprintf(dst, 400, "%s; `sipchain webhook retry %s` sends again",
			w->row.reason, w->row.name);
	else if (w->known && w->trouble[0])
		snprintf(dst, 400, "%s", w->trouble);
	else if (!n->deliver)
		snprintf(dst, 400, "the role deliver does not run");
	else if (w->row.attempts)
		snprintf(dst, 400, "%s", w->row.reason);
}

/* When it is tried next, unix seconds; 0: now, or not before something changes. */
static json_int_t next_try(const struct node_webhook *w)
{
	usec now = clock_monotonic();

	if (w->retry_at <= now || w->row.state != WEBHOOK_ROW_RUNNING)
		return 0;
	return (json_int_t)node_now() +
		(json_int_t)((w->retry_at - now + USEC_PER_SEC - 1) / USEC_PER_SEC);
}

static json_t *batch_json(const struct node *n, const struct webhook_row *row)
{
	const struct node_webhooks *all = n->webhooks;
	char id[WEBHOOK_ID_MAX];

	if (!row->last)
		return json_null();
	return json_pack("{s:s, s:I, s:I, s:I}", "id", webhook_batch_id(id, all, row),
		"first", (json_int_t)row->first, "last", (json_int_t)row->last,
		"attempts", (json_int_t)row->attempts);
}

static json_t *webhook_json(
	const struct node *n, size_t i, uint64_t oldest, uint64_t newest)
{
	const struct node_webhook *w = &n->webhooks->list[i];
	const struct webhook_row *row = &w->row;
	uint64_t lost = row->lost;
	char trouble[400];
	json_t *out;

	/* What is forgotten already and will be found so by the next batch. */
	if (!row->last && oldest > row->position + 1)
		lost += oldest - 1 - row->position;
	trouble_of(trouble, n, w);
	out = json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:o}", "name", row->name,
		"url", n->config->webhooks[i].url, "events_wanted", w->types, "state",
		state_of(n, w), "trouble", trouble, "position", (json_int_t)row->position,
		"behind",
		(json_int_t)(newest > row->position ? newest - row->position : 0),
		"batch", batch_json(n, row));
	if (!out)
		return NULL;
	json_object_set_new(out, "events", json_integer((json_int_t)row->events));
	json_object_set_new(out, "batches", json_integer((json_int_t)row->batches));
	json_object_set_new(out, "failures", json_integer((json_int_t)row->failures));
	json_object_set_new(out, "lost", json_integer((json_int_t)lost));
	json_object_set_new(out, "status", json_integer((json_int_t)row->status));
	json_object_set_new(out, "answer", json_string(row->reason));
	json_object_set_new(out, "took_ms", json_integer((json_int_t)(w->took / 1000)));
	json_object_set_new(out, "delivered", json_integer((json_int_t)row->delivered));
	json_object_set_new(out, "tried", json_integer((json_int_t)row->tried));
	json_object_set_new(out, "next", json_integer(next_try(w)));
	return out;
}

json_t *node_webhooks_json(struct node *n)
{
	json_t *list = json_array();
	uint64_t oldest, newest;
	struct error err = {""};

	if (!n->webhooks || !n->webhooks->count)
		return list;
	if (events_range(n->store, &oldest, &newest, &err)) {
		log_error("store: %s", err.text);
		return list;
	}
	for (size_t i = 0; i < n->webhooks->count; i++)
		json_array_append_new(list, webhook_json(n, i, oldest, newest));
	return list;
}

void node_webhooks_figures(const struct node *n, struct webhook_figures *out)
{
	const struct node_webhooks *all = n->webhooks;
	uint64_t oldest, newest;
	struct error err;

	memset(out, 0, sizeof *out);
	if (!all || !all->count || events_range(n->store, &oldest, &newest, &err))
		return;
	for (size_t i = 0; i < all->count; i++) {
		const struct node_webhook *w = &all->list[i];
		char trouble[400];

		trouble_of(trouble, n, w);
		out->events += w->row.events;
		out->lost += w->row.lost;
		out->failing += trouble[0] != 0;
		if (newest > w->row.position && newest - w->row.position > out->behind)
			out->behind = newest - w->row.position;
	}
}

/* --- commands --- */

static const char *name_in(const json_t *arguments)
{
	const char *name = json_string_value(json_object_get(arguments, "name"));

	return name ? name : "";
}

/* The one that is named; NULL after having refused. */
static struct node_webhook *named(
	struct node *n, struct control_client *client, const json_t *arguments)
{
	const char *name = name_in(arguments);
	struct node_webhook *w = webhook_of(n, name);

	if (!w)
		control_refuse(client, CONTROL_USAGE,
			"there is no [webhook \"%s\"]; `sipchain webhook status` lists those "
			"there are",
			escaped(view_str(name)));
	return w;
}

/* .. by who may change something; it goes into the audit trail. */
static struct node_webhook *named_to_change(struct node *n, struct control_client *client,
	const json_t *arguments, const char *action)
{
	struct audit_entry e = {.time = node_now(), .uid = control_uid(client)};
	struct error err = {""};
	struct node_webhook *w;

	if (!control_let_change(client))
		return NULL;
	w = named(n, client, arguments);
	if (!w)
		return NULL;
	node_bans_flush(n); /* the trail is synced, its transaction is not */
	snprintf(e.action, sizeof e.action, "%s", action);
	snprintf(e.subject, sizeof e.subject, "webhook %s", w->row.name);
	if (audit_add(n->store, &e, &err))
		log_error("audit trail: %s", err.text);
	return w;
}

void node_webhooks_status(
	struct node *n, struct control_client *client, const json_t *arguments)
{
	const char *name = name_in(arguments);
	json_t *all, *list, *one;
	size_t at;

	if (name[0] && !named(n, client, arguments))
		return;
	all = node_webhooks_json(n);
	list = json_array();
	json_array_foreach(all, at, one)
	{
		if (!name[0] ||
			!strcmp(name, json_string_value(json_object_get(one, "name"))))
			json_array_append(list, one);
	}
	json_decref(all);
	control_answer(client, json_pack("{s:o}", "webhooks", list));
}

/* Why nothing can be sent now; NULL: it can, or soon. */
static const char *unable(const struct node_webhook *w)
{
	if (!w->enabled)
		return "is off (enabled = no)";
	if (w->row.state == WEBHOOK_ROW_GONE)
		return "its receiver answered 410; `sipchain webhook retry` sends again";
	if (w->known && w->trouble[0])
		return w->trouble;
	return w->tester ? "is being tested already" : NULL;
}

void node_webhooks_test(
	struct node *n, struct control_client *client, const json_t *arguments)
{
	struct node_webhook *w = named_to_change(n, client, arguments, "webhook-test");
	uint64_t oldest, newest;
	struct error err = {""};

	if (!w)
		return;
	if (unable(w)) {
		control_refuse(
			client, CONTROL_FAILED, "webhook %s: %s", w->row.name, unable(w));
		return;
	}
	node_event_with(n, "test", NULL,
		json_pack("{s:s, s:s}", "text", "a test by an operator", "webhook",
			w->row.name));
	if (events_range(n->store, &oldest, &newest, &err)) {
		control_refuse(client, CONTROL_FAILED, "store: %s", err.text);
		return;
	}
	w->test = newest;
	w->tester = client;
	w->test_until = clock_monotonic() + TEST_WITHIN;
	w->retry_at = 0;
	webhooks_at(n, 0);
}

void node_webhooks_retry(
	struct node *n, struct control_client *client, const json_t *arguments)
{
	struct node_webhook *w = named_to_change(n, client, arguments, "webhook-retry");
	bool was_gone;

	if (!w)
		return;
	if (!w->enabled) {
		control_refuse(
			client, CONTROL_FAILED, "webhook %s: %s", w->row.name, unable(w));
		return;
	}
	was_gone = w->row.state == WEBHOOK_ROW_GONE;
	w->row.state = WEBHOOK_ROW_RUNNING;
	w->retry_at = 0;
	if (was_gone)
		webhook_save(n, w, STORE_SOON);
	webhooks_at(n, 0);
	control_answer(client,
		json_pack("{s:s, s:b, s:s}", "webhook", w->row.name, "was_gone", was_gone,
			"text",
			w->known && w->trouble[0] ? w->trouble :
				was_gone          ? "sends again" :
						    "is tried now"));
}
