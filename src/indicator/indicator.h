/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INDICATOR_INDICATOR_H
#define INDICATOR_INDICATOR_H

#include "base/bytes.h"
#include "base/error.h"
#include "indicator/address.h"

/*
 * An indicator is an interval in one ordered space of (kind, 128-bit value):
 *
 *   byte    0      1      2 ............ 17
 *         kind   plen   value, left-justified
 *
 * lo = value, hi = value | (2^(128-plen) - 1). Prefixes of one kind either
 * contain one another or are disjoint, so containment is one comparison.
 */
enum indicator_kind {
	INDICATOR_IP4 = 1,
	INDICATOR_IP6 = 2,
	INDICATOR_NUMBER = 3,
	INDICATOR_URI = 4,
	INDICATOR_DOMAIN = 5,
	INDICATOR_AGENT = 6,
};

#define INDICATOR_SIZE        18
#define INDICATOR_TEXT        64  /* printed form, NUL included */
#define INDICATOR_SOURCE_TEXT 255 /* longest canonical text of kinds 4..6 */

/* No padding: compares with memcmp, is its own wire form. */
struct indicator {
	uint8_t kind;
	uint8_t plen;
	uint8_t value[16];
};

/* What a ledger's configuration allows; see indicator_check(). */
struct indicator_limits {
	uint8_t min_v4;        /* shortest IPv4 prefix, default 16 */
	uint8_t min_v6;        /* shortest IPv6 prefix, default 32 */
	uint8_t min_e164;      /* fewest digits of a number prefix, default 5 */
	bool allow_unroutable; /* test networks */
};

extern const struct indicator_limits indicator_limits_default;

/*
 * Parse any indicator's text and canonicalise it:
 *   192.0.2.7  192.0.2.0/24  2001:db8::/48      address or prefix; host bits
 *                                               must be zero, IPv4-mapped folds
 *   +442079460000  +97259*                      E.164, exact or prefix; SP and
 *                                               - . ( ) are dropped; tel:+...
 *   sip:bob@example.com;transport=tcp           URI (RFC 3261 19.1.4)
 *   domain:example.com                          domain, lower case, IDNA as is
 *   agent:friendly-scanner                      user agent, trimmed, spaces folded
 * canonical (may be NULL, size INDICATOR_SOURCE_TEXT + 1) receives the text
 * that kinds 4..6 hash; empty for 1..3. Returns 0, or -1 with an error that
 * says what would be right. Does not apply limits: indicator_check() does.
 */
int indicator_parse(
	struct indicator *out, char *canonical, struct view text, struct error *err);

/*
 * The printed form of kinds 1..3 parses back to the same indicator; kinds
 * 4..6 print as "uri#<32 hex>", "domain#...", "agent#...", which parse too.
 * dst has INDICATOR_TEXT bytes. Returns dst.
 */
char *indicator_print(char *dst, const struct indicator *i);

/* "ip4", "ip6", "number", "uri", "domain", "agent"; "?" for anything else. */
const char *indicator_kind_name(uint8_t kind);

/*
 * The structural rule of DESIGN section 6 that every word on a ledger must
 * meet: known kind, plen within the kind's bounds and limits, no bits set
 * past plen, BCD digits for numbers (exact: F padding, first digit not 0, at
 * most 15 digits), and, unless allowed, not inside or around an unroutable
 * range. Returns 0, or -1 with the range and RFC named.
 */
int indicator_check(const struct indicator *i, const struct indicator_limits *limits,
	struct error *err);

/*
 * The same without limits on length or routability: what a protected table or
 * an allowlist may hold (10.0.0.0/8, +44*).
 */
int indicator_check_shape(const struct indicator *i, struct error *err);

/* From an address and a prefix length (host bits are cleared). */
struct indicator indicator_from_address(const struct address *a, unsigned plen);

/* Back to an address and its own family's prefix length; -1 for other kinds. */
int indicator_to_address(struct address *a, unsigned *plen, const struct indicator *i);

/*
 * An exact number from 1..15 digits '0'..'9' without '+', the first not '0'.
 * Returns 0 or -1. Prefixes: indicator/number.h.
 */
int indicator_from_digits(struct indicator *out, struct view digits);

/* Kinds 4..6 from their canonical text: first 128 bits of keccak256. */
struct indicator indicator_from_canonical(uint8_t kind, struct view canonical);

/* Whether inner lies inside outer (equal counts). */
bool indicator_contains(const struct indicator *outer, const struct indicator *inner);

/* Whether they share an address, number or hash. */
bool indicator_overlaps(const struct indicator *a, const struct indicator *b);

/* Order by kind, lo, then wider first. <0, 0, >0. */
int indicator_compare(const struct indicator *a, const struct indicator *b);

/*
 * The parent of an interval: the same value cut to plen bits; i itself when
 * plen is not less. A number's plen must be 4 x digits to be well-formed.
 */
struct indicator indicator_widen(const struct indicator *i, uint8_t plen);

#endif
