/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/ethereum/pending.h"

struct offer *pending_offer(const struct pending *b)
{
	return b->offer_count ? &b->offers[b->offer_count - 1] : NULL;
}

bool pending_wants_signing(const struct pending *b)
{
	return b->state == PENDING_READY ||
		(b->state == PENDING_SENT &&
			(b->raise_now || b->zero_now || b->sign_now));
}

bool pending_wants_quotes(const struct pending_set *set, const struct pending *b)
{
	return pending_wants_signing(b) && !b->zero_now && !set->settings->zero_fee &&
		!set->zero_works;
}

/* --- nonces --- */

static bool held(const struct pending_set *set, uint64_t nonce)
{
	for (const struct pending *b = set->first; b; b = b->next)
		for (unsigned i = 0; i < b->offer_count; i++)
			if (b->offers[i].nonce == nonce)
				return true;
	return false;
}

/*
 * A nonce that was signed, is not used on the chain and that no batch holds
 * any more: the block with it was final and was dropped all the same, long
 * after. Nobody will fill it but a new batch. It must stay so for some heads,
 * as an endpoint that lags behind shows the same.
 */
void pending_find_gap(struct pending_set *set)
{
	uint64_t end = (uint64_t)(set->highest + 1), n = set->count;

	while (n < end && n - set->count < PENDING_MAX + SETTLED_MAX && held(set, n))
		n++;
	if (n >= end) {
		set->gap_heads = 0;
	} else if (!set->gap_heads || set->gap != n) {
		set->gap = n;
		set->gap_heads = set->heads;
	}
}

/* The next nonce. False: a gap may be there, wait. */
static bool next_nonce(const struct pending_set *set, uint64_t *nonce)
{
	uint64_t end = (uint64_t)(set->highest + 1);

	if (set->gap_heads) {
		*nonce = set->gap;
		return set->heads - set->gap_heads >= GAP_HEADS;
	}
	*nonce = end > set->count ? end : set->count;
	return true;
}

/* --- what is offered --- */

static void offer_of(struct transaction *t, const struct offer *o)
{
	t->nonce = o->nonce;
	t->dynamic = o->dynamic;
	t->max_fee = o->max_fee;
	t->priority_fee = o->priority_fee;
	t->gas_limit = o->gas_limit;
}

static void prefer(struct pending *b, unsigned i)
{
	struct offer o = b->offers[i];

	memmove(&b->offers[i], &b->offers[i + 1],
		(b->offer_count - i - 1) * sizeof *b->offers);
	b->offers[b->offer_count - 1] = o;
	b->send_now = true;
	b->sendings = 0;
}

int pending_prefer_paying(struct pending *b)
{
	for (unsigned i = b->offer_count; i-- > 0;)
		if (b->offers[i].nonce == b->nonce && b->offers[i].max_fee) {
			prefer(b, i);
			return 0;
		}
	return -1;
}

void pending_pay(struct pending_set *set, struct pending *b)
{
	bool guessed = set->zero_works;

	set->zero_works = false;
	b->zero_tried = false; /* should there be nothing to pay with: it again */
	if (!pending_prefer_paying(b))
		guessed = true;
	else
		b->sign_now = true; /* the same again where the chain asks nothing */
	if (guessed)
		pending_trouble(set, TROUBLE_FEE,
			"nonce %llu: an endpoint took the transaction without fees, and no "
			"block has it: fees are offered again (is the key's purse filled?)",
			(unsigned long long)b->nonce);
}

/* Signatures are deterministic: the same fields again are the same bytes. */
static bool signed_before(struct pending *b, const struct transaction *t)
{
	for (unsigned i = b->offer_count; i-- > 0;) {
		const struct offer *o = &b->offers[i];

		if (o->nonce == t->nonce && o->dynamic == t->dynamic &&
			o->max_fee == t->max_fee && o->priority_fee == t->priority_fee &&
			o->gas_limit == t->gas_limit) {
			prefer(b, i);
			return true;
		}
	}
	return false;
}

/* Fees as the chain is now. Returns 0, or -1: too high, said. */
static int fees_now(struct pending_set *set, struct transaction *t)
{
	struct header head = set->head;
	struct error err;

	head.has_base_fee = head.has_base_fee && !set->legacy_only;
	if (set->zero_works) {
		t->dynamic = head.has_base_fee;
		t->max_fee = t->priority_fee = 0;
		return 0;
	}
	if (fee_choose(t, &head, &set->quotes, set->settings, &err)) {
		pending_trouble(set, TROUBLE_FEE, "reports wait: %s", err.text);
		return -1;
	}
	return 0;
}

static int raise_fees(struct pending_set *set, struct pending *b, struct transaction *t)
{
	char limit[FEE_TEXT];
	int rc = fee_raise(t, &set->head, &set->quotes, set->settings);

	if (rc == 2)
		pending_trouble(set, TROUBLE_FEE,
			"the transaction with nonce %llu waits for a block, and its offer "
			"may not be raised: the setting max_fee allows %s; raise it or "
			"wait",
			(unsigned long long)b->nonce,
			fee_print(limit, set->settings->max_fee));
	return rc ? -1 : 0;
}

static int gas_now(struct pending_set *set, struct pending *b, struct transaction *t)
{
	uint64_t limit = set->head.gas_limit;

	if (limit && b->estimate > limit && b->state == PENDING_READY) {
		error_set(&b->fate.error,
			"the batch of %u words needs %llu gas and a block holds %llu: "
			"send smaller batches",
			b->submission.count, (unsigned long long)b->estimate,
			(unsigned long long)limit);
		pending_end(set, b, FATE_FAILED);
		return -1;
	}
	t->gas_limit = gas_choose(b->estimate,
		gas_bound(b->submission.count, b->submission.texts), b->doublings, limit);
	return 0;
}

/* The further offer of a nonce that is in use. */
static int fill_again(struct pending_set *set, struct pending *b, struct transaction *t)
{
	offer_of(t, pending_offer(b));
	if (b->zero_now) {
		t->max_fee = t->priority_fee = 0;
		return 0;
	}
	if (b->raise_now)
		return raise_fees(set, b, t);
	return fees_now(set, t) || gas_now(set, b, t) ? -1 : 0;
}

bool pending_fill(
	struct pending_set *set, struct pending *b, struct transaction *t, uint64_t now)
{
	bool fresh = b->state == PENDING_READY;

	memset(t, 0, sizeof *t);
	t->chain_id = set->settings->chain_id;
	memcpy(t->to, set->settings->contract, ADDRESS20);
	t->data = b->submission.call;
	if (b->offer_count >= OFFERS_MAX && fresh) {
		error_set(&b->fate.error,
			"%u transactions were signed for it and none was kept by the "
			"chain: is another program using this key?",
			b->offer_count);
		pending_end(set, b, FATE_FAILED);
		return false;
	}
	if (fresh ? !next_nonce(set, &t->nonce) : b->offer_count >= OFFERS_MAX)
		goto nothing;
	if (fresh ? fees_now(set, t) || gas_now(set, b, t) : fill_again(set, b, t))
		goto nothing;
	if ((!fresh && signed_before(b, t)) || pending_reserve(b))
		goto nothing;
	return true;
nothing:
	/* Tried at this head: not before the next one again. */
	b->raise_now = b->zero_now = b->sign_now = false;
	b->offered_at = now;
	b->offered_heads = set->heads;
	return false;
}
