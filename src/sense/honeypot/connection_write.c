/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "sense/honeypot/socket_state.h"
#include "sense/honeypot/websocket.h"

#define OUT_MAX (128u << 10) /* unsent bytes of one peer, who then does not read */

/* --- buffers, counted --- */

int connection_keep(struct connection *k, struct bytes *b, struct view more)
{
	struct honeypot_sockets *s = k->sockets;
	size_t need = b->n + more.n, capacity = b->capacity ? b->capacity : 1024;
	uint8_t *p;

	if (!more.n)
		return 0;
	while (capacity < need)
		capacity *= 2;
	if (capacity != b->capacity) {
		if (s->figures.buffered + capacity - b->capacity > s->config.buffers_max)
			return -1;
		p = realloc(b->p, capacity);
		if (!p)
			return -1;
		s->figures.buffered += capacity - b->capacity;
		b->p = p;
		b->capacity = (uint32_t)capacity;
	}
	memcpy(b->p + b->n, more.p, more.n);
	b->n = (uint32_t)need;
	return 0;
}

void connection_drop(struct connection *k, struct bytes *b, size_t n)
{
	b->n -= (uint32_t)n;
	if (b->n) {
		memmove(b->p, b->p + n, b->n);
		return;
	}
	k->sockets->figures.buffered -= b->capacity;
	free(b->p);
	*b = (struct bytes){NULL, 0, 0};
}

/* --- writing --- */

static ssize_t write_some(struct connection *k, struct view bytes)
{
	if (k->tls)
		return tls_write(k->tls, bytes.p, bytes.n);
	return send(k->fd, bytes.p, bytes.n, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* How much of it went out; what is left must wait. */
static size_t write_now(struct connection *k, struct view bytes)
{
	size_t sent = 0;

	while (sent < bytes.n) {
		ssize_t n = write_some(k, view_from(bytes, sent));

		if (n > 0) {
			sent += (size_t)n;
		} else if (n < 0 && errno == EINTR) {
			continue;
		} else {
			if (n == 0 || errno != EAGAIN)
				k->failed = true;
			break;
		}
	}
	return sent;
}

/*
 * A failed one is ended by its next event: whoever sends is in the middle of
 * something, perhaps of this connection's own message.
 */
static void fail(struct connection *k)
{
	if (!k->failed)
		k->sockets->figures.send_failed++;
	k->failed = true;
	(void)shutdown(k->fd, SHUT_RDWR);
}

void connection_put(struct connection *k, struct view bytes)
{
	size_t sent;

	if (k->failed || uv_is_closing((uv_handle_t *)&k->poll))
		return;
	sent = k->out.n ? 0 : write_now(k, bytes);
	if (k->failed) {
		k->sockets->figures.send_failed++;
		(void)shutdown(k->fd, SHUT_RDWR);
		return;
	}
	if (sent == bytes.n)
		return;
	if (k->out.n + bytes.n - sent > OUT_MAX ||
		connection_keep(k, &k->out, view_from(bytes, sent)))
		fail(k);
}

void connection_frame(struct connection *k, uint8_t opcode, struct view payload)
{
	uint8_t head[WEBSOCKET_FRAME_HEAD];
	size_t n = websocket_frame_head(head, opcode, payload.n);

	connection_put(k, view_of(head, n));
	connection_put(k, payload);
}

static void on_event(uv_poll_t *poll, int status, int events);

static int watch(struct connection *k, unsigned events)
{
	if (events == k->watched)
		return 0;
	k->watched = (uint8_t)events;
	return uv_poll_start(&k->poll, (int)events, on_event);
}

void connection_send(struct connection *k, struct view message)
{
	bool websocket = k->transport == TRANSPORT_WS || k->transport == TRANSPORT_WSS;

	if (websocket && !k->upgraded)
		return;
	if (websocket)
		connection_frame(
			k, k->binary ? WEBSOCKET_BINARY : WEBSOCKET_TEXT, message);
	else
		connection_put(k, message);
	if (k->failed)
		return;
	k->sockets->figures.sent++;
	/* Sent from a timer, it has to be watched for room. */
	if (k->out.n && watch(k, k->watched | UV_WRITABLE))
		fail(k);
}

void connection_writable(struct connection *k)
{
	if (k->out.n) {
		size_t sent = write_now(k, view_of(k->out.p, k->out.n));

		if (sent)
			connection_drop(k, &k->out, sent);
	}
	if (k->failed || (k->ending && !k->out.n))
		connection_end(k);
}

static void on_event(uv_poll_t *poll, int status, int events)
{
	struct connection *k = poll->data;

	if (status < 0) {
		connection_end(k);
		return;
	}
	if (events & UV_WRITABLE)
		connection_writable(k);
	/* A TLS handshake may go on by either. */
	if (!uv_is_closing((uv_handle_t *)&k->poll) &&
		((events & UV_READABLE) || (k->tls && !tls_is_open(k->tls))))
		connection_readable(k);
	if (!uv_is_closing((uv_handle_t *)&k->poll))
		connection_settle(k);
}

static bool in_handshake(const struct connection *k)
{
	if (k->tls && !tls_is_open(k->tls))
		return true;
	return (k->transport == TRANSPORT_WS || k->transport == TRANSPORT_WSS) &&
		!k->upgraded;
}

void connection_settle(struct connection *k)
{
	enum connection_list list = LIST_IDLE;
	unsigned events = UV_READABLE;

	if (k->out.n || (k->tls && tls_wants_write(k->tls)))
		events |= UV_WRITABLE;
	if (k->ending && k->out.n)
		events = UV_WRITABLE;
	if (in_handshake(k))
		list = LIST_HANDSHAKE;
	else if (k->in.n || k->out.n || k->fragments.n)
		list = LIST_BUSY;
	if (list != k->list)
		connection_move(k, list);
	if (watch(k, events))
		connection_end(k);
}
