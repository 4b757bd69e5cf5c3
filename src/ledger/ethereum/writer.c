/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <sys/random.h>

#include "base/hex.h"
#include "base/log.h"
#include "ledger/ethereum/writer_state.h"

/*
 * Everything happens in writer_turn(): from a timer of 0 ms that submit() and
 * head() set, so that no callback runs inside a call of the owner, and after
 * each answer.
 */
void (*writer_step)(const char *name);

void writer_at(const char *step)
{
	if (writer_step)
		writer_step(step);
}

uint32_t writer_jitter(void)
{
	uint32_t r = 0;

	/* Without randomness the retries are only spread less well. */
	if (getrandom(&r, sizeof r, GRND_NONBLOCK) != sizeof r)
		r = 0x9e3779b9;
	return r;
}

static void on_timer(uv_timer_t *timer)
{
	writer_turn(timer->data);
}

static void wake(struct writer *w, uint64_t ms)
{
	if (!w->closing)
		uv_timer_start(&w->timer, on_timer, ms, 0);
}

/* --- actions on the journal --- */

static void sign(struct writer *w, struct pending *b, const struct transaction *t)
{
	struct buffer raw = {0};
	struct sent row = {.ticket = b->ticket, .nonce = t->nonce};
	char hash[2 * HASH_SIZE + 1];
	struct error err = {"the key cannot sign: out of memory"};

	memcpy(row.batch, b->submission.hash, HASH_SIZE);
	memcpy(row.sender, w->set->sender, ADDRESS20);
	if (transaction_sign(&raw, row.hash, t, w->signer))
		goto failed;
	writer_at("signed");
	row.raw = view_of(raw.p, raw.n);
	if (sent_add(w->journal, &row, &err))
		goto failed;
	writer_at("journalled");
	hex_encode(hash, row.hash, HASH_SIZE);
	if (b->filler)
		log_notice("nothing holds nonce %llu, and what comes after it waits: an "
			   "empty transaction fills it, 0x%s",
			(unsigned long long)t->nonce, hash);
	else
		log_info("a batch of %u words goes out with nonce %llu as 0x%s",
			b->submission.count, (unsigned long long)t->nonce, hash);
	pending_signed(w->set, b, t, row.hash, row.raw, w->now_ms());
	return;
failed:
	pending_unsigned(w->set, b, err.text, w->now_ms(), writer_jitter());
	buffer_free(&raw);
}

/* First the journal, so that a kill in between tells twice rather than never. */
static void end(struct writer *w, struct pending *b)
{
	struct ledger_fate fate = b->fate;
	uint8_t batch[HASH_SIZE];
	bool final = fate.fate == FATE_FINAL, filler = b->filler;
	struct error err = {""};
	int rc = 0;

	memcpy(batch, b->submission.hash, HASH_SIZE);
	if (final)
		rc = sent_settle(w->journal, batch, fate.block, b->settled, &err);
	else if (b->offer_count)
		rc = sent_forget(w->journal, batch, &err);
	if (!rc)
		writer_at("final");
	pending_ended(w->set, b, rc ? err.text : NULL, w->now_ms(), writer_jitter());
	if (rc)
		return;
	/* b may be gone after it. Nobody waits for a filler. */
	if (!filler)
		w->callbacks.fate(w->callbacks.context, &fate);
	writer_at("told");
	if (final && sent_told(w->journal, batch, &err))
		log_warning("%s (the fate is told again after a restart)", err.text);
}

static void forget(struct writer *w, struct pending *b)
{
	struct error err = {""};

	/* What stays behind is forgotten after the next start. */
	if (sent_forget(w->journal, b->submission.hash, &err))
		log_warning("%s", err.text);
	pending_forget(w->set, b);
}

static void perform(struct writer *w, const struct action *a)
{
	switch (a->kind) {
	case ACTION_TROUBLE:
		w->callbacks.trouble(w->callbacks.context, a->healthy, a->text);
		break;
	case ACTION_END:
		end(w, a->batch);
		break;
	case ACTION_FORGET:
		forget(w, a->batch);
		break;
	case ACTION_COUNT:
		writer_count(w);
		break;
	case ACTION_FINAL_COUNT:
		writer_final_count(w, a->block);
		break;
	case ACTION_QUOTES:
		writer_quotes(w);
		break;
	case ACTION_PREFLIGHT:
		writer_preflight(w, a->batch);
		break;
	case ACTION_SIGN:
		sign(w, a->batch, &a->transaction);
		break;
	case ACTION_SEND:
		writer_send(w, a->batch);
		break;
	case ACTION_LOOK:
		writer_look(w, a->batch, a->everywhere, a->canonical);
		break;
	}
}

void writer_turn(struct writer *w)
{
	struct action a;
	uint64_t now, due;

	/* An answer that came within an action is seen by the turn under way. */
	if (w->turning || w->closing)
		return;
	w->turning = true;
	if (w->liar) {
		pool_lied(w->pool, w->liar,
			"its receipt is of a batch that the verified operations of "
			"that block do not have");
		w->liar = NULL;
	}
	while (!w->closing &&
		pending_next(w->set, w->now_ms(), pool_followed(w->pool) != NULL, &a))
		perform(w, &a);
	w->turning = false;
	now = w->now_ms();
	due = pending_due(w->set, now);
	if (due != UINT64_MAX)
		wake(w, due - now);
}

/* --- for the owner --- */

struct restoring {
	struct writer *w;
	struct error *err;
	bool failed;
};

static void restore(void *context, const struct sent *row)
{
	struct restoring *r = context;

	if (!r->failed && pending_restore(r->w->set, row, r->err))
		r->failed = true;
}

/*
 * What the last key signed is not sent again nor followed: no fee of it could be
 * raised, and its batches come again from the outbox. But it may still be mined.
 */
static int warn_of_strangers(
	struct writer *w, const uint8_t sender[ADDRESS20], struct error *err)
{
	char address[ADDRESS20_TEXT];
	uint8_t other[ADDRESS20] = {0};
	int n = sent_strangers(w->journal, sender, other, err);

	if (n > 0)
		log_warning(
			"%d batches that the key of %s signed were not settled when it "
			"was changed: what waits is signed anew; remove that signer "
			"from the member (`sipchain member signer-remove`), or they may be "
			"mined as well",
			n, address20_print(address, other));
	return n < 0 ? -1 : 0;
}

static int restore_all(struct writer *w, struct error *err)
{
	const uint8_t *sender = signer_address(w->signer);
	struct restoring r = {.w = w, .err = err};
	int64_t highest;

	if (sent_open(w->journal, err) || sent_nonce(w->journal, sender, &highest, err) ||
		warn_of_strangers(w, sender, err))
		return -1;
	w->set = pending_new(w->settings, sender, highest);
	if (!w->set)
		return error_set(err, "out of memory");
	if (sent_each(w->journal, sender, restore, &r, err) < 0 || r.failed)
		return -1;
	return 0;
}

struct writer *writer_open(uv_loop_t *loop, const struct ethereum_settings *s,
	struct journal *journal, struct pool *pool, const struct signer *signer,
	uint64_t (*now_ms)(void), const struct writer_callbacks *callbacks,
	struct error *err)
{
	struct writer *w = calloc(1, sizeof *w);

	if (!w) {
		error_set(err, "out of memory");
		return NULL;
	}
	w->loop = loop;
	w->settings = s;
	w->journal = journal;
	w->pool = pool;
	w->signer = signer;
	w->now_ms = now_ms;
	w->callbacks = *callbacks;
	if (restore_all(w, err)) {
		pending_free(w->set);
		free(w);
		return NULL;
	}
	uv_timer_init(loop, &w->timer);
	w->timer.data = w;
	wake(w, 0);
	return w;
}

int writer_submit(struct writer *w, const struct ledger_batch *batch, struct error *err)
{
	struct buffer call = {0};
	struct error lost = {""};
	struct pending *b;
	bool fresh;

	if (submission_encode(&call, batch)) {
		buffer_free(&call);
		return error_set(err, "the batch is malformed, or memory is short");
	}
	b = pending_submit(w->set, batch->ticket, view_of(call.p, call.n), &fresh, err);
	buffer_free(&call);
	if (!b)
		return -1;
	/* Should this fail, a restart tells the old ticket; the batch is the same. */
	if (!fresh && b->offer_count &&
		sent_ticket(w->journal, b->submission.hash, b->ticket, &lost))
		log_warning("%s", lost.text);
	wake(w, 0);
	return 0;
}

void writer_head(struct writer *w, const struct header *head, uint64_t final)
{
	pending_head(w->set, head, final);
	wake(w, 0);
}

unsigned writer_pending(const struct writer *w)
{
	return w->set->open;
}

static void on_closed(uv_handle_t *handle)
{
	struct writer *w = handle->data;

	pending_free(w->set);
	free(w);
}

void writer_close(struct writer *w)
{
	if (!w || w->closing)
		return;
	w->closing = true;
	while (w->inquiries)
		inquiry_free(w->inquiries);
	uv_close((uv_handle_t *)&w->timer, on_closed);
}
