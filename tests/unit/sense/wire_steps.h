/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_WIRE_STEPS_H
#define TESTS_WIRE_STEPS_H

#include "sense/wire.h"

/*
 * SIP messages in a few words, fed to a wire that every test has anew, and
 * what came out of it.
 */
#define S   USEC_PER_SEC
#define MS  (USEC_PER_SEC / 1000)
#define PBX "192.0.2.10"

/* One SIP message in a few words; what is not said has a usual value. */
struct step {
	const char *from, *to; /* 198.51.100.7 and PBX; swapped in a response */
	uint8_t protocol;      /* UDP */
	unsigned status;       /* 0: a request */
	const char *method;    /* REGISTER */
	const char *uri;       /* sip:PBX */
	const char *call_id;   /* c1 */
	unsigned cseq;         /* 1 */
	const char *branch;    /* z9hG4bK-<cseq> */
	const char *tag;       /* To-tag; none */
	const char *user;      /* 101 */
	const char *nonce;     /* credentials, or the challenge of a response */
	const char *realm;     /* asterisk */
	const char *agent;     /* Phone */
	const char *transport; /* UDP, in the Via */
	bool stale;
};

extern struct wire *wire;
extern struct observation seen[512];
extern unsigned n_seen;

/* Make and free the wire; for cmocka. */
int wire_steps_setup(void **state);
int wire_steps_teardown(void **state);

/* The same with this configuration. */
void wire_steps_restart(const struct wire_config *config);

struct address wire_address(const char *text);

/* Feed one message at this time, then let the time pass up to it. */
void feed(usec now, struct step s);
void feed_text(const struct step *s, const char *text, size_t n, usec now);
#define FEED(now, ...) feed(now, (struct step){__VA_ARGS__})

/* How many observations of this kind. */
unsigned count(uint8_t kind);

/* How many different attempt keys. */
unsigned distinct_attempts(void);

/* Exactly one observation since the last call, and it is this one. */
const struct observation *only(uint8_t kind, uint8_t proof);

uint64_t attempt(const char *call_id, const char *response);

#endif
