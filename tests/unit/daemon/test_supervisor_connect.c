/* SPDX-License-Identifier: Apache-2.0 */
/* Connections that the parent makes for the role sense. */
#include "../cmocka_all.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
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
	theirs = fds[1];
	config.source_count = 2;
	for (unsigned i = 0; i < 2; i++) {
		config.sources[i].type = CONFIG_SOURCE_AMI;
		if (address_parse(&config.sources[i].address.address,
			    view_str("127.0.0.1"), NULL))
			return -1;
		config.sources[i].address.port = ntohs(at.sin_port);
	}
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

/* The answer to it: errno's number; *fd is the socket, or -1. */
static int answered(uint8_t source, int *fd)
{
	struct control_connected answer;
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
		{ROLE_NODE, {0}, 1},
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
		cmocka_unit_test_setup_teardown(test_not_allowed, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
