/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SENSE_HONEYPOT_WEBSOCKET_H
#define SENSE_HONEYPOT_WEBSOCKET_H

#include "base/buffer.h"

/*
 * SIP over WebSocket, the server's side (RFC 6455, RFC 7118): the upgrade and
 * the frames. Pure. Frames are read here and not by wslay, because its contexts
 * keep 8 KiB for each connection, of which there may be 10,000 that say nothing.
 */
#define WEBSOCKET_HEAD_MAX    8192  /* bytes of the HTTP request */
#define WEBSOCKET_HEADERS_MAX 64    /* header lines of it */
#define WEBSOCKET_MESSAGE_MAX 65535 /* bytes of a message, fragments together */
#define WEBSOCKET_FRAME_HEAD  10    /* most bytes before what a server sends */

struct websocket_upgrade {
	struct view key; /* as it came: 24 characters */
	unsigned status; /* of the answer: 101, or why not */
};

/*
 * The HTTP request that opens a connection: GET, HTTP/1.1, Host, Upgrade:
 * websocket, Connection: Upgrade, one Sec-WebSocket-Key, version 13 and the
 * subprotocol "sip". Returns its length when it is whole, with out->status 101;
 * 0 when more must come; -1 when it is refused, with out->status 400, 405, 426,
 * 431 or 505.
 */
long websocket_upgrade_parse(struct websocket_upgrade *out, struct view bytes);

/*
 * Append the answer to it: with 101 the handshake's end, else a refusal without
 * a body. Returns 0, or -1 when out fails.
 */
int websocket_upgrade_answer(struct buffer *out, const struct websocket_upgrade *u);

enum websocket_opcode {
	WEBSOCKET_CONTINUATION = 0,
	WEBSOCKET_TEXT = 1,
	WEBSOCKET_BINARY = 2,
	WEBSOCKET_CLOSE = 8,
	WEBSOCKET_PING = 9,
	WEBSOCKET_PONG = 10,
};

struct websocket_frame {
	uint8_t opcode; /* enum websocket_opcode */
	bool last;      /* FIN */
	uint8_t *payload;
	size_t n;
};

/*
 * The frame of a client at the start of n bytes, its payload unmasked where it
 * stands once it is whole. Returns its length; 0 when more must come; -1 when it
 * breaks RFC 6455: not masked, a reserved bit or opcode, a control frame in
 * pieces or over 125 bytes, a length in more bytes than it needs, a payload over
 * WEBSOCKET_MESSAGE_MAX.
 */
long websocket_frame_take(struct websocket_frame *f, uint8_t *bytes, size_t n);

/*
 * What goes before n bytes of payload that a server sends as one frame. Returns
 * the number of bytes written to head.
 */
size_t websocket_frame_head(uint8_t head[WEBSOCKET_FRAME_HEAD], uint8_t opcode, size_t n);

#endif
