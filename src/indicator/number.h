/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INDICATOR_NUMBER_H
#define INDICATOR_NUMBER_H

#include "indicator/indicator.h"

/*
 * Telephone numbers (ITU-T E.164: at most 15 digits with the country code,
 * which never begins with 0) as intervals of BCD digits from the left:
 *
 *   +97259*    97 25 9. 00 ...  plen 20: the digits, then zero bits
 *   +97259     97 25 9f ff ...  plen 128: the digits, then F to the end
 *
 * so that an exact number lies inside each of its prefixes and no two exact
 * numbers are the same value.
 */
#define NUMBER_DIGITS 15

/*
 * Parse "+" and digits, "*" at the end for a prefix. The visual separators of
 * RFC 3966 and SP are dropped: - . ( ). Returns 0, or -1 with a text.
 */
int number_parse(struct indicator *out, struct view text, struct error *err);

/* A prefix from 1..15 digits, the first not 0. Returns 0 or -1. */
int number_from_prefix(struct indicator *out, struct view digits);

/*
 * The digits of a number or prefix into dst[NUMBER_DIGITS + 1]. Returns how
 * many there are, or -1 when i is no well-formed number.
 */
int number_digits(char *dst, const struct indicator *i);

/* Whether i is a number of the form above. Returns 0, or -1 with a text. */
int number_check(const struct indicator *i, struct error *err);

#endif
