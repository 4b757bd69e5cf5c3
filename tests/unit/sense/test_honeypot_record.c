/* SPDX-License-Identifier: Apache-2.0 */
/* Records as bytes: what is encoded is read back, and nothing else is. */
#include "record_steps.h"

#include "base/hash.h"

static const struct hash_key key = {5, 6};

static void test_round_trip(void **state)
{
	static const size_t sizes[] = {0, 1, 400, 65535, 65536};
	struct buffer b = {.max = 0};
	struct record got;
	size_t length;

	(void)state;
	for (uint64_t n = 0; n < 200; n++) {
		size_t size = sizes[n % 5];
		struct record r = message(n, size);

		b.n = 0;
		assert_int_equal(record_encode(&b, &r, &key), 0);
		assert_int_equal(b.n, record_size(&r));
		assert_true(b.n <= RECORD_MAX);
		assert_int_equal(record_decode(&got, &length, view_of(b.p, b.n), &key),
			RECORD_WHOLE);
		assert_int_equal(length, b.n);
		assert_message(&got, n, size);
	}
	buffer_free(&b);
}

static void test_long_texts_are_cut(void **state)
{
	struct record r = message(1, 3), got;
	struct buffer b = {.max = 0};
	char text[600];
	size_t length;

	(void)state;
	memset(text, 'x', sizeof text);
	for (unsigned i = 0; i < RECORD_TEXTS; i++)
		r.text[i] = view_of(text, sizeof text);
	record_encode(&b, &r, &key);
	assert_int_equal(
		record_decode(&got, &length, view_of(b.p, b.n), &key), RECORD_WHOLE);
	for (unsigned i = 0; i < RECORD_TEXTS; i++)
		assert_int_equal(got.text[i].n, RECORD_TEXT_MAX);
	assert_true(view_eq(got.bytes, r.bytes));
	buffer_free(&b);
}

/* Any bit that flips is seen, and where the length stands so is the next record. */
static void test_every_bit_counts(void **state)
{
	struct record r = message(8, 40), got;
	struct buffer b = {.max = 0};
	size_t length, size;

	(void)state;
	record_encode(&b, &r, &key);
	size = b.n;
	for (size_t bit = 0; bit < size * 8; bit++) {
		enum record_verdict v;

		b.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
		v = record_decode(&got, &length, view_of(b.p, b.n), &key);
		assert_int_not_equal(v, RECORD_WHOLE);
		if (bit >= 32) {
			assert_int_equal(v, RECORD_DAMAGED);
			assert_int_equal(length, size);
		}
		b.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	/* Nor does it pass under another segment's key. */
	assert_int_equal(
		record_decode(&got, &length, view_of(b.p, b.n), &(struct hash_key){5, 7}),
		RECORD_DAMAGED);
	buffer_free(&b);
}

static void test_short_and_lost(void **state)
{
	struct record r = message(3, 10), got;
	struct buffer b = {.max = 0};
	static const uint8_t zeros[100];
	size_t length = 9;

	(void)state;
	record_encode(&b, &r, &key);
	for (size_t n = 0; n < b.n; n++) {
		assert_int_equal(record_decode(&got, &length, view_of(b.p, n), &key),
			RECORD_SHORT);
		assert_int_equal(length, 0);
	}
	/* What a file system leaves behind when the power goes. */
	assert_int_equal(record_decode(&got, &length, view_of(zeros, sizeof zeros), &key),
		RECORD_LOST);
	be32_store(b.p, RECORD_MAX + 1);
	assert_int_equal(
		record_decode(&got, &length, view_of(b.p, b.n), &key), RECORD_LOST);
	be32_store(b.p, RECORD_HEADER - 1);
	assert_int_equal(
		record_decode(&got, &length, view_of(b.p, b.n), &key), RECORD_LOST);
	buffer_free(&b);
}

/* Parts that do not add up are damage, however right the check is. */
static void test_parts_must_add_up(void **state)
{
	struct record r = message(4, 10), got;
	struct buffer b = {.max = 0};
	static const struct {
		size_t at;
		uint8_t value;
	} wrong[] = {{27, 11}, {27, 9}, {24, 255}, {38, 254}, {43, 200}, {34, 0x0c},
		{34, 0x30}, {34, 0}};
	size_t length;

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		b.n = 0;
		record_encode(&b, &r, &key);
		b.p[wrong[i].at] = wrong[i].value;
		be32_store(b.p + 4, (uint32_t)hash_bytes(&key, b.p + 8, b.n - 8));
		assert_int_equal(record_decode(&got, &length, view_of(b.p, b.n), &key),
			RECORD_DAMAGED);
		assert_int_equal(length, b.n);
	}
	buffer_free(&b);
}

static void test_segment_header(void **state)
{
	struct record_segment s = {7, 1234567, {UINT64_MAX, 3}}, got;
	struct buffer b = {.max = 0};

	(void)state;
	assert_int_equal(record_segment_encode(&b, &s), 0);
	assert_int_equal(b.n, RECORD_SEGMENT_HEADER);
	assert_int_equal(record_segment_decode(&got, view_of(b.p, b.n)), 0);
	assert_memory_equal(&got, &s, sizeof s);
	for (size_t i = 0; i < b.n; i++) {
		assert_int_equal(record_segment_decode(&got, view_of(b.p, i)), -1);
		b.p[i] ^= 1;
		assert_int_equal(record_segment_decode(&got, view_of(b.p, b.n)), -1);
		b.p[i] ^= 1;
	}
	buffer_free(&b);
}

static void test_names(void **state)
{
	static const char *const others[] = {"", "record", ".record", "1.record",
		"0000000000.record", "0000000001.record~", "0000000001.recorded",
		"-000000001.record", "00000000001.record", "0000000001", "..",
		"lost+found", "99999999999999999999.record"};
	char name[RECORD_NAME];

	(void)state;
	assert_string_equal(record_name(name, 1), "0000000001.record");
	assert_int_equal(record_sequence(name), 1);
	assert_int_equal(record_sequence(record_name(name, 9999999999)), 9999999999);
	assert_int_equal(record_sequence(record_name(name, 10000000000)), 10000000000);
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		assert_int_equal(record_sequence(others[i]), 0);
}

static void test_session_of_what_has_none(void **state)
{
	struct record a = message(1, 0), b = message(1, 9);

	(void)state;
	assert_int_equal(record_session(&a), 1);
	a.session = b.session = 0;
	b.remote_port++;
	assert_int_equal(record_session(&a), record_session(&b));
	b.remote.bytes[3]++;
	assert_int_not_equal(record_session(&a), record_session(&b));
	assert_int_not_equal(record_session(&a), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_long_texts_are_cut),
		cmocka_unit_test(test_every_bit_counts),
		cmocka_unit_test(test_short_and_lost),
		cmocka_unit_test(test_parts_must_add_up),
		cmocka_unit_test(test_segment_header),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_session_of_what_has_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
