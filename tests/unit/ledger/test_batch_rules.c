/* SPDX-License-Identifier: Apache-2.0 */
/* Each rule about batches by a batch that breaks just it. */
#include "fixture.h"

#define TAKE(is, due) assert_int_equal(is, due)

static void test_batch_as_a_whole(void **state)
{
	static struct batch b;
	struct registry *r = registry_begun();
	struct report w = word_of(1, 0, "8.8.8.8", T0 + 9);
	struct refusal why;

	(void)state;
	batch_begin(&b, ALICE, 1, T0);
	TAKE(apply(r, b.op), REFUSED_BATCH_EMPTY);
	b.op.count = BATCH_MAX + 1;
	b.op.seq = 0;
	assert_int_equal(registry_check(r, &b.op, &why), -1);
	TAKE(why.code, REFUSED_BATCH_TOO_LARGE);
	TAKE(put(r, BOB, T0, &w), REFUSED_NOT_SIGNER);
	w.member = 9;
	TAKE(put(r, BOB, T0, &w), REFUSED_NOT_SIGNER);
	must(r, op_of(OP_MEMBER_SUSPEND, GUARDIAN, 1));
	w.member = 1;
	TAKE(put(r, ALICE, T0, &w), REFUSED_MEMBER_NOT_ACTIVE);
	registry_free(r);
}

/* Alice's word with one thing changed by the caller. */
static void refuse_word(
	struct registry *r, struct report w, uint32_t time, enum refusal_code code)
{
	enum refusal_code is = put(r, ALICE, time, &w);

	if (is != code)
		fail_msg("%s instead of %s", refusal_name(is), refusal_name(code));
}

static void test_entries(void **state)
{
	struct registry *r = registry_begun();
	const struct report good = word_of(1, 0, "8.8.8.8", T0 + 1000);
	struct report w;

	(void)state;
	w = good, w.action = 3;
	refuse_word(r, w, T0, REFUSED_ACTION_UNKNOWN);
	w = good, w.generation = 1;
	refuse_word(r, w, T0, REFUSED_WRONG_GENERATION);
	w = good, w.cell = 8;
	refuse_word(r, w, T0, REFUSED_CELL_OVER_CAP);
	w.cell = 7;
	refuse_word(r, w, T0, REFUSED_NOT);
	for (unsigned c = 0; c < 256; c++) {
		w = good, w.category = (uint8_t)c;
		refuse_word(r, w, T0,
			(c >= 1 && c <= 8) || c == 255 ? REFUSED_NOT : REFUSED_CATEGORY);
	}
	for (unsigned p = 0; p < 256; p++) {
		w = good, w.proof = (uint8_t)p;
		refuse_word(r, w, T0, p < PROOF_COUNT ? REFUSED_NOT : REFUSED_PROOF);
	}
	w = good, w.expiry = T0;
	refuse_word(r, w, T0, REFUSED_EXPIRY_PAST);
	w.expiry = T0 + 1;
	refuse_word(r, w, T0, REFUSED_NOT);
	w.expiry = T0 + MAX_TTL + 1;
	refuse_word(r, w, T0, REFUSED_EXPIRY_TOO_FAR);
	w.expiry = T0 + MAX_TTL;
	refuse_word(r, w, T0, REFUSED_NOT);
	registry_free(r);
}

static void test_wrong_member_in_a_word(void **state)
{
	static struct batch b;
	struct registry *r = registry_begun();
	struct report w = word_of(1, 0, "8.8.8.8", T0 + 9);
	struct refusal why;

	(void)state;
	batch_begin(&b, ALICE, 1, T0);
	batch_add(&b, &w);
	w.member = 2;
	w.cell = 1;
	batch_add(&b, &w);
	why = apply_touch(r, &b.op, NULL);
	TAKE(why.code, REFUSED_WRONG_MEMBER);
	TAKE(why.entry, 1);
	assert_int_equal(registry_live_count(r), 0);
	registry_free(r);
}

static void test_indicators(void **state)
{
	struct registry *r = registry_begun();
	struct report w = word_of(1, 0, "8.0.0.0/15", T0 + 9);
	struct operation op = op_of(OP_CONFIG, OWNER, 0);
	struct indicator range = ind("10.0.0.0/8");
	static struct batch b;
	struct refusal why;

	(void)state;
	refuse_word(r, w, T0, REFUSED_INDICATOR);
	w.indicator = ind("8.8.0.0/16");
	w.indicator.value[15] = 1;
	refuse_word(r, w, T0, REFUSED_INDICATOR);
	w.indicator = ind("+4420*");
	refuse_word(r, w, T0, REFUSED_INDICATOR);
	w.indicator = ind("+44207*");
	refuse_word(r, w, T0, REFUSED_NOT);
	w.indicator.kind = 0;
	refuse_word(r, w, T0, REFUSED_INDICATOR);
	w.indicator = ind("10.20.30.40");
	batch_begin(&b, ALICE, 1, T0);
	batch_add(&b, &w);
	why = apply_touch(r, &b.op, NULL);
	TAKE(why.code, REFUSED_UNROUTABLE);
	assert_memory_equal(&why.conflict, &range, sizeof range);
	op.config = (struct ledger_config){{8, 32, 5, true}, MAX_TTL, 2};
	must(r, op);
	w.action = ACTION_REPLACE;
	refuse_word(r, w, T0, REFUSED_NOT);
	w.indicator = ind("8.0.0.0/8");
	refuse_word(r, w, T0, REFUSED_NOT);
	registry_free(r);
}

static void test_cells(void **state)
{
	struct registry *r = registry_begun();
	struct report w = word_of(1, 3, "8.8.8.8", T0 + 10), held;

	(void)state;
	refuse_word(r, w, T0, REFUSED_NOT);
	/* The same again is a refresh, also to an earlier expiry. */
	w.expiry = T0 + 20;
	refuse_word(r, w, T0, REFUSED_NOT);
	w.expiry = T0 + 5;
	w.proof = PROOF_AUTH;
	refuse_word(r, w, T0, REFUSED_NOT);
	assert_int_equal(registry_cell(r, 1, 3, T0, &held), 0);
	assert_int_equal(held.expiry, T0 + 5);
	assert_int_equal(held.proof, PROOF_AUTH);
	assert_int_equal(held.action, 0);
	/* Another needs the replace bit while it lives, and not after. */
	w.indicator = ind("8.8.4.4");
	w.expiry = T0 + 30;
	refuse_word(r, w, T0, REFUSED_CELL_LIVE);
	refuse_word(r, w, T0 + 4, REFUSED_CELL_LIVE);
	refuse_word(r, w, T0 + 5, REFUSED_NOT);
	w.indicator = ind("8.8.0.0/16");
	refuse_word(r, w, T0 + 5, REFUSED_CELL_LIVE);
	w.action = ACTION_REPLACE;
	refuse_word(r, w, T0 + 5, REFUSED_NOT);
	assert_int_equal(registry_live_count(r), 1);
	/* Spends: the very indicator, and only while it lives. */
	w = word_of(1, 3, "8.8.4.4", 0);
	w.action = ACTION_SPEND;
	refuse_word(r, w, T0 + 5, REFUSED_CELL_MISMATCH);
	w.cell = 2;
	refuse_word(r, w, T0 + 5, REFUSED_CELL_NOT_LIVE);
	w = word_of(1, 3, "8.8.0.0/16", 0);
	w.action = ACTION_SPEND;
	refuse_word(r, w, T0 + 30, REFUSED_CELL_NOT_LIVE);
	refuse_word(r, w, T0 + 29, REFUSED_NOT);
	refuse_word(r, w, T0 + 29, REFUSED_CELL_NOT_LIVE);
	assert_int_equal(registry_live_count(r), 0);
	registry_free(r);
}

static void test_entries_see_those_before(void **state)
{
	static struct batch b;
	struct registry *r = registry_begun();
	struct report w = word_of(1, 0, "8.8.8.8", T0 + 10);
	struct refusal why;

	(void)state;
	batch_begin(&b, ALICE, 1, T0);
	batch_add(&b, &w);
	w.indicator = ind("8.8.4.4");
	batch_add(&b, &w);
	why = apply_touch(r, &b.op, NULL);
	TAKE(why.code, REFUSED_CELL_LIVE);
	TAKE(why.entry, 1);
	/* Put, spend, put another, replace it, spend that: all in one. */
	b.op.count = 1;
	w = word_of(1, 0, "8.8.8.8", T0);
	w.action = ACTION_SPEND;
	batch_add(&b, &w);
	w = word_of(1, 0, "8.8.4.4", T0 + 10);
	batch_add(&b, &w);
	w.indicator = ind("9.9.9.9");
	w.action = ACTION_REPLACE;
	batch_add(&b, &w);
	w.action = ACTION_SPEND;
	batch_add(&b, &w);
	must(r, b.op);
	assert_int_equal(registry_live_count(r), 0);
	/* A spend of what only a later entry puts. */
	batch_begin(&b, ALICE, 1, T0);
	batch_add(&b, &w);
	w.action = ACTION_REPORT;
	batch_add(&b, &w);
	TAKE(apply(r, b.op), REFUSED_CELL_NOT_LIVE);
	registry_free(r);
}

static void test_paused_and_superseded(void **state)
{
	static struct batch b;
	struct registry *r = registry_begun();
	struct operation op = op_of(OP_SUPERSEDE, OWNER, 0);
	struct report w;
	struct refusal why;

	(void)state;
	TAKE(report(r, ALICE, 1, 0, "8.8.8.8"), REFUSED_NOT);
	TAKE(report(r, ALICE, 1, 1, "8.8.4.4"), REFUSED_NOT);
	must(r, op_of(OP_PAUSE, GUARDIAN, 0));
	TAKE(report(r, ALICE, 1, 2, "9.9.9.9"), REFUSED_PAUSED);
	TAKE(object(r, ALICE, 1, 2, "9.9.9.9"), REFUSED_PAUSED);
	batch_begin(&b, ALICE, 1, T0);
	w = word_of(1, 0, "8.8.8.8", 0);
	w.action = ACTION_SPEND;
	batch_add(&b, &w);
	w = word_of(1, 2, "9.9.9.9", T0 + 9);
	batch_add(&b, &w);
	why = apply_touch(r, &b.op, NULL);
	TAKE(why.code, REFUSED_PAUSED);
	TAKE(why.entry, 1);
	TAKE(spend(r, ALICE, 1, 0, "8.8.8.8"), REFUSED_NOT);
	must(r, op_of(OP_UNPAUSE, OWNER, 0));
	assert_null(registry_superseded(r));
	TAKE(apply(r, op), REFUSED_ZERO);
	memset(op.next, 0x5e, HASH_SIZE);
	must(r, op);
	assert_memory_equal(registry_superseded(r), op.next, HASH_SIZE);
	TAKE(apply(r, op), REFUSED_SUPERSEDED);
	TAKE(report(r, ALICE, 1, 2, "9.9.9.9"), REFUSED_SUPERSEDED);
	TAKE(spend(r, ALICE, 1, 1, "8.8.4.4"), REFUSED_NOT);
	must(r, op_of(OP_MEMBER_REMOVE, OWNER, 2));
	registry_free(r);
}

static void test_lowered_cap(void **state)
{
	struct registry *r = registry_begun();
	struct operation op = op_add(1, 0, 1, 2);

	(void)state;
	TAKE(report(r, ALICE, 1, 5, "8.8.8.8"), REFUSED_NOT);
	op.type = OP_MEMBER_SET;
	must(r, op);
	/* What stands past the cap lives on and may be spent, not refreshed. */
	assert_int_equal(support(r, "8.8.8.8", T0), 1);
	TAKE(report(r, ALICE, 1, 5, "8.8.8.8"), REFUSED_CELL_OVER_CAP);
	TAKE(spend(r, ALICE, 1, 5, "8.8.8.8"), REFUSED_NOT);
	registry_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_batch_as_a_whole),
		cmocka_unit_test(test_entries),
		cmocka_unit_test(test_wrong_member_in_a_word),
		cmocka_unit_test(test_indicators),
		cmocka_unit_test(test_cells),
		cmocka_unit_test(test_entries_see_those_before),
		cmocka_unit_test(test_paused_and_superseded),
		cmocka_unit_test(test_lowered_cap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
