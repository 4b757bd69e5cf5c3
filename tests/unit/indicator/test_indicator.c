/* SPDX-License-Identifier: Apache-2.0 */
#include "../cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>

#include "../prng.h"
#include "base/hex.h"
#include "indicator/indicator.h"
#include "indicator/number.h"

static struct indicator parsed(const char *text)
{
	struct error err = {""};
	struct indicator i;

	if (indicator_parse(&i, NULL, view_str(text), &err) < 0)
		fail_msg("%s: %s", text, err.text);
	return i;
}

/* Text, its printed form, the wire form in hex, the canonical text. */
static const struct {
	const char *text, *printed, *wire, *canonical;
} good[] = {
	{"192.0.2.7", "192.0.2.7", "0120c0000207000000000000000000000000", ""},
	{" 192.0.2.7/32\n", "192.0.2.7", "0120c0000207000000000000000000000000", ""},
	{"192.0.2.0/24", "192.0.2.0/24", "0118c0000200000000000000000000000000", ""},
	{"0.0.0.0/0", "0.0.0.0/0", "010000000000000000000000000000000000", ""},
	{"::ffff:192.0.2.7", "192.0.2.7", "0120c0000207000000000000000000000000", ""},
	{"::ffff:192.0.2.0/120", "192.0.2.0/24", "0118c0000200000000000000000000000000",
		""},
	{"2001:DB8::/48", "2001:db8::/48", "023020010db8000000000000000000000000", ""},
	{"2001:db8::1", "2001:db8::1", "028020010db8000000000000000000000001", ""},
	{"[2001:db8::]/32", "2001:db8::/32", "022020010db8000000000000000000000000", ""},
	{"+442079460000", "+442079460000", "0380442079460000ffffffffffffffffffff", ""},
	{"+44 (20) 7946-0000", "+442079460000", "0380442079460000ffffffffffffffffffff",
		""},
	{"tel:+44-20-7946.0000", "+442079460000", "0380442079460000ffffffffffffffffffff",
		""},
	{"+97259*", "+97259*", "031497259000000000000000000000000000", ""},
	{"+97259", "+97259", "038097259fffffffffffffffffffffffffff", ""},
	{"+4*", "+4*", "030440000000000000000000000000000000", ""},
	{"+123456789012345", "+123456789012345", "0380123456789012345fffffffffffffffff",
		""},
	{"+123456789012345*", "+123456789012345*", "033c12345678901234500000000000000000",
		""},
	/* The hashes are PyCryptodome's keccak-256 of the canonical text. */
	{"SIP:bob@Example.COM;Transport=TCP", "uri#7f3075cedab1418e70399fb4813e01e3",
		"04807f3075cedab1418e70399fb4813e01e3",
		"sip:bob@example.com;transport=tcp"},
	{"domain:Example.COM.", "domain#02438d3405cadd648e08dbff51bdbeb4",
		"058002438d3405cadd648e08dbff51bdbeb4", "example.com"},
	{"agent:  friendly-scanner ", "agent#23e76d08e250931cdbde0e40e399d24e",
		"068023e76d08e250931cdbde0e40e399d24e", "friendly-scanner"},
	{"uri#7F3075cedab1418e70399fb4813e01e3", "uri#7f3075cedab1418e70399fb4813e01e3",
		"04807f3075cedab1418e70399fb4813e01e3", ""},
	{"domain#02438d3405cadd648e08dbff51bdbeb4",
		"domain#02438d3405cadd648e08dbff51bdbeb4",
		"058002438d3405cadd648e08dbff51bdbeb4", ""},
	{"agent#00000000000000000000000000000000",
		"agent#00000000000000000000000000000000",
		"068000000000000000000000000000000000", ""},
};

static void test_parse(void **state)
{
	char canonical[INDICATOR_SOURCE_TEXT + 1], text[INDICATOR_TEXT];
	char wire[2 * INDICATOR_SIZE + 1];
	struct indicator i;

	(void)state;
	assert_int_equal(sizeof(i), INDICATOR_SIZE);
	for (size_t k = 0; k < sizeof(good) / sizeof(good[0]); k++) {
		strcpy(canonical, "unset");
		assert_int_equal(
			indicator_parse(&i, canonical, view_str(good[k].text), NULL), 0);
		assert_string_equal(indicator_print(text, &i), good[k].printed);
		hex_encode(wire, (const uint8_t *)&i, INDICATOR_SIZE);
		assert_string_equal(wire, good[k].wire);
		assert_string_equal(canonical, good[k].canonical);
		assert_int_equal(indicator_check_shape(&i, NULL), 0);
	}
}

/* What is refused, and the remedy that the refusal names. */
static const struct {
	const char *text, *error;
} bad[] = {
	{"",
		"empty indicator: write an address, a number with +, a sip: URI, "
		"domain:NAME or agent:NAME"},
	{"192.0.2.7/24", "192.0.2.7/24: host bits are set; write 192.0.2.0/24"},
	{"2001:db8::1/64",
		"2001:db8::1/64: host bits are set; write "
		"2001:db8::/64"},
	{"::ffff:192.0.2.7/120",
		"192.0.2.7/24: host bits are set; write "
		"192.0.2.0/24"},
	{"::ffff:0:0/90",
		"\"::ffff:0:0/90\": host bits are set; write an IPv4 "
		"prefix, such as 192.0.2.0/24"},
	{"192.0.2.0/33", "\"192.0.2.0/33\": the prefix length must be 0..32"},
	{"192.0.2.0/", "\"192.0.2.0/\": the prefix length must be 0..32"},
	{"2001:db8::/129", "\"2001:db8::/129\": the prefix length must be 0..128"},
	{"192.0.2.7:5060",
		"\"192.0.2.7:5060\": an indicator has no port; write "
		"the address alone"},
	{"fe80::1%eth0",
		"\"fe80::1%eth0\": a zone has no meaning on another "
		"host; write the address without %zone"},
	{"example.com",
		"\"example.com\": write a domain as domain:example.com "
		"and a user agent as agent:NAME"},
	{"bob@example.com",
		"\"bob@example.com\": write a URI with its scheme, "
		"such as sip:bob@example.com"},
	{"00442079460000",
		"\"00442079460000\": write a number with + and the "
		"country code, such as +442079460000"},
	{"97259*",
		"\"97259*\": write a number with + and the country code, such "
		"as +442079460000"},
	{"tel:2079460000",
		"\"2079460000\": write the number with + and the "
		"country code, such as +442079460000"},
	{"+0044207946",
		"\"+0044207946\": no country code begins with 0; leave "
		"out the international prefix (00) and write + and the country "
		"code"},
	{"+1234567890123456",
		"\"+1234567890123456\": E.164 numbers have at most "
		"15 digits"},
	{"+44 (0)20 79460000",
		"\"+44 (0)20 79460000\": leave \"(0)\" out, it is "
		"not dialled after a country code"},
	{"+", "\"+\": there are no digits; write + and 1 to 15 of them"},
	{"+*", "\"+*\": there are no digits; write + and 1 to 15 of them"},
	{"+4*4",
		"\"+4*4\": a number is + and digits, with * at the end for a "
		"prefix; \"*\" is neither"},
	{"+44a",
		"\"+44a\": a number is + and digits, with * at the end for a "
		"prefix; \"a\" is neither"},
	{"uri#7f3075",
		"\"uri#7f3075\": uri# is followed by exactly 32 hex "
		"digits"},
	{"domain#02438d3405cadd648e08dbff51bdbebg",
		"\"domain#02438d3405cadd648e08dbff51bdbebg\": domain# is followed "
		"by exactly 32 hex digits"},
	{"???",
		"\"?"
		"?"
		"?\" is no indicator: write an address or prefix "
		"(192.0.2.0/24), a number (+442079460000, +97259*), a sip: or "
		"sips: URI, domain:NAME or agent:NAME"},
	{"http://example.com/",
		"\"http://example.com/\" is no indicator: write "
		"an address or prefix (192.0.2.0/24), a number (+442079460000, "
		"+97259*), a sip: or sips: URI, domain:NAME or agent:NAME"},
	{"domain:", "\"\": an empty label; write a domain such as example.com"},
	{"agent: ",
		"empty user agent: write its name, such as "
		"agent:friendly-scanner"},
};

static void test_refused(void **state)
{
	struct indicator i;
	struct error err;

	(void)state;
	for (size_t k = 0; k < sizeof(bad) / sizeof(bad[0]); k++) {
		err.text[0] = '\0';
		assert_int_equal(
			indicator_parse(&i, NULL, view_str(bad[k].text), &err), -1);
		assert_string_equal(err.text, bad[k].error);
	}
}

/* A random well-formed indicator of any kind. */
static struct indicator random_indicator(struct prng *r)
{
	uint8_t kind = (uint8_t)(1 + prng_below(r, 6));
	struct address a = {.family = kind == INDICATOR_IP4 ? 4 : 6};
	struct indicator i = {.kind = kind, .plen = 128};
	uint8_t digits[15];
	unsigned n;

	if (kind == INDICATOR_NUMBER) {
		n = 1 + prng_below(r, 15);
		for (unsigned k = 0; k < n; k++)
			digits[k] = (uint8_t)('0' + prng_below(r, 10));
		if (digits[0] == '0')
			digits[0] = '9';
		assert_int_equal(prng_below(r, 2) ?
				number_from_prefix(&i, view_of(digits, n)) :
				indicator_from_digits(&i, view_of(digits, n)),
			0);
		return i;
	}
	for (unsigned k = 0; k < (a.family == 4 ? 4U : 16U); k++)
		a.bytes[k] = (uint8_t)prng_next(r);
	if (kind <= INDICATOR_IP6)
		return indicator_from_address(&a, prng_below(r, 129));
	memcpy(i.value, a.bytes, 16);
	return i;
}

static void test_round_trip(void **state)
{
	struct prng r = {20190614};
	unsigned seen[7] = {0};
	struct indicator i, back;
	char text[INDICATOR_TEXT];

	(void)state;
	for (unsigned k = 0; k < 30000; k++) {
		i = random_indicator(&r);
		seen[i.kind]++;
		assert_int_equal(indicator_check_shape(&i, NULL), 0);
		back = parsed(indicator_print(text, &i));
		assert_memory_equal(&i, &back, sizeof(i));
	}
	for (unsigned kind = 1; kind <= 6; kind++)
		assert_true(seen[kind] > 4000);
}

/*
 * Every prefix of eight bits against every other, compared with what a walk
 * over the 256 points of that universe says.
 */
static void test_containment_addresses(void **state)
{
	(void)state;
	for (unsigned a = 0; a < 511; a++) {
		for (unsigned b = 0; b < 511; b++) {
			unsigned node[2] = {a + 1, b + 1}, lo[2], hi[2];
			struct indicator i[2];
			bool inside, overlap;

			/* Number a tree's nodes from 1; plen is the depth. */
			for (unsigned k = 0; k < 2; k++) {
				unsigned plen = 0;

				while (node[k] >> (plen + 1))
					plen++;
				lo[k] = (node[k] - (1U << plen)) << (8 - plen);
				hi[k] = lo[k] + (256U >> plen) - 1;
				i[k] = (struct indicator){.kind = INDICATOR_IP6,
					.plen = (uint8_t)(plen + 64)};
				i[k].value[8] = (uint8_t)lo[k];
			}
			inside = lo[0] <= lo[1] && hi[1] <= hi[0];
			overlap = lo[0] <= hi[1] && lo[1] <= hi[0];
			assert_int_equal(indicator_contains(&i[0], &i[1]), inside);
			assert_int_equal(indicator_overlaps(&i[0], &i[1]), overlap);
		}
	}
}

/* All numbers and prefixes of up to three digits: text decides. */
static void test_containment_numbers(void **state)
{
	enum { N = 999 };
	static struct indicator exact[N + 1], prefix[N + 1];
	static char digits[N + 1][4];

	(void)state;
	for (unsigned n = 1; n <= N; n++) {
		snprintf(digits[n], sizeof(digits[n]), "%u", n);
		assert_int_equal(
			indicator_from_digits(&exact[n], view_str(digits[n])), 0);
		assert_int_equal(number_from_prefix(&prefix[n], view_str(digits[n])), 0);
	}
	for (unsigned a = 1; a <= N; a++) {
		for (unsigned b = 1; b <= N; b++) {
			bool starts = view_starts(view_str(digits[b]), digits[a]);

			if (indicator_contains(&prefix[a], &exact[b]) != starts ||
				indicator_contains(&prefix[a], &prefix[b]) != starts ||
				indicator_contains(&exact[a], &exact[b]) != (a == b) ||
				indicator_contains(&exact[a], &prefix[b]))
				fail_msg("%s and %s", digits[a], digits[b]);
		}
	}
}

static void test_containment_kinds(void **state)
{
	struct indicator v4 = parsed("0.0.0.0/0"), v6 = parsed("::/0");
	struct indicator a = parsed("192.0.2.7"), b = parsed("agent:x");
	struct indicator c = parsed("domain:x");

	(void)state;
	assert_true(indicator_contains(&v4, &a));
	assert_false(indicator_contains(&v6, &a));
	assert_false(indicator_overlaps(&v4, &v6));
	assert_true(indicator_contains(&b, &b));
	assert_memory_equal(b.value, c.value, 16);
	assert_false(indicator_contains(&b, &c));
	b.plen = 200; /* from a hostile word */
	assert_false(indicator_contains(&b, &b));
}

static int compare(const void *a, const void *b)
{
	return indicator_compare(a, b);
}

/* Sorted, whatever lies in an interval follows it without a gap. */
static void test_order(void **state)
{
	enum { N = 1500 };
	static struct indicator list[N];
	struct prng r = {77};

	(void)state;
	for (unsigned k = 0; k < N; k++) {
		list[k] = random_indicator(&r);
		/* A quarter are parents of what was drawn before. */
		if (k % 4 == 3 && list[k - 1].kind <= INDICATOR_IP6)
			list[k] = indicator_widen(&list[k - 1],
				(uint8_t)prng_below(&r, list[k - 1].plen + 1U));
	}
	qsort(list, N, sizeof(list[0]), compare);
	for (unsigned a = 0; a < N; a++) {
		bool gap = false;

		for (unsigned b = a + 1; b < N; b++) {
			bool inside = indicator_contains(&list[a], &list[b]);

			assert_true(indicator_compare(&list[a], &list[b]) <= 0);
			assert_true(indicator_compare(&list[b], &list[a]) >= 0);
			assert_false(gap && inside);
			gap = gap || !inside;
		}
	}
}

static void test_widen(void **state)
{
	struct indicator i = parsed("203.0.113.77"), wide;
	char text[INDICATOR_TEXT];

	(void)state;
	wide = indicator_widen(&i, 24);
	assert_string_equal(indicator_print(text, &wide), "203.0.113.0/24");
	wide = indicator_widen(&i, 27);
	assert_string_equal(indicator_print(text, &wide), "203.0.113.64/27");
	wide = indicator_widen(&wide, 32); /* never narrower */
	assert_string_equal(indicator_print(text, &wide), "203.0.113.64/27");
	i = parsed("+972591234567");
	wide = indicator_widen(&i, 20);
	assert_string_equal(indicator_print(text, &wide), "+97259*");
	i = parsed("2001:db8:ffff:ffff::1");
	wide = indicator_widen(&i, 33);
	assert_string_equal(indicator_print(text, &wide), "2001:db8:8000::/33");
	wide = indicator_widen(&i, 0);
	assert_string_equal(indicator_print(text, &wide), "::/0");
}

static void test_addresses(void **state)
{
	struct indicator i = parsed("198.51.96.0/20");
	struct address a;
	unsigned plen;

	(void)state;
	assert_int_equal(indicator_to_address(&a, &plen, &i), 0);
	assert_int_equal(a.family, 4);
	assert_int_equal(plen, 20);
	assert_memory_equal(a.bytes, "\306\063\140\0\0", 5);
	a.bytes[3] = 9; /* host bits are cleared on the way back */
	i = indicator_from_address(&a, 20);
	assert_int_equal(indicator_check_shape(&i, NULL), 0);
	assert_memory_equal(i.value, "\306\063\140\0\0", 5);
	i = parsed("+44*");
	assert_int_equal(indicator_to_address(&a, &plen, &i), -1);
}

static void test_names(void **state)
{
	char text[INDICATOR_TEXT];
	struct indicator i = {.kind = 9, .plen = 1};

	(void)state;
	assert_string_equal(indicator_kind_name(INDICATOR_IP4), "ip4");
	assert_string_equal(indicator_kind_name(INDICATOR_IP6), "ip6");
	assert_string_equal(indicator_kind_name(INDICATOR_NUMBER), "number");
	assert_string_equal(indicator_kind_name(INDICATOR_URI), "uri");
	assert_string_equal(indicator_kind_name(INDICATOR_DOMAIN), "domain");
	assert_string_equal(indicator_kind_name(INDICATOR_AGENT), "agent");
	assert_string_equal(indicator_kind_name(0), "?");
	assert_string_equal(indicator_kind_name(7), "?");
	assert_string_equal(indicator_kind_name(255), "?");
	/* Every 18 bytes print, also what no parser makes. */
	assert_string_equal(
		indicator_print(text, &i), "?#00000000000000000000000000000000");
	memset(&i, 0xff, sizeof(i));
	for (unsigned kind = 0; kind < 256; kind++) {
		i.kind = (uint8_t)kind;
		assert_true(strlen(indicator_print(text, &i)) < INDICATOR_TEXT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_containment_addresses),
		cmocka_unit_test(test_containment_numbers),
		cmocka_unit_test(test_containment_kinds),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_widen),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
