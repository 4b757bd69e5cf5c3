/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LEDGER_ETHEREUM_WEBSOCKET_H
#define LEDGER_ETHEREUM_WEBSOCKET_H

#include <uv.h>

#include "ledger/ethereum/endpoint.h"

/*
 * A WebSocket (RFC 6455) client for one endpoint: libcurl's CONNECT_ONLY byte
 * pipe (TLS, proxy) with the upgrade handshake and wslay's frames on top.
 * Fragments are put together up to WEBSOCKET_MESSAGE_MAX; pings are answered;
 * a ping of our own goes out every WEBSOCKET_PING_MS, and a peer that sends
 * nothing for twice that long is closed ("silent").
 */
#define WEBSOCKET_MESSAGE_MAX (1u << 20)
#define WEBSOCKET_PING_MS     3000
#define WEBSOCKET_CONNECT_MS  5000

struct websocket;

struct websocket_callbacks {
	void *context;
	void (*opened)(void *context);
	void (*message)(void *context, struct view text);
	/* Once, at the end; then only websocket_close() is left. `why` redacted. */
	void (*closed)(void *context, const char *why);
};

/*
 * Connect to url (ws:// or wss://, without a user; the endpoint, which must
 * outlive it, gives credentials, proxy, CA, origin). Connecting and the upgrade
 * may take WEBSOCKET_CONNECT_MS together. No callback runs inside this call.
 * NULL with a text. What a sealed process needs: base/http_client.h.
 */
struct websocket *websocket_open(uv_loop_t *loop, const struct endpoint *endpoint,
	const char *url, const struct websocket_callbacks *callbacks, struct error *err);

/* Ping after ms instead of WEBSOCKET_PING_MS; before it is open. */
void websocket_ping_every(struct websocket *w, unsigned ms);

/*
 * Queue one text message, copied. Returns 0, or -1 when it is not open, or the
 * peer has left more than WEBSOCKET_MESSAGE_MAX bytes unread.
 */
int websocket_send(struct websocket *w, struct view text);

/*
 * Says goodbye if it is open; frees when its handles have closed on the loop; no
 * callback after it. NULL is nothing.
 */
void websocket_close(struct websocket *w);

#endif
