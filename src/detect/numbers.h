/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_NUMBERS_H
#define DETECT_NUMBERS_H

#include "detect/detect.h"
#include "indicator/dial_plan.h"

/*
 * Which numbers, SIP URIs and domains attackers call: beside the detector, like
 * the trail. Pure and bounded; times are the observations' own, or arguments.
 *
 * Who. Only what an attacker dials counts. A source is one
 *   - when it was detected with a proof that may be published (numbers_convict());
 *     what it dialled within the window before and after counts, or
 *   - when it proved itself to the honeypot by more than the ACK of a call (honeypot.h
 *     says who else sends those), where nobody has business: then what it dials there
 *     counts, and nothing that it dials elsewhere.
 * Of an attacker's calls those do not count that may be somebody else's behind the
 * same address, or nobody's at all:
 *   - calls that nothing proves: they may be forged in its name, by who wants a
 *     number on the list and risks nothing (a To tag that came back suffices here);
 *   - calls of accounts that authenticated there, and calls that a password paid
 *     for, but for the account that the detection is about (a stolen one);
 *   - calls that only met a busy line (OBSERVED_DIALLED).
 *
 * What. dial_plan.h reads the strings; only READ_RULE and READ_CLUSTER count, and
 * READ_DOMESTIC where the site says so. Never: emergency and short codes, own
 * numbers, toll-free numbers (they cost the caller nothing), and, unless
 * configured, numbers of the site's own country.
 * A number is told when attackers called it config.calls times, a prefix when
 * they called config.prefix different numbers of it: the longest that holds so
 * many, two digits longer than the country code at least; of one attacker (a /64 of
 * IPv6) alone at most two digits shorter than the numbers, a hundred of them.
 * To the honeypot a call may name a domain, "user@host"; the URI is told like a
 * number, and the domain when config.prefix different URIs of it were called.
 * Addresses and the site's own domains never are; none is where the site's own
 * are not known.
 */
#define NUMBER_CALLS_MAX   16 /* config.calls.threshold at most */
#define NUMBER_PREFIX_MAX  64 /* config.prefix.threshold at most */
#define NUMBER_DOMAINS_MAX 16 /* own domains */
#define NUMBER_SOURCES_MAX 8  /* of those that called, kept in a detection */
/*
 * What one source (of IPv6 a /64) has put on the list within calls.window; more of it is
 * not told. Who calls hundreds of numbers wants innocents' there, or the list full.
 */
#define NUMBER_TOLD_MAX 32
/* Digits that a prefix leaves open when one source alone called its numbers. */
#define NUMBER_SPAN_OF_ONE 2

struct numbers_config {
	struct dial_plan plan;
	struct detect_rule calls;  /* 2 in a day; threshold 0: no numbers, no URIs */
	struct detect_rule prefix; /* 5 in a day; threshold 0: no prefixes, no domains */
	uint32_t again;   /* seconds: what goes on being called is told again after */
	bool domestic;    /* numbers of the site's own country, too */
	uint8_t min_e164; /* fewest digits of a prefix (5) */
	/* The site's own domains, canonical; what is below them is own, too. */
	char domains[NUMBER_DOMAINS_MAX][254];
	unsigned n_domains;
	size_t bytes_max; /* of callers and what they dialled (4 MB) */
};

/* A plan of no country. */
void numbers_config_default(struct numbers_config *c);

/* What became of one call of an attacker. */
enum number_fate {
	FATE_NEW = 0,
	FATE_RULE,    /* counts: one reading */
	FATE_CLUSTER, /* counts: the common tail of several */
	FATE_URI,     /* counts, as a URI */
	/* withheld: */
	FATE_UNPROVED,   /* nothing proves that this very call is the source's */
	FATE_CUSTOMER,   /* of an account that authenticates there */
	FATE_BUSY,       /* it only met a busy line, or none */
	FATE_AMBIGUOUS,  /* more than one number could be meant */
	FATE_SHORT,      /* an emergency or short code */
	FATE_OWN,        /* the site's own number or domain */
	FATE_DOMESTIC,   /* of the site's own country */
	FATE_TOLL_FREE,  /* costs the caller nothing */
	FATE_EXTENSION,  /* an extension, or a code with * or # */
	FATE_INVALID,    /* no number at all */
	FATE_NO_DOMAINS, /* a URI, and the site's own domains are not configured */
	FATE_COUNT
};

static inline bool fate_counts(uint8_t fate)
{
	return fate >= FATE_RULE && fate <= FATE_URI;
}

/* "rule", "ambiguous", ...; "?" */
const char *number_fate_name(uint8_t fate);

/* Why it is withheld: a sentence without a full stop; "" of what counts. */
const char *number_fate_text(uint8_t fate);

struct number_detection {
	usec time;                            /* of the last call */
	struct indicator indicator;           /* number, exact or a prefix; URI; domain */
	char text[INDICATOR_SOURCE_TEXT + 1]; /* canonical, of a URI or domain */
	uint8_t category;                     /* CATEGORY_FRAUD, or CATEGORY_STOLEN */
	uint8_t proof;        /* PROOF_RULE or PROOF_CLUSTER: how sure the reading is */
	uint8_t source_proof; /* the best that those who called gave */
	uint32_t calls;       /* within window */
	uint32_t sources;     /* that made them; at most as many as are kept */
	uint32_t numbers;     /* of a prefix or domain: different ones; else 0 */
	uint32_t window;      /* seconds, as configured */
	struct address from[NUMBER_SOURCES_MAX]; /* the last ones, newest first */
	unsigned n_from;
	char dialled[64]; /* as it was dialled last: hostile */
	char reason[240]; /* for people: printable ASCII */
};

struct numbers;

/* config is copied. NULL when memory is short. */
struct numbers *numbers_new(const struct numbers_config *config, struct hash_key key);

/* How one dials at the site, as configured last; lives as long as n. */
const struct dial_plan *numbers_plan(const struct numbers *n);
void numbers_free(struct numbers *n);

/*
 * Another plan or other thresholds: what is kept is read anew and counts anew. Fill
 * *config by numbers_config_default() first: what is the same, byte for byte, changes
 * nothing.
 */
void numbers_configure(struct numbers *n, const struct numbers_config *config);

/* Every observation, before the detector's verdict about it is told. */
void numbers_note(struct numbers *n, const struct observation *o);

/*
 * This source was detected with a proof that may be published, and nothing (an
 * allowlist, a protected table) speaks for it: it is an attacker.
 */
void numbers_convict(struct numbers *n, const struct detection *d);

/*
 * The next number that crossed a threshold; false: none. An attacker's strings are
 * read once a second at most: call it after numbers_note(), and each second.
 */
bool numbers_due(struct numbers *n, usec now, struct number_detection *out);

/*
 * Nothing came of a prefix that was told (something in it is allowed, protected):
 * the numbers in it are told one by one.
 */
void numbers_refuse(struct numbers *n, const struct indicator *i);

/* Somebody lifted a ban of i: what led to it is forgotten. */
void numbers_forgive(struct numbers *n, const struct indicator *i);

/*
 * For whoever shows or measures it: called with each of an attacker's calls when
 * its fate is decided, or becomes another one.
 */
struct number_judged {
	const struct address *source;
	const char *dialled; /* hostile */
	uint8_t fate;        /* enum number_fate */
	struct dialled_reading reading;
	struct indicator indicator; /* of one that counts */
};
typedef void number_judged_fn(void *context, const struct number_judged *j);
void numbers_watch(struct numbers *n, number_judged_fn *fn, void *context);

struct numbers_figures {
	size_t callers, calls, targets, memory;
	uint64_t fates[FATE_COUNT]; /* calls of attackers, by what became of them */
	uint64_t told;
	uint64_t flooded; /* not told: NUMBER_TOLD_MAX */
};
void numbers_figures(const struct numbers *n, struct numbers_figures *out);

#endif
