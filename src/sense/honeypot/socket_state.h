/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SENSE_HONEYPOT_SOCKET_STATE_H
#define SENSE_HONEYPOT_SOCKET_STATE_H

#include "base/table.h"
#include "sense/honeypot/socket.h"
#include "sense/honeypot/stream.h"

/* The inside of the sockets, shared by socket*.c, connection*.c and datagram.c. */

#define DATAGRAM_MAX 65507 /* bytes that IPv4 lets a datagram carry */

/* Where a connection stands; each has a list of its own, oldest first. */
enum connection_list {
	LIST_IDLE,      /* between messages */
	LIST_BUSY,      /* an unfinished message, or an unsent answer */
	LIST_HANDSHAKE, /* TLS, or the upgrade to a WebSocket */
	LIST_COUNT
};

struct bytes {
	uint8_t *p;
	uint32_t n, capacity;
};

struct listener {
	struct honeypot_sockets *sockets;
	struct listener *next;
	uv_poll_t poll;
	int fd;
	uint8_t transport;
	struct honeypot_tls *tls;
	struct address local; /* as bound; all zeros for any */
	uint16_t port;
	uint32_t dropped; /* UDP: as the kernel last said; it wraps */
};

/*
 * Small on purpose: there may be 10,000 that say nothing. Buffers are there
 * while a message is unfinished, and no longer.
 */
struct connection {
	uv_poll_t poll;
	struct honeypot_sockets *sockets;
	struct connection *next, *previous; /* of its list */
	struct tls_connection *tls;
	uint64_t since; /* when it came onto its list; milliseconds of the loop */
	uint64_t number;
	struct address remote, local;
	uint16_t remote_port, local_port;
	int fd;
	struct bytes in, out;
	struct bytes fragments; /* of a WebSocket message */
	struct stream_state stream;
	uint8_t transport;
	uint8_t list; /* enum connection_list */
	uint8_t watched;
	bool upgraded; /* WebSocket: the handshake is done */
	bool binary;   /* WebSocket: it was last spoken to in binary frames */
	bool ending;   /* closed once the last answer is out */
	bool failed;   /* the peer is gone, or does not read */
};

struct connection_queue {
	struct connection *first, *last;
};

struct source_count {
	uint8_t key[17];
	uint32_t connections;
};

struct number_entry {
	uint64_t number;
	struct connection *connection;
};

struct datagrams;

struct honeypot_sockets {
	uv_loop_t *loop;
	uv_timer_t timer;
	uv_prepare_t prepare;
	struct honeypot_sockets_config config;
	struct honeypot_sockets_hooks hooks;
	struct listener *listeners;
	struct datagrams *datagrams; /* made with the first UDP socket */
	struct connection_queue queues[LIST_COUNT];
	struct table *numbers; /* struct number_entry */
	struct table *sources; /* struct source_count */
	uint64_t last_number;
	uint64_t second; /* in which so many .. */
	unsigned handshakes;
	unsigned handles; /* open or closing; the last one frees */
	bool closing;
	uint8_t *scratch; /* READ_BYTES: what was read from a stream */
	struct honeypot_sockets_figures figures;
};

#define READ_BYTES 16384u /* a record of TLS */

/* A handle of s was closed for good; frees s with the last one. */
void sockets_released(struct honeypot_sockets *s);

/* --- datagram.c --- */

/* Returns 0, or -1 when memory is short. */
int datagrams_make(struct honeypot_sockets *s);
void datagrams_free(struct datagrams *d);
void datagrams_readable(struct listener *l);
void datagrams_send(
	struct honeypot_sockets *s, const struct honeypot_path *path, struct view bytes);
void datagrams_flush(struct honeypot_sockets *s);
/* Give back what long datagrams have touched. */
void datagrams_trim(struct datagrams *d);

/* --- connection_accept.c --- */

/* Take in all who wait, within limits. */
void connections_accept(struct listener *l);

/* --- connection.c --- */

/* Of a socket that was accepted; s owns fd in any case. NULL when it cannot be. */
struct connection *connection_new(
	struct listener *l, int fd, const struct address *remote, uint16_t port);

/* Off all lists, socket closed; the core is told. Freed when libuv lets go. */
void connection_end(struct connection *k);

/* Onto the end of a list, with the present time. */
void connection_move(struct connection *k, enum connection_list list);

/* End what took longer than it may. */
void connections_expire(struct honeypot_sockets *s);

/*
 * End the one that has done nothing for the longest time, of all or of those
 * with TLS. False when there is none.
 */
bool connections_make_room(struct honeypot_sockets *s, bool tls);

/* What a source is counted by: an IPv4 address, an IPv6 /64. */
void source_key(uint8_t key[17], const struct address *a);

/* --- connection_read.c --- */

/* Read what has come and hand on what is whole. May end k. */
void connection_readable(struct connection *k);

/* The unfinished rest to the core, which judges it; then the end. */
void connection_give_up(struct connection *k);

/* --- connection_write.c --- */

/* Bytes as they are, or framed as the transport asks. */
void connection_put(struct connection *k, struct view bytes);
void connection_send(struct connection *k, struct view message);
void connection_frame(struct connection *k, uint8_t opcode, struct view payload);

/* Write what waits. */
void connection_writable(struct connection *k);

/* Watch for what k waits for, and put it on the list where it belongs. */
void connection_settle(struct connection *k);

/*
 * Append to a buffer of k's, counted against buffers_max. 0, or -1 when there is
 * no room.
 */
int connection_keep(struct connection *k, struct bytes *b, struct view more);

/* Drop the first n bytes; an empty buffer is given back. */
void connection_drop(struct connection *k, struct bytes *b, size_t n);

#endif
