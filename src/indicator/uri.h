/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INDICATOR_URI_H
#define INDICATOR_URI_H

#include "base/bytes.h"
#include "base/error.h"

/*
 * The canonical text of a sip: or sips: URI, so that URIs which RFC 3261
 * 19.1.4 holds equal get the same text and others do not: scheme and host in
 * lower case, user part with needless escapes undone and case kept, password
 * dropped, port kept when present, the parameters user, ttl, method, maddr and
 * transport kept (lower case, sorted), other parameters and headers dropped (a
 * blocklist asks for the destination). What may not stand bare in a user part,
 * such as # in a dialled string, is escaped; IPv4-mapped hosts fold. dst has
 * 256 bytes. Returns 0, or -1 with a text.
 */
int uri_canonical(char *dst, struct view text, struct error *err);

/* Lower case, no trailing dot, LDH labels of at most 63 (RFC 1035 2.3.1). */
int domain_canonical(char *dst, struct view text, struct error *err);

/* Whether a canonical domain is another one, or below it. */
bool domain_within(struct view domain, struct view of);

/* Trimmed, inner white space folded to one SP, printable ASCII or UTF-8. */
int agent_canonical(char *dst, struct view text, struct error *err);

#endif
