/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

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
		config_complain(r, path, 1, "cannot be read: %s", strerror(errno));
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
