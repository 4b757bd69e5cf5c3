/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/honeypot/websocket.h"

#include <openssl/evp.h>
#include <openssl/sha.h>

#define KEY_LENGTH 24 /* base64 of 16 bytes */

/* What the headers said; bits, so that a second Key or Host shows. */
enum { HOST = 1, UPGRADE = 2, CONNECTION = 4, KEY = 8, VERSION = 16, PROTOCOL = 32 };

/* Whether a comma-separated list has this word, without case. */
static bool list_has(struct view list, const char *word)
{
	while (list.n) {
		size_t n = view_find(list, ',');

		if (view_eq_nocase(view_trim(view_head(list, n)), word))
			return true;
		list = view_from(list, n + 1);
	}
	return false;
}

static bool is_base64(uint8_t c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
		(c >= '0' && c <= '9') || c == '+' || c == '/';
}

static bool is_key(struct view v)
{
	if (v.n != KEY_LENGTH || v.p[22] != '=' || v.p[23] != '=')
		return false;
	for (size_t i = 0; i < 22; i++)
		if (!is_base64(v.p[i]))
			return false;
	return true;
}

/* A token of HTTP (RFC 9110 5.6.2) and no empty one. */
static bool is_token(struct view v)
{
	for (size_t i = 0; i < v.n; i++)
		if (v.p[i] <= ' ' || v.p[i] >= 0x7f ||
			strchr("()<>@,;:\\\"/[]?={}", v.p[i]))
			return false;
	return v.n > 0;
}

/* One header line. Returns 0, or the status that refuses the request. */
static unsigned take_header(
	struct websocket_upgrade *out, unsigned *seen, struct view line)
{
	size_t colon = view_find(line, ':');
	struct view name = view_head(line, colon),
		    value = view_trim(view_from(line, colon + 1));
	unsigned bit = 0;

	/* Folded lines and spaces before the colon are how requests are smuggled. */
	if (colon == line.n || !is_token(name))
		return 400;
	for (size_t i = 0; i < value.n; i++)
		if ((value.p[i] < ' ' && value.p[i] != '\t') || value.p[i] == 0x7f)
			return 400;
	if (view_eq_nocase(name, "Host")) {
		bit = HOST;
	} else if (view_eq_nocase(name, "Upgrade")) {
		*seen |= list_has(value, "websocket") ? UPGRADE : 0;
	} else if (view_eq_nocase(name, "Connection")) {
		*seen |= list_has(value, "upgrade") ? CONNECTION : 0;
	} else if (view_eq_nocase(name, "Sec-WebSocket-Protocol")) {
		*seen |= list_has(value, "sip") ? PROTOCOL : 0;
	} else if (view_eq_nocase(name, "Sec-WebSocket-Version")) {
		if (!view_eq(value, view_str("13")))
			return 426;
		*seen |= VERSION;
	} else if (view_eq_nocase(name, "Sec-WebSocket-Key")) {
		if (!is_key(value))
			return 400;
		out->key = value;
		bit = KEY;
	} else if (view_eq_nocase(name, "Transfer-Encoding") ||
		(view_eq_nocase(name, "Content-Length") &&
			!view_eq(value, view_str("0")))) {
		return 400; /* a body has no place here */
	}
	if (*seen & bit)
		return 400;
	*seen |= bit;
	return 0;
}

/* "GET /path HTTP/1.1". Returns 0, or the status that refuses the request. */
static unsigned take_request_line(struct view line)
{
	size_t first = view_find(line, ' '), last = view_rfind(line, ' ');
	struct view version = view_from(line, last + 1);

	if (first == last || !is_token(view_head(line, first)))
		return 400;
	for (size_t i = first + 1; i < last; i++)
		if (line.p[i] <= ' ' || line.p[i] >= 0x7f)
			return 400;
	if (!view_starts(version, "HTTP/"))
		return 400;
	if (!view_eq(version, view_str("HTTP/1.1")))
		return 505;
	return view_eq(view_head(line, first), view_str("GET")) ? 0 : 405;
}

/* A line without its CRLF. False when its end is not there. */
static bool take_line(struct view *rest, struct view *line, bool *bare)
{
	size_t n = view_find(*rest, '\n');

	if (n == rest->n)
		return false;
	*bare = !n || rest->p[n - 1] != '\r';
	*line = view_head(*rest, *bare ? n : n - 1);
	*rest = view_from(*rest, n + 1);
	return true;
}

static long refuse(struct websocket_upgrade *out, unsigned status)
{
	out->status = status;
	return -1;
}

long websocket_upgrade_parse(struct websocket_upgrade *out, struct view bytes)
{
	struct view rest = view_head(bytes, WEBSOCKET_HEAD_MAX), line;
	unsigned seen = 0, lines = 0, status;
	bool bare;

	memset(out, 0, sizeof *out);
	while (take_line(&rest, &line, &bare)) {
		if (bare)
			return refuse(out, 400);
		if (!line.n && lines)
			goto whole;
		if (lines > WEBSOCKET_HEADERS_MAX)
			return refuse(out, 431);
		status = lines++ ? take_header(out, &seen, line) :
				   take_request_line(line);
		if (status)
			return refuse(out, status);
	}
	/* A first line that is no request: TLS, SIP over TCP, noise. */
	if (!lines && bytes.n && (bytes.p[0] < 'A' || bytes.p[0] > 'Z'))
		return refuse(out, 400);
	return bytes.n >= WEBSOCKET_HEAD_MAX ? refuse(out, 431) : 0;
whole:
	if (seen != (HOST | UPGRADE | CONNECTION | KEY | VERSION | PROTOCOL))
		return refuse(out, seen & UPGRADE && !(seen & VERSION) ? 426 : 400);
	out->status = 101;
	return (long)(bytes.n < WEBSOCKET_HEAD_MAX ? bytes.n : WEBSOCKET_HEAD_MAX) -
		(long)rest.n;
}

/* RFC 6455 4.2.2: base64 of the SHA-1 of the key and a fixed text. */
static void accept_of(char out[32], struct view key)
{
	static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
	uint8_t text[KEY_LENGTH + sizeof guid - 1], hash[SHA_DIGEST_LENGTH];

	memcpy(text, key.p, KEY_LENGTH);
	memcpy(text + KEY_LENGTH, guid, sizeof guid - 1);
	SHA1(text, sizeof text, hash);
	EVP_EncodeBlock((unsigned char *)out, hash, sizeof hash);
}

static const char *reason_of(unsigned status)
{
	switch (status) {
	case 405:
		return "Method Not Allowed";
	case 426:
		return "Upgrade Required";
	case 431:
		return "Request Header Fields Too Large";
	case 505:
		return "HTTP Version Not Supported";
	default:
		return "Bad Request";
	}
}

int websocket_upgrade_answer(struct buffer *out, const struct websocket_upgrade *u)
{
	char accept[32];

	if (u->status != 101)
		return buffer_printf(out,
			"HTTP/1.1 %u %s\r\n%sContent-Length: 0\r\nConnection: close\r\n\r\n",
			u->status, reason_of(u->status),
			u->status == 426         ? "Sec-WebSocket-Version: 13\r\n" :
				u->status == 405 ? "Allow: GET\r\n" :
						   "");
	accept_of(accept, u->key);
	return buffer_printf(out,
		"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
		"Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n"
		"Sec-WebSocket-Protocol: sip\r\n\r\n",
		accept);
}

/* --- frames: RFC 6455 5.2 --- */

/*
 *   0               1               2 ..
 *   F RSV opcode    M length        16 or 64 bits of length   mask    payload
 *   1 3   4         1 7             when 126 or 127           4
 */
static long frame_length(const uint8_t *bytes, size_t n, size_t *head)
{
	uint64_t length = bytes[1] & 0x7f;

	*head = 2;
	if (length == 126) {
		*head = 4;
		if (n < 4)
			return 0;
		length = be16_load(bytes + 2);
		if (length < 126)
			return -1;
	} else if (length == 127) {
		return -1; /* 65,536 bytes at least */
	}
	return (long)length;
}

static int check_frame(uint8_t first, uint8_t second)
{
	uint8_t opcode = first & 0x0f;
	bool control = opcode & 0x08;

	if ((first & 0x70) || !(second & 0x80))
		return -1;
	if (opcode > WEBSOCKET_PONG || (opcode > WEBSOCKET_BINARY && !control))
		return -1;
	return control && (!(first & 0x80) || (second & 0x7f) > 125) ? -1 : 0;
}

long websocket_frame_take(struct websocket_frame *f, uint8_t *bytes, size_t n)
{
	const uint8_t *mask;
	size_t head;
	long length;

	if (n && (bytes[0] & 0x70))
		return -1;
	if (n < 2)
		return 0;
	if (check_frame(bytes[0], bytes[1]))
		return -1;
	length = frame_length(bytes, n, &head);
	if (length < 0)
		return -1;
	if (n < head + 4 + (size_t)length)
		return 0;
	mask = bytes + head;
	f->opcode = bytes[0] & 0x0f;
	f->last = bytes[0] & 0x80;
	f->payload = bytes + head + 4;
	f->n = (size_t)length;
	for (size_t i = 0; i < f->n; i++)
		f->payload[i] ^= mask[i & 3];
	return (long)(head + 4 + f->n);
}

size_t websocket_frame_head(uint8_t head[WEBSOCKET_FRAME_HEAD], uint8_t opcode, size_t n)
{
	head[0] = 0x80 | opcode;
	if (n < 126) {
		head[1] = (uint8_t)n;
		return 2;
	}
	if (n <= UINT16_MAX) {
		head[1] = 126;
		be16_store(head + 2, (uint16_t)n);
		return 4;
	}
	head[1] = 127;
	be64_store(head + 2, n);
	return 10;
}
