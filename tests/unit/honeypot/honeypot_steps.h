/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_HONEYPOT_STEPS_H
#define TESTS_HONEYPOT_STEPS_H

#include "sense/honeypot/honeypot.h"

/*
 * A honeypot that every test has anew, what it is sent, and what came out of it.
 */
#define S  USEC_PER_SEC
#define MS (USEC_PER_SEC / 1000)

#define OUT_MAX_KEPT 64

struct sent {
	struct honeypot_path path;
	char text[8192];
	size_t n;
};

extern struct honeypot *honeypot;
extern struct honeypot_config config; /* used by honeypot_steps_begin() */
extern usec now;
extern struct sent sent[OUT_MAX_KEPT]; /* since the last feed; the last 64 */
extern unsigned n_sent;
extern size_t bytes_sent;            /* since the last feed */
extern struct observation seen[512]; /* since the test began */
extern unsigned n_seen;
extern unsigned n_recorded;                /* messages in since the test began */
extern struct honeypot_record last_record; /* in; its texts are copies */
extern char last_bytes[65537];
extern char last_answer[8192]; /* the last record out */
extern unsigned bad_records;   /* with a pointer that is NULL */

int honeypot_steps_setup(void **state);
int honeypot_steps_teardown(void **state);

/* The honeypot anew, with config as the test changed it. */
void honeypot_steps_begin(void);

/* Over UDP from 198.51.100.7:5070 (or another address) to 192.0.2.10:5060. */
void feed(const char *text);
void feed_from(const char *address, uint16_t port, const char *text, size_t n);
void feed_over(uint8_t transport, uint64_t connection, const char *text);

/* Let time pass to `now` + wait, doing what is due on the way. */
void pass(usec wait);

/*
 * A request: what is NULL has a usual value. extra are more header lines, each with
 * CRLF. In a static buffer.
 */
struct request {
	const char *method, *uri, *user, *call_id, *to_tag, *branch, *extra, *body;
	unsigned cseq;
};
const char *request(struct request r);

/* The parameter or value behind name in the text ("nonce=\"" up to '"'). */
char *between(char dst[256], const char *text, const char *before, const char *after);

/* The status of the i-th message sent since the last feed; 0: none, or a request. */
unsigned status(unsigned i);

#endif
