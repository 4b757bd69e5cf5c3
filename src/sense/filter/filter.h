/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SENSE_FILTER_FILTER_H
#define SENSE_FILTER_FILTER_H

#include "base/bytes.h"
#include "base/clock.h"
#include "base/error.h"

/*
 * A fail2ban filter at work: lines in, failures out, as fail2ban's own filter
 * (server/filter.py, 1.0) finds them. One log has one filter: it remembers dates,
 * unfinished connections (<F-MLFID>) and lines (maxlines).
 *
 * Host names are not looked up: whoever owns the reverse zone of an address
 * chooses its name, and a sensor has no network. A failure that names a host
 * instead of an address is none, and is counted.
 */
struct filter;

struct filter_settings {
	const char *const *folders; /* NULL: definition_folders */
	bool journal;               /* lines come from a journal */
	/*
	 * As fail2ban-regex: every expression is tried on every line, and times
	 * are taken as they are written. Else as the server: the first expression
	 * wins, and a time more than a minute from now is now.
	 */
	bool test;
	bool raw_hosts; /* with test: names count as failures (--raw) */
	/*
	 * As the server, but times are taken as they are written, and lines that
	 * hold nothing of what the expressions need are looked at, too: to show
	 * what becomes of a line of any age.
	 */
	bool explain;
	usec now; /* whose year %ExY is reckoned from */
};

/*
 * spec: see definition_load(). All is read and compiled here; nothing is opened
 * later, and no memory is asked for that could be executed. NULL with a text
 * that names file and line.
 */
struct filter *filter_new(
	const char *spec, const struct filter_settings *settings, struct error *err);
void filter_free(struct filter *f);

enum filter_id {
	FILTER_ADDRESS = 1, /* id is an address's text */
	FILTER_HOST,        /* a host name (raw_hosts) */
	FILTER_ID,          /* <F-ID>, or what else the expression calls it */
	FILTER_PENDING,     /* not known yet: a later line may say */
};

struct filter_failure {
	unsigned expression; /* the failregex, from 0 */
	enum filter_id kind;
	struct view id;
	struct view user, port; /* <F-USER>, <F-PORT>; empty: none */
	bool nofail;            /* only remembered, for a later line */
	bool timed;             /* time is set */
	usec time;
	unsigned attempts; /* lines that it took together */
	const struct filter_fail *values;
};

/* Called for each failure of a line; views are valid during the call. */
typedef void filter_failure_fn(void *context, const struct filter_failure *failure);

/* What became of a line. */
struct filter_result {
	unsigned failures; /* given to the callback, nofail among them */
	bool ignored;      /* by an ignoreregex */
	bool prefix;       /* prefregex matched (or there is none) */
	unsigned matched;  /* the last failregex that matched, from 1; 0: none did */
	unsigned released; /* maxlines: earlier lines that this one's match took */
};

/*
 * One line, without its line break; any bytes. now is the present, for lines
 * without a date or year; it may go backwards.
 */
struct filter_result filter_line(struct filter *f, struct view line, usec now,
	filter_failure_fn *fn, void *context);

/*
 * How many bytes of whole lines at the front of text, which is nothing but whole
 * lines with their ends, nothing can come of; they are counted, also into *lines,
 * and need not be given to filter_line(). See logfile_skip_fn.
 */
size_t filter_skip(struct filter *f, struct view text, uint64_t *lines);

/*
 * As filter_line() with an entry of a journal: its text, which holds no date, and its
 * time.
 */
struct filter_result filter_entry(struct filter *f, struct view text, usec time, usec now,
	filter_failure_fn *fn, void *context);

/* A group's value in a failure ("user", "fport", ...), p NULL when it has none. */
struct view filter_value(
	const struct filter *f, const struct filter_failure *failure, const char *name);

/* The users that a connection tried, from 0; p NULL past the last. */
struct view filter_user(const struct filter_failure *failure, unsigned i);

enum filter_part {
	FILTER_PREFREGEX = 1,
	FILTER_FAILREGEX,
	FILTER_IGNOREREGEX,
	FILTER_DATE, /* text is the template's name */
};

struct filter_part_figures {
	const char *text;
	uint64_t hits;
	uint64_t exhausted; /* lines that needed too many steps */
	bool off;           /* switched off for that */
};

/* The i-th expression of a kind. Returns false past the last. */
bool filter_part(const struct filter *f, enum filter_part part, size_t i,
	struct filter_part_figures *out);

struct filter_figures {
	uint64_t lines;
	uint64_t looked_at; /* lines that held what some expression needs */
	uint64_t failures;
	uint64_t ignored;
	uint64_t unnamed;   /* failures with a host name, which is not looked up */
	uint64_t undated;   /* failures without a date, or one that is none */
	uint64_t exhausted; /* expressions that needed too many steps for a line */
	unsigned off;       /* expressions switched off for that */
};

void filter_figures(const struct filter *f, struct filter_figures *out);

/* What was loaded: "asterisk"; its journal matches, a line each, or NULL. */
const char *filter_name(const struct filter *f);
const char *filter_journalmatch(const struct filter *f);
unsigned filter_maxlines(const struct filter *f);

#endif
