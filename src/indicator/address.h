/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INDICATOR_ADDRESS_H
#define INDICATOR_ADDRESS_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "base/bytes.h"
#include "base/error.h"

/*
 * An IP address. family is 4 or 6 (0: none). For family 4 the four bytes
 * stand in bytes[0..3], the rest is zero, so that structs compare with
 * memcmp. IPv4-mapped IPv6 (::ffff:a.b.c.d, RFC 4291 2.5.5.2) is always
 * folded to family 4.
 */
struct address {
	uint8_t family;
	uint8_t bytes[16];
};

#define ADDRESS_TEXT 46 /* INET6_ADDRSTRLEN */

/*
 * Parse an IPv4 dotted quad (four decimal parts, no leading zeros) or an IPv6
 * address (RFC 4291, optionally in brackets; a zone is refused). Returns 0 or
 * -1 with a text.
 */
int address_parse(struct address *a, struct view text, struct error *err);

/* RFC 5952 text into dst[ADDRESS_TEXT]. Returns dst. */
char *address_print(char *dst, const struct address *a);

/* From a socket address; -1 for another family than AF_INET, AF_INET6. */
int address_from_sockaddr(struct address *a, uint16_t *port, const struct sockaddr *sa);

/* Whether it is this machine's loopback: 127.0.0.0/8 (RFC 1122) or ::1 (RFC 4291). */
bool address_is_loopback(const struct address *a);

/* Into a socket address. Returns its length. */
socklen_t address_to_sockaddr(
	struct sockaddr_storage *ss, const struct address *a, uint16_t port);

bool address_eq(const struct address *a, const struct address *b);

/*
 * Parse "host:port", "[v6]:port" or a bare address (port = fallback).
 * Returns 0 or -1 with a text.
 */
int address_port_parse(struct address *a, uint16_t *port, struct view text,
	uint16_t fallback, struct error *err);

#endif
