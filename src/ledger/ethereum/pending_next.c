/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/ethereum/pending.h"

/* --- of the set --- */

static bool next_trouble(struct pending_set *set, struct action *out)
{
	for (int i = 0; i < TROUBLE_COUNT; i++) {
		/* What was never on has no text. */
		if (set->troubles[i].said || !set->troubles[i].error.text[0])
			continue;
		set->troubles[i].said = true;
		out->kind = ACTION_TROUBLE;
		out->healthy = !set->troubles[i].on;
		out->text = set->troubles[i].error.text;
		return true;
	}
	return false;
}

static bool next_count(struct pending_set *set, uint64_t now, struct action *out)
{
	if (set->counting || !set->open || now < set->count_retry_at ||
		(set->count_known && set->count_heads == set->heads))
		return false;
	set->counting = true;
	out->kind = ACTION_COUNT;
	return true;
}

/* Whether somebody's nonce is used up and nothing of his is to be seen. */
static bool next_final_count(struct pending_set *set, struct action *out)
{
	const struct pending *b = set->first;

	if (set->final_counting || !set->head_known || set->final_heads == set->heads)
		return false;
	while (b && (b->state != PENDING_SENT || b->beaten || b->missed < 2))
		b = b->next;
	if (!b)
		return false;
	set->final_counting = true;
	set->final_heads = set->heads;
	out->kind = ACTION_FINAL_COUNT;
	out->block = set->final;
	return true;
}

static bool next_quotes(struct pending_set *set, uint64_t now, struct action *out)
{
	const struct pending *b = set->first;

	if (set->quoting || !set->head_known || now < set->quotes_retry_at ||
		(set->quotes_known && set->quotes_heads == set->heads) ||
		set->settings->zero_fee || set->zero_works)
		return false;
	/* With the preflight already, so that signing need not wait for it. */
	while (b && b->state != PENDING_QUEUED && !pending_wants_quotes(set, b))
		b = b->next;
	if (!b)
		return false;
	set->quoting = true;
	out->kind = ACTION_QUOTES;
	return true;
}

/* --- of a batch --- */

static bool next_end(struct pending *b, uint64_t now, struct action *out)
{
	if (b->state != PENDING_ENDED || b->told || b->ending || now < b->retry_at)
		return false;
	b->ending = true;
	out->kind = ACTION_END;
	return true;
}

static bool next_preflight(struct pending *b, uint64_t now, struct action *out)
{
	if (b->state != PENDING_QUEUED || b->asking || now < b->retry_at)
		return false;
	b->asking = true;
	out->kind = ACTION_PREFLIGHT;
	return true;
}

static bool next_sign(
	struct pending_set *set, struct pending *b, uint64_t now, struct action *out)
{
	bool fresh = b->state == PENDING_READY;

	/* What is looked for or sent now must not change under the request. */
	if (!pending_wants_signing(b) || b->sending || b->looking || now < b->retry_at ||
		!set->head_known)
		return false;
	if (pending_wants_quotes(set, b) &&
		(!set->quotes_known || set->quotes_heads != set->heads))
		return false;
	if (fresh &&
		(!set->count_known || set->count_heads != set->heads ||
			b->offered_heads == set->heads))
		return false;
	if (!pending_fill(set, b, &out->transaction, now))
		return false;
	if (fresh)
		pending_healthy(set, TROUBLE_FEE, "the chain's fee is affordable again");
	out->kind = ACTION_SIGN;
	return true;
}

/* The offer has waited long enough, in its turn, to be raised. */
static bool raise_due(
	const struct pending_set *set, const struct pending *b, uint64_t now)
{
	const struct offer *o = pending_offer(b);
	uint64_t waited = now - b->offered_at, heads = set->heads - b->offered_heads;

	if (!o->max_fee || set->settings->zero_fee || b->sendings < 2 ||
		!set->count_known || b->nonce < set->count)
		return false;
	/* A chain that stands still is not waiting for more money. */
	if (waited < RAISE_LEAST_MS ||
		(heads < RAISE_HEADS && (waited < RAISE_MS || heads < 2)))
		return false;
	return b->nonce == set->count || (o->dynamic && o->max_fee < set->head.base_fee);
}

/*
 * Taken without fees, in its turn, and in no block for long: an endpoint may
 * take what no validator wants.
 */
static bool zero_overdue(
	const struct pending_set *set, const struct pending *b, uint64_t now)
{
	return b->offer_count && !pending_offer(b)->max_fee && !set->settings->zero_fee &&
		!b->sending && !b->looking && !b->sign_now && b->sendings >= 2 &&
		set->count_known && b->nonce == set->count &&
		now - b->offered_at >= RAISE_LEAST_MS &&
		set->heads - b->offered_heads >= RAISE_HEADS;
}

/* What waits too long is to offer more. */
static void hurry(struct pending_set *set, struct pending *b, uint64_t now)
{
	if (b->state != PENDING_SENT)
		return;
	if (zero_overdue(set, b, now))
		pending_pay(set, b);
	else if (!b->raise_now && raise_due(set, b, now))
		b->raise_now = true;
}

static bool resend_due(
	const struct pending_set *set, const struct pending *b, uint64_t now)
{
	unsigned doubled = b->sendings < 5 ? b->sendings : 5;
	uint64_t wait = (uint64_t)RESEND_MS << (doubled ? doubled - 1 : 0);
	uint64_t heads = (uint64_t)RESEND_HEADS << (doubled ? doubled - 1 : 0);

	if (!b->sendings)
		return true;
	if (wait > RESEND_MOST_MS)
		wait = RESEND_MOST_MS;
	return now - b->sent_at >= wait ||
		(set->heads - b->sent_heads >= heads && now - b->sent_at >= RETRY_MS);
}

/*
 * The bytes go out; also those of a settled batch whose nonce the chain does
 * not know: its final block was dropped all the same.
 */
static bool next_send(
	struct pending_set *set, struct pending *b, uint64_t now, struct action *out)
{
	bool settled = b->state == PENDING_ENDED && b->fate.fate == FATE_FINAL;

	if (!b->offer_count || b->sending || now < b->retry_at ||
		(b->state != PENDING_SENT && !settled))
		return false;
	if (settled && (!set->open || set->count_heads != set->heads))
		return false;
	if ((settled || !b->send_now) &&
		(!set->count_known || b->nonce < set->count || !resend_due(set, b, now)))
		return false;
	if (!b->sendings && b->state == PENDING_SENT) {
		b->offered_at = now;
		b->offered_heads = set->heads;
	}
	b->send_now = false;
	b->sending = true;
	b->sendings++;
	b->sent_at = now;
	b->sent_heads = set->heads;
	out->kind = ACTION_SEND;
	return true;
}

static bool look_due(const struct pending_set *set, const struct pending *b, uint64_t now)
{
	if (b->look_now)
		return true;
	if (b->state == PENDING_SENT && set->count_known && b->nonce < set->count)
		return b->looked_heads != set->heads || now - b->looked_at >= RESEND_MS;
	if (b->state == PENDING_SENT)
		return set->heads - b->looked_heads >= LOOK_HEADS;
	/* In a block that is not there yet: it may never be. */
	if (set->head_known && b->block > set->head.number)
		return b->looked_heads != set->heads;
	return set->head_known && b->block <= set->final;
}

static bool next_look(
	struct pending_set *set, struct pending *b, uint64_t now, struct action *out)
{
	if ((b->state != PENDING_SENT && b->state != PENDING_MINED &&
		    b->state != PENDING_REVERTED) ||
		b->looking || now < b->retry_at || !look_due(set, b, now))
		return false;
	b->confirming = b->state != PENDING_SENT && set->head_known &&
		b->block <= set->final;
	b->looking = true;
	/* What ends in another signature is not one endpoint's to say. */
	b->looking_everywhere = b->beaten ||
		(b->confirming && b->state == PENDING_REVERTED);
	b->look_now = false;
	b->looked_at = now;
	b->looked_heads = set->heads;
	out->kind = ACTION_LOOK;
	out->everywhere = b->looking_everywhere;
	out->canonical = b->confirming;
	return true;
}

static bool next_of(struct pending_set *set, struct pending *b, uint64_t now,
	bool reachable, struct action *out)
{
	out->batch = b;
	if (reachable && next_preflight(b, now, out))
		return true;
	/* Signing may find that it has ended. */
	return next_sign(set, b, now, out) || next_end(b, now, out) ||
		next_send(set, b, now, out) || (reachable && next_look(set, b, now, out));
}

bool pending_next(
	struct pending_set *set, uint64_t now, bool reachable, struct action *out)
{
	memset(out, 0, sizeof *out);
	if (next_trouble(set, out))
		return true;
	out->batch = pending_outdated(set);
	if (out->batch) {
		out->kind = ACTION_FORGET;
		return true;
	}
	for (struct pending *b = set->first; b; b = b->next)
		hurry(set, b, now);
	pending_fill_gap(set, now);
	if (reachable &&
		(next_count(set, now, out) || next_final_count(set, out) ||
			next_quotes(set, now, out)))
		return true;
	for (struct pending *b = set->first; b; b = b->next)
		if (next_of(set, b, now, reachable, out))
			return true;
	/* Deciding may have given something to say. */
	memset(out, 0, sizeof *out);
	return next_trouble(set, out);
}

uint64_t pending_due(const struct pending_set *set, uint64_t now)
{
	uint64_t due = UINT64_MAX;

	/* What waits in seconds needs no better clock than this. */
	if (set->open)
		due = now + RETRY_MS;
	for (const struct pending *b = set->first; b; b = b->next)
		if ((b->state != PENDING_ENDED || !b->told) && b->retry_at > now &&
			b->retry_at < due)
			due = b->retry_at;
	return due;
}
