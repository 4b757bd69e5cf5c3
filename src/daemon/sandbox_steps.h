/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_SANDBOX_STEPS_H
#define DAEMON_SANDBOX_STEPS_H

#include "daemon/sandbox.h"

/* The steps of sandbox_seal(), in the order in which they are taken. */

/*
 * A Landlock ruleset for these paths: opened before the user changes, while
 * every folder can still be reached. *abi receives the kernel's version, 0
 * when it has none; *count the paths that exist. Returns a descriptor; -1 with
 * an empty text when the kernel has no Landlock, or with a text on failure.
 */
int sandbox_landlock_open(
	const struct sandbox *s, int *abi, size_t *count, struct error *err);

/*
 * Become the user, keep only the capabilities in `keep` (bit N: capability N)
 * in every set, and lock that. 0 or -1 with a text.
 */
int sandbox_become(const char *user, uint64_t keep, struct error *err);

/* Enter the ruleset and close it. no_new_privs must be set. */
int sandbox_landlock_enter(int ruleset, struct error *err);

/* Install the role's system call filter. no_new_privs must be set. */
int sandbox_seccomp(const struct sandbox *s, struct error *err);

#endif
