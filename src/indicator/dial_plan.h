/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INDICATOR_DIAL_PLAN_H
#define INDICATOR_DIAL_PLAN_H

#include "base/error.h"
#include "indicator/e164.h"

/*
 * What a string that somebody dialled means: which telephone number, if that can
 * be told at all. Attackers dial one target behind every prefix that some PBX may
 * want (9011..., 900..., 810...), so a string is read in every way that a PBX
 * anywhere could read it; a number comes out only where all ways that make sense
 * lead to the same one. Whoever publishes a number blocks it for others: a wrong
 * one harms an innocent, one withheld harms nobody.
 *
 * Everything here is pure, allocates nothing and takes hostile strings.
 */
#define DIAL_PREFIX   8  /* longest prefix or short code, NUL included */
#define DIAL_PREFIXES 8  /* of one kind */
#define DIAL_SHORTS   32 /* further short codes */
#define DIAL_OWN      64 /* ranges of own numbers */

/* From first to last, both included and of one length; E.164 digits. */
struct dial_range {
	char first[E164_DIGITS + 1], last[E164_DIGITS + 1];
};

/*
 * How one dials at this site. Without a country the site's own national numbers
 * cannot be told from others: then a string is read as one from nowhere, and less
 * is published. All text is NUL-terminated; "" ends a list early.
 */
struct dial_plan {
	char country[E164_COUNTRY_DIGITS + 1]; /* country code, "" unknown */
	char area[DIAL_PREFIX];  /* area code without trunk prefix, "" none */
	char trunk[DIAL_PREFIX]; /* before national numbers: "0"; "" none */
	/* For an outside line: "9", "0", "*9"; of calls abroad, besides the country's. */
	char outside[DIAL_PREFIXES][DIAL_PREFIX];
	char idd[DIAL_PREFIXES][DIAL_PREFIX];
	char shorts[DIAL_SHORTS][DIAL_PREFIX];
	struct dial_range own[DIAL_OWN];
	uint8_t owns;          /* how many of own[] there are */
	uint8_t extension_min; /* digits of the site's extensions */
	uint8_t extension_max;
	bool bare; /* the site dials whole numbers without any prefix: 442079460101 */
};

/* A plan of no country: outside line 9, extensions of 2 to 5 digits. */
void dial_plan_init(struct dial_plan *plan);

/*
 * Set one part from text, as a configuration has it. Each returns 0, or -1 with an
 * error that names the text and what would be right (the plan is then unchanged).
 * Lists are separated by commas or spaces and replace the list that was there;
 * "none" is the empty list.
 */
/* "44", "+44": sets the trunk prefix to the country's as well. */
int dial_plan_country(struct dial_plan *plan, struct view text, struct error *err);
/* "20" or "020": the trunk prefix of the country is dropped. Set country first. */
int dial_plan_area(struct dial_plan *plan, struct view text, struct error *err);
/* "0", or "none". After dial_plan_country(). */
int dial_plan_trunk(struct dial_plan *plan, struct view text, struct error *err);
/* "9", "0, *9" */
int dial_plan_outside(struct dial_plan *plan, struct view text, struct error *err);
/* "00", "00700, 001" */
int dial_plan_idd(struct dial_plan *plan, struct view text, struct error *err);
/* "4444, 1571" */
int dial_plan_shorts(struct dial_plan *plan, struct view text, struct error *err);
/* "3", "3-5" digits; at most 7 */
int dial_plan_extensions(struct dial_plan *plan, struct view text, struct error *err);
/*
 * Add one range of own numbers: "+442079460101", "+44207946*" (all that begin so),
 * "+442079460000-0999" or "+442079460000-+442079460999".
 */
int dial_plan_own(struct dial_plan *plan, struct view text, struct error *err);

/* Whether E.164 digits are one of the site's own numbers. */
bool dial_plan_owns(const struct dial_plan *plan, struct view digits);

/* Whether one of the site's own numbers begins with these digits. */
bool dial_plan_owns_within(const struct dial_plan *plan, struct view digits);

/*
 * Whether E.164 digits are of the site's country. Where several have its country code,
 * the others are abroad when area or own numbers show that the site is in the main one.
 */
bool dial_plan_domestic(const struct dial_plan *plan, struct view digits);

/*
 * Whether numbers that begin with these digits may be of the site's country: the
 * beginning of its country code, or of an area code that is not another country's
 * alone (+1 and +187, but not +1876 for a site in New York).
 */
bool dial_plan_domestic_within(const struct dial_plan *plan, struct view digits);

/* Whether a text is one of shorts[], one of idd[]. */
bool dial_plan_has_short(const struct dial_plan *plan, struct view text);
bool dial_plan_has_idd(const struct dial_plan *plan, struct view text);

/* How long the plan's i-th outside line is where text begins with it; else 0. */
size_t dial_plan_outside_of(const struct dial_plan *plan, size_t i, struct view text);

/* What a string is. Only READ_RULE and READ_CLUSTER may be published. */
enum dialled_reading_class {
	READ_NOTHING,   /* a name, no number at all */
	READ_RULE,      /* one number, by the international prefix that it carries */
	READ_CLUSTER,   /* the common tail of several (dialled_cluster() alone) */
	READ_AMBIGUOUS, /* more than one number could be meant, or none for certain */
	READ_SHORT,     /* an emergency or short code */
	READ_OWN,       /* a number of the site */
	READ_DOMESTIC,  /* dialled as a national or local number of the site's country */
	READ_EXTENSION, /* as short as the site's extensions */
	READ_FEATURE,   /* a code with * or # */
	READ_INVALID,   /* no number exists that it could be */
	READ_CLASSES
};

/* Why a string is read as it is, or is not. */
enum dialled_why {
	WHY_NONE,
	WHY_NO_DIGITS,    /* nothing that is dialled */
	WHY_PLUS,         /* it says itself that it is whole */
	WHY_PREFIX,       /* an international prefix */
	WHY_BARE,         /* a whole number without prefix, as the plan has it */
	WHY_TAIL,         /* the tail of several */
	WHY_NO_PREFIX,    /* it could be a whole number, but nothing says so */
	WHY_TWO,          /* two numbers: digits and other */
	WHY_NATIONAL,     /* could be a national number of some country, too */
	WHY_TRUNK,        /* national: behind the trunk prefix */
	WHY_LOCAL,        /* local: the area code was left out */
	WHY_EMERGENCY,    /* police, fire, ambulance */
	WHY_CODE,         /* another short code */
	WHY_LENGTH,       /* of the length of an extension */
	WHY_FEATURE,      /* * or # */
	WHY_LONG,         /* more digits than any number has behind its prefixes */
	WHY_NO_COUNTRY,   /* behind the prefix stands no country code */
	WHY_NO_FORM,      /* that country has no numbers of this form */
	WHY_NOT_READABLE, /* no prefix and no number */
	WHY_COUNT
};

struct dialled_reading {
	char digits[E164_DIGITS + 1]; /* E.164 without "+"; "" when there is none */
	char other[E164_DIGITS + 1];  /* WHY_TWO: what else it could be */
	char outside[DIAL_PREFIX];    /* taken off first: an outside line */
	char idd[DIAL_PREFIX];        /* then: "+", "00", "011"; or the trunk prefix */
	uint8_t reading;              /* enum dialled_reading_class */
	uint8_t why;                  /* enum dialled_why */
	uint8_t country;              /* digits of the country code, 0: none */
	bool domestic;                /* digits are of the site's country */
	uint16_t types;               /* enum e164_type; 0: possible, but not given out */
	uint16_t variants;            /* READ_CLUSTER: strings that end in it */
};

/*
 * One string: digits with visual separators, "+..." (also %2B), a tel: URI
 * (RFC 3966; parameters are dropped, of a local number the phone-context says the
 * country), or a sip: URI, whose user part counts. Any length. digits is set for
 * READ_RULE, READ_OWN and READ_DOMESTIC, and for READ_AMBIGUOUS where there is
 * something to show.
 */
void dialled_read(
	struct dialled_reading *out, const struct dial_plan *plan, const char *dialled);

#define DIALLED_CLUSTER_STRINGS 256 /* further strings are not looked at */
#define DIALLED_CLUSTER_LEAST   3   /* variants of one number */

/*
 * The numbers that one source tried behind several prefixes: the tails that at
 * least three different strings have in common, cut at a country code, where only
 * one cut makes a number and no string says otherwise. Own numbers and short codes
 * are left out. At most max are written to out, those with most variants first;
 * each is READ_CLUSTER. Returns how many.
 */
size_t dialled_cluster(struct dialled_reading *out, size_t max,
	const struct dial_plan *plan, const char *const *strings, size_t n);

/*
 * Whether a string is a variant of a number that a cluster found: it ends in its
 * digits. Of such a string its own reading by rule, if it is another one, does not
 * count any more.
 */
bool dialled_ends_in(const char *dialled, const struct dialled_reading *cluster);

/* "rule", "cluster", "ambiguous", ...; "?" */
const char *dialled_reading_name(uint8_t reading);

/* One sentence without a full stop; "" for WHY_NONE. */
const char *dialled_why_text(uint8_t why);

#endif
