/* SPDX-License-Identifier: Apache-2.0 */
/* Commands of the control socket, above all those that change something. */
#include "daemon/node.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/log.h"
#include "base/units.h"
#include "daemon/evidence_record.h"
#include "daemon/node_connector.h"
#include "store/allow_record.h"
#include "store/audit.h"

#define REPORT_TTL_DEFAULT 3600
#define OBJECT_TTL_DEFAULT 86400
#define BAN_TTL_DEFAULT    3600

/* One request while it is answered, with its arguments parsed. */
struct request {
	struct node *node;
	struct control_client *client;
	const json_t *arguments;
	struct indicator indicator;
	char canonical[INDICATOR_SOURCE_TEXT + 1];
	uint32_t ttl; /* seconds; 0: not given */
	bool log;     /* class log: a program says so, not a person */
	char note[80];
};

void node_event(
	struct node *n, const char *type, const struct indicator *i, const char *fmt, ...)
{
	char text[400];
	va_list ap;

	if (!n->control || !control_watched(n->control))
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	node_event_with(n, type, i, json_pack("{s:s}", "text", text));
}

void node_event_with(
	struct node *n, const char *type, const struct indicator *i, json_t *body)
{
	char name[INDICATOR_TEXT] = "";
	json_t *event;

	if (!n->control || !control_watched(n->control)) {
		json_decref(body);
		return;
	}
	if (i)
		indicator_print(name, i);
	event = json_pack("{s:I, s:s, s:s}", "time", (json_int_t)node_now(), "type", type,
		"indicator", name);
	json_object_update_missing(event, body);
	json_decref(body);
	control_publish(n->control, event);
}

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
	r->log = class && !strcmp(class, "log");
	if (class && !r->log && strcmp(class, "manual") != 0)
		return control_refuse(r->client, CONTROL_USAGE,
			       "no such class: %s; manual or log",
			       escaped(view_str(class))),
		       -1;
	if (indicator_parse(&r->indicator, r->canonical, view_str(text), &err))
		return control_refuse(r->client, CONTROL_USAGE, "%s", err.text), -1;
	if (ttl &&
		(!json_is_integer(ttl) || json_integer_value(ttl) < 1 ||
			json_integer_value(ttl) > 366 * 86400))
		return control_refuse(r->client, CONTROL_USAGE, "ttl: 1 to %d seconds",
			       366 * 86400),
		       -1;
	r->ttl = ttl ? (uint32_t)json_integer_value(ttl) : 0;
	if (note && (strlen(note) >= sizeof r->note || !text_is_clean(view_str(note))))
		return control_refuse(r->client, CONTROL_USAGE,
			       "note: at most %zu bytes of printable text",
			       sizeof r->note - 1),
		       -1;
	snprintf(r->note, sizeof r->note, "%s", note ? note : "");
	return 0;
}

/* Who did it, for the audit trail; a failure is logged, not fatal. */
static void audit(struct request *r, const char *what)
{
	struct audit_entry e = {.time = node_now(), .uid = control_uid(r->client)};
	struct error err = {""};

	snprintf(e.action, sizeof e.action, "%s", what);
	indicator_print(e.subject, &r->indicator);
	snprintf(e.detail, sizeof e.detail, "%s", r->note);
	if (audit_add(r->node->store, &e, &err))
		log_error("audit trail: %s", err.text);
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
			indicator_print(name, &r->indicator), "text", text, "until",
			(json_int_t)until));
}

/* --- report, object, revoke: through the outbox, answered with their fate --- */

/* This node's member, fit to write; NULL after having refused. */
static const struct member *writer(struct request *r)
{
	const struct member *m = node_member(r->node);

	/* Who is a member is not known before. */
	if (!r->node->caught_up)
		control_refuse(
			r->client, CONTROL_FAILED, "the ledger has not been read yet");
	else if (!m)
		control_refuse(r->client, CONTROL_FAILED, "%s",
			!r->node->self_known || !r->node->self.has_key ?
				"this node has no signing key: set [member] key" :
				"this node's key is not admitted to the ledger: it never was, or its "
				"member was removed; `sipchain member list` shows, the owner "
				"admits it (again) with `sipchain member add`");
	else if (m->status != MEMBER_ACTIVE)
		control_refuse(r->client, CONTROL_FAILED,
			m->status == MEMBER_SUSPENDED ?
				"member %u (%s) is suspended; the owner ends that with `sipchain member "
				"resume`" :
				"member %u (%s) was removed; the owner admits it again with `sipchain "
				"member add`",
			m->index, m->name);
	else
		return m;
	return NULL;
}

/* Put it into the outbox; the client hears when its fate is known. */
static void publish(struct request *r, uint8_t category, uint8_t action, uint32_t ttl)
{
	struct node *n = r->node;
	struct node_report report;
	struct error err = {""};
	char *record;
	uint64_t row;

	memset(&report, 0, sizeof report);
	report.indicator = r->indicator;
	snprintf(report.text, sizeof report.text, "%s", r->canonical);
	report.category = category;
	report.proof = r->log ? PROOF_LOG : PROOF_MANUAL;
	report.action = action;
	report.expiry = node_now() + ttl;
	record = evidence_record_manual(n->config->node.name, &r->indicator, category,
		report.proof, (unsigned)control_uid(r->client), node_now());
	report.evidence = record;
	row = node_publish(n, &report, &err);
	free(record);
	if (!row) {
		control_refuse(r->client, CONTROL_FAILED, "%s", err.text);
		return;
	}
	node_wait(n, row, r->client);
	node_outbox_submit(n);
}

static uint32_t ttl_within(const struct request *r, uint32_t fallback)
{
	const struct ledger_config *c = registry_config(r->node->registry);
	uint32_t ttl = r->ttl ? r->ttl : fallback;

	/* A program's ban may be for ever; a report is not. */
	return (!r->ttl || r->log) && c && ttl > c->max_ttl ? c->max_ttl : ttl;
}

/* What the ledger would refuse is refused here, where the reason is plain. */
static bool reportable(struct request *r, uint32_t ttl)
{
	const struct ledger_config *c = registry_config(r->node->registry);
	const struct indicator *protected;
	char text[INDICATOR_TEXT];
	struct error err = {""};

	if (registry_paused(r->node->registry)) {
		control_refuse(r->client, CONTROL_FAILED,
			"refused: the ledger is paused; only "
			"`sipchain revoke` passes until its owner ends that");
		return false;
	}
	if (indicator_check(&r->indicator, &c->limits, &err)) {
		control_refuse(r->client, CONTROL_FAILED, "refused: %s", err.text);
		return false;
	}
	protected = registry_protected_overlap(r->node->registry, &r->indicator);
	if (protected) {
		control_refuse(r->client, CONTROL_FAILED,
			"refused: the consortium protects %s",
			indicator_print(text, protected));
		return false;
	}
	if (ttl > c->max_ttl) {
		control_refuse(r->client, CONTROL_USAGE,
			"ttl: this ledger allows at most %u seconds", c->max_ttl);
		return false;
	}
	return true;
}

static bool is_address(struct request *r)
{
	if (r->indicator.kind == INDICATOR_IP4 || r->indicator.kind == INDICATOR_IP6)
		return true;
	/* A ban, of what a PBX can be told to refuse calls to. */
	if (!r->log && node_connectors_carry(r->node, r->indicator.kind))
		return true;
	control_refuse(r->client, CONTROL_USAGE,
		r->log ? "class log is for addresses and prefixes alone" :
			 "only addresses and prefixes are banned in the firewall, and no "
			 "[connector] refuses calls to this; numbers and names are "
			 "shared with `sipchain report`");
	return false;
}

/*
 * Whether this node has told the others already, by what it saw itself or by a
 * person; answered then. A log's word would take the proof away.
 */
static bool better_known(struct request *r)
{
	const struct member *m = node_member(r->node);
	char name[INDICATOR_TEXT], when[32];
	struct report word;

	if (registry_own_word(
		    r->node->registry, m->index, &r->indicator, node_now(), &word) ||
		word.proof == PROOF_LOG)
		return false;
	answer(r, word.expiry,
		word.category == CATEGORY_OBJECTION ?
			"%s stays as it is: this member objects to it until %s" :
			"%s stays as it is: reported by this member with a better proof until %s",
		indicator_print(name, &r->indicator), clock_rfc3339(when, word.expiry));
	return true;
}

/*
 * Whether this node allows the address or some of the prefix; answered then. Logs
 * can be made to say anything of anybody, first of all of a trunk or a customer.
 */
static bool allowed_here(struct request *r)
{
	const struct allow_entry *e = allowlist_overlap(
		r->node->allow, &r->indicator, node_now());
	char name[INDICATOR_TEXT], other[INDICATOR_TEXT];

	if (!e)
		return false;
	answer(r, 0, "%s is not reported: this node allows %s (%s)",
		indicator_print(name, &r->indicator),
		indicator_print(other, &e->indicator), allow_origin_name(e->origin));
	return true;
}

static void do_report(struct request *r)
{
	const char *name = json_string_value(json_object_get(r->arguments, "category"));
	int category = name ? category_parse(view_str(name)) : CATEGORY_OTHER;
	uint32_t ttl = ttl_within(r, REPORT_TTL_DEFAULT);

	if (category <= CATEGORY_NONE || category == CATEGORY_OBJECTION) {
		control_refuse(r->client, CONTROL_USAGE, "no such category: %s",
			escaped(view_str(name ? name : "")));
		return;
	}
	if (r->log && !is_address(r))
		return;
	if (!writer(r) || !reportable(r, ttl))
		return;
	if (r->log && (allowed_here(r) || better_known(r)))
		return;
	audit(r, "report");
	publish(r, (uint8_t)category, ACTION_REPORT, ttl);
}

static void do_object(struct request *r)
{
	uint32_t ttl = ttl_within(r, OBJECT_TTL_DEFAULT);

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
		    r->node->registry, m->index, &r->indicator, node_now(), &word)) {
		if (r->log && word.proof != PROOF_LOG) {
			control_refuse(r->client, CONTROL_FAILED,
				"the live report of %s is not of class log; it stays",
				indicator_print(text, &r->indicator));
			return;
		}
		audit(r, "revoke");
		publish(r, word.category, ACTION_SPEND, word.expiry - node_now());
		return;
	}
	/* Decided, and not on the ledger yet: the wish to spend takes its place. */
	if (node_outbox_open(r->node, &r->indicator)) {
		audit(r, "revoke");
		publish(r, CATEGORY_OTHER, ACTION_SPEND, 0);
		return;
	}
	control_refuse(r->client, CONTROL_FAILED,
		"member %u (%s) has no live report of %s", m->index, m->name,
		indicator_print(text, &r->indicator));
}

/* --- ban, unban: this node alone --- */

/* What a ban means, with places for the indicator and its end. */
static const char *ban_sentence(const struct request *r)
{
	bool address = r->indicator.kind < INDICATOR_NUMBER;

	if (r->node->config->node.observe)
		return address ?
			"%s would be banned on every port until %s (observe mode)" :
			"calls to %s would be refused until %s (observe mode)";
	return address ? "%s is banned on every port until %s" :
			 "calls to %s are refused until %s";
}

static void do_ban(struct request *r)
{
	uint32_t until = node_now() + (r->ttl ? r->ttl : BAN_TTL_DEFAULT);
	char sentence[DECISION_TEXT], name[INDICATOR_TEXT], when[32];
	struct decision d;

	if (!is_address(r))
		return;
	decide_own(&d, r->node->registry, r->node->allow, &r->indicator, WHY_OPERATOR,
		until, node_now());
	if (!d.block) {
		control_refuse(r->client, CONTROL_FAILED, "not banned: %s",
			decision_print(sentence, &d));
		return;
	}
	node_bans_begin(r->node, STORE_SYNCED);
	audit(r, "ban");
	node_ban(r->node, &r->indicator, BAN_ALL, BAN_OPERATOR, CATEGORY_OTHER, until);
	node_bans_flush(r->node);
	node_schedule(r->node);
	node_event(r->node, "ban", &r->indicator, "by an operator: %s", r->note);
	answer(r, until, ban_sentence(r), indicator_print(name, &r->indicator),
		clock_rfc3339(when, until));
}

static void do_unban(struct request *r)
{
	bool learnt = ban_table_get(r->node->bans, &r->indicator, BAN_SIP) != NULL;
	char name[INDICATOR_TEXT];

	if (!is_address(r))
		return;
	indicator_print(name, &r->indicator);
	node_bans_begin(r->node, STORE_SYNCED);
	if (!node_unban(r->node, &r->indicator, BAN_ALL)) {
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
	node_forgive(r->node, &r->indicator);
	node_bans_flush(r->node);
	node_event(r->node, "unban", &r->indicator, "by an operator");
	answer(r, 0, "%s is no longer banned by this node%s", name,
		learnt ? "; the ledger's ban of its SIP ports stays" : "");
}

/* --- allow add, remove --- */

/* The allowlist changed: the enforcer first, then whatever that lifts. */
static void allow_changed(struct node *n)
{
	node_send_allow(n);
	n->all_dirty = true;
	node_decide_dirty(n);
}

static void do_allow_add(struct request *r)
{
	struct allow_entry e = {.indicator = r->indicator, .origin = ALLOW_OPERATOR};
	char name[INDICATOR_TEXT];
	struct error err = {""};

	if (indicator_check_shape(&r->indicator, &err)) {
		control_refuse(r->client, CONTROL_USAGE, "%s", err.text);
		return;
	}
	e.expiry = r->ttl ? node_now() + r->ttl : 0;
	snprintf(e.note, sizeof e.note, "%s", r->note);
	if (allow_record_put(r->node->store, &e, &err) ||
		allowlist_add(r->node->allow, &e)) {
		control_refuse(r->client, CONTROL_FAILED, "not added: %s", err.text);
		return;
	}
	audit(r, "allow-add");
	allow_changed(r->node);
	answer(r, e.expiry, "%s is allowed on this node, whatever anybody reports",
		indicator_print(name, &r->indicator));
}

static void do_allow_remove(struct request *r)
{
	const struct allow_entry *other;
	char name[INDICATOR_TEXT];
	struct error err = {""};

	indicator_print(name, &r->indicator);
	if (!allowlist_remove(r->node->allow, &r->indicator, ALLOW_OPERATOR)) {
		other = allowlist_overlap(r->node->allow, &r->indicator, node_now());
		control_refuse(r->client, CONTROL_FAILED,
			other ? "%s was not added by an operator (it is %s)" :
				"%s is not on the allowlist%s",
			name, other ? allow_origin_name(other->origin) : "");
		return;
	}
	if (allow_record_delete(r->node->store, &r->indicator, &err) < 0)
		log_error("%s", err.text);
	audit(r, "allow-remove");
	allow_changed(r->node);
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
		if (!control_may_change(client))
			control_refuse(client, CONTROL_PERMISSION,
				"uid %u may ask but not "
				"change; be root or in [node] control_group",
				(unsigned)control_uid(client));
		else if (!parse(&r))
			changes[i].run(&r);
		return;
	}
	control_refuse(client, CONTROL_USAGE,
		"the daemon knows no command `%s`; are "
		"sipchain and sipchaind of one version?",
		escaped(view_str(command)));
}
