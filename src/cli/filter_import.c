/* SPDX-License-Identifier: Apache-2.0 */
/* sipchain filter import: fail2ban's enabled jails as sections of ours. */
#include "cli/filter_import.h"

#include <ctype.h>
#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/escape.h"
#include "cli/command.h"
#include "daemon/config_source.h"
#include "sense/filter/definition.h"
#include "sense/filter/filter.h"

#define POOL_MAX (16u << 20)

struct import {
	FILE *out; /* NULL: the list alone */
	const struct conf *conf;
	json_t *list; /* of sources */
};

/* Read the files of a pattern in the order of their names. Files read, or -1. */
static int read_glob(struct conf *c, const char *pattern, struct error *err)
{
	glob_t found;
	int n, count = 0;

	if (glob(pattern, 0, NULL, &found))
		return 0;
	for (size_t i = 0; i < found.gl_pathc && count >= 0; i++) {
		n = definition_read(c, found.gl_pathv[i], NULL, err);
		count = n < 0 ? -1 : count + n;
	}
	globfree(&found);
	return count;
}

/* jail.conf, jail.d, FILE, as fail2ban reads them. Returns 0 or -1. */
static int read_jails(struct conf *c, const char *path, struct error *err)
{
	static const char *const forms[] = {
		"%s/jail.conf", "%s/jail.d/*.conf", "%s/jail.local", "%s/jail.d/*.local"};
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	char folder[PATH_MAX], other[PATH_MAX + 32];
	bool whole;
	int n;

	snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) : 1,
		slash ? path : ".");
	whole = !strcmp(name, "jail.local") || !strcmp(name, "jail.conf");
	if (access(path, R_OK))
		return error_set(err, "%s cannot be read: %s", escaped(view_str(path)),
			strerror(errno));
	for (size_t i = 0; i < (whole ? 4 : 1); i++) {
		snprintf(other, sizeof other, forms[i], folder);
		if (read_glob(c, other, err) < 0)
			return -1;
	}
	n = whole ? 0 : definition_read(c, path, NULL, err);
	return n < 0 ? -1 : 0;
}

/* What is not taken over, and why, as a comment. */
static void tell(const struct import *m, const char *jail, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void tell(const struct import *m, const char *jail, const char *fmt, ...)
{
	char text[600]; /* a line of a configuration has 1,000 bytes at most */
	va_list ap;

	if (!m->out)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	fprintf(m->out, "# [%.200s] %s\n", shown(jail), text);
}

/* One value of a jail; NULL when it has none. What cannot be read is told. */
static const char *value(const struct import *m, const char *jail, const char *name)
{
	struct error err = {""};
	const char *text = NULL;

	if (conf_get(m->conf, jail, name, NULL, &text, &err) < 0)
		tell(m, jail, "%s: %s", name, shown_sentence(err.text));
	return text;
}

static bool is_true_word(const char *text)
{
	return text &&
		(!strcasecmp(text, "true") || !strcasecmp(text, "yes") ||
			!strcasecmp(text, "on") || !strcmp(text, "1"));
}

/* --- one source --- */

static bool is_taken(const struct import *m, const char *name)
{
	const json_t *source;
	size_t i;

	json_array_foreach(m->list, i,
		source) if (!strcmp(text_of(source, "name"), name)) return true;
	return false;
}

/* A jail's name as a source's, which no other has: letters, digits, '_', '-', '.'. */
static void name_of(const struct import *m, char *dst, size_t size, const char *jail)
{
	size_t n = 0;

	for (; *jail && n + 4 < size; jail++) {
		unsigned char c = (unsigned char)*jail;

		dst[n++] = isascii(c) && (isalnum(c) || strchr("_-.", c)) ? *jail : '-';
	}
	if (!n)
		dst[n++] = '-';
	dst[n] = 0;
	for (unsigned number = 2; is_taken(m, dst); number++)
		snprintf(dst + n, size - n, "-%u", number);
}

/* A key of a source gets its value as if it stood in a file. Returns 0 or -1. */
static int set(struct config *c, const char *key, const char *text, struct error *err)
{
	const struct config_key *k = config_key_find(CONFIG_SOURCE_SECTION, key);

	if (view_find_str(view_str(text), " ;") < strlen(text))
		error_set(err, "holds a blank and ';', which begins a comment");
	else if (view_trim(view_str(text)).n < strlen(text))
		error_set(err, "begins or ends with a blank, which is not kept");
	else if (!config_value_parse(c, k, view_str(text), err))
		return 0;
	return error_prefix(err, "%s", key);
}

/* Whether there can be such a source, by the configuration's own rules. */
static bool fits(const struct import *m, const char *jail, const char *filter,
	const char *place, const char *where)
{
	struct config *c = calloc(1, sizeof *c);
	const struct config_key *at;
	struct error err = {"out of memory"};
	int rc = -1;

	if (c && !set(c, "filter", filter, &err) && !set(c, place, where, &err)) {
		c->sources[0].type = CONFIG_SOURCE_LOG;
		rc = config_source_check(&c->sources[0], &at, &err);
	}
	free(c);
	if (rc)
		tell(m, jail, "%s: left out", shown_sentence(err.text));
	return rc == 0;
}

/* place: the key that says where its lines are. */
static void put_source(struct import *m, const char *jail, const char *filter,
	const char *place, const char *where)
{
	char name[sizeof((struct config_source *)0)->name];

	if (!fits(m, jail, filter, place, where))
		return;
	if (json_array_size(m->list) == CONFIG_SOURCES_MAX) {
		tell(m, jail, "%s: left out, there can be no more than %u sources",
			shown_sentence(where), CONFIG_SOURCES_MAX);
		return;
	}
	name_of(m, name, sizeof name, jail);
	json_array_append_new(m->list,
		json_pack("{s:s, s:s, s:s, s:s}", "name", name, "type", "log", "filter",
			filter, place, where));
	if (m->out)
		fprintf(m->out, "[source \"%s\"]\ntype = log\nfilter = %s\n%s = %s\n\n",
			name, filter, place, where);
}

/* Each file of one line of logpath: "PATTERN [tail|head]". */
static void put_paths(
	struct import *m, const char *jail, const char *filter, struct view line)
{
	char pattern[PATH_MAX];
	glob_t found;

	view_copy(pattern, sizeof pattern, view_head(line, view_find(line, ' ')));
	if (!strpbrk(pattern, "*?[")) {
		put_source(m, jail, filter, "path", pattern);
		return;
	}
	if (glob(pattern, 0, NULL, &found)) {
		tell(m, jail, "logpath %s: no such file yet", shown_sentence(pattern));
		return;
	}
	for (size_t i = 0; i < found.gl_pathc; i++)
		put_source(m, jail, filter, "path", found.gl_pathv[i]);
	globfree(&found);
}

/* The unit, or else the identifier, that matches of the journal name first. */
static bool unit_of(char *dst, size_t size, const char *matches)
{
	static const char *const fields[] = {"_SYSTEMD_UNIT=", "SYSLOG_IDENTIFIER="};

	for (size_t i = 0; matches && i < sizeof fields / sizeof fields[0]; i++) {
		const char *at = strstr(matches, fields[i]);
		size_t n = at ? strcspn(at += strlen(fields[i]), " \t\n\"'") : 0;

		if (n && n < size) {
			view_copy(dst, size, view_of(at, n));
			return true;
		}
	}
	return false;
}

/* A jail that reads the journal: what it, or its filter, names there. */
static void put_journal(struct import *m, const char *jail, const char *filter)
{
	const struct filter_settings settings = {.journal = true, .now = clock_wall()};
	const char *matches = value(m, jail, "journalmatch");
	struct error err = {"it names no unit of the journal"};
	struct filter *loaded = NULL;
	char unit[64];

	if (!matches || !*matches) {
		loaded = filter_new(filter, &settings, &err);
		matches = loaded ? filter_journalmatch(loaded) : NULL;
	}
	if (unit_of(unit, sizeof unit, matches))
		put_source(m, jail, filter, "journal", unit);
	else
		tell(m, jail, "reads the journal: %s: left out",
			shown_sentence(err.text));
	filter_free(loaded);
}

/* Text of several lines as one, for the options of a filter may have that form. */
static void join_lines(char *dst, size_t size, const char *text)
{
	size_t n = view_copy(dst, size, view_trim(view_str(text)));

	for (size_t i = 0; i < n && dst[i]; i++)
		if (dst[i] == '\n')
			dst[i] = ' ';
}

static void put_jail(struct import *m, const char *jail)
{
	const char *text, *paths, *backend;
	char filter[2 * CONFIG_PATH_MAX]; /* what is too long shows as that */
	struct view rest;

	if (!is_true_word(value(m, jail, "enabled")))
		return;
	text = value(m, jail, "filter");
	backend = value(m, jail, "backend");
	paths = value(m, jail, "logpath");
	join_lines(filter, sizeof filter, text && *text ? text : jail);
	if (backend && strncmp(backend, "systemd", 7) == 0) {
		put_journal(m, jail, filter);
		return;
	}
	rest = view_trim(view_str(paths ? paths : ""));
	if (!rest.n)
		tell(m, jail, "has no logpath: left out");
	while (rest.n) {
		struct view line = view_trim(view_head(rest, view_find(rest, '\n')));

		rest = view_from(rest, view_find(rest, '\n') + 1);
		if (line.n)
			put_paths(m, jail, filter, line);
	}
}

void filter_import_print(FILE *out, json_t *list, const struct conf *conf)
{
	struct import m = {out, conf, list};

	for (const struct conf_section *s = conf->sections; s; s = s->next)
		if (strcmp(s->name, "INCLUDES") != 0 &&
			strncmp(s->name, "KNOWN/", 6) != 0)
			put_jail(&m, s->name);
	if (out && !json_array_size(list))
		fprintf(out, "# no jail that reads a log is enabled\n");
}

int run_filter_import(struct invocation *in)
{
	struct pool pool = {.max = POOL_MAX};
	struct conf conf = {.pool = &pool, .defaults = {.name = "DEFAULT"}};
	json_t *list = json_array();
	struct error err = {""};
	int rc = 0;

	if (read_jails(&conf, in->arguments[0], &err)) {
		rc = failure(CONTROL_CONFIG, "%s", err.text);
		goto done;
	}
	filter_import_print(given(in, OPTION_JSON) ? NULL : stdout, list, &conf);
	if (given(in, OPTION_JSON))
		print_json(list);
done:
	json_decref(list);
	pool_free(&pool);
	return rc;
}
