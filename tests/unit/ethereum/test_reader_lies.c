/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reader against endpoints that lie and lag: what comes out is what the
 * contract holds, or nothing.
 */
#include "reader_rig.h"

/* --- lies --- */

struct lie {
	const char *name;
	void (*tell)(struct ledger_node *n);
	const char *said;
};

/* With the block's events, of which the last is a batch. */
static int last_of(const struct ledger_node *n)
{
	return (int)n->history.n - 1;
}

static void leave_out_last(struct ledger_node *n)
{
	n->omit = last_of(n);
}

static void leave_out_middle(struct ledger_node *n)
{
	n->omit = last_of(n) - 1;
}

static void alter_last(struct ledger_node *n)
{
	n->alter = last_of(n);
}

static void alter_middle(struct ledger_node *n)
{
	n->alter = last_of(n) - 1;
}

static void invent(struct ledger_node *n)
{
	n->invent = true;
}

static void wrong_tips(struct ledger_node *n)
{
	n->wrong_tips = true;
}

static const struct lie lies[] = {
	{"the last is left out", leave_out_last,
		"logs are left out, altered or invented"},
	{"one is left out", leave_out_middle, "left out or invented"},
	{"the last is altered", alter_last, "logs are left out, altered or invented"},
	{"one is altered", alter_middle, "an operation was altered"},
	{"one is invented", invent, "logs are left out, altered or invented"},
	{"the tips are wrong", wrong_tips, "logs are left out, altered or invented"},
};

/* One endpoint alone: nothing of the block is taken, and it is named. */
static void test_lies_live(void **state)
{
	(void)state;
	for (size_t k = 0; k < sizeof lies / sizeof *lies; k++) {
		struct ledger_node *n;
		struct rig r;
		uint64_t was;

		rig_read(&r, 1);
		n = r.node[0];
		was = r.head;
		node_lock(n);
		n->head++;
		for (unsigned i = 0; i < 3; i++)
			history_batch(&n->history, n->head, i, node_time(n, n->head));
		lies[k].tell(n);
		node_unlock(n);
		hold(&r, 1200);
		if (r.head != was)
			fail_msg("%s: taken", lies[k].name);
		says(&r, "endpoint a is not believed for 600 s");
		says(&r, lies[k].said);
		says(&r, "no endpoint can be used");
		assert_int_equal(journal_tip(r.journal, CHAIN_MEMBERS)->seq, 5);
		rig_end(&r);
	}
}

static void test_lies_first(void **state)
{
	(void)state;
	for (size_t k = 0; k < sizeof lies / sizeof *lies; k++) {
		struct rig r;

		rig_begin(&r, 1);
		for (unsigned i = 0; i < 5; i++)
			node_batches(r.node[0], 3);
		lies[k].tell(r.node[0]);
		rig_open(&r, NULL);
		hold(&r, 1200);
		assert_int_equal(r.heads, 0);
		says(&r, "endpoint a is not believed for 600 s");
		rig_end(&r);
	}
}

/* A block with two batches on every node, which stay locked. */
static void grow_all(struct rig *r)
{
	for (unsigned k = 0; k < r->nodes; k++) {
		struct ledger_node *n = r->node[k];

		node_lock(n);
		n->head++;
		history_batch(&n->history, n->head, 0, node_time(n, n->head));
		history_batch(&n->history, n->head, 1, node_time(n, n->head));
	}
}

static void unlock_all(struct rig *r)
{
	for (unsigned k = 0; k < r->nodes; k++)
		node_unlock(r->node[k]);
}

/* Another endpoint is taken, and all is read. */
static void test_lie_with_another(void **state)
{
	struct rig r;

	(void)state;
	rig_read(&r, 2);
	grow_all(&r);
	r.node[0]->omit = last_of(r.node[0]);
	unlock_all(&r);
	assert_true(run(&r, is_read));
	holds(&r, r.node[1]);
	says(&r, "endpoint a is not believed");
	rig_end(&r);
}

/* A liar whose logs and tips fit together: only the others can tell. */
static void test_consistent_liar(void **state)
{
	struct rig r;
	uint64_t was;

	(void)state;
	rig_read(&r, 3);
	was = r.head;
	grow_all(&r);
	r.node[0]->omit = last_of(r.node[0]);
	r.node[0]->consistent = true;
	unlock_all(&r);
	assert_true(run(&r, is_read));
	assert_int_equal(r.head, was + 1);
	holds(&r, r.node[1]);
	says(&r, "endpoint a says something else about block");
	assert_int_equal(r.undos, 0);
	rig_end(&r);
}

/* One against one: nothing new is taken, and that is said. */
static void test_one_against_one(void **state)
{
	struct rig r;
	uint64_t was;

	(void)state;
	rig_read(&r, 2);
	was = r.head;
	grow_all(&r);
	r.node[1]->omit = last_of(r.node[1]);
	r.node[1]->consistent = true;
	unlock_all(&r);
	hold(&r, 1000);
	assert_int_equal(r.head, was);
	says(&r, "the endpoints say different things and none can be told right");
	/* It thinks better of it. */
	node_lock(r.node[1]);
	r.node[1]->omit = -1;
	node_unlock(r.node[1]);
	assert_true(run(&r, is_read));
	holds(&r, r.node[0]);
	says(&r, "+ endpoint a is followed");
	rig_end(&r);
}

/* A liar cannot take back what was delivered: the others do not know the fork. */
static void test_invented_reorganisation(void **state)
{
	struct rig r;

	(void)state;
	rig_read(&r, 3);
	node_fork(r.node[0], r.node[0]->head - 2);
	node_mine(r.node[0], 1);
	hold(&r, 1200);
	assert_int_equal(r.undos, 0);
	says(&r, "endpoint a says something else about block");
	holds(&r, r.node[1]);
	rig_end(&r);
}

/* Blocks that nobody else knows, with an operation that was never made. */
static void test_invented_blocks(void **state)
{
	struct rig r;
	uint64_t was;

	(void)state;
	rig_read(&r, 3);
	was = r.head;
	for (unsigned k = 0; k < 8; k++)
		node_batches(r.node[0], 1);
	hold(&r, 1500);
	assert_int_equal(r.head, was);
	says(&r, "endpoint a says something else about block");
	holds(&r, r.node[1]);
	rig_end(&r);
	/* One against one it is not taken while the other may come to know it. */
	rig_read(&r, 2);
	was = r.head;
	node_batches(r.node[0], 1);
	hold(&r, 700);
	assert_int_equal(r.head, was);
	node_copy(r.node[1], r.node[0]);
	assert_true(run(&r, is_read));
	holds(&r, r.node[0]);
	assert_int_equal(r.troubles, 0);
	rig_end(&r);
}

static void test_laggard(void **state)
{
	struct rig r;

	(void)state;
	rig_read(&r, 3);
	for (unsigned k = 1; k < 3; k++) {
		node_mine(r.node[k], 7);
		node_batches(r.node[k], 2);
	}
	hold(&r, 1200);
	assert_int_equal(r.head, r.node[1]->head);
	holds(&r, r.node[1]);
	says(&r, "endpoint a is behind the others");
	node_copy(r.node[0], r.node[1]);
	hold(&r, 300);
	says(&r, "+ endpoint a has caught up");
	rig_end(&r);
}

/* A witness that takes its time does not hold what is new up for long. */
static void test_slow_witness(void **state)
{
	struct rig r;

	(void)state;
	rig_read(&r, 2);
	r.node[1]->delay_ms = 600;
	for (unsigned k = 0; k < 4; k++) {
		node_batches(r.node[0], 1);
		node_copy(r.node[1], r.node[0]);
		assert_true(run(&r, is_read));
	}
	holds(&r, r.node[0]);
	rig_end(&r);
}

/* The only event of a block is left out, tips and all: the others tell. */
static void test_only_event_left_out(void **state)
{
	struct rig r;

	(void)state;
	rig_read(&r, 3);
	for (unsigned k = 0; k < r.nodes; k++) {
		node_lock(r.node[k]);
		r.node[k]->head++;
		history_batch(&r.node[k]->history, r.node[k]->head, 0,
			node_time(r.node[k], r.node[k]->head));
	}
	r.node[0]->omit = last_of(r.node[0]);
	r.node[0]->consistent = true;
	unlock_all(&r);
	assert_true(run(&r, is_read));
	holds(&r, r.node[1]);
	says(&r, "endpoint a says something else about block");
	assert_int_equal(r.undos, 0);
	rig_end(&r);
}

static bool is_alone(struct rig *r)
{
	return pool_followed(r->pool) == pool_rpc(r->pool, 0) && !pool_witnesses(r->pool);
}

static bool holds_operations(struct rig *r)
{
	const struct tip *is = journal_tip(r->journal, CHAIN_MEMBERS);
	const struct tip *due = &r->node[1]->history.tip[CHAIN_MEMBERS];

	return is->seq == due->seq && !memcmp(is->hash, due->hash, HASH_SIZE);
}

/*
 * While no other endpoint answers, a liar leaves an event out. Later two others
 * are there: they are believed, not what is in the journal.
 */
static void test_lie_is_mended(void **state)
{
	struct rig r;

	(void)state;
	rig_read(&r, 3);
	r.node[1]->down = r.node[2]->down = true;
	assert_true(run(&r, is_alone));
	for (unsigned k = 0; k < r.nodes; k++) {
		node_lock(r.node[k]);
		r.node[k]->head++;
		history_batch(&r.node[k]->history, r.node[k]->head, 0,
			node_time(r.node[k], r.node[k]->head));
	}
	r.node[0]->omit = last_of(r.node[0]);
	r.node[0]->consistent = true;
	unlock_all(&r);
	assert_true(run(&r, is_read));
	assert_false(holds_operations(&r));
	for (unsigned k = 0; k < r.nodes; k++)
		node_mine(r.node[k], 1);
	r.node[1]->down = r.node[2]->down = false;
	if (!run(&r, holds_operations))
		fail_msg("not mended: %s", r.said);
	assert_true(run(&r, is_read));
	holds(&r, r.node[1]);
	assert_int_equal(r.undos, 1);
	assert_int_equal(r.undone, 0);
	says(&r, "endpoint a says something else about block");
	says(&r, "not what the contract held");
	assert_null(strstr(r.said, "endpoint b is not believed"));
	assert_null(strstr(r.said, "endpoint c is not believed"));
	rig_end(&r);
}

/* A liar alone cannot have the journal thrown away by denying what it holds. */
static void test_denial_is_not_mended(void **state)
{
	struct rig r;
	uint64_t was;

	(void)state;
	rig_read(&r, 2);
	was = journal_tip(r.journal, CHAIN_MEMBERS)->seq;
	node_lock(r.node[0]);
	r.node[0]->omit = last_of(r.node[0]);
	r.node[0]->consistent = true;
	node_unlock(r.node[0]);
	node_mine(r.node[0], 1);
	node_mine(r.node[1], 1);
	hold(&r, 1500);
	says(&r, "none can be told right");
	assert_int_equal(r.undos, 0);
	assert_int_equal(journal_tip(r.journal, CHAIN_MEMBERS)->seq, was);
	rig_end(&r);
}

/* The witness comes to know a block only after its logs have been read slowly. */
static void test_witness_learns_late(void **state)
{
	struct rig r;
	unsigned asked;

	(void)state;
	rig_read(&r, 2);
	r.node[0]->range_limit = 1;
	r.node[0]->delay_ms = 200;
	node_lock(r.node[0]);
	for (unsigned k = 0; k < 4; k++) {
		r.node[0]->head++;
		history_batch(&r.node[0]->history, r.node[0]->head, 0,
			node_time(r.node[0], r.node[0]->head));
	}
	asked = r.node[0]->logs_asked;
	node_unlock(r.node[0]);
	hold(&r, 2500);
	assert_true(r.node[0]->logs_asked >= asked + 4);
	node_copy(r.node[1], r.node[0]);
	assert_true(run(&r, is_read));
	holds(&r, r.node[0]);
	rig_end(&r);
}

/* The witness is two blocks behind, always: what it knows is taken. */
static uint64_t next_step;

static bool trailed(struct rig *r)
{
	if (uv_now(&r->loop) < next_step)
		return r->head >= 25;
	next_step = uv_now(&r->loop) + 350;
	node_batches(r->node[0], 1);
	if (r->node[0]->head > r->node[1]->head + 2)
		node_batches(r->node[1], 1);
	return r->head >= 25;
}

static void test_witness_trails(void **state)
{
	struct rig r;

	(void)state;
	rig_read(&r, 2);
	assert_true(r.head < 22);
	next_step = 0;
	assert_true(run(&r, trailed));
	assert_int_equal(r.undos, 0);
	assert_int_equal(r.troubles, 0);
	rig_end(&r);
}

/* Who is slow is heard all the same, when nobody else answers. */
static void test_slow_witness_is_heard(void **state)
{
	struct rig r;
	uint64_t was;

	(void)state;
	rig_read(&r, 2);
	was = r.head;
	r.node[1]->delay_ms = 700;
	grow_all(&r);
	r.node[0]->omit = last_of(r.node[0]);
	r.node[0]->consistent = true;
	unlock_all(&r);
	hold(&r, 6000);
	if (r.head != was)
		fail_msg("taken: %s", r.said);
	says(&r, "the endpoints say different things and none can be told right");
	rig_end(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lies_live),
		cmocka_unit_test(test_lies_first),
		cmocka_unit_test(test_lie_with_another),
		cmocka_unit_test(test_consistent_liar),
		cmocka_unit_test(test_one_against_one),
		cmocka_unit_test(test_invented_reorganisation),
		cmocka_unit_test(test_invented_blocks),
		cmocka_unit_test(test_laggard),
		cmocka_unit_test(test_slow_witness),
		cmocka_unit_test(test_only_event_left_out),
		cmocka_unit_test(test_lie_is_mended),
		cmocka_unit_test(test_denial_is_not_mended),
		cmocka_unit_test(test_witness_learns_late),
		cmocka_unit_test(test_witness_trails),
		cmocka_unit_test(test_slow_witness_is_heard),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
