/* SPDX-License-Identifier: Apache-2.0 */
/* Batches out of the journal of events, and on their way to the role `deliver`. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/random.h>

#include "base/log.h"
#include "daemon/config_webhook.h"
#include "daemon/messages.h"
#include "daemon/node_webhook_state.h"

/* Events looked at for one batch: one that wants few types holds nobody up. */
#define LOOK_AT 1000

#define TEST "test"

/* What is on its way is given up; what it told is to be told again. */
static void abandon(struct webhook_row *row)
{
	row->untold += row->told;
	row->first = row->last = row->told = row->attempts = 0;
}

/* --- what is lost --- */

/* Whether this event, a test, is for the webhook of that name. */
static bool is_for(const struct event *e, const char *name)
{
	json_t *body = json_loads(e->body, 0, NULL);
	const char *whom = json_string_value(json_object_get(body, "webhook"));
	bool own = whom && !strcmp(whom, name);

	json_decref(body);
	return own;
}

/* The oldest event that the journal has is this one. Returns 0 or -1. */
static int take_loss(struct node *n, struct node_webhook *w, uint64_t oldest)
{
	struct webhook_row *row = &w->row;
	uint64_t lost;

	if (oldest <= (row->last ? row->first : row->position + 1))
		return 0;
	abandon(row);
	lost = w->forgotten.until == oldest - 1 ? w->forgotten.wanted :
						  oldest - 1 - row->position;
	memset(&w->forgotten, 0, sizeof w->forgotten);
	row->lost += lost;
	row->untold += lost;
	w->unsaid += lost;
	row->position = oldest - 1;
	return webhook_save(n, w, STORE_SOON);
}

int webhook_catch_up(struct node *n, struct node_webhook *w)
{
	struct webhook_row *row = &w->row;
	uint64_t oldest, newest;
	struct error err = {""};

	if (events_range(n->store, &oldest, &newest, &err)) {
		log_error("store: %s", err.text);
		return -1;
	}
	/* An older copy of the database: what it had sent since has other ids now. */
	if (row->position > newest || row->last > newest) {
		log_warning("webhook %s: the journal ends before what was sent; going on "
			    "with event %" PRIu64,
			row->name, newest + 1);
		abandon(row);
		row->position = newest;
		return webhook_save(n, w, STORE_SOON);
	}
	if (take_loss(n, w, oldest))
		return -1;
	if (w->unsaid)
		log_warning("webhook %s: %" PRIu64 " events were forgotten before they "
			    "could be delivered",
			row->name, w->unsaid);
	w->unsaid = 0;
	return 0;
}

struct counting {
	struct node_webhook *w;
	webhook_types types;
	uint64_t until, seen;
};

static bool count_wanted(void *context, const struct event *e)
{
	struct counting *c = context;
	struct webhook_forgotten *f = &c->w->forgotten;

	if (e->id > c->until)
		return false;
	c->seen++;
	if (!strcmp(e->type, TEST) ? is_for(e, c->w->row.name) :
				     webhook_wants(c->types, e->type)) {
		f->wanted++;
		f->behind += e->id > c->w->row.last;
	}
	return true;
}

void webhook_forget(struct node *n, struct node_webhook *w, uint64_t until)
{
	struct counting c = {w, config_webhook_types(w->types), until, 0};
	struct webhook_forgotten *f = &w->forgotten;
	struct error err = {""};
	uint64_t unseen;

	if (until <= w->row.position)
		return;
	if (f->until < w->row.position)
		*f = (struct webhook_forgotten){.until = w->row.position};
	if (events_after(n->store, f->until, 4 * EVENTS_FORGET, count_wanted, &c, &err) <
		0)
		log_error("store: %s", err.text);
	/* What is not there to be looked at may have been wanted. */
	unseen = until - f->until - c.seen;
	f->wanted += unseen;
	f->behind += unseen;
	f->until = until;
	if (!w->ticket)
		take_loss(n, w, until + 1);
}

/* --- a batch --- */

struct making {
	struct webhook_batch batch;
	const char *name;
	uint64_t until;  /* no event after this */
	uint64_t looked; /* the last that was looked at */
	bool failed;
};

/* A test goes to the webhook that it is for, whatever that wants, and to no other. */
static enum webhook_offer offer_test(struct making *m, const struct event *e)
{
	webhook_types wanted = m->batch.types;
	enum webhook_offer answer;

	if (!is_for(e, m->name))
		return WEBHOOK_PASSED;
	m->batch.types = 0;
	answer = webhook_batch_offer(&m->batch, e);
	m->batch.types = wanted;
	return answer;
}

static bool offer(void *context, const struct event *e)
{
	struct making *m = context;

	if (e->id > m->until)
		return false;
	switch (strcmp(e->type, TEST) != 0 ? webhook_batch_offer(&m->batch, e) :
					     offer_test(m, e)) {
	case WEBHOOK_TAKEN:
	case WEBHOOK_PASSED:
		break;
	case WEBHOOK_FULL:
		return false;
	case WEBHOOK_NO_MEMORY:
		m->failed = true;
		return false;
	}
	m->looked = e->id;
	return true;
}

/*
 * Make a batch of the events after `after`. Returns how many events were looked at, or
 * -1 having logged it; m->batch is to be freed in any case.
 */
static int make(struct node *n, struct making *m, const struct webhook_row *row,
	uint64_t after, uint64_t lost)
{
	struct error err = {"out of memory"};
	int looked;

	m->name = row->name;
	if (webhook_batch_begin(&m->batch, row->name, row->node, lost,
		    config_webhook_types(row->types))) {
		log_error("webhook %s: %s", row->name, err.text);
		return -1;
	}
	looked = events_after(n->store, after, LOOK_AT, offer, m, &err);
	if (looked < 0 || m->failed || webhook_batch_end(&m->batch)) {
		log_error("webhook %s: %s", row->name, err.text);
		return -1;
	}
	return looked;
}

char *webhook_batch_id(char dst[WEBHOOK_ID_MAX], const struct node_webhooks *all,
	const struct webhook_row *row)
{
	static const uint8_t none[WEBHOOK_ROW_NONCE];
	uint8_t random[JOURNAL_ID + WEBHOOK_ROW_NONCE];
	size_t n = sizeof random;

	/* Under way since before batches had their own: it keeps the id it was sent with. */
	if (!memcmp(row->nonce, none, sizeof none))
		n = JOURNAL_ID;
	memcpy(random, all->journal, JOURNAL_ID);
	memcpy(random + JOURNAL_ID, row->nonce, sizeof row->nonce);
	return webhook_id(dst, view_of(random, n), row->name, row->first, row->last);
}

/* In parts, as the link takes them. Returns 0, or -1 with errno. */
static int hand_over(struct node *n, struct node_webhook *w, struct view body)
{
	static uint8_t message[sizeof(struct batch_header) + BATCH_PART];
	struct node_webhooks *all = n->webhooks;
	struct batch_header h;

	memset(&h, 0, sizeof h);
	h.ticket = ++all->ticket;
	h.length = (uint32_t)body.n;
	memcpy(h.webhook, w->row.name, sizeof h.webhook);
	webhook_batch_id(h.id, all, &w->row);
	for (size_t at = 0; at < body.n; at += BATCH_PART) {
		struct view part = view_head(view_from(body, at), BATCH_PART);

		h.offset = (uint32_t)at;
		memcpy(message, &h, sizeof h);
		memcpy(message + sizeof h, part.p, part.n);
		if (link_send(n->deliver, MSG_POST, view_of(message, sizeof h + part.n)))
			return -1;
	}
	w->ticket = h.ticket;
	return 0;
}

/* The batch in m leaves. Returns 1, or -1 when it could not. */
static int leave(struct node *n, struct node_webhook *w, const struct making *m)
{
	if (m->batch.body.n > BATCH_BODY_MAX) {
		log_error(
			"webhook %s: a batch of %zu bytes", w->row.name, m->batch.body.n);
		return -1;
	}
	w->count = m->batch.events;
	if (!hand_over(n, w, view_of(m->batch.body.p, m->batch.body.n)))
		return 1;
	if (errno != EPIPE) /* the role has ended; its next start gets it */
		log_error("webhook %s: handing a batch over: %s", w->row.name,
			strerror(errno));
	return -1;
}

/* What was on its way, once more, word for word. */
static int again(struct node *n, struct node_webhook *w)
{
	struct making m = {.until = w->row.last};
	int rc = make(n, &m, &w->row, w->row.first - 1, w->row.told);

	if (rc >= 0 && (m.batch.first != w->row.first || m.batch.last != w->row.last)) {
		log_error("webhook %s: events %" PRIu64 " to %" PRIu64
			  " are not the same any more; going on with another batch",
			w->row.name, w->row.first, w->row.last);
		abandon(&w->row);
		rc = webhook_save(n, w, STORE_SOON) ? -1 : 1;
	} else if (rc >= 0) {
		rc = leave(n, w, &m);
	}
	webhook_batch_free(&m.batch);
	return rc;
}

/*
 * Random of its own: after an older copy of the database was put back, events get ids
 * that others had, and a receiver must not take them for those. Returns 0 or -1.
 */
static int draw(struct webhook_row *row)
{
	if (getrandom(row->nonce, sizeof row->nonce, 0) == (ssize_t)sizeof row->nonce)
		return 0;
	log_error("webhook %s: no random bytes: %s", row->name, strerror(errno));
	return -1;
}

/* The next one: it is on the disk before it leaves. */
static int fresh(struct node *n, struct node_webhook *w)
{
	struct webhook_row *row = &w->row;
	struct making m = {.until = UINT64_MAX};
	int looked, rc = 0;

	memcpy(row->types, w->types, sizeof row->types);
	memset(row->node, 0, sizeof row->node);
	view_copy(row->node, sizeof row->node, view_str(n->config->node.name));
	looked = make(n, &m, row, row->position, row->untold);
	if (looked < 0) {
		rc = -1;
	} else if (m.batch.events && draw(row)) {
		rc = -1;
	} else if (m.batch.events) {
		row->first = m.batch.first;
		row->last = m.batch.last;
		row->told = row->untold;
		row->untold = row->attempts = 0;
		rc = webhook_save(n, w, STORE_SYNCED);
		if (rc)
			abandon(row); /* or it would leave without being on the disk */
		else
			rc = leave(n, w, &m);
	} else if (m.looked > row->position) {
		row->position = m.looked;
		rc = webhook_save(n, w, STORE_SOON) ? -1 : looked == LOOK_AT;
	}
	webhook_batch_free(&m.batch);
	return rc;
}

int webhook_send(struct node *n, struct node_webhook *w)
{
	return w->row.last ? again(n, w) : fresh(n, w);
}
