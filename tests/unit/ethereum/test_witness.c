/* SPDX-License-Identifier: Apache-2.0 */
/* Who is followed, who lags, who lies: rounds of answers with a clock of its own. */
#include "../cmocka_all.h"

#include "ledger/ethereum/witness.h"

#define SECOND 1000

struct scene {
	struct panel p;
	struct witness_answer a[ENDPOINTS_MAX];
	unsigned verdict[ENDPOINTS_MAX];
	bool usable[ENDPOINTS_MAX];
	uint64_t now;
};

/* All of the same mind at a height. */
static void say_all(struct scene *s, uint64_t height)
{
	for (unsigned i = 0; i < s->p.count; i++) {
		s->a[i] = (struct witness_answer){.has_height = true,
			.height = height,
			.timestamp = 12 * height,
			.has_block = true,
			.has_tips = true};
		memset(s->a[i].hash, (int)(height & 0x7f), HASH_SIZE);
		memset(s->a[i].state_root, 0x55, HASH_SIZE);
		memset(s->a[i].tip, 0x77, sizeof s->a[i].tip);
	}
}

static void begin(struct scene *s, unsigned count)
{
	memset(s, 0, sizeof *s);
	panel_begin(&s->p, count, &witness_limits_default);
	s->now = 1000 * SECOND;
	for (unsigned i = 0; i < count; i++)
		s->usable[i] = true;
	say_all(s, 100);
}

static bool judge(struct scene *s, unsigned seconds)
{
	s->now += seconds * SECOND;
	return panel_judge(&s->p, s->a, s->now, s->verdict);
}

static int choose(const struct scene *s, int followed)
{
	return panel_choose(&s->p, s->usable, followed, s->now);
}

static void nobody_named(const struct scene *s)
{
	for (unsigned i = 0; i < s->p.count; i++)
		assert_int_equal(s->verdict[i], 0);
	assert_false(s->p.disputed);
}

static void test_agreement(void **state)
{
	struct scene s;

	(void)state;
	begin(&s, 3);
	for (int k = 0; k < 20; k++) {
		say_all(&s, 100 + (uint64_t)k);
		s.a[k % 3].height -= 3;
		assert_false(judge(&s, 3));
		nobody_named(&s);
	}
	assert_int_equal(choose(&s, -1), 0);
	assert_int_equal(choose(&s, 2), 2);
	s.usable[2] = false;
	assert_int_equal(choose(&s, 2), 0);
	s.usable[0] = s.usable[1] = false;
	assert_int_equal(choose(&s, 2), -1);
}

/* Two of three against one: named when it lasts, not before. */
static void test_liar_of_three(void **state)
{
	struct scene s;

	(void)state;
	begin(&s, 3);
	s.a[0].hash[3] ^= 1;
	judge(&s, 3);
	nobody_named(&s);
	assert_int_equal(choose(&s, 0), 0);
	judge(&s, 4);
	nobody_named(&s);
	judge(&s, 3);
	assert_int_equal(s.verdict[0], VERDICT_LIES);
	assert_int_equal(s.verdict[1], 0);
	assert_int_equal(s.verdict[2], 0);
	assert_true(witness_quarantined(&s.p, 0, s.now));
	assert_int_equal(choose(&s, 0), 1);
	/* It is not heard now, whatever it says. */
	s.a[0].height = 9999;
	judge(&s, 3);
	nobody_named(&s);
}

static void test_tips_and_states(void **state)
{
	struct scene s;

	(void)state;
	for (int what = 0; what < 3; what++) {
		begin(&s, 3);
		for (int k = 0; k < 3; k++) {
			say_all(&s, 100 + (uint64_t)k);
			if (what == 0)
				s.a[1].tip[0][9] ^= 1;
			else if (what == 1)
				s.a[1].tip[1][9] ^= 1;
			else
				s.a[1].state_root[9] ^= 1;
			judge(&s, 3);
		}
		assert_int_equal(s.verdict[1], VERDICT_LIES);
	}
	/* What is not given differs from nothing. */
	begin(&s, 3);
	memset(s.a[1].state_root, 0, HASH_SIZE);
	s.a[2].has_tips = false;
	memset(s.a[2].tip, 9, sizeof s.a[2].tip);
	for (int k = 0; k < 5; k++)
		judge(&s, 3);
	nobody_named(&s);
}

/* A fork that heals within seconds names nobody. */
static void test_short_fork(void **state)
{
	struct scene s;

	(void)state;
	begin(&s, 3);
	for (int k = 0; k < 30; k++) {
		say_all(&s, 100 + (uint64_t)k);
		if (k % 3 != 2)
			s.a[2].hash[0] ^= 1;
		judge(&s, 2);
		nobody_named(&s);
	}
}

/* One against one: nobody, until they agree. */
static void test_one_against_one(void **state)
{
	struct scene s;

	(void)state;
	begin(&s, 2);
	s.a[1].hash[0] ^= 1;
	assert_false(judge(&s, 3));
	assert_int_equal(choose(&s, 0), 0);
	assert_false(judge(&s, 3));
	assert_true(judge(&s, 3));
	assert_true(s.p.disputed);
	assert_int_equal(s.verdict[0] | s.verdict[1], 0);
	assert_int_equal(choose(&s, 0), -1);
	/* Silence of the one does not make the other right. */
	s.a[0].has_block = s.a[0].has_height = false;
	assert_false(judge(&s, 60));
	assert_int_equal(choose(&s, -1), -1);
	say_all(&s, 130);
	assert_true(judge(&s, 3));
	assert_int_equal(choose(&s, -1), 0);
	/* Two against two is no majority either. */
	begin(&s, 4);
	for (int k = 0; k < 3; k++) {
		say_all(&s, 100);
		s.a[1].hash[0] ^= 1;
		s.a[3].hash[0] ^= 1;
		judge(&s, 3);
	}
	assert_true(s.p.disputed);
}

/* The same state, one's tips are proved in it: that settles it, one against one. */
static void test_a_proof_settles(void **state)
{
	struct scene s;

	(void)state;
	begin(&s, 2);
	for (int k = 0; k < 3; k++) {
		say_all(&s, 100);
		s.a[0].tip[0][0] ^= 1;
		s.a[1].proved = true;
		judge(&s, 3);
	}
	assert_int_equal(s.verdict[0], VERDICT_LIES);
	assert_int_equal(s.verdict[1], 0);
	assert_false(s.p.disputed);
	assert_int_equal(choose(&s, 0), 1);
	/* Against a majority too. */
	begin(&s, 3);
	for (int k = 0; k < 3; k++) {
		say_all(&s, 100);
		s.a[0].tip[0][0] ^= 1;
		s.a[1].tip[0][0] ^= 1;
		s.a[2].proved = true;
		judge(&s, 3);
	}
	assert_int_equal(s.verdict[0], VERDICT_LIES);
	assert_int_equal(s.verdict[1], VERDICT_LIES);
	assert_int_equal(s.verdict[2], 0);
}

static void test_laggard(void **state)
{
	struct scene s;

	(void)state;
	begin(&s, 3);
	for (unsigned k = 0; k < 4; k++) {
		say_all(&s, 100 + k);
		s.a[0].height = 90;
		s.a[0].timestamp = 12 * 90;
		judge(&s, 3);
		nobody_named(&s);
	}
	say_all(&s, 105);
	s.a[0].height = 90;
	s.a[0].timestamp = 12 * 90;
	judge(&s, 3);
	assert_int_equal(s.verdict[0], VERDICT_LAGS);
	assert_int_equal(choose(&s, 0), 1);
	/* Named once. */
	judge(&s, 3);
	nobody_named(&s);
	/* Nobody else is left: better one that lags. */
	s.usable[1] = s.usable[2] = false;
	assert_int_equal(choose(&s, 1), 0);
	s.usable[1] = s.usable[2] = true;
	say_all(&s, 106);
	judge(&s, 3);
	assert_int_equal(s.verdict[0], VERDICT_CAUGHT_UP);
	/* Who is followed meanwhile stays. */
	assert_int_equal(choose(&s, 1), 1);
	/* One of two. */
	begin(&s, 2);
	s.a[0].height = 50;
	s.a[0].timestamp = 600;
	for (int k = 0; k < 5; k++)
		judge(&s, 3);
	assert_int_equal(choose(&s, 0), 1);
}

/* A height that one alone of three claims makes nobody a laggard. */
static void test_height_claimed(void **state)
{
	struct scene s;

	(void)state;
	begin(&s, 3);
	s.a[2].height = 100000;
	s.a[2].timestamp = 1200000;
	for (int k = 0; k < 4; k++) {
		judge(&s, 3);
		nobody_named(&s);
	}
	assert_int_equal(choose(&s, 2), 2);
	/* Blocks that none of the others comes to know. */
	judge(&s, 3);
	assert_int_equal(s.verdict[2], VERDICT_LIES);
	assert_int_equal(choose(&s, 2), 0);
}

/* Many blocks but no time: a fast chain's nodes are never quite together. */
static void test_fast_chain(void **state)
{
	struct scene s;

	(void)state;
	begin(&s, 3);
	for (int k = 0; k < 20; k++) {
		s.a[0].height = 90;
		s.a[0].timestamp = s.a[1].timestamp - 3;
		judge(&s, 3);
		nobody_named(&s);
	}
}

static void test_quarantine_grows(void **state)
{
	static const uint64_t seconds[] = {30, 60, 120, 240, 480, 960, 1920, 3600, 3600};
	struct scene s;

	(void)state;
	begin(&s, 2);
	for (size_t k = 0; k < sizeof seconds / sizeof *seconds; k++) {
		witness_lied(&s.p, 0, s.now);
		assert_true(
			witness_quarantined(&s.p, 0, s.now + seconds[k] * SECOND - 1));
		assert_int_equal(choose(&s, 0), 1);
		s.now += seconds[k] * SECOND;
		assert_false(witness_quarantined(&s.p, 0, s.now));
		assert_int_equal(choose(&s, 0), 0);
	}
	/* Caught again while it is not heard: no reason to forgive. */
	witness_lied(&s.p, 0, s.now);
	witness_lied(&s.p, 0, s.now + 1);
	s.now += 3600 * SECOND;
	assert_true(witness_quarantined(&s.p, 0, s.now));
	s.now++;
	assert_false(witness_quarantined(&s.p, 0, s.now));
	/* Well for an hour: forgiven. */
	s.now += 3600 * SECOND;
	witness_lied(&s.p, 0, s.now);
	assert_false(witness_quarantined(&s.p, 0, s.now + 30 * SECOND));
}

static void test_confirm(void **state)
{
	struct scene s;
	struct witness_answer mine;

	(void)state;
	begin(&s, 3);
	mine = s.a[0];
	assert_int_equal(witness_confirm(&mine, s.a, 0, 0), CONFIRM_ALONE);
	assert_int_equal(witness_confirm(&mine, s.a, 0, 1), CONFIRM_UNKNOWN);
	assert_int_equal(witness_confirm(&mine, s.a, 1, 1), CONFIRM_AGREED);
	/* Two of three are enough; one of two must wait. */
	assert_true(witness_enough(&mine, s.a, 1, 2));
	assert_true(witness_enough(&mine, s.a, 1, 1));
	assert_false(witness_enough(&mine, s.a, 1, 3));
	assert_false(witness_enough(&mine, s.a, 0, 0));
	assert_int_equal(witness_confirm(&mine, s.a, 1, 0), CONFIRM_AGREED);
	s.a[0].has_block = false;
	assert_int_equal(witness_confirm(&mine, s.a, 1, 0), CONFIRM_ALONE);
	assert_int_equal(witness_confirm(&mine, s.a, 2, 0), CONFIRM_AGREED);
	/* Who says nothing of the tips confirms none. */
	s.a[1].has_tips = false;
	assert_int_equal(witness_confirm(&mine, s.a, 2, 0), CONFIRM_ALONE);
	assert_false(witness_enough(&mine, s.a, 2, 2));
	s.a[1].has_tips = true;
	s.a[1].hash[0] ^= 1;
	assert_int_equal(witness_confirm(&mine, s.a, 2, 0), CONFIRM_DISPUTED);
	/* Two against one. */
	assert_int_equal(witness_confirm(&mine, s.a, 3, 0), CONFIRM_AGREED);
	s.a[2].tip[1][0] ^= 1;
	assert_int_equal(witness_confirm(&mine, s.a, 3, 0), CONFIRM_DISPUTED);
	/* A proof makes another's tips of no weight, not another's block. */
	mine.proved = true;
	assert_int_equal(witness_confirm(&mine, s.a + 2, 1, 0), CONFIRM_AGREED);
	assert_int_equal(witness_confirm(&mine, s.a + 1, 1, 0), CONFIRM_DISPUTED);
	mine.state_root[0] ^= 1;
	assert_int_equal(witness_confirm(&mine, s.a + 2, 1, 0), CONFIRM_DISPUTED);
	/* Nor in a state that the other does not name: it may be invented. */
	memset(s.a[2].state_root, 0, HASH_SIZE);
	assert_int_equal(witness_confirm(&mine, s.a + 2, 1, 0), CONFIRM_DISPUTED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_agreement),
		cmocka_unit_test(test_liar_of_three),
		cmocka_unit_test(test_tips_and_states),
		cmocka_unit_test(test_short_fork),
		cmocka_unit_test(test_one_against_one),
		cmocka_unit_test(test_a_proof_settles),
		cmocka_unit_test(test_laggard),
		cmocka_unit_test(test_height_claimed),
		cmocka_unit_test(test_fast_chain),
		cmocka_unit_test(test_quarantine_grows),
		cmocka_unit_test(test_confirm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
