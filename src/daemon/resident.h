/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_RESIDENT_H
#define DAEMON_RESIDENT_H

#include <stddef.h>
#include <sys/types.h>

/*
 * Give back what only starting needed: pages of code and constants (they come
 * again from the page cache when they are used), and free heap. A process that
 * has started keeps about a third of its pages. To be called once, before the
 * loop runs and before the sandbox closes.
 */
void resident_trim(void);

/* Resident size of a process in KiB from /proc/PID/statm; 0 when it is gone. */
size_t resident_kib(pid_t pid);

#endif
