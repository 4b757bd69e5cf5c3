/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_CONFIG_SECRET_H
#define DAEMON_CONFIG_SECRET_H

#include "base/bytes.h"
#include "base/error.h"

/*
 * The secret that is the first line of a file: a regular file of root or of this
 * process's user that nobody else can read. what says for people what it is ("the
 * secret of manager.conf"). Returns its length (1 .. size - 1; the rest of dst is
 * zeros), or -1 with a text that names the file and the remedy. What was read
 * stands in dst alone.
 */
int config_secret_read(
	char *dst, size_t size, const char *path, const char *what, struct error *err);

#endif
