/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decided reports become batches, which leave for the ledger. What leaves when,
 * and as which words, is decided by outgoing.c; fates are node_fate.c's.
 */
#include "daemon/node.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/escape.h"
#include "base/log.h"
#include "store/evidence.h"
#include "store/outbox_batch.h"

#define RETRY_SOON  (1 * USEC_PER_SEC)
#define RETRY_LATER (30 * USEC_PER_SEC)

/* Evidence and request in the open transaction. Returns the ticket or 0. */
static uint64_t add(struct node *n, const struct node_report *r, struct error *err)
{
	struct outbox_request request = {
		.indicator = r->indicator,
		.text = r->text,
		.want = r->action == ACTION_SPEND         ? OUTBOX_SPEND :
			r->category == CATEGORY_OBJECTION ? OUTBOX_OBJECT :
							    OUTBOX_REPORT,
		.category = r->category,
		.proof = r->proof,
		.expiry = r->action == ACTION_SPEND ? 0 : r->expiry,
	};
	uint8_t salt[EVIDENCE_SALT];
	uint64_t ticket;

	if (getrandom(salt, sizeof salt, 0) != sizeof salt) {
		error_set(err, "getrandom: %s", strerror(errno));
		return 0;
	}
	if (r->evidence &&
		evidence_add(n->store, &request.evidence, &r->indicator,
			view_str(r->evidence), salt, node_now(), err))
		return 0;
	if (outbox_add(n->store, &request, node_now(), &ticket, NULL, err))
		return 0;
	return ticket;
}

uint64_t node_publish(struct node *n, const struct node_report *r, struct error *err)
{
	bool alone = !n->bans_open; /* else in the transaction with its ban */
	uint64_t ticket;

	if (alone && store_begin(n->store, STORE_SYNCED, err))
		return 0;
	ticket = add(n, r, err);
	if (!alone)
		return ticket;
	if (!ticket) {
		store_rollback(n->store);
		return 0;
	}
	return store_commit(n->store, err) ? 0 : ticket;
}

void node_publish_own(
	struct node *n, const struct own_action *a, const char *text, char *record)
{
	struct node_report r = {.indicator = a->indicator,
		.category = a->category,
		.proof = a->proof,
		.action = ACTION_REPORT,
		.expiry = a->expiry,
		.evidence = record};
	struct error err = {""};
	char name[INDICATOR_TEXT];

	view_copy(r.text, sizeof r.text, view_str(text));
	if (!node_publish(n, &r, &err))
		log_error("%s is not reported: %s",
			*text ? escaped(view_str(text)) :
				indicator_print(name, &a->indicator),
			err.text);
	else
		node_event(n, "report", &a->indicator, "decided: %s, proof %s",
			category_name(a->category), proof_name(a->proof));
	free(record);
}

bool node_may_report(const struct node *n)
{
	const struct member *m = node_member(n);

	return n->config->member.key[0] &&
		(!n->caught_up || (m && m->status == MEMBER_ACTIVE));
}

bool node_outbox_open(struct node *n, const struct indicator *i)
{
	struct outbox_row waiting, in_flight;
	struct error err = {""};

	if (outbox_open(n->store, i, &waiting, &in_flight, &err)) {
		log_error("outbox: %s", err.text);
		return false;
	}
	return (waiting.ticket && waiting.want != OUTBOX_SPEND) ||
		(in_flight.ticket && in_flight.want != OUTBOX_SPEND);
}

/* --- flights --- */

const struct outgoing_pace *node_pace(const struct node *n)
{
	return n->config->ledger.type == CONFIG_LEDGER_ETHEREUM ? &outgoing_pace_blocks :
								  &outgoing_pace_at_once;
}

unsigned node_batch_most(const struct node *n)
{
	if (!n->batch_most || clock_monotonic() >= n->batch_most_until)
		return OUTGOING_ROWS;
	return n->batch_most;
}

unsigned node_flights(const struct node *n)
{
	unsigned count = 0;

	for (unsigned i = 0; n->flights && i < OUTGOING_FLIGHTS; i++)
		count += n->flights[i].ticket != 0;
	return count;
}

struct node_flight *node_flight(const struct node *n, uint64_t ticket)
{
	for (unsigned i = 0; n->flights && i < OUTGOING_FLIGHTS; i++)
		if (n->flights[i].ticket == ticket)
			return &n->flights[i];
	return NULL;
}

/* A place for one more, or NULL. */
static struct node_flight *free_flight(struct node *n)
{
	if (!n->flights)
		n->flights = calloc(OUTGOING_FLIGHTS, sizeof *n->flights);
	return n->flights ? node_flight(n, 0) : NULL;
}

void node_flights_forget(struct node *n)
{
	for (unsigned i = 0; n->flights && i < OUTGOING_FLIGHTS; i++)
		n->flights[i].ticket = 0;
}

/* --- handing over --- */

/* The canonical texts of hashed kinds, in the order of the words. */
static int put_texts(struct buffer *out, const struct outbox_row *rows, int count)
{
	bool any = false;

	for (int i = 0; i < count; i++)
		any = any || rows[i].text[0];
	for (int i = 0; any && i < count; i++) {
		size_t length = strlen(rows[i].text);

		if (rows[i].indicator.kind < INDICATOR_URI)
			continue;
		buffer_put_u8(out, (uint8_t)length);
		buffer_put(out, rows[i].text, length);
	}
	return out->failed ? -1 : 0;
}

/* The message MSG_SUBMIT of rows that have their words. 0 or -1 with errno. */
static int send_batch(struct node *n, uint64_t ticket, const struct outbox_row *rows,
	int count, const uint8_t commitment[KECCAK_SIZE])
{
	struct submit_header header;
	struct buffer texts = {0}, message = {0};
	struct report first;
	int rc = -1;

	word_decode(&first, rows[0].word);
	memset(&header, 0, sizeof header);
	header.ticket = ticket;
	header.member = first.member;
	header.count = (uint16_t)count;
	memcpy(header.commitment, commitment, HASH_SIZE);
	errno = ENOMEM;
	if (put_texts(&texts, rows, count))
		goto done;
	header.texts_length = (uint32_t)texts.n;
	buffer_put(&message, &header, sizeof header);
	for (int i = 0; i < count; i++)
		buffer_put(&message, rows[i].word, WORD_SIZE);
	if (texts.n)
		buffer_put(&message, texts.p, texts.n);
	if (!message.failed)
		rc = link_send(n->ledger, MSG_SUBMIT, view_of(message.p, message.n));
done:
	buffer_free(&texts);
	buffer_free(&message);
	return rc;
}

int node_hand_over(struct node *n, uint64_t ticket, const struct outbox_row *rows,
	int count, const uint8_t commitment[KECCAK_SIZE])
{
	struct node_flight *f = free_flight(n);
	struct report w;

	if (!f) {
		errno = EAGAIN;
		return -1;
	}
	if (send_batch(n, ticket, rows, count, commitment))
		return -1;
	f->ticket = ticket;
	f->count = (unsigned)count;
	for (int i = 0; i < count; i++) {
		word_decode(&w, rows[i].word);
		f->cells[i] = w.cell;
	}
	return 0;
}

/* --- a batch of what waits --- */

/* Rows of one batch being built. */
struct draft {
	struct outbox_row rows[OUTGOING_ROWS];
	struct outbox_assignment entries[OUTGOING_ROWS];
	int count;
};

/* A spend of what is not there any more has reached its aim. */
static void spent_already(struct node *n, uint64_t row)
{
	struct error err = {""};

	if (outbox_settle(
		    n->store, row, OUTBOX_FINAL, 0, "nothing was live", node_now(), &err))
		log_error("store: %s", err.text);
	node_row_done(n, row, true, "nothing of it was live any more");
}

/* Give each row that can go now its word; the others go on waiting. 0 or -1. */
static int fill(struct node *n, const struct member *m, struct draft *d, int waiting)
{
	struct outgoing *o = outgoing_new(n->registry, m, node_now(), node_pace(n));
	struct report w;

	if (!o)
		return -1;
	for (unsigned i = 0; n->flights && i < OUTGOING_FLIGHTS; i++)
		for (unsigned k = 0; n->flights[i].ticket && k < n->flights[i].count; k++)
			outgoing_avoid(o, n->flights[i].cells[k]);
	for (int i = 0; i < waiting; i++) {
		enum outgoing_verdict verdict = outgoing_word(o, &d->rows[i], &w);

		if (verdict == OUTGOING_DONE)
			spent_already(n, d->rows[i].ticket);
		if (verdict != OUTGOING_WORD)
			continue;
		word_encode(d->rows[i].word, &w);
		d->entries[d->count].ticket = d->rows[i].ticket;
		memcpy(d->entries[d->count].word, d->rows[i].word, WORD_SIZE);
		if (d->count != i)
			d->rows[d->count] = d->rows[i];
		d->count++;
	}
	outgoing_free(o);
	return 0;
}

/* Write the batch down and hand it over. Returns whether it left. */
static bool leave(struct node *n, struct draft *d)
{
	uint8_t commitment[KECCAK_SIZE];
	struct error err = {""};
	uint64_t batch = 0;

	/* One transaction: the word is on the disk before it leaves. */
	if (store_begin(n->store, STORE_SYNCED, &err))
		goto failed;
	if (outbox_assign(n->store, d->entries, d->count, node_now(), &batch, commitment,
		    &err) ||
		outbox_submitted(n->store, batch, node_now(), &err)) {
		store_rollback(n->store);
		goto failed;
	}
	if (store_commit(n->store, &err))
		goto failed;
	if (!node_hand_over(n, batch, d->rows, d->count, commitment)) {
		n->left_at = clock_monotonic();
		return true;
	}
	/* It never left: its rows wait again. */
	log_error("the ledger role takes no batch: %s", strerror(errno));
	if (!outbox_failed(n->store, batch, "not handed over", 0, node_now(), &err)) {
		n->retry_at = clock_monotonic() + RETRY_SOON;
		return false;
	}
failed:
	log_error("outbox: %s", err.text);
	n->retry_at = clock_monotonic() + RETRY_LATER;
	return false;
}

/* What others wait for: people, and whoever is blocked wrongly meanwhile. */
static bool is_urgent(const struct node *n, const struct outbox_row *row)
{
	return row->want != OUTBOX_REPORT || node_row_awaited(n, row->ticket);
}

/* How long the rows that wait have to go on waiting; see outgoing_wait(). */
static usec hold(struct node *n, const struct draft *d, int waiting)
{
	bool full = (unsigned)waiting >= node_batch_most(n);
	struct outgoing_moment m = {.waiting = full ? OUTGOING_ROWS : (unsigned)waiting,
		.flights = node_flights(n),
		.left = n->left_at,
		.now = clock_monotonic()};

	if (!waiting)
		n->waiting_since = 0;
	else if (!n->waiting_since)
		n->waiting_since = m.now;
	m.since = n->waiting_since;
	for (int i = 0; i < waiting && !m.urgent; i++)
		m.urgent = is_urgent(n, &d->rows[i]);
	return outgoing_wait(node_pace(n), &m);
}

/* One batch, if it is time for one. Returns whether it left. */
static bool submit_one(struct node *n, const struct member *m, struct draft *d)
{
	struct error err = {""};
	int waiting = outbox_next(
		n->store, d->rows, (int)node_batch_most(n), node_now(), &err);
	usec wait;

	if (waiting < 0) {
		log_error("outbox: %s", err.text);
		return false;
	}
	wait = hold(n, d, waiting);
	n->gather_at = wait && wait != OUTGOING_NEVER ? clock_monotonic() + wait : 0;
	if (wait)
		return false;
	d->count = 0;
	if (fill(n, m, d, waiting)) {
		log_error("outbox: out of memory");
		n->retry_at = clock_monotonic() + RETRY_LATER;
		return false;
	}
	return d->count && leave(n, d);
}

/* For those that were put off; now: before it was asked which may leave. */
static void come_back(struct node *n, uint64_t now)
{
	struct error err = {""};
	uint64_t first;

	n->put_off_at = 0;
	if (!n->put_off)
		return;
	if (outbox_put_off_until(n->store, &first, now, &err)) {
		log_error("outbox: %s", err.text);
		return;
	}
	n->put_off = first != 0;
	if (first)
		n->put_off_at = clock_monotonic() + (first - now) * USEC_PER_SEC;
}

void node_outbox_submit(struct node *n)
{
	const struct member *m = node_member(n);
	struct error err = {""};
	struct draft *d;
	uint64_t now;

	n->gather_at = 0;
	/* An answered client's next line led here from within. */
	n->submit_again = n->submitting;
	if (!n->ledger || !n->caught_up || !n->identified || n->incoming || n->retry_at ||
		n->bans_open || !m || m->status != MEMBER_ACTIVE || n->submitting)
		return;
	if (node_flights(n) >= node_pace(n)->flights) {
		if (!n->waiting_since) /* what waits now has waited when one lands */
			n->waiting_since = clock_monotonic();
		return;
	}
	d = calloc(1, sizeof *d);
	if (!d)
		return;
	n->submitting = true;
	now = node_now();
	if (outbox_expire(n->store, now, &err))
		log_error("outbox: %s", err.text);
	do
		n->submit_again = false;
	while (submit_one(n, m, d) || n->submit_again);
	n->submitting = false;
	free(d);
	come_back(n, now);
	node_schedule(n);
}
