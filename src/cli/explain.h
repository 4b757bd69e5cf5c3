/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_EXPLAIN_H
#define CLI_EXPLAIN_H

#include <jansson.h>

#include "daemon/config.h"
#include "sense/wire.h"

/*
 * `sipchain explain`: what a line or a packet becomes, step by step, by the same
 * code that the daemon runs. A reader takes one form of input apart, tells what
 * it reads by explain_read(), and gives what it observes to explain_observe().
 */
struct explain {
	struct config config;
	struct own_config own;
	struct allowlist *allow;
	struct detector *detector;
	struct wire *wire; /* made by the readers of packets; NULL: not yet */
	json_t *steps;     /* of everything, in order */
	usec last;         /* time of the newest observation */
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

/* observation_fn: what it did, and what follows; x is a struct explain. */
void explain_observe(void *x, const struct observation *o);

/* What becomes due when `later` microseconds more have passed. */
void explain_later(struct explain *x, usec later);

/*
 * One form of input. takes() is asked with all of it, in the order of the table
 * in explain_input.c; the first that says yes feeds it. feed() returns 0, or -1
 * with an error. To add a form (a line of Kamailio's, an AMI event, a fail2ban
 * filter), add a reader.
 */
struct explain_reader {
	const char *name; /* "a pcap file" */
	bool (*takes)(struct view input);
	int (*feed)(struct explain *x, struct view input, struct error *err);
};

extern const struct explain_reader explain_readers[];
extern const size_t explain_readers_count;

/* The steps as text for people. */
void explain_print(const struct explain *x, FILE *out);

#endif
