/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_BACKOFF_H
#define DAEMON_BACKOFF_H

#include "base/clock.h"

#define BACKOFF_FIRST   (100 * UINT64_C(1000)) /* 100 ms */
#define BACKOFF_MOST    (30 * USEC_PER_SEC)
#define BACKOFF_HEALTHY (60 * USEC_PER_SEC)

/*
 * How long to wait before the next start of a role that lived for `lived` and
 * waited `last` before that start (0: it did not wait): 100 ms, doubled each
 * time up to 30 s, from the beginning again after a life of 60 s.
 */
usec backoff_next(usec last, usec lived);

#endif
