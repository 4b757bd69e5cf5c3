/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>

#include "enforce/nft_set.h"

static struct indicator parse(const char *text)
{
	struct indicator i;
	struct error err = {""};

	if (indicator_parse(&i, NULL, view_str(text), &err) < 0)
		fail_msg("%s: %s", text, err.text);
	return i;
}

/* All 320 slots have their own name, which parses back. */
static void test_slots_and_names(void **state)
{
	char name[NFT_SET_NAME];

	(void)state;
	for (uint16_t slot = 0; slot < NFT_SLOTS; slot++) {
		struct nft_set s = nft_set_at(slot);

		assert_int_equal(nft_set_slot(&s), slot);
		assert_int_equal(nft_set_parse(nft_set_name(name, &s)), slot);
	}
	assert_string_equal(
		nft_set_name(name, &(struct nft_set){BAN_SIP, 4, 24}), "sip4_24");
	assert_string_equal(
		nft_set_name(name, &(struct nft_set){BAN_ALL, 6, 128}), "all6_128");
	assert_string_equal(
		nft_set_name(name, &(struct nft_set){BAN_ALL, 4, 1}), "all4_1");
}

static void test_other_names_are_no_slot(void **state)
{
	static const char *const names[] = {"", "sip", "sip4_0", "sip4_33", "sip6_129",
		"sip5_24", "sip4_024", "sip4_24x", "SIP4_24", "allow4", "ports", "all4_"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_equal(nft_set_parse(names[i]), NFT_NO_SLOT);
}

static void test_slot_of_indicator(void **state)
{
	static const struct {
		const char *text, *name;
		uint8_t scope;
	} cases[] = {
		{"198.51.100.7", "sip4_32", BAN_SIP},
		{"198.51.100.0/24", "all4_24", BAN_ALL},
		{"198.51.100.128/25", "sip4_25", BAN_SIP},
		{"128.0.0.0/1", "sip4_1", BAN_SIP},
		{"2001:db8::/33", "all6_33", BAN_ALL},
		{"2001:db8::1", "sip6_128", BAN_SIP},
	};
	char name[NFT_SET_NAME];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct indicator in = parse(cases[i].text);
		struct nft_set s = nft_set_at(nft_set_slot_of(&in, cases[i].scope));

		assert_string_equal(nft_set_name(name, &s), cases[i].name);
	}
}

/* What no set can hold: everybody, host bits, lengths past 32, other kinds. */
static void test_no_slot_for(void **state)
{
	struct indicator i;

	(void)state;
	i = (struct indicator){.kind = INDICATOR_IP4, .plen = 0};
	assert_int_equal(nft_set_slot_of(&i, BAN_SIP), NFT_NO_SLOT);
	i = (struct indicator){.kind = INDICATOR_IP6, .plen = 0};
	assert_int_equal(nft_set_slot_of(&i, BAN_SIP), NFT_NO_SLOT);
	i = (struct indicator){.kind = INDICATOR_IP4, .plen = 33, .value = {1}};
	assert_int_equal(nft_set_slot_of(&i, BAN_SIP), NFT_NO_SLOT);
	i = (struct indicator){.kind = INDICATOR_IP6, .plen = 129, .value = {1}};
	assert_int_equal(nft_set_slot_of(&i, BAN_SIP), NFT_NO_SLOT);
	i = (struct indicator){.kind = INDICATOR_IP4, .plen = 24, .value = {1, 2, 3, 4}};
	assert_int_equal(nft_set_slot_of(&i, BAN_SIP), NFT_NO_SLOT);
	i = (struct indicator){.kind = INDICATOR_IP4, .plen = 25, .value = {1, 2, 3, 64}};
	assert_int_equal(nft_set_slot_of(&i, BAN_SIP), NFT_NO_SLOT);
	i = (struct indicator){
		.kind = INDICATOR_IP4, .plen = 32, .value = {1, 2, 3, 4, 5}};
	assert_int_equal(nft_set_slot_of(&i, BAN_SIP), NFT_NO_SLOT);
	i = parse("+97259*");
	assert_int_equal(nft_set_slot_of(&i, BAN_SIP), NFT_NO_SLOT);
	i = parse("domain:example.com");
	assert_int_equal(nft_set_slot_of(&i, BAN_SIP), NFT_NO_SLOT);
}

/* A set for a short prefix is no larger than the prefixes there are. */
static void test_ban_shape(void **state)
{
	struct nft_set s = {BAN_SIP, 4, 8};
	struct nft_set_shape shape = nft_ban_shape(&s, 1000, 30000);

	(void)state;
	assert_int_equal(shape.size, 256);
	assert_int_equal(shape.flags, NFT_SET_TIMEOUT);
	assert_int_equal(shape.key_length, 4);
	assert_int_equal(shape.gc_interval, 30000);
	s = (struct nft_set){BAN_SIP, 4, 32};
	assert_int_equal(nft_ban_shape(&s, 1000, 1).size, 1000);
	s = (struct nft_set){BAN_SIP, 6, 16};
	shape = nft_ban_shape(&s, 1u << 20, 1);
	assert_int_equal(shape.size, 65536);
	assert_int_equal(shape.key_length, 16);
	s = (struct nft_set){BAN_SIP, 6, 64};
	assert_int_equal(nft_ban_shape(&s, UINT32_MAX, 1).size, UINT32_MAX);
}

static void check_span(const struct nft_span *s, const char *first, const char *last)
{
	struct indicator a = parse(first), z = parse(last);
	size_t n = s->family == 4 ? 4 : 16;

	assert_memory_equal(s->lo, a.value, n);
	assert_memory_equal(s->hi, z.value, n);
}

/* Nested, overlapping, adjacent and repeated prefixes become one interval. */
static void test_spans_merge(void **state)
{
	const struct indicator list[] = {
		parse("198.51.100.128/25"),
		parse("192.0.2.1"),
		parse("198.51.100.0/25"),
		parse("2001:db8::/32"),
		parse("+442079460000"),
		parse("198.51.101.0"),
		parse("2001:db8:5::1"),
		parse("192.0.2.1"),
		parse("192.0.2.3"),
		parse("255.255.255.255"),
		parse("domain:example.com"),
		parse("::/128"),
	};
	struct nft_span *spans;
	size_t n;

	(void)state;
	assert_int_equal(
		nft_spans_make(&spans, &n, list, sizeof(list) / sizeof(list[0])), 0);
	assert_int_equal(n, 6);
	check_span(&spans[0], "192.0.2.1", "192.0.2.1");
	check_span(&spans[1], "192.0.2.3", "192.0.2.3");
	check_span(&spans[2], "198.51.100.0", "198.51.101.0");
	check_span(&spans[3], "255.255.255.255", "255.255.255.255");
	check_span(&spans[4], "::", "::");
	check_span(&spans[5], "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff");
	assert_int_equal(spans[3].family, 4);
	assert_int_equal(spans[4].family, 6);
	free(spans);
}

static void test_spans_of_nothing(void **state)
{
	const struct indicator number = parse("+442079460000");
	struct nft_span *spans = (void *)1;
	size_t n = 1;

	(void)state;
	assert_int_equal(nft_spans_make(&spans, &n, NULL, 0), 0);
	assert_null(spans);
	assert_int_equal(n, 0);
	assert_int_equal(nft_spans_make(&spans, &n, &number, 1), 0);
	assert_null(spans);
	assert_int_equal(n, 0);
}

/* Overlap counts in both directions, and stops at the edges. */
static void test_spans_overlap(void **state)
{
	const struct indicator list[] = {parse("198.51.100.64/26"), parse("192.0.2.10"),
		parse("2001:db8:1::/48"), parse("203.0.113.0/24")};
	static const struct {
		const char *text;
		bool overlap;
	} cases[] = {
		{"198.51.100.64", true},
		{"198.51.100.127", true},
		{"198.51.100.63", false},
		{"198.51.100.128", false},
		{"198.51.100.0/24", true},
		{"198.51.100.0/26", false},
		{"198.51.100.80/28", true},
		{"192.0.2.10", true},
		{"192.0.2.0/29", false},
		{"192.0.2.8/29", true},
		{"192.0.2.11", false},
		{"192.0.2.9", false},
		{"192.0.0.0/16", true},
		{"203.0.113.255", true},
		{"203.0.114.0", false},
		{"255.255.255.255", false},
		{"0.0.0.0", false},
		{"2001:db8:1::5", true},
		{"2001:db8::/32", true},
		{"2001:db8:2::/48", false},
		{"2001:db8::/48", false},
		{"::", false},
		{"+442079460000", false},
	};
	struct nft_span *spans;
	size_t n;

	(void)state;
	assert_int_equal(nft_spans_make(&spans, &n, list, 4), 0);
	assert_int_equal(n, 4);
	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		struct indicator i = parse(cases[k].text);

		if (nft_spans_overlap(spans, n, &i) != cases[k].overlap)
			fail_msg("%s", cases[k].text);
	}
	assert_false(nft_spans_overlap(NULL, 0, &list[0]));
	free(spans);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slots_and_names),
		cmocka_unit_test(test_other_names_are_no_slot),
		cmocka_unit_test(test_slot_of_indicator),
		cmocka_unit_test(test_no_slot_for),
		cmocka_unit_test(test_ban_shape),
		cmocka_unit_test(test_spans_merge),
		cmocka_unit_test(test_spans_of_nothing),
		cmocka_unit_test(test_spans_overlap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
