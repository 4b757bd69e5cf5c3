/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SENSE_AMI_H
#define SENSE_AMI_H

#include <uv.h>

#include "base/hash.h"
#include "sense/ami_trunks.h"
#include "sense/observation.h"

/*
 * A client of the Asterisk Manager Interface: security events and calls become
 * observations (ami_event.h), the PBX's trunks a list (ami_trunks.h).
 *
 * It opens no socket: it asks for a connected one, because the role that runs it
 * may not make any. It logs in by challenge (MD5 of challenge and secret), so
 * that the secret never travels; asks for the classes security, call and system;
 * has Asterisk filter the events that concern nobody; pings; takes silence for a
 * hang; and connects again by itself, slower and slower.
 *
 * Everything needs read = security,call in manager.conf. write = system lets it
 * filter and list trunks; without it both are left out and `trouble` says so.
 */
struct ami;

/* All in microseconds. */
struct ami_timing {
	usec ping;       /* of silence, then a Ping is sent (2 s) */
	usec hang;       /* of silence, then it hangs (6 s); also of an action's answer */
	usec retry;      /* before the first new try (500 ms); doubled each time */
	usec retry_most; /* (30 s) */
	usec refused;    /* before the next try after a refused login (60 s) */
	usec trunks;     /* between two rounds of asking for trunks (5 min) */
};

extern const struct ami_timing ami_timing_default;

struct ami_config {
	const char *name;   /* of the source, for messages */
	const char *user;   /* letters, digits, '_', '-', '.' */
	struct view secret; /* stays the caller's, until ami_close() */
	struct ami_timing timing;
};

struct ami_callbacks {
	void *context;
	/*
	 * A connection is wanted: answer (at once or later) by ami_connected() or
	 * ami_unreachable().
	 */
	void (*connect)(void *context);
	observation_fn *observation;
	/* A round is over: these are all trunks that the PBX has now. */
	void (*trunks)(void *context, const struct ami_trunk *trunks, size_t count);
};

enum ami_state {
	AMI_WAITING = 1,    /* for the next try */
	AMI_CONNECTING = 2, /* asked for a connection */
	AMI_GREETING = 3,   /* connected; Asterisk speaks first */
	AMI_LOGIN = 4,
	AMI_READY = 5, /* events arrive */
};

/* "waiting", "connecting", "greeting", "login", "ready". */
const char *ami_state_name(uint8_t state);

struct ami_figures {
	uint8_t state; /* enum ami_state */
	bool booted;   /* Asterisk said that it is up, and not since that it stops */
	uint64_t messages;
	uint64_t injected; /* discarded: somebody wrote fields of his own */
	uint64_t observations, calls;
	uint64_t floods; /* turns that ended at the most that one may read */
	uint32_t logins;
	uint32_t gaps; /* times that a connection which was ready was lost */
	usec away;     /* time without one that is ready, since ami_open() */
	uint32_t trunks, trunks_unused, endpoints; /* of the last whole round */
	char trouble[200]; /* clean text: why it is not ready, or what it lacks */
};

/*
 * Start; connect() is called from the loop. config's texts are copied but for
 * the secret. seed draws the jitter and the action ids, which nobody may guess:
 * an event with one of them would count as an answer. NULL when memory is short.
 */
struct ami *ami_open(uv_loop_t *loop, const struct ami_config *config,
	const struct ami_callbacks *callbacks, struct hash_key seed);

/* The connection that was asked for, connected or still connecting; taken over. */
void ami_connected(struct ami *a, int fd);

/* There is none; why: clean text. It asks again later. */
void ami_unreachable(struct ami *a, const char *why);

/* Stop. No callback comes after it; the memory goes a turn later. NULL is fine. */
void ami_close(struct ami *a);

void ami_figures(const struct ami *a, struct ami_figures *out);

/*
 * How long to wait before try number `failures` + 1: timing->retry doubled with
 * each failure up to retry_most, and up to a quarter more by chance (a random
 * number), so that many clients of one PBX do not come back together.
 */
usec ami_retry(const struct ami_timing *timing, unsigned failures, uint64_t chance);

#endif
