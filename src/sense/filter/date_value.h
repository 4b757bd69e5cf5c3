/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SENSE_FILTER_DATE_VALUE_H
#define SENSE_FILTER_DATE_VALUE_H

#include "base/bytes.h"

/*
 * The fields of a date as its pattern's groups found them, by strptime's
 * letters: field['Y'] is the year's text; n == 0: not found. Those of
 * YymBbdHIpMSAawjUWzZ must be set; the others are not looked at.
 */
struct date_fields {
	struct view field[128];
};

/*
 * The date in microseconds since 1970, as fail2ban reckons: without a zone in
 * the machine's (TZ); without a year in this one, or in the last one when that
 * would be more than a day in the future; with a time alone today, or yesterday
 * when that would be in the future. now is in the same unit. *fixed says
 * whether it does not depend on now. Returns 0, or -1 for what is no date
 * (30 February, an unknown zone).
 */
int date_value(int64_t *value, bool *fixed, const struct date_fields *f, int64_t now);

/*
 * A number of seconds with up to six decimals; with long_form, 13 digits or
 * more are milliseconds, 16 or more without a point microseconds. Returns 0 or
 * -1.
 */
int date_value_epoch(int64_t *value, struct view text, bool long_form);

/* "@4000000052d7bfc1...": TAI64N's seconds, as fail2ban takes them. */
int date_value_tai64n(int64_t *value, struct view text);

#endif
