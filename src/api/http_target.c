/* SPDX-License-Identifier: Apache-2.0 */
#include "api/http_target.h"

#include "base/escape.h"
#include "base/hex.h"

/* What a URI's path and query may hold (RFC 3986), a little more widely. */
static bool is_uri_byte(uint8_t c)
{
	return c > 0x20 && c < 0x7f && c != '"' && c != '<' && c != '>' && c != '\\' &&
		c != '^' && c != '`' && c != '{' && c != '|' && c != '}' && c != '#';
}

/* Decode %XX in place. Returns 0, or -1 for a bad escape or an unfit character. */
static int decode(char *text)
{
	char *to = text;

	for (const char *from = text; *from; from++) {
		int high, low;

		if (*from != '%') {
			*to++ = *from;
			continue;
		}
		high = hex_digit((uint8_t)from[1]);
		low = high < 0 ? -1 : hex_digit((uint8_t)from[2]);
		if (low < 0 || !(high | low))
			return -1;
		*to++ = (char)(high << 4 | low);
		from += 2;
	}
	*to = 0;
	return text_is_clean(view_str(text)) ? 0 : -1;
}

/* One "name=value" or "name", NUL-terminated. */
static int add(struct http_target *t, char *item, struct error *err)
{
	char *equal = strchr(item, '='), *value = item + strlen(item);

	if (!*item)
		return 0; /* "a=1&&b=2" */
	if (equal) {
		*equal = 0;
		value = equal + 1;
	}
	if (decode(item) || decode(value) || !*item) {
		error_set(err,
			"the query holds a bad escape, a control character or no UTF-8");
		return 400;
	}
	if (http_parameter(t, item)) {
		error_set(err, "parameter %s is given twice", escaped(view_str(item)));
		return 400;
	}
	if (t->count == HTTP_PARAMETERS_MAX) {
		error_set(err, "more than %d parameters", HTTP_PARAMETERS_MAX);
		return 400;
	}
	t->parameters[t->count++] = (struct http_parameter){item, value};
	return 0;
}

int http_target_parse(struct http_target *out, struct view raw, struct error *err)
{
	char *query, *next;
	int status = 0;

	out->count = 0;
	out->path = "";
	if (raw.n > HTTP_TARGET_MAX) {
		error_set(err, "the target is longer than %d bytes", HTTP_TARGET_MAX);
		return 414;
	}
	for (size_t i = 0; i < raw.n; i++) {
		if (!is_uri_byte(raw.p[i])) {
			error_set(err, "the target holds a byte that no URI may hold");
			return 400;
		}
		out->text[i] = (char)raw.p[i];
	}
	out->text[raw.n] = 0;
	out->path = out->text;
	query = strchr(out->text, '?');
	if (!query)
		return 0;
	*query++ = 0;
	for (; query && !status; query = next) {
		next = strchr(query, '&');
		if (next)
			*next++ = 0;
		status = add(out, query, err);
	}
	return status;
}

const char *http_parameter(const struct http_target *t, const char *name)
{
	for (unsigned i = 0; i < t->count; i++)
		if (!strcmp(t->parameters[i].name, name))
			return t->parameters[i].value;
	return NULL;
}

const char *http_parameter_unknown(const struct http_target *t, const char *const *names)
{
	for (unsigned i = 0; i < t->count; i++) {
		const char *const *n = names;

		while (*n && strcmp(*n, t->parameters[i].name) != 0)
			n++;
		if (!*n)
			return t->parameters[i].name;
	}
	return NULL;
}
