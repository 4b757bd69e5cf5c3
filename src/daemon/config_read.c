/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of configuration files into values, and what is wrong with them. */
#include "daemon/config_read.h"

#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/escape.h"
#include "daemon/config_nearest.h"
#include "daemon/config_numbers.h"
#include "daemon/config_rules.h"

#define LINE_BYTES 1024 /* longest line, with its end */

void config_complain(
	struct reading *r, const char *file, unsigned line, const char *fmt, ...)
{
	char text[640];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	buffer_printf(r->errors, "%s:%u: %s\n", file, line, text);
	r->error_count++;
}

/* What was given in this section so far; NULL with a text: no memory for more. */
static struct named *named_of(struct reading *r, const struct config_named *kind,
	size_t index, struct error *err)
{
	struct named *one;

	for (size_t i = 0; i < r->named_count; i++)
		if (r->named[i].kind == kind && r->named[i].index == index)
			return &r->named[i];
	if (r->named_count == CONFIG_NAMED_MAX) {
		error_set(err, "there are more than %u sections with a name",
			CONFIG_NAMED_MAX);
		return NULL;
	}
	one = &r->named[r->named_count++];
	one->kind = kind;
	one->index = index;
	return one;
}

/* A [source "name"] line or the like. Returns whether it is one, right or wrong. */
static bool named_heading(struct reading *r, struct view text)
{
	const struct config_named *kind;
	struct error err = {""};
	struct view name;
	int i = 0, rc = config_named_heading(&kind, &name, text, &err);

	r->in = NULL;
	if (!rc)
		return false;
	if (rc > 0 && (i = config_named_index(r->config, kind, name, &err)) >= 0)
		r->in = named_of(r, kind, (size_t)i, &err);
	r->skip = !r->in;
	if (r->skip)
		config_complain(r, r->file, r->line, "%s", err.text);
	else if (!r->in->heading.file)
		r->in->heading = (struct given){r->file, r->line};
	return true;
}

/* A "[section]" line: is it a known one? */
static void heading(struct reading *r, struct view line)
{
	const struct config_section *section;
	char name[LINE_BYTES];
	const char *near;

	line = view_head(view_from(line, 1), view_find(line, ']') - 1);
	r->in_section = true;
	if (named_heading(r, line))
		return;
	view_copy(name, sizeof name, line);
	section = config_section_find(name);
	r->skip = !section;
	if (section) {
		struct given *g = &r->headings[section - config_sections];

		if (!g->file)
			*g = (struct given){r->file, r->line};
		return;
	}
	near = config_nearest_section(name);
	if (near)
		config_complain(r, r->file, r->line,
			"unknown section [%s]; did you mean [%s]?",
			escaped(view_str(name)), near);
	else
		config_complain(r, r->file, r->line,
			"unknown section [%s]; see sipchain "
			"config sample for those there are",
			escaped(view_str(name)));
}

/*
 * What is wrong with a line before inih sees it, NULL if nothing is: it tells
 * of the first bad line only, and cuts long ones.
 */
static const char *line_fault(struct view line, bool in_section)
{
	size_t equal = view_find(line, '=');

	if (line.n == 0 || line.p[0] == '#' || line.p[0] == ';')
		return NULL;
	if (view_find(line, '\0') < line.n)
		return "holds a NUL byte; write plain text";
	if (line.p[0] == '[')
		return view_find(line, ']') < line.n ?
			NULL :
			"the section's name has no end; close it with ]";
	if (equal == line.n || equal == 0 || view_find(line, ';') < equal)
		return "is no \"key = value\"";
	if (view_find(line, ':') < equal)
		return "has a ':' in its key; write \"key = value\"";
	return in_section ? NULL : "stands before the first [section]";
}

/* The line as far as it may be shown: a key that holds secrets shows its name. */
static struct view showable(struct view line)
{
	for (size_t i = 0; i < config_keys_count; i++)
		if ((config_keys[i].type == CONFIG_SECRET ||
			    config_keys[i].type == CONFIG_ENDPOINTS ||
			    config_keys[i].type == CONFIG_WEBHOOK_URL) &&
			view_starts(line, config_keys[i].name))
			return view_head(line, strlen(config_keys[i].name));
	return line;
}

/* inih asks for the next line: bad ones are told and come out empty. */
static char *next_line(char *dst, int size, void *context)
{
	struct reading *r = context;
	struct view line;
	const char *fault;
	size_t n;

	if (!r->rest.n)
		return NULL;
	n = view_find(r->rest, '\n');
	line = view_trim(view_head(r->rest, n));
	r->rest = view_from(r->rest, n + 1);
	if (++r->line == 1 && view_starts(line, "\xef\xbb\xbf"))
		line = view_from(line, 3);
	fault = line.n + 2 > LINE_BYTES || line.n + 2 > (size_t)size ?
		"is longer than 1,000 bytes" :
		line_fault(line, r->in_section);
	if (fault) {
		config_complain(
			r, r->file, r->line, "\"%s\" %s", escaped(showable(line)), fault);
		line.n = 0;
	}
	if (line.n && line.p[0] == '[')
		heading(r, line);
	if (line.n)
		memcpy(dst, line.p, line.n);
	memcpy(dst + line.n, "\n", 2);
	return dst;
}

/* A key that the section, which title names in full, does not have. */
static void unknown_key(
	struct reading *r, const char *section, const char *title, const char *name)
{
	const struct config_key *near = config_nearest_key(section, name);
	const char *shown = escaped(view_str(name));

	if (!near)
		config_complain(r, r->file, r->line,
			"[%s] has no key \"%s\"; see sipchain "
			"config sample for those it has",
			title, shown);
	else if (strcmp(near->section, section) != 0)
		config_complain(r, r->file, r->line,
			"[%s] has no key \"%s\"; it belongs in [%s]", title, shown,
			near->section);
	else
		config_complain(r, r->file, r->line,
			"[%s] has no key \"%s\"; did you mean %s?", title, shown,
			near->name);
}

/*
 * The line on which this file gave the key, or another name for its value;
 * 0 when it did not. An earlier file's is overridden, that is what drop-ins
 * are for.
 */
static unsigned given_before(const struct reading *r, const struct config_key *k)
{
	if (r->in) {
		const struct given *g = &r->in->given[k - config_keys];

		return g->file == r->file ? g->line : 0;
	}
	for (size_t i = 0; i < config_keys_count; i++)
		if (config_keys[i].offset == k->offset && r->given[i].file == r->file)
			return r->given[i].line;
	return 0;
}

/* One "name = value" of a section, which title names in full. */
static void value_line(struct reading *r, const char *section, const char *title,
	const char *name, const char *value)
{
	const struct config_key *k = config_key_find(section, name);
	struct config_key own;
	struct error err = {""};
	unsigned before;

	if (!k) {
		unknown_key(r, section, title, name);
		return;
	}
	before = k->flags & CONFIG_REPEATED ? 0 : given_before(r, k);
	own = r->in ? config_named_key(r->in->kind, k, r->in->index) : *k;
	*(r->in ? &r->in->given[k - config_keys] :
		  &r->given[k - config_keys]) = (struct given){r->file, r->line};
	if (before)
		config_complain(r, r->file, r->line,
			"[%s] %s is given already on line %u; remove one", title, name,
			before);
	else if (config_value_parse(r->config, &own, view_str(value), &err))
		config_complain(
			r, r->file, r->line, "[%s] %s: %s", title, name, err.text);
}

static const char *title_of(
	char dst[CONFIG_NAMED_TITLE], const struct reading *r, const struct named *one)
{
	return config_named_title(
		dst, one->kind, config_named_at(r->config, one->kind, one->index));
}

/* inih's callback, for each "name = value". */
static int on_value(
	void *context, const char *section, const char *name, const char *value)
{
	struct reading *r = context;
	char title[CONFIG_NAMED_TITLE];
	unsigned before = r->error_count;

	if (r->skip)
		return 1;
	if (!r->in) {
		value_line(r, section, section, name, value);
		return 1;
	}
	title_of(title, r, r->in);
	value_line(r, r->in->kind->section, title, name, value);
	if (r->error_count > before)
		r->in->wrong = true;
	return 1;
}

void config_feed(struct reading *r, const char *name, struct view text)
{
	char *kept = strdup(name);

	if (!kept || r->names_count == FILES_MAX) {
		config_complain(
			r, name, 1, "out of memory, or more than %u files", FILES_MAX);
		free(kept);
		return;
	}
	r->names[r->names_count++] = kept;
	r->file = kept;
	r->line = 0;
	r->rest = text;
	r->skip = r->in_section = false;
	r->in = NULL;
	ini_max_line = LINE_BYTES;
	ini_parse_stream(next_line, r, on_value, r);
}

/* Where a key of a section with a name was given, or else its heading. */
static void complain_named(struct reading *r, const struct named *one,
	const struct config_key *at, const struct error *err)
{
	const struct given *g = &one->given[at - config_keys];
	char title[CONFIG_NAMED_TITLE];

	if (!g->file)
		g = &one->heading;
	config_complain(r, g->file, g->line, "[%s] %s: %s", title_of(title, r, one),
		at->name, err->text);
}

/* What one section with a name lacks, and what its type has not. */
static void check_named(struct reading *r, const struct named *one)
{
	const struct config_named_head *head = config_named_at(
		r->config, one->kind, one->index);
	const struct config_key *at = NULL;
	struct error err = {""};

	if (one->wrong)
		return;
	if (one->kind->check(head, &at, &err))
		complain_named(r, one, at, &err);
	for (size_t j = 0; one->kind->type_help && head->type && j < config_keys_count;
		j++) {
		const struct config_key *k = &config_keys[j];

		if (one->given[j].file && !config_named_has(head, k)) {
			config_named_strange(one->kind, head, k, &err);
			complain_named(r, one, k, &err);
		}
	}
}

/* Whether the configuration itself gives the threshold of a kind. */
static bool gives_threshold(const void *context, uint8_t kind)
{
	const struct reading *r = context;
	size_t offset = offsetof(struct config, detect.rules) +
		kind * sizeof(struct detect_rule);

	for (size_t i = 0; i < config_keys_count; i++)
		if (config_keys[i].type == CONFIG_RULE &&
			config_keys[i].offset == offset && r->given[i].file)
			return true;
	return false;
}

int config_finish(struct reading *r)
{
	const struct config_key *at = NULL;
	struct error err = {""};

	for (size_t i = 0; i < config_keys_count; i++) {
		const struct config_key *k = &config_keys[i];
		const struct given *g =
			&r->headings[config_section_find(k->section) - config_sections];

		if (k->flags & CONFIG_REQUIRED && !config_key_is_named(k) &&
			!r->partial && !r->given[i].file && r->names_count)
			config_complain(r, g->file ? g->file : r->names[0],
				g->file ? g->line : 1,
				"[%s] %s is missing; add a line \"%s = ...\" to section [%s]",
				k->section, k->name, k->name, k->section);
	}
	for (size_t i = 0; i < r->named_count; i++)
		check_named(r, &r->named[i]);
	r->error_count += config_rules_apply(r->config, r->errors, gives_threshold, r);
	if (!r->error_count)
		config_complete(r->config);
	if (!r->error_count && config_cross_check(r->config, &at, &err)) {
		const struct given *g = &r->given[at - config_keys];

		if (!g->file)
			g = &r->headings[config_section_find(at->section) -
				config_sections];
		config_complain(r, g->file ? g->file : r->names[0], g->file ? g->line : 1,
			"[%s] %s: %s", at->section, at->name, err.text);
	}
	for (size_t i = 0; i < r->names_count; i++)
		free(r->names[i]);
	free(r->named);
	if (!r->error_count) {
		config_policy_home(r->config);
		return 0;
	}
	config_free(r->config);
	return -1;
}

/* On the heap: most of it is never touched, and a role's stack stays small. */
bool config_begin(struct reading *r, const char *name)
{
	config_defaults(r->config);
	r->named = calloc(CONFIG_NAMED_MAX, sizeof *r->named);
	if (!r->named)
		config_complain(r, name, 1, "out of memory");
	return r->named;
}
