/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SENSE_HONEYPOT_RECORD_FOLDER_H
#define SENSE_HONEYPOT_RECORD_FOLDER_H

#include <sys/stat.h>

#include "sense/honeypot/record.h"

/* The folder of segments, as its writer and its readers see it. */
typedef void record_folder_fn(void *context, uint64_t sequence, const struct stat *st);

/*
 * Each segment of the folder whose descriptor this is, in no order; what has another
 * name, or is no regular file, is left out. Returns 0, or -1 with errno.
 */
int record_folder_list(int folder, record_folder_fn *fn, void *context);

/*
 * Say that this segment is written: as long as the descriptor, whichever way the
 * process ends (an open file description lock, fcntl(2)). 0 or -1 with errno, EAGAIN
 * when another descriptor has it.
 */
int record_folder_take(int file);

/* Whether another descriptor says so. */
bool record_folder_in_use(int file);

#endif
