/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/filter/python_regex.h"
#include "base/escape.h"

#include <ctype.h>
#include <stdio.h>

/* --- fail2ban's tags --- */

static const struct {
	const char *name, *regex;
} tags[] = {
	{"HOST", REGEX_HOST},
	{"IP4", REGEX_IP4},
	{"F-IP4/", REGEX_IP4},
	{"IP6", REGEX_IP6},
	{"F-IP6/", REGEX_IP6},
	{"ADDR", REGEX_ADDR},
	{"F-ADDR/", REGEX_ADDR},
	{"CIDR", REGEX_CIDR},
	{"F-CIDR/", REGEX_CIDR},
	{"SUBNET", REGEX_SUBNET},
	{"F-SUBNET/", REGEX_SUBNET},
	{"DNS", REGEX_DNS},
	{"F-DNS/", REGEX_DNS},
	{"F-ID/", "(?P<fid>\\S+)"},
	{"F-PORT/", "(?P<fport>\\w+)"},
};

#define OPEN_MAX_TAGS 32

/* <F-...> tags opened so far in one expression. */
struct opened {
	struct view name[OPEN_MAX_TAGS];
	size_t count;
	unsigned skiplines;
};

static bool was_opened(const struct opened *o, struct view name)
{
	for (size_t i = 0; i < o->count; i++)
		if (view_eq(o->name[i], name))
			return true;
	return false;
}

/* The name of a group: F-ID and F-PORT have others. */
static int put_group_name(struct buffer *out, struct view name)
{
	if (view_eq_nocase(name, "id"))
		return buffer_printf(out, "fid");
	if (view_eq_nocase(name, "port"))
		return buffer_printf(out, "fport");
	for (size_t i = 0; i < name.n; i++)
		buffer_put_u8(out, (uint8_t)tolower(name.p[i]));
	return out->failed ? -1 : 0;
}

/* <F-NAME> or </F-NAME>, in capitals. Returns whether it was one. */
static bool put_custom(struct buffer *out, struct view tag, struct opened *opened)
{
	bool closes = tag.p[0] == '/';
	struct view name = view_from(tag, closes ? 3 : 2);

	if (!view_starts(view_from(tag, closes), "F-") || !name.n)
		return false;
	for (size_t i = 0; i < name.n; i++)
		if (!isupper(name.p[i]) && !isdigit(name.p[i]) && name.p[i] != '_' &&
			name.p[i] != '-')
			return false;
	if (closes) {
		if (!was_opened(opened, name))
			return false;
		buffer_put_u8(out, ')');
		return true;
	}
	if (opened->count < OPEN_MAX_TAGS)
		opened->name[opened->count++] = name;
	buffer_printf(out, "(?P<");
	put_group_name(out, name);
	buffer_put_u8(out, '>');
	return true;
}

static bool put_tag(struct buffer *out, struct view tag, struct opened *opened)
{
	if (view_eq(tag, view_str("SKIPLINES"))) {
		buffer_printf(
			out, "\\n(?P<skiplines%u>(?:(?:.*\\n)*?))", opened->skiplines++);
		return true;
	}
	for (size_t i = 0; i < sizeof tags / sizeof *tags; i++)
		if (view_eq(tag, view_str(tags[i].name))) {
			buffer_printf(out, "%s", tags[i].regex);
			return true;
		}
	return put_custom(out, tag, opened);
}

/* The bytes of "</?[\w-]+/?>" at text, or 0. */
static size_t tag_length(const char *text)
{
	size_t n = 1, words;

	n += text[n] == '/';
	for (words = 0;
		isalnum((unsigned char)text[n]) || text[n] == '_' || text[n] == '-';
		words++)
		n++;
	n += text[n] == '/';
	return words && text[n] == '>' ? n + 1 : 0;
}

/* The bytes of "(?:" or "(" before "(?flags)", at text, or 0; *flags its bytes. */
static size_t global_flags(const char *text, size_t *flags)
{
	size_t n = text[1] == '?' && text[2] == ':' ? 3 : 1, m = 2;

	if (text[n] != '(' || text[n + 1] != '?')
		return 0;
	while (islower((unsigned char)text[n + m]))
		m++;
	*flags = m;
	return m > 2 && text[n + m] == ')' ? n : 0;
}

int regex_put_tags(struct buffer *out, const char *text)
{
	struct opened opened = {.count = 0};
	struct buffer tagged = {.max = out->max};
	size_t n, flags;

	for (; *text; text += n) {
		n = *text == '<' ? tag_length(text) : 0;
		if (!n || !put_tag(&tagged, view_of(text + 1, n - 2), &opened)) {
			n = n ? n : 1;
			buffer_put(&tagged, text, n);
		}
	}
	buffer_put_u8(&tagged, 0);
	for (const char *at = (char *)tagged.p; !tagged.failed && *at; at += n) {
		n = *at == '(' && (at == (char *)tagged.p || at[-1] != '\\') ?
			global_flags(at, &flags) :
			0;
		if (n) {
			buffer_put(out, at + n, flags);
			buffer_put_u8(out, ':');
			n += flags + 1;
		} else {
			buffer_put_u8(out, (uint8_t)*at);
			n = 1;
		}
	}
	out->failed |= tagged.failed;
	buffer_free(&tagged);
	return out->failed ? -1 : 0;
}

/* --- Python's syntax --- */

struct rewriting {
	struct buffer *out;
	const char *text, *at; /* what is looked at */
	bool in_class;
	struct error *err;
};

static int refuse(struct rewriting *r, const char *what)
{
	return error_set(r->err, "%s at character %zu, \"%s\"", what,
		(size_t)(r->at - r->text) + 1, escaped(view_head(view_str(r->at), 20)));
}

/* \x: as Python means it. r->at is the backslash. */
static int escape(struct rewriting *r)
{
	char c = r->at[1];

	if (!c)
		return refuse(r, "a backslash without a character");
	r->at += 2;
	if (c == 'Z' && !r->in_class)
		return buffer_printf(r->out, "\\z");
	if (c == 'v')
		return buffer_printf(r->out, "\\x0b");
	if (c == 's')
		return buffer_printf(
			r->out, r->in_class ? "\\s\\x1c-\\x1f" : "[\\s\\x1c-\\x1f]");
	if (c == 'S' && !r->in_class)
		return buffer_printf(r->out, "[^\\s\\x1c-\\x1f]");
	if (c == 'u' && strspn(r->at, "0123456789abcdefABCDEF") >= 4) {
		buffer_printf(r->out, "\\x{%.4s}", r->at);
		r->at += 4;
		return 0;
	}
	if (isalpha((unsigned char)c) && !strchr("AbBdDsSwWafnrtx", c)) {
		r->at -= 2;
		return refuse(r, "no such escape in Python");
	}
	buffer_put_u8(r->out, '\\');
	return buffer_put_u8(r->out, (uint8_t)c);
}

/* (?...: r->at is the '('. */
static int group(struct rewriting *r)
{
	const char *at;
	bool any = false;
	size_t n;

	if (r->at[1] == '*')
		return refuse(r, "nothing to repeat");
	if (r->at[1] != '?') {
		r->at++;
		return buffer_put_u8(r->out, '(');
	}
	at = r->at + 2;
	n = strspn(at, "aiLmsux-");
	if (n && (at[n] == ')' || at[n] == ':')) {
		buffer_printf(r->out, "(?");
		for (size_t i = 0; i < n; i++)
			if (!strchr("auL", at[i])) {
				buffer_put_u8(r->out, (uint8_t)at[i]);
				any = true;
			}
		if (!any && at[n] == ')') /* (?u): nothing is left of it */
			buffer_put_u8(r->out, ':');
		r->at = at + n + 1;
		return buffer_put_u8(r->out, (uint8_t)at[n]);
	}
	if (!strchr(":P=!<>(#", at[0]) || !at[0] ||
		(at[0] == 'P' && at[1] != '<' && at[1] != '=') ||
		(at[0] == '<' && at[1] != '=' && at[1] != '!'))
		return refuse(r, "no such group in Python");
	r->at = at + 1;
	return buffer_printf(r->out, "(?%c", at[0]);
}

/* Inside [...]. */
static int class_char(struct rewriting *r)
{
	if (*r->at == '[') {
		r->at++;
		return buffer_printf(r->out, "\\[");
	}
	if (*r->at == ']')
		r->in_class = false;
	return buffer_put_u8(r->out, (uint8_t)*r->at++);
}

/* '[': a ']' that comes first is a character. */
static int class_begin(struct rewriting *r)
{
	r->in_class = true;
	buffer_put_u8(r->out, (uint8_t)*r->at++);
	if (*r->at == '^')
		buffer_put_u8(r->out, (uint8_t)*r->at++);
	if (*r->at == ']') {
		r->at++;
		buffer_printf(r->out, "\\]");
	}
	return 0;
}

int regex_from_python(struct buffer *out, const char *text, struct error *err)
{
	struct rewriting r = {.out = out, .text = text, .at = text, .err = err};
	int rc = 0;

	while (*r.at && !rc) {
		if (*r.at == '\\')
			rc = escape(&r);
		else if (r.in_class)
			rc = class_char(&r);
		else if (*r.at == '[')
			rc = class_begin(&r);
		else if (*r.at == '(')
			rc = group(&r);
		else if (r.at[0] == '{' && r.at[1] == ',' &&
			isdigit((unsigned char)r.at[2])) {
			rc = buffer_printf(out, "{0,");
			r.at += 2;
		} else {
			rc = buffer_put_u8(out, (uint8_t)*r.at++);
		}
	}
	return out->failed ? error_set(err, "the expression is too long") : rc;
}
