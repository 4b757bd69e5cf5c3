/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SENSE_LOGFILE_H
#define SENSE_LOGFILE_H

#include <sys/types.h>

#include "base/bytes.h"
#include "base/error.h"

/* Longest line given out; longer ones are skipped and counted. */
#define LOGFILE_LINE_MAX 65536

/*
 * Where reading stands, so that it can go on after a restart. offset is always
 * the first byte of a line; check is a hash of the (up to) 64 bytes before it,
 * by which a file that was rewritten under the same inode is recognised.
 */
struct logfile_position {
	uint64_t device, inode;
	uint64_t offset;
	uint64_t check;
};

/* One open log file that grows. */
struct logfile;

/* A line without its line break; valid during the call. */
typedef void logfile_line_fn(void *context, struct view line);

/*
 * How many bytes of whole lines at the front of text (which is nothing but whole
 * lines, with their ends) need not be given out; *lines: how many lines that is.
 */
typedef size_t logfile_skip_fn(void *context, struct view text, uint64_t *lines);

struct logfile_taker {
	logfile_line_fn *line;
	logfile_skip_fn *skip; /* NULL: all are given out */
	void *context;
};

enum logfile_state {
	LOGFILE_END = 0,       /* read to the end */
	LOGFILE_MORE = 1,      /* stopped at the limit, more is there */
	LOGFILE_TRUNCATED = 2, /* was cut or rewritten: begins anew; call again */
	LOGFILE_FAILED = 3,    /* errno tells */
};

struct logfile_figures {
	uint64_t lines;     /* given out, or that the taker did not need */
	uint64_t oversize;  /* longer than LOGFILE_LINE_MAX, skipped */
	uint64_t unended;   /* last line without a line break of a file given up */
	uint64_t truncated; /* times that a file was cut or rewritten */
};

/*
 * Open a regular file of that name in a directory, not following a symbolic
 * link. NULL with errno set when it cannot be opened, ENXIO when it is not a
 * regular file, ENOMEM.
 */
struct logfile *logfile_open(int directory, const char *name);
void logfile_close(struct logfile *f);

/* Whether this is the file of a position, by device and inode. */
bool logfile_is(const struct logfile *f, uint64_t device, uint64_t inode);

/*
 * Go to a position that this file had. Returns 0, or -1 (and stays at the
 * beginning) when the file is shorter or was rewritten.
 */
int logfile_resume(struct logfile *f, const struct logfile_position *position);

/* Go behind what is there now; a line that is only half there is skipped. */
int logfile_seek_end(struct logfile *f);

/*
 * Read at most `most` bytes and give their complete lines to the taker.
 * The figures are added to.
 */
enum logfile_state logfile_read(struct logfile *f, size_t most,
	const struct logfile_taker *taker, struct logfile_figures *figures);

/* Bytes of a line whose end was not read yet (also of one that is skipped). */
bool logfile_has_rest(const struct logfile *f);

/* Where the next line begins. */
struct logfile_position logfile_position(const struct logfile *f);

#endif
