/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/ethereum/abi.h"
#include "ledger/ethereum/writer_state.h"

/*
 * What is asked of the followed endpoint before a batch is signed: eth_call and
 * eth_estimateGas at once (the one says why not, the other how much).
 */
enum { CALL, ESTIMATE };

static void judge_revert(struct inquiry *q, const struct rpc_reply *reply)
{
	struct preflight *p = &q->preflight;

	if (reply->data.n && !abi_refusal_decode(&p->refusal, reply->data)) {
		p->outcome = PREFLIGHT_REFUSED;
		return;
	}
	p->outcome = PREFLIGHT_FAILED;
	if (reply->data.n) {
		abi_revert_text(reply->data, &p->error);
		error_prefix(&p->error, "the contract refuses the batch");
		return;
	}
	error_set(&p->error,
		"the contract refuses the batch, and the endpoint does not say why: %s",
		reply->error.text);
}

static void on_call(struct inquiry *q, const struct rpc_reply *reply)
{
	q->preflight.outcome = PREFLIGHT_AGAIN;
	switch (reply->outcome) {
	case RPC_RESULT:
		q->preflight.outcome = PREFLIGHT_PASSED;
		q->call_known = true;
		break;
	case RPC_REFUSED:
		if (reply->reverted || reply->data.n) {
			judge_revert(q, reply);
			q->call_known = true;
		}
		/* An engine without `pending` says so in words of its own. */
		else if (q->at_pending)
			q->w->no_pending_at = q->calls[CALL].rpc;
		else
			q->preflight.outcome = PREFLIGHT_UNCLEAR;
		break;
	case RPC_RATE_LIMITED:
		q->preflight.retry_ms = reply->retry_ms;
		break;
	case RPC_UNREACHABLE:
	case RPC_GARBAGE:
	case RPC_UNAUTHORISED:
		break;
	}
}

static void on_reply(struct inquiry *q, unsigned index, const struct rpc_reply *reply)
{
	if (index == CALL)
		on_call(q, reply);
	else if (reply->outcome == RPC_RESULT &&
		quantity_parse(&q->preflight.gas, reply->result))
		q->preflight.gas = 0;
}

static void on_done(struct inquiry *q)
{
	struct writer *w = q->w;

	/* The same again at `latest`, at once. */
	if (!q->call_known && q->at_pending && w->no_pending_at == q->calls[CALL].rpc &&
		pool_followed(w->pool)) {
		writer_preflight(w, q->batch);
		return;
	}
	if (q->call_known)
		writer_at("preflighted");
	pending_preflight(w->set, q->batch, &q->preflight, w->now_ms(), writer_jitter());
}

/* {"from": the key, "to": the contract, "data": ...} */
static json_t *call_object(const struct writer *w, const struct pending *b)
{
	return json_pack("{s:o, s:o, s:o}", "from",
		json_hex(view_of(w->set->sender, ADDRESS20)), "to",
		json_hex(view_of(w->settings->contract, ADDRESS20)), "data",
		json_hex(b->submission.call));
}

void writer_preflight(struct writer *w, struct pending *b)
{
	struct preflight again = {.outcome = PREFLIGHT_AGAIN};
	struct rpc *rpc = pool_followed(w->pool);
	struct inquiry *q = inquiry_new(w, b, 2, on_reply, on_done);

	if (!q) {
		pending_preflight(w->set, b, &again, w->now_ms(), writer_jitter());
		return;
	}
	/* With nothing on its way `pending` says no more than `latest`. */
	q->at_pending = w->set->open > 1 && w->no_pending_at != rpc;
	inquiry_ask(q, rpc, "eth_call",
		json_pack("[o, s]", call_object(w, b),
			q->at_pending ? "pending" : "latest"));
	inquiry_ask(q, rpc, "eth_estimateGas", json_pack("[o]", call_object(w, b)));
	inquiry_launched(q);
}
