/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_INIT_H
#define CLI_INIT_H

#include "base/buffer.h"
#include "cli/command.h"
#include "daemon/config.h"
#include "ledger/ledger.h"

/*
 * sipchain init: what is to be made. The ledger and its owner's key always;
 * with `node` also this node's key, its membership and its configuration.
 */
struct setup {
	bool node;
	bool root; /* paths of the system, roles that become their own user */
	char ledger[CONFIG_PATH_MAX];
	char owner_key[CONFIG_PATH_MAX];
	char member_key[CONFIG_PATH_MAX];
	char config[CONFIG_PATH_MAX];
	char state[CONFIG_PATH_MAX];
	char run[CONFIG_PATH_MAX];
	char security_log[CONFIG_PATH_MAX]; /* "": none */
	char hep[80];                       /* "": none */
	char name[NAME_MAX_BYTES + 1];
	struct ledger_config rules;
	uint8_t guardian[ADDRESS20]; /* zero: the owner, who is not known yet */
	bool guardian_given;

	/* Of a ledger on a chain, which is there already: */
	bool chain;
	struct ethereum_settings pins;
	const char *remark; /* on its finality */

	/* what came of it */
	char owner_address[43], member_address[43];
	bool owner_made, member_made;
	bool user_missing; /* started as root, but the daemon's user is not there */
};

/*
 * Where things go and what the ledger's rules are: from the options, from a
 * person (on a terminal, without --yes), else the defaults. Returns 0 or an
 * exit code, having said why.
 */
int setup_choose(struct setup *s, struct invocation *in);

/*
 * Make it all, or nothing: what was made is taken back when a later step
 * fails. Returns 0 or an exit code, having said why.
 */
int setup_make(struct setup *s, struct invocation *in);

/* The node's part of setup_choose(). Returns 0 or -1 with in->error. */
int setup_choose_node(struct setup *s, struct invocation *in);

/*
 * This node's key and configuration, for a ledger on a chain. Returns 0 or an
 * exit code, having said why, and nothing made.
 */
int setup_make_chain(struct setup *s, struct invocation *in);

/* The configuration's text. Returns 0, or -1 when out failed. Pure. */
int setup_config(struct buffer *out, const struct setup *s);

#endif
