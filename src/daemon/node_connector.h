/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_NODE_CONNECTOR_H
#define DAEMON_NODE_CONNECTOR_H

#include <jansson.h>

#include "daemon/control.h"
#include "enforce/ban.h"

/*
 * The node's connectors, [connector "name"]: the I/O around
 * enforce/pbx_connector.h. They follow the same bans as the firewall does
 * (node_bans.c tells each change), and what a PBX is slow with waits here, for
 * that PBX alone.
 */
struct node;
struct config;
struct node_connectors;

/*
 * Make those of the configuration and read their secrets, which only root can:
 * before the role is sealed. One that cannot work stays out and says why in
 * `status`. NULL when memory is short.
 */
struct node_connectors *node_connectors_new(struct node *n);

/* Take over every ban of the node's and begin to connect. */
void node_connectors_start(struct node *n);

/* This indicator's bans changed; node_connectors_flush() orders what follows. */
void node_connectors_follow(struct node *n, const struct indicator *i);
void node_connectors_flush(struct node *n);

/* Whether some connector carries this kind of indicator. */
bool node_connectors_carry(const struct node *n, uint8_t kind);

/* Those that carry it: [{"name", "state"}, ...]. */
json_t *node_connectors_of(const struct node *n, uint8_t kind);

/* The parent's answer; fd is taken over. */
void node_connectors_connected(
	struct node *n, const struct control_connected *answer, int fd);

/* [node] observe was switched. */
void node_connectors_observe(struct node *n);

/*
 * Whether the role must start anew for this configuration: other connectors, or
 * one of the present that cannot log in, whose secret may be a new one.
 */
bool node_connectors_outdated(const struct node *n, const struct config *config);

/*
 * Before the role starts anew for it: take away what stands in PBXs that it names no
 * longer. Returns whether that takes a moment: then the role ends by itself.
 */
bool node_connectors_leave(struct node *n, const struct config *config);

/*
 * At the start: whatever place the store knows entries in and the configuration no
 * longer names is told of, and stands in `status` until it is forgotten.
 */
void node_connectors_recall(struct node *n);
/* Append those places to what `connector status` lists: state "removed". */
void node_connectors_left_behind(const struct node *n, json_t *list);

/*
 * For `status` and `connector status`: an array, in the configuration's order, then
 * those that are left behind.
 */
json_t *node_connectors_json(const struct node *n);

/*
 * The commands `connector-status` and `connector-resync`: arguments "name" or none;
 * `connector-clear` and `connector-forget`: "name".
 */
struct control_client;
void node_connectors_status(
	struct node *n, struct control_client *client, const json_t *arguments);
void node_connectors_resync(
	struct node *n, struct control_client *client, const json_t *arguments);
void node_connectors_clear(
	struct node *n, struct control_client *client, const json_t *arguments);
void node_connectors_forget(
	struct node *n, struct control_client *client, const json_t *arguments);

/* The role ends: what stands in the PBXs stays. The memory goes with the loop. */
void node_connectors_close(struct node *n);

/* After the loop has run for the last time. NULL is fine. */
void node_connectors_free(struct node_connectors *c);

#endif
