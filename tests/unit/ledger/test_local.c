/* SPDX-License-Identifier: Apache-2.0 */
/* The local ledger's file: making, opening, appending, reading, the window. */
#include "local_fixture.h"

#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>
#include <sys/wait.h>

static void run_sql(const char *path, const char *sql)
{
	sqlite3 *db;
	char *text = NULL;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, &text) != SQLITE_OK)
		fail_msg("%s: %s", sql, text);
	sqlite3_close(db);
}

static void assert_mode(const char *path, mode_t mode)
{
	struct stat st;

	if (stat(path, &st))
		fail_msg("%s is missing", path);
	assert_int_equal(st.st_mode & 07777, mode);
}

static void test_create(void **state)
{
	static const char *const siblings[] = {"l", "l-wal", "l-shm", "l-bell"};
	mode_t old = umask(077);
	struct local *l;
	struct error err = {0};
	struct ledger_config config = config_default();

	(void)state;
	create(in_folder("l"), T0);
	umask(old);
	/* All are there from the start and the group's, whatever the umask. */
	for (size_t k = 0; k < 4; k++)
		assert_mode(in_folder(siblings[k]), 0660);
	l = open_local(in_folder("l"), true, T0);
	assert_memory_equal(registry_owner(local_registry(l)),
		signer_address(signer_of(OWNER)), ADDRESS20);
	assert_memory_equal(registry_guardian(local_registry(l)),
		signer_address(signer_of(GUARDIAN)), ADDRESS20);
	assert_int_equal(registry_config(local_registry(l))->max_ttl, MAX_TTL);
	local_close(l);
	for (size_t k = 0; k < 4; k++)
		assert_mode(in_folder(siblings[k]), 0660);
	assert_int_equal(
		local_create(in_folder("l"), &config, signer_address(signer_of(GUARDIAN)),
			signer_of(OWNER), T0, &err),
		-1);
	assert_says(&err, "left over");
	unlink(in_folder("l-wal"));
	unlink(in_folder("l-shm"));
	unlink(in_folder("l-bell"));
	assert_int_equal(
		local_create(in_folder("l"), &config, signer_address(signer_of(GUARDIAN)),
			signer_of(OWNER), T0, &err),
		-1);
	assert_says(&err, "not overwritten");
	assert_int_equal(local_verify(in_folder("l"), NULL, NULL, &err), 1);
}

static void test_two_ledgers_have_two_ids(void **state)
{
	struct local *a, *b;

	(void)state;
	create(in_folder("a"), T0);
	create(in_folder("b"), T0);
	a = open_local(in_folder("a"), true, T0);
	b = open_local(in_folder("b"), true, T0);
	assert_memory_not_equal(registry_id(local_registry(a)),
		registry_id(local_registry(b)), HASH_SIZE);
	local_close(a);
	local_close(b);
}

static void test_create_fails(void **state)
{
	static const char *const siblings[] = {"l", "l-wal", "l-shm", "l-bell"};
	struct ledger_config config = config_default();
	struct error err = {0};

	(void)state;
	config.threshold = 0;
	assert_int_equal(
		local_create(in_folder("l"), &config, signer_address(signer_of(GUARDIAN)),
			signer_of(OWNER), T0, &err),
		-1);
	assert_says(&err, "(Config)");
	for (size_t k = 0; k < 4; k++)
		assert_int_equal(access(in_folder(siblings[k]), F_OK), -1);
	assert_int_equal(
		local_create(in_folder("none/l"), &config,
			signer_address(signer_of(GUARDIAN)), signer_of(OWNER), T0, &err),
		-1);
	assert_says(&err, "No such file");
}

static void assert_open_fails(const char *path, const char *text)
{
	struct error err = {0};
	struct local *l = local_open(path, true, T0, &err);

	assert_null(l);
	assert_says(&err, text);
	assert_says(&err, path);
}

static void test_open_fails(void **state)
{
	const char *path = in_folder("x");
	FILE *f;

	(void)state;
	assert_open_fails(path, "create the ledger first");
	f = fopen(path, "w");
	for (int k = 0; k < 1000; k++)
		fputs("this is not a database\n", f);
	fclose(f);
	assert_open_fails(path, "not a database");
	unlink(path);
	run_sql(path, "CREATE TABLE t (a)");
	assert_open_fails(path, "not a SIPchain ledger");
	unlink(path);

	path = in_folder("l");
	create(path, T0);
	run_sql(path, "PRAGMA user_version = 2");
	assert_open_fails(path, "ledger format 2, this program knows 1");
	run_sql(path, "PRAGMA user_version = 1");
	run_sql(path,
		"CREATE TRIGGER t AFTER INSERT ON operation BEGIN "
		"DELETE FROM operation; END");
	assert_open_fails(path, "unexpected object \"t\"");
	run_sql(path, "DROP TRIGGER t; CREATE VIEW v AS SELECT 1");
	assert_open_fails(path, "unexpected object \"v\"");
	run_sql(path, "DROP VIEW v; ALTER TABLE operation ADD COLUMN more TEXT");
	assert_open_fails(path, "unexpected object \"operation\"");
	run_sql(path, "DROP TABLE operation");
	assert_open_fails(path, "no table of operations");
}

static void test_open_fails_on_other_files(void **state)
{
	const char *path = in_folder("l");

	(void)state;
	create(path, T0);
	run_sql(path, "PRAGMA journal_mode = DELETE");
	assert_open_fails(path, "journal mode \"delete\"");
	run_sql(path, "PRAGMA journal_mode = WAL");
	unlink(in_folder("l-bell"));
	assert_int_equal(symlink("/dev/null", in_folder("l-bell")), 0);
	{
		struct error err = {0};

		assert_null(local_open(path, true, T0, &err));
		assert_says(&err, "l-bell");
	}
	unlink(in_folder("l-bell"));
	local_close(open_local(path, true, T0)); /* a missing bell is made anew */
	assert_mode(in_folder("l-bell"), 0660);
	run_sql(path, "DELETE FROM operation");
	assert_open_fails(path, "holds no operation");
}

static void test_append_and_read(void **state)
{
	const char *path = in_folder("l");
	struct local *a = begun(path, T0), *b = open_local(path, true, T0);
	struct tip tip;
	struct error err;
	struct one o;

	(void)state;
	assert_int_equal(append(a, one(&o, 1, 0, 7, T0 + 100), ALICE, T0 + 1), 0);
	assert_int_equal(o.op.seq, 0);
	assert_int_equal(o.op.time, T0 + 1);
	assert_memory_equal(o.op.actor, signer_address(signer_of(ALICE)), ADDRESS20);
	assert_int_equal(support_of(a, 7, T0 + 1), 1);
	assert_int_equal(support_of(b, 7, T0 + 1), 0);
	/* b does not have to read first: its append folds what a wrote. */
	assert_int_equal(append(b, one(&o, 2, 0, 7, T0 + 100), BOB, T0 + 2), 0);
	assert_int_equal(o.op.seq, 1);
	assert_int_equal(support_of(b, 7, T0 + 2), 2);
	assert_int_equal(local_read(a, NULL, NULL, &err), 1);
	assert_int_equal(local_read(a, NULL, NULL, &err), 0);
	assert_int_equal(support_of(a, 7, T0 + 2), 2);
	/* A clock that was set back does not stop the ledger. */
	assert_int_equal(append(a, one(&o, 1, 1, 8, T0 + 100), ALICE, T0 - 5000), 0);
	assert_int_equal(o.op.time, T0 + 2);
	for (int chain = 0; chain < 2; chain++) {
		assert_int_equal(local_tip(b, chain, &tip, &err), 0);
		assert_memory_equal(tip.hash,
			registry_tip(local_registry(a), chain)->hash, HASH_SIZE);
		assert_int_equal(tip.seq, 3);
	}
	local_close(a);
	local_close(b);
	assert_int_equal(local_verify(path, NULL, NULL, &err), 6);
}

static void test_refusals_write_nothing(void **state)
{
	const char *path = in_folder("l");
	struct local *l = begun(path, T0);
	struct operation op = {.type = OP_PAUSE};
	struct error err;
	struct one o;

	(void)state;
	assert_int_equal(
		append(l, one(&o, 1, 64, 7, T0 + 9), ALICE, T0), REFUSED_CELL_OVER_CAP);
	assert_int_equal(
		append(l, one(&o, 1, 0, 7, T0 + 9), STRANGER, T0), REFUSED_NOT_SIGNER);
	assert_int_equal(append(l, &op, BOB, T0), REFUSED_NOT_GUARDIAN);
	assert_int_equal(local_verify(path, NULL, NULL, &err), 3);
	assert_int_equal(append(l, &op, GUARDIAN, T0), 0);
	assert_int_equal(append(l, one(&o, 1, 0, 7, T0 + 9), ALICE, T0), REFUSED_PAUSED);
	assert_int_equal(local_verify(path, NULL, NULL, &err), 4);
	local_close(l);
}

static void test_busy(void **state)
{
	const char *path = in_folder("l");
	struct local *l = begun(path, T0);
	struct error err = {0};
	struct refusal why;
	struct one o;
	sqlite3 *other;

	(void)state;
	assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
	assert_int_equal(
		sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	l->busy_ms = 5;
	one(&o, 1, 0, 7, T0 + 9);
	assert_int_equal(local_append(l, &o.op, signer_of(ALICE), T0, &why, &err), -2);
	assert_says(&err, "another process holds the write lock");
	/* Reading goes on meanwhile, and writing afterwards. */
	assert_int_equal(local_read(l, NULL, NULL, &err), 0);
	sqlite3_close(other);
	assert_int_equal(append(l, &o.op, ALICE, T0), 0);
	local_close(l);
}

struct seen {
	unsigned n;
	uint64_t blocks[64];
	uint8_t tips[2][HASH_SIZE];
};

/* Each event carries its bytes and the tip before it. */
static void on_event(void *context, const struct ledger_event *event)
{
	struct seen *s = context;
	struct operation op;

	assert_int_equal(operation_decode(&op, event->bytes, NULL), 0);
	assert_int_equal(op.type, event->operation.type);
	assert_int_equal(op.seq, event->operation.seq);
	assert_int_equal(event->chain, operation_chain(op.type));
	assert_memory_equal(event->tip_before, s->tips[event->chain], HASH_SIZE);
	tip_advance(s->tips[event->chain], event->tip_before, event->bytes);
	s->blocks[s->n++] = event->block;
}

static void test_events(void **state)
{
	const char *path = in_folder("l");
	struct local *writer = begun(path, T0), *reader;
	struct seen all = {0}, rest = {0};
	struct error err;
	struct one o;

	(void)state;
	reader = open_local(path, true, T0);
	memcpy(rest.tips[CHAIN_ADMIN],
		registry_tip(local_registry(reader), CHAIN_ADMIN)->hash, HASH_SIZE);
	for (uint32_t k = 0; k < 5; k++)
		assert_int_equal(
			append(writer, one(&o, 1, k, (uint16_t)k, T0 + 9), ALICE, T0), 0);
	assert_int_equal(local_read(reader, on_event, &rest, &err), 5);
	assert_int_equal(rest.n, 5);
	for (unsigned k = 0; k < 5; k++)
		assert_int_equal(rest.blocks[k], 4 + k);
	assert_int_equal(local_export(path, on_event, &all, &err), 8);
	assert_int_equal(all.n, 8);
	assert_int_equal(all.blocks[0], 1);
	assert_memory_equal(all.tips, rest.tips, sizeof all.tips);
	assert_memory_equal(all.tips[0],
		registry_tip(local_registry(writer), CHAIN_MEMBERS)->hash, HASH_SIZE);
	local_close(writer);
	local_close(reader);
}

#define GROUP      12399
#define OTHER_USER 12345

/* Bob's node is another user of the ledger's group. */
static int append_as_other_user(const char *path)
{
	struct error err = {0};
	struct refusal why;
	struct local *l;
	struct one o;

	if (setgroups(0, NULL) || setgid(GROUP) || setuid(OTHER_USER))
		return 2;
	umask(077);
	l = local_open(path, true, T0, &err);
	if (!l ||
		local_append(
			l, one(&o, 2, 0, 7, T0 + 9), signer_of(BOB), T0, &why, &err)) {
		fprintf(stderr, "as another user: %s\n", err.text);
		return 1;
	}
	local_close(l);
	return 0;
}

static void test_two_users(void **state)
{
	const char *path = in_folder("l");
	struct error err;
	struct local *l;
	struct one o;

	(void)state;
	if (geteuid() != 0) {
		left_out("only root can become another user");
		return;
	}
	assert_int_equal(chown(folder, 0, GROUP), 0);
	assert_int_equal(chmod(folder, 02770), 0);
	local_close(begun(path, T0));
	signer_of(BOB);
	for (int k = 0; k < 2; k++) {
		pid_t pid = fork();
		int status;

		if (!pid)
			_exit(append_as_other_user(path));
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 0);
		l = open_local(path, true, T0);
		assert_int_equal(append(l, one(&o, 1, 0, 7, T0 + 9), ALICE, T0), 0);
		assert_int_equal(support_of(l, 7, T0), 2);
		local_close(l);
	}
	assert_int_equal(local_verify(path, NULL, NULL, &err), 7);
	assert_int_equal(chown(folder, 0, 0), 0);
	assert_int_equal(chmod(folder, 0700), 0);
}

/* --- the window --- */

/*
 * Reports of both members every 100 s, with administrative operations between
 * and both members' cells reused.
 */
static struct local *history(const char *path, unsigned steps)
{
	struct local *l = begun(path, T0);

	for (unsigned k = 0; k < steps; k++) {
		uint32_t now = T0 + 100 * k;
		struct one o;

		assert_int_equal(append(l, one(&o, 1, k % 40, (uint16_t)k, now + MAX_TTL),
					 ALICE, now),
			0);
		assert_int_equal(append(l,
					 one(&o, 2, k % 50, (uint16_t)(k / 2),
						 now + 50 * (1 + k % 60)),
					 BOB, now),
			0);
		if (k % 10 == 3) {
			struct operation op = {.type = OP_MEMBER_SET,
				.member = 1,
				.weight = (uint16_t)(1 + k),
				.cap = 64};

			assert_int_equal(append(l, &op, OWNER, now), 0);
		}
	}
	return l;
}

static void assert_same_now(
	const struct local *a, const struct local *b, uint32_t now, unsigned steps)
{
	for (int chain = 0; chain < 2; chain++) {
		const struct tip *x = registry_tip(local_registry(a), chain);
		const struct tip *y = registry_tip(local_registry(b), chain);

		assert_memory_equal(x->hash, y->hash, HASH_SIZE);
		assert_int_equal(x->seq, y->seq);
	}
	for (uint16_t k = 0; k < steps; k++)
		assert_int_equal(support_of(a, k, now), support_of(b, k, now));
	for (uint16_t m = 1; m <= 2; m++)
		for (uint32_t cell = 0; cell < 64; cell++) {
			struct report x, y;
			int live = registry_cell(local_registry(a), m, cell, now, &x);

			assert_int_equal(
				registry_cell(local_registry(b), m, cell, now, &y), live);
			if (!live)
				assert_memory_equal(
					&x.indicator, &y.indicator, INDICATOR_SIZE);
		}
}

static void test_window(void **state)
{
	const char *path = in_folder("l");
	unsigned steps = 120;
	uint32_t now = T0 + 100 * steps;
	struct local *whole = history(path, steps);
	struct error err;

	(void)state;
	/* Wherever the window begins, what is alive is the same. */
	for (uint32_t at = now - 300; at < now + MAX_TTL + 300; at += 77) {
		struct local *part = open_local(path, false, at);

		assert_true(part->windowed);
		assert_same_now(whole, part, at, steps);
		local_close(part);
	}
	/* A young ledger has nothing to skip. */
	{
		struct local *part = open_local(path, false, T0 + MAX_TTL);

		assert_false(part->windowed);
		local_close(part);
	}
	assert_true(local_verify(path, NULL, NULL, &err) > 0);
	local_close(whole);
}

static void test_append_through_a_window(void **state)
{
	const char *path = in_folder("l");
	unsigned steps = 80;
	uint32_t now = T0 + 100 * steps + MAX_TTL + 1000; /* all have died */
	struct local *whole = history(path, steps), *part;
	struct operation op = {.type = OP_MEMBER_SUSPEND, .member = 2};
	struct error err;
	struct one o;

	(void)state;
	part = open_local(path, false, now);
	assert_true(part->windowed);
	/* Counters of authors who did nothing in the window go on. */
	assert_int_equal(append(part, one(&o, 1, 0, 500, now + 9), ALICE, now), 0);
	assert_int_equal(append(part, one(&o, 1, 1, 501, now + 9), ALICE, now), 0);
	assert_int_equal(append(part, &op, OWNER, now), 0);
	assert_int_equal(append(part, &op, OWNER, now), REFUSED_MEMBER_NOT_ACTIVE);
	one(&o, 1, 2, 502, 0);
	o.word[31] = ACTION_SPEND;
	assert_int_equal(append(part, &o.op, ALICE, now), REFUSED_CELL_NOT_LIVE);
	assert_int_equal(local_read(whole, NULL, NULL, &err), 3);
	assert_same_now(whole, part, now, 600);
	assert_true(local_verify(path, NULL, NULL, &err) > 0);
	local_close(part);
	local_close(whole);
}

static void test_window_with_a_spend(void **state)
{
	const char *path = in_folder("l");
	struct local *whole = begun(path, T0), *part;
	struct error err;
	struct one o;

	(void)state;
	assert_int_equal(append(whole, one(&o, 1, 0, 7, T0 + MAX_TTL), ALICE, T0), 0);
	/* Spent inside the window, reported before it. */
	o.word[31] = ACTION_SPEND;
	assert_int_equal(append(whole, &o.op, ALICE, T0 + 1000), 0);
	part = open_local(path, false, T0 + MAX_TTL + 500);
	assert_true(part->windowed);
	assert_same_now(whole, part, T0 + MAX_TTL + 500, 10);
	assert_int_equal(local_read(part, NULL, NULL, &err), 0);
	local_close(part);
	local_close(whole);
}

/* A shorter max_ttl does not shorten words that were made before it. */
static void test_window_after_config(void **state)
{
	const char *path = in_folder("l");
	struct local *whole = begun(path, T0), *part;
	struct operation op = {.type = OP_CONFIG, .config = config_default()};
	uint32_t now = T0 + 1000;
	struct one o;

	(void)state;
	assert_int_equal(append(whole, one(&o, 1, 0, 7, T0 + MAX_TTL), ALICE, T0), 0);
	op.config.max_ttl = 60;
	assert_int_equal(append(whole, &op, OWNER, T0 + 1), 0);
	assert_int_equal(append(whole, one(&o, 1, 1, 8, T0 + 50), ALICE, T0 + 2), 0);
	part = open_local(path, false, now);
	assert_int_equal(support_of(part, 7, now), 1);
	assert_same_now(whole, part, now, 10);
	local_close(part);
	local_close(whole);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_create, clean_folder),
		cmocka_unit_test_teardown(test_two_ledgers_have_two_ids, clean_folder),
		cmocka_unit_test_teardown(test_create_fails, clean_folder),
		cmocka_unit_test_teardown(test_open_fails, clean_folder),
		cmocka_unit_test_teardown(test_open_fails_on_other_files, clean_folder),
		cmocka_unit_test_teardown(test_append_and_read, clean_folder),
		cmocka_unit_test_teardown(test_refusals_write_nothing, clean_folder),
		cmocka_unit_test_teardown(test_busy, clean_folder),
		cmocka_unit_test_teardown(test_events, clean_folder),
		cmocka_unit_test_teardown(test_two_users, clean_folder),
		cmocka_unit_test_teardown(test_window, clean_folder),
		cmocka_unit_test_teardown(test_append_through_a_window, clean_folder),
		cmocka_unit_test_teardown(test_window_with_a_spend, clean_folder),
		cmocka_unit_test_teardown(test_window_after_config, clean_folder),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
