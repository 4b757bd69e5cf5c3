/* SPDX-License-Identifier: Apache-2.0 */
/* Asterisk's security events, as lines of its log and as AMI sends them. */
#include "cli/explain.h"

#include <stdio.h>
#include <string.h>

#include "base/escape.h"
#include "sense/ami_accounts.h"
#include "sense/ami_event.h"
#include "sense/ami_trunks.h"
#include "sense/security_log.h"

/* How long after the last event a challenge counts as unanswered, and more. */
#define LATER (10 * USEC_PER_SEC)

/* --- the log --- */

bool explain_takes_security(struct view input)
{
	struct view line, rest = input;

	while (explain_line(&rest, &line)) {
		line = view_trim(line);
		if (view_starts(line, "{"))
			return view_find_str(line, "SECURITY") < line.n;
		if (!line.n || view_find_str(line, "] Asterisk ") < line.n)
			continue;
		return view_starts(line, "SecurityEvent=") ||
			view_find_str(line, " res_security_log.c: SecurityEvent=") <
			line.n;
	}
	return false;
}

int explain_feed_security(struct explain *x, struct view input, struct error *err)
{
	static const char *const results[] = {"a security event",
		"a security event that says nothing about a source", "no security event",
		"discarded and counted as injected"};
	struct view line;

	(void)err;
	explain_read(x,
		"read as a file of security events alone: in one that holds other levels "
		"too an attacker writes whole lines",
		NULL);
	while (explain_line(&input, &line)) {
		json_t *fields = json_object();
		struct parse_trace trace = {.field = explain_parsed, .context = fields};
		enum security_log_result result;
		struct observation o;

		line = view_trim(line);
		if (!line.n) {
			json_decref(fields);
			continue;
		}
		result = security_log_trace(&o, line, &trace);
		explain_judged(x, results[result], trace.why, line, fields);
		if (result == SECURITY_LOG_OBSERVATION)
			explain_observe(x, &o);
	}
	explain_later(x, LATER);
	return 0;
}

/* --- AMI --- */

bool explain_takes_ami(struct view input)
{
	struct view text = view_trim(input);

	return view_starts(text, "Event: ") || view_starts(text, "Response: ") ||
		view_starts(text, "Asterisk Call Manager/");
}

struct ami_reading {
	struct explain *x;
	struct ami_accounts *accounts;
};

/* What pjsip.conf identifies by its address comes onto the allowlist. */
static void take_trunk(struct explain *x, const struct ami_message *m)
{
	struct view endpoint = ami_message_get(m, "EndpointName");
	struct ami_trunks t = {.list = NULL};
	struct allow_entry e = {.origin = ALLOW_TRUNK};
	char text[INDICATOR_TEXT + 160];

	ami_trunks_begin(&t);
	ami_trunks_match(&t, endpoint, ami_message_get(m, "Match"));
	for (size_t i = 0; i < t.count && x->config.allow.trunks; i++) {
		e.indicator = t.list[i].indicator;
		snprintf(e.note, sizeof e.note, "trunk %.48s", t.list[i].endpoint);
		if (!allowlist_add(x->allow, &e))
			explain_allow(x, &e.indicator,
				"a trunk, when it answers the daemon's own question: "
				"never banned or reported here");
	}
	if (t.unused) {
		snprintf(text, sizeof text,
			"%zu matches are not taken over: wider than /%u (IPv6: /%u), or no "
			"addresses; write them into [allow] if they are meant",
			t.unused, AMI_TRUNK_MIN_V4, AMI_TRUNK_MIN_V6);
		explain_read(x, text, NULL);
	}
	if (!x->config.allow.trunks)
		explain_read(x, "no trunks are taken over: [allow] trunks = no", NULL);
	ami_trunks_free(&t);
}

static void take_event(struct ami_reading *r, const struct ami_message *m,
	struct view name, json_t *fields)
{
	static const char *const results[] = {"an event", "an event of no concern",
		"discarded whole and counted as forged", "a call",
		"an event: Asterisk is up", "an event: Asterisk stops"};
	struct parse_trace trace = {.context = NULL};
	struct ami_call call;
	struct observation o;
	enum ami_event_result result = ami_event_trace(&o, &call, m, &trace);

	explain_judged(r->x, results[result], trace.why, name, fields);
	if (result == AMI_EVENT_OBSERVATION) {
		ami_accounts_success(r->accounts, &o, o.time);
		explain_observe(r->x, &o);
	} else if (result == AMI_EVENT_CALL) {
		/* The event has no time of its own: it follows what was before it. */
		if (ami_accounts_call(
			    r->accounts, &o, call.endpoint, call.dialled, r->x->last))
			explain_observe(r->x, &o);
		else
			explain_read(r->x,
				"no observation: the endpoint did not authenticate just "
				"before, so that no address is known (a trunk, or a gap)",
				NULL);
	}
}

static bool on_message(void *context, const struct ami_message *m)
{
	struct ami_reading *r = context;
	struct view name = m->count ? m->field[0].value : (struct view){0};
	json_t *fields = json_object();
	char key[72];

	if (!m->count && !m->faults) {
		json_decref(fields);
		return true;
	}
	for (size_t i = 0; i < m->count; i++) {
		snprintf(key, sizeof key, "%.60s", escaped(m->field[i].key));
		explain_field(fields, key, m->field[i].value);
	}
	if (m->count && view_eq(m->field[0].key, view_str("Response"))) {
		explain_judged(
			r->x, "an answer to an action, and no event", "", name, fields);
	} else if (ami_message_is(m, "Event", "IdentifyDetail") && !m->faults) {
		explain_judged(r->x, "what PJSIPShowEndpoint answers", "", name, fields);
		take_trunk(r->x, m);
	} else {
		take_event(r, m, name, fields);
	}
	return true;
}

/* A copy from an editor has no CR; in the stream one LF alone is a forgery. */
static int as_stream(struct buffer *out, struct explain *x, struct view input)
{
	bool bare = view_find(input, '\r') == input.n;
	struct view line;

	if (bare)
		explain_read(x,
			"its lines end in LF alone and are read as if they ended in CR LF: "
			"in the stream itself that is a forgery",
			NULL);
	if (view_starts(input, "Asterisk Call Manager/"))
		input = view_from(input, view_find(input, '\n') + 1);
	while (bare && explain_line(&input, &line)) {
		buffer_put(out, line.p, line.n);
		buffer_put(out, "\r\n", 2);
	}
	buffer_put(out, input.p, input.n);
	buffer_put(out, "\r\n\r\n", 4);
	return out->failed ? -1 : 0;
}

int explain_feed_ami(struct explain *x, struct view input, struct error *err)
{
	struct ami_reading r = {x, ami_accounts_new((struct hash_key){5, 6})};
	struct buffer text = {.max = 2 * input.n + 16};
	struct ami_reader reader = {.looked = 0};
	int rc = -1;

	while (input.n && (input.p[0] == '\n' || input.p[0] == '\r'))
		input = view_from(input, 1);
	if (!r.accounts || as_stream(&text, x, input) ||
		ami_reader_feed(&reader, view_of(text.p, text.n), on_message, &r)) {
		error_set(err, "out of memory");
		goto done;
	}
	explain_later(x, LATER);
	rc = 0;
done:
	ami_reader_free(&reader);
	buffer_free(&text);
	ami_accounts_free(r.accounts);
	return rc;
}
