/* SPDX-License-Identifier: Apache-2.0 */
/* The life of one stream: its lists, its deadlines, its end. */
#include <stdlib.h>
#include <unistd.h>

#include "sense/honeypot/socket_state.h"

void source_key(uint8_t key[17], const struct address *a)
{
	memset(key, 0, 17);
	key[0] = a->family;
	memcpy(key + 1, a->bytes, a->family == 6 ? 8 : 4);
}

static bool has_tls(uint8_t transport)
{
	return transport == TRANSPORT_TLS || transport == TRANSPORT_WSS;
}

/* --- lists --- */

static void unlink_connection(struct connection *k)
{
	struct connection_queue *q = &k->sockets->queues[k->list];

	if (k->previous)
		k->previous->next = k->next;
	else
		q->first = k->next;
	if (k->next)
		k->next->previous = k->previous;
	else
		q->last = k->previous;
}

static void link_connection(struct connection *k, enum connection_list list)
{
	struct connection_queue *q = &k->sockets->queues[list];

	k->list = (uint8_t)list;
	k->since = uv_now(k->sockets->loop);
	k->next = NULL;
	k->previous = q->last;
	if (q->last)
		q->last->next = k;
	else
		q->first = k;
	q->last = k;
}

void connection_move(struct connection *k, enum connection_list list)
{
	unlink_connection(k);
	link_connection(k, list);
}

/* --- the beginning and the end --- */

static int count_source(struct connection *k)
{
	struct source_count *c;
	uint8_t key[17];

	source_key(key, &k->remote);
	c = table_put(k->sockets->sources, key, NULL);
	if (!c)
		return -1;
	c->connections++;
	return 0;
}

static void uncount_source(struct connection *k)
{
	struct source_count *c;
	uint8_t key[17];

	source_key(key, &k->remote);
	c = table_get(k->sockets->sources, key);
	if (c && !--c->connections)
		table_remove(k->sockets->sources, key);
}

static int read_local(struct connection *k)
{
	struct sockaddr_storage ss;
	socklen_t length = sizeof ss;

	if (getsockname(k->fd, (struct sockaddr *)&ss, &length))
		return -1;
	return address_from_sockaddr(&k->local, &k->local_port, (struct sockaddr *)&ss);
}

static int make_number(struct connection *k)
{
	struct number_entry *e;

	k->number = ++k->sockets->last_number;
	e = table_put(k->sockets->numbers, &k->number, NULL);
	if (!e)
		return -1;
	e->connection = k;
	return 0;
}

struct connection *connection_new(
	struct listener *l, int fd, const struct address *remote, uint16_t port)
{
	struct honeypot_sockets *s = l->sockets;
	struct connection *k = calloc(1, sizeof *k);

	if (!k)
		goto fail_fd;
	k->sockets = s;
	k->fd = fd;
	k->transport = l->transport;
	k->remote = *remote;
	k->remote_port = port;
	k->poll.data = k;
	if (read_local(k))
		goto fail_memory;
	if (l->tls) {
		k->tls = tls_open(l->tls, fd);
		if (!k->tls)
			goto fail_memory;
	}
	if (make_number(k))
		goto fail_tls;
	if (count_source(k))
		goto fail_number;
	if (uv_poll_init(s->loop, &k->poll, fd))
		goto fail_source;
	s->handles++;
	s->figures.connections++;
	if (has_tls(k->transport))
		s->figures.connections_tls++;
	link_connection(k, LIST_HANDSHAKE);
	return k;
fail_source:
	uncount_source(k);
fail_number:
	table_remove(s->numbers, &k->number);
fail_tls:
	tls_free(k->tls);
fail_memory:
	free(k);
fail_fd:
	close(fd);
	return NULL;
}

static void on_closed(uv_handle_t *handle)
{
	struct connection *k = handle->data;
	struct honeypot_sockets *s = k->sockets;

	free(k);
	sockets_released(s);
}

void connection_end(struct connection *k)
{
	struct honeypot_sockets *s = k->sockets;
	uint64_t number = k->number;

	if (uv_is_closing((uv_handle_t *)&k->poll))
		return;
	unlink_connection(k);
	table_remove(s->numbers, &k->number);
	uncount_source(k);
	connection_drop(k, &k->in, k->in.n);
	connection_drop(k, &k->out, k->out.n);
	connection_drop(k, &k->fragments, k->fragments.n);
	s->figures.connections--;
	if (has_tls(k->transport))
		s->figures.connections_tls--;
	/* The watch before the socket: its number may soon be another's. */
	uv_close((uv_handle_t *)&k->poll, on_closed);
	if (k->tls && !k->failed)
		tls_goodbye(k->tls);
	tls_free(k->tls);
	k->tls = NULL;
	close(k->fd);
	if (!s->closing)
		s->hooks.closed(s->hooks.context, number, clock_wall());
}

/* --- limits --- */

/* End those of a list that are on it for longer than so many milliseconds. */
static void expire_list(
	struct honeypot_sockets *s, enum connection_list list, uint64_t limit)
{
	uint64_t now = uv_now(s->loop);
	struct connection *k;

	while ((k = s->queues[list].first) && now - k->since >= limit) {
		s->figures.timed_out++;
		connection_give_up(k);
	}
}

void connections_expire(struct honeypot_sockets *s)
{
	expire_list(s, LIST_HANDSHAKE, (uint64_t)s->config.within * 1000);
	expire_list(s, LIST_BUSY, (uint64_t)s->config.within * 1000);
	expire_list(s, LIST_IDLE, (uint64_t)s->config.idle * 1000);
}

/* The oldest of a list, or the oldest with TLS. */
static struct connection *oldest_of(struct honeypot_sockets *s, unsigned list, bool tls)
{
	struct connection *k = s->queues[list].first;

	while (k && tls && !has_tls(k->transport))
		k = k->next;
	return k;
}

bool connections_make_room(struct honeypot_sockets *s, bool tls)
{
	struct connection *oldest = NULL;

	/* Those between messages first; a slow one has its deadline. */
	for (unsigned i = 0; i < LIST_COUNT && !oldest; i++)
		oldest = oldest_of(s, i, tls);
	if (!oldest)
		return false;
	s->figures.refused++;
	connection_end(oldest);
	return true;
}
