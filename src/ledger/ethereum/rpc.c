/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/ethereum/rpc.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/http_client.h"
#include "ledger/ethereum/connection.h"

struct rpc {
	const struct endpoint *endpoint;
	struct http_client *http; /* its numbers are the calls' */
};

struct call {
	struct rpc *rpc;
	uint64_t number;
	unsigned timeout_ms;
	rpc_chunk_fn *chunk; /* NULL: the reply is gathered */
	rpc_reply_fn *reply;
	void *context;
};

/* --- what has ended --- */

static void answer_body(struct call *c, const struct http_answer *a)
{
	struct rpc_reply reply = {.outcome = RPC_RESULT};
	struct buffer scratch = {0};
	json_t *root = NULL;

	if (!c->chunk || a->status != 200)
		rpc_reply_judge(&reply, &root, &scratch, c->rpc->endpoint, a->status,
			a->body, c->number);
	if (reply.outcome == RPC_RATE_LIMITED && reply.retry_ms == 0)
		reply.retry_ms = a->retry_s * 1000;
	c->reply(c->context, &reply);
	json_decref(root);
	buffer_free(&scratch);
}

static void answer_failure(struct call *c, enum rpc_outcome outcome, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void answer_failure(struct call *c, enum rpc_outcome outcome, const char *fmt, ...)
{
	struct rpc_reply reply = {.outcome = outcome};
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	error_set(&reply.error, "%s: %s", c->rpc->endpoint->name, text);
	c->reply(c->context, &reply);
}

/* No answer of HTTP: text is libcurl's when own_words says so. */
static void answer_text(
	struct call *c, enum rpc_outcome outcome, const struct http_answer *a)
{
	struct rpc_reply reply = {.outcome = outcome};

	if (!a->own_words) {
		answer_failure(c, outcome, "%s", a->text);
		return;
	}
	connection_words(&reply.error, c->rpc->endpoint, a->text);
	c->reply(c->context, &reply);
}

static void answer_too_large(struct call *c, const struct http_answer *a)
{
	if (c->chunk && a->status != 200)
		answer_body(c, a); /* its first part says enough */
	else
		answer_failure(c, RPC_GARBAGE, "its reply is longer than %u bytes",
			c->chunk ? RPC_STREAM_MAX : RPC_SMALL_MAX);
}

static void on_ended(void *context, const struct http_answer *a)
{
	struct call *c = context;

	switch (a->end) {
	case HTTP_ANSWERED:
		answer_body(c, a);
		break;
	case HTTP_TOO_LARGE:
		answer_too_large(c, a);
		break;
	case HTTP_TIMEOUT:
		answer_failure(c, RPC_UNREACHABLE,
			a->received > 0 ? "its reply stopped for %u ms" :
					  "no answer within %u ms",
			c->timeout_ms);
		break;
	case HTTP_STOPPED:
		answer_failure(c, RPC_GARBAGE, "its reply is none that was asked for");
		break;
	case HTTP_GARBAGE:
		answer_text(c, RPC_GARBAGE, a);
		break;
	case HTTP_FAILED:
	case HTTP_UNSENT:
		answer_text(c, RPC_UNREACHABLE, a);
		break;
	case HTTP_CANCELLED:
		break;
	}
	free(c);
}

/* --- opening, closing --- */

struct rpc *rpc_open(uv_loop_t *loop, const struct endpoint *endpoint, struct error *err)
{
	struct rpc *r;

	if (http_client_init(err))
		return NULL;
	if (endpoint->ca_file[0] && access(endpoint->ca_file, R_OK)) {
		error_set(err, "%s: ca_file=%s: %s", endpoint->name, endpoint->ca_file,
			strerror(errno));
		return NULL;
	}
	r = calloc(1, sizeof *r);
	if (!r) {
		error_set(err, "out of memory");
		return NULL;
	}
	r->endpoint = endpoint;
	r->http = http_client_open(loop, RPC_PARALLEL, err);
	if (!r->http) {
		free(r);
		return NULL;
	}
	return r;
}

void rpc_close(struct rpc *r)
{
	if (r)
		http_client_close(r->http, free, r);
}

const struct endpoint *rpc_endpoint(const struct rpc *r)
{
	return r->endpoint;
}

/* --- asking --- */

static int prepare(
	void *context, CURL *easy, struct curl_slist **headers, struct error *err)
{
	const struct call *c = context;
	const struct endpoint *e = c->rpc->endpoint;

	*headers = connection_headers(*headers, e, clock_wall() / USEC_PER_SEC);
	if (connection_options(easy, e, e->url, NULL))
		return error_set(err, "its URL cannot be asked, or memory is short");
	/* gzip alone: what else libcurl has only widens what a peer can send us. */
	curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
	/* HTTP/2 where TLS offers it, one connection for all calls then. */
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
	curl_easy_setopt(easy, CURLOPT_PIPEWAIT, 1L);
	return 0;
}

static bool on_chunk(void *context, struct view chunk)
{
	const struct call *c = context;

	return c->chunk(c->context, chunk); /* which may have cancelled it */
}

/* The request's text, made with malloc(), or NULL. params is taken over. */
static char *request_text(uint64_t id, const char *method, json_t *params)
{
	json_t *request = json_pack("{s:s, s:I, s:s, s:o}", "jsonrpc", "2.0", "id",
		(json_int_t)id, "method", method, "params", params);
	char *text = request ? json_dumps(request, JSON_COMPACT) : NULL;

	json_decref(request);
	return text;
}

/* call is copied. */
static uint64_t ask(
	struct rpc *r, const struct call *call, const char *method, json_t *params)
{
	struct call *c = malloc(sizeof *c);
	struct http_request request = {
		.body = request_text(rpc_next(r), method, params),
		.timeout_ms = call->timeout_ms,
		.gather_max = call->chunk ? RPC_ERROR_MAX : RPC_SMALL_MAX,
		.stream_max = RPC_STREAM_MAX,
		.ca_file = r->endpoint->ca_file,
		.prepare = prepare,
		.chunk = call->chunk ? on_chunk : NULL,
		.ended = on_ended,
		.context = c,
	};

	if (!c || !request.body) {
		free(request.body);
		free(c);
		return 0;
	}
	*c = *call;
	c->rpc = r;
	c->number = rpc_next(r);
	request.n = strlen(request.body);
	if (!http_post(r->http, &request)) {
		free(c);
		return 0;
	}
	return c->number;
}

uint64_t rpc_call(struct rpc *r, const char *method, json_t *params, unsigned timeout_ms,
	rpc_reply_fn *reply, void *context)
{
	struct call call = {.timeout_ms = timeout_ms, .reply = reply, .context = context};

	return ask(r, &call, method, params);
}

uint64_t rpc_stream(struct rpc *r, const char *method, json_t *params,
	unsigned timeout_ms, rpc_chunk_fn *chunk, rpc_reply_fn *reply, void *context)
{
	struct call call = {.timeout_ms = timeout_ms,
		.chunk = chunk,
		.reply = reply,
		.context = context};

	return ask(r, &call, method, params);
}

uint64_t rpc_next(const struct rpc *r)
{
	return http_client_next(r->http);
}

void rpc_cancel(struct rpc *r, uint64_t call)
{
	http_cancel(r->http, call);
}
