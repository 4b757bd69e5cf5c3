/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENFORCE_KAMAILIO_SOCKET_H
#define ENFORCE_KAMAILIO_SOCKET_H

#include "base/error.h"

/*
 * The two sockets to Kamailio's JSON-RPC, for who may reach it:
 *
 *   fds[0]  receives its answers; bound to `reply`, which belongs to whoever owns
 *           Kamailio's socket
 *   fds[1]  sends calls: connected to `path`, so that it reaches nothing else,
 *           poll() tells when there is room, and a Kamailio that has gone
 *           refuses (ECONNREFUSED)
 *
 * There are two because Kamailio answers from another socket than the one that
 * it listens on: a connected socket takes nothing from there (unix(7)), and one
 * that is not could send to anybody. The calls' sender has been given the name
 * `reply` too, and then that name leads to the receiver.
 *
 * Permissions count here, once: who is given the two needs none. Both are
 * non-blocking and close-on-exec. What stands at `reply` is replaced when it is
 * a socket. Returns 0, or -1 with a text that names the remedy.
 */
int kamailio_socket_open(
	int fds[2], const char *path, const char *reply, struct error *err);

#endif
