/* SPDX-License-Identifier: Apache-2.0 */
/* The control socket's commands that only ask. */
#include "daemon/node.h"

#include <string.h>

#include "daemon/node_answer.h"
#include "daemon/node_connector.h"
#include "daemon/node_webhook.h"

json_t *node_tip(const struct node *n, enum chain chain)
{
	return answer_tip(n->registry, chain);
}

static const char *text_of(const void *context, const struct indicator *i)
{
	return node_text(context, i);
}

struct answer_source node_answers(const struct node *n)
{
	return (struct answer_source){
		.registry = n->registry,
		.policy = &n->config->policy,
		.allow = n->allow,
		.now = node_now(),
		.text = text_of,
		.context = n,
	};
}

/*
 * The state of what calls are refused to: "standing" in all connectors that carry
 * it, "waiting" for one of them, or with none of them "unenforced".
 */
static const char *calls_state(const json_t *connectors)
{
	const char *state = json_array_size(connectors) ? "standing" : "unenforced";
	const json_t *k;
	size_t at;

	json_array_foreach(connectors, at, k)
	{
		if (strcmp(json_string_value(json_object_get(k, "state")), "ready") != 0)
			state = "waiting";
	}
	return state;
}

json_t *node_ban_json(const struct node *n, const struct ban *b)
{
	char text[INDICATOR_TEXT];
	json_t *out, *connectors;

	out = json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:I}", "indicator",
		indicator_print(text, &b->indicator), "scope", ban_scope_name(b->scope),
		"origin", ban_origin_name(b->origin), "state", ban_state_name(b->state),
		"category", category_name(b->category), "until", (json_int_t)b->until,
		"since", (json_int_t)b->since);
	if (!node_is_call(&b->indicator))
		return out;
	connectors = node_connectors_of(n, b->indicator.kind);
	json_object_set_new(out, "scope", json_string("calls"));
	json_object_set_new(out, "state", json_string(calls_state(connectors)));
	json_object_set_new(out, "connectors", connectors);
	if (node_text(n, &b->indicator))
		json_object_set_new(
			out, "text", json_string(node_text(n, &b->indicator)));
	return out;
}

/* --- list --- */

static json_t *list_json(struct node *n, const char *kind)
{
	const struct answer_source from = node_answers(n);

	return json_pack("{s:o, s:o}", "indicators", answer_list(&from, kind), "tip",
		answer_tips(n->registry));
}

/* --- banned, allow-list --- */

struct all_bans {
	const struct node *n;
	json_t *out;
};

static void add_ban(void *context, const struct ban *b)
{
	const struct all_bans *all = context;

	json_array_append_new(all->out, node_ban_json(all->n, b));
}

json_t *node_banned(struct node *n)
{
	json_t *bans = json_array(), *counters = json_array();

	struct all_bans all = {n, bans};

	ban_table_each(n->bans, add_ban, &all);
	for (unsigned k = 0; k < n->counters_count; k++)
		json_array_append_new(counters,
			json_pack("{s:s, s:I, s:I}", "set", n->counters[k].set, "packets",
				(json_int_t)n->counters[k].packets, "bytes",
				(json_int_t)n->counters[k].bytes));
	return json_pack("{s:o, s:o, s:b, s:I}", "bans", bans, "counters", counters,
		"observe", n->config->node.observe, "counters_at",
		(json_int_t)(n->counters_at / USEC_PER_SEC));
}

static json_t *allow_json(struct node *n)
{
	json_t *list = json_array();
	char text[INDICATOR_TEXT];
	size_t count;
	const struct allow_entry *e = allowlist_entries(n->allow, &count);

	for (size_t k = 0; k < count; k++)
		json_array_append_new(list,
			json_pack("{s:s, s:s, s:I, s:s}", "indicator",
				indicator_print(text, &e[k].indicator), "origin",
				allow_origin_name(e[k].origin), "expiry",
				(json_int_t)e[k].expiry, "note", e[k].note));
	return json_pack("{s:o}", "entries", list);
}

bool node_answer(struct node *n, struct control_client *client, const char *command,
	const json_t *arguments)
{
	if (!strcmp(command, "status"))
		control_answer(client, node_status(n));
	else if (!strcmp(command, "list"))
		control_answer(client,
			list_json(n,
				json_string_value(json_object_get(arguments, "kind"))));
	else if (!strcmp(command, "check"))
		node_check(n, client, arguments);
	else if (!strcmp(command, "banned"))
		node_ask_counters(n, client);
	else if (!strcmp(command, "allow-list"))
		control_answer(client, allow_json(n));
	else if (!strcmp(command, "connector-status"))
		node_connectors_status(n, client, arguments);
	else if (!strcmp(command, "connector-resync"))
		node_connectors_resync(n, client, arguments);
	else if (!strcmp(command, "connector-clear"))
		node_connectors_clear(n, client, arguments);
	else if (!strcmp(command, "connector-forget"))
		node_connectors_forget(n, client, arguments);
	else if (!strcmp(command, "webhook-status"))
		node_webhooks_status(n, client, arguments);
	else if (!strcmp(command, "webhook-test"))
		node_webhooks_test(n, client, arguments);
	else if (!strcmp(command, "webhook-retry"))
		node_webhooks_retry(n, client, arguments);
	else if (!strcmp(command, "evidence-list"))
		node_evidence_list(n, client, arguments);
	else if (!strcmp(command, "evidence-get"))
		node_evidence_get(n, client, arguments);
	else if (!strcmp(command, "watch"))
		node_watch(n, client, arguments);
	else if (!strcmp(command, "events"))
		node_events(n, client, arguments);
	else
		return false;
	return true;
}
