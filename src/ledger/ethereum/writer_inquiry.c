/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/hex.h"
#include "ledger/ethereum/writer_state.h"

json_t *json_hex(struct view bytes)
{
	char *text = malloc(2 * bytes.n + 3);
	json_t *json;

	if (!text)
		return NULL;
	memcpy(text, "0x", 2);
	hex_encode(text + 2, bytes.p, bytes.n);
	json = json_stringn_nocheck(text, 2 * bytes.n + 2);
	free(text);
	return json;
}

struct inquiry *inquiry_new(struct writer *w, struct pending *batch, unsigned room,
	void (*reply)(struct inquiry *, unsigned, const struct rpc_reply *),
	void (*done)(struct inquiry *))
{
	struct inquiry *q = calloc(1, sizeof *q + room * sizeof *q->calls);

	if (!q)
		return NULL;
	q->w = w;
	q->batch = batch;
	q->room = room;
	q->reply = reply;
	q->done = done;
	q->left = 1; /* until inquiry_launched() */
	q->next = w->inquiries;
	q->at = &w->inquiries;
	if (q->next)
		q->next->at = &q->next;
	w->inquiries = q;
	return q;
}

void inquiry_free(struct inquiry *q)
{
	for (unsigned i = 0; i < q->count; i++)
		rpc_cancel(q->calls[i].rpc, q->calls[i].id);
	*q->at = q->next;
	if (q->next)
		q->next->at = q->at;
	free(q);
}

static void one_less(struct inquiry *q)
{
	struct writer *w = q->w;

	if (--q->left)
		return;
	q->done(q);
	inquiry_free(q);
	writer_turn(w);
}

static void on_reply(void *context, const struct rpc_reply *reply)
{
	struct inquiry_call *call = context;
	struct inquiry *q = call->of;

	call->id = 0;
	q->reply(q, call->index, reply);
	one_less(q);
}

void inquiry_ask(struct inquiry *q, struct rpc *rpc, const char *method, json_t *params)
{
	static const struct rpc_reply nothing = {
		.outcome = RPC_UNREACHABLE,
		.error = {"out of memory"},
	};
	struct inquiry_call *call = &q->calls[q->count];

	call->of = q;
	call->rpc = rpc;
	call->index = q->count++;
	if (params)
		call->id = rpc_call(rpc, method, params, RPC_TIMEOUT_MS, on_reply, call);
	if (call->id)
		q->left++;
	else
		q->reply(q, call->index, &nothing);
}

void inquiry_launched(struct inquiry *q)
{
	one_less(q);
}
