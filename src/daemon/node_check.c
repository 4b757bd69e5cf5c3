/* SPDX-License-Identifier: Apache-2.0 */
/* The command `check`: is it listed or banned here, and why? */
#include "daemon/node_answer.h"

#include <string.h>

#include "daemon/node_connector.h"
#include "store/ban_record.h"

/* The node's bans that cover i, of either scope and any width. */
struct covering {
	struct node *n;
	const struct indicator *i;
	/* Why one does not count, of an operator and of anybody else; kind 0: it does. */
	struct decision operators, others;
	json_t *out;
};

static void add_covering(void *context, const struct ban *b)
{
	struct covering *c = context;
	const struct decision *spared = b->origin == BAN_OPERATOR ? &c->operators :
								    &c->others;
	char reason[BAN_NOTE] = "", sentence[DECISION_TEXT];
	struct ban kept;
	json_t *o;

	if (!indicator_contains(&b->indicator, c->i))
		return;
	o = node_ban_json(c->n, b);
	/* What its detection said; a database that cannot tell hides nothing else. */
	if (ban_record_get(c->n->store, &kept, reason, &b->indicator, b->scope, NULL) ==
			1 &&
		reason[0])
		json_object_set_new(o, "reason", json_string(reason));
	if (spared->indicator.kind)
		json_object_set_new(
			o, "spared", json_string(decision_print(sentence, spared)));
	json_array_append_new(c->out, o);
}

/* As `GET /v1/check` has it: decide_spared(), by whose ban it is. */
static void find_spared(struct decision *out, const struct node *n,
	const struct uri_parts *parts, enum uri_part part, const struct policy *policy)
{
	if (!decide_spared(out, policy, n->registry, n->allow, parts, part, node_now()))
		memset(out, 0, sizeof *out);
}

/* Bans of i; of a URI, of its domain and number as well. */
static json_t *bans_of(struct node *n, const struct indicator *i, const char *uri)
{
	struct covering c = {.n = n, .out = json_array()};
	struct uri_parts parts = {.part = {{0}}};

	if (i->kind == INDICATOR_URI)
		uri_parts(&parts, i, *uri ? uri : node_text(n, i));
	else
		parts.part[i->kind == INDICATOR_NUMBER ? URI_NUMBER : URI_ITSELF] = *i;
	for (enum uri_part k = URI_ITSELF; k < URI_PARTS; k++) {
		c.i = &parts.part[k];
		if (!c.i->kind)
			continue;
		find_spared(&c.operators, n, &parts, k, NULL);
		find_spared(&c.others, n, &parts, k, &n->config->policy);
		ban_table_each(n->bans, add_covering, &c);
	}
	return c.out;
}

/* What the sentence is made of. */
struct facts {
	bool calls, enforced;
	const json_t *listed, *bans;
	struct answer_exempt exempt;
};

/* Of bans: whether one of them counts, and whether a PBX is told of one. */
static bool bans_count(const json_t *bans, bool *told)
{
	const json_t *b;
	bool any = false;
	size_t at;

	*told = false;
	json_array_foreach(bans, at, b)
	{
		const char *state = json_string_value(json_object_get(b, "state"));

		if (json_object_get(b, "spared"))
			continue;
		any = true;
		*told |= !state || strcmp(state, "unenforced") != 0;
	}
	return any;
}

/* Why what is listed, or banned, does nothing. */
static const char *passes(const struct facts *f)
{
	if (f->exempt.protected && json_array_size(f->listed))
		return "listed, but the consortium protects it: not blocked";
	if (f->exempt.allowed && json_array_size(f->listed))
		return "listed, but on this node's allowlist: not blocked";
	if (json_array_size(f->listed))
		return "listed, but not blocked here";
	if (json_array_size(f->bans))
		return "banned in part, but not for calls to it";
	return f->exempt.allowed    ? "not listed, and on this node's allowlist" :
		f->exempt.protected ? "not listed, and protected by the consortium" :
				      "not listed";
}

/* The sentence that answers "is it blocked here, and why?". */
static const char *verdict(const struct node *n, const struct facts *f)
{
	bool told, banned = bans_count(f->bans, &told);

	if (banned && f->calls)
		return n->config->node.observe ?
			"calls to it would be refused here (observe mode: no PBX is told)" :
			told ? "calls to it are refused here" :
			       "calls to it are to be refused, but no [connector] here "
			       "tells a PBX so";
	if (banned)
		return n->config->node.observe ?
			"would be banned here (observe mode: nothing is in the firewall)" :
			"banned here";
	if (answer_any_blocks(f->listed))
		return f->enforced ?
			"blocked: listed, and this node follows" :
			"listed and decided: block; but nothing on this node enforces "
			"numbers, URIs, domains or agents";
	return passes(f);
}

/* By the firewall, or a connector. */
static bool is_enforced(const struct node *n, uint8_t kind)
{
	return kind == INDICATOR_IP4 || kind == INDICATOR_IP6 ||
		node_connectors_carry(n, kind);
}

static json_t *check_json(struct node *n, const struct indicator *i, const char *uri)
{
	const struct answer_source from = node_answers(n);
	json_t *listed = answer_around(&from, i, uri), *bans = bans_of(n, i, uri), *out;
	const struct facts facts = {.calls = node_is_call(i),
		.enforced = is_enforced(n, i->kind),
		.listed = listed,
		.bans = bans,
		.exempt = answer_exempt(&from, i, uri)};
	char text[INDICATOR_TEXT];

	out = json_pack("{s:s, s:s, s:s, s:o}", "indicator", indicator_print(text, i),
		"kind", indicator_kind_name(i->kind), "text", verdict(n, &facts), "tip",
		answer_tips(n->registry));
	json_object_set_new(out, "listed", listed);
	json_object_set_new(out, "bans", bans);
	json_object_set_new(out, "caught_up", json_boolean(n->caught_up));
	answer_exceptions(out, &facts.exempt);
	return out;
}

void node_check(struct node *n, struct control_client *client, const json_t *arguments)
{
	const char *query = json_string_value(json_object_get(arguments, "query"));
	char canonical[INDICATOR_SOURCE_TEXT + 1];
	struct indicator i;
	struct error err = {""};

	if (!query)
		control_refuse(client, CONTROL_USAGE, "no query");
	else if (indicator_parse(&i, canonical, view_str(query), &err))
		control_refuse(client, CONTROL_USAGE, "%s", err.text);
	else
		control_answer(client, check_json(n, &i, canonical));
}
