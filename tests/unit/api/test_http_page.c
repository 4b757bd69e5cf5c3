/* SPDX-License-Identifier: Apache-2.0 */
/* Pages of what is listed: limits, filters, and what changes between two, or in one. */
#include "../decide/ledger_fixture.h"

#include <stdio.h>
#include <stdlib.h>

#include "../prng.h"
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

/* The word of a cell is spent. */
static void spend(const struct indicator *i, uint16_t member, uint32_t cell)
{
	struct report r = {.indicator = *i,
		.member = member,
		.generation = registry_member(l.registry, member)->generation,
		.cell = cell,
		.action = ACTION_SPEND};
	struct operation op = {.type = OP_BATCH, .member = member, .count = 1};
	uint8_t word[WORD_SIZE];

	word_encode(word, &r);
	op.words = word;
	op.actor[0] = 0x5e;
	be16_store(op.actor + 18, member);
	ledger_fold(&l, &op);
}

static struct indicator page[HTTP_PAGE_MAX];
static unsigned steps; /* that the last page took */

/* A whole page, in its order; between two steps `meanwhile` is done. */
static size_t read_page(struct http_page *p, const struct http_page_query *q,
	uint32_t now, void (*meanwhile)(void))
{
	size_t n = 0;

	*p = (struct http_page){.query = *q};
	for (steps = 0; !p->done; steps++) {
		struct indicator found[HTTP_PAGE_STEP];
		size_t count = http_page_step(p, l.registry, now, found);

		assert_true(count <= HTTP_PAGE_STEP && n + count <= q->limit);
		memcpy(page + n, found, count * sizeof found[0]);
		n += count;
		assert_int_equal(p->count, n);
		if (meanwhile)
			meanwhile();
	}
	if (n)
		assert_memory_equal(&p->last, &page[n - 1], sizeof p->last);
	return n;
}

static int compare(const void *a, const void *b)
{
	return indicator_compare(a, b);
}

/* What is on a page, sorted, separated by a blank. */
static const char *texts(const struct http_page_query *q, uint32_t now, bool *more)
{
	static char all[4096];
	char text[INDICATOR_TEXT];
	struct http_page p;
	size_t n = read_page(&p, q, now, NULL);

	*more = p.more;
	qsort(page, n, sizeof page[0], compare);
	all[0] = 0;
	for (size_t i = 0; i < n; i++)
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

static void test_limits(void **state)
{
	struct http_page_query q = {.limit = 10};
	struct indicator whole[5];
	struct http_page p;
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
	assert_int_equal(read_page(&p, &q, NOW, NULL), 5);
	assert_false(p.more);
	memcpy(whole, page, sizeof whole);
	q.limit = 4;
	assert_int_equal(read_page(&p, &q, NOW, NULL), 4);
	assert_true(p.more);
	assert_memory_equal(page, whole, 4 * sizeof whole[0]);
	q.has_after = true;
	q.after = p.last;
	assert_int_equal(read_page(&p, &q, NOW, NULL), 1);
	assert_false(p.more);
	assert_memory_equal(page, &whole[4], sizeof whole[0]);
	q.after = p.last;
	assert_int_equal(read_page(&p, &q, NOW, NULL), 0);
	assert_false(p.more);
}

/* A cursor need not be listed (any more): it has its place all the same. */
static void test_cursor_gone(void **state)
{
	struct http_page_query q = {.limit = 10}, behind = {.limit = 10};
	struct indicator whole[6];
	struct http_page p;

	(void)state;
	for (uint32_t k = 0; k < 6; k++) {
		char text[32];

		snprintf(text, sizeof text, "192.0.2.%u", k);
		report(text, 1, k, k == 3 ? 60 : 600, CATEGORY_SCAN);
	}
	assert_int_equal(read_page(&p, &q, NOW, NULL), 6);
	memcpy(whole, page, sizeof whole);
	for (size_t k = 0; k < 6; k++) {
		behind.has_after = true;
		behind.after = whole[k];
		assert_int_equal(read_page(&p, &behind, NOW, NULL), 5 - k);
		assert_memory_equal(page, whole + k + 1, (5 - k) * sizeof whole[0]);
	}
	behind.after = of("192.0.2.3");
	registry_expire(l.registry, NOW + 60, NULL, NULL);
	for (size_t k = 0, left = 5; k < 6; k++) {
		behind.after = whole[k];
		left -= memcmp(&whole[k], &(struct indicator[]){of("192.0.2.3")},
				sizeof whole[k]) != 0;
		assert_int_equal(read_page(&p, &behind, NOW + 60, NULL), left);
	}
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

/* What nobody asks for is passed over, so many at a time. */
static void test_rare(void **state)
{
	struct http_page_query q = {.limit = 10, .kind = INDICATOR_NUMBER};
	struct http_page p;
	char text[32];

	(void)state;
	ledger_member(&l, 3, 1);
	ledger_member(&l, 4, 1);
	report("+97259123", 2, 999, 600, CATEGORY_SCAN);
	for (uint32_t k = 0; k < 3000; k++) {
		snprintf(text, sizeof text, "198.18.%u.%u", k >> 8, k & 255);
		report(text,
			k / 1000 == 1         ? 3 :
				k / 1000 == 2 ? 4 :
						1,
			k % 1000, 600, CATEGORY_SCAN);
	}
	assert_int_equal(read_page(&p, &q, NOW, NULL), 1);
	assert_false(p.more);
	assert_true(steps >= 3000 / HTTP_PAGE_LOOK);
	/* And a page that is full looks no further than to the next that belongs to it. */
	q.kind = INDICATOR_IP4;
	q.limit = HTTP_PAGE_STEP;
	assert_int_equal(read_page(&p, &q, NOW, NULL), HTTP_PAGE_STEP);
	assert_true(p.more && steps <= 3);
}

static uint32_t nth(const struct indicator *i)
{
	return (uint32_t)i->value[2] << 8 | i->value[3];
}

/* Pages of any length: each indicator once, in the same order. */
static void test_all(void **state)
{
	static const size_t limits[] = {
		5000, 1, 2, 7, 31, 32, 33, 64, 449, 450, MANY - 1, MANY};
	static struct indicator order[MANY];
	char text[32];

	(void)state;
	for (uint32_t k = 0; k < MANY; k++) {
		uint32_t i = k * 389 % MANY;

		snprintf(text, sizeof text, "198.18.%u.%u", i >> 8, i & 255);
		report(text, 1, k, 600, CATEGORY_SCAN);
	}
	for (size_t k = 0; k < sizeof limits / sizeof limits[0]; k++) {
		struct http_page_query q = {.limit = limits[k]};
		struct http_page p = {.more = true};
		bool seen[MANY] = {false};
		size_t at = 0;

		while (p.more) {
			size_t n = read_page(&p, &q, NOW, NULL);

			assert_true(n > 0 && (!p.more || n == limits[k]));
			for (size_t i = 0; i < n; i++, at++) {
				assert_false(seen[nth(&page[i])]);
				seen[nth(&page[i])] = true;
				if (k == 0)
					order[at] = page[i];
				assert_memory_equal(&order[at], &page[i], sizeof page[i]);
			}
			q.has_after = true;
			q.after = p.last;
		}
		assert_int_equal(at, MANY);
	}
}

/*
 * Others come and go, by the thousand and back, while somebody pages: the buckets are
 * made anew several times. Those that stay go from one member's cell to another's and
 * back, so that no word about them stays.
 */
#define STAY 300
#define PASS 3000
static struct prng dice;
static struct indicator stay[STAY], passing[PASS];
static unsigned holder[STAY]; /* whose report says so now: 1 or 2 */
static bool listed[PASS];
static size_t listed_count;
static bool growing;

static uint16_t owner_of(size_t k)
{
	return (uint16_t)(3 + k / 1000);
}

static void come_or_go(void)
{
	for (unsigned i = 0; i < 120; i++) {
		size_t k = prng_below(&dice, PASS);

		if (listed_count < 40)
			growing = true;
		if (listed_count > PASS - 300)
			growing = false;
		if (listed[k] == growing)
			continue;
		if (growing)
			ledger_report(&l, &passing[k], owner_of(k), k % 1000, NOW + 600,
				CATEGORY_SCAN, PROOF_MANUAL);
		else
			spend(&passing[k], owner_of(k), k % 1000);
		listed[k] = growing;
		listed_count += growing ? 1 : (size_t)-1;
	}
	for (unsigned i = 0; i < 10; i++) {
		size_t k = prng_below(&dice, STAY);
		uint16_t to = holder[k] == 1 ? 2 : 1;

		ledger_report(&l, &stay[k], to, (uint32_t)k, NOW + 600, CATEGORY_SCAN,
			PROOF_MANUAL);
		spend(&stay[k], (uint16_t)holder[k], (uint32_t)k);
		holder[k] = to;
	}
}

static void page_through_changes(size_t limit)
{
	struct http_page_query q = {.limit = limit};
	struct http_page p = {.more = true};
	unsigned met[STAY] = {0};
	bool met_passing[PASS] = {false};

	while (p.more) {
		size_t n = read_page(&p, &q, NOW, come_or_go);

		for (size_t i = 0; i < n; i++) {
			uint32_t k = nth(&page[i]);

			if (page[i].value[1] == 18) {
				met[k]++;
				continue;
			}
			assert_false(met_passing[k]);
			met_passing[k] = true;
		}
		come_or_go();
		q.has_after = true;
		q.after = p.last;
	}
	for (size_t k = 0; k < STAY; k++)
		assert_int_equal(met[k], 1);
}

static void test_come_and_go(void **state)
{
	static const size_t limits[] = {1, 5, 32, 100, 1000, 5000};
	char text[32];

	(void)state;
	dice.state = 6;
	memset(listed, 0, sizeof listed);
	listed_count = 0;
	for (uint16_t m = 3; m < 3 + PASS / 1000; m++)
		ledger_member(&l, m, 1);
	for (uint32_t k = 0; k < PASS; k++) {
		snprintf(text, sizeof text, "198.19.%u.%u", k >> 8, k & 255);
		passing[k] = of(text);
	}
	for (uint32_t k = 0; k < STAY; k++) {
		snprintf(text, sizeof text, "198.18.%u.%u", k >> 8, k & 255);
		stay[k] = of(text);
		holder[k] = 1;
		ledger_report(&l, &stay[k], 1, k, NOW + 600, CATEGORY_SCAN, PROOF_MANUAL);
	}
	for (size_t i = 0; i < 5 * sizeof limits / sizeof limits[0]; i++)
		page_through_changes(limits[i % (sizeof limits / sizeof limits[0])]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_empty, setup, teardown),
		cmocka_unit_test_setup_teardown(test_limits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cursor_gone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_filters, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rare, setup, teardown),
		cmocka_unit_test_setup_teardown(test_all, setup, teardown),
		cmocka_unit_test_setup_teardown(test_come_and_go, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
