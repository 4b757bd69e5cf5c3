/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SENSE_HONEYPOT_SOCKET_H
#define SENSE_HONEYPOT_SOCKET_H

#include <uv.h>

#include "base/error.h"
#include "sense/honeypot/honeypot.h"
#include "sense/honeypot/tls.h"

/*
 * The honeypot's sockets: datagrams, streams, TLS and WebSockets come in as
 * whole messages, answers go out the way that the message came. What is held for
 * one connection, one source and all together is bounded, and so is the time in
 * which a message, a handshake or an answer must pass.
 *
 * Sockets are opened by functions of their own, so that a process can open them
 * before it gives up the right to.
 */

/*
 * A bound, non-blocking UDP socket that tells to which address a datagram came
 * and how many the kernel dropped, with 32 MiB of receive buffer (SO_RCVBUFFORCE,
 * or as much of it as net.core.rmem_max allows). Returns the descriptor, or -1
 * with a text that names address, port and remedy.
 */
int honeypot_open_udp(const struct address *local, uint16_t port, struct error *err);

/* A bound TCP socket that does not listen yet. Returns as honeypot_open_udp(). */
int honeypot_open_tcp(const struct address *local, uint16_t port, struct error *err);

/*
 * Make such a socket of one that somebody else bound (socket activation). 0, or
 * -1 with a text, fd left open.
 */
int honeypot_adopt(int fd, bool udp, struct error *err);

struct honeypot_sockets_config {
	unsigned connections_max;        /* all streams together */
	unsigned connections_tls;        /* of them TLS and WSS, which cost far more */
	unsigned connections_per_source; /* an IPv4 address, an IPv6 /64 */
	unsigned handshakes;             /* of TLS, a second */
	size_t buffers_max; /* bytes of unfinished messages and unsent answers */
	unsigned within;    /* seconds for a message, a handshake or an answer to pass */
	unsigned idle;      /* seconds without a message after which a stream ends */
};

/* 10,000; 1,000; 256; 200; 16 MiB; 10; 3,600 */
extern const struct honeypot_sockets_config honeypot_sockets_config_default;

struct honeypot_sockets_hooks {
	void *context;
	/*
	 * One datagram, message of a stream or WebSocket message, or what came of
	 * one that can never become whole. now is wall time. Answers by
	 * honeypot_sockets_send() are allowed here and at any other time.
	 */
	void (*receive)(void *context, const struct honeypot_path *path,
		struct view bytes, usec now);
	/* A connection has ended; its number is never used again. */
	void (*closed)(void *context, uint64_t connection, usec now);
};

struct honeypot_sockets;

/* NULL when memory is short. config and hooks are copied. */
struct honeypot_sockets *honeypot_sockets_new(uv_loop_t *loop,
	const struct honeypot_sockets_config *config,
	const struct honeypot_sockets_hooks *hooks);

/*
 * Take a socket from the functions above; s owns the descriptor, also when this
 * fails. tls: for TLS and WSS, it must outlive s. Returns 0 or -1 with a text.
 */
int honeypot_sockets_add(struct honeypot_sockets *s, enum sip_transport transport, int fd,
	struct honeypot_tls *tls, struct error *err);

/*
 * Send an answer along path: a datagram from path's local address and port to
 * the remote ones, or a message of that connection. It is copied; what cannot
 * be sent (no such connection any more, a peer that does not read, no room in
 * the kernel) is dropped and counted. Datagrams leave at the latest when the
 * loop is about to sleep.
 */
void honeypot_sockets_send(
	struct honeypot_sockets *s, const struct honeypot_path *path, struct view bytes);

/* Send now what waits; for callers without a loop turn behind them. */
void honeypot_sockets_flush(struct honeypot_sockets *s);

/*
 * Close everything. s is freed by the loop once the last handle is closed; no
 * hook is called after this.
 */
void honeypot_sockets_close(struct honeypot_sockets *s);

struct honeypot_sockets_figures {
	uint64_t datagrams;      /* received */
	uint64_t messages;       /* of streams and WebSockets */
	uint64_t sent;           /* datagrams and messages */
	uint64_t send_failed;    /* not taken by the kernel, or by the peer */
	uint64_t kernel_dropped; /* datagrams that found the buffer full */
	uint64_t accepted;       /* connections */
	uint64_t refused;        /* by a limit, or ended to make room */
	uint64_t timed_out;      /* messages, handshakes, answers that took too long */
	uint64_t broken;         /* streams that spoke no SIP, TLS or WebSocket */
	uint32_t connections, connections_tls;
	size_t buffered; /* bytes, of buffers_max */
};
void honeypot_sockets_figures(
	const struct honeypot_sockets *s, struct honeypot_sockets_figures *out);

#endif
