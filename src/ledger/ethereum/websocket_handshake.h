/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LEDGER_ETHEREUM_WEBSOCKET_HANDSHAKE_H
#define LEDGER_ETHEREUM_WEBSOCKET_HANDSHAKE_H

#include "ledger/ethereum/endpoint.h"

/* The opening handshake of RFC 6455 section 4, the client's side (pure). */
#define HANDSHAKE_KEY    25          /* base64 of 16 random bytes, with NUL */
#define HANDSHAKE_ACCEPT 29          /* base64 of a SHA-1, with NUL */
#define HANDSHAKE_MAX    (16u << 10) /* bytes of a reply's head */

/* The nonce (section 4.1 point 7) as it goes out. */
void handshake_key(char key[HANDSHAKE_KEY], const uint8_t random[16]);

/* What Sec-WebSocket-Accept must be for this key. Returns 0, or -1. */
int handshake_accept(char accept[HANDSHAKE_ACCEPT], const char *key);

/*
 * The request for url with the endpoint's headers, origin and Authorization for
 * now (unix seconds). Holds secrets: wipe it. Returns 0, or -1 when out fails or
 * url is no URL.
 */
int handshake_request(struct buffer *out, const struct endpoint *e, const char *url,
	const char *key, uint64_t now);

/*
 * Judge what has come so far. Returns the length of the reply's head when it is
 * whole and says 101 with the right accept, no extension and no subprotocol
 * (none is asked for); 0 when more must come; -1 with a text, redacted for e and
 * with a remedy, when it can never become that.
 */
int handshake_judge(struct view bytes, const char *accept, const struct endpoint *e,
	struct error *err);

#endif
