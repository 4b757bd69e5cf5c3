/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the reader takes as final when it is told by tags, what it holds on to when
 * most endpoints deny it, and how much it writes before anything is verified.
 */
#include "reader_rig.h"

/* A chain of 60 blocks, 20 with a batch, on all nodes; the tag at 40. */
static void begin_chain(struct rig *r, unsigned nodes)
{
	rig_begin(r, nodes);
	r->finality = FINALITY_FINALIZED;
	for (unsigned k = 0; k < 20; k++)
		node_batches(r->node[0], 1);
	node_mine(r->node[0], 30);
	for (unsigned k = 0; k < nodes; k++) {
		if (k)
			node_copy(r->node[k], r->node[0]);
		r->node[k]->final = 40;
		r->node[k]->delay_ms = k ? 50 : 0; /* the first is followed */
	}
}

static uint64_t due_final;

static bool is_final(struct rig *r)
{
	return r->final == due_final;
}

static void reaches(struct rig *r, uint64_t final)
{
	due_final = final;
	if (!run(r, is_final))
		fail_msg("final %llu, not %llu: %s", (unsigned long long)r->final,
			(unsigned long long) final, r->said);
}

static void test_alone(void **state)
{
	struct final_block is;
	struct rig r;

	(void)state;
	begin_chain(&r, 1);
	rig_open(&r, NULL);
	reaches(&r, 40);
	is = reader_final(r.reader);
	assert_int_equal(is.number, 40);
	assert_int_equal(is.timestamp, node_time(r.node[0], 40));
	assert_int_equal(is.witnesses, 0);
	node_lock(r.node[0]);
	r.node[0]->final = 1000; /* no block has that number: never past what is read */
	node_unlock(r.node[0]);
	reaches(&r, r.node[0]->head);
	rig_end(&r);
}

/* The followed one tells a block that the others do not call final. */
static void test_ahead(void **state)
{
	struct rig r;

	(void)state;
	begin_chain(&r, 3);
	rig_open(&r, NULL);
	assert_true(run(&r, is_read));
	reaches(&r, 40);
	assert_int_equal(reader_final(r.reader).witnesses, 2);
	node_lock(r.node[0]);
	r.node[0]->final = r.node[0]->head;
	node_unlock(r.node[0]);
	hold(&r, 1200);
	assert_int_equal(r.final, 40);
	says(&r,
		"endpoint a calls block 60 final and stands alone with that: it is not "
		"believed");
	assert_ptr_not_equal(pool_followed(r.pool), pool_rpc(r.pool, 0));
	/* The others go on. */
	for (unsigned k = 1; k < 3; k++) {
		node_lock(r.node[k]);
		r.node[k]->final = 50;
		node_unlock(r.node[k]);
	}
	reaches(&r, 50);
	assert_int_equal(r.undos, 0);
	rig_end(&r);
}

/* It tells the right height and another block. */
static void test_strange(void **state)
{
	struct rig r;

	(void)state;
	begin_chain(&r, 3);
	rig_open(&r, NULL);
	assert_true(run(&r, is_read));
	reaches(&r, 40);
	node_lock(r.node[2]);
	r.node[2]->final_strange = true;
	node_unlock(r.node[2]);
	hold(&r, 1000);
	says(&r, "endpoint c calls block 40 final and stands alone with that");
	assert_int_equal(r.final, 40);
	rig_end(&r);
	/* Alone, at a height whose block is in the journal. */
	begin_chain(&r, 1);
	rig_open(&r, NULL);
	assert_true(run(&r, is_read));
	reaches(&r, 40);
	node_lock(r.node[0]);
	r.node[0]->final = r.node[0]->head;
	r.node[0]->final_strange = true;
	node_unlock(r.node[0]);
	hold(&r, 600);
	assert_int_equal(r.final, 40);
	says(&r, "it calls a block final that is not the one which was verified there");
	rig_end(&r);
}

/* --- the majority lies --- */

/* Three of the same mind; what was read by rounds of one block is final at depth 2. */
static void begin_anchored(struct rig *r)
{
	rig_begin(r, 3);
	r->depth = 2;
	node_batches(r->node[0], 2);
	for (unsigned k = 1; k < 3; k++) {
		node_copy(r->node[k], r->node[0]);
		r->node[k]->delay_ms = 50;
	}
	rig_open(r, NULL);
	assert_true(run(r, is_read));
	for (unsigned k = 1; k < 3; k++)
		r->node[k]->delay_ms = 0;
	for (unsigned round = 0; round < 6; round++) {
		for (unsigned k = 0; k < 3; k++)
			node_batches(r->node[k], 1);
		assert_true(run(r, is_read));
	}
	hold(r, 400);
	assert_ptr_equal(pool_followed(r->pool), pool_rpc(r->pool, 0));
	assert_int_equal(r->troubles, 0);
}

/* Two agree on a chain that parts below what is final: the third goes on alone. */
static void test_two_liars(void **state)
{
	struct rig r;
	uint64_t from;

	(void)state;
	begin_anchored(&r);
	from = r.head - 4;
	for (unsigned k = 1; k < 3; k++) {
		node_fork(r.node[k], from);
		node_batches(r.node[k], 3);
	}
	node_batches(r.node[0], 1);
	if (!run(&r, is_read))
		fail_msg("it does not go on: %s", r.said);
	holds(&r, r.node[0]);
	assert_int_equal(r.undos, 0);
	says(&r, "endpoint b denies block");
	says(&r, "endpoint c denies block");
	says(&r,
		"which was verified, confirmed and is final: it is not believed for 600 s");
	assert_null(strstr(r.said, "endpoint a denies"));
	assert_null(strstr(r.said, "endpoint a says"));
	rig_end(&r);
}

static bool another_is_followed(struct rig *r)
{
	return pool_followed(r->pool) && pool_followed(r->pool) != pool_rpc(r->pool, 0);
}

/* The same while one of the two is followed: nothing is undone meanwhile. */
static void test_two_liars_followed(void **state)
{
	struct rig r;

	(void)state;
	begin_anchored(&r);
	for (unsigned k = 0; k < 2; k++) {
		node_fork(r.node[k], r.head - 4);
		node_batches(r.node[k], 3);
	}
	node_batches(r.node[2], 1);
	assert_true(run(&r, another_is_followed));
	assert_ptr_equal(pool_followed(r.pool), pool_rpc(r.pool, 2));
	hold(&r, 300);
	holds(&r, r.node[2]);
	assert_int_equal(r.undos, 0);
	says(&r, "endpoint a denies block");
	says(&r, "endpoint b denies block");
	rig_end(&r);
}

/* All three tell it: the chain was reorganised deeper than [ledger] finality says. */
static void test_all_take_it_back(void **state)
{
	struct rig r;

	(void)state;
	begin_anchored(&r);
	for (unsigned k = 0; k < 3; k++) {
		node_fork(r.node[k], r.head - 4);
		node_mine(r.node[k], 2);
	}
	if (!run(&r, is_read))
		fail_msg("it is not taken: %s", r.said);
	holds(&r, r.node[0]);
	assert_int_equal(r.undos, 1);
	says(&r, "which counted as final: [ledger] finality asks too little");
	rig_end(&r);
}

/* All tags go back with the chain: what they named before is not final any more. */
static void test_tags_go_back(void **state)
{
	struct rig r;

	(void)state;
	begin_chain(&r, 2);
	for (unsigned k = 0; k < 2; k++)
		r.node[k]->final = 55;
	rig_open(&r, NULL);
	assert_true(run(&r, is_read));
	reaches(&r, 55);
	for (unsigned k = 0; k < 2; k++) {
		node_fork(r.node[k], 45);
		node_mine(r.node[k], 20);
		node_lock(r.node[k]);
		r.node[k]->final = 40;
		node_unlock(r.node[k]);
	}
	assert_true(run(&r, is_read));
	hold(&r, 600);
	assert_true(r.undos > 0);
	if (r.final >= 46)
		fail_msg("final %llu of a chain that is gone",
			(unsigned long long)r.final);
	for (unsigned k = 0; k < 2; k++) {
		node_lock(r.node[k]);
		r.node[k]->final = 50;
		node_unlock(r.node[k]);
	}
	reaches(&r, 50);
	rig_end(&r);
}

static unsigned gaps;
static uint64_t due_head;

static bool upheld(struct rig *r)
{
	gaps += !pool_upheld(r->pool);
	return r->head >= due_head;
}

/*
 * The followed one is slow with its answers, and final blocks come faster than
 * rounds end: there is no moment when nobody is known to have the anchor.
 */
static void test_anchor_moves_within_a_round(void **state)
{
	struct rig r;

	(void)state;
	begin_anchored(&r);
	gaps = 0;
	for (unsigned k = 0; k < 24; k++) {
		for (unsigned i = 0; i < 3; i++) {
			node_lock(r.node[i]);
			r.node[i]->delay_ms = i ? 15 : 30;
			node_unlock(r.node[i]);
			node_mine(r.node[i], 1);
		}
		due_head = r.node[0]->head;
		assert_true(run(&r, upheld));
	}
	assert_int_equal(gaps, 0);
	rig_end(&r);
}

/* --- inventions on the disk --- */

static uint64_t most_staged;

static bool staging(struct rig *r)
{
	uint64_t is = journal_staged_tip(r->journal, CHAIN_MEMBERS)->seq;

	if (is > most_staged)
		most_staged = is;
	return r->troubles > 0;
}

/* Operations that continue the chain as they should and do not exist. */
static void begin_flood(struct rig *r, unsigned nodes)
{
	rig_begin(r, nodes);
	for (unsigned k = 0; k < 20; k++)
		node_batches(r->node[0], 1);
	node_mine(r->node[0], 200);
	for (unsigned k = 1; k < nodes; k++)
		node_copy(r->node[k], r->node[0]);
	for (unsigned k = 0; k < nodes; k++)
		r->node[k]->range_limit = 50; /* staged after each */
	r->node[0]->flood = 500;
	r->node[0]->flood_block = 35;
	most_staged = 0;
}

static void test_flood(void **state)
{
	struct rig r;

	(void)state;
	begin_flood(&r, 1);
	rig_open(&r, NULL);
	assert_true(run(&r, staging));
	says(&r,
		"it gives members' operation 20, the contract has 20: logs are left out, "
		"altered or invented");
	says(&r, "endpoint a is not believed for 600 s");
	assert_true(most_staged <= 20);
	assert_int_equal(r.heads, 0);
	rig_end(&r);
}

/* Its tips have room for them: another endpoint says that they lie. */
static void test_flood_with_tips(void **state)
{
	struct rig r;

	(void)state;
	begin_flood(&r, 3);
	r.node[0]->seq_ahead = 1000000;
	r.node[1]->delay_ms = r.node[2]->delay_ms = 40;
	rig_open(&r, NULL);
	assert_true(run(&r, staging));
	says(&r, "endpoint a says something else about block");
	assert_true(most_staged <= 20);
	assert_true(run(&r, is_read));
	holds(&r, r.node[1]);
	rig_end(&r);
}

/* Who does not tell the tips for a while is out of order; he has not lied. */
static void test_tips_untold(void **state)
{
	struct rig r;

	(void)state;
	begin_chain(&r, 1);
	rig_open(&r, NULL);
	assert_true(run(&r, is_read));
	node_lock(r.node[0]);
	r.node[0]->no_tips = true;
	node_unlock(r.node[0]);
	node_batches(r.node[0], 1);
	hold(&r, 1500);
	says(&r, "it does not tell the contract's tips at block");
	assert_null(strstr(r.said, "left out, altered or invented"));
	assert_null(strstr(r.said, "is not believed"));
	rig_end(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alone),
		cmocka_unit_test(test_ahead),
		cmocka_unit_test(test_strange),
		cmocka_unit_test(test_two_liars),
		cmocka_unit_test(test_two_liars_followed),
		cmocka_unit_test(test_all_take_it_back),
		cmocka_unit_test(test_tags_go_back),
		cmocka_unit_test(test_anchor_moves_within_a_round),
		cmocka_unit_test(test_flood),
		cmocka_unit_test(test_flood_with_tips),
		cmocka_unit_test(test_tips_untold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
