/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_CHOICE_H
#define CLI_CHOICE_H

#include "cli/command.h"
#include "daemon/config.h"

/*
 * Which ledger a command means:
 *
 *   --ledger FILE                        that local ledger; nothing else is read
 *   --endpoint URL --contract 0xADDRESS  that contract; the configuration is
 *                                        read only when --config is given too
 *   one of these two                     instead of the configuration's
 *   none of them                         [ledger] of the configuration
 *
 * An endpoint on the command line can be seen by every user of the machine, so
 * one that carries a secret is refused.
 */
struct choice {
	struct config config; /* the defaults, where none was read */
	bool configured;      /* one was read */
};

enum choice_flags {
	CHOICE_NO_CONTRACT = 1, /* none is there yet: its address is not asked for */
};

/*
 * Fill c, which choice_free() releases. c->config.ledger says the ledger, with
 * --zero-fee and --max-fee in it. Returns 0 or an exit code, having said why
 * (nothing to release then).
 */
int choice_make(struct choice *c, struct invocation *in, unsigned flags);
void choice_free(struct choice *c);

/* Whether the command line itself says which ledger, or whose key. Pure. */
bool choice_given(const struct invocation *in);

/*
 * Load the configuration that --config names into *config. Returns 0 or an
 * exit code, having said why.
 */
int load_config(struct invocation *in, struct config *config);

/*
 * Whether an endpoint's line may stand on a command line: no user, password,
 * query, header or token, and no word in the path that looks like a provider's
 * key. Returns 0, or -1 with a text. Pure.
 */
int endpoint_public(const struct endpoint *e, struct error *err);

#endif
