/* SPDX-License-Identifier: Apache-2.0 */
/* Which cell a word goes to, out of pages as the contract's snapshot() gives. */
#include "../cmocka_all.h"

#include <string.h>

#include "cli/cell_search.h"
#include "cli/direct.h"

#define NOW 1000000

static struct indicator address(const char *text)
{
	struct indicator i;

	assert_int_equal(indicator_parse(&i, NULL, view_str(text), NULL), 0);
	return i;
}

/* A page of eight cells; cells not written stay zero. */
static uint8_t page[8 * WORD_SIZE];

static void put(unsigned cell, const char *text, uint32_t expiry, uint16_t generation)
{
	struct report r = {.indicator = address(text),
		.expiry = expiry,
		.member = 3,
		.generation = generation,
		.cell = cell,
		.category = CATEGORY_SCAN};

	word_encode(page + (size_t)(cell % 8) * WORD_SIZE, &r);
}

static struct cell_search search_for(const char *text, uint32_t cap)
{
	return (struct cell_search){
		.indicator = address(text), .generation = 2, .cap = cap, .now = NOW};
}

static void feed(struct cell_search *s, uint32_t from)
{
	cell_search_page(s, from, view_of(page, sizeof page));
	memset(page, 0, sizeof page);
}

static void the_own_cell_comes_first(void **state)
{
	struct cell_search s = search_for("198.51.100.7", 100);
	uint32_t cell;
	uint8_t action;

	(void)state;
	put(1, "198.51.100.9", NOW + 60, 2);
	put(4, "198.51.100.7", NOW + 60, 2);
	put(5, "198.51.100.7", NOW + 90, 2);
	feed(&s, 0);
	assert_int_equal(cell_search_choose(&s, &cell, &action), 0);
	assert_int_equal(cell, 4);
	assert_int_equal(action, ACTION_REPORT);
	assert_int_equal(s.own_word.expiry, NOW + 60);
	assert_int_equal(s.own_word.category, CATEGORY_SCAN);
	assert_false(cell_search_goes_on(&s, 8));
}

/* Expired this very second, spent (expiry 0), of an older generation: all free. */
static void dead_words_are_free(void **state)
{
	static const struct {
		uint32_t expiry;
		uint16_t generation;
	} dead[] = {{NOW, 2}, {0, 2}, {NOW + 600, 1}};

	(void)state;
	for (size_t i = 0; i < sizeof dead / sizeof dead[0]; i++) {
		struct cell_search s = search_for("198.51.100.7", 100);
		uint32_t cell;
		uint8_t action;

		put(0, "198.51.100.1", NOW + 1, 2);
		put(1, "198.51.100.7", dead[i].expiry, dead[i].generation);
		put(2, "198.51.100.2", NOW + 1, 2);
		feed(&s, 0);
		assert_false(s.own);
		assert_int_equal(cell_search_choose(&s, &cell, &action), 0);
		assert_int_equal(cell, 1);
		assert_int_equal(action, ACTION_REPORT);
	}
}

static void a_full_member_replaces_what_ends_first(void **state)
{
	struct cell_search s = search_for("198.51.100.7", 8);
	uint32_t cell;
	uint8_t action;

	(void)state;
	for (unsigned i = 0; i < 8; i++)
		put(i, "203.0.113.1", NOW + (i == 5 || i == 6 ? 10 : 100), 2);
	feed(&s, 0);
	assert_false(s.free);
	assert_int_equal(cell_search_choose(&s, &cell, &action), 0);
	assert_int_equal(cell, 5);
	assert_int_equal(action, ACTION_REPLACE);
	assert_false(cell_search_goes_on(&s, 8)); /* the cap's end */
}

/* A cap that was lowered: what stands above it can be spent, not refilled. */
static void nothing_goes_above_the_cap(void **state)
{
	struct cell_search s = search_for("198.51.100.7", 2);
	uint32_t cell;
	uint8_t action;

	(void)state;
	put(0, "203.0.113.1", NOW + 50, 2);
	put(1, "203.0.113.2", NOW + 40, 2);
	put(3, "203.0.113.3", NOW + 5, 2);
	put(4, "198.51.100.7", NOW + 60, 2);
	feed(&s, 0);
	assert_true(s.own);
	assert_int_equal(s.own_word.cell, 4);
	assert_int_equal(cell_search_choose(&s, &cell, &action), 0);
	assert_int_equal(cell, 1);
	assert_int_equal(action, ACTION_REPLACE);
}

/* A word that is on its way is not on the ledger yet; its cell is no longer free. */
static void cells_on_their_way_are_avoided(void **state)
{
	static const uint32_t taken[] = {1, 2};
	struct cell_search s = search_for("198.51.100.7", 4);
	uint32_t cell;
	uint8_t action;

	(void)state;
	s.avoid = taken;
	s.avoid_count = 2;
	put(0, "203.0.113.1", NOW + 50, 2);
	feed(&s, 0);
	assert_int_equal(cell_search_choose(&s, &cell, &action), 0);
	assert_int_equal(cell, 3);
	s.cap = 3; /* cell 3 was taken as free before: search anew */
	s.free = s.oldest = false;
	put(0, "203.0.113.1", NOW + 50, 2);
	put(1, "203.0.113.2", NOW + 5, 2);
	feed(&s, 0);
	assert_int_equal(cell_search_choose(&s, &cell, &action), 0);
	assert_int_equal(cell, 0);
	assert_int_equal(action, ACTION_REPLACE);
}

static void pages_end_where_nothing_was_ever_written(void **state)
{
	struct cell_search s = search_for("198.51.100.7", 1000);

	(void)state;
	put(3, "203.0.113.1", 0, 2); /* spent: it was written */
	feed(&s, 0);
	assert_true(cell_search_goes_on(&s, 8));
	feed(&s, 8);
	assert_false(cell_search_goes_on(&s, 16));
	assert_true(s.free);
	assert_int_equal(s.free_cell, 0);
	s.cap = 0;
	s.free = false;
	assert_int_equal(cell_search_choose(&s, &(uint32_t){0}, &(uint8_t){0}), -1);
}

static void an_expiry_is_never_too_far_for_the_ledgers_clock(void **state)
{
	struct standing s = {.config = {.max_ttl = 3600}, .now = NOW};

	(void)state;
	assert_int_equal(direct_expiry(NOW, 600, &s), NOW + 600);
	assert_int_equal(direct_expiry(NOW + 5, 3600, &s), NOW + 3600);
	assert_int_equal(direct_expiry(NOW - 5, 3600, &s), NOW + 3595);
	/* Asked for more than is allowed: the ledger says so, not we. */
	assert_int_equal(direct_expiry(NOW, 3601, &s), NOW + 3601);
	s.config.max_ttl = UINT32_MAX;
	s.now = UINT32_MAX - 1;
	assert_int_equal(direct_expiry(UINT32_MAX - 1, 600, &s), UINT32_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_own_cell_comes_first),
		cmocka_unit_test(dead_words_are_free),
		cmocka_unit_test(a_full_member_replaces_what_ends_first),
		cmocka_unit_test(nothing_goes_above_the_cap),
		cmocka_unit_test(cells_on_their_way_are_avoided),
		cmocka_unit_test(pages_end_where_nothing_was_ever_written),
		cmocka_unit_test(an_expiry_is_never_too_far_for_the_ledgers_clock),
	};

	return cmocka_run_group_tests_name("cell_search", tests, NULL, NULL);
}
