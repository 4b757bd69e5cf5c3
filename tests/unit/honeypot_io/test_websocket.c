/* SPDX-License-Identifier: Apache-2.0 */
#include "../cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include "sense/honeypot/websocket.h"

/* The key and its answer are of RFC 6455 section 1.3. */
#define KEY    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define ACCEPT "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
#define REST                                                                             \
	"Host: pbx.example.net\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"         \
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: sip\r\n"
#define GOOD "GET /ws HTTP/1.1\r\n" REST KEY "\r\n"

static unsigned status_of(const char *text)
{
	struct websocket_upgrade u;

	return websocket_upgrade_parse(&u, view_str(text)) ? u.status : 0;
}

static void upgrade_of_rfc_7118(void **state)
{
	static const char text[] =
		"GET / HTTP/1.1\r\n"
		"Host: pbx.example.net\r\nUpgrade: WebSocket\r\n"
		"Connection: keep-alive, Upgrade\r\n" KEY
		"Origin: http://www.example.com\r\n"
		"Sec-WebSocket-Protocol: sip\r\nSec-WebSocket-Version: 13\r\n\r\nrest";
	struct websocket_upgrade u;
	struct buffer b = {0};

	(void)state;
	assert_int_equal(
		websocket_upgrade_parse(&u, view_str(text)), sizeof text - 1 - 4);
	assert_int_equal(u.status, 101);
	assert_int_equal(websocket_upgrade_answer(&b, &u), 0);
	buffer_put_u8(&b, 0);
	assert_non_null(strstr((char *)b.p, "HTTP/1.1 101 Switching Protocols\r\n"));
	assert_non_null(strstr((char *)b.p, ACCEPT));
	assert_non_null(strstr((char *)b.p, "Sec-WebSocket-Protocol: sip\r\n\r\n"));
	buffer_free(&b);
}

static void upgrade_whole_or_not_yet(void **state)
{
	static const char text[] = GOOD;
	struct websocket_upgrade u;

	(void)state;
	for (size_t n = 0; n < sizeof text - 1; n++)
		assert_int_equal(websocket_upgrade_parse(&u, view_of(text, n)), 0);
	assert_int_equal(websocket_upgrade_parse(&u, view_of(text, sizeof text - 1)),
		sizeof text - 1);
}

static void upgrades_refused(void **state)
{
	static const struct {
		const char *text;
		unsigned status;
	} cases[] = {
		{GOOD, 101},
		{"POST /ws HTTP/1.1\r\n" REST KEY "\r\n", 405},
		{"GET /ws HTTP/1.0\r\n" REST KEY "\r\n", 505},
		{"GET /ws HTTP/1.1\r\n" REST "\r\n", 400},
		{"GET /ws HTTP/1.1\r\n" REST KEY KEY "\r\n", 400},
		{"GET /ws HTTP/1.1\r\n" REST "Host: b\r\n" KEY "\r\n", 400},
		{"GET /ws HTTP/1.1\r\n" REST
		 "Sec-WebSocket-Key: dGhlIHNhbXBsZQ==\r\n\r\n",
			400},
		{"GET /ws HTTP/1.1\r\n" REST KEY "Content-Length: 5\r\n\r\n", 400},
		{"GET /ws HTTP/1.1\r\n" REST KEY "Transfer-Encoding: chunked\r\n\r\n",
			400},
		{"GET /ws HTTP/1.1\r\n" REST KEY " folded\r\n\r\n", 400},
		{"GET /ws HTTP/1.1\r\n" REST KEY "A : b\r\n\r\n", 400},
		{"GET /ws HTTP/1.1\n", 400},
		{"GET /a b HTTP/1.1\r\n", 400},
		{"\x16\x03\x01", 400},
		{"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
		/* Another version is told which one there is. */
		{"GET / HTTP/1.1\r\nSec-WebSocket-Version: 8\r\n", 426},
		/* Without the subprotocol it is no SIP (RFC 7118 4.1). */
		{"GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: "
		 "Upgrade\r\nSec-WebSocket-Version: 13\r\n" KEY "\r\n",
			400},
		{"GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: "
		 "Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: "
		 "chat\r\n" KEY "\r\n",
			400},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (status_of(cases[i].text) != cases[i].status)
			fail_msg("%s: %u", cases[i].text, status_of(cases[i].text));
}

static void upgrades_are_bounded(void **state)
{
	static char text[WEBSOCKET_HEAD_MAX + 10];
	struct websocket_upgrade u;
	struct buffer b = {0};

	(void)state;
	memset(text, 'x', sizeof text);
	memcpy(text, "GET /", 5);
	assert_int_equal(
		websocket_upgrade_parse(&u, view_of(text, WEBSOCKET_HEAD_MAX - 1)), 0);
	assert_int_equal(
		websocket_upgrade_parse(&u, view_of(text, WEBSOCKET_HEAD_MAX)), -1);
	assert_int_equal(u.status, 431);
	buffer_printf(&b, "GET / HTTP/1.1\r\n");
	for (int i = 0; i <= WEBSOCKET_HEADERS_MAX; i++)
		buffer_printf(&b, "A: b\r\n");
	assert_int_equal(websocket_upgrade_parse(&u, view_of(b.p, b.n)), -1);
	assert_int_equal(u.status, 431);
	buffer_free(&b);
	assert_int_equal(websocket_upgrade_answer(&b, &u), 0);
	buffer_put_u8(&b, 0);
	assert_string_equal((char *)b.p,
		"HTTP/1.1 431 Request Header Fields Too Large\r\nContent-Length: 0\r\n"
		"Connection: close\r\n\r\n");
	buffer_free(&b);
}

/* "Hello", masked: RFC 6455 section 5.7. */
static void frame_of_rfc_6455(void **state)
{
	uint8_t hello[] = {
		0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58, 0x99};
	struct websocket_frame f;

	(void)state;
	for (size_t n = 0; n < sizeof hello - 1; n++)
		assert_int_equal(websocket_frame_take(&f, hello, n), 0);
	assert_int_equal(websocket_frame_take(&f, hello, sizeof hello), 11);
	assert_int_equal(f.opcode, WEBSOCKET_TEXT);
	assert_true(f.last);
	assert_int_equal(f.n, 5);
	assert_memory_equal(f.payload, "Hello", 5);
}

static void frames_refused(void **state)
{
	static const uint8_t cases[][4] = {
		{0x81, 0x05},             /* not masked */
		{0xc1, 0x85},             /* a reserved bit */
		{0x83, 0x85},             /* a reserved opcode */
		{0x8b, 0x80},             /* a reserved control frame */
		{0x09, 0x80},             /* a ping in pieces */
		{0x89, 0xfe, 0x00, 0x80}, /* a long ping */
		{0x81, 0xfe, 0x00, 0x7d}, /* a length in more bytes than it needs */
		{0x81, 0xff, 0x00, 0x00}, /* 64 bits of length */
	};
	struct websocket_frame f;
	uint8_t bytes[4];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		memcpy(bytes, cases[i], sizeof bytes);
		assert_int_equal(websocket_frame_take(&f, bytes, sizeof bytes), -1);
	}
}

static void lengths_of_frames(void **state)
{
	static uint8_t bytes[WEBSOCKET_MESSAGE_MAX + 8];
	uint8_t head[WEBSOCKET_FRAME_HEAD];
	struct websocket_frame f;

	(void)state;
	bytes[0] = 0x02;
	bytes[1] = 0xfe;
	be16_store(bytes + 2, 65535);
	memset(bytes + 4, 0x20, 4);
	memset(bytes + 8, 'A', WEBSOCKET_MESSAGE_MAX);
	assert_int_equal(websocket_frame_take(&f, bytes, sizeof bytes - 1), 0);
	assert_int_equal(websocket_frame_take(&f, bytes, sizeof bytes), sizeof bytes);
	assert_false(f.last);
	assert_int_equal(f.opcode, WEBSOCKET_BINARY);
	assert_int_equal(f.n, 65535);
	assert_int_equal(f.payload[0], 'a');
	assert_int_equal(f.payload[65534], 'a');

	assert_int_equal(websocket_frame_head(head, WEBSOCKET_TEXT, 125), 2);
	assert_memory_equal(head, "\x81\x7d", 2);
	assert_int_equal(websocket_frame_head(head, WEBSOCKET_TEXT, 126), 4);
	assert_memory_equal(head, "\x81\x7e\x00\x7e", 4);
	assert_int_equal(websocket_frame_head(head, WEBSOCKET_BINARY, 65536), 10);
	assert_memory_equal(head, "\x82\x7f\0\0\0\0\0\x01\0\0", 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(upgrade_of_rfc_7118),
		cmocka_unit_test(upgrade_whole_or_not_yet),
		cmocka_unit_test(upgrades_refused),
		cmocka_unit_test(upgrades_are_bounded),
		cmocka_unit_test(frame_of_rfc_6455),
		cmocka_unit_test(frames_refused),
		cmocka_unit_test(lengths_of_frames),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
