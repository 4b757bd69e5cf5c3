/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

/*
 * The only places that read a clock. Deciding code takes time as an argument.
 * Wall time is unsigned microseconds since 1970 (usec); unix seconds where a
 * ledger word says so (sec).
 */
typedef uint64_t usec;

#define USEC_PER_SEC UINT64_C(1000000)

usec clock_wall(void);      /* CLOCK_REALTIME */
usec clock_monotonic(void); /* CLOCK_MONOTONIC */

/* t as RFC 3339 in UTC with seconds, into dst[21]. Returns dst. */
char *clock_rfc3339(char *dst, uint64_t sec);

#endif
