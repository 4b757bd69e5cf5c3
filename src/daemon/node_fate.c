/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What becomes of batches: their fates, and what to do about those whose fate
 * nobody will tell any more. The store is asked which rows a batch has, so that
 * a fate finds them also when this process was started after it had left.
 */
#include "daemon/node.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "store/outbox_batch.h"

#define RETRY_FIRST (1 * USEC_PER_SEC)
#define RETRY_MOST  (30 * USEC_PER_SEC)
#define ASK_AGAIN   (10 * USEC_PER_SEC)
#define SMALL_FOR   (3600 * USEC_PER_SEC)

/* A batch and its rows that are in flight. */
struct batch {
	uint64_t ticket;
	uint8_t commitment[KECCAK_SIZE];
	int count;
	struct outbox_row rows[OUTBOX_BATCH_MAX];
};

/* NULL when it has no rows in flight, or cannot be read (logged). */
static struct batch *read_batch(struct node *n, uint64_t ticket)
{
	struct batch *b = calloc(1, sizeof *b);
	struct error err = {"outbox: out of memory"};

	if (b) {
		b->ticket = ticket;
		b->count = outbox_batch(
			n->store, ticket, b->rows, OUTBOX_BATCH_MAX, b->commitment, &err);
	}
	if (b && b->count > 0)
		return b;
	if (!b || b->count < 0)
		log_warning("%s", err.text);
	free(b);
	return NULL;
}

/* The wait after this one; 0: there was none. */
static usec longer(usec wait)
{
	return !wait ? RETRY_FIRST : wait > RETRY_MOST / 2 ? RETRY_MOST : 2 * wait;
}

/*
 * Wait before the next submission: what stands in the way (a cell that was
 * taken, a purse that is empty) is there for all batches alike. Each time
 * without a success between them twice as long.
 */
static void back_off(struct node *n)
{
	n->retry_wait = longer(n->retry_wait);
	n->retry_at = clock_monotonic() + n->retry_wait;
}

static void on_final(struct node *n, const struct batch *b, const struct ledger_fate *f)
{
	struct error err = {""};
	char text[80];

	snprintf(text, sizeof text, "on the ledger, %s %llu",
		n->config->ledger.type == CONFIG_LEDGER_ETHEREUM ? "block" : "operation",
		(unsigned long long)f->block);
	n->retry_wait = 0;
	if (outbox_final(n->store, b->ticket, f->block, node_now(), &err))
		log_error("outbox: %s", err.text);
	for (int i = 0; i < b->count; i++)
		node_row_final(n, b->rows[i].ticket, f, text);
	node_event(n, "published", NULL, "%d reports are %s", b->count, text);
}

/* The whole batch failed: its rows wait again and keep their words. */
static void put_back(struct node *n, const struct batch *b, const char *why)
{
	struct error err = {""};

	if (outbox_failed(n->store, b->ticket, why, 0, node_now(), &err))
		log_error("outbox: %s", err.text);
}

/*
 * Nothing passes for now. Who waits for an answer hears no, so it must not be
 * published behind his back later.
 */
static void refuse_awaited(struct node *n, const struct batch *b, const char *why)
{
	struct error err = {""};

	for (int i = 0; i < b->count; i++) {
		if (!node_row_awaited(n, b->rows[i].ticket))
			continue;
		if (outbox_settle(n->store, b->rows[i].ticket, OUTBOX_REFUSED, 0, why,
			    node_now(), &err))
			log_error("outbox: %s", err.text);
		node_row_done(n, b->rows[i].ticket, false, why);
	}
}

/*
 * Whether this node's own registry refuses the row's word for the same reason.
 * On a chain a refusal is what one endpoint says that the contract said: a
 * liar's word must not end a report for good.
 */
static bool refused_here(
	struct node *n, const struct outbox_row *row, enum refusal_code code)
{
	struct operation op = {.type = OP_BATCH, .count = 1, .words = row->word};
	struct refusal why;
	struct report word;

	word_decode(&word, row->word);
	op.member = word.member;
	op.seq = registry_tip(n->registry, CHAIN_MEMBERS)->seq;
	op.time = node_now();
	memcpy(op.actor, n->self.address, ADDRESS20);
	return registry_check(n->registry, &op, &why) && why.code == code;
}

/*
 * The ledger will not have this row, and why is not seen here: what an endpoint
 * lied about, an operation that has not been read yet, a clock that is wrong. It
 * is tried again by itself, each time later; the others must not wait for it.
 */
static void put_off(struct node *n, const struct outbox_row *row)
{
	usec wait = RETRY_FIRST;
	struct error err = {""};

	for (uint32_t k = 0; k < row->attempts && wait < RETRY_MOST; k++)
		wait = longer(wait);
	if (outbox_put_off(n->store, row->ticket, node_now() + wait / USEC_PER_SEC, &err))
		log_error("outbox: %s", err.text);
	n->put_off = true;
}

static void on_refused(struct node *n, const struct batch *b, const struct ledger_fate *f)
{
	enum outgoing_remedy remedy = outgoing_remedy(f->refusal.code);
	uint32_t entry = f->refusal.entry;
	struct error err = {""};
	char text[REFUSAL_TEXT];

	refusal_print(text, &f->refusal);
	log_warning("the ledger refused a batch: %s", text);
	if (remedy == OUTGOING_DROP && entry < (uint32_t)b->count &&
		(n->config->ledger.type == CONFIG_LEDGER_LOCAL ||
			refused_here(n, &b->rows[entry], f->refusal.code))) {
		if (outbox_refused(n->store, b->ticket, b->rows[entry].position, text,
			    node_now(), &err))
			log_error("outbox: %s", err.text);
		node_row_done(n, b->rows[entry].ticket, false, text);
		return;
	}
	put_back(n, b, text);
	/* Or its reason has not been read here yet: then it is the next time. */
	if (remedy == OUTGOING_DROP && entry < (uint32_t)b->count) {
		put_off(n, &b->rows[entry]);
		return;
	}
	if (remedy == OUTGOING_REBUILD || remedy == OUTGOING_DROP) {
		back_off(n);
		return;
	}
	/* Or sooner: an operation of the owner ends it. */
	n->retry_at = clock_monotonic() + RETRY_MOST;
	refuse_awaited(n, b, text);
}

/*
 * A block holds no batch of this size. Each of its reports does fit: they wait
 * again and leave in smaller ones, at once. A chain's limit may rise: later the
 * full size is tried again, which costs nothing where it still does not fit.
 */
static void on_too_large(
	struct node *n, const struct batch *b, const struct ledger_fate *f)
{
	unsigned most = f->words && f->words < (unsigned)b->count ?
		f->words :
		((unsigned)b->count + 1) / 2;

	if (node_batch_most(n) > most) {
		log_notice("%s", f->error.text);
		n->batch_most = most;
	}
	n->batch_most_until = clock_monotonic() + SMALL_FOR;
	put_back(n, b, f->error.text);
}

void node_outbox_fate(struct node *n, const struct ledger_fate *f)
{
	struct node_flight *flight = node_flight(n, f->ticket);
	struct batch *b;

	if (!f->ticket)
		return;
	if (flight)
		flight->ticket = 0;
	b = read_batch(n, f->ticket);
	if (!b)
		return;
	if (f->fate == FATE_FINAL) {
		on_final(n, b, f);
	} else if (f->fate == FATE_REFUSED) {
		on_refused(n, b, f);
	} else if (f->fate == FATE_TOO_LARGE) {
		on_too_large(n, b, f);
	} else {
		log_warning("the ledger did not take a batch: %s", f->error.text);
		put_back(n, b, f->error.text);
		back_off(n);
	}
	free(b);
	node_outbox_submit(n);
	node_schedule(n);
}

/* --- after a restart of the ledger role or of this one --- */

/* The batches in flight, in their order. */
struct unsettled {
	uint64_t *tickets;
	int count;
	bool short_of_memory;
};

static void collect(void *context, const struct outbox_row *row)
{
	struct unsettled *u = context;
	uint64_t *tickets;

	if (u->count && u->tickets[u->count - 1] == row->batch)
		return;
	tickets = realloc(u->tickets, (size_t)(u->count + 1) * sizeof *tickets);
	if (!tickets) {
		u->short_of_memory = true;
		return;
	}
	u->tickets = tickets;
	tickets[u->count++] = row->batch;
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

/*
 * The local ledger was opened anew and read to its end: what does not stand
 * there never got there, and what does is there for good.
 */
static void settle_by_registry(struct node *n, const struct batch *b)
{
	struct error err = {""};

	for (int i = 0; i < b->count; i++) {
		bool final = stands(n, &b->rows[i]);

		if (outbox_settle(n->store, b->rows[i].ticket,
			    final ? OUTBOX_FINAL : OUTBOX_WAITING, 0, NULL, node_now(),
			    &err))
			log_error("outbox: %s", err.text);
		if (final)
			node_row_done(n, b->rows[i].ticket, true, "on the ledger");
	}
}

/*
 * On a chain the head says little: a transaction may still be under way, and
 * what stands at the head may be dropped again. The same batch, word for word,
 * is handed over under its old number: who writes to the chain recognises it,
 * goes on with its transaction or makes the first, and tells the fate.
 */
static void hand_over_again(struct node *n, const struct batch *b)
{
	struct error err = {""};

	if (outbox_submitted(n->store, b->ticket, node_now(), &err))
		log_error("outbox: %s", err.text);
	if (!node_hand_over(n, b->ticket, b->rows, b->count, b->commitment))
		return;
	/* Not back to the waiting: it may be under way. Asked again, all of it. */
	log_error("the ledger role takes no batch: %s", strerror(errno));
	n->read_again_at = clock_monotonic() + ASK_AGAIN;
}

void node_outbox_reconcile(struct node *n)
{
	struct unsettled u = {NULL, 0, false};
	struct error err = {""};
	int batches = 0, rows = 0;

	if (outbox_in_flight(n->store, collect, &u, &err) < 0)
		log_error("outbox: %s", err.text);
	for (int i = 0; i < u.count; i++) {
		struct batch *b;

		/* Handed over, and whoever has it still has it: its fate comes. */
		if (node_flight(n, u.tickets[i]))
			continue;
		b = read_batch(n, u.tickets[i]);
		if (!b)
			continue;
		batches++;
		rows += b->count;
		if (n->config->ledger.type == CONFIG_LEDGER_ETHEREUM)
			hand_over_again(n, b);
		else
			settle_by_registry(n, b);
		free(b);
	}
	if (u.short_of_memory)
		n->read_again_at = clock_monotonic() + ASK_AGAIN;
	if (batches)
		log_notice(
			"%d reports of %d batches were on their way when something died; "
			"their fate is %s",
			rows, batches,
			n->config->ledger.type == CONFIG_LEDGER_ETHEREUM ?
				"asked for again" :
				"known now");
	free(u.tickets);
}
