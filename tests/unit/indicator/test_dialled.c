/* SPDX-License-Identifier: Apache-2.0 */
/* Dialled strings, one by one and several of one source. */
#include "../cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "indicator/dial_plan.h"

static struct dial_plan site(const char *country, const char *outside)
{
	struct dial_plan plan;
	struct error err = {""};

	dial_plan_init(&plan);
	if (country[0])
		assert_int_equal(dial_plan_country(&plan, view_str(country), &err), 0);
	if (outside)
		assert_int_equal(dial_plan_outside(&plan, view_str(outside), &err), 0);
	return plan;
}

struct expected {
	const char *dialled;
	uint8_t reading, why;
	const char *digits, *outside, *idd;
};

static void expect(const struct dial_plan *plan, const struct expected *e, size_t n)
{
	struct dialled_reading r;

	for (size_t i = 0; i < n; i++, e++) {
		dialled_read(&r, plan, e->dialled);
		if (r.reading != e->reading || r.why != e->why ||
			strcmp(r.digits, e->digits) != 0 ||
			strcmp(r.outside, e->outside) != 0 || strcmp(r.idd, e->idd) != 0)
			fail_msg("\"%s\" is %s, %s: \"%s\" behind \"%s\" \"%s\"",
				e->dialled, dialled_reading_name(r.reading),
				dialled_why_text(r.why), r.digits, r.outside, r.idd);
	}
}

#define EXPECT(plan, table) expect(&(plan), table, sizeof(table) / sizeof((table)[0]))

static void international(void **state)
{
	static const struct expected table[] = {
		{"+972597744894", READ_RULE, WHY_PLUS, "972597744894", "", "+"},
		{"%2B972597744894", READ_RULE, WHY_PLUS, "972597744894", "", "+"},
		{"00972597744894", READ_RULE, WHY_PREFIX, "972597744894", "", "00"},
		{"900972597744894", READ_RULE, WHY_PREFIX, "972597744894", "9", "00"},
		{"011972597744894", READ_RULE, WHY_PREFIX, "972597744894", "", "011"},
		{"9011972597744894", READ_RULE, WHY_PREFIX, "972597744894", "9", "011"},
		{"8011972597744894", READ_RULE, WHY_PREFIX, "972597744894", "8", "011"},
		{"810972597744894", READ_RULE, WHY_PREFIX, "972597744894", "", "810"},
		{"000972597744894", READ_RULE, WHY_PREFIX, "972597744894", "", "000"},
		{"0011972597744894", READ_RULE, WHY_PREFIX, "972597744894", "", "0011"},
		{"001972597744894", READ_RULE, WHY_PREFIX, "972597744894", "", "001"},
		{"010972597744894", READ_RULE, WHY_PREFIX, "972597744894", "", "010"},
		/* Any digit may be an outside line, but not with any prefix. */
		{"7001972597744894", READ_AMBIGUOUS, WHY_NO_PREFIX, "972597744894", "7",
			"001"},
		/* Prefixes that a brute force made up: the tail of several tells. */
		{"850810441519471629", READ_INVALID, WHY_NOT_READABLE, "", "", ""},
		{"005972597744894", READ_AMBIGUOUS, WHY_NO_PREFIX, "972597744894", "",
			"005"},
		{"76000046850780294", READ_INVALID, WHY_NOT_READABLE, "", "", ""},
		{"0075346850780296", READ_INVALID, WHY_NO_FORM, "", "", ""},
		{"8784946812410967", READ_INVALID, WHY_NOT_READABLE, "", "", ""},
		/* Not of a form that the country has, or of no country. */
		{"+44207946010", READ_INVALID, WHY_NO_FORM, "", "", "+"},
		{"+999123456789", READ_INVALID, WHY_NO_COUNTRY, "", "", "+"},
		{"00999123456789", READ_INVALID, WHY_NO_COUNTRY, "", "", ""},
		/* Spelt in several ways. */
		{"+972 59-774.48(94)", READ_RULE, WHY_PLUS, "972597744894", "", "+"},
		{"00972597744894#", READ_RULE, WHY_PREFIX, "972597744894", "", "00"},
		{"9+972597744894", READ_RULE, WHY_PLUS, "972597744894", "9", "+"},
		{"+00972597744894", READ_RULE, WHY_PREFIX, "972597744894", "", "00"},
		{"%30%30972597744894", READ_RULE, WHY_PREFIX, "972597744894", "", "00"},
		/* 0 within brackets is dialled at home alone; Rome's belongs to it. */
		{"+44 (0)20 7946 0101", READ_RULE, WHY_PLUS, "442079460101", "", "+"},
		{"+39 (0)6 69812345", READ_RULE, WHY_PLUS, "390669812345", "", "+"},
		{"0011", READ_EXTENSION, WHY_LENGTH, "", "", ""},
	};
	struct dial_plan plan = site("44", NULL), nowhere = site("", NULL);

	(void)state;
	EXPECT(plan, table);
	/* Without a country as well: such strings are no national number anywhere. */
	EXPECT(nowhere, table);
}

static void uris(void **state)
{
	static const struct expected table[] = {
		{"tel:+972-59-7744894", READ_RULE, WHY_PLUS, "972597744894", "", "+"},
		{"TEL:+972597744894;ext=22", READ_RULE, WHY_PLUS, "972597744894", "",
			"+"},
		{"tel:+972597744894;isub=1411;phone-context=+1", READ_RULE, WHY_PLUS,
			"972597744894", "", "+"},
		{"sip:00972597744894@pbx.example;user=phone", READ_RULE, WHY_PREFIX,
			"972597744894", "", "00"},
		{"sips:+972597744894:secret@pbx.example", READ_RULE, WHY_PLUS,
			"972597744894", "", "+"},
		{"00972597744894@198.51.100.1", READ_RULE, WHY_PREFIX, "972597744894", "",
			"00"},
		/* A local number is one of its context, not of the site. */
		{"tel:2025550143;phone-context=+1", READ_DOMESTIC, WHY_TRUNK,
			"12025550143", "", ""},
		{"tel:02079460101;phone-context=+1-914", READ_INVALID, WHY_NOT_READABLE,
			"", "", ""},
		{"tel:02079460101;phone-context=+44", READ_DOMESTIC, WHY_TRUNK,
			"442079460101", "", "0"},
		{"tel:02079460101;isub=1;Phone-Context=%2B44", READ_DOMESTIC, WHY_TRUNK,
			"442079460101", "", "0"},
		{"tel:7042;phone-context=example.com", READ_EXTENSION, WHY_LENGTH, "", "",
			""},
		{"tel:00972597744894;phone-context=+44", READ_RULE, WHY_PREFIX,
			"972597744894", "", "00"},
	};
	struct dial_plan plan = site("44", NULL);
	struct dialled_reading r;

	(void)state;
	EXPECT(plan, table);
	/* Domestic is what the site's country is, not the context's. */
	dialled_read(&r, &plan, "tel:2025550143;phone-context=+1");
	assert_false(r.domestic);
	dialled_read(&r, &plan, "tel:02079460101;phone-context=+44");
	assert_true(r.domestic);
}

static void at_home(void **state)
{
	static const struct expected britain[] = {
		{"02079460101", READ_DOMESTIC, WHY_TRUNK, "442079460101", "", "0"},
		{"902079460101", READ_DOMESTIC, WHY_TRUNK, "442079460101", "9", "0"},
		{"79460101", READ_DOMESTIC, WHY_LOCAL, "442079460101", "", ""},
		{"979460101", READ_DOMESTIC, WHY_LOCAL, "442079460101", "9", ""},
		{"00442079460101", READ_RULE, WHY_PREFIX, "442079460101", "", "00"},
		{"2079460101", READ_AMBIGUOUS, WHY_NO_PREFIX, "442079460101", "", ""},
		{"442079460101", READ_AMBIGUOUS, WHY_NO_PREFIX, "442079460101", "", ""},
	};
	static const struct expected america[] = {
		{"2025550143", READ_DOMESTIC, WHY_TRUNK, "12025550143", "", ""},
		{"12025550143", READ_DOMESTIC, WHY_TRUNK, "12025550143", "", "1"},
		{"912025550143", READ_AMBIGUOUS, WHY_TWO, "12025550143", "9", "1"},
		{"01144207946010", READ_INVALID, WHY_NO_FORM, "", "", ""},
	};
	struct dial_plan london = site("44", NULL), york = site("1", NULL);
	struct error err;
	struct dialled_reading r;

	(void)state;
	assert_int_equal(dial_plan_area(&london, view_str("020"), &err), 0);
	EXPECT(london, britain);
	EXPECT(york, america);
	dialled_read(&r, &london, "00442079460101");
	assert_true(r.domestic);
	dialled_read(&r, &york, "01144207946010");
	assert_false(r.domestic);
	dialled_read(&r, &york, "+442079460101");
	assert_false(r.domestic);
	assert_int_equal(r.types, E164_FIXED);
	assert_int_equal(r.country, 2);
}

/* Of those who share the United States' code, who is abroad? */
static void one_code_for_many(void **state)
{
	struct dial_plan unknown = site("1", NULL), york = site("1", NULL),
			 kingston = site("1", NULL);
	struct dialled_reading r;
	struct error err;

	(void)state;
	assert_int_equal(dial_plan_area(&york, view_str("212"), &err), 0);
	assert_int_equal(dial_plan_own(&kingston, view_str("+18769660*"), &err), 0);
	dialled_read(&r, &york, "+18769661234");
	assert_int_equal(r.reading, READ_RULE);
	assert_false(r.domestic);
	dialled_read(&r, &york, "+14169661234");
	assert_true(r.domestic);
	dialled_read(&r, &kingston, "+18769661234");
	assert_true(r.domestic);
	dialled_read(&r, &kingston, "+12129661234");
	assert_true(r.domestic);
	/* Not knowing, none. */
	dialled_read(&r, &unknown, "+18769661234");
	assert_true(r.domestic);
}

static void ambiguous(void **state)
{
	static const struct expected nowhere[] = {
		/* Honest customers dialled these: New York, and a mobile. */
		{"919175550123", READ_AMBIGUOUS, WHY_TWO, "919175550123", "", ""},
		{"9447700900123", READ_AMBIGUOUS, WHY_NO_PREFIX, "447700900123", "9", ""},
		/* Solomon Islands by 011, or Delhi by 0 11. */
		{"01167720123", READ_AMBIGUOUS, WHY_NATIONAL, "67720123", "", "011"},
		/* Seychelles, or Michigan at home. */
		{"2481000103", READ_AMBIGUOUS, WHY_NATIONAL, "", "", ""},
	};
	static const struct expected india[] = {
		{"01167720123", READ_AMBIGUOUS, WHY_TWO, "67720123", "", "011"},
	};
	static const struct expected canada[] = {
		{"01167720123", READ_RULE, WHY_PREFIX, "67720123", "", "011"},
	};
	struct dial_plan none = site("", NULL), delhi = site("91", NULL),
			 toronto = site("1", NULL);
	struct dialled_reading r;

	(void)state;
	EXPECT(none, nowhere);
	EXPECT(delhi, india);
	EXPECT(toronto, canada);
	/* Australia's 0011 and Iceland, or 00 and one of Bermuda's neighbours. */
	dialled_read(&r, &toronto, "00113545375906");
	assert_int_equal(r.reading, READ_AMBIGUOUS);
	assert_int_equal(r.why, WHY_TWO);
	assert_string_equal(r.digits, "3545375906");
	assert_string_equal(r.other, "13545375906");
}

static void own_and_short(void **state)
{
	static const struct expected table[] = {
		{"00442079460101", READ_OWN, WHY_NONE, "442079460101", "", "00"},
		{"+442079460101", READ_OWN, WHY_NONE, "442079460101", "", "+"},
		{"9011442079460199", READ_OWN, WHY_NONE, "442079460199", "9", "011"},
		{"02079460100", READ_OWN, WHY_NONE, "442079460100", "", "0"},
		/* Whichever way: one's own is never told. */
		{"442079460101", READ_OWN, WHY_NONE, "442079460101", "", ""},
		{"02079460200", READ_DOMESTIC, WHY_TRUNK, "442079460200", "", "0"},
		{"999", READ_SHORT, WHY_EMERGENCY, "", "", ""},
		{"9999", READ_SHORT, WHY_EMERGENCY, "", "9", ""},
		{"112", READ_SHORT, WHY_EMERGENCY, "", "", ""},
		{"101", READ_SHORT, WHY_CODE, "", "", ""},
		{"116123", READ_SHORT, WHY_CODE, "", "", ""},
		{"654321", READ_SHORT, WHY_CODE, "", "", ""},
		{"*123#", READ_SHORT, WHY_CODE, "", "", ""},
		{"4711", READ_EXTENSION, WHY_LENGTH, "", "", ""},
		{"*67", READ_FEATURE, WHY_FEATURE, "", "", ""},
		{"*21*00972597744894#", READ_FEATURE, WHY_FEATURE, "", "", ""},
		{"#31#00972597744894", READ_FEATURE, WHY_FEATURE, "", "", ""},
		{"*900972597744894", READ_RULE, WHY_PREFIX, "972597744894", "*9", "00"},
		{"+*900972597744894", READ_FEATURE, WHY_FEATURE, "", "", ""},
	};
	struct dial_plan plan = site("44", "9, *9"), nowhere = site("", NULL);
	static const struct expected anywhere[] = {
		{"911", READ_SHORT, WHY_EMERGENCY, "", "", ""},
		{"9911", READ_SHORT, WHY_EMERGENCY, "", "9", ""},
		{"+112", READ_SHORT, WHY_EMERGENCY, "", "", "+"},
	};
	struct error err;

	(void)state;
	assert_int_equal(dial_plan_own(&plan, view_str("+442079460100-0199"), &err), 0);
	assert_int_equal(dial_plan_shorts(&plan, view_str("654321 *123#"), &err), 0);
	EXPECT(plan, table);
	EXPECT(nowhere, anywhere);
}

static void whole_numbers(void **state)
{
	static const struct expected table[] = {
		{"442079460101", READ_RULE, WHY_BARE, "442079460101", "", ""},
		{"972590000101", READ_AMBIGUOUS, WHY_NO_PREFIX, "972590000101", "", ""},
		{"919175550123", READ_AMBIGUOUS, WHY_TWO, "919175550123", "", ""},
	};
	struct dial_plan plan = site("", NULL);

	(void)state;
	plan.bare = true;
	EXPECT(plan, table);
}

static void hostile(void **state)
{
	static const struct expected table[] = {
		{"", READ_NOTHING, WHY_NO_DIGITS, "", "", ""},
		{"+", READ_NOTHING, WHY_NO_DIGITS, "", "", ""},
		{"tel:", READ_NOTHING, WHY_NO_DIGITS, "", "", ""},
		{";phone-context=", READ_NOTHING, WHY_NO_DIGITS, "", "", ""},
		{"alice", READ_NOTHING, WHY_NO_DIGITS, "", "", ""},
		{"00972597744894x", READ_NOTHING, WHY_NO_DIGITS, "", "", ""},
		{"++972597744894", READ_NOTHING, WHY_NO_DIGITS, "", "", ""},
		{"00972597744894%", READ_NOTHING, WHY_NO_DIGITS, "", "", ""},
		{"00972597744894%0a", READ_NOTHING, WHY_NO_DIGITS, "", "", ""},
		{"00972597744894%00", READ_NOTHING, WHY_NO_DIGITS, "", "", ""},
		{"0097259774489\xd9\xa4", READ_NOTHING, WHY_NO_DIGITS, "", "", ""},
		{"0000000000000000", READ_INVALID, WHY_NO_COUNTRY, "", "", ""},
		{"+0", READ_INVALID, WHY_NOT_READABLE, "", "", ""},
		{"12345+972597744894", READ_INVALID, WHY_NOT_READABLE, "", "", ""},
		{"1111111111111111111111111111111111111111", READ_INVALID,
			WHY_NOT_READABLE, "", "", ""},
		{"11111111111111111111111111111111111111111", READ_INVALID, WHY_LONG, "",
			"", ""},
		{"+1111111111111111", READ_INVALID, WHY_LONG, "", "", "+"},
	};
	struct dial_plan plan = site("44", NULL);
	struct dialled_reading r;
	size_t size = 1 << 20;
	char *longest = malloc(size + 1);

	(void)state;
	assert_non_null(longest);
	EXPECT(plan, table);
	memset(longest, '0', size);
	longest[size] = '\0';
	dialled_read(&r, &plan, longest);
	assert_int_equal(r.why, WHY_LONG);
	memset(longest, '(', size);
	dialled_read(&r, &plan, longest);
	assert_int_equal(r.reading, READ_NOTHING);
	free(longest);
}

/* --- several strings of one source --- */

static size_t cluster(const struct dial_plan *plan, struct dialled_reading *out,
	const char *const *strings)
{
	size_t n = 0;

	while (strings[n])
		n++;
	return dialled_cluster(out, 8, plan, strings, n);
}

static void prefix_brute_force(void **state)
{
	struct dial_plan plan = site("44", NULL);
	struct dialled_reading out[8];
	char made[40][32];
	const char *strings[41] = {NULL};

	(void)state;
	for (int i = 0; i < 40; i++) {
		snprintf(made[i], sizeof(made[i]), "%d%d810441519471629", 85 + i / 10,
			i % 10);
		strings[i] = made[i];
	}
	assert_int_equal(cluster(&plan, out, strings), 1);
	assert_int_equal(out[0].reading, READ_CLUSTER);
	assert_int_equal(out[0].why, WHY_TAIL);
	assert_string_equal(out[0].digits, "441519471629");
	assert_int_equal(out[0].variants, 40);
	assert_true(out[0].domestic);
	assert_int_equal(out[0].types, E164_FIXED);
	/* Each is one of its variants, whatever it may be by itself. */
	assert_true(dialled_ends_in(strings[7], &out[0]));
	assert_true(dialled_ends_in("tel:+44-1519471629", &out[0]));
	assert_false(dialled_ends_in("00441519471620", &out[0]));
	assert_false(dialled_ends_in("1519471629", &out[0]));
	/* Two are not enough; the same one again is no other one. */
	strings[2] = made[1];
	strings[3] = NULL;
	assert_int_equal(cluster(&plan, out, strings), 0);
}

static void mixed_targets(void **state)
{
	static const char *const strings[] = {"0046850780296", "76000046850780296",
		"9011146850780296", "0075346850780296", "00972597744894",
		"011972597744894", "900972597744894", "9972597744894", "810972597744894",
		"252610000102", "100", "alice", "", NULL};
	struct dial_plan plan = site("", NULL);
	struct dialled_reading out[8];

	(void)state;
	assert_int_equal(cluster(&plan, out, strings), 2);
	assert_string_equal(out[0].digits, "972597744894");
	assert_int_equal(out[0].variants, 5);
	assert_string_equal(out[1].digits, "46850780296");
	assert_int_equal(out[1].variants, 4);
	assert_int_equal(dialled_cluster(out, 1, &plan, strings, 12), 1);
	assert_string_equal(out[0].digits, "972597744894");
	assert_int_equal(dialled_cluster(out, 8, &plan, NULL, 0), 0);
}

static void tails_that_tell_nothing(void **state)
{
	/* A number of Florida at home: Belgium has one that looks alike. */
	static const char *const florida[] = {
		"3212345678", "13212345678", "913212345678", "0013212345678", NULL};
	/* 9 New York, or India. */
	static const char *const york[] = {
		"1919175550123", "2919175550123", "3919175550123", NULL};
	/* Of no form that Britain has; with one digit more it would be another's. */
	static const char *const short_one[] = {
		"0044207946010", "01144207946010", "901144207946010", NULL};
	/* Only seven digits in common. */
	static const char *const seven[] = {
		"972590000101", "252610000101", "442070000101", NULL};
	/* Never given out, and no string says that it is whole. */
	static const char *const nowhere[] = {
		"1972590000101", "2972590000101", "3972590000101", NULL};
	static const char *const said[] = {
		"1972590000101", "2972590000101", "00972590000101", NULL};
	struct dial_plan plan = site("", NULL), own = site("44", NULL);
	struct dialled_reading out[8];
	struct error err;

	(void)state;
	assert_int_equal(cluster(&plan, out, florida), 0);
	assert_int_equal(cluster(&plan, out, york), 0);
	assert_int_equal(cluster(&plan, out, short_one), 0);
	assert_int_equal(cluster(&plan, out, seven), 0);
	assert_int_equal(cluster(&plan, out, nowhere), 0);
	assert_int_equal(cluster(&own, out, said), 1);
	assert_string_equal(out[0].digits, "972590000101");
	assert_int_equal(out[0].types, 0);
	assert_int_equal(dial_plan_own(&own, view_str("+97259*"), &err), 0);
	assert_int_equal(cluster(&own, out, said), 0);
}

static void many_strings(void **state)
{
	enum { N = 1000 };
	static char made[N][24];
	static const char *strings[N];
	struct dial_plan plan = site("44", NULL);
	struct dialled_reading out[8];

	(void)state;
	for (int i = 0; i < N; i++) {
		snprintf(made[i], sizeof(made[i]), "%d972597744894", i);
		strings[i] = made[i];
	}
	assert_int_equal(dialled_cluster(out, 8, &plan, strings, N), 1);
	assert_string_equal(out[0].digits, "972597744894");
	assert_int_equal(out[0].variants, DIALLED_CLUSTER_STRINGS);
}

static void names(void **state)
{
	(void)state;
	for (uint8_t i = 0; i < READ_CLASSES; i++)
		for (uint8_t j = 0; j < i; j++)
			assert_string_not_equal(
				dialled_reading_name(i), dialled_reading_name(j));
	assert_string_equal(dialled_reading_name(READ_RULE), "rule");
	assert_string_equal(dialled_reading_name(READ_CLUSTER), "cluster");
	assert_string_equal(dialled_reading_name(READ_CLASSES), "?");
	for (uint8_t i = 1; i < WHY_COUNT; i++)
		assert_int_not_equal(dialled_why_text(i)[0], 0);
	assert_string_equal(dialled_why_text(WHY_NONE), "");
	assert_string_equal(dialled_why_text(WHY_COUNT), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(international),
		cmocka_unit_test(uris),
		cmocka_unit_test(at_home),
		cmocka_unit_test(one_code_for_many),
		cmocka_unit_test(ambiguous),
		cmocka_unit_test(own_and_short),
		cmocka_unit_test(whole_numbers),
		cmocka_unit_test(hostile),
		cmocka_unit_test(prefix_brute_force),
		cmocka_unit_test(mixed_targets),
		cmocka_unit_test(tails_that_tell_nothing),
		cmocka_unit_test(many_strings),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests_name("dialled", tests, NULL, NULL);
}
