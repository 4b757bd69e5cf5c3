/* SPDX-License-Identifier: Apache-2.0 */
#include "base/http_client_state.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"

/*
 * When the loop was busy elsewhere past a deadline, the reply may lie in the
 * socket unread, and timers run before sockets: one more round for it.
 */
#define LATE_MS 50

uint64_t http_now(void)
{
	return clock_monotonic() / 1000 + 1;
}

/* --- the list of calls --- */

static void unlink_call(struct http_call *c)
{
	struct http_call **at = &c->client->calls;

	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
}

/* Not inside libcurl. */
static void call_free(struct http_call *c)
{
	http_transfer_stop(c);
	buffer_free(&c->body);
	free(c->request.body);
	free(c);
}

static void tell(struct http_call *c, const struct http_answer *answer)
{
	c->told = true;
	c->request.ended(c->request.context, answer);
}

static void tell_cancelled(struct http_call *c)
{
	tell(c, &(struct http_answer){.end = HTTP_CANCELLED, .text = ""});
}

/* Take the call out, tell its owner, free it. The owner may do anything. */
static void deliver(struct http_call *c, struct http_answer *answer)
{
	answer->received = c->received;
	answer->body = view_of(c->body.p, c->body.n);
	unlink_call(c);
	http_transfer_stop(c);
	tell(c, answer);
	call_free(c);
}

/* --- what has ended --- */

/* libcurl has ended the call: judge it and tell its owner. */
static void on_ended(void *context, CURL *easy, CURLcode code)
{
	struct http_answer answer = {.end = HTTP_ANSWERED, .text = ""};
	struct http_client *h = context;
	struct http_call *c = NULL;
	char text[400];

	if (h->closing)
		return;
	curl_easy_getinfo(easy, CURLINFO_PRIVATE, &c);
	http_transfer_head(c, &answer);
	if (c->told) {
		unlink_call(c);
		call_free(c);
		return;
	}
	if (c->stopped) {
		answer.end = HTTP_STOPPED;
	} else if (c->too_large) {
		answer.end = HTTP_TOO_LARGE;
	} else if (code != CURLE_OK) {
		answer.end = http_is_garbage(code) ? HTTP_GARBAGE : HTTP_FAILED;
		answer.text = text;
		answer.own_words = !http_failure(
			text, sizeof text, easy, code, c->request.ca_file);
		if (answer.own_words)
			answer.text = c->detail[0] ? c->detail : curl_easy_strerror(code);
	}
	deliver(c, &answer);
}

/* --- what is to be done --- */

/* The first call that was cancelled, or is overdue; NULL: none. */
static struct http_call *find_due(struct http_client *h)
{
	uint64_t now = http_now();

	for (struct http_call *c = h->calls; c; c = c->next) {
		if (c->told)
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

static void end_due(struct http_client *h)
{
	struct http_call *c;

	while (!h->closing && (c = find_due(h))) {
		if (c->told) {
			unlink_call(c);
			call_free(c);
		} else {
			deliver(c,
				&(struct http_answer){.end = HTTP_TIMEOUT, .text = ""});
		}
	}
}

static void start_waiting(struct http_client *h)
{
	struct http_call *c = h->calls;
	struct error err;

	while (!h->closing && c && h->running < h->parallel) {
		if (c->easy || c->told) {
			c = c->next;
			continue;
		}
		if (c->request.chunk)
			c->deadline = http_now() + c->request.timeout_ms;
		if (!http_transfer_start(c, &err)) {
			c = c->next;
			continue;
		}
		deliver(c, &(struct http_answer){.end = HTTP_UNSENT, .text = err.text});
		c = h->calls; /* the owner may have changed the list */
	}
}

static void on_enter(void *context)
{
	((struct http_client *)context)->depth++;
}

static void on_leave(void *context);

static void on_work(uv_timer_t *timer)
{
	on_enter(timer->data);
	on_leave(timer->data);
}

/* Come back at once when something waits for its turn, else when one is due. */
static void set_work_timer(struct http_client *h)
{
	uint64_t now = http_now(), next = UINT64_MAX;

	for (struct http_call *c = h->calls; c; c = c->next) {
		if (c->told || (!c->easy && h->running < h->parallel))
			next = now;
		else if (c->deadline != 0 && c->deadline < next)
			next = c->deadline;
	}
	if (next == UINT64_MAX) {
		uv_timer_stop(&h->work_timer);
		return;
	}
	/* The loop's idea of now may be old; the timer counts from it. */
	uv_update_time(h->loop);
	uv_timer_start(&h->work_timer, on_work, next > now ? next - now : 0, 0);
}

/* --- opening, closing --- */

static void part_closed(struct http_client *h)
{
	if (--h->open > 0)
		return;
	if (h->closed)
		h->closed(h->closed_context);
	free(h);
}

static void on_curl_closed(void *context)
{
	part_closed(context);
}

static void on_work_closed(uv_handle_t *handle)
{
	part_closed(handle->data);
}

static void tear_down(struct http_client *h)
{
	struct http_call *c;

	while ((c = h->calls)) {
		h->calls = c->next;
		call_free(c);
	}
	curl_uv_close(&h->curl);
	uv_close((uv_handle_t *)&h->work_timer, on_work_closed);
}

/* The outermost callback of the loop ends: do what was put off. */
static void on_leave(void *context)
{
	struct http_client *h = context;

	if (!h->closing) {
		end_due(h);
		start_waiting(h);
	}
	h->depth--;
	if (h->closing)
		tear_down(h);
	else
		set_work_timer(h);
}

struct http_client *http_client_open(
	uv_loop_t *loop, unsigned parallel, struct error *err)
{
	struct curl_uv_callbacks callbacks = {.enter = on_enter,
		.ended = on_ended,
		.leave = on_leave,
		.closed = on_curl_closed};
	struct http_client *h;

	if (http_client_init(err))
		return NULL;
	h = calloc(1, sizeof *h);
	if (!h) {
		error_set(err, "out of memory");
		return NULL;
	}
	h->loop = loop;
	h->parallel = parallel;
	h->next = 1;
	callbacks.context = h;
	if (curl_uv_open(&h->curl, loop, &callbacks, err)) {
		free(h);
		return NULL;
	}
	curl_multi_setopt(h->curl.multi, CURLMOPT_MAXCONNECTS, (long)parallel);
	uv_timer_init(loop, &h->work_timer);
	h->work_timer.data = h;
	h->open = 2;
	return h;
}

void http_client_close(
	struct http_client *h, void (*closed)(void *context), void *context)
{
	if (!h || h->closing)
		return;
	h->closing = true;
	h->closed = closed;
	h->closed_context = context;
	for (struct http_call *c = h->calls; c; c = c->next)
		if (!c->told)
			tell_cancelled(c);
	if (h->depth == 0)
		tear_down(h);
}

/* --- asking --- */

uint64_t http_post(struct http_client *h, const struct http_request *request)
{
	struct http_call **end = &h->calls, *c = NULL;

	if (!h->closing)
		c = calloc(1, sizeof *c);
	if (!c) {
		free(request->body);
		return 0;
	}
	c->client = h;
	c->request = *request;
	c->number = h->next++;
	if (!request->chunk)
		c->deadline = http_now() + request->timeout_ms;
	while (*end)
		end = &(*end)->next;
	*end = c;
	if (h->depth == 0)
		set_work_timer(h);
	return c->number;
}

uint64_t http_client_next(const struct http_client *h)
{
	return h->next;
}

void http_cancel(struct http_client *h, uint64_t number)
{
	struct http_call *c = h->calls;

	while (c && c->number != number)
		c = c->next;
	if (!c || c->told)
		return;
	tell_cancelled(c);
	if (h->depth > 0)
		return; /* on_leave() takes it away */
	unlink_call(c);
	call_free(c);
	set_work_timer(h);
}
