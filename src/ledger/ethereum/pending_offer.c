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

struct header pending_believed(const struct pending_set *set)
{
	struct header head = set->head;

	if (head.base_fee > set->base_fee)
		head.base_fee = set->base_fee;
	return head;
}

/* Say once that the quoted priority fee is not offered, until it is usual again. */
static void weigh_priority(struct pending_set *set, const struct header *head)
{
	char asked[FEE_TEXT];

	if (!fee_cuts_priority(head, &set->quotes, set->settings)) {
		pending_healthy(set, TROUBLE_QUOTE,
			"the endpoints ask a usual priority fee again");
		return;
	}
	pending_trouble(set, TROUBLE_QUOTE,
		"an endpoint asks a priority fee of %s a gas: without the setting max_fee "
		"less is offered; is that this chain's price, set [ledger] max_fee",
		fee_print(asked, set->quotes.priority_fee));
}

/* Fees as the chain is now. Returns 0, or -1: too high, said. */
static int fees_now(struct pending_set *set, struct transaction *t)
{
	struct header head = pending_believed(set);
	struct error err;

	head.has_base_fee = head.has_base_fee && !set->legacy_only;
	if (set->zero_works) {
		t->dynamic = head.has_base_fee;
		t->max_fee = t->priority_fee = 0;
		return 0;
	}
	weigh_priority(set, &head);
	if (fee_choose(t, &head, &set->quotes, set->settings, &err)) {
		pending_trouble(set, TROUBLE_FEE, "reports wait: %s", err.text);
		return -1;
	}
	return 0;
}

static int raise_fees(struct pending_set *set, struct pending *b, struct transaction *t)
{
	struct header head = pending_believed(set);
	char limit[FEE_TEXT];
	int rc = fee_raise(t, &head, &set->quotes, set->settings);

	if (rc == 2)
		pending_trouble(set, TROUBLE_FEE,
			"the transaction with nonce %llu waits for a block, and its offer "
			"may not be raised: the setting max_fee allows %s%s; raise it or "
			"wait",
			(unsigned long long)b->nonce,
			fee_print(limit, fee_limit(&set->quotes, set->settings)),
			set->settings->max_fee ? "" : " where it is not given");
	return rc ? -1 : 0;
}

bool pending_outsized(const struct pending_set *set, const struct pending *b)
{
	return set->head_known && set->head.gas_limit &&
		gas_bound(b->submission.count, b->submission.texts) > set->head.gas_limit;
}

void pending_too_large(struct pending_set *set, struct pending *b)
{
	uint64_t limit = set->head.gas_limit;
	unsigned count = b->submission.count;

	if (count <= 1) {
		error_set(&b->fate.error,
			"a block of this chain holds %llu gas, too little for a report: "
			"who runs the chain has to raise its gas limit",
			(unsigned long long)limit);
		pending_end(set, b, FATE_FAILED);
		return;
	}
	b->fate.words = pending_outsized(set, b) ?
		gas_words(count, b->submission.texts, limit) :
		count / 2;
	error_set(&b->fate.error,
		"a block of this chain holds %llu gas, too little for a batch of %u "
		"reports: they go in batches of %u",
		(unsigned long long)limit, count, b->fate.words);
	pending_end(set, b, FATE_TOO_LARGE);
}

static int gas_now(struct pending_set *set, struct pending *b, struct transaction *t)
{
	uint64_t limit = set->head.gas_limit;

	/* What is not told may be too much. */
	if (b->state == PENDING_READY &&
		((limit && b->estimate > limit) ||
			(!b->estimate && pending_outsized(set, b)))) {
		pending_too_large(set, b);
		return -1;
	}
	t->gas_limit = gas_choose(b->estimate,
		gas_bound(b->submission.count, b->submission.texts), b->doublings, limit);
	return 0;
}

/*
 * The purse is one endpoint's word, which stops nothing: it is there so that a
 * person hears before it is empty, and of what is about to be spent.
 */
static void weigh_purse(struct pending_set *set, const struct transaction *t)
{
	__extension__ typedef unsigned __int128 wide;
	wide cost = (wide)t->gas_limit * t->max_fee;
	uint64_t left = cost ? (uint64_t)((wide)set->purse * FEE_GWEI / cost) :
			       UINT64_MAX;
	char address[ADDRESS20_TEXT], one[FEE_TEXT], purse[FEE_TEXT];

	if (!set->purse_known)
		return;
	if (left >= PURSE_LASTS)
		pending_healthy(
			set, TROUBLE_PURSE_LOW, "the key's purse is filled again");
	else
		pending_trouble(set, TROUBLE_PURSE_LOW,
			"the purse of %s holds %s of the chain's coin, and one transaction "
			"may cost %s: send it some, and see whether [ledger] max_fee is "
			"as it should be",
			address20_print(address, set->sender),
			fee_coin_print(purse, set->purse, FEE_GWEI),
			fee_coin_print(one, t->gas_limit, t->max_fee));
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
	memcpy(t->to, b->filler ? set->sender : set->settings->contract, ADDRESS20);
	t->data = b->submission.call;
	if (b->offer_count >= OFFERS_MAX && fresh) {
		error_set(&b->fate.error,
			"%u transactions were signed for it and none was kept by the "
			"chain: is another program using this key?",
			b->offer_count);
		pending_end(set, b, FATE_FAILED);
		return false;
	}
	if (fresh ? !pending_next_nonce(set, &t->nonce) : b->offer_count >= OFFERS_MAX)
		goto nothing;
	/* Nothing but its gap is a filler's. */
	if (fresh && b->filler && (!set->gap_heads || t->nonce != set->gap)) {
		pending_anew(set, b, now);
		return false;
	}
	if (fresh ? fees_now(set, t) || gas_now(set, b, t) : fill_again(set, b, t))
		goto nothing;
	if ((!fresh && signed_before(b, t)) || pending_reserve(b))
		goto nothing;
	weigh_purse(set, t);
	return true;
nothing:
	/* Tried at this head: not before the next one again. */
	b->raise_now = b->zero_now = b->sign_now = false;
	b->offered_at = now;
	b->offered_heads = set->heads;
	return false;
}
