/* SPDX-License-Identifier: Apache-2.0 */
#include "../cmocka_all.h"
#include "../prng.h"

#include <stdio.h>

#include "decide/allowlist.h"

static struct indicator of(const char *text)
{
	struct error err = {""};
	struct indicator i;

	if (indicator_parse(&i, NULL, view_str(text), &err) != 0)
		fail_msg("%s: %s", text, err.text);
	return i;
}

static void add(struct allowlist *a, const char *text, uint8_t origin, uint32_t expiry)
{
	struct allow_entry e = {of(text), origin, expiry, ""};

	assert_int_equal(allowlist_add(a, &e), 0);
}

/* The overlapping entry's text, or "none". */
static const char *overlap(const struct allowlist *a, const char *text, uint32_t now)
{
	static char found[INDICATOR_TEXT];
	struct indicator i = of(text);
	const struct allow_entry *e = allowlist_overlap(a, &i, now);

	return e == NULL ? "none" : indicator_print(found, &e->indicator);
}

static void test_both_directions(void **state)
{
	struct allowlist *a = allowlist_new();

	(void)state;
	assert_string_equal(overlap(a, "192.0.2.7", 0), "none");
	add(a, "192.0.2.0/24", ALLOW_CONFIGURED, 0);
	add(a, "198.51.100.9", ALLOW_OWN, 0);
	add(a, "2001:db8::/32", ALLOW_CONFIGURED, 0);
	add(a, "+44*", ALLOW_CONFIGURED, 0);
	add(a, "+97259000*", ALLOW_CONFIGURED, 0);
	assert_string_equal(overlap(a, "192.0.2.0/24", 0), "192.0.2.0/24");
	assert_string_equal(overlap(a, "192.0.2.7", 0), "192.0.2.0/24");
	assert_string_equal(overlap(a, "192.0.0.0/16", 0), "192.0.2.0/24");
	assert_string_equal(overlap(a, "192.0.3.0", 0), "none");
	assert_string_equal(overlap(a, "192.0.1.255", 0), "none");
	assert_string_equal(overlap(a, "198.51.100.8/31", 0), "198.51.100.9");
	assert_string_equal(overlap(a, "198.51.100.8", 0), "none");
	assert_string_equal(overlap(a, "0.0.0.0/0", 0), "192.0.2.0/24");
	assert_string_equal(overlap(a, "2001:db8:ffff::1", 0), "2001:db8::/32");
	assert_string_equal(overlap(a, "2001:db9::1", 0), "none");
	assert_string_equal(overlap(a, "+442079460000", 0), "+44*");
	assert_string_equal(overlap(a, "+97259*", 0), "+97259000*");
	assert_string_equal(overlap(a, "+972591*", 0), "none");
	/* The same bits of another kind are another thing. */
	assert_string_equal(overlap(a, "c000:200::/24", 0), "none");
	allowlist_free(a);
}

static void test_widest_first(void **state)
{
	struct allowlist *a = allowlist_new();

	(void)state;
	add(a, "192.0.2.7", ALLOW_OPERATOR, 0);
	add(a, "192.0.2.0/24", ALLOW_OPERATOR, 500);
	add(a, "192.0.0.0/16", ALLOW_OPERATOR, 300);
	assert_string_equal(overlap(a, "192.0.2.7", 299), "192.0.0.0/16");
	assert_string_equal(overlap(a, "192.0.2.7", 300), "192.0.2.0/24");
	assert_string_equal(overlap(a, "192.0.2.7", 500), "192.0.2.7");
	assert_string_equal(overlap(a, "192.0.2.8", 500), "none");
	/* Inside: an expired one is passed over for a live one behind it. */
	assert_string_equal(overlap(a, "192.0.0.0/15", 499), "192.0.2.0/24");
	assert_string_equal(overlap(a, "192.0.0.0/15", 500), "192.0.2.7");
	allowlist_free(a);
}

static void test_origins(void **state)
{
	struct allowlist *a = allowlist_new();
	struct indicator i = of("192.0.2.7");
	const struct allow_entry *e;
	size_t n;

	(void)state;
	add(a, "192.0.2.7", ALLOW_OPERATOR, 500);
	add(a, "192.0.2.7", ALLOW_REGISTERED, 600);
	add(a, "192.0.2.7", ALLOW_CONFIGURED, 100);
	add(a, "192.0.2.6", ALLOW_REGISTERED, 0);
	/* The same indicator and origin again replaces. */
	add(a, "192.0.2.7", ALLOW_OPERATOR, 550);
	e = allowlist_entries(a, &n);
	assert_int_equal(n, 4);
	assert_int_equal(e[0].origin, ALLOW_REGISTERED);
	assert_int_equal(e[1].origin, ALLOW_CONFIGURED);
	assert_int_equal(e[2].expiry, 550);
	assert_int_equal(allowlist_overlap(a, &i, 550)->origin, ALLOW_REGISTERED);
	assert_null(allowlist_overlap(a, &i, 600));
	/* As if one of the origins were not there. */
	assert_int_equal(allowlist_overlap_but(a, &i, ALLOW_REGISTERED, 540)->origin,
		ALLOW_OPERATOR);
	assert_null(allowlist_overlap_but(a, &i, ALLOW_REGISTERED, 550));
	assert_int_equal(allowlist_find(a, &i, ALLOW_REGISTERED)->expiry, 600);
	assert_null(allowlist_find(a, &i, ALLOW_TRUNK));
	assert_true(allowlist_remove(a, &i, ALLOW_REGISTERED));
	assert_false(allowlist_remove(a, &i, ALLOW_REGISTERED));
	assert_false(allowlist_remove(a, &i, ALLOW_GATEWAY));
	assert_null(allowlist_overlap(a, &i, 550));
	allowlist_clear(a, ALLOW_OPERATOR);
	allowlist_clear(a, ALLOW_CONFIGURED);
	allowlist_entries(a, &n);
	assert_int_equal(n, 1);
	assert_null(allowlist_overlap(a, &i, 0));
	assert_string_equal(overlap(a, "192.0.2.6", 9999), "192.0.2.6");
	allowlist_free(a);
}

static void test_odd_shapes(void **state)
{
	struct allowlist *a = allowlist_new();
	struct allow_entry e = {.origin = ALLOW_OPERATOR};

	(void)state;
	assert_int_equal(allowlist_add(a, &e), -1);
	e.indicator.kind = 7;
	assert_int_equal(allowlist_add(a, &e), -1);
	e.indicator.kind = INDICATOR_IP6;
	e.indicator.plen = 129;
	assert_int_equal(allowlist_add(a, &e), -1);
	assert_null(allowlist_overlap(a, &e.indicator, 0));
	assert_false(allowlist_remove(a, &e.indicator, ALLOW_OPERATOR));
	allowlist_free(a);
	allowlist_free(NULL);
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(allow_origin_name(ALLOW_CONFIGURED), "configured");
	assert_string_equal(allow_origin_name(ALLOW_OWN), "own-address");
	assert_string_equal(allow_origin_name(ALLOW_REGISTERED), "registered");
	assert_string_equal(allow_origin_name(0), "?");
	assert_string_equal(allow_origin_name(ALLOW_TRUNK), "trunk");
	assert_string_equal(allow_origin_name(9), "?");
}

/* A prefix in a small corner of the space, so that many overlap. */
static struct indicator random_prefix(struct prng *r)
{
	struct address a = {4, {10, 0, 0, (uint8_t)prng_below(r, 64)}};

	return indicator_from_address(&a, 26 + prng_below(r, 7));
}

/* Against asking every entry, through many adds, removals and clearings. */
static void test_against_every_entry(void **state)
{
	struct allowlist *a = allowlist_new();
	struct prng random = {77};

	(void)state;
	for (unsigned step = 0; step < 20000; step++) {
		struct allow_entry e = {random_prefix(&random),
			(uint8_t)(1 + prng_below(&random, 4)),
			prng_below(&random, 3) * 50, ""};
		struct indicator i = random_prefix(&random);
		const struct allow_entry *all, *found;
		uint32_t now = prng_below(&random, 120);
		bool expected = false;
		size_t n;

		if (prng_below(&random, 2) == 0)
			assert_int_equal(allowlist_add(a, &e), 0);
		else
			allowlist_remove(a, &e.indicator, e.origin);
		if (prng_below(&random, 300) == 0)
			allowlist_clear(a, e.origin);
		all = allowlist_entries(a, &n);
		for (size_t k = 0; k < n; k++) {
			if (k > 0)
				assert_true(indicator_compare(&all[k - 1].indicator,
						    &all[k].indicator) <= 0);
			if ((all[k].expiry == 0 || all[k].expiry > now) &&
				indicator_overlaps(&all[k].indicator, &i))
				expected = true;
		}
		found = allowlist_overlap(a, &i, now);
		assert_int_equal(found != NULL, expected);
		if (found == NULL)
			continue;
		assert_true(indicator_overlaps(&found->indicator, &i));
		assert_true(found->expiry == 0 || found->expiry > now);
	}
	allowlist_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_directions),
		cmocka_unit_test(test_widest_first),
		cmocka_unit_test(test_origins),
		cmocka_unit_test(test_odd_shapes),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_against_every_entry),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
