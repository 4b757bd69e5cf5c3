/* SPDX-License-Identifier: Apache-2.0 */
#ifndef API_WEBHOOK_POST_H
#define API_WEBHOOK_POST_H

#include <uv.h>

#include "api/webhook.h"

/*
 * Sends webhooks' batches: HTTP POSTs on a libuv loop through one base/http_client.
 * TLS 1.2 or later, certificate and name verified; no proxy, whatever the environment
 * says; redirects are not followed; of an answer's body 64 KiB are read at most and
 * nothing is kept. One for all webhooks of a process: they share connections'
 * and authorities' caches.
 */
struct webhook_post;

#define WEBHOOKS_MAX 16 /* that one process has, and requests under way together */

/*
 * NULL with a text. Before the process is sealed: what it needs afterwards is said at
 * http_client_init() in base/http_client.h.
 */
struct webhook_post *webhook_post_open(uv_loop_t *loop, struct error *err);

/* The outcome is the callback's; it may send, cancel and close. */
typedef void webhook_post_fn(void *context, const struct webhook_outcome *outcome);

/*
 * Send a body under an id (webhook_id()), signed with now (unix seconds). config and
 * body are borrowed until done or cancelled; id is copied. done is called once, from
 * the loop, after config->timeout_s at the latest; never from within this call. Returns
 * the request's number, or 0 when memory is short (done is not called then).
 */
uint64_t webhook_post_send(struct webhook_post *p, const struct webhook_config *config,
	const char *id, struct view body, uint64_t now, webhook_post_fn *done,
	void *context);

/* Forget a request: its done is not called any more. 0 is nothing. */
void webhook_post_cancel(struct webhook_post *p, uint64_t request);

/* Since the opening, of all webhooks; for status and for tests. */
struct webhook_post_counts {
	uint64_t sent, delivered, gone, failed, cancelled;
};
const struct webhook_post_counts *webhook_post_counts(const struct webhook_post *p);

/* Cancels all; frees when its handles have closed on the loop. NULL is nothing. */
void webhook_post_close(struct webhook_post *p);

#endif
