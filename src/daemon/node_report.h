/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_NODE_REPORT_H
#define DAEMON_NODE_REPORT_H

#include "daemon/node.h"

/* What somebody asks this node to say on the ledger, parsed. */
struct node_wish {
	struct indicator indicator;
	char canonical[INDICATOR_SOURCE_TEXT + 1];
	uint32_t ttl; /* seconds; 0: not given */
	bool log;     /* class log: a program says so, not a person */
	uid_t uid;    /* who asks; AUDIT_NODE: by a token, which `by` names */
	char by[48]; /* "uid 0", "token honeypot": for the audit trail and the evidence */
	char note[80];
};

/* Why not: for people, and by a word for programs. */
struct node_refusal {
	enum control_code code; /* CONTROL_OK: nothing was to be done */
	const char *reason;     /* "protected", "allowlisted", "own", "ttl", ... */
	char text[400];
};

#define REPORT_TTL_DEFAULT 3600
#define OBJECT_TTL_DEFAULT 86400

/* This node's member, fit to write; NULL with a refusal. */
const struct member *node_writer(struct node *n, struct node_refusal *r);

/* How long it is to live: as asked, or the fallback, within the ledger's limit. */
uint32_t node_wish_ttl(
	const struct node *n, const struct node_wish *w, uint32_t fallback);

/* What the ledger would refuse is refused here, where the reason is plain. 0 or -1. */
int node_reportable(
	struct node *n, const struct node_wish *w, uint32_t ttl, struct node_refusal *r);

/* Class log is for addresses alone. 0 or -1. */
int node_log_kind(const struct node_wish *w, struct node_refusal *r);

/*
 * -1: this node allows the indicator or some of it. Logs can be made to say anything
 * of anybody, first of all of a trunk or a customer.
 */
int node_allowed_here(struct node *n, const struct node_wish *w, struct node_refusal *r);

/*
 * Nobody tells the others of the site's own numbers and domains ([numbers] own,
 * domains): calls to its customers would be refused everywhere. 0, or -1 with the refusal.
 */
int node_not_own(struct node *n, const struct node_wish *w, struct node_refusal *r);

/*
 * Nor does anybody report calls to what this node exempts itself: the number of a
 * customer's carrier, a prefix with it. (An address may be: another node may have
 * other trunks.) 0, or -1 with the refusal.
 */
int node_exempted(struct node *n, const struct node_wish *w, struct node_refusal *r);

/*
 * -1: this node has told the others already, until *until, by what it saw itself, or,
 * where a log speaks, by a person; or it objects. A program's word would take the proof
 * away, and could end it at once by a short life: who may report may not revoke.
 */
int node_better_known(struct node *n, const struct node_wish *w, uint32_t *until,
	struct node_refusal *r);

/*
 * Into the outbox, with its evidence, and an event. The row, or 0 with a refusal.
 * node_outbox_submit() is the caller's.
 */
uint64_t node_wish_put(struct node *n, const struct node_wish *w, uint8_t category,
	uint8_t action, uint32_t ttl, struct node_refusal *r);

/* Who did it, for the audit trail. -1: it could not be written, which is logged. */
int node_audit(struct node *n, const struct node_wish *w, const char *what);

#endif
