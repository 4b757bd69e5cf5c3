/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_SENSE_LOGS_H
#define DAEMON_SENSE_LOGS_H

#include <uv.h>

#include "daemon/link.h"
#include "daemon/messages.h"
#include "daemon/sandbox.h"

/*
 * The logs that the role `sense` follows. Whoever reads one asks for its lines;
 * a log that several read is followed once.
 */
struct sense_logs;

/* A line of a log, without its end. */
typedef void sense_line_fn(void *context, struct view line);
typedef size_t sense_skip_fn(void *context, struct view text, uint64_t *lines);

/* NULL when memory is short. */
struct sense_logs *sense_logs_new(uv_loop_t *loop);

/*
 * Before the sandbox closes: give the lines of the log of that absolute path to
 * fn, once however often it is asked for with the same context. The log need
 * not be there yet, its folder must. path must outlive l. Returns 0, or -1 with a
 * text.
 */
int sense_logs_add(struct sense_logs *l, const char *path, sense_line_fn *fn,
	void *context, struct error *err);

/*
 * That reader does not need all lines, see logfile_skip_fn. It is asked where
 * nobody else reads the log.
 */
void sense_logs_skip(
	struct sense_logs *l, const char *path, sense_skip_fn *skip, void *context);

/*
 * The logs' folders, into paths[] of most elements, which must stay within
 * reach. Returns how many. They are valid while l is.
 */
size_t sense_logs_paths(
	const struct sense_logs *l, struct sandbox_path *paths, size_t most);

/* The node is there: logs are read from where it says that they were. */
void sense_logs_start(
	struct sense_logs *l, const struct log_position *list, size_t count);

/* The node is gone: nobody keeps positions, logs wait where they are. */
void sense_logs_stop(struct sense_logs *l);

/*
 * Why the log of that path cannot be read at present, "" when it can: a text with
 * the remedy, cut to size.
 */
void sense_logs_trouble(
	const struct sense_logs *l, const char *path, char *text, size_t size);

/* Tell the node which positions changed, once their observations are sent. */
void sense_logs_tell(struct sense_logs *l, struct link *node);

/* The memory of what follows goes when the loop has run. NULL is fine. */
void sense_logs_free(struct sense_logs *l);

#endif
