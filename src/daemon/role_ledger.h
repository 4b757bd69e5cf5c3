/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_ROLE_LEDGER_H
#define DAEMON_ROLE_LEDGER_H

#include <uv.h>

#include "daemon/link.h"
#include "daemon/messages.h"
#include "daemon/parent.h"
#include "ledger/ledger.h"

/*
 * The role `ledger`: between the ledger and the node. One struct, two files:
 *
 *   role_ledger.c       start, sandbox, links, what the node asks for, stop
 *   role_ledger_tell.c  what the ledger says -> messages to the node
 */

/* Fates that are told again to a new node: it may have died on the last ones. */
#define FATES_KEPT 64

struct ledger_role {
	uv_loop_t loop;
	struct config *config;
	struct parent *parent;
	struct link *node;
	struct signer *signer;
	struct ledger *ledger; /* an Ethereum ledger stays open when the node goes */
	uint32_t delivery;     /* of what the ledger delivers now */
	bool delivering;       /* this node has asked for it */
	bool failed;           /* the parent's backoff decides when to try again */
	bool again;            /* sealed from files that were replaced: start anew */
	struct ledger_trouble trouble; /* the last one, for a new node */
	struct ledger_self self;       /* as it was told */
	struct ledger_fate fates[FATES_KEPT];
	unsigned fates_next;
	uv_timer_t watch;
};

static inline bool role_ledger_on_chain(const struct ledger_role *r)
{
	return r->config->ledger.type == CONFIG_LEDGER_ETHEREUM;
}

/* --- role_ledger_tell.c --- */

/*
 * What a ledger calls, with a struct ledger_role as its context (the caller sets
 * it in a copy). What is too much for the link to the node stops the role.
 */
extern const struct ledger_callbacks role_ledger_callbacks;

/* The callback `trouble`: logged, kept for a new node, told. */
void role_ledger_trouble(void *context, bool healthy, const char *text);
/* The last trouble again, if it lasts: to a new node. */
void role_ledger_trouble_again(struct ledger_role *r);
/* The callback `fate`: kept for a new node, told. */
void role_ledger_fate(void *context, const struct ledger_fate *fate);
/*
 * Tell the last fates again: a node that died when one was on its way to it would
 * hand the batch over again, and a chain would be paid for it twice. Of a batch
 * that has no rows in flight any more the node takes no notice.
 */
void role_ledger_fates(struct ledger_role *r);
/* A batch that comes (again) has no fate yet. */
void role_ledger_fate_forget(struct ledger_role *r, uint64_t ticket);
/* Who we are and what we follow, if it is new (or to a new node). */
void role_ledger_self(struct ledger_role *r, bool anyway);

#endif
