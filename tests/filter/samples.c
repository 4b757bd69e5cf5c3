/* SPDX-License-Identifier: Apache-2.0 */
/*
 * samples FILTERS LOGS [NAME ...]: fail2ban's own annotated logs, read by our
 * filters. FILTERS is its config/filter.d (several, with ':'), LOGS its
 * fail2ban/tests/files/logs. A line "# failJSON: {...}" says what the next line
 * is: {"match": true, "host": ..., "time": ...}; lines without one match
 * nothing; "# filterOptions: [...]" says by which options they are read.
 *
 * Prints, for each filter, the lines that agree of all, then what disagreed;
 * the last line is JSON. Leaves with 1 when less than 95 % of a filter's lines
 * agree, or one of asterisk's or freeswitch's does not.
 */
#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/escape.h"
#include "sense/filter/filter.h"

/* fail2ban's tests take place at Sun Aug 14 12:00:00 CEST 2005, in that zone. */
#define NOW     UINT64_C(1124013600)
#define OPTIONS 16
#define FOLDERS 4

struct reader {
	struct filter *filter;
	json_t *options;
	char spec[512];
};

struct run {
	const char *folders[FOLDERS + 1];
	const char *name; /* of the log */
	struct reader readers[OPTIONS];
	unsigned readers_count;
	bool blocked;   /* test.condition is false */
	json_t *common; /* fileOptions */
	unsigned lines, agreed;
	char *said; /* of the disagreements */
	size_t said_n;
	FILE *say;
};

/* What one line gave. */
struct outcome {
	struct run *run;
	struct reader *reader;
	json_t *expected;
	unsigned found;
	char fault[400];
};

static void fault(
	struct outcome *o, const char *what, struct view got, const char *wanted)
{
	char text[120];

	if (!o->fault[0])
		snprintf(o->fault, sizeof o->fault, "%s is \"%s\", not \"%s\"", what,
			escape_view(text, sizeof text, got), wanted);
}

/* One "key": value of the annotation. */
static void check(struct outcome *o, const struct filter_failure *f, const char *key,
	const json_t *value)
{
	static const char *const meta[] = {"time", "match", "desc", "constraint"};
	struct view got;
	char number[32];

	for (size_t i = 0; i < sizeof meta / sizeof *meta; i++)
		if (strcmp(key, meta[i]) == 0)
			return;
	if (strcmp(key, "users") == 0) {
		for (unsigned i = 0; i < json_array_size(value) || filter_user(f, i).p;
			i++) {
			bool there = false;

			for (unsigned k = 0; k < json_array_size(value); k++)
				there |= view_eq(filter_user(f, i),
					view_str(json_string_value(
						json_array_get(value, k))));
			if (!there)
				fault(o, key, filter_user(f, i), "another set");
		}
		return;
	}
	got = filter_value(o->reader->filter, f, key);
	if (!got.p && strcmp(key, "host") == 0) {
		got = filter_value(o->reader->filter, f, "fid");
		if (!got.p)
			got = f->id;
	}
	if (!got.p && strcmp(key, "ip") == 0)
		got = f->id;
	if (!got.p && strcmp(key, "attempts") == 0) {
		snprintf(number, sizeof number, "%u", f->attempts);
		got = view_str(number);
	}
	if (json_is_integer(value)) {
		char wanted[32];

		snprintf(wanted, sizeof wanted, "%lld",
			(long long)json_integer_value(value));
		if (!view_eq(got, view_str(wanted)))
			fault(o, key, got, wanted);
	} else if (json_is_string(value)) {
		if (!got.p || !view_eq(got, view_str(json_string_value(value))))
			fault(o, key, got, json_string_value(value));
	} else if (json_is_null(value)) {
		if (got.p)
			fault(o, key, got, "none");
	} else {
		fault(o, key, view_str("not understood"), "an annotation");
	}
}

static void check_time(struct outcome *o, const struct filter_failure *f)
{
	const char *text = json_string_value(json_object_get(o->expected, "time"));
	struct tm tm;
	char got[64];
	const char *rest;
	double wanted;

	if (!text)
		return;
	memset(&tm, 0, sizeof tm);
	tm.tm_isdst = -1;
	rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	if (!rest) {
		fault(o, "time", view_str("not understood"), text);
		return;
	}
	tm.tm_isdst = -1;
	wanted = (double)mktime(&tm) + (*rest == '.' ? strtod(rest, NULL) : 0);
	snprintf(got, sizeof got, "%.6f", (double)f->time / 1e6);
	if (!f->timed || (double)f->time / 1e6 - wanted > 1e-6 ||
		wanted - (double)f->time / 1e6 > 1e-6)
		fault(o, "time", view_str(f->timed ? got : "not set"), text);
}

static void on_failure(void *context, const struct filter_failure *f)
{
	struct outcome *o = context;
	const char *key;
	json_t *value;

	if (f->kind == FILTER_PENDING || f->nofail)
		return;
	if (++o->found > 1) {
		fault(o, "the line", view_str("matched twice"), "matched once");
		return;
	}
	if (!json_is_true(json_object_get(o->expected, "match"))) {
		fault(o, "the line", f->id, "without a match");
		return;
	}
	json_object_foreach(o->expected, key, value) check(o, f, key, value);
	check_time(o, f);
}

/* The filter and its options as one spec. */
static void spec_of(char *dst, size_t size, const char *name, const json_t *options)
{
	const char *key;
	json_t *value;
	size_t n = (size_t)snprintf(dst, size, "%s", name);
	const char *lead = "[";

	json_object_foreach((json_t *)(uintptr_t)options, key, value)
	{
		if (strncmp(key, "test.", 5) == 0)
			continue;
		n += (size_t)snprintf(dst + n, size - n, "%s%s=\"%s\"", lead, key,
			json_string_value(value));
		lead = ", ";
	}
	if (*lead == ',')
		snprintf(dst + n, size - n, "]");
}

static void readers_clear(struct run *r)
{
	for (unsigned i = 0; i < r->readers_count; i++)
		json_decref(r->readers[i].options);
	r->readers_count = 0;
}

/*
 * A filter of these options. fail2ban's test keeps one for each combination, and
 * so does this: what it remembers of dates and connections goes on.
 */
static struct filter *filter_of(const struct run *r, const char *spec, struct error *err)
{
	static struct {
		char spec[512];
		struct filter *filter;
	} known[256];
	struct filter_settings settings = {.folders = r->folders,
		.test = true,
		.raw_hosts = true,
		.now = clock_wall()};
	size_t i = 0;

	while (i < 255 && known[i].filter && strcmp(known[i].spec, spec) != 0)
		i++;
	if (known[i].filter && strcmp(known[i].spec, spec) == 0)
		return known[i].filter;
	snprintf(known[i].spec, sizeof known[i].spec, "%s", spec);
	return known[i].filter = filter_new(spec, &settings, err);
}

static void reader_add(struct run *r, json_t *options)
{
	struct reader *to = &r->readers[r->readers_count];
	struct error err = {""};

	if (r->readers_count == OPTIONS)
		abort();
	spec_of(to->spec, sizeof to->spec, r->name, options);
	to->options = json_incref(options);
	to->filter = filter_of(r, to->spec, &err);
	if (!to->filter)
		fprintf(r->say, "    %s\n", err.text);
	r->readers_count++;
}

/* Whether text holds 'word' in single quotes. */
static bool quotes(const char *text, const char *word)
{
	char quoted[64];

	snprintf(quoted, sizeof quoted, "'%s'", word ? word : "");
	return strstr(text, quoted) != NULL;
}

/* "# filterOptions: ...": the following lines are read by these. */
static void set_options(struct run *r, json_t *list)
{
	json_t *one, *merged;
	size_t i, n = json_is_array(list) ? json_array_size(list) : 1;

	readers_clear(r);
	r->blocked = false;
	for (i = 0; i < n; i++) {
		const char *condition;

		one = json_is_array(list) ? json_array_get(list, i) : list;
		merged = r->common ? json_deep_copy(r->common) : json_object();
		json_object_update(merged, one);
		condition = json_string_value(json_object_get(merged, "test.condition"));
		r->blocked = condition && !quotes(condition, r->name);
		if (!r->blocked)
			reader_add(r, merged);
		json_decref(merged);
	}
}

/* The two forms of constraints that there are: name == 'x', opts.get('mode') != 'x'. */
static bool holds(
	const struct run *r, const struct reader *reader, const char *constraint)
{
	const char *mode = json_string_value(json_object_get(reader->options, "mode"));
	bool unequal = strstr(constraint, "!=") != NULL;

	if (strncmp(constraint, "name", 4) == 0)
		return quotes(constraint, r->name) != unequal;
	if (strncmp(constraint, "opts.get('mode')", 16) == 0)
		return quotes(constraint + 16, mode) != unequal;
	fprintf(r->say, "    constraint not understood: %s\n", constraint);
	return true;
}

static void one_reader(struct run *r, struct reader *reader, json_t *expected,
	struct view line, unsigned number)
{
	struct outcome o = {.run = r, .reader = reader, .expected = expected};
	const char *constraint = json_string_value(
		json_object_get(expected, "constraint"));
	const char *logtype = json_string_value(
		json_object_get(reader->options, "logtype"));
	const char *prefix = json_string_value(
		json_object_get(reader->options, "test.prefix-line"));
	char whole[16384];
	char text[160];

	if (constraint && !holds(r, reader, constraint))
		return;
	r->lines++;
	if (!reader->filter) {
		snprintf(o.fault, sizeof o.fault, "the filter is not there");
	} else if (logtype && strcmp(logtype, "journal") == 0) {
		snprintf(whole, sizeof whole, "%s%.*s", prefix ? prefix : "", (int)line.n,
			line.p);
		filter_entry(reader->filter, view_str(whole), NOW * USEC_PER_SEC,
			NOW * USEC_PER_SEC, on_failure, &o);
	} else {
		filter_line(reader->filter, line, NOW * USEC_PER_SEC, on_failure, &o);
	}
	if (!o.found && json_is_true(json_object_get(expected, "match")))
		fault(&o, "the line", view_str("not matched"), "matched");
	if (!o.fault[0]) {
		r->agreed++;
		return;
	}
	fprintf(r->say, "    line %u, %s: %s\n      %s\n", number, reader->spec, o.fault,
		escape_view(text, sizeof text, line));
}

/* "# failJSON: ..." and its kin. Returns the kind's first letter, 0: none. */
static int annotation(char *line, json_t **json)
{
	static const char *const kinds[] = {
		"failJSON:", "filterOptions:", "fileOptions:", "addFILE:"};
	char *at = line;
	json_error_t error;

	while (*at == '#')
		at++;
	if (at == line)
		return 0;
	at += *at == ' ';
	for (size_t i = 0; i < 4; i++)
		if (strncmp(at, kinds[i], strlen(kinds[i])) == 0) {
			*json = json_loads(
				at + strlen(kinds[i]), JSON_DECODE_ANY, &error);
			return *json ? (int)i + 1 : 0;
		}
	return 0;
}

static void read_log(struct run *r, const char *folder, const char *name)
{
	char path[1024], *line = NULL;
	json_t *json = NULL, *expected = NULL;
	size_t size = 0;
	unsigned number = 0;
	ssize_t n;
	FILE *f;

	snprintf(path, sizeof path, "%s/%s", folder, name);
	f = fopen(path, "r");
	if (!f) {
		perror(path);
		exit(2);
	}
	while ((n = getline(&line, &size, f)) > 0) {
		int kind;

		number++;
		if (n && line[n - 1] == '\n')
			line[--n] = 0;
		kind = expected ? 0 : annotation(line, &json);
		if (kind == 1) {
			expected = json;
			continue;
		}
		if (kind == 2)
			set_options(r, json);
		if (kind == 3) {
			json_decref(r->common);
			r->common = json_incref(json);
		}
		if (kind == 4)
			read_log(r, folder, json_string_value(json));
		if (kind) {
			json_decref(json);
			continue;
		}
		if (!expected &&
			(r->blocked || line[0] == '#' || !line[strspn(line, " \t\r")]))
			continue;
		if (!expected)
			expected = json_object();
		if (!r->readers_count && !r->blocked) {
			json_t *none = json_object();

			reader_add(r, none);
			json_decref(none);
		}
		for (unsigned i = 0; i < r->readers_count && !r->blocked; i++)
			one_reader(r, &r->readers[i], expected, view_of(line, (size_t)n),
				number);
		json_decref(expected);
		expected = NULL;
	}
	json_decref(expected);
	free(line);
	fclose(f);
}

static bool is_log(const char *name)
{
	return name[0] != '.' && !strchr(name, '.');
}

static int by_text(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* Whether one of the folders has the filter: some logs belong to another's. */
static bool has_filter(const struct run *r, const char *name)
{
	char path[1024];

	for (const char *const *f = r->folders; *f; f++) {
		snprintf(path, sizeof path, "%s/%s.conf", *f, name);
		if (!access(path, R_OK))
			return true;
	}
	return false;
}

int main(int argc, char **argv)
{
	unsigned lines = 0, agreed = 0, filters = 0, whole = 0, bad = 0, folders = 0;
	struct dirent **list;
	const char *const *wanted = (const char *const *)argv + 3;
	struct run base = {.name = NULL};
	int n;

	if (argc < 3) {
		fprintf(stderr, "usage: samples FILTERS LOGS [NAME ...]\n");
		return 2;
	}
	setenv("TZ", "CET-01CEST-02,M3.5.0,M10.5.0", 1);
	tzset();
	for (char *at = strtok(argv[1], ":"); at && folders < FOLDERS;
		at = strtok(NULL, ":"))
		base.folders[folders++] = at;
	n = scandir(argv[2], &list, NULL, by_text);
	for (int i = 0; i < n; i++) {
		struct run r = base;
		bool skip = argc > 3, must;

		for (int k = 0; k < argc - 3; k++)
			skip &= strcmp(wanted[k], list[i]->d_name) != 0;
		if (skip || list[i]->d_type != DT_REG || !is_log(list[i]->d_name) ||
			!has_filter(&r, list[i]->d_name))
			continue;
		r.name = list[i]->d_name;
		r.say = open_memstream(&r.said, &r.said_n);
		read_log(&r, argv[2], r.name);
		fclose(r.say);
		must = !strcmp(r.name, "asterisk") || !strcmp(r.name, "freeswitch");
		printf("%-28s %4u of %4u lines agree%s\n%s", r.name, r.agreed, r.lines,
			r.agreed * 100 < r.lines * (must ? 100 : 95) ? "  TOO FEW" : "",
			r.said);
		filters++;
		whole += r.agreed == r.lines;
		bad += r.agreed * 100 < r.lines * (must ? 100 : 95);
		lines += r.lines;
		agreed += r.agreed;
		readers_clear(&r);
		json_decref(r.common);
		free(r.said);
	}
	for (int i = 0; i < n; i++)
		free(list[i]);
	if (n >= 0)
		free(list);
	printf("{\"filters\": %u, \"whole\": %u, \"below\": %u, \"lines\": %u, \"agreed\": "
	       "%u}\n",
		filters, whole, bad, lines, agreed);
	return bad || !filters;
}
