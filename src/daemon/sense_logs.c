/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/sense_logs.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "daemon/config.h"
#include "sense/logtail.h"

#define LOGS_MAX POSITIONS_MAX
/* The reader of security events, and every source. */
#define READERS_MAX (CONFIG_SOURCES_MAX + 1)

struct line_reader {
	sense_line_fn *fn;
	sense_skip_fn *skip; /* NULL: it takes all lines */
	void *context;
};

struct log {
	const char *path;
	char folder[CONFIG_PATH_MAX];
	char name[CONFIG_PATH_MAX];
	int directory;
	struct line_reader readers[READERS_MAX];
	size_t readers_count;
	struct logtail *tail; /* open while a node is there to take positions */
	bool moved;           /* position changed since it was told */
	struct log_position position;
};

struct sense_logs {
	uv_loop_t *loop;
	struct log logs[LOGS_MAX];
	size_t count;
};

struct sense_logs *sense_logs_new(uv_loop_t *loop)
{
	struct sense_logs *l = calloc(1, sizeof *l);

	if (l)
		l->loop = loop;
	return l;
}

/* The log of that path, its folder opened. NULL with a text. */
static struct log *log_of(struct sense_logs *l, const char *path, struct error *err)
{
	struct log *log = &l->logs[l->count];
	char copy[CONFIG_PATH_MAX];

	for (size_t i = 0; i < l->count; i++)
		if (strcmp(l->logs[i].path, path) == 0)
			return &l->logs[i];
	if (l->count == LOGS_MAX) {
		error_set(err, "path %s: there are more than %u logs", path, LOGS_MAX);
		return NULL;
	}
	snprintf(copy, sizeof copy, "%s", path);
	snprintf(log->name, sizeof log->name, "%s", basename(copy));
	snprintf(copy, sizeof copy, "%s", path);
	snprintf(log->folder, sizeof log->folder, "%s", dirname(copy));
	log->directory = open(log->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (log->directory < 0) {
		error_set(err, "path %s: its folder: %s", path, strerror(errno));
		return NULL;
	}
	log->path = path;
	l->count++;
	return log;
}

int sense_logs_add(struct sense_logs *l, const char *path, sense_line_fn *fn,
	void *context, struct error *err)
{
	struct log *log = log_of(l, path, err);

	if (!log)
		return -1;
	for (size_t i = 0; i < log->readers_count; i++)
		if (log->readers[i].fn == fn && log->readers[i].context == context)
			return 0;
	if (log->readers_count == READERS_MAX)
		return error_set(err, "path %s: more than %u read it", path, READERS_MAX);
	log->readers[log->readers_count++] = (struct line_reader){fn, NULL, context};
	return 0;
}

void sense_logs_skip(
	struct sense_logs *l, const char *path, sense_skip_fn *skip, void *context)
{
	for (size_t i = 0; i < l->count; i++)
		for (size_t k = 0; k < l->logs[i].readers_count; k++)
			if (strcmp(l->logs[i].path, path) == 0 &&
				l->logs[i].readers[k].context == context)
				l->logs[i].readers[k].skip = skip;
}

size_t sense_logs_paths(
	const struct sense_logs *l, struct sandbox_path *paths, size_t most)
{
	size_t n = 0;

	while (n < l->count && n < most) {
		paths[n] = (struct sandbox_path){l->logs[n].folder, SANDBOX_READ};
		n++;
	}
	return n;
}

/* --- following --- */

static void on_line(void *context, struct view line)
{
	struct log *log = context;

	for (size_t i = 0; i < log->readers_count; i++)
		log->readers[i].fn(log->readers[i].context, line);
}

static size_t on_skip(void *context, struct view text, uint64_t *lines)
{
	struct log *log = context;
	const struct line_reader *r = &log->readers[0];

	return log->readers_count == 1 && r->skip ? r->skip(r->context, text, lines) : 0;
}

static void on_position(void *context, const struct logfile_position *p)
{
	struct log *log = context;

	memset(&log->position, 0, sizeof log->position);
	view_copy(log->position.path, sizeof log->position.path, view_str(log->path));
	log->position.dev = p->device;
	log->position.inode = p->inode;
	log->position.offset = p->offset;
	memcpy(log->position.fingerprint, &p->check, sizeof p->check);
	log->moved = true;
}

static void stop(struct log *log)
{
	if (log->tail)
		logtail_close(log->tail);
	log->tail = NULL;
	log->moved = false;
}

/* Follow the log from where the node says that it was read to. */
static void start(
	struct log *log, uv_loop_t *loop, const struct log_position *list, size_t count)
{
	const struct logtail_events events = {on_line, on_position, log};
	struct logfile_position resume;
	bool known = false;
	struct error err = {""};

	stop(log);
	for (size_t i = 0; i < count && !known; i++) {
		if (strncmp(list[i].path, log->path, sizeof list[i].path) != 0)
			continue;
		resume.device = list[i].dev;
		resume.inode = list[i].inode;
		resume.offset = list[i].offset;
		memcpy(&resume.check, list[i].fingerprint, sizeof resume.check);
		known = true;
	}
	log->tail = logtail_open(
		loop, log->directory, log->name, known ? &resume : NULL, &events, &err);
	if (log->tail)
		logtail_skip(log->tail, on_skip);
	else
		log_error("%s: %s", log->path, err.text);
}

void sense_logs_start(struct sense_logs *l, const struct log_position *list, size_t count)
{
	for (size_t i = 0; i < l->count; i++)
		start(&l->logs[i], l->loop, list, count);
}

void sense_logs_stop(struct sense_logs *l)
{
	for (size_t i = 0; i < l->count; i++)
		stop(&l->logs[i]);
}

void sense_logs_tell(struct sense_logs *l, struct link *node)
{
	for (size_t i = 0; i < l->count; i++) {
		struct log *log = &l->logs[i];

		if (log->moved &&
			!link_send(node, MSG_POSITION,
				view_of(&log->position, sizeof log->position)))
			log->moved = false;
	}
}

void sense_logs_trouble(
	const struct sense_logs *l, const char *path, char *text, size_t size)
{
	struct logtail_figures f;

	snprintf(text, size, "%s", "");
	for (size_t i = 0; i < l->count; i++) {
		if (!l->logs[i].tail || strcmp(l->logs[i].path, path) != 0)
			continue;
		logtail_figures(l->logs[i].tail, &f);
		if (f.trouble)
			snprintf(text, size, "%.150s %s", path,
				logtail_trouble(f.trouble));
	}
}

void sense_logs_free(struct sense_logs *l)
{
	if (!l)
		return;
	for (size_t i = 0; i < l->count; i++) {
		stop(&l->logs[i]);
		close(l->logs[i].directory);
	}
	free(l);
}
