/* SPDX-License-Identifier: Apache-2.0 */
/* sipchain filter import: fail2ban's enabled jails as sections of ours. */
#include <ctype.h>
#include <glob.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/escape.h"
#include "cli/command.h"
#include "sense/filter/definition.h"
#include "sense/filter/filter.h"

#define POOL_MAX (16u << 20)

struct import {
	struct invocation *in;
	struct conf conf;
	json_t *list; /* of sources, for --json */
	unsigned sources;
};

/* Read the files of a pattern in the order of their names. Files read, or -1. */
static int read_glob(struct import *m, const char *pattern, struct error *err)
{
	glob_t found;
	int n, count = 0;

	if (glob(pattern, 0, NULL, &found))
		return 0;
	for (size_t i = 0; i < found.gl_pathc && count >= 0; i++) {
		n = definition_read(&m->conf, found.gl_pathv[i], NULL, err);
		count = n < 0 ? -1 : count + n;
	}
	globfree(&found);
	return count;
}

/* jail.conf, jail.d, FILE, as fail2ban reads them. Returns 0 or -1. */
static int read_jails(struct import *m, const char *path, struct error *err)
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
		return error_set(err, "%s cannot be read", escaped(view_str(path)));
	for (size_t i = 0; i < (whole ? 4 : 1); i++) {
		snprintf(other, sizeof other, forms[i], folder);
		if (read_glob(m, other, err) < 0)
			return -1;
	}
	n = whole ? 0 : definition_read(&m->conf, path, NULL, err);
	return n < 0 ? -1 : 0;
}

/* One value of a jail; NULL when it has none. What cannot be read is told. */
static const char *value(struct import *m, const char *jail, const char *name)
{
	struct error err = {""};
	const char *text = NULL;

	if (conf_get(&m->conf, jail, name, NULL, &text, &err) < 0 &&
		!given(m->in, OPTION_JSON))
		printf("# [%s] %s: %s\n", shown(jail), name, err.text);
	return text;
}

static bool is_true_word(const char *text)
{
	return text &&
		(!strcasecmp(text, "true") || !strcasecmp(text, "yes") ||
			!strcasecmp(text, "on") || !strcmp(text, "1"));
}

/* A jail's name as a source's: letters, digits, '_', '-', '.'. */
static void name_of(char *dst, size_t size, const char *jail, unsigned number)
{
	size_t n = 0;

	for (; *jail && n + 5 < size; jail++)
		dst[n++] = isalnum((unsigned char)*jail) || strchr("_-.", *jail) ? *jail :
										   '-';
	dst[n] = 0;
	if (number > 1)
		snprintf(dst + n, size - n, "-%u", number);
}

/* place: the key that says where its lines are. */
static void put_source(struct import *m, const char *jail, const char *filter,
	const char *place, const char *value, unsigned number)
{
	char name[32];

	name_of(name, sizeof name, jail, number);
	m->sources++;
	if (given(m->in, OPTION_JSON))
		json_array_append_new(m->list,
			json_pack("{s:s, s:s, s:s, s:s}", "name", name, "type", "log",
				"filter", filter, place, value));
	else
		printf("[source \"%s\"]\ntype = log\nfilter = %s\n%s = %s\n\n", name,
			filter, place, value);
}

/* Each file of one line of logpath: "PATTERN [tail|head]". */
static unsigned put_paths(struct import *m, const char *jail, const char *filter,
	struct view line, unsigned number)
{
	char pattern[PATH_MAX];
	glob_t found;
	size_t end = view_find(line, ' ');

	view_copy(pattern, sizeof pattern, view_head(line, end));
	if (!strpbrk(pattern, "*?[")) {
		put_source(m, jail, filter, "path", pattern, ++number);
		return number;
	}
	if (glob(pattern, 0, NULL, &found)) {
		if (!given(m->in, OPTION_JSON))
			printf("# [%s] logpath %s: no such file yet\n", shown(jail),
				shown_sentence(pattern));
		return number;
	}
	for (size_t i = 0; i < found.gl_pathc; i++)
		put_source(m, jail, filter, "path", found.gl_pathv[i], ++number);
	globfree(&found);
	return number;
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
		put_source(m, jail, filter, "journal", unit, 1);
	else if (!given(m->in, OPTION_JSON))
		printf("# [%s] reads the journal: %s: left out\n", shown(jail),
			shown_sentence(err.text));
	filter_free(loaded);
}

static void put_jail(struct import *m, const char *jail)
{
	const char *filter, *paths, *backend;
	struct view rest;
	unsigned number = 0;

	if (!is_true_word(value(m, jail, "enabled")))
		return;
	filter = value(m, jail, "filter");
	backend = value(m, jail, "backend");
	paths = value(m, jail, "logpath");
	if (!filter || !*filter)
		filter = jail;
	if (backend && strncmp(backend, "systemd", 7) == 0) {
		put_journal(m, jail, filter);
		return;
	}
	rest = view_str(paths ? paths : "");
	while (rest.n) {
		struct view line = view_trim(view_head(rest, view_find(rest, '\n')));

		rest = view_from(rest, view_find(rest, '\n') + 1);
		if (line.n)
			number = put_paths(m, jail, filter, line, number);
	}
	if (!number && !given(m->in, OPTION_JSON))
		printf("# [%s] has no logpath: left out\n", shown(jail));
}

int run_filter_import(struct invocation *in)
{
	struct pool pool = {.max = POOL_MAX};
	struct import m = {.in = in, .list = json_array()};
	struct error err = {""};
	int rc = 0;

	m.conf.pool = &pool;
	m.conf.defaults.name = "DEFAULT";
	if (read_jails(&m, in->arguments[0], &err)) {
		rc = failure(CONTROL_CONFIG, "%s", err.text);
		goto done;
	}
	for (const struct conf_section *s = m.conf.sections; s; s = s->next)
		if (strcmp(s->name, "INCLUDES") != 0 &&
			strncmp(s->name, "KNOWN/", 6) != 0)
			put_jail(&m, s->name);
	if (given(in, OPTION_JSON))
		print_json(m.list);
	else if (!m.sources)
		printf("# no jail that reads a log is enabled\n");
done:
	json_decref(m.list);
	pool_free(&pool);
	return rc;
}
