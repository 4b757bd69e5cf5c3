/* SPDX-License-Identifier: Apache-2.0 */
#include "indicator/unroutable.h"

/* An IPv4 range, and an IPv6 one by its first four groups of 16 bits. */
#define V4(a, b, c, d, n)                                                                \
	{                                                                                \
		INDICATOR_IP4, n,                                                        \
		{                                                                        \
			a, b, c, d                                                       \
		}                                                                        \
	}
#define HI(x) ((x) >> 8)
#define LO(x) ((x)&0xff)
#define V6(a, b, c, d, n)                                                                \
	{                                                                                \
		INDICATOR_IP6, n,                                                        \
		{                                                                        \
			HI(a), LO(a), HI(b), LO(b), HI(c), LO(c), HI(d), LO(d)           \
		}                                                                        \
	}

/*
 * The ranges that IANA's IPv4 and IPv6 special-purpose address registries do
 * not call globally reachable, and multicast (with its own registries).
 * Where one lies in another the narrower stands first, so that it is named.
 *
 * Not here: 64:ff9b::/96 (NAT64) and the anycast services (AS112, AMT), which
 * the registries call globally reachable.
 */
static const struct unroutable table[] = {
	{V4(0, 0, 0, 0, 8), "this network", "RFC 791"},
	{V4(10, 0, 0, 0, 8), "private use", "RFC 1918"},
	{V4(100, 64, 0, 0, 10), "shared address space", "RFC 6598"},
	{V4(127, 0, 0, 0, 8), "loopback", "RFC 1122"},
	{V4(169, 254, 0, 0, 16), "link local", "RFC 3927"},
	{V4(172, 16, 0, 0, 12), "private use", "RFC 1918"},
	{V4(192, 0, 0, 0, 24), "IETF protocol assignments", "RFC 6890"},
	{V4(192, 0, 2, 0, 24), "documentation TEST-NET-1", "RFC 5737"},
	{V4(192, 88, 99, 0, 24), "deprecated 6to4 relay anycast", "RFC 7526"},
	{V4(192, 168, 0, 0, 16), "private use", "RFC 1918"},
	{V4(198, 18, 0, 0, 15), "benchmarking", "RFC 2544"},
	{V4(198, 51, 100, 0, 24), "documentation TEST-NET-2", "RFC 5737"},
	{V4(203, 0, 113, 0, 24), "documentation TEST-NET-3", "RFC 5737"},
	{V4(224, 0, 0, 0, 4), "multicast", "RFC 5771"},
	{V4(255, 255, 255, 255, 32), "limited broadcast", "RFC 919"},
	{V4(240, 0, 0, 0, 4), "reserved", "RFC 1112"},

	{{INDICATOR_IP6, 128, {[15] = 1}}, "loopback", "RFC 4291"},
	{{INDICATOR_IP6, 128, {0}}, "unspecified address", "RFC 4291"},
	{{INDICATOR_IP6, 96, {[10] = 0xff, [11] = 0xff}}, "IPv4-mapped", "RFC 4291"},
	{{INDICATOR_IP6, 96, {0}}, "deprecated IPv4-compatible", "RFC 4291"},
	{V6(0x64, 0xff9b, 1, 0, 48), "local-use IPv4/IPv6 translation", "RFC 8215"},
	{V6(0x100, 0, 0, 0, 64), "discard only", "RFC 6666"},
	{V6(0x100, 0, 0, 1, 64), "dummy prefix", "RFC 9780"},
	{V6(0x2001, 0, 0, 0, 32), "Teredo", "RFC 4380"},
	{V6(0x2001, 2, 0, 0, 48), "benchmarking", "RFC 5180"},
	{V6(0x2001, 0x10, 0, 0, 28), "deprecated ORCHID", "RFC 4843"},
	{V6(0x2001, 0x20, 0, 0, 28), "ORCHIDv2", "RFC 7343"},
	{V6(0x2001, 0, 0, 0, 23), "IETF protocol assignments", "RFC 2928"},
	{V6(0x2001, 0xdb8, 0, 0, 32), "documentation", "RFC 3849"},
	{V6(0x2002, 0, 0, 0, 16), "6to4", "RFC 3056"},
	{V6(0x3fff, 0, 0, 0, 20), "documentation", "RFC 9637"},
	{V6(0x5f00, 0, 0, 0, 16), "segment routing SIDs", "RFC 9602"},
	{V6(0xfc00, 0, 0, 0, 7), "unique local", "RFC 4193"},
	{V6(0xfe80, 0, 0, 0, 10), "link local", "RFC 4291"},
	{V6(0xfec0, 0, 0, 0, 10), "deprecated site local", "RFC 3879"},
	{V6(0xff00, 0, 0, 0, 8), "multicast", "RFC 4291"},
};

/* Whether one may contain the other, by kind and the first byte that both have. */
static bool near(const struct indicator *a, const struct indicator *b)
{
	unsigned bits = a->plen < b->plen ? a->plen : b->plen;

	return a->kind == b->kind &&
		!((a->value[0] ^ b->value[0]) >> (bits < 8 ? 8 - bits : 0));
}

const struct unroutable *unroutable_find(const struct indicator *i)
{
	const struct unroutable *around = NULL;

	for (size_t k = 0; k < sizeof(table) / sizeof(table[0]); k++) {
		if (!near(&table[k].range, i))
			continue;
		if (indicator_contains(&table[k].range, i))
			return &table[k];
		if (!around && indicator_contains(i, &table[k].range))
			around = &table[k];
	}
	return around;
}
