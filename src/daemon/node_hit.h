/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_NODE_HIT_H
#define DAEMON_NODE_HIT_H

#include "enforce/pbx.h"
#include "sense/observation.h"

/*
 * Calls that a PBX refused because of a ban, whoever tells of them: a connector, or
 * the log of a Kamailio.
 */
struct node;

/* Of one that tells: a dialler with a stolen account must not fill the journal. */
struct hit_limit {
	usec since;
	unsigned told;
	uint64_t untold;
};

/*
 * Into the log and the events: who called what, from where, and why it was
 * refused. connector: the name of the one that tells; "": what sensor says does.
 * More than 20 a second are counted, and the number is in the next one.
 */
void node_hit(struct node *n, const char *connector, const char *sensor,
	struct hit_limit *limit, const struct pbx_hit *hit);

/*
 * An observation of kind OBSERVED_BLOCKED, whose texts end: from the role sense,
 * so that each part of it is looked at again.
 */
void node_hit_observed(struct node *n, const struct observation *o);

#endif
