/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger's rules from options: what is given changes, nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "cli/rules.h"

static const struct ledger_config before = {{20, 40, 6, true}, 3600, 3};

/* An invocation with one or two options. */
static struct invocation with(
	enum option_id a, const char *one, enum option_id b, const char *two)
{
	struct invocation in = {.command = &commands[0]};

	in.options[a] = one;
	if (b)
		in.options[b] = two;
	return in;
}

static void only_what_is_given_changes(void **state)
{
	struct invocation none = {0};
	struct invocation in = with(OPTION_THRESHOLD, "5", OPTION_MIN_E164, "7");
	struct ledger_config rules = before;

	(void)state;
	assert_int_equal(rules_change(&rules, &none), 0);
	assert_memory_equal(&rules, &before, sizeof rules);
	assert_int_equal(rules_change(&rules, &in), 2);
	assert_int_equal(rules.threshold, 5);
	assert_int_equal(rules.limits.min_e164, 7);
	assert_int_equal(rules.limits.min_v4, 20);
	assert_int_equal(rules.limits.min_v6, 40);
	assert_true(rules.limits.allow_unroutable);
	assert_int_equal(rules.max_ttl, 3600);
	in = with(OPTION_MAX_TTL, "1h30m", OPTION_MIN_V4, "24");
	assert_int_equal(rules_change(&rules, &in), 2);
	assert_int_equal(rules.max_ttl, 5400);
	assert_int_equal(rules.limits.min_v4, 24);
	assert_int_equal(rules.threshold, 5);
	in = with(OPTION_MIN_V6, "64", OPTION_NONE, NULL);
	assert_int_equal(rules_change(&rules, &in), 1);
	assert_int_equal(rules.limits.min_v6, 64);
}

/* Each bound itself is taken; one past it is refused, named, and changes nothing. */
static void bounds_are_the_ledgers(void **state)
{
	static const struct {
		enum option_id id;
		const char *least, *most, *below, *above;
	} cases[] = {
		{OPTION_THRESHOLD, "1", "4294967295", "0", "4294967296"},
		{OPTION_MAX_TTL, "1s", "366d", "0", "31622401"},
		{OPTION_MIN_V4, "8", "32", "7", "33"},
		{OPTION_MIN_V6, "16", "128", "15", "129"},
		{OPTION_MIN_E164, "1", "15", "0", "16"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const char *good[] = {cases[i].least, cases[i].most};
		const char *bad[] = {cases[i].below, cases[i].above, "-1", "many", ""};

		for (size_t k = 0; k < 2; k++) {
			struct invocation in = with(cases[i].id, good[k], 0, NULL);
			struct ledger_config rules = before;

			assert_int_equal(rules_change(&rules, &in), 1);
		}
		for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++) {
			struct invocation in = with(cases[i].id, bad[k], 0, NULL);
			struct ledger_config rules = before;
			char name[32];

			snprintf(name, sizeof name, "--%s",
				option_specs[cases[i].id].name);
			assert_int_equal(rules_change(&rules, &in), -1);
			assert_memory_equal(&rules, &before, sizeof rules);
			assert_ptr_equal(strstr(in.error.text, name), in.error.text);
		}
	}
}

/* A slip in the last option: the first one has not been taken. */
static void all_or_nothing(void **state)
{
	struct invocation in = with(OPTION_THRESHOLD, "9", OPTION_MIN_E164, "99");
	struct ledger_config rules = before;

	(void)state;
	assert_int_equal(rules_change(&rules, &in), -1);
	assert_int_equal(rules.threshold, 3);
	assert_non_null(strstr(in.error.text, "from 1 to 15"));
}

static void numbers_keep_their_default(void **state)
{
	struct invocation in = with(OPTION_WEIGHT, "12", 0, NULL);
	uint64_t weight = 1, cap = 1000;

	(void)state;
	assert_int_equal(option_number(&in, OPTION_WEIGHT, 1, 100, &weight), 0);
	assert_int_equal(option_number(&in, OPTION_CAP, 1, 100, &cap), 0);
	assert_int_equal(weight, 12);
	assert_int_equal(cap, 1000);
	assert_int_equal(option_number(&in, OPTION_WEIGHT, 1, 11, &weight), -1);
	assert_int_equal(weight, 12);
	assert_string_equal(
		in.error.text, "--weight 12: give a whole number from 1 to 11");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_is_given_changes),
		cmocka_unit_test(bounds_are_the_ledgers),
		cmocka_unit_test(all_or_nothing),
		cmocka_unit_test(numbers_keep_their_default),
	};

	return cmocka_run_group_tests_name("rules", tests, NULL, NULL);
}
