/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SENSE_HEP_COLLECTOR_H
#define SENSE_HEP_COLLECTOR_H

#include "sense/hep.h"

/* The inside of the collector, shared by hep.c (UDP) and hep_tcp.c. */

struct hep_udp;
struct hep_listener;
struct hep_connection;

struct hep_collector {
	uv_loop_t *loop;
	uv_timer_t timer;
	struct wire *wire;
	char *password;
	unsigned connections_max;
	struct hep_udp *udp;
	struct hep_listener *listeners;
	struct hep_connection *connections;
	unsigned handles; /* open or closing; the last one frees the collector */
	usec warned;      /* about a wrong password */
	struct hep_figures figures;
};

/* One whole HEP message from an agent. */
void hep_collector_message(struct hep_collector *c, struct view packet,
	const struct address *agent, usec now);

/* A handle of c was closed for good; frees c with the last one. */
void hep_collector_released(struct hep_collector *c);

/* Listen on a bound socket; as hep_collector_tcp(). */
int hep_listen(struct hep_collector *c, int fd, struct error *err);

/* Close all listeners and connections. */
void hep_listen_close(struct hep_collector *c);

#endif
