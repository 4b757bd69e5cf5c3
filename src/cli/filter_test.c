/* SPDX-License-Identifier: Apache-2.0 */
/* sipchain filter test: a filter on a log, in the words of fail2ban-regex. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/escape.h"
#include "cli/command.h"
#include "sense/filter/filter.h"
#include "sense/logfile.h"

#define PRINTED_MAX  20          /* lines of a kind, unless all are asked for */
#define KEPT_MAX     (64u << 20) /* bytes of them */
#define READ_AT_ONCE (1u << 20)

enum line_kind {
	LINES_MATCHED = 0,
	LINES_IGNORED,
	LINES_MISSED,
	LINES_KINDS,
};

static const struct {
	const char *name, *title;
	enum option_id all;
} kinds[LINES_KINDS] = {
	{"matched", "Matched", OPTION_PRINT_ALL_MATCHED},
	{"ignored", "Ignored", OPTION_PRINT_ALL_IGNORED},
	{"missed", "Missed", OPTION_PRINT_ALL_MISSED},
};

struct testing {
	struct invocation *in;
	struct filter *filter;
	usec now;
	unsigned failures, nofail; /* of the line at hand */
	uint64_t tested, count[LINES_KINDS];
	struct buffer kept[LINES_KINDS]; /* '\n' after each */
	struct logfile_figures figures;
};

static void on_failure(void *context, const struct filter_failure *f)
{
	struct testing *t = context;

	t->failures += !f->nofail;
	t->nofail += f->nofail;
}

/* An expression of a filter file: as it is, unless it would upset a terminal. */
static void print_expression(const char *lead, uint64_t hits, const char *text)
{
	static char escaped_text[16384];

	printf("%s[%llu] %s\n", lead, (unsigned long long)hits,
		text_is_clean(view_str(text)) ?
			text :
			escape_view(escaped_text, sizeof escaped_text, view_str(text)));
}

/* Keep a line for printing, unless there are too many. */
static void keep(struct testing *t, enum line_kind kind, struct view line)
{
	bool all = given(t->in, kinds[kind].all);

	if (!all && (kind == LINES_MATCHED || t->count[kind] > PRINTED_MAX))
		return;
	buffer_put(&t->kept[kind], line.p, line.n);
	buffer_put_u8(&t->kept[kind], '\n');
}

static void on_line(void *context, struct view line)
{
	struct testing *t = context;
	struct filter_result result;
	enum line_kind kind;

	while (line.n && line.p[line.n - 1] == '\r')
		line.n--;
	/* As fail2ban-regex: so that a log with annotations can be tested. */
	if (!line.n || line.p[0] == '#')
		return;
	t->failures = t->nofail = 0;
	result = filter_line(t->filter, line, t->now, on_failure, t);
	kind = result.ignored || t->nofail ? LINES_IGNORED :
		t->failures                ? LINES_MATCHED :
					     LINES_MISSED;
	t->tested++;
	t->count[kind]++;
	/* Of several lines, the last one tells of those before it. */
	t->count[LINES_MATCHED] += result.released;
	t->count[LINES_MISSED] -= result.released;
	keep(t, kind, line);
}

/* Read the whole log. Returns 0 or an exit code. */
static int read_log(struct testing *t, const char *path)
{
	const struct logfile_taker taker = {.line = on_line, .context = t};
	char folder[PATH_MAX], name[PATH_MAX];
	enum logfile_state state = LOGFILE_MORE;
	struct logfile *log = NULL;
	int directory, rc = 0;

	snprintf(folder, sizeof folder, "%s", path);
	snprintf(name, sizeof name, "%s", path);
	directory = open(dirname(folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory >= 0)
		log = logfile_open(directory, basename(name));
	if (!log) {
		rc = failure(errno == EACCES ? CONTROL_PERMISSION : CONTROL_FAILED,
			"%s: %s", shown(path),
			errno == ENXIO || errno == ELOOP ? "not a regular file" :
							   strerror(errno));
		goto done;
	}
	while (state == LOGFILE_MORE)
		state = logfile_read(log, READ_AT_ONCE, &taker, &t->figures);
	if (state != LOGFILE_END)
		rc = failure(CONTROL_FAILED, "%s: %s", shown(path),
			state == LOGFILE_FAILED ? strerror(errno) :
						  "was changed meanwhile");
done:
	logfile_close(log);
	if (directory >= 0)
		close(directory);
	return rc;
}

/* --- as text --- */

static void print_expressions(
	const struct testing *t, enum filter_part part, const char *title)
{
	struct filter_part_figures p;
	unsigned long long total = 0;
	bool any = false;
	char lead[24];

	for (size_t i = 0; filter_part(t->filter, part, i, &p); i++)
		total += p.hits;
	printf("\n%s: %llu total\n", title, total);
	for (size_t i = 0; filter_part(t->filter, part, i, &p); i++) {
		if (!p.hits && !p.exhausted)
			continue;
		if (!any)
			printf("|-  #) [# of hits] regular expression\n");
		any = true;
		snprintf(lead, sizeof lead, "|  %2zu) ", i + 1);
		print_expression(lead, p.hits, p.text);
		if (p.exhausted)
			printf("|      needed too many steps for %llu lines%s\n",
				(unsigned long long)p.exhausted,
				p.off ? ", and was switched off" : "");
	}
	if (any)
		printf("`-\n");
}

static void print_dates(const struct testing *t)
{
	struct filter_part_figures p;
	bool any = false;

	printf("\nDate template hits:\n");
	for (size_t i = 0; filter_part(t->filter, FILTER_DATE, i, &p); i++) {
		if (!p.hits)
			continue;
		if (!any)
			printf("|- [# of hits] date format\n");
		any = true;
		print_expression("|  ", p.hits, p.text);
	}
	if (any)
		printf("`-\n");
}

static void print_lines(const struct testing *t, enum line_kind kind)
{
	struct view rest = view_of(t->kept[kind].p, t->kept[kind].n);
	bool all = given(t->in, kinds[kind].all);
	char text[4096];

	if (!t->count[kind] || (kind == LINES_MATCHED && !all))
		return;
	if (!all && t->count[kind] >= PRINTED_MAX) {
		printf("%s line(s): too many to print.  Use --%s to print all %llu lines\n",
			kinds[kind].title, option_specs[kinds[kind].all].name,
			(unsigned long long)t->count[kind]);
		return;
	}
	printf("|- %s line(s):\n", kinds[kind].title);
	while (rest.n) {
		size_t n = view_find(rest, '\n');

		printf("|  %s\n", escape_view(text, sizeof text, view_head(rest, n)));
		rest = view_from(rest, n + 1);
	}
	printf("`-\n");
}

static void print_text(const struct testing *t)
{
	struct filter_part_figures p;

	printf("\nResults\n=======\n");
	if (filter_part(t->filter, FILTER_PREFREGEX, 0, &p)) {
		printf("\nPrefregex: %llu total\n", (unsigned long long)p.hits);
		print_expression("|  ", p.hits, p.text);
		printf("`-\n");
	}
	print_expressions(t, FILTER_FAILREGEX, "Failregex");
	print_expressions(t, FILTER_IGNOREREGEX, "Ignoreregex");
	print_dates(t);
	printf("\nLines: %llu lines, %llu ignored, %llu matched, %llu missed\n\n",
		(unsigned long long)t->tested,
		(unsigned long long)t->count[LINES_IGNORED],
		(unsigned long long)t->count[LINES_MATCHED],
		(unsigned long long)t->count[LINES_MISSED]);
	if (t->figures.oversize)
		printf("%llu lines were longer than %d bytes and not read\n",
			(unsigned long long)t->figures.oversize, LOGFILE_LINE_MAX);
	for (enum line_kind kind = 0; kind < LINES_KINDS; kind++)
		print_lines(t, kind);
}

/* --- as JSON --- */

static json_t *text_json(const char *text)
{
	json_t *o = json_string(text);

	return o ? o : json_string(escaped(view_str(text)));
}

static json_t *expressions_json(const struct testing *t, enum filter_part part)
{
	struct filter_part_figures p;
	json_t *list = json_array();

	for (size_t i = 0; filter_part(t->filter, part, i, &p); i++)
		json_array_append_new(list,
			json_pack("{s:I, s:o, s:I, s:b}", "hits", (json_int_t)p.hits,
				part == FILTER_DATE ? "name" : "expression",
				text_json(p.text), "exhausted", (json_int_t)p.exhausted,
				"off", p.off));
	return list;
}

static json_t *lines_json(const struct testing *t, enum line_kind kind)
{
	struct view rest = view_of(t->kept[kind].p, t->kept[kind].n);
	json_t *list = json_array(), *line;
	char text[4096];

	while (rest.n) {
		size_t n = view_find(rest, '\n');

		line = json_stringn((const char *)rest.p, n);
		if (!line)
			line = json_string(
				escape_view(text, sizeof text, view_head(rest, n)));
		json_array_append_new(list, line);
		rest = view_from(rest, n + 1);
	}
	return list;
}

static void print_as_json(const struct testing *t)
{
	json_t *o = json_pack(
		"{s:s, s:o, s:{s:I, s:I, s:I, s:I, s:I}, s:o, s:o, s:o, s:o}", "filter",
		filter_name(t->filter), "log", text_json(t->in->arguments[1]), "lines",
		"tested", (json_int_t)t->tested, "ignored",
		(json_int_t)t->count[LINES_IGNORED], "matched",
		(json_int_t)t->count[LINES_MATCHED], "missed",
		(json_int_t)t->count[LINES_MISSED], "oversize",
		(json_int_t)t->figures.oversize, "prefregex",
		expressions_json(t, FILTER_PREFREGEX), "failregex",
		expressions_json(t, FILTER_FAILREGEX), "ignoreregex",
		expressions_json(t, FILTER_IGNOREREGEX), "dates",
		expressions_json(t, FILTER_DATE));

	for (enum line_kind kind = 0; kind < LINES_KINDS; kind++)
		if (given(t->in, kinds[kind].all))
			json_object_set_new(o, kinds[kind].name, lines_json(t, kind));
	print_json(o);
	json_decref(o);
}

int run_filter_test(struct invocation *in)
{
	const char *folders[] = {option(in, OPTION_FILTERS, NULL), NULL};
	struct filter_settings settings = {.folders = folders[0] ? folders : NULL,
		.test = true,
		.raw_hosts = given(in, OPTION_RAW)};
	struct testing t = {.in = in};
	struct error err = {""};
	int rc;

	for (enum line_kind kind = 0; kind < LINES_KINDS; kind++)
		t.kept[kind].max = KEPT_MAX;
	t.now = settings.now = clock_wall();
	t.filter = filter_new(in->arguments[0], &settings, &err);
	if (!t.filter)
		return failure(CONTROL_CONFIG, "%s", err.text);
	rc = read_log(&t, in->arguments[1]);
	if (!rc && given(in, OPTION_JSON))
		print_as_json(&t);
	else if (!rc)
		print_text(&t);
	for (enum line_kind kind = 0; kind < LINES_KINDS; kind++)
		buffer_free(&t.kept[kind]);
	filter_free(t.filter);
	return rc;
}
