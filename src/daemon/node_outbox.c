/* SPDX-License-Identifier: Apache-2.0 */
/* Decided reports on their way to the ledger: words, batches, fates. */
#include "daemon/node.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/escape.h"
#include "base/log.h"
#include "store/evidence.h"
#include "store/outbox_batch.h"

#define BATCH_ROWS  100
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
	if (r->evidence[0] &&
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

/* Rows of one submission being built. */
struct draft {
	struct outbox_row rows[BATCH_ROWS];
	struct outbox_assignment entries[BATCH_ROWS];
	uint32_t cells[BATCH_ROWS];
	int count;
};

static bool cell_taken(const struct draft *d, uint32_t cell)
{
	for (int i = 0; i < d->count; i++)
		if (d->cells[i] == cell)
			return true;
	return false;
}

/* The word of one row. Returns 0, or -1 when it cannot go into this batch. */
static int make_word(struct node *n, const struct member *m, const struct draft *d,
	const struct outbox_row *row, struct report *w)
{
	memset(w, 0, sizeof *w);
	if (row->want == OUTBOX_SPEND) {
		if (registry_own_word(
			    n->registry, m->index, &row->indicator, node_now(), w))
			return -1;
		w->action = ACTION_SPEND;
		return cell_taken(d, w->cell) ? -1 : 0;
	}
	/* While paused, or after a successor was named, only spends pass. */
	if (registry_paused(n->registry) || registry_superseded(n->registry))
		return -1;
	w->indicator = row->indicator;
	/* Decided before the ledger was known, or it has been configured since. */
	w->expiry = row->expiry;
	if (w->expiry > node_now() + registry_config(n->registry)->max_ttl)
		w->expiry = node_now() + registry_config(n->registry)->max_ttl;
	w->member = m->index;
	w->generation = m->generation;
	w->category = row->category;
	w->proof = row->proof;
	return registry_choose_cell(n->registry, m->index, &row->indicator, node_now(),
		d->cells, (size_t)d->count, &w->cell, &w->action);
}

/* A spend of what is not there any more has reached its aim. */
static bool nothing_to_spend(
	struct node *n, const struct member *m, const struct outbox_row *row)
{
	struct report w;
	struct error err = {""};

	if (row->want != OUTBOX_SPEND ||
		!registry_own_word(
			n->registry, m->index, &row->indicator, node_now(), &w))
		return false;
	if (outbox_settle(n->store, row->ticket, OUTBOX_FINAL, 0, "nothing was live",
		    node_now(), &err))
		log_error("store: %s", err.text);
	node_row_done(n, row->ticket, true, "nothing of it was live any more");
	return true;
}

/* Take what waits and give each a word. */
static void fill(struct node *n, const struct member *m, struct draft *d, int waiting)
{
	for (int i = 0; i < waiting; i++) {
		struct report w;

		if (nothing_to_spend(n, m, &d->rows[i]) ||
			make_word(n, m, d, &d->rows[i], &w))
			continue;
		d->entries[d->count].ticket = d->rows[i].ticket;
		word_encode(d->entries[d->count].word, &w);
		d->cells[d->count] = w.cell;
		d->rows[d->count] = d->rows[i];
		d->count++;
	}
}

/* The canonical texts of hashed kinds, in the order of the words. */
static int put_texts(struct buffer *out, const struct draft *d)
{
	bool any = false;

	for (int i = 0; i < d->count; i++)
		any = any || d->rows[i].text[0];
	for (int i = 0; any && i < d->count; i++) {
		size_t length = strlen(d->rows[i].text);

		if (d->rows[i].indicator.kind < INDICATOR_URI)
			continue;
		buffer_put_u8(out, (uint8_t)length);
		buffer_put(out, d->rows[i].text, length);
	}
	return out->failed ? -1 : 0;
}

/* Hand the batch to the ledger role. */
static int send_batch(struct node *n, const struct member *m, const struct draft *d,
	uint64_t batch, const uint8_t commitment[KECCAK_SIZE])
{
	struct submit_header header;
	struct buffer texts = {0}, message = {0};
	int rc = -1;

	memset(&header, 0, sizeof header);
	header.ticket = batch;
	header.member = m->index;
	header.count = (uint16_t)d->count;
	memcpy(header.commitment, commitment, HASH_SIZE);
	if (put_texts(&texts, d))
		goto done;
	header.texts_length = (uint32_t)texts.n;
	buffer_put(&message, &header, sizeof header);
	for (int i = 0; i < d->count; i++)
		buffer_put(&message, d->entries[i].word, WORD_SIZE);
	if (texts.n)
		buffer_put(&message, texts.p, texts.n);
	if (!message.failed)
		rc = link_send(n->ledger, MSG_SUBMIT, view_of(message.p, message.n));
done:
	buffer_free(&texts);
	buffer_free(&message);
	return rc;
}

static void submit(struct node *n, const struct member *m, struct draft *d)
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
	n->submission.ticket = batch;
	n->submission.count = (unsigned)d->count;
	for (int i = 0; i < d->count; i++)
		n->submission.rows[i] = d->entries[i].ticket;
	if (!send_batch(n, m, d, batch, commitment))
		return;
	/* It never left: its rows wait again. */
	log_error("the ledger role takes no batch: %s", strerror(errno));
	n->submission.ticket = 0;
	if (!outbox_failed(n->store, batch, "not handed over", 0, node_now(), &err)) {
		n->retry_at = clock_monotonic() + RETRY_SOON;
		node_schedule(n);
		return;
	}
failed:
	log_error("outbox: %s", err.text);
	n->retry_at = clock_monotonic() + RETRY_LATER;
	node_schedule(n);
}

void node_outbox_submit(struct node *n)
{
	const struct member *m = node_member(n);
	struct error err = {""};
	struct draft *d;
	int waiting;

	if (!n->ledger || !n->caught_up || n->incoming || n->submission.ticket ||
		n->retry_at || n->bans_open || !m || m->status != MEMBER_ACTIVE)
		return;
	d = calloc(1, sizeof *d);
	if (!d)
		return;
	if (outbox_expire(n->store, node_now(), &err))
		log_error("outbox: %s", err.text);
	waiting = outbox_next(n->store, d->rows, BATCH_ROWS, node_now(), &err);
	if (waiting < 0)
		log_error("outbox: %s", err.text);
	else
		fill(n, m, d, waiting);
	if (d->count)
		submit(n, m, d);
	free(d);
}

struct seeking {
	const struct indicator *i;
	bool found;
};

static void seek(void *context, const struct outbox_row *row)
{
	struct seeking *s = context;

	s->found = s->found ||
		(row->want != OUTBOX_SPEND &&
			!memcmp(&row->indicator, s->i, sizeof row->indicator));
}

bool node_outbox_open(struct node *n, const struct indicator *i)
{
	struct seeking s = {i, false};
	struct error err = {""};

	if (outbox_list(n->store, 0, INT_MAX, true, seek, &s, &err) < 0)
		log_error("outbox: %s", err.text);
	return s.found;
}

/* --- fates --- */

/* Whether a refusal concerns one entry and will not change by itself. */
static bool about_entry(enum refusal_code code)
{
	switch ((int)code) {
	case REFUSED_INDICATOR:
	case REFUSED_UNROUTABLE:
	case REFUSED_EXPIRY_PAST:
	case REFUSED_EXPIRY_TOO_FAR:
	case REFUSED_CATEGORY:
	case REFUSED_PROOF:
	case REFUSED_PROTECTED:
	case REFUSED_CELL_OVER_CAP:
	case REFUSED_ACTION_UNKNOWN:
		return true;
	default:
		return false;
	}
}

static void on_final(struct node *n, const struct ledger_fate *f)
{
	struct error err = {""};
	char text[80];

	snprintf(text, sizeof text, "on the ledger, operation %llu",
		(unsigned long long)f->block);
	if (outbox_final(n->store, f->ticket, f->block, node_now(), &err))
		log_error("outbox: %s", err.text);
	for (unsigned i = 0; i < n->submission.count; i++)
		node_row_done(n, n->submission.rows[i], true, text);
	node_event(n, "published", NULL, "%u reports are %s", n->submission.count, text);
}

/* A race for a cell: another one is chosen. */
static bool about_cell(enum refusal_code code)
{
	return code == REFUSED_CELL_LIVE || code == REFUSED_CELL_NOT_LIVE ||
		code == REFUSED_CELL_MISMATCH;
}

/* Who asked for it hears no, so it must not be published behind his back. */
static void give_up_if_awaited(struct node *n, uint64_t row, const char *why)
{
	struct error err = {""};

	if (!node_row_awaited(n, row))
		return;
	if (outbox_settle(n->store, row, OUTBOX_REFUSED, 0, why, node_now(), &err))
		log_error("outbox: %s", err.text);
	node_row_done(n, row, false, why);
}

static void on_refused(struct node *n, const struct ledger_fate *f)
{
	uint32_t entry = f->refusal.entry;
	struct error err = {""};
	char text[200];
	int rc;

	refusal_print(text, &f->refusal);
	log_warning("the ledger refused a batch: %s", text);
	if (about_entry(f->refusal.code) && entry < n->submission.count) {
		rc = outbox_refused(
			n->store, f->ticket, (uint16_t)entry, text, node_now(), &err);
		node_row_done(n, n->submission.rows[entry], false, text);
	} else {
		/* A full or moved cell is chosen anew; a pause has to end. */
		n->retry_at = clock_monotonic() +
			(about_cell(f->refusal.code) ? RETRY_SOON : RETRY_LATER);
		rc = outbox_failed(n->store, f->ticket, text, 0, node_now(), &err);
		for (unsigned i = 0;
			!about_cell(f->refusal.code) && i < n->submission.count; i++)
			give_up_if_awaited(n, n->submission.rows[i], text);
	}
	if (rc)
		log_error("outbox: %s", err.text);
}

void node_outbox_fate(struct node *n, const struct ledger_fate *f)
{
	struct error err = {""};

	if (!n->submission.ticket || f->ticket != n->submission.ticket)
		return;
	if (f->fate == FATE_FINAL) {
		on_final(n, f);
	} else if (f->fate == FATE_REFUSED) {
		on_refused(n, f);
	} else {
		log_warning("the ledger did not take a batch: %s", f->error.text);
		n->retry_at = clock_monotonic() + RETRY_SOON;
		if (outbox_failed(
			    n->store, f->ticket, f->error.text, 0, node_now(), &err))
			log_error("outbox: %s", err.text);
	}
	n->submission.ticket = 0;
	node_outbox_submit(n);
	node_schedule(n);
}

/* --- after a restart of the ledger role or of this one --- */

struct unsettled {
	struct outbox_row *rows;
	int count;
};

static void collect(void *context, const struct outbox_row *row)
{
	struct unsettled *u = context;
	struct outbox_row *rows;

	rows = realloc(u->rows, (size_t)(u->count + 1) * sizeof *rows);
	if (!rows)
		return;
	u->rows = rows;
	rows[u->count++] = *row;
}

/* Whether the ledger shows what the row said. */
static bool stands(struct node *n, const struct outbox_row *row)
{
	struct report said, there;

	word_decode(&said, row->word);
	if (registry_cell(n->registry, said.member, said.cell, node_now(), &there))
		return row->want == OUTBOX_SPEND;
	if (row->want == OUTBOX_SPEND)
		return memcmp(&there.indicator, &said.indicator, sizeof said.indicator) !=
			0;
	return !memcmp(&there.indicator, &said.indicator, sizeof said.indicator) &&
		there.expiry >= said.expiry && there.category == said.category;
}

void node_outbox_reconcile(struct node *n)
{
	struct unsettled u = {NULL, 0};
	struct error err = {""};

	n->submission.ticket = 0;
	if (outbox_in_flight(n->store, collect, &u, &err) < 0)
		log_error("outbox: %s", err.text);
	for (int i = 0; i < u.count; i++) {
		bool final = stands(n, &u.rows[i]);

		if (outbox_settle(n->store, u.rows[i].ticket,
			    final ? OUTBOX_FINAL : OUTBOX_WAITING, 0, NULL, node_now(),
			    &err))
			log_error("outbox: %s", err.text);
		if (final)
			node_row_done(n, u.rows[i].ticket, true, "on the ledger");
	}
	if (u.count)
		log_notice(
			"%d reports were on their way when something died; their fate is "
			"known now",
			u.count);
	free(u.rows);
}
