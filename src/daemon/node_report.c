/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reports, objections and revocations that people and programs ask for, by the
 * control socket or over HTTP: what is refused, and how the others reach the outbox.
 */
#include "daemon/node_report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "daemon/evidence_record.h"
#include "store/audit.h"

/* Returns -1, so that `return refuse(...)` is the failing return. */
static int refuse(struct node_refusal *r, enum control_code code, const char *reason,
	const char *fmt, ...) __attribute__((format(printf, 4, 5)));

static int refuse(struct node_refusal *r, enum control_code code, const char *reason,
	const char *fmt, ...)
{
	va_list ap;

	r->code = code;
	r->reason = reason;
	va_start(ap, fmt);
	vsnprintf(r->text, sizeof r->text, fmt, ap);
	va_end(ap);
	return -1;
}

const struct member *node_writer(struct node *n, struct node_refusal *r)
{
	const struct member *m = node_member(n);

	/* Who is a member is not known before. */
	if (!n->caught_up)
		refuse(r, CONTROL_FAILED, "not-ready",
			"the ledger has not been read yet");
	else if (!m)
		refuse(r, CONTROL_FAILED, "not-a-member", "%s",
			!n->self_known || !n->self.has_key ?
				"this node has no signing key: set [member] key" :
				"this node's key is not admitted to the ledger: it never was, or its "
				"member was removed; `sipchain member list` shows, the owner "
				"admits it (again) with `sipchain member add`");
	else if (m->status != MEMBER_ACTIVE)
		refuse(r, CONTROL_FAILED, "not-a-member",
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

uint32_t node_wish_ttl(const struct node *n, const struct node_wish *w, uint32_t fallback)
{
	const struct ledger_config *c = registry_config(n->registry);
	uint32_t ttl = w->ttl ? w->ttl : fallback;

	/* A program's ban may be for ever; a report is not. */
	return (!w->ttl || w->log) && c && ttl > c->max_ttl ? c->max_ttl : ttl;
}

int node_reportable(
	struct node *n, const struct node_wish *w, uint32_t ttl, struct node_refusal *r)
{
	const struct ledger_config *c = registry_config(n->registry);
	const struct indicator *protected;
	char text[INDICATOR_TEXT];
	struct error err = {""};

	if (registry_paused(n->registry))
		return refuse(r, CONTROL_FAILED, "paused",
			"refused: the ledger is paused; only "
			"`sipchain revoke` passes until its owner ends that");
	if (indicator_check(&w->indicator, &c->limits, &err))
		return refuse(
			r, CONTROL_FAILED, "not-reportable", "refused: %s", err.text);
	protected = registry_protected_overlap(n->registry, &w->indicator);
	if (protected)
		return refuse(r, CONTROL_FAILED, "protected",
			"refused: the consortium protects %s",
			indicator_print(text, protected));
	if (ttl > c->max_ttl)
		return refuse(r, CONTROL_USAGE, "ttl",
			"ttl: this ledger allows at most %u seconds", c->max_ttl);
	return 0;
}

int node_log_kind(const struct node_wish *w, struct node_refusal *r)
{
	if (w->indicator.kind == INDICATOR_IP4 || w->indicator.kind == INDICATOR_IP6)
		return 0;
	return refuse(r, CONTROL_USAGE, "class",
		"class log is for addresses and prefixes alone");
}

/* The entry that allows it, or a URI's domain or number; NULL: none. */
static const struct allow_entry *allowed(const struct node *n, const struct node_wish *w)
{
	const struct allow_entry *e = allowlist_overlap(
		n->allow, &w->indicator, node_now());
	struct uri_parts parts;

	if (e || w->indicator.kind != INDICATOR_URI)
		return e;
	uri_parts(&parts, &w->indicator, w->canonical);
	for (enum uri_part k = URI_DOMAIN; !e && k < URI_PARTS; k++)
		e = allowlist_overlap(n->allow, &parts.part[k], node_now());
	return e;
}

/* Whether it is a number or a domain of the site's own, or has such in it. */
static bool owned(const struct node *n, const struct node_wish *w)
{
	const struct home *home = &n->config->policy.home;
	struct uri_parts parts;

	if (w->indicator.kind == INDICATOR_NUMBER)
		return home_owns_number(home, &w->indicator);
	if (w->indicator.kind == INDICATOR_DOMAIN)
		return w->canonical[0] ? home_owns_domain(home, view_str(w->canonical)) :
					 home_owns_hash(home, &w->indicator);
	if (w->indicator.kind != INDICATOR_URI)
		return false;
	uri_parts(&parts, &w->indicator, w->canonical);
	return home_owns_domain(home, parts.host) ||
		home_owns_number(home, &parts.part[URI_NUMBER]);
}

int node_not_own(struct node *n, const struct node_wish *w, struct node_refusal *r)
{
	char name[INDICATOR_TEXT];

	if (!owned(n, w))
		return 0;
	return refuse(r, CONTROL_FAILED, "own",
		"%s is not reported: it is your own, or has such in it ([numbers] %s)",
		indicator_print(name, &w->indicator),
		w->indicator.kind == INDICATOR_NUMBER         ? "own" :
			w->indicator.kind == INDICATOR_DOMAIN ? "domains" :
								"own, domains");
}

int node_allowed_here(struct node *n, const struct node_wish *w, struct node_refusal *r)
{
	const struct allow_entry *e = allowed(n, w);
	char name[INDICATOR_TEXT], other[INDICATOR_TEXT];

	if (!e)
		return 0;
	return refuse(r, CONTROL_OK,
		e->origin == ALLOW_OWN || e->origin == ALLOW_GATEWAY ||
				e->origin == ALLOW_RESOLVER ?
			"own" :
			"allowlisted",
		"%s is not reported: this node allows %s (%s)",
		indicator_print(name, &w->indicator),
		indicator_print(other, &e->indicator), allow_origin_name(e->origin));
}

int node_exempted(struct node *n, const struct node_wish *w, struct node_refusal *r)
{
	const struct allow_entry *e = node_is_call(&w->indicator) ? allowed(n, w) : NULL;
	char other[INDICATOR_TEXT];

	if (!e)
		return 0;
	return refuse(r, CONTROL_FAILED, "allowlisted",
		"refused: this node allows %s (%s%s%s), whatever anybody reports",
		indicator_print(other, &e->indicator), allow_origin_name(e->origin),
		*e->note ? ", " : "", e->note);
}

int node_better_known(struct node *n, const struct node_wish *w, uint32_t *until,
	struct node_refusal *r)
{
	const struct member *m = node_member(n);
	char name[INDICATOR_TEXT], when[32];
	struct report word;

	if (registry_own_word(n->registry, m->index, &w->indicator, node_now(), &word) ||
		word.proof == PROOF_LOG ||
		(!w->log && word.proof == PROOF_MANUAL &&
			word.category != CATEGORY_OBJECTION))
		return 0;
	*until = word.expiry;
	return refuse(r, CONTROL_OK, "better-known",
		word.category == CATEGORY_OBJECTION ?
			"%s stays as it is: this member objects to it until %s" :
			"%s stays as it is: reported by this member with a better proof until %s",
		indicator_print(name, &w->indicator), clock_rfc3339(when, word.expiry));
}

uint64_t node_wish_put(struct node *n, const struct node_wish *w, uint8_t category,
	uint8_t action, uint32_t ttl, struct node_refusal *r)
{
	struct node_report report;
	struct error err = {""};
	char *record;
	uint64_t row;

	memset(&report, 0, sizeof report);
	report.indicator = w->indicator;
	snprintf(report.text, sizeof report.text, "%s", w->canonical);
	report.category = category;
	report.proof = w->log ? PROOF_LOG : PROOF_MANUAL;
	report.action = action;
	report.expiry = node_now() + ttl;
	record = evidence_record_manual(n->config->node.name, &w->indicator, category,
		report.proof, w->by, node_now());
	report.evidence = record;
	row = node_publish(n, &report, &err);
	free(record);
	if (!row) {
		refuse(r, CONTROL_FAILED, "failed", "%s", err.text);
		return 0;
	}
	node_event(n,
		action == ACTION_SPEND                 ? "revocation" :
			category == CATEGORY_OBJECTION ? "objection" :
							 "report",
		&w->indicator, "decided: %s, proof %s, by %s", category_name(category),
		proof_name(report.proof), w->by);
	return row;
}

int node_audit(struct node *n, const struct node_wish *w, const char *what)
{
	struct audit_entry e = {.time = node_now(), .uid = w->uid};
	struct error err = {""};

	snprintf(e.action, sizeof e.action, "%s", what);
	indicator_print(e.subject, &w->indicator);
	snprintf(e.detail, sizeof e.detail, "%s%s%s", w->uid == AUDIT_NODE ? w->by : "",
		w->uid == AUDIT_NODE && w->note[0] ? ": " : "", w->note);
	if (!audit_add(n->store, &e, &err))
		return 0;
	log_error("audit trail: %s", err.text);
	return -1;
}
