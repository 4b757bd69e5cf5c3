/* SPDX-License-Identifier: Apache-2.0 */
/* What the control socket answers about indicators: list, check, banned. */
#include "daemon/node.h"

#include <string.h>

#include "base/hex.h"

/* Words shown of one indicator; a consortium has fewer members than this. */
#define WORDS_MAX 256

json_t *node_tip(const struct node *n, enum chain chain)
{
	const struct tip *t = registry_tip(n->registry, chain);
	char hash[2 * HASH_SIZE + 1];

	return json_pack("{s:I, s:s}", "seq", (json_int_t)t->seq, "hash",
		hex_encode(hash, t->hash, HASH_SIZE));
}

static json_t *word_json(struct node *n, const struct report *w)
{
	const struct member *m = registry_member(n->registry, w->member);
	char text[INDICATOR_TEXT];

	return json_pack("{s:i, s:s, s:i, s:s, s:b, s:s, s:s, s:I, s:I}", "member",
		w->member, "name", m ? m->name : "?", "weight", m ? m->weight : 0,
		"indicator", indicator_print(text, &w->indicator), "objection",
		w->category == CATEGORY_OBJECTION, "category", category_name(w->category),
		"proof", proof_name(w->proof), "expiry", (json_int_t)w->expiry, "cell",
		(json_int_t)w->cell);
}

/* The decision about one listed indicator; with_words adds who says what. */
static json_t *decision_json(struct node *n, const struct indicator *i, bool with_words)
{
	char text[INDICATOR_TEXT], sentence[DECISION_TEXT];
	struct report words[WORDS_MAX];
	struct decision d;
	json_t *out, *list;
	size_t count;

	decide_learnt(&d, &n->config->policy, n->registry, n->allow, i, node_now());
	out = json_pack("{s:s, s:s, s:b, s:s, s:s, s:I, s:I, s:I, s:s, s:s}", "indicator",
		indicator_print(text, i), "kind", indicator_kind_name(i->kind), "block",
		d.block, "why", why_name(d.why), "text", decision_print(sentence, &d),
		"sum", (json_int_t)d.sum, "required", (json_int_t)d.required, "until",
		(json_int_t)(d.block ? d.until : 0), "category",
		category_name(d.category), "proof", proof_name(d.proof));
	if (node_text(n, i))
		json_object_set_new(out, "source", json_string(node_text(n, i)));
	if (!with_words)
		return out;
	list = json_array();
	count = registry_words(n->registry, i, node_now(), words, WORDS_MAX);
	for (size_t k = 0; k < count && k < WORDS_MAX; k++)
		json_array_append_new(list, word_json(n, &words[k]));
	json_object_set_new(out, "words", list);
	return out;
}

static json_t *ban_json(const struct ban *b)
{
	char text[INDICATOR_TEXT];

	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:I}", "indicator",
		indicator_print(text, &b->indicator), "scope", ban_scope_name(b->scope),
		"origin", ban_origin_name(b->origin), "state", ban_state_name(b->state),
		"category", category_name(b->category), "until", (json_int_t)b->until,
		"since", (json_int_t)b->since);
}

/* --- list --- */

struct listing {
	struct node *node;
	struct table *seen;
	json_t *out;
	const char *kind;
};

static bool list_word(void *context, const struct report *word)
{
	struct listing *l = context;
	bool fresh = false;

	if (l->kind && strcmp(l->kind, indicator_kind_name(word->indicator.kind)))
		return true;
	if (table_put(l->seen, &word->indicator, &fresh) && fresh)
		json_array_append_new(
			l->out, decision_json(l->node, &word->indicator, false));
	return true;
}

json_t *node_list(struct node *n, const char *kind)
{
	struct listing l = {.node = n, .kind = kind, .out = json_array()};
	json_t *result;

	l.seen = table_new(INDICATOR_SIZE, INDICATOR_SIZE, 0, n->hash_key);
	if (l.seen)
		registry_each(n->registry, node_now(), list_word, &l);
	table_free(l.seen);
	result = json_pack("{s:o, s:{s:o, s:o}}", "indicators", l.out, "tip", "members",
		node_tip(n, CHAIN_MEMBERS), "admin", node_tip(n, CHAIN_ADMIN));
	return result;
}

/* --- check --- */

/* The node's bans that cover i, of either scope and any width. */
struct covering {
	const struct indicator *i;
	json_t *out;
};

static void add_covering(void *context, const struct ban *b)
{
	struct covering *c = context;

	if (indicator_contains(&b->indicator, c->i))
		json_array_append_new(c->out, ban_json(b));
}

/* The sentence that answers "is it blocked here, and why?". */
static const char *verdict(const struct node *n, bool is_address, const json_t *listed,
	const json_t *bans, const struct allow_entry *allowed,
	const struct indicator *protected)
{
	const json_t *d;
	size_t at;

	if (json_array_size(bans))
		return n->config->node.observe ?
			"would be banned here (observe mode: nothing is in the firewall)" :
			"banned here";
	json_array_foreach(listed, at,
		d) if (json_is_true(json_object_get(d, "block"))) return is_address ?
		"blocked: listed, and this node follows" :
		"listed and decided: block; but nothing on this node enforces "
		"numbers, URIs, domains or agents";
	if (protected && json_array_size(listed))
		return "listed, but the consortium protects it: not blocked";
	if (allowed && json_array_size(listed))
		return "listed, but on this node's allowlist: not blocked";
	if (json_array_size(listed))
		return "listed, but not blocked here";
	return allowed    ? "not listed, and on this node's allowlist" :
		protected ? "not listed, and protected by the consortium" :
			    "not listed";
}

json_t *node_check(struct node *n, const struct indicator *i)
{
	const struct indicator *protected = registry_protected_overlap(n->registry, i);
	const struct allow_entry *allowed = allowlist_overlap(n->allow, i, node_now());
	json_t *listed = json_array(), *bans = json_array(), *out;
	struct covering covering = {i, bans};
	struct indicator around[136];
	char text[INDICATOR_TEXT];
	size_t count;

	count = registry_around(n->registry, i, around, sizeof around / sizeof around[0]);
	for (size_t k = 0; k < count && k < sizeof around / sizeof around[0]; k++)
		json_array_append_new(listed, decision_json(n, &around[k], true));
	ban_table_each(n->bans, add_covering, &covering);
	out = json_pack("{s:s, s:s, s:s, s:{s:o, s:o}}", "indicator",
		indicator_print(text, i), "kind", indicator_kind_name(i->kind), "text",
		verdict(n, i->kind == INDICATOR_IP4 || i->kind == INDICATOR_IP6, listed,
			bans, allowed, protected),
		"tip", "members", node_tip(n, CHAIN_MEMBERS), "admin",
		node_tip(n, CHAIN_ADMIN));
	json_object_set_new(out, "listed", listed);
	json_object_set_new(out, "bans", bans);
	json_object_set_new(out, "caught_up", json_boolean(n->caught_up));
	if (allowed)
		json_object_set_new(out, "allowed",
			json_pack("{s:s, s:s, s:s}", "indicator",
				indicator_print(text, &allowed->indicator), "origin",
				allow_origin_name(allowed->origin), "note",
				allowed->note));
	if (protected)
		json_object_set_new(
			out, "protected", json_string(indicator_print(text, protected)));
	return out;
}

/* --- banned, allow-list --- */

static void add_ban(void *context, const struct ban *b)
{
	json_array_append_new(context, ban_json(b));
}

json_t *node_banned(struct node *n)
{
	json_t *bans = json_array(), *counters = json_array();

	ban_table_each(n->bans, add_ban, bans);
	for (unsigned k = 0; k < n->counters_count; k++)
		json_array_append_new(counters,
			json_pack("{s:s, s:I, s:I}", "set", n->counters[k].set, "packets",
				(json_int_t)n->counters[k].packets, "bytes",
				(json_int_t)n->counters[k].bytes));
	return json_pack("{s:o, s:o, s:b, s:I}", "bans", bans, "counters", counters,
		"observe", n->config->node.observe, "counters_at",
		(json_int_t)(n->counters_at / USEC_PER_SEC));
}

json_t *node_allow_list(struct node *n)
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
