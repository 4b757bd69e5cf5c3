/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENFORCE_KAMAILIO_STATE_H
#define ENFORCE_KAMAILIO_STATE_H

#include "enforce/kamailio_call.h"

/* What kamailio.c (orders) and kamailio_mark.c (coming into step) share. */

#define KAMAILIO_LOOK_EVERY USEC_PER_SEC /* at one mark */
#define KAMAILIO_TABLES     4

enum kamailio_state {
	KAMAILIO_AWAY = 0,
	KAMAILIO_PREPARING, /* finds, sets and checks the tables' marks */
	KAMAILIO_READY,
	KAMAILIO_ENDING, /* the marks are taken away */
	KAMAILIO_ENDED,
	KAMAILIO_GIVEN_UP, /* closed() is waited for */
};

struct kamailio_table {
	char name[33];
	struct kamailio_mark mark;
	usec marked; /* when it was set; monotonic */
};

struct kamailio {
	struct pbx_hooks hooks;
	struct kamailio_table tables[KAMAILIO_TABLES];
	unsigned table_count;
	/* By enum indicator_kind: 1 + index in tables, 0: not carried. */
	uint8_t table_of[INDICATOR_AGENT + 1];

	uint8_t state; /* enum kamailio_state */
	struct kamailio_calls calls;
	unsigned look; /* the next table to look at, also while preparing */
	usec look_due;
	usec began;       /* to prepare */
	bool filled;      /* all that shall stand was ordered in this generation, */
	uint64_t orders;  /* before this sequence; and when it is answered */
	unsigned raising; /* 1 + the table whose mark is set to it; 0: none */
	bool full;        /* it refused an entry, and took none since */
	struct pbx_figures figures;
};

/* The time of day. */
usec kamailio_wall(const struct kamailio *k);

/* The connection is of no use. */
void kamailio_fail(struct kamailio *k, bool refused, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Nothing counts as standing any more: order all again when the tables are seen. */
void kamailio_prepare(struct kamailio *k, usec now);

/* The answer to a call about a mark. */
void kamailio_mark_answered(struct kamailio *k, const struct kamailio_call *c,
	enum kamailio_result result, const struct kamailio_answer *a, usec now);

/* All that resync() asked for was ordered. */
void kamailio_mark_filled(struct kamailio *k, usec now);

/* Look at a mark when it is time, and do what there was no room for. */
void kamailio_mark_due(struct kamailio *k, usec now);

/* Take the marks away. */
void kamailio_mark_end(struct kamailio *k, usec now);

#endif
