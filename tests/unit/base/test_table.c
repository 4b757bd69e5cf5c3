/* SPDX-License-Identifier: Apache-2.0 */
#include "../cmocka_all.h"

#include <stdlib.h>

#include "../prng.h"
#include "base/table.h"

struct record {
	uint32_t key;
	uint32_t value;
	uint64_t stamp;
};

static const struct hash_key test_key = {1, 2};

static struct table *fresh_table(size_t limit)
{
	struct table *t = table_new(
		sizeof(struct record), sizeof(uint32_t), limit, test_key);

	assert_non_null(t);
	return t;
}

static void test_basics(void **state)
{
	struct table *t = fresh_table(0);
	uint32_t key = 7, other = 8;
	struct record *r;
	bool fresh;

	(void)state;
	assert_null(table_get(t, &key));
	assert_false(table_remove(t, &key));
	r = table_put(t, &key, &fresh);
	assert_true(fresh);
	assert_int_equal(r->key, 7);
	assert_int_equal(r->value, 0);
	r->value = 70;
	r->stamp = 700;
	r = table_put(t, &key, &fresh);
	assert_false(fresh);
	assert_int_equal(r->value, 70);
	assert_non_null(table_put(t, &other, NULL));
	assert_int_equal(table_count(t), 2);
	assert_ptr_equal(table_get(t, &key), table_put(t, &key, NULL));
	assert_true(table_remove(t, &key));
	assert_null(table_get(t, &key));
	assert_non_null(table_get(t, &other));
	assert_int_equal(table_count(t), 1);
	/* A record made again is zeroed, not what it was. */
	r = table_put(t, &key, &fresh);
	assert_true(fresh);
	assert_int_equal(r->value, 0);
	assert_true(r->stamp == 0);
	table_free(t);
	table_free(NULL);
}

static void test_refused(void **state)
{
	(void)state;
	assert_null(table_new(8, 0, 0, test_key));
	assert_null(table_new(8, 9, 0, test_key));
	assert_null(table_new(SIZE_MAX / 4, 8, 0, test_key));
}

static void test_limit(void **state)
{
	struct table *t = fresh_table(100);
	bool fresh = true;
	uint32_t key;

	(void)state;
	for (key = 0; key < 100; key++)
		assert_non_null(table_put(t, &key, NULL));
	assert_null(table_put(t, &key, &fresh));
	assert_false(fresh);
	assert_int_equal(table_count(t), 100);
	key = 50; /* what is there is found although it is full */
	assert_non_null(table_put(t, &key, &fresh));
	assert_true(table_remove(t, &key));
	key = 100;
	assert_non_null(table_put(t, &key, NULL));
	table_free(t);
}

/* Walk t and compare with the model: every key once, with its value. */
static void compare(const struct table *t, const uint32_t *model, uint32_t keys)
{
	bool *seen = calloc(keys, sizeof(*seen));
	size_t at = 0, count = 0;
	struct record *r;

	assert_non_null(seen);
	while ((r = table_next(t, &at))) {
		assert_true(r->key < keys);
		assert_false(seen[r->key]);
		seen[r->key] = true;
		assert_int_equal(r->value, model[r->key]);
		count++;
	}
	assert_int_equal(count, table_count(t));
	for (uint32_t key = 0; key < keys; key++) {
		r = table_get(t, &key);
		assert_int_equal(r != NULL, model[key] != 0);
		assert_int_equal(seen[key], model[key] != 0);
		if (r)
			assert_int_equal(r->value, model[key]);
	}
	free(seen);
}

/*
 * Random puts and removes against a plain array (0: absent), over few keys,
 * so that the table is often nearly full and runs wrap around its end.
 */
static void against_model(uint32_t keys, unsigned steps, uint64_t seed)
{
	uint32_t *model = calloc(keys, sizeof(*model));
	struct table *t = fresh_table(0);
	struct prng r = {seed};

	assert_non_null(model);
	for (unsigned i = 1; i <= steps; i++) {
		uint32_t key = prng_below(&r, keys);
		/* Fill and drain in turn. */
		bool put = prng_below(&r, 8) < (i / keys % 2 ? 2U : 6U);

		if (put) {
			bool fresh;
			struct record *record = table_put(t, &key, &fresh);

			assert_non_null(record);
			assert_int_equal(fresh, model[key] == 0);
			assert_int_equal(record->value, model[key]);
			record->value = model[key] = i;
		} else {
			assert_int_equal(table_remove(t, &key), model[key] != 0);
			model[key] = 0;
		}
		if (i % 16 == 0 || keys < 32)
			compare(t, model, keys);
	}
	free(model);
	table_free(t);
}

static void test_model(void **state)
{
	(void)state;
	against_model(14, 20000, 3); /* never leaves the first 16 slots */
	against_model(28, 20000, 5);
	against_model(300, 20000, 7);
}

static void test_growth(void **state)
{
	struct table *t = fresh_table(0);
	size_t empty = table_memory(t);
	struct record *r;

	(void)state;
	for (uint32_t key = 0; key < 50000; key++) {
		r = table_put(t, &key, NULL);
		r->value = ~key;
	}
	assert_int_equal(table_count(t), 50000);
	/* 65536 slots are enough for 50,000 at 7/8. */
	assert_true(table_memory(t) <= empty + 65536 * (sizeof(*r) + 4));
	assert_true(table_memory(t) >= 50000 * sizeof(*r));
	for (uint32_t key = 0; key < 50000; key++) {
		r = table_get(t, &key);
		assert_non_null(r);
		assert_true(r->value == ~key);
	}
	table_free(t);
}

/* The documented way to empty a table by a condition: walk, remove, restart. */
static void test_walk_remove(void **state)
{
	struct table *t = fresh_table(0);
	struct record *r;
	size_t at;

	(void)state;
	for (uint32_t key = 0; key < 200; key++)
		table_put(t, &key, NULL);
	for (;;) {
		at = 0;
		while ((r = table_next(t, &at)) && r->key % 2)
			;
		if (!r)
			break;
		assert_true(table_remove(t, &(uint32_t){r->key}));
	}
	assert_int_equal(table_count(t), 100);
	for (uint32_t key = 0; key < 200; key++)
		assert_int_equal(table_get(t, &key) != NULL, key % 2);
	table_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_basics),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_model),
		cmocka_unit_test(test_growth),
		cmocka_unit_test(test_walk_remove),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
