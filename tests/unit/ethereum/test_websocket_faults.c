/* SPDX-License-Identifier: Apache-2.0 */
/* What goes wrong between a WebSocket and its server. */
#include "websocket_peer.h"

static void serve_frame(struct peer *p, void *context)
{
	const struct view *bytes = context;

	if (upgrade(p) || peer_write(p, bytes->p, bytes->n))
		return;
	peer_wait(p);
}

static void frame_ends(const char *bytes, size_t n, unsigned messages, const char *why)
{
	struct view v = view_of(bytes, n);

	ends(serve_frame, &v, 1, messages, 0, why);
}

static void test_frames(void **state)
{
	(void)state;
	frame_ends("\x82\x01x", 3, 0, "sends binary messages");
	frame_ends("\x81\x02\xc3\x28", 4, 0, "not UTF-8");
	frame_ends("\x81\x81\x00\x00\x00\x00x", 7, 0, "breaks the WebSocket protocol");
	frame_ends("\xc1\x01x", 3, 0, "breaks the WebSocket protocol"); /* reserved bit */
	frame_ends("\x83\x01x", 3, 0, "breaks the WebSocket protocol"); /* opcode 3 */
	frame_ends("\x80\x01x", 3, 0, "breaks the WebSocket protocol"); /* no first one */
	frame_ends("\x01\x01x\x81\x01y", 6, 0, "breaks the WebSocket protocol");
	frame_ends("\x09\x00", 2, 0, "breaks the WebSocket protocol"); /* split ping */
	frame_ends("\x89\x7e\x00\x7e", 4, 0, "breaks the WebSocket protocol");
	frame_ends("\x81\x7e\x00\x05hello", 9, 0, "breaks the WebSocket protocol");
	frame_ends("\x81\x01x\x88\x00", 5, 1, "it said goodbye (0)");
	frame_ends("\x88\x02\x00\x01", 4, 0, "breaks the WebSocket protocol");
	/* A length beyond the limit is refused at its first byte. */
	frame_ends("\x81\x7f\x00\x00\x00\x00\x00\x10\x00\x01x", 11, 0,
		"more than 1048576 bytes");
	frame_ends("\x81\x7f\x7f\xff\xff\xff\xff\xff\xff\xffx", 11, 0,
		"more than 1048576 bytes");
}

/* Fragments over the limit together. */
static void serve_too_long(struct peer *p, void *context)
{
	char text[60000];

	(void)context;
	if (upgrade(p))
		return;
	memset(text, 'a', sizeof text);
	put_frame(p, 0x01, text, sizeof text);
	for (unsigned i = 0; i < 20; i++)
		if (put_frame(p, 0x00, text, sizeof text))
			return;
	peer_wait(p);
}

/* Just the limit passes. */
static void serve_longest(struct peer *p, void *context)
{
	char *text = malloc(WEBSOCKET_MESSAGE_MAX);

	(void)context;
	memset(text, 'a', WEBSOCKET_MESSAGE_MAX);
	if (!upgrade(p)) {
		put_frame(p, 0x81, text, WEBSOCKET_MESSAGE_MAX);
		put_frame(p, 0x88, "", 0);
		peer_wait(p);
	}
	free(text);
}

/* Pings whose pongs it never reads. */
static void serve_ping_flood(struct peer *p, void *context)
{
	char text[125] = {0};

	(void)context;
	if (upgrade(p))
		return;
	for (unsigned i = 0; i < 200000; i++)
		if (put_frame(p, 0x89, text, sizeof text))
			return;
}

static void serve_end(struct peer *p, void *context)
{
	(void)context;
	upgrade(p);
}

static void test_limits(void **state)
{
	(void)state;
	ends(serve_too_long, NULL, 1, 0, 0, "more than 1048576 bytes");
	ends(serve_longest, NULL, 1, 1, 0, "it said goodbye (0)");
	ends(serve_end, NULL, 1, 0, 0, "it closed the connection");
	/* Ends one way or another, in bounded memory. */
	ends(serve_ping_flood, NULL, 1, 0, 0, "node: ");
}

static void serve_text(struct peer *p, void *context)
{
	if (!peer_request(p))
		peer_printf(p, "%s", (const char *)context);
}

static void test_handshakes(void **state)
{
	(void)state;
	ends(serve_text, "HTTP/1.1 404 Not Found\r\n\r\nhushhush", 0, 0, 0,
		"node: no WebSocket there (HTTP 404): give its URL in ws=");
	ends(serve_text,
		"HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
		"Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n",
		0, 0, 0, "another request");
	ends(serve_text, "HTTP/1.1 101 S\r\nUpgr", 0, 0, 0, "it closed the connection");
	ends(serve_text, "SSH-2.0-x\r\n", 0, 0, 0, "does not speak HTTP");
}

static void test_connect(void **state)
{
	struct seen s = {0};
	struct error err;

	(void)state;
	open_url(&s, "http://h name=node", "ws://127.0.0.1:1/hushhush", 0);
	uv_run(&s.loop, UV_RUN_DEFAULT);
	closed_with(&s, "Failed to connect to 127.0.0.1 port 1");
	finish(&s);
	for (unsigned i = 0; i < 5; i++) {
		static const char *const urls[] = {
			"http://h", "ws://u:p@h", "ws://h/a b", "ws://h/\r\nX: y", "h"};
		struct websocket_callbacks none = {0};

		uv_loop_init(&s.loop);
		assert_null(websocket_open(&s.loop, &s.endpoint, urls[i], &none, &err));
		assert_string_equal(err.text, "node: not a ws:// or wss:// URL");
		assert_int_equal(uv_loop_close(&s.loop), 0);
	}
}

static void test_tls(void **state)
{
	struct certificates c;
	struct server *server;
	struct seen s = {.greet = "hello", .end_at = 1};
	char url[100], line[300];

	(void)state;
	certificates_make(&c);
	server = server_start(serve_echo, NULL, c.good, c.key);
	snprintf(url, sizeof url, "wss://127.0.0.1:%u/", server->port);
	snprintf(line, sizeof line, "https://h name=node ca_file=%.90s basic=hush:hush",
		c.ca);
	open_url(&s, line, url, 0);
	uv_run(&s.loop, UV_RUN_DEFAULT);
	assert_string_equal(s.last, "hello");
	finish(&s);
	assert_non_null(
		strstr(server->seen, "\r\nAuthorization: Basic aHVzaDpodXNo\r\n"));
	s = (struct seen){0};
	open_url(&s, "https://h name=node", url, 0);
	uv_run(&s.loop, UV_RUN_DEFAULT);
	closed_with(&s, "unknown here");
	finish(&s);
	server_stop(server);
	certificates_remove(&c);
}

/* Through a proxy, which answers as the server once CONNECT is through. */
static void serve_proxy(struct peer *p, void *context)
{
	char *connect = context;

	if (peer_request(p))
		return;
	memcpy(connect, p->server->seen, 500);
	peer_printf(p, "HTTP/1.1 200 Yes\r\n\r\n");
	serve_echo(p, NULL);
}

static void test_proxy(void **state)
{
	static char connect[500];
	struct server *server = server_start(serve_proxy, connect, NULL, NULL);
	struct seen s = {.greet = "hello", .end_at = 1};
	char line[200];

	(void)state;
	snprintf(line, sizeof line,
		"http://h name=node basic=hush:hush "
		"proxy=http://pu:pw@127.0.0.1:%u",
		server->port);
	open_url(&s, line, "ws://192.0.2.1:8546/hushhush", 0);
	uv_run(&s.loop, UV_RUN_DEFAULT);
	assert_string_equal(s.last, "hello");
	finish(&s);
	assert_memory_equal(connect, "CONNECT 192.0.2.1:8546 HTTP/1.1\r\n", 33);
	assert_non_null(strstr(connect, "Proxy-Authorization: Basic cHU6cHc="));
	assert_null(strstr(connect, "hush"));
	assert_non_null(
		strstr(server->seen, "GET /hushhush HTTP/1.1\r\nHost: 192.0.2.1:8546"));
	assert_null(strstr(server->seen, "Proxy-"));
	server_stop(server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frames),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_handshakes),
		cmocka_unit_test(test_connect),
		cmocka_unit_test(test_tls),
		cmocka_unit_test(test_proxy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
