/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_CONFIG_NUMBERS_H
#define DAEMON_CONFIG_NUMBERS_H

#include "daemon/config_schema.h"

/*
 * What [numbers] says, for the parts that work by it, [policy] among them; c was
 * checked. Pure.
 */
void config_numbers(struct numbers_config *out, const struct config *c);
void config_policy_home(struct config *c);
void config_own_number(struct own_number_config *out, const struct config *c);

/* Whether it can be read so. at names the key to blame. 0, or -1 with a text. */
int config_numbers_check(
	const struct config *c, const struct config_key **at, struct error *err);

#endif
