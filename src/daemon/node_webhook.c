/* SPDX-License-Identifier: Apache-2.0 */
/* When webhooks are sent what, and what came of it. */
#include "daemon/node_webhook.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/escape.h"
#include "base/log.h"
#include "daemon/config_webhook.h"
#include "daemon/messages.h"
#include "daemon/node_webhook_state.h"

/* One turn takes no more of the node's time than this, and a tenth of it all. */
#define TURN       (5 * USEC_PER_SEC / 1000)
#define TURN_REST  9
#define TURN_LEAST (5 * USEC_PER_SEC / 1000)

/* After what was nobody's fault: memory, the disk, a full link. */
#define AGAIN_IN USEC_PER_SEC

/* People hear of one webhook's failures no more often; they would be sent it, too. */
#define TELL_EVERY (600 * USEC_PER_SEC)

int webhook_save(struct node *n, struct node_webhook *w, enum durability d)
{
	struct error err = {""};

	if (!webhook_row_put(n->store, &w->row, d, &err))
		return 0;
	log_error("store: webhook %s: %s", w->row.name, err.text);
	return -1;
}

struct node_webhook *webhook_of(struct node *n, const char *name)
{
	struct node_webhooks *all = n->webhooks;

	for (size_t i = 0; all && i < all->count; i++)
		if (!strcmp(all->list[i].row.name, name))
			return &all->list[i];
	return NULL;
}

void webhook_tested(struct node_webhook *w, int code, const char *fmt, ...)
{
	struct control_client *client = w->tester;
	char text[500];
	va_list ap;

	if (!client)
		return;
	w->tester = NULL;
	w->test = 0;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (code != CONTROL_OK)
		control_refuse(client, (enum control_code)code, "webhook %s: %s",
			w->row.name, text);
	else
		control_answer(client,
			json_pack("{s:s, s:s, s:i, s:I}", "webhook", w->row.name, "text",
				text, "status", (int)w->row.status, "took_ms",
				(json_int_t)(w->took / 1000)));
}

/* --- time --- */

static void pump(uv_timer_t *timer);

void webhooks_at(struct node *n, usec at)
{
	struct node_webhooks *all = n->webhooks;
	usec now = clock_monotonic();

	if (!all || !all->count || n->stopping)
		return;
	if (at < all->not_before)
		at = all->not_before;
	if (all->due && all->due <= at)
		return;
	all->due = at ? at : 1;
	uv_timer_start(&all->timer, pump, at > now ? (at - now) / 1000 + 1 : 0, 0);
}

void node_webhooks_forget(struct node *n, uint64_t until)
{
	struct node_webhooks *all = n->webhooks;

	for (size_t i = 0; all && i < all->count; i++)
		webhook_forget(n, &all->list[i], until);
}

void node_webhooks_wake(struct node *n)
{
	webhooks_at(n, 0);
}

static bool sendable(const struct node *n, const struct node_webhook *w)
{
	return w->enabled && w->row.state == WEBHOOK_ROW_RUNNING && n->deliver &&
		w->known && !w->trouble[0];
}

/* One of them. Returns when it is to be looked at again; UINT64_MAX: when woken. */
static usec step(struct node *n, struct node_webhook *w, usec now)
{
	usec next = UINT64_MAX;

	if (w->tester && now >= w->test_until)
		webhook_tested(w, CONTROL_FAILED, "no answer yet%s%s",
			w->row.reason[0] ? "; the last attempt: " : "", w->row.reason);
	if (w->tester)
		next = w->test_until;
	if (!sendable(n, w) || w->ticket)
		return next;
	if (w->retry_at <= now) {
		int rc = webhook_catch_up(n, w) ? -1 : webhook_send(n, w);

		if (rc < 0)
			w->retry_at = now + AGAIN_IN;
		else if (rc && !w->ticket)
			return now; /* it has looked at many, and there are more */
	}
	return w->retry_at > now && w->retry_at < next ? w->retry_at : next;
}

static void pump(uv_timer_t *timer)
{
	struct node *n = timer->data;
	struct node_webhooks *all = n->webhooks;
	usec begun = clock_monotonic(), now = begun, next = UINT64_MAX, at;

	all->due = 0;
	if (n->stopping)
		return;
	node_bans_flush(n); /* its transaction would not be synced with a batch */
	for (size_t i = 0; i < all->count && next > begun; i++) {
		at = step(n, &all->list[all->next++ % all->count], begun);
		now = clock_monotonic();
		if (at < next)
			next = at;
		if (now - begun > TURN)
			next = begun; /* the others in the next turn */
	}
	all->next %= all->count ? all->count : 1;
	all->not_before = now + (now - begun) * TURN_REST + TURN_LEAST;
	if (next != UINT64_MAX)
		webhooks_at(n, next);
}

/* --- what came of it --- */

static void delivered(struct node *n, struct node_webhook *w, const struct batch_done *d)
{
	struct webhook_row *row = &w->row;

	if (row->attempts)
		log_notice("webhook %s: delivered again, after %" PRIu64
			   " attempts that failed",
			row->name, row->attempts);
	row->position = row->last;
	w->forgotten.wanted = w->forgotten.behind;
	row->events += w->count;
	row->batches++;
	row->first = row->last = row->told = row->attempts = 0;
	row->delivered = row->tried;
	row->reason[0] = 0;
	w->retry_at = 0;
	webhook_save(n, w, STORE_SOON);
	if (w->test && row->position >= w->test)
		webhook_tested(
			w, CONTROL_OK, "delivered: its receiver answered %u", d->status);
}

/* Its receiver wants no more: an operator is to look at it. */
static void gone(struct node *n, struct node_webhook *w)
{
	w->row.state = WEBHOOK_ROW_GONE;
	webhook_save(n, w, STORE_SOON);
	log_error("webhook %s: %s; nothing more is sent", w->row.name, w->row.reason);
	webhook_tested(w, CONTROL_FAILED, "%s; nothing more is sent", w->row.reason);
	node_event(n, "trouble", NULL,
		"webhook %s: %s; nothing more is sent until `sipchain webhook retry %s`",
		w->row.name, w->row.reason, w->row.name);
}

static void failed(struct node *n, struct node_webhook *w, uint32_t retry_s)
{
	usec now = clock_monotonic(), wait;
	/* Since the node's start: after one, people hear of what stands still. */
	bool lately = w->told_at && now - w->told_at < TELL_EVERY;
	uint32_t random = 0;

	if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
		random = (uint32_t)now;
	wait = webhook_wait(w->row.attempts < 1000 ? (unsigned)w->row.attempts : 1000,
		random, retry_s < WEBHOOK_RETRY_MAX ? retry_s : WEBHOOK_RETRY_MAX);
	w->retry_at = now + wait;
	webhook_save(n, w, STORE_SOON);
	webhook_tested(w, CONTROL_FAILED, "not delivered: %s; again in %llu s",
		w->row.reason,
		(unsigned long long)((wait + USEC_PER_SEC - 1) / USEC_PER_SEC));
	if (w->row.attempts > 1 && lately)
		return;
	log_warning("webhook %s: %s; again in %llu s, and so on", w->row.name,
		w->row.reason,
		(unsigned long long)((wait + USEC_PER_SEC - 1) / USEC_PER_SEC));
	if (lately)
		return;
	w->told_at = now;
	node_event(n, "trouble", NULL, "webhook %s: %s; what happens waits for it",
		w->row.name, w->row.reason);
}

static void on_done(struct node *n, struct batch_done *d)
{
	struct node_webhook *w;
	size_t length;

	d->webhook[sizeof d->webhook - 1] = d->reason[sizeof d->reason - 1] = 0;
	w = webhook_of(n, d->webhook);
	if (!w || !d->ticket || d->ticket != w->ticket || !w->row.last ||
		d->verdict < WEBHOOK_DELIVERED || d->verdict > WEBHOOK_LATER)
		return;
	w->ticket = 0;
	w->took = d->took;
	w->row.tried = node_now();
	w->row.status = d->status < 1000 ? d->status : 0;
	memset(w->row.reason, 0, sizeof w->row.reason);
	length = strlen(d->reason);
	view_copy(w->row.reason, sizeof w->row.reason,
		text_is_clean(view_of(d->reason, length)) && length ?
			view_of(d->reason, length) :
			view_str("failed, for no reason that could be read"));
	if (d->verdict == WEBHOOK_DELIVERED) {
		delivered(n, w, d);
	} else {
		w->row.attempts++;
		w->row.failures++;
		if (d->verdict == WEBHOOK_GONE)
			gone(n, w);
		else
			failed(n, w, d->retry_s);
	}
	webhooks_at(n, 0);
}

/* What each webhook lacks, as the role found at its start. */
static void on_webhooks(struct node *n, struct view payload)
{
	struct webhook_self self;
	struct node_webhook *w;

	for (size_t at = 0; at + sizeof self <= payload.n; at += sizeof self) {
		memcpy(&self, payload.p + at, sizeof self);
		self.webhook[sizeof self.webhook - 1] = 0;
		self.trouble[sizeof self.trouble - 1] = 0;
		w = webhook_of(n, self.webhook);
		if (!w)
			continue;
		w->known = true;
		memset(w->trouble, 0, sizeof w->trouble);
		view_copy(w->trouble, sizeof w->trouble,
			text_is_clean(view_str(self.trouble)) ?
				view_str(self.trouble) :
				view_str("is in trouble that could not be read"));
		if (w->trouble[0])
			webhook_tested(w, CONTROL_FAILED, "%s", w->trouble);
	}
	webhooks_at(n, 0);
}

void node_webhooks_message(struct node *n, uint16_t type, struct view payload)
{
	struct batch_done done;

	if (type == MSG_POSTED && payload.n == sizeof done) {
		memcpy(&done, payload.p, sizeof done);
		on_done(n, &done);
	} else if (type == MSG_WEBHOOKS && payload.n % sizeof(struct webhook_self) == 0) {
		on_webhooks(n, payload);
	}
}

void node_webhooks_linked(struct node *n)
{
	struct node_webhooks *all = n->webhooks;

	for (size_t i = 0; all && i < all->count; i++) {
		all->list[i].known = false;
		all->list[i].ticket = 0;
	}
}

/* --- configuration --- */

static bool is_configured(const struct config *c, const char *name)
{
	for (size_t i = 0; i < c->webhook_count; i++)
		if (!strcmp(c->webhooks[i].name, name))
			return true;
	return false;
}

/* Names of rows; there is one more than may be configured when some have gone. */
struct names {
	char name[64][WEBHOOK_ROW_NAME];
	size_t count;
};

static void add_name(void *context, const char *name)
{
	struct names *names = context;

	if (names->count < sizeof names->name / sizeof names->name[0])
		snprintf(names->name[names->count++], WEBHOOK_ROW_NAME, "%s", name);
}

/* Rows of webhooks that are not configured any more. 0 or -1. */
static int forget(struct node *n, struct error *err)
{
	struct names names = {.count = 0};

	if (webhook_row_each(n->store, add_name, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.count; i++) {
		if (is_configured(n->config, names.name[i]))
			continue;
		log_notice("webhook %s is not configured any more: how far it had come "
			   "is forgotten",
			names.name[i]);
		if (webhook_row_delete(n->store, names.name[i], err))
			return -1;
	}
	return 0;
}

/* Where it was, or, when it is new, behind all that is in the journal. 0 or -1. */
static int load(
	struct node *n, struct node_webhook *w, const char *name, struct error *err)
{
	uint64_t oldest, newest;
	int rc = webhook_row_get(n->store, &w->row, name, err);

	if (rc)
		return rc < 0 ? -1 : 0;
	if (events_range(n->store, &oldest, &newest, err))
		return -1;
	memset(&w->row, 0, sizeof w->row);
	snprintf(w->row.name, sizeof w->row.name, "%s", name);
	w->row.state = WEBHOOK_ROW_RUNNING;
	w->row.position = newest;
	return webhook_row_put(n->store, &w->row, STORE_SOON, err);
}

/* The list by the configuration; what `old` has of one goes on. 0 or -1. */
static int take_list(struct node *n, struct node_webhooks *old, struct error *err)
{
	struct node_webhooks *all = n->webhooks;
	const struct config *c = n->config;

	all->count = 0;
	for (size_t i = 0; i < c->webhook_count; i++) {
		const struct config_webhook *from = &c->webhooks[i];
		struct node_webhook *w = &all->list[i];

		memset(w, 0, sizeof *w);
		for (size_t k = 0; old && k < old->count; k++) {
			if (strcmp(old->list[k].row.name, from->name))
				continue;
			*w = old->list[k];
			old->list[k].tester = NULL;
		}
		if (!w->row.name[0] && load(n, w, from->name, err))
			return -1;
		w->enabled = from->enabled;
		memset(w->types, 0, sizeof w->types);
		view_copy(w->types, sizeof w->types, view_str(from->events));
		w->retry_at = 0; /* a new secret or address may help */
		all->count++;
	}
	for (size_t k = 0; old && k < old->count; k++)
		webhook_tested(
			&old->list[k], CONTROL_FAILED, "is not configured any more");
	return forget(n, err);
}

int node_webhooks_open(struct node *n, struct error *err)
{
	struct node_webhooks *all = calloc(1, sizeof *all);

	if (!all)
		return error_set(err, "out of memory");
	n->webhooks = all;
	uv_timer_init(&n->loop, &all->timer);
	all->timer.data = n;
	if (journal_id(n->store, all->journal, err))
		return -1;
	return take_list(n, NULL, err);
}

void node_webhooks_configure(struct node *n)
{
	struct node_webhooks *old;
	struct error err = {""};

	if (!n->webhooks)
		return;
	old = malloc(sizeof *old);
	if (!old) {
		log_error("webhooks: out of memory; they stay as they were");
		return;
	}
	memcpy(old->list, n->webhooks->list, sizeof old->list);
	old->count = n->webhooks->count;
	if (take_list(n, old, &err))
		log_error("webhooks: %s", err.text);
	free(old);
	webhooks_at(n, 0);
}

void node_webhooks_close(struct node *n)
{
	struct node_webhooks *all = n->webhooks;

	if (!all)
		return;
	for (size_t i = 0; i < all->count; i++)
		webhook_tested(&all->list[i], CONTROL_UNREACHABLE, "the node stops");
	uv_close((uv_handle_t *)&all->timer, NULL);
}

void node_webhooks_free(struct node_webhooks *w)
{
	free(w);
}
