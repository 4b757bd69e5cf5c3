/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections for the roles `sense` and `node`, which may not make any themselves:
 * only to what a [source] or a [connector] of the configuration names, and not more
 * often than a client does. Nothing is read from them here.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "daemon/config_connector.h"
#include "daemon/messages.h"
#include "daemon/supervisor_hook.h"
#include "enforce/kamailio_socket.h"

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

/* Its number, when it asks for what it may ask for; else -1. */
static int asked_for(const struct process *p, struct view payload)
{
	unsigned i = payload.n == 1 ? payload.p[0] : UINT_MAX;

	if (p->role == ROLE_SENSE && i < CONFIG_SOURCES_MAX)
		return (int)i;
	return p->role == ROLE_NODE && i < CONFIG_CONNECTORS_MAX ? (int)i : -1;
}

static void answer_to(
	struct process *p, struct control_connected *answer, uint8_t use, int fd)
{
	answer->use = use;
	process_send(p, MSG_CONNECTED, answer, sizeof *answer, fd);
	if (fd >= 0)
		close(fd);
}

static void connect_source(struct supervisor *s, struct process *p, unsigned i, usec now,
	struct control_connected *answer)
{
	int fd = -1;

	if (i >= s->config->source_count ||
		s->config->sources[i].type != CONFIG_SOURCE_AMI) {
		answer->error = ENOENT; /* its configuration is an older one */
	} else if (now < s->connect_due[i]) {
		answer->error = EBUSY;
	} else {
		s->connect_due[i] = now + CONNECT_EVERY;
		fd = connect_to(&s->config->sources[i].address);
		answer->error = fd < 0 ? errno : 0;
	}
	answer_to(p, answer, CONNECTED_BOTH, fd);
}

/* Two descriptors, or a text of the reason. */
static void connect_two(struct supervisor *s, struct process *p, unsigned i, usec now,
	struct control_connected *answer)
{
	const struct config_connector *c = &s->config->connectors[i];
	bool hook = c->type == CONFIG_CONNECTOR_HOOK;
	char reply[CONFIG_PATH_MAX + 64];
	struct error err = {""};
	int fds[2] = {-1, -1}, rc;

	config_connector_reply(reply, sizeof reply, s->config, c);
	rc = hook ? supervisor_hook_start(s, i, fds, now, &err) :
		    /* Kamailio answers from another socket than it listens on. */
		    kamailio_socket_open(fds, c->socket, reply, &err);
	if (rc) {
		answer->error = EIO;
		snprintf(answer->text, sizeof answer->text, "%.199s", err.text);
		answer_to(p, answer, CONNECTED_BOTH, -1);
		return;
	}
	answer_to(p, answer, hook ? CONNECTED_BOTH : CONNECTED_READ, fds[0]);
	answer_to(p, answer, hook ? CONNECTED_ERRORS : CONNECTED_WRITE, fds[1]);
}

static void connect_connector(struct supervisor *s, struct process *p, unsigned i,
	usec now, struct control_connected *answer)
{
	const struct config_connector *c = &s->config->connectors[i];
	int fd = -1;

	if (i >= s->config->connector_count) {
		answer->error = ENOENT; /* its configuration is an older one */
	} else if (now < s->connector_due[i]) {
		answer->error = EBUSY;
	} else if (c->type != CONFIG_CONNECTOR_ASTERISK) {
		s->connector_due[i] = now + CONNECT_EVERY;
		connect_two(s, p, i, now, answer);
		return;
	} else {
		s->connector_due[i] = now + CONNECT_EVERY;
		fd = connect_to(&c->address);
		answer->error = fd < 0 ? errno : 0;
	}
	answer_to(p, answer, CONNECTED_BOTH, fd);
}

void supervisor_connect(
	struct supervisor *s, struct process *p, struct view payload, usec now)
{
	struct control_connected answer;
	int i = asked_for(p, payload);

	if (i < 0) {
		log_error("%s asks for a connection that it may not have; ending it",
			role_name(p->role));
		process_kill(p);
		return;
	}
	memset(&answer, 0, sizeof answer);
	answer.source = (uint8_t)i;
	if (p->role == ROLE_SENSE)
		connect_source(s, p, (unsigned)i, now, &answer);
	else
		connect_connector(s, p, (unsigned)i, now, &answer);
}
