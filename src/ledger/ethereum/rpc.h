/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LEDGER_ETHEREUM_RPC_H
#define LEDGER_ETHEREUM_RPC_H

#include <jansson.h>
#include <uv.h>

#include "ledger/ethereum/endpoint.h"

/*
 * JSON-RPC 2.0 over HTTP(S) to one endpoint: a base/http_client.h with the
 * endpoint's settings, gzip and HTTP/2. At most RPC_PARALLEL requests are on their
 * way; more wait in order. No callback runs inside a call of the owner.
 */
#define RPC_PARALLEL   6
#define RPC_SMALL_MAX  (8u << 20) /* bytes of a reply that is parsed whole */
#define RPC_TIMEOUT_MS 10000
#define RPC_STREAM_MAX (1u << 30)  /* bytes of a streamed reply, decompressed */
#define RPC_ERROR_MAX  (64u << 10) /* of a streamed reply that is an HTTP error */
struct rpc;

enum rpc_outcome {
	RPC_RESULT = 1,       /* result holds it */
	RPC_REFUSED = 2,      /* the node answered with an error object: code, data */
	RPC_RATE_LIMITED = 3, /* HTTP 429, or the error codes that mean it; retry_ms */
	RPC_UNREACHABLE = 4,  /* no connection, TLS, timeout, reply cut: try another */
	RPC_GARBAGE = 5,      /* an answer that is no JSON-RPC */
	RPC_UNAUTHORISED = 6, /* HTTP 401, 403: the endpoint's key is wrong */
};

struct rpc_reply {
	enum rpc_outcome outcome;
	const json_t *result; /* borrowed for the callback; NULL otherwise */
	int64_t code;         /* RPC_REFUSED: the error's */
	struct view data;     /* RPC_REFUSED: its data, hex decoded (revert data) */
	uint32_t retry_ms;    /* RPC_RATE_LIMITED: 0 unknown */
	bool no_method;       /* RPC_REFUSED: -32601 or what engines say for it */
	bool reverted;        /* RPC_REFUSED: the contract did; data may still be empty */
	struct error error;   /* for people; names the endpoint, redacted */
};

typedef void rpc_reply_fn(void *context, const struct rpc_reply *reply);

/*
 * A body as it arrives (decompressed), for replies too large to be parsed
 * whole. Return false to stop: the reply is then RPC_GARBAGE.
 */
typedef bool rpc_chunk_fn(void *context, struct view chunk);

/*
 * endpoint must outlive it; its ca_file must be readable. NULL with a text. What a
 * sealed process needs: base/http_client.h, http_client_init().
 */
struct rpc *rpc_open(uv_loop_t *loop, const struct endpoint *endpoint, struct error *err);

/*
 * Ask. params (a JSON array) is taken over. reply is called once, from the
 * loop, at the latest timeout_ms from now, unless cancelled. Returns the call's
 * number, 0 when memory is short (reply is not called then).
 */
uint64_t rpc_call(struct rpc *r, const char *method, json_t *params, unsigned timeout_ms,
	rpc_reply_fn *reply, void *context);

/*
 * The same with the body given to chunk; reply then has result == NULL, and
 * RPC_RESULT means only that HTTP went well: who scans the body knows the rest,
 * and judges an error object that it holds by rpc_reply_error(). timeout_ms
 * counts from the last byte (at first: from when the request is on its way).
 * The body of an HTTP error is not given to chunk but judged here.
 */
uint64_t rpc_stream(struct rpc *r, const char *method, json_t *params,
	unsigned timeout_ms, rpc_chunk_fn *chunk, rpc_reply_fn *reply, void *context);

/*
 * The number that the next call will have: also its JSON-RPC id, which a
 * scanner of the reply must know before the first byte comes.
 */
uint64_t rpc_next(const struct rpc *r);

/* Forget a call: its callbacks are not called any more. 0 is nothing. */
void rpc_cancel(struct rpc *r, uint64_t call);

/* Cancels all; frees when its handles have closed on the loop. NULL is nothing. */
void rpc_close(struct rpc *r);

const struct endpoint *rpc_endpoint(const struct rpc *r);

/*
 * Judge one whole reply body (pure; also for messages of a WebSocket, with
 * http_status 200): id must be the request's. *root must be json_decref()ed
 * after the reply was used (NULL is allowed there), data lives in scratch.
 */
void rpc_reply_judge(struct rpc_reply *out, json_t **root, struct buffer *scratch,
	const struct endpoint *e, long http_status, struct view body, uint64_t id);

/*
 * Judge an error object by its parts (pure), for who scanned the reply instead:
 * its code, message and data (a string; NULL bytes when there was none).
 */
void rpc_reply_error(struct rpc_reply *out, struct buffer *scratch,
	const struct endpoint *e, int64_t code, struct view message, struct view data);

#endif
