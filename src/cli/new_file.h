/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_NEW_FILE_H
#define CLI_NEW_FILE_H

#include <sys/types.h>

#include "base/bytes.h"

/*
 * Write a file that is not there yet (O_EXCL), whole and synced to the disk.
 * Returns 0; -1 with errno, EEXIST when there is one, and nothing left behind.
 */
int new_file_write(const char *path, mode_t mode, struct view content);

#endif
