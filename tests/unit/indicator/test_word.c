/* SPDX-License-Identifier: Apache-2.0 */
#include "../cmocka_all.h"

#include "../prng.h"
#include "base/hex.h"
#include "indicator/word.h"

/* Each byte of the drawing in word.h at its place. */
static void test_layout(void **state)
{
	struct report r = {
		.expiry = 0x6a7b8c9d,
		.member = 0x0102,
		.generation = 0x0304,
		.cell = 0x050607,
		.category = CATEGORY_OBJECTION,
		.proof = PROOF_CLUSTER,
		.action = ACTION_SPEND,
	};
	uint8_t word[WORD_SIZE];
	char text[2 * WORD_SIZE + 1];

	(void)state;
	assert_int_equal(
		indicator_parse(&r.indicator, NULL, view_str("+442079460000"), NULL), 0);
	word_encode(word, &r);
	assert_string_equal(hex_encode(text, word, sizeof(word)),
		"03"
		"80"
		"442079460000ffffffffffffffffffff"
		"6a7b8c9d"
		"0102"
		"0304"
		"050607"
		"ff"
		"08"
		"02");
}

static void assert_same(const struct report *a, const struct report *b)
{
	assert_memory_equal(&a->indicator, &b->indicator, INDICATOR_SIZE);
	assert_int_equal(a->expiry, b->expiry);
	assert_int_equal(a->member, b->member);
	assert_int_equal(a->generation, b->generation);
	assert_int_equal(a->cell, b->cell);
	assert_int_equal(a->category, b->category);
	assert_int_equal(a->proof, b->proof);
	assert_int_equal(a->action, b->action);
}

/* Any 32 bytes decode, and encode to the same; and the other way round. */
static void test_round_trip(void **state)
{
	uint8_t word[WORD_SIZE], again[WORD_SIZE];
	struct prng rng = {32};
	struct report r, back;

	(void)state;
	for (unsigned i = 0; i < 10000; i++) {
		for (unsigned k = 0; k < WORD_SIZE; k++)
			word[k] = (uint8_t)prng_next(&rng);
		word_decode(&r, word);
		word_encode(again, &r);
		assert_memory_equal(word, again, WORD_SIZE);
		assert_true(r.cell < 1U << 24);
		word_decode(&back, again);
		assert_same(&r, &back);
		assert_memory_equal(&r, &back, sizeof(r));
	}
}

static void test_names(void **state)
{
	static const char *const proofs[] = {"none", "nonce", "ack", "tcp", "auth", "log",
		"manual", "rule", "cluster"};
	static const char *const categories[] = {"none", "scan", "enumeration",
		"password", "fraud", "malformed", "stolen", "campaign", "other"};

	(void)state;
	for (unsigned i = 0; i < PROOF_COUNT; i++) {
		assert_string_equal(proof_name((uint8_t)i), proofs[i]);
		assert_int_equal(proof_parse(view_str(proofs[i])), i);
	}
	for (unsigned i = 0; i <= CATEGORY_OTHER; i++) {
		assert_string_equal(category_name((uint8_t)i), categories[i]);
		assert_int_equal(category_parse(view_str(categories[i])), i);
	}
	assert_string_equal(category_name(CATEGORY_OBJECTION), "objection");
	assert_int_equal(category_parse(view_str("objection")), 255);
	assert_string_equal(proof_name(PROOF_COUNT), "?");
	assert_string_equal(category_name(9), "?");
	assert_string_equal(category_name(254), "?");
	assert_int_equal(proof_parse(view_str("?")), -1);
	assert_int_equal(proof_parse(view_str("Nonce")), -1);
	assert_int_equal(proof_parse(view_str("")), -1);
	assert_int_equal(category_parse(view_str("sca")), -1);
	assert_int_equal(category_parse(view_str("scans")), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layout),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
