/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_CONFIG_CONNECTOR_H
#define DAEMON_CONFIG_CONNECTOR_H

#include "daemon/config_named.h"
#include "enforce/pbx.h"

#define CONFIG_CONNECTOR_SECTION "connector"

/* By enum config_connector_type: lines for the sample file. */
extern const char *const config_connector_help[];

/* "asterisk", ..., or NULL: there is no such enum config_connector_type. */
const char *config_connector_type_name(uint8_t type);

/*
 * What a connector lacks or cannot have; see struct config_named. one: a struct
 * config_connector. 0, or -1 with a text.
 */
int config_connector_check(
	const void *one, const struct config_key **at, struct error *err);

/* Its protocol. */
const struct pbx_ops *config_connector_ops(const struct config_connector *c);

/* Where its answers come to: "reply", or what stands for it. dst of size bytes. */
const char *config_connector_reply(
	char *dst, size_t size, const struct config *c, const struct config_connector *k);

#endif
