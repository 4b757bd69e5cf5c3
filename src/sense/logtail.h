/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SENSE_LOGTAIL_H
#define SENSE_LOGTAIL_H

#include <uv.h>

#include "sense/logfile.h"

/*
 * Follows one log file by name, whatever happens to it: it is not there yet,
 * it is renamed and made anew (logrotate), moved away while the PBX goes on
 * writing to the old one, cut in place (copytruncate), rewritten.
 *
 * The kernel's inotify tells of changes in the directory (one watch, which
 * needs no path once it is set); a look every second serves file systems that
 * do not tell. Only the directory's descriptor is used after
 * logtail_open(), so that a sandbox may close everything else.
 *
 * Only give it a file that nobody but the PBX's security log writes to; see
 * sense/security_log.h.
 */
struct logtail;

/*
 * The position changed; keep it and give it to logtail_open() at the next
 * start. Called at most once per turn of the loop.
 */
typedef void logtail_position_fn(void *context, const struct logfile_position *position);

/* Called for each line; see logfile_line_fn. */
struct logtail_events {
	logfile_line_fn *line;
	logtail_position_fn *position; /* may be NULL */
	void *context;
};

struct logtail_figures {
	struct logfile_figures file;
	uint64_t rotations; /* another file took the name */
	uint64_t lost;      /* rotated away while not running, and not found */
	bool present;       /* the name is there */
	int trouble;        /* errno: why what has the name cannot be read; 0: it can */
};

/* What such a trouble is, and what helps: "is a ...; ...". */
const char *logtail_trouble(int trouble);

/*
 * Follow `name` (no slash) in a directory. directory is an open descriptor,
 * duplicated; name is copied. resume (NULL: none) is where the last run
 * stopped: reading goes on at that byte, also in a file that was renamed
 * within the directory meanwhile. Without it reading starts at the end of a
 * file that is there, and at the beginning of one that comes later. NULL with
 * a text when the name is unfit or memory or descriptors are short.
 */
struct logtail *logtail_open(uv_loop_t *loop, int directory, const char *name,
	const struct logfile_position *resume, const struct logtail_events *events,
	struct error *err);

/*
 * Lines that need not be given out, see logfile_skip_fn; it is called with the
 * context of the events. NULL: all are given out.
 */
void logtail_skip(struct logtail *t, logfile_skip_fn *skip);

/*
 * Stop and free; the memory goes when the loop has run its close callbacks.
 * No callback of events comes after this call, which must not be made from
 * within one. NULL is allowed.
 */
void logtail_close(struct logtail *t);

void logtail_figures(const struct logtail *t, struct logtail_figures *out);

#endif
