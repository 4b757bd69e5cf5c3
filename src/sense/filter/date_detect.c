/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/filter/date_detect.h"
#include "base/clock.h"
#include "base/escape.h"
#include "sense/filter/date_template.h"
#include "sense/filter/date_value.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#define TEMPLATES_MAX 64
#define PATTERN_MAX   2048
#define NOWHERE       SIZE_MAX
#define UNUSED_AFTER  (300 * (int64_t)USEC_PER_SEC)
#define CACHED        64 /* bytes of a date's text, up to its last field */

/* A character beside a date; NOTHING: the line's beginning or end. */
#define NOTHING (-1)

struct date_detector {
	struct date_template *list[TEMPLATES_MAX]; /* in the order of trying */
	size_t count, first_unused, last;
	/* Where the last date stood, and the characters around both its ends. */
	size_t begin, end;
	int before, first, final, after;
	/* The last date: the places of its fields, from its beginning, and their text. */
	struct {
		const struct date_template *of;
		int64_t value;
		uint8_t n;
		char text[CACHED];
		struct {
			uint8_t begin, end; /* both 0: not set */
		} field[sizeof DATE_LETTERS];
	} cache;
};

/* --- making --- */

/* Add one, unless one of its name is there. Returns 0 or -1. */
static int add(struct date_detector *d, const char *pattern, double weight,
	bool line_begin, const char *file, unsigned line, int year, struct error *err)
{
	struct date_template *t = date_template_new(pattern, file, line, year, err);

	if (!t)
		return -1;
	for (size_t i = 0; i < d->count; i++)
		if (view_eq(date_template_name(d->list[i]), date_template_name(t)))
			goto unwanted;
	if (line_begin && !t->pattern.line_begin)
		goto unwanted;
	if (d->count == TEMPLATES_MAX) {
		date_template_free(t);
		return error_set(err, "%s:%u: more than %u date patterns",
			file ? file : "-", line, TEMPLATES_MAX);
	}
	t->weight = weight;
	d->list[d->count++] = t;
	return 0;
unwanted:
	date_template_free(t);
	return 0;
}

/* A pattern without the anchors that date_pattern_make() puts or knows. */
static struct view unbound(const char *pattern)
{
	static const char *const heads[] = {
		"{UNB}", "{^LN-BEG}", "(?:^|\\b|\\W)", "(^|\\b|\\W)"};
	struct view v = view_str(pattern);

	for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
		if (view_starts(v, heads[i]))
			v = view_from(v, strlen(heads[i]));
	return v;
}

/* A default template's name for those that are no fields. */
static const char *word_of(const char *pattern)
{
	return strcmp(pattern, "EPOCH") == 0 ? "Epoch" : pattern;
}

/* The defaults; each that is not anchored also anchored, and those first. */
static int add_defaults(struct date_detector *d, bool line_begin, const char *file,
	unsigned line, int year, struct error *err)
{
	char anchored[PATTERN_MAX];

	for (const char *const *p = date_patterns_default; *p; p++) {
		if (strncmp(*p, "{^LN-BEG}", 9) == 0 || **p == '^')
			continue;
		snprintf(anchored, sizeof anchored, "{^LN-BEG}%s", *p);
		if (add(d, anchored, 100, line_begin, file, line, year, err))
			return -1;
	}
	for (const char *const *p = date_patterns_default; *p; p++)
		if (add(d, *p, 1, line_begin, file, line, year, err))
			return -1;
	return 0;
}

/* "...{DATE}...": each default in that place. */
static int add_around(struct date_detector *d, const char *pattern, const char *file,
	unsigned line, int year, struct error *err)
{
	const char *at = strcasestr(pattern, "{DATE}");
	char whole[PATTERN_MAX];

	for (const char *const *p = date_patterns_default; *p; p++) {
		struct view inner = unbound(strchr(*p, '%') ? *p : word_of(*p));
		int n = snprintf(whole, sizeof whole, "%.*s%.*s%s", (int)(at - pattern),
			pattern, (int)inner.n, (const char *)inner.p, at + 6);

		if (n < 0 || n >= (int)sizeof whole)
			return error_set(err, "%s:%u: the date pattern is too long",
				file ? file : "-", line);
		if (add(d, whole, 1, false, file, line, year, err))
			return -1;
	}
	return 0;
}

static int add_line(struct date_detector *d, struct view text, const char *file,
	unsigned line, int year, struct error *err)
{
	char pattern[PATTERN_MAX];

	if (text.n >= sizeof pattern)
		return error_set(err, "%s:%u: the date pattern is too long",
			file ? file : "-", line);
	view_copy(pattern, sizeof pattern, text);
	if (strcasecmp(pattern, "{^LN-BEG}") == 0)
		return add_defaults(d, true, file, line, year, err);
	if (strcasecmp(pattern, "{DEFAULT}") == 0)
		return add_defaults(d, false, file, line, year, err);
	if (strcasecmp(pattern, "{NONE}") == 0)
		return add(d, "{UNB}^", 1, false, file, line, year, err);
	if (strchr(pattern, '%') ? strstr(pattern, "{DATE}") :
				   strcasestr(pattern, "{DATE}"))
		return add_around(d, pattern, file, line, year, err);
	return add(d, pattern, 1, false, file, line, year, err);
}

struct date_detector *date_detector_new(
	const char *pattern, const char *file, unsigned line, int year, struct error *err)
{
	struct date_detector *d = calloc(1, sizeof *d);
	struct view rest = view_str(pattern ? pattern : "");

	if (!d) {
		error_set(err, "out of memory");
		return NULL;
	}
	d->last = NOWHERE;
	d->begin = 1;
	d->end = DATE_FAR;
	d->before = d->first = d->final = d->after = NOTHING - 1;
	while (rest.n) {
		struct view one = view_trim(view_head(rest, view_find(rest, '\n')));

		rest = view_from(rest, view_find(rest, '\n') + 1);
		if (one.n && add_line(d, one, file, line, year, err))
			goto fail;
	}
	if (!d->count && add_defaults(d, false, file, line, year, err))
		goto fail;
	return d;
fail:
	date_detector_free(d);
	return NULL;
}

void date_detector_free(struct date_detector *d)
{
	if (!d)
		return;
	for (size_t i = 0; i < d->count; i++)
		date_template_free(d->list[i]);
	free(d);
}

/* --- finding --- */

static int char_at(const struct subject *s, size_t at)
{
	return at < s->n ? s->p[at] : NOTHING;
}

static int char_before(const struct subject *s, size_t at)
{
	return at ? char_at(s, at - 1) : NOTHING;
}

static bool match(struct date_template *t, const struct subject *s, size_t from,
	size_t *begin, size_t *end)
{
	if (!expression_search(t->expression, s, from))
		return false;
	expression_group(t->expression, 0, begin, end);
	t->found++;
	return true;
}

/*
 * Whether the characters around the place of the last date are as they were;
 * those inside it count when they are no letters or digits.
 */
static bool same_place(const struct date_detector *d, const struct subject *s)
{
	bool left = char_before(s, d->begin) == d->before ||
		(char_at(s, d->begin) == d->first && d->first >= 0 && !isalnum(d->first));
	bool right = char_at(s, d->end) == d->after ||
		(char_before(s, d->end) == d->final && d->final >= 0 &&
			!isalnum(d->final));

	return left && right;
}

/* What was found, and by which template. */
struct candidate {
	size_t i, begin, end;
	size_t from, limit; /* what was searched */
};

/*
 * The last template first. Returns whether it is the answer; *skip is the
 * template that need not be tried again, *reserve what was found elsewhere.
 */
static bool match_last(struct date_detector *d, const struct subject *s,
	struct candidate *c, size_t *skip, struct candidate *reserve)
{
	struct date_template *t;
	bool found;

	*skip = NOWHERE;
	if (d->last >= d->count)
		return false;
	t = d->list[d->last];
	*c = (struct candidate){.i = d->last, .limit = s->n};
	if (!t->anchored && same_place(d, s)) {
		struct subject head = *s;

		if (d->end < head.n)
			head.n = d->end;
		c->from = d->begin;
		c->limit = head.n;
		found = match(t, &head, d->begin, &c->begin, &c->end);
	} else {
		*skip = d->last;
		found = match(t, s, 0, &c->begin, &c->end);
	}
	if (!found)
		return false;
	if (d->count == 1 || t->anchored || (c->begin == d->begin && c->end == d->end))
		return true;
	*reserve = *c;
	return false;
}

/* Any template. Returns whether one was found. */
static bool match_any(struct date_detector *d, const struct subject *s, size_t skip,
	struct candidate *c, struct candidate *reserve)
{
	struct subject searched = *s;

	*c = (struct candidate){.limit = s->n};
	for (size_t i = 0; i < d->count; i++) {
		struct date_template *t = d->list[i];

		if (i == skip || !match(t, s, 0, &c->begin, &c->end))
			continue;
		c->i = i;
		if (i + 1 == d->count || t->anchored ||
			(c->begin == 0 && t->hits && !d->list[i + 1]->found))
			return true;
		if (c->begin > t->distance || c->begin > d->begin) {
			/* Further away than it used to be: perhaps not the date. */
			if (c->begin < reserve->begin)
				*reserve = *c;
			continue;
		}
		return true;
	}
	if (reserve->begin == DATE_FAR)
		return false;
	*c = *reserve;
	/* Others were searched since: its groups are needed again. */
	searched.n = c->limit;
	return expression_search(d->list[c->i]->expression, &searched, c->from);
}

static double weight(const struct date_template *t)
{
	return (double)t->hits * t->weight / (double)(t->distance > 1 ? t->distance : 1);
}

static bool may_pass(const struct date_template *t, const struct date_template *other)
{
	return weight(t) > weight(other) || t->used - UNUSED_AFTER > other->used;
}

/* Move a template forward when it is used more than those before it. */
static size_t reorder(struct date_detector *d, size_t i)
{
	struct date_template *t = d->list[i];
	size_t to = d->first_unused < i ? d->first_unused : i / 2;

	if (!may_pass(t, d->list[to])) {
		if (to == i - 1)
			return i;
		to = i - 1;
		if (!may_pass(t, d->list[to]))
			return i;
	}
	memmove(d->list + to + 1, d->list + to, (i - to) * sizeof d->list[0]);
	d->list[to] = t;
	while (d->first_unused < d->count && d->list[d->first_unused]->hits)
		d->first_unused++;
	return to;
}

/* Remember what was found. */
static void won(struct date_detector *d, const struct subject *s,
	const struct candidate *c, int64_t now)
{
	struct date_template *t = d->list[c->i];
	size_t i = c->i;

	t->hits++;
	t->used = now;
	t->distance = c->begin;
	if (d->first_unused == i)
		d->first_unused++;
	d->begin = c->begin;
	d->before = char_before(s, c->begin);
	d->first = char_at(s, c->begin);
	d->end = c->end;
	d->final = char_before(s, c->end);
	d->after = char_at(s, c->end);
	if (i && i != d->last)
		i = reorder(d, i);
	d->last = i;
}

/* --- the date --- */

static struct view group_text(
	const struct date_template *t, const struct subject *s, unsigned group)
{
	size_t begin, end;

	return group && expression_group(t->expression, group, &begin, &end) ?
		view_of(s->p + begin, end - begin) :
		view_of(NULL, 0);
}

/* The date's value. Returns 0 or -1. */
static int value_of(const struct date_template *t, const struct subject *s,
	struct view text, int64_t now, int64_t *value, bool *fixed)
{
	struct date_fields f;

	*fixed = true;
	if (t->pattern.form == DATE_TAI64N)
		return date_value_tai64n(value, text);
	if (t->pattern.form != DATE_FIELDS)
		return date_value_epoch(value, group_text(t, s, t->pattern.value),
			t->pattern.form == DATE_EPOCH_LONG);
	for (const char *letter = DATE_LETTERS; *letter; letter++)
		f.field[(unsigned char)*letter] = group_text(
			t, s, t->group[(unsigned char)*letter]);
	return date_value(value, fixed, &f, now);
}

/* Whether the fields of the date at hand are where and what the last one's were. */
static bool is_cached(const struct date_detector *d, const struct date_template *t,
	const struct subject *s, size_t from)
{
	size_t begin, end;

	if (d->cache.of != t || s->n - from < d->cache.n)
		return false;
	for (unsigned i = 0; t->letters[i]; i++) {
		unsigned group = t->group[(unsigned char)t->letters[i]];

		if (!expression_group(t->expression, group, &begin, &end))
			begin = end = from;
		if (begin - from != d->cache.field[i].begin ||
			end - from != d->cache.field[i].end)
			return false;
	}
	return memcmp(d->cache.text, s->p + from, d->cache.n) == 0;
}

static void put_in_cache(struct date_detector *d, const struct date_template *t,
	const struct subject *s, size_t from, int64_t value)
{
	size_t begin, end, n = 0;

	d->cache.of = NULL;
	for (unsigned i = 0; t->letters[i]; i++) {
		unsigned group = t->group[(unsigned char)t->letters[i]];

		if (!expression_group(t->expression, group, &begin, &end))
			begin = end = from;
		if (begin < from || end - from > CACHED)
			return;
		d->cache.field[i].begin = (uint8_t)(begin - from);
		d->cache.field[i].end = (uint8_t)(end - from);
		n = end - from > n ? end - from : n;
	}
	d->cache.of = t;
	d->cache.value = value;
	d->cache.n = (uint8_t)n;
	memcpy(d->cache.text, s->p + from, n);
}

static bool cached_value(struct date_detector *d, const struct date_template *t,
	const struct subject *s, struct view text, int64_t now, int64_t *value)
{
	size_t from = (size_t)(text.p - s->p);
	bool fixed;

	/*
	 * Nearly every line of a busy log has the date of the one before it, but for
	 * parts of a second, which are no field.
	 */
	if (is_cached(d, t, s, from)) {
		*value = d->cache.value;
		return true;
	}
	if (value_of(t, s, text, now, value, &fixed))
		return false;
	if (fixed && t->pattern.form == DATE_FIELDS)
		put_in_cache(d, t, s, from, *value);
	return true;
}

int date_detect(struct date_detector *d, const struct subject *line, int64_t now,
	size_t *begin, size_t *end, int64_t *value, bool *valid)
{
	struct candidate c, reserve = {.begin = DATE_FAR};
	const struct date_template *t;
	size_t skip;

	if (!match_last(d, line, &c, &skip, &reserve) &&
		!match_any(d, line, skip, &c, &reserve))
		return 0;
	t = d->list[c.i];
	if (!expression_group(t->expression, 1, begin, end))
		*begin = *end = c.begin;
	*valid = *end > *begin &&
		cached_value(
			d, t, line, view_of(line->p + *begin, *end - *begin), now, value);
	won(d, line, &c, now);
	return 1;
}

size_t date_detector_count(const struct date_detector *d)
{
	return d->count;
}

const char *date_detector_name(const struct date_detector *d, size_t i)
{
	return (const char *)d->list[i]->pattern.name.p;
}

uint64_t date_detector_hits(const struct date_detector *d, size_t i)
{
	return d->list[i]->hits;
}

uint64_t date_detector_exhausted(const struct date_detector *d)
{
	uint64_t n = 0;

	for (size_t i = 0; i < d->count; i++)
		n += expression_exhausted(d->list[i]->expression);
	return n;
}
