/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_NODE_CONNECTOR_STATE_H
#define DAEMON_NODE_CONNECTOR_STATE_H

#include <uv.h>

#include "daemon/config.h"
#include "daemon/node_hit.h"
#include "enforce/hook_log.h"
#include "enforce/pbx_connector.h"

/* What the files node_connector*.c share. */

/* A descriptor in the loop: it outlives its end by a turn. */
struct channel {
	uv_poll_t poll;
	struct node_connector *owner; /* NULL: given up */
	int fd;
	int events; /* that are waited for */
};

struct node_connector {
	struct node *node;
	unsigned index; /* in the configuration */
	char name[33];
	struct config_connector config; /* as it was made */
	const struct pbx_ops *ops;
	char *secret; /* a page of its own; NULL: none */
	size_t secret_size;
	char trouble[PBX_TEXT]; /* why c is NULL */
	struct pbx_connector *c;
	const char *ended; /* what the end of its stream means */
	/* in and out may be the same; errors: a hook's */
	struct channel *in, *out, *errors;
	struct hook_log hook_log;
	uv_timer_t timer;
	bool dirty;   /* something is to be ordered */
	bool closing; /* the role ends */
	bool ending;  /* what stands there is taken away, for good */
	bool cleared; /* the same, by `connector clear`, until `connector resync` */
	bool noted;   /* the store knows that entries may stand there */
	struct hit_limit hits;
};

struct node_connectors {
	struct node_connector list[CONFIG_CONNECTORS_MAX];
	size_t count;
	bool leaving; /* the role starts anew as soon as those that are ending are empty, */
	usec leave;   /* or at this time (monotonic) */
};

#define EACH_CONNECTOR(all, k)                                                           \
	for (struct node_connector *k = (all) ? (all)->list : NULL;                      \
		(all) && k < (all)->list + (all)->count; k++)

/* The number i, or NULL. */
static inline struct node_connector *node_connector_at(
	struct node_connectors *all, unsigned i)
{
	return all && i < all->count ? &all->list[i] : NULL;
}

/* node_connector_io.c: do what is due and send what there is to send. */
void node_connector_step(struct node_connector *k);

/* Close its descriptors. */
void node_connector_drop(struct node_connector *k);

/* What its pbx_connector asks for. */
struct connector_callbacks node_connector_callbacks(struct node_connector *k);

/* node_connector_place.c: note in the store whether entries may stand there. */
void node_connector_note(struct node_connector *k);

/* node_connector_leave.c: start the role anew if it is time. */
void node_connectors_left(struct node *n);

#endif
