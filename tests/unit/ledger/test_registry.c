/* SPDX-License-Identifier: Apache-2.0 */
/* What the registry answers, whom it tells, what it forgets. */
#include "fixture.h"

static void test_support(void **state)
{
	struct registry *r = registry_begun();
	struct operation op = op_add(1, 0, 7, 8);

	(void)state;
	assert_int_equal(support(r, "8.8.8.8", T0), 0);
	report(r, ALICE, 1, 0, "8.8.8.8");
	assert_int_equal(support(r, "8.8.8.8", T0), 1);
	/* Twice by one member counts once. */
	report(r, ALICE, 1, 1, "8.8.8.8");
	assert_int_equal(support(r, "8.8.8.8", T0), 1);
	report(r, BOB, 2, 0, "8.8.8.8");
	assert_int_equal(support(r, "8.8.8.8", T0), 3);
	/* Broader and narrower reports do not count. */
	report(r, BOB, 2, 1, "8.8.8.0/24");
	report(r, BOB, 2, 2, "8.8.8.9");
	assert_int_equal(support(r, "8.8.8.8", T0), 3);
	assert_int_equal(support(r, "8.8.8.0/24", T0), 2);
	assert_int_equal(support(r, "8.8.8.0/25", T0), 0);
	/* The weight is the member's of today. */
	op.type = OP_MEMBER_SET;
	must(r, op);
	assert_int_equal(support(r, "8.8.8.8", T0), 9);
	/* Time alone ends it, at its very second. */
	assert_int_equal(support(r, "8.8.8.8", T0 + 999), 9);
	assert_int_equal(support(r, "8.8.8.8", T0 + 1000), 0);
	registry_free(r);
}

static void test_objections(void **state)
{
	struct registry *r = registry_begun();

	(void)state;
	must(r, op_add(3, CAROL, 5, 8));
	report(r, CAROL, 3, 0, "8.8.0.0/16");
	report(r, CAROL, 3, 1, "8.8.8.0/24");
	report(r, CAROL, 3, 2, "8.8.8.8");
	report(r, CAROL, 3, 3, "8.8.8.9");
	object(r, ALICE, 1, 0, "8.8.8.8");
	/* Against itself and all around it, not against what is beside it. */
	assert_int_equal(support(r, "8.8.8.8", T0), 4);
	assert_int_equal(support(r, "8.8.8.0/24", T0), 4);
	assert_int_equal(support(r, "8.8.0.0/16", T0), 4);
	assert_int_equal(support(r, "8.8.8.9", T0), 5);
	/* Many of one member inside a prefix count once. */
	object(r, ALICE, 1, 1, "8.8.8.9");
	object(r, ALICE, 1, 2, "8.8.8.0/24");
	assert_int_equal(support(r, "8.8.0.0/16", T0), 4);
	/* Not against something narrower. */
	object(r, BOB, 2, 0, "8.8.0.0/16");
	assert_int_equal(support(r, "8.8.8.0/24", T0), 4);
	assert_int_equal(support(r, "8.8.0.0/16", T0), 2);
	/* Who reports and objects takes his own weight back. */
	object(r, CAROL, 3, 4, "8.8.8.8");
	assert_int_equal(support(r, "8.8.8.8", T0), -1);
	spend(r, CAROL, 3, 4, "8.8.8.8");
	assert_int_equal(support(r, "8.8.8.8", T0), 4);
	/* A suspended objector is not heard, and is again afterwards. */
	must(r, op_of(OP_MEMBER_SUSPEND, GUARDIAN, 2));
	assert_int_equal(support(r, "8.8.0.0/16", T0), 4);
	must(r, op_of(OP_MEMBER_RESUME, OWNER, 2));
	assert_int_equal(support(r, "8.8.0.0/16", T0), 2);
	registry_free(r);
}

static void test_words(void **state)
{
	struct registry *r = registry_begun();
	struct indicator i = ind("8.8.8.0/24");
	struct report out[8];

	(void)state;
	report(r, BOB, 2, 4, "8.8.8.0/24");
	report(r, ALICE, 1, 5, "8.8.8.0/24");
	report(r, ALICE, 1, 2, "8.8.8.0/24");
	object(r, ALICE, 1, 3, "8.8.8.8");
	object(r, BOB, 2, 0, "8.8.8.0/24");
	report(r, BOB, 2, 1, "8.8.8.8");
	object(r, BOB, 2, 2, "8.8.0.0/16");
	assert_int_equal(registry_words(r, &i, T0, out, 8), 5);
	assert_int_equal(out[0].member * 100 + out[0].cell, 102);
	assert_int_equal(out[1].member * 100 + out[1].cell, 103);
	assert_int_equal(out[2].member * 100 + out[2].cell, 105);
	assert_int_equal(out[3].member * 100 + out[3].cell, 200);
	assert_int_equal(out[4].member * 100 + out[4].cell, 204);
	assert_int_equal(out[1].category, CATEGORY_OBJECTION);
	assert_int_equal(registry_words(r, &i, T0, out, 2), 5);
	assert_int_equal(registry_words(r, &i, T0, NULL, 0), 5);
	must(r, op_of(OP_MEMBER_SUSPEND, OWNER, 1));
	assert_int_equal(registry_words(r, &i, T0, out, 8), 2);
	assert_int_equal(registry_words(r, &i, T0 + 1000, out, 8), 0);
	registry_free(r);
}

static void test_around(void **state)
{
	struct registry *r = registry_begun();
	struct indicator i = ind("8.8.8.8"), out[8];

	(void)state;
	assert_int_equal(registry_around(r, &i, out, 8), 0);
	report(r, ALICE, 1, 0, "8.8.0.0/16");
	report(r, ALICE, 1, 1, "8.8.8.0/24");
	report(r, ALICE, 1, 2, "8.8.8.8");
	report(r, ALICE, 1, 3, "8.9.0.0/16");
	report(r, ALICE, 1, 4, "+442079*");
	report(r, ALICE, 1, 5, "sip:bob@example.com");
	assert_int_equal(registry_around(r, &i, out, 8), 3);
	assert_int_equal(out[0].plen, 32);
	assert_int_equal(out[1].plen, 24);
	assert_int_equal(out[2].plen, 16);
	assert_int_equal(registry_around(r, &i, out, 2), 2);
	i = ind("+442079460000");
	assert_int_equal(registry_around(r, &i, out, 8), 1);
	assert_int_equal(out[0].plen, 24);
	i = ind("sip:bob@example.com");
	assert_int_equal(registry_around(r, &i, out, 8), 1);
	i = ind("8.8.4.0/22");
	assert_int_equal(registry_around(r, &i, out, 8), 1);
	i.kind = 77;
	assert_int_equal(registry_around(r, &i, out, 8), 0);
	registry_free(r);
}

static void test_touches_of_batches(void **state)
{
	static struct batch b;
	struct registry *r = registry_begun();
	struct report w;
	struct touches t = {0};

	(void)state;
	report(r, ALICE, 1, 0, "8.8.0.0/16");
	report(r, ALICE, 1, 1, "8.8.8.0/24");
	report(r, ALICE, 1, 2, "9.9.9.9");
	/* An objection touches what is listed around it. */
	batch_begin(&b, BOB, 2, T0);
	w = word_of(2, 0, "8.8.8.8", T0 + 50);
	w.category = CATEGORY_OBJECTION;
	batch_add(&b, &w);
	apply_touch(r, &b.op, &t);
	assert_true(touched(&t, "8.8.8.8") && touched(&t, "8.8.8.0/24") &&
		touched(&t, "8.8.0.0/16"));
	assert_false(touched(&t, "9.9.9.9"));
	assert_int_equal(t.n, 3);
	/* Replaced by a report: both, and what the old objection touched. */
	t = (struct touches){0};
	batch_begin(&b, BOB, 2, T0);
	w = word_of(2, 0, "9.9.9.9", T0 + 50);
	w.action = ACTION_REPLACE;
	batch_add(&b, &w);
	apply_touch(r, &b.op, &t);
	assert_true(touched(&t, "8.8.8.8") && touched(&t, "8.8.0.0/16") &&
		touched(&t, "9.9.9.9"));
	/* A report touches itself alone; refused ones nothing. */
	t = (struct touches){0};
	batch_begin(&b, BOB, 2, T0);
	w = word_of(2, 1, "8.8.8.8", T0 + 50);
	batch_add(&b, &w);
	apply_touch(r, &b.op, &t);
	assert_int_equal(t.n, 1);
	w.cell = 99;
	batch_add(&b, &w);
	apply_touch(r, &b.op, &t);
	assert_int_equal(t.n, 1);
	/* A batch of a later time forgets, and touches, what has died. */
	t = (struct touches){0};
	batch_begin(&b, BOB, 2, T0 + 50);
	w = word_of(2, 2, "8.8.4.4", T0 + 60);
	batch_add(&b, &w);
	assert_int_equal(registry_live_count(r), 5);
	apply_touch(r, &b.op, &t);
	assert_int_equal(registry_live_count(r), 4);
	assert_true(touched(&t, "9.9.9.9") && touched(&t, "8.8.8.8"));
	registry_free(r);
}

static void test_touches_of_members(void **state)
{
	static const uint8_t types[] = {
		OP_MEMBER_SET, OP_MEMBER_SUSPEND, OP_MEMBER_RESUME, OP_MEMBER_REMOVE};
	static const uint8_t all[] = {OP_CONFIG, OP_PROTECT, OP_PAUSE, OP_UNPAUSE};
	struct registry *r = registry_begun();
	struct touches t;

	(void)state;
	report(r, ALICE, 1, 0, "8.8.0.0/16");
	report(r, BOB, 2, 0, "9.9.9.9");
	object(r, BOB, 2, 1, "8.8.8.8");
	for (size_t k = 0; k < sizeof types; k++) {
		struct operation op = op_add(2, 0, 1, 8);

		op.type = types[k];
		t = (struct touches){0};
		assert_int_equal(apply_touch(r, &op, &t).code, REFUSED_NOT);
		assert_true(touched(&t, "9.9.9.9") && touched(&t, "8.8.8.8") &&
			touched(&t, "8.8.0.0/16"));
		assert_int_equal(t.all, 0);
	}
	assert_int_equal(registry_live_count(r), 1);
	for (size_t k = 0; k < sizeof all; k++) {
		struct operation op = op_of(all[k], OWNER, 0);

		op.config = *registry_config(r);
		t = (struct touches){0};
		assert_int_equal(apply_touch(r, &op, &t).code, REFUSED_NOT);
		assert_int_equal(t.all, 1);
		assert_int_equal(t.n, 0);
	}
	registry_free(r);
}

static void test_removal_revives_nothing(void **state)
{
	struct registry *r = registry_begun();
	struct report w = word_of(1, 0, "8.8.8.8", T0 + 1000);

	(void)state;
	assert_int_equal(put(r, ALICE, T0, &w), REFUSED_NOT);
	object(r, ALICE, 1, 1, "9.9.9.9");
	must(r, op_of(OP_MEMBER_REMOVE, OWNER, 1));
	assert_int_equal(registry_live_count(r), 0);
	assert_int_equal(registry_member(r, 1)->live, 0);
	assert_int_equal(put(r, ALICE, T0, &w), REFUSED_NOT_SIGNER);
	must(r, op_add(1, CAROL, 4, 8));
	assert_int_equal(support(r, "8.8.8.8", T0), 0);
	assert_int_equal(support(r, "9.9.9.9", T0), 0);
	assert_int_equal(put(r, CAROL, T0, &w), REFUSED_WRONG_GENERATION);
	w.generation = 1;
	assert_int_equal(put(r, CAROL, T0, &w), REFUSED_NOT);
	assert_int_equal(support(r, "8.8.8.8", T0), 4);
	registry_free(r);
}

static void test_expire(void **state)
{
	struct registry *r = registry_begun();
	struct touches t = {0};
	struct report w;

	(void)state;
	assert_int_equal(registry_next_expiry(r), 0);
	for (uint32_t k = 0; k < 8; k++) {
		w = word_of(1, k, "8.8.8.8", T0 + 10 * (8 - k));
		w.indicator.value[3] = (uint8_t)k;
		assert_int_equal(put(r, ALICE, T0, &w), REFUSED_NOT);
	}
	assert_int_equal(registry_next_expiry(r), T0 + 10);
	registry_expire(r, T0 + 9, on_touch, &t);
	assert_int_equal(t.n, 0);
	registry_expire(r, T0 + 30, on_touch, &t);
	assert_int_equal(t.n, 3);
	assert_true(touched(&t, "8.8.8.7") && touched(&t, "8.8.8.6") &&
		touched(&t, "8.8.8.5"));
	assert_int_equal(registry_next_expiry(r), T0 + 40);
	assert_int_equal(registry_live_count(r), 5);
	assert_int_equal(registry_member(r, 1)->live, 5);
	registry_free(r);
}

/* A node's clock may run ahead of the ledger's. */
static void test_clock_ahead(void **state)
{
	struct registry *r = registry_begun();
	struct operation op;
	struct report w = word_of(1, 0, "8.8.8.8", T0 + 10);
	struct buffer bytes = {0};
	struct refusal why;
	uint8_t word[WORD_SIZE];

	(void)state;
	assert_int_equal(put(r, ALICE, T0, &w), REFUSED_NOT);
	registry_expire(r, T0 + 12, NULL, NULL);
	assert_int_equal(registry_live_count(r), 0);
	/* The ledger accepted this spend at T0 + 9; we would not propose it. */
	w.action = ACTION_SPEND;
	word_encode(word, &w);
	op = op_of(OP_BATCH, ALICE, 1);
	op.seq = 1;
	op.time = T0 + 9;
	op.count = 1;
	op.words = word;
	operation_encode(&bytes, &op);
	assert_int_equal(registry_check(r, &op, &why), -1);
	assert_int_equal(why.code, REFUSED_CELL_NOT_LIVE);
	assert_int_equal(
		registry_apply(r, &op, view_of(bytes.p, bytes.n), NULL, NULL, &why), 0);
	/* From T0 + 12 on nothing is unknown. */
	buffer_free(&bytes);
	op.seq = 2;
	op.time = T0 + 12;
	operation_encode(&bytes, &op);
	assert_int_equal(
		registry_apply(r, &op, view_of(bytes.p, bytes.n), NULL, NULL, &why), -1);
	assert_int_equal(why.code, REFUSED_CELL_NOT_LIVE);
	buffer_free(&bytes);
	registry_free(r);
}

/* Two registries of one history, one of them from its last part only. */
static void test_window(void **state)
{
	struct registry *whole = registry_begun(), *part = registry_begun();
	struct report old = word_of(1, 0, "8.8.8.8", T0 + 100);
	struct report late = word_of(2, 0, "9.9.9.9", T0 + MAX_TTL + 500);
	uint32_t since = T0 + 50;
	static struct batch b;
	struct tip before;

	(void)state;
	assert_int_equal(put(whole, ALICE, T0, &old), REFUSED_NOT);
	old.cell = 1;
	assert_int_equal(put(whole, ALICE, T0, &old), REFUSED_NOT);
	before = *registry_tip(whole, CHAIN_MEMBERS);
	assert_int_equal(before.seq, 2);
	assert_int_equal(registry_window(part, &before, since), 0);
	/* Inside the window: a spend of a word from before it. */
	old.action = ACTION_SPEND;
	batch_begin(&b, ALICE, 1, since);
	batch_add(&b, &old);
	for (int k = 0; k < 2; k++) {
		struct registry *r = k ? part : whole;
		struct buffer bytes = {0};
		struct refusal why;

		b.op.seq = 2;
		assert_int_equal(operation_encode(&bytes, &b.op), 0);
		assert_int_equal(registry_apply(r, &b.op, view_of(bytes.p, bytes.n), NULL,
					 NULL, &why),
			0);
		buffer_free(&bytes);
		assert_int_equal(put(r, BOB, T0 + 600, &late), REFUSED_NOT);
	}
	assert_memory_equal(registry_tip(whole, CHAIN_MEMBERS)->hash,
		registry_tip(part, CHAIN_MEMBERS)->hash, HASH_SIZE);
	assert_int_equal(registry_tip(part, CHAIN_MEMBERS)->seq, 4);
	assert_int_equal(support(part, "9.9.9.9", since + MAX_TTL), 2);
	assert_int_equal(support(part, "8.8.8.8", since + MAX_TTL),
		support(whole, "8.8.8.8", since + MAX_TTL));
	/* Only once, and not after a batch. */
	assert_int_equal(registry_window(part, &before, since), -1);
	assert_int_equal(registry_window(whole, &before, since), -1);
	registry_free(whole);
	registry_free(part);
	part = registry_new((struct hash_key){0, 0});
	assert_int_equal(registry_window(part, &before, since), -1);
	registry_free(part);
}

static void test_choose_cell(void **state)
{
	struct registry *r = registry_begun();
	struct indicator i = ind("8.8.8.8"), other = ind("9.9.9.9");
	const uint32_t avoid[] = {1, 0};
	uint32_t cell;
	uint8_t action;
	struct report w;

	(void)state;
	assert_int_equal(registry_choose_cell(r, 0, &i, T0, NULL, 0, &cell, &action), -1);
	assert_int_equal(registry_choose_cell(r, 3, &i, T0, NULL, 0, &cell, &action), -1);
	assert_int_equal(registry_choose_cell(r, 1, &i, T0, NULL, 0, &cell, &action), 0);
	assert_int_equal(cell, 0);
	assert_int_equal(action, ACTION_REPORT);
	registry_choose_cell(r, 1, &i, T0, avoid, 2, &cell, &action);
	assert_int_equal(cell, 2);
	for (uint32_t k = 0; k < 8; k++) {
		w = word_of(1, k, "8.8.8.8", T0 + 100 - (k == 5 || k == 6 ? 50 : 0));
		w.indicator.value[3] = (uint8_t)(k + 1);
		assert_int_equal(put(r, ALICE, T0, &w), REFUSED_NOT);
	}
	/* Its own cell, unless that is taken by the batch. */
	registry_choose_cell(r, 1, &i, T0, NULL, 0, &cell, &action);
	assert_int_equal(cell, 7);
	assert_int_equal(action, ACTION_REPORT);
	/* All full: the one that expires first. */
	registry_choose_cell(r, 1, &other, T0, NULL, 0, &cell, &action);
	assert_int_equal(cell, 5);
	assert_int_equal(action, ACTION_REPLACE);
	registry_choose_cell(r, 1, &other, T0, (uint32_t[]){5, 6, 0}, 3, &cell, &action);
	assert_int_equal(cell, 1);
	/* Expired, though not forgotten: free. */
	registry_choose_cell(r, 1, &other, T0 + 50, NULL, 0, &cell, &action);
	assert_int_equal(cell, 5);
	assert_int_equal(action, ACTION_REPORT);
	registry_choose_cell(r, 1, &other, T0 + 100, NULL, 0, &cell, &action);
	assert_int_equal(cell, 0);
	assert_int_equal(registry_choose_cell(r, 1, &other, T0,
				 (uint32_t[]){0, 1, 2, 3, 4, 5, 6, 7}, 8, &cell, &action),
		-1);
	must(r, op_of(OP_MEMBER_REMOVE, OWNER, 1));
	assert_int_equal(
		registry_choose_cell(r, 1, &other, T0, NULL, 0, &cell, &action), -1);
	registry_free(r);
}

struct walk {
	unsigned seen, stop;
};

static bool on_word(void *context, const struct report *word)
{
	struct walk *w = context;

	assert_int_equal(word->member, 2);
	return ++w->seen != w->stop;
}

static void test_each(void **state)
{
	struct registry *r = registry_begun();
	struct walk w = {0};

	(void)state;
	report(r, ALICE, 1, 0, "8.8.8.8");
	report(r, BOB, 2, 0, "8.8.8.8");
	report(r, BOB, 2, 1, "9.9.9.9");
	report(r, BOB, 2, 2, "+442079460000");
	must(r, op_of(OP_MEMBER_SUSPEND, OWNER, 1));
	registry_each(r, T0, on_word, &w);
	assert_int_equal(w.seen, 3);
	w = (struct walk){.stop = 2};
	registry_each(r, T0, on_word, &w);
	assert_int_equal(w.seen, 2);
	w.seen = 0;
	registry_each(r, T0 + 1000, on_word, &w);
	assert_int_equal(w.seen, 0);
	registry_free(r);
}

#define MANY 100000

/* Fill member 1's cells with different addresses, a tenth of them objections. */
static void fill(struct registry *r, uint32_t time)
{
	static struct batch b;

	for (uint32_t k = 0; k < MANY;) {
		batch_begin(&b, ALICE, 1, time);
		for (; k < MANY && b.op.count < BATCH_MAX; k++) {
			struct report w = word_of(1, k, "8.0.0.0", time + 3600);

			be32_store(w.indicator.value, UINT32_C(0x08000000) + k * 7);
			if (k % 10 == 0)
				w.category = CATEGORY_OBJECTION;
			batch_add(&b, &w);
		}
		must(r, b.op);
	}
}

static void test_memory(void **state)
{
	struct registry *r = registry_begun();
	struct operation op = op_add(1, 0, 1, MANY);
	size_t empty = registry_memory(r), full;
	struct indicator i = ind("8.0.0.0/16");

	(void)state;
	op.type = OP_MEMBER_SET;
	must(r, op);
	fill(r, T0);
	assert_int_equal(registry_live_count(r), MANY);
	full = registry_memory(r);
	assert_true(full - empty <= (size_t)60 * MANY);
	assert_int_equal(registry_words(r, &i, T0, NULL, 0), 65536 / 70 + 1);
	/* Refreshed again and again it needs no more. */
	for (uint32_t k = 1; k < 3; k++)
		fill(r, T0 + k);
	assert_int_equal(registry_memory(r), full);
	registry_expire(r, T0 + 4000, NULL, NULL);
	assert_int_equal(registry_live_count(r), 0);
	assert_true(registry_memory(r) < empty + (64 << 10));
	fill(r, T0 + 4000);
	must(r, op_of(OP_MEMBER_REMOVE, OWNER, 1));
	assert_int_equal(registry_live_count(r), 0);
	assert_true(registry_memory(r) < empty + (64 << 10));
	registry_free(r);
}

/* Words about one indicator in [0, n) of Alice's cells, and Bob's one, in order. */
static void check_one(
	const struct registry *r, const struct report *out, size_t n, uint32_t step)
{
	struct indicator i = ind("8.8.8.8");
	struct report own;

	assert_int_equal(registry_words(r, &i, T0, NULL, 0), n + 1);
	for (uint32_t k = 0; k < n; k++) {
		assert_int_equal(out[k].member, 1);
		assert_int_equal(out[k].cell, k * step);
	}
	assert_int_equal(out[n].member, 2);
	/* However often somebody says it, it is said once. */
	assert_int_equal(registry_support(r, &i, T0), 3);
	assert_int_equal(registry_own_word(r, 1, &i, T0, &own), 0);
	assert_int_equal(own.cell, 0);
}

/* A member that spends all its cells on one indicator. */
static void test_one_indicator(void **state)
{
	static struct report out[4001];
	static struct batch b;
	struct registry *r = registry_begun();
	struct operation op = op_add(1, 0, 1, 4000);
	struct indicator i = ind("8.8.8.8");
	uint32_t avoid = 0, cell;
	uint8_t action;

	(void)state;
	op.type = OP_MEMBER_SET;
	must(r, op);
	report(r, BOB, 2, 7, "8.8.8.8");
	for (uint32_t k = 0; k < 4000;) {
		batch_begin(&b, ALICE, 1, T0);
		/* 1777 and 4000 have no common divisor: every cell, in no order. */
		for (; k < 4000 && b.op.count < BATCH_MAX; k++) {
			struct report w = word_of(1, k * 1777 % 4000, "8.8.8.8", T0 + 9);

			batch_add(&b, &w);
		}
		must(r, b.op);
	}
	assert_int_equal(registry_words(r, &i, T0, out, 4001), 4001);
	check_one(r, out, 4000, 1);
	assert_int_equal(
		registry_choose_cell(r, 1, &i, T0, &avoid, 1, &cell, &action), 0);
	assert_int_equal(cell, 1);
	for (uint32_t k = 0; k < 4000;) {
		batch_begin(&b, ALICE, 1, T0);
		for (; k < 4000 && b.op.count < BATCH_MAX; k++) {
			struct report w = word_of(1, k * 1777 % 4000, "8.8.8.8", 0);

			w.action = ACTION_SPEND;
			if (w.cell % 5)
				batch_add(&b, &w);
		}
		must(r, b.op);
	}
	assert_int_equal(registry_words(r, &i, T0, out, 4001), 801);
	check_one(r, out, 800, 5);
	assert_int_equal(registry_support(r, &i, T0 + 9), 2);
	registry_free(r);
}

/* What is held in few bits comes out as it was put in, at both ends. */
static void test_narrow(void **state)
{
	struct registry *r = registry_begun();
	struct report w = word_of(1, 0xffffff, "8.8.8.8", T0 + 100), is;
	struct operation op = op_add(1, 0, 1, 1 << 24);

	(void)state;
	op.type = OP_MEMBER_SET;
	must(r, op);
	w.category = CATEGORY_OTHER;
	w.proof = PROOF_COUNT - 1;
	assert_int_equal(put(r, ALICE, T0, &w), 0);
	assert_int_equal(registry_cell(r, 1, 0xffffff, T0, &is), 0);
	assert_int_equal(is.cell, 0xffffff);
	assert_int_equal(is.category, CATEGORY_OTHER);
	assert_int_equal(is.proof, PROOF_COUNT - 1);
	assert_int_equal(is.generation, 0);
	w.category = CATEGORY_OBJECTION;
	w.proof = 0;
	assert_int_equal(put(r, ALICE, T0, &w), 0);
	assert_int_equal(registry_cell(r, 1, 0xffffff, T0, &is), 0);
	assert_int_equal(is.category, CATEGORY_OBJECTION);
	assert_int_equal(is.proof, 0);
	/* Of the member as it is after it was removed and came again. */
	must(r, op_of(OP_MEMBER_REMOVE, OWNER, 1));
	must(r, op_add(1, ALICE, 1, 8));
	w = word_of(1, 3, "8.8.8.8", T0 + 100);
	w.generation = 1;
	assert_int_equal(put(r, ALICE, T0, &w), 0);
	assert_int_equal(registry_cell(r, 1, 3, T0, &is), 0);
	assert_int_equal(is.generation, 1);
	assert_int_equal(is.category, w.category);
	registry_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_support),
		cmocka_unit_test(test_objections),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_around),
		cmocka_unit_test(test_touches_of_batches),
		cmocka_unit_test(test_touches_of_members),
		cmocka_unit_test(test_removal_revives_nothing),
		cmocka_unit_test(test_expire),
		cmocka_unit_test(test_clock_ahead),
		cmocka_unit_test(test_window),
		cmocka_unit_test(test_choose_cell),
		cmocka_unit_test(test_each),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_one_indicator),
		cmocka_unit_test(test_narrow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
