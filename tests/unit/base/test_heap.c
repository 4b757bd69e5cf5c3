/* SPDX-License-Identifier: Apache-2.0 */
#include "../cmocka_all.h"

#include <stdlib.h>

#include "../prng.h"
#include "base/heap.h"

static void test_empty(void **state)
{
	struct heap h = {0};
	uint8_t big[25] = {0};

	(void)state;
	assert_null(heap_peek(&h));
	assert_int_equal(heap_push(&h, 1, big, 25), -1);
	assert_null(heap_peek(&h));
	assert_int_equal(heap_push(&h, 1, NULL, 0), 0);
	assert_true(bytes_zero(heap_peek(&h)->payload, 24));
	heap_free(&h);
	assert_null(heap_peek(&h));
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Pops come sorted, each with the payload that it was pushed with. */
static void test_sorts(void **state)
{
	enum { N = 3000 };
	static uint64_t times[N];
	struct prng r = {11};
	struct heap h = {0};

	(void)state;
	for (unsigned i = 0; i < N; i++) {
		uint64_t payload[3];

		/* Few distinct times: many are equal. */
		times[i] = i % 3 ? prng_below(&r, 500) : prng_next(&r);
		payload[0] = times[i];
		payload[1] = ~times[i];
		payload[2] = times[i] * 3;
		assert_int_equal(heap_push(&h, times[i], payload, 24), 0);
	}
	qsort(times, N, sizeof(times[0]), by_value);
	for (unsigned i = 0; i < N; i++) {
		uint64_t payload[3];

		assert_int_equal(h.n, N - i);
		assert_true(heap_peek(&h)->at == times[i]);
		memcpy(payload, heap_peek(&h)->payload, 24);
		assert_true(payload[0] == times[i] && payload[1] == ~times[i] &&
			payload[2] == times[i] * 3);
		heap_pop(&h);
	}
	assert_null(heap_peek(&h));
	heap_free(&h);
}

/* Pushes and pops mixed, as timers do: nothing pops before its turn. */
static void test_mixed(void **state)
{
	struct prng r = {13};
	struct heap h = {0};
	uint64_t now = 0, pushed = 0, popped = 0;

	(void)state;
	for (unsigned i = 0; i < 20000; i++) {
		if (prng_below(&r, 5) < 3) {
			assert_int_equal(heap_push(&h, now + prng_below(&r, 100), &pushed,
						 sizeof(pushed)),
				0);
			pushed++;
		} else if (heap_peek(&h)) {
			assert_true(heap_peek(&h)->at >= now);
			now = heap_peek(&h)->at;
			heap_pop(&h);
			popped++;
		}
		assert_int_equal(h.n, pushed - popped);
		for (size_t k = 0; k < h.n && i % 1000 == 0; k++)
			assert_true(h.entries[k].at >= heap_peek(&h)->at);
	}
	heap_free(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_sorts),
		cmocka_unit_test(test_mixed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
