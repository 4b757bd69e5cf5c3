/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/honeypot/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/log.h"

#define RECEIVE_BUFFER (32 << 20)
#define SEND_BUFFER    (4 << 20)

static const char *remedy(int reason, bool udp)
{
	switch (reason) {
	case EADDRINUSE:
		return udp ?
			"; another program has it, the PBX itself perhaps: give the "
			"honeypot an address or a port of its own (ss -lunp shows who)" :
			"; another program has it, the PBX itself perhaps: give the "
			"honeypot an address or a port of its own (ss -ltnp shows who)";
	case EADDRNOTAVAIL:
		return "; no interface has this address: give it to one, or write another";
	case EACCES:
		return "; ports below 1024 are for root: start sipchaind as root, or let "
		       "systemd open it (sipchaind-honeypot.socket)";
	case EAFNOSUPPORT:
		return "; this machine has no IPv6: leave the line out";
	default:
		return "";
	}
}

static int failed(
	int fd, bool udp, const struct address *local, uint16_t port, struct error *err)
{
	char text[ADDRESS_TEXT];
	int reason = errno;

	if (fd >= 0)
		close(fd);
	return error_set(err, "%s %s port %u: %s%s", udp ? "UDP" : "TCP",
		address_print(text, local), port, strerror(reason), remedy(reason, udp));
}

/* FORCE needs CAP_NET_ADMIN; without it rmem_max and wmem_max are the limits. */
static int set_buffers(int fd)
{
	int size = RECEIVE_BUFFER, out = SEND_BUFFER;
	socklen_t length = sizeof size;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size))
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &out, sizeof out))
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &out, sizeof out);
	return getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, &length) ? -1 : size;
}

/* What every socket of ours has, once it has an address. 0 or -1 with errno. */
static int prepare(int fd, bool udp, int family)
{
	int one = 1, none = IP_PMTUDISC_DONT;

	if (!udp)
		return 0;
	if (setsockopt(fd, SOL_SOCKET, SO_RXQ_OVFL, &one, sizeof one))
		return -1;
	if (family == AF_INET6)
		return setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &one, sizeof one);
	/* An ICMP that anybody can forge shall not keep answers from leaving. */
	(void)setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &none, sizeof none);
	return setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &one, sizeof one);
}

static int open_bound(
	bool udp, const struct address *local, uint16_t port, struct error *err)
{
	struct sockaddr_storage ss;
	socklen_t length = address_to_sockaddr(&ss, local, port);
	int type = udp ? SOCK_DGRAM : SOCK_STREAM, one = 1, fd;

	fd = socket(ss.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	/* IPv6 sockets speak IPv6 alone, so that both can be bound. */
	if (fd < 0 ||
		(ss.ss_family == AF_INET6 &&
			setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one)) ||
		/* Not for UDP: two sockets would share the port and split the stream. */
		(!udp && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one)) ||
		bind(fd, (const struct sockaddr *)&ss, length) ||
		prepare(fd, udp, ss.ss_family))
		return failed(fd, udp, local, port, err);
	if (udp && set_buffers(fd) < RECEIVE_BUFFER)
		log_notice(
			"honeypot: the receive buffer of UDP port %u is smaller than %d "
			"MiB; raise net.core.rmem_max to %d to ride out bursts",
			port, RECEIVE_BUFFER >> 20, RECEIVE_BUFFER);
	return fd;
}

int honeypot_open_udp(const struct address *local, uint16_t port, struct error *err)
{
	return open_bound(true, local, port, err);
}

int honeypot_open_tcp(const struct address *local, uint16_t port, struct error *err)
{
	return open_bound(false, local, port, err);
}

int honeypot_adopt(int fd, bool udp, struct error *err)
{
	struct sockaddr_storage ss = {0};
	socklen_t length = sizeof ss;
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) ||
		fcntl(fd, F_SETFD, FD_CLOEXEC) ||
		getsockname(fd, (struct sockaddr *)&ss, &length) ||
		prepare(fd, udp, ss.ss_family))
		return error_set(
			err, "a socket from the service manager: %s", strerror(errno));
	if (udp)
		(void)set_buffers(fd);
	return 0;
}
