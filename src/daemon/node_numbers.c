/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers, URIs and domains that attackers call become refused calls and reports. */
#include "daemon/node.h"

#include <stdio.h>
#include <string.h>

#include "base/escape.h"
#include "base/log.h"
#include "daemon/config_numbers.h"
#include "daemon/evidence_record.h"
#include "store/audit.h"

/* Observations of each source that go into a record. */
#define CALLS_EACH 6

/* The configuration, with what the ledger says of prefixes. */
static void take_config(struct node *n, struct numbers_config *c)
{
	const struct ledger_config *ledger = n->caught_up ? registry_config(n->registry) :
							    NULL;

	config_numbers(c, n->config);
	config_own_number(&n->own_number, n->config);
	if (ledger)
		c->min_e164 = ledger->limits.min_e164;
}

int node_numbers_open(struct node *n)
{
	struct numbers_config c;

	take_config(n, &c);
	n->least_prefix = c.min_e164;
	n->numbers = numbers_new(&c, n->hash_key);
	return n->numbers ? 0 : -1;
}

void node_numbers_configure(struct node *n)
{
	struct numbers_config c;

	take_config(n, &c);
	n->least_prefix = c.min_e164;
	numbers_configure(n->numbers, &c);
}

/* Who is on the allowlist, or protected, and comes to the honeypot, tests it. */
static bool is_exempt(const struct node *n, const struct address *source)
{
	struct indicator i = indicator_from_address(
		source, source->family == 4 ? 32 : 128);

	return allowlist_overlap(n->allow, &i, node_now()) ||
		(n->caught_up && registry_protected_overlap(n->registry, &i));
}

void node_numbers_note(struct node *n, const struct observation *o)
{
	if (o->sensor == SENSOR_HONEYPOT && is_exempt(n, &o->source))
		return;
	numbers_note(n->numbers, o);
}

void node_numbers_convict(
	struct node *n, const struct detection *d, const struct own_action *a)
{
	if (own_number_attacker(&n->own, d, a))
		numbers_convict(n->numbers, d);
}

/* What it is called: the text of a URI or domain, else the number. */
static const char *name_of(const struct number_detection *d, char dst[INDICATOR_TEXT])
{
	return d->text[0] ? escaped(view_str(d->text)) :
			    indicator_print(dst, &d->indicator);
}

static char *record_of(
	struct node *n, const struct own_action *a, const struct number_detection *d)
{
	static struct observation seen[NUMBER_SOURCES_MAX * CALLS_EACH];
	usec window = (usec)d->window * USEC_PER_SEC;
	struct number_facts f = {.node = n->config->node.name,
		.detection = d,
		.action = a,
		.observations = seen};

	for (unsigned k = 0; k < d->n_from; k++)
		f.count += trail_pick(n->trail, &d->from[k],
			d->from[k].family == 4 ? 32 : 128,
			d->time > window ? d->time - window : 0, seen + f.count,
			CALLS_EACH, NULL);
	return evidence_record_number(&f);
}

/* For the audit trail: a destination was put on the list by this node itself. */
static void audit(struct node *n, const struct own_action *a)
{
	struct audit_entry e = {.time = node_now()};
	struct error err = {""};

	snprintf(e.action, sizeof e.action, "%s",
		a->publish ? "number-report" : "number-refuse");
	indicator_print(e.subject, &a->indicator);
	snprintf(e.detail, sizeof e.detail, "%.*s", (int)sizeof e.detail - 1, a->reason);
	if (audit_add(n->store, &e, &err))
		log_error("audit trail: %s", err.text);
}

static void on_number(struct node *n, const struct number_detection *d)
{
	const struct member *member = n->caught_up ? node_member(n) : NULL;
	struct own_action a;
	char text[INDICATOR_TEXT];

	n->own.may_report = node_may_report(n);
	n->own.member = member ? member->index : 0;
	own_number_decide(&a, &n->own, &n->own_number, n->caught_up ? n->registry : NULL,
		n->allow, d, node_now());
	log_notice("%s: %s: %s", name_of(d, text), d->reason, a.reason);
	node_event(n, "detection", &a.indicator, "%s; %s", d->reason, a.reason);
	if (!a.would_ban) {
		numbers_refuse(n->numbers, &a.indicator);
		return;
	}
	/* As on_detection(): decided, recorded and to be told in one transaction. */
	node_bans_begin(n, STORE_WITH_NEXT);
	node_text_note(n, &a.indicator, view_str(d->text));
	node_ban(n, &a.indicator, BAN_ALL, BAN_OWN, d->category, a.until);
	node_ban_reason(n, &a.indicator, BAN_ALL, d->reason);
	if (a.publish)
		node_publish_own(n, &a, d->text, record_of(n, &a, d));
	if (a.ban)
		audit(n, &a);
	node_bans_flush(n);
	node_schedule(n);
}

bool node_numbers_due(struct node *n)
{
	const struct ledger_config *ledger = registry_config(n->registry);
	struct number_detection d;
	bool any = false;

	/* Its owner asks for longer prefixes, or takes shorter ones. */
	if (n->caught_up && ledger && ledger->limits.min_e164 != n->least_prefix)
		node_numbers_configure(n);
	while (numbers_due(n->numbers, clock_wall(), &d)) {
		on_number(n, &d);
		any = true;
	}
	return any;
}

void node_numbers_forgive(struct node *n, const struct indicator *i)
{
	numbers_forgive(n->numbers, i);
}

json_t *node_numbers_json(struct node *n)
{
	struct numbers_figures f;
	json_t *out, *withheld = json_object();
	json_int_t counted = 0;

	numbers_figures(n->numbers, &f);
	for (uint8_t fate = 1; fate < FATE_COUNT; fate++) {
		if (fate_counts(fate))
			counted += (json_int_t)f.fates[fate];
		else
			json_object_set_new(withheld, number_fate_name(fate),
				json_integer((json_int_t)f.fates[fate]));
	}
	out = json_pack("{s:I, s:I, s:I, s:I, s:I, s:o}", "callers",
		(json_int_t)f.callers, "calls", (json_int_t)f.calls, "counted", counted,
		"targets", (json_int_t)f.targets, "told", (json_int_t)f.told, "withheld",
		withheld);
	json_object_set_new(out, "flooded", json_integer((json_int_t)f.flooded));
	json_object_set_new(out, "memory", json_integer((json_int_t)f.memory));
	return out;
}
