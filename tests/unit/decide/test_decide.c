/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The decision against a plain reading of the rule, over many small random
 * ledgers; the cases that people think of are in tests/scenario/decide.
 */
#include "../prng.h"
#include "ledger_fixture.h"

#include <stdlib.h>

#include "decide/decide.h"

#define MEMBERS 7
#define START   1000
#define SPAN    24 /* longest life of a word, seconds */

static const uint8_t classes[] = {PROOF_NONCE, PROOF_LOG, PROOF_MANUAL, PROOF_TCP};

struct words {
	struct report word[256];
	size_t n;
};

static bool collect(void *context, const struct report *word)
{
	struct words *all = context;

	assert_true(all->n < 256);
	all->word[all->n++] = *word;
	return true;
}

/*
 * Sum for quorum T: reports that live at `reports`, objections that live at
 * `objections`. Straight from the words, member by member.
 */
static int64_t plain_sum(const struct words *all, const struct registry *r,
	const struct policy *p, const struct indicator *i, uint32_t quorum,
	uint32_t reports, uint32_t objections)
{
	int64_t sum = 0;

	for (uint16_t m = 1; m <= MEMBERS; m++) {
		bool counts = false, objects = false;

		for (size_t k = 0; k < all->n; k++) {
			const struct report *w = &all->word[k];

			if (w->member != m)
				continue;
			if (w->category == CATEGORY_OBJECTION)
				objects |= w->expiry > objections &&
					indicator_contains(i, &w->indicator);
			else
				counts |= w->expiry > reports &&
					indicator_compare(i, &w->indicator) == 0 &&
					p->by_proof[w->proof] <= quorum;
		}
		if (counts)
			sum += registry_member(r, m)->weight;
		if (objects)
			sum -= registry_member(r, m)->weight;
	}
	return sum;
}

/* Whether any quorum at all from the least on is met. */
static bool plain_block(const struct words *all, const struct registry *r,
	const struct policy *p, const struct indicator *i, uint32_t reports,
	uint32_t objections)
{
	uint32_t least = registry_config(r)->threshold;

	if (p->by_kind[i->kind] == QUORUM_NEVER)
		return false;
	if (p->by_kind[i->kind] > least)
		least = p->by_kind[i->kind];
	for (uint32_t quorum = least; quorum <= 40; quorum++) {
		if (plain_sum(all, r, p, i, quorum, reports, objections) >= quorum)
			return true;
	}
	return false;
}

static void random_policy(struct policy *p, struct prng *random)
{
	*p = policy_default;
	for (size_t k = 0; k < sizeof(classes); k++) {
		unsigned asked = prng_below(random, 8);

		p->by_proof[classes[k]] = asked == 7 ? QUORUM_NEVER : asked;
	}
	if (prng_below(random, 3) == 0)
		p->by_kind[INDICATOR_IP4] = prng_below(random, 5);
}

/* The decision at START, and at each second until every word is dead. */
static void check(const struct ledger *l, const struct policy *p,
	const struct indicator *i, const struct allowlist *none)
{
	struct words all = {.n = 0};
	struct decision d, then;
	uint32_t until = START;

	registry_each(l->registry, START, collect, &all);
	decide_learnt(&d, p, l->registry, none, i, START);
	assert_int_equal(d.block, plain_block(&all, l->registry, p, i, START, START));
	if (d.block) {
		while (plain_block(&all, l->registry, p, i, until, START))
			until++;
		assert_int_equal(d.until, until);
		assert_int_equal(d.why, WHY_QUORUM);
		assert_true(d.sum >= (int64_t)d.required);
	}
	if (d.reporters > 0 && d.required != QUORUM_NEVER)
		assert_true(d.sum ==
			plain_sum(&all, l->registry, p, i, d.required, START, START));
	/* Nothing changes before recheck says so. */
	for (uint32_t now = START + 1; now <= START + SPAN; now++) {
		if (d.recheck != 0 && now >= d.recheck)
			break;
		decide_learnt(&then, p, l->registry, none, i, now);
		assert_int_equal(then.block, d.block);
		assert_int_equal(then.until, d.until);
	}
	/* A node that asks for no more than the ledger agrees with it. */
	decide_learnt(&d, &policy_default, l->registry, none, i, START);
	assert_int_equal(d.block,
		d.reporters > 0 &&
			registry_support(l->registry, i, START) >=
				registry_config(l->registry)->threshold);
	if (d.reporters > 0)
		assert_true(d.sum == registry_support(l->registry, i, START));
}

static void test_random_ledgers(void **state)
{
	static const char *const about[] = {
		"203.0.113.0/24", "203.0.113.7", "203.0.113.8", "203.0.0.0/16"};
	struct allowlist *none = allowlist_new();
	struct prng random = {0xdec1de};
	unsigned blocks = 0;

	(void)state;
	for (unsigned round = 0; round < 1500; round++) {
		unsigned words = 3 + prng_below(&random, 25);
		struct policy p;
		struct ledger l;

		ledger_start(&l, 1 + prng_below(&random, 4), true, START - 10);
		for (uint16_t m = 1; m <= MEMBERS; m++)
			ledger_member(&l, m, (uint16_t)(1 + prng_below(&random, 3)));
		for (unsigned k = 0; k < words; k++) {
			struct indicator i = of(about[prng_below(&random, 4)]);
			bool objection = prng_below(&random, 5) == 0;

			ledger_report(&l, &i,
				(uint16_t)(1 + prng_below(&random, MEMBERS)), k,
				START - 9 + prng_below(&random, SPAN + 9),
				objection ? CATEGORY_OBJECTION : CATEGORY_SCAN,
				classes[prng_below(&random, sizeof(classes))]);
		}
		random_policy(&p, &random);
		for (unsigned k = 0; k < 4; k++) {
			struct indicator i = of(about[k]);
			struct decision d;

			check(&l, &p, &i, none);
			decide_learnt(&d, &p, l.registry, none, &i, START);
			blocks += d.block;
		}
		ledger_stop(&l);
	}
	/* Both answers came up often enough to mean something. */
	assert_in_range(blocks, 1000, 5000);
	allowlist_free(none);
}

/* More words about one indicator than fit on the stack. */
static void test_many_words(void **state)
{
	struct allowlist *none = allowlist_new();
	struct indicator wide = of("203.0.113.0/24");
	struct decision d;
	struct ledger l;

	(void)state;
	ledger_start(&l, 100, true, START);
	for (uint16_t m = 1; m <= 120; m++) {
		ledger_member(&l, m, 1);
		ledger_report(
			&l, &wide, m, 0, START + 1000 + m, CATEGORY_SCAN, PROOF_TCP);
		ledger_report(&l, &wide, m, 1, START + 500, CATEGORY_SCAN, PROOF_TCP);
	}
	decide_learnt(&d, &policy_default, l.registry, none, &wide, START);
	assert_true(d.block);
	assert_int_equal(d.sum, 120);
	assert_int_equal(d.reporters, 120);
	/* 21 must end before fewer than 100 are left. */
	assert_int_equal(d.until, START + 1000 + 21);
	/* 200 objections of one member inside it are one objector. */
	for (uint32_t k = 0; k < 200; k++) {
		struct address a = {4, {203, 0, 113, (uint8_t)k}};
		struct indicator inner = indicator_from_address(&a, 32);

		ledger_report(&l, &inner, 7, 2 + k, START + 300 + k, CATEGORY_OBJECTION,
			PROOF_MANUAL);
	}
	decide_learnt(&d, &policy_default, l.registry, none, &wide, START);
	assert_true(d.block);
	assert_int_equal(d.sum, 119);
	assert_int_equal(d.objectors, 1);
	assert_int_equal(d.until, START + 1000 + 20);
	assert_int_equal(d.recheck, START + 300);
	ledger_stop(&l);
	allowlist_free(none);
}

/* Which report a decision is shown with: the best class, then the last end. */
static void test_strongest(void **state)
{
	struct allowlist *none = allowlist_new();
	struct indicator i = of("203.0.113.7");
	struct policy p = policy_default;
	struct decision d;
	struct ledger l;

	(void)state;
	ledger_start(&l, 2, true, START);
	for (uint16_t m = 1; m <= 5; m++)
		ledger_member(&l, m, 1);
	ledger_report(&l, &i, 1, 0, START + 900, CATEGORY_SCAN, PROOF_LOG);
	ledger_report(&l, &i, 2, 0, START + 100, CATEGORY_FRAUD, PROOF_TCP);
	decide_learnt(&d, &p, l.registry, none, &i, START);
	assert_int_equal(d.category, CATEGORY_FRAUD);
	assert_int_equal(d.proof, PROOF_TCP);
	ledger_report(&l, &i, 3, 0, START + 200, CATEGORY_PASSWORD, PROOF_TCP);
	decide_learnt(&d, &p, l.registry, none, &i, START);
	assert_int_equal(d.category, CATEGORY_PASSWORD);
	ledger_report(&l, &i, 4, 0, START + 50, CATEGORY_STOLEN, PROOF_AUTH);
	decide_learnt(&d, &p, l.registry, none, &i, START);
	assert_int_equal(d.proof, PROOF_AUTH);
	/* An objection is never what a block is for. */
	ledger_report(&l, &i, 5, 0, START + 5000, CATEGORY_OBJECTION, PROOF_AUTH);
	decide_learnt(&d, &p, l.registry, none, &i, START);
	assert_int_equal(d.category, CATEGORY_STOLEN);
	/* What the policy asks less of goes before what is better of itself. */
	p.by_proof[PROOF_AUTH] = 3;
	p.by_proof[PROOF_TCP] = 3;
	decide_learnt(&d, &p, l.registry, none, &i, START);
	assert_int_equal(d.proof, PROOF_LOG);
	ledger_stop(&l);
	allowlist_free(none);
}

static void test_own_without_ledger(void **state)
{
	struct allowlist *allow = allowlist_new();
	struct allow_entry e = {of("192.0.2.0/24"), ALLOW_GATEWAY, 2000, ""};
	struct indicator i = of("192.0.2.1"), other = of("192.0.3.1");
	char text[DECISION_TEXT];
	struct decision d;

	(void)state;
	assert_int_equal(allowlist_add(allow, &e), 0);
	decide_own(&d, NULL, allow, &i, WHY_OPERATOR, 5000, 1000);
	assert_false(d.block);
	assert_int_equal(d.why, WHY_ALLOWED);
	assert_int_equal(d.origin, ALLOW_GATEWAY);
	assert_int_equal(d.recheck, 2000);
	assert_string_equal(decision_print(text, &d),
		"not blocked: overlaps 192.0.2.0/24 on this node's allowlist (gateway)");
	decide_own(&d, NULL, allow, &i, WHY_OPERATOR, 5000, 2000);
	assert_true(d.block);
	assert_int_equal(d.until, 5000);
	decide_own(&d, NULL, allow, &other, WHY_OPERATOR, 1795255200, 1000);
	assert_string_equal(decision_print(text, &d),
		"blocked until 2026-11-21T10:00:00Z: an operator's ban");
	decide_own(&d, NULL, allow, &other, WHY_OWN_DETECTION, 1795255200, 1000);
	assert_string_equal(decision_print(text, &d),
		"blocked until 2026-11-21T10:00:00Z: this node detected it");
	allowlist_free(allow);
}

/* The longest figures still make a whole sentence. */
static void test_print_longest(void **state)
{
	struct decision d = {.block = true,
		.why = WHY_QUORUM,
		.until = UINT32_MAX,
		.sum = INT64_MIN,
		.required = UINT32_MAX - 1,
		.reporters = UINT32_MAX,
		.objectors = UINT32_MAX,
		.category = CATEGORY_ENUMERATION,
		.proof = PROOF_CLUSTER};
	char text[DECISION_TEXT];

	(void)state;
	assert_string_equal(decision_print(text, &d),
		"blocked until 2106-02-07T06:28:15Z: support -9223372036854775808 of "
		"4294967294 required; 4294967295 members report (enumeration, proof "
		"cluster), 4294967295 object");
	d.block = false;
	d.why = WHY_POLICY;
	assert_string_equal(decision_print(text, &d),
		"not blocked: enough for the ledger, not for this node: support "
		"-9223372036854775808 of 4294967294 required; 4294967295 members report "
		"(enumeration, proof cluster), 4294967295 object");
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(why_name(WHY_QUORUM), "quorum");
	assert_string_equal(why_name(WHY_OWN_DETECTION), "own-detection");
	assert_string_equal(why_name(WHY_OPERATOR), "operator");
	assert_string_equal(why_name(WHY_NOT_LISTED), "not-listed");
	assert_string_equal(why_name(WHY_ALLOWED), "allowed");
	assert_string_equal(why_name(WHY_DOMESTIC), "domestic");
	assert_string_equal(why_name((enum why)0), "?");
	assert_string_equal(why_name((enum why)99), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_ledgers),
		cmocka_unit_test(test_many_words),
		cmocka_unit_test(test_strongest),
		cmocka_unit_test(test_own_without_ledger),
		cmocka_unit_test(test_print_longest),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
