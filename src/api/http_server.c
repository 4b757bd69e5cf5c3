/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets, connections and their time; requests are http_exchange.c's. */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/control.h"
#include "api/http_connection.h"
#include "base/log.h"

#define ACCEPT_AT_ONCE 32
#define RUNS_AT_ONCE   8

void http_become(struct http_connection *c, enum http_state state)
{
	c->state = state;
	c->since = uv_now(c->server->loop);
}

/* --- libmicrohttpd in the loop --- */

static void on_again(uv_timer_t *timer);

/* Let both work as far as they can without waiting. */
static void pump(struct http_server *s)
{
	MHD_UNSIGNED_LONG_LONG wait;
	bool again = false;

	for (size_t i = 0; i < 2; i++) {
		struct MHD_Daemon *d = s->daemons[i].mhd;
		unsigned runs = 0;

		if (!d)
			continue;
		do {
			mhd.run(d);
		} while (mhd.timeout(d, &wait) == MHD_YES && !wait &&
			++runs < RUNS_AT_ONCE);
		again = again || runs == RUNS_AT_ONCE;
	}
	/* What has more to do (pipelined requests) lets others go first. */
	if (again && !s->closing)
		uv_timer_start(&s->again, on_again, 0, 0);
}

static void on_again(uv_timer_t *timer)
{
	pump(timer->data);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
	const struct http_daemon *d = poll->data;

	(void)status;
	(void)events;
	pump(d->server);
}

/* --- connections --- */

/* libmicrohttpd tells of a connection that begins, or has ended. */
static void on_connection(void *context, struct MHD_Connection *connection, void **own,
	enum MHD_ConnectionNotificationCode code)
{
	struct http_server *s = context;
	struct http_connection *c = *own;

	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		c = calloc(1, sizeof *c);
		*own = c;
		if (!c)
			return;
		c->server = s;
		c->mhd = connection;
		c->fd = mhd.connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)
				->connect_fd;
		c->local = s->entering->listener.local;
		c->trusted = s->entering->listener.trusted;
		c->uid = s->entering_uid;
		c->may_change = s->entering_may_change;
		c->next = s->connections;
		if (c->next)
			c->next->previous = c;
		s->connections = c;
		s->figures.connections++;
		http_become(c, HTTP_RECEIVING);
		return;
	}
	*own = NULL;
	if (!c)
		return;
	*(c->previous ? &c->previous->next : &s->connections) = c->next;
	if (c->next)
		c->next->previous = c->previous;
	s->figures.connections--;
	buffer_free(&c->exchange.body);
	free(c);
}

static void shut(struct http_connection *c)
{
	if (c->state == HTTP_SUSPENDED)
		mhd.resume(c->mhd);
	c->state = HTTP_CUT;
	shutdown(c->fd, SHUT_RDWR);
}

/* The connection whose request is awaited longest, or NULL. */
static struct http_connection *oldest(const struct http_server *s)
{
	struct http_connection *found = NULL;

	for (struct http_connection *c = s->connections; c; c = c->next)
		if (c->state == HTTP_RECEIVING && (!found || c->since <= found->since))
			found = c;
	return found;
}

/* Room for one more. Returns whether there is. */
static bool make_room(struct http_server *s)
{
	struct http_connection *c;

	if (s->figures.connections < s->most)
		return true;
	c = oldest(s);
	if (c) {
		s->figures.evicted++;
		shut(c);
		pump(s);
	}
	return s->figures.connections < s->most;
}

static void enter(
	struct http_door *door, int fd, const struct sockaddr *from, socklen_t n)
{
	struct http_server *s = door->server;

	s->entering_uid = (uid_t)-1;
	s->entering_may_change = false;
	if (!make_room(s) ||
		(door->listener.local &&
			control_peer(fd, door->listener.group, &s->entering_uid,
				&s->entering_may_change))) {
		close(fd);
		return;
	}
	s->entering = door;
	/* It closes the descriptor when it cannot take it. */
	mhd.add_connection(s->daemons[door->listener.tls].mhd, fd, from, n);
	s->entering = NULL;
}

static void on_door(uv_poll_t *poll, int status, int events)
{
	struct http_door *door = poll->data;
	struct http_server *s = door->server;

	(void)status;
	(void)events;
	for (unsigned i = 0; i < ACCEPT_AT_ONCE && !s->closing; i++) {
		struct sockaddr_storage from = {0};
		socklen_t n = sizeof from;
		int fd = accept4(door->listener.fd, (struct sockaddr *)&from, &n,
			SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0) {
			if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
				log_warning("http: %s; lower [api] connections",
					strerror(errno));
				door->shut = true; /* it would be ready again at once */
				uv_poll_stop(poll);
			}
			break;
		}
		enter(door, fd, (struct sockaddr *)&from, n);
	}
	pump(s);
}

/* --- time --- */

/* Whether the connection has used up its time. */
static bool late(const struct http_connection *c, uint64_t now)
{
	uint64_t seconds = (now - c->since) / 1000;

	switch (c->state) {
	case HTTP_RECEIVING:
		return seconds >= HTTP_RECEIVE_SECONDS;
	case HTTP_RESPONDING:
		return seconds >= HTTP_RESPOND_SECONDS;
	case HTTP_STREAMING: /* it has not taken what it was given */
		return seconds >= HTTP_RECEIVE_SECONDS;
	case HTTP_SUSPENDED:
	case HTTP_CUT:
		break;
	}
	return false;
}

static void on_due(uv_timer_t *timer)
{
	struct http_server *s = timer->data;
	uint64_t now = uv_now(s->loop);

	for (struct http_door *door = s->doors; door; door = door->next) {
		if (!door->shut)
			continue;
		door->shut = false;
		uv_poll_start(&door->poll, UV_READABLE, on_door);
	}
	for (struct http_connection *c = s->connections; c; c = c->next) {
		if (late(c, now)) {
			s->figures.cut++;
			shut(c);
		} else if (c->state == HTTP_SUSPENDED &&
			now - c->since >= 1000 * HTTP_BEAT_SECONDS) {
			c->beat = true;
			http_become(c, HTTP_STREAMING);
			mhd.resume(c->mhd);
		}
	}
	pump(s);
}

void http_server_wake(struct http_server *s)
{
	bool any = false;

	if (!s || s->closing || !s->figures.streams)
		return;
	for (struct http_connection *c = s->connections; c; c = c->next) {
		if (c->state != HTTP_SUSPENDED)
			continue;
		http_become(c, HTTP_STREAMING);
		mhd.resume(c->mhd);
		any = true;
	}
	if (any)
		uv_timer_start(&s->again, on_again, 0, 0);
}

void http_server_cut_streams(struct http_server *s,
	bool (*ends)(const void *context, const void *stream), const void *context)
{
	bool any = false;

	if (!s || s->closing)
		return;
	for (struct http_connection *c = s->connections; c; c = c->next) {
		if (c->state == HTTP_CUT || !c->stream.read || c->stream.finite ||
			!ends(context, c->stream.context))
			continue;
		shut(c);
		any = true;
	}
	if (any)
		uv_timer_start(&s->again, on_again, 0, 0);
}

void http_server_figures(const struct http_server *s, struct http_figures *out)
{
	memset(out, 0, sizeof *out);
	if (s)
		*out = s->figures;
}

/* --- beginning and end --- */

/* One of libmicrohttpd's; pem: NULL, or the options of TLS. */
static int start(struct http_server *s, struct MHD_OptionItem *pem, struct error *err)
{
	struct http_daemon *d = &s->daemons[pem != NULL];
	struct MHD_OptionItem none = {MHD_OPTION_END, 0, NULL};
	unsigned flags = MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET |
		MHD_ALLOW_SUSPEND_RESUME | (pem ? MHD_USE_TLS : 0);

	d->server = s;
	/* A few more than ours, so that it never turns one away by itself. */
	d->mhd = mhd.start(flags, 0, NULL, NULL, http_on_request, s,
		MHD_OPTION_CONNECTION_LIMIT, s->most + 8,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HTTP_HEAD_MAX,
		MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_URI_LOG_CALLBACK,
		http_on_target, s, MHD_OPTION_NOTIFY_COMPLETED, http_on_completed, s,
		MHD_OPTION_NOTIFY_CONNECTION, on_connection, s, MHD_OPTION_ARRAY,
		pem ? pem : &none, MHD_OPTION_END);
	if (!d->mhd)
		return error_set(err, "http: libmicrohttpd does not start%s",
			pem ? "; are tls_certificate and tls_key PEM files that belong "
			      "together?" :
			      "");
	d->poll.data = d;
	if (uv_poll_init(s->loop, &d->poll,
		    mhd.daemon_info(d->mhd, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd)) {
		mhd.stop(d->mhd);
		d->mhd = NULL;
		return error_set(err, "http: its descriptor cannot be polled");
	}
	s->handles++;
	uv_poll_start(&d->poll, UV_READABLE, on_ready);
	return 0;
}

int http_server_tls(struct http_server *s, const char *certificate, const char *key,
	struct error *err)
{
	struct MHD_OptionItem pem[] = {
		{MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)key},
		{MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)certificate},
		{MHD_OPTION_END, 0, NULL},
	};

	return start(s, pem, err);
}

int http_server_listen(
	struct http_server *s, const struct http_listener *listener, struct error *err)
{
	struct http_door *door = calloc(1, sizeof *door);

	if (!door || !s->daemons[listener->tls].mhd ||
		uv_poll_init(s->loop, &door->poll, listener->fd)) {
		free(door);
		close(listener->fd);
		return error_set(err, "http: a listening socket cannot be polled");
	}
	door->server = s;
	door->listener = *listener;
	door->poll.data = door;
	door->next = s->doors;
	s->doors = door;
	s->handles++;
	uv_poll_start(&door->poll, UV_READABLE, on_door);
	return 0;
}

/* One handle less; after the last the server is gone. */
static void release(struct http_server *s)
{
	if (!--s->handles)
		free(s);
}

static void on_door_closed(uv_handle_t *handle)
{
	struct http_door *door = handle->data;

	release(door->server);
	free(door);
}

static void on_daemon_closed(uv_handle_t *handle)
{
	release(((struct http_daemon *)handle->data)->server);
}

static void on_timer_closed(uv_handle_t *handle)
{
	release(handle->data);
}

void http_server_close(struct http_server *s)
{
	if (!s || s->closing)
		return;
	s->closing = true;
	for (struct http_connection *c = s->connections; c; c = c->next)
		if (c->state == HTTP_SUSPENDED) {
			c->state = HTTP_CUT;
			mhd.resume(c->mhd);
		}
	for (struct http_door *door = s->doors, *next; door; door = next) {
		next = door->next;
		uv_poll_stop(&door->poll);
		uv_close((uv_handle_t *)&door->poll, on_door_closed);
		close(door->listener.fd);
	}
	s->doors = NULL;
	for (size_t i = 0; i < 2; i++) {
		if (!s->daemons[i].mhd)
			continue;
		uv_poll_stop(&s->daemons[i].poll);
		uv_close((uv_handle_t *)&s->daemons[i].poll, on_daemon_closed);
		mhd.stop(s->daemons[i].mhd);
		s->daemons[i].mhd = NULL;
	}
	for (size_t i = 0; i < HTTP_KEPT; i++)
		if (s->kept[i].response)
			mhd.destroy(s->kept[i].response);
	uv_close((uv_handle_t *)&s->due, on_timer_closed);
	uv_close((uv_handle_t *)&s->again, on_timer_closed);
}

struct http_server *http_server_new(uv_loop_t *loop, unsigned connections,
	const struct http_hooks *hooks, struct error *err)
{
	struct http_server *s;

	if (http_library_load(err))
		return NULL;
	s = calloc(1, sizeof *s);
	if (!s) {
		error_set(err, "http: out of memory");
		return NULL;
	}
	s->loop = loop;
	s->hooks = *hooks;
	s->most = connections;
	uv_timer_init(loop, &s->due);
	uv_timer_init(loop, &s->again);
	s->due.data = s->again.data = s;
	s->handles = 2;
	if (start(s, NULL, err)) {
		http_server_close(s);
		return NULL;
	}
	uv_timer_start(&s->due, on_due, 1000, 1000);
	return s;
}
