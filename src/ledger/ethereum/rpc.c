/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/ethereum/rpc_state.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "ledger/ethereum/connection.h"

/*
 * When the loop was busy elsewhere past a deadline, the reply may lie in the
 * socket unread, and timers run before sockets: one more round for it.
 */
#define LATE_MS 50

uint64_t rpc_now(void)
{
	return clock_monotonic() / 1000 + 1;
}

/* --- the list of calls --- */

static void unlink_call(struct call *c)
{
	struct call **at = &c->rpc->calls;

	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
}

/* Not inside libcurl. */
static void call_free(struct call *c)
{
	if (!c)
		return;
	rpc_curl_stop(c);
	buffer_free(&c->body);
	free(c->request);
	free(c);
}

/* Take the call out, tell its owner, free it. The owner may do anything. */
static void deliver(struct call *c, struct rpc_reply *reply)
{
	unlink_call(c);
	rpc_curl_stop(c);
	c->reply(c->context, reply);
	call_free(c);
}

static void deliver_failure(struct call *c, enum rpc_outcome outcome, const char *text)
{
	struct rpc_reply reply = {.outcome = outcome};

	error_set(&reply.error, "%s: %s", c->rpc->endpoint->name, text);
	deliver(c, &reply);
}

/* --- what has ended --- */

static void deliver_body(struct call *c, long status)
{
	curl_off_t retry_s = 0;
	struct rpc_reply reply = {.outcome = RPC_RESULT};
	struct buffer scratch = {0};
	json_t *root = NULL;

	if (!c->chunk || status != 200)
		rpc_reply_judge(&reply, &root, &scratch, c->rpc->endpoint, status,
			view_of(c->body.p, c->body.n), c->number);
	if (reply.outcome == RPC_RATE_LIMITED && reply.retry_ms == 0) {
		curl_easy_getinfo(c->easy, CURLINFO_RETRY_AFTER, &retry_s);
		/* An hour at most: a peer's number, and who knows its clock. */
		reply.retry_ms = retry_s > 3600 ? 3600000 : (uint32_t)retry_s * 1000;
	}
	deliver(c, &reply);
	json_decref(root);
	buffer_free(&scratch);
}

/* libcurl has ended the call: judge it and tell its owner. */
static void on_ended(void *context, CURL *easy, CURLcode code)
{
	struct rpc_reply reply = {.outcome = RPC_UNREACHABLE};
	struct rpc *r = context;
	struct call *c = NULL;
	char text[80];
	long status = 0;

	if (r->closing)
		return;
	curl_easy_getinfo(easy, CURLINFO_PRIVATE, &c);
	curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
	if (c->cancelled) {
		unlink_call(c);
		call_free(c);
	} else if (c->stopped) {
		deliver_failure(c, RPC_GARBAGE, "its reply is none that was asked for");
	} else if (c->too_large) {
		snprintf(text, sizeof text, "its reply is longer than %u bytes",
			c->chunk ? RPC_STREAM_MAX : RPC_SMALL_MAX);
		if (c->chunk && status != 200)
			deliver_body(c, status); /* its first part says enough */
		else
			deliver_failure(c, RPC_GARBAGE, text);
	} else if (code == CURLE_OK) {
		deliver_body(c, status);
	} else {
		if (connection_is_garbage(code))
			reply.outcome = RPC_GARBAGE;
		connection_failure(
			&reply.error, c->rpc->endpoint, c->easy, code, c->detail);
		deliver(c, &reply);
	}
}

/* --- what is to be done --- */

/* The first call that was cancelled, or is overdue; NULL: none. */
static struct call *find_due(struct rpc *r)
{
	uint64_t now = rpc_now();

	for (struct call *c = r->calls; c; c = c->next) {
		if (c->cancelled)
			return c;
		if (c->deadline == 0 || now < c->deadline)
			continue;
		if (c->late || now < c->deadline + LATE_MS)
			return c;
		c->late = true;
		c->deadline = now + LATE_MS;
	}
	return NULL;
}

static void end_due(struct rpc *r)
{
	struct call *c;
	char text[80];

	while (!r->closing && (c = find_due(r))) {
		if (c->cancelled) {
			unlink_call(c);
			call_free(c);
			continue;
		}
		snprintf(text, sizeof text,
			c->received > 0 ? "its reply stopped for %u ms" :
					  "no answer within %u ms",
			c->timeout_ms);
		deliver_failure(c, RPC_UNREACHABLE, text);
	}
}

static void start_waiting(struct rpc *r)
{
	struct rpc_reply reply = {.outcome = RPC_UNREACHABLE};
	struct call *c = r->calls;

	while (!r->closing && c && r->running < RPC_PARALLEL) {
		if (c->easy || c->cancelled) {
			c = c->next;
			continue;
		}
		if (c->chunk)
			c->deadline = rpc_now() + c->timeout_ms;
		if (!rpc_curl_start(c, &reply.error)) {
			c = c->next;
			continue;
		}
		deliver(c, &reply);
		c = r->calls; /* the owner may have changed the list */
	}
}

static void on_enter(void *context)
{
	((struct rpc *)context)->depth++;
}

static void on_leave(void *context);

static void on_work(uv_timer_t *timer)
{
	on_enter(timer->data);
	on_leave(timer->data);
}

/* Come back at once when something waits for its turn, else when one is due. */
static void set_work_timer(struct rpc *r)
{
	uint64_t now = rpc_now(), next = UINT64_MAX;

	for (struct call *c = r->calls; c; c = c->next) {
		if (c->cancelled || (!c->easy && r->running < RPC_PARALLEL))
			next = now;
		else if (c->deadline != 0 && c->deadline < next)
			next = c->deadline;
	}
	if (next == UINT64_MAX) {
		uv_timer_stop(&r->work_timer);
		return;
	}
	/* The loop's idea of now may be old; the timer counts from it. */
	uv_update_time(r->loop);
	uv_timer_start(&r->work_timer, on_work, next > now ? next - now : 0, 0);
}

/* --- opening, closing --- */

static void part_closed(struct rpc *r)
{
	if (--r->open == 0)
		free(r);
}

static void on_curl_closed(void *context)
{
	part_closed(context);
}

static void on_work_closed(uv_handle_t *handle)
{
	part_closed(handle->data);
}

static void tear_down(struct rpc *r)
{
	struct call *c;

	while ((c = r->calls)) {
		r->calls = c->next;
		call_free(c);
	}
	curl_uv_close(&r->curl);
	uv_close((uv_handle_t *)&r->work_timer, on_work_closed);
}

/* The outermost callback of the loop ends: do what was put off. */
static void on_leave(void *context)
{
	struct rpc *r = context;

	if (!r->closing) {
		end_due(r);
		start_waiting(r);
	}
	r->depth--;
	if (r->closing)
		tear_down(r);
	else
		set_work_timer(r);
}

struct rpc *rpc_open(uv_loop_t *loop, const struct endpoint *endpoint, struct error *err)
{
	struct curl_uv_callbacks callbacks = {.enter = on_enter,
		.ended = on_ended,
		.leave = on_leave,
		.closed = on_curl_closed};
	struct rpc *r;

	if (rpc_global_init(err))
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
	r->loop = loop;
	r->endpoint = endpoint;
	r->next = 1;
	callbacks.context = r;
	if (curl_uv_open(&r->curl, loop, &callbacks, err)) {
		free(r);
		return NULL;
	}
	curl_multi_setopt(r->curl.multi, CURLMOPT_MAXCONNECTS, (long)RPC_PARALLEL);
	uv_timer_init(loop, &r->work_timer);
	r->work_timer.data = r;
	r->open = 2;
	return r;
}

void rpc_close(struct rpc *r)
{
	if (!r || r->closing)
		return;
	r->closing = true;
	if (r->depth == 0)
		tear_down(r);
}

const struct endpoint *rpc_endpoint(const struct rpc *r)
{
	return r->endpoint;
}

/* --- asking --- */

/* The request's text, made with malloc(), or NULL. params is taken over. */
static char *request_text(uint64_t id, const char *method, json_t *params)
{
	json_t *request = json_pack("{s:s, s:I, s:s, s:o}", "jsonrpc", "2.0", "id",
		(json_int_t)id, "method", method, "params", params);
	char *text = request ? json_dumps(request, JSON_COMPACT) : NULL;

	json_decref(request);
	return text;
}

static uint64_t ask(struct rpc *r, struct call *c, const char *method, json_t *params)
{
	struct call **end = &r->calls;

	if (!c) {
		json_decref(params);
		return 0;
	}
	c->rpc = r;
	c->number = r->next;
	c->request = r->closing ? NULL : request_text(c->number, method, params);
	if (!c->request) {
		free(c);
		return 0;
	}
	r->next++;
	while (*end)
		end = &(*end)->next;
	*end = c;
	if (r->depth == 0)
		set_work_timer(r);
	return c->number;
}

uint64_t rpc_call(struct rpc *r, const char *method, json_t *params, unsigned timeout_ms,
	rpc_reply_fn *reply, void *context)
{
	struct call *c = calloc(1, sizeof *c);

	if (c) {
		c->reply = reply;
		c->context = context;
		c->timeout_ms = timeout_ms;
		c->deadline = rpc_now() + timeout_ms;
	}
	return ask(r, c, method, params);
}

uint64_t rpc_stream(struct rpc *r, const char *method, json_t *params,
	unsigned timeout_ms, rpc_chunk_fn *chunk, rpc_reply_fn *reply, void *context)
{
	struct call *c = calloc(1, sizeof *c);

	if (c) {
		c->chunk = chunk;
		c->reply = reply;
		c->context = context;
		c->timeout_ms = timeout_ms;
	}
	return ask(r, c, method, params);
}

uint64_t rpc_next(const struct rpc *r)
{
	return r->next;
}

void rpc_cancel(struct rpc *r, uint64_t call)
{
	struct call *c = r->calls;

	while (c && c->number != call)
		c = c->next;
	if (!c || call == 0)
		return;
	c->cancelled = true;
	if (r->depth > 0)
		return; /* on_leave() takes it away */
	unlink_call(c);
	call_free(c);
	set_work_timer(r);
}
