/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SENSE_EVENT_TIME_H
#define SENSE_EVENT_TIME_H

#include "base/bytes.h"
#include "base/clock.h"

/* A time as a log writes it. */
struct event_time {
	int64_t wall;   /* microseconds of the wall clock, as if it were UTC */
	int64_t offset; /* microseconds east of UTC; 0 when not written */
	bool year;      /* the year was written (else it is 1970) */
};

/*
 * Parse "2026-11-21T20:03:17.825+0000" (Asterisk's EventTV), "2026-11-21
 * 20:03:17[.ffffff]" or "Nov 21 20:03:17" (logger.conf's default dateformat).
 * The whole text must be the time. Returns 0 or -1.
 */
int event_time_parse(struct event_time *t, struct view text);

/*
 * Whether two times of one clock lie within so many microseconds. A time
 * without a year matches in any; wall clocks are compared, for only one of
 * the two may carry its offset.
 */
bool event_time_near(
	const struct event_time *a, const struct event_time *b, int64_t within);

/* Microseconds since 1970, or 0 for times before. */
usec event_time_usec(const struct event_time *t);

#endif
