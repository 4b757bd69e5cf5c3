/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_SUPERVISOR_HOOK_H
#define DAEMON_SUPERVISOR_HOOK_H

#include "daemon/supervisor_state.h"

/*
 * The programs of hook connectors, which are children of the parent: it alone may
 * start anything, and as another user. The node asks for "a connection" to a hook
 * as for any other (MSG_CONNECT with the connector's number) and sees the program's
 * end as the end of that stream; it asks again, slower and slower. The parent
 * starts nothing by itself.
 */

/*
 * Start the program of this connector: hook_process_start(), with the words of the
 * configuration. Returns 0, or -1 with a text.
 */
int supervisor_hook_start(struct supervisor *s, unsigned connector, int fds[2], usec now,
	struct error *err);

/* SIGCHLD came: take note of those that ended. */
void supervisor_hooks_reap(struct supervisor *s, usec now);

/*
 * Kill those that do not end when asked to. Returns when to call it again at the
 * latest, UINT64_MAX: never.
 */
usec supervisor_hooks_due(struct supervisor *s, usec now);

/*
 * Ask programs to end: all of them, or (next not NULL) those whose connector is
 * another one in the configuration to come.
 */
void supervisor_hooks_stop(struct supervisor *s, const struct config *next, usec now);

/* Whether any runs. */
bool supervisor_hooks_run(const struct supervisor *s);

#endif
