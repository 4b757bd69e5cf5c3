/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SENSE_FILTER_DATE_PATTERN_H
#define SENSE_FILTER_DATE_PATTERN_H

#include "base/buffer.h"
#include "base/error.h"

/*
 * fail2ban's date patterns: strptime's %-fields inside a regular expression,
 * anchored by {^LN-BEG}, unbound by {UNB} or **, or one of the words EPOCH,
 * LEPOCH, TAI64N.
 */
enum date_form {
	DATE_FIELDS = 1, /* groups named by their field: Y, m, d, H ... */
	DATE_EPOCH,      /* seconds since 1970 */
	DATE_EPOCH_LONG, /* the same, or milli- or microseconds, by their length */
	DATE_TAI64N,
};

/* What a date is found by. */
struct date_pattern {
	struct buffer name;  /* what people read: "Year-Month-Day 24hour:Minute" */
	struct buffer regex; /* Python's; group 1 is the date's text */
	enum date_form form;
	unsigned value; /* DATE_EPOCH...: the group that holds the number */
	bool line_begin, line_end;
};

/*
 * Make a pattern. year is the current one: %ExY takes years of this century up
 * to three years from it. Returns 0, or -1 with a text; free either way.
 */
int date_pattern_make(
	struct date_pattern *p, const char *pattern, int year, struct error *err);
void date_pattern_free(struct date_pattern *p);

/* fail2ban's own patterns, in its order; NULL ends them. */
extern const char *const date_patterns_default[];

#endif
