/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_SANDBOX_CALLS_H
#define DAEMON_SANDBOX_CALLS_H

#include <stddef.h>
#include <stdint.h>

/* Lists of system calls that the roles' filters are put together from. */
struct calls {
	const uint32_t *list;
	size_t count;
};

extern const struct calls calls_hostile;   /* no role ever: ends the process */
extern const struct calls calls_common;    /* libc, libuv, open descriptors */
extern const struct calls calls_open;      /* opening and looking at files */
extern const struct calls calls_change;    /* writing, locking, removing: SQLite */
extern const struct calls calls_remove;    /* removing files, and nothing more */
extern const struct calls calls_accept;    /* taking connections in */
extern const struct calls calls_bind;      /* giving sockets an address */
extern const struct calls calls_connect;   /* connecting sockets */
extern const struct calls calls_sanitizer; /* builds with ASan only */

#endif
