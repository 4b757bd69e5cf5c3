/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections for the role `sense`, which may not make any itself: only to what
 * a [source] of the configuration names, and not more often than a client does.
 * Nothing is read from them here.
 */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "daemon/messages.h"
#include "daemon/supervisor_state.h"

#define CONNECT_EVERY (USEC_PER_SEC / 10)

/* A socket that is connected or about to be; the other end tells. -1 with errno. */
static int connect_to(const struct config_server *server)
{
	struct sockaddr_storage ss;
	socklen_t n = address_to_sockaddr(&ss, &server->address, server->port);
	int fd = socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -1;
	if (connect(fd, (struct sockaddr *)&ss, n) && errno != EINPROGRESS) {
		int saved = errno;

		close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

void supervisor_connect(
	struct supervisor *s, struct process *p, struct view payload, usec now)
{
	struct control_connected answer;
	unsigned i = payload.n == 1 ? payload.p[0] : CONFIG_SOURCES_MAX;
	int fd = -1;

	if (p->role != ROLE_SENSE || i >= CONFIG_SOURCES_MAX) {
		log_error("%s asks for a connection that it may not have; ending it",
			role_name(p->role));
		process_kill(p);
		return;
	}
	memset(&answer, 0, sizeof answer);
	answer.source = (uint8_t)i;
	if (i >= s->config->source_count ||
		s->config->sources[i].type != CONFIG_SOURCE_AMI) {
		answer.error = ENOENT; /* its configuration is an older one */
	} else if (now < s->connect_due[i]) {
		answer.error = EBUSY;
	} else {
		s->connect_due[i] = now + CONNECT_EVERY;
		fd = connect_to(&s->config->sources[i].address);
		answer.error = fd < 0 ? errno : 0;
	}
	process_send(p, MSG_CONNECTED, &answer, sizeof answer, fd);
	if (fd >= 0)
		close(fd);
}
