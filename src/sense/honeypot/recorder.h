/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SENSE_HONEYPOT_RECORDER_H
#define SENSE_HONEYPOT_RECORDER_H

#include <sys/types.h>

#include "base/error.h"
#include "sense/honeypot/record.h"

/*
 * Writes records into the segments of one folder (record.h), which one process at a
 * time may do. What is put is on its way to the disk (written, not synced) after
 * recorder_flush(), or when 256 KiB wait. No error ends it: while the disk is full or
 * fails, up to 1 MiB waits and what is more is lost and counted, which the log says
 * once; each recorder_flush() tries again.
 *
 * The oldest segments go so that all together never have more than max bytes, and when
 * their newest record is older than keep; never the one that is written. A segment
 * has at most an eighth of max and covers at most a sixteenth of keep, so that
 * nothing is kept longer than 17/16 of it.
 *
 * A role opens it before it is sealed: with the folder within reach for writing
 * (SANDBOX_WRITE), openat() and unlinkat() is all that it uses from then on.
 */
struct recorder;

#define RECORDER_MAX_LEAST 1000000 /* an eighth of it holds the longest message */

struct recorder_config {
	const char *folder; /* made when it is not there, mode 0750 */
	uint64_t max;       /* bytes of all segments, RECORDER_MAX_LEAST at least */
	uint64_t keep;      /* seconds; 0: until max */
	/*
	 * Whose the folder must be, and becomes when it is made: the user that writes
	 * once the role is sealed. (uid_t)-1: nothing is asked.
	 */
	uid_t user;
	gid_t group;
};

/*
 * Returns NULL with a text that names the folder and the remedy. No segment is written
 * or removed yet.
 */
struct recorder *recorder_open(const struct recorder_config *config, struct error *err);

/* Write what waits. NULL is fine. */
void recorder_close(struct recorder *r);

/* Record a message. Its views need not live on. */
void recorder_put(struct recorder *r, const struct record *record);

/*
 * Write what waits, and let go what is older than it may be. To be called at least
 * each second, also when nothing comes. now is wall time; it may go back.
 */
void recorder_flush(struct recorder *r, usec now);

/* The folder as it was given, which must stay within reach. */
const char *recorder_folder(const struct recorder *r);

struct recorder_figures {
	uint64_t recorded; /* messages taken */
	uint64_t lost;     /* messages that could not be */
	uint64_t bytes;    /* on the disk now, and waiting */
	uint64_t segments; /* there now */
	uint64_t removed;  /* segments that had to go */
	bool failing;      /* the last attempt to write failed */
};
void recorder_figures(const struct recorder *r, struct recorder_figures *out);

#endif
