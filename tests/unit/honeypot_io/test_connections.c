/* SPDX-License-Identifier: Apache-2.0 */
#include "../cmocka_all.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sockets_for_test.h"

#define OPTIONS                                                                          \
	"OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/TCP h\r\nContent-Length: 4\r\n\r\nbody"
#define LENGTH (sizeof OPTIONS - 1)

static void put(int fd, const void *bytes, size_t n)
{
	assert_int_equal(send(fd, bytes, n, MSG_NOSIGNAL), n);
}

/* The next bytes for this client are these. */
static void expect(struct bench *b, int fd, const char *text)
{
	char got[1024];
	size_t n = strlen(text);

	assert_int_equal(client_read(b, fd, got, n), n);
	assert_memory_equal(got, text, n);
}

/* It is closed, and nothing came before. */
static void expect_end(struct bench *b, int fd)
{
	char got[64];

	assert_int_equal(client_read(b, fd, got, sizeof got), 0);
	close(fd);
}

/* Let the loop go on until the number of connections is that. */
static void until_connections(struct bench *b, unsigned n)
{
	usec end = clock_monotonic() + 5 * USEC_PER_SEC;

	while (bench_figures(b).connections != n && clock_monotonic() < end)
		bench_turn(b);
	assert_int_equal(bench_figures(b).connections, n);
}

static void a_message_cut_anywhere(void **state)
{
	struct bench b;
	uint16_t port;
	int fd;

	(void)state;
	bench_start(&b);
	bench_open(&b);
	port = bench_listen(&b, TRANSPORT_TCP, "127.0.0.1");
	fd = client_open(SOCK_STREAM, "127.0.0.5", "127.0.0.1", port);
	until_connections(&b, 1);
	for (unsigned at = 1; at < LENGTH; at++) {
		put(fd, OPTIONS, at);
		for (int i = 0; i < 3; i++)
			bench_turn(&b);
		assert_int_equal(b.received, at - 1);
		assert_true(bench_figures(&b).buffered > 0);
		put(fd, &OPTIONS[at], LENGTH - at);
		bench_until(&b, at);
		assert_int_equal(b.last.n, LENGTH);
		assert_memory_equal(b.last.p, OPTIONS, LENGTH);
		expect(&b, fd, "re:" OPTIONS);
		/* Between messages nothing is held. */
		assert_int_equal(bench_figures(&b).buffered, 0);
	}
	assert_int_equal(b.path.transport, TRANSPORT_TCP);
	assert_true(b.path.connection != 0);
	assert_int_equal(b.path.local_port, port);
	close(fd);
	until_connections(&b, 0);
	assert_int_equal(b.closed, 1);
	assert_int_equal(b.closed_number, b.path.connection);
	/* Too late: it is dropped, and counted. */
	honeypot_sockets_send(b.sockets, &b.path, view_str("x"));
	assert_int_equal(bench_figures(&b).send_failed, 1);
	bench_stop(&b);
}

static void messages_and_life_signs_together(void **state)
{
	struct bench b;
	uint16_t port;
	int fd;

	(void)state;
	bench_start(&b);
	bench_open(&b);
	port = bench_listen(&b, TRANSPORT_TCP, "127.0.0.1");
	fd = client_open(SOCK_STREAM, NULL, "127.0.0.1", port);
	put(fd, OPTIONS OPTIONS "\r\n\r\n" OPTIONS "\r\n\r\n", 3 * LENGTH + 8);
	bench_until(&b, 3);
	expect(&b, fd, "re:" OPTIONS "re:" OPTIONS "\r\nre:" OPTIONS "\r\n");
	close(fd);
	until_connections(&b, 0);
	bench_stop(&b);
}

/* The longest message there is, and one byte more. */
static void long_messages(void **state)
{
	static char text[65536], back[65536];
	struct bench b;
	uint16_t port;
	int fd, head;

	(void)state;
	bench_start(&b);
	bench_open(&b);
	port = bench_listen(&b, TRANSPORT_TCP, "127.0.0.1");
	fd = client_open(SOCK_STREAM, NULL, "127.0.0.1", port);
	memset(text, 'b', sizeof text);
	head = snprintf(text, sizeof text,
		"MESSAGE sip:a SIP/2.0\r\nContent-Length: %d\r\n\r\n", 65535 - 48);
	assert_int_equal(head, 48);
	text[head] = 'b';
	put(fd, text, 65535);
	bench_until(&b, 1);
	assert_int_equal(b.last.n, 65535);
	assert_memory_equal(b.last.p, text, 65535);
	assert_int_equal(client_read(&b, fd, back, 65003), 65003);
	assert_int_equal(bench_figures(&b).buffered, 0);
	assert_int_equal(bench_figures(&b).broken, 0);
	snprintf(text, sizeof text, "MESSAGE sip:a SIP/2.0\r\nContent-Length: %d\r\n\r\n",
		65535 - 47);
	put(fd, text, 48);
	/* It can never be whole: what there is goes to the core, then the end. */
	bench_until(&b, 2);
	assert_int_equal(b.last.n, 48);
	assert_int_equal(client_read(&b, fd, back, 51), 51);
	expect_end(&b, fd);
	assert_int_equal(bench_figures(&b).broken, 1);
	bench_stop(&b);
}

static void what_speaks_no_sip_is_seen_once(void **state)
{
	struct bench b;
	uint16_t port;
	int fd;

	(void)state;
	bench_start(&b);
	bench_open(&b);
	port = bench_listen(&b, TRANSPORT_TCP, "127.0.0.1");
	fd = client_open(SOCK_STREAM, NULL, "127.0.0.1", port);
	put(fd, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", 27);
	bench_until(&b, 1);
	expect(&b, fd, "re:GET / HTTP/1.1\r\nHost: a\r\n\r\n");
	expect_end(&b, fd);
	assert_int_equal(b.received, 1);
	assert_int_equal(bench_figures(&b).broken, 1);
	assert_int_equal(bench_figures(&b).buffered, 0);
	bench_stop(&b);
}

/* Each byte comes in time, the message does not. */
static void slow_ones_have_their_time(void **state)
{
	struct bench b;
	uint16_t port;
	usec end;
	int fd, idle;
	size_t at = 0;

	(void)state;
	bench_start(&b);
	b.config.within = 1;
	b.mute = true;
	bench_open(&b);
	port = bench_listen(&b, TRANSPORT_TCP, "127.0.0.1");
	idle = client_open(SOCK_STREAM, NULL, "127.0.0.1", port);
	fd = client_open(SOCK_STREAM, NULL, "127.0.0.1", port);
	until_connections(&b, 2);
	end = clock_monotonic() + 5 * USEC_PER_SEC;
	while (bench_figures(&b).connections == 2 && clock_monotonic() < end) {
		if (at + 1 < LENGTH)
			(void)send(fd, &OPTIONS[at++], 1, MSG_NOSIGNAL);
		for (int i = 0; i < 50; i++)
			bench_turn(&b);
	}
	assert_int_equal(bench_figures(&b).timed_out, 1);
	assert_int_equal(bench_figures(&b).connections, 1);
	assert_int_equal(bench_figures(&b).buffered, 0);
	/* What there was of it was judged. */
	assert_int_equal(b.received, 1);
	assert_true(b.last.n > 0 && b.last.n < LENGTH);
	assert_memory_equal(b.last.p, OPTIONS, b.last.n);
	/* The one that says nothing at all is still there. */
	put(idle, OPTIONS, LENGTH);
	bench_until(&b, 2);
	close(fd);
	close(idle);
	until_connections(&b, 0);
	bench_stop(&b);
}

/* Who does not read is not waited for, and costs no more than his share. */
static void who_does_not_read_is_dropped(void **state)
{
	static char text[60000];
	struct honeypot_path path;
	struct bench b;
	uint16_t port;
	int fd, other;

	(void)state;
	bench_start(&b);
	b.mute = true;
	bench_open(&b);
	port = bench_listen(&b, TRANSPORT_TCP, "127.0.0.1");
	fd = client_open(SOCK_STREAM, NULL, "127.0.0.1", port);
	put(fd, OPTIONS, LENGTH);
	bench_until(&b, 1);
	path = b.path;
	other = client_open(SOCK_STREAM, NULL, "127.0.0.1", port);
	until_connections(&b, 2);
	for (int i = 0; i < 1000 && bench_figures(&b).connections == 2; i++) {
		honeypot_sockets_send(b.sockets, &path, view_of(text, sizeof text));
		assert_true(bench_figures(&b).buffered <= 128 << 10);
		bench_turn(&b);
	}
	assert_int_equal(bench_figures(&b).connections, 1);
	assert_int_equal(bench_figures(&b).buffered, 0);
	assert_true(bench_figures(&b).send_failed >= 1);
	put(other, OPTIONS, LENGTH);
	bench_until(&b, 2);
	close(fd);
	close(other);
	until_connections(&b, 0);
	bench_stop(&b);
}

static void the_longest_idle_gives_way(void **state)
{
	struct bench b;
	uint16_t port;
	int fd[4];

	(void)state;
	bench_start(&b);
	b.config.connections_max = 3;
	bench_open(&b);
	port = bench_listen(&b, TRANSPORT_TCP, "127.0.0.1");
	for (int i = 0; i < 3; i++) {
		fd[i] = client_open(SOCK_STREAM, NULL, "127.0.0.1", port);
		until_connections(&b, (unsigned)i + 1);
	}
	/* The first speaks, so the second has been silent longest. */
	put(fd[0], OPTIONS, LENGTH);
	expect(&b, fd[0], "re:" OPTIONS);
	fd[3] = client_open(SOCK_STREAM, NULL, "127.0.0.1", port);
	expect_end(&b, fd[1]);
	assert_int_equal(bench_figures(&b).refused, 1);
	assert_int_equal(b.closed_number, 2);
	for (int i = 0; i < 4; i++) {
		if (i == 1)
			continue;
		put(fd[i], OPTIONS, LENGTH);
		expect(&b, fd[i], "re:" OPTIONS);
		close(fd[i]);
	}
	until_connections(&b, 0);
	bench_stop(&b);
}

static void one_source_has_its_share(void **state)
{
	struct bench b;
	uint16_t port;
	int fd[2], third, other;

	(void)state;
	bench_start(&b);
	b.config.connections_per_source = 2;
	bench_open(&b);
	port = bench_listen(&b, TRANSPORT_TCP, "127.0.0.1");
	fd[0] = client_open(SOCK_STREAM, "127.0.0.8", "127.0.0.1", port);
	fd[1] = client_open(SOCK_STREAM, "127.0.0.8", "127.0.0.1", port);
	until_connections(&b, 2);
	third = client_open(SOCK_STREAM, "127.0.0.8", "127.0.0.1", port);
	expect_end(&b, third);
	other = client_open(SOCK_STREAM, "127.0.0.9", "127.0.0.1", port);
	until_connections(&b, 3);
	/* One goes, one may come. */
	close(fd[0]);
	until_connections(&b, 2);
	fd[0] = client_open(SOCK_STREAM, "127.0.0.8", "127.0.0.1", port);
	put(fd[0], OPTIONS, LENGTH);
	expect(&b, fd[0], "re:" OPTIONS);
	assert_int_equal(bench_figures(&b).refused, 1);
	close(fd[0]);
	close(fd[1]);
	close(other);
	until_connections(&b, 0);
	bench_stop(&b);
}

/* Unfinished messages together have no more than their share. */
static void all_buffers_are_bounded(void **state)
{
	static char text[20000];
	struct bench b;
	uint16_t port;
	int fd[8];

	(void)state;
	bench_start(&b);
	b.config.buffers_max = 100000;
	bench_open(&b);
	port = bench_listen(&b, TRANSPORT_TCP, "127.0.0.1");
	memset(text, 'x', sizeof text);
	memcpy(text, "INVITE sip:a SIP/2.0\r\nX: ", 25);
	for (int i = 0; i < 8; i++) {
		fd[i] = client_open(SOCK_STREAM, NULL, "127.0.0.1", port);
		put(fd[i], text, sizeof text);
		for (int j = 0; j < 20; j++)
			bench_turn(&b);
		assert_true(bench_figures(&b).buffered <= 100000);
	}
	/* 32 KiB each: three found room. */
	until_connections(&b, 3);
	assert_int_equal(bench_figures(&b).refused, 5);
	for (int i = 0; i < 8; i++)
		close(fd[i]);
	until_connections(&b, 0);
	assert_int_equal(bench_figures(&b).buffered, 0);
	bench_stop(&b);
}

static size_t resident_pages(void)
{
	unsigned long total, resident = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%lu %lu", &total, &resident), 2);
	fclose(f);
	return resident;
}

#define MANY 10000

/* The other ends, in a process of their own: no limit has room for both. */
static void hold_connections(uint16_t port, int until)
{
	char byte;

	for (int i = 0; i < MANY; i++) {
		struct sockaddr_in from = {.sin_family = AF_INET}, to = from;
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		from.sin_addr.s_addr = htonl(0x7f000000u | (unsigned)(1 + i / 200) << 8 |
			(unsigned)(1 + i % 200));
		to.sin_addr.s_addr = htonl(0x7f000001u);
		to.sin_port = htons(port);
		if (fd < 0 || bind(fd, (struct sockaddr *)&from, sizeof from) ||
			connect(fd, (struct sockaddr *)&to, sizeof to))
			_exit(1);
	}
	(void)!read(until, &byte, 1);
	_exit(0);
}

/* 10,000 that say nothing, and those who speak are served all the same. */
static void ten_thousand_idle(void **state)
{
	struct rlimit limit;
	int pipes[2], last, status;
	struct bench b;
	uint16_t port;
	size_t before;
	usec end;
	pid_t child;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = MANY + 200;
	if (limit.rlim_max < limit.rlim_cur || setrlimit(RLIMIT_NOFILE, &limit)) {
		left_out("10,000 connections need 10,200 descriptors (ulimit -Hn)");
		return;
	}
	bench_start(&b);
	bench_open(&b);
	port = bench_listen(&b, TRANSPORT_TCP, "127.0.0.1");
	before = resident_pages();
	assert_int_equal(pipe(pipes), 0);
	child = fork();
	assert_true(child >= 0);
	if (!child) {
		close(pipes[1]);
		hold_connections(port, pipes[0]);
	}
	close(pipes[0]);
	end = clock_monotonic() + 50 * USEC_PER_SEC;
	while (bench_figures(&b).connections < MANY && clock_monotonic() < end)
		bench_turn(&b);
	assert_int_equal(bench_figures(&b).connections, MANY);
	assert_int_equal(bench_figures(&b).refused, 0);
	assert_int_equal(bench_figures(&b).buffered, 0);
	print_message("10,000 idle connections: %zu bytes each\n",
		(resident_pages() - before) * (size_t)getpagesize() / MANY);
	/* One more: the first, silent longest, goes. */
	last = client_open(SOCK_STREAM, "127.0.200.1", "127.0.0.1", port);
	put(last, OPTIONS, LENGTH);
	expect(&b, last, "re:" OPTIONS);
	assert_int_equal(bench_figures(&b).connections, MANY);
	assert_int_equal(b.closed_number, 1);
	close(last);
	close(pipes[1]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	until_connections(&b, 0);
	assert_int_equal(b.closed, MANY + 1);
	bench_stop(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_cut_anywhere),
		cmocka_unit_test(messages_and_life_signs_together),
		cmocka_unit_test(long_messages),
		cmocka_unit_test(what_speaks_no_sip_is_seen_once),
		cmocka_unit_test(slow_ones_have_their_time),
		cmocka_unit_test(who_does_not_read_is_dropped),
		cmocka_unit_test(the_longest_idle_gives_way),
		cmocka_unit_test(one_source_has_its_share),
		cmocka_unit_test(all_buffers_are_bounded),
		cmocka_unit_test(ten_thousand_idle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
