/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_NODE_WEBHOOK_H
#define DAEMON_NODE_WEBHOOK_H

#include <jansson.h>

#include "base/bytes.h"
#include "base/error.h"

/*
 * The node's part of webhooks: what each is sent of the journal of events, in order,
 * one batch at a time; what became of it, and when it is tried again. The role
 * `deliver` signs and posts. All that must outlive a process is in the store
 * (store/webhook_row.h).
 */
struct node;
struct node_webhooks;

/*
 * The webhooks of the configuration, each where it was; a new one begins with what
 * happens from now on, and what is known of one that is gone is forgotten. After the
 * store was opened. Returns 0, or -1 with a text.
 */
int node_webhooks_open(struct node *n, struct error *err);

/* The same for another configuration: those that stay go on. */
void node_webhooks_configure(struct node *n);

/*
 * The journal is about to forget all up to this event: what of that a webhook still
 * wanted is lost to it.
 */
void node_webhooks_forget(struct node *n, uint64_t until);

/* Something is in the journal. NULL webhooks, here and below: nothing is done. */
void node_webhooks_wake(struct node *n);

/* A new link to `deliver`, or its end: what was with it is to be sent again. */
void node_webhooks_linked(struct node *n);
void node_webhooks_message(struct node *n, uint16_t type, struct view payload);

/* For `status` and `webhook-status`: an array, in the configuration's order. */
json_t *node_webhooks_json(struct node *n);

/* All of them together, for metrics; zeros: there is none. */
struct webhook_figures {
	uint64_t events, lost; /* delivered; forgotten before that */
	uint64_t behind;       /* events that the one furthest behind waits for */
	unsigned failing;      /* those that an operator is to look at */
};
void node_webhooks_figures(const struct node *n, struct webhook_figures *out);

/* The commands `webhook-status`, `webhook-test`, `webhook-retry`. */
struct control_client;
void node_webhooks_status(
	struct node *n, struct control_client *client, const json_t *arguments);
void node_webhooks_test(
	struct node *n, struct control_client *client, const json_t *arguments);
void node_webhooks_retry(
	struct node *n, struct control_client *client, const json_t *arguments);

/* The role ends: who waits is answered. */
void node_webhooks_close(struct node *n);

/* After the loop has run for the last time. NULL is fine. */
void node_webhooks_free(struct node_webhooks *w);

#endif
