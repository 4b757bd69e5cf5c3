/* SPDX-License-Identifier: Apache-2.0 */
#include "../cmocka_all.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <unistd.h>

#include "certificates.h"
#include "ledger/ethereum/websocket.h"
#include "server.h"

/* --- the server's side, without the client's code --- */

/* Reads the request and answers 101. Returns 0 or -1. */
static int upgrade(struct peer *p)
{
	const char *key = NULL;
	unsigned char digest[20], accept[40];
	char text[100];

	if (peer_request(p))
		return -1;
	key = strstr(p->server->seen, "Sec-WebSocket-Key: ");
	if (!key)
		return -1;
	snprintf(
		text, sizeof text, "%.24s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key + 19);
	EVP_Digest(text, strlen(text), digest, NULL, EVP_sha1(), NULL);
	EVP_EncodeBlock(accept, digest, 20);
	return peer_printf(p,
		"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
		"Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
		accept);
}

/* first: FIN, reserved bits and opcode. */
static int put_frame(struct peer *p, unsigned first, const void *payload, size_t n)
{
	uint8_t head[10] = {(uint8_t)first, (uint8_t)n};
	size_t length = 2;

	if (n > 65535) {
		head[1] = 127;
		be64_store(head + 2, n);
		length = 10;
	} else if (n > 125) {
		head[1] = 126;
		be16_store(head + 2, (uint16_t)n);
		length = 4;
	}
	return peer_write(p, head, length) || peer_write(p, payload, n);
}

static int read_all(struct peer *p, void *dst, size_t n)
{
	uint8_t *at = dst;

	while (n > 0) {
		long got = peer_read(p, at, n);

		if (got <= 0)
			return -1;
		at += got;
		n -= (size_t)got;
	}
	return 0;
}

/* A client's frame into dst[size], unmasked; its first byte, or -1. */
static int get_frame(struct peer *p, char *dst, size_t size)
{
	uint8_t head[2], more[8], mask[4];
	size_t n;

	if (read_all(p, head, 2))
		return -1;
	n = head[1] & 0x7f;
	if (!(head[1] & 0x80)) {
		fprintf(stderr, "a client's frame without a mask\n");
		abort();
	}
	if (n == 126) {
		if (read_all(p, more, 2))
			return -1;
		n = be16_load(more);
	} else if (n == 127) {
		if (read_all(p, more, 8))
			return -1;
		n = be64_load(more);
	}
	if (n >= size || read_all(p, mask, 4) || read_all(p, dst, n))
		return -1;
	for (size_t i = 0; i < n; i++)
		dst[i] = (char)((uint8_t)dst[i] ^ mask[i % 4]);
	dst[n] = '\0';
	return head[0];
}

/* --- the client's side --- */

struct seen {
	uv_loop_t loop;
	struct endpoint endpoint;
	struct websocket *w;
	unsigned opened, closed, messages;
	char why[320], last[200], all[100]; /* all: the beginnings, joined */
	size_t last_n;
	unsigned close_at; /* websocket_close() in this message; 0: never */
	unsigned end_at;   /* uv_stop() at this message */
	const char *greet; /* sent when opened */
};

static void on_opened(void *context)
{
	struct seen *s = context;

	s->opened++;
	if (s->greet)
		assert_int_equal(websocket_send(s->w, view_str(s->greet)), 0);
}

static void on_message(void *context, struct view text)
{
	struct seen *s = context;

	s->messages++;
	s->last_n = text.n;
	view_copy(s->last, sizeof s->last, text);
	if (strlen(s->all) < 80)
		snprintf(s->all + strlen(s->all), 20, "%.10s|", s->last);
	if (s->messages == s->close_at) {
		websocket_close(s->w);
		s->w = NULL;
	}
	if (s->messages == s->end_at)
		uv_stop(&s->loop);
}

static void on_closed(void *context, const char *why)
{
	struct seen *s = context;

	s->closed++;
	snprintf(s->why, sizeof s->why, "%s", why);
	uv_stop(&s->loop);
}

static void open_url(struct seen *s, const char *line, const char *url, unsigned ping_ms)
{
	const struct websocket_callbacks callbacks = {
		s, on_opened, on_message, on_closed};
	struct error err = {""};

	if (endpoint_parse(&s->endpoint, view_str(line), &err))
		fail_msg("%s", err.text);
	assert_int_equal(uv_loop_init(&s->loop), 0);
	s->w = websocket_open(&s->loop, &s->endpoint, url, &callbacks, &err);
	if (!s->w)
		fail_msg("%s", err.text);
	if (ping_ms)
		websocket_ping_every(s->w, ping_ms);
	assert_int_equal(s->opened + s->closed + s->messages, 0);
}

static void open_port(struct seen *s, unsigned port, unsigned ping_ms)
{
	char url[100];

	snprintf(url, sizeof url, "ws://127.0.0.1:%u/ws/hushhush", port);
	open_url(s, "http://127.0.0.1:1/hushhush name=node", url, ping_ms);
	assert_int_equal(websocket_send(s->w, view_str("early")), -1);
}

static void finish(struct seen *s)
{
	websocket_close(s->w);
	assert_int_equal(uv_run(&s->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&s->loop), 0);
}

static void closed_with(const struct seen *s, const char *why)
{
	assert_int_equal(s->closed, 1);
	assert_memory_equal(s->why, "node: ", 6);
	if (!strstr(s->why, why))
		fail_msg("\"%s\" lacks \"%s\"", s->why, why);
	assert_null(strstr(s->why, "hush"));
}

/* Run until it is closed by the other side, and why. */
static void ends(serve_fn *serve, const void *context, unsigned opened, unsigned messages,
	unsigned ping_ms, const char *why)
{
	struct server *server = server_start(serve, context, NULL, NULL);
	struct seen s = {0};

	open_port(&s, server->port, ping_ms);
	uv_run(&s.loop, UV_RUN_DEFAULT);
	closed_with(&s, why);
	assert_int_equal(s.opened, opened);
	assert_int_equal(s.messages, messages);
	assert_int_equal(websocket_send(s.w, view_str("late")), -1);
	finish(&s);
	server_stop(server);
}

/* --- what goes well --- */

static void serve_echo(struct peer *p, void *context)
{
	static char text[200000];
	int first;

	(void)context;
	if (upgrade(p))
		return;
	while ((first = get_frame(p, text, sizeof text)) >= 0) {
		if (first == 0x88) {
			put_frame(p, 0x88, "\x03\xe8", 2);
			return;
		}
		if (first == 0x81 && put_frame(p, 0x81, text, strlen(text)))
			return;
	}
}

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
	ends(serve_pongs, &pings, 1, 1, 200, "silent for 400 ms");
	assert_int_equal(atomic_load(&pings), 5);
	ends(serve_silent, NULL, 1, 0, 200, "silent for 400 ms");
}

/* Held up in the owner's own work, an active peer is not taken for silent. */
static void serve_ticks(struct peer *p, void *context)
{
	(void)context;
	if (upgrade(p))
		return;
	for (unsigned i = 0; i < 100; i++) {
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
	open_port(&s, server->port, 200);
	uv_run(&s.loop, UV_RUN_DEFAULT);
	usleep(700000);
	s.end_at = 0;
	uv_run(&s.loop, UV_RUN_DEFAULT);
	assert_int_equal(s.messages, 100);
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

/* --- what goes wrong --- */

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
		cmocka_unit_test(test_frames),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_handshakes),
		cmocka_unit_test(test_connect),
		cmocka_unit_test(test_tls),
		cmocka_unit_test(test_proxy),
		cmocka_unit_test(test_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
