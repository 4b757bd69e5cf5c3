/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_HOOK_PROCESS_H
#define DAEMON_HOOK_PROCESS_H

#include <sys/types.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/error.h"

/*
 * The program of one hook (enforce/hook.h), as the parent starts, ends and starts
 * it again. The parent reads nothing that it writes: its two ends go to the node.
 */
#define HOOK_ARGUMENTS_MAX 16

struct hook_program {
	const char *connector; /* its name, for the environment and messages */
	const char *path;      /* absolute */
	const char *arguments; /* words, by blanks; no shell sees them; may be "" */
	const char *user;      /* whom it runs as; never root */
};

struct hook_process {
	pid_t pid; /* 0: none */
	char connector[33];
	usec started;
	usec wait;    /* before this start; for backoff_next() */
	usec due;     /* not before */
	usec kill_by; /* it was asked to end; 0: it was not */
};

/*
 * Start it: a session of its own, its own user with his groups, no privilege, an
 * environment of PATH, LANG, HOME, USER and SIPCHAIN_CONNECTOR, nothing open but
 *
 *   0, 1   one stream, whose other end is fds[0] (non-blocking)
 *   2      a pipe, whose other end is fds[1] (non-blocking)
 *
 * A program that cannot be executed says so by the latter. One that runs still is
 * asked to end first. Returns 0; -1 with errno EBUSY and a text: the last one
 * has not ended, or ended too short a time ago (backoff.h); -1 with another errno
 * and a text that says what is wrong. now: monotonic.
 */
int hook_process_start(struct hook_process *h, const struct hook_program *program,
	int fds[2], usec now, struct error *err);

/* After SIGCHLD: whether this one was what ended; logs how. */
bool hook_process_reap(struct hook_process *h, usec now);

/* Ask it to end (SIGTERM to its group); HOOK_KILL_AFTER later it is killed. */
#define HOOK_KILL_AFTER (2 * USEC_PER_SEC)
void hook_process_stop(struct hook_process *h, usec now);

/* Kill what did not end when asked. Returns when to be called again, 0: never. */
usec hook_process_due(struct hook_process *h, usec now);

#endif
