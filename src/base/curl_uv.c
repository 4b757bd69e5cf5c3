/* SPDX-License-Identifier: Apache-2.0 */
#include "base/curl_uv.h"

#include <stdlib.h>

struct watch {
	uv_poll_t poll;
	struct curl_uv *owner;
	curl_socket_t socket;
};

static void handle_closed(struct curl_uv *c)
{
	if (--c->handles == 0)
		c->callbacks.closed(c->callbacks.context);
}

static void act(struct curl_uv *c, curl_socket_t socket, int events)
{
	const struct curl_uv_callbacks *on = &c->callbacks;
	int running, left;
	CURLMsg *m;

	on->enter(on->context);
	c->inside = true;
	curl_multi_socket_action(c->multi, socket, events, &running);
	c->inside = false;
	while ((m = curl_multi_info_read(c->multi, &left)))
		if (m->msg == CURLMSG_DONE)
			on->ended(on->context, m->easy_handle, m->data.result);
	on->leave(on->context);
}

static void on_socket(uv_poll_t *poll, int status, int events)
{
	struct watch *w = poll->data;
	int action = status < 0 ? CURL_CSELECT_ERR : 0;

	if (events & UV_READABLE)
		action |= CURL_CSELECT_IN;
	if (events & UV_WRITABLE)
		action |= CURL_CSELECT_OUT;
	act(w->owner, w->socket, action);
}

static void on_timer(uv_timer_t *timer)
{
	act(timer->data, CURL_SOCKET_TIMEOUT, 0);
}

static void on_watch_closed(uv_handle_t *handle)
{
	struct watch *w = handle->data;
	struct curl_uv *owner = w->owner;

	free(w);
	handle_closed(owner);
}

static void on_timer_closed(uv_handle_t *handle)
{
	handle_closed(handle->data);
}

static struct watch *watch_new(struct curl_uv *c, curl_socket_t socket)
{
	struct watch *w = calloc(1, sizeof *w);

	if (!w || uv_poll_init_socket(c->loop, &w->poll, socket)) {
		free(w);
		return NULL;
	}
	w->owner = c;
	w->socket = socket;
	w->poll.data = w;
	c->handles++;
	return w;
}

/* CURLMOPT_SOCKETFUNCTION */
static int watch_socket(
	CURL *easy, curl_socket_t socket, int what, void *context, void *of_socket)
{
	struct curl_uv *c = context;
	struct watch *w = of_socket;
	int events = 0;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		/* Stops watching at once: the number may be another socket soon. */
		if (w)
			uv_close((uv_handle_t *)&w->poll, on_watch_closed);
		curl_multi_assign(c->multi, socket, NULL);
		return 0;
	}
	if (!w)
		w = watch_new(c, socket);
	if (!w)
		return -1;
	curl_multi_assign(c->multi, socket, w);
	if (what & CURL_POLL_IN)
		events |= UV_READABLE;
	if (what & CURL_POLL_OUT)
		events |= UV_WRITABLE;
	return uv_poll_start(&w->poll, events, on_socket) ? -1 : 0;
}

/* CURLMOPT_TIMERFUNCTION */
static int set_timer(CURLM *multi, long ms, void *context)
{
	struct curl_uv *c = context;

	(void)multi;
	if (ms < 0)
		return uv_timer_stop(&c->timer);
	/* 0 is "now", but not from here: libcurl may not be entered twice. */
	return uv_timer_start(&c->timer, on_timer, (uint64_t)ms, 0);
}

int curl_uv_open(struct curl_uv *c, uv_loop_t *loop,
	const struct curl_uv_callbacks *callbacks, struct error *err)
{
	*c = (struct curl_uv){.loop = loop, .callbacks = *callbacks, .handles = 1};
	c->multi = curl_multi_init();
	if (!c->multi)
		return error_set(err, "out of memory");
	curl_multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
	curl_multi_setopt(c->multi, CURLMOPT_SOCKETDATA, c);
	curl_multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, set_timer);
	curl_multi_setopt(c->multi, CURLMOPT_TIMERDATA, c);
	uv_timer_init(loop, &c->timer);
	c->timer.data = c;
	return 0;
}

void curl_uv_close(struct curl_uv *c)
{
	/* Ends the connections, which removes their watches. */
	curl_multi_cleanup(c->multi);
	c->multi = NULL;
	uv_close((uv_handle_t *)&c->timer, on_timer_closed);
}
