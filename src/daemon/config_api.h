/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_CONFIG_API_H
#define DAEMON_CONFIG_API_H

#include "api/http_token.h"
#include "daemon/config_schema.h"

/* [api] and [token "name"]: who may ask over HTTP, and where. */

/* One more value of [api] listen; an empty one empties the list. 0 or -1. */
int config_api_listen_add(struct config *c, const struct config_key *k, struct view value,
	struct error *err);
int config_api_listen_print(struct buffer *out, const struct config_api_listen *l);

/* Rules between the keys. at names the key to blame. 0, or -1 with a text. */
int config_api_check(
	const struct config *c, const struct config_key **at, struct error *err);
int config_token_check(const void *one, const struct config_key **at, struct error *err);

/*
 * The hash of a token's secret. 0, or -1 with a text that names the file: too short,
 * readable by others.
 */
int config_api_token_digest(
	uint8_t digest[KECCAK_SIZE], const struct config_token *t, struct error *err);
/* What its section says but the secret. */
void config_api_token_rights(struct http_token *out, const struct config_token *t);

/*
 * A PEM file whole, NUL-terminated; a private one must not be readable by others.
 * 0, or -1 with a text.
 */
int config_api_pem(struct buffer *out, const char *path, bool private, struct error *err);

#endif
