/* SPDX-License-Identifier: Apache-2.0 */
/* The rules that a word on a ledger must meet: shape, width, routability. */
#include "../cmocka_all.h"

#include "base/hex.h"
#include "indicator/indicator.h"
#include "indicator/number.h"
#include "indicator/unroutable.h"

static struct indicator parsed(const char *text)
{
	struct error err = {""};
	struct indicator i;

	if (indicator_parse(&i, NULL, view_str(text), &err) < 0)
		fail_msg("%s: %s", text, err.text);
	return i;
}

/* Wire forms that no parser makes, and why a word with them is refused. */
static void test_shape(void **state)
{
	static const struct {
		const char *wire, *error;
	} cases[] = {
		{"008000000000000000000000000000000000",
			"unknown kind 0: kinds are 1 (ip4) to 6 (agent)"},
		{"078000000000000000000000000000000000",
			"unknown kind 7: kinds are 1 (ip4) to 6 (agent)"},
		{"0121c0000207000000000000000000000000",
			"192.0.2.7/33: the prefix length must be 0..32"},
		{"0118c0000207000000000000000000000000",
			"192.0.2.7/24: host bits are set; write 192.0.2.0/24"},
		{"0120c0000207000000000000000000000001",
			"192.0.2.7: bits are set past the 32 of an IPv4 address"},
		{"0118c0000200800000000000000000000000",
			"192.0.2.0/24: bits are set past the 32 of an IPv4 "
			"address"},
		{"028120010db8000000000000000000000000",
			"2001:db8::/129: the prefix length must be 0..128"},
		{"027f20010db8000000000000000000000001",
			"2001:db8::1/127: host bits are set; write "
			"2001:db8::/127"},
		{"030040000000000000000000000000000000",
			"number with prefix length 0: it must be 4 bits a digit, "
			"4..60, or 128 for an exact number"},
		{"031640000000000000000000000000000000",
			"number with prefix length 22: it must be 4 bits a digit, "
			"4..60, or 128 for an exact number"},
		{"034044000000000000000000000000000000",
			"number with prefix length 64: it must be 4 bits a digit, "
			"4..60, or 128 for an exact number"},
		{"030844100000000000000000000000000000",
			"number prefix: after its 2 digits all must be 0"},
		{"030c44a00000000000000000000000000000",
			"number prefix: digit 3 is not decimal"},
		{"030c44f00000000000000000000000000000",
			"number prefix: digit 3 is not decimal"},
		{"030c04400000000000000000000000000000",
			"number without a country code: the first digit must be "
			"1..9"},
		{"03800442ffffffffffffffffffffffffffff",
			"number without a country code: the first digit must be "
			"1..9"},
		{"0380ffffffffffffffffffffffffffffffff",
			"number without a country code: the first digit must be "
			"1..9"},
		{"038044a2ffffffffffffffffffffffffffff",
			"exact number: after 2 digits all must be F"},
		{"038044ff2fffffffffffffffffffffffffff",
			"exact number: after 2 digits all must be F"},
		{"0380442ffffffffffffffffffffffffffff0",
			"exact number: after 3 digits all must be F"},
		{"03801234567890123456ffffffffffffffff",
			"exact number: after 15 digits all must be F"},
		{"047f7f3075cedab1418e70399fb4813e01e2",
			"uri with prefix length 127: it must be 128"},
		{"050000000000000000000000000000000000",
			"domain with prefix length 0: it must be 128"},
		{"068100000000000000000000000000000000",
			"agent with prefix length 129: it must be 128"},
	};
	struct indicator i;
	struct error err;

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		assert_int_equal(
			hex_decode((uint8_t *)&i, sizeof(i), view_str(cases[k].wire)), 0);
		assert_int_equal(indicator_check_shape(&i, &err), -1);
		assert_string_equal(err.text, cases[k].error);
		assert_int_equal(
			indicator_check(&i, &indicator_limits_default, NULL), -1);
	}
}

/* "" is accepted. */
static void test_limits(void **state)
{
	static const struct {
		const char *text, *error;
	} cases[] = {
		{"8.8.0.0/16", ""},
		{"8.8.0.0/15",
			"8.8.0.0/15: too wide; the shortest prefix allowed "
			"is /16"},
		{"2600::/32", ""},
		{"2600::/31",
			"2600::/31: too wide; the shortest prefix allowed is "
			"/32"},
		{"+97259*", ""},
		{"+9725*", "+9725*: a number prefix needs at least 5 digits"},
		{"+44", ""}, /* exact: one number, however short */
		{"sip:bob@10.0.0.1", ""},
		{"domain:localhost", ""},
		{"agent:x", ""},
		{"10.1.2.3",
			"10.1.2.3: lies in 10.0.0.0/8 (private use, RFC 1918), "
			"which is not a source on the Internet"},
		{"192.0.0.0/16",
			"192.0.0.0/16: contains 192.0.0.0/24 (IETF "
			"protocol assignments, RFC 6890), which is not a source "
			"on the Internet"},
		{"2001:db8::1",
			"2001:db8::1: lies in 2001:db8::/32 "
			"(documentation, RFC 3849), which is not a source on the "
			"Internet"},
	};
	struct indicator_limits open = {.allow_unroutable = true};
	struct indicator i;
	struct error err;

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		err.text[0] = '\0';
		i = parsed(cases[k].text);
		assert_int_equal(indicator_check(&i, &indicator_limits_default, &err),
			cases[k].error[0] ? -1 : 0);
		assert_string_equal(err.text, cases[k].error);
		assert_int_equal(indicator_check(&i, &open, NULL), 0);
		assert_int_equal(indicator_check_shape(&i, NULL), 0);
	}
}

/*
 * The first and last address of each range and their neighbours; "" is a
 * source on the Internet.
 */
static void test_unroutable(void **state)
{
	static const struct {
		const char *text, *rfc;
	} cases[] = {
		{"0.0.0.0", "RFC 791"},
		{"0.255.255.255", "RFC 791"},
		{"1.0.0.0", ""},
		{"9.255.255.255", ""},
		{"10.0.0.0", "RFC 1918"},
		{"10.255.255.255", "RFC 1918"},
		{"11.0.0.0", ""},
		{"100.63.255.255", ""},
		{"100.64.0.0", "RFC 6598"},
		{"100.127.255.255", "RFC 6598"},
		{"100.128.0.0", ""},
		{"126.255.255.255", ""},
		{"127.0.0.0", "RFC 1122"},
		{"127.255.255.255", "RFC 1122"},
		{"128.0.0.0", ""},
		{"169.253.255.255", ""},
		{"169.254.0.0", "RFC 3927"},
		{"169.254.255.255", "RFC 3927"},
		{"169.255.0.0", ""},
		{"172.15.255.255", ""},
		{"172.16.0.0", "RFC 1918"},
		{"172.31.255.255", "RFC 1918"},
		{"172.32.0.0", ""},
		{"191.255.255.255", ""},
		{"192.0.0.0", "RFC 6890"},
		{"192.0.0.255", "RFC 6890"},
		{"192.0.1.0", ""},
		{"192.0.1.255", ""},
		{"192.0.2.0", "RFC 5737"},
		{"192.0.2.255", "RFC 5737"},
		{"192.0.3.0", ""},
		{"192.88.98.255", ""},
		{"192.88.99.0", "RFC 7526"},
		{"192.88.99.255", "RFC 7526"},
		{"192.88.100.0", ""},
		{"192.167.255.255", ""},
		{"192.168.0.0", "RFC 1918"},
		{"192.168.255.255", "RFC 1918"},
		{"192.169.0.0", ""},
		{"198.17.255.255", ""},
		{"198.18.0.0", "RFC 2544"},
		{"198.19.255.255", "RFC 2544"},
		{"198.20.0.0", ""},
		{"198.51.99.255", ""},
		{"198.51.100.0", "RFC 5737"},
		{"198.51.100.255", "RFC 5737"},
		{"198.51.101.0", ""},
		{"203.0.112.255", ""},
		{"203.0.113.0", "RFC 5737"},
		{"203.0.113.255", "RFC 5737"},
		{"203.0.114.0", ""},
		{"223.255.255.255", ""},
		{"224.0.0.0", "RFC 5771"},
		{"239.255.255.255", "RFC 5771"},
		{"240.0.0.0", "RFC 1112"},
		{"255.255.255.254", "RFC 1112"},
		{"255.255.255.255", "RFC 919"},
		{"::", "RFC 4291"},
		{"::1", "RFC 4291"},
		{"::2", "RFC 4291"},
		{"::ffff:ffff", "RFC 4291"},
		{"::1:0:0", ""},
		{"64:ff9b::808:808", ""},
		{"64:ff9b:0:ffff::", ""},
		{"64:ff9b:1::", "RFC 8215"},
		{"64:ff9b:1:ffff:ffff:ffff:ffff:ffff", "RFC 8215"},
		{"64:ff9b:2::", ""},
		{"ff:ffff::", ""},
		{"100::", "RFC 6666"},
		{"100::ffff:ffff:ffff:ffff", "RFC 6666"},
		{"100:0:0:1::", "RFC 9780"},
		{"100:0:0:1:ffff:ffff:ffff:ffff", "RFC 9780"},
		{"100:0:0:2::", ""},
		{"2000:ffff::", ""},
		{"2001::", "RFC 4380"},
		{"2001:0:ffff::1", "RFC 4380"},
		{"2001:1::1", "RFC 2928"},
		{"2001:2::", "RFC 5180"},
		{"2001:2:0:ffff::", "RFC 5180"},
		{"2001:2:1::", "RFC 2928"},
		{"2001:10::", "RFC 4843"},
		{"2001:1f:ffff::", "RFC 4843"},
		{"2001:20::", "RFC 7343"},
		{"2001:2f:ffff::", "RFC 7343"},
		{"2001:30::", "RFC 2928"},
		{"2001:1ff:ffff::", "RFC 2928"},
		{"2001:200::", ""},
		{"2001:db7:ffff::", ""},
		{"2001:db8::", "RFC 3849"},
		{"2001:db8:ffff::ffff", "RFC 3849"},
		{"2001:db9::", ""},
		{"2001:ffff::", ""},
		{"2002::", "RFC 3056"},
		{"2002:ffff::", "RFC 3056"},
		{"2003::", ""},
		{"3ffe:ffff::", ""},
		{"3fff::", "RFC 9637"},
		{"3fff:fff:ffff::", "RFC 9637"},
		{"3fff:1000::", ""},
		{"5eff::", ""},
		{"5f00::", "RFC 9602"},
		{"5f00:ffff::", "RFC 9602"},
		{"5f01::", ""},
		{"fbff:ffff::", ""},
		{"fc00::", "RFC 4193"},
		{"fdff:ffff::", "RFC 4193"},
		{"fe00::", ""},
		{"fe7f:ffff::", ""},
		{"fe80::", "RFC 4291"},
		{"febf:ffff::", "RFC 4291"},
		{"fec0::", "RFC 3879"},
		{"feff:ffff::", "RFC 3879"},
		{"ff00::", "RFC 4291"},
		{"ffff:ffff::", "RFC 4291"},
		/* The narrowest is named, and a prefix around one counts. */
		{"0.0.0.0/0", "RFC 791"},
		{"172.0.0.0/8", "RFC 1918"},
		{"255.0.0.0/8", "RFC 1112"},
		{"2001::/16", "RFC 4380"},
		{"2620::/12", ""},
		{"8.0.0.0/8", ""},
		{"+97259*", ""},
		{"domain:localhost", ""},
	};

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		struct indicator i = parsed(cases[k].text);
		const struct unroutable *hit = unroutable_find(&i);

		if (strcmp(hit ? hit->rfc : "", cases[k].rfc) != 0)
			fail_msg("%s: %s, expected %s", cases[k].text,
				hit ? hit->rfc : "none", cases[k].rfc);
		if (!hit)
			continue;
		assert_true(indicator_overlaps(&hit->range, &i));
		assert_int_equal(indicator_check_shape(&hit->range, NULL), 0);
		assert_true(strlen(hit->name) > 3);
	}
}

/* An ip6 word that spells an IPv4 address is refused: ip4 is its one form. */
static void test_mapped(void **state)
{
	struct indicator i = {.kind = INDICATOR_IP6,
		.plen = 128,
		.value = {[10] = 0xff, [11] = 0xff, [12] = 8, [15] = 8}};
	struct error err;

	(void)state;
	assert_int_equal(indicator_check(&i, &indicator_limits_default, &err), -1);
	assert_non_null(strstr(err.text, "(IPv4-mapped, RFC 4291)"));
}

static void test_digits(void **state)
{
	struct indicator i;
	char digits[NUMBER_DIGITS + 1];

	(void)state;
	assert_int_equal(indicator_from_digits(&i, view_str("4420")), 0);
	assert_int_equal(number_digits(digits, &i), 4);
	assert_string_equal(digits, "4420");
	assert_int_equal(number_from_prefix(&i, view_str("123456789012345")), 0);
	assert_int_equal(i.plen, 60);
	assert_int_equal(number_digits(digits, &i), 15);
	assert_string_equal(digits, "123456789012345");
	assert_int_equal(indicator_from_digits(&i, view_str("")), -1);
	assert_int_equal(indicator_from_digits(&i, view_str("0")), -1);
	assert_int_equal(indicator_from_digits(&i, view_str("4a")), -1);
	assert_int_equal(indicator_from_digits(&i, view_str("+44")), -1);
	assert_int_equal(indicator_from_digits(&i, view_str("1234567890123456")), -1);
	assert_int_equal(number_from_prefix(&i, view_str("")), -1);
	assert_int_equal(number_from_prefix(&i, view_str("044")), -1);
	i = parsed("192.0.2.7");
	assert_int_equal(number_digits(digits, &i), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shape),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_unroutable),
		cmocka_unit_test(test_mapped),
		cmocka_unit_test(test_digits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
