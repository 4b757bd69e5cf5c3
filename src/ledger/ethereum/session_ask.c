/* SPDX-License-Identifier: Apache-2.0 */
/* Questions of a session: several at once, each with its answer or its why. */
#include "ledger/ethereum/session_state.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hex.h"
#include "ledger/ethereum/abi.h"

#define LIMITED_TRIES  5
#define LIMITED_MIN_MS 250
#define LIMITED_MAX_MS 2000

int session_fail(
	struct session_failure *why, enum session_fault fault, const char *fmt, ...)
{
	char text[sizeof why->error.text];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	why->fault = fault;
	return error_set(&why->error, "%s", text);
}

/* --- bytes as JSON has them --- */

json_t *hex_json(struct view bytes)
{
	char *text = malloc(2 * bytes.n + 3);
	json_t *out = NULL;

	if (text) {
		text[0] = '0';
		text[1] = 'x';
		hex_encode(text + 2, bytes.p, bytes.n);
		out = json_stringn_nocheck(text, 2 * bytes.n + 2);
	}
	free(text);
	return out;
}

int hex_bytes(struct buffer *out, const json_t *value)
{
	size_t n = json_string_length(value);
	uint8_t *bytes;
	int rc = -1;

	if (!json_is_string(value) || n < 2 || n % 2 ||
		memcmp(json_string_value(value), "0x", 2))
		return -1;
	bytes = malloc(n / 2);
	if (bytes && !hex_decode(bytes, n / 2 - 1, view_of(json_string_value(value), n)))
		rc = buffer_put(out, bytes, n / 2 - 1);
	free(bytes);
	return rc;
}

json_t *session_call_object(
	const struct session *s, struct view data, bool creates, const uint8_t *from)
{
	char text[2 * ADDRESS20 + 3];
	json_t *out = json_object();

	if (!creates)
		json_object_set_new(out, "to",
			json_string(fixed_print(text, s->settings.contract, ADDRESS20)));
	if (from)
		json_object_set_new(
			out, "from", json_string(fixed_print(text, from, ADDRESS20)));
	json_object_set_new(out, "data", hex_json(data));
	return out;
}

/* --- what a reply means --- */

/* Which fault a silence is: rpc.h knows one outcome, connection.c the words. */
static enum session_fault silence(const struct rpc_reply *reply, const struct rpc *rpc)
{
	struct view text = view_str(reply->error.text);

	/* Behind the name, which the operator chose. */
	text = view_from(text, strlen(rpc_endpoint(rpc)->name));
	if (view_find_str(text, "its certificate ") < text.n ||
		view_find_str(text, "the authorities' file ") < text.n)
		return SESSION_CERTIFICATE;
	if (view_find_str(text, "the proxy ") < text.n ||
		view_find_str(text, "the proxy's ") < text.n)
		return SESSION_PROXY;
	return SESSION_UNREACHABLE;
}

/* An error object: the contract's refusal, if it is one. */
static void refused(struct session_failure *why, const struct rpc_reply *reply)
{
	char text[REFUSAL_TEXT];
	struct error err;

	if (!abi_refusal_decode(&why->refusal, reply->data)) {
		session_fail(
			why, SESSION_REFUSED, "%s", refusal_print(text, &why->refusal));
		return;
	}
	if (reply->reverted && reply->data.n) {
		abi_revert_text(reply->data, &err);
		session_fail(why, SESSION_FAILED, "the contract refused: %s", err.text);
		return;
	}
	session_fail(why, SESSION_FAILED, "%s", reply->error.text);
}

static void failed(
	struct session_failure *why, const struct rpc_reply *reply, const struct rpc *rpc)
{
	switch (reply->outcome) {
	case RPC_REFUSED:
		refused(why, reply);
		break;
	case RPC_UNREACHABLE:
		session_fail(why, silence(reply, rpc), "%s", reply->error.text);
		break;
	case RPC_GARBAGE:
		session_fail(why, SESSION_NOT_RPC,
			"%s; is this the URL of an RPC endpoint, or does a proxy or portal "
			"stand in between?",
			reply->error.text);
		break;
	case RPC_UNAUTHORISED:
		session_fail(why, SESSION_UNAUTHORISED, "%s", reply->error.text);
		break;
	case RPC_RATE_LIMITED:
	case RPC_RESULT:
	default:
		session_fail(why, SESSION_FAILED, "%s", reply->error.text);
		break;
	}
}

/* --- asking --- */

struct asking {
	struct session *session;
	size_t open;
	bool answered; /* at least one */
	bool enough;
};

struct asked {
	struct asking *asking;
	struct question *question;
	struct rpc *rpc;
	uint64_t call;
	uint32_t retry_ms; /* rate limited: when to ask again */
	bool limited;
};

static void on_reply(void *context, const struct rpc_reply *reply)
{
	struct asked *a = context;

	a->call = 0;
	a->asking->open--;
	if (reply->outcome == RPC_RESULT) {
		a->question->answer = json_incref((json_t *)(uintptr_t)reply->result);
		a->asking->answered = true;
		return;
	}
	a->limited = reply->outcome == RPC_RATE_LIMITED;
	a->retry_ms = reply->retry_ms;
	a->question->no_method = reply->no_method;
	failed(&a->question->why, reply, a->rpc);
}

/* Send one; params stay the question's, for another try. */
static void send_one(struct asked *a)
{
	struct question *q = a->question;
	struct session *s = a->asking->session;

	memset(&q->why, 0, sizeof q->why);
	q->no_method = false;
	a->limited = false;
	a->rpc = session_rpc(s, q->endpoint ? q->endpoint - 1 : s->at, &q->why);
	if (!a->rpc)
		return;
	a->call = rpc_call(
		a->rpc, q->method, json_incref(q->params), RPC_TIMEOUT_MS, on_reply, a);
	if (a->call)
		a->asking->open++;
	else
		session_fail(&q->why, SESSION_FAILED, "out of memory");
}

static void on_enough(uv_timer_t *timer)
{
	((struct asking *)timer->data)->enough = true;
}

/* Until all have answered, or enough have. */
static void run(struct asking *g, struct asked *a, size_t n, unsigned enough_ms)
{
	bool timing = false;

	while (g->open && !g->enough) {
		uv_run(&g->session->loop, UV_RUN_ONCE);
		if (!enough_ms || !g->answered || timing)
			continue;
		timing = true;
		g->session->timer.data = g;
		uv_timer_start(&g->session->timer, on_enough, enough_ms, 0);
	}
	uv_timer_stop(&g->session->timer);
	for (size_t i = 0; i < n; i++) {
		if (!a[i].call)
			continue;
		rpc_cancel(a[i].rpc, a[i].call);
		session_fail(&a[i].question->why, SESSION_UNREACHABLE,
			"%s: no answer yet", rpc_endpoint(a[i].rpc)->name);
	}
}

void session_ask_some(struct session *s, struct question *q, size_t n, unsigned enough_ms)
{
	struct asking g = {.session = s};
	struct asked *a = calloc(n ? n : 1, sizeof *a);

	for (size_t i = 0; i < n; i++) {
		q[i].answer = NULL;
		if (!a) {
			session_fail(&q[i].why, SESSION_FAILED, "out of memory");
			continue;
		}
		a[i] = (struct asked){.asking = &g, .question = &q[i]};
		if (q[i].method)
			send_one(&a[i]);
	}
	if (a)
		run(&g, a, n, enough_ms);
	for (unsigned tries = 1; a && tries < LIMITED_TRIES && !g.enough; tries++) {
		uint32_t wait = 0;

		for (size_t i = 0; i < n; i++)
			if (a[i].limited && a[i].retry_ms + LIMITED_MIN_MS > wait)
				wait = a[i].retry_ms + LIMITED_MIN_MS;
		if (!wait || wait > LIMITED_MAX_MS)
			break;
		session_sleep(s, wait);
		for (size_t i = 0; i < n; i++)
			if (a[i].limited)
				send_one(&a[i]);
		run(&g, a, n, enough_ms);
	}
	free(a);
	for (size_t i = 0; i < n; i++) {
		json_decref(q[i].params);
		q[i].params = NULL;
	}
}

void session_ask(struct session *s, struct question *q, size_t n)
{
	session_ask_some(s, q, n, 0);
}

void questions_free(struct question *q, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		json_decref(q[i].answer);
		q[i].answer = NULL;
	}
}

json_t *session_call(struct session *s, const char *method, json_t *params,
	struct session_failure *why)
{
	struct question q = {.method = method, .params = params};

	session_ask(s, &q, 1);
	if (!q.answer)
		*why = q.why;
	return q.answer;
}

/* --- views --- */

#define VIEWS_MAX 16

void view_ask(struct session *s, const char *block, const struct session_view *view,
	struct question *q)
{
	struct view data = view_of(view->call.p, view->call.n);

	q->method = "eth_call";
	q->params = json_pack("[o, s]", session_call_object(s, data, false, NULL),
		block ? block : "latest");
}

int view_take(struct session *s, struct session_view *view, const struct question *q,
	struct session_failure *why)
{
	if (!q->answer) {
		*why = q->why;
		return -1;
	}
	view->result.n = 0;
	if (!hex_bytes(&view->result, q->answer))
		return 0;
	return session_fail(why, SESSION_LIED,
		"%s: the result of a view is no hex string", session_endpoint(s));
}

int session_views(struct session *s, const char *block, struct session_view *views,
	size_t n, struct session_failure *why)
{
	struct question q[VIEWS_MAX];
	int rc = 0;

	memset(q, 0, sizeof q);
	for (size_t i = 0; i < n; i++)
		if (n > VIEWS_MAX || views[i].call.failed)
			return session_fail(why, SESSION_FAILED, "out of memory");
	for (size_t i = 0; i < n; i++)
		view_ask(s, block, &views[i], &q[i]);
	session_ask(s, q, n);
	for (size_t i = 0; i < n && !rc; i++)
		rc = view_take(s, &views[i], &q[i], why);
	questions_free(q, n);
	return rc;
}

void views_free(struct session_view *views, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		buffer_free(&views[i].call);
		buffer_free(&views[i].result);
	}
}
