/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SOCKETS_FOR_TEST_H
#define TESTS_SOCKETS_FOR_TEST_H

#include "sense/honeypot/socket.h"

/*
 * The honeypot's sockets on a loop of their own and a core that notes what it
 * is given and answers each message with `answer` before it.
 */
struct bench {
	uv_loop_t loop;
	struct honeypot_sockets *sockets;
	struct honeypot_sockets_config config;
	struct honeypot_tls *tls;
	unsigned received, closed;
	struct honeypot_path path; /* of the last one */
	size_t longest;
	struct buffer last; /* the bytes of the last one */
	uint64_t closed_number;
	bool mute; /* does not answer */
};

/* Set up; change b->config in between, then bench_open(). */
void bench_start(struct bench *b);
void bench_open(struct bench *b);

/* Listen on an address; returns the port. */
uint16_t bench_listen(struct bench *b, enum sip_transport transport, const char *local);
void bench_stop(struct bench *b);

/* Let the loop run until so many were received in all, or 5 seconds have passed. */
void bench_until(struct bench *b, unsigned received);
/* The same until the figure, an address into `figures`, is at least n. */
void bench_turn(struct bench *b);
struct honeypot_sockets_figures bench_figures(const struct bench *b);

/* A blocking client socket, connected; from: an address to bind to, or NULL. */
int client_open(int type, const char *from, const char *to, uint16_t port);

/*
 * Read from a client until it has n bytes or the end, letting b's loop run.
 * Returns the number of bytes.
 */
size_t client_read(struct bench *b, int fd, void *dst, size_t n);

#endif
