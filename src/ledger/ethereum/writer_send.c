/* SPDX-License-Identifier: Apache-2.0 */
#include "base/escape.h"
#include "ledger/ethereum/writer_state.h"

/*
 * The same bytes to every endpoint, usable or not: one that lags, or that is
 * not believed, still carries them to the network.
 */

/* A node that took it answers with its hash. */
static enum answer accepted(struct inquiry *q, const json_t *result)
{
	const struct pending *b = q->batch;
	uint8_t hash[HASH_SIZE];

	if (fixed_parse(hash, sizeof hash, result))
		return ANSWER_OTHER;
	for (unsigned i = 0; i < b->offer_count; i++)
		if (!memcmp(hash, b->offers[i].hash, HASH_SIZE))
			return ANSWER_ACCEPTED;
	return ANSWER_OTHER;
}

static void on_reply(struct inquiry *q, unsigned index, const struct rpc_reply *reply)
{
	enum answer answer = ANSWER_NONE;
	const char *text = reply->error.text;

	if (reply->outcome == RPC_RESULT) {
		answer = accepted(q, reply->result);
		text = "it answers with the hash of another transaction";
	} else if (reply->outcome == RPC_REFUSED) {
		answer = answer_judge(view_str(text));
	}
	(void)index;
	if (answer < q->best || (q->error.text[0] && answer == q->best))
		return;
	q->best = answer;
	error_set(&q->error, "%s", text);
}

static void on_done(struct inquiry *q)
{
	struct writer *w = q->w;

	writer_at("answered");
	pending_answered(
		w->set, q->batch, q->best, q->error.text, w->now_ms(), writer_jitter());
}

void writer_send(struct writer *w, struct pending *b)
{
	size_t endpoints = pool_count(w->pool);
	struct inquiry *q = inquiry_new(w, b, (unsigned)endpoints, on_reply, on_done);

	if (!q) {
		pending_answered(w->set, b, ANSWER_NONE, "out of memory", w->now_ms(),
			writer_jitter());
		return;
	}
	for (size_t i = 0; i < endpoints; i++)
		inquiry_ask(q, pool_rpc(w->pool, i), "eth_sendRawTransaction",
			json_pack("[o]", json_hex(pending_offer(b)->raw)));
	writer_at("sent");
	inquiry_launched(q);
}
