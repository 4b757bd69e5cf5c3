/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_CONFIG_FILE_H
#define DAEMON_CONFIG_FILE_H

#include "base/buffer.h"
#include "base/error.h"

/*
 * Append a regular file that the configuration names to text, whose max (not 0) bounds
 * it. Returns 0, or -1 with a text without the file's name; text may hold a part then.
 */
int config_file_read(struct buffer *text, const char *path, struct error *err);

#endif
