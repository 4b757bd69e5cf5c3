/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/honeypot/socket_state.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"

#define BACKLOG 4096
#define TICK_MS 500

const struct honeypot_sockets_config honeypot_sockets_config_default = {
	.connections_max = 10000,
	.connections_tls = 1000,
	.connections_per_source = 256,
	.handshakes = 200,
	.buffers_max = 16u << 20,
	.within = 10,
	.idle = 3600,
};

static void on_timer(uv_timer_t *timer)
{
	struct honeypot_sockets *s = timer->data;

	connections_expire(s);
	if (s->datagrams)
		datagrams_trim(s->datagrams);
}

static void on_prepare(uv_prepare_t *prepare)
{
	honeypot_sockets_flush(prepare->data);
}

struct honeypot_sockets *honeypot_sockets_new(uv_loop_t *loop,
	const struct honeypot_sockets_config *config,
	const struct honeypot_sockets_hooks *hooks)
{
	struct honeypot_sockets *s = calloc(1, sizeof *s);

	if (!s)
		return NULL;
	s->loop = loop;
	s->config = *config;
	s->hooks = *hooks;
	s->numbers = table_new(
		sizeof(struct number_entry), sizeof(uint64_t), 0, hash_key_random());
	s->sources = table_new(sizeof(struct source_count),
		sizeof(((struct source_count *)0)->key), 0, hash_key_random());
	if (!s->numbers || !s->sources) {
		table_free(s->numbers);
		table_free(s->sources);
		free(s);
		return NULL;
	}
	uv_timer_init(loop, &s->timer);
	uv_prepare_init(loop, &s->prepare);
	s->timer.data = s->prepare.data = s;
	s->handles = 2;
	return s;
}

void sockets_released(struct honeypot_sockets *s)
{
	if (--s->handles)
		return;
	datagrams_free(s->datagrams);
	table_free(s->numbers);
	table_free(s->sources);
	free(s->scratch);
	free(s);
}

static void on_event(uv_poll_t *poll, int status, int events)
{
	struct listener *l = poll->data;

	if (status < 0) {
		log_error("honeypot: port %u: %s", l->port, uv_strerror(status));
		return;
	}
	if (!(events & UV_READABLE))
		return;
	if (l->transport == TRANSPORT_UDP)
		datagrams_readable(l);
	else
		connections_accept(l);
}

/* What transport l needs before its first message. 0 or -1 with a text. */
static int make_ready(struct honeypot_sockets *s, struct listener *l, struct error *err)
{
	bool tls = l->transport == TRANSPORT_TLS || l->transport == TRANSPORT_WSS;

	if (tls != (l->tls != NULL))
		return error_set(err, "TLS and WSS need a certificate, others none");
	if (l->transport == TRANSPORT_UDP)
		return datagrams_make(s) ? error_set(err, "out of memory") : 0;
	if (!s->scratch)
		s->scratch = malloc(READ_BYTES);
	if (!s->scratch)
		return error_set(err, "out of memory");
	return listen(l->fd, BACKLOG) ?
		error_set(err, "cannot listen: %s", strerror(errno)) :
		0;
}

static int start_clocks(struct honeypot_sockets *s)
{
	int rc = 0;

	if (!uv_is_active((uv_handle_t *)&s->timer))
		rc = uv_timer_start(&s->timer, on_timer, TICK_MS, TICK_MS);
	if (!rc && !uv_is_active((uv_handle_t *)&s->prepare)) {
		rc = uv_prepare_start(&s->prepare, on_prepare);
		uv_unref((uv_handle_t *)&s->prepare);
	}
	return rc;
}

int honeypot_sockets_add(struct honeypot_sockets *s, enum sip_transport transport, int fd,
	struct honeypot_tls *tls, struct error *err)
{
	struct listener *l = calloc(1, sizeof *l);
	struct sockaddr_storage ss;
	socklen_t length = sizeof ss;
	int rc;

	if (!l) {
		close(fd);
		return error_set(err, "out of memory");
	}
	l->sockets = s;
	l->fd = fd;
	l->transport = (uint8_t)transport;
	l->tls = tls;
	l->poll.data = l;
	if (getsockname(fd, (struct sockaddr *)&ss, &length) ||
		address_from_sockaddr(&l->local, &l->port, (struct sockaddr *)&ss)) {
		error_set(err, "no socket of IPv4 or IPv6");
		goto fail;
	}
	if (make_ready(s, l, err))
		goto fail;
	rc = uv_poll_init(s->loop, &l->poll, fd);
	if (rc) {
		error_set(err, "cannot watch port %u: %s", l->port, uv_strerror(rc));
		goto fail;
	}
	s->handles++;
	l->next = s->listeners;
	s->listeners = l;
	rc = uv_poll_start(&l->poll, UV_READABLE, on_event);
	if (!rc)
		rc = start_clocks(s);
	return rc ? error_set(err, "cannot watch port %u: %s", l->port, uv_strerror(rc)) :
		    0;
fail:
	close(fd);
	free(l);
	return -1;
}

void honeypot_sockets_send(
	struct honeypot_sockets *s, const struct honeypot_path *path, struct view bytes)
{
	const struct number_entry *e;

	if (!path->connection) {
		datagrams_send(s, path, bytes);
		return;
	}
	e = table_get(s->numbers, &path->connection);
	if (e)
		connection_send(e->connection, bytes);
	else
		s->figures.send_failed++;
}

void honeypot_sockets_flush(struct honeypot_sockets *s)
{
	if (s->datagrams)
		datagrams_flush(s);
}

static void on_listener_closed(uv_handle_t *handle)
{
	struct listener *l = handle->data;
	struct honeypot_sockets *s = l->sockets;

	free(l);
	sockets_released(s);
}

static void on_handle_closed(uv_handle_t *handle)
{
	sockets_released(handle->data);
}

void honeypot_sockets_close(struct honeypot_sockets *s)
{
	if (!s || s->closing)
		return;
	honeypot_sockets_flush(s);
	s->closing = true;
	for (unsigned i = 0; i < LIST_COUNT; i++)
		while (s->queues[i].first)
			connection_end(s->queues[i].first);
	for (struct listener *l = s->listeners, *next; l; l = next) {
		next = l->next;
		uv_close((uv_handle_t *)&l->poll, on_listener_closed);
		close(l->fd);
	}
	s->listeners = NULL;
	uv_close((uv_handle_t *)&s->timer, on_handle_closed);
	uv_close((uv_handle_t *)&s->prepare, on_handle_closed);
}

void honeypot_sockets_figures(
	const struct honeypot_sockets *s, struct honeypot_sockets_figures *out)
{
	*out = s->figures;
}
