/* SPDX-License-Identifier: Apache-2.0 */
#include "../cmocka_all.h"

#include <stdlib.h>

#include "base/buffer.h"

static void test_append(void **state)
{
	static const uint8_t expect[] = {'a', 'b', 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,
		13, 14, 15, '4', '2', '!'};
	struct buffer b = {0};

	(void)state;
	assert_int_equal(buffer_put(&b, "ab", 2), 0);
	assert_int_equal(buffer_put(&b, NULL, 0), 0);
	assert_int_equal(buffer_put_u8(&b, 1), 0);
	assert_int_equal(buffer_put_u16(&b, 0x0203), 0);
	assert_int_equal(buffer_put_u32(&b, 0x04050607), 0);
	assert_int_equal(buffer_put_u64(&b, UINT64_C(0x08090a0b0c0d0e0f)), 0);
	assert_int_equal(buffer_printf(&b, "%d%c", 42, '!'), 0);
	assert_int_equal(b.n, sizeof(expect));
	assert_memory_equal(b.p, expect, sizeof(expect));
	buffer_free(&b);
	assert_null(b.p);
	assert_int_equal(b.n, 0);
}

/* Growth keeps what was there, for every size around the doublings. */
static void test_growth(void **state)
{
	struct buffer b = {0};

	(void)state;
	for (unsigned i = 0; i < 5000; i++)
		assert_int_equal(buffer_put_u16(&b, (uint16_t)i), 0);
	assert_int_equal(b.n, 10000);
	for (unsigned i = 0; i < 5000; i++)
		assert_int_equal(be16_load(b.p + 2 * i), i);
	buffer_free(&b);
}

static void test_long_printf(void **state)
{
	char text[1001];
	struct buffer b = {0};

	(void)state;
	memset(text, 'x', 1000);
	text[1000] = '\0';
	for (unsigned n = 254; n <= 258; n++) {
		assert_int_equal(buffer_printf(&b, "%.*s|", (int)n, text), 0);
		assert_int_equal(b.n, n + 1);
		assert_memory_equal(b.p, text, n);
		assert_int_equal(b.p[n], '|');
		buffer_consume(&b, b.n);
	}
	assert_int_equal(buffer_printf(&b, "%s", text), 0);
	assert_int_equal(b.n, 1000);
	buffer_free(&b);
}

static void test_max(void **state)
{
	struct buffer b = {.max = 4};

	(void)state;
	assert_int_equal(buffer_printf(&b, "%s", "abcd"), 0);
	assert_false(b.failed);
	assert_int_equal(buffer_put_u8(&b, 1), -1);
	assert_true(b.failed);
	assert_int_equal(b.n, 4);
	/* Failed once, failed for good: also what would fit again. */
	buffer_consume(&b, 4);
	assert_int_equal(buffer_put_u8(&b, 1), -1);
	assert_int_equal(buffer_printf(&b, "x"), -1);
	assert_int_equal(b.n, 0);
	buffer_free(&b);
	assert_false(b.failed);
	assert_int_equal(b.max, 4);
	assert_int_equal(buffer_put_u32(&b, 7), 0);
	/* A length that no memory has fails without being tried. */
	assert_int_equal(buffer_put(&b, "x", SIZE_MAX), -1);
	buffer_free(&b);
}

static void test_consume(void **state)
{
	struct buffer b = {0};

	(void)state;
	buffer_consume(&b, 0);
	assert_int_equal(buffer_put(&b, "abcdef", 6), 0);
	buffer_consume(&b, 2);
	assert_int_equal(b.n, 4);
	assert_memory_equal(b.p, "cdef", 4);
	assert_int_equal(buffer_put(&b, "g", 1), 0);
	assert_memory_equal(b.p, "cdefg", 5);
	buffer_consume(&b, 5);
	assert_int_equal(b.n, 0);
	buffer_free(&b);
}

static void test_reader(void **state)
{
	uint8_t raw[18], dst[3];
	struct reader r;
	struct view v;

	(void)state;
	for (unsigned i = 0; i < sizeof(raw); i++)
		raw[i] = (uint8_t)(i + 1);
	r = (struct reader){.rest = view_of(raw, sizeof(raw))};
	assert_int_equal(reader_u8(&r), 1);
	assert_int_equal(reader_u16(&r), 0x0203);
	assert_int_equal(reader_u32(&r), 0x04050607);
	assert_true(reader_u64(&r) == UINT64_C(0x08090a0b0c0d0e0f));
	v = reader_view(&r, 2);
	assert_int_equal(v.n, 2);
	assert_ptr_equal(v.p, raw + 15);
	assert_false(r.failed);
	assert_int_equal(r.rest.n, 1);
	/* Too few are left: zeros, and nothing after it succeeds. */
	memset(dst, 0xff, sizeof(dst));
	reader_bytes(&r, dst, 3);
	assert_true(r.failed);
	assert_true(bytes_zero(dst, 3));
	assert_int_equal(reader_u8(&r), 0);
	assert_int_equal(reader_view(&r, 0).n, 0);
}

/* Every cut of a valid message fails at the cut and not before. */
static void test_reader_cuts(void **state)
{
	static const uint8_t raw[15] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};

	(void)state;
	for (size_t n = 0; n <= sizeof(raw); n++) {
		/* An exact copy: the sanitizer sees a read past its end. */
		uint8_t *copy = malloc(n ? n : 1);
		struct reader r = {.rest = view_of(copy, n)};

		memcpy(copy, raw, n);
		assert_int_equal(reader_u8(&r), n >= 1 ? 1 : 0);
		assert_int_equal(reader_u16(&r), n >= 3 ? 0x0101 : 0);
		assert_int_equal(reader_u32(&r), n >= 7 ? 0x01010101 : 0);
		assert_true(
			reader_u64(&r) == (n >= 15 ? UINT64_C(0x0101010101010101) : 0));
		assert_int_equal(r.failed, n < 15);
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_append),
		cmocka_unit_test(test_growth),
		cmocka_unit_test(test_long_printf),
		cmocka_unit_test(test_max),
		cmocka_unit_test(test_consume),
		cmocka_unit_test(test_reader),
		cmocka_unit_test(test_reader_cuts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
