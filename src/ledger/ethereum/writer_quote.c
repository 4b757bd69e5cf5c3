/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "ledger/ethereum/writer_state.h"

/*
 * What the chain asks for gas, and what the key's account holds. The followed
 * endpoint is asked; where it asks far more than was agreed before, all are, and
 * the lower one in the middle is believed: a quote is money.
 */
enum { PRICE, PRIORITY, KINDS };

#define USUAL_TIMES 2  /* more than so many times what was agreed is not usual */
#define PURSE_HEADS 50 /* how often the purse is asked for */

static void on_number(struct inquiry *q, unsigned index, const struct rpc_reply *reply)
{
	q->quoted[index] = reply->outcome == RPC_RESULT &&
		!quantity_parse(&q->quotes[index], reply->result);
}

static void ask(struct inquiry *q, struct rpc *rpc)
{
	inquiry_ask(q, rpc, "eth_gasPrice", json_array());
	if (q->based)
		inquiry_ask(q, rpc, "eth_maxPriorityFeePerGas", json_array());
}

/* What one endpoint says, its answers beginning at `at`. False: nothing. */
static bool quotes_of(struct fee_quotes *out, const struct inquiry *q, unsigned at)
{
	const struct header *head = &q->w->set->head;

	*out = (struct fee_quotes){
		.gas_price = q->quoted[at + PRICE] ? q->quotes[at + PRICE] : 0};
	if (!q->based)
		return q->quoted[at + PRICE];
	/* Older engines have a base fee and no eth_maxPriorityFeePerGas. */
	if (q->quoted[at + PRIORITY])
		out->priority_fee = q->quotes[at + PRIORITY];
	else if (out->gas_price > head->base_fee)
		out->priority_fee = out->gas_price - head->base_fee;
	return q->quoted[at + PRICE] || q->quoted[at + PRIORITY];
}

static void report(struct writer *w, const struct fee_quotes *quotes)
{
	pending_quotes(w->set, quotes, w->now_ms(), writer_jitter());
}

static int by_size(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* All have been asked. */
static void on_all(struct inquiry *q)
{
	unsigned step = q->based ? 2 : 1, said = 0;
	uint64_t price[ENDPOINTS_MAX], priority[ENDPOINTS_MAX];
	struct fee_quotes one;

	for (unsigned at = 0; at + step <= q->count; at += step) {
		if (!quotes_of(&one, q, at))
			continue;
		price[said] = one.gas_price;
		priority[said++] = one.priority_fee;
	}
	if (!said) {
		report(q->w, NULL);
		return;
	}
	qsort(price, said, sizeof *price, by_size);
	qsort(priority, said, sizeof *priority, by_size);
	one.gas_price = price[(said - 1) / 2];
	one.priority_fee = priority[(said - 1) / 2];
	q->w->agreed = one;
	q->w->agreed_known = true;
	report(q->w, &one);
}

static void ask_all(struct writer *w)
{
	struct pool *p = w->pool;
	struct inquiry *q = inquiry_new(
		w, NULL, KINDS * (unsigned)pool_count(p), on_number, on_all);

	if (!q) {
		report(w, NULL);
		return;
	}
	q->based = w->set->head.has_base_fee;
	for (size_t i = 0; i < pool_count(p); i++)
		if (pool_usable(p, i))
			ask(q, pool_rpc(p, i));
	inquiry_launched(q);
}

static bool usual(const struct writer *w, const struct fee_quotes *quotes)
{
	return w->agreed_known &&
		quotes->gas_price / USUAL_TIMES <= w->agreed.gas_price &&
		quotes->priority_fee / USUAL_TIMES <= w->agreed.priority_fee;
}

static void on_followed(struct inquiry *q)
{
	struct fee_quotes quotes;
	bool said = quotes_of(&quotes, q, 0);

	/* Alone there is nobody else to ask. */
	if (said && !usual(q->w, &quotes) && pool_witnesses(q->w->pool))
		ask_all(q->w);
	else
		report(q->w, said ? &quotes : NULL);
}

/* --- the purse --- */

static void on_balance(struct inquiry *q, unsigned index, const struct rpc_reply *reply)
{
	uint8_t wei[32];
	__extension__ typedef unsigned __int128 wide;
	wide low;

	(void)index;
	if (reply->outcome != RPC_RESULT || wei_parse(wei, reply->result))
		return;
	low = (wide)be64_load(wei + 16) << 64 | be64_load(wei + 24);
	low /= FEE_GWEI;
	pending_purse(q->w->set,
		!bytes_zero(wei, 16) || low > UINT64_MAX ? UINT64_MAX : (uint64_t)low);
}

static void nothing_more(struct inquiry *q)
{
	(void)q;
}

static void ask_purse(struct writer *w, struct rpc *rpc)
{
	struct inquiry *q;

	if (w->purse_asked && w->set->heads - w->purse_asked < PURSE_HEADS &&
		!w->set->troubles[TROUBLE_PURSE_LOW].on)
		return;
	q = inquiry_new(w, NULL, 1, on_balance, nothing_more);
	if (!q)
		return;
	w->purse_asked = w->set->heads;
	inquiry_ask(q, rpc, "eth_getBalance",
		json_pack("[o, s]", json_hex(view_of(w->set->sender, ADDRESS20)),
			"latest"));
	inquiry_launched(q);
}

void writer_quotes(struct writer *w)
{
	struct inquiry *q = inquiry_new(w, NULL, KINDS, on_number, on_followed);
	struct rpc *rpc = pool_followed(w->pool);

	if (!q) {
		report(w, NULL);
		return;
	}
	q->based = w->set->head.has_base_fee;
	ask_purse(w, rpc);
	ask(q, rpc);
	inquiry_launched(q);
}
