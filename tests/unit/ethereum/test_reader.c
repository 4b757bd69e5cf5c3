/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reader with its pool and journal: ranges, the window, reorganisations,
 * restarts. What comes out is what the contract holds.
 */
#include "reader_rig.h"

#include <unistd.h>

/* --- nothing is wrong --- */

static void test_first_and_live(void **state)
{
	struct rig r;

	(void)state;
	rig_read(&r, 1);
	assert_int_equal(r.final, r.head - 6);
	for (unsigned k = 0; k < 10; k++) {
		node_batches(r.node[0], k % 3);
		if (k % 4 == 1)
			node_admin(r.node[0], OP_MEMBER_SET);
		assert_true(run(&r, is_read));
		holds(&r, r.node[0]);
	}
	assert_int_equal(r.undos, 0);
	assert_int_equal(r.troubles, 0);
	rig_end(&r);
}

static void test_without_block_hashes(void **state)
{
	struct rig r;

	(void)state;
	rig_begin(&r, 1);
	r.node[0]->no_by_hash = true;
	node_batches(r.node[0], 3);
	rig_open(&r, NULL);
	assert_true(run(&r, is_read));
	holds(&r, r.node[0]);
	rig_end(&r);
}

/* More than one round: far behind, first up to a block near the head. */
static void test_ranges_of_five(void **state)
{
	struct rig r;

	(void)state;
	rig_begin(&r, 1);
	for (unsigned k = 0; k < 60; k++) {
		node_batches(r.node[0], 1 + k % 4);
		node_mine(r.node[0], k % 5);
	}
	r.node[0]->range_limit = 5;
	rig_open(&r, NULL);
	assert_true(run(&r, is_read));
	holds(&r, r.node[0]);
	assert_int_equal(r.heads, 2);
	assert_int_equal(r.node[0]->widest, 5);
	/* 1 refusal in each round of a fresh limit, then none. */
	assert_true(r.node[0]->logs_asked < 2 * r.node[0]->head / 5 + 10);
	assert_int_equal(r.troubles, 0);
	rig_end(&r);
}

static void test_result_limit(void **state)
{
	struct rig r;

	(void)state;
	rig_begin(&r, 1);
	for (unsigned k = 0; k < 40; k++)
		node_batches(r.node[0], 4);
	r.node[0]->result_limit = 10;
	rig_open(&r, NULL);
	assert_true(run(&r, is_read));
	holds(&r, r.node[0]);
	assert_int_equal(r.troubles, 0);
	rig_end(&r);
}

/* One block that is too much: its chains apart; when that is too much, an error. */
static void test_a_block_that_is_refused(void **state)
{
	struct rig r;

	(void)state;
	rig_begin(&r, 1);
	rig_open(&r, NULL);
	assert_true(run(&r, is_read));
	r.node[0]->result_limit = 4;
	node_lock(r.node[0]);
	r.node[0]->head++;
	for (unsigned k = 0; k < 4; k++)
		history_batch(&r.node[0]->history, r.node[0]->head, k,
			node_time(r.node[0], r.node[0]->head));
	history_admin(&r.node[0]->history, OP_MEMBER_SET, r.node[0]->head, 9,
		node_time(r.node[0], r.node[0]->head));
	node_unlock(r.node[0]);
	assert_true(run(&r, is_read));
	holds(&r, r.node[0]);
	assert_int_equal(r.troubles, 0);
	node_batches(r.node[0], 5);
	hold(&r, 500);
	says(&r, "refuses eth_getLogs even for block 12 alone");
	assert_int_equal(r.head, 11);
	rig_end(&r);
}

static void test_repeated_and_reversed(void **state)
{
	struct rig r;

	(void)state;
	rig_begin(&r, 1);
	for (unsigned k = 0; k < 10; k++)
		node_batches(r.node[0], 3);
	r.node[0]->repeat = 7;
	r.node[0]->reversed = true;
	rig_open(&r, NULL);
	assert_true(run(&r, is_read));
	node_batches(r.node[0], 3);
	assert_true(run(&r, is_read));
	holds(&r, r.node[0]);
	assert_int_equal(r.troubles, 0);
	rig_end(&r);
}

static void test_cut_and_limited(void **state)
{
	struct rig r;

	(void)state;
	rig_begin(&r, 1);
	for (unsigned k = 0; k < 10; k++)
		node_batches(r.node[0], 3);
	r.node[0]->cut = 3;
	rig_open(&r, NULL);
	assert_true(run(&r, is_read));
	node_lock(r.node[0]);
	r.node[0]->limited = 2;
	node_unlock(r.node[0]);
	node_batches(r.node[0], 3);
	assert_true(run(&r, is_read));
	holds(&r, r.node[0]);
	rig_end(&r);
}

/* --- the window --- */

/* Blocks of 20,000 s: max_ttl is some thirty blocks. */
static void window_rig(struct rig *r, unsigned batches, unsigned empty)
{
	rig_begin(r, 1);
	r->node[0]->spacing = 20000;
	for (unsigned k = 0; k < batches; k++) {
		node_batches(r->node[0], 2);
		if (k % 10 == 5)
			node_admin(r->node[0], OP_MEMBER_SET);
	}
	node_mine(r->node[0], empty);
	rig_open(r, NULL);
}

/* What of the history is in the journal: all administrative, young members'. */
static void holds_window(const struct rig *r, unsigned members)
{
	const struct history *h = &r->node[0]->history;
	struct history_entry *list = calloc(h->n, sizeof *list);
	struct history part = {.list = list};
	unsigned skip = (unsigned)h->tip[CHAIN_MEMBERS].seq - members, seen = 0;
	struct walk w = {&part, 0};
	struct tip before;
	uint32_t since;

	for (unsigned k = 0; k < h->n; k++)
		if (h->list[k].chain == CHAIN_ADMIN || seen++ >= skip)
			list[part.n++] = h->list[k];
	assert_int_equal(journal_replay(r->journal, compare, &w, NULL), 0);
	assert_int_equal(w.at, part.n);
	assert_true(journal_window(r->journal, &before, &since, NULL));
	assert_int_equal(before.seq, skip);
	assert_true(since <= r->now - MAX_TTL);
	assert_memory_equal(journal_tip(r->journal, CHAIN_MEMBERS)->hash,
		h->tip[CHAIN_MEMBERS].hash, HASH_SIZE);
	free(list);
}

static void test_window(void **state)
{
	struct rig r;

	(void)state;
	window_rig(&r, 90, 3);
	assert_true(run(&r, is_read));
	/* 604,800 s and a little: 30 blocks back from the head, 3 of them empty,
	 * 3 with administrative operations. */
	holds_window(&r, 2 * (31 - 3 - 3));
	node_batches(r.node[0], 1);
	assert_true(run(&r, is_read));
	holds_window(&r, 2 * (31 - 3 - 3) + 1);
	assert_int_equal(r.troubles, 0);
	rig_end(&r);
}

static void test_window_without_events(void **state)
{
	struct rig r;

	(void)state;
	window_rig(&r, 20, 100);
	assert_true(run(&r, is_read));
	holds_window(&r, 0);
	node_batches(r.node[0], 3);
	assert_true(run(&r, is_read));
	holds_window(&r, 3);
	assert_int_equal(r.troubles, 0);
	rig_end(&r);
}

/* The first of the window is left out: the one before it is too young. */
static void test_window_shortened(void **state)
{
	struct rig r;

	(void)state;
	window_rig(&r, 60, 0);
	/* Both batches of the window's first block but one. */
	for (unsigned k = 0; k < r.node[0]->history.n; k++)
		if (r.node[0]->history.list[k].chain == CHAIN_MEMBERS &&
			r.node[0]->history.list[k].block == r.node[0]->head - 30) {
			r.node[0]->omit = (int)k;
			break;
		}
	assert_true(r.node[0]->omit > 0);
	hold(&r, 1500);
	says(&r, "endpoint a is not believed for 600 s");
	says(&r, "which stands there");
	assert_int_equal(r.heads, 0);
	rig_end(&r);
}

static void test_window_before_is_pruned(void **state)
{
	struct rig r;

	(void)state;
	window_rig(&r, 60, 0);
	r.node[0]->pruned = 40;
	hold(&r, 800);
	says(&r, "pruned history unavailable");
	assert_int_equal(r.heads, 0);
	rig_end(&r);
}

/* --- reorganisations --- */

static void reorganise(unsigned depth, bool silent)
{
	uint64_t from;
	struct rig r;

	rig_begin(&r, 1);
	for (unsigned k = 0; k < 20; k++)
		node_batches(r.node[0], 1);
	rig_open(&r, NULL);
	assert_true(run(&r, is_read));
	for (unsigned k = 0; k < depth; k++) {
		node_batches(r.node[0], 2);
		assert_true(run(&r, is_read));
	}
	from = r.node[0]->head - depth + 1;
	node_fork(r.node[0], from);
	/* Silent: back first, and nobody is told. */
	if (silent) {
		r.node[0]->head = from - 1;
		hold(&r, 200);
		assert_int_equal(r.undos, 0);
		node_mine(r.node[0], depth);
	}
	node_batches(r.node[0], 1);
	assert_true(run(&r, is_read));
	assert_int_equal(r.undos, 1);
	assert_int_equal(r.undone, from);
	holds(&r, r.node[0]);
	node_batches(r.node[0], 1);
	assert_true(run(&r, is_read));
	holds(&r, r.node[0]);
	rig_end(&r);
}

static void test_reorganisations(void **state)
{
	(void)state;
	reorganise(1, false);
	reorganise(12, false);
	reorganise(3, true);
}

/* The same height, other content. */
static void test_reorganised_in_place(void **state)
{
	struct rig r;

	(void)state;
	rig_read(&r, 1);
	node_fork(r.node[0], r.node[0]->head);
	r.head = 0;
	assert_true(run(&r, is_read));
	assert_int_equal(r.undos, 1);
	holds(&r, r.node[0]);
	rig_end(&r);
}

/* Below all that is kept: it is read from the beginning. */
static void test_reorganised_whole(void **state)
{
	struct rig r;

	(void)state;
	rig_read(&r, 1);
	node_fork(r.node[0], 3);
	node_admin(r.node[0], OP_GENESIS);
	node_batches(r.node[0], 2);
	assert_true(run(&r, is_read));
	assert_int_equal(r.undos, 1);
	assert_int_equal(r.undone, 0);
	says(&r, "it is read from the beginning");
	holds(&r, r.node[0]);
	rig_end(&r);
}

static void test_reorganised_while_read(void **state)
{
	struct rig r;

	(void)state;
	rig_read(&r, 1);
	node_lock(r.node[0]);
	r.node[0]->fork_on_logs = true;
	r.node[0]->head++;
	history_batch(&r.node[0]->history, r.node[0]->head, 0,
		node_time(r.node[0], r.node[0]->head));
	node_unlock(r.node[0]);
	assert_true(run(&r, is_read));
	holds(&r, r.node[0]);
	assert_int_equal(r.undos, 0);
	rig_end(&r);
}

/* --- away, and back --- */

static void test_away_and_back(void **state)
{
	struct rig r;

	(void)state;
	rig_read(&r, 1);
	r.node[0]->down = true;
	node_batches(r.node[0], 2);
	hold(&r, 700);
	says(&r, "no endpoint can be used: what was verified stays");
	r.node[0]->down = false;
	assert_true(run(&r, is_read));
	says(&r, "+ endpoint a is followed");
	holds(&r, r.node[0]);
	rig_end(&r);
}

/* A restart goes on from the journal; a cut first reading goes on where it was. */
static void test_restart(void **state)
{
	char path[] = "/tmp/sipchain-reader-XXXXXX";
	struct rig r;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	unlink(path);
	rig_begin(&r, 1);
	for (unsigned k = 0; k < 60; k++)
		node_batches(r.node[0], 2);
	r.node[0]->range_limit = 5;
	r.node[0]->pruned = 0;
	rig_open(&r, path);
	/* Some ranges, no more. */
	r.node[0]->delay_ms = 20;
	hold(&r, 400);
	assert_int_equal(r.heads, 0);
	rig_close(&r);
	r.node[0]->delay_ms = 0;
	rig_open(&r, path);
	assert_true(run(&r, is_read));
	holds(&r, r.node[0]);
	rig_close(&r);
	r.node[0]->logs_asked = 0;
	node_batches(r.node[0], 1);
	rig_open(&r, path);
	assert_true(run(&r, is_read));
	holds(&r, r.node[0]);
	assert_true(r.node[0]->logs_asked <= 2);
	assert_int_equal(r.troubles, 0);
	rig_end(&r);
	unlink(path);
}

static void test_wrong_ledger(void **state)
{
	struct rig r;

	(void)state;
	rig_begin(&r, 1);
	rig_open(&r, NULL);
	r.settings.chain_id = 1;
	hold(&r, 200);
	says(&r, "it is of chain 1337, the ledger is on chain 1");
	rig_end(&r);
	rig_begin(&r, 1);
	rig_open(&r, NULL);
	r.settings.genesis[5] ^= 1;
	hold(&r, 200);
	says(&r, "its genesis is not the pinned one");
	rig_end(&r);
	rig_begin(&r, 1);
	rig_open(&r, NULL);
	r.settings.code_hash[5] ^= 1;
	hold(&r, 200);
	says(&r, "has another code than the pinned one");
	assert_int_equal(r.heads, 0);
	rig_end(&r);
}

/* A reorganisation from below where the journal begins: all is read anew. */
static void test_reorganised_before_the_window(void **state)
{
	struct rig r;
	uint64_t first;

	(void)state;
	rig_read(&r, 1);
	first = r.head;
	for (unsigned k = 0; k < 3; k++) {
		node_batches(r.node[0], 1);
		assert_true(run(&r, is_read));
	}
	assert_int_equal(journal_trim(r.journal, r.now + 1000, r.head, 100, NULL), 8);
	node_fork(r.node[0], first + 2);
	node_batches(r.node[0], 1);
	assert_true(run(&r, is_read));
	holds(&r, r.node[0]);
	assert_int_equal(r.undone, 0);
	assert_int_equal(r.undos, 1);
	assert_null(strstr(r.said, "is not believed"));
	rig_end(&r);
}

/* A number that no block has: the endpoint is at fault, not this machine. */
static void test_absurd_height(void **state)
{
	struct rig r;

	(void)state;
	rig_read(&r, 1);
	r.node[0]->claims = UINT64_MAX;
	hold(&r, 1200);
	says(&r, "endpoint a is not believed");
	says(&r, "18446744073709551615");
	rig_end(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_and_live),
		cmocka_unit_test(test_without_block_hashes),
		cmocka_unit_test(test_ranges_of_five),
		cmocka_unit_test(test_result_limit),
		cmocka_unit_test(test_a_block_that_is_refused),
		cmocka_unit_test(test_repeated_and_reversed),
		cmocka_unit_test(test_cut_and_limited),
		cmocka_unit_test(test_window),
		cmocka_unit_test(test_window_without_events),
		cmocka_unit_test(test_window_shortened),
		cmocka_unit_test(test_window_before_is_pruned),
		cmocka_unit_test(test_reorganisations),
		cmocka_unit_test(test_reorganised_in_place),
		cmocka_unit_test(test_reorganised_whole),
		cmocka_unit_test(test_reorganised_while_read),
		cmocka_unit_test(test_away_and_back),
		cmocka_unit_test(test_restart),
		cmocka_unit_test(test_wrong_ledger),
		cmocka_unit_test(test_reorganised_before_the_window),
		cmocka_unit_test(test_absurd_height),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
