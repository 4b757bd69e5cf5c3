/* SPDX-License-Identifier: Apache-2.0 */
#include "../cmocka_all.h"

#include <stdlib.h>

#include "../prng.h"
#include "base/buckets.h"

/*
 * An owner as the header means it: records in a dense array, chained through
 * themselves, a hole filled with the last one.
 */
#define RECORDS 20000

struct record {
	uint32_t key;
	uint32_t next;
};

struct owner {
	struct buckets buckets;
	struct record record[RECORDS];
	uint32_t count;
};

static uint32_t *link_of(struct owner *o, uint32_t key)
{
	uint32_t *link = bucket_of(&o->buckets, &key, sizeof key);

	while (*link != BUCKET_END && o->record[*link].key != key)
		link = &o->record[*link].next;
	return link;
}

static void enter(struct owner *o, uint32_t at)
{
	uint32_t *bucket = bucket_of(&o->buckets, &o->record[at].key, sizeof at);

	o->record[at].next = *bucket;
	*bucket = at;
}

/* Returns whether the buckets were built anew. */
static bool fit(struct owner *o, size_t records)
{
	bool emptied;

	assert_int_equal(buckets_fit(&o->buckets, records, &emptied), 0);
	for (uint32_t at = 0; emptied && at < o->count; at++)
		enter(o, at);
	return emptied;
}

static void put(struct owner *o, uint32_t key)
{
	fit(o, o->count + 1);
	o->record[o->count].key = key;
	enter(o, o->count++);
}

static void drop(struct owner *o, uint32_t key)
{
	uint32_t *link = link_of(o, key), at = *link, last = o->count - 1;

	assert_int_not_equal(at, BUCKET_END);
	*link = o->record[at].next;
	if (at != last) {
		*link_of(o, o->record[last].key) = at;
		o->record[at] = o->record[last];
	}
	o->count--;
}

static struct owner *owner_new(void)
{
	struct owner *o = calloc(1, sizeof *o);

	assert_non_null(o);
	o->buckets.key = (struct hash_key){3, 4};
	assert_true(fit(o, 0));
	return o;
}

static void owner_free(struct owner *o)
{
	buckets_free(&o->buckets);
	assert_int_equal(buckets_memory(&o->buckets), 0);
	free(o);
}

static void test_empty(void **state)
{
	struct owner *o = owner_new();

	(void)state;
	for (uint32_t key = 0; key < 1000; key++)
		assert_int_equal(*link_of(o, key), BUCKET_END);
	assert_false(fit(o, 0)); /* once is enough */
	owner_free(o);
}

/* All are found, none other is; between 2 2/3 and 4 bytes a record. */
static void test_grows(void **state)
{
	struct owner *o = owner_new();
	unsigned anew = 0;

	(void)state;
	for (uint32_t key = 0; key < RECORDS; key++) {
		size_t before = buckets_memory(&o->buckets);

		put(o, 2 * key);
		anew += buckets_memory(&o->buckets) != before;
		if (key < 16)
			continue;
		assert_true(buckets_memory(&o->buckets) <= 4 * (size_t)o->count);
		assert_true(buckets_memory(&o->buckets) >= 8 * (size_t)o->count / 3);
	}
	/* By half as many again each time: from 16 to 20000 and no further. */
	assert_in_range(anew, 10, 18);
	for (uint32_t key = 0; key < RECORDS; key++) {
		assert_int_equal(*link_of(o, 2 * key), key);
		assert_int_equal(*link_of(o, 2 * key + 1), BUCKET_END);
	}
	owner_free(o);
}

/* Keys that follow one another come everywhere: no chain is long. */
static void test_spread(void **state)
{
	struct owner *o = owner_new();
	unsigned used = 0, longest = 0;

	(void)state;
	for (uint32_t key = 0; key < RECORDS; key++)
		put(o, key);
	for (uint32_t b = 0; b < o->buckets.count; b++) {
		unsigned n = 0;

		for (uint32_t at = o->buckets.first[b]; at != BUCKET_END;
			at = o->record[at].next)
			n++;
		used += n > 0;
		if (longest < n)
			longest = n;
	}
	/* At one record a bucket 63 % are used, at 1.5 78 %. */
	assert_in_range(100 * used / o->buckets.count, 60, 80);
	assert_true(longest < 16);
	owner_free(o);
}

static void test_shrinks(void **state)
{
	struct owner *o = owner_new();
	size_t most;

	(void)state;
	for (uint32_t key = 0; key < RECORDS; key++)
		put(o, key);
	most = buckets_memory(&o->buckets);
	for (uint32_t key = RECORDS; key-- > 5000;)
		drop(o, key);
	/* Not before there are four buckets for each. */
	assert_false(fit(o, o->count));
	assert_int_equal(buckets_memory(&o->buckets), most);
	while (o->count > 1000)
		drop(o, o->count - 1);
	assert_true(fit(o, o->count));
	assert_int_equal(buckets_memory(&o->buckets), 4000);
	for (uint32_t key = 0; key < 2000; key++)
		assert_int_equal(*link_of(o, key), key < 1000 ? key : BUCKET_END);
	owner_free(o);
}

/* Against an array that says what is held, with holes that are filled. */
static void test_model(void **state)
{
	struct owner *o = owner_new();
	struct prng random = {11};
	bool held[512] = {false};

	(void)state;
	for (unsigned step = 0; step < 50000; step++) {
		uint32_t key = prng_below(&random, 512);
		uint32_t at = *link_of(o, key);

		assert_int_equal(at != BUCKET_END, held[key]);
		if (held[key])
			assert_int_equal(o->record[at].key, key);
		if (held[key])
			drop(o, key);
		else
			put(o, key);
		held[key] = !held[key];
		if (step % 1000 == 0)
			fit(o, o->count);
	}
	owner_free(o);
}

/* What cannot be had leaves everything as it was. */
static void test_too_many(void **state)
{
	struct owner *o = owner_new();
	bool emptied = true;

	(void)state;
	put(o, 5);
	assert_int_equal(buckets_fit(&o->buckets, BUCKET_END, &emptied), -1);
	assert_false(emptied);
	assert_int_equal(*link_of(o, 5), 0);
	owner_free(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_grows),
		cmocka_unit_test(test_spread),
		cmocka_unit_test(test_shrinks),
		cmocka_unit_test(test_model),
		cmocka_unit_test(test_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
