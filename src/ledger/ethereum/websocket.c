/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/ethereum/websocket_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/http_client.h"
#include "base/url.h"
#include "ledger/ethereum/connection.h"

/* What one turn of the loop reads, so that a flood does not hold up the rest. */
#define BUDGET (1u << 20)

/* --- ending --- */

void websocket_end(struct websocket *w, const char *text)
{
	struct error why;

	if (w->stage == ENDED || w->closing)
		return;
	w->stage = ENDED;
	uv_timer_stop(&w->timer);
	uv_idle_stop(&w->idle);
	if (w->has_poll)
		uv_poll_stop(&w->poll);
	error_set(&why, "%s: %s", w->endpoint->name, text);
	w->callbacks.closed(w->callbacks.context, why.text);
}

static void part_closed(struct websocket *w)
{
	if (--w->parts > 0)
		return;
	buffer_free(&w->in);
	free(w);
}

static void on_curl_closed(void *context)
{
	part_closed(context);
}

static void on_handle_closed(uv_handle_t *handle)
{
	part_closed(handle->data);
}

/* The request holds credentials. */
static void wipe_request(struct websocket *w)
{
	if (w->out.p)
		explicit_bzero(w->out.p, w->out.capacity);
	buffer_free(&w->out);
}

static void tear_down(struct websocket *w)
{
	/* Our watch before the socket: its number may soon be another's. */
	if (w->has_poll)
		uv_close((uv_handle_t *)&w->poll, on_handle_closed);
	uv_close((uv_handle_t *)&w->timer, on_handle_closed);
	uv_close((uv_handle_t *)&w->idle, on_handle_closed);
	if (w->frames)
		wslay_event_context_free(w->frames);
	wipe_request(w);
	if (w->easy) {
		curl_multi_remove_handle(w->curl.multi, w->easy);
		curl_easy_cleanup(w->easy);
	}
	curl_uv_close(&w->curl);
}

static void enter(void *context)
{
	struct websocket *w = context;

	w->depth++;
}

static void leave(void *context)
{
	struct websocket *w = context;

	w->depth--;
	if (w->depth == 0 && w->closing)
		tear_down(w);
}

void websocket_close(struct websocket *w)
{
	if (!w || w->closing)
		return;
	w->closing = true;
	/* Inside a callback wslay may be at work: then there is no goodbye. */
	if (w->depth > 0)
		return;
	if (w->stage == OPEN)
		websocket_frames_goodbye(w);
	tear_down(w);
}

/* --- bytes --- */

static ssize_t failed(struct websocket *w, CURLcode code)
{
	error_set(&w->why, "%s",
		code == CURLE_OK ? "it closed the connection" :
				   "the connection broke off");
	return -1;
}

ssize_t websocket_read(struct websocket *w, uint8_t *dst, size_t n)
{
	CURLcode code;
	size_t got = 0;

	if (w->in.n > 0) {
		got = n < w->in.n ? n : w->in.n;
		memcpy(dst, w->in.p, got);
		buffer_consume(&w->in, got);
		return (ssize_t)got;
	}
	if (w->budget == 0) {
		w->more = true;
		return 0;
	}
	code = curl_easy_recv(w->easy, dst, n < w->budget ? n : w->budget, &got);
	if (code == CURLE_AGAIN)
		return 0;
	if (code != CURLE_OK || got == 0)
		return failed(w, code);
	w->budget -= got;
	w->last_received = uv_hrtime();
	return (ssize_t)got;
}

ssize_t websocket_write(struct websocket *w, const uint8_t *src, size_t n)
{
	size_t sent = 0;
	CURLcode code = curl_easy_send(w->easy, src, n, &sent);

	if (code == CURLE_AGAIN)
		return 0;
	return code == CURLE_OK ? (ssize_t)sent : failed(w, CURLE_SEND_ERROR);
}

/* --- the handshake --- */

static void on_ping_timer(uv_timer_t *timer);

static void opened(struct websocket *w, size_t head)
{
	buffer_consume(&w->in, head);
	w->stage = OPEN;
	if (websocket_frames_open(w)) {
		websocket_end(w, "out of memory");
		return;
	}
	uv_timer_start(&w->timer, on_ping_timer, w->ping_ms, w->ping_ms);
	w->callbacks.opened(w->callbacks.context);
}

/* The rest of the request out, the reply's head in. */
static void step_upgrade(struct websocket *w)
{
	uint8_t bytes[4096];
	struct error why;
	ssize_t n;
	int head;

	while (w->out.n > 0) {
		n = websocket_write(w, w->out.p, w->out.n);
		if (n < 0)
			goto fail;
		if (n == 0)
			break;
		buffer_consume(&w->out, (size_t)n);
	}
	if (w->out.n == 0)
		wipe_request(w);
	for (;;) {
		/* Not websocket_read(): it would give back what is gathered here. */
		size_t got = 0;
		CURLcode code = curl_easy_recv(w->easy, bytes, sizeof bytes, &got);

		if (code == CURLE_AGAIN)
			return;
		if (code != CURLE_OK || got == 0) {
			failed(w, code);
			goto fail;
		}
		w->last_received = uv_hrtime();
		if (buffer_put(&w->in, bytes, got)) {
			error_set(&w->why, "out of memory");
			goto fail;
		}
		head = handshake_judge(
			view_of(w->in.p, w->in.n), w->accept, w->endpoint, &why);
		if (head < 0) {
			/* It names the endpoint already, as websocket_end() does. */
			websocket_end(w, why.text + strlen(w->endpoint->name) + 2);
			return;
		}
		if (head > 0) {
			opened(w, (size_t)head);
			return;
		}
	}
fail:
	websocket_end(w, w->why.text);
}

/* --- the loop's callbacks --- */

static void on_poll(uv_poll_t *poll, int status, int events);

/* Watch for what there is to do. */
static void watch(struct websocket *w)
{
	int events = UV_READABLE;

	if (w->closing || !w->has_poll || w->stage == ENDED)
		return;
	if (w->out.n > 0 || (w->stage == OPEN && wslay_event_want_write(w->frames)))
		events |= UV_WRITABLE;
	uv_poll_start(&w->poll, events, on_poll);
}

static void on_idle(uv_idle_t *idle);

static void step(struct websocket *w)
{
	w->budget = BUDGET;
	w->more = false;
	if (w->stage == UPGRADING)
		step_upgrade(w);
	if (w->stage == OPEN && !w->closing)
		websocket_frames_step(w);
	if (w->closing || w->stage == ENDED)
		return;
	/* What TLS has decrypted already no longer shows on the socket. */
	if (w->more)
		uv_idle_start(&w->idle, on_idle);
	else
		uv_idle_stop(&w->idle);
	watch(w);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct websocket *w = poll->data;

	/* An error shows at the next read, with its reason. */
	(void)status;
	(void)events;
	enter(w);
	step(w);
	leave(w);
}

static void on_idle(uv_idle_t *idle)
{
	struct websocket *w = idle->data;

	enter(w);
	step(w);
	leave(w);
}

static void on_connect_timer(uv_timer_t *timer)
{
	struct websocket *w = timer->data;
	char text[80];

	enter(w);
	snprintf(text, sizeof text, "no answer within %d ms", WEBSOCKET_CONNECT_MS);
	websocket_end(w, text);
	leave(w);
}

static uint64_t silent_ms(const struct websocket *w)
{
	return (uv_hrtime() - w->last_received) / 1000000;
}

static void on_ping_timer(uv_timer_t *timer)
{
	struct websocket *w = timer->data;
	char text[80];

	enter(w);
	/* If the loop was held up, the peer's bytes may lie there unread. */
	if (silent_ms(w) >= 2 * (uint64_t)w->ping_ms)
		step(w);
	if (w->stage == OPEN && !w->closing) {
		if (silent_ms(w) >= 2 * (uint64_t)w->ping_ms) {
			snprintf(text, sizeof text, "silent for %u ms", 2 * w->ping_ms);
			websocket_end(w, text);
		} else if (websocket_frames_put(w, WSLAY_PING, (struct view){NULL, 0})) {
			websocket_end(w, "it does not read what we send");
		} else {
			watch(w);
		}
	}
	leave(w);
}

/* --- connecting --- */

static int begin_upgrade(struct websocket *w)
{
	char key[HANDSHAKE_KEY];
	uint8_t nonce[16];
	curl_socket_t socket;

	if (getrandom(nonce, sizeof nonce, 0) != sizeof nonce)
		return -1;
	handshake_key(key, nonce);
	if (handshake_accept(w->accept, key) ||
		handshake_request(
			&w->out, w->endpoint, w->url, key, clock_wall() / USEC_PER_SEC) ||
		curl_easy_getinfo(w->easy, CURLINFO_ACTIVESOCKET, &socket) ||
		socket == CURL_SOCKET_BAD ||
		uv_poll_init_socket(w->curl.loop, &w->poll, socket))
		return -1;
	w->poll.data = w;
	w->has_poll = true;
	w->parts++;
	w->stage = UPGRADING;
	watch(w);
	return 0;
}

static void on_connected(void *context, CURL *easy, CURLcode code)
{
	struct websocket *w = context;
	struct error why;

	if (w->closing || w->stage != CONNECTING)
		return;
	if (code != CURLE_OK) {
		connection_failure(&why, w->endpoint, easy, code, w->detail);
		websocket_end(w, why.text + strlen(w->endpoint->name) + 2);
	} else if (begin_upgrade(w)) {
		websocket_end(w, "no memory or no randomness for the upgrade");
	}
}

/* An own easy handle that only connects. Returns 0, or -1 with a text. */
static int start_connecting(struct websocket *w, struct error *err)
{
	w->easy = curl_easy_init();
	if (!w->easy)
		return error_set(err, "out of memory");
	if (connection_options(w->easy, w->endpoint, w->url, err))
		goto fail;
	curl_easy_setopt(w->easy, CURLOPT_ERRORBUFFER, w->detail);
	curl_easy_setopt(w->easy, CURLOPT_CONNECT_ONLY, 1L);
	curl_easy_setopt(w->easy, CURLOPT_HTTPPROXYTUNNEL, 1L);
	/* The upgrade is HTTP/1.1's: no other is offered in TLS's ALPN. */
	curl_easy_setopt(w->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	if (curl_multi_add_handle(w->curl.multi, w->easy) == CURLM_OK)
		return 0;
	error_set(err, "out of memory");
fail:
	curl_easy_cleanup(w->easy);
	w->easy = NULL;
	return -1;
}

static int check_url(const struct endpoint *e, const char *url, struct error *err)
{
	struct url_parts parts;
	struct view v = view_str(url);

	if (v.n >= ENDPOINT_URL_MAX || url_split(&parts, v) || parts.user.p ||
		(!view_eq(parts.scheme, view_str("ws")) &&
			!view_eq(parts.scheme, view_str("wss"))))
		return error_set(err, "%s: not a ws:// or wss:// URL", e->name);
	for (size_t i = 0; i < v.n; i++)
		if (v.p[i] <= ' ' || v.p[i] >= 0x7f || v.p[i] == '#')
			return error_set(err, "%s: not a ws:// or wss:// URL", e->name);
	return 0;
}

struct websocket *websocket_open(uv_loop_t *loop, const struct endpoint *endpoint,
	const char *url, const struct websocket_callbacks *callbacks, struct error *err)
{
	struct curl_uv_callbacks on = {.enter = enter,
		.ended = on_connected,
		.leave = leave,
		.closed = on_curl_closed};
	struct websocket *w;

	if (check_url(endpoint, url, err) || http_client_init(err))
		return NULL;
	w = calloc(1, sizeof *w);
	if (!w) {
		error_set(err, "out of memory");
		return NULL;
	}
	w->endpoint = endpoint;
	w->callbacks = *callbacks;
	w->ping_ms = WEBSOCKET_PING_MS;
	view_copy(w->url, sizeof w->url, view_str(url));
	on.context = w;
	if (curl_uv_open(&w->curl, loop, &on, err)) {
		free(w);
		return NULL;
	}
	uv_timer_init(loop, &w->timer);
	uv_idle_init(loop, &w->idle);
	w->timer.data = w->idle.data = w;
	w->parts = 3;
	if (start_connecting(w, err)) {
		w->closing = true;
		tear_down(w);
		return NULL;
	}
	uv_update_time(loop); /* it counts from there */
	uv_timer_start(&w->timer, on_connect_timer, WEBSOCKET_CONNECT_MS, 0);
	return w;
}

void websocket_ping_every(struct websocket *w, unsigned ms)
{
	w->ping_ms = ms;
}

int websocket_send(struct websocket *w, struct view text)
{
	if (w->stage != OPEN || w->closing ||
		websocket_frames_put(w, WSLAY_TEXT_FRAME, text))
		return -1;
	watch(w);
	return 0;
}
