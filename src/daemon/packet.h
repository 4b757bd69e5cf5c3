/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_PACKET_H
#define DAEMON_PACKET_H

#include "base/bytes.h"
#include "base/error.h"

/*
 * One message between two processes is one packet of a SOCK_SEQPACKET pair:
 *
 *   byte  0..1   2..3        4..7     8 ...
 *         type   reserved 0  length   payload of `length` bytes
 *
 * in host byte order (both ends are one program on one machine). At most one
 * descriptor travels with a packet (SCM_RIGHTS).
 */
#define PACKET_HEADER 8
/*
 * Header and payload; the longest is a batch of 256 words with all their texts
 * (messages.h checks it).
 */
#define PACKET_MAX         (96 * 1024)
#define PACKET_PAYLOAD_MAX (PACKET_MAX - PACKET_HEADER)

struct packet {
	uint16_t type;
	struct view payload; /* points into the receiver's buffer */
	int fd;              /* passed descriptor, now the receiver's; or -1 */
};

/*
 * A new pair, both ends non-blocking and close-on-exec. Returns 0, or -1 with
 * errno.
 */
int packet_pair(int fds[2]);

/*
 * Send one packet. pass: a descriptor to send along (stays the caller's), or
 * -1. Returns 0; -1 with errno EAGAIN (the socket is full), EMSGSIZE (payload
 * over PACKET_PAYLOAD_MAX), EPIPE or ECONNRESET (the other end is gone). Never
 * raises SIGPIPE.
 */
int packet_send(int fd, uint16_t type, struct view payload, int pass);

/*
 * Receive one packet into buffer[PACKET_MAX]. Returns 1 with *out filled; 0
 * when the other end is closed; -1 with errno: EAGAIN (nothing there), EBADMSG
 * (truncated, wrong length, reserved bits, several descriptors: the peer is
 * not to be trusted any more; every descriptor was closed), or recvmsg(2)'s.
 */
int packet_receive(int fd, uint8_t *buffer, struct packet *out);

/*
 * The same with a wait of at most timeout_ms (-1: for ever) for something to
 * receive; ETIMEDOUT when nothing came.
 */
int packet_wait(int fd, uint8_t *buffer, struct packet *out, int timeout_ms);

#endif
