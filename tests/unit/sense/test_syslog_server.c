/* SPDX-License-Identifier: Apache-2.0 */
/* Real sockets on loopback; who is not on it is played by another list. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../cmocka_all.h"

#include "sense/syslog_frame.h"
#include "sense/syslog_server.h"

static uv_loop_t loop;
static struct syslog_server *server;
static uint16_t port;
static char seen[4096];
static unsigned count, unreal;

static void on_entry(void *context, const struct log_entry *e, bool real)
{
	(void)context;
	count++;
	unreal += !real;
	if (strlen(seen) + e->message.n + 3 < sizeof seen)
		snprintf(seen + strlen(seen), sizeof seen - strlen(seen), "(%.*s)",
			(int)e->message.n, (const char *)e->message.p);
}

static void begin(bool udp)
{
	static const struct syslog_config config = {.from_count = 0};
	struct address local;
	struct sockaddr_in in;
	socklen_t n = sizeof in;
	struct error err = {""};
	int fd;

	seen[0] = '\0';
	count = unreal = 0;
	assert_int_equal(address_parse(&local, view_str("127.0.0.1"), NULL), 0);
	assert_int_equal(uv_loop_init(&loop), 0);
	fd = syslog_open(udp, &local, 0, &err);
	assert_true(fd >= 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &n), 0);
	port = ntohs(in.sin_port);
	server = syslog_server_new(&loop, fd, udp, &config, on_entry, NULL, &err);
	assert_non_null(server);
	assert_int_equal(syslog_open(udp, &local, port, &err), -1);
	assert_non_null(strstr(err.text, "syslog: cannot bind 127.0.0.1 port"));
}

static int end(void **state)
{
	(void)state;
	syslog_server_close(server);
	while (uv_run(&loop, UV_RUN_DEFAULT))
		;
	return uv_loop_close(&loop); /* EBUSY: a handle is left */
}

static int connect_to(int type)
{
	struct sockaddr_in in = {.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&in, sizeof in), 0);
	return fd;
}

static void send_all(int fd, const void *p, size_t n)
{
	assert_int_equal(send(fd, p, n, MSG_NOSIGNAL), n);
}

static struct syslog_figures figures(void)
{
	struct syslog_figures f;

	syslog_server_figures(server, &f);
	return f;
}

/* Run until a figure has a value; bounded by turns, not by time. */
#define run_until(what)                                                                  \
	do {                                                                             \
		for (int turn = 0; !(what) && turn < 20000; turn++) {                    \
			uv_run(&loop, UV_RUN_NOWAIT);                                    \
			usleep(100);                                                     \
		}                                                                        \
		assert_true(what);                                                       \
	} while (0)

static int begin_udp(void **state)
{
	(void)state;
	begin(true);
	return 0;
}

static int begin_tcp(void **state)
{
	(void)state;
	begin(false);
	return 0;
}

static void test_udp(void **state)
{
	static char big[SYSLOG_MESSAGE_MAX + 1] = "<13>x: ";
	int fd = connect_to(SOCK_DGRAM);

	(void)state;
	memset(big + 7, 'y', sizeof big - 7);
	send_all(fd, "<133>kamailio[1]: one\n", 22);
	send_all(fd, "no syslog", 9);
	send_all(fd, big, sizeof big);
	send_all(fd, "<133>kamailio[1]: two", 21);
	run_until(figures().messages == 2);
	assert_string_equal(seen, "(one)(two)");
	assert_int_equal(unreal, 0); /* loopback: nobody else can send from there */
	assert_int_equal(figures().bad, 1);
	assert_int_equal(figures().oversize, 1);
	assert_int_equal(figures().refused, 0);
	close(fd);
}

static void test_tcp(void **state)
{
	int a = connect_to(SOCK_STREAM), b = connect_to(SOCK_STREAM);

	(void)state;
	send_all(a, "7 <1>t: x<2>t: ", 15);
	send_all(b, "<3>u: 1\n<4>u: 2\nhalf", 20);
	run_until(figures().messages == 3);
	send_all(a, "y\n", 2);
	run_until(figures().messages == 4);
	assert_int_equal(figures().connections, 2);
	/* Lost in its frames: this one ends, the other goes on. */
	send_all(a, "12x", 3);
	run_until(figures().connections == 1);
	assert_int_equal(figures().ended, 1);
	send_all(b, "\n<5>u: 3\n", 9);
	run_until(figures().messages == 5);
	assert_int_equal(figures().bad, 2); /* "half" is one too */
	assert_non_null(strstr(seen, "(x)"));
	assert_non_null(strstr(seen, "(y)"));
	assert_non_null(strstr(seen, "(3)"));
	assert_int_equal(unreal, 0);
	close(a);
	close(b);
	run_until(figures().connections == 0);
}

/* Run while a connection sends size bytes that are no message's end. */
static void send_endless(int fd, const char *block, size_t n, size_t size)
{
	for (size_t sent = 0; sent < size;) {
		ssize_t part = send(fd, block, n, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (part > 0)
			sent += (size_t)part;
		uv_run(&loop, UV_RUN_NOWAIT);
	}
}

/*
 * A line that never ends, and a count that lies: each is one message that was too
 * long, the connection beside them goes on, and so do they when it is over.
 */
static void test_endless(void **state)
{
	static char block[65536];
	int line = connect_to(SOCK_STREAM), lie = connect_to(SOCK_STREAM),
	    good = connect_to(SOCK_STREAM);

	(void)state;
	memset(block, 'x', sizeof block);
	send_all(line, "<1>t: ", 6);
	send_endless(line, block, sizeof block, 20 << 20);
	send_all(lie, "9999999 ", 8);
	send_endless(lie, block, sizeof block, 4 << 20);
	send_all(good, "<1>t: good\n", 11);
	run_until(figures().messages == 1);
	assert_string_equal(seen, "(good)");
	assert_int_equal(figures().connections, 3);
	assert_int_equal(figures().oversize, 2);
	send_all(line, "\n<1>t: over\n", 13);
	run_until(figures().messages == 2);
	assert_string_equal(seen, "(good)(over)");
	/* What it counts is more than it sends: it waits, and holds nobody up. */
	send_all(lie, "1", 1);
	close(lie);
	run_until(figures().connections == 2);
	assert_int_equal(figures().bad, 0);
	assert_int_equal(figures().ended, 0);
	close(line);
	close(good);
	run_until(figures().connections == 0);
}

static void test_many(void **state)
{
	int fd[SYSLOG_CONNECTIONS_MAX + 1];

	(void)state;
	for (int i = 0; i < SYSLOG_CONNECTIONS_MAX; i++) {
		fd[i] = connect_to(SOCK_STREAM);
		run_until(figures().connections == (unsigned)i + 1);
	}
	/* The first speaks; the second, silent longest, makes room. */
	send_all(fd[0], "<1>t: x\n", 8);
	run_until(figures().messages == 1);
	fd[SYSLOG_CONNECTIONS_MAX] = connect_to(SOCK_STREAM);
	run_until(figures().ended == 1);
	assert_int_equal(figures().connections, SYSLOG_CONNECTIONS_MAX);
	send_all(fd[0], "<1>t: y\n", 8);
	send_all(fd[SYSLOG_CONNECTIONS_MAX], "<1>t: z\n", 8);
	run_until(figures().messages == 3);
	for (int i = 0; i <= SYSLOG_CONNECTIONS_MAX; i++)
		close(fd[i]);
	run_until(figures().connections == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_udp, begin_udp, end),
		cmocka_unit_test_setup_teardown(test_tcp, begin_tcp, end),
		cmocka_unit_test_setup_teardown(test_endless, begin_tcp, end),
		cmocka_unit_test_setup_teardown(test_many, begin_tcp, end),
	};

	return cmocka_run_group_tests_name("syslog_server", tests, NULL, NULL);
}
