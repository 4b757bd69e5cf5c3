/* SPDX-License-Identifier: Apache-2.0 */
#include "../cmocka_all.h"

#include <stdlib.h>

#include "base/escape.h"
#include "base/hex.h"

static void test_escape(void **state)
{
	char dst[64];

	(void)state;
	assert_string_equal(escape_view(dst, sizeof(dst), view_str("a b~")), "a b~");
	assert_string_equal(escape_view(dst, sizeof(dst), view_str("")), "");
	assert_string_equal(escape_view(dst, sizeof(dst), view_str("\"\\")), "\\\"\\\\");
	assert_string_equal(
		escape_view(dst, sizeof(dst), view_of("\0\r\n\x1b[2J\x7f\xc3\xa9", 10)),
		"\\x00\\x0d\\x0a\\x1b[2J\\x7f\\xc3\\xa9");
}

/* Every size cuts at a whole unit, with "...", inside the bound. */
static void test_escape_cut(void **state)
{
	char *dst;

	(void)state;
	for (size_t size = 8; size < 24; size++) {
		dst = malloc(size);
		escape_view(dst, size, view_str("ab\n\n\"cdef"));
		assert_true(strlen(dst) < size);
		if (size > 16)
			assert_string_equal(dst, "ab\\x0a\\x0a\\\"cdef");
		free(dst);
	}
	dst = malloc(16);
	assert_string_equal(escape_view(dst, 8, view_str("abcdefg")), "abcdefg");
	assert_string_equal(escape_view(dst, 8, view_str("abcdefgh")), "abcd...");
	assert_string_equal(escape_view(dst, 8, view_str("a\nbcdef")), "a...");
	assert_string_equal(escape_view(dst, 8, view_str("\n\n")), "\\x0a...");
	assert_string_equal(escape_view(dst, 9, view_str("\n\n")), "\\x0a\\x0a");
	free(dst);
}

static void test_escaped(void **state)
{
	char sixty[62], expect[300] = "";
	const char *first, *second;

	(void)state;
	memset(sixty, '\n', sizeof(sixty));
	for (unsigned i = 0; i < 60; i++)
		strcat(expect, "\\x0a");
	assert_string_equal(escaped(view_of(sixty, 60)), expect);
	strcat(expect, "...");
	assert_string_equal(escaped(view_of(sixty, 61)), expect);
	first = escaped(view_str("one"));
	second = escaped(view_str("two"));
	assert_string_equal(first, "one"); /* both in one printf() */
	assert_string_equal(second, "two");
}

static void test_clean(void **state)
{
	static const char *const good[] = {"", "abc ~", "\xc3\xa9", "\xc2\xa0",
		"\xe2\x82\xac", "\xed\x9f\xbf", "\xee\x80\x80", "\xf0\x9f\x98\x80",
		"\xf4\x8f\xbf\xbf", "\xe0\xa0\x80", "\xf0\x90\x80\x80"};
	static const char *const bad[] = {"\n", "a\tb", "\x7f", "\x1b[m", "\xc2\x80",
		"\xc2\x9f",                         /* C1 */
		"\x80", "\xbf",                     /* continuation alone */
		"\xc3", "\xe2\x82", "\xf0\x9f\x98", /* cut */
		"\xc3(", "\xe2\x82(", "\xe2(\xac", "\xc0\xaf", "\xc1\xbf", "\xe0\x9f\xbf",
		"\xf0\x8f\xbf\xbf",                              /* overlong */
		"\xed\xa0\x80", "\xed\xbf\xbf",                  /* surrogates */
		"\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff"}; /* past U+10FFFF */

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(text_is_clean(view_str(good[i])));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(text_is_clean(view_str(bad[i])));
	assert_false(text_is_clean(view_of("a\0b", 3)));
	/* Cut at the view's end, whatever stands behind it. */
	assert_false(text_is_clean(view_of("\xc3\xa9", 1)));
}

static void test_hex(void **state)
{
	static const uint8_t raw[4] = {0x00, 0x9f, 0xa0, 0xff};
	uint8_t out[4];
	char text[9];

	(void)state;
	assert_string_equal(hex_encode(text, raw, 4), "009fa0ff");
	assert_string_equal(hex_encode(text, raw, 0), "");
	assert_int_equal(hex_decode(out, 4, view_str("009fA0Ff")), 0);
	assert_memory_equal(out, raw, 4);
	assert_int_equal(hex_decode(out, 4, view_str("0x009fa0ff")), 0);
	assert_memory_equal(out, raw, 4);
	assert_int_equal(hex_decode(out, 4, view_str("009fa0f")), -1);
	assert_int_equal(hex_decode(out, 4, view_str("009fa0fff")), -1);
	assert_int_equal(hex_decode(out, 4, view_str("009fa0f")), -1);
	assert_int_equal(hex_decode(out, 4, view_str("009fa0fg")), -1);
	assert_int_equal(hex_decode(out, 4, view_str("009fa0 f")), -1);
	assert_int_equal(hex_decode(out, 4, view_str("0x0x0000")), -1);
	assert_int_equal(hex_decode(out, 4, view_str("0x9fa0ff")), -1);
	assert_int_equal(hex_decode(out, 0, view_str("")), 0);
	assert_int_equal(hex_decode(out, 0, view_str("0x")), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_escape),
		cmocka_unit_test(test_escape_cut),
		cmocka_unit_test(test_escaped),
		cmocka_unit_test(test_clean),
		cmocka_unit_test(test_hex),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
