/* SPDX-License-Identifier: Apache-2.0 */
#include "../cmocka_all.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ledger/ethereum/sent.h"

static struct ethereum_settings settings = {.chain_id = 31337};

static struct journal *reopen(struct journal *j)
{
	struct error err;

	journal_close(j);
	j = journal_open(&settings, &err);
	if (!j)
		fail_msg("%s", err.text);
	if (sent_open(j, &err))
		fail_msg("%s", err.text);
	return j;
}

static int setup(void **state)
{
	snprintf(settings.journal, sizeof settings.journal, "sent-%ld.journal",
		(long)getpid());
	unlink(settings.journal);
	*state = reopen(NULL);
	return 0;
}

static int teardown(void **state)
{
	char name[300];

	journal_close(*state);
	unlink(settings.journal);
	snprintf(name, sizeof name, "%s-wal", settings.journal);
	unlink(name);
	return 0;
}

static struct sent row_of(uint8_t batch, uint8_t sender, uint64_t nonce, uint8_t hash)
{
	static const uint8_t raw[] = {0xf8, 1, 2, 3};
	struct sent row = {.ticket = batch, .nonce = nonce};

	memset(row.batch, batch, HASH_SIZE);
	memset(row.sender, sender, ADDRESS20);
	memset(row.hash, hash, HASH_SIZE);
	row.raw = view_of(raw, sizeof raw);
	return row;
}

static void add(struct journal *j, struct sent row)
{
	struct error err;

	if (sent_add(j, &row, &err))
		fail_msg("%s", err.text);
}

struct rows {
	struct sent row[16];
	uint8_t raw[16][8];
	int n;
};

static void collect(void *context, const struct sent *row)
{
	struct rows *r = context;

	assert_in_range(r->n, 0, 15);
	r->row[r->n] = *row;
	memcpy(r->raw[r->n], row->raw.p, row->raw.n < 8 ? row->raw.n : 8);
	r->n++;
}

static struct rows all(struct journal *j, uint8_t sender)
{
	struct rows r = {.n = 0};
	uint8_t address[ADDRESS20];
	struct error err;
	int n;

	memset(address, sender, sizeof address);
	n = sent_each(j, address, collect, &r, &err);
	if (n != r.n)
		fail_msg("%d of %d: %s", r.n, n, err.text);
	return r;
}

static int64_t highest(struct journal *j, uint8_t sender)
{
	uint8_t address[ADDRESS20];
	struct error err;
	int64_t nonce = -2;

	memset(address, sender, sizeof address);
	if (sent_nonce(j, address, &nonce, &err))
		fail_msg("%s", err.text);
	return nonce;
}

static void rows_survive_in_the_order_of_nonces(void **state)
{
	struct rows r;

	assert_int_equal(highest(*state, 0xaa), -1);
	assert_int_equal(all(*state, 0xaa).n, 0);
	add(*state, row_of(1, 0xaa, 7, 0x11));
	add(*state, row_of(2, 0xaa, 6, 0x12));
	add(*state, row_of(1, 0xaa, 7, 0x13));
	add(*state, row_of(3, 0xbb, 900, 0x14));
	*state = reopen(*state);
	r = all(*state, 0xaa);
	assert_int_equal(r.n, 3);
	assert_int_equal(r.row[0].nonce, 6);
	assert_int_equal(r.row[1].hash[0], 0x11);
	assert_int_equal(r.row[2].hash[31], 0x13);
	assert_true(r.row[1].id < r.row[2].id);
	assert_int_equal(r.row[1].ticket, 1);
	assert_int_equal(r.row[1].batch[31], 1);
	assert_int_equal(r.row[1].sender[19], 0xaa);
	assert_int_equal(r.row[1].raw.n, 4);
	assert_memory_equal(r.raw[1], "\xf8\x01\x02\x03", 4);
	assert_int_equal(r.row[1].block, 0);
	assert_false(r.row[1].told);
	assert_int_equal(highest(*state, 0xaa), 7);
	assert_int_equal(highest(*state, 0xbb), 900);
}

static void a_nonce_outlives_its_rows(void **state)
{
	struct sent row = row_of(1, 0xaa, 7, 0x11);
	struct error err;

	add(*state, row);
	assert_int_equal(sent_forget(*state, row.batch, &err), 0);
	*state = reopen(*state);
	assert_int_equal(all(*state, 0xaa).n, 0);
	assert_int_equal(highest(*state, 0xaa), 7);
	/* A lower one (a gap that is closed) does not bring it down. */
	add(*state, row_of(2, 0xaa, 3, 0x12));
	assert_int_equal(highest(*state, 0xaa), 7);
}

static void all_rows_of_a_batch_settle(void **state)
{
	struct sent row = row_of(1, 0xaa, 7, 0x11);
	struct error err;
	struct rows r;

	add(*state, row);
	add(*state, row_of(1, 0xaa, 7, 0x12));
	add(*state, row_of(2, 0xaa, 8, 0x13));
	assert_int_equal(sent_settle(*state, row.batch, 1234, 1700000000, &err), 0);
	*state = reopen(*state);
	r = all(*state, 0xaa);
	assert_int_equal(r.n, 3);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(r.row[i].block, 1234);
		assert_int_equal(r.row[i].settled, 1700000000);
		assert_false(r.row[i].told);
	}
	assert_int_equal(r.row[2].block, 0);
	assert_int_equal(sent_told(*state, row.batch, &err), 0);
	assert_true(all(*state, 0xaa).row[1].told);
	/* Asked for again: to be told again. */
	assert_int_equal(sent_ticket(*state, row.batch, 77, &err), 0);
	r = all(*state, 0xaa);
	assert_int_equal(r.row[0].ticket, 77);
	assert_int_equal(r.row[1].ticket, 77);
	assert_false(r.row[1].told);
	assert_int_equal(r.row[2].ticket, 2);
}

static void one_transaction_is_one_row(void **state)
{
	struct sent row = row_of(1, 0xaa, 7, 0x11);
	struct error err = {""};

	add(*state, row);
	row.nonce = 9;
	assert_int_equal(sent_add(*state, &row, &err), -1);
	assert_non_null(strstr(err.text, settings.journal));
	assert_int_equal(all(*state, 0xaa).n, 1);
	/* All or nothing: the nonce was not counted. */
	assert_int_equal(highest(*state, 0xaa), 7);
	row = row_of(1, 0xaa, UINT64_MAX, 0x19);
	assert_int_equal(sent_add(*state, &row, &err), -1);
}

/* Inside the reader's transaction it would be undone with it. */
static void not_while_events_are_written(void **state)
{
	struct sent row = row_of(1, 0xaa, 7, 0x11);
	struct error err = {""};

	assert_int_equal(journal_begin(*state, &err), 0);
	assert_int_equal(sent_add(*state, &row, &err), -1);
	assert_non_null(strstr(err.text, "events are being written"));
	assert_int_equal(sent_forget(*state, row.batch, &err), -1);
	journal_rollback(*state);
	assert_int_equal(sent_add(*state, &row, &err), 0);
	assert_int_equal(all(*state, 0xaa).n, 1);
}

static void a_damaged_row_is_named(void **state)
{
	uint8_t address[ADDRESS20];
	struct rows r = {.n = 0};
	struct error err = {""};

	add(*state, row_of(1, 0xaa, 7, 0x11));
	assert_int_equal(sqlite3_exec(journal_file(*state),
				 "UPDATE sent SET batch = x'00'", NULL, NULL, NULL),
		SQLITE_OK);
	memset(address, 0xaa, sizeof address);
	assert_int_equal(sent_each(*state, address, collect, &r, &err), -1);
	assert_non_null(strstr(err.text, "row 1 of sent transactions is damaged"));
}

/* What returned is on the disk, whatever happens to the process then. */
static void a_kill_keeps_what_was_added(void **state)
{
	int status;
	pid_t child;

	journal_close(*state);
	*state = NULL;
	child = fork();
	assert_true(child >= 0);
	if (!child) {
		struct error err;
		struct journal *j = journal_open(&settings, &err);
		struct sent row = row_of(1, 0xaa, 7, 0x11);

		if (j && !sent_open(j, &err) && !sent_add(j, &row, &err))
			kill(getpid(), SIGKILL);
		_exit(1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	*state = reopen(NULL);
	assert_int_equal(all(*state, 0xaa).n, 1);
	assert_int_equal(highest(*state, 0xaa), 7);
}

/* A key was changed while batches were open: how many, and whose. */
static void what_another_key_left_open(void **state)
{
	struct journal *j = *state;
	uint8_t me[ADDRESS20], other[ADDRESS20] = {0}, hash[HASH_SIZE];
	struct error err;

	memset(me, 0xaa, ADDRESS20);
	memset(hash, 2, HASH_SIZE);
	add(j, row_of(1, 0xaa, 7, 0x11));
	assert_int_equal(sent_strangers(j, me, other, &err), 0);
	add(j, row_of(2, 0xbb, 1, 0x12));
	add(j, row_of(2, 0xbb, 1, 0x13)); /* its raise */
	add(j, row_of(3, 0xbb, 2, 0x14));
	assert_int_equal(sent_strangers(j, me, other, &err), 2);
	assert_int_equal(other[0], 0xbb);
	/* The same batch, settled by this key. */
	add(j, row_of(2, 0xaa, 8, 0x15));
	assert_int_equal(sent_settle(j, hash, 100, 1700000000, &err), 0);
	assert_int_equal(sent_strangers(j, me, other, &err), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			rows_survive_in_the_order_of_nonces, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_nonce_outlives_its_rows, setup, teardown),
		cmocka_unit_test_setup_teardown(
			all_rows_of_a_batch_settle, setup, teardown),
		cmocka_unit_test_setup_teardown(
			one_transaction_is_one_row, setup, teardown),
		cmocka_unit_test_setup_teardown(
			not_while_events_are_written, setup, teardown),
		cmocka_unit_test_setup_teardown(a_damaged_row_is_named, setup, teardown),
		cmocka_unit_test_setup_teardown(
			what_another_key_left_open, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_kill_keeps_what_was_added, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
