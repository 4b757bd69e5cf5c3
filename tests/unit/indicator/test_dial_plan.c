/* SPDX-License-Identifier: Apache-2.0 */
/* A site's dial plan as its configuration says it. */
#include "../cmocka_all.h"

#include <string.h>

#include "indicator/dial_plan.h"

typedef int setter(struct dial_plan *plan, struct view text, struct error *err);

static void set(setter *fn, struct dial_plan *plan, const char *text)
{
	struct error err = {""};

	if (fn(plan, view_str(text), &err) < 0)
		fail_msg("%s: %s", text, err.text);
}

/* Refused with this error, and nothing changed. */
static void refused(setter *fn, struct dial_plan *plan, const char *text, const char *why)
{
	struct dial_plan before = *plan;
	struct error err = {""};

	assert_int_equal(fn(plan, view_str(text), &err), -1);
	assert_string_equal(err.text, why);
	assert_memory_equal(&before, plan, sizeof(before));
}

static void defaults(void **state)
{
	struct dial_plan plan;

	(void)state;
	memset(&plan, 0xff, sizeof(plan));
	dial_plan_init(&plan);
	assert_string_equal(plan.country, "");
	assert_string_equal(plan.outside[0], "9");
	assert_string_equal(plan.outside[1], "");
	assert_int_equal(plan.extension_max, 5);
	assert_int_equal(plan.owns, 0);
	assert_false(plan.bare);
}

static void country(void **state)
{
	struct dial_plan plan;

	(void)state;
	dial_plan_init(&plan);
	set(dial_plan_country, &plan, " +44 ");
	assert_string_equal(plan.country, "44");
	assert_string_equal(plan.trunk, "0");
	set(dial_plan_country, &plan, "39");
	assert_string_equal(plan.trunk, "");
	set(dial_plan_country, &plan, "7");
	assert_string_equal(plan.trunk, "8");
	refused(dial_plan_country, &plan, "GB",
		"\"GB\": this is no country code; write the digits that follow the + of the "
		"site's numbers, such as 44 or 1");
	refused(dial_plan_country, &plan, "4420",
		"\"4420\": this is no country code; write the digits that follow the + of the "
		"site's numbers, such as 44 or 1");
	refused(dial_plan_country, &plan, "",
		"\"\": this is no country code; write the digits that follow the + of the "
		"site's numbers, such as 44 or 1");
}

static void area_and_trunk(void **state)
{
	struct dial_plan plan;

	(void)state;
	dial_plan_init(&plan);
	set(dial_plan_country, &plan, "44");
	set(dial_plan_area, &plan, "020");
	assert_string_equal(plan.area, "20");
	set(dial_plan_area, &plan, "20");
	assert_string_equal(plan.area, "20");
	refused(dial_plan_area, &plan, "london",
		"\"london\": an area code is 1 to 7 digits, such as 20 or 020");
	set(dial_plan_area, &plan, "none");
	assert_string_equal(plan.area, "");
	set(dial_plan_trunk, &plan, "none");
	assert_string_equal(plan.trunk, "");
	set(dial_plan_trunk, &plan, "0");
	assert_string_equal(plan.trunk, "0");
	refused(dial_plan_trunk, &plan, "*",
		"\"*\": a trunk prefix is 1 to 7 digits, such as 0, or none");
}

static void lists(void **state)
{
	struct dial_plan plan;

	(void)state;
	dial_plan_init(&plan);
	set(dial_plan_outside, &plan, "0, *9  8");
	assert_string_equal(plan.outside[0], "0");
	assert_string_equal(plan.outside[1], "*9");
	assert_string_equal(plan.outside[2], "8");
	assert_string_equal(plan.outside[3], "");
	set(dial_plan_outside, &plan, "none");
	assert_string_equal(plan.outside[0], "");
	refused(dial_plan_outside, &plan, "9, +",
		"\"+\": a prefix for an outside line is 1 to 7 digits, * or #");
	refused(dial_plan_outside, &plan, "1 2 3 4 5 6 7 8 9",
		"\"1 2 3 4 5 6 7 8 9\": a prefix for an outside line: at most 8 of them");
	set(dial_plan_idd, &plan, "00700,001");
	assert_string_equal(plan.idd[1], "001");
	refused(dial_plan_idd, &plan, "12345678",
		"\"12345678\": an international prefix is 1 to 7 digits");
	refused(dial_plan_idd, &plan, "*00",
		"\"*00\": an international prefix is 1 to 7 digits");
	set(dial_plan_shorts, &plan, "1571 *100#");
	assert_string_equal(plan.shorts[1], "*100#");
	assert_true(dial_plan_has_short(&plan, view_str("1571")));
	assert_false(dial_plan_has_short(&plan, view_str("157")));
	assert_false(dial_plan_has_short(&plan, view_str("")));
}

static void extensions(void **state)
{
	struct dial_plan plan;

	(void)state;
	dial_plan_init(&plan);
	set(dial_plan_extensions, &plan, "3");
	assert_int_equal(plan.extension_min, 3);
	assert_int_equal(plan.extension_max, 3);
	set(dial_plan_extensions, &plan, "2 - 6");
	assert_int_equal(plan.extension_min, 2);
	assert_int_equal(plan.extension_max, 6);
	for (size_t i = 0; i < 5; i++) {
		static const char *const bad[] = {"0", "5-3", "8", "3-", "three"};
		char why[128];

		snprintf(why, sizeof(why),
			"\"%s\": write how many digits extensions have, 1 to 7: 3 or 2-5",
			bad[i]);
		refused(dial_plan_extensions, &plan, bad[i], why);
	}
}

static bool owns(const struct dial_plan *plan, const char *digits)
{
	return dial_plan_owns(plan, view_str(digits));
}

static void own_numbers(void **state)
{
	struct dial_plan plan;

	(void)state;
	dial_plan_init(&plan);
	assert_false(owns(&plan, "442079460101"));
	set(dial_plan_own, &plan, "+442079460101");
	assert_true(owns(&plan, "442079460101"));
	assert_false(owns(&plan, "442079460100"));
	assert_false(owns(&plan, "4420794601010"));
	assert_false(owns(&plan, "44207946010"));
	set(dial_plan_own, &plan, "+4930123*");
	assert_true(owns(&plan, "4930123"));
	assert_true(owns(&plan, "49301234567890"));
	assert_true(owns(&plan, "493012399999999"));
	assert_false(owns(&plan, "4930124"));
	assert_false(owns(&plan, "493012"));
	assert_false(owns(&plan, "4930123999999999"));
	set(dial_plan_own, &plan, "+12025550100-0199");
	assert_true(owns(&plan, "12025550100"));
	assert_true(owns(&plan, "12025550199"));
	assert_false(owns(&plan, "12025550200"));
	assert_false(owns(&plan, "120255501000"));
	set(dial_plan_own, &plan, "+33140000000 - +33140009999");
	assert_true(owns(&plan, "33140001234"));
	assert_false(owns(&plan, "33140010000"));
	assert_false(owns(&plan, ""));
	assert_int_equal(plan.owns, 4);
}

static void own_numbers_refused(void **state)
{
	static const char *const bad[] = {"442079460101", "+", "+*", "+999123", "+44x",
		"+442079460100-", "+442079460199-0100", "+44-442079460199",
		"+4420794601011111", "02079460101", "+44207946*1"};
	struct dial_plan plan;
	char why[160];

	(void)state;
	dial_plan_init(&plan);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(why, sizeof(why),
			"\"%s\": own numbers are +442079460101, +44207946* or "
			"+442079460000-0999, with a country code",
			bad[i]);
		refused(dial_plan_own, &plan, bad[i], why);
	}
	for (int i = 0; i < DIAL_OWN; i++)
		set(dial_plan_own, &plan, "+442079460101");
	refused(dial_plan_own, &plan, "+442079460102",
		"\"+442079460102\": at most 64 ranges of own numbers; wider ranges need fewer");
}

/* Prefixes: of whom are numbers that begin so? */
static void within(void **state)
{
	static const struct {
		const char *country, *area, *digits;
		bool domestic;
	} cases[] = {
		{"", "", "44", false},
		{"44", "", "4", true},
		{"44", "", "44", true},
		{"44", "", "4420", true},
		{"44", "", "45", false},
		{"44", "", "9", false},
		{"972", "", "9", true},
		{"972", "", "97", true},
		{"972", "", "971", false},
		{"1", "", "1876", true},
		{"1", "212", "1", true},
		{"1", "212", "18", true},
		{"1", "212", "187", true},
		{"1", "212", "1876", false},
		{"1", "212", "18765", false},
		{"1", "876", "1212", true},
		{"7", "495", "7", true},
		{"7", "495", "77", false},
		{"7", "495", "74", true},
		{"44", "", "", false},
	};
	struct dial_plan plan;

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		dial_plan_init(&plan);
		if (cases[k].country[0])
			set(dial_plan_country, &plan, cases[k].country);
		if (cases[k].area[0])
			set(dial_plan_area, &plan, cases[k].area);
		if (dial_plan_domestic_within(&plan, view_str(cases[k].digits)) !=
			cases[k].domestic)
			fail_msg("+%s* for a site of +%s %s", cases[k].digits,
				cases[k].country, cases[k].area);
	}
	dial_plan_init(&plan);
	set(dial_plan_own, &plan, "+44207946*");
	set(dial_plan_own, &plan, "+972590000100-0199");
	assert_true(dial_plan_owns_within(&plan, view_str("4")));
	assert_true(dial_plan_owns_within(&plan, view_str("44207946")));
	assert_true(dial_plan_owns_within(&plan, view_str("442079460")));
	assert_false(dial_plan_owns_within(&plan, view_str("44207947")));
	assert_true(dial_plan_owns_within(&plan, view_str("97259000019")));
	assert_true(dial_plan_owns_within(&plan, view_str("972590000199")));
	assert_false(dial_plan_owns_within(&plan, view_str("9725900002")));
	assert_false(dial_plan_owns_within(&plan, view_str("")));
	assert_false(dial_plan_owns_within(&plan, view_str("4420794600000000")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(country),
		cmocka_unit_test(area_and_trunk),
		cmocka_unit_test(lists),
		cmocka_unit_test(extensions),
		cmocka_unit_test(own_numbers),
		cmocka_unit_test(own_numbers_refused),
		cmocka_unit_test(within),
	};

	return cmocka_run_group_tests_name("dial_plan", tests, NULL, NULL);
}
