/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_SUPERVISOR_H
#define DAEMON_SUPERVISOR_H

#include "base/clock.h"
#include "daemon/activation.h"
#include "daemon/config.h"
#include "daemon/control.h"

/*
 * The parent: starts the roles, gives them links, restarts what dies, carries
 * reload and stop, speaks with the service manager. It reads no byte that came
 * from outside but the configuration. Runs on poll() alone, so that it costs
 * little memory.
 */
struct supervisor_options {
	const char *config_path;
	const struct activation *activation; /* NULL: no socket was inherited */
	usec stop_node;                      /* how long the node may flush at the end */
	usec stop_others;                    /* how long the others may take after it */
	usec ping_every; /* how often each role is asked whether it lives */
	usec hang;       /* a role that does not answer for so long is killed */
	usec reload;     /* how long roles may take to follow a new configuration */
};

/* 5 s, 3 s, 5 s, 60 s, 10 s; no path. */
extern const struct supervisor_options supervisor_options_default;

/*
 * Run until SIGTERM or SIGINT. config is what config_path said; the supervisor
 * takes it over, loads it anew on SIGHUP and frees the last one. Call it once,
 * from a process of one thread. Returns the daemon's exit code.
 */
int supervisor_run(const struct supervisor_options *options, struct config *config);

#endif
