/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_URL_H
#define BASE_URL_H

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

/*
 * What is wrong with a URL that libcurl shall connect to, whose scheme has to be one
 * of these ("https://", ..., NULL): a text without the URL, or NULL. No byte in it
 * that must be written as %XX, a host, no fragment.
 */
const char *url_check(const char *url, const char *const *schemes);

/*
 * The host of such a URL as libcurl reads it (decoded, numbers of an IPv4 address
 * made dotted, "[::1]" with its brackets) into dst[size], and its port or its
 * scheme's. Returns 0, or -1 when it is no such URL or does not fit.
 */
int url_host(char *dst, size_t size, uint16_t *port, const char *url);

/*
 * Whether what is sent to such a URL stays on this machine: localhost, 127.0.0.0/8
 * (RFC 1122), [::1] (RFC 4291), and 127.0.0.0/8 as [::ffff:127.0.0.1], which Linux
 * sends there as well. false for what is no such URL.
 */
bool url_is_loopback(const char *url);

#endif
