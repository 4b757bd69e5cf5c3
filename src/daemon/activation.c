/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/activation.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/log.h"
#include "sense/observation.h"

#define FIRST_FD 3
/* Above what a role has at the places of INHERITED_FD. */
#define KEPT_FD (INHERITED_FD + INHERITED_MAX)

int activation_transport(const char *name, size_t n)
{
	struct view v = view_of(name, n);

	if (view_eq(v, view_str("honeypot")))
		return 0;
	if (!view_starts(v, "honeypot-"))
		return -1;
	for (uint8_t t = TRANSPORT_UDP; t <= TRANSPORT_WSS; t++)
		if (view_eq(view_from(v, 9), view_str(transport_name(t))))
			return t;
	return -1;
}

/* Why the honeypot cannot have it; NULL: it can. */
static const char *fault(int fd, int transport)
{
	int family = 0, type = 0;
	socklen_t n = sizeof family;

	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &n))
		return "it is no socket";
	n = sizeof type;
	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &n))
		return strerror(errno);
	if (family != AF_INET && family != AF_INET6)
		return "it is no socket of IPv4 or IPv6";
	if (type != SOCK_DGRAM && type != SOCK_STREAM)
		return "it is neither UDP (ListenDatagram=) nor TCP (ListenStream=)";
	if (transport && (transport == TRANSPORT_UDP) != (type == SOCK_DGRAM))
		return "its name says UDP and it is TCP, or the other way round";
	if (family == AF_INET6) {
		int only = 0;

		n = sizeof only;
		if (getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, &n) || !only)
			return "it speaks IPv4 and IPv6; write BindIPv6Only=ipv6-only";
	}
	return NULL;
}

static void take(struct activation *out, int fd, const char *name, size_t n)
{
	int transport = activation_transport(name, n), kept;
	const char *why = transport < 0 ?
		"its FileDescriptorName= is not honeypot, or honeypot- with udp, tcp, tls, "
		"ws or wss behind it" :
		fault(fd, transport);

	if (!why && out->count == INHERITED_MAX)
		why = "there are too many";
	if (why) {
		log_warning("socket \"%s\" of the service manager is not used: %s",
			escaped(view_of(name, n)), why);
		close(fd);
		return;
	}
	kept = fcntl(fd, F_DUPFD_CLOEXEC, KEPT_FD);
	close(fd);
	if (kept < 0) {
		log_error("socket \"%s\" of the service manager: %s",
			escaped(view_of(name, n)), strerror(errno));
		return;
	}
	out->transport[out->count] = (uint8_t)transport;
	out->fd[out->count++] = kept;
}

/* The number that a variable holds; 0 when there is none. */
static uint64_t number_of(const char *name, uint64_t most)
{
	const char *text = getenv(name);
	uint64_t n;

	return text && !view_decimal(view_str(text), most, &n) ? n : 0;
}

unsigned activation_take(struct activation *out)
{
	const char *names = getenv("LISTEN_FDNAMES");
	uint64_t count = number_of("LISTEN_FDS", 1024);

	memset(out, 0, sizeof *out);
	/* Meant for another process: whoever started us did not clear it. */
	if (number_of("LISTEN_PID", INT32_MAX) != (uint64_t)getpid())
		count = 0;
	for (uint64_t i = 0; i < count; i++) {
		size_t n = names ? strcspn(names, ":") : 0;

		take(out, FIRST_FD + (int)i, names ? names : "", n);
		if (names)
			names += n + (names[n] == ':');
	}
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	return out->count;
}
