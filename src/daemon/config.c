/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/config.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/config_file.h"
#include "daemon/config_read.h"
#include "daemon/config_rules.h"

int config_parse(
	struct config *out, const char *name, struct view text, struct buffer *errors)
{
	struct reading r = {.config = out, .errors = errors};

	if (config_begin(&r, name))
		config_feed(&r, name, text);
	return config_finish(&r);
}

static void feed_file(struct reading *r, const char *path)
{
	struct buffer text = {.max = CONFIG_PRINTED_MAX};
	struct error err = {""};

	if (config_file_read(&text, path, &err))
		config_complain(r, path, 1, "cannot be read: %s", err.text);
	else
		config_feed(r, path, view_of(text.p, text.n));
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

	if (!config_begin(&r, path))
		return config_finish(&r);
	feed_file(&r, path);
	snprintf(name, sizeof name, "%s.d", path);
	n = scandir(name, &list, is_drop_in, by_name);
	if (n < 0 && errno != ENOENT)
		config_complain(&r, name, 1, "cannot be read: %s", strerror(errno));
	for (int i = 0; i < n; i++) {
		snprintf(name, sizeof name, "%s.d/%s", path, list[i]->d_name);
		feed_file(&r, name);
		free(list[i]);
	}
	free(list);
	return config_finish(&r);
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
