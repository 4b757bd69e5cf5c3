/* SPDX-License-Identifier: Apache-2.0 */
#include "indicator/indicator.h"

#include <stdio.h>

#include "base/escape.h"
#include "base/hex.h"
#include "base/keccak.h"
#include "indicator/number.h"
#include "indicator/unroutable.h"
#include "indicator/uri.h"

const struct indicator_limits indicator_limits_default = {
	.min_v4 = 16,
	.min_v6 = 32,
	.min_e164 = 5,
	.allow_unroutable = false,
};

/* Clear all bits of value past plen. */
static void cut(uint8_t value[16], unsigned plen)
{
	for (unsigned i = 0; i < 16; i++) {
		unsigned kept = plen > 8 * i ? plen - 8 * i : 0;

		if (kept < 8)
			value[i] &= (uint8_t) ~(0xffU >> kept);
	}
}

/* Whether no bit of value past plen is set. */
static bool is_cut(const uint8_t value[16], unsigned plen)
{
	uint8_t copy[16];

	memcpy(copy, value, 16);
	cut(copy, plen);
	return memcmp(copy, value, 16) == 0;
}

const char *indicator_kind_name(uint8_t kind)
{
	static const char *const names[] = {
		[INDICATOR_IP4] = "ip4",
		[INDICATOR_IP6] = "ip6",
		[INDICATOR_NUMBER] = "number",
		[INDICATOR_URI] = "uri",
		[INDICATOR_DOMAIN] = "domain",
		[INDICATOR_AGENT] = "agent",
	};

	if (kind < INDICATOR_IP4 || kind > INDICATOR_AGENT)
		return "?";
	return names[kind];
}

struct indicator indicator_from_address(const struct address *a, unsigned plen)
{
	unsigned width = a->family == 4 ? 32 : 128;
	struct indicator i = {
		.kind = a->family == 4 ? INDICATOR_IP4 : INDICATOR_IP6,
	};

	if (plen > width)
		plen = width;
	i.plen = (uint8_t)plen;
	memcpy(i.value, a->bytes, width / 8);
	cut(i.value, plen);
	return i;
}

int indicator_to_address(struct address *a, unsigned *plen, const struct indicator *i)
{
	*a = (struct address){0};
	if (i->kind == INDICATOR_IP4) {
		a->family = 4;
		memcpy(a->bytes, i->value, 4);
	} else if (i->kind == INDICATOR_IP6) {
		a->family = 6;
		memcpy(a->bytes, i->value, 16);
	} else {
		return -1;
	}
	*plen = i->plen;
	return 0;
}

struct indicator indicator_from_canonical(uint8_t kind, struct view canonical)
{
	struct indicator i = {.kind = kind, .plen = 128};
	uint8_t digest[KECCAK_SIZE];

	keccak256(digest, canonical.p, canonical.n);
	memcpy(i.value, digest, sizeof(i.value));
	return i;
}

bool indicator_contains(const struct indicator *outer, const struct indicator *inner)
{
	unsigned bytes = outer->plen / 8U, bits = outer->plen % 8U;

	if (outer->kind != inner->kind || outer->plen > inner->plen ||
		outer->plen > 128 || memcmp(outer->value, inner->value, bytes) != 0)
		return false;
	return bits == 0 ||
		(outer->value[bytes] ^ inner->value[bytes]) >> (8 - bits) == 0;
}

bool indicator_overlaps(const struct indicator *a, const struct indicator *b)
{
	return indicator_contains(a, b) || indicator_contains(b, a);
}

int indicator_compare(const struct indicator *a, const struct indicator *b)
{
	int order = (a->kind > b->kind) - (a->kind < b->kind);

	if (order == 0)
		order = memcmp(a->value, b->value, sizeof(a->value));
	if (order == 0)
		order = (a->plen > b->plen) - (a->plen < b->plen);
	return order;
}

struct indicator indicator_widen(const struct indicator *i, uint8_t plen)
{
	struct indicator wide = *i;

	if (plen < wide.plen) {
		wide.plen = plen;
		cut(wide.value, plen);
	}
	return wide;
}

char *indicator_print(char *dst, const struct indicator *i)
{
	char text[ADDRESS_TEXT], digits[NUMBER_DIGITS + 1];
	char hex[2 * sizeof(i->value) + 1];
	struct address a;
	unsigned plen;

	if (indicator_to_address(&a, &plen, i) == 0) {
		address_print(text, &a);
		if (plen == (a.family == 4 ? 32 : 128))
			snprintf(dst, INDICATOR_TEXT, "%s", text);
		else
			snprintf(dst, INDICATOR_TEXT, "%s/%u", text, plen);
		return dst;
	}
	if (number_digits(digits, i) > 0) {
		/* Asked for each call: no format is read. */
		dst[0] = '+';
		strcpy(stpcpy(dst + 1, digits), i->plen == 128 ? "" : "*");
	} else {
		snprintf(dst, INDICATOR_TEXT, "%s#%s", indicator_kind_name(i->kind),
			hex_encode(hex, i->value, sizeof(i->value)));
	}
	return dst;
}

int indicator_check_shape(const struct indicator *i, struct error *err)
{
	char text[INDICATOR_TEXT], right[INDICATOR_TEXT];
	struct indicator fixed;
	unsigned width = i->kind == INDICATOR_IP4 ? 32 : 128;

	if (i->kind < INDICATOR_IP4 || i->kind > INDICATOR_AGENT)
		return error_set(err,
			"unknown kind %u: kinds are 1 (ip4) to 6 "
			"(agent)",
			i->kind);
	if (i->kind == INDICATOR_NUMBER)
		return number_check(i, err);
	if (i->kind >= INDICATOR_URI) {
		if (i->plen != 128)
			return error_set(err,
				"%s with prefix length %u: it must "
				"be 128",
				indicator_kind_name(i->kind), i->plen);
		return 0;
	}
	/* Every word of a ledger comes here: a text is made only when it is told. */
	if (i->plen <= width && is_cut(i->value, i->plen))
		return 0;
	indicator_print(text, i);
	if (i->plen > width)
		return error_set(err, "%s: the prefix length must be 0..%u", text, width);
	if (i->kind == INDICATOR_IP4 && !is_cut(i->value, 32))
		return error_set(err,
			"%s: bits are set past the 32 of an IPv4 "
			"address",
			text);
	fixed = *i;
	cut(fixed.value, fixed.plen);
	return error_set(err, "%s: host bits are set; write %s", text,
		indicator_print(right, &fixed));
}

/* Whether i is no wider than the limits allow. Returns 0, or -1 with a text. */
static int check_width(const struct indicator *i, const struct indicator_limits *limits,
	struct error *err)
{
	char text[INDICATOR_TEXT];
	unsigned least = 0;

	if (i->kind == INDICATOR_IP4)
		least = limits->min_v4;
	else if (i->kind == INDICATOR_IP6)
		least = limits->min_v6;
	else if (i->kind == INDICATOR_NUMBER)
		least = 4U * limits->min_e164;
	if (i->plen >= least)
		return 0;
	indicator_print(text, i);
	if (i->kind == INDICATOR_NUMBER)
		return error_set(err,
			"%s: a number prefix needs at least %u "
			"digits",
			text, limits->min_e164);
	return error_set(
		err, "%s: too wide; the shortest prefix allowed is /%u", text, least);
}

int indicator_check(const struct indicator *i, const struct indicator_limits *limits,
	struct error *err)
{
	char text[INDICATOR_TEXT], range[INDICATOR_TEXT];
	const struct unroutable *hit;

	if (indicator_check_shape(i, err) < 0 || check_width(i, limits, err) < 0)
		return -1;
	hit = limits->allow_unroutable ? NULL : unroutable_find(i);
	if (!hit)
		return 0;
	return error_set(err,
		"%s: %s %s (%s, %s), which is not a source on the "
		"Internet",
		indicator_print(text, i),
		indicator_contains(&hit->range, i) ? "lies in" : "contains",
		indicator_print(range, &hit->range), hit->name, hit->rfc);
}

/* "192.0.2.0/24" or an address alone. Returns 0, or -1 with a text. */
static int parse_prefix(struct indicator *out, struct view text, struct error *err)
{
	size_t slash = view_find(text, '/');
	bool mapped;
	struct address a;
	uint64_t plen;

	if (address_parse(&a, view_head(text, slash), err) < 0)
		return -1;
	mapped = a.family == 4 && view_find(text, ':') < text.n;
	if (slash == text.n) {
		*out = indicator_from_address(&a, 128);
		return 0;
	}
	if (view_decimal(view_from(text, slash + 1), a.family == 4 && !mapped ? 32 : 128,
		    &plen) < 0)
		return error_set(err, "\"%s\": the prefix length must be 0..%u",
			escaped(text), a.family == 4 && !mapped ? 32U : 128U);
	/* A mapped prefix counts the 96 bits before the IPv4 address. */
	if (mapped && plen < 96)
		return error_set(err,
			"\"%s\": host bits are set; write an IPv4 "
			"prefix, such as 192.0.2.0/24",
			escaped(text));
	out->kind = a.family == 4 ? INDICATOR_IP4 : INDICATOR_IP6;
	out->plen = (uint8_t)(mapped ? plen - 96 : plen);
	memcpy(out->value, a.bytes, sizeof(out->value));
	return indicator_check_shape(out, err);
}

/* The kinds that are written as "NAME:text" or, hashed, "NAME#hex". */
static const struct named {
	const char *scheme;
	const char *hashed;
	uint8_t kind;
	bool with_scheme; /* the scheme is part of the text */
	int (*canonical)(char *dst, struct view text, struct error *err);
} named[] = {
	{"sip:", "uri#", INDICATOR_URI, true, uri_canonical},
	{"sips:", "uri#", INDICATOR_URI, true, uri_canonical},
	{"domain:", "domain#", INDICATOR_DOMAIN, false, domain_canonical},
	{"agent:", "agent#", INDICATOR_AGENT, false, agent_canonical},
};

/* A named kind. Returns 0, -1 with a text, or 1 when text is none. */
static int parse_named(
	struct indicator *out, char *canonical, struct view text, struct error *err)
{
	for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++) {
		const struct named *n = &named[i];
		size_t len = strlen(n->scheme);

		if (view_starts(text, n->hashed)) {
			*out = (struct indicator){.kind = n->kind, .plen = 128};
			if (hex_decode(out->value, sizeof(out->value),
				    view_from(text, strlen(n->hashed))) < 0)
				return error_set(err,
					"\"%s\": %s is followed "
					"by exactly 32 hex digits",
					escaped(text), n->hashed);
			return 0;
		}
		if (!view_eq_nocase(view_head(text, len), n->scheme))
			continue;
		if (n->canonical(canonical, n->with_scheme ? text : view_from(text, len),
			    err) < 0)
			return -1;
		*out = indicator_from_canonical(n->kind, view_str(canonical));
		return 0;
	}
	return 1;
}

/* How often c stands in text. */
static unsigned count(struct view text, uint8_t c)
{
	unsigned n = 0;

	for (size_t i = 0; i < text.n; i++)
		n += text.p[i] == c;
	return n;
}

/*
 * Whether text can only be meant as an IP address or prefix: digits and dots,
 * or hex digits and at least two colons, up to a zone.
 */
static bool looks_like_address(struct view text)
{
	unsigned colons = count(text, ':');
	const char *allowed = colons ? "0123456789abcdefABCDEF:./[]" : "0123456789./";

	if (colons == 1 || (!colons && !count(text, '.')))
		return false;
	text = view_head(text, view_find(text, '%'));
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] == '\0' || !strchr(allowed, text.p[i]))
			return false;
	return true;
}

/* What the writer of a text that is nothing probably meant. Returns -1. */
static int refuse(struct view text, struct error *err)
{
	bool digits = true, letters = false;

	for (size_t i = 0; i < text.n; i++) {
		uint8_t c = text.p[i];

		digits = digits &&
			((c >= '0' && c <= '9') || c == ' ' || c == '-' || c == '(' ||
				c == ')' || c == '*');
		letters = letters || (c | 0x20) >= 'a';
	}
	if (digits)
		return error_set(err,
			"\"%s\": write a number with + and the "
			"country code, such as +442079460000",
			escaped(text));
	if (view_find(text, '@') < text.n)
		return error_set(err,
			"\"%s\": write a URI with its scheme, such "
			"as sip:bob@example.com",
			escaped(text));
	if (view_find(text, ':') < text.n &&
		looks_like_address(view_head(text, view_find(text, ':'))))
		return error_set(err,
			"\"%s\": an indicator has no port; write "
			"the address alone",
			escaped(text));
	if (letters && view_find(text, '/') == text.n)
		return error_set(err,
			"\"%s\": write a domain as "
			"domain:example.com and a user agent as agent:NAME",
			escaped(text));
	return error_set(err,
		"\"%s\" is no indicator: write an address or prefix "
		"(192.0.2.0/24), a number (+442079460000, +97259*), a sip: or "
		"sips: URI, domain:NAME or agent:NAME",
		escaped(text));
}

int indicator_parse(
	struct indicator *out, char *canonical, struct view text, struct error *err)
{
	char scratch[INDICATOR_SOURCE_TEXT + 1];
	int rc;

	if (!canonical)
		canonical = scratch;
	canonical[0] = '\0';
	text = view_trim(text);
	if (text.n == 0)
		return error_set(err,
			"empty indicator: write an address, a "
			"number with +, a sip: URI, domain:NAME or agent:NAME");
	rc = parse_named(out, canonical, text, err);
	if (rc <= 0)
		return rc;
	if (view_eq_nocase(view_head(text, 4), "tel:"))
		return number_parse(out, view_from(text, 4), err);
	if (text.p[0] == '+')
		return number_parse(out, text, err);
	if (looks_like_address(text))
		return parse_prefix(out, text, err);
	return refuse(text, err);
}
