/* SPDX-License-Identifier: Apache-2.0 */
#include "api/http_report.h"

#include <stdio.h>

#include "base/escape.h"

/*
 * Whether the text nests deeper than max: jansson itself goes 2,048 deep, each level
 * a call. Brackets within strings do not count.
 */
static bool too_deep(struct view text, unsigned max)
{
	unsigned depth = 0;
	bool quoted = false;

	for (size_t i = 0; i < text.n; i++) {
		uint8_t c = text.p[i];

		if (quoted) {
			if (c == '\\')
				i++;
			else if (c == '"')
				quoted = false;
		} else if (c == '"') {
			quoted = true;
		} else if ((c == '{' || c == '[') && ++depth > max) {
			return true;
		} else if ((c == '}' || c == ']') && depth) {
			depth--;
		}
	}
	return false;
}

/*
 * The name whose value is being read at this byte: the last string before it that a
 * colon follows. "" when there is none, or it is no clean text itself.
 */
static void name_before(char name[HTTP_REPORT_NAME], struct view text, size_t at)
{
	size_t from = 0, to = 0;
	bool quoted = false;

	name[0] = 0;
	for (size_t i = 0; i < text.n && i < at; i++) {
		uint8_t c = text.p[i];

		if (quoted && c == '\\') {
			i++;
		} else if (c == '"') {
			quoted = !quoted;
			*(quoted ? &from : &to) = quoted ? i + 1 : i;
		} else if (!quoted && c == ':' && to >= from) {
			struct view v = view_head(view_from(text, from), to - from);

			name[0] = 0;
			if (v.n < HTTP_REPORT_NAME && text_is_clean(v))
				view_copy(name, HTTP_REPORT_NAME, v);
		}
	}
}

json_t *http_reports_load(
	struct view body, char name[HTTP_REPORT_NAME], struct error *err)
{
	json_error_t e;
	json_t *root;

	name[0] = 0;
	if (too_deep(body, HTTP_REPORT_DEPTH)) {
		error_set(err, "the body nests deeper than %d", HTTP_REPORT_DEPTH);
		return NULL;
	}
	root = json_loadb(
		body.p ? (const char *)body.p : "", body.n, JSON_REJECT_DUPLICATES, &e);
	if (!root && json_error_code(&e) == json_error_invalid_utf8) {
		name_before(name, body, (size_t)e.position);
		error_set(err, "the body is no UTF-8: line %d, column %d", e.line,
			e.column);
	} else if (!root)
		error_set(err, "the body is no JSON: line %d, column %d: %s", e.line,
			e.column, escaped(view_str(e.text)));
	return root;
}

int http_reports_list(
	const json_t *root, size_t *count, const char **field, struct error *err)
{
	const json_t *list = json_object_get(root, "reports");

	*field = "reports";
	if (!json_is_object(root)) {
		*field = "";
		return error_set(err,
			"the body is no object: send a report, or {\"reports\": [...]}");
	}
	*count = 1;
	if (!list)
		return 0;
	if (!json_is_array(list) || json_object_size(root) != 1)
		return error_set(err, "a batch is {\"reports\": [...]} and nothing else");
	*count = json_array_size(list);
	if (!*count || *count > HTTP_REPORTS_MAX)
		return error_set(err, "a batch has 1 to %d reports, this one has %zu",
			HTTP_REPORTS_MAX, *count);
	return 0;
}

const json_t *http_reports_at(const json_t *root, size_t i)
{
	const json_t *list = json_object_get(root, "reports");

	return list ? json_array_get(list, i) : root;
}

/* --- one entry --- */

/* Names that say the kind. */
static const struct {
	const char *name, *lead; /* lead: what the text of that kind begins with */
	uint8_t kind, other;     /* two kinds: an address of either family */
} kinds[] = {
	{"indicator", "", 0, 0},
	{"ip", "", INDICATOR_IP4, INDICATOR_IP6},
	{"number", "", INDICATOR_NUMBER, INDICATOR_NUMBER},
	{"uri", "", INDICATOR_URI, INDICATOR_URI},
	{"domain", "domain:", INDICATOR_DOMAIN, INDICATOR_DOMAIN},
	{"agent", "agent:", INDICATOR_AGENT, INDICATOR_AGENT},
};

#define KINDS (sizeof kinds / sizeof kinds[0])

static int take_indicator(
	struct http_report *out, size_t k, const json_t *value, struct error *err)
{
	char text[INDICATOR_SOURCE_TEXT + 16];
	const char *given = json_string_value(value);

	if (!given || strlen(given) > INDICATOR_SOURCE_TEXT)
		return error_set(
			err, "must be a text of at most %d bytes", INDICATOR_SOURCE_TEXT);
	snprintf(text, sizeof text, "%s%s",
		strncmp(given, kinds[k].lead, strlen(kinds[k].lead)) ? kinds[k].lead : "",
		given);
	if (indicator_parse(&out->indicator, out->canonical, view_str(text), err))
		return -1;
	if (kinds[k].kind && out->indicator.kind != kinds[k].kind &&
		out->indicator.kind != kinds[k].other)
		return error_set(err, "\"%s\" is of kind %s", escaped(view_str(given)),
			indicator_kind_name(out->indicator.kind));
	return 0;
}

static int take_category(struct http_report *out, const json_t *value, struct error *err)
{
	const char *name = json_string_value(value);
	int category = name ? category_parse(view_str(name)) : -1;

	if (category <= CATEGORY_NONE || category == CATEGORY_OBJECTION)
		return error_set(err, "no such category: %s",
			escaped(view_str(name ? name : "(no text)")));
	out->category = (uint8_t)category;
	return 0;
}

static int take_ttl(struct http_report *out, const json_t *value, struct error *err)
{
	json_int_t ttl = json_integer_value(value);

	if (!json_is_integer(value) || ttl < 1 || ttl > HTTP_REPORT_TTL_MAX)
		return error_set(
			err, "must be a number of seconds, 1 to %d", HTTP_REPORT_TTL_MAX);
	out->ttl = (uint32_t)ttl;
	return 0;
}

static int take_note(struct http_report *out, const json_t *value, struct error *err)
{
	const char *note = json_string_value(value);

	if (!note || strlen(note) >= sizeof out->note || !text_is_clean(view_str(note)))
		return error_set(err, "must be at most %zu bytes of printable text",
			sizeof out->note - 1);
	snprintf(out->note, sizeof out->note, "%s", note);
	return 0;
}

/* One name and its value; *named: a name that says what is reported was there. */
static int take(struct http_report *out, const char *name, const json_t *value,
	bool *named, struct error *err)
{
	for (size_t k = 0; k < KINDS; k++) {
		if (strcmp(name, kinds[k].name) != 0)
			continue;
		if (*named)
			return error_set(err, "names a second indicator; write one");
		*named = true;
		return take_indicator(out, k, value, err);
	}
	if (!strcmp(name, "category"))
		return take_category(out, value, err);
	if (!strcmp(name, "ttl"))
		return take_ttl(out, value, err);
	if (!strcmp(name, "note"))
		return take_note(out, value, err);
	return error_set(err,
		"no such field; there are indicator (or ip, number, uri, domain, agent), "
		"category, ttl, note");
}

int http_report_parse(struct http_report *out, const json_t *entry, const char **field,
	struct error *err)
{
	bool named = false;
	json_t *value;
	const char *name;

	memset(out, 0, sizeof *out);
	out->category = CATEGORY_OTHER;
	*field = "";
	if (!json_is_object(entry))
		return error_set(err, "a report is an object");
	/* The iterator takes what it may not change. */
	json_object_foreach((json_t *)(uintptr_t)entry, name, value)
	{
		*field = name;
		if (take(out, name, value, &named, err))
			return -1;
	}
	*field = "indicator";
	return named ? 0 : error_set(err, "is missing");
}
