/* SPDX-License-Identifier: Apache-2.0 */
/* Connections that the parent makes for the roles sense and node. */
#include "../cmocka_all.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/messages.h"
#include "daemon/supervisor_state.h"

static struct supervisor s;
static struct config config;
static int theirs, listener;
static uint8_t buffer[PACKET_MAX];

static int setup(void **state)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	socklen_t n = sizeof at;
	int fds[2];

	(void)state;
	memset(&s, 0, sizeof s);
	memset(&config, 0, sizeof config);
	s.config = &config;
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (packet_pair(fds) || bind(listener, (struct sockaddr *)&at, n) ||
		listen(listener, 4) || getsockname(listener, (struct sockaddr *)&at, &n))
		return -1;
	s.processes[ROLE_SENSE] = (struct process){.role = ROLE_SENSE, .fd = fds[0]};
	s.processes[ROLE_NODE] = (struct process){.role = ROLE_NODE, .fd = fds[0]};
	theirs = fds[1];
	config.connector_count = 3;
	config.connectors[1].type = CONFIG_CONNECTOR_ASTERISK;
	config.connectors[2].type = CONFIG_CONNECTOR_KAMAILIO;
	config.source_count = 2;
	for (unsigned i = 0; i < 2; i++) {
		config.sources[i].type = CONFIG_SOURCE_AMI;
		if (address_parse(&config.sources[i].address.address,
			    view_str("127.0.0.1"), NULL))
			return -1;
		config.sources[i].address.port = ntohs(at.sin_port);
	}
	config.connectors[1].address = config.sources[1].address;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	close(s.processes[ROLE_SENSE].fd);
	close(theirs);
	if (listener >= 0)
		close(listener);
	return 0;
}

static void ask(uint8_t source, usec now)
{
	supervisor_connect(&s, &s.processes[ROLE_SENSE], view_of(&source, 1), now);
}

static struct control_connected answer;

static void ask_connector(uint8_t connector, usec now)
{
	supervisor_connect(&s, &s.processes[ROLE_NODE], view_of(&connector, 1), now);
}

/* The answer to it: errno's number; *fd is the socket, or -1. */
static int answered(uint8_t source, int *fd)
{
	struct packet packet;

	assert_int_equal(packet_wait(theirs, buffer, &packet, 5000), 1);
	assert_int_equal(packet.type, MSG_CONNECTED);
	assert_int_equal(packet.payload.n, sizeof answer);
	memcpy(&answer, packet.payload.p, sizeof answer);
	assert_int_equal(answer.source, source);
	*fd = packet.fd;
	return answer.error;
}

static void test_connects(void **state)
{
	char text[6] = "";
	int fd, peer;

	(void)state;
	ask(1, 1000000);
	assert_int_equal(answered(1, &fd), 0);
	assert_true(fd >= 0);
	peer = accept(listener, NULL, NULL);
	assert_true(peer >= 0);
	assert_int_equal(write(peer, "hello", 5), 5);
	assert_int_equal(poll(&(struct pollfd){fd, POLLIN, 0}, 1, 5000), 1);
	assert_int_equal(read(fd, text, 5), 5);
	assert_string_equal(text, "hello");
	close(fd);
	close(peer);
}

static void test_not_too_often(void **state)
{
	int fd;

	(void)state;
	ask(0, 1000000);
	assert_int_equal(answered(0, &fd), 0);
	close(fd);
	ask(0, 1050000);
	assert_int_equal(answered(0, &fd), EBUSY);
	assert_int_equal(fd, -1);
	/* Each by itself. */
	ask(1, 1050000);
	assert_int_equal(answered(1, &fd), 0);
	close(fd);
	ask(0, 1100000);
	assert_int_equal(answered(0, &fd), 0);
	close(fd);
}

static void test_refused(void **state)
{
	int fd, error = 0;
	char byte;

	(void)state;
	close(listener);
	listener = -1;
	ask(0, 1000000);
	/* Told at once, or by the socket that was still connecting. */
	error = answered(0, &fd);
	if (!error) {
		assert_int_equal(poll(&(struct pollfd){fd, POLLIN, 0}, 1, 5000), 1);
		assert_int_equal(read(fd, &byte, 1), -1);
		error = errno;
		close(fd);
	}
	assert_int_equal(error, ECONNREFUSED);
	/* One that an older configuration had, and one of another type. */
	ask(2, 1000000);
	assert_int_equal(answered(2, &fd), ENOENT);
	assert_int_equal(fd, -1);
	config.sources[1].type = 0;
	ask(1, 1000000);
	assert_int_equal(answered(1, &fd), ENOENT);
}

/* For the node: what a [connector] names, each by itself and not too often. */
static void test_connectors(void **state)
{
	int fd, peer;

	(void)state;
	ask_connector(1, 1000000);
	assert_int_equal(answered(1, &fd), 0);
	assert_true(fd >= 0);
	assert_int_equal(answer.use, CONNECTED_BOTH);
	assert_string_equal(answer.text, "");
	peer = accept(listener, NULL, NULL);
	assert_true(peer >= 0);
	close(peer);
	close(fd);
	ask_connector(1, 1050000);
	assert_int_equal(answered(1, &fd), EBUSY);
	/* The sources of sense have times of their own. */
	ask(1, 1050000);
	assert_int_equal(answered(1, &fd), 0);
	close(fd);
	ask_connector(3, 1000000);
	assert_int_equal(answered(3, &fd), ENOENT);
	assert_int_equal(fd, -1);
}

/* Kamailio's two sockets: one to be read, one to be written. */
static void test_kamailio_sockets(void **state)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	char folder[] = "/tmp/sipchain-connect-XXXXXX", text[8] = "";
	struct config_connector *c = &config.connectors[2];
	int kamailio, in, out;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(c->name, sizeof c->name, "proxy");
	snprintf(c->socket, sizeof c->socket, "%s/rpc", folder);
	snprintf(config.node.run, sizeof config.node.run, "%s", folder);
	ask_connector(2, 1000000);
	assert_int_not_equal(answered(2, &in), 0);
	assert_int_equal(in, -1);
	assert_non_null(strstr(answer.text, "/rpc: start Kamailio"));
	kamailio = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	snprintf(at.sun_path, sizeof at.sun_path, "%s/rpc", folder);
	assert_int_equal(bind(kamailio, (struct sockaddr *)&at, sizeof at), 0);
	ask_connector(2, 2000000);
	assert_int_equal(answered(2, &in), 0);
	assert_int_equal(answer.use, CONNECTED_READ);
	assert_int_equal(answered(2, &out), 0);
	assert_int_equal(answer.use, CONNECTED_WRITE);
	assert_int_equal(write(out, "call", 4), 4);
	assert_int_equal(recv(kamailio, text, sizeof text, 0), 4);
	assert_string_equal(text, "call");
	snprintf(at.sun_path, sizeof at.sun_path, "%s/proxy.reply", folder);
	assert_int_equal(
		sendto(kamailio, "done", 4, 0, (struct sockaddr *)&at, sizeof at), 4);
	assert_int_equal(read(in, text, sizeof text), 4);
	assert_memory_equal(text, "done", 4);
	close(in);
	close(out);
	close(kamailio);
	unlink(at.sun_path);
	unlink(c->socket);
	rmdir(folder);
}

/* A process that waits to be killed. */
static pid_t victim(void)
{
	pid_t pid = fork();

	if (!pid)
		for (;;)
			pause();
	return pid;
}

/* Another role, or a number that is none: whoever asks so was broken into. */
static void test_not_allowed(void **state)
{
	static const struct {
		enum role role;
		uint8_t bytes[2];
		size_t n;
	} cases[] = {
		{ROLE_NODE, {CONFIG_CONNECTORS_MAX}, 1},
		{ROLE_NODE, {0, 0}, 2},
		{ROLE_LEDGER, {0}, 1},
		{ROLE_ENFORCE, {0}, 1},
		{ROLE_SENSE, {CONFIG_SOURCES_MAX}, 1},
		{ROLE_SENSE, {255}, 1},
		{ROLE_SENSE, {0, 0}, 2},
		{ROLE_SENSE, {0}, 0},
	};
	struct packet packet;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct process p = {.role = cases[i].role,
			.fd = s.processes[ROLE_SENSE].fd,
			.pid = victim()};
		int status = 0;

		assert_true(p.pid > 0);
		supervisor_connect(&s, &p, view_of(cases[i].bytes, cases[i].n), 1000000);
		assert_int_equal(waitpid(p.pid, &status, 0), p.pid);
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
		assert_int_equal(packet_receive(theirs, buffer, &packet), -1);
		assert_int_equal(errno, EAGAIN);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_connects, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_too_often, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_connectors, setup, teardown),
		cmocka_unit_test_setup_teardown(test_kamailio_sockets, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_allowed, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
