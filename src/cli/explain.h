/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_EXPLAIN_H
#define CLI_EXPLAIN_H

#include <jansson.h>

#include "daemon/config.h"
#include "sense/log_entry.h"
#include "sense/wire.h"

/*
 * `sipchain explain`: what a line or a packet becomes, step by step, by the same
 * code that the daemon runs. A reader takes one form of input apart, tells what
 * it reads by explain_read(), and gives what it observes to explain_observe().
 */
struct explain_filters;

struct explain {
	struct config config;
	const char *filter; /* --filter: all text goes through it; NULL: not given */
	const char *folder; /* --filters; NULL: where filters usually are */
	bool configured;    /* there is a configuration: this machine's addresses count */
	int code;           /* the exit code of what fails; 0: CONTROL_FAILED */
	struct own_config own;
	struct allowlist *allow;
	struct detector *detector;
	struct numbers *numbers; /* what attackers call */
	struct own_number_config own_number;
	struct dial_plan plan;
	struct wire *wire; /* made by the readers of packets; NULL: not yet */
	struct explain_filters *filters; /* loaded so far */
	json_t *steps;                   /* of everything, in order */
	usec last;                       /* time of the newest observation */
	unsigned observations, detections;
};

/*
 * Begin by x->config, which must be filled; explain_end() frees all but that. 0,
 * or -1 when memory is short.
 */
int explain_begin(struct explain *x);
void explain_end(struct explain *x);

/* Give the input to the first reader that takes it. 0, or -1 with why not. */
int explain_feed(struct explain *x, struct view input, struct error *err);

/* What was read: text in the reader's own words, and fields of it (taken over). */
void explain_read(struct explain *x, const char *text, json_t *fields);

/*
 * The same with "what: why: text": of a text without a reason only the beginning,
 * as its fields say the rest.
 */
void explain_judged(struct explain *x, const char *what, const char *why,
	struct view text, json_t *fields);

/*
 * Put what was read as name into fields, escaped, at most some hundred bytes of
 * it. A name that is there already says so. Empty values are left out.
 */
void explain_field(json_t *fields, const char *name, struct view value);

/* What came onto this node's allowlist. */
void explain_allow(struct explain *x, const struct indicator *i, const char *why);

/* The same as parse_trace's function; the context is the fields. */
void explain_parsed(void *fields, const char *name, struct view value);

/* Text escaped for a step, at most some hundred bytes (static). */
const char *explain_text(struct view text);

/* observation_fn: what it did, and what follows; x is a struct explain. */
void explain_observe(void *x, const struct observation *o);

/* What becomes due when `later` microseconds more have passed. */
void explain_later(struct explain *x, usec later);

/*
 * One form of input. takes() is asked with all of it, in the order of the table
 * in explain_input.c; the first that says yes feeds it. feed() returns 0, or -1
 * with an error. To add a form, add a reader.
 */
struct explain_reader {
	const char *name; /* "a pcap file" */
	bool (*takes)(struct view input);
	int (*feed)(struct explain *x, struct view input, struct error *err);
};

extern const struct explain_reader explain_readers[];
extern const size_t explain_readers_count;

/*
 * explain_numbers.c: what is dialled, by whom; begin by x->config, 0 or -1. note()
 * and convict() as the daemon does, due() whenever time has passed.
 */
int explain_numbers_begin(struct explain *x);
void explain_numbers_note(struct explain *x, const struct observation *o);
void explain_numbers_convict(
	struct explain *x, const struct detection *d, const struct own_action *a);
void explain_numbers_due(struct explain *x, usec now);
void explain_numbers_print(FILE *out, const json_t *step);

/* explain_events.c: security events as lines, and as AMI sends them. */
bool explain_takes_security(struct view input);
int explain_feed_security(struct explain *x, struct view input, struct error *err);
bool explain_takes_ami(struct view input);
int explain_feed_ami(struct explain *x, struct view input, struct error *err);

/* explain_lines.c: lines of logs, of syslog, of the journal. */
bool explain_takes_lines(struct view input);
int explain_feed_lines(struct explain *x, struct view input, struct error *err);
bool explain_takes_journal(struct view input);
int explain_feed_journal(struct explain *x, struct view input, struct error *err);

/* The next line of *rest, without its end; false at the end of it. */
bool explain_line(struct view *rest, struct view *line);

/*
 * explain_filter.c: a line, or an entry of syslog or the journal, through a
 * filter of fail2ban's, which is loaded when it is first named. Returns 0, or -1
 * with a text when there is no such filter.
 */
int explain_filter_line(
	struct explain *x, const char *filter, struct view line, struct error *err);
int explain_filter_entry(struct explain *x, const char *filter, bool journal,
	const struct log_entry *e, struct error *err);
void explain_filters_free(struct explain *x);

/* The stock filter that a line looks to be for, or NULL. */
const char *explain_stock_filter(struct view line);

/* The steps as text for people. */
void explain_print(const struct explain *x, FILE *out);

#endif
