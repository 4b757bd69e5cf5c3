/* SPDX-License-Identifier: Apache-2.0 */
/* Which files make a filter, in which order. */
#include "base/buffer.h"
#include "base/escape.h"
#include "sense/filter/definition.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX  (1u << 20) /* bytes; the longest stock filter has 12,000 */
#define DEPTH_MAX 16         /* includes within includes */

/* A file and what includes it. */
struct chain {
	const struct chain *above;
	const char *path;
	unsigned depth;
};

/* Read a regular file. Returns 1, 0 when there is none, -1 with a text. */
static int read_file(struct buffer *text, const char *path, struct error *err)
{
	uint8_t block[4096];
	struct stat st;
	ssize_t n = -1;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK), saved;

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (fd < 0)
		return error_set(err, "%s: cannot be read: %s", path, strerror(errno));
	errno = EINVAL;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		while ((n = read(fd, block, sizeof block)) > 0 &&
			!buffer_put(text, block, (size_t)n))
			;
	saved = errno;
	close(fd);
	if (n > 0)
		return error_set(err, "%s: is larger than %u bytes", path, FILE_MAX);
	if (n < 0)
		return error_set(err, "%s: cannot be read: %s", path,
			saved == EINVAL ? "not a regular file" : strerror(saved));
	return 1;
}

static int read_chain(struct conf *c, const struct chain *at, const char *const *more,
	struct error *err);

/* path with its extension replaced by .local, in the pool; NULL: it is one. */
static const char *local_of(struct pool *pool, const char *path)
{
	const char *slash = strrchr(path, '/'), *dot = strrchr(path, '.');
	size_t n = dot && (!slash || dot > slash) ? (size_t)(dot - path) : strlen(path);
	char *local;

	if (strcmp(path + n, ".local") == 0)
		return NULL;
	local = pool_take(pool, n + sizeof ".local");
	if (local) {
		memcpy(local, path, n);
		memcpy(local + n, ".local", sizeof ".local");
	}
	return local;
}

/* Where an included name is: beside the file, else in one of the folders. */
static const char *place(
	struct pool *pool, const char *name, const char *beside, const char *const *more)
{
	const char *slash = strrchr(beside, '/');
	char path[PATH_MAX];

	if (name[0] == '/')
		return name;
	snprintf(path, sizeof path, "%.*s%s", slash ? (int)(slash - beside + 1) : 0,
		beside, name);
	for (; more && *more && access(path, F_OK); more++)
		snprintf(path, sizeof path, "%s/%s", *more, name);
	if (more && access(path, F_OK))
		snprintf(path, sizeof path, "%.*s%s",
			slash ? (int)(slash - beside + 1) : 0, beside, name);
	return pool_text(pool, view_str(path));
}

static bool is_above(const struct chain *at, const char *path)
{
	for (; at; at = at->above)
		if (strcmp(at->path, path) == 0)
			return true;
	return false;
}

/* One included file, then its .local. Returns files read, or -1. */
static int include_one(struct conf *c, const char *path, const struct chain *by,
	const char *const *more, struct error *err)
{
	struct chain at = {by, path, by->depth + 1};
	int n, m = 0;

	if (is_above(by, path))
		return 0;
	if (at.depth > DEPTH_MAX)
		return error_set(err, "%s: more than %u includes within includes", path,
			DEPTH_MAX);
	n = read_chain(c, &at, more, err);
	if (n >= 0 && (at.path = local_of(c->pool, path)))
		m = read_chain(c, &at, more, err);
	return n < 0 || m < 0 ? -1 : n + m;
}

/* The files that one option of [INCLUDES] names, a line each. */
static int include(struct conf *c, const struct conf *parsed, const char *option,
	const struct chain *by, const char *const *more, struct error *err)
{
	const char *list = NULL, *path;
	int count = 0, n, found;

	found = conf_get(parsed, "INCLUDES", option, NULL, &list, err);
	if (found <= 0)
		return found < 0 ? error_prefix(err, "%s", by->path) : 0;
	for (struct view rest = view_str(list); rest.n;) {
		struct view line = view_trim(view_head(rest, view_find(rest, '\n')));

		rest = view_from(rest, view_find(rest, '\n') + 1);
		if (!line.n)
			continue;
		path = pool_text(c->pool, line);
		path = path ? place(c->pool, path, by->path, more) : NULL;
		if (!path)
			return error_set(
				err, "%s: the configuration is too large", by->path);
		n = include_one(c, path, by, more, err);
		if (n < 0)
			return -1;
		count += n;
	}
	return count;
}

/* One file with what it includes. Returns files read, or -1. */
static int read_chain(struct conf *c, const struct chain *at, const char *const *more,
	struct error *err)
{
	struct conf parsed = {.pool = c->pool};
	struct buffer text = {.max = FILE_MAX};
	int found = read_file(&text, at->path, err), before = 0, after = 0;

	if (found > 0 && conf_parse(&parsed, at->path, view_of(text.p, text.n), err))
		found = -1;
	buffer_free(&text);
	if (found <= 0)
		return found;
	if (conf_section_find(&parsed, "INCLUDES"))
		before = include(c, &parsed, "before", at, more, err);
	if (before < 0)
		return -1;
	if (conf_merge(c, &parsed))
		return error_set(err, "%s: the configuration is too large", at->path);
	if (conf_section_find(&parsed, "INCLUDES"))
		after = include(c, &parsed, "after", at, more, err);
	return after < 0 ? -1 : before + after + 1;
}

int definition_read(
	struct conf *c, const char *path, const char *const *more, struct error *err)
{
	struct chain at = {NULL, path, 0};

	return read_chain(c, &at, more, err);
}
