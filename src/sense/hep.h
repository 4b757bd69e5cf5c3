/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SENSE_HEP_H
#define SENSE_HEP_H

#include <uv.h>

#include "base/error.h"
#include "sense/wire.h"

/*
 * The HEP collector: listens for HEP3 on UDP and TCP and turns what it hears
 * into observations (sense/wire.h).
 *
 * Sockets are opened by functions of their own, so that a process can open
 * them before it gives up the right to.
 */

/*
 * A bound, non-blocking UDP socket with 32 MB receive buffer (SO_RCVBUFFORCE,
 * or as much of it as net.core.rmem_max allows) and drop counter
 * (SO_RXQ_OVFL). Returns the descriptor, or -1 with a text.
 */
int hep_open_udp(const struct address *local, uint16_t port, struct error *err);

/* A bound TCP socket that does not listen yet. Returns as hep_open_udp(). */
int hep_open_tcp(const struct address *local, uint16_t port, struct error *err);

struct hep_config {
	struct wire_config wire;
	const char *password;     /* NULL or "": none is asked for; copied */
	unsigned connections_max; /* TCP; 64 KiB each */
};

/* wire_config_default, no password, 64 connections. */
extern const struct hep_config hep_config_default;

struct hep_collector;

/*
 * observe(context, o) is called from within the loop. key is for hash tables.
 * NULL when memory is short.
 */
struct hep_collector *hep_collector_new(uv_loop_t *loop, const struct hep_config *config,
	struct hash_key key, observation_fn *observe, void *context);

/*
 * Take a socket from hep_open_udp() or hep_open_tcp(); the collector owns the
 * descriptor, also when this fails. Returns 0 or -1 with a text.
 */
int hep_collector_udp(struct hep_collector *c, int fd, struct error *err);
int hep_collector_tcp(struct hep_collector *c, int fd, struct error *err);

/*
 * Close all sockets. c is freed by the loop once the last handle is closed;
 * no observation is made after this call.
 */
void hep_collector_close(struct hep_collector *c);

struct hep_figures {
	uint64_t received; /* whole HEP messages and broken ones */
	uint64_t bad;      /* not HEP3, or broken */
	uint64_t wrong_password;
	uint64_t compressed;          /* refused */
	uint64_t kernel_dropped;      /* datagrams that found the buffer full */
	uint64_t connections_refused; /* or ended to make room */
	unsigned connections;
	struct wire_figures wire;
};
void hep_figures(const struct hep_collector *c, struct hep_figures *out);

#endif
