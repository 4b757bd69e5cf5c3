/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LEDGER_ETHEREUM_WEBSOCKET_STATE_H
#define LEDGER_ETHEREUM_WEBSOCKET_STATE_H

#include <wslay/wslay.h>

#include "base/curl_uv.h"
#include "ledger/ethereum/websocket.h"
#include "ledger/ethereum/websocket_handshake.h"

/* What websocket.c (connection, handles) and websocket_frames.c share. */

enum stage {
	CONNECTING, /* libcurl: TCP, proxy, TLS */
	UPGRADING,  /* the handshake goes to and fro */
	OPEN,
	ENDED, /* closed() has been called */
};

struct websocket {
	const struct endpoint *endpoint;
	struct websocket_callbacks callbacks;
	char url[ENDPOINT_URL_MAX];
	char accept[HANDSHAKE_ACCEPT];
	enum stage stage;
	struct curl_uv curl;
	CURL *easy;
	char detail[CURL_ERROR_SIZE];
	uv_poll_t poll;   /* of the socket, once it is ours */
	uv_timer_t timer; /* of connecting, then of pings */
	uv_idle_t idle;   /* there is more to read, but not from the kernel */
	unsigned parts;   /* handles (curl as one) that have not closed yet */
	bool has_poll;
	unsigned depth; /* > 0: inside a callback of the loop */
	bool closing;
	struct buffer out; /* the request, until it is sent */
	struct buffer in;  /* the reply's head; behind it, what came too early */
	wslay_event_context_ptr frames;
	size_t budget; /* bytes that this turn may still read */
	bool more;     /* it was used up */
	unsigned ping_ms;
	uint64_t last_received; /* uv_hrtime() */
	struct error why;       /* why reading or writing failed */
};

/* --- websocket.c --- */

/* End: closed() is called with "NAME: text". */
void websocket_end(struct websocket *w, const char *text);

/*
 * Read into dst: the bytes, 0 when none are there now, -1 with w->why (NULL
 * text: none) at the end.
 */
ssize_t websocket_read(struct websocket *w, uint8_t *dst, size_t n);
ssize_t websocket_write(struct websocket *w, const uint8_t *src, size_t n);

/* --- websocket_frames.c --- */

/* Returns 0 or -1. */
int websocket_frames_open(struct websocket *w);

/* Read and write what can be; ends w when that is what comes of it. */
void websocket_frames_step(struct websocket *w);

/* Queue one. Returns 0 or -1. */
int websocket_frames_put(struct websocket *w, enum wslay_opcode opcode, struct view text);

/* Try to say goodbye; what cannot be sent at once is not. */
void websocket_frames_goodbye(struct websocket *w);

#endif
