/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/ethereum/pending.h"

uint64_t pending_backoff(unsigned failures, uint32_t jitter)
{
	uint64_t wait = RETRY_MOST_MS;

	if (failures < 10 && (uint64_t)RETRY_MS << failures < wait)
		wait = (uint64_t)RETRY_MS << failures;
	return wait - wait / 4 + jitter % (wait / 2);
}

static void fail(struct pending *b, uint64_t now, uint32_t jitter)
{
	b->retry_at = now + pending_backoff(b->failures++, jitter);
}

/* --- the chain --- */

/* What was in a block may be in none, or in another. */
static bool reorganised(const struct header *was, const struct header *is)
{
	if (is->number == was->number + 1)
		return memcmp(is->parent, was->hash, HASH_SIZE) != 0;
	/* Heights that jump hide whether they do. */
	return memcmp(is->hash, was->hash, HASH_SIZE) != 0;
}

/*
 * A header is what an endpoint says, and a legacy transaction pays all that it
 * offers: what no chain does from one block to the next is not believed.
 */
static void believe_base_fee(struct pending_set *set, const struct header *head)
{
	uint64_t bound, blocks = 1;

	if (set->head_known && head->number > set->head.number)
		blocks = head->number - set->head.number;
	bound = fee_base_bound(set->base_fee, blocks);
	set->base_fee = set->head_known && head->base_fee > bound ? bound :
								    head->base_fee;
}

void pending_head(struct pending_set *set, const struct header *head, uint64_t final)
{
	bool doubt = set->head_known && reorganised(&set->head, head);

	for (struct pending *b = set->first; doubt && b; b = b->next)
		if (b->state == PENDING_MINED || b->state == PENDING_REVERTED)
			b->look_now = true;
	believe_base_fee(set, head);
	/* The same head again moves only what is final. */
	if (!set->head_known || memcmp(set->head.hash, head->hash, HASH_SIZE))
		set->heads++;
	set->head = *head;
	set->head_known = true;
	set->final = final;
}

void pending_count(struct pending_set *set, bool known, uint64_t count, uint64_t now,
	uint32_t jitter)
{
	set->counting = false;
	/* Past 2^63 - 1 is no nonce (EIP-2681 ends them at 2^64 - 2). */
	if (!known || count > INT64_MAX) {
		set->count_retry_at = now + pending_backoff(set->failures++, jitter);
		return;
	}
	set->failures = 0;
	set->count = count;
	set->count_known = true;
	set->count_heads = set->heads;
	pending_find_gap(set);
}

void pending_final_count(struct pending_set *set, bool known, uint64_t count)
{
	set->final_counting = false;
	for (struct pending *b = set->first; known && b; b = b->next) {
		if (b->state != PENDING_SENT || b->nonce >= count || b->beaten)
			continue;
		/* Now its receipt is there for good, or never. */
		b->beaten = true;
		b->look_now = true;
	}
}

void pending_quotes(struct pending_set *set, const struct fee_quotes *quotes,
	uint64_t now, uint32_t jitter)
{
	set->quoting = false;
	if (!quotes) {
		set->quotes_retry_at = now + pending_backoff(set->failures++, jitter);
		return;
	}
	set->failures = 0;
	set->quotes.gas_price = quotes->gas_price;
	set->quotes.priority_fee = quotes->priority_fee;
	set->quotes_known = true;
	set->quotes_heads = set->heads;
}

void pending_purse(struct pending_set *set, uint64_t gwei)
{
	set->purse_known = true;
	set->purse = gwei;
}

/* --- a batch --- */

void pending_preflight(struct pending_set *set, struct pending *b,
	const struct preflight *p, uint64_t now, uint32_t jitter)
{
	b->asking = false;
	if (b->state != PENDING_QUEUED)
		return;
	/* A call that runs out of gas fails in as many ways as there are engines. */
	if ((p->outcome == PREFLIGHT_FAILED || p->outcome == PREFLIGHT_UNCLEAR) &&
		pending_outsized(set, b)) {
		pending_too_large(set, b);
		return;
	}
	switch (p->outcome) {
	case PREFLIGHT_PASSED:
		b->failures = 0;
		b->estimate = p->gas;
		b->state = PENDING_READY;
		break;
	case PREFLIGHT_REFUSED:
		b->fate.refusal = p->refusal;
		pending_end(set, b, FATE_REFUSED);
		break;
	case PREFLIGHT_FAILED:
		b->fate.error = p->error;
		pending_end(set, b, FATE_FAILED);
		break;
	case PREFLIGHT_AGAIN:
	case PREFLIGHT_UNCLEAR:
		fail(b, now, jitter);
		if (b->retry_at < now + p->retry_ms)
			b->retry_at = now + p->retry_ms;
		break;
	}
}

/* Whether the chain's own figures ask for something. */
static bool asks_fees(const struct pending_set *set)
{
	struct transaction t;

	return set->quotes_known &&
		(fee_choose(&t, &set->head, &set->quotes, set->settings, NULL) ||
			t.max_fee);
}

static void answered_well(struct pending_set *set, struct pending *b)
{
	const struct offer *o = pending_offer(b);

	b->failures = 0;
	if (!o->max_fee && !set->settings->zero_fee && !set->zero_works &&
		asks_fees(set)) {
		set->zero_works = true;
		pending_notice(set, TROUBLE_FEE,
			"this chain takes transactions without fees, and they are offered "
			"none now: the setting zero_fee = yes says so from the start");
	}
	pending_healthy(set, TROUBLE_PURSE, "transactions can be paid again");
	pending_healthy(set, TROUBLE_REFUSED, "transactions are taken again");
}

/* A transaction without fees was not taken. */
static void zero_refused(struct pending_set *set, struct pending *b)
{
	if (set->settings->zero_fee) {
		pending_trouble(set, TROUBLE_FEE,
			"the chain takes no transaction without fees: set zero_fee = no "
			"and fill the key's purse");
		b->send_now = true;
		return;
	}
	set->zero_works = false;
	if (pending_prefer_paying(b))
		b->sign_now = true;
}

static void no_funds(struct pending_set *set, struct pending *b)
{
	const struct offer *o = pending_offer(b);
	char address[ADDRESS20_TEXT], cost[FEE_TEXT];

	/* Where no base fee is burnt the validators may ask for nothing at all. */
	if (o->max_fee && !set->head.base_fee && set->head_known && !b->zero_tried) {
		b->zero_now = true;
		b->retry_at = 0;
		return;
	}
	if (!o->max_fee && !set->settings->zero_fee) {
		zero_refused(set, b);
		return;
	}
	pending_trouble(set, TROUBLE_PURSE,
		"the purse of %s is empty: a transaction may cost up to %s of the chain's "
		"coin, send some to this address (reports wait until then)",
		address20_print(address, set->sender),
		fee_coin_print(cost, o->gas_limit, o->max_fee));
	b->send_now = true;
}

static void refused(struct pending_set *set, struct pending *b, const char *text)
{
	pending_trouble(set, TROUBLE_REFUSED,
		"no endpoint takes the transaction with nonce %llu: %s",
		(unsigned long long)b->nonce, text);
	b->send_now = true;
}

static void judge(
	struct pending_set *set, struct pending *b, enum answer best, const char *text)
{
	const struct offer *o = pending_offer(b);

	switch (best) {
	case ANSWER_UNDERPRICED:
		if (o->max_fee)
			b->raise_now = true;
		else
			zero_refused(set, b);
		break;
	case ANSWER_INSUFFICIENT_FUNDS:
		no_funds(set, b);
		break;
	case ANSWER_GAS_LOW:
		b->doublings += b->doublings < 6;
		b->sign_now = true;
		break;
	case ANSWER_TYPE_UNSUPPORTED:
		if (o->dynamic) {
			set->legacy_only = true;
			b->sign_now = true;
			break;
		}
		refused(set, b, text);
		break;
	case ANSWER_NONE:
	case ANSWER_NONCE_HIGH:
		b->send_now = true;
		break;
	case ANSWER_OTHER:
	case ANSWER_WRONG_CHAIN:
	case ANSWER_NOT_PERMITTED:
	case ANSWER_POOL_FULL:
	case ANSWER_FEE_CAP:
	case ANSWER_GAS_HIGH:
		if (!o->max_fee && !set->settings->zero_fee)
			zero_refused(set, b);
		else
			refused(set, b, text);
		break;
	case ANSWER_REPLACEMENT:
	case ANSWER_NONCE_LOW:
	case ANSWER_KNOWN:
	case ANSWER_ACCEPTED:
		break;
	}
}

void pending_answered(struct pending_set *set, struct pending *b, enum answer best,
	const char *text, uint64_t now, uint32_t jitter)
{
	b->sending = false;
	if (b->state != PENDING_SENT)
		return;
	switch ((int)best) {
	case ANSWER_ACCEPTED:
	case ANSWER_KNOWN:
		answered_well(set, b);
		break;
	case ANSWER_NONCE_LOW:
		/* By this very transaction, or by somebody else's. */
		b->look_now = true;
		set->count_heads = 0;
		break;
	case ANSWER_REPLACEMENT:
		/* An offer of ours waits there: the schedule raises it. */
		break;
	default:
		fail(b, now, jitter);
		judge(set, b, best, text);
		break;
	}
}

/* --- receipts --- */

/* When the next one may be signed anew: ms, 0 now. */
static uint64_t anew_at(struct pending_set *set, uint64_t now)
{
	if (!set->resigned || now - set->resigned_since >= RESIGN_MS) {
		set->resigned = 0;
		set->resigned_since = now;
	}
	if (set->resigned < RESIGN_MOST) {
		set->resigned++;
		return 0;
	}
	pending_trouble(set, TROUBLE_ANEW,
		"%d batches were signed anew within an hour: an endpoint tells counts or "
		"receipts that are not true, or another program uses this key; the next "
		"waits out that hour",
		RESIGN_MOST);
	return set->resigned_since + RESIGN_MS;
}

void pending_anew(struct pending_set *set, struct pending *b, uint64_t now)
{
	set->count_heads = 0;
	if (b->filler) {
		pending_end(set, b, FATE_FAILED);
		return;
	}
	b->state = PENDING_QUEUED;
	b->send_now = b->raise_now = b->zero_now = b->sign_now = b->look_now = false;
	b->zero_tried = b->beaten = false;
	b->missed = 0;
	b->retry_at = anew_at(set, now);
}

static void absent(
	struct pending_set *set, struct pending *b, bool everywhere, uint64_t now)
{
	if (b->state != PENDING_SENT) {
		/* A reorganisation: the same bytes again. */
		b->state = PENDING_SENT;
		b->send_now = true;
		b->sendings = 0;
		b->missed = 0;
		b->beaten = false;
		set->count_heads = 0;
		return;
	}
	if (b->beaten && everywhere) {
		pending_trouble(set, TROUBLE_NONCE,
			"nonce %llu of this node's key was used by another program: give "
			"each node a key of its own (the batch is signed anew)",
			(unsigned long long)b->nonce);
		pending_anew(set, b, now);
		return;
	}
	if (b->nonce < set->count)
		b->missed++;
}

static void settle(struct pending_set *set, struct pending *b, const struct offer *o)
{
	set->quotes.paid = o->max_fee;
	b->fate.block = b->block;
	memcpy(b->fate.transaction, o->hash, HASH_SIZE);
	b->settled = set->head.timestamp;
	pending_end(set, b, FATE_FINAL);
}

/* In a final block, but reverted: that nonce can bring it no more. */
static void burnt(struct pending_set *set, struct pending *b, uint64_t now)
{
	/* With all the gas that a block has. */
	if (pending_outsized(set, b) && b->doublings) {
		pending_too_large(set, b);
		return;
	}
	if (++b->attempts >= ATTEMPTS_MAX) {
		error_set(&b->fate.error,
			"the contract reverted it %u times, in the end in block %llu, "
			"though each preflight had passed",
			b->attempts, (unsigned long long)b->block);
		pending_end(set, b, FATE_FAILED);
		return;
	}
	pending_anew(set, b, now);
}

static void found(struct pending_set *set, struct pending *b, const struct sighting *s,
	uint64_t now, uint32_t jitter)
{
	enum pending_state state = s->succeeded ? PENDING_MINED : PENDING_REVERTED;
	const struct offer *o = &b->offers[s->offer];
	bool same = b->state == state && b->block == s->block &&
		!memcmp(b->block_hash, s->block_hash, HASH_SIZE);

	b->missed = 0;
	if (same && b->confirming) {
		if (state == PENDING_MINED)
			settle(set, b, o);
		else
			burnt(set, b, now);
		return;
	}
	if (!s->succeeded && !same && s->gas_used >= o->gas_limit)
		b->doublings += b->doublings < 6;
	/* Blocks that change while it is to be settled: in peace, please. */
	if (b->confirming)
		fail(b, now, jitter);
	b->state = state;
	b->block = s->block;
	memcpy(b->block_hash, s->block_hash, HASH_SIZE);
	b->send_now = b->raise_now = b->zero_now = b->sign_now = false;
	pending_healthy(set, TROUBLE_PURSE, "transactions can be paid again");
	pending_healthy(set, TROUBLE_REFUSED, "transactions are taken again");
	if (!s->succeeded)
		return;
	pending_healthy(set, TROUBLE_NONCE, "nonces are this node's own again");
	pending_healthy(set, TROUBLE_FEE, "blocks take the offers again");
	pending_healthy(set, TROUBLE_ANEW, "what is signed is found in blocks again");
}

void pending_looked(struct pending_set *set, struct pending *b, const struct sighting *s,
	uint64_t now, uint32_t jitter)
{
	bool everywhere = b->looking_everywhere;

	b->looking = b->looking_everywhere = false;
	if (b->state != PENDING_SENT && b->state != PENDING_MINED &&
		b->state != PENDING_REVERTED)
		return;
	switch (s->kind) {
	case SIGHTING_UNKNOWN:
		fail(b, now, jitter);
		b->look_now = true;
		return;
	case SIGHTING_ABSENT:
		b->failures = 0;
		absent(set, b, everywhere, now);
		break;
	case SIGHTING_FOUND:
		b->failures = 0;
		b->retry_at = 0;
		found(set, b, s, now, jitter);
		break;
	}
	b->confirming = false;
}
