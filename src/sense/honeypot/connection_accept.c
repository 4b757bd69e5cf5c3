/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include "sense/honeypot/socket_state.h"

#define TURN 64 /* connections taken in one turn of the loop */

/* A handshake costs a signature: so many a second, whoever asks. */
static bool handshake_allowed(struct honeypot_sockets *s)
{
	uint64_t second = uv_now(s->loop) / 1000;

	if (second != s->second) {
		s->second = second;
		s->handshakes = 0;
	}
	return s->handshakes++ < s->config.handshakes;
}

static bool source_allowed(struct honeypot_sockets *s, const struct address *source)
{
	const struct source_count *c;
	uint8_t key[17];

	source_key(key, source);
	c = table_get(s->sources, key);
	return !c || c->connections < s->config.connections_per_source;
}

/* Whether one more may come from there; makes room for it. */
static bool admit(struct listener *l, const struct address *source)
{
	struct honeypot_sockets *s = l->sockets;

	if (!source_allowed(s, source))
		return false;
	if (l->tls && !handshake_allowed(s))
		return false;
	if (l->tls && s->figures.connections_tls >= s->config.connections_tls)
		return connections_make_room(s, true);
	if (s->figures.connections >= s->config.connections_max)
		return connections_make_room(s, false);
	return true;
}

static void take_in(struct listener *l, int fd, const struct sockaddr_storage *ss)
{
	struct honeypot_sockets *s = l->sockets;
	struct address remote;
	struct connection *k;
	uint16_t port;
	int one = 1;

	s->figures.accepted++;
	if (address_from_sockaddr(&remote, &port, (const struct sockaddr *)ss) ||
		!admit(l, &remote)) {
		s->figures.refused++;
		close(fd);
		return;
	}
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one);
	k = connection_new(l, fd, &remote, port);
	if (k)
		connection_settle(k);
	else
		s->figures.refused++;
}

void connections_accept(struct listener *l)
{
	struct honeypot_sockets *s = l->sockets;

	for (int i = 0; i < TURN; i++) {
		struct sockaddr_storage ss;
		socklen_t length = sizeof ss;
		int fd = accept4(l->fd, (struct sockaddr *)&ss, &length,
			SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			take_in(l, fd, &ss);
			continue;
		}
		/* Without a descriptor who waits would be offered again for ever. */
		if ((errno != EMFILE && errno != ENFILE) ||
			!connections_make_room(s, false))
			return;
	}
}
