/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_NODE_WEBHOOK_STATE_H
#define DAEMON_NODE_WEBHOOK_STATE_H

#include "api/webhook.h"
#include "daemon/node.h"
#include "daemon/node_webhook.h"
#include "store/event.h"
#include "store/webhook_row.h"

/* What the files of the node's webhooks share. */
struct node_webhook {
	struct webhook_row row; /* as it is in the store */
	bool enabled;
	char types[WEBHOOK_ROW_TYPES]; /* wanted now */
	bool known;                    /* `deliver` has told of it over this link .. */
	char trouble[300];             /* .. what keeps it from working; "": nothing */
	uint64_t ticket;               /* of the batch that `deliver` has; 0: none */
	unsigned count;                /* events in it */
	usec retry_at;                 /* monotonic; 0: at once */
	usec told_at;                  /* monotonic: when people last heard of trouble */
	usec took;                     /* of the last attempt */
	/* Of what the journal has forgotten behind `position`: counted while it was there. */
	struct webhook_forgotten {
		uint64_t until;  /* all up to this event; 0: nothing was */
		uint64_t wanted; /* of the types that are wanted .. */
		uint64_t behind; /* .. behind the batch that is on its way */
	} forgotten;
	uint64_t unsaid; /* lost, and not in the log yet */
	/* `webhook test` waits for the delivery of this event. */
	uint64_t test;
	usec test_until; /* monotonic */
	struct control_client *tester;
};

struct node_webhooks {
	struct node_webhook list[CONFIG_WEBHOOKS_MAX]; /* in the configuration's order */
	size_t count, next;                            /* next: whose turn it is */
	uint8_t journal[JOURNAL_ID];
	uint64_t ticket; /* the last that was given */
	uv_timer_t timer;
	usec due; /* monotonic: when the timer ends; 0: it does not run */
	usec not_before;
};

/* --- node_webhook.c --- */

/* Write the row; a failure is logged. Returns 0 or -1. */
int webhook_save(struct node *n, struct node_webhook *w, enum durability d);

/* Look at all of them at this time (monotonic), or as soon after it as may be. */
void webhooks_at(struct node *n, usec at);

/* Answer who waits for a test. code CONTROL_OK: it was delivered. */
void webhook_tested(struct node_webhook *w, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The one of that name; NULL: there is none. */
struct node_webhook *webhook_of(struct node *n, const char *name);

/* --- node_webhook_send.c --- */

/* The id of the batch on its way, see webhook_id(). Returns dst. */
char *webhook_batch_id(char dst[WEBHOOK_ID_MAX], const struct node_webhooks *all,
	const struct webhook_row *row);

/*
 * The journal is about to forget all up to this event: count what of it was wanted. It
 * is lost at once, or, of a webhook whose batch is out, as far as that does not arrive.
 */
void webhook_forget(struct node *n, struct node_webhook *w, uint64_t until);

/*
 * Take in what the journal has forgotten: as counted, or, where it was not seen to
 * forget (a database that was restored, or cut by hand), whatever its type. Returns 0, or -1 when the store failed.
 */
int webhook_catch_up(struct node *n, struct node_webhook *w);

/*
 * Send the batch that is on its way, or the next. Returns 1 when one left or there may
 * be more to look at, 0 when nothing waits, -1 when it is to be tried later.
 */
int webhook_send(struct node *n, struct node_webhook *w);

#endif
