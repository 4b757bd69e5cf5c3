/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DECIDE_HOME_H
#define DECIDE_HOME_H

#include "detect/numbers.h"

/*
 * What the site itself is, for decisions about what others report: nobody else's word
 * has calls refused to the site's own numbers and domains, nor, unless it says so, to
 * numbers of its own country, whose subscribers are its customers' neighbours. All zero:
 * nothing is known, and nothing is withheld. Pure.
 */
struct home {
	struct dial_plan plan;
	bool domestic; /* numbers of the own country are blocked like all others */
	unsigned n_domains;
	char domains[NUMBER_DOMAINS_MAX][254];
	struct indicator hashes[NUMBER_DOMAINS_MAX]; /* of the domains */
};

/* The site as [numbers] tells of it. */
void home_take(struct home *home, const struct numbers_config *numbers);

/* Whether a number is the site's own, or a prefix has such numbers in it. */
bool home_owns_number(const struct home *home, const struct indicator *i);

/*
 * Whether a number is of the own country, or a prefix has such numbers in it
 * (dial_plan_domestic_within()), and they are withheld.
 */
bool home_withholds(const struct home *home, const struct indicator *i);

/* Whether a canonical domain is one of the site's own, or below one. */
bool home_owns_domain(const struct home *home, struct view domain);

/* The same of its hash alone: what is below an own domain is not known by it. */
bool home_owns_hash(const struct home *home, const struct indicator *i);

#endif
