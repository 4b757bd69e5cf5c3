/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_OUTBOX_H
#define STORE_OUTBOX_H

#include "indicator/word.h"
#include "store/store.h"

/*
 * The outbox: what this node has decided to say on the ledger, until it is
 * final there. A report that was decided is never lost and never doubled,
 * whatever is killed when:
 *
 *                 outbox_add()
 *                      |
 *                      v     outbox_assign()          outbox_submitted()
 *     superseded <- waiting ---------------> assigned ------------> submitted
 *     expired    <-    ^                        |                       |
 *                      +--- outbox_failed() ----+-----------------------+
 *                                               |                       |
 *                               final, refused <+-----------------------+
 *
 * - Not lost: outbox_add() returns after the row is on the disk; it leaves the
 *   open states only by an answer of the ledger, by a later contrary wish, or
 *   by its own expiry.
 * - Not doubled: an indicator has at most one waiting row and at most one in
 *   flight (assigned or submitted); unique indexes of the file say so. The
 *   member's cell and the whole word are written down before anything is sent,
 *   so that after a kill the same word goes to the same cell again, which a
 *   ledger takes as a refresh and not as a second report. A row that failed
 *   keeps its word for that reason, and a row that supersedes it inherits it.
 * - In order: a waiting row is not handed out while an earlier one about the
 *   same indicator is in flight.
 *
 * After a start: outbox_in_flight(), compare each word with the registry once
 * it has caught up; what stands there is outbox_settle()d as final, what does
 * not is submitted anew by its batch (outbox_batch()). A waiting row that has a
 * word may stand there too (it was given up, and arrived all the same): ask the
 * registry before it is assigned anew, and prefer its old cell.
 *
 * All times are unix seconds. Every change is synced.
 */
enum outbox_want {
	OUTBOX_REPORT = 1,
	OUTBOX_OBJECT = 2, /* category is CATEGORY_OBJECTION */
	OUTBOX_SPEND = 3,  /* take back what this member said about it */
};

enum outbox_state {
	OUTBOX_WAITING = 1,
	OUTBOX_ASSIGNED = 2,  /* has cell and word, not yet handed to the ledger */
	OUTBOX_SUBMITTED = 3, /* handed over; its fate is not known */
	OUTBOX_FINAL = 4,
	OUTBOX_REFUSED = 5,    /* by a rule of the ledger: error says which */
	OUTBOX_SUPERSEDED = 6, /* a later wish about the indicator took its place */
	OUTBOX_EXPIRED = 7,    /* its end came before it could be sent */
};
#define OUTBOX_STATES 8

struct outbox_request {
	struct indicator indicator;
	const char *text;  /* canonical text of kinds 4..6, or "" or NULL */
	uint8_t want;      /* enum outbox_want */
	uint8_t category;  /* enum category */
	uint8_t proof;     /* enum proof */
	uint32_t expiry;   /* unix seconds; 0 for a spend */
	uint64_t evidence; /* evidence_add()'s id, or 0 */
};

struct outbox_row {
	uint64_t ticket;
	struct indicator indicator;
	char text[INDICATOR_SOURCE_TEXT + 1];
	uint8_t want, category, proof;
	uint32_t expiry;
	uint64_t evidence;       /* 0: none */
	uint8_t state;           /* enum outbox_state */
	bool has_word;           /* word was chosen at some time; see above */
	uint8_t word[WORD_SIZE]; /* with its action; holds member, generation, cell */
	uint64_t batch;          /* in flight and after; 0: none */
	uint16_t position;       /* within the batch */
	uint32_t attempts;       /* submissions so far */
	uint64_t retry_at;       /* waiting: not before this */
	uint64_t block;          /* final */
	uint64_t created, updated;
	char error[200]; /* why it failed last, or was refused */
};

/*
 * Take a request. *ticket names its row; *fresh (may be NULL) tells whether the
 * row is new. An open row about the same indicator with the same wish is used
 * when there is one: a waiting one takes over the later expiry and the new
 * category, proof and evidence; one in flight serves if its expiry is not
 * earlier, else a new row waits behind it. A waiting row with another wish is
 * superseded. Returns 0, or -1 with a text (nothing changed).
 */
int outbox_add(struct store *s, const struct outbox_request *request, uint64_t now,
	uint64_t *ticket, bool *fresh, struct error *err);

/*
 * Waiting rows that may be sent now, spends before all others (they pass where
 * reports must wait), then objections (somebody is blocked wrongly), then
 * reports, each oldest first, at most max into rows[].
 * Returns how many, or -1 with a text.
 */
int outbox_next(struct store *s, struct outbox_row *rows, int max, uint64_t now,
	struct error *err);

/* Waiting reports and objections whose expiry has come become expired. 0 or -1. */
int outbox_expire(struct store *s, uint64_t now, struct error *err);

/* A row that waits is not to be taken before `until`. 0 or -1. */
int outbox_put_off(struct store *s, uint64_t ticket, uint64_t until, struct error *err);

/* When the first of those that were put off is to be taken; 0: none. 0 or -1. */
int outbox_put_off_until(
	struct store *s, uint64_t *first, uint64_t now, struct error *err);

/* What was put off by a clock that was ahead waits no longer. 0 or -1. */
int outbox_clock_set_back(struct store *s, uint64_t now, struct error *err);

/* Read one row. Returns 1, 0 when there is none, or -1 with a text. */
int outbox_get(
	struct store *s, struct outbox_row *out, uint64_t ticket, struct error *err);

/*
 * The open rows about i, of which there are two at most: the one that waits
 * and the one in flight; ticket 0 where there is none. 0, or -1 with a text.
 */
int outbox_open(struct store *s, const struct indicator *i, struct outbox_row *waiting,
	struct outbox_row *in_flight, struct error *err);

/* fn must not change the store. */
typedef void outbox_fn(void *context, const struct outbox_row *row);

/* Every row in flight, by batch and position. How many, or -1 with a text. */
int outbox_in_flight(struct store *s, outbox_fn *fn, void *context, struct error *err);

/*
 * Rows with a ticket below `before` (0: from the newest), newest first, at most
 * max. open_only leaves the finished out. How many, or -1 with a text.
 */
int outbox_list(struct store *s, uint64_t before, int max, bool open_only, outbox_fn *fn,
	void *context, struct error *err);

/* Rows by state, for `status` and metrics. Returns 0, or -1 with a text. */
int outbox_counts(struct store *s, uint64_t counts[OUTBOX_STATES], struct error *err);

/*
 * When the oldest open row (waiting, assigned, submitted) was taken, unix
 * seconds into *created; 0: there is none. Returns 0, or -1 with a text.
 */
int outbox_oldest(struct store *s, uint64_t *created, struct error *err);

/*
 * Forget finished rows last changed before `before`, but those with evidence
 * whose report had not ended by then (it is what keeps the evidence), and
 * batches that no row and no evidence belongs to any more. Returns 0, or -1 with a text.
 */
int outbox_prune(struct store *s, uint64_t before, struct error *err);

/* "report", "object", "spend"; "waiting", ... "?" for anything else. */
const char *outbox_want_name(uint8_t want);
const char *outbox_state_name(uint8_t state);

#endif
