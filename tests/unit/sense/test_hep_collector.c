/* SPDX-License-Identifier: Apache-2.0 */
/* The collector behind real sockets on the loopback. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "sense/hep.h"

static uv_loop_t loop;
static struct hep_collector *collector;
static struct address local;
static uint16_t udp_port, tcp_port;
static struct observation last;
static unsigned n_seen;

static void observe(void *context, const struct observation *o)
{
	assert_ptr_equal(context, &n_seen);
	last = *o;
	n_seen++;
}

static uint16_t port_of(int fd)
{
	struct sockaddr_in sa;
	socklen_t n = sizeof sa;

	assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &n), 0);
	return ntohs(sa.sin_port);
}

static int setup(void **state)
{
	struct hep_config config = hep_config_default;
	struct error err;
	int udp, tcp;

	(void)state;
	n_seen = 0;
	config.password = "hepsecret";
	config.connections_max = 2;
	assert_int_equal(address_parse(&local, view_str("127.0.0.1"), NULL), 0);
	assert_int_equal(uv_loop_init(&loop), 0);
	collector = hep_collector_new(
		&loop, &config, (struct hash_key){1, 2}, observe, &n_seen);
	assert_non_null(collector);
	udp = hep_open_udp(&local, 0, &err);
	tcp = hep_open_tcp(&local, 0, &err);
	assert_in_range(udp, 0, 1 << 16);
	assert_in_range(tcp, 0, 1 << 16);
	udp_port = port_of(udp);
	assert_int_equal(hep_collector_udp(collector, udp, &err), 0);
	assert_int_equal(hep_collector_tcp(collector, tcp, &err), 0);
	tcp_port = port_of(tcp);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	hep_collector_close(collector);
	while (uv_run(&loop, UV_RUN_DEFAULT))
		;
	/* All handles were closed, or this says EBUSY. */
	return uv_loop_close(&loop);
}

static void append(struct buffer *b, const char *password, const char *payload)
{
	struct hep_message m = {
		.source = {4, {198, 51, 100, 7}},
		.destination = {4, {192, 0, 2, 10}},
		.source_port = 5070,
		.destination_port = 5060,
		.protocol = HEP_PROTOCOL_UDP,
		.type = HEP_TYPE_SIP,
		.payload = view_str(payload),
	};

	if (password) {
		m.has_key = true;
		m.key = view_str(password);
	}
	assert_int_equal(hep_encode(b, &m), 0);
}

/* A message that makes one observation by itself. */
#define MALFORMED "REGISTER sip:x SIP/2.0\r\nFrom: <<<>\r\n\r\n"

static int connect_to(int type, uint16_t port)
{
	struct sockaddr_storage ss;
	socklen_t n = address_to_sockaddr(&ss, &local, port);
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&ss, n), 0);
	return fd;
}

static void send_all(int fd, const void *p, size_t n)
{
	assert_int_equal(send(fd, p, n, MSG_NOSIGNAL), n);
}

static struct hep_figures figures(void)
{
	struct hep_figures f;

	hep_figures(collector, &f);
	return f;
}

/* Run the loop until so many messages arrived; bounded by turns, not by time. */
static void run_until(uint64_t received)
{
	for (int i = 0; i < 1000 && figures().received < received; i++)
		uv_run(&loop, UV_RUN_ONCE);
	assert_int_equal(figures().received, received);
}

static void test_udp(void **state)
{
	int fd = connect_to(SOCK_DGRAM, udp_port);
	struct buffer b = {0};

	(void)state;
	append(&b, "hepsecret", MALFORMED);
	send_all(fd, b.p, b.n);
	run_until(1);
	assert_int_equal(n_seen, 1);
	assert_int_equal(last.kind, OBSERVED_MALFORMED);
	assert_true(address_eq(&last.source, &(struct address){4, {198, 51, 100, 7}}));
	assert_int_equal(last.port, 5070);

	send_all(fd, b.p, b.n - 1);
	send_all(fd, "hello", 5);
	b.n = 0;
	append(&b, "wrong", MALFORMED);
	send_all(fd, b.p, b.n);
	b.n = 0;
	append(&b, NULL, MALFORMED);
	send_all(fd, b.p, b.n);
	b.p[b.n - strlen(MALFORMED) - 3] = 0x10; /* chunk type: compressed */
	send_all(fd, b.p, b.n);
	run_until(6);
	assert_int_equal(n_seen, 1);
	assert_int_equal(figures().bad, 2);
	assert_int_equal(figures().wrong_password, 2);
	assert_int_equal(figures().compressed, 1);
	buffer_free(&b);
	close(fd);
}

static void test_udp_batch(void **state)
{
	int fd = connect_to(SOCK_DGRAM, udp_port);
	struct buffer b = {0};

	(void)state;
	append(&b, "hepsecret", MALFORMED);
	for (int i = 0; i < 150; i++) /* more than two batches */
		send_all(fd, b.p, b.n);
	run_until(150);
	assert_int_equal(n_seen, 150);
	assert_int_equal(figures().kernel_dropped, 0);
	buffer_free(&b);
	close(fd);
}

static void test_tcp(void **state)
{
	int fd = connect_to(SOCK_STREAM, tcp_port);
	struct buffer b = {0};

	(void)state;
	/* Two and a half messages, the rest byte by byte. */
	append(&b, "hepsecret", MALFORMED);
	append(&b, "wrong", MALFORMED);
	append(&b, "hepsecret", MALFORMED);
	send_all(fd, b.p, b.n / 6 * 5);
	run_until(2);
	assert_int_equal(n_seen, 1);
	for (size_t i = b.n / 6 * 5; i < b.n; i++) {
		send_all(fd, b.p + i, 1);
		uv_run(&loop, UV_RUN_NOWAIT);
	}
	run_until(3);
	assert_int_equal(n_seen, 2);
	assert_int_equal(figures().wrong_password, 1);
	assert_int_equal(figures().connections, 1);
	buffer_free(&b);
	close(fd);
	for (int i = 0; i < 1000 && figures().connections; i++)
		uv_run(&loop, UV_RUN_ONCE);
	assert_int_equal(figures().connections, 0);
}

/* The longest message there is fits. */
static void test_tcp_long(void **state)
{
	/* The header, the ten chunks of fixed size, key and payload. */
	static char payload[HEP_MESSAGE_MAX - (6 + 87 + 15 + 6) + 1];
	int fd = connect_to(SOCK_STREAM, tcp_port);
	struct buffer b = {0};

	(void)state;
	memset(payload, 'x', sizeof payload - 1);
	memcpy(payload, MALFORMED, strlen(MALFORMED));
	append(&b, "hepsecret", payload);
	assert_int_equal(b.n, HEP_MESSAGE_MAX);
	/* The socket takes it in parts while the loop runs. */
	for (size_t at = 0; at < b.n;) {
		ssize_t n = send(fd, b.p + at, b.n - at, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n > 0)
			at += (size_t)n;
		uv_run(&loop, UV_RUN_NOWAIT);
	}
	run_until(1);
	assert_int_equal(n_seen, 1);
	buffer_free(&b);
	close(fd);
}

static void test_tcp_garbage(void **state)
{
	int fd = connect_to(SOCK_STREAM, tcp_port);
	uint8_t byte;

	(void)state;
	send_all(fd, "GET / HTTP/1.1\r\n", 16);
	run_until(1);
	assert_int_equal(figures().bad, 1);
	assert_int_equal(figures().connections, 0);
	uv_run(&loop, UV_RUN_NOWAIT);
	assert_in_range(recv(fd, &byte, 1, 0) + 1, 0, 1); /* closed or reset */
	close(fd);
}

/* Lengths that lie: a message that never comes holds nobody up. */
static void test_tcp_lies(void **state)
{
	static const uint8_t longest[] = "HEP3\xff\xff"
					 "abcdefgh";
	static const uint8_t shortest[] = {'H', 'E', 'P', '3', 0, 5};
	int liar = connect_to(SOCK_STREAM, tcp_port), good;
	struct buffer b = {0};

	(void)state;
	append(&b, "hepsecret", MALFORMED);
	send_all(liar, longest, sizeof longest);
	for (int i = 0; i < 1000 && !figures().connections; i++)
		uv_run(&loop, UV_RUN_NOWAIT);
	good = connect_to(SOCK_STREAM, tcp_port);
	send_all(good, b.p, b.n);
	run_until(1);
	assert_int_equal(n_seen, 1);
	assert_int_equal(figures().connections, 2);
	/* One that says less than its own head ends its connection. */
	close(liar);
	liar = connect_to(SOCK_STREAM, tcp_port);
	send_all(liar, shortest, sizeof shortest);
	run_until(2);
	assert_int_equal(figures().bad, 1);
	/* A chunk that goes on behind its message: counted, and the next is read. */
	b.p[6 + 5] = 0xff;
	send_all(good, b.p, b.n);
	b.n = 0;
	append(&b, "hepsecret", MALFORMED);
	send_all(good, b.p, b.n);
	run_until(4);
	assert_int_equal(figures().bad, 2);
	assert_int_equal(n_seen, 2);
	close(liar);
	close(good);
	buffer_free(&b);
}

/* A third connection ends the one that was silent longest. */
static void test_tcp_limit(void **state)
{
	int fd[3];
	struct buffer b = {0};
	uint8_t byte;

	(void)state;
	append(&b, "hepsecret", MALFORMED);
	for (int i = 0; i < 2; i++) {
		fd[i] = connect_to(SOCK_STREAM, tcp_port);
		send_all(fd[i], b.p, b.n);
		run_until((uint64_t)i + 1);
	}
	send_all(fd[0], b.p, b.n); /* so the second is the silent one */
	run_until(3);
	fd[2] = connect_to(SOCK_STREAM, tcp_port);
	send_all(fd[2], b.p, b.n);
	run_until(4);
	assert_int_equal(figures().connections, 2);
	assert_int_equal(figures().connections_refused, 1);
	assert_int_equal(recv(fd[1], &byte, 1, 0), 0);
	send_all(fd[0], b.p, b.n);
	run_until(5);
	assert_int_equal(n_seen, 5);
	buffer_free(&b);
	for (int i = 0; i < 3; i++)
		close(fd[i]);
}

static void test_open_errors(void **state)
{
	struct address other;
	struct error err;

	(void)state;
	assert_int_equal(hep_open_udp(&local, udp_port, &err), -1);
	assert_non_null(strstr(err.text, "HEP: cannot bind 127.0.0.1 port "));
	assert_non_null(strstr(err.text, "is another program running?"));
	assert_int_equal(hep_open_tcp(&local, tcp_port, &err), -1);
	assert_int_equal(address_parse(&other, view_str("198.51.100.1"), NULL), 0);
	assert_int_equal(hep_open_udp(&other, 9060, &err), -1);
	assert_non_null(strstr(err.text, "no interface has this address"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

/* Whoever breaks into the sensor cannot send from its socket. */
static void test_udp_never_sends(void **state)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9)};
	struct address address;
	int fd;

	(void)state;
	assert_int_equal(address_parse(&address, view_str("127.0.0.1"), NULL), 0);
	fd = hep_open_udp(&address, 0, NULL);
	assert_true(fd >= 0);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(
		sendto(fd, "x", 1, MSG_NOSIGNAL, (struct sockaddr *)&to, sizeof to), -1);
	assert_int_equal(errno, EPIPE);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_udp),
		TEST(test_udp_batch),
		TEST(test_tcp),
		TEST(test_tcp_long),
		TEST(test_tcp_garbage),
		TEST(test_tcp_lies),
		TEST(test_tcp_limit),
		TEST(test_open_errors),
		TEST(test_udp_never_sends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
