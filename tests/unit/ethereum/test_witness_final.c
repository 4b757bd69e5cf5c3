/* SPDX-License-Identifier: Apache-2.0 */
/* What endpoints call final, and who denies it: rounds with a clock of their own. */
#include "../cmocka_all.h"

#include "ledger/ethereum/witness.h"

#define SECOND 1000

struct scene {
	struct panel p;
	struct witness_answer a[ENDPOINTS_MAX];
	unsigned verdict[ENDPOINTS_MAX];
	uint64_t now;
	struct final_block final;
	int claim;
};

static void hash_of(uint8_t hash[HASH_SIZE], uint64_t number)
{
	memset(hash, 0x40, HASH_SIZE);
	hash[0] = (uint8_t)number;
	hash[1] = (uint8_t)(number >> 8);
}

/* Endpoint i calls a block final. */
static void name_final(struct scene *s, unsigned i, uint64_t number)
{
	s->a[i].has_final = true;
	s->a[i].final = number;
	s->a[i].final_time = 12 * number;
	hash_of(s->a[i].final_hash, number);
}

static void begin(struct scene *s, unsigned count)
{
	memset(s, 0, sizeof *s);
	panel_begin(&s->p, count, &witness_limits_default);
	s->now = 1000 * SECOND;
	for (unsigned i = 0; i < count; i++) {
		s->a[i] = (struct witness_answer){.has_height = true,
			.height = 200,
			.timestamp = 2400,
			.has_block = true};
		name_final(s, i, 100);
	}
}

/* A round as the pool has it: the claim, everybody's block there, the judgement. */
static bool judge(struct scene *s, unsigned seconds)
{
	s->now += seconds * SECOND;
	s->claim = panel_final_claim(&s->p, s->a, s->now);
	for (unsigned i = 0; i < s->p.count; i++)
		s->verdict[i] = 0;
	for (unsigned i = 0; i < s->p.count && s->claim >= 0; i++) {
		if (s->a[i].has_at_final)
			continue;
		s->a[i].has_at_final = true;
		hash_of(s->a[i].at_final, s->a[s->claim].final);
	}
	return panel_final(&s->p, s->a, s->claim, s->now, s->verdict, &s->final);
}

static void forget(struct scene *s)
{
	for (unsigned i = 0; i < s->p.count; i++)
		s->a[i].has_at_final = false;
}

static void test_claim(void **state)
{
	struct scene s;

	(void)state;
	begin(&s, 3);
	assert_true(judge(&s, 3));
	assert_int_equal(s.final.number, 100);
	assert_int_equal(s.final.timestamp, 1200);
	assert_int_equal(s.final.witnesses, 2);
	/* One alone is ahead, then behind: it moves nothing. */
	forget(&s);
	name_final(&s, 0, 150);
	assert_true(judge(&s, 3));
	assert_int_equal(s.final.number, 100);
	forget(&s);
	name_final(&s, 0, 3);
	assert_true(judge(&s, 3));
	assert_int_equal(s.final.number, 100);
	/* The middle one of three. */
	forget(&s);
	name_final(&s, 1, 120);
	name_final(&s, 2, 110);
	assert_true(judge(&s, 3));
	assert_int_equal(s.final.number, 110);
	/* Of two the lower, also where it is the one that is followed. */
	begin(&s, 2);
	name_final(&s, 0, 104);
	assert_true(judge(&s, 3));
	assert_int_equal(s.final.number, 100);
	assert_int_equal(s.final.witnesses, 1);
	/* Of four what three have reached. */
	begin(&s, 4);
	name_final(&s, 0, 180);
	name_final(&s, 1, 180);
	name_final(&s, 2, 130);
	assert_true(judge(&s, 3));
	assert_int_equal(s.final.number, 130);
	/* Nobody, one, and one whose word does not count. */
	begin(&s, 3);
	s.a[0].has_final = s.a[1].has_final = s.a[2].has_final = false;
	assert_false(judge(&s, 3));
	assert_int_equal(s.claim, -1);
	name_final(&s, 1, 90);
	assert_true(judge(&s, 3));
	assert_int_equal(s.final.number, 90);
	witness_lied(&s.p, 1, s.now);
	assert_false(judge(&s, 3));
}

/* Who runs ahead is named when it lasts, at once almost where nobody has the block. */
static void test_ahead(void **state)
{
	struct scene s;

	(void)state;
	begin(&s, 3);
	name_final(&s, 0, 132); /* an epoch earlier than the others */
	for (int k = 0; k < 10; k++) {
		forget(&s);
		assert_true(judge(&s, 3));
		assert_int_equal(s.verdict[0], 0);
	}
	forget(&s);
	assert_true(judge(&s, 3));
	assert_int_equal(s.verdict[0], VERDICT_LIES | VERDICT_FINAL);
	assert_true(witness_quarantined(&s.p, 0, s.now));
	assert_int_equal(s.verdict[1] | s.verdict[2], 0);
	begin(&s, 3);
	name_final(&s, 1, 300);
	s.a[1].final_time = 1200; /* as if it were the others' block */
	assert_true(judge(&s, 3));
	assert_int_equal(s.verdict[1], 0);
	forget(&s);
	assert_true(judge(&s, 5));
	assert_int_equal(s.verdict[1], VERDICT_LIES | VERDICT_FINAL);
	assert_int_equal(s.final.number, 100);
	/* Of two it cannot be told who is wrong: the one behind is named, not believed
	 * any less. */
	begin(&s, 2);
	name_final(&s, 0, 132);
	assert_true(judge(&s, 3));
	forget(&s);
	assert_true(judge(&s, 30));
	assert_int_equal(s.verdict[0], 0);
	assert_int_equal(s.verdict[1], VERDICT_FINAL_LAGS);
	assert_int_equal(s.final.number, 100);
	forget(&s);
	name_final(&s, 1, 132);
	assert_true(judge(&s, 3));
	assert_int_equal(s.verdict[1], VERDICT_FINAL_CAUGHT_UP);
	assert_int_equal(s.final.number, 132);
}

/* Another block of that height: by the tag, or when it is asked for it. */
static void test_contradiction(void **state)
{
	struct scene s;

	(void)state;
	begin(&s, 3);
	s.a[2].final_hash[5] ^= 1;
	assert_true(judge(&s, 3));
	assert_int_equal(s.verdict[2], 0);
	assert_true(judge(&s, 5));
	assert_int_equal(s.verdict[2], VERDICT_LIES | VERDICT_FINAL);
	begin(&s, 3);
	s.a[1].has_at_final = true;
	memset(s.a[1].at_final, 0x11, HASH_SIZE);
	assert_true(judge(&s, 3));
	assert_int_equal(s.final.witnesses, 1);
	assert_true(judge(&s, 5));
	assert_int_equal(s.verdict[1], VERDICT_LIES | VERDICT_FINAL);
	assert_int_equal(s.verdict[0] | s.verdict[2], 0);
	/* One against one: nothing is final by that, and nobody is named. */
	begin(&s, 2);
	s.a[1].has_at_final = true;
	memset(s.a[1].at_final, 0x11, HASH_SIZE);
	assert_false(judge(&s, 3));
	assert_false(judge(&s, 30));
	assert_int_equal(s.verdict[0] | s.verdict[1], 0);
}

/* --- the anchor --- */

static void anchored(struct scene *s, unsigned count)
{
	begin(s, count);
	s->p.has_anchor = true;
	s->p.anchor = 90;
	hash_of(s->p.anchor_hash, 90);
	for (unsigned i = 0; i < count; i++) {
		memset(s->a[i].hash, 0x33, HASH_SIZE);
		s->a[i].has_at_anchor = true;
		hash_of(s->a[i].at_anchor, 90);
	}
}

/* It is on another chain, which parts below what is final. */
static void deny(struct scene *s, unsigned i)
{
	memset(s->a[i].hash, 0x44, HASH_SIZE);
	memset(s->a[i].at_anchor, 0x44, HASH_SIZE);
}

static bool judge_blocks(struct scene *s, unsigned seconds)
{
	s->now += seconds * SECOND;
	return panel_judge(&s->p, s->a, s->now, s->verdict);
}

static int followed(const struct scene *s, int now)
{
	const bool usable[ENDPOINTS_MAX] = {true, true, true};

	return panel_choose(&s->p, usable, now, s->now);
}

/* Two of three deny what was final: the third is right. */
static void test_minority_has_the_anchor(void **state)
{
	struct scene s;

	(void)state;
	anchored(&s, 3);
	deny(&s, 1);
	deny(&s, 2);
	s.a[1].height = s.a[2].height = 400; /* their height is no measure either */
	s.a[1].timestamp = s.a[2].timestamp = 9000;
	for (int k = 0; k < 2; k++) {
		assert_false(judge_blocks(&s, 3));
		assert_int_equal(s.verdict[0] | s.verdict[1] | s.verdict[2], 0);
	}
	assert_false(judge_blocks(&s, 3));
	assert_int_equal(s.verdict[0], 0);
	assert_int_equal(s.verdict[1], VERDICT_LIES | VERDICT_DENIES);
	assert_int_equal(s.verdict[2], VERDICT_LIES | VERDICT_DENIES);
	assert_int_equal(followed(&s, 0), 0);
	assert_int_equal(followed(&s, 1), 0);
	/* Without an anchor they are the majority. */
	anchored(&s, 3);
	s.p.has_anchor = false;
	deny(&s, 1);
	deny(&s, 2);
	for (int k = 0; k < 3; k++)
		judge_blocks(&s, 3);
	assert_int_equal(s.verdict[0], VERDICT_LIES);
	assert_int_equal(followed(&s, 0), 1);
	/* They had it put into quarantine before: it still has the anchor. */
	anchored(&s, 3);
	witness_lied(&s.p, 0, s.now);
	deny(&s, 1);
	deny(&s, 2);
	for (int k = 0; k < 3; k++)
		assert_false(judge_blocks(&s, 3));
	assert_int_equal(s.verdict[1] & s.verdict[2], VERDICT_LIES | VERDICT_DENIES);
	assert_int_equal(followed(&s, 1), -1);
	s.now += 30 * SECOND;
	assert_int_equal(followed(&s, -1), 0);
	/* One against one, where it would else be a dispute. */
	anchored(&s, 2);
	deny(&s, 0);
	for (int k = 0; k < 3; k++)
		assert_false(judge_blocks(&s, 3));
	assert_int_equal(s.verdict[0], VERDICT_LIES | VERDICT_DENIES);
	assert_int_equal(followed(&s, 0), 1);
	assert_false(s.p.disputed);
}

/* All deny it: then the chain has taken back what counted as final. */
static void test_nobody_has_the_anchor(void **state)
{
	struct scene s;

	(void)state;
	anchored(&s, 3);
	for (unsigned i = 0; i < 3; i++)
		deny(&s, i);
	for (int k = 0; k < 10; k++)
		assert_false(judge_blocks(&s, 3));
	assert_int_equal(s.verdict[0] | s.verdict[1] | s.verdict[2], 0);
	assert_false(panel_upheld(&s.p, s.a));
	/* Nor is one of them who stands still and knows nothing newer. */
	anchored(&s, 3);
	deny(&s, 1);
	deny(&s, 2);
	s.p.of[0].lagging = true;
	assert_false(panel_upheld(&s.p, s.a));
	for (int k = 0; k < 3; k++)
		judge_blocks(&s, 3);
	assert_int_equal(s.verdict[1] | s.verdict[2], 0);
	assert_int_equal(followed(&s, 1), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_claim),
		cmocka_unit_test(test_ahead),
		cmocka_unit_test(test_contradiction),
		cmocka_unit_test(test_minority_has_the_anchor),
		cmocka_unit_test(test_nobody_has_the_anchor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
