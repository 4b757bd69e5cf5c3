/* SPDX-License-Identifier: Apache-2.0 */
/* What a filter of fail2ban's makes of a line: which expressions, and who. */
#include "cli/explain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/control.h"
#include "base/escape.h"
#include "sense/filter/filter_observe.h"
#include "sense/filter/scan.h"

struct explain_filters {
	struct explain_filters *next;
	bool journal;
	struct filter *filter;
	char spec[];
};

/* How often each part of a filter has matched. */
struct hits {
	uint64_t of[FILTER_DATE + 1][SCAN_EXPRESSIONS];
	const char *date[SCAN_EXPRESSIONS]; /* whose places change */
	struct filter_figures figures;
};

/* One line on its way. */
struct passing {
	struct explain *x;
	json_t *fields;
	bool dated;           /* it is an entry, which has its time beside it */
	bool observed, other; /* an address; something that is none */
	struct observation o;
};

/* --- filters --- */

static struct explain_filters *load(
	struct explain *x, const char *spec, bool journal, struct error *err)
{
	const char *const folders[] = {x->folder, NULL};
	const struct filter_settings settings = {.folders = x->folder ? folders : NULL,
		.journal = journal,
		.explain = true,
		.now = clock_wall()};
	struct explain_filters *f = malloc(sizeof *f + strlen(spec) + 1);

	if (!f) {
		error_set(err, "out of memory");
		return NULL;
	}
	f->filter = filter_new(spec, &settings, err);
	if (!f->filter) {
		free(f);
		x->code = CONTROL_CONFIG;
		return NULL;
	}
	memcpy(f->spec, spec, strlen(spec) + 1);
	f->journal = journal;
	f->next = x->filters;
	x->filters = f;
	return f;
}

static struct filter *filter_of(
	struct explain *x, const char *spec, bool journal, struct error *err)
{
	struct explain_filters *f = x->filters;

	while (f && (f->journal != journal || strcmp(f->spec, spec)))
		f = f->next;
	if (!f)
		f = load(x, spec, journal, err);
	return f ? f->filter : NULL;
}

void explain_filters_free(struct explain *x)
{
	while (x->filters) {
		struct explain_filters *f = x->filters;

		x->filters = f->next;
		filter_free(f->filter);
		free(f);
	}
}

/* "[2026-11-21 20:03:18] NOTICE[": logger.conf's messages and full. */
static bool is_asterisk(struct view line)
{
	static const char *const levels[] = {
		"NOTICE[", "WARNING[", "ERROR[", "SECURITY[", "VERBOSE[", "DEBUG["};
	size_t end = view_find(line, ']');

	if (view_starts(line, "[")) {
		if (end < 16 || end > 40)
			return false;
		line = view_from(line, end + 1);
		if (view_starts(line, " Asterisk "))
			return true;
		line = view_trim(line);
	}
	for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
		if (view_starts(line, levels[i]))
			return true;
	return false;
}

/* "[UUID ]2026-11-21 20:03:18.123456 [99.97% ][WARNING] sofia_reg.c:1842 " */
static bool is_freeswitch(struct view line)
{
	size_t open;

	if (line.n > 37 && line.p[8] == '-' && line.p[36] == ' ')
		line = view_from(line, 37);
	if (line.n < 40 || line.p[4] != '-' || line.p[10] != ' ' || line.p[19] != '.')
		return false;
	open = view_find(line, '[');
	line = view_from(line, open);
	line = view_from(line, view_find(line, ']'));
	return open < 40 && view_starts(line, "] ") &&
		view_find_str(view_head(line, 60), ".c:") < (line.n < 60 ? line.n : 60);
}

const char *explain_stock_filter(struct view line)
{
	return is_asterisk(line) ? "asterisk" : is_freeswitch(line) ? "freeswitch" : NULL;
}

/* --- what it did --- */

static void count(struct hits *h, const struct filter *f)
{
	struct filter_part_figures p;

	memset(h, 0, sizeof *h);
	filter_figures(f, &h->figures);
	for (unsigned part = FILTER_PREFREGEX; part <= FILTER_DATE; part++)
		for (size_t i = 0; i < SCAN_EXPRESSIONS &&
			filter_part(f, (enum filter_part)part, i, &p);
			i++) {
			h->of[part][i] = p.hits;
			if (part == FILTER_DATE)
				h->date[i] = p.text;
		}
}

/* The text of the part that matched since; *number from 1. NULL: none did. */
static const char *changed(const struct filter *f, const struct hits *before,
	enum filter_part part, size_t *number)
{
	struct filter_part_figures p;

	for (size_t i = 0; i < SCAN_EXPRESSIONS && filter_part(f, part, i, &p); i++) {
		size_t was = i;

		if (part == FILTER_DATE)
			for (was = 0; was + 1 < SCAN_EXPRESSIONS && before->date[was] &&
				strcmp(before->date[was], p.text);)
				was++;
		*number = i + 1;
		if (p.hits > before->of[part][was])
			return p.text;
	}
	return NULL;
}

/* The filter's own text, which is shown as it stands there when it can be. */
static void put_own(json_t *fields, const char *name, const char *text)
{
	bool clean = text_is_clean(view_str(text));

	json_object_set_new(
		fields, name, json_string(clean ? text : explain_text(view_str(text))));
}

/* "3: EXPRESSION" */
static void put_expression(
	json_t *fields, const char *name, size_t number, const char *text)
{
	char numbered[2048];

	snprintf(numbered, sizeof numbered, "%zu: %.2000s", number, text);
	put_own(fields, name, numbered);
}

static void put_time(json_t *fields, const char *name, usec time)
{
	time_t t = (time_t)(time / USEC_PER_SEC);
	struct tm tm;
	char text[40];

	gmtime_r(&t, &tm);
	strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
	explain_field(fields, name, view_str(text));
}

static void on_failure(void *context, const struct filter_failure *failure)
{
	struct passing *p = context;

	explain_field(p->fields, "host", failure->id);
	explain_field(p->fields, "user", failure->user);
	explain_field(p->fields, "port", failure->port);
	if (failure->timed)
		put_time(p->fields, "time", failure->time);
	p->other |= !p->observed && !filter_observation(&p->o, failure);
	p->observed |= !p->other;
}

/* What stopped a line that gave no observation. */
static const char *stopped(const struct filter *f, const struct filter_result *r,
	const struct hits *before, const struct passing *p)
{
	struct filter_figures now;

	filter_figures(f, &now);
	if (r->ignored)
		return "ignored: an ignoreregex matches it";
	if (!r->prefix)
		return "missed: prefregex does not match it, so that no failregex was tried";
	if (now.exhausted > before->figures.exhausted)
		return "missed: an expression needed too many steps for it";
	if (!r->matched)
		return filter_maxlines(f) > 1 ?
			"missed so far: no failregex matches it and the lines before it" :
			"missed: no failregex matches it";
	if (now.unnamed > before->figures.unnamed)
		return "missed: it names a host and no address, and names are not looked up";
	if (p->other)
		return "matched, but what it names is no address: nothing to ban";
	return "only remembered: a later line of the same connection may say who failed";
}

static void tell(struct passing *p, const struct filter *f, const struct hits *before,
	const struct filter_result *r, struct view line)
{
	const char *what = p->observed ? "matched by the filter" :
					 stopped(f, r, before, p);
	struct filter_part_figures part;
	char text[640];
	size_t number;
	const char *found = changed(f, before, FILTER_DATE, &number);

	explain_field(p->fields, "filter", view_str(filter_name(f)));
	put_own(p->fields, "date",
		p->dated      ? "beside the text, of the entry" :
			found ? found :
				"none was found: it counts as of now");
	if (filter_part(f, FILTER_PREFREGEX, 0, &part))
		put_own(p->fields, "prefregex", r->prefix ? "matches" : part.text);
	if (r->matched && filter_part(f, FILTER_FAILREGEX, r->matched - 1, &part))
		put_expression(p->fields, "failregex", r->matched, part.text);
	found = r->ignored ? changed(f, before, FILTER_IGNOREREGEX, &number) : NULL;
	if (found)
		put_expression(p->fields, "ignoreregex", number, found);
	snprintf(text, sizeof text, "%s: %.500s", what, explain_text(line));
	explain_read(p->x, text, p->fields);
	p->fields = NULL;
}

/* entry_time 0: the time stands in the line. */
static int pass(struct explain *x, struct filter *f, struct view line, usec entry_time,
	struct error *err)
{
	struct passing p = {.x = x, .fields = json_object(), .dated = entry_time != 0};
	struct hits *before = malloc(sizeof *before);
	struct filter_result r;
	usec now = clock_wall();

	if (!before || !p.fields) {
		free(before);
		json_decref(p.fields);
		return error_set(err, "out of memory");
	}
	count(before, f);
	r = entry_time ? filter_entry(f, line, entry_time, now, on_failure, &p) :
			 filter_line(f, line, now, on_failure, &p);
	tell(&p, f, before, &r, line);
	free(before);
	if (p.observed)
		explain_observe(x, &p.o);
	return 0;
}

int explain_filter_line(
	struct explain *x, const char *filter, struct view line, struct error *err)
{
	struct filter *f = filter_of(x, filter, false, err);

	return f ? pass(x, f, line, 0, err) : -1;
}

int explain_filter_entry(struct explain *x, const char *filter, bool journal,
	const struct log_entry *e, struct error *err)
{
	static char line[LOG_ENTRY_MAX + 1024];
	struct filter *f = filter_of(x, filter, journal, err);

	if (!f)
		return -1;
	return pass(x, f, log_entry_line(line, sizeof line, e),
		e->time ? e->time : clock_wall(), err);
}
