/* SPDX-License-Identifier: Apache-2.0 */
#include "../cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "indicator/e164.h"

static struct view v(const char *s)
{
	return view_str(s);
}

/* "DIGITS TYPES POSSIBLE APART COUNTRY REGION" */
static void check_number(const char *line)
{
	char digits[32], region[8] = "";
	unsigned types, possible, apart, country;

	assert_in_range(sscanf(line, "%31s %u %u %u %u %7s", digits, &types, &possible,
				&apart, &country, region),
		5, 6);
	if (e164_types(v(digits)) != types || e164_possible(v(digits)) != possible ||
		e164_apart(v(digits)) != apart || e164_country(v(digits)) != country ||
		strcmp(e164_region(v(digits)), region) != 0)
		fail_msg("%s: it is %u %d %d %u %s", line, e164_types(v(digits)),
			e164_possible(v(digits)), e164_apart(v(digits)),
			e164_country(v(digits)), e164_region(v(digits)));
}

/* "COUNTRY/DIGITS CODES": the package knows no prefixes, so two bits alone. */
static void check_code(const char *line)
{
	char country[8], digits[32];
	unsigned codes, got;

	assert_int_equal(sscanf(line, "%7[0-9]/%31s %u", country, digits, &codes), 3);
	got = e164_codes(v(country), v(digits)) & (E164_SHORT | E164_EMERGENCY);
	if (got != codes || e164_short(v(country), v(digits)) != (codes != 0))
		fail_msg("%s: it is %u", line, got);
}

static void vectors(void **state)
{
	FILE *f = fopen(TESTS_DATA "/numbers/e164.txt", "r");
	unsigned numbers = 0, codes = 0;
	char line[128];

	(void)state;
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0] == '#')
			continue;
		if (strchr(line, '/')) {
			check_code(line);
			codes++;
		} else {
			check_number(line);
			numbers++;
		}
	}
	fclose(f);
	assert_in_range(numbers, 3000, 10000);
	assert_in_range(codes, 1000, 10000);
}

static void known_numbers(void **state)
{
	(void)state;
	/* London; Ofcom gave 020 7946 0xxx to dramas. */
	assert_int_equal(e164_types(v("442079460101")), E164_FIXED);
	assert_int_equal(e164_types(v("12025550143")), E164_FIXED | E164_MOBILE);
	assert_int_equal(e164_types(v("447400123456")), E164_MOBILE);
	assert_int_equal(e164_types(v("80012345678")), E164_TOLL_FREE);
	assert_int_equal(e164_types(v("390669812345")), E164_FIXED);
	/* A form that Israel has, in a range that nobody was given. */
	assert_int_equal(e164_types(v("972590000101")), 0);
	assert_true(e164_possible(v("972590000101")));
	/* One digit less than London's. */
	assert_false(e164_possible(v("44207946010")));
	/* Jamaica, Kazakhstan, and the main countries of their codes. */
	assert_true(e164_apart(v("18765550100")));
	assert_true(e164_apart(v("1876")));
	assert_true(e164_apart(v("77172123456")));
	assert_false(e164_apart(v("12025550143")));
	assert_false(e164_apart(v("1")));
	assert_false(e164_apart(v("74951234567")));
	assert_string_equal(e164_region(v("972590000101")), "IL");
	assert_string_equal(e164_region(v("18765550100")), "US");
	assert_string_equal(e164_region(v("80012345678")), "001");
	assert_string_equal(e164_region(v("999")), "");
}

static void countries(void **state)
{
	size_t n = 0;
	const char *code;

	(void)state;
	assert_int_equal(e164_country(v("12")), 1);
	assert_int_equal(e164_country(v("44")), 2);
	assert_int_equal(e164_country(v("972")), 3);
	assert_int_equal(e164_country(v("97")), 0);
	assert_int_equal(e164_country(v("0")), 0);
	assert_int_equal(e164_country(v("")), 0);
	while ((code = e164_country_at(n)) != NULL) {
		assert_int_equal(e164_country(v(code)), strlen(code));
		assert_int_not_equal(e164_region(v(code))[0], 0);
		n++;
	}
	assert_in_range(n, 200, 260);
	assert_string_equal(e164_trunk(v("44")), "0");
	assert_string_equal(e164_trunk(v("1")), "1");
	assert_string_equal(e164_trunk(v("7")), "8");
	assert_string_equal(e164_trunk(v("39")), "");
	/* Of a number there is none, nor of half a code. */
	assert_string_equal(e164_trunk(v("4420")), "");
	assert_string_equal(e164_trunk(v("97")), "");
}

static void codes_in_a_country(void **state)
{
	struct view anywhere = {NULL, 0};

	(void)state;
	assert_int_equal(e164_codes(v("44"), v("999")), E164_SHORT | E164_EMERGENCY);
	assert_int_equal(e164_codes(v("44"), v("101")), E164_SHORT);
	assert_int_equal(e164_codes(v("44"), v("00")), E164_INTERNATIONAL);
	assert_int_equal(e164_codes(v("44"), v("0")), E164_TRUNK);
	assert_int_equal(e164_codes(v("1"), v("011")), E164_INTERNATIONAL);
	assert_int_equal(e164_codes(v("7"), v("810")), E164_INTERNATIONAL);
	assert_int_equal(e164_codes(v("61"), v("0011")), E164_INTERNATIONAL);
	assert_int_equal(e164_codes(v("49"), v("999")), 0);
	assert_true(e164_codes(anywhere, v("999")) & E164_EMERGENCY);
	assert_true(e164_codes(anywhere, v("810")) & E164_INTERNATIONAL);
	assert_false(e164_codes(anywhere, v("")));
	/* Not a country: neither a number nor half a code. */
	assert_int_equal(e164_codes(v("4"), v("4999")), 0);
	assert_int_equal(e164_codes(v("449"), v("99")), 0);
	assert_int_equal(e164_codes(v("0"), v("999")), 0);
	assert_false(e164_short(v("44"), v("00")));
}

static void national_numbers(void **state)
{
	(void)state;
	assert_true(e164_national(v("02079460101"))); /* London by its 0 */
	assert_true(e164_national(v("2025550143")));  /* Washington */
	assert_true(e164_national(v("84951234567"))); /* Moscow by its 8 */
	assert_false(e164_national(v("00972597744894")));
	assert_false(e164_national(v("9011972597744894")));
	assert_false(e164_national(v("112")));
	assert_false(e164_national(v("")));
	assert_false(e164_national(v("020794601x1")));
}

static void hostile(void **state)
{
	static const char *const bad[] = {"", "+442079460101", "44207946010a", "44 20",
		"4420794601011", "4420794601010000000000000000000000", "\xff\xff",
		"0442079460101", "\x3a\x3b", "-1"};
	char nul[] = "442079\00000101";

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(e164_types(v(bad[i])), 0);
		assert_false(e164_possible(v(bad[i])));
		assert_int_equal(e164_codes(v("44"), v(bad[i])), 0);
		assert_string_equal(e164_trunk(v(bad[i])), "");
	}
	assert_int_equal(e164_types(view_of(nul, 12)), 0);
	assert_int_equal(e164_types(view_of(NULL, 0)), 0);
}

static void names(void **state)
{
	(void)state;
	for (unsigned bit = 0; bit < E164_TYPES; bit++)
		for (unsigned other = 0; other < bit; other++)
			assert_string_not_equal(
				e164_type_name(1U << bit), e164_type_name(1U << other));
	assert_string_equal(e164_type_name(E164_TOLL_FREE), "toll-free");
	assert_string_equal(e164_type_name(1U << E164_TYPES), "?");
	assert_string_equal(e164_type_name(0), "?");
	assert_int_equal(strncmp(e164_source, "libphonenumber ", 15), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors),
		cmocka_unit_test(known_numbers),
		cmocka_unit_test(countries),
		cmocka_unit_test(codes_in_a_country),
		cmocka_unit_test(national_numbers),
		cmocka_unit_test(hostile),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests_name("e164", tests, NULL, NULL);
}
