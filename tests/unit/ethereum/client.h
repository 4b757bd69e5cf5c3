/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_ETHEREUM_CLIENT_H
#define TESTS_ETHEREUM_CLIENT_H

#include <stdlib.h>

#include "../cmocka_all.h"
#include "ledger/ethereum/rpc.h"

/* A client of one endpoint, and what became of a call. */
struct client {
	uv_loop_t loop;
	struct endpoint endpoint;
	struct rpc *rpc;
};

struct answer {
	unsigned replies;
	enum rpc_outcome outcome;
	char text[320], result[200];
	int64_t code;
	uint32_t retry_ms;
	bool has_result;
	struct client *close; /* in the reply */
	/* of a stream */
	struct buffer body;
	size_t stop_at; /* chunk says false once so much has come; 0: never */
};

static inline void client_open(struct client *c, const char *line)
{
	struct error err = {""};

	if (endpoint_parse(&c->endpoint, view_str(line), &err) ||
		endpoint_load(&c->endpoint, &err))
		fail_msg("%s", err.text);
	assert_int_equal(uv_loop_init(&c->loop), 0);
	c->rpc = rpc_open(&c->loop, &c->endpoint, &err);
	if (!c->rpc)
		fail_msg("%s", err.text);
}

/* "http://127.0.0.1:PORT" and more */
static inline void client_open_port(struct client *c, unsigned port, const char *more)
{
	char line[400];

	snprintf(line, sizeof line, "http://127.0.0.1:%u%s", port, more);
	client_open(c, line);
}

/* All handles must close by themselves: what is left would hang the loop. */
static inline void client_close(struct client *c)
{
	rpc_close(c->rpc);
	assert_int_equal(uv_run(&c->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&c->loop), 0);
}

static inline void take_reply(void *context, const struct rpc_reply *reply)
{
	struct answer *a = context;
	char *result;

	a->replies++;
	a->outcome = reply->outcome;
	a->code = reply->code;
	a->retry_ms = reply->retry_ms;
	a->has_result = reply->result != NULL;
	snprintf(a->text, sizeof a->text, "%s", reply->error.text);
	result = reply->result ? json_dumps(reply->result, JSON_ENCODE_ANY) : NULL;
	snprintf(a->result, sizeof a->result, "%s", result ? result : "");
	free(result);
	if (a->close)
		rpc_close(a->close->rpc);
}

static inline bool take_chunk(void *context, struct view chunk)
{
	struct answer *a = context;

	buffer_put(&a->body, chunk.p, chunk.n);
	return a->stop_at == 0 || a->body.n < a->stop_at;
}

/* One call from asking to its reply; nothing is told before the loop runs. */
static inline void call(struct client *c, struct answer *a, unsigned timeout_ms)
{
	memset(a, 0, sizeof *a);
	assert_int_not_equal(
		rpc_call(c->rpc, "eth_test", json_array(), timeout_ms, take_reply, a), 0);
	assert_int_equal(a->replies, 0);
	/* The loop ends by itself when nothing is on its way any more. */
	assert_int_equal(uv_run(&c->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(a->replies, 1);
}

static inline void stream(struct client *c, struct answer *a, unsigned timeout_ms)
{
	assert_int_not_equal(rpc_stream(c->rpc, "eth_test", json_array(), timeout_ms,
				     take_chunk, take_reply, a),
		0);
	assert_int_equal(uv_run(&c->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(a->replies, 1);
}

static inline void answer_is(
	const struct answer *a, enum rpc_outcome due, const char *text)
{
	if (a->outcome != due || !strstr(a->text, text))
		fail_msg("outcome %d, not %d, \"%s\" lacks \"%s\"", a->outcome, due,
			a->text, text);
}

#endif
