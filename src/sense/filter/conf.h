/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SENSE_FILTER_CONF_H
#define SENSE_FILTER_CONF_H

#include "base/error.h"
#include "sense/filter/pool.h"

/*
 * fail2ban's configuration files: what Python's configparser makes of them,
 * since that is what defines the format. Values may go on over indented lines,
 * which are joined by '\n'; a line whose first character is '#' or ';' is a
 * comment, and so is what follows a ';' behind a blank; names of options are
 * without case, those of sections with; a section or option given twice in one
 * file is an error.
 *
 * Everything is kept in one pool, in the order in which it was written.
 */
struct conf_option {
	struct conf_option *next;
	const char *name;  /* in lower case */
	const char *value; /* raw, no interpolation yet */
	const char *file;  /* where it was last set */
	unsigned line;
};

struct conf_section {
	struct conf_section *next;
	const char *name;
	struct conf_option *options;
};

struct conf {
	struct pool *pool;
	struct conf_section defaults; /* [DEFAULT] */
	struct conf_section *sections;
};

/*
 * Parse one file's text; file stands for it in errors and is copied. Returns 0,
 * or -1 with "file:line: what".
 */
int conf_parse(struct conf *c, const char *file, struct view text, struct error *err);

/*
 * What `from` says overrides c, as fail2ban merges the files that a filter is
 * made of: the values of a section that are overridden are kept as those of
 * "KNOWN/section", and a conditional section "Init?family=inet6" gives the
 * section "Init" options "name?family=inet6". Both have one pool. Returns 0, or
 * -1 when the pool failed.
 */
int conf_merge(struct conf *c, const struct conf *from);

struct conf_section *conf_section_find(const struct conf *c, const char *name);
struct conf_option *conf_option_find(const struct conf_section *s, const char *name);

/* Set an option, in place when it is there. NULL when the pool failed. */
struct conf_option *conf_set(struct pool *pool, struct conf_section *s, const char *name,
	const char *value, const char *file, unsigned line);

/*
 * Where an option is looked for, in this order: vars (may be NULL), the section,
 * [DEFAULT]. Values come out with every %(name)s, %(section/name)s and
 * %(known/name)s put in and %% made %. Return 1 with *value in the pool, 0 when
 * there is no such section or option, -1 with a text when a value refers to
 * what is not there, or to itself.
 */
int conf_get(const struct conf *c, const char *section, const char *option,
	const struct conf_section *vars, const char **value, struct error *err);

/*
 * The same, where option may be "section/name" ("known/name": what the section
 * overrides): what is looked for in a <tag>.
 */
int conf_get_tag(const struct conf *c, const char *section, const char *option,
	const struct conf_section *vars, const char **value, struct error *err);

/*
 * Put the values of other options into each <name> in the values of s, again
 * and again, while there are some; `vars` as in conf_get(), for names that are
 * no options of s but of [Definition]. What is no option stays as it is
 * (<HOST>). Returns 0, or -1 with a text when a value refers to itself.
 */
int conf_put_tags(struct conf *c, struct conf_section *s, const struct conf_section *vars,
	struct error *err);

#endif
