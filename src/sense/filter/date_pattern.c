/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/filter/date_pattern.h"
#include "base/escape.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <ctype.h>
#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>

#define PATTERN_MAX 4096

/*
 * The fields: what they are called in a pattern's name, and the expression that
 * finds them (Python's _strptime, with what fail2ban made more exact). Longer
 * keys first, so that %ExY is not %E.
 */
static const struct field {
	const char *key, *name, *regex;
} fields[] = {
	{"d", "Day", "(?P<d>[1-2]\\d|[0 ]?[1-9]|3[0-1])"},
	{"f", "Microseconds", "(?P<f>[0-9]{1,6})"},
	{"H", "24hour", "(?P<H>[0-1]?\\d|2[0-3])"},
	{"I", "12hour", "(?P<I>1[0-2]|0[1-9]|[1-9])"},
	{"G", "%G", "(?P<G>\\d\\d\\d\\d)"},
	{"j", "Yearday",
		"(?P<j>36[0-6]|3[0-5]\\d|[1-2]\\d\\d|0[1-9]\\d|00[1-9]|[1-9]\\d|0["
		"1-9]|[1-9])"},
	{"m", "Month", "(?P<m>0?[1-9]|1[0-2])"},
	{"M", "Minute", "(?P<M>[0-5]?\\d)"},
	{"S", "Second", "(?P<S>[0-5]?\\d|6[0-1])"},
	{"U", "Yearweek", "(?P<U>5[0-3]|[0-4]\\d|\\d)"},
	{"w", "Weekday", "(?P<w>[0-6])"},
	{"u", "%u", "(?P<u>[1-7])"},
	{"V", "%V", "(?P<V>5[0-3]|0[1-9]|[1-4]\\d|\\d)"},
	{"y", "Year2", "(?P<y>\\d\\d)"},
	{"Y", "Year", "(?P<Y>\\d{4})"},
	{"z", "Zone offset", "(?P<z>Z|UTC|GMT|[+-][01]\\d(?::?\\d{2})?)"},
	{"A", "DAYNAME",
		"(?P<A>wednesday|thursday|saturday|tuesday|monday|friday|sunday)"},
	{"a", "DAY", "(?P<a>mon|tue|wed|thu|fri|sat|sun)"},
	{"B", "MONTH",
		"(?P<B>september|february|november|december|january|october|a"
		"ugust|march|april|june|july|may)"},
	{"b", "MON", "(?P<b>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"},
	{"p", "AMPM", "(?P<p>am|pm)"},
	{"Z", "Zone name", "(?P<Z>Z|[A-Z]{3,5})"},
	{"%", "%", "%"},
	{"W", "Yearweek", "(?P<W>5[0-3]|[0-4]\\d|\\d)"},
	{"c", "%c",
		"(?P<a>mon|tue|wed|thu|fri|sat|sun)\\s+(?P<b>jan|feb|mar|apr|m"
		"ay|jun|jul|aug|sep|oct|nov|dec)\\s+(?P<d>3[0-1]|[1-2]\\d|0[1-9"
		"]|[1-9]| [1-9])\\s+(?P<H>2[0-3]|[0-1]\\d|\\d):(?P<M>[0-5]\\d|\\d)"
		":(?P<S>6[0-1]|[0-5]\\d|\\d)\\s+(?P<Y>\\d\\d\\d\\d)"},
	{"x", "%x",
		"(?P<m>1[0-2]|0[1-9]|[1-9])/(?P<d>3[0-1]|[1-2]\\d|0[1-9]|[1-9]"
		"| [1-9])/(?P<y>\\d\\d)"},
	{"X", "%X",
		"(?P<H>2[0-3]|[0-1]\\d|\\d):(?P<M>[0-5]\\d|\\d):(?P<S>6[0-1]|[0-5"
		"]\\d|\\d)"},
	{"k", "%k", " ?(?P<H>[0-2]?\\d)"},
	{"l", "%l", " ?(?P<I>1?\\d)"},
	{"ExZ", "ExZone name", "(?P<Z>[A-Z](?:[A-Z]{2,4})?)"},
	{"Exz", "ExZone offset",
		"(?P<z>(?:[A-Z](?:[A-Z]{2,4})?)?[+-][01]\\d(?::?\\d{2})?|[A-Z]("
		"?:[A-Z]{2,4})?)"},
	{"Exd", "ExDay", "(?P<d>[1-2]\\d|0[1-9]|3[0-1])"},
	{"Exm", "ExMonth", "(?P<m>0[1-9]|1[0-2])"},
	{"ExH", "Ex24hour", "(?P<H>[0-1]\\d|2[0-3])"},
	{"Exk", "%Exk", " ?(?P<H>[0-1]?\\d|2[0-3])"},
	{"Exl", "%Exl", " ?(?P<I>1[0-2]|\\d)"},
	{"ExM", "ExMinute", "(?P<M>[0-5]\\d)"},
	{"ExS", "ExSecond", "(?P<S>[0-5]\\d|6[0-1])"},
	{"ExY", "ExYear", "(?P<Y>%s\\d)"},
	{"Exy", "ExYear2", "(?P<y>\\d{2})"},
};

/* clang-format off */
const char *const date_patterns_default[] = {
	"%ExY(?P<_sep>[-/.])%m(?P=_sep)%d(?:T|  ?)%H:%M:%S(?:[.,]%f)?(?:\\s*%z)?",
	"(?:%a )?%b %d %k:%M:%S(?:\\.%f)?(?: %ExY)?",
	"(?:%a )?%b %d %ExY %k:%M:%S(?:\\.%f)?",
	"%d(?P<_sep>[-/])%m(?P=_sep)(?:%ExY|%Exy) %k:%M:%S",
	"%d(?P<_sep>[-/])%b(?P=_sep)%ExY[ :]?%H:%M:%S(?:\\.%f)?(?: %z)?",
	"%m/%d/%ExY:%H:%M:%S",
	"%m-%d-%ExY %k:%M:%S(?:\\.%f)?",
	"EPOCH",
	"{^LN-BEG}%H:%M:%S",
	"^<%m/%d/%Exy@%H:%M:%S>",
	"%Exy%Exm%Exd  ?%H:%M:%S",
	"%b %d, %ExY %I:%M:%S %p",
	"^%b-%d-%Exy %k:%M:%S",
	"%ExY%Exm%Exd(?:T|  ?)%ExH%ExM%ExS(?:[.,]%f)?(?:\\s*%z)?",
	"(?:%Z )?(?:%a )?%b %d %k:%M:%S(?:\\.%f)?(?: %ExY)?",
	"(?:%z )?(?:%a )?%b %d %k:%M:%S(?:\\.%f)?(?: %ExY)?",
	"TAI64N",
	NULL,
};
/* clang-format on */

/* --- small searches in patterns, which are expressions themselves --- */

/* Where a PCRE2 expression is found in text; used while loading only. */
static bool find(const char *regex, struct view text, size_t *begin, size_t *end)
{
	pcre2_match_data *found;
	pcre2_code *code;
	PCRE2_SIZE at;
	int error, rc = -1;

	code = pcre2_compile(
		(PCRE2_SPTR)regex, PCRE2_ZERO_TERMINATED, 0, &error, &at, NULL);
	found = code ? pcre2_match_data_create_from_pattern(code, NULL) : NULL;
	if (found)
		rc = pcre2_match(code, text.p ? text.p : (PCRE2_SPTR) "", text.n, 0, 0,
			found, NULL);
	if (rc > 0 && begin) {
		*begin = pcre2_get_ovector_pointer(found)[0];
		*end = pcre2_get_ovector_pointer(found)[1];
	}
	pcre2_match_data_free(found);
	pcre2_code_free(code);
	return rc > 0;
}

static bool has(const char *regex, const struct buffer *b)
{
	return find(regex, view_of(b->p, b->n), NULL, NULL);
}

/* Put text into a buffer in place of the bytes from begin to end. */
static void splice(struct buffer *b, size_t begin, size_t end, const char *text)
{
	struct buffer all = {.max = PATTERN_MAX};

	buffer_put(&all, b->p, begin);
	buffer_printf(&all, "%s", text);
	buffer_put(&all, b->p + end, b->n - end);
	all.failed |= b->failed;
	buffer_free(b);
	*b = all;
}

/* --- %-fields --- */

/* Years from the last one to three years from now, and those since 2000. */
static void put_year_regex(struct buffer *out, const char *regex, int year)
{
	bool wanted[10] = {false};
	char list[16] = "", tens[32];
	unsigned count = 0;

	for (int y = 2000; y <= year; y += 3)
		if (y >= 2000 && y < 2100)
			wanted[(y - 2000) / 10] = true;
	for (int y = year - 1; y <= year + 3; y += 4)
		if (y >= 2000 && y < 2100)
			wanted[(y - 2000) / 10] = true;
	for (unsigned i = 0; i < 10; i++)
		if (wanted[i])
			list[count++] = (char)('0' + i);
	snprintf(tens, sizeof tens, count > 1 ? "20[%s]" : "20%s", list);
	buffer_printf(out, regex, tens);
}

static const struct field *field_at(const char *at)
{
	const struct field *found = NULL;

	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
		if (strncmp(at, fields[i].key, strlen(fields[i].key)) == 0 &&
			(!found || strlen(fields[i].key) > strlen(found->key)))
			found = &fields[i];
	return found;
}

/* Write the pattern as name and as expression. Returns 0 or -1. */
static int put_fields(
	struct date_pattern *p, const char *pattern, int year, struct error *err)
{
	const struct field *f;

	while (*pattern) {
		size_t n = strcspn(pattern, "%");

		buffer_put(&p->name, pattern, n);
		buffer_put(&p->regex, pattern, n);
		pattern += n;
		if (!*pattern)
			break;
		f = field_at(pattern + 1);
		if (!f)
			return error_set(err,
				"\"%s\" is no field of a date; write %%%% for a %%",
				escaped(view_head(view_str(pattern), 4)));
		buffer_printf(&p->name, "%s", f->name);
		if (strcmp(f->key, "ExY") == 0)
			put_year_regex(&p->regex, f->regex, year);
		else
			buffer_printf(&p->regex, "%s", f->regex);
		pattern += 1 + strlen(f->key);
	}
	return 0;
}

/* --- anchors --- */

enum word_begin {
	WORD_ANYWHERE = 0,
	WORD_BEGINS,
	WORD_STARTS_LINE,
};

static void strip(struct buffer *b)
{
	struct view v = view_trim(view_of(b->p, b->n));
	size_t begin = v.n ? (size_t)(v.p - b->p) : b->n;

	b->n = begin + v.n;
	buffer_consume(b, begin);
}

/* Make sure that there is a group 1. */
static void group(struct buffer *b)
{
	size_t begin = 0, end = b->n, head = 0;

	if (has("(?<!\\(\\?)(?<!\\\\)\\((?!\\?)", b))
		return;
	find("^(?:\\(\\?\\w+\\))?\\^?(?:\\(\\?\\w+\\))?", view_of(b->p, b->n), &begin,
		&head);
	if (end > head && b->p[end - 1] == '$')
		end--;
	splice(b, end, end, ")");
	splice(b, head, head, "(");
}

/* Take "**" away, by which a pattern says that it needs no word's boundary. */
static void cut_stars(struct buffer *b)
{
	size_t begin, end;

	while (find("^\\(*(?:\\(\\?\\w+\\))?\\(*\\K\\*\\*|(?<!\\\\)\\*\\*(?=\\)*$)",
		view_of(b->p, b->n), &begin, &end))
		splice(b, begin, end, "");
}

/* Anchor the expression as its beginning and end ask for. */
static int anchor(struct date_pattern *p, enum word_begin word_begin, bool word_end,
	struct error *err)
{
	static const char start[] = "{^LN-BEG}";
	struct buffer *b = &p->regex;
	char flags[16] = "";
	size_t begin, end;
	bool bound_begin, bound_end;

	strip(b);
	if (find("\\(\\?[a-z]+\\)", view_of(b->p, b->n), &begin, &end) &&
		end - begin < sizeof flags) {
		view_copy(flags, sizeof flags, view_of(b->p + begin, end - begin));
		splice(b, begin, end, "");
	}
	bound_begin = word_begin &&
		!has("^\\(*(?:\\(\\?\\w+\\))?(?:\\^|\\(*\\*\\*|\\((?:\\?:)?\\^)", b);
	bound_end = word_end && !has("(?<!\\\\)(?:\\$\\)?|\\\\b|\\\\s|\\*\\*\\)*)$", b);
	group(b);
	if (bound_begin && word_begin == WORD_STARTS_LINE) {
		p->line_begin = true;
		splice(b, 0, 0, "^(?:\\W{0,2})?");
		if (!view_starts(view_of(p->name.p, p->name.n), start))
			splice(&p->name, 0, 0, start);
	} else if (bound_begin) {
		splice(b, 0, 0, "(?=^|\\b|\\W)");
	}
	if (bound_end)
		buffer_printf(b, "(?=\\b|\\W|$)");
	p->line_begin |= has("^(?:\\(\\?\\w+\\))?(?:\\^|\\((?:\\?:)?\\^(?!\\|))", b);
	p->line_end = has("(?<![\\\\\\|])(?:\\$\\)?)$", b);
	cut_stars(b);
	splice(b, 0, 0, flags);
	return b->failed || p->name.failed ?
		error_set(err, "the date pattern is too long") :
		0;
}

/* --- the three kinds --- */

static int make_fields(
	struct date_pattern *p, const char *pattern, int year, struct error *err)
{
	enum word_begin begin = WORD_BEGINS;
	struct view text;
	bool word_end = true;

	p->form = DATE_FIELDS;
	if (strncmp(pattern, "{UNB}", 5) == 0) {
		pattern += 5;
		begin = WORD_ANYWHERE;
		word_end = false;
	} else if (strncmp(pattern, "{^LN-BEG}", 9) == 0) {
		pattern += 9;
		begin = WORD_STARTS_LINE;
	}
	text = view_str(pattern);
	if (find("(?<!%)%[aAbBpc]", text, NULL, NULL))
		buffer_printf(&p->regex, "(?iu)");
	if (put_fields(p, pattern, year, err))
		return -1;
	return anchor(p, begin, word_end, err);
}

/* "...{EPOCH}...": the number within what stands around it. */
static int make_epoch_within(
	struct date_pattern *p, const char *pattern, struct error *err)
{
	const char *number = p->form == DATE_EPOCH_LONG ?
		"(\\d{10,11}(?:\\d{3}(?:\\.\\d{1,6}|\\d{3})?)?)" :
		"(\\d{10,11}\\b(?:\\.\\d{3,6})?)";
	size_t begin, end;

	buffer_printf(&p->name, "%s", pattern);
	buffer_printf(&p->regex, "(%s)", pattern);
	if (find("(?i)(?<!\\\\)\\{L?EPOCH\\}", view_of(p->regex.p, p->regex.n), &begin,
		    &end))
		splice(&p->regex, begin, end, number);
	p->value = 2;
	return anchor(p, WORD_BEGINS, true, err);
}

static int make_epoch(struct date_pattern *p, bool line_begin, struct error *err)
{
	const char *number = p->form == DATE_EPOCH_LONG ?
		"\\d{10,11}(?:\\d{3}(?:\\.\\d{1,6}|\\d{3})?)?" :
		"\\d{10,11}\\b(?:\\.\\d{3,6})?";

	buffer_printf(&p->name, "%s", p->form == DATE_EPOCH_LONG ? "LongEpoch" : "Epoch");
	p->value = 1;
	if (line_begin)
		buffer_printf(&p->regex, "((?P<square>(?<=^\\[))?%s)(?(square)(?=\\]))",
			number);
	else
		buffer_printf(&p->regex,
			"((?:^|(?P<square>(?<=^\\[))|(?P<selinux>(?<=\\baudit\\()))%s)"
			"(?:(?(selinux)(?=:\\d+\\)))|(?(square)(?=\\])))",
			number);
	return anchor(p, line_begin ? WORD_STARTS_LINE : WORD_ANYWHERE, true, err);
}

/* Whether text is word, {^LN-BEG}word or ^word; *line_begin says which. */
static bool is_word(const char *text, const char *word, bool *line_begin)
{
	*line_begin = true;
	if (strncmp(text, "{^LN-BEG}", 9) == 0)
		text += 9;
	else if (*text == '^')
		text++;
	else
		*line_begin = false;
	return strcmp(text, word) == 0;
}

int date_pattern_make(
	struct date_pattern *p, const char *pattern, int year, struct error *err)
{
	char key[64];
	bool line_begin;

	memset(p, 0, sizeof *p);
	p->name.max = p->regex.max = PATTERN_MAX;
	view_copy(key, sizeof key, view_str(pattern));
	for (char *s = key; *s && !strchr(pattern, '%'); s++)
		*s = (char)toupper((unsigned char)*s);
	if (strcasestr(pattern, "EPOCH")) {
		bool within = find(
			"(?i)(?<!\\\\)\\{L?EPOCH\\}", view_str(pattern), NULL, NULL);

		p->form = strcasestr(pattern, "LEPOCH") ? DATE_EPOCH_LONG : DATE_EPOCH;
		if (within)
			return make_epoch_within(p, pattern, err);
		if (is_word(key, p->form == DATE_EPOCH ? "EPOCH" : "LEPOCH", &line_begin))
			return make_epoch(p, line_begin, err);
	}
	if (is_word(key, "TAI64N", &line_begin)) {
		p->form = DATE_TAI64N;
		buffer_printf(&p->name, "TAI64N");
		buffer_printf(&p->regex, "@[0-9a-f]{24}");
		return anchor(
			p, line_begin ? WORD_STARTS_LINE : WORD_ANYWHERE, true, err);
	}
	return make_fields(p, pattern, year, err);
}

void date_pattern_free(struct date_pattern *p)
{
	buffer_free(&p->name);
	buffer_free(&p->regex);
}
