/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tree of RFC 6962 over keccak256. The shape is checked against trees put
 * together by hand here, as RFC 6962 section 2.1.3 draws the one of 7 leaves.
 */
#include "../cmocka_all.h"

#include <stdlib.h>

#include "base/hex.h"
#include "store/merkle.h"

#define LEAVES 300

static uint8_t leaves[LEAVES][KECCAK_SIZE];

static const uint8_t (*all)[KECCAK_SIZE] = (const uint8_t (*)[KECCAK_SIZE])leaves;

static int setup(void **state)
{
	(void)state;
	for (unsigned k = 0; k < LEAVES; k++) {
		uint8_t text[2] = {(uint8_t)(k >> 8), (uint8_t)k};

		merkle_leaf(leaves[k], view_of(text, sizeof(text)));
	}
	return 0;
}

/* keccak256(prefix | a | b) by the plain function. */
static void hash(uint8_t out[KECCAK_SIZE], uint8_t prefix, struct view a, struct view b)
{
	uint8_t bytes[1 + 2 * KECCAK_SIZE];

	bytes[0] = prefix;
	memcpy(bytes + 1, a.p, a.n);
	if (b.n > 0)
		memcpy(bytes + 1 + a.n, b.p, b.n);
	keccak256(out, bytes, 1 + a.n + b.n);
}

static void node(uint8_t out[KECCAK_SIZE], const uint8_t *l, const uint8_t *r)
{
	hash(out, 0x01, view_of(l, KECCAK_SIZE), view_of(r, KECCAK_SIZE));
}

static void test_leaf(void **state)
{
	uint8_t got[KECCAK_SIZE], expected[KECCAK_SIZE];
	char text[65];

	(void)state;
	merkle_leaf(got, view_str("evidence"));
	hash(expected, 0x00, view_str("evidence"), view_str(""));
	assert_memory_equal(got, expected, KECCAK_SIZE);
	/* keccak256 of the single byte 0x00, a value known from Ethereum. */
	merkle_leaf(got, view_str(""));
	assert_string_equal(hex_encode(text, got, KECCAK_SIZE),
		"bc36789e7a1e281436464229828f817d6612f7b477d66591ff96a9e064bcc98a");
}

static void test_small_roots(void **state)
{
	uint8_t zero[KECCAK_SIZE] = {0}, got[KECCAK_SIZE], expected[KECCAK_SIZE];

	(void)state;
	merkle_root(got, all, 0);
	assert_memory_equal(got, zero, KECCAK_SIZE);
	merkle_root(got, all, 1);
	assert_memory_equal(got, leaves[0], KECCAK_SIZE);
	merkle_root(got, all, 2);
	node(expected, leaves[0], leaves[1]);
	assert_memory_equal(got, expected, KECCAK_SIZE);
	merkle_root(got, all, 3);
	node(expected, expected, leaves[2]);
	assert_memory_equal(got, expected, KECCAK_SIZE);
}

/*
 *            hash
 *           /    \
 *          k      l
 *         / \    / \
 *        g   h  i   j
 *       /\  /\  /\  |
 *      d0.........  d6
 */
static void test_seven(void **state)
{
	uint8_t g[32], h[32], i[32], k[32], l[32], top[32], got[32];
	struct merkle_path p;

	(void)state;
	node(g, leaves[0], leaves[1]);
	node(h, leaves[2], leaves[3]);
	node(i, leaves[4], leaves[5]);
	node(k, g, h);
	node(l, i, leaves[6]);
	node(top, k, l);
	merkle_root(got, all, 7);
	assert_memory_equal(got, top, 32);
	/* "The audit path for d0 is [b, h, l]", "for d6 is [i, k]". */
	merkle_prove(&p, all, 7, 0);
	assert_int_equal(p.length, 3);
	assert_memory_equal(p.siblings[0], leaves[1], 32);
	assert_memory_equal(p.siblings[1], h, 32);
	assert_memory_equal(p.siblings[2], l, 32);
	merkle_prove(&p, all, 7, 6);
	assert_int_equal(p.length, 2);
	assert_memory_equal(p.siblings[0], i, 32);
	assert_memory_equal(p.siblings[1], k, 32);
}

/* Every leaf of every tree up to 70 leaves, and of some larger ones. */
static void test_every_path(void **state)
{
	uint8_t root[KECCAK_SIZE];

	(void)state;
	for (uint32_t n = 1; n <= LEAVES; n += n < 70 ? 1 : 115) {
		merkle_root(root, all, n);
		for (uint32_t k = 0; k < n; k++) {
			struct merkle_path p;

			merkle_prove(&p, all, n, k);
			assert_int_equal(p.index, k);
			assert_int_equal(p.count, n);
			assert_true(merkle_verify(root, leaves[k], &p));
			/* Not for the leaf beside it, nor at its place. */
			assert_false(merkle_verify(root, leaves[(k + 1) % LEAVES], &p));
			if (n > 1) {
				p.index = (k + 1) % n;
				assert_false(merkle_verify(root, leaves[k], &p));
			}
		}
	}
}

static void test_bad_paths(void **state)
{
	uint8_t root[KECCAK_SIZE], inner[KECCAK_SIZE];
	struct merkle_path good, p;

	(void)state;
	merkle_root(root, all, 5);
	merkle_prove(&good, all, 5, 2);
	assert_true(merkle_verify(root, leaves[2], &good));
	for (unsigned at = 0; at < good.length; at++) {
		p = good;
		p.siblings[at][31] ^= 1;
		assert_false(merkle_verify(root, leaves[2], &p));
	}
	p = good;
	p.length--;
	assert_false(merkle_verify(root, leaves[2], &p));
	p = good;
	p.length++;
	assert_false(merkle_verify(root, leaves[2], &p));
	p = good;
	p.count = 0;
	assert_false(merkle_verify(root, leaves[2], &p));
	p = good;
	p.index = 5;
	assert_false(merkle_verify(root, leaves[2], &p));
	p = good;
	p.length = 255;
	assert_false(merkle_verify(root, leaves[2], &p));
	p = good;
	p.count = UINT32_MAX;
	assert_false(merkle_verify(root, leaves[2], &p));
	/* An inner node is no leaf: with the leaf's prefix it hashes otherwise. */
	node(inner, leaves[0], leaves[1]);
	merkle_root(root, all, 4);
	p = (struct merkle_path){.index = 0, .count = 2, .length = 1};
	node(p.siblings[0], leaves[2], leaves[3]);
	assert_true(merkle_verify(root, inner, &p));
	{
		uint8_t bytes[2 * KECCAK_SIZE], forged[KECCAK_SIZE];

		memcpy(bytes, leaves[0], KECCAK_SIZE);
		memcpy(bytes + KECCAK_SIZE, leaves[1], KECCAK_SIZE);
		merkle_leaf(forged, view_of(bytes, sizeof(bytes)));
		assert_false(merkle_verify(root, forged, &p));
	}
}

/* The same leaves with the last one doubled must not give the same root. */
static void test_no_doubling(void **state)
{
	uint8_t four[4][KECCAK_SIZE], a[KECCAK_SIZE], b[KECCAK_SIZE];

	(void)state;
	memcpy(four, leaves, 3 * KECCAK_SIZE);
	memcpy(four[3], leaves[2], KECCAK_SIZE);
	merkle_root(a, all, 3);
	merkle_root(b, (const uint8_t(*)[KECCAK_SIZE])four, 4);
	assert_memory_not_equal(a, b, KECCAK_SIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_leaf),
		cmocka_unit_test(test_small_roots),
		cmocka_unit_test(test_seven),
		cmocka_unit_test(test_every_path),
		cmocka_unit_test(test_bad_paths),
		cmocka_unit_test(test_no_doubling),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
