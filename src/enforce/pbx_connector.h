/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENFORCE_PBX_CONNECTOR_H
#define ENFORCE_PBX_CONNECTOR_H

#include "enforce/ban_table.h"
#include "enforce/pbx.h"

/*
 * What is common to all connectors: the bans as they should stand in one PBX, the
 * protocol that brings them there (enforce/pbx.h), and when to connect again. Pure:
 * the owner has the descriptors and the clocks.
 *
 *   waiting --> connecting --> login --> ready
 *      ^            |            |         |
 *      +------------+------------+---------+    slower and slower
 *
 * A PBX knows no scopes: every ban here has BAN_SIP.
 */
enum connector_state {
	CONNECTOR_OFF = 1,        /* observe: it touches nothing */
	CONNECTOR_WAITING = 2,    /* for the next try */
	CONNECTOR_CONNECTING = 3, /* asked for a connection */
	CONNECTOR_LOGIN = 4,      /* connected, not in step yet */
	CONNECTOR_READY = 5,
};

/* "off", "waiting", "connecting", "login", "ready"; "?" for anything else. */
const char *connector_state_name(uint8_t state);

struct connector_callbacks {
	void *context;
	/* A connection is wanted: _connected() or _closed() follows. */
	void (*connect)(void *context);
	/* Close the one that there is; no _closed() follows. */
	void (*disconnect)(void *context);
	/* A blocked call. The indicator is one that stands or stood, or of kind 0. */
	void (*hit)(void *context, const struct pbx_hit *hit);
	/* Something for the log, said once: clean text; good: it is ready. */
	void (*says)(void *context, bool good, const char *text);
};

struct pbx_connector;

/*
 * callbacks are copied; they are called from _turn() alone, hit() also from
 * _received(). NULL with a text: what ops->open() says, or memory.
 */
struct pbx_connector *pbx_connector_new(const struct pbx_ops *ops,
	const struct pbx_config *config, const struct connector_callbacks *callbacks,
	struct error *err);
void pbx_connector_free(struct pbx_connector *c);

/* Whether bans of this kind of indicator go there (of some, perhaps not all). */
bool pbx_connector_carries(const struct pbx_connector *c, uint8_t kind);

/*
 * A ban shall stand until `end` (unix seconds), or no longer (0). What it cannot carry is left
 * out. Nothing is ordered before _turn().
 */
void pbx_connector_follow(struct pbx_connector *c, const struct indicator *i,
	uint8_t origin, uint8_t category, uint32_t end, uint32_t now);

/*
 * Into observe mode: connect, take away what stands there, known or not, then touch
 * nothing (CONNECTOR_OFF). Out of it: connect; the owner tells every ban anew.
 */
void pbx_connector_observe(struct pbx_connector *c, bool observe);

/* Compare all that stands there with what should; false: it is not connected. */
bool pbx_connector_resync(struct pbx_connector *c, usec now);

/* The connection that was asked for. */
void pbx_connector_connected(struct pbx_connector *c, usec now);
/* There is none, or it ended; why: clean text. */
void pbx_connector_closed(struct pbx_connector *c, const char *why, usec now);
void pbx_connector_received(struct pbx_connector *c, struct view bytes, usec now);
bool pbx_connector_next(struct pbx_connector *c, struct view *bytes);
void pbx_connector_sent(struct pbx_connector *c, size_t n);

/*
 * Do what is due, after anything else was called: connect, order, end what has
 * ended. now: monotonic; wall: unix seconds. Returns when to call it again at the
 * latest (monotonic).
 */
usec pbx_connector_turn(struct pbx_connector *c, usec now, uint32_t wall);

struct connector_figures {
	const char *type;
	uint8_t state;                     /* enum connector_state */
	bool refused;                      /* the last login was: it waits longer */
	usec since;                        /* monotonic: of the state */
	usec due;                          /* CONNECTOR_WAITING: the next try */
	size_t standing, queued, refusing; /* entries; queued: on their way, too */
	size_t not_carried;                /* of its kinds, but it cannot hold them */
	uint64_t hits;
	uint32_t failures; /* in a row */
	usec resynced;     /* monotonic: when it was last in step with all; 0: never */
	char trouble[PBX_TEXT];
	struct pbx_figures pbx;
};

void pbx_connector_figures(const struct pbx_connector *c, struct connector_figures *out);

/* Bytes held. */
size_t pbx_connector_memory(const struct pbx_connector *c);

#endif
