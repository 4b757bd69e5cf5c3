/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DECIDE_AUTO_ALLOW_H
#define DECIDE_AUTO_ALLOW_H

#include "decide/allowlist.h"

/*
 * What a machine must never lock out, found by itself: its own addresses, its
 * default gateways, its resolvers. The parsers are pure functions of a text;
 * auto_allow_read() alone does I/O.
 */

/*
 * Default gateways from the text of /proc/net/route (Linux: address columns are
 * hex of the network-order word as this CPU reads it; flags RTF_UP | RTF_GATEWAY)
 * with origin ALLOW_GATEWAY. Lines that do not fit are skipped. Returns how
 * many were found, or -1 when memory is short.
 */
int auto_allow_routes4(struct allowlist *a, struct view text);

/*
 * The same from /proc/net/ipv6_route (destination, its length, source, its
 * length, next hop, metric, references, use, flags, device; all hex).
 */
int auto_allow_routes6(struct allowlist *a, struct view text);

/*
 * `nameserver ADDRESS` lines of a resolv.conf(5), with origin ALLOW_RESOLVER.
 * A zone (fe80::1%eth0) is cut off. Comments (# ;) and other lines are
 * skipped, as the resolver does. Returns as above.
 */
int auto_allow_resolvers(struct allowlist *a, struct view text);

/* The addresses of this machine's interfaces, origin ALLOW_OWN. As above. */
int auto_allow_interfaces(struct allowlist *a, struct error *err);

struct auto_allow_paths {
	const char *route4, *route6, *resolv;
};

/* /proc/net/route, /proc/net/ipv6_route, /etc/resolv.conf */
extern const struct auto_allow_paths auto_allow_paths_default;

/*
 * Read all of it anew into a: entries of ALLOW_OWN, ALLOW_GATEWAY and
 * ALLOW_RESOLVER that were there and are no longer found go, others stay as
 * they are. A file that does not exist counts as empty (a machine without IPv6
 * has no ipv6_route). Returns how many entries were found; on failure -1 with
 * a text, and a is unchanged.
 */
int auto_allow_read(
	struct allowlist *a, const struct auto_allow_paths *paths, struct error *err);

#endif
