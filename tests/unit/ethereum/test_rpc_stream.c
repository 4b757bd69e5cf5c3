/* SPDX-License-Identifier: Apache-2.0 */
/* JSON-RPC: streamed replies, cancelling and closing, what the process needs. */
#include "client.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server.h"

static void serve_slowly(struct peer *p, void *context)
{
	(void)context;
	while (!peer_request(p)) {
		char result[32];

		usleep(20000);
		snprintf(result, sizeof result, "%lu", peer_id(p));
		if (peer_result(p, result))
			break;
	}
}

static void serve_silence(struct peer *p, void *context)
{
	(void)context;
	peer_request(p);
	peer_wait(p);
}

static void serve_rate_limit(struct peer *p, void *context)
{
	while (!peer_request(p))
		peer_reply(p, "429 Too Many Requests", context, "slow down");
}

/* --- streams --- */

static void serve_stream(struct peer *p, void *context)
{
	const char *status = context;

	while (!peer_request(p)) {
		peer_printf(p, "HTTP/1.1 %s\r\nContent-Length: 30000\r\n\r\n", status);
		for (unsigned i = 0; i < 30; i++) {
			char bytes[1000];

			memset(bytes, 'a' + (int)i % 26, sizeof bytes);
			if (peer_write(p, bytes, sizeof bytes))
				return;
			usleep(50000);
		}
	}
}

static void test_stream(void **state)
{
	struct server *s = server_start(serve_stream, "200 OK", NULL, NULL);
	struct answer a = {0};
	struct client c;

	(void)state;
	client_open_port(&c, s->port, "");
	/* 30 pieces take longer than the time that one may take. */
	stream(&c, &a, 1000);
	answer_is(&a, RPC_RESULT, "");
	assert_false(a.has_result);
	assert_int_equal(a.body.n, 30000);
	assert_int_equal(a.body.p[29999], 'a' + 29 % 26);
	buffer_free(&a.body);
	a = (struct answer){.stop_at = 5000};
	stream(&c, &a, 5000);
	answer_is(&a, RPC_GARBAGE, "none that was asked for");
	assert_in_range(a.body.n, 5000, 30000);
	buffer_free(&a.body);
	client_close(&c);
	server_stop(s);
}

/* The body of an HTTP error is judged, not streamed. */
static void test_stream_errors(void **state)
{
	struct server *s = server_start(
		serve_rate_limit, "Retry-After: 2\r\n", NULL, NULL);
	struct answer a = {0};
	struct client c;

	(void)state;
	client_open_port(&c, s->port, "");
	stream(&c, &a, 5000);
	answer_is(&a, RPC_RATE_LIMITED, "");
	assert_int_equal(a.retry_ms, 2000);
	assert_int_equal(a.body.n, 0);
	client_close(&c);
	server_stop(s);

	s = server_start(serve_stream, "503 Down", NULL, NULL);
	client_open_port(&c, s->port, "");
	a = (struct answer){0};
	stream(&c, &a, 5000);
	answer_is(&a, RPC_UNREACHABLE, "HTTP 503");
	assert_int_equal(a.body.n, 0);
	client_close(&c);
	server_stop(s);
}

/* Half, then nothing. */
static void serve_half(struct peer *p, void *context)
{
	(void)context;
	if (peer_request(p))
		return;
	peer_printf(p, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
	peer_wait(p);
}

static void test_stream_stops(void **state)
{
	struct server *s = server_start(serve_half, NULL, NULL, NULL);
	struct answer a = {0};
	struct client c;

	(void)state;
	client_open_port(&c, s->port, "");
	stream(&c, &a, 1000);
	answer_is(&a, RPC_UNREACHABLE, "its reply stopped for 1000 ms");
	assert_int_equal(a.body.n, 4);
	buffer_free(&a.body);
	client_close(&c);
	server_stop(s);
}

/* --- cancelling, closing --- */

static void test_cancel(void **state)
{
	struct server *s = server_start(serve_slowly, NULL, NULL, NULL);
	struct answer a[10];
	struct client c;
	uint64_t number[10];

	(void)state;
	memset(a, 0, sizeof a);
	client_open_port(&c, s->port, "");
	for (unsigned i = 0; i < 10; i++)
		number[i] = rpc_call(c.rpc, "m", json_array(), 9000, take_reply, &a[i]);
	rpc_cancel(c.rpc, number[1]); /* before any was sent */
	while (!a[0].replies)
		uv_run(&c.loop, UV_RUN_ONCE);
	rpc_cancel(c.rpc, number[9]); /* on its way or waiting */
	rpc_cancel(c.rpc, number[0]); /* over */
	rpc_cancel(c.rpc, 0);
	rpc_cancel(c.rpc, 12345);
	uv_run(&c.loop, UV_RUN_DEFAULT);
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(a[i].replies, i != 1 && i != 9);
	client_close(&c);
	server_stop(s);
}

/* From inside callbacks: cancel another, ask again, close. */
struct nested {
	struct client *c;
	struct answer *first, *second, *third;
	uint64_t victim, self;
	bool close, cancel_self;
	unsigned chunks, replies;
};

static void nested_reply(void *context, const struct rpc_reply *reply)
{
	struct nested *n = context;

	(void)reply;
	n->replies++;
	rpc_cancel(n->c->rpc, n->victim);
	rpc_call(n->c->rpc, "m", json_array(), 5000, take_reply, n->third);
	if (n->close)
		rpc_close(n->c->rpc);
}

static bool nested_chunk(void *context, struct view chunk)
{
	struct nested *n = context;

	(void)chunk;
	n->chunks++;
	rpc_cancel(n->c->rpc, n->victim);
	if (n->cancel_self)
		rpc_cancel(n->c->rpc, n->self);
	rpc_call(n->c->rpc, "m", json_array(), 5000, take_reply, n->third);
	if (n->close)
		rpc_close(n->c->rpc);
	return true;
}

static void nest(struct nested *n, bool chunked)
{
	struct server *s = server_start(serve_slowly, NULL, NULL, NULL);
	struct client c;
	struct answer a[3];

	memset(a, 0, sizeof a);
	n->c = &c;
	n->third = &a[2];
	client_open_port(&c, s->port, "");
	if (chunked)
		n->self = rpc_stream(
			c.rpc, "m", json_array(), 5000, nested_chunk, nested_reply, n);
	else
		n->self = rpc_call(c.rpc, "m", json_array(), 5000, nested_reply, n);
	n->victim = rpc_call(c.rpc, "m", json_array(), 5000, take_reply, &a[1]);
	rpc_call(c.rpc, "m", json_array(), 5000, take_reply, &a[0]);
	uv_run(&c.loop, UV_RUN_DEFAULT);
	/* The server ends what is asked at the same time in any order. */
	assert_true(a[1].replies == 0 || !n->close);
	if (!n->close) {
		assert_int_equal(a[0].replies, 1);
		assert_int_equal(a[2].outcome, RPC_RESULT);
		rpc_close(c.rpc);
	} else {
		assert_int_equal(a[2].replies, 0);
	}
	uv_run(&c.loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&c.loop), 0);
	server_stop(s);
}

static void test_nested(void **state)
{
	struct nested n;

	(void)state;
	n = (struct nested){0};
	nest(&n, false);
	assert_int_equal(n.replies, 1);
	n = (struct nested){.close = true};
	nest(&n, false);
	n = (struct nested){0};
	nest(&n, true);
	assert_true(n.chunks >= 1 && n.replies == 1);
	n = (struct nested){.cancel_self = true};
	nest(&n, true);
	assert_true(n.chunks == 1 && n.replies == 0);
	n = (struct nested){.close = true};
	nest(&n, true);
	assert_true(n.chunks <= 1 && n.replies == 0);
}

static void test_close(void **state)
{
	struct server *s = server_start(serve_silence, NULL, NULL, NULL);
	struct answer a = {0};
	struct client c;

	(void)state;
	rpc_close(NULL);
	/* at once, before the loop runs, in the middle */
	for (unsigned rounds = 0; rounds < 5; rounds++) {
		client_open_port(&c, s->port, "");
		for (unsigned i = 0; i < 9; i++)
			rpc_call(c.rpc, "m", json_array(), 5000, take_reply, &a);
		for (unsigned i = 0; i < rounds; i++)
			uv_run(&c.loop, UV_RUN_NOWAIT);
		client_close(&c);
	}
	assert_int_equal(a.replies, 0);
	server_stop(s);
}

/* --- the process --- */

static unsigned threads(void)
{
	DIR *d = opendir("/proc/self/task");
	unsigned n = 0;

	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n;
}

static void count_threads(uv_timer_t *timer)
{
	unsigned *most = timer->data, now = threads();

	if (now > *most)
		*most = now;
}

/* Connecting to an address makes no thread, as a sealed process may make none. */
static void test_no_thread(void **state)
{
	struct sockaddr_in a = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof a;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	unsigned before = threads(), most = 0;
	struct answer answer = {0};
	uv_timer_t timer;
	struct client c;

	(void)state;
	/* The kernel takes the connection; nobody answers. */
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a) || listen(fd, 8) ||
			getsockname(fd, (struct sockaddr *)&a, &n),
		0);
	client_open_port(&c, ntohs(a.sin_port), "");
	uv_timer_init(&c.loop, &timer);
	timer.data = &most;
	uv_timer_start(&timer, count_threads, 0, 1);
	rpc_call(c.rpc, "m", json_array(), 200, take_reply, &answer);
	while (!answer.replies)
		uv_run(&c.loop, UV_RUN_ONCE);
	answer_is(&answer, RPC_UNREACHABLE, "no answer within 200 ms");
	assert_true(most > 0);
	assert_int_equal(most, before);
	uv_close((uv_handle_t *)&timer, NULL);
	client_close(&c);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_thread),
		cmocka_unit_test(test_stream),
		cmocka_unit_test(test_stream_errors),
		cmocka_unit_test(test_stream_stops),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_nested),
		cmocka_unit_test(test_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
