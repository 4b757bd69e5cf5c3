/* SPDX-License-Identifier: Apache-2.0 */
/* Values put into values: %(name)s while reading, <name> afterwards. */
#include "base/buffer.h"
#include "base/escape.h"
#include "sense/filter/conf.h"

#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

#define DEPTH_MAX 10         /* as configparser */
#define TAGS_MAX  25         /* replacements of one tag in one value, as fail2ban */
#define VALUE_MAX (1u << 18) /* bytes; the longest stock one has 12,000 */

/* What one value is being made of. */
struct making {
	const struct conf *conf;
	const char *section, *option; /* whose value it is */
	const struct conf_section *own, *vars;
	struct buffer out;
	struct error *err;
};

/* The raw value of an option as seen from a section; NULL: there is none. */
static const char *raw(const struct conf *c, const struct conf_section *own,
	const struct conf_section *vars, const char *name)
{
	const struct conf_option *o = vars ? conf_option_find(vars, name) : NULL;

	if (!o)
		o = conf_option_find(own, name);
	if (!o)
		o = conf_option_find(&c->defaults, name);
	return o ? o->value : NULL;
}

static bool is_name(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '-' ||
		(unsigned char)c >= 0x80;
}

/* The '/' of "section/name", or NULL. */
static const char *slash_of(const char *name)
{
	const char *at = name;

	while (is_name(*at))
		at++;
	return at > name && *at == '/' && at[1] ? at : NULL;
}

/* The raw value of "section/name"; [DEFAULT]'s where the section has none. */
static const char *raw_of_section(
	const struct making *m, const char *name, const char *slash)
{
	size_t n = (size_t)(slash - name);
	const struct conf_section *s = NULL;
	const struct conf_option *o = NULL;
	char other[256];

	if (n >= sizeof other - 8 || strlen(m->section) >= sizeof other - 8)
		return NULL;
	memcpy(other, name, n);
	other[n] = 0;
	if (strcasecmp(other, "known") == 0) {
		memcpy(other, "KNOWN/", 6);
		memcpy(other + 6, m->section, strlen(m->section) + 1);
		s = conf_section_find(m->conf, other);
	} else if (strcasecmp(other, "default") != 0) {
		s = conf_section_find(m->conf, other);
		if (!s)
			return NULL;
	}
	if (s)
		o = conf_option_find(s, slash + 1);
	if (!o)
		o = conf_option_find(&m->conf->defaults, slash + 1);
	return o ? o->value : NULL;
}

static int put(struct making *m, const char *value, unsigned depth);

/* value points behind the "%(". Puts what it names; *end is behind its ")s". */
static int put_named(
	struct making *m, const char *value, unsigned depth, const char **end)
{
	const char *close = strchr(value, ')'), *slash, *found;
	char name[256];
	size_t n;

	if (!close || close == value || close[1] != 's' ||
		(n = (size_t)(close - value)) >= sizeof name)
		return error_set(m->err,
			"[%s] %s: \"%%(%s\": write %%(name)s, or %%%% for %%", m->section,
			m->option, escaped(view_head(view_str(value), 20)));
	memcpy(name, value, n);
	name[n] = 0;
	*end = close + 2;
	slash = slash_of(name);
	for (char *s = name; *s; s++)
		if (!slash || s > slash)
			*s = (char)tolower((unsigned char)*s);
	found = raw(m->conf, m->own, m->vars, name);
	if (!found && slash)
		found = raw_of_section(m, name, slash);
	if (!found && strcmp(name, "__name__") == 0)
		found = m->section;
	if (!found)
		return error_set(m->err, "[%s] %s: there is no \"%s\" to put in",
			m->section, m->option, escaped(view_str(name)));
	return put(m, found, depth + 1);
}

static int put(struct making *m, const char *value, unsigned depth)
{
	if (depth > DEPTH_MAX)
		return error_set(m->err,
			"[%s] %s: refers to itself, or is nested deeper than %u",
			m->section, m->option, DEPTH_MAX);
	while (*value) {
		size_t n = strcspn(value, "%");

		buffer_put(&m->out, value, n);
		value += n;
		if (!*value)
			break;
		if (value[1] == '%') {
			buffer_put_u8(&m->out, '%');
			value += 2;
		} else if (value[1] == '(') {
			if (put_named(m, value + 2, depth, &value))
				return -1;
		} else {
			return error_set(m->err,
				"[%s] %s: '%%' must be followed by '%%' or '(', found \"%s\"",
				m->section, m->option,
				escaped(view_head(view_str(value), 20)));
		}
	}
	return m->out.failed ?
		error_set(m->err, "[%s] %s: the value is longer than %u bytes",
			m->section, m->option, VALUE_MAX) :
		0;
}

int conf_get(const struct conf *c, const char *section, const char *option,
	const struct conf_section *vars, const char **value, struct error *err)
{
	struct making m = {.conf = c,
		.section = section,
		.option = option,
		.vars = vars,
		.out = {.max = VALUE_MAX},
		.err = err};
	const char *found;
	int rc;

	m.own = strcmp(section, "DEFAULT") == 0 ? &c->defaults :
						  conf_section_find(c, section);
	found = m.own ? raw(c, m.own, vars, option) : NULL;
	if (!found)
		return 0;
	rc = put(&m, found, 1);
	if (!rc && !(*value = pool_text(c->pool, view_of(m.out.p, m.out.n))))
		rc = error_set(
			err, "[%s] %s: the configuration is too large", section, option);
	buffer_free(&m.out);
	return rc ? -1 : 1;
}

int conf_get_tag(const struct conf *c, const char *section, const char *option,
	const struct conf_section *vars, const char **value, struct error *err)
{
	const char *slash = slash_of(option);
	char other[256];
	size_t n;
	int rc = 0;

	if (slash && (n = (size_t)(slash - option)) < sizeof other &&
		strlen(section) < sizeof other - 8) {
		memcpy(other, option, n);
		other[n] = 0;
		if (strcasecmp(other, "known") == 0) {
			memcpy(other, "KNOWN/", 6);
			memcpy(other + 6, section, strlen(section) + 1);
			rc = conf_get(c, other, slash + 1, NULL, value, err);
			if (!rc)
				rc = conf_get(c, section, slash + 1, NULL, value, err);
		} else {
			rc = conf_get(c,
				strcasecmp(other, "default") == 0 ? "DEFAULT" : other,
				slash + 1, NULL, value, err);
		}
	}
	return rc ? rc : conf_get(c, section, option, vars, value, err);
}

/* --- <tag> --- */

/* The next <...> with neither blank nor bracket inside, from at on. */
static const char *tag_find(const char *at, size_t *n)
{
	for (; (at = strchr(at, '<')); at++) {
		*n = strcspn(at + 1, " <>");
		if (*n && at[1 + *n] == '>')
			return at;
	}
	return NULL;
}

/* value with every <name> replaced. NULL: too long. */
static const char *replaced(
	struct pool *pool, const char *value, struct view tag, const char *by)
{
	struct buffer out = {.max = VALUE_MAX};
	const char *at = value, *next, *made = NULL;
	size_t n = strlen(by);

	while ((next = memmem(at, strlen(at), tag.p, tag.n))) {
		buffer_put(&out, at, (size_t)(next - at));
		buffer_put(&out, by, n);
		at = next + tag.n;
	}
	buffer_put(&out, at, strlen(at));
	if (!out.failed)
		made = pool_text(pool, view_of(out.p, out.n));
	buffer_free(&out);
	return made;
}

/* Tags replaced so far within one value. */
struct tag_count {
	struct tag_count *next;
	const char *name;
	unsigned count;
};

static struct tag_count *count_of(
	struct pool *pool, struct tag_count **list, const char *name)
{
	while (*list && strcmp((*list)->name, name) != 0)
		list = &(*list)->next;
	if (!*list && (*list = pool_take(pool, sizeof **list)))
		(*list)->name = name;
	return *list;
}

/* An option whose name is also given under a condition is left to its user. */
static bool is_conditional(const struct conf_section *s, const char *name)
{
	size_t n = strlen(name);

	if (strchr(name, '?'))
		return false;
	for (const struct conf_option *o = s->options; o; o = o->next)
		if (strncmp(o->name, name, n) == 0 && o->name[n] == '?')
			return true;
	return false;
}

/* Replace the tags in one option's value. Returns 1 when one may be left. */
static int put_tags(struct conf *c, const struct conf_section *s, struct conf_option *o,
	const struct conf_section *vars, struct tag_count **counts, struct error *err)
{
	const char *value = o->value, *at = value, *by, *name;
	const struct conf_option *other;
	struct tag_count *count;
	size_t n;

	while ((at = tag_find(at, &n))) {
		size_t offset = (size_t)(at - value);

		name = pool_text(c->pool, view_of(at + 1, n));
		count = name ? count_of(c->pool, counts, name) : NULL;
		if (!count)
			return error_set(
				err, "%s: the configuration is too large", o->name);
		by = NULL;
		if (is_conditional(s, name)) {
			at += n + 2;
			continue;
		}
		if (strcmp(name, o->name) == 0 || count->count >= TAGS_MAX)
			return error_set(err, "%s: refers to itself by <%s>", o->name,
				escaped(view_str(name)));
		other = conf_option_find(s, name);
		if (other)
			by = other->value;
		else if (conf_get_tag(c, "Definition", name, vars, &by, err) < 0)
			return -1;
		if (!by) {
			at += n + 2;
			continue;
		}
		value = replaced(c->pool, value, view_of(at, n + 2), by);
		if (!value)
			return error_set(
				err, "%s: is longer than %u bytes", o->name, VALUE_MAX);
		count->count++;
		at = value + offset;
	}
	if (strcmp(value, o->value) == 0)
		return 0;
	o->value = value;
	return tag_find(value, &n) ? 1 : 0;
}

int conf_put_tags(struct conf *c, struct conf_section *s, const struct conf_section *vars,
	struct error *err)
{
	struct counts {
		struct counts *next;
		struct tag_count *list;
	} *all = NULL, **at;
	bool again = true;

	while (again) {
		again = false;
		at = &all;
		for (struct conf_option *o = s->options; o;
			o = o->next, at = &(*at)->next) {
			int rc;

			if (!*at && !(*at = pool_take(c->pool, sizeof **at)))
				return error_set(err, "the configuration is too large");
			if (strchr(o->name, '?') || is_conditional(s, o->name))
				continue;
			rc = put_tags(c, s, o, vars, &(*at)->list, err);
			if (rc < 0)
				return error_prefix(err, "%s:%u", o->file, o->line);
			again |= rc == 1;
		}
	}
	return 0;
}
