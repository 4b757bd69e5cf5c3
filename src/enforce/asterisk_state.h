/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENFORCE_ASTERISK_STATE_H
#define ENFORCE_ASTERISK_STATE_H

#include "enforce/asterisk_entry.h"
#include "enforce/pbx.h"
#include "sense/ami_message.h"

/* What asterisk.c (answers) and asterisk_ask.c (actions) share. */

/*
 * Most orders in flight: 20,000 take 40 turns. More would make the PBX's other
 * managers wait longer for AstDB, of which there is one lock.
 */
#define ASTERISK_WINDOW 512
#define ASTERISK_RING   (ASTERISK_WINDOW + 8) /* and what is no order */
#define ASTERISK_ID     32

enum step {
	STEP_DOWN = 0, /* no connection, or one of no use */
	STEP_GREETING,
	STEP_LOGIN,   /* .. until DBGetTree is asked for */
	STEP_COMPARE, /* its list comes */
	STEP_READY,
};

enum ask {
	ASK_CHALLENGE = 1,
	ASK_LOGIN,
	ASK_FILTER,
	ASK_TREE,
	ASK_ORDER,
	ASK_STRAY, /* nobody waits for its answer */
	ASK_PING,
	ASK_CLEAR, /* all of the tree at once */
};

struct request {
	uint8_t ask; /* enum ask */
	uint64_t id;
	struct ban_order order; /* ASK_ORDER */
};

struct asterisk {
	struct pbx_hooks hooks;
	char user[64];
	struct view secret;
	struct hash_key seed;
	uint64_t drawn;
	uint8_t step; /* enum step */
	bool booted;  /* it said so on this connection */
	bool listing; /* DBGetTree was answered: its list comes */
	bool again;   /* compare once more, when what is to be deleted was */
	bool fresh;   /* it was not ready yet on this connection */

	struct ami_reader reader;
	struct buffer out;
	struct buffer strays; /* keys to be deleted, each ended by NUL */
	size_t strays_sent;

	struct request ring[ASTERISK_RING];
	size_t head, in_flight;
	usec now;      /* of the present call */
	usec heard;    /* the last message; the begin of the connection */
	usec progress; /* the last answer, or part of one */
	usec compare_began;
	struct pbx_figures figures;
};

/* The connection is of no use; why: hostile text that follows. */
void asterisk_give_up(
	struct asterisk *a, const char *text, struct view why, bool refused);

void asterisk_id(char dst[ASTERISK_ID], uint64_t id);

/* A place in the ring for what is about to be asked; id receives its ActionID. */
struct request *asterisk_ask(struct asterisk *a, enum ask what, char id[ASTERISK_ID]);

/* What follows the login: events that are no concern of ours stay there. */
void asterisk_ask_filter(struct asterisk *a);

/* Nothing counts as standing: what does AstDB hold? */
void asterisk_ask_compare(struct asterisk *a);

/* A ping, of which any answer will do. */
void asterisk_ask_ping(struct asterisk *a);

/* End all that stands there: cleared() follows. */
void asterisk_clear(struct pbx *p, usec now);

/* In step: do what is left of the last comparison, and begin the next. */
void asterisk_settle(struct asterisk *a);

size_t asterisk_order(struct pbx *p, const struct ban_order *orders, size_t n, usec now);

static inline struct asterisk *asterisk_of(struct pbx *p)
{
	return (struct asterisk *)(void *)p;
}

#endif
