/* SPDX-License-Identifier: Apache-2.0 */
/* The journal as a file: killed in the middle, another's, damaged. */
#include "journal_fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* --- killed in the middle --- */

enum step { BEGUN, EVENTS, HEAD, COMMITTED };

static void die_after(const struct history *h, enum step step)
{
	struct journal *j = open_at(path);
	uint8_t hash[HASH_SIZE];

	block_hash(hash, 13);
	OK(journal_begin(j, err));
	if (step >= EVENTS)
		for (unsigned k = 3; k < 7; k++)
			OK(add(j, h, k));
	if (step >= HEAD)
		OK(journal_set_head(j, 13, hash, err));
	if (step >= COMMITTED)
		OK(journal_commit(j, err));
	kill(getpid(), SIGKILL);
}

static int cached(struct journal *j)
{
	int is, most;

	assert_int_equal(sqlite3_db_status(journal_file(j), SQLITE_DBSTATUS_CACHE_USED,
				 &is, &most, 0),
		SQLITE_OK);
	return is;
}

/* The file's pages leave the memory, and nothing else changes. */
static void test_release(void **state)
{
	struct history h;
	struct journal *j = open_at(path);
	struct seen s;
	int before;

	(void)state;
	small(&h);
	put_head(j, &h, 0, 7, 14);
	assert_int_equal(replayed(j, &s), 7);
	before = cached(j);
	journal_release(j);
	assert_true(cached(j) < before / 2);
	assert_int_equal(replayed(j, &s), 7);
	journal_release(j);
	history_batch(&h, 15, 0, T_START + 150);
	put_head(j, &h, 7, 8, 16);
	assert_int_equal(replayed(j, &s), 8);
	journal_close(j);
	unlink(path);
	history_end(&h);
}

static void test_killed(void **state)
{
	struct history h;

	(void)state;
	small(&h);
	for (int step = BEGUN; step <= COMMITTED; step++) {
		struct journal *j = open_at(path);
		uint8_t hash[HASH_SIZE];
		uint64_t number;
		struct seen s;
		int status;
		pid_t child;

		put_head(j, &h, 0, 3, 10);
		journal_close(j);
		child = fork();
		if (!child)
			die_after(&h, (enum step)step);
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
		j = open_at(path);
		assert_true(journal_head(j, &number, hash));
		assert_int_equal(number, step == COMMITTED ? 13 : 10);
		assert_int_equal(replayed(j, &s), step == COMMITTED ? 7 : 3);
		journal_close(j);
		unlink(path);
	}
	history_end(&h);
}

/* --- another's file --- */

static void refuse_open(const struct ethereum_settings *s, const char *text)
{

	assert_null(journal_open(s, err));
	if (!strstr(why.text, text))
		fail_msg("\"%s\" does not say \"%s\"", why.text, text);
}

static void test_pins(void **state)
{
	struct ethereum_settings s = settings_of(path);
	struct stat st;

	(void)state;
	journal_close(open_at(path));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	journal_close(open_at(path));
	s.chain_id = 1;
	refuse_open(&s, "its chain id differs; it is of contract 0xc0c0");
	s = settings_of(path);
	s.genesis[0] ^= 1;
	refuse_open(&s, "its genesis differs");
	s = settings_of(path);
	s.contract[19] ^= 1;
	refuse_open(&s, "its contract differs");
	s = settings_of(path);
	s.code_hash[9] ^= 1;
	refuse_open(&s, "its code hash differs");
	/* The place of the contract's creation is no pin. */
	s = settings_of(path);
	s.deployed = 77;
	journal_close(journal_open(&s, NULL));
	unlink(path);
}

static void write_file(const char *text, size_t n)
{
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, n, f), n);
	fclose(f);
}

static void run_sql(const char *text)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void test_no_journal(void **state)
{
	struct ethereum_settings s = settings_of(path);
	static char noise[8192];

	(void)state;
	memset(noise, 'x', sizeof noise);
	write_file(noise, sizeof noise);
	refuse_open(&s, "name another file in [ledger] path");
	unlink(path);
	run_sql("CREATE TABLE theirs (a); PRAGMA user_version = 7");
	refuse_open(&s, "not a SIPchain journal");
	unlink(path);
	journal_close(open_at(path));
	run_sql("PRAGMA user_version = 99");
	refuse_open(&s, "format 99, this program knows 1");
	unlink(path);
	snprintf(s.journal, sizeof s.journal, "%s/none/journal", folder);
	refuse_open(&s, "its folder does not exist");
	snprintf(s.journal, sizeof s.journal, "%s", folder);
	refuse_open(&s, "not a regular file");
}

static void test_one_at_a_time(void **state)
{
	struct ethereum_settings s = settings_of(path);
	struct journal *j = open_at(path);

	(void)state;
	refuse_open(&s, "another process has it open");
	journal_close(j);
	journal_close(open_at(path));
	unlink(path);
}

static void test_damaged_event(void **state)
{
	struct history h;
	struct journal *j = open_at(path);
	struct seen s = {0};

	(void)state;
	small(&h);
	put_head(j, &h, 0, 7, 13);
	journal_close(j);
	run_sql("UPDATE event SET bytes = x'0011' WHERE chain = 0 AND seq = 1");
	j = open_at(path);
	assert_int_equal(journal_replay(j, see, &s, err), -1);
	assert_non_null(strstr(why.text, "the event of block 11 is damaged"));
	assert_int_equal(s.n, 3);
	journal_close(j);
	unlink(path);
	history_end(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_release),
		cmocka_unit_test(test_killed),
		cmocka_unit_test(test_pins),
		cmocka_unit_test(test_no_journal),
		cmocka_unit_test(test_one_at_a_time),
		cmocka_unit_test(test_damaged_event),
	};

	return run_in_folder(tests, sizeof tests / sizeof *tests);
}
