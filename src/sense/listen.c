/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/listen.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/log.h"

static int socket_error(int fd, const char *what, const struct address *local,
	uint16_t port, struct error *err)
{
	char text[ADDRESS_TEXT];
	int reason = errno;

	if (fd >= 0)
		close(fd);
	return error_set(err, "cannot %s %s port %u: %s%s", what,
		address_print(text, local), port, strerror(reason),
		reason == EADDRINUSE            ? " (is another program running?)" :
			reason == EADDRNOTAVAIL ? " (no interface has this address)" :
						  "");
}

/* Open and bind; IPv6 sockets speak IPv6 alone, so that both can be bound. */
static int open_bound(
	int type, const struct address *local, uint16_t port, struct error *err)
{
	struct sockaddr_storage ss;
	socklen_t length = address_to_sockaddr(&ss, local, port);
	int one = 1, fd;

	fd = socket(ss.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return socket_error(fd, "open a socket for", local, port, err);
	/* Not for UDP: two sockets would share the port and split the stream. */
	if (type == SOCK_STREAM &&
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one))
		return socket_error(fd, "set SO_REUSEADDR on", local, port, err);
	if (ss.ss_family == AF_INET6 &&
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one))
		return socket_error(fd, "set IPV6_V6ONLY on", local, port, err);
	if (bind(fd, (const struct sockaddr *)&ss, length))
		return socket_error(fd, "bind", local, port, err);
	return fd;
}

int listen_udp(const struct address *local, uint16_t port, int buffer, struct error *err)
{
	int fd = open_bound(SOCK_DGRAM, local, port, err), one = 1, size = buffer;
	socklen_t length = sizeof size;

	if (fd < 0)
		return -1;
	/*
	 * Never to send from: Linux notes it although an unconnected socket
	 * answers ENOTCONN, and every send then fails with EPIPE.
	 */
	(void)shutdown(fd, SHUT_WR);
	if (setsockopt(fd, SOL_SOCKET, SO_RXQ_OVFL, &one, sizeof one))
		return socket_error(fd, "set SO_RXQ_OVFL on", local, port, err);
	/* FORCE needs CAP_NET_ADMIN; without it rmem_max is the limit. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size))
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
	if (!getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, &length) && size < buffer)
		log_notice(
			"UDP port %u: receive buffer is %d KiB; raise net.core.rmem_max to %d "
			"to ride out bursts",
			port, size >> 10, buffer);
	return fd;
}

int listen_tcp(const struct address *local, uint16_t port, struct error *err)
{
	return open_bound(SOCK_STREAM, local, port, err);
}
