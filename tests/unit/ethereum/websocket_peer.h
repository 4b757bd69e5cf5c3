/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_ETHEREUM_WEBSOCKET_PEER_H
#define TESTS_ETHEREUM_WEBSOCKET_PEER_H

#include "../cmocka_all.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <unistd.h>

#include "certificates.h"
#include "ledger/ethereum/websocket.h"
#include "server.h"

/* --- the server's side, without the client's code --- */

/* Reads the request and answers 101. Returns 0 or -1. */
static inline int upgrade(struct peer *p)
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
static inline int put_frame(struct peer *p, unsigned first, const void *payload, size_t n)
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

static inline int read_all(struct peer *p, void *dst, size_t n)
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
static inline int get_frame(struct peer *p, char *dst, size_t size)
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

static inline void on_opened(void *context)
{
	struct seen *s = context;

	s->opened++;
	if (s->greet)
		assert_int_equal(websocket_send(s->w, view_str(s->greet)), 0);
}

static inline void on_message(void *context, struct view text)
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

static inline void on_closed(void *context, const char *why)
{
	struct seen *s = context;

	s->closed++;
	snprintf(s->why, sizeof s->why, "%s", why);
	uv_stop(&s->loop);
}

static inline void open_url(
	struct seen *s, const char *line, const char *url, unsigned ping_ms)
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

static inline void open_port(struct seen *s, unsigned port, unsigned ping_ms)
{
	char url[100];

	snprintf(url, sizeof url, "ws://127.0.0.1:%u/ws/hushhush", port);
	open_url(s, "http://127.0.0.1:1/hushhush name=node", url, ping_ms);
	assert_int_equal(websocket_send(s->w, view_str("early")), -1);
}

static inline void finish(struct seen *s)
{
	websocket_close(s->w);
	assert_int_equal(uv_run(&s->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&s->loop), 0);
}

static inline void closed_with(const struct seen *s, const char *why)
{
	assert_int_equal(s->closed, 1);
	assert_memory_equal(s->why, "node: ", 6);
	if (!strstr(s->why, why))
		fail_msg("\"%s\" lacks \"%s\"", s->why, why);
	assert_null(strstr(s->why, "hush"));
}

/* Run until it is closed by the other side, and why. */
static inline void ends(serve_fn *serve, const void *context, unsigned opened,
	unsigned messages, unsigned ping_ms, const char *why)
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

static inline void serve_echo(struct peer *p, void *context)
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

#endif
