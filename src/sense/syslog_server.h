/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SENSE_SYSLOG_SERVER_H
#define SENSE_SYSLOG_SERVER_H

#include <uv.h>

#include "base/error.h"
#include "indicator/address.h"
#include "sense/syslog_message.h"

/*
 * Takes syslog from other machines, over UDP (RFC 5426) or TCP (RFC 6587).
 *
 * Who may send is named by address. That is no proof over UDP, where anybody
 * can write any sender: `real` tells for each message whether its sender is
 * (a loopback address, which the kernel takes from nobody else, or the other
 * end of a TCP connection).
 */
#define SYSLOG_FROM_MAX        8
#define SYSLOG_CONNECTIONS_MAX 64

/* A bound socket, as hep_open_udp() and hep_open_tcp() make them. */
int syslog_open(bool udp, const struct address *local, uint16_t port, struct error *err);

struct syslog_config {
	/* Who may send: exact addresses; none: only this machine. */
	struct address from[SYSLOG_FROM_MAX];
	size_t from_count;
};

typedef void syslog_entry_fn(void *context, const struct log_entry *e, bool real);

struct syslog_figures {
	uint64_t messages;       /* given out */
	uint64_t bad;            /* no syslog */
	uint64_t oversize;       /* longer than SYSLOG_MESSAGE_MAX */
	uint64_t refused;        /* messages and connections of others than `from` */
	uint64_t kernel_dropped; /* datagrams that found the buffer full */
	uint64_t ended;          /* connections: broken, or to make room for another */
	unsigned connections;
};

struct syslog_server;

/*
 * Serve a socket of syslog_open(), which belongs to the server also when this
 * fails. NULL with a text.
 */
struct syslog_server *syslog_server_new(uv_loop_t *loop, int fd, bool udp,
	const struct syslog_config *config, syslog_entry_fn *entry, void *context,
	struct error *err);

/* The memory goes when the loop has run. No callback comes after. NULL is fine. */
void syslog_server_close(struct syslog_server *s);

void syslog_server_figures(const struct syslog_server *s, struct syslog_figures *out);

#endif
