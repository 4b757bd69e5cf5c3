/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <stdio.h>
#include <time.h>

/* 9999-12-31T23:59:59Z: RFC 3339 has four digits for the year. */
#define LAST_SECOND UINT64_C(253402300799)

static usec read_clock(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts); /* cannot fail for these two clocks */
	return (usec)ts.tv_sec * USEC_PER_SEC + (usec)ts.tv_nsec / 1000;
}

usec clock_wall(void)
{
	return read_clock(CLOCK_REALTIME);
}

usec clock_monotonic(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

char *clock_rfc3339(char *dst, uint64_t sec)
{
	time_t t = (time_t)(sec < LAST_SECOND ? sec : LAST_SECOND);
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(dst, 21, "%Y-%m-%dT%H:%M:%SZ", &tm);
	return dst;
}
