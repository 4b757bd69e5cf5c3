/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_WEBHOOK_ROW_H
#define STORE_WEBHOOK_ROW_H

#include "store/store.h"

/*
 * How far each webhook has come in the journal of events (store/event.h), and the
 * batch that is on its way to it. The journal does not change, so that a batch is
 * made anew from its row, byte for byte, after whatever died.
 */
#define WEBHOOK_ROW_NAME   33  /* bytes, with NUL */
#define WEBHOOK_ROW_TYPES  256 /* as [webhook] events has them */
#define WEBHOOK_ROW_NODE   80
#define WEBHOOK_ROW_REASON 300
#define WEBHOOK_ROW_NONCE  16

enum webhook_row_state {
	WEBHOOK_ROW_RUNNING = 1,
	WEBHOOK_ROW_GONE = 2, /* its receiver answered 410: nothing is sent */
};

/* Zeros where nothing is. */
struct webhook_row {
	char name[WEBHOOK_ROW_NAME];
	uint8_t state;     /* enum webhook_row_state */
	uint64_t position; /* all up to this event was delivered, passed over or lost */
	/* The batch on its way: events first .. last of these types; last 0: none. */
	uint64_t first, last;
	uint8_t nonce[WEBHOOK_ROW_NONCE]; /* random, its own; zeros: none */
	char types[WEBHOOK_ROW_TYPES];
	char node[WEBHOOK_ROW_NODE]; /* the node's name when it was made */
	uint64_t told;               /* how many lost events it tells of */
	uint64_t attempts;           /* of that batch that failed */
	uint64_t lost, untold;       /* events forgotten before: all; not told of yet */
	uint64_t events, batches;    /* delivered */
	uint64_t failures;           /* attempts that failed, ever */
	uint64_t delivered;          /* unix time of the last delivery; 0: never */
	uint64_t tried;              /* .. of the last attempt */
	uint32_t status;             /* HTTP's, of the last answer; 0: none came */
	char reason[WEBHOOK_ROW_REASON]; /* why the last attempt failed; "": it did not */
};

/*
 * The random id of this journal, made with it: what a batch is known by is made of
 * it. Returns 0, or -1 with a text.
 */
#define JOURNAL_ID 16
int journal_id(struct store *s, uint8_t id[JOURNAL_ID], struct error *err);

/* Returns 1 with *out filled, 0 when there is none of that name, -1 with a text. */
int webhook_row_get(
	struct store *s, struct webhook_row *out, const char *name, struct error *err);

/*
 * Write the whole row, new or old. Synced when it is so for a reason: a batch must be
 * on the disk, with the events that it is made of, before it is sent, or a power loss
 * would give its ids to other events. Returns 0, or -1 with a text.
 */
int webhook_row_put(struct store *s, const struct webhook_row *row, enum durability d,
	struct error *err);

int webhook_row_delete(struct store *s, const char *name, struct error *err);

/* Each name that there is a row of, in order. Returns how many, or -1 with a text. */
typedef void webhook_name_fn(void *context, const char *name);
int webhook_row_each(
	struct store *s, webhook_name_fn *fn, void *context, struct error *err);

#endif
