/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_ROLES_H
#define DAEMON_ROLES_H

#include "daemon/config.h"
#include "daemon/control.h"

/*
 * A role's program. Runs in its own process with signals HUP, INT, TERM and
 * PIPE ignored (the parent orders the stop), the log open, and nothing sealed
 * yet: it opens what it needs, seals itself (sandbox_seal), tells the parent
 * that it is ready (parent_ready) and runs its loop. config is the role's to
 * change and is freed after it returns; parent_fd is to be given to
 * parent_open(). hello says which start this is. Returns the exit code
 * (enum role_exit).
 */
typedef int role_fn(
	struct config *config, int parent_fd, const struct control_hello *hello);

role_fn role_sense, role_node, role_ledger, role_enforce, role_deliver;

#endif
