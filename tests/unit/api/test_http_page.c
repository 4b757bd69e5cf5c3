/* SPDX-License-Identifier: Apache-2.0 */
/* Pages of what is listed: order, limits, filters, and what changes between two. */
#include "../decide/ledger_fixture.h"

#include <stdio.h>
#include <stdlib.h>

#include "api/http_page.h"

#define NOW  UINT32_C(1700000000)
#define MANY 900

static struct ledger l;

static int setup(void **state)
{
	(void)state;
	ledger_start(&l, 1, true, NOW);
	ledger_member(&l, 1, 1);
	ledger_member(&l, 2, 1);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	ledger_stop(&l);
	return 0;
}

static void report(
	const char *text, uint16_t member, uint32_t cell, uint32_t ends, uint8_t category)
{
	struct indicator i = of(text);

	ledger_report(&l, &i, member, cell, NOW + ends, category, PROOF_MANUAL);
}

static struct indicator page[HTTP_PAGE_MAX];

/* A page; the texts of what is on it, separated by a blank. */
static const char *texts(const struct http_page_query *q, uint32_t now, bool *more)
{
	static char all[4096];
	char text[INDICATOR_TEXT];
	long n = http_page(l.registry, q, now, page, more);

	assert_true(n >= 0 && n <= (long)q->limit);
	all[0] = 0;
	for (long i = 0; i < n; i++)
		snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s",
			i ? " " : "", indicator_print(text, &page[i]));
	return all;
}

static void test_empty(void **state)
{
	struct http_page_query q = {.limit = 10};
	bool more = true;

	(void)state;
	assert_string_equal(texts(&q, NOW, &more), "");
	assert_false(more);
}

static void test_order(void **state)
{
	struct http_page_query q = {.limit = 10};
	bool more = true;

	(void)state;
	report("+97259123", 1, 1, 600, CATEGORY_FRAUD);
	report("198.51.100.0/24", 1, 2, 600, CATEGORY_SCAN);
	report("9.0.0.1", 1, 3, 600, CATEGORY_SCAN);
	report("2001:db8::/48", 1, 4, 600, CATEGORY_SCAN);
	report("198.51.100.0", 1, 5, 600, CATEGORY_SCAN);
	/* Said by two, listed once. */
	report("9.0.0.1", 2, 1, 600, CATEGORY_FRAUD);
	assert_string_equal(texts(&q, NOW, &more),
		"9.0.0.1 198.51.100.0/24 198.51.100.0 2001:db8::/48 +97259123");
	assert_false(more);
	/* Exactly as many as there are: nothing follows. */
	q.limit = 5;
	texts(&q, NOW, &more);
	assert_false(more);
	q.limit = 4;
	assert_string_equal(texts(&q, NOW, &more),
		"9.0.0.1 198.51.100.0/24 198.51.100.0 2001:db8::/48");
	assert_true(more);
	q.has_after = true;
	q.after = page[3];
	assert_string_equal(texts(&q, NOW, &more), "+97259123");
	assert_false(more);
	q.after = of("+97259123");
	assert_string_equal(texts(&q, NOW, &more), "");
	assert_false(more);
	/* A cursor need not be listed itself (any more). */
	q.after = of("100.0.0.0");
	q.limit = 1;
	assert_string_equal(texts(&q, NOW, &more), "198.51.100.0/24");
	assert_true(more);
}

static void test_filters(void **state)
{
	struct http_page_query q = {.limit = 10, .kind = INDICATOR_IP4};
	bool more;

	(void)state;
	report("192.0.2.1", 1, 1, 600, CATEGORY_SCAN);
	report("192.0.2.2", 1, 2, 600, CATEGORY_FRAUD);
	report("192.0.2.2", 2, 2, 600, CATEGORY_SCAN);
	report("+97259123", 1, 3, 600, CATEGORY_SCAN);
	report("192.0.2.3", 1, 4, 600, CATEGORY_OBJECTION);
	report("192.0.2.4", 1, 5, 60, CATEGORY_SCAN);
	assert_string_equal(texts(&q, NOW, &more), "192.0.2.1 192.0.2.2 192.0.2.4");
	/* What has ended is gone, whether it was swept or not. */
	assert_string_equal(texts(&q, NOW + 60, &more), "192.0.2.1 192.0.2.2");
	q.category = CATEGORY_FRAUD;
	assert_string_equal(texts(&q, NOW, &more), "192.0.2.2");
	q.category = CATEGORY_SCAN;
	q.kind = 0;
	assert_string_equal(
		texts(&q, NOW, &more), "192.0.2.1 192.0.2.2 192.0.2.4 +97259123");
	q.category = CATEGORY_OBJECTION;
	assert_string_equal(texts(&q, NOW, &more), "192.0.2.3");
}

static uint32_t nth(const struct indicator *i)
{
	return (uint32_t)i->value[2] << 8 | i->value[3];
}

/* Pages of any length, each indicator once and in order, though the walk has none. */
static void test_all(void **state)
{
	static const size_t limits[] = {1, 2, 7, 64, 449, 450, MANY - 1, MANY, 5000};
	char text[32];

	(void)state;
	for (uint32_t k = 0; k < MANY; k++) {
		uint32_t i = k * 389 % MANY;

		snprintf(text, sizeof text, "198.18.%u.%u", i >> 8, i & 255);
		report(text, 1, k, 600, CATEGORY_SCAN);
	}
	for (size_t k = 0; k < sizeof limits / sizeof limits[0]; k++) {
		struct http_page_query q = {.limit = limits[k]};
		uint32_t next = 0;
		bool more = true;

		while (more) {
			long n = http_page(l.registry, &q, NOW, page, &more);

			assert_true(n > 0);
			assert_true(!more || (size_t)n == limits[k]);
			for (long i = 0; i < n; i++)
				assert_int_equal(nth(&page[i]), next++);
			q.has_after = true;
			q.after = page[n - 1];
		}
		assert_int_equal(next, MANY);
	}
}

/* What comes and goes between two pages moves nothing else. */
static void test_changes(void **state)
{
	struct http_page_query q = {.limit = 2};
	bool more;

	(void)state;
	report("192.0.2.2", 1, 1, 60, CATEGORY_SCAN);
	report("192.0.2.4", 1, 2, 60, CATEGORY_SCAN);
	report("192.0.2.6", 1, 3, 60, CATEGORY_SCAN);
	report("192.0.2.8", 1, 4, 600, CATEGORY_SCAN);
	assert_string_equal(texts(&q, NOW, &more), "192.0.2.2 192.0.2.4");
	q.has_after = true;
	q.after = page[1];
	report("192.0.2.1", 1, 5, 600, CATEGORY_SCAN);
	report("192.0.2.7", 1, 6, 600, CATEGORY_SCAN);
	/* The cursor's own indicator has ended, too. */
	assert_string_equal(texts(&q, NOW + 60, &more), "192.0.2.7 192.0.2.8");
	assert_false(more);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_empty, setup, teardown),
		cmocka_unit_test_setup_teardown(test_order, setup, teardown),
		cmocka_unit_test_setup_teardown(test_filters, setup, teardown),
		cmocka_unit_test_setup_teardown(test_all, setup, teardown),
		cmocka_unit_test_setup_teardown(test_changes, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
