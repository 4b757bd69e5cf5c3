/* SPDX-License-Identifier: Apache-2.0 */
/*
 * replay CORPUS: every case of CORPUS/asterisk and CORPUS/kamailio through the
 * sensors, the detector and the default configuration's policy, by the clock of
 * the capture: once for each sensor alone, once for all together ("all"). One
 * JSON object a line and run:
 *
 *   {"set", "pbx", "case", "files": [...], "errors": [...], "lines", "injections",
 *    "sources": {ADDRESS: {"published", "banned", "category", "proof", "rule",
 *    "reason", "detections", "dialled": [...],
 *    "numbers": {DIALLED: {"fate", "number"}}}}, "told": {CATEGORY: DETECTIONS},
 *    "numbers": {INDICATOR: {"published", "proof", "calls", "reason"}}}
 *
 * and {"left_out": SET, "why"} for a sensor that this machine cannot run. A file
 * that is broken is named in errors; what came before counts.
 *
 * What is right of it is judged by accuracy.py, which reads the truth.
 */
#include "sensors.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/escape.h"
#include "daemon/config_numbers.h"
#include "decide/own_number.h"
#include "decide/registered.h"

#define QUIET (60 * USEC_PER_SEC) /* after which nothing comes of silence */

struct seen {
	struct observation o;
	size_t order;
};

struct run {
	struct sensor_run sensors; /* first: its context is this */
	struct seen *seen;
	size_t n, capacity;
	struct config config;
	struct own_config own;
	struct own_number_config own_number;
	struct allowlist *allow;
	struct numbers *numbers;
	json_t *sources, *told, *called;
};

static void observe(void *context, const struct observation *o)
{
	struct run *r = context;

	if (r->n == r->capacity) {
		r->capacity = r->capacity ? 2 * r->capacity : 1024;
		r->seen = realloc(r->seen, r->capacity * sizeof *r->seen);
		if (!r->seen)
			abort();
	}
	r->seen[r->n] = (struct seen){*o, r->n};
	r->n++;
}

/* In the order of time; of equal times as they were read. */
static int by_time(const void *a, const void *b)
{
	const struct seen *x = a, *y = b;

	if (x->o.time != y->o.time)
		return x->o.time < y->o.time ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

/* The source's object, made when it is new. */
static json_t *source_of(struct run *r, const char *address)
{
	json_t *s = json_object_get(r->sources, address);

	if (s)
		return s;
	s = json_pack("{s:b, s:b, s:i, s:s, s:s, s:s, s:s, s:[], s:{}}", "published", 0,
		"banned", 0, "detections", 0, "category", "", "proof", "", "rule", "",
		"reason", "", "dialled", "numbers");
	json_object_set_new(r->sources, address, s);
	return s;
}

static void note_dialled(struct run *r, const struct observation *o)
{
	char address[ADDRESS_TEXT];
	const json_t *one;
	json_t *list;
	size_t i;

	if (!o->dialled[0])
		return;
	list = json_object_get(
		source_of(r, address_print(address, &o->source)), "dialled");
	json_array_foreach(list, i, one)
	{
		if (!strcmp(json_string_value(one), escaped(view_str(o->dialled))))
			return;
	}
	json_array_append_new(list, json_string(escaped(view_str(o->dialled))));
}

static void count_told(struct run *r, const char *category)
{
	json_int_t n = json_integer_value(json_object_get(r->told, category));

	json_object_set_new(r->told, category, json_integer(n + 1));
}

/* What an attacker's call is taken for; number_judged_fn. */
static void note_judged(void *context, const struct number_judged *j)
{
	char address[ADDRESS_TEXT], number[INDICATOR_TEXT] = "";
	json_t *list = json_object_get(
		source_of(context, address_print(address, j->source)), "numbers");

	if (j->indicator.kind)
		indicator_print(number, &j->indicator);
	json_object_set_new(list, escaped(view_str(j->dialled)),
		json_pack("{s:s, s:s}", "fate", number_fate_name(j->fate), "number",
			number));
}

/* What the node does with numbers that attackers call: node_numbers_due(). */
static void note_numbers(struct run *r, usec now)
{
	char indicator[INDICATOR_TEXT];
	struct number_detection d;
	struct own_action a;

	while (numbers_due(r->numbers, now, &d)) {
		own_number_decide(&a, &r->own, &r->own_number, NULL, r->allow, &d,
			(uint32_t)(d.time / USEC_PER_SEC));
		if (!a.would_ban)
			numbers_refuse(r->numbers, &a.indicator);
		json_object_set_new(r->called, indicator_print(indicator, &a.indicator),
			json_pack("{s:b, s:s, s:i, s:s}", "published", a.publish, "proof",
				proof_name(a.proof), "calls", (int)d.calls, "reason",
				a.reason));
	}
}

/* What the node does with a detection: on_detection() of node_sense.c. */
static void note_detection(struct run *r, const struct detection *d)
{
	char indicator[INDICATOR_TEXT];
	struct own_action a;
	json_t *s;

	own_decide(&a, &r->own, NULL, r->allow, d, (uint32_t)(d->time / USEC_PER_SEC));
	if (a.unregister)
		allowlist_remove(r->allow, &a.indicator, ALLOW_REGISTERED);
	if (own_number_attacker(&r->own, d, &a))
		numbers_convict(r->numbers, d);
	count_told(r, category_name(d->category));
	s = source_of(r, indicator_print(indicator, &a.indicator));
	if (a.publish)
		json_object_set_new(s, "published", json_true());
	if (a.ban)
		json_object_set_new(s, "banned", json_true());
	json_object_set_new(s, "category", json_string(category_name(d->category)));
	json_object_set_new(s, "proof", json_string(proof_name(d->proof)));
	json_object_set_new(s, "detections",
		json_integer(json_integer_value(json_object_get(s, "detections")) + 1));
	json_object_set_new(s, "rule", json_string(d->rule));
	json_object_set_new(s, "reason", json_string(a.reason));
}

/* What the node does with a success: node_allow_success(). */
static void note_success(
	struct run *r, const struct detector *d, const struct observation *o)
{
	struct allow_entry entry, gone;

	if (o->kind == OBSERVED_AUTH_OK)
		registered_take(r->allow, &entry, &gone, o,
			detector_failed(d, &o->source, o->time),
			r->config.allow.registered, (uint32_t)(o->time / USEC_PER_SEC));
}

/* The node's clock from one observation's time to another's, second by second. */
static void pass_time(struct run *r, struct detector *d, usec from, usec to)
{
	usec end = to - from > QUIET ? from + QUIET : to;
	struct detection out;

	for (usec now = from + USEC_PER_SEC; now < end; now += USEC_PER_SEC) {
		while (detector_due(d, now, &out))
			note_detection(r, &out);
		note_numbers(r, now);
	}
}

static int detect(struct run *r)
{
	struct detector *d = detector_new(&r->config.detect, (struct hash_key){3, 4});
	struct detection out;
	bool detected;
	usec last = 0;

	if (!d)
		return -1;
	if (r->n)
		qsort(r->seen, r->n, sizeof *r->seen, by_time);
	for (size_t i = 0; i < r->n; i++) {
		const struct observation *o = &r->seen[i].o;

		if (last)
			pass_time(r, d, last, o->time);
		last = o->time;
		note_dialled(r, o);
		numbers_note(r->numbers, o);
		r->sensors.injections += o->kind == OBSERVED_INJECTION;
		detected = detector_feed(d, o, &out);
		note_success(r, d, o);
		if (detected)
			note_detection(r, &out);
		note_numbers(r, o->time);
	}
	pass_time(r, d, last, last + QUIET);
	detector_free(d);
	return 0;
}

/* The first of the sensor's files that is in the folder, or false. */
static bool find_file(char *path, size_t size, const char *folder, const struct sensor *s)
{
	const char *at = s->files;

	while (*at) {
		size_t n = strcspn(at, "|");

		snprintf(path, size, "%s/%.*s", folder, (int)n, at);
		if (!access(path, R_OK))
			return true;
		at += n + (at[n] == '|');
	}
	return false;
}

/*
 * Feed the case's files to the sensors of a set; names of the files that were
 * there into files, what is wrong with them into errors.
 */
static void watch(struct run *r, const char *folder, const char *pbx, const char *set,
	json_t *files, json_t *errors)
{
	char path[4096];

	for (size_t i = 0; i < sensors_count; i++) {
		const struct sensor *s = &sensors[i];
		struct error err = {""};

		if ((strcmp(set, "all") && strcmp(set, s->set)) ||
			(s->pbx && strcmp(s->pbx, pbx)) || sensor_lacks(s) ||
			!find_file(path, sizeof path, folder, s))
			continue;
		json_array_append_new(files, json_string(strrchr(path, '/') + 1));
		if (s->run(&r->sensors, path, &err))
			json_array_append_new(
				errors, json_sprintf("%s: %s", path, err.text));
	}
}

/*
 * One case with the sensors of a set. Nothing is printed when it has no file of
 * theirs; all together it is: what nothing shows is missed.
 */
static int run_case(
	const char *folder, const char *pbx, const char *name, const char *set)
{
	struct run r = {.sensors = {.observe = observe}};
	json_t *files = json_array(), *errors = json_array(), *out;
	struct numbers_config numbers;
	int rc = 0;

	r.sensors.context = &r;
	r.allow = allowlist_new();
	r.sources = json_object();
	r.told = json_object();
	config_defaults(&r.config);
	config_own(&r.own, &r.config);
	r.own.may_report = true;
	config_numbers(&numbers, &r.config);
	config_own_number(&r.own_number, &r.config);
	r.numbers = numbers_new(&numbers, (struct hash_key){5, 6});
	if (!r.numbers)
		abort();
	numbers_watch(r.numbers, note_judged, &r);
	r.called = json_object();
	watch(&r, folder, pbx, set, files, errors);
	if (json_array_size(files) || !strcmp(set, "all")) {
		rc = detect(&r);
		out = json_pack("{s:s, s:s, s:s, s:O, s:O, s:I, s:I, s:O, s:O, s:O}",
			"set", set, "pbx", pbx, "case", name, "files", files, "errors",
			errors, "lines", (json_int_t)r.sensors.lines, "injections",
			(json_int_t)r.sensors.injections, "sources", r.sources, "told",
			r.told, "numbers", r.called);
		json_dumpf(out, stdout, JSON_COMPACT | JSON_ENSURE_ASCII);
		putchar('\n');
		json_decref(out);
	}
	json_decref(errors);
	json_decref(files);
	json_decref(r.sources);
	json_decref(r.told);
	json_decref(r.called);
	numbers_free(r.numbers);
	allowlist_free(r.allow);
	config_free(&r.config);
	free(r.seen);
	return rc;
}

/* Every set, once each, and "all". */
static int run_sets(const char *folder, const char *pbx, const char *name)
{
	for (size_t i = 0; i < sensors_count; i++) {
		bool again = false;

		for (size_t k = 0; k < i; k++)
			again |= !strcmp(sensors[k].set, sensors[i].set);
		if (!again && !sensor_lacks(&sensors[i]) &&
			run_case(folder, pbx, name, sensors[i].set))
			return -1;
	}
	return run_case(folder, pbx, name, "all");
}

static void say_left_out(void)
{
	for (size_t i = 0; i < sensors_count; i++) {
		const char *why = sensor_lacks(&sensors[i]);
		json_t *out;

		if (!why)
			continue;
		out = json_pack("{s:s, s:s}", "left_out", sensors[i].set, "why", why);
		json_dumpf(out, stdout, JSON_COMPACT | JSON_ENSURE_ASCII);
		putchar('\n');
		json_decref(out);
	}
}

static int is_case(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

static int run_pbx(const char *corpus, const char *pbx)
{
	struct dirent **names;
	char folder[4096];
	int n, rc = 0;

	snprintf(folder, sizeof folder, "%s/%s", corpus, pbx);
	n = scandir(folder, &names, is_case, alphasort);
	if (n < 0)
		return 0; /* a corpus may be of one PBX alone */
	for (int i = 0; i < n; i++) {
		snprintf(
			folder, sizeof folder, "%s/%s/%s", corpus, pbx, names[i]->d_name);
		if (!rc)
			rc = run_sets(folder, pbx, names[i]->d_name);
		free(names[i]);
	}
	free(names);
	return rc;
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: replay CORPUS\n");
		return 2;
	}
	if (access(argv[1], R_OK | X_OK)) {
		fprintf(stderr, "%s: %s\n", argv[1], strerror(errno));
		return 1;
	}
	/* The captures' logs were written in UTC. */
	setenv("TZ", "UTC", 1);
	say_left_out();
	return run_pbx(argv[1], "asterisk") || run_pbx(argv[1], "kamailio");
}
