/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_SUPERVISOR_HOOK_H
#define DAEMON_SUPERVISOR_HOOK_H

#include "daemon/supervisor_state.h"

/*
 * The child processes of hook connectors. The node asks for "a connection" to a
 * hook as for any other (MSG_CONNECT with the connector's number); what it gets
 * is one end of a stream socket pair, the other end of which is the program's
 * standard input and output. The node sees the program's death as the end of
 * that stream and asks again, slower and slower: the parent restarts nothing by
 * itself.
 */

/*
 * End the process that this connector has, if any (its pair is closed by the
 * node's end, it gets SIGTERM), and start another. fds[0] is our end of its standard
 * input and output, fds[1] what it writes to its standard error; both non-blocking
 * and close-on-exec, for the caller to pass on and close. Returns 0, or -1 with a text.
 */
int supervisor_hook_start(
	struct supervisor *s, unsigned connector, int fds[2], struct error *err);

/* A child that is no role's has ended: whether it was a hook's (it is forgotten). */
bool supervisor_hook_ended(struct supervisor *s, pid_t pid, int status, usec now);

/* End all of them: the supervisor stops, or the configuration is another. */
void supervisor_hook_stop(struct supervisor *s);

#endif
