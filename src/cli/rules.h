/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_RULES_H
#define CLI_RULES_H

#include "cli/command.h"
#include "ledger/operation.h"

/*
 * What --threshold, --max-ttl, --min-v4, --min-v6 and --min-e164 say, into
 * *rules; what is not given stays as it is there. The bounds are the ledger's
 * (Config in registry_check.c). Returns how many were given, or -1 with
 * in->error naming the option and its bounds, and *rules unchanged. Pure.
 */
int rules_change(struct ledger_config *rules, struct invocation *in);

/*
 * The rules of a new ledger: the defaults, what the options say in their place,
 * and --allow-unroutable. Returns 0, or -1 with in->error. Pure.
 */
int rules_make(struct ledger_config *rules, struct invocation *in);

/*
 * --guardian, or zeros when it is not given; *given_too says which. 0 or -1 with
 * in->error. Pure.
 */
int option_guardian(struct invocation *in, uint8_t guardian[ADDRESS20], bool *given_too);

/*
 * A whole number from an option, least to most; *out stays as it is when the
 * option is not given. Returns 0, or -1 with in->error. Pure.
 */
int option_number(struct invocation *in, enum option_id id, uint64_t least, uint64_t most,
	uint64_t *out);

#endif
