/* SPDX-License-Identifier: Apache-2.0 */
#include "../cmocka_all.h"

#include "base/hash.h"

/*
 * SipHash-1-3 of 00 01 02 ... n-1. With the key 00 01 .. 0f (the known
 * answers that the reference implementation's 1-3 variant gives).
 */
static void test_reference(void **state)
{
	static const uint64_t answers[] = {
		UINT64_C(0xabac0158050fc4dc),
		UINT64_C(0xc9f49bf37d57ca93),
		UINT64_C(0x82cb9b024dc7d44d),
		UINT64_C(0x8bf80ab8e7ddf7fb),
		UINT64_C(0xcf75576088d38328),
		UINT64_C(0xdef9d52f49533b67),
		UINT64_C(0xc50d2b50c59f22a7),
		UINT64_C(0xd3927d989bb11140),
		UINT64_C(0x369095118d299a8e),
		UINT64_C(0x25a48eb36c063de4),
	};
	const struct hash_key key = {
		UINT64_C(0x0706050403020100),
		UINT64_C(0x0f0e0d0c0b0a0908),
	};
	uint8_t in[sizeof(answers) / sizeof(answers[0])];

	(void)state;
	for (unsigned n = 0; n < sizeof(in); n++) {
		assert_true(hash_bytes(&key, in, n) == answers[n]);
		in[n] = (uint8_t)n;
	}
}

/* With the zero key: what CPython 3.11 (siphash13) gives with
 * PYTHONHASHSEED=0 for hash(bytes(range(n))). */
static void test_zero_key(void **state)
{
	static const struct {
		unsigned n;
		uint64_t hash;
	} answers[] = {
		{1, UINT64_C(0x68a914128e01e473)},
		{7, UINT64_C(0x2f098ab0c751325a)},
		{8, UINT64_C(0xead411e67ebe2eea)},
		{9, UINT64_C(0x75927f9d95124362)},
		{15, UINT64_C(0xf30eb725bb91c9ea)},
		{16, UINT64_C(0x8972188433a5c5b7)},
		{63, UINT64_C(0x385d3e39e5f37359)},
	};
	const struct hash_key key = {0, 0};
	uint8_t in[65];

	(void)state;
	for (unsigned i = 0; i < 64; i++)
		in[1 + i] = (uint8_t)i; /* unaligned */
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
		assert_true(hash_bytes(&key, in + 1, answers[i].n) == answers[i].hash);
}

static void test_random_key(void **state)
{
	struct hash_key a = hash_key_random(), b = hash_key_random();

	(void)state;
	/* 2^-128 that this fails without a fault. */
	assert_false(a.k0 == b.k0 && a.k1 == b.k1);
	assert_false(a.k0 == 0 && a.k1 == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reference),
		cmocka_unit_test(test_zero_key),
		cmocka_unit_test(test_random_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
