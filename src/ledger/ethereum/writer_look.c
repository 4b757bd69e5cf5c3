/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/ethereum/abi.h"
#include "ledger/ethereum/writer_state.h"

/*
 * Whether one of a batch's offers is in a block: eth_getTransactionReceipt for
 * each of them, calls[endpoint * offers + offer]. To settle a batch, its block
 * must also be the canonical one of its number: some engines go on answering
 * for a block that a reorganisation dropped. And a receipt is only what somebody
 * says: it must not contradict the operations that were verified.
 */

/*
 * One receipt. Returns 0 with *out, 1 when there is none (also one of a pending
 * block, which has no number), -1 when it is malformed or another's.
 */
static int receipt_parse(
	struct sighting *out, const uint8_t hash[HASH_SIZE], const json_t *receipt)
{
	const json_t *block = json_object_get(receipt, "blockNumber");
	uint8_t of[HASH_SIZE];
	uint64_t status;

	if (json_is_null(receipt))
		return 1;
	if (!json_is_object(receipt) ||
		fixed_parse(of, sizeof of, json_object_get(receipt, "transactionHash")) ||
		memcmp(of, hash, HASH_SIZE))
		return -1;
	if (!block || json_is_null(block))
		return 1;
	if (quantity_parse(&out->block, block) ||
		fixed_parse(out->block_hash, HASH_SIZE,
			json_object_get(receipt, "blockHash")) ||
		quantity_parse(&status, json_object_get(receipt, "status")) || status > 1)
		return -1;
	if (quantity_parse(&out->gas_used, json_object_get(receipt, "gasUsed")))
		out->gas_used = 0;
	out->succeeded = status == 1;
	return 0;
}

static void on_receipt(struct inquiry *q, unsigned index, const struct rpc_reply *reply)
{
	unsigned offer = index % (q->room / q->endpoints);
	const struct offer *o = &q->batch->offers[offer];
	struct sighting s = {.kind = SIGHTING_FOUND, .offer = offer};
	int rc = -1;

	if (reply->outcome == RPC_RESULT)
		rc = receipt_parse(&s, o->hash, reply->result);
	if (rc) {
		q->missing = q->missing || rc < 0;
		q->unheard = q->unheard ||
			(reply->outcome != RPC_RESULT && reply->outcome != RPC_REFUSED);
		if (rc > 0)
			q->absent |= UINT64_C(1) << offer;
		return;
	}
	/*
	 * A success of any of them counts. A revert counts for the nonce in use:
	 * those of nonces before it are why there is another.
	 */
	if (s.succeeded || (o->nonce == q->batch->nonce && !q->sighting.succeeded)) {
		q->sighting = s;
		q->teller = q->calls[index].rpc;
	}
}

/* --- what the journal says --- */

struct search {
	const struct writer *w;
	const struct pending *batch;
	uint64_t block;
	bool found;
};

static bool is_batch(const struct search *s, const struct operation *op)
{
	struct buffer call = {0};
	bool same;

	if (op->type != OP_BATCH || memcmp(op->actor, s->w->set->sender, ADDRESS20))
		return false;
	same = !abi_operation_call(&call, op) &&
		view_eq(view_of(call.p, call.n), s->batch->submission.call);
	buffer_free(&call);
	return same;
}

/* Within the block, until it is found. */
static bool compare(void *context, const struct ledger_event *event)
{
	struct search *s = context;

	if (event->block != s->block)
		return false;
	s->found = is_batch(s, &event->operation);
	return !s->found;
}

/*
 * Whether the verified operations of a block have the batch: 1 or 0; -1: that
 * block's are not all known here.
 */
static int journal_holds(struct writer *w, const struct pending *b, uint64_t block)
{
	struct search s = {.w = w, .batch = b, .block = block};
	uint64_t head, from, cursor;
	uint8_t hash[HASH_SIZE];
	struct tip before;
	uint32_t since;

	if (!journal_head(w->journal, &head, hash) || block > head ||
		(journal_window(w->journal, &before, &since, &from) && block <= from))
		return -1;
	cursor = journal_cursor(block);
	if (journal_next(w->journal, &cursor, UINT16_MAX, compare, &s, NULL) < 0)
		return -1;
	return s.found;
}

/*
 * A success that is to settle the batch must be among the operations. A revert
 * must not; nor does it count while somebody has no receipt at all: its nonce
 * may still be free there, and signed anew the batch would be there twice.
 */
static void weigh(struct inquiry *q)
{
	struct sighting *s = &q->sighting;
	int holds = journal_holds(q->w, q->batch, s->block);

	if (s->succeeded && !holds) {
		s->kind = SIGHTING_UNKNOWN;
		q->w->liar = q->teller;
	} else if (!s->succeeded && holds > 0) {
		s->succeeded = true;
	} else if (!s->succeeded && (q->unheard || q->absent >> s->offer & 1)) {
		s->kind = SIGHTING_UNKNOWN;
	}
}

static void report(struct inquiry *q)
{
	struct writer *w = q->w;
	struct pending *b = q->batch;
	bool mined;

	/* A filler is no operation of the ledger. */
	if (q->canonical && q->sighting.kind == SIGHTING_FOUND && !b->filler)
		weigh(q);
	mined = b->state == PENDING_SENT && q->sighting.kind == SIGHTING_FOUND;
	if (mined)
		writer_at("mined");
	pending_looked(w->set, b, &q->sighting, w->now_ms(), writer_jitter());
}

/* --- is its block the canonical one? --- */

static void on_block(struct inquiry *q, unsigned index, const struct rpc_reply *reply)
{
	uint8_t hash[HASH_SIZE];

	(void)index;
	if (reply->outcome != RPC_RESULT)
		q->sighting.kind = SIGHTING_UNKNOWN;
	else if (json_is_null(reply->result))
		q->sighting.kind = SIGHTING_ABSENT;
	else if (fixed_parse(hash, sizeof hash, json_object_get(reply->result, "hash")))
		q->sighting.kind = SIGHTING_UNKNOWN;
	else if (memcmp(hash, q->sighting.block_hash, HASH_SIZE))
		q->sighting.kind = SIGHTING_ABSENT;
}

/* Returns true when the answer has to be waited for. */
static bool ask_block(struct inquiry *q)
{
	struct writer *w = q->w;
	struct rpc *rpc = pool_followed(w->pool);
	struct inquiry *further;
	uint8_t hash[HASH_SIZE];
	char number[19];

	if (!journal_block(w->journal, q->sighting.block, hash)) {
		if (memcmp(hash, q->sighting.block_hash, HASH_SIZE))
			q->sighting.kind = SIGHTING_ABSENT;
		return false;
	}
	further = rpc ? inquiry_new(w, q->batch, 1, on_block, report) : NULL;
	if (!further) {
		q->sighting.kind = SIGHTING_UNKNOWN;
		return false;
	}
	further->sighting = q->sighting;
	further->canonical = true;
	further->absent = q->absent;
	further->unheard = q->unheard;
	further->teller = q->teller;
	inquiry_ask(further, rpc, "eth_getBlockByNumber",
		json_pack("[s, b]", quantity_print(number, q->sighting.block), 0));
	inquiry_launched(further);
	return true;
}

static void on_receipts(struct inquiry *q)
{
	if (q->sighting.kind != SIGHTING_FOUND)
		q->sighting.kind = q->missing ? SIGHTING_UNKNOWN : SIGHTING_ABSENT;
	else if (q->canonical && ask_block(q))
		return;
	report(q);
}

static bool asked(const struct writer *w, size_t i, bool everywhere)
{
	return pool_rpc(w->pool, i) == pool_followed(w->pool) ||
		(everywhere && pool_usable(w->pool, i));
}

void writer_look(struct writer *w, struct pending *b, bool everywhere, bool canonical)
{
	struct sighting unknown = {.kind = SIGHTING_UNKNOWN};
	struct inquiry *q = NULL;
	unsigned endpoints = 0;

	for (size_t i = 0; i < pool_count(w->pool); i++)
		endpoints += asked(w, i, everywhere);
	if (endpoints)
		q = inquiry_new(
			w, b, endpoints * b->offer_count, on_receipt, on_receipts);
	if (!q) {
		pending_looked(w->set, b, &unknown, w->now_ms(), writer_jitter());
		return;
	}
	q->endpoints = endpoints;
	q->canonical = canonical;
	for (size_t i = 0; i < pool_count(w->pool); i++)
		for (unsigned k = 0; asked(w, i, everywhere) && k < b->offer_count; k++)
			inquiry_ask(q, pool_rpc(w->pool, i), "eth_getTransactionReceipt",
				json_pack("[o]",
					json_hex(view_of(b->offers[k].hash, HASH_SIZE))));
	inquiry_launched(q);
}
