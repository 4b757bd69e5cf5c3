/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENFORCE_KAMAILIO_CALL_H
#define ENFORCE_KAMAILIO_CALL_H

#include "enforce/kamailio.h"

/*
 * The calls to Kamailio that are under way: what was asked, which answer belongs
 * to it, when it is sent again. A part of enforce/kamailio.c.
 */
enum kamailio_purpose {
	KAMAILIO_FREE = 0,
	KAMAILIO_ORDER,
	KAMAILIO_FIND, /* what a table's mark says */
	KAMAILIO_SET,  /* set it */
	KAMAILIO_LOOK, /* and see whether it stands */
	KAMAILIO_END,  /* delete it: nothing in the table counts */
};

struct kamailio_call {
	uint8_t purpose; /* enum kamailio_purpose */
	uint8_t table;   /* index, but of ORDER */
	bool unsent;
	bool taken;                /* it was sent once at least */
	uint64_t sequence;         /* calls leave in this order */
	uint64_t sent;             /* and left the last time at this place */
	usec asked;                /* first */
	usec again, wait;          /* when it is sent again, how long it was waited for */
	struct ban_order order;    /* of ORDER */
	struct kamailio_mark mark; /* of SET */
	char id[20];
	size_t n;
	char text[384];
};

struct kamailio_calls {
	struct hash_key seed; /* of the ids, which nobody may guess */
	uint64_t drawn, sequence, sends, resent;
	struct kamailio_call list[KAMAILIO_WINDOW];
	struct kamailio_call *next; /* that kamailio_calls_next() gave */
};

/* A number that nobody can guess. */
uint64_t kamailio_calls_draw(struct kamailio_calls *c);

/* All that are under way end without an answer. */
void kamailio_calls_forget(struct kamailio_calls *c);

/* But for orders. */
void kamailio_calls_forget_marks(struct kamailio_calls *c);

/* One that is free, or NULL. */
struct kamailio_call *kamailio_calls_free(struct kamailio_calls *c);

/* How many orders are under way. */
unsigned kamailio_calls_orders(const struct kamailio_calls *c);

/* Whether an order that was queued before this sequence is. */
bool kamailio_calls_before(const struct kamailio_calls *c, uint64_t sequence);

/* Whether an order about this indicator is. */
bool kamailio_calls_about(const struct kamailio_calls *c, const struct indicator *i);

/*
 * Queue a call: value NULL: htable.delete, "": htable.get, else htable.setxs for
 * `life` seconds. All texts are our own and need no escaping: names of tables,
 * keys, ids of entries.
 */
void kamailio_calls_put(struct kamailio_calls *c, struct kamailio_call *call,
	uint8_t purpose, const char *table, const char *key, const char *value,
	uint32_t life, usec now);

/*
 * Take the call with this id, which is answered, out of those under way. Kamailio
 * answers in the order of the calls: of each that was sent before this one the answer
 * is lost, and it is sent again at once.
 */
bool kamailio_calls_take(
	struct kamailio_calls *c, struct kamailio_call *out, const char *id);

/* The next to be sent, as pbx_ops' next() and sent(). */
bool kamailio_calls_next(struct kamailio_calls *c, struct view *bytes);
void kamailio_calls_sent(struct kamailio_calls *c);

/*
 * Send again what has had no answer, later and later: one that is late because the
 * machine is busy must not cost more than its answer. Returns when to call it again, UINT64_MAX:
 * nothing is under way; 0: one was given up, *taken says whether Kamailio's
 * socket took it.
 */
#define KAMAILIO_RESEND  (USEC_PER_SEC / 4) /* doubled with each */
#define KAMAILIO_GIVE_UP (5 * USEC_PER_SEC)
usec kamailio_calls_due(struct kamailio_calls *c, usec now, bool *taken);

#endif
