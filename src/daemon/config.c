/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/config.h"
#include "daemon/config_rules.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/escape.h"
#include "daemon/config_nearest.h"
#include "daemon/config_source.h"

#define LINE_BYTES 1024 /* longest line, with its end */
#define FILES_MAX  256

/* Where a key, or a section's heading, was given. */
struct given {
	const char *file; /* NULL: not given */
	unsigned line;
};

struct reading {
	struct config *config;
	struct buffer *errors;
	unsigned error_count;
	const char *file; /* being read */
	unsigned line;    /* of it, from 1 */
	struct view rest; /* of its text */
	bool skip;        /* inside an unknown section, which was told already */
	bool in_section;
	bool partial; /* required keys may be absent */
	int source;   /* inside this [source "name"]; -1: inside none */
	struct given given[CONFIG_KEYS_MAX];
	struct given headings[CONFIG_KEYS_MAX];
	struct given source_given[CONFIG_SOURCES_MAX][CONFIG_KEYS_MAX];
	struct given source_headings[CONFIG_SOURCES_MAX];
	bool source_wrong[CONFIG_SOURCES_MAX]; /* holds a line that was told already */
	char *names[FILES_MAX];                /* what the given point to */
	size_t names_count;
};

/* Append one "file:line: text" to the errors. */
static void complain(struct reading *r, const char *file, unsigned line, const char *fmt,
	...) __attribute__((format(printf, 4, 5)));

static void complain(
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

/* A [source "name"] line. Returns whether it is one, right or wrong. */
static bool source_heading(struct reading *r, struct view text)
{
	struct error err = {""};
	struct view name;
	int rc = config_source_heading(&name, text, &err);

	r->source = -1;
	if (!rc)
		return false;
	if (rc > 0)
		r->source = config_source_index(r->config, name, &err);
	r->skip = r->source < 0;
	if (r->skip)
		complain(r, r->file, r->line, "%s", err.text);
	else if (!r->source_headings[r->source].file)
		r->source_headings[r->source] = (struct given){r->file, r->line};
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
	if (source_heading(r, line))
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
		complain(r, r->file, r->line, "unknown section [%s]; did you mean [%s]?",
			escaped(view_str(name)), near);
	else
		complain(r, r->file, r->line,
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
			    config_keys[i].type == CONFIG_ENDPOINTS) &&
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
		complain(
			r, r->file, r->line, "\"%s\" %s", escaped(showable(line)), fault);
		line.n = 0;
	}
	if (line.n && line.p[0] == '[')
		heading(r, line);
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
		complain(r, r->file, r->line,
			"[%s] has no key \"%s\"; see sipchain "
			"config sample for those it has",
			title, shown);
	else if (strcmp(near->section, section) != 0)
		complain(r, r->file, r->line,
			"[%s] has no key \"%s\"; it belongs in [%s]", title, shown,
			near->section);
	else
		complain(r, r->file, r->line, "[%s] has no key \"%s\"; did you mean %s?",
			title, shown, near->name);
}

/*
 * The line on which this file gave the key, or another name for its value;
 * 0 when it did not. An earlier file's is overridden, that is what drop-ins
 * are for.
 */
static unsigned given_before(const struct reading *r, const struct config_key *k)
{
	if (r->source >= 0) {
		const struct given *g = &r->source_given[r->source][k - config_keys];

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
	own = config_source_key(k, r->source < 0 ? 0 : (size_t)r->source);
	*(r->source < 0 ? &r->given[k - config_keys] :
			  &r->source_given[r->source][k - config_keys]) = (struct given){
		r->file, r->line};
	if (before)
		complain(r, r->file, r->line,
			"[%s] %s is given already on line %u; remove one", title, name,
			before);
	else if (config_value_parse(r->config, &own, view_str(value), &err))
		complain(r, r->file, r->line, "[%s] %s: %s", title, name, err.text);
}

/* inih's callback, for each "name = value". */
static int on_value(
	void *context, const char *section, const char *name, const char *value)
{
	struct reading *r = context;
	char title[CONFIG_SOURCE_TITLE];
	unsigned before = r->error_count;

	if (r->skip)
		return 1;
	if (r->source < 0) {
		value_line(r, section, section, name, value);
		return 1;
	}
	config_source_title(title, &r->config->sources[r->source]);
	value_line(r, CONFIG_SOURCE_SECTION, title, name, value);
	if (r->error_count > before)
		r->source_wrong[r->source] = true;
	return 1;
}

/* Read one file's text. */
static void feed(struct reading *r, const char *name, struct view text)
{
	char *kept = strdup(name);

	if (!kept || r->names_count == FILES_MAX) {
		complain(r, name, 1, "out of memory, or more than %u files", FILES_MAX);
		free(kept);
		return;
	}
	r->names[r->names_count++] = kept;
	r->file = kept;
	r->line = 0;
	r->rest = text;
	r->skip = r->in_section = false;
	r->source = -1;
	ini_max_line = LINE_BYTES;
	ini_parse_stream(next_line, r, on_value, r);
}

/* Where a key of a source was given, or else its heading. */
static void complain_source(
	struct reading *r, size_t i, const struct config_key *at, const struct error *err)
{
	const struct given *g = &r->source_given[i][at - config_keys];
	char title[CONFIG_SOURCE_TITLE];

	if (!g->file)
		g = &r->source_headings[i];
	complain(r, g->file, g->line, "[%s] %s: %s",
		config_source_title(title, &r->config->sources[i]), at->name, err->text);
}

static void check_sources(struct reading *r)
{
	const struct config_key *at = NULL;
	struct error err = {""};

	for (size_t i = 0; i < r->config->source_count; i++) {
		const struct config_source *s = &r->config->sources[i];

		if (r->source_wrong[i])
			continue;
		if (config_source_check(s, &at, &err))
			complain_source(r, i, at, &err);
		for (size_t j = 0; s->type && j < config_keys_count; j++) {
			const struct config_key *k = &config_keys[j];

			if (r->source_given[i][j].file && !config_source_has(s, k)) {
				config_source_strange(s, k, &err);
				complain_source(r, i, k, &err);
			}
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

/* Required keys and rules between keys; then the end of the reading. */
static int finish(struct reading *r)
{
	const struct config_key *at = NULL;
	struct error err = {""};

	for (size_t i = 0; i < config_keys_count; i++) {
		const struct config_key *k = &config_keys[i];
		const struct given *g =
			&r->headings[config_section_find(k->section) - config_sections];

		if (k->flags & CONFIG_REQUIRED && !config_key_of_source(k) &&
			!r->partial && !r->given[i].file && r->names_count)
			complain(r, g->file ? g->file : r->names[0],
				g->file ? g->line : 1,
				"[%s] %s is missing; add a line \"%s = ...\" to section [%s]",
				k->section, k->name, k->name, k->section);
	}
	check_sources(r);
	r->error_count += config_rules_apply(r->config, r->errors, gives_threshold, r);
	if (!r->error_count)
		config_complete(r->config);
	if (!r->error_count && config_cross_check(r->config, &at, &err)) {
		const struct given *g = &r->given[at - config_keys];

		if (!g->file)
			g = &r->headings[config_section_find(at->section) -
				config_sections];
		complain(r, g->file ? g->file : r->names[0], g->file ? g->line : 1,
			"[%s] %s: %s", at->section, at->name, err.text);
	}
	for (size_t i = 0; i < r->names_count; i++)
		free(r->names[i]);
	if (!r->error_count)
		return 0;
	config_free(r->config);
	return -1;
}

int config_parse(
	struct config *out, const char *name, struct view text, struct buffer *errors)
{
	struct reading r = {.config = out, .errors = errors};

	config_defaults(out);
	feed(&r, name, text);
	return finish(&r);
}

/* Read a regular file whole into text. Returns 0, or -1 with errno. */
static int read_file(struct buffer *text, const char *path)
{
	uint8_t block[4096];
	struct stat st;
	ssize_t n = -1;
	int fd, saved;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0) {
		if (S_ISREG(st.st_mode))
			while ((n = read(fd, block, sizeof block)) > 0 &&
				!buffer_put(text, block, (size_t)n))
				;
		else
			errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
	}
	saved = errno;
	close(fd);
	if (n > 0)
		saved = EFBIG;
	errno = saved;
	return n == 0 ? 0 : -1;
}

static void feed_file(struct reading *r, const char *path)
{
	struct buffer text = {.max = CONFIG_PRINTED_MAX};

	if (read_file(&text, path))
		complain(r, path, 1, "cannot be read: %s", strerror(errno));
	else
		feed(r, path, view_of(text.p, text.n));
	buffer_free(&text);
}

/* Whether a folder's entry is a drop-in: NAME.conf, not hidden. */
static int is_drop_in(const struct dirent *entry)
{
	size_t n = strlen(entry->d_name);

	return n > 5 && entry->d_name[0] != '.' &&
		strcmp(entry->d_name + n - 5, ".conf") == 0;
}

/* By bytes, whatever the locale: the order must be the same on every machine. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int load(struct config *out, const char *path, bool partial, struct buffer *errors)
{
	struct reading r = {.config = out, .errors = errors, .partial = partial};
	struct dirent **list = NULL;
	char name[4096];
	int n;

	config_defaults(out);
	feed_file(&r, path);
	snprintf(name, sizeof name, "%s.d", path);
	n = scandir(name, &list, is_drop_in, by_name);
	if (n < 0 && errno != ENOENT)
		complain(&r, name, 1, "cannot be read: %s", strerror(errno));
	for (int i = 0; i < n; i++) {
		snprintf(name, sizeof name, "%s.d/%s", path, list[i]->d_name);
		feed_file(&r, name);
		free(list[i]);
	}
	free(list);
	return finish(&r);
}

int config_load(struct config *out, const char *path, struct buffer *errors)
{
	return load(out, path, false, errors);
}

int config_load_partial(struct config *out, const char *path, struct buffer *errors)
{
	return load(out, path, true, errors);
}

void config_free(struct config *c)
{
	config_rules_free(c);
	free(c->allow.entry);
	explicit_bzero(c, sizeof *c);
}
