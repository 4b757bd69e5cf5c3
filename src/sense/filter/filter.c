/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/filter/filter.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/escape.h"
#include "sense/filter/python_regex.h"
#include "sense/filter/state.h"

#define TEXT_MAX (1u << 16)

/* In the order of enum filter_name. */
static const char *const names[NAME_COUNT] = {"ip4", "ip6", "dns", "cidr", "fid", "user",
	"mlfid", "nofail", "mlfgained", "mlfforget", "content", "fport"};

/* The number of a name, given one when it is new. NAMES_MAX: too many. */
static unsigned name_number(struct filter *f, const char *name)
{
	for (unsigned i = 0; i < f->names_count; i++)
		if (strcmp(f->names[i], name) == 0)
			return i;
	if (f->names_count == NAMES_MAX)
		return NAMES_MAX;
	f->names[f->names_count] = pool_text(&f->definition.pool, view_str(name));
	return f->names[f->names_count] ? f->names_count++ : NAMES_MAX;
}

/* "alt_user_1": user; for what is no alternate, "". */
static void alternate_of(char *dst, size_t size, const char *name)
{
	struct view v = view_str(name);
	size_t digits = 0;

	*dst = 0;
	if (!view_starts(v, "alt_"))
		return;
	v = view_from(v, 4);
	while (digits < v.n && v.p[v.n - 1 - digits] >= '0' &&
		v.p[v.n - 1 - digits] <= '9')
		digits++;
	if (digits && digits < v.n && v.p[v.n - 1 - digits] == '_')
		v.n -= digits + 1;
	view_copy(dst, size, v);
	if (strcmp(dst, "id") == 0 || strcmp(dst, "port") == 0)
		snprintf(dst, size, "f%.*s", (int)v.n, v.p);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Groups named alt_..., in the order of their names. Returns 0 or -1. */
static int take_alternates(struct filter *f, struct filter_expression *e)
{
	const char *sorted[NAMES_MAX];
	unsigned count = 0;
	char to[64];

	for (unsigned g = 1; g <= e->groups; g++) {
		const char *name = expression_group_name(e->expression, g);

		if (name && strncmp(name, "alt_", 4) == 0 && count < NAMES_MAX)
			sorted[count++] = name;
	}
	if (!count)
		return 0;
	qsort(sorted, count, sizeof sorted[0], by_name);
	e->alternates = calloc(count, sizeof *e->alternates);
	if (!e->alternates)
		return -1;
	for (unsigned i = 0; i < count; i++) {
		unsigned from = name_number(f, sorted[i]), into;

		alternate_of(to, sizeof to, sorted[i]);
		into = name_number(f, to);
		if (from == NAMES_MAX || into == NAMES_MAX)
			return -1;
		e->alternates[e->alternates_count].from = (uint8_t)from;
		e->alternates[e->alternates_count++].to = (uint8_t)into;
	}
	return 0;
}

/* Compile one expression of the filter. Returns 0 or -1 with a text. */
static int make(struct filter *f, struct filter_expression *e, struct view shown,
	const char *what, const struct definition_text *from, struct error *err)
{
	struct buffer text = {.max = TEXT_MAX};
	bool multiline = f->definition.maxlines > 1 && strncmp(what, "failregex", 9) == 0;
	int rc = -1;

	e->shown = calloc(1, shown.n + 1);
	if (!e->shown) {
		error_set(err, "out of memory");
		goto done;
	}
	memcpy(e->shown, shown.p, shown.n);
	regex_put_tags(&text, e->shown);
	if (buffer_put_u8(&text, 0)) {
		error_set(err, "%s:%u: %s is longer than %u bytes", from->file,
			from->line, what, TEXT_MAX);
		goto done;
	}
	e->expression = expression_new(
		(char *)text.p, what, from->file, from->line, multiline, err);
	if (!e->expression)
		goto done;
	e->groups = expression_groups(e->expression);
	e->name = malloc(e->groups + 1);
	if (!e->name) {
		error_set(err, "out of memory");
		goto done;
	}
	for (unsigned g = 0; g <= e->groups; g++) {
		const char *name = expression_group_name(e->expression, g);

		e->name[g] = (uint8_t)(name ? name_number(f, name) : NAMES_MAX);
	}
	rc = take_alternates(f, e);
	if (rc)
		error_set(err, "%s:%u: %s: too many named groups", from->file, from->line,
			what);
done:
	buffer_free(&text);
	return rc;
}

/* Whether it says who failed. */
static bool identifies(const struct filter_expression *e)
{
	static const char *const ids[] = {"fid", "ip4", "ip6", "dns", "mlfid"};

	for (size_t i = 0; e && i < sizeof ids / sizeof *ids; i++)
		if (expression_group_find(e->expression, ids[i]))
			return true;
	return false;
}

/* The lines of an option's text, an expression each. */
static int make_list(struct filter *f, struct filter_expression **list, unsigned *count,
	const struct definition_text *from, const char *what, struct error *err)
{
	struct view rest = view_str(from->text ? from->text : "");
	size_t lines = 1;
	char name[32];

	for (size_t i = 0; i < rest.n; i++)
		lines += rest.p[i] == '\n';
	*list = calloc(lines, sizeof **list);
	if (!*list)
		return error_set(err, "out of memory");
	while (rest.n) {
		struct view one = view_head(rest, view_find(rest, '\n'));

		rest = view_from(rest, one.n + 1);
		if (!one.n)
			continue;
		if (*count == SCAN_EXPRESSIONS)
			return error_set(err, "%s:%u: more than %u expressions in %s",
				from->file, from->line, SCAN_EXPRESSIONS, what);
		snprintf(name, sizeof name, "%s %u", what, *count + 1);
		if (make(f, &(*list)[(*count)++], one, name, from, err))
			return -1;
	}
	return 0;
}

static int make_all(struct filter *f, struct error *err)
{
	struct definition *d = &f->definition;

	if (d->prefregex.text && *d->prefregex.text) {
		f->prefix = calloc(1, sizeof *f->prefix);
		if (!f->prefix)
			return error_set(err, "out of memory");
		if (make(f, f->prefix, view_str(d->prefregex.text), "prefregex",
			    &d->prefregex, err))
			return -1;
	}
	if (make_list(f, &f->fail, &f->fail_count, &d->failregex, "failregex", err) ||
		make_list(f, &f->ignore, &f->ignore_count, &d->ignoreregex, "ignoreregex",
			err))
		return -1;
	if (!f->fail_count)
		return error_set(err, "%s:%u: there is no failregex",
			d->failregex.file ? d->failregex.file : d->name,
			d->failregex.line);
	for (unsigned i = 0; i < f->fail_count; i++) {
		const char *shown = f->fail[i].shown;

		if (!identifies(&f->fail[i]) && !identifies(f->prefix))
			return error_set(err,
				"%s:%u: failregex %u says nobody's address: <HOST>, "
				"<ADDR> or <F-ID> is needed: %s",
				d->failregex.file, d->failregex.line, i + 1,
				escaped(view_str(shown ? shown : "")));
	}
	return 0;
}

/* What lines must hold, so that the others need not be looked at. */
static int make_scan(struct filter *f, struct error *err)
{
	struct literals *all = calloc(f->fail_count, sizeof *all),
			prefix = {.nocase = false};

	if (!all)
		return error_set(err, "out of memory");
	if (f->prefix)
		literals_find(&prefix, expression_text(f->prefix->expression));
	for (unsigned i = 0; i < f->fail_count; i++) {
		literals_find(&all[i], expression_text(f->fail[i].expression));
		if (!all[i].first.count)
			all[i] = prefix;
	}
	f->scan = scan_new(all, f->fail_count);
	free(all);
	return f->scan ? 0 : error_set(err, "out of memory");
}

static int year_of(usec now)
{
	time_t t = (time_t)(now / USEC_PER_SEC);
	struct tm tm;

	memset(&tm, 0, sizeof tm);
	localtime_r(&t, &tm);
	return tm.tm_year + 1900;
}

struct filter *filter_new(
	const char *spec, const struct filter_settings *settings, struct error *err)
{
	struct filter *f = calloc(1, sizeof *f);

	if (!f) {
		error_set(err, "out of memory");
		return NULL;
	}
	f->settings = *settings;
	if (definition_load(
		    &f->definition, spec, settings->folders, settings->journal, err)) {
		free(f);
		return NULL;
	}
	for (; f->names_count < NAME_COUNT; f->names_count++)
		f->names[f->names_count] = names[f->names_count];
	if (make_all(f, err))
		goto fail;
	f->dates = date_detector_new(f->definition.datepattern.text,
		f->definition.datepattern.file, f->definition.datepattern.line,
		year_of(settings->now), err);
	if (!f->dates)
		goto fail;
	if (f->definition.maxlines > 1) {
		f->lines = multiline_new(f->definition.maxlines);
		if (!f->lines) {
			error_set(err, "out of memory");
			goto fail;
		}
	} else if (!settings->test && !settings->explain && make_scan(f, err)) {
		goto fail;
	}
	return f;
fail:
	error_prefix(err, "filter %s", escaped(view_str(spec)));
	filter_free(f);
	return NULL;
}

static void expressions_free(struct filter_expression *list, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		expression_free(list[i].expression);
		free(list[i].shown);
		free(list[i].name);
		free(list[i].alternates);
	}
	free(list);
}

void filter_free(struct filter *f)
{
	if (!f)
		return;
	connections_free(f);
	multiline_free(f->lines);
	scan_free(f->scan);
	date_detector_free(f->dates);
	expressions_free(f->prefix, f->prefix ? 1 : 0);
	expressions_free(f->fail, f->fail_count);
	expressions_free(f->ignore, f->ignore_count);
	buffer_free(&f->repaired);
	buffer_free(&f->text);
	buffer_free(&f->content);
	definition_free(&f->definition);
	free(f);
}

/* --- what it did --- */

bool filter_part(const struct filter *f, enum filter_part part, size_t i,
	struct filter_part_figures *out)
{
	const struct filter_expression *list = part == FILTER_PREFREGEX ? f->prefix :
		part == FILTER_FAILREGEX                                ? f->fail :
									  f->ignore;
	size_t count = part == FILTER_PREFREGEX ? f->prefix != NULL :
		part == FILTER_FAILREGEX        ? f->fail_count :
						  f->ignore_count;

	memset(out, 0, sizeof *out);
	if (part == FILTER_DATE) {
		if (i >= date_detector_count(f->dates))
			return false;
		out->text = date_detector_name(f->dates, i);
		out->hits = date_detector_hits(f->dates, i);
		return true;
	}
	if (i >= count)
		return false;
	out->text = list[i].shown;
	out->hits = list[i].hits;
	out->exhausted = expression_exhausted(list[i].expression);
	out->off = expression_is_off(list[i].expression);
	return true;
}

void filter_figures(const struct filter *f, struct filter_figures *out)
{
	static const enum filter_part parts[] = {
		FILTER_PREFREGEX, FILTER_FAILREGEX, FILTER_IGNOREREGEX};
	struct filter_part_figures p;

	*out = f->figures;
	out->exhausted = date_detector_exhausted(f->dates);
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		for (size_t k = 0; filter_part(f, parts[i], k, &p); k++) {
			out->exhausted += p.exhausted;
			out->off += p.off;
		}
}

struct view filter_value(
	const struct filter *f, const struct filter_failure *failure, const char *name)
{
	for (unsigned i = 0; i < f->names_count; i++)
		if (strcmp(f->names[i], name) == 0 && fail_has(failure->values, i))
			return failure->values->value[i];
	return view_of(NULL, 0);
}

struct view filter_user(const struct filter_failure *failure, unsigned i)
{
	return i < failure->values->users ? failure->values->user[i] : view_of(NULL, 0);
}

const char *filter_name(const struct filter *f)
{
	return f->definition.name;
}

const char *filter_journalmatch(const struct filter *f)
{
	return f->definition.journalmatch.text;
}

unsigned filter_maxlines(const struct filter *f)
{
	return f->definition.maxlines;
}
