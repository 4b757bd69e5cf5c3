/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/filter/definition.h"
#include "base/escape.h"

#include <ctype.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define POOL_MAX     (64u << 20)
#define MAXLINES_MAX 1000

/* Our own first, so that an operator can write another filter of a stock name. */
const char *const definition_folders[] = {
	"/etc/sipchain/filter.d", "/etc/fail2ban/filter.d", NULL};

/* --- "name[option=value, ...]" --- */

static bool is_option_char(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '-' || c == '.';
}

static const char *skip_blanks(const char *s)
{
	return s + strspn(s, " \t\r\n\v\f");
}

/* One value: "...", '...', or up to a comma or bracket. Returns its end. */
static const char *take_value(const char *at, struct view *value)
{
	const char *end;

	if ((*at == '"' || *at == '\'') && (end = strchr(at + 1, *at))) {
		*value = view_of(at + 1, (size_t)(end - at - 1));
		return end + 1;
	}
	end = at + strcspn(at, ",]");
	*value = view_of(at, (size_t)(end - at));
	return end;
}

int definition_options(struct pool *pool, struct conf_section *into, const char **name,
	const char *spec, struct error *err)
{
	size_t n = strcspn(spec, "[");
	const char *at = spec + n;
	struct view value;
	char *key, *copy;

	*name = pool_text(pool, view_trim(view_of(spec, n)));
	if (!*name || !**name)
		return error_set(err,
			"\"%s\": a filter's name is needed, such as asterisk "
			"or asterisk[mode=extra]",
			escaped(view_str(spec)));
	if (*at)
		at = skip_blanks(at + 1);
	while (*at && *at != ']') {
		for (n = 0; is_option_char(at[n]); n++)
			;
		if (!n || at[n] != '=')
			return error_set(err,
				"\"%s\": option=value is needed after '[' or ','",
				escaped(view_str(spec)));
		key = pool_text(pool, view_of(at, n));
		at = take_value(at + n + 1, &value);
		copy = pool_text(pool, view_trim(value));
		for (char *s = key; s && *s; s++)
			*s = (char)tolower((unsigned char)*s);
		if (!copy || !key || !conf_set(pool, into, key, copy, NULL, 0))
			return error_set(err, "out of memory");
		at = skip_blanks(at);
		if (*at == ']' && *skip_blanks(at + 1) == '[')
			at = skip_blanks(at + 1);
		else if (*at && *at != ',' && *at != ']')
			return error_set(err,
				"\"%s\": ',' or ']' is needed after a value",
				escaped(view_str(spec)));
		if (*at == ',' || *at == '[')
			at = skip_blanks(at + 1);
	}
	if (spec[strcspn(spec, "[")] && (*at != ']' || *skip_blanks(at + 1)))
		return error_set(
			err, "\"%s\": must end with ']'", escaped(view_str(spec)));
	return 0;
}

/* --- the files of one filter --- */

/* Read all that a pattern finds, in the order of their names. */
static int read_glob(struct conf *c, const char *pattern, const char *const *folders,
	struct error *err)
{
	glob_t found;
	int n, count = 0;

	if (glob(pattern, 0, NULL, &found))
		return 0;
	for (size_t i = 0; i < found.gl_pathc && count >= 0; i++) {
		n = definition_read(c, found.gl_pathv[i], folders, err);
		count = n < 0 ? -1 : count + n;
	}
	globfree(&found);
	return count;
}

/* NAME.conf, NAME.d, NAME.local of one folder. Returns files read, or -1. */
static int read_folder(struct conf *c, const char *folder, const char *name, bool local,
	const char *const *folders, struct error *err)
{
	const char *forms[] = {
		"%s/%s.conf", "%s/%s.d/*.conf", "%s/%s.local", "%s/%s.d/*.local"};
	char path[PATH_MAX];
	int count = 0, n;

	for (size_t i = local ? 2 : 0; i < 4; i++) {
		snprintf(path, sizeof path, forms[i], folder, name);
		n = i % 2 ? read_glob(c, path, folders, err) :
			    definition_read(c, path, folders, err);
		if (n < 0)
			return -1;
		count += n;
	}
	return count;
}

static bool has_conf(const char *folder, const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof path, "%s/%s.conf", folder, name);
	return !access(path, F_OK);
}

/* Read the filter by its name. */
static int read_named(
	struct conf *c, const char *name, const char *const *folders, struct error *err)
{
	const char *const *home = folders;
	char list[200] = "";
	int n, count = 0;

	while (*home && !has_conf(*home, name))
		home++;
	if (*home)
		count = read_folder(c, *home, name, false, folders, err);
	for (const char *const *f = folders; *f && count >= 0; f++) {
		if (f == home)
			continue;
		n = read_folder(c, *f, name, true, folders, err);
		count = n < 0 ? -1 : count + n;
	}
	if (count)
		return count < 0 ? -1 : 0;
	for (const char *const *f = folders; *f; f++)
		snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s",
			f == folders ? "" : ", ", *f);
	return error_set(err, "there is no %s.conf in %s", escaped(view_str(name)), list);
}

/* Read the filter, by name or path; *name becomes the name alone. */
static int read_files(
	struct conf *c, const char **name, const char *const *folders, struct error *err)
{
	const char *slash = strrchr(*name, '/');
	const char *own[] = {NULL, NULL};
	const char *dot;

	if (!slash) {
		dot = strrchr(*name, '.');
		if (dot && (!strcmp(dot, ".conf") || !strcmp(dot, ".local")))
			*name = pool_text(c->pool, view_of(*name, (size_t)(dot - *name)));
		return *name ? read_named(c, *name, folders, err) :
			       error_set(err, "out of memory");
	}
	own[0] = slash == *name ?
		"/" :
		pool_text(c->pool, view_of(*name, (size_t)(slash - *name)));
	dot = strrchr(slash, '.');
	*name = pool_text(c->pool,
		view_of(slash + 1, dot ? (size_t)(dot - slash - 1) : strlen(slash + 1)));
	if (!own[0] || !*name)
		return error_set(err, "out of memory");
	return read_named(c, *name, own, err);
}

/* --- its options --- */

/* What a filter says to fail2ban. */
static const char *const option_names[] = {"usedns", "prefregex", "ignoreregex",
	"failregex", "maxlines", "datepattern", "journalmatch"};

static int no_memory(struct error *err)
{
	return error_set(err, "the configuration is too large");
}

/* [Definition]'s values as far as no parameter overrides them. */
static int take_definition(struct conf *c, struct conf_section *all,
	const struct conf_section *parameters, struct error *err)
{
	const struct conf_section *own = conf_section_find(c, "Definition");
	const struct conf_option *set;
	const char *value;

	if (!own)
		return error_set(err, "has no section [Definition]");
	for (size_t i = 0; i < sizeof option_names / sizeof *option_names; i++) {
		const char *name = option_names[i];
		int found;

		if (conf_option_find(parameters, name))
			continue;
		set = conf_option_find(own, name);
		if (!set)
			set = conf_option_find(&c->defaults, name);
		found = conf_get(c, "Definition", name, parameters, &value, err);
		if (found < 0)
			return set ? error_prefix(err, "%s:%u", set->file, set->line) :
				     -1;
		if (found &&
			!conf_set(c->pool, all, name, value, set ? set->file : NULL,
				set ? set->line : 0))
			return no_memory(err);
	}
	return 0;
}

/* [Init]'s values, where no parameter overrides them, and as known/NAME. */
static int take_init(struct conf *c, struct conf_section *init, struct error *err)
{
	const struct conf_section *own = conf_section_find(c, "Init");
	const char *value;

	for (const struct conf_option *o = own ? own->options : NULL; o; o = o->next) {
		char *known;

		if (conf_get(c, "Init", o->name, NULL, &value, err) < 0)
			return error_prefix(err, "%s:%u", o->file, o->line);
		known = pool_take(c->pool, strlen(o->name) + sizeof "known/");
		if (!known)
			return no_memory(err);
		memcpy(known, "known/", 6);
		memcpy(known + 6, o->name, strlen(o->name));
		if (!conf_set(c->pool, init, known, value, o->file, o->line) ||
			(!conf_option_find(init, o->name) &&
				!conf_set(
					c->pool, init, o->name, value, o->file, o->line)))
			return no_memory(err);
	}
	return 0;
}

static int merge_options(
	struct pool *pool, struct conf_section *to, const struct conf_section *from)
{
	for (const struct conf_option *o = from->options; o; o = o->next)
		if (!conf_set(pool, to, o->name, o->value, o->file, o->line))
			return -1;
	return 0;
}

static struct definition_text text_of(const struct conf_section *all, const char *name)
{
	const struct conf_option *o = conf_option_find(all, name);

	return o ? (struct definition_text){o->value, o->file, o->line} :
		   (struct definition_text){NULL, NULL, 0};
}

static int take_maxlines(
	struct definition *d, const struct conf_section *all, struct error *err)
{
	const struct conf_option *o = conf_option_find(all, "maxlines");
	uint64_t n;

	d->maxlines = 1;
	if (!o)
		return 0;
	if (view_decimal(view_trim(view_str(o->value)), MAXLINES_MAX, &n) || !n)
		return error_set(err,
			"%s:%u: maxlines: a number from 1 to %u is needed, not \"%s\"",
			o->file ? o->file : d->name, o->line, MAXLINES_MAX,
			escaped(view_str(o->value)));
	d->maxlines = (unsigned)n;
	return 0;
}

/* From the files' sections to the filter's values. */
static int resolve(struct definition *d, struct conf *c, struct conf_section *parameters,
	bool journal, struct error *err)
{
	struct conf_section all = {.name = "all"}, init = {.name = "Init"};
	const struct conf_section *own = conf_section_find(c, "Definition");

	if (!conf_option_find(parameters, "logtype") &&
		!(own && conf_option_find(own, "logtype")) &&
		!conf_set(c->pool, parameters, "logtype", journal ? "journal" : "file",
			NULL, 0))
		return no_memory(err);
	if (take_definition(c, &all, parameters, err))
		return -1;
	if (merge_options(c->pool, &init, parameters))
		return no_memory(err);
	if (take_init(c, &init, err))
		return -1;
	if (merge_options(c->pool, &all, &init))
		return no_memory(err);
	if (conf_put_tags(c, &all, parameters, err))
		return -1;
	d->prefregex = text_of(&all, "prefregex");
	d->failregex = text_of(&all, "failregex");
	d->ignoreregex = text_of(&all, "ignoreregex");
	d->datepattern = text_of(&all, "datepattern");
	d->journalmatch = text_of(&all, "journalmatch");
	return take_maxlines(d, &all, err);
}

int definition_load(struct definition *d, const char *spec, const char *const *folders,
	bool journal, struct error *err)
{
	struct conf_section parameters = {.name = "parameters"};
	struct conf c;

	memset(d, 0, sizeof *d);
	memset(&c, 0, sizeof c);
	d->pool.max = POOL_MAX;
	c.pool = &d->pool;
	c.defaults.name = "DEFAULT";
	if (!definition_options(&d->pool, &parameters, &d->name, spec, err) &&
		!read_files(&c, &d->name, folders ? folders : definition_folders, err) &&
		!resolve(d, &c, &parameters, journal, err))
		return 0;
	definition_free(d);
	return error_prefix(err, "filter %s", escaped(view_str(spec)));
}

void definition_free(struct definition *d)
{
	pool_free(&d->pool);
	memset(d, 0, sizeof *d);
}
