/* SPDX-License-Identifier: Apache-2.0 */
#include "client.h"

#include <unistd.h>

#include "server.h"

/* --- what goes well --- */

static void serve_results(struct peer *p, void *context)
{
	while (!peer_request(p))
		if (peer_result(p, context))
			break;
}

static void test_keep_alive(void **state)
{
	struct server *s = server_start(serve_results, "\"0x2a\"", NULL, NULL);
	struct client c;
	struct answer a;

	(void)state;
	client_open_port(&c, s->port, "/v3/secretpath");
	assert_int_equal(rpc_next(c.rpc), 1);
	for (unsigned i = 0; i < 5; i++) {
		call(&c, &a, 5000);
		answer_is(&a, RPC_RESULT, "");
		assert_string_equal(a.result, "\"0x2a\"");
	}
	assert_int_equal(rpc_next(c.rpc), 6);
	assert_int_equal(atomic_load(&s->connections), 1);
	client_close(&c);
	assert_memory_equal(s->seen, "POST /v3/secretpath HTTP/1.1\r\n", 30);
	assert_non_null(strstr(s->seen, "\r\nContent-Type: application/json\r\n"));
	assert_non_null(strstr(s->seen, "\r\nAccept-Encoding: gzip\r\n"));
	assert_non_null(strstr(s->seen, "\r\nUser-Agent: sipchain/"));
	assert_null(strstr(s->seen, "Authorization"));
	assert_null(strstr(s->seen, "Expect"));
	server_stop(s);
}

/* The request's body says what was asked. */
static void serve_echo(struct peer *p, void *context)
{
	(void)context;
	while (!peer_request(p)) {
		char body[500];

		view_copy(body, sizeof body,
			view_of(p->request.p + p->head, p->request.n - p->head));
		if (peer_result(p, body))
			break;
	}
}

static void test_request(void **state)
{
	struct server *s = server_start(serve_echo, NULL, NULL, NULL);
	struct answer a = {0};
	struct client c;

	(void)state;
	client_open_port(&c, s->port, "");
	assert_int_equal(
		rpc_call(c.rpc, "eth_getLogs", json_pack("[{s:s}, b]", "a", "b", 0), 5000,
			take_reply, &a),
		1);
	uv_run(&c.loop, UV_RUN_DEFAULT);
	answer_is(&a, RPC_RESULT, "");
	assert_string_equal(a.result,
		"{\"jsonrpc\": \"2.0\", \"id\": 1, \"method\": "
		"\"eth_getLogs\", \"params\": [{\"a\": \"b\"}, false]}");
	client_close(&c);
	server_stop(s);
}

/* Never more than RPC_PARALLEL on their way, and each gets its own answer. */
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

static void test_parallel(void **state)
{
	struct server *s = server_start(serve_slowly, NULL, NULL, NULL);
	struct answer a[40];
	struct client c;

	(void)state;
	memset(a, 0, sizeof a);
	client_open_port(&c, s->port, "");
	for (unsigned i = 0; i < 40; i++)
		assert_int_equal(
			rpc_call(c.rpc, "m", json_array(), 9000, take_reply, &a[i]),
			i + 1);
	uv_run(&c.loop, UV_RUN_DEFAULT);
	for (unsigned i = 0; i < 40; i++) {
		assert_int_equal(a[i].replies, 1);
		answer_is(&a[i], RPC_RESULT, "");
		assert_int_equal(atoi(a[i].result), i + 1);
	}
	assert_in_range(atomic_load(&s->most_open), 2, RPC_PARALLEL);
	client_close(&c);
	server_stop(s);
}

/* --- encodings of the body --- */

#define BODY "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"0x2a\"}"

static void serve_chunked(struct peer *p, void *context)
{
	(void)context;
	if (peer_request(p))
		return;
	peer_printf(p, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
	for (const char *at = BODY; *at; at++)
		peer_printf(p, "1;x=y\r\n%c\r\n", *at);
	peer_printf(p, "0\r\nTrailer: t\r\n\r\n");
	peer_wait(p);
}

/* Every byte alone, with 100 before it. */
static void serve_bytewise(struct peer *p, void *context)
{
	static const char reply[] =
		"HTTP/1.1 100 Continue\r\n\r\n"
		"HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 40\r\n\r\n" BODY;

	(void)context;
	if (peer_request(p))
		return;
	for (const char *at = reply; *at; at++)
		peer_write(p, at, 1);
	peer_wait(p);
}

/* Without a length: to the end of the connection. */
static void serve_to_end(struct peer *p, void *context)
{
	(void)context;
	if (!peer_request(p))
		peer_printf(p, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" BODY);
}

struct zipped {
	const char *start; /* of what is compressed */
	size_t spaces;     /* behind it */
	const char *end;
	size_t cut;  /* bytes left out at the end */
	bool spoilt; /* its checksum */
};

/* What gzip(1) makes of it. */
static size_t compress(uint8_t *dst, size_t size, const struct zipped *what)
{
	char path[] = "/tmp/plain.XXXXXX", command[64];
	int fd = mkstemp(path);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w");
	size_t n = 0;

	if (!f)
		abort();
	fprintf(f, "%s%*s%s", what->start, (int)what->spaces, "", what->end);
	fclose(f);
	snprintf(command, sizeof command, "gzip -9nc %s", path);
	f = popen(command, "r"); /* NOLINT(cert-env33-c): the command is ours */
	if (f)
		n = fread(dst, 1, size, f);
	if (!f || pclose(f) || n < 60)
		abort();
	unlink(path);
	return n;
}

static void serve_gzip(struct peer *p, void *context)
{
	const struct zipped *what = context;
	uint8_t out[1 << 17];
	size_t n = compress(out, sizeof out, what) - what->cut;

	if (what->spoilt)
		out[n - 6] ^= 0x55; /* of the checksum */
	while (!peer_request(p))
		if (peer_printf(p,
			    "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"
			    "Content-Length: %zu\r\n\r\n",
			    n) ||
			peer_write(p, out, n))
			break;
}

static void exchange(serve_fn *serve, void *context, unsigned timeout_ms,
	enum rpc_outcome due, const char *text)
{
	struct server *s = server_start(serve, context, NULL, NULL);
	struct client c;
	struct answer a;

	client_open_port(&c, s->port, " name=node");
	call(&c, &a, timeout_ms);
	answer_is(&a, due, text);
	assert_int_equal(a.has_result, due == RPC_RESULT);
	if (due != RPC_RESULT)
		assert_memory_equal(a.text, "node: ", 6);
	client_close(&c);
	server_stop(s);
}

static void test_encodings(void **state)
{
	struct zipped good = {
		"{\"jsonrpc\":\"2.0\",\"id\":1,", 100000, "\"result\":1}", 0, false};
	struct zipped cut = good, spoilt = good, bomb = good;

	(void)state;
	cut.cut = 30;
	spoilt.spoilt = true;
	bomb.spaces = 40u << 20;
	exchange(serve_chunked, NULL, 5000, RPC_RESULT, "");
	exchange(serve_bytewise, NULL, 5000, RPC_RESULT, "");
	exchange(serve_to_end, NULL, 5000, RPC_RESULT, "");
	exchange(serve_gzip, &good, 5000, RPC_RESULT, "");
	exchange(serve_gzip, &spoilt, 5000, RPC_GARBAGE, "");
	exchange(serve_gzip, &bomb, 9000, RPC_GARBAGE, "longer than 8388608 bytes");
	exchange(serve_gzip, &cut, 5000, RPC_GARBAGE, "not JSON");
}

/* --- what goes wrong --- */

struct script {
	const char *bytes;
	size_t n;
};

/* These bytes, then the end. */
static void serve_script(struct peer *p, void *context)
{
	struct script *s = context;

	if (!peer_request(p))
		peer_write(p, s->bytes, s->n);
}

#define REPLY "HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n" BODY

static void test_cut(void **state)
{
	struct script script = {REPLY, 0};
	struct server *s = server_start(serve_script, &script, NULL, NULL);
	struct answer a;

	(void)state;
	for (script.n = 0; script.n <= strlen(REPLY); script.n++) {
		struct client c;

		client_open_port(&c, s->port, "");
		call(&c, &a, 5000);
		if (script.n == strlen(REPLY))
			answer_is(&a, RPC_RESULT, "");
		else if (script.n == 0)
			answer_is(&a, RPC_UNREACHABLE, "closed the connection without");
		else if (script.n < 5)
			assert_int_not_equal(a.outcome, RPC_RESULT);
		else if (script.n > strlen(REPLY) - 40)
			answer_is(&a, RPC_UNREACHABLE, "cut off");
		else
			assert_true(
				a.outcome == RPC_UNREACHABLE || a.outcome == RPC_GARBAGE);
		client_close(&c);
	}
	server_stop(s);
}

static void scripted(const char *reply, enum rpc_outcome due, const char *text)
{
	struct script script = {reply, strlen(reply)};

	exchange(serve_script, &script, 5000, due, text);
}

static void test_wrong(void **state)
{
	char *endless = malloc(3000000);

	(void)state;
	scripted("SSH-2.0-OpenSSH_9.2\r\n", RPC_GARBAGE, "does not speak HTTP");
	scripted("HTTP/1.1 200 OK\r\nContent-Length: 41\r\n\r\n" BODY, RPC_UNREACHABLE,
		"cut");
	scripted("HTTP/1.1 200 OK\r\nContent-Length: 39\r\n\r\n" BODY, RPC_GARBAGE,
		"not JSON");
	scripted("HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n" BODY "rest", RPC_RESULT,
		"");
	scripted("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n" BODY, RPC_GARBAGE, "");
	scripted("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
		RPC_UNREACHABLE, "");
	scripted(
		"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 40\r\n\r\n" BODY,
		RPC_GARBAGE, "does not decompress");
	scripted("HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n", RPC_UNAUTHORISED,
		"HTTP 401");
	scripted(
		"HTTP/1.1 301 M\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
		RPC_GARBAGE, "redirects (HTTP 301)");
	scripted("HTTP/1.1 204 No\r\n\r\n", RPC_GARBAGE, "HTTP 204");
	scripted("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", RPC_GARBAGE, "not JSON");
	scripted("HTTP/1.1 200 OK\r\nContent-Length: 37\r\n\r\n"
		 "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":\"0x\"}",
		RPC_GARBAGE, "");
	/* A head without end */
	memset(endless, 'a', 2999999);
	memcpy(endless, "HTTP/1.1 200 OK\r\nX: ", 20);
	endless[2999999] = '\0';
	scripted(endless, RPC_GARBAGE, "a head without end");
	free(endless);
}

/* A body that is too long, though its length was not said before. */
static void serve_endless(struct peer *p, void *context)
{
	char bytes[65536];

	(void)context;
	memset(bytes, ' ', sizeof bytes);
	if (peer_request(p))
		return;
	peer_printf(p, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
	for (unsigned i = 0; i < 1000 && !peer_write(p, bytes, sizeof bytes); i++)
		;
}

static void serve_rate_limit(struct peer *p, void *context)
{
	while (!peer_request(p))
		peer_reply(p, "429 Too Many Requests", context, "slow down");
}

static void test_too_long(void **state)
{
	(void)state;
	exchange(serve_endless, NULL, 9000, RPC_GARBAGE, "longer than 8388608 bytes");
}

static uint32_t retry_of(const char *header)
{
	char extra[80];
	struct server *s;
	struct client c;
	struct answer a;

	snprintf(extra, sizeof extra, "%s", header);
	s = server_start(serve_rate_limit, extra, NULL, NULL);
	client_open_port(&c, s->port, "");
	call(&c, &a, 5000);
	answer_is(&a, RPC_RATE_LIMITED, "asks us to slow down");
	client_close(&c);
	server_stop(s);
	return a.retry_ms;
}

static void test_rate_limit(void **state)
{
	(void)state;
	assert_int_equal(retry_of("Retry-After: 7\r\n"), 7000);
	assert_int_equal(retry_of(""), 0);
	assert_int_equal(retry_of("Retry-After: 99999999999\r\n"), 3600000);
	assert_int_equal(retry_of("Retry-After: soon\r\n"), 0);
	/* In the past: as soon as we like, not in 4294967 seconds. */
	assert_int_equal(retry_of("Retry-After: -7\r\n"), 0);
	assert_int_equal(retry_of("Retry-After: Wed, 21 Oct 2015 07:28:00 GMT\r\n"), 0);
}

/* --- time --- */

static void serve_silence(struct peer *p, void *context)
{
	(void)context;
	peer_request(p);
	peer_wait(p);
}

/* Silent the first time, then good. */
static void serve_second(struct peer *p, void *context)
{
	char result[] = "1";

	if (atomic_fetch_add((atomic_uint *)context, 1) == 0)
		serve_silence(p, NULL);
	else
		serve_results(p, result);
}

static void test_timeout(void **state)
{
	atomic_uint times = 0;
	struct server *s = server_start(serve_second, &times, NULL, NULL);
	struct answer a;
	struct client c;

	(void)state;
	client_open_port(&c, s->port, "");
	call(&c, &a, 150);
	answer_is(&a, RPC_UNREACHABLE, "no answer within 150 ms");
	call(&c, &a, 5000);
	answer_is(&a, RPC_RESULT, "");
	client_close(&c);
	server_stop(s);
}

/* Those that never got their turn are told too. */
static void test_timeout_waiting(void **state)
{
	struct server *s = server_start(serve_silence, NULL, NULL, NULL);
	struct answer a[RPC_PARALLEL + 3];
	struct client c;

	(void)state;
	memset(a, 0, sizeof a);
	client_open_port(&c, s->port, "");
	for (unsigned i = 0; i < RPC_PARALLEL + 3; i++)
		rpc_call(c.rpc, "m", json_array(), i < RPC_PARALLEL ? 9000 : 100,
			take_reply, &a[i]);
	while (!a[RPC_PARALLEL + 2].replies)
		uv_run(&c.loop, UV_RUN_ONCE);
	for (unsigned i = 0; i < RPC_PARALLEL + 3; i++)
		assert_int_equal(a[i].replies, i >= RPC_PARALLEL);
	client_close(&c);
	assert_int_equal(a[0].replies, 0);
	server_stop(s);
}

/*
 * The loop was held up past the deadline, while the answer came: it counts.
 */
static void test_held_up(void **state)
{
	struct server *s = server_start(serve_results, "1", NULL, NULL);
	struct answer a = {0};
	struct client c;

	(void)state;
	client_open_port(&c, s->port, "");
	call(&c, &a, 5000); /* connects */
	a = (struct answer){0};
	rpc_call(c.rpc, "m", json_array(), 100, take_reply, &a);
	uv_run(&c.loop, UV_RUN_NOWAIT);
	uv_run(&c.loop, UV_RUN_NOWAIT);
	usleep(1000000);
	uv_run(&c.loop, UV_RUN_DEFAULT);
	answer_is(&a, RPC_RESULT, "");
	client_close(&c);
	server_stop(s);
}

static void test_refused_connection(void **state)
{
	struct client c;
	struct answer a;

	(void)state;
	client_open(&c, "http://127.0.0.1:1/hushhush name=gone");
	call(&c, &a, 5000);
	answer_is(&a, RPC_UNREACHABLE, "gone: Failed to connect to 127.0.0.1 port 1");
	client_close(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keep_alive),
		cmocka_unit_test(test_request),
		cmocka_unit_test(test_parallel),
		cmocka_unit_test(test_encodings),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_rate_limit),
		cmocka_unit_test(test_timeout),
		cmocka_unit_test(test_timeout_waiting),
		cmocka_unit_test(test_held_up),
		cmocka_unit_test(test_refused_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
