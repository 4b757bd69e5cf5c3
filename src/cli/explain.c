/* SPDX-License-Identifier: Apache-2.0 */
/* sipchain explain: every step from a line or a packet to what is decided. */
#include "cli/explain.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/units.h"
#include "cli/choice.h"
#include "daemon/config_schema.h"
#include "daemon/start.h"
#include "decide/auto_allow.h"
#include "decide/registered.h"
#include "sense/pcap.h"

#define INPUT_MAX (256U << 20)
#define TEXT_MAX  512

static void add(struct explain *x, const char *what, json_t *step)
{
	json_object_set_new(step, "step", json_string(what));
	json_array_append_new(x->steps, step);
}

void explain_read(struct explain *x, const char *text, json_t *fields)
{
	json_t *step = json_pack("{s:s}", "text", text);

	if (fields)
		json_object_set_new(step, "fields", fields);
	add(x, "read", step);
}

const char *explain_text(struct view text)
{
	static char escaped_text[TEXT_MAX];

	return escape_view(escaped_text, sizeof escaped_text, text);
}

void explain_judged(struct explain *x, const char *what, const char *why,
	struct view text, json_t *fields)
{
	char line[TEXT_MAX + 300];

	snprintf(line, sizeof line, "%s%s%s: %s", what, *why ? ": " : "", why,
		*why ? explain_text(text) : escaped(text));
	explain_read(x, line, fields);
}

void explain_field(json_t *fields, const char *name, struct view value)
{
	char again[96];

	if (!value.n || !fields)
		return;
	snprintf(again, sizeof again, "%.70s", name);
	for (unsigned n = 2; json_object_get(fields, again) && n < 1000; n++)
		snprintf(again, sizeof again, "%.70s (%u)", name, n);
	json_object_set_new(fields, again, json_string(explain_text(value)));
}

void explain_parsed(void *fields, const char *name, struct view value)
{
	explain_field(fields, name, value);
}

void explain_allow(struct explain *x, const struct indicator *i, const char *why)
{
	char text[INDICATOR_TEXT];

	add(x, "allow",
		json_pack("{s:s, s:s}", "indicator", indicator_print(text, i), "reason",
			why));
}

static json_t *signs_json(uint8_t signs)
{
	json_t *list = json_array();

	for (uint8_t bit = 0; signs >> bit; bit++)
		if (signs >> bit & 1)
			json_array_append_new(list, json_string(sign_name(bit)));
	return list;
}

static void put_text(json_t *o, const char *name, const char *text)
{
	if (*text)
		json_object_set_new(o, name, json_string(escaped(view_str(text))));
}

static void add_observation(struct explain *x, const struct observation *o)
{
	char source[ADDRESS_TEXT];
	json_t *step = json_pack("{s:s, s:s, s:s, s:s, s:s, s:f, s:o}", "kind",
		observation_kind_name(o->kind), "source",
		address_print(source, &o->source), "transport",
		transport_name(o->transport), "sensor", sensor_name(o->sensor), "proof",
		proof_name(o->proof), "time", (double)o->time / (double)USEC_PER_SEC,
		"signs", signs_json(o->signs));

	put_text(step, "account", o->account);
	put_text(step, "dialled", o->dialled);
	put_text(step, "agent", o->agent);
	add(x, "observation", step);
}

static void add_attempt(struct explain *x, const struct detect_trace *t)
{
	static const char *const filed[] = {"not counted", "a new attempt",
		"one more observation of a known attempt",
		"a new attempt, which answers a challenge before it"};
	json_t *rules = json_array();

	for (unsigned i = 0; i < t->n_rules; i++)
		json_array_append_new(rules,
			json_pack("{s:s, s:i, s:i, s:i, s:b, s:b}", "rule",
				t->rules[i].rule, "have", (int)t->rules[i].have, "need",
				(int)t->rules[i].need, "window", (int)t->rules[i].window,
				"proved", t->rules[i].proved, "plausible",
				t->rules[i].plausible));
	add(x, "attempt",
		json_pack("{s:s, s:b, s:i, s:f, s:f, s:b, s:b, s:b, s:o}", "filed",
			filed[t->filed], "counts", t->counts, "attempts",
			(int)t->attempts, "weight_before", t->before / 1000.0, "weight",
			t->after / 1000.0, "forged", t->forged, "registered",
			t->registered, "banned", t->banned, "rules", rules));
}

static void add_detection(struct explain *x, const struct detection *d)
{
	char source[ADDRESS_TEXT];
	struct own_action a;
	json_t *step;

	x->detections++;
	add(x, "detection",
		json_pack("{s:s, s:i, s:s, s:s, s:s, s:s, s:b, s:b, s:i, s:i, s:i}",
			"source", address_print(source, &d->source), "plen", d->plen,
			"category", category_name(d->category), "rule", d->rule, "reason",
			d->reason, "proof", proof_name(d->proof), "plausible",
			d->plausible, "publish", d->publish, "attempts", (int)d->attempts,
			"offence", (int)d->offence, "ban", (int)d->ban));
	own_decide(&a, &x->own, NULL, x->allow, d, (uint32_t)(d->time / USEC_PER_SEC));
	explain_numbers_convict(x, d, &a);
	step = json_pack("{s:b, s:b, s:s}", "ban", a.would_ban, "report", a.would_publish,
		"reason", a.reason);
	add(x, "decision", step);
}

/* As the daemon: who authenticates is a phone of this PBX's, for a while. */
static void take_phone(struct explain *x, const struct observation *o)
{
	bool failed = detector_failed(x->detector, &o->source, o->time);
	uint32_t life = x->config.allow.registered;
	struct allow_entry entry, gone;
	char why[160], duration[32];
	enum registered what;

	if (o->kind != OBSERVED_AUTH_OK)
		return;
	what = registered_take(x->allow, &entry, &gone, o, failed, life,
		(uint32_t)(o->time / USEC_PER_SEC));
	if (what == REGISTERED_NOT && failed)
		explain_read(x,
			"not onto the allowlist: it failed before it succeeded, and may "
			"have guessed the password",
			NULL);
	if (what == REGISTERED_NOT)
		return;
	snprintf(why, sizeof why, "%s authenticated from there with its password: for %s",
		entry.note, duration_print(duration, life));
	explain_allow(x, &entry.indicator, why);
}

/* Whatever it does, what stands on the allowlist is left alone. */
static void tell_allowed(struct explain *x, const struct observation *o)
{
	struct indicator i = indicator_from_address(
		&o->source, o->source.family == 4 ? 32 : 128);
	const struct allow_entry *e = allowlist_overlap(
		x->allow, &i, (uint32_t)(o->time / USEC_PER_SEC));
	char why[200];

	if (!e || o->kind == OBSERVED_AUTH_OK || o->kind == OBSERVED_PROOF)
		return;
	snprintf(why, sizeof why, "on it (%s%s%s): neither banned nor reported",
		allow_origin_name(e->origin), *e->note ? ", " : "", e->note);
	explain_allow(x, &i, why);
}

void explain_observe(void *context, const struct observation *o)
{
	struct explain *x = context;
	struct detect_trace t;
	struct detection d;
	bool detected;

	x->observations++;
	if (o->time > x->last)
		x->last = o->time;
	add_observation(x, o);
	detected = detector_trace(x->detector, o, &d, &t);
	add_attempt(x, &t);
	explain_numbers_note(x, o);
	tell_allowed(x, o);
	take_phone(x, o);
	while (detected) {
		add_detection(x, &d);
		detected = detector_due(x->detector, o->time, &d);
	}
	explain_numbers_due(x, o->time);
}

void explain_later(struct explain *x, usec later)
{
	struct detection d;
	bool first = true;

	while (detector_due(x->detector, x->last + later, &d)) {
		if (first)
			explain_read(x, "some seconds later", NULL);
		first = false;
		add_detection(x, &d);
	}
	explain_numbers_due(x, x->last + later);
}

/* --- the command */

/* The whole file, or standard input. 0 or an exit code, having said why. */
static int read_input(struct buffer *text, const char *path)
{
	bool standard = strcmp(path, "-") == 0;
	int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	uint8_t block[65536];
	struct stat st;
	ssize_t n;

	if (fd < 0)
		return failure(errno == EACCES ? CONTROL_PERMISSION : CONTROL_FAILED,
			"%s: %s", shown(path), strerror(errno));
	if (!standard && (fstat(fd, &st) || !S_ISREG(st.st_mode))) {
		close(fd);
		return failure(CONTROL_FAILED, "%s is no regular file", shown(path));
	}
	while ((n = read(fd, block, sizeof block)) > 0)
		if (buffer_put(text, block, (size_t)n))
			break;
	if (!standard)
		close(fd);
	if (n > 0)
		return failure(CONTROL_FAILED, "%s is larger than 256 MiB", shown(path));
	return n < 0 ? failure(CONTROL_FAILED, "%s: %s", shown(path), strerror(errno)) :
		       0;
}

int explain_begin(struct explain *x)
{
	struct allow_entry e;

	config_own(&x->own, &x->config);
	x->own.may_report = true;
	x->own.observe = false;
	x->steps = json_array();
	x->allow = allowlist_new();
	x->detector = detector_new(&x->config.detect, (struct hash_key){3, 4});
	if (!x->steps || !x->allow || !x->detector || explain_numbers_begin(x))
		return -1;
	for (size_t i = 0; i < x->config.allow.entry_count; i++) {
		memset(&e, 0, sizeof e);
		e.indicator = x->config.allow.entry[i].indicator;
		e.origin = ALLOW_CONFIGURED;
		memcpy(e.note, x->config.allow.entry[i].note, sizeof e.note);
		if (allowlist_add(x->allow, &e))
			return -1;
	}
	return 0;
}

void explain_end(struct explain *x)
{
	explain_filters_free(x);
	wire_free(x->wire);
	numbers_free(x->numbers);
	detector_free(x->detector);
	allowlist_free(x->allow);
	json_decref(x->steps);
}

/* All of it through the filter that was named. */
static int feed_filter(struct explain *x, struct view input, struct error *err)
{
	if (pcap_is(input) || view_starts(input, "HEP3"))
		return error_set(err, "holds packets: --filter is for lines of a log");
	explain_read(x, "lines through the filter that was named", NULL);
	return explain_takes_journal(input) ? explain_feed_journal(x, input, err) :
					      explain_feed_lines(x, input, err);
}

int explain_feed(struct explain *x, struct view input, struct error *err)
{
	if (!input.n)
		return error_set(err, "is empty");
	if (x->filter)
		return feed_filter(x, input, err);
	for (size_t i = 0; i < explain_readers_count; i++) {
		if (!explain_readers[i].takes(input))
			continue;
		explain_read(x, explain_readers[i].name, NULL);
		return explain_readers[i].feed(x, input, err);
	}
	return error_set(err,
		"is no pcap, no HEP, no SIP message, no event and no line of a log that is "
		"known here; name the filter that reads such lines: --filter NAME");
}

/* The configuration's word where there is one, else the defaults. */
static int take_config(struct explain *x, struct invocation *in)
{
	x->filter = option(in, OPTION_FILTER, NULL);
	x->folder = option(in, OPTION_FILTERS, NULL);
	x->configured = given(in, OPTION_CONFIG) || !access(CONFIG_PATH, R_OK);
	if (x->configured)
		return load_config(in, &x->config);
	config_defaults(&x->config);
	return 0;
}

/* A refusal names the input, and the configuration or filter where that is wrong. */
static int refusal(const struct explain *x, const char *what, bool file, int why,
	const struct error *err)
{
	if (x->code)
		return failure(x->code, "%s", err->text);
	if (file)
		return failure(CONTROL_FAILED, "%s %s", shown(what), err->text);
	return failure(CONTROL_FAILED, "%s: as a file: %s; as a line it %s", shown(what),
		strerror(why), err->text);
}

/* The input, and then the steps. 0 or an exit code, having said why. */
static int explain(struct explain *x, struct invocation *in)
{
	struct buffer text = {.max = INPUT_MAX};
	const char *what = in->arguments[0];
	bool file = !strcmp(what, "-") || !access(what, F_OK);
	int why = errno, rc = 0;
	struct error err = {""};
	json_t *out;

	if (explain_begin(x))
		rc = failure(CONTROL_FAILED, "out of memory");
	else if (x->configured &&
		auto_allow_read(x->allow, &auto_allow_paths_default, &err) < 0)
		rc = failure(CONTROL_FAILED, "%s", err.text);
	else if (file)
		rc = read_input(&text, what);
	else
		buffer_put(&text, what, strlen(what));
	if (!rc && explain_feed(x, view_of(text.p, text.n), &err))
		rc = refusal(x, what, file, why, &err);
	buffer_free(&text);
	if (rc)
		return rc;
	if (!given(in, OPTION_JSON)) {
		explain_print(x, stdout);
		return 0;
	}
	out = json_pack("{s:i, s:i, s:O}", "observations", (int)x->observations,
		"detections", (int)x->detections, "steps", x->steps);
	print_json(out);
	json_decref(out);
	return 0;
}

int run_explain(struct invocation *in)
{
	struct explain x = {.steps = NULL};
	int rc = take_config(&x, in);

	if (rc)
		return rc;
	rc = explain(&x, in);
	explain_end(&x);
	config_free(&x.config);
	return rc;
}
