/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INDICATOR_DIALLED_WAYS_H
#define INDICATOR_DIALLED_WAYS_H

#include "indicator/dial_plan.h"

/* The ways to read one string. */
enum way_kind {
	WAY_STRONG = 1,   /* behind an international prefix of the world or the site */
	WAY_WEAK = 2,     /* behind one that some country has */
	WAY_NATIONAL = 4, /* of the site's country, as one dials there */
	WAY_LOCAL = 8,    /* of its area */
	WAY_DIRECT = 16,  /* of its country, the trunk prefix left out */
	WAY_BARE = 32,    /* a whole number without any prefix */
	WAY_BEHIND = 64,  /* the same behind an outside line */
};

enum grade { GRADE_POSSIBLE = 1, GRADE_VALID = 2 };

struct way {
	char digits[E164_DIGITS + 1];
	uint8_t kind, grade;
	uint8_t outside, prefix; /* digits taken off */
	bool common; /* WAY_WEAK: by a prefix that many dial, as one dials at the site */
};

#define WAYS 48 /* a string of 40 digits has a dozen */

struct ways {
	const struct dial_plan *plan;
	struct view all; /* digits alone */
	struct way list[WAYS];
	size_t n;
	bool full, own;
	bool prefix;  /* an international prefix was there */
	bool country; /* and a country code behind it */
};

/*
 * Read digits (no more than DIALLED_TEXT) in every way. w points to plan and digits
 * from then on.
 */
void ways_collect(struct ways *w, const struct dial_plan *plan, struct view digits);

/*
 * The first way of these kinds (enum way_kind, or-ed) of at least this grade that
 * does not lead to the number but ("": any). NULL: there is none.
 */
const struct way *ways_find(
	const struct ways *w, unsigned kinds, unsigned grade, const char *but);

/*
 * Whether digits could be a national number of some country, the site having none
 * configured: then it can be anywhere.
 */
bool ways_national_anywhere(const struct ways *w);

#endif
