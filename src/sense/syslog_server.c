/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/syslog_server.h"
#include "base/clock.h"
#include "base/log.h"
#include "sense/listen.h"
#include "sense/syslog_frame.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define BACKLOG           16
#define KEEPALIVE_SECONDS 60
#define TURN_DATAGRAMS    256 /* in one turn of the loop */
#define READ_BYTES        16384
#define RECEIVE_BUFFER    (8 << 20)
#define WARN_EVERY        (60 * USEC_PER_SEC)

struct connection {
	struct syslog_server *server;
	struct connection *next, **link; /* link: who points at this one */
	uv_tcp_t tcp;
	struct address peer;
	usec heard;
	uint64_t oversize; /* of frames, already counted */
	struct syslog_frames frames;
};

struct syslog_server {
	uv_loop_t *loop;
	union {
		uv_poll_t poll;
		uv_tcp_t tcp;
	} handle;
	bool udp;
	int fd; /* UDP */
	uint32_t dropped;
	unsigned handles; /* open or closing; the last one frees */
	struct syslog_config config;
	struct connection *connections;
	syslog_entry_fn *entry;
	void *context;
	usec warned;
	struct syslog_figures figures;
	/* For datagrams, one byte more than is taken; for streams, what was read. */
	uint8_t bytes[READ_BYTES];
};

int syslog_open(bool udp, const struct address *local, uint16_t port, struct error *err)
{
	int fd = udp ? listen_udp(local, port, RECEIVE_BUFFER, err) :
		       listen_tcp(local, port, err);

	return fd < 0 ? error_prefix(err, "syslog") : fd;
}

/* Whether a sender may; told from time to time when it may not. */
static bool may_send(struct syslog_server *s, const struct address *sender)
{
	char text[ADDRESS_TEXT];
	usec now;

	if (address_is_loopback(sender))
		return true;
	for (size_t i = 0; i < s->config.from_count; i++)
		if (address_eq(sender, &s->config.from[i]))
			return true;
	s->figures.refused++;
	now = clock_monotonic();
	if (!s->warned || now >= s->warned + WARN_EVERY) {
		s->warned = now;
		log_warning(
			"syslog: %s may not send here; name it by `from` if it should",
			address_print(text, sender));
	}
	return false;
}

static void take_message(struct syslog_server *s, struct view packet, bool real)
{
	struct syslog_message m;

	if (syslog_message_parse(&m, packet)) {
		s->figures.bad++;
		return;
	}
	s->figures.messages++;
	s->entry(s->context, &m.entry, real);
}

static void released(struct syslog_server *s)
{
	if (--s->handles)
		return;
	if (s->fd >= 0)
		close(s->fd);
	free(s);
}

/* --- UDP --- */

static void count_drops(struct syslog_server *s, struct msghdr *m)
{
	for (struct cmsghdr *h = CMSG_FIRSTHDR(m); h; h = CMSG_NXTHDR(m, h)) {
		uint32_t total;

		if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SO_RXQ_OVFL)
			continue;
		memcpy(&total, CMSG_DATA(h), sizeof total);
		s->figures.kernel_dropped += total - s->dropped;
		s->dropped = total;
	}
}

/* One datagram. Returns whether there may be another. */
static bool read_datagram(struct syslog_server *s)
{
	struct sockaddr_storage from;
	char control[CMSG_SPACE(sizeof(uint32_t))];
	struct iovec iov = {s->bytes, SYSLOG_MESSAGE_MAX + 1};
	struct msghdr m = {.msg_name = &from,
		.msg_namelen = sizeof from,
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof control};
	struct address sender = {0};
	uint16_t port;
	ssize_t n = recvmsg(s->fd, &m, MSG_DONTWAIT);

	if (n < 0)
		return errno == EINTR;
	count_drops(s, &m);
	if (address_from_sockaddr(&sender, &port, (struct sockaddr *)&from) ||
		!may_send(s, &sender))
		return true;
	if (n > SYSLOG_MESSAGE_MAX)
		s->figures.oversize++;
	else
		take_message(
			s, view_of(s->bytes, (size_t)n), address_is_loopback(&sender));
	return true;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct syslog_server *s = poll->data;

	if (status < 0) {
		log_error("syslog: UDP socket: %s", uv_strerror(status));
		return;
	}
	if (!(events & UV_READABLE))
		return;
	for (int i = 0; i < TURN_DATAGRAMS && read_datagram(s); i++)
		;
}

/* --- TCP --- */

static void on_connection_closed(uv_handle_t *handle)
{
	struct connection *k = handle->data;
	struct syslog_server *s = k->server;

	free(k);
	released(s);
}

static void end_connection(struct connection *k)
{
	struct syslog_server *s = k->server;

	if (uv_is_closing((uv_handle_t *)&k->tcp))
		return;
	*k->link = k->next;
	if (k->next)
		k->next->link = k->link;
	s->figures.connections--;
	uv_close((uv_handle_t *)&k->tcp, on_connection_closed);
}

/* The connection that was silent longest goes: idle ones keep nobody out. */
static void make_room(struct syslog_server *s)
{
	struct connection *silent = s->connections;

	for (struct connection *k = silent; k; k = k->next)
		if (k->heard < silent->heard)
			silent = k;
	if (!silent)
		return;
	s->figures.ended++;
	end_connection(silent);
}

static void on_frame(void *context, struct view message)
{
	struct connection *k = context;

	k->heard = clock_monotonic();
	take_message(k->server, message, true);
}

static void on_allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct connection *k = handle->data;

	(void)suggested;
	/* One loop, one read at a time: all connections share it. */
	*buf = uv_buf_init((char *)k->server->bytes, sizeof k->server->bytes);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct connection *k = stream->data;
	struct syslog_server *s = k->server;
	char text[ADDRESS_TEXT];
	int rc;

	if (n < 0) {
		end_connection(k);
		return;
	}
	rc = syslog_frames_feed(&k->frames, view_of(buf->base, (size_t)n), on_frame, k);
	s->figures.oversize += k->frames.oversize - k->oversize;
	k->oversize = k->frames.oversize;
	if (!rc)
		return;
	s->figures.bad++;
	s->figures.ended++;
	log_warning("syslog: %s sends no RFC 6587 frames; connection ended",
		address_print(text, &k->peer));
	end_connection(k);
}

static int read_peer(struct connection *k)
{
	struct sockaddr_storage ss;
	int length = sizeof ss;
	uint16_t port;

	if (uv_tcp_getpeername(&k->tcp, (struct sockaddr *)&ss, &length))
		return -1;
	return address_from_sockaddr(&k->peer, &port, (const struct sockaddr *)&ss);
}

static void on_connection(uv_stream_t *listener, int status)
{
	struct syslog_server *s = listener->data;
	struct connection *k;

	if (status < 0)
		return;
	k = calloc(1, sizeof *k);
	if (!k)
		return; /* libuv holds the connection and offers it no more */
	k->server = s;
	k->heard = clock_monotonic();
	if (uv_tcp_init(s->loop, &k->tcp)) {
		free(k);
		return;
	}
	k->tcp.data = k;
	s->handles++;
	s->figures.connections++;
	k->next = s->connections;
	k->link = &s->connections;
	if (k->next)
		k->next->link = &k->next;
	s->connections = k;
	if (uv_accept(listener, (uv_stream_t *)&k->tcp) || read_peer(k) ||
		!may_send(s, &k->peer) ||
		uv_tcp_keepalive(&k->tcp, 1, KEEPALIVE_SECONDS) ||
		uv_read_start((uv_stream_t *)&k->tcp, on_allocate, on_read)) {
		end_connection(k);
		return;
	}
	if (s->figures.connections > SYSLOG_CONNECTIONS_MAX)
		make_room(s);
}

/* --- the server --- */

static int start(struct syslog_server *s, int fd, struct error *err)
{
	int rc;

	if (s->udp) {
		rc = uv_poll_init(s->loop, &s->handle.poll, fd);
		if (rc) {
			close(fd);
			free(s);
			return error_set(err, "syslog: %s", uv_strerror(rc));
		}
		s->fd = fd;
		s->handle.poll.data = s;
		s->handles = 1;
		rc = uv_poll_start(&s->handle.poll, UV_READABLE, on_readable);
	} else {
		rc = uv_tcp_init(s->loop, &s->handle.tcp);
		if (rc) {
			close(fd);
			free(s);
			return error_set(err, "syslog: %s", uv_strerror(rc));
		}
		s->handle.tcp.data = s;
		s->handles = 1;
		rc = uv_tcp_open(&s->handle.tcp, fd);
		if (rc)
			close(fd); /* else the handle owns it */
		else
			rc = uv_listen(
				(uv_stream_t *)&s->handle.tcp, BACKLOG, on_connection);
	}
	if (!rc)
		return 0;
	syslog_server_close(s);
	return error_set(err, "syslog: %s", uv_strerror(rc));
}

struct syslog_server *syslog_server_new(uv_loop_t *loop, int fd, bool udp,
	const struct syslog_config *config, syslog_entry_fn *entry, void *context,
	struct error *err)
{
	struct syslog_server *s = calloc(1, sizeof *s);

	if (!s) {
		close(fd);
		error_set(err, "syslog: out of memory");
		return NULL;
	}
	s->loop = loop;
	s->udp = udp;
	s->fd = -1;
	s->config = *config;
	s->entry = entry;
	s->context = context;
	return start(s, fd, err) ? NULL : s;
}

static void on_closed(uv_handle_t *handle)
{
	released(handle->data);
}

void syslog_server_close(struct syslog_server *s)
{
	if (!s)
		return;
	while (s->connections)
		end_connection(s->connections);
	uv_close((uv_handle_t *)&s->handle, on_closed);
}

void syslog_server_figures(const struct syslog_server *s, struct syslog_figures *out)
{
	*out = s->figures;
}
