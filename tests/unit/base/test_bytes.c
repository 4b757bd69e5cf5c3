/* SPDX-License-Identifier: Apache-2.0 */
#include "../cmocka_all.h"

#include "base/bytes.h"

static const struct view none = {NULL, 0};

static void test_equality(void **state)
{
	(void)state;
	assert_true(view_eq(none, view_str("")));
	assert_true(view_eq(view_str("abc"), view_of("abcd", 3)));
	assert_false(view_eq(view_str("abc"), view_str("abd")));
	assert_false(view_eq(view_str("abc"), view_str("ab")));
	assert_true(view_eq_nocase(view_str("Call-ID"), "cALL-id"));
	assert_false(view_eq_nocase(view_str("Call-ID"), "Call-I"));
	assert_false(view_eq_nocase(view_str("@"), "`")); /* 0x40, 0x60 */
	assert_false(view_eq_nocase(view_str("["), "{"));
	assert_true(view_eq_nocase(none, ""));
	assert_true(view_starts(view_str("sip:bob"), "sip:"));
	assert_true(view_starts(view_str("sip:bob"), ""));
	assert_false(view_starts(view_str("SIP:bob"), "sip:"));
	assert_false(view_starts(view_str("si"), "sip:"));
	assert_false(view_starts(none, "a"));
}

static void test_slices(void **state)
{
	struct view v = view_str(" \t\r\n a b \n");

	(void)state;
	assert_true(view_eq(view_trim(v), view_str("a b")));
	assert_int_equal(view_trim(view_str(" \t ")).n, 0);
	assert_int_equal(view_trim(none).n, 0);
	assert_true(view_eq(view_trim(view_of("\0 ", 2)), view_of("\0", 1)));
	v = view_str("abcdef");
	assert_true(view_eq(view_from(v, 4), view_str("ef")));
	assert_int_equal(view_from(v, 6).n, 0);
	assert_int_equal(view_from(v, SIZE_MAX).n, 0);
	assert_true(view_eq(view_head(v, 2), view_str("ab")));
	assert_true(view_eq(view_head(v, 99), v));
}

static void test_find(void **state)
{
	struct view v = view_str("a@b@c");
	char many[699];

	(void)state;
	memset(many, 'x', sizeof many);
	assert_int_equal(view_find(v, '@'), 1);
	assert_int_equal(view_rfind(v, '@'), 3);
	assert_int_equal(view_find(v, 'x'), 5);
	assert_int_equal(view_rfind(v, 'x'), 5);
	assert_int_equal(view_rfind(v, 'a'), 0);
	assert_int_equal(view_find(none, 'x'), 0);
	assert_int_equal(view_count(v, '@'), 2);
	assert_int_equal(view_count(none, '@'), 0);
	assert_int_equal(view_count(view_of(many, sizeof many), 'x'), sizeof many);
	many[127] = many[128] = many[698] = 'y';
	assert_int_equal(view_count(view_of(many, sizeof many), 'y'), 3);
	assert_int_equal(view_count(view_of(many, 128), 'y'), 1);
	assert_int_equal(view_find_str(v, "b@c"), 2);
	assert_int_equal(view_find_str(v, "c@"), 5);
	assert_int_equal(view_find_str(v, "a@b@c@"), 5);
	assert_int_equal(view_find_str(none, "x"), 0);
}

static void test_decimal(void **state)
{
	uint64_t v = 7;

	(void)state;
	assert_int_equal(view_decimal(view_str("0"), 0, &v), 0);
	assert_int_equal(v, 0);
	assert_int_equal(view_decimal(view_str("007"), 7, &v), 0);
	assert_int_equal(v, 7);
	assert_int_equal(
		view_decimal(view_str("18446744073709551615"), UINT64_MAX, &v), 0);
	assert_true(v == UINT64_MAX);
	assert_int_equal(
		view_decimal(view_str("18446744073709551616"), UINT64_MAX, &v), -1);
	assert_int_equal(
		view_decimal(view_str("99999999999999999999999"), UINT64_MAX, &v), -1);
	assert_int_equal(view_decimal(view_str("65535"), 65535, &v), 0);
	assert_int_equal(view_decimal(view_str("65536"), 65535, &v), -1);
	assert_int_equal(view_decimal(view_str("9"), 8, &v), -1);
	assert_int_equal(view_decimal(view_str(""), 8, &v), -1);
	assert_int_equal(view_decimal(view_str("-1"), 8, &v), -1);
	assert_int_equal(view_decimal(view_str("+1"), 8, &v), -1);
	assert_int_equal(view_decimal(view_str(" 1"), 8, &v), -1);
	assert_int_equal(view_decimal(view_str("1x"), 88, &v), -1);
}

static void test_copy(void **state)
{
	char dst[4] = "zzz";

	(void)state;
	assert_int_equal(view_copy(dst, sizeof(dst), view_str("abc")), 3);
	assert_string_equal(dst, "abc");
	assert_int_equal(view_copy(dst, sizeof(dst), view_str("abcd")), 4);
	assert_string_equal(dst, "abc");
	assert_int_equal(view_copy(dst, sizeof(dst), view_of("a\0b", 3)), 3);
	assert_string_equal(dst, "a?b");
	assert_int_equal(view_copy(dst, sizeof(dst), none), 0);
	assert_string_equal(dst, "");
	assert_int_equal(view_copy(dst, 0, view_str("x")), 1);
	assert_string_equal(dst, "");
}

static void test_big_endian(void **state)
{
	/* Unaligned on purpose. */
	uint8_t raw[9] = {0, 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef};
	uint8_t out[9] = {0};

	(void)state;
	assert_int_equal(be16_load(raw + 1), 0x0123);
	assert_int_equal(be32_load(raw + 5), 0x89abcdef);
	assert_true(be64_load(raw + 1) == UINT64_C(0x0123456789abcdef));
	be64_store(out + 1, UINT64_C(0x0123456789abcdef));
	assert_memory_equal(out, raw, 9);
	be16_store(out + 1, 0xfffe);
	assert_int_equal(out[1], 0xff);
	assert_int_equal(out[2], 0xfe);
	be32_store(out + 1, 0x80000001);
	assert_memory_equal(out + 1, "\x80\0\0\x01", 4);
}

static void test_zero(void **state)
{
	uint8_t b[5] = {0};

	(void)state;
	assert_true(bytes_zero(b, 5));
	assert_true(bytes_zero(NULL, 0));
	b[4] = 1;
	assert_false(bytes_zero(b, 5));
	assert_true(bytes_zero(b, 4));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_equality),
		cmocka_unit_test(test_slices),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_decimal),
		cmocka_unit_test(test_copy),
		cmocka_unit_test(test_big_endian),
		cmocka_unit_test(test_zero),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
