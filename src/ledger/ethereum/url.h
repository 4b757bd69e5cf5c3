/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LEDGER_ETHEREUM_URL_H
#define LEDGER_ETHEREUM_URL_H

#include "base/bytes.h"

/* A URL's parts (RFC 3986 section 3), pointing into it. */
struct url_parts {
	struct view scheme; /* "https" */
	struct view user;   /* "user:password" as written; p == NULL: none */
	struct view host;   /* "name:8545", "[::1]" */
	struct view rest;   /* path, query and fragment, from their first byte on */
};

/*
 * Split by "://", the last '@' before the path, and the first of "/?#": as
 * libcurl does, which connects. Returns 0, or -1 when "://" is missing.
 */
int url_split(struct url_parts *out, struct view url);

/*
 * Decode %XX (section 2.1) into dst[text.n]; what is no escape stays as it is.
 * Returns the length.
 */
size_t url_unescape(uint8_t *dst, struct view text);

#endif
