/* SPDX-License-Identifier: Apache-2.0 */
/* Opening a store: whose file it is, its mode, its lock, its version. */
#include "fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "store/audit.h"
#include "store/offences.h"
#include "store/schema.h"

static void test_new_file(void **state)
{
	struct fixture *f = *state;
	struct stat st;

	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_string_equal(store_path(f->store), f->path);
	assert_true(store_bytes(f->store) >= 4096);
	/* Opening again finds it as it was. */
	fixture_reopen(f);
}

static void test_wal_is_private(void **state)
{
	struct fixture *f = *state;
	struct audit_entry e = {.time = 1, .action = "x"};
	char wal[96];
	struct stat st;

	OK(audit_add(f->store, &e, &err));
	snprintf(wal, sizeof(wal), "%s-wal", f->path);
	assert_int_equal(stat(wal, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_true(st.st_size > 0);
	/* Exclusive locking: nothing is shared, so there is no -shm. */
	snprintf(wal, sizeof(wal), "%s-shm", f->path);
	assert_int_equal(stat(wal, &st), -1);
}

static void test_mode_corrected(void **state)
{
	struct fixture *f = *state;
	struct stat st;

	store_close(f->store);
	f->store = NULL;
	assert_int_equal(chmod(f->path, 0644), 0);
	fixture_reopen(f);
	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

/* The whole text of a refused open. */
static void refused(const char *path, const char *expected)
{
	char text[400];

	assert_null(store_open(path, &err));
	snprintf(text, sizeof(text), "store %s: %s", path, expected);
	assert_string_equal(err.text, text);
}

static void test_no_directory(void **state)
{
	(void)state;
	refused("/nonexistent/place/node.db",
		"its directory does not exist; make it, "
		"owned by the user of the role node, mode 0700");
}

static void test_not_regular(void **state)
{
	struct fixture *f = *state;

	refused(f->directory, "is not a regular file");
}

static void test_not_a_database(void **state)
{
	struct fixture *f = *state;
	char junk[4096];
	int fd;

	memset(junk, 'x', sizeof(junk));
	store_close(f->store);
	f->store = NULL;
	fd = open(f->path, O_WRONLY | O_TRUNC);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, junk, sizeof(junk)), sizeof(junk));
	close(fd);
	refused(f->path,
		"is not an SQLite database; choose another path, or move the "
		"file away");
}

static void execute(const char *path, const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* Another program's database is refused and left byte for byte as it was. */
static void test_foreign(void **state)
{
	struct fixture *f = *state;
	char before[16384], after[16384];
	ssize_t n;
	int fd;

	store_close(f->store);
	f->store = NULL;
	assert_int_equal(unlink(f->path), 0);
	execute(f->path, "CREATE TABLE calls (id INTEGER); INSERT INTO calls VALUES (1)");
	assert_int_equal(chmod(f->path, 0600), 0);
	fd = open(f->path, O_RDONLY);
	n = read(fd, before, sizeof(before));
	close(fd);
	assert_true(n > 0);
	refused(f->path,
		"is another program's database (application id 0x00000000, "
		"1 tables and indexes); choose another path");
	fd = open(f->path, O_RDONLY);
	assert_int_equal(read(fd, after, sizeof(after)), n);
	close(fd);
	assert_memory_equal(before, after, (size_t)n);
	execute(f->path, "PRAGMA application_id = 252006674");
	refused(f->path,
		"is another program's database (application id 0x0f055112, "
		"1 tables and indexes); choose another path");
}

static void test_newer(void **state)
{
	struct fixture *f = *state;

	store_close(f->store);
	f->store = NULL;
	execute(f->path, "PRAGMA user_version = 900");
	refused(f->path,
		"was written by a newer SIPchain (tables of version 900, this "
		"program knows 7); start that one, or restore a copy made before the "
		"upgrade");
}

static void test_one_process(void **state)
{
	struct fixture *f = *state;
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		struct store *s = store_open(f->path, &err);

		_exit(s == NULL && strstr(err.text, "is in use by another process") ? 7 :
										      1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 7);
	/* And the one who has it still can write. */
	OK(audit_add(f->store, &(struct audit_entry){.time = 1, .action = "x"}, &err));
}

/* --- migrations, with steps of the test's own --- */

static const struct migration steps[] = {
	{"first", "CREATE TABLE a (x INTEGER) STRICT; INSERT INTO a VALUES (1)"},
	{"second", "ALTER TABLE a ADD COLUMN y INTEGER; UPDATE a SET y = x + 1"},
	{"broken", "CREATE TABLE b (x INTEGER) STRICT; INSERT INTO nowhere VALUES (1)"},
};

static int number(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *q;
	int value;

	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &q, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(q), SQLITE_ROW);
	value = sqlite3_column_int(q, 0);
	sqlite3_finalize(q);
	return value;
}

static void test_migrate(void **state)
{
	sqlite3 *db;

	(void)state;
	assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
	OK(schema_migrate(db, steps, 1, &err));
	assert_int_equal(number(db, "PRAGMA user_version"), 1);
	assert_int_equal(number(db, "PRAGMA application_id"), SCHEMA_APPLICATION);
	/* Again: nothing runs twice. */
	OK(schema_migrate(db, steps, 1, &err));
	assert_int_equal(number(db, "SELECT count(*) FROM a"), 1);
	/* From 1 to 2, with what 1 held. */
	OK(schema_migrate(db, steps, 2, &err));
	assert_int_equal(number(db, "SELECT y FROM a"), 2);
	assert_int_equal(number(db, "PRAGMA user_version"), 2);
	/* A step that fails leaves the version before it, whole. */
	assert_int_equal(schema_migrate(db, steps, 3, &err), -1);
	assert_string_equal(err.text,
		"bringing its tables to version 3 (broken): no such table: nowhere");
	assert_int_equal(number(db, "PRAGMA user_version"), 2);
	assert_int_equal(number(db, "SELECT count(*) FROM sqlite_schema"), 1);
	sqlite3_close(db);
}

/* --- transactions --- */

static void count_audit(void *context, const struct audit_entry *e)
{
	(void)e;
	++*(int *)context;
}

static int audit_count(struct store *s)
{
	int counted = 0, n = audit_each(s, 0, 1000, count_audit, &counted, NULL);

	assert_int_equal(n, counted);
	return n;
}

static void test_transactions(void **state)
{
	struct fixture *f = *state;
	struct audit_entry e = {.time = 1, .action = "x"};
	struct address a = {4, {192, 0, 2, 1}};

	OK(store_begin(f->store, STORE_SYNCED, &err));
	assert_int_equal(store_begin(f->store, STORE_SYNCED, &err), -1);
	assert_non_null(strstr(err.text, "a transaction is open already"));
	OK(audit_add(f->store, &e, &err));
	store_rollback(f->store);
	assert_int_equal(audit_count(f->store), 0);
	OK(store_begin(f->store, STORE_SYNCED, &err));
	OK(audit_add(f->store, &e, &err));
	OK(store_commit(f->store, &err));
	assert_int_equal(audit_count(f->store), 1);
	assert_int_equal(store_commit(f->store, &err), -1);
	assert_non_null(strstr(err.text, "no transaction is open"));
	/* What must be synced is not let into a transaction that is not. */
	OK(store_begin(f->store, STORE_SOON, &err));
	OK(offences_put(f->store, &a, 1, 1, &err));
	assert_int_equal(audit_add(f->store, &e, &err), -1);
	assert_non_null(strstr(err.text,
		"a change that must be synced came within a "
		"transaction that is not"));
	OK(store_commit(f->store, &err));
	assert_int_equal(audit_count(f->store), 1);
	/* A transaction that nobody ended is undone by closing. */
	OK(store_begin(f->store, STORE_SYNCED, &err));
	OK(audit_add(f->store, &e, &err));
	fixture_reopen(f);
	assert_int_equal(audit_count(f->store), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(test_new_file),
		STORE_TEST(test_wal_is_private),
		STORE_TEST(test_mode_corrected),
		cmocka_unit_test(test_no_directory),
		STORE_TEST(test_not_regular),
		STORE_TEST(test_not_a_database),
		STORE_TEST(test_foreign),
		STORE_TEST(test_newer),
		STORE_TEST(test_one_process),
		cmocka_unit_test(test_migrate),
		STORE_TEST(test_transactions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
