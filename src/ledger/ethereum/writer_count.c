/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/ethereum/writer_state.h"

/*
 * How many nonces the key has used. The followed endpoint is asked; where its
 * answer would do what cannot be undone, the others are asked as well. A nonce
 * far ahead, once signed, could never be mined: all behind it would wait for
 * good. And a batch whose nonce is only said to be used up would be signed with
 * another while the first may still be mined, so that it is there twice.
 */

/* Keep the counts sorted; whom to believe is in the middle, or just below it. */
static void put(struct inquiry *q, uint64_t value)
{
	unsigned at = q->said++;

	for (; at > 0 && q->counts[at - 1] > value; at--)
		q->counts[at] = q->counts[at - 1];
	q->counts[at] = value;
}

static uint64_t believed(const struct inquiry *q)
{
	return q->counts[(q->said - 1) / 2];
}

/* Who refuses (no state of that block) has no say; who is not heard may have. */
static void on_number(struct inquiry *q, unsigned index, const struct rpc_reply *reply)
{
	uint64_t value;

	if (reply->outcome != RPC_RESULT) {
		q->missing = q->missing || reply->outcome != RPC_REFUSED;
		return;
	}
	if (quantity_parse(&value, reply->result))
		return;
	put(q, value);
	if (q->calls[index].rpc == q->teller) {
		q->known[0] = true;
		q->value[0] = value;
	}
}

static void ask(struct inquiry *q, struct rpc *rpc, const char *block)
{
	inquiry_ask(q, rpc, "eth_getTransactionCount",
		json_pack("[o, s]", json_hex(view_of(q->w->set->sender, ADDRESS20)),
			block));
}

static void ask_others(struct inquiry *q, const char *block)
{
	const struct pool *p = q->w->pool;

	for (size_t i = 0; i < pool_count(p); i++)
		if (pool_usable(p, i) && pool_rpc(p, i) != q->teller)
			ask(q, pool_rpc(p, i), block);
}

static void report(struct inquiry *q, bool known, uint64_t count)
{
	pending_count(q->w->set, known, count, q->w->now_ms(), writer_jitter());
}

/* The nonce after the last one that this node signed. */
static uint64_t own_next(const struct writer *w)
{
	return (uint64_t)(w->set->highest + 1);
}

static void on_others(struct inquiry *q)
{
	uint64_t count = believed(q), least = own_next(q->w);

	if (count > q->value[0])
		count = q->value[0];
	report(q, !q->missing, count > least ? count : least);
}

/* Others have used the key, says the endpoint: do its like say so, too? */
static void on_count(struct inquiry *q)
{
	struct writer *w = q->w;
	struct inquiry *further;

	if (!q->known[0] || q->value[0] <= own_next(w)) {
		report(q, q->known[0], q->value[0]);
		return;
	}
	further = inquiry_new(
		w, NULL, (unsigned)pool_count(w->pool), on_number, on_others);
	if (!further) {
		report(q, false, 0);
		return;
	}
	further->teller = q->teller;
	further->value[0] = q->value[0];
	put(further, q->value[0]);
	ask_others(further, "latest");
	inquiry_launched(further);
}

void writer_count(struct writer *w)
{
	struct inquiry *q = inquiry_new(w, NULL, 1, on_number, on_count);

	if (!q) {
		pending_count(w->set, false, 0, w->now_ms(), writer_jitter());
		return;
	}
	q->teller = pool_followed(w->pool);
	ask(q, q->teller, "latest");
	inquiry_launched(q);
}

static void on_final_count(struct inquiry *q)
{
	pending_final_count(
		q->w->set, q->known[0] && !q->missing, q->known[0] ? believed(q) : 0);
}

void writer_final_count(struct writer *w, uint64_t block)
{
	struct inquiry *q = inquiry_new(
		w, NULL, (unsigned)pool_count(w->pool), on_number, on_final_count);
	char number[QUANTITY_TEXT];

	if (!q) {
		pending_final_count(w->set, false, 0);
		return;
	}
	q->teller = pool_followed(w->pool);
	ask(q, q->teller, quantity_print(number, block));
	ask_others(q, number);
	inquiry_launched(q);
}
