/* SPDX-License-Identifier: Apache-2.0 */
/* What happens is written into the journal, and told to who follows it. */
#include "daemon/node.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/event_answer.h"
#include "base/log.h"
#include "daemon/node_webhook.h"

/* Events that one answer of `events` holds. */
#define EVENTS_AT_ONCE 500
/* ... and that a watcher is sent before it follows. */
#define REPLAY_MAX 10000

void node_event_with(
	struct node *n, const char *type, const struct indicator *i, json_t *body)
{
	char name[INDICATOR_TEXT] = "";
	struct event e = {.time = node_now(), .type = type, .indicator = name};
	struct error err = {""};
	char *text = body ? json_dumps(body, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;

	json_decref(body);
	if (i)
		indicator_print(name, i);
	e.body = text ? text : "{}";
	/* Nobody could resume after what is not in the journal, but all are told. */
	if (n->store && event_put(n->store, &e, &e.id, &err))
		log_error("store: %s", err.text);
	/* The next one makes the journal forget: what of that matters is counted now. */
	else if (e.id % EVENTS_FORGET == EVENTS_FORGET - 1 && e.id >= EVENTS_MOST)
		node_webhooks_forget(n, e.id + 1 - EVENTS_MOST);
	if (n->control && control_watched(n->control))
		control_publish(n->control, event_json(&e));
	free(text);
	node_http_wake(n);
	node_webhooks_wake(n);
}

void node_event(
	struct node *n, const char *type, const struct indicator *i, const char *fmt, ...)
{
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	node_event_with(n, type, i, json_pack("{s:s}", "text", text));
}

static bool add(void *context, const struct event *e)
{
	json_array_append_new(context, event_json(e));
	return true;
}

/* The id in the argument `since`. Returns whether there is one, fit or not. */
static bool since_of(const json_t *arguments, json_int_t *since)
{
	const json_t *value = json_object_get(arguments, "since");

	*since = json_is_integer(value) ? json_integer_value(value) : -1;
	return value != NULL;
}

void node_events(struct node *n, struct control_client *client, const json_t *arguments)
{
	uint64_t oldest, newest;
	struct error err = {""};
	json_int_t since;
	json_t *list;

	if (!since_of(arguments, &since) || since < 0) {
		control_refuse(client, CONTROL_USAGE, "since: an event's id, or 0");
		return;
	}
	list = json_array();
	if (events_range(n->store, &oldest, &newest, &err) ||
		events_after(n->store, (uint64_t)since, EVENTS_AT_ONCE, add, list, &err) <
			0) {
		json_decref(list);
		control_refuse(client, CONTROL_FAILED, "%s", err.text);
		return;
	}
	control_answer(client,
		json_pack("{s:o, s:I, s:I}", "events", list, "oldest", (json_int_t)oldest,
			"newest", (json_int_t)newest));
}

static bool replay(void *context, const struct event *e)
{
	control_tell(context, event_json(e));
	return true;
}

void node_watch(struct node *n, struct control_client *client, const json_t *arguments)
{
	struct error err = {""};
	json_int_t since;

	if (since_of(arguments, &since) && since < 0) {
		control_refuse(client, CONTROL_USAGE, "since: an event's id, or 0");
		return;
	}
	/* What came since it asked `events`; between here and there nothing can. */
	control_watch(client);
	if (since >= 0 &&
		events_after(
			n->store, (uint64_t)since, REPLAY_MAX, replay, client, &err) < 0)
		log_error("store: %s", err.text);
}
