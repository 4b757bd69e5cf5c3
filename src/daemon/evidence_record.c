/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/evidence_record.h"

#include <inttypes.h>
#include <stdio.h>

#include <jansson.h>

#include "base/escape.h"
#include "detect/trail.h"

#define CANONICAL (JSON_COMPACT | JSON_SORT_KEYS | JSON_ENSURE_ASCII)

/* Hostile text as printable ASCII, into o unless it is empty. */
static void put_text(json_t *o, const char *key, const char *text)
{
	char safe[400];

	if (text[0])
		json_object_set_new(o, key,
			json_string(escape_view(safe, sizeof safe, view_str(text))));
}

/* "2026-11-21T20:03:17.584Z" */
static void put_time(json_t *o, const char *key, usec time)
{
	char text[32], whole[32];

	if (!time)
		return;
	clock_rfc3339(whole, time / USEC_PER_SEC);
	snprintf(text, sizeof text, "%.19s.%03uZ", whole,
		(unsigned)(time % USEC_PER_SEC / 1000));
	json_object_set_new(o, key, json_string(text));
}

/* The names that were masked so far; the index of one is its number. */
struct masks {
	const char *names[TRAIL_MAX];
	unsigned n;
};

static unsigned number_of_name(struct masks *m, const char *name)
{
	for (unsigned i = 0; i < m->n; i++)
		if (!strcmp(m->names[i], name))
			return i + 1;
	if (m->n < TRAIL_MAX)
		m->names[m->n++] = name;
	return m->n;
}

static void put_masked(
	json_t *o, const char *key, const char *what, struct masks *m, const char *name)
{
	char text[32];

	if (!name[0])
		return;
	snprintf(text, sizeof text, "%s %u", what, number_of_name(m, name));
	json_object_set_new(o, key, json_string(text));
}

/* What the source sent back that only it could know. */
static void put_returned(json_t *o, const struct observation *seen)
{
	json_t *returned;

	if (!seen->returned[0])
		return;
	returned = json_object();
	put_text(returned, seen->proof == PROOF_ACK ? "to-tag" : "nonce", seen->returned);
	put_time(returned, "sent", seen->issued);
	json_object_set_new(o, "returned", returned);
}

/* What an observation tells of its sender: whom he called, and with what. */
static void put_sender(
	json_t *o, const struct observation *seen, struct masks *extensions)
{
	if (dialled_names_account(seen->dialled))
		put_masked(o, "dialled", "extension", extensions, seen->dialled);
	else
		put_text(o, "dialled", seen->dialled);
	put_text(o, "agent", seen->agent);
	put_text(o, "request", seen->request);
}

/*
 * Whether it may be of another behind the same address: one who authenticated, or
 * whose call only met a busy line. Where an account is stolen, that is the thief.
 */
static bool may_be_neighbour(const struct observation *seen, uint8_t category)
{
	return category != CATEGORY_STOLEN &&
		(seen->kind == OBSERVED_AUTH_OK || seen->kind == OBSERVED_CALL ||
			seen->kind == OBSERVED_DIALLED);
}

static json_t *observation_json(const struct observation *seen, uint8_t category,
	struct masks *accounts, struct masks *extensions)
{
	json_t *o = json_object();
	char call_id[24];

	put_time(o, "time", seen->time);
	put_text(o, "sensor", sensor_name(seen->sensor));
	put_text(o, "transport", transport_name(seen->transport));
	put_text(o, "kind", observation_kind_name(seen->kind));
	put_text(o, "proof", proof_name(seen->proof));
	put_masked(o, "account", "account", accounts, seen->account);
	if (!may_be_neighbour(seen, category))
		put_sender(o, seen, extensions);
	put_returned(o, seen);
	if (seen->port)
		json_object_set_new(o, "port", json_integer(seen->port));
	if (seen->call_id) {
		snprintf(call_id, sizeof call_id, "%016" PRIx64, seen->call_id);
		json_object_set_new(o, "call_id", json_string(call_id));
	}
	return o;
}

static json_t *observations_json(const struct evidence_facts *f)
{
	struct masks accounts = {.n = 0}, extensions = {.n = 0};
	json_t *list = json_array();

	for (size_t i = 0; i < f->count; i++)
		json_array_append_new(list,
			observation_json(&f->observations[i], f->detection->category,
				&accounts, &extensions));
	return list;
}

/* {"auth-failed": "3/600", ...}: attempts and seconds. */
static json_t *thresholds_json(const struct detect_config *c)
{
	json_t *o = json_object();
	char text[32];

	for (uint8_t kind = 1; kind < sizeof c->rules / sizeof c->rules[0]; kind++) {
		if (!c->rules[kind].threshold)
			continue;
		snprintf(text, sizeof text, "%u/%u", c->rules[kind].threshold,
			c->rules[kind].window);
		put_text(o, observation_kind_name(kind), text);
	}
	return o;
}

static json_t *head_json(const char *node, const struct indicator *i, uint8_t category)
{
	char text[INDICATOR_TEXT];
	json_t *o = json_object();

	json_object_set_new(o, "version", json_integer(1));
	put_text(o, "indicator", indicator_print(text, i));
	put_text(o, "category", category_name(category));
	put_text(o, "node", node);
	put_text(o, "software", "sipchain " SIPCHAIN_VERSION);
	return o;
}

static char *finish(json_t *o)
{
	char *text = json_dumps(o, CANONICAL);

	json_decref(o);
	return text;
}

char *evidence_record(const struct evidence_facts *f)
{
	const struct detection *d = f->detection;
	json_t *o = head_json(f->node, &f->action->indicator, f->action->category);

	put_time(o, "detected", d->time);
	put_text(o, "rule", d->rule);
	put_text(o, "reason", f->action->reason);
	put_text(o, "proof", proof_name(f->action->proof));
	json_object_set_new(o, "attempts", json_integer(d->attempts));
	json_object_set_new(o, "window", json_integer(d->window));
	json_object_set_new(o, "offence", json_integer(d->offence));
	json_object_set_new(o, "thresholds", thresholds_json(f->thresholds));
	json_object_set_new(o, "seen", json_integer((json_int_t)f->seen));
	json_object_set_new(o, "observations", observations_json(f));
	return finish(o);
}

static json_t *calls_json(const struct number_facts *f)
{
	struct masks accounts = {.n = 0}, extensions = {.n = 0};
	json_t *list = json_array(), *one;
	char source[ADDRESS_TEXT];

	for (size_t i = 0; i < f->count; i++) {
		const struct observation *seen = &f->observations[i];

		if (!seen->dialled[0] || may_be_neighbour(seen, f->detection->category))
			continue;
		one = observation_json(
			seen, f->detection->category, &accounts, &extensions);
		put_text(one, "source", address_print(source, &seen->source));
		json_array_append_new(list, one);
	}
	return list;
}

static json_t *sources_json(const struct number_detection *d)
{
	json_t *list = json_array();
	char source[ADDRESS_TEXT];

	for (unsigned i = 0; i < d->n_from; i++)
		json_array_append_new(
			list, json_string(address_print(source, &d->from[i])));
	return list;
}

char *evidence_record_number(const struct number_facts *f)
{
	const struct number_detection *d = f->detection;
	json_t *o = head_json(f->node, &f->action->indicator, f->action->category);

	put_time(o, "detected", d->time);
	put_text(o, "text", d->text);
	put_text(o, "reason", d->reason);
	put_text(o, "decision", f->action->reason);
	put_text(o, "proof", proof_name(f->action->proof));
	put_text(o, "source_proof", proof_name(d->source_proof));
	put_text(o, "dialled", d->dialled);
	json_object_set_new(o, "calls", json_integer(d->calls));
	json_object_set_new(o, "window", json_integer(d->window));
	if (d->numbers)
		json_object_set_new(o, "numbers", json_integer(d->numbers));
	json_object_set_new(o, "sources", sources_json(d));
	json_object_set_new(o, "observations", calls_json(f));
	return finish(o);
}

char *evidence_record_manual(const char *node, const struct indicator *i,
	uint8_t category, uint8_t proof, const char *by, uint32_t now)
{
	json_t *o = head_json(node, i, category);

	put_time(o, "detected", now * USEC_PER_SEC);
	put_text(o, "proof", proof_name(proof));
	put_text(o, "by", by);
	return finish(o);
}
