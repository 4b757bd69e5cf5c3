/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INDICATOR_E164_H
#define INDICATOR_E164_H

#include "base/bytes.h"

/*
 * The world's numbering plans (ITU-T E.164) as they are known to
 * scripts/number-plan.py, which made e164_plan.c of a maintained source: which
 * digits can be a telephone number, and of what kind. All functions are pure and
 * take a few nanoseconds a digit; digits are '0'..'9' without "+", anything else
 * makes the answer 0.
 *
 * A number is `valid` when it lies in a range that its country has given out
 * (then it has types), and `possible` when it only has the form that the country's
 * numbers have: fraud lives on ranges that were never given out, too.
 */
enum e164_type {
	E164_FIXED = 1,
	E164_MOBILE = 2,
	E164_TOLL_FREE = 4,
	E164_PREMIUM = 8,
	E164_SHARED = 16,
	E164_VOIP = 32,
	E164_PERSONAL = 64,
	E164_PAGER = 128,
	E164_UAN = 256,
	E164_VOICEMAIL = 512,
};
#define E164_TYPES 10 /* how many there are */

#define E164_DIGITS         15
#define E164_COUNTRY_DIGITS 3

/* The types of a number with its country code; 0: no valid number. */
unsigned e164_types(struct view digits);

/* Whether it has the form of its country's numbers. Every valid number has. */
bool e164_possible(struct view digits);

/*
 * Whether digits are a valid national number of any country, with that country's trunk
 * prefix in front of them or without. Asks all countries: some microseconds.
 */
bool e164_national(struct view digits);

/* How many digits the country code at the beginning has, 1..3; 0: there is none. */
unsigned e164_country(struct view digits);

/*
 * The ISO 3166 code of the (main) country with the country code at the beginning
 * of digits: "GB", "US" for all of +1; "001" for a code of no country (+800), ""
 * for none.
 */
const char *e164_region(struct view digits);

/*
 * Whether digits, a number or the beginning of one, are by their area code of another
 * country than the main one of their country code: Jamaica's +1 876 beside the United
 * States, Kazakhstan's +7 7 beside Russia.
 */
bool e164_apart(struct view digits);

/* Of one type, by its bit: "fixed", "mobile", "toll-free", ...; "?" else. */
const char *e164_type_name(unsigned type);

/* What digits are that are dialled within a country. */
enum e164_code {
	E164_SHORT = 1,         /* a short code: an inquiry, a service */
	E164_EMERGENCY = 2,     /* police, fire, ambulance; has E164_SHORT, too */
	E164_INTERNATIONAL = 4, /* the prefix of calls abroad: 00, 011, 810 */
	E164_TRUNK = 8,         /* the prefix of calls within the country: 0, 1, 8 */
};

/*
 * The codes (enum e164_code) that exactly these digits are in the country with
 * this country code; with an empty country, in any country at all.
 */
unsigned e164_codes(struct view country, struct view digits);

/* Whether they are an emergency or short code there. */
bool e164_short(struct view country, struct view digits);

/*
 * The prefix that national numbers of this country code are dialled with, "" for
 * none or an unknown country. The United States have 1.
 */
const char *e164_trunk(struct view country);

/* Of all country codes the one at this place, in order; NULL after the last. */
const char *e164_country_at(size_t at);

/* Where the plan is from: "NAME VERSION". */
extern const char e164_source[];

#endif
