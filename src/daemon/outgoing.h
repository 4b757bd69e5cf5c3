/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_OUTGOING_H
#define DAEMON_OUTGOING_H

#include "base/clock.h"
#include "ledger/registry.h"
#include "store/outbox.h"

/*
 * What leaves the outbox when, as which words, and what follows from a
 * refusal: the deciding part of node_outbox.c. Pure: no clock, no I/O.
 */
#define OUTGOING_ROWS    100 /* words of a batch */
#define OUTGOING_FLIGHTS 64  /* batches that wait for their fate, at most */

/* --- when --- */

/* How a ledger wants to be written to. */
struct outgoing_pace {
	unsigned flights; /* batches in flight at most, 1 .. OUTGOING_FLIGHTS */
	usec gather;      /* how long a word waits for others */
	/*
	 * How far the ledger's clock may be behind ours: an expiry at the very
	 * limit would be refused as too far.
	 */
	uint32_t slack; /* seconds */
};

/*
 * A ledger that answers at once: what comes while a batch is under way makes
 * the next one, so nothing needs to be held back.
 */
extern const struct outgoing_pace outgoing_pace_at_once;
/* A chain of blocks: fates come late, and each batch has its own costs. */
extern const struct outgoing_pace outgoing_pace_blocks;

struct outgoing_moment {
	unsigned waiting; /* rows that wait, counted up to OUTGOING_ROWS */
	bool urgent;      /* one of them is a spend, an objection, or awaited */
	unsigned flights; /* batches in flight */
	usec since;       /* when the oldest of them came; all times monotonic */
	usec left;        /* when the last batch left; 0: none ever did */
	usec now;
};

#define OUTGOING_NEVER UINT64_MAX

/*
 * How long the next batch waits: 0 goes now, OUTGOING_NEVER nothing goes before
 * something else happens. At once go 100 words, urgent ones, and the first
 * after a quiet time, so that a lone detection is not held back; the others a
 * gathering time after the oldest came. An eighth of the flights is left to
 * urgent words: a flood of detections must not keep a revocation waiting.
 */
usec outgoing_wait(const struct outgoing_pace *pace, const struct outgoing_moment *m);

/* --- as which words --- */

/* One batch while it is put together. */
struct outgoing;

/*
 * For a member's batch, as the registry stands at now (unix seconds); both must
 * not change before outgoing_free(). NULL when memory is short.
 */
struct outgoing *outgoing_new(const struct registry *r, const struct member *m,
	uint32_t now, const struct outgoing_pace *pace);
void outgoing_free(struct outgoing *o);

/* This cell is another batch's, which is in flight: nothing may go there. */
void outgoing_avoid(struct outgoing *o, uint32_t cell);

enum outgoing_verdict {
	OUTGOING_WORD = 1,  /* *w is its word; its cell is taken now */
	OUTGOING_LATER = 2, /* not in this batch: it goes on waiting */
	OUTGOING_DONE = 3,  /* a spend of what is not live any more: it is so */
};

/*
 * The word of a waiting row. A report goes, in this order of preference,
 *   to its old cell, where the row had a word and that cell holds the indicator;
 *   to a cell where the indicator stands;
 *   to its old cell, if that is free (the old word may still arrive: then the
 *   two are one report, the later a refresh);
 *   to the lowest free cell;
 *   with every cell live, in the place of the report that expires first.
 */
enum outgoing_verdict outgoing_word(
	struct outgoing *o, const struct outbox_row *row, struct report *w);

/* --- after a refusal --- */

enum outgoing_remedy {
	OUTGOING_DROP = 1,    /* the entry will not pass, the others may */
	OUTGOING_REBUILD = 2, /* the words were overtaken: choose anew */
	OUTGOING_PAUSE = 3,   /* nothing passes until something has changed */
};

enum outgoing_remedy outgoing_remedy(enum refusal_code code);

#endif
