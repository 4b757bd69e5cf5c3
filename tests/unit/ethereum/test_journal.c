/* SPDX-License-Identifier: Apache-2.0 */
/* The journal: what is staged, verified, undone, trimmed. */
#include "journal_fixture.h"

static void test_head_and_order(void **state)
{
	struct history h;
	struct journal *j = open_at(":memory:");
	uint8_t hash[HASH_SIZE], due[HASH_SIZE];
	struct tip tip;
	struct seen s;
	uint64_t number;
	uint32_t since;

	(void)state;
	small(&h);
	assert_false(journal_head(j, &number, hash));
	assert_false(journal_reach(j, CHAIN_MEMBERS, &number));
	assert_int_equal(journal_longest_ttl(j), 0);
	assert_int_equal(replayed(j, &s), 0);
	put_head(j, &h, 0, 3, 10);
	put_head(j, &h, 3, 7, 14);
	assert_true(journal_head(j, &number, hash));
	block_hash(due, 14);
	assert_int_equal(number, 14);
	assert_memory_equal(hash, due, HASH_SIZE);
	assert_int_equal(replayed(j, &s), 7);
	assert_int_equal(s.block[2], 10);
	assert_int_equal(s.chain[3], CHAIN_MEMBERS);
	assert_int_equal(s.chain[4], CHAIN_ADMIN);
	assert_int_equal(s.seq[5], 2);
	assert_int_equal(s.block[6], 13);
	assert_int_equal(journal_tip(j, CHAIN_MEMBERS)->seq, 4);
	assert_memory_equal(
		journal_tip(j, CHAIN_MEMBERS)->hash, h.tip[CHAIN_MEMBERS].hash, 32);
	assert_memory_equal(
		journal_tip(j, CHAIN_ADMIN)->hash, h.tip[CHAIN_ADMIN].hash, 32);
	assert_int_equal(journal_longest_ttl(j), MAX_TTL);
	assert_false(journal_window(j, &tip, &since, NULL));
	/* In memory there is no file that anything could come from again. */
	journal_release(j);
	assert_int_equal(replayed(j, &s), 7);
	/* In portions, from the middle, and stopped by the taker. */
	number = journal_cursor(11);
	memset(&s, 0, sizeof s);
	assert_int_equal(journal_next(j, &number, 2, see, &s, NULL), 2);
	assert_int_equal(s.block[0], 11);
	assert_int_equal(journal_next(j, &number, 64, see, &s, NULL), 2);
	assert_int_equal(s.n, 4);
	assert_int_equal(journal_next(j, &number, 64, see, &s, NULL), 0);
	memset(&s, 0, sizeof s);
	s.stop = 3;
	assert_int_equal(journal_replay(j, see, &s, NULL), 0);
	assert_int_equal(s.n, 3);
	journal_close(j);
	history_end(&h);
}

static void refuse(
	struct journal *j, const struct history *h, unsigned k, const char *text)
{

	assert_int_equal(add(j, h, k), -1);
	if (!strstr(why.text, text))
		fail_msg("\"%s\" does not say \"%s\"", why.text, text);
}

static void test_what_does_not_follow(void **state)
{
	struct journal *j = open_at(":memory:");
	struct ledger_event e;
	struct history h;

	(void)state;
	small(&h);
	put_head(j, &h, 0, 3, 10);
	OK(journal_begin(j, err));
	refuse(j, &h, 5, "members' operation 2 came where 1 is due");
	refuse(j, &h, 6, "left out or invented");
	/* Once more what is there passes, changed it does not. */
	OK(add(j, &h, 2));
	e = history_event(&h, 2);
	e.bytes = view_of(h.list[3].bytes.p, h.list[3].bytes.n);
	assert_int_equal(journal_event(j, &e, 0, err), -1);
	assert_non_null(strstr(why.text, "another operation stood at the same place"));
	/* An altered operation shows in the next one's tip. */
	h.list[3].tip_before[31] ^= 1;
	refuse(j, &h, 3, "an operation was altered");
	h.list[3].tip_before[31] ^= 1;
	/* What was verified up to block 10 was whole. */
	h.list[3].block = 10;
	h.list[3].index = 5;
	refuse(j, &h, 3, "stands in a block that was read to its end");
	/* An event cannot stand before the one it follows. */
	h.list[3].block = 11;
	h.list[3].index = 0;
	OK(add(j, &h, 3));
	OK(add(j, &h, 4));
	h.list[5].block = 10;
	refuse(j, &h, 5, "stands before the one it follows");
	h.list[5].block = 11;
	journal_rollback(j);
	OK(journal_begin(j, err));
	h.list[3].block = JOURNAL_BLOCK_MAX + 1;
	refuse(j, &h, 3, "no such place");
	h.list[3].block = 11;
	h.list[3].index = 0;
	OK(add(j, &h, 3));
	journal_rollback(j);
	assert_int_equal(journal_staged_tip(j, CHAIN_MEMBERS)->seq, 1);
	journal_close(j);
	history_end(&h);
}

/* What is staged is given to nobody, survives a restart up to its reach. */
static void test_staged(void **state)
{
	struct journal *j = open_at(path);
	struct history h;
	struct seen s;
	uint64_t number;

	(void)state;
	small(&h);
	put_head(j, &h, 0, 2, 8);
	OK(journal_begin(j, err));
	OK(add(j, &h, 2));
	OK(journal_set_reach(j, CHAIN_MEMBERS, 10, err));
	OK(add(j, &h, 3));
	OK(journal_commit(j, err));
	assert_int_equal(replayed(j, &s), 2);
	assert_int_equal(journal_tip(j, CHAIN_MEMBERS)->seq, 0);
	assert_int_equal(journal_staged_tip(j, CHAIN_MEMBERS)->seq, 2);
	journal_close(j);
	j = open_at(path);
	assert_true(journal_reach(j, CHAIN_MEMBERS, &number));
	assert_int_equal(number, 10);
	assert_true(journal_reach(j, CHAIN_ADMIN, &number));
	assert_int_equal(number, 8);
	assert_int_equal(journal_staged_tip(j, CHAIN_MEMBERS)->seq, 1);
	assert_int_equal(replayed(j, &s), 2);
	put_head(j, &h, 3, 7, 13);
	assert_int_equal(replayed(j, &s), 7);
	OK(journal_unstage(j, err));
	assert_int_equal(replayed(j, &s), 7);
	journal_close(j);
	history_end(&h);
	unlink(path);
}

static void test_unstage(void **state)
{
	struct journal *j = open_at(":memory:");
	struct history h;
	uint64_t number;

	(void)state;
	small(&h);
	OK(journal_begin(j, err));
	for (unsigned k = 0; k < 4; k++)
		OK(add(j, &h, k));
	OK(journal_set_reach(j, CHAIN_ADMIN, 9, err));
	OK(journal_commit(j, err));
	OK(journal_unstage(j, err));
	assert_false(journal_reach(j, CHAIN_ADMIN, &number));
	assert_int_equal(journal_staged_tip(j, CHAIN_ADMIN)->seq, 0);
	assert_int_equal(journal_longest_ttl(j), 0);
	put_head(j, &h, 0, 3, 10);
	OK(journal_begin(j, err));
	OK(add(j, &h, 3));
	OK(add(j, &h, 4));
	OK(journal_set_reach(j, CHAIN_ADMIN, 20, err));
	OK(journal_commit(j, err));
	OK(journal_unstage(j, err));
	assert_int_equal(journal_staged_tip(j, CHAIN_ADMIN)->seq, 2);
	assert_int_equal(journal_staged_tip(j, CHAIN_MEMBERS)->seq, 1);
	assert_true(journal_reach(j, CHAIN_ADMIN, &number));
	assert_int_equal(number, 10);
	journal_close(j);
	history_end(&h);
}

static void test_undo(void **state)
{
	struct journal *j = open_at(":memory:");
	uint8_t hash[HASH_SIZE];
	uint64_t number, blocks[8];
	struct history h;
	struct seen s;

	(void)state;
	small(&h);
	put_head(j, &h, 0, 2, 8);
	put_head(j, &h, 2, 3, 10);
	put_head(j, &h, 3, 6, 11);
	put_head(j, &h, 6, 7, 13);
	assert_int_equal(journal_blocks(j, blocks, 8), 4);
	assert_int_equal(blocks[0], 13);
	assert_int_equal(blocks[3], 8);
	assert_int_equal(journal_block(j, 12, hash), -1);
	assert_int_equal(journal_block(j, 11, hash), 0);
	assert_int_equal(be64_load(hash), 11);
	/* Block 12 is gone: 13 goes, the head is 11. */
	OK(journal_begin(j, err));
	OK(journal_undo(j, 12, err));
	OK(journal_commit(j, err));
	assert_true(journal_head(j, &number, hash));
	assert_int_equal(number, 11);
	assert_int_equal(be64_load(hash), 11);
	assert_int_equal(replayed(j, &s), 6);
	/* Undone and done anew in one transaction, which is then rolled back. */
	OK(journal_begin(j, err));
	OK(journal_undo(j, 11, err));
	assert_int_equal(journal_tip(j, CHAIN_MEMBERS)->seq, 1);
	h.list[3].block = 12;
	OK(add(j, &h, 3));
	journal_rollback(j);
	assert_int_equal(replayed(j, &s), 6);
	assert_int_equal(journal_tip(j, CHAIN_MEMBERS)->seq, 3);
	OK(journal_begin(j, err));
	OK(journal_undo(j, 11, err));
	OK(journal_commit(j, err));
	put_head(j, &h, 3, 4, 12);
	assert_int_equal(replayed(j, &s), 4);
	assert_int_equal(s.block[3], 12);
	/* Below all that is kept: nothing is left. */
	OK(journal_begin(j, err));
	OK(journal_undo(j, 8, err));
	OK(journal_commit(j, err));
	assert_false(journal_head(j, &number, hash));
	assert_int_equal(replayed(j, &s), 0);
	assert_int_equal(journal_longest_ttl(j), 0);
	put_head(j, &h, 0, 2, 8);
	assert_int_equal(replayed(j, &s), 2);
	journal_close(j);
	history_end(&h);
}

static void test_window_and_trim(void **state)
{
	struct journal *j = open_at(path);
	struct tip tip, before;
	struct history h;
	struct seen s;
	uint64_t block;
	uint32_t since;

	(void)state;
	small(&h);
	memcpy(before.hash, h.list[3].tip_before, HASH_SIZE);
	before.seq = 1;
	OK(journal_begin(j, err));
	OK(add(j, &h, 0));
	OK(add(j, &h, 1));
	OK(journal_set_window(j, &before, T_START + 105, 10, err));
	OK(add(j, &h, 3));
	OK(journal_commit(j, err));
	assert_int_equal(journal_set_window(j, &before, 1, 1, err), -1);
	put_head(j, &h, 4, 7, 13);
	assert_true(journal_window(j, &tip, &since, &block));
	assert_int_equal(tip.seq, 1);
	assert_int_equal(since, T_START + 105);
	assert_int_equal(block, 10);
	/* Nothing newer than final goes; at most max at once. */
	assert_int_equal(journal_trim(j, T_START + 120, 10, 10, err), 0);
	assert_int_equal(journal_trim(j, T_START + 120, 11, 1, err), 1);
	assert_int_equal(journal_trim(j, T_START + 120, 13, 10, err), 1);
	assert_int_equal(journal_trim(j, T_START + 120, 13, 10, err), 0);
	assert_int_equal(replayed(j, &s), 4);
	assert_int_equal(s.chain[2], CHAIN_ADMIN);
	assert_int_equal(s.seq[3], 3);
	assert_true(journal_window(j, &tip, &since, &block));
	assert_int_equal(tip.seq, 3);
	assert_memory_equal(tip.hash, h.list[6].tip_before, HASH_SIZE);
	assert_int_equal(since, T_START + 120);
	assert_int_equal(block, 11);
	/* All of them: the window is then the tip itself, also after a restart. */
	assert_int_equal(journal_trim(j, T_START + 131, 99, 10, err), 1);
	journal_close(j);
	j = open_at(path);
	assert_memory_equal(
		journal_tip(j, CHAIN_MEMBERS)->hash, h.tip[CHAIN_MEMBERS].hash, 32);
	assert_int_equal(journal_tip(j, CHAIN_MEMBERS)->seq, 4);
	history_batch(&h, 20, 0, T_START + 200);
	put_head(j, &h, 7, 8, 20);
	assert_int_equal(replayed(j, &s), 4);
	/* A reorganisation that takes the window's start forgets all. */
	OK(journal_begin(j, err));
	OK(journal_undo(j, 13, err));
	OK(journal_commit(j, err));
	assert_false(journal_head(j, &block, tip.hash));
	journal_close(j);
	history_end(&h);
	unlink(path);
}

static void test_old_hashes_go(void **state)
{
	struct journal *j = open_at(":memory:");
	uint8_t hash[HASH_SIZE];
	struct history h;

	(void)state;
	small(&h);
	put_head(j, &h, 0, 7, 13);
	put_head(j, &h, 0, 0, 100);
	put_head(j, &h, 0, 0, 100 + JOURNAL_BLOCKS);
	assert_int_equal(journal_trim(j, 0, 0, 10, NULL), 0);
	assert_int_equal(journal_block(j, 13, hash), -1);
	assert_int_equal(journal_block(j, 100, hash), 0);
	journal_close(j);
	history_end(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_head_and_order),
		cmocka_unit_test(test_what_does_not_follow),
		cmocka_unit_test(test_staged),
		cmocka_unit_test(test_unstage),
		cmocka_unit_test(test_undo),
		cmocka_unit_test(test_window_and_trim),
		cmocka_unit_test(test_old_hashes_go),
	};

	return run_in_folder(tests, sizeof tests / sizeof *tests);
}
