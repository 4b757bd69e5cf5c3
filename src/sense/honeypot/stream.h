/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SENSE_HONEYPOT_STREAM_H
#define SENSE_HONEYPOT_STREAM_H

#include "base/bytes.h"

/*
 * Where one SIP message ends in a stream (RFC 3261 18.3): at the empty line
 * and so many bytes behind it as Content-Length says; without that header
 * right there. Pure; nothing is kept but the place up to which was looked.
 */
#define STREAM_HEAD_MAX    32768 /* bytes up to the empty line */
#define STREAM_MESSAGE_MAX 65535 /* bytes of a message, as of a datagram */

enum stream_verdict {
	STREAM_MORE = 0,  /* not whole yet */
	STREAM_MESSAGE,   /* *n bytes are one message */
	STREAM_BLANK,     /* *n bytes of line ends between messages: nothing */
	STREAM_KEEPALIVE, /* *n bytes end a double CRLF (RFC 5626 4.4.1): answer CRLF */
	STREAM_BROKEN,    /* no SIP, too long, or two lengths: nothing tells where the
	                     next message begins */
};

/* Zero at the beginning of a connection. */
struct stream_state {
	uint32_t looked; /* bytes of the message's head that hold no end of it */
	uint32_t total;  /* of the whole message, once its head is there; 0: not known */
	uint8_t breaks;  /* line ends seen in a row before a message */
};

/*
 * Look at what of a stream is not taken yet. With STREAM_MESSAGE, _BLANK and
 * _KEEPALIVE the caller takes *n bytes off and calls again; with STREAM_MORE it
 * calls again with the same bytes and more behind them.
 */
enum stream_verdict stream_next(struct stream_state *s, size_t *n, struct view bytes);

#endif
