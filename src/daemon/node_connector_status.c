/* SPDX-License-Identifier: Apache-2.0 */
/* What people ask about connectors. */
#include <string.h>

#include "base/escape.h"
#include "base/log.h"
#include "daemon/config_connector.h"
#include "daemon/node.h"
#include "daemon/node_connector.h"
#include "daemon/node_connector_state.h"

static json_t *integer(uint64_t n)
{
	return json_integer((json_int_t)n);
}

/* A monotonic time as seconds since 1970; null: never. */
static json_t *when(usec at)
{
	usec ago = clock_monotonic() - at;

	return at ? integer((clock_wall() - ago) / USEC_PER_SEC) : json_null();
}

static json_t *connector_json(const struct node_connector *k)
{
	struct connector_figures f;
	json_t *out;

	if (!k->c)
		return json_pack("{s:s, s:s, s:s, s:s}", "name", k->name, "type",
			config_connector_type_name(k->config.type), "state", "unused",
			"trouble", k->trouble);
	pbx_connector_figures(k->c, &f);
	out = json_pack("{s:s, s:s, s:s, s:o, s:s, s:b}", "name", k->name, "type", f.type,
		"state", connector_state_name(f.state), "since", when(f.since), "trouble",
		f.trouble, "login_refused", f.refused);
	json_object_set_new(out, "standing", integer(f.standing));
	json_object_set_new(out, "queued", integer(f.queued));
	json_object_set_new(out, "refused", integer(f.refusing));
	json_object_set_new(out, "not_carried", integer(f.not_carried));
	json_object_set_new(out, "cleared", json_boolean(k->cleared));
	json_object_set_new(out, "hits", integer(f.hits));
	json_object_set_new(out, "resynced", when(f.resynced));
	json_object_set_new(out, "resync_ms", integer((f.pbx.resync_took + 999) / 1000));
	json_object_set_new(out, "resyncs", integer(f.pbx.resyncs));
	json_object_set_new(out, "found", integer(f.pbx.found));
	json_object_set_new(out, "removed", integer(f.pbx.removed));
	json_object_set_new(out, "sessions", integer(f.pbx.sessions));
	json_object_set_new(out, "orders", integer(f.pbx.orders));
	json_object_set_new(out, "refusals", integer(f.pbx.refusals));
	json_object_set_new(out, "resent", integer(f.pbx.resent));
	json_object_set_new(out, "in_flight", integer(f.pbx.in_flight));
	json_object_set_new(out, "messages", integer(f.pbx.messages));
	json_object_set_new(out, "discarded", integer(f.pbx.discarded));
	json_object_set_new(out, "failures", integer(f.failures));
	json_object_set_new(out, "memory", integer(pbx_connector_memory(k->c)));
	return out;
}

json_t *node_connectors_json(const struct node *n)
{
	json_t *list = json_array();

	for (size_t i = 0; n->connectors && i < n->connectors->count; i++)
		json_array_append_new(list, connector_json(&n->connectors->list[i]));
	node_connectors_left_behind(n, list);
	return list;
}

json_t *node_connectors_of(const struct node *n, uint8_t kind)
{
	json_t *list = json_array();
	struct connector_figures f;

	for (size_t i = 0; n->connectors && i < n->connectors->count; i++) {
		const struct node_connector *k = &n->connectors->list[i];

		if (!k->c || !pbx_connector_carries(k->c, kind))
			continue;
		pbx_connector_figures(k->c, &f);
		json_array_append_new(list,
			json_pack("{s:s, s:s}", "name", k->name, "state",
				connector_state_name(f.state)));
	}
	return list;
}

/*
 * The one of that name in the arguments, all of them (*one is NULL), or false when
 * there is none, and the client has been told so.
 */
static bool named(struct node *n, struct control_client *client, const json_t *arguments,
	struct node_connector **one)
{
	const char *name = json_string_value(json_object_get(arguments, "name"));

	*one = NULL;
	if (!n->connectors || !n->connectors->count) {
		control_refuse(client, CONTROL_FAILED,
			"there are no connectors; the configuration has no section "
			"[connector \"NAME\"]");
		return false;
	}
	for (size_t i = 0; name && i < n->connectors->count; i++)
		if (!strcmp(n->connectors->list[i].name, name))
			*one = &n->connectors->list[i];
	if (!name || *one)
		return true;
	control_refuse(client, CONTROL_FAILED, "there is no connector \"%s\"",
		escaped(view_str(name)));
	return false;
}

void node_connectors_status(
	struct node *n, struct control_client *client, const json_t *arguments)
{
	const char *name = json_string_value(json_object_get(arguments, "name"));
	json_t *all = node_connectors_json(n), *list = json_array(), *c;
	struct node_connector *one;
	size_t at;

	json_array_foreach(all, at, c)
	{
		if (!name || !strcmp(name, json_string_value(json_object_get(c, "name"))))
			json_array_append(list, c);
	}
	json_decref(all);
	if (json_array_size(list)) {
		control_answer(client, json_pack("{s:o}", "connectors", list));
		return;
	}
	json_decref(list);
	named(n, client, arguments, &one); /* there is none: says so */
}

static void follow_again(void *context, const struct ban *b)
{
	node_connectors_follow(context, &b->indicator);
}

/* After `connector clear`. */
static void fill_again(struct node_connector *k)
{
	struct node *n = k->node;

	k->cleared = false;
	k->dirty = true;
	pbx_connector_observe(k->c, n->config->node.observe);
	ban_table_each(n->bans, follow_again, n);
}

void node_connectors_clear(
	struct node *n, struct control_client *client, const json_t *arguments)
{
	struct connector_figures f;
	struct node_connector *one;

	if (!control_let_change(client) || !named(n, client, arguments, &one))
		return;
	if (!one) {
		control_refuse(client, CONTROL_USAGE, "name the connector");
		return;
	}
	if (one->c)
		pbx_connector_figures(one->c, &f);
	if (!one->c || (f.state != CONNECTOR_READY && f.state != CONNECTOR_OFF)) {
		control_refuse(client, CONTROL_FAILED,
			"%s is not connected, nothing can be taken away there: %s",
			one->name, one->c ? f.trouble : one->trouble);
		return;
	}
	log_notice("[connector \"%s\"] uid %u takes away all that stands there",
		one->name, (unsigned)control_uid(client));
	one->cleared = true;
	pbx_connector_observe(one->c, true);
	node_connector_step(one);
	control_answer(client, json_pack("{s:s}", "name", one->name));
}

void node_connectors_resync(
	struct node *n, struct control_client *client, const json_t *arguments)
{
	json_t *begun = json_array(), *away = json_array();
	struct node_connector *one;

	if (!named(n, client, arguments, &one)) {
		json_decref(begun);
		json_decref(away);
		return;
	}
	for (size_t i = 0; i < n->connectors->count; i++) {
		struct node_connector *k = &n->connectors->list[i];

		if (one && k != one)
			continue;
		if (one && k->cleared) {
			fill_again(k);
			json_array_append_new(begun, json_string(k->name));
			continue;
		}
		json_array_append_new(
			k->c && pbx_connector_resync(k->c, clock_monotonic()) ? begun :
										away,
			json_string(k->name));
		k->dirty = true;
	}
	node_connectors_flush(n);
	control_answer(client, json_pack("{s:o, s:o}", "begun", begun, "away", away));
}
