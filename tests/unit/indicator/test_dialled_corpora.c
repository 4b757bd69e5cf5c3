/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the corpora's attackers and customers dialled, and what it should give:
 * tests/data/numbers/dialled.jsonl has each string with the number that was meant, or
 * why none may come out; campaigns.jsonl all strings of each source.
 */
#include "../cmocka_all.h"

#include <jansson.h>
#include <string.h>

#include "indicator/dial_plan.h"

static struct dial_plan site(const char *country)
{
	struct dial_plan plan;
	struct error err = {""};

	dial_plan_init(&plan);
	if (country[0])
		assert_int_equal(dial_plan_country(&plan, view_str(country), &err), 0);
	return plan;
}

static json_t *next_line(FILE *f)
{
	char line[4096];
	json_error_t why;
	json_t *value;

	if (!fgets(line, sizeof(line), f))
		return NULL;
	value = json_loads(line, JSON_REJECT_DUPLICATES, &why);
	if (!value)
		fail_msg("%s: %s", line, why.text);
	return value;
}

static const char *text_of(const json_t *o, const char *name)
{
	const char *text = json_string_value(json_object_get(o, name));

	return text ? text : "";
}

static bool published(const struct dialled_reading *r)
{
	return r->reading == READ_RULE || r->reading == READ_CLUSTER;
}

static void corpora_read(const struct dial_plan *plan, const char *of)
{
	FILE *f = fopen(TESTS_DATA "/numbers/dialled.jsonl", "r");
	unsigned right = 0, withheld = 0, missed = 0, wrong = 0;
	json_t *c;

	assert_non_null(f);
	while ((c = next_line(f)) != NULL) {
		const char *dialled = text_of(c, "dialled"),
			   *number = text_of(c, "number");
		struct dialled_reading r;

		dialled_read(&r, plan, dialled);
		if (published(&r) && strcmp(r.digits, number) == 0)
			right++;
		else if (published(&r))
			wrong++;
		else if (text_of(c, "withheld")[0])
			withheld++;
		else
			missed++;
		if (published(&r) != (strcmp(text_of(c, "reading"), "rule") == 0))
			print_message("# %s: %s %s\n", dialled,
				dialled_reading_name(r.reading), r.digits);
		json_decref(c);
	}
	fclose(f);
	print_message(
		"# corpora, %s: %u right, %u rightly withheld, %u missed, %u wrong\n", of,
		right, withheld, missed, wrong);
	assert_int_equal(wrong, 0);
	assert_in_range(right, 14, 100);
	assert_true((right + withheld) * 100 >= (right + withheld + missed) * 95);
}

static void corpora(void **state)
{
	static const char *const countries[] = {"", "44", "1", "49", "91", "39", "33"};
	FILE *f = fopen(TESTS_DATA "/numbers/dialled.jsonl", "r");
	struct dial_plan nowhere = site("");
	json_t *c;

	(void)state;
	assert_non_null(f);
	while ((c = next_line(f)) != NULL) {
		struct dialled_reading r;

		dialled_read(&r, &nowhere, text_of(c, "dialled"));
		if (strcmp(dialled_reading_name(r.reading), text_of(c, "reading")) != 0)
			fail_msg("%s is %s (%s)", text_of(c, "dialled"),
				dialled_reading_name(r.reading), dialled_why_text(r.why));
		json_decref(c);
	}
	fclose(f);
	/* Wherever the site is. */
	for (size_t i = 0; i < sizeof(countries) / sizeof(countries[0]); i++) {
		struct dial_plan plan = site(countries[i]);

		corpora_read(&plan, countries[i][0] ? countries[i] : "no country");
	}
}

static void check_campaign(const struct dial_plan *plan, const json_t *c)
{
	const json_t *strings = json_object_get(c, "strings");
	const json_t *numbers = json_object_get(c, "numbers");
	const char *list[64];
	struct dialled_reading out[8];
	size_t n = json_array_size(strings), count;

	assert_in_range(n, 1, 64);
	for (size_t i = 0; i < n; i++)
		list[i] = json_string_value(json_array_get(strings, i));
	count = dialled_cluster(out, 8, plan, list, n);
	if (count != json_array_size(numbers))
		fail_msg("%s %s: %zu numbers", text_of(c, "case"), text_of(c, "src"),
			count);
	for (size_t i = 0; i < count; i++)
		assert_string_equal(
			out[i].digits, json_string_value(json_array_get(numbers, i)));
}

static void corpora_campaigns(void **state)
{
	FILE *f = fopen(TESTS_DATA "/numbers/campaigns.jsonl", "r");
	struct dial_plan nowhere = site(""), london = site("44");
	unsigned n = 0;
	json_t *c;

	(void)state;
	assert_non_null(f);
	while ((c = next_line(f)) != NULL) {
		check_campaign(&nowhere, c);
		check_campaign(&london, c);
		json_decref(c);
		n++;
	}
	fclose(f);
	assert_in_range(n, 18, 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(corpora),
		cmocka_unit_test(corpora_campaigns),
	};

	return cmocka_run_group_tests_name("dialled_corpora", tests, NULL, NULL);
}
