/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_SENSE_HONEYPOT_STATE_H
#define DAEMON_SENSE_HONEYPOT_STATE_H

#include "daemon/sense_honeypot.h"
#include "sense/hep_out.h"
#include "sense/honeypot/honeypot.h"
#include "sense/honeypot/recorder.h"
#include "sense/honeypot/socket.h"

/* Shared by sense_honeypot.c and sense_honeypot_tell.c. */
struct sense_honeypot {
	uv_loop_t *loop;
	const struct config *config;
	struct honeypot *core;
	struct honeypot_sockets *sockets;
	struct honeypot_tls *tls; /* NULL: no listener needs it */
	struct recorder *recorder;
	struct hep_out *hep;
	char folder[CONFIG_PATH_MAX];
	uv_timer_t due;       /* when the core has something to do */
	uv_timer_t flush;     /* of the recorder */
	uv_prepare_t prepare; /* sets `due`, after messages may have changed it */
	usec due_at;          /* wall; 0: the timer is off */
	unsigned handles;
	observation_fn *observation;
	void *context;
	/* What was opened. */
	struct honeypot_listener listeners[HONEYPOT_LISTENERS_MAX];
	uint32_t listener_count;
	char trouble[300]; /* the first thing that could not be */
	struct honeypot_status told;
};

#endif
