/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_CONFIG_CHAIN_H
#define DAEMON_CONFIG_CHAIN_H

#include "daemon/config_schema.h"

/* The values of [ledger] type = ethereum; for the files of the configuration. */

/* As config_value_parse(), of the types that CONFIG_CHAIN keys have. */
int config_chain_parse(
	struct config *c, const struct config_key *k, struct view v, struct error *err);

/* As config_value_print(). */
int config_chain_print(struct buffer *out, const struct config *c,
	const struct config_key *k, size_t i, unsigned flags);

/* As config_cross_check(); type is ethereum. */
int config_chain_check(
	const struct config *c, const struct config_key **at, struct error *err);

#endif
