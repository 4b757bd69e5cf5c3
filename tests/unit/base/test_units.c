/* SPDX-License-Identifier: Apache-2.0 */
#include "../cmocka_all.h"

#include <inttypes.h>
#include <stdio.h>

#include "../prng.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/units.h"

static void test_duration_parse(void **state)
{
	static const struct {
		const char *text;
		uint64_t seconds;
	} good[] = {
		{"0", 0},
		{"90", 90},
		{"90s", 90},
		{"10m", 600},
		{"1h30m", 5400},
		{"7d", 604800},
		{"2w", 1209600},
		{"1w1d1h1m1s", 694861},
		{"18446744073709551615", UINT64_MAX},
		{"30500568904943w", UINT64_C(18446744073709526400)},
	};
	static const char *const bad[] = {"", "h", "10x", "1m1h", "1h1h", "1h30", "-1s",
		"1.5h", "1 h", "1h ", "10M", "18446744073709551616", "30500568904944w",
		"30500568904943w1d", "s1"};
	struct error err;
	uint64_t v;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(duration_parse(&v, view_str(good[i].text), &err), 0);
		assert_true(v == good[i].seconds);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(duration_parse(&v, view_str(bad[i]), NULL), -1);
	assert_int_equal(duration_parse(&v, view_str("5\ny"), &err), -1);
	assert_string_equal(err.text,
		"\"5\\x0ay\" is no duration: write seconds "
		"or numbers with the units w, d, h, m, s, larger ones first, "
		"such as 90, 10m, 1h30m, 7d");
}

static void test_duration_print(void **state)
{
	char text[32];

	(void)state;
	assert_string_equal(duration_print(text, 0), "0s");
	assert_string_equal(duration_print(text, 59), "59s");
	assert_string_equal(duration_print(text, 5400), "1h30m");
	assert_string_equal(duration_print(text, 86400), "1d");
	assert_string_equal(duration_print(text, 604800), "1w");
	assert_string_equal(duration_print(text, 691200), "8d");
	assert_string_equal(duration_print(text, 86401), "1d1s");
	assert_string_equal(duration_print(text, UINT64_MAX), "213503982334601d7h15s");
}

static void test_duration_ms(void **state)
{
	static const struct {
		const char *text;
		uint64_t ms;
	} good[] = {{"500ms", 500}, {"0ms", 0}, {"2", 2000}, {"2s", 2000},
		{"1m30s", 90000}, {"1500ms", 1500}};
	static const char *const bad[] = {"", "ms", "-1ms", "1.5s", "5 ms", "5msx",
		"18446744073709552s", "18446744073709551616ms"};
	struct error err;
	char text[32];
	uint64_t ms;

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		assert_int_equal(duration_ms_parse(&ms, view_str(good[i].text), &err), 0);
		assert_int_equal(ms, good[i].ms);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(duration_ms_parse(&ms, view_str(bad[i]), &err), -1);
	assert_string_equal(err.text,
		"\"18446744073709551616ms\" is no duration: write milliseconds such as "
		"500ms, or seconds and longer such as 2, 2s, 1m30s");
	assert_string_equal(duration_ms_print(text, 500), "500ms");
	assert_string_equal(duration_ms_print(text, 90000), "1m30s");
	assert_string_equal(duration_ms_print(text, 90001), "90001ms");
}

static void test_duration_round_trip(void **state)
{
	struct prng r = {20260301};
	char text[32];
	uint64_t v;

	(void)state;
	for (unsigned i = 0; i < 5000; i++) {
		uint64_t seconds = prng_next(&r) >> prng_below(&r, 64);

		duration_print(text, seconds);
		assert_int_equal(duration_parse(&v, view_str(text), NULL), 0);
		assert_true(v == seconds);
	}
}

static void test_count(void **state)
{
	struct error err;
	uint64_t v;

	(void)state;
	assert_int_equal(count_parse(&v, view_str("1000"), &err), 0);
	assert_int_equal(v, 1000);
	assert_int_equal(count_parse(&v, view_str("64k"), &err), 0);
	assert_int_equal(v, 64000);
	assert_int_equal(count_parse(&v, view_str("1M"), &err), 0);
	assert_int_equal(v, 1000000);
	assert_int_equal(count_parse(&v, view_str("3G"), &err), 0);
	assert_true(v == UINT64_C(3000000000));
	assert_int_equal(count_parse(&v, view_str("18446744073G"), &err), 0);
	assert_int_equal(count_parse(&v, view_str("18446744074G"), &err), -1);
	assert_int_equal(count_parse(&v, view_str(""), &err), -1);
	assert_int_equal(count_parse(&v, view_str("k"), &err), -1);
	assert_int_equal(count_parse(&v, view_str("1K"), &err), -1);
	assert_int_equal(count_parse(&v, view_str("1kk"), &err), -1);
	assert_int_equal(count_parse(&v, view_str("-1"), &err), -1);
	assert_string_equal(err.text,
		"\"-1\" is no count: write digits, or "
		"digits with k, M or G (thousands), such as 1000, 64k, 1M");
}

static void test_rfc3339(void **state)
{
	char text[21];

	(void)state;
	assert_string_equal(clock_rfc3339(text, 0), "1970-01-01T00:00:00Z");
	assert_string_equal(clock_rfc3339(text, 951782400), "2000-02-29T00:00:00Z");
	assert_string_equal(clock_rfc3339(text, UINT32_MAX), "2106-02-07T06:28:15Z");
	assert_string_equal(
		clock_rfc3339(text, UINT64_C(253402300799)), "9999-12-31T23:59:59Z");
	assert_string_equal(clock_rfc3339(text, UINT64_MAX), "9999-12-31T23:59:59Z");
}

static void test_clocks(void **state)
{
	usec before = clock_monotonic();

	(void)state;
	/* After this was written, and before 32-bit expiries end. */
	assert_true(clock_wall() / USEC_PER_SEC > 1700000000);
	assert_true(clock_wall() / USEC_PER_SEC < UINT32_MAX);
	assert_true(clock_monotonic() >= before);
}

static void test_error(void **state)
{
	char big[400];
	struct error err;

	(void)state;
	assert_int_equal(error_set(NULL, "x"), -1);
	assert_int_equal(error_prefix(NULL, "x"), -1);
	assert_int_equal(error_set(&err, "no %s", "such"), -1);
	assert_int_equal(error_prefix(&err, "line %d", 7), -1);
	assert_int_equal(error_prefix(&err, "x.conf"), -1);
	assert_string_equal(err.text, "x.conf: line 7: no such");
	memset(big, 'b', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	error_set(&err, "%s", big);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	error_prefix(&err, "p");
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	assert_memory_equal(err.text, "p: bb", 5);
	/* A prefix that leaves no room for the reason is left out. */
	error_set(&err, "reason");
	error_prefix(&err, "%s", big);
	assert_string_equal(err.text, "reason");
}

static void test_words(void **state)
{
	static const char *const words[] = {"a", "bc", "d", "", ""};
	struct view rest = view_str(" ,a,, bc ,\td");

	(void)state;
	for (unsigned i = 0; i < sizeof words / sizeof words[0]; i++)
		assert_true(view_eq(word_next(&rest), view_str(words[i])));
}

static void test_decimal(void **state)
{
	static const uint64_t values[] = {
		0, 9, 10, 4294967295, 10000000000000000000U, UINT64_MAX};
	char text[DECIMAL_MAX + 1], due[DECIMAL_MAX + 1];

	(void)state;
	for (unsigned i = 0; i < sizeof values / sizeof values[0]; i++) {
		text[decimal_put(text, values[i])] = '\0';
		snprintf(due, sizeof due, "%" PRIu64, values[i]);
		assert_string_equal(text, due);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_duration_parse),
		cmocka_unit_test(test_duration_print),
		cmocka_unit_test(test_duration_ms),
		cmocka_unit_test(test_duration_round_trip),
		cmocka_unit_test(test_count),
		cmocka_unit_test(test_rfc3339),
		cmocka_unit_test(test_clocks),
		cmocka_unit_test(test_error),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_decimal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
