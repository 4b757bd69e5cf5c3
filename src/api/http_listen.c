/* SPDX-License-Identifier: Apache-2.0 */
#include "api/http_listen.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <unistd.h>

#define BACKLOG 128

static const int one = 1;

static int try_listen(int fd, const struct address *address, uint16_t port)
{
	struct sockaddr_storage ss;
	socklen_t n = address_to_sockaddr(&ss, address, port);

	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) ||
		(address->family == 6 &&
			setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one)) ||
		/* What is accepted inherits it: an answer is one segment, sent at once. */
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) ||
		bind(fd, (struct sockaddr *)&ss, n))
		return -1;
	return listen(fd, BACKLOG);
}

int http_listen(const struct address *address, uint16_t port, struct error *err)
{
	int fd = socket(address->family == 6 ? AF_INET6 : AF_INET,
		SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	char text[ADDRESS_TEXT];

	if (fd < 0)
		return error_set(err, "http: socket: %s", strerror(errno));
	if (!try_listen(fd, address, port))
		return fd;
	error_set(err, "[api] listen = tcp:%s%s%s:%u: %s",
		address->family == 6 ? "[" : "", address_print(text, address),
		address->family == 6 ? "]" : "", port, strerror(errno));
	close(fd);
	return -1;
}
