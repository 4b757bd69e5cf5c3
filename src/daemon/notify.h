/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_NOTIFY_H
#define DAEMON_NOTIFY_H

#include "base/clock.h"

/*
 * The service manager's notification protocol, sd_notify(3): one datagram of
 * VARIABLE=value lines to the socket that $NOTIFY_SOCKET names.
 */
struct notify {
	int fd;        /* -1: no service manager listens */
	usec watchdog; /* 0: none asked for; else WATCHDOG=1 is due this often */
};

/*
 * Take $NOTIFY_SOCKET (a path, or "@name" in the abstract space), and
 * $WATCHDOG_USEC when $WATCHDOG_PID is this process or unset; remove all three
 * from the environment, so that no role speaks for the daemon.
 */
void notify_open(struct notify *n);
void notify_close(struct notify *n);

/*
 * Send a state such as "READY=1" or "STOPPING=1\nSTATUS=..."; nothing when
 * nobody listens. Returns 0, or -1 with errno (a manager that does not listen
 * any more is no reason to stop).
 */
int notify_send(const struct notify *n, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* RELOADING=1 with MONOTONIC_USEC, as Type=notify-reload asks. */
int notify_reloading(const struct notify *n, usec monotonic);

#endif
