/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/filter/conf.h"
#include "base/buffer.h"
#include "base/escape.h"
#include "sense/filter/utf8.h"

#include <ctype.h>
#include <limits.h>

/* One file being parsed. */
struct parsing {
	struct conf *conf;
	const char *file;
	unsigned line;
	struct error *err;
	struct conf_section *section; /* NULL: before the first heading */
	struct conf_option *option;   /* whose value may go on */
	struct buffer value;          /* of it */
	size_t indent;                /* of its first line */
};

static bool is_blank(uint8_t c)
{
	return c == ' ' || (c >= '\t' && c <= '\r') || (c >= 0x1c && c <= 0x1f);
}

static struct view strip(struct view v)
{
	while (v.n && is_blank(v.p[0]))
		v = view_from(v, 1);
	while (v.n && is_blank(v.p[v.n - 1]))
		v.n--;
	return v;
}

static int complain(struct parsing *p, const char *what, struct view text)
{
	return error_set(
		p->err, "%s:%u: %s: \"%s\"", p->file, p->line, what, escaped(text));
}

/* The next line, at \n, \r\n or \r. */
static struct view next_line(struct view *rest)
{
	struct view line;
	size_t n = 0;

	while (n < rest->n && rest->p[n] != '\n' && rest->p[n] != '\r')
		n++;
	line = view_head(*rest, n);
	if (n + 1 < rest->n && rest->p[n] == '\r' && rest->p[n + 1] == '\n')
		n++;
	*rest = view_from(*rest, n + 1);
	return line;
}

/*
 * Cut the line's comment off. Returns whether it had one: an empty line that
 * had none belongs to the value that stands before it.
 */
static bool cut_comment(struct view *line)
{
	struct view v = strip(*line);
	bool cut = v.n && (v.p[0] == '#' || v.p[0] == ';');

	if (cut)
		line->n = 0;
	for (size_t i = 0; i < line->n; i++)
		if (line->p[i] == ';' && (!i || is_blank(line->p[i - 1]))) {
			line->n = i;
			cut = true;
		}
	return cut;
}

/* The option's value is complete: joined lines, without blanks at the end. */
static int finish_value(struct parsing *p)
{
	struct view v = view_of(p->value.p, p->value.n);

	if (!p->option)
		return 0;
	while (v.n && is_blank(v.p[v.n - 1]))
		v.n--;
	p->option->value = pool_text(p->conf->pool, v);
	p->option = NULL;
	p->value.n = 0;
	return p->value.failed || p->conf->pool->failed ?
		error_set(p->err, "%s: is too large", p->file) :
		0;
}

static int heading(struct parsing *p, struct view name)
{
	struct conf *c = p->conf;
	struct conf_section **end = &c->sections;
	char *copy = pool_text(c->pool, name);

	if (!copy)
		return error_set(p->err, "%s: is too large", p->file);
	if (strcmp(copy, "DEFAULT") == 0) {
		p->section = &c->defaults;
		return 0;
	}
	for (; *end; end = &(*end)->next)
		if (strcmp((*end)->name, copy) == 0)
			return complain(p, "the section is there already", name);
	p->section = *end = pool_take(c->pool, sizeof **end);
	if (!*end)
		return error_set(p->err, "%s: is too large", p->file);
	(*end)->name = copy;
	return 0;
}

static int option(struct parsing *p, struct view line, size_t indent)
{
	size_t equal = view_find(line, '='), colon = view_find(line, ':');
	size_t at = equal < colon ? equal : colon;
	struct view name = strip(view_head(line, at)),
		    value = strip(view_from(line, at + 1));
	char *copy;

	if (at == line.n)
		return complain(p, "neither \"name = value\" nor a [section]", line);
	if (!name.n)
		return complain(p, "the name before '=' is missing", line);
	copy = pool_text(p->conf->pool, name);
	if (!copy)
		return error_set(p->err, "%s: is too large", p->file);
	for (char *s = copy; *s; s++)
		*s = (char)tolower((unsigned char)*s);
	if (conf_option_find(p->section, copy))
		return complain(p, "the option is given twice in its section", name);
	p->option = conf_set(p->conf->pool, p->section, copy, "", p->file, p->line);
	p->indent = indent;
	buffer_put(&p->value, value.p, value.n);
	return p->option ? 0 : error_set(p->err, "%s: is too large", p->file);
}

static int one_line(struct parsing *p, struct view line)
{
	struct view whole = line, value;
	bool comment = cut_comment(&line);
	size_t indent = 0, end;

	value = strip(line);
	if (!value.n) {
		if (!comment && p->option)
			buffer_put_u8(&p->value, '\n');
		return 0;
	}
	while (indent < whole.n && is_blank(whole.p[indent]))
		indent++;
	if (p->option && indent > p->indent) {
		buffer_put_u8(&p->value, '\n');
		buffer_put(&p->value, value.p, value.n);
		return 0;
	}
	if (finish_value(p))
		return -1;
	p->indent = indent;
	end = view_rfind(value, ']');
	if (value.p[0] == '[' && end < value.n && end > 1)
		return heading(p, view_of(value.p + 1, end - 1));
	if (!p->section)
		return complain(p, "stands before the first [section]", value);
	return option(p, value, indent);
}

/* Whether all of it is text; if not, err names the first line that is none. */
static bool is_text(const char *file, struct view text, struct error *err)
{
	unsigned line = 1;

	if (view_find(text, 0) == text.n && utf8_valid(text))
		return true;
	for (;; line++) {
		struct view one = view_head(text, view_find(text, '\n'));

		if (view_find(one, 0) < one.n || !utf8_valid(one))
			break;
		text = view_from(text, one.n + 1);
	}
	error_set(err,
		"%s:%u: is no text in UTF-8; mend the line, or convert the file with "
		"iconv -t UTF-8",
		file, line);
	return false;
}

int conf_parse(struct conf *c, const char *file, struct view text, struct error *err)
{
	struct parsing p = {.conf = c, .err = err, .value = {.max = c->pool->max}};
	int rc = 0;

	p.file = pool_text(c->pool, view_str(file));
	if (!p.file)
		return error_set(err, "%s: out of memory", file);
	if (view_starts(text, "\xef\xbb\xbf"))
		text = view_from(text, 3);
	if (!is_text(file, text, err))
		return -1;
	while (text.n && !rc) {
		p.line++;
		rc = one_line(&p, next_line(&text));
	}
	if (!rc)
		rc = finish_value(&p);
	buffer_free(&p.value);
	return rc;
}

struct conf_section *conf_section_find(const struct conf *c, const char *name)
{
	for (struct conf_section *s = c->sections; s; s = s->next)
		if (strcmp(s->name, name) == 0)
			return s;
	return NULL;
}

struct conf_option *conf_option_find(const struct conf_section *s, const char *name)
{
	for (struct conf_option *o = s->options; o; o = o->next)
		if (strcmp(o->name, name) == 0)
			return o;
	return NULL;
}

struct conf_option *conf_set(struct pool *pool, struct conf_section *s, const char *name,
	const char *value, const char *file, unsigned line)
{
	struct conf_option **end = &s->options;

	while (*end && strcmp((*end)->name, name) != 0)
		end = &(*end)->next;
	if (!*end && !(*end = pool_take(pool, sizeof **end)))
		return NULL;
	(*end)->name = name;
	(*end)->value = value;
	(*end)->file = file;
	(*end)->line = line;
	return *end;
}

static struct conf_section *section_make(struct conf *c, const char *name)
{
	struct conf_section **end = &c->sections;

	for (; *end; end = &(*end)->next)
		if (strcmp((*end)->name, name) == 0)
			return *end;
	*end = pool_take(c->pool, sizeof **end);
	if (*end)
		(*end)->name = name;
	return *end;
}

/* "a" + "b" in the pool. */
static const char *joined(struct pool *pool, const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b);
	char *text = pool_take(pool, n + m + 1);

	if (text) {
		memcpy(text, a, n);
		memcpy(text + n, b, m);
	}
	return text;
}

/* The '?' of a conditional section "word?condition", or NULL. */
static const char *condition_of(const char *name)
{
	const char *at = name;

	while (isalnum((unsigned char)*at) || *at == '_' || (unsigned char)*at >= 0x80)
		at++;
	return at > name && *at == '?' && at[1] ? at : NULL;
}

static int merge_section(struct conf *c, const struct conf_section *from)
{
	const char *condition = condition_of(from->name), *name = from->name;
	struct conf_section *to, *known = NULL;

	if (condition &&
		!(name = pool_text(c->pool, view_of(name, (size_t)(condition - name)))))
		return -1;
	to = conf_section_find(c, name);
	if (to) {
		known = section_make(c, joined(c->pool, "KNOWN/", name));
		if (!known)
			return -1;
	} else if (!(to = section_make(c, name))) {
		return -1;
	}
	for (const struct conf_option *o = from->options; o; o = o->next) {
		const char *key = condition ? joined(c->pool, o->name, condition) :
					      o->name;
		const struct conf_option *was = key ? conf_option_find(to, key) : NULL;

		if (!key ||
			(known && was &&
				!conf_set(c->pool, known, key, was->value, was->file,
					was->line)) ||
			!conf_set(c->pool, to, key, o->value, o->file, o->line))
			return -1;
	}
	return 0;
}

int conf_merge(struct conf *c, const struct conf *from)
{
	for (const struct conf_option *o = from->defaults.options; o; o = o->next)
		if (!conf_set(c->pool, &c->defaults, o->name, o->value, o->file, o->line))
			return -1;
	for (const struct conf_section *s = from->sections; s; s = s->next)
		if (merge_section(c, s))
			return -1;
	return c->pool->failed ? -1 : 0;
}
