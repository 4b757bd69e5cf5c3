/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/notify.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/bytes.h"

/* Connect to the manager's socket. Returns a descriptor or -1. */
static int connect_to(const char *name)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	size_t n = strlen(name);
	int fd;

	/* "@x" is the abstract name "\0x", which has no NUL at its end. */
	if ((name[0] != '/' && name[0] != '@') || n < 2 || n >= sizeof to.sun_path)
		return -1;
	memcpy(to.sun_path, name, n);
	if (name[0] == '@')
		to.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	if (connect(fd, (struct sockaddr *)&to,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n))) {
		close(fd);
		return -1;
	}
	return fd;
}

void notify_open(struct notify *n)
{
	const char *name = getenv("NOTIFY_SOCKET");
	const char *every = getenv("WATCHDOG_USEC");
	const char *pid = getenv("WATCHDOG_PID");
	uint64_t v;

	n->fd = name ? connect_to(name) : -1;
	n->watchdog = 0;
	if (n->fd >= 0 && every && !view_decimal(view_str(every), UINT64_MAX, &v) &&
		(!pid || atol(pid) == (long)getpid()))
		n->watchdog = v;
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
}

void notify_close(struct notify *n)
{
	if (n->fd >= 0)
		close(n->fd);
	n->fd = -1;
}

int notify_send(const struct notify *n, const char *fmt, ...)
{
	char text[1024];
	va_list ap;
	int length;

	if (n->fd < 0)
		return 0;
	va_start(ap, fmt);
	length = vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (length < 0 || (size_t)length >= sizeof text) {
		errno = EMSGSIZE;
		return -1;
	}
	return send(n->fd, text, (size_t)length, MSG_NOSIGNAL) == length ? 0 : -1;
}

int notify_reloading(const struct notify *n, usec monotonic)
{
	return notify_send(n, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, monotonic);
}
