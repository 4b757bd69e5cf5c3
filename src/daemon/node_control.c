/* SPDX-License-Identifier: Apache-2.0 */
/* Commands of the control socket, above all those that change something. */
#include "daemon/node_report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/log.h"
#include "base/units.h"
#include "daemon/node_connector.h"
#include "store/allow_record.h"

#define BAN_TTL_DEFAULT 3600

/* One request while it is answered, with its arguments parsed. */
struct request {
	struct node *node;
	struct control_client *client;
	const json_t *arguments;
	struct node_wish wish;
};

/* What every changing command needs: an indicator, perhaps ttl and note. */
static int parse(struct request *r)
{
	const json_t *ttl = json_object_get(r->arguments, "ttl");
	const char *text = json_string_value(json_object_get(r->arguments, "indicator"));
	const char *note = json_string_value(json_object_get(r->arguments, "note"));
	const char *class = json_string_value(json_object_get(r->arguments, "class"));
	struct error err = {""};

	if (!text)
		return control_refuse(r->client, CONTROL_USAGE, "no indicator"), -1;
	r->wish.log = class && !strcmp(class, "log");
	if (class && !r->wish.log && strcmp(class, "manual") != 0)
		return control_refuse(r->client, CONTROL_USAGE,
			       "no such class: %s; manual or log",
			       escaped(view_str(class))),
		       -1;
	if (indicator_parse(&r->wish.indicator, r->wish.canonical, view_str(text), &err))
		return control_refuse(r->client, CONTROL_USAGE, "%s", err.text), -1;
	if (ttl &&
		(!json_is_integer(ttl) || json_integer_value(ttl) < 1 ||
			json_integer_value(ttl) > 366 * 86400))
		return control_refuse(r->client, CONTROL_USAGE, "ttl: 1 to %d seconds",
			       366 * 86400),
		       -1;
	r->wish.uid = control_uid(r->client);
	snprintf(r->wish.by, sizeof r->wish.by, "uid %u", (unsigned)r->wish.uid);
	r->wish.ttl = ttl ? (uint32_t)json_integer_value(ttl) : 0;
	if (note &&
		(strlen(note) >= sizeof r->wish.note || !text_is_clean(view_str(note))))
		return control_refuse(r->client, CONTROL_USAGE,
			       "note: at most %zu bytes of printable text",
			       sizeof r->wish.note - 1),
		       -1;
	snprintf(r->wish.note, sizeof r->wish.note, "%s", note ? note : "");
	return 0;
}

/* A failure is logged, not fatal. */
static void audit(struct request *r, const char *what)
{
	(void)node_audit(r->node, &r->wish, what);
}

/* The answer of every changing command: a sentence and the facts. */
static void answer(struct request *r, uint32_t until, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void answer(struct request *r, uint32_t until, const char *fmt, ...)
{
	char text[400], name[INDICATOR_TEXT];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	control_answer(r->client,
		json_pack("{s:s, s:s, s:I}", "indicator",
			indicator_print(name, &r->wish.indicator), "text", text, "until",
			(json_int_t)until));
}

/* --- report, object, revoke: through the outbox, answered with their fate --- */

static void refused(struct request *r, const struct node_refusal *why)
{
	control_refuse(r->client, why->code, "%s", why->text);
}

/* This node's member, fit to write; NULL after having refused. */
static const struct member *writer(struct request *r)
{
	struct node_refusal why = {.code = CONTROL_FAILED};
	const struct member *m = node_writer(r->node, &why);

	if (!m)
		refused(r, &why);
	return m;
}

/* Put it into the outbox; the client hears when its fate is known. */
static void publish(struct request *r, uint8_t category, uint8_t action, uint32_t ttl)
{
	struct node_refusal why = {.code = CONTROL_FAILED};
	uint64_t row = node_wish_put(r->node, &r->wish, category, action, ttl, &why);

	if (!row) {
		refused(r, &why);
		return;
	}
	node_wait(r->node, row, r->client);
	node_outbox_submit(r->node);
}

static bool reportable(struct request *r, uint32_t ttl)
{
	struct node_refusal why = {.code = CONTROL_FAILED};

	if (!node_reportable(r->node, &r->wish, ttl, &why))
		return true;
	refused(r, &why);
	return false;
}

static bool is_address(struct request *r)
{
	if (r->wish.indicator.kind == INDICATOR_IP4 ||
		r->wish.indicator.kind == INDICATOR_IP6)
		return true;
	/* A ban, of what a PBX can be told to refuse calls to. */
	if (!r->wish.log && node_connectors_carry(r->node, r->wish.indicator.kind))
		return true;
	control_refuse(r->client, CONTROL_USAGE,
		r->wish.log ? "class log is for addresses and prefixes alone" :
			      "only addresses and prefixes are banned in the firewall, "
			      "and no [connector] refuses calls to this; numbers and "
			      "names are shared with `sipchain report`");
	return false;
}

/* Of class log: nothing is to be done, and that is the answer. */
static bool stays(struct request *r)
{
	struct node_refusal why = {.code = CONTROL_OK};
	uint32_t until = 0;

	if (!node_allowed_here(r->node, &r->wish, &why) &&
		!node_better_known(r->node, &r->wish, &until, &why))
		return false;
	answer(r, until, "%s", why.text);
	return true;
}

static void do_report(struct request *r)
{
	const char *name = json_string_value(json_object_get(r->arguments, "category"));
	int category = name ? category_parse(view_str(name)) : CATEGORY_OTHER;
	uint32_t ttl = node_wish_ttl(r->node, &r->wish, REPORT_TTL_DEFAULT);
	struct node_refusal why = {.code = CONTROL_FAILED};

	if (category <= CATEGORY_NONE || category == CATEGORY_OBJECTION) {
		control_refuse(r->client, CONTROL_USAGE, "no such category: %s",
			escaped(view_str(name ? name : "")));
		return;
	}
	if (r->wish.log && !is_address(r))
		return;
	if (!writer(r) || !reportable(r, ttl))
		return;
	if (node_exempted(r->node, &r->wish, &why) ||
		node_not_own(r->node, &r->wish, &why)) {
		refused(r, &why);
		return;
	}
	if (r->wish.log && stays(r))
		return;
	audit(r, "report");
	publish(r, (uint8_t)category, ACTION_REPORT, ttl);
}

static void do_object(struct request *r)
{
	uint32_t ttl = node_wish_ttl(r->node, &r->wish, OBJECT_TTL_DEFAULT);

	if (!writer(r) || !reportable(r, ttl))
		return;
	audit(r, "object");
	publish(r, CATEGORY_OBJECTION, ACTION_REPORT, ttl);
}

static void do_revoke(struct request *r)
{
	const struct member *m = writer(r);
	char text[INDICATOR_TEXT];
	struct report word;

	if (!m)
		return;
	if (!registry_own_word(
		    r->node->registry, m->index, &r->wish.indicator, node_now(), &word)) {
		if (r->wish.log && word.proof != PROOF_LOG) {
			control_refuse(r->client, CONTROL_FAILED,
				"the live report of %s is not of class log; it stays",
				indicator_print(text, &r->wish.indicator));
			return;
		}
		audit(r, "revoke");
		publish(r, word.category, ACTION_SPEND, word.expiry - node_now());
		return;
	}
	/* Decided, and not on the ledger yet: the wish to spend takes its place. */
	if (node_outbox_open(r->node, &r->wish.indicator)) {
		audit(r, "revoke");
		publish(r, CATEGORY_OTHER, ACTION_SPEND, 0);
		return;
	}
	control_refuse(r->client, CONTROL_FAILED,
		"member %u (%s) has no live report of %s", m->index, m->name,
		indicator_print(text, &r->wish.indicator));
}

/* --- ban, unban: this node alone --- */

/* What a ban means, with places for the indicator and its end. */
static const char *ban_sentence(const struct request *r)
{
	bool address = r->wish.indicator.kind < INDICATOR_NUMBER;

	if (r->node->config->node.observe)
		return address ?
			"%s would be banned on every port until %s (observe mode)" :
			"calls to %s would be refused until %s (observe mode)";
	return address ? "%s is banned on every port until %s" :
			 "calls to %s are refused until %s";
}

static void do_ban(struct request *r)
{
	uint32_t until = node_now() + (r->wish.ttl ? r->wish.ttl : BAN_TTL_DEFAULT);
	char sentence[DECISION_TEXT], name[INDICATOR_TEXT], when[32];
	struct decision d;

	if (!is_address(r))
		return;
	decide_own_text(&d, r->node->registry, r->node->allow, &r->wish.indicator,
		r->wish.canonical, WHY_OPERATOR, until, node_now());
	if (!d.block) {
		control_refuse(r->client, CONTROL_FAILED, "not banned: %s",
			decision_print(sentence, &d));
		return;
	}
	node_bans_begin(r->node, STORE_SYNCED);
	audit(r, "ban");
	node_text_note(r->node, &r->wish.indicator, view_str(r->wish.canonical));
	node_ban(r->node, &r->wish.indicator, BAN_ALL, BAN_OPERATOR, CATEGORY_OTHER,
		until);
	node_bans_flush(r->node);
	node_schedule(r->node);
	node_event(
		r->node, "ban", &r->wish.indicator, "by an operator: %s", r->wish.note);
	answer(r, until, ban_sentence(r), indicator_print(name, &r->wish.indicator),
		clock_rfc3339(when, until));
}

static void do_unban(struct request *r)
{
	bool learnt = ban_table_get(r->node->bans, &r->wish.indicator, BAN_SIP) != NULL;
	char name[INDICATOR_TEXT];

	/* What this node itself put there can be lifted without any connector. */
	if (!ban_table_get(r->node->bans, &r->wish.indicator, BAN_ALL) && !is_address(r))
		return;
	indicator_print(name, &r->wish.indicator);
	node_bans_begin(r->node, STORE_SYNCED);
	if (!node_unban(r->node, &r->wish.indicator, BAN_ALL)) {
		node_bans_flush(r->node);
		control_refuse(r->client, CONTROL_FAILED,
			learnt ?
				"%s is banned by the ledger, not by this node; use `sipchain allow add` "
				"to exempt it here, or `sipchain object` to speak for it" :
				"%s is not banned by this node",
			name);
		return;
	}
	audit(r, "unban");
	node_forgive(r->node, &r->wish.indicator);
	node_bans_flush(r->node);
	node_event(r->node, "unban", &r->wish.indicator, "by an operator");
	answer(r, 0, "%s is no longer banned by this node%s", name,
		!learnt ? "" :
			node_is_call(&r->wish.indicator) ?
			  "; the ledger's ban of calls to it stays" :
			  "; the ledger's ban of its SIP ports stays");
}

/* --- allow add, remove --- */

/* The allowlist changed: the enforcer first, then whatever that lifts. */
static void allow_changed(struct request *r)
{
	node_send_allow(r->node);
	node_decide_allowed(r->node, &r->wish.indicator);
}

static void do_allow_add(struct request *r)
{
	struct allow_entry e = {.indicator = r->wish.indicator, .origin = ALLOW_OPERATOR};
	char name[INDICATOR_TEXT];
	struct error err = {""};

	if (indicator_check_shape(&r->wish.indicator, &err)) {
		control_refuse(r->client, CONTROL_USAGE, "%s", err.text);
		return;
	}
	e.expiry = r->wish.ttl ? node_now() + r->wish.ttl : 0;
	snprintf(e.note, sizeof e.note, "%s", r->wish.note);
	if (allow_record_put(r->node->store, &e, &err) ||
		allowlist_add(r->node->allow, &e)) {
		control_refuse(r->client, CONTROL_FAILED, "not added: %s", err.text);
		return;
	}
	audit(r, "allow-add");
	allow_changed(r);
	answer(r, e.expiry, "%s is allowed on this node, whatever anybody reports",
		indicator_print(name, &r->wish.indicator));
}

static void do_allow_remove(struct request *r)
{
	const struct allow_entry *other;
	char name[INDICATOR_TEXT];
	struct error err = {""};

	indicator_print(name, &r->wish.indicator);
	if (!allowlist_remove(r->node->allow, &r->wish.indicator, ALLOW_OPERATOR)) {
		other = allowlist_overlap(r->node->allow, &r->wish.indicator, node_now());
		control_refuse(r->client, CONTROL_FAILED,
			other ? "%s was not added by an operator (it is %s)" :
				"%s is not on the allowlist%s",
			name, other ? allow_origin_name(other->origin) : "");
		return;
	}
	if (allow_record_delete(r->node->store, &r->wish.indicator, &err) < 0)
		log_error("%s", err.text);
	audit(r, "allow-remove");
	allow_changed(r);
	answer(r, 0, "%s is no longer on the allowlist", name);
}

/* --- dispatch --- */

static const struct {
	const char *name;
	void (*run)(struct request *r);
} changes[] = {
	{"report", do_report},
	{"object", do_object},
	{"revoke", do_revoke},
	{"ban", do_ban},
	{"unban", do_unban},
	{"allow-add", do_allow_add},
	{"allow-remove", do_allow_remove},
};

void node_control_request(void *context, struct control_client *client,
	const char *command, const json_t *arguments)
{
	struct node *n = context;

	if (node_answer(n, client, command, arguments))
		return;
	for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
		struct request r = {.node = n, .client = client, .arguments = arguments};

		if (strcmp(command, changes[i].name))
			continue;
		if (control_let_change(client) && !parse(&r))
			changes[i].run(&r);
		return;
	}
	control_refuse(client, CONTROL_USAGE,
		"the daemon knows no command `%s`; are "
		"sipchain and sipchaind of one version?",
		escaped(view_str(command)));
}
