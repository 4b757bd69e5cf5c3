/* SPDX-License-Identifier: Apache-2.0 */
/* A WebSocket whose server behaves. */
#include "websocket_peer.h"

static void test_echo(void **state)
{
	struct server *server = server_start(serve_echo, NULL, NULL, NULL);
	char *large = malloc(150000);
	struct seen s = {.greet = "{\"id\":1}", .end_at = 1};

	(void)state;
	open_port(&s, server->port, 0);
	uv_run(&s.loop, UV_RUN_DEFAULT);
	assert_string_equal(s.last, "{\"id\":1}");
	memset(large, 'x', 150000);
	assert_int_equal(websocket_send(s.w, view_of(large, 150000)), 0);
	assert_int_equal(websocket_send(s.w, view_str("last")), 0);
	s.end_at = 3;
	uv_run(&s.loop, UV_RUN_DEFAULT);
	assert_int_equal(s.messages, 3);
	assert_string_equal(s.last, "last");
	assert_int_equal(s.closed, 0);
	finish(&s);
	assert_int_equal(s.closed, 0);
	assert_memory_equal(
		server->seen, "GET /ws/hushhush HTTP/1.1\r\nHost: 127.0.0.1:", 43);
	free(large);
	server_stop(server);
}

/* Everything with the reply in one piece, every byte for itself, fragments. */
static void serve_pieces(struct peer *p, void *context)
{
	char text[2000];

	(void)context;
	if (upgrade(p))
		return;
	put_frame(p, 0x81, "one", 3);
	put_frame(p, 0x01, "tw", 2);
	put_frame(p, 0x89, "ping", 4); /* between two fragments */
	put_frame(p, 0x00, "", 0);
	put_frame(p, 0x80, "o", 1);
	for (const char *at = "\x81\x05three"; *at; at++)
		peer_write(p, at, 1);
	put_frame(p, 0x81, "", 0);
	/* The pong comes back with what the ping had. */
	if (get_frame(p, text, sizeof text) != 0x8a || strcmp(text, "ping") != 0)
		return;
	memset(text, 'y', 1500);
	for (unsigned i = 0; i < 40; i++)
		put_frame(p, i == 0 ? 0x01 : i == 39 ? 0x80 : 0x00, text, 1500);
	put_frame(p, 0x88, "\x03\xe9gone hushhush \x1b", 17);
	peer_wait(p);
}

static void test_pieces(void **state)
{
	struct server *server = server_start(serve_pieces, NULL, NULL, NULL);
	struct seen s = {0};

	(void)state;
	open_port(&s, server->port, 0);
	uv_run(&s.loop, UV_RUN_DEFAULT);
	assert_int_equal(s.messages, 5);
	assert_string_equal(s.all, "one|two|three||yyyyyyyyyy|");
	assert_int_equal(s.last_n, 60000);
	closed_with(&s, "it said goodbye (1001: gone *** \\x1b)");
	finish(&s);
	server_stop(server);
}

/* Pings of ours are answered for a while, then not. */
static void serve_pongs(struct peer *p, void *context)
{
	char text[200];

	if (upgrade(p))
		return;
	for (unsigned i = 0; i < 5; i++) {
		if (get_frame(p, text, sizeof text) != 0x89)
			return;
		atomic_fetch_add((atomic_uint *)context, 1);
		put_frame(p, 0x8a, text, strlen(text));
	}
	put_frame(p, 0x81, "enough", 6);
	peer_wait(p);
}

static void serve_silent(struct peer *p, void *context)
{
	(void)context;
	if (!upgrade(p))
		peer_wait(p);
}

static void test_pings(void **state)
{
	static atomic_uint pings;

	(void)state;
	ends(serve_pongs, &pings, 1, 1, 500, "silent for 1000 ms");
	assert_int_equal(atomic_load(&pings), 5);
	ends(serve_silent, NULL, 1, 0, 500, "silent for 1000 ms");
}

/* Held up in the owner's own work, an active peer is not taken for silent. */
static void serve_ticks(struct peer *p, void *context)
{
	(void)context;
	if (upgrade(p))
		return;
	for (unsigned i = 0; i < 250; i++) {
		if (put_frame(p, 0x81, "tick", 4))
			return;
		usleep(10000);
	}
	put_frame(p, 0x88, "", 0);
	peer_wait(p);
}

static void test_held_up(void **state)
{
	struct server *server = server_start(serve_ticks, NULL, NULL, NULL);
	struct seen s = {.end_at = 1};

	(void)state;
	open_port(&s, server->port, 500);
	uv_run(&s.loop, UV_RUN_DEFAULT);
	usleep(1700000);
	s.end_at = 0;
	uv_run(&s.loop, UV_RUN_DEFAULT);
	assert_int_equal(s.messages, 250);
	closed_with(&s, "it said goodbye (0)");
	finish(&s);
	server_stop(server);
}

/* Ten megabytes at once do not hold up the loop, and all of them come. */
static void serve_flood(struct peer *p, void *context)
{
	char text[10000];

	(void)context;
	if (upgrade(p))
		return;
	memset(text, 'z', sizeof text);
	for (unsigned i = 0; i < 1000; i++)
		if (put_frame(p, 0x81, text, sizeof text))
			return;
	peer_wait(p);
}

static void test_flood(void **state)
{
	struct certificates certificates;

	(void)state;
	certificates_make(&certificates);
	for (unsigned tls = 0; tls < 2; tls++) {
		struct server *server = server_start(serve_flood, NULL,
			tls ? certificates.good : NULL, certificates.key);
		struct seen s = {.end_at = 1000};
		char url[100], line[200];

		snprintf(url, sizeof url, "%s://127.0.0.1:%u", tls ? "wss" : "ws",
			server->port);
		snprintf(line, sizeof line, "https://h name=node ca_file=%.90s",
			certificates.ca);
		open_url(&s, line, url, 0);
		uv_run(&s.loop, UV_RUN_DEFAULT);
		assert_int_equal(s.messages, 1000);
		assert_int_equal(s.closed, 0);
		finish(&s);
		server_stop(server);
	}
	certificates_remove(&certificates);
}

/* --- closing --- */

static void test_close(void **state)
{
	struct server *server = server_start(serve_pieces, NULL, NULL, NULL);

	(void)state;
	websocket_close(NULL);
	/* in the first message: nothing comes after it, not even those read */
	for (unsigned at = 1; at <= 3; at++) {
		struct seen s = {.close_at = at};

		open_port(&s, server->port, 0);
		uv_run(&s.loop, UV_RUN_DEFAULT);
		assert_int_equal(s.messages, at);
		assert_int_equal(s.closed, 0);
		assert_int_equal(uv_loop_close(&s.loop), 0);
	}
	server_stop(server);
	/* at any point of connecting */
	server = server_start(serve_silent, NULL, NULL, NULL);
	for (unsigned rounds = 0; rounds < 8; rounds++) {
		struct seen s = {0};

		open_port(&s, server->port, 0);
		for (unsigned i = 0; i < rounds; i++)
			uv_run(&s.loop, UV_RUN_NOWAIT);
		finish(&s);
		assert_int_equal(s.closed, 0);
	}
	server_stop(server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_echo),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_pings),
		cmocka_unit_test(test_held_up),
		cmocka_unit_test(test_flood),
		cmocka_unit_test(test_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
