/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <unistd.h>

#include "sense/honeypot/socket_state.h"
#include "sense/honeypot/websocket.h"

#define READS 4 /* in one turn of the loop: then others have theirs */

static bool is_websocket(const struct connection *k)
{
	return k->transport == TRANSPORT_WS || k->transport == TRANSPORT_WSS;
}

static void hand_on(struct connection *k, struct view message)
{
	struct honeypot_sockets *s = k->sockets;
	struct honeypot_path path;

	memset(&path, 0, sizeof path);
	path.remote = k->remote;
	path.local = k->local;
	path.remote_port = k->remote_port;
	path.local_port = k->local_port;
	path.transport = k->transport;
	path.connection = k->number;
	s->figures.messages++;
	/* Its place among the idle is that of its last message. */
	connection_move(k, (enum connection_list)k->list);
	s->hooks.receive(s->hooks.context, &path, message, clock_wall());
}

/* It can never become a message; what there is of it is judged all the same. */
static void broken(struct connection *k, struct view bytes)
{
	k->sockets->figures.broken++;
	if (bytes.n)
		hand_on(k, view_head(bytes, STREAM_MESSAGE_MAX));
	k->ending = true;
}

/* All messages of a stream. Returns the bytes taken. */
static size_t take_stream(struct connection *k, struct view bytes)
{
	size_t taken = 0, n;

	while (!k->failed && !k->ending) {
		struct view rest = view_from(bytes, taken);

		switch (stream_next(&k->stream, &n, rest)) {
		case STREAM_MORE:
			return taken;
		case STREAM_MESSAGE:
			hand_on(k, view_head(rest, n));
			break;
		case STREAM_BLANK:
			break;
		case STREAM_KEEPALIVE:
			connection_put(k, view_str("\r\n"));
			connection_move(k, (enum connection_list)k->list);
			break;
		case STREAM_BROKEN:
			broken(k, rest);
			return bytes.n;
		}
		taken += n;
	}
	return bytes.n;
}

/* --- WebSocket --- */

static size_t take_upgrade(struct connection *k, struct view bytes)
{
	struct buffer answer = {.max = 1024};
	struct websocket_upgrade u;
	long n = websocket_upgrade_parse(&u, bytes);

	if (n == 0)
		return 0;
	if (!websocket_upgrade_answer(&answer, &u))
		connection_put(k, view_of(answer.p, answer.n));
	buffer_free(&answer);
	if (n > 0) {
		k->upgraded = true;
		return (size_t)n;
	}
	k->sockets->figures.broken++;
	k->ending = true;
	return bytes.n;
}

/* Close with a code (RFC 6455 7.4.1), or with none: 0. */
static void say_close(struct connection *k, uint16_t code)
{
	uint8_t payload[2];

	be16_store(payload, code);
	connection_frame(k, WEBSOCKET_CLOSE, view_of(payload, code ? sizeof payload : 0));
	k->ending = true;
}

/* A message, or a piece of one. */
static void take_piece(struct connection *k, const struct websocket_frame *f)
{
	struct view piece = view_of(f->payload, f->n);
	bool goes_on = f->opcode == WEBSOCKET_CONTINUATION;

	/* A piece must follow one, and nothing else may; an empty one keeps none. */
	if (goes_on != (k->fragments.capacity != 0)) {
		say_close(k, 1002);
		return;
	}
	if (!goes_on) {
		k->binary = f->opcode == WEBSOCKET_BINARY;
		if (f->last) {
			hand_on(k, piece);
			return;
		}
		/* One byte stands for "begun", also when the first piece is empty. */
		if (connection_keep(k, &k->fragments, view_str("+"))) {
			say_close(k, 1009);
			return;
		}
	}
	if (k->fragments.n - 1 + piece.n > WEBSOCKET_MESSAGE_MAX ||
		connection_keep(k, &k->fragments, piece)) {
		say_close(k, 1009);
		return;
	}
	if (!f->last)
		return;
	hand_on(k, view_of(k->fragments.p + 1, k->fragments.n - 1));
	connection_drop(k, &k->fragments, k->fragments.n);
}

static void take_frame(struct connection *k, const struct websocket_frame *f)
{
	switch ((enum websocket_opcode)f->opcode) {
	case WEBSOCKET_CLOSE:
		say_close(k, f->n >= 2 ? be16_load(f->payload) : 0);
		break;
	case WEBSOCKET_PING:
		connection_frame(k, WEBSOCKET_PONG, view_of(f->payload, f->n));
		connection_move(k, (enum connection_list)k->list);
		break;
	case WEBSOCKET_PONG:
		break;
	case WEBSOCKET_CONTINUATION:
	case WEBSOCKET_TEXT:
	case WEBSOCKET_BINARY:
		take_piece(k, f);
		break;
	}
}

/* All frames. Returns the bytes taken. */
static size_t take_frames(struct connection *k, uint8_t *bytes, size_t n)
{
	size_t taken = 0;

	if (!k->upgraded) {
		taken = take_upgrade(k, view_of(bytes, n));
		if (!k->upgraded)
			return taken;
	}
	while (!k->failed && !k->ending) {
		struct websocket_frame f;
		long length = websocket_frame_take(&f, bytes + taken, n - taken);

		if (length == 0)
			return taken;
		if (length < 0) {
			k->sockets->figures.broken++;
			say_close(k, 1002);
			break;
		}
		take_frame(k, &f);
		taken += (size_t)length;
	}
	return n;
}

/* --- reading --- */

static size_t take(struct connection *k, uint8_t *bytes, size_t n)
{
	return is_websocket(k) ? take_frames(k, bytes, n) :
				 take_stream(k, view_of(bytes, n));
}

/* What one read brought. */
static void take_read(struct connection *k, uint8_t *bytes, size_t n)
{
	size_t taken;

	if (k->in.n) {
		if (connection_keep(k, &k->in, view_of(bytes, n)))
			goto no_room;
		taken = take(k, k->in.p, k->in.n);
		if (taken)
			connection_drop(k, &k->in, taken);
		return;
	}
	taken = take(k, bytes, n);
	if (taken < n && connection_keep(k, &k->in, view_of(bytes + taken, n - taken)))
		goto no_room;
	return;
no_room:
	k->sockets->figures.refused++;
	k->failed = true;
}

/* Returns as read(2). */
static ssize_t read_some(struct connection *k, uint8_t *dst, size_t n)
{
	if (k->tls)
		return tls_read(k->tls, dst, n);
	return recv(k->fd, dst, n, MSG_DONTWAIT);
}

void connection_give_up(struct connection *k)
{
	if (k->in.n && !is_websocket(k) && !k->failed && !k->ending) {
		struct view rest = view_of(k->in.p, k->in.n);

		k->sockets->figures.broken++;
		hand_on(k, view_head(rest, STREAM_MESSAGE_MAX));
	}
	connection_end(k);
}

void connection_readable(struct connection *k)
{
	uint8_t *scratch = k->sockets->scratch;

	for (int i = 0; i < READS || (k->tls && tls_has_more(k->tls)); i++) {
		ssize_t n = read_some(k, scratch, READ_BYTES);

		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EPROTO)
			k->sockets->figures.broken++;
		if (n <= 0) {
			k->failed = k->failed || n < 0;
			connection_give_up(k);
			return;
		}
		take_read(k, scratch, (size_t)n);
		if (k->failed || k->ending)
			break;
	}
	if (k->failed || (k->ending && !k->out.n))
		connection_end(k);
}
