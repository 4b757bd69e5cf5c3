/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_CORE_DUMP_H
#define BASE_CORE_DUMP_H

/*
 * No core dump of this process from now on, and nobody but root who traces it or
 * reads its memory: it holds keys, or what endpoints are asked with. The limit
 * (RLIMIT_CORE) is inherited by children; PR_SET_DUMPABLE, without which a dump
 * handler behind core_pattern's `|` gets all the same, ends with execve(2).
 * Returns 0, or -1 with errno.
 */
int core_dump_forbid(void);

#endif
