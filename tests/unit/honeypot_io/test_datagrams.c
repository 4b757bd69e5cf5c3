/* SPDX-License-Identifier: Apache-2.0 */
#include "../cmocka_all.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sockets_for_test.h"

static bool has_ipv6(void)
{
	struct address one = {6, {[15] = 1}};
	int fd = honeypot_open_udp(&one, 0, NULL);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* One question to an address of a socket that is bound to all. */
static void ask(struct bench *b, const char *from, const char *to, uint16_t port)
{
	int fd = client_open(SOCK_DGRAM, from, to, port);
	unsigned before = b->received;
	char text[ADDRESS_TEXT], bytes[64];

	assert_int_equal(send(fd, "hello", 5, 0), 5);
	bench_until(b, before + 1);
	assert_string_equal(address_print(text, &b->path.local), to);
	assert_int_equal(b->path.local_port, port);
	assert_int_equal(b->path.transport, TRANSPORT_UDP);
	assert_int_equal(b->path.connection, 0);
	if (from)
		assert_string_equal(address_print(text, &b->path.remote), from);
	/* A connected client takes it only from the address that it asked. */
	assert_int_equal(client_read(b, fd, bytes, 8), 8);
	assert_memory_equal(bytes, "re:hello", 8);
	close(fd);
}

static void answers_leave_from_the_address_asked(void **state)
{
	struct bench b;
	uint16_t port;

	(void)state;
	bench_start(&b);
	bench_open(&b);
	port = bench_listen(&b, TRANSPORT_UDP, "0.0.0.0");
	ask(&b, NULL, "127.0.0.1", port);
	ask(&b, "127.0.0.9", "127.0.0.2", port);
	ask(&b, "127.1.2.3", "127.9.9.9", port);
	port = bench_listen(&b, TRANSPORT_UDP, "127.0.0.3");
	ask(&b, "127.0.0.9", "127.0.0.3", port);
	if (has_ipv6()) {
		port = bench_listen(&b, TRANSPORT_UDP, "::");
		ask(&b, "::1", "::1", port);
	} else {
		left_out("no IPv6 on this machine");
	}
	assert_int_equal(bench_figures(&b).send_failed, 0);
	bench_stop(&b);
}

/* What a timer sends has no question at hand. */
static void answers_later(void **state)
{
	struct bench b;
	uint16_t port;
	char bytes[16];
	int fd;

	(void)state;
	bench_start(&b);
	b.mute = true;
	bench_open(&b);
	port = bench_listen(&b, TRANSPORT_UDP, "0.0.0.0");
	(void)bench_listen(&b, TRANSPORT_UDP, "127.0.0.1");
	fd = client_open(SOCK_DGRAM, NULL, "127.0.0.7", port);
	assert_int_equal(send(fd, "x", 1, 0), 1);
	bench_until(&b, 1);
	honeypot_sockets_send(b.sockets, &b.path, view_str("later"));
	assert_int_equal(bench_figures(&b).sent, 0);
	honeypot_sockets_flush(b.sockets);
	assert_int_equal(bench_figures(&b).sent, 1);
	assert_int_equal(client_read(&b, fd, bytes, 5), 5);
	assert_memory_equal(bytes, "later", 5);
	/* Without flush it leaves when the loop turns. */
	honeypot_sockets_send(b.sockets, &b.path, view_str("again"));
	assert_int_equal(client_read(&b, fd, bytes, 5), 5);
	/* A port that is not ours, and a datagram that none can carry. */
	b.path.local_port = 1;
	honeypot_sockets_send(b.sockets, &b.path, view_str("nowhere"));
	assert_int_equal(bench_figures(&b).send_failed, 1);
	close(fd);
	bench_stop(&b);
}

static void longest_datagram(void **state)
{
	static uint8_t bytes[65507], back[65536];
	struct bench b;
	uint16_t port;
	int fd, size = 1 << 20;

	(void)state;
	bench_start(&b);
	bench_open(&b);
	port = bench_listen(&b, TRANSPORT_UDP, "127.0.0.1");
	fd = client_open(SOCK_DGRAM, NULL, "127.0.0.1", port);
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(i * 7);
	for (unsigned round = 1; round <= 3; round++) {
		assert_int_equal(send(fd, bytes, sizeof bytes, 0), sizeof bytes);
		bench_until(&b, round);
		assert_int_equal(b.last.n, sizeof bytes);
		assert_memory_equal(b.last.p, bytes, sizeof bytes);
		assert_int_equal(client_read(&b, fd, back, 65003), 65003);
		assert_memory_equal(back + 3, bytes, 65000);
	}
	/* An empty one is a datagram too. */
	assert_int_equal(send(fd, bytes, 0, 0), 0);
	bench_until(&b, 4);
	assert_int_equal(b.last.n, 0);
	close(fd);
	bench_stop(&b);
}

/* A burst of more than a batch: all come, all are answered, in order. */
static void bursts(void **state)
{
	struct bench b;
	uint16_t port;
	int fd;

	(void)state;
	bench_start(&b);
	bench_open(&b);
	port = bench_listen(&b, TRANSPORT_UDP, "127.0.0.1");
	fd = client_open(SOCK_DGRAM, NULL, "127.0.0.1", port);
	for (uint32_t i = 0; i < 200; i++)
		assert_int_equal(send(fd, &i, sizeof i, 0), sizeof i);
	bench_until(&b, 200);
	for (uint32_t i = 0; i < 200; i++) {
		uint8_t bytes[7];

		assert_int_equal(client_read(&b, fd, bytes, 7), 7);
		assert_memory_equal(bytes + 3, &i, sizeof i);
	}
	assert_int_equal(bench_figures(&b).datagrams, 200);
	assert_int_equal(bench_figures(&b).sent, 200);
	assert_int_equal(bench_figures(&b).kernel_dropped, 0);
	close(fd);
	bench_stop(&b);
}

/* What the kernel had no room for is told with the next datagram that came. */
static void drops_are_counted(void **state)
{
	struct bench b;
	uint16_t port;
	uint64_t came;
	int fd, small = 4096;

	(void)state;
	bench_start(&b);
	b.mute = true;
	bench_open(&b);
	{
		struct address one = {4, {127, 0, 0, 1}};
		struct sockaddr_storage ss;
		socklen_t length = sizeof ss;
		struct address address;
		int in = honeypot_open_udp(&one, 0, NULL);

		assert_true(in >= 0);
		setsockopt(in, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
		getsockname(in, (struct sockaddr *)&ss, &length);
		address_from_sockaddr(&address, &port, (struct sockaddr *)&ss);
		assert_int_equal(
			honeypot_sockets_add(b.sockets, TRANSPORT_UDP, in, NULL, NULL),
			0);
	}
	fd = client_open(SOCK_DGRAM, NULL, "127.0.0.1", port);
	for (int i = 0; i < 500; i++)
		assert_int_equal(send(fd, "0123456789", 10, 0), 10);
	for (int i = 0; i < 50; i++)
		bench_turn(&b);
	assert_int_equal(send(fd, "last", 4, 0), 4);
	bench_until(&b, b.received + 1);
	came = b.received;
	assert_true(came < 501);
	assert_int_equal(bench_figures(&b).kernel_dropped, 501 - came);
	close(fd);
	bench_stop(&b);
}

static void errors_name_the_remedy(void **state)
{
	struct address one = {4, {127, 0, 0, 1}}, foreign = {4, {192, 0, 2, 77}};
	struct sockaddr_storage ss;
	socklen_t length = sizeof ss;
	struct address address;
	struct error err;
	uint16_t port;
	char text[320];
	int fd;

	(void)state;
	fd = honeypot_open_udp(&one, 0, &err);
	assert_true(fd >= 0);
	getsockname(fd, (struct sockaddr *)&ss, &length);
	address_from_sockaddr(&address, &port, (struct sockaddr *)&ss);
	assert_int_equal(honeypot_open_udp(&one, port, &err), -1);
	snprintf(text, sizeof text,
		"UDP 127.0.0.1 port %u: Address already in use; another program has it, "
		"the PBX itself perhaps: give the honeypot an address or a port of its "
		"own (ss -lunp shows who)",
		port);
	assert_string_equal(err.text, text);
	close(fd);
	assert_int_equal(honeypot_open_tcp(&foreign, 5060, &err), -1);
	assert_string_equal(err.text,
		"TCP 192.0.2.77 port 5060: Cannot assign requested address; no interface "
		"has this address: give it to one, or write another");
	if (geteuid() == 0) {
		left_out("root may have ports below 1024");
		return;
	}
	fd = honeypot_open_tcp(&one, 1, &err);
	if (fd >= 0) {
		left_out("anybody may have ports below 1024 here");
		close(fd);
		return;
	}
	assert_string_equal(err.text,
		"TCP 127.0.0.1 port 1: Permission denied; ports below 1024 are for root: "
		"start sipchaind as root, or let systemd open it "
		"(sipchaind-honeypot.socket)");
}

/* 50,000 datagrams of noise: nothing is kept of them. */
static void noise_leaves_nothing(void **state)
{
	struct bench b;
	uint16_t port;
	uint8_t bytes[1400];
	uint32_t x = 1;
	int fd;

	(void)state;
	bench_start(&b);
	b.mute = true;
	bench_open(&b);
	port = bench_listen(&b, TRANSPORT_UDP, "127.0.0.1");
	fd = client_open(SOCK_DGRAM, NULL, "127.0.0.1", port);
	for (unsigned i = 0; i < 50000; i++) {
		for (size_t j = 0; j < sizeof bytes; j += 4) {
			x = x * 1664525 + 1013904223;
			memcpy(bytes + j, &x, 4);
		}
		(void)send(fd, bytes, x % sizeof bytes, 0);
		if (i % 50 == 0)
			bench_until(&b, i + 1);
	}
	bench_until(&b, 50000);
	assert_int_equal(bench_figures(&b).buffered, 0);
	assert_int_equal(bench_figures(&b).datagrams, 50000);
	close(fd);
	bench_stop(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_leave_from_the_address_asked),
		cmocka_unit_test(answers_later),
		cmocka_unit_test(longest_datagram),
		cmocka_unit_test(bursts),
		cmocka_unit_test(drops_are_counted),
		cmocka_unit_test(errors_name_the_remedy),
		cmocka_unit_test(noise_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
