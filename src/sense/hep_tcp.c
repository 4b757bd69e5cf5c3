/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "sense/hep_collector.h"

#define BACKLOG           16
#define CONNECTION_BUFFER 65536 /* one whole message of the greatest length */
#define KEEPALIVE_SECONDS 60

struct hep_listener {
	struct hep_collector *collector;
	struct hep_listener *next;
	uv_tcp_t tcp;
};

struct hep_connection {
	struct hep_collector *collector;
	struct hep_connection *next, **link; /* link: who points at this one */
	uv_tcp_t tcp;
	struct address agent;
	usec heard; /* last whole message, or the beginning */
	size_t n;
	uint8_t bytes[CONNECTION_BUFFER];
};

static void on_connection_closed(uv_handle_t *handle)
{
	struct hep_connection *k = handle->data;
	struct hep_collector *c = k->collector;

	free(k);
	hep_collector_released(c);
}

/* Off the list at once, freed when libuv lets go. */
static void end_connection(struct hep_connection *k)
{
	struct hep_collector *c = k->collector;

	if (uv_is_closing((uv_handle_t *)&k->tcp))
		return;
	*k->link = k->next;
	if (k->next)
		k->next->link = k->link;
	c->figures.connections--;
	uv_close((uv_handle_t *)&k->tcp, on_connection_closed);
}

/*
 * All places taken: the connection that was silent longest goes, so that
 * whoever opens connections and says nothing keeps nobody out.
 */
static void make_room(struct hep_collector *c)
{
	struct hep_connection *silent = c->connections;

	for (struct hep_connection *k = silent; k; k = k->next)
		if (k->heard < silent->heard)
			silent = k;
	c->figures.connections_refused++;
	if (silent)
		end_connection(silent);
}

static void on_allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct hep_connection *k = handle->data;

	(void)suggested;
	*buf = uv_buf_init((char *)k->bytes + k->n, (unsigned)(sizeof k->bytes - k->n));
}

/* Hand on all whole messages. Returns -1 when this is no HEP3. */
static int take_messages(struct hep_connection *k)
{
	struct view rest = view_of(k->bytes, k->n);
	usec now = clock_wall();
	long total;

	while (rest.n && (total = hep_frame(rest)) != 0) {
		if (total < 0)
			return -1;
		if ((size_t)total > rest.n)
			break;
		k->heard = clock_monotonic();
		hep_collector_message(
			k->collector, view_head(rest, (size_t)total), &k->agent, now);
		rest = view_from(rest, (size_t)total);
	}
	if (rest.n)
		memmove(k->bytes, rest.p, rest.n);
	k->n = rest.n;
	return 0;
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct hep_connection *k = stream->data;
	char text[ADDRESS_TEXT];

	(void)buf;
	if (n < 0) {
		end_connection(k);
		return;
	}
	k->n += (size_t)n;
	if (!take_messages(k))
		return;
	/* Nothing tells where the next message of a broken stream begins. */
	k->collector->figures.received++;
	k->collector->figures.bad++;
	log_warning("HEP: %s does not speak HEP3 over TCP; connection ended",
		address_print(text, &k->agent));
	end_connection(k);
}

static int read_peer(struct hep_connection *k)
{
	struct sockaddr_storage ss;
	int length = sizeof ss;
	uint16_t port;

	if (uv_tcp_getpeername(&k->tcp, (struct sockaddr *)&ss, &length))
		return -1;
	return address_from_sockaddr(&k->agent, &port, (const struct sockaddr *)&ss);
}

static void on_connection(uv_stream_t *server, int status)
{
	struct hep_listener *l = server->data;
	struct hep_collector *c = l->collector;
	struct hep_connection *k;

	if (status < 0)
		return;
	if (c->figures.connections && c->figures.connections >= c->connections_max)
		make_room(c);
	k = malloc(sizeof *k);
	if (!k)
		return; /* libuv holds the connection and offers it no more */
	k->collector = c;
	k->n = 0;
	k->heard = clock_monotonic();
	k->agent = (struct address){0};
	if (uv_tcp_init(c->loop, &k->tcp)) {
		free(k);
		return;
	}
	k->tcp.data = k;
	c->handles++;
	c->figures.connections++;
	k->next = c->connections;
	k->link = &c->connections;
	if (k->next)
		k->next->link = &k->next;
	c->connections = k;
	if (uv_accept(server, (uv_stream_t *)&k->tcp) || read_peer(k) ||
		uv_tcp_keepalive(&k->tcp, 1, KEEPALIVE_SECONDS) ||
		uv_read_start((uv_stream_t *)&k->tcp, on_allocate, on_read))
		end_connection(k);
}

int hep_listen(struct hep_collector *c, int fd, struct error *err)
{
	struct hep_listener *l = calloc(1, sizeof *l);
	int rc;

	if (!l) {
		close(fd);
		return error_set(err, "HEP: out of memory");
	}
	l->collector = c;
	rc = uv_tcp_init(c->loop, &l->tcp);
	if (rc) {
		close(fd);
		free(l);
		return error_set(err, "HEP: cannot listen: %s", uv_strerror(rc));
	}
	l->tcp.data = l;
	c->handles++;
	l->next = c->listeners;
	c->listeners = l;
	rc = uv_tcp_open(&l->tcp, fd);
	if (rc)
		close(fd); /* else the handle owns it */
	else
		rc = uv_listen((uv_stream_t *)&l->tcp, BACKLOG, on_connection);
	return rc ? error_set(err, "HEP: cannot listen: %s", uv_strerror(rc)) : 0;
}

static void on_listener_closed(uv_handle_t *handle)
{
	struct hep_listener *l = handle->data;
	struct hep_collector *c = l->collector;

	free(l);
	hep_collector_released(c);
}

void hep_listen_close(struct hep_collector *c)
{
	while (c->connections)
		end_connection(c->connections);
	for (struct hep_listener *l = c->listeners, *next; l; l = next) {
		next = l->next;
		uv_close((uv_handle_t *)&l->tcp, on_listener_closed);
	}
	c->listeners = NULL;
}
