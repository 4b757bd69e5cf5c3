/* SPDX-License-Identifier: Apache-2.0 */
#include "../cmocka_all.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sockets_for_test.h"

#define PATIENCE (60 * USEC_PER_SEC)

static void on_receive(
	void *context, const struct honeypot_path *path, struct view bytes, usec now)
{
	struct bench *b = context;
	struct buffer answer = {0};

	assert_true(now > 0);
	b->received++;
	b->path = *path;
	if (bytes.n > b->longest)
		b->longest = bytes.n;
	buffer_free(&b->last);
	if (bytes.n)
		assert_int_equal(buffer_put(&b->last, bytes.p, bytes.n), 0);
	if (b->mute)
		return;
	buffer_put(&answer, "re:", 3);
	if (bytes.n)
		buffer_put(&answer, bytes.p, bytes.n < 65000 ? bytes.n : 65000);
	honeypot_sockets_send(b->sockets, path, view_of(answer.p, answer.n));
	buffer_free(&answer);
}

static void on_closed(void *context, uint64_t connection, usec now)
{
	struct bench *b = context;

	assert_true(now > 0);
	b->closed++;
	b->closed_number = connection;
}

void bench_start(struct bench *b)
{
	memset(b, 0, sizeof *b);
	signal(SIGPIPE, SIG_IGN); /* as in every role */
	assert_int_equal(uv_loop_init(&b->loop), 0);
	b->config = honeypot_sockets_config_default;
}

void bench_open(struct bench *b)
{
	const struct honeypot_sockets_hooks hooks = {b, on_receive, on_closed};

	b->sockets = honeypot_sockets_new(&b->loop, &b->config, &hooks);
	assert_non_null(b->sockets);
}

uint16_t bench_listen(struct bench *b, enum sip_transport transport, const char *local)
{
	bool secure = transport == TRANSPORT_TLS || transport == TRANSPORT_WSS;
	struct sockaddr_storage ss;
	socklen_t length = sizeof ss;
	struct address address;
	struct error err = {""};
	uint16_t port;
	int fd;

	assert_int_equal(address_parse(&address, view_str(local), &err), 0);
	fd = transport == TRANSPORT_UDP ? honeypot_open_udp(&address, 0, &err) :
					  honeypot_open_tcp(&address, 0, &err);
	if (fd < 0)
		fail_msg("%s", err.text);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&ss, &length), 0);
	address_from_sockaddr(&address, &port, (struct sockaddr *)&ss);
	if (honeypot_sockets_add(b->sockets, transport, fd, secure ? b->tls : NULL, &err))
		fail_msg("%s", err.text);
	return port;
}

void bench_stop(struct bench *b)
{
	honeypot_sockets_close(b->sockets);
	uv_run(&b->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&b->loop), 0);
	honeypot_tls_free(b->tls);
	buffer_free(&b->last);
}

void bench_turn(struct bench *b)
{
	uv_run(&b->loop, UV_RUN_NOWAIT);
	usleep(200);
}

void bench_until(struct bench *b, unsigned received)
{
	usec end = clock_monotonic() + PATIENCE;

	while (b->received < received && clock_monotonic() < end)
		bench_turn(b);
	assert_int_equal(b->received, received);
}

struct honeypot_sockets_figures bench_figures(const struct bench *b)
{
	struct honeypot_sockets_figures f;

	honeypot_sockets_figures(b->sockets, &f);
	return f;
}

static socklen_t sockaddr_of(struct sockaddr_storage *ss, const char *text, uint16_t port)
{
	struct address a;

	assert_int_equal(address_parse(&a, view_str(text), NULL), 0);
	return address_to_sockaddr(ss, &a, port);
}

int client_open(int type, const char *from, const char *to, uint16_t port)
{
	struct sockaddr_storage ss;
	socklen_t length = sockaddr_of(&ss, to, port);
	int fd = socket(ss.ss_family, type | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	if (from) {
		struct sockaddr_storage local;
		socklen_t n = sockaddr_of(&local, from, 0);

		assert_int_equal(bind(fd, (struct sockaddr *)&local, n), 0);
	}
	if (connect(fd, (struct sockaddr *)&ss, length))
		fail_msg("connect %s port %u: %s", to, port, strerror(errno));
	return fd;
}

size_t client_read(struct bench *b, int fd, void *dst, size_t n)
{
	usec end = clock_monotonic() + PATIENCE;
	size_t got = 0;

	while (got < n && clock_monotonic() < end) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		ssize_t k;

		uv_run(&b->loop, UV_RUN_NOWAIT);
		if (poll(&p, 1, 1) <= 0)
			continue;
		k = recv(fd, (char *)dst + got, n - got, MSG_DONTWAIT);
		if (k == 0 || (k < 0 && errno != EAGAIN))
			break;
		got += k > 0 ? (size_t)k : 0;
	}
	return got;
}
