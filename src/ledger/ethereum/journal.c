/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/ethereum/journal_state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hex.h"

/* A predecessor that is just being ended may hold the file for a moment. */
#define BUSY_MS 2000
/* No row is larger: an operation, or a signed transaction with one in it. */
#define ROW_BYTES_MAX 400000

#define REMEDY "move it away: all but pending transactions can be read again"

static const char schema[] =
	"CREATE TABLE pin (one INTEGER PRIMARY KEY CHECK (one = 1),"
	" chain_id INTEGER NOT NULL, genesis BLOB NOT NULL,"
	" contract BLOB NOT NULL, code_hash BLOB NOT NULL) STRICT;"
	"CREATE TABLE block (number INTEGER PRIMARY KEY, hash BLOB NOT NULL) STRICT;"
	/* key: block << 20 | log index */
	"CREATE TABLE event (key INTEGER PRIMARY KEY, chain INTEGER NOT NULL,"
	" seq INTEGER NOT NULL, tip_before BLOB NOT NULL, bytes BLOB NOT NULL,"
	" UNIQUE (chain, seq)) STRICT;"
	"CREATE TABLE state (one INTEGER PRIMARY KEY CHECK (one = 1),"
	" head INTEGER, head_hash BLOB, reach_members INTEGER, reach_admin INTEGER,"
	" window_seq INTEGER, window_tip BLOB, since INTEGER, window_block INTEGER)"
	" STRICT;";

static const char *const sql[SQL_COUNT] = {
	[SQL_BEGIN] = "BEGIN IMMEDIATE",
	[SQL_COMMIT] = "COMMIT",
	[SQL_ROLLBACK] = "ROLLBACK",
	[SQL_EVENT_PUT] = "INSERT INTO event (key, chain, seq, tip_before, bytes)"
			  " VALUES (?1, ?2, ?3, ?4, ?5)",
	[SQL_EVENT_GET] = "SELECT bytes FROM event WHERE key = ?1",
	[SQL_EVENT_NEXT] = "SELECT key, chain, tip_before, bytes FROM event"
			   " WHERE key > ?1 AND key < ?2 ORDER BY key LIMIT ?3",
	[SQL_EVENT_LAST] = "SELECT key, tip_before, bytes FROM event"
			   " WHERE chain = ?1 AND key < ?2 ORDER BY seq DESC LIMIT 1",
	[SQL_EVENT_CHAIN] = "SELECT key, tip_before, bytes FROM event"
			    " WHERE chain = ?1 ORDER BY seq LIMIT ?2",
	[SQL_EVENT_DROP] = "DELETE FROM event WHERE key >= ?1",
	[SQL_EVENT_DROP_CHAIN] = "DELETE FROM event WHERE key >= ?1 AND chain = ?2",
	[SQL_EVENT_TRIM] = "DELETE FROM event WHERE chain = 0 AND seq < ?1",
	[SQL_BLOCK_PUT] = "INSERT OR REPLACE INTO block (number, hash) VALUES (?1, ?2)",
	[SQL_BLOCK_GET] = "SELECT hash FROM block WHERE number = ?1",
	[SQL_BLOCK_BEFORE] = "SELECT number, hash FROM block WHERE number < ?1"
			     " ORDER BY number DESC LIMIT ?2",
	[SQL_BLOCK_DROP] = "DELETE FROM block WHERE number >= ?1",
	[SQL_BLOCK_TRIM] = "DELETE FROM block WHERE number < ?1",
	[SQL_STATE_PUT] = "INSERT OR REPLACE INTO state VALUES"
			  " (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
	[SQL_STATE_GET] = "SELECT head, head_hash, reach_members, reach_admin,"
			  " window_seq, window_tip, since, window_block FROM state",
};

int journal_error(struct journal *j, struct error *err, const char *doing)
{
	const char *remedy = "";

	j->failed = true;
	switch (sqlite3_errcode(j->db) & 0xff) {
	case SQLITE_BUSY:
		remedy = ": another process has it open; one sipchaind at a time may";
		break;
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:
	case SQLITE_READONLY:
		remedy = ": the file and its folder must be writable for this user";
		break;
	case SQLITE_CORRUPT:
		remedy = ": " REMEDY;
		break;
	case SQLITE_NOTADB:
		remedy = ": name another file in [ledger] path";
		break;
	case SQLITE_FULL:
		remedy = ": make room on the disk";
		break;
	default:
		break;
	}
	return error_set(err, "journal %s: %s: %s%s", j->path, doing,
		sqlite3_errmsg(j->db), remedy);
}

int journal_run(struct journal *j, sqlite3_stmt *s, struct error *err)
{
	int rc = 0;

	if (sqlite3_step(s) != SQLITE_DONE)
		rc = journal_error(j, err, sqlite3_sql(s));
	sqlite3_reset(s);
	sqlite3_clear_bindings(s);
	return rc;
}

struct view journal_column(sqlite3_stmt *s, int column)
{
	const void *p = sqlite3_column_blob(s, column);

	return view_of(p, (size_t)sqlite3_column_bytes(s, column));
}

static int exec(struct journal *j, const char *text, struct error *err)
{
	if (sqlite3_exec(j->db, text, NULL, NULL, NULL) != SQLITE_OK)
		return journal_error(j, err, "opening");
	return 0;
}

/* --- opening --- */

/*
 * Make the file with mode 0600, or see that the one that is there is a file of
 * ours alone. Not opened when it exists: closing any descriptor of it would
 * drop this process's locks.
 */
static int prepare_file(const char *path, struct error *err)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	struct stat st;

	if (fd >= 0) {
		close(fd);
		return 0;
	}
	if (errno == ENOENT)
		return error_set(err,
			"journal %s: its folder does not exist: make it, owned by the "
			"user of the role ledger, mode 0700",
			path);
	if (errno != EEXIST)
		return error_set(err, "journal %s: %s", path, strerror(errno));
	if (lstat(path, &st))
		return error_set(err, "journal %s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return error_set(err, "journal %s: not a regular file", path);
	if ((st.st_mode & 077) && chmod(path, 0600))
		return error_set(err,
			"journal %s: mode %04o lets others at it and cannot be "
			"corrected: %s",
			path, (unsigned)(st.st_mode & 07777), strerror(errno));
	return 0;
}

/* The first column of a statement's first row. Returns 0, or -1 with a text. */
static int ask_number(
	struct journal *j, const char *text, int64_t *value, struct error *err)
{
	sqlite3_stmt *s = NULL;
	int rc = -1;

	if (sqlite3_prepare_v2(j->db, text, -1, &s, NULL) == SQLITE_OK &&
		sqlite3_step(s) == SQLITE_ROW) {
		*value = sqlite3_column_int64(s, 0);
		rc = 0;
	} else {
		journal_error(j, err, "opening");
	}
	sqlite3_finalize(s);
	return rc;
}

/*
 * Exclusive locking comes first: then the write-ahead log needs no shared
 * memory file. Nothing is written before it is known whose file it is.
 */
static int identify(struct journal *j, bool *fresh, struct error *err)
{
	int64_t id, version, objects;

	sqlite3_extended_result_codes(j->db, 1);
	sqlite3_busy_timeout(j->db, BUSY_MS);
	sqlite3_limit(j->db, SQLITE_LIMIT_LENGTH, ROW_BYTES_MAX);
	sqlite3_limit(j->db, SQLITE_LIMIT_ATTACHED, 0);
	sqlite3_db_config(j->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(j->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(j->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	sqlite3_db_config(j->db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
	if (exec(j, "PRAGMA locking_mode = EXCLUSIVE", err) ||
		ask_number(j, "PRAGMA application_id", &id, err) ||
		ask_number(j, "PRAGMA user_version", &version, err) ||
		ask_number(j, "SELECT count(*) FROM sqlite_schema", &objects, err))
		return -1;
	*fresh = !id && !version && !objects;
	if (*fresh)
		return 0;
	if (id != JOURNAL_APPLICATION)
		return error_set(err,
			"journal %s: not a SIPchain journal (application id "
			"0x%08llx): name another file in [ledger] path",
			j->path, (unsigned long long)id);
	if (version != JOURNAL_VERSION)
		return error_set(err,
			"journal %s: format %lld, this program knows %d: use the "
			"version of SIPchain that made it, or " REMEDY,
			j->path, (long long)version, JOURNAL_VERSION);
	return 0;
}

static int create(struct journal *j, const struct ethereum_settings *s, struct error *err)
{
	static const char text[] = "INSERT INTO pin VALUES (1, ?1, ?2, ?3, ?4)";
	sqlite3_stmt *q = NULL;
	char marks[96];
	int rc = -1;

	snprintf(marks, sizeof marks,
		"PRAGMA application_id = %d; PRAGMA user_version = %d",
		JOURNAL_APPLICATION, JOURNAL_VERSION);
	if (exec(j, "BEGIN IMMEDIATE", err))
		return -1;
	if (exec(j, schema, err) || exec(j, marks, err))
		goto done;
	if (sqlite3_prepare_v2(j->db, text, -1, &q, NULL) != SQLITE_OK) {
		journal_error(j, err, "making it");
		goto done;
	}
	sqlite3_bind_int64(q, 1, (int64_t)s->chain_id);
	sqlite3_bind_blob(q, 2, s->genesis, HASH_SIZE, SQLITE_STATIC);
	sqlite3_bind_blob(q, 3, s->contract, ADDRESS20, SQLITE_STATIC);
	sqlite3_bind_blob(q, 4, s->code_hash, HASH_SIZE, SQLITE_STATIC);
	rc = journal_run(j, q, err);
done:
	sqlite3_finalize(q);
	if (rc || exec(j, "COMMIT", err)) {
		sqlite3_exec(j->db, "ROLLBACK", NULL, NULL, NULL);
		return -1;
	}
	return 0;
}

/* The pins are the settings'. Returns 0, or -1 with a text. */
static int compare_pins(
	struct journal *j, const struct ethereum_settings *s, struct error *err)
{
	static const char text[] =
		"SELECT chain_id, genesis, contract, code_hash FROM pin";
	char was[2 * ADDRESS20 + 1];
	const char *what = NULL;
	sqlite3_stmt *q = NULL;
	struct view contract;
	int rc = -1;

	if (sqlite3_prepare_v2(j->db, text, -1, &q, NULL) != SQLITE_OK ||
		sqlite3_step(q) != SQLITE_ROW) {
		journal_error(j, err, "reading its pins");
		goto done;
	}
	contract = journal_column(q, 2);
	if ((uint64_t)sqlite3_column_int64(q, 0) != s->chain_id)
		what = "chain id";
	else if (!view_eq(journal_column(q, 1), view_of(s->genesis, HASH_SIZE)))
		what = "genesis";
	else if (!view_eq(contract, view_of(s->contract, ADDRESS20)))
		what = "contract";
	else if (!view_eq(journal_column(q, 3), view_of(s->code_hash, HASH_SIZE)))
		what = "code hash";
	if (what)
		error_set(err,
			"journal %s: it is of another ledger (its %s differs; it is of "
			"contract 0x%s on chain %llu): name another file in [ledger] path, "
			"or move this one away",
			j->path, what,
			contract.n == ADDRESS20 ? hex_encode(was, contract.p, ADDRESS20) :
						  "?",
			(unsigned long long)sqlite3_column_int64(q, 0));
	else
		rc = 0;
done:
	sqlite3_finalize(q);
	return rc;
}

/* --- the row of the table state --- */

static void bind_if(sqlite3_stmt *s, int at, bool is, uint64_t value)
{
	if (is)
		sqlite3_bind_int64(s, at, (int64_t)value);
	else
		sqlite3_bind_null(s, at);
}

int journal_put_state(struct journal *j, struct error *err)
{
	const struct journal_reading *n = &j->now;
	sqlite3_stmt *s = j->statement[SQL_STATE_PUT];

	bind_if(s, 1, n->has_head, n->head);
	sqlite3_bind_blob(s, 2, n->head_hash, HASH_SIZE, SQLITE_STATIC);
	bind_if(s, 3, n->has_reach[CHAIN_MEMBERS], n->reach[CHAIN_MEMBERS]);
	bind_if(s, 4, n->has_reach[CHAIN_ADMIN], n->reach[CHAIN_ADMIN]);
	bind_if(s, 5, n->has_window, n->window.seq);
	sqlite3_bind_blob(s, 6, n->window.hash, HASH_SIZE, SQLITE_STATIC);
	sqlite3_bind_int64(s, 7, n->since);
	sqlite3_bind_int64(s, 8, (int64_t)n->window_block);
	return journal_run(j, s, err);
}

static bool number_of(sqlite3_stmt *s, int column, uint64_t *out)
{
	*out = (uint64_t)sqlite3_column_int64(s, column);
	return sqlite3_column_type(s, column) != SQLITE_NULL;
}

/* A hash column; a damaged one is zero and follows nothing. */
static void hash_of(sqlite3_stmt *s, int column, uint8_t hash[HASH_SIZE])
{
	struct view v = journal_column(s, column);

	if (v.n == HASH_SIZE)
		memcpy(hash, v.p, HASH_SIZE);
}

static int load_state(struct journal *j, struct error *err)
{
	struct journal_reading *n = &j->now;
	sqlite3_stmt *s = j->statement[SQL_STATE_GET];
	int step = sqlite3_step(s);

	if (step == SQLITE_ROW) {
		n->has_head = number_of(s, 0, &n->head);
		hash_of(s, 1, n->head_hash);
		n->has_reach[CHAIN_MEMBERS] = number_of(s, 2, &n->reach[CHAIN_MEMBERS]);
		n->has_reach[CHAIN_ADMIN] = number_of(s, 3, &n->reach[CHAIN_ADMIN]);
		n->has_window = number_of(s, 4, &n->window.seq);
		hash_of(s, 5, n->window.hash);
		n->since = (uint32_t)sqlite3_column_int64(s, 6);
		n->window_block = (uint64_t)sqlite3_column_int64(s, 7);
	}
	sqlite3_reset(s);
	if (step != SQLITE_ROW && step != SQLITE_DONE)
		return journal_error(j, err, "reading its state");
	return 0;
}

/* What is ours is read: settings, statements, state. Returns 0 or -1. */
static int load(struct journal *j, struct error *err)
{
	if (exec(j,
		    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
		    "PRAGMA temp_store = MEMORY; PRAGMA cell_size_check = ON;"
		    "PRAGMA cache_size = -2048",
		    err))
		return -1;
	for (unsigned k = 0; k < SQL_COUNT; k++)
		if (sqlite3_prepare_v3(j->db, sql[k], -1, SQLITE_PREPARE_PERSISTENT,
			    &j->statement[k], NULL) != SQLITE_OK)
			return journal_error(j, err, "preparing");
	if (load_state(j, err) || journal_derive(j, err))
		return -1;
	return journal_unreach(j, err);
}

struct journal *journal_open(const struct ethereum_settings *s, struct error *err)
{
	struct journal *j = calloc(1, sizeof *j);
	bool fresh, memory = !strcmp(s->journal, ":memory:");

	if (!j || !(j->path = strdup(s->journal))) {
		error_set(err, "journal %s: out of memory", s->journal);
		goto fail;
	}
	if (!memory && prepare_file(s->journal, err))
		goto fail;
	if (sqlite3_open_v2(s->journal, &j->db,
		    SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX |
			    (memory ? SQLITE_OPEN_MEMORY : 0),
		    NULL) != SQLITE_OK) {
		journal_error(j, err, "opening");
		goto fail;
	}
	if (identify(j, &fresh, err) || (fresh && create(j, s, err)) ||
		compare_pins(j, s, err) || load(j, err))
		goto fail;
	return j;
fail:
	journal_close(j);
	return NULL;
}

void journal_close(struct journal *j)
{
	if (!j)
		return;
	if (j->open)
		journal_rollback(j);
	for (unsigned k = 0; k < SQL_COUNT; k++)
		sqlite3_finalize(j->statement[k]);
	/* _v2: should sent.c have left a statement, it goes with that one. */
	sqlite3_close_v2(j->db);
	free(j->path);
	free(j);
}

void journal_release(struct journal *j)
{
	sqlite3_db_release_memory(j->db);
}

bool journal_failed(const struct journal *j)
{
	return j->failed;
}

struct sqlite3 *journal_file(struct journal *j)
{
	return j->db;
}

/* --- transactions --- */

/* Cannot fail outside of a transaction: it is only a setting. */
static void set_synced(struct journal *j, bool synced)
{
	sqlite3_exec(j->db,
		synced ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL",
		NULL, NULL, NULL);
}

int journal_begin(struct journal *j, struct error *err)
{
	j->failed = false;
	set_synced(j, false);
	if (journal_run(j, j->statement[SQL_BEGIN], err)) {
		set_synced(j, true);
		return -1;
	}
	j->open = true;
	j->before = j->now;
	return 0;
}

int journal_commit(struct journal *j, struct error *err)
{
	if (journal_put_state(j, err) || journal_run(j, j->statement[SQL_COMMIT], err)) {
		journal_rollback(j);
		return -1;
	}
	j->open = false;
	set_synced(j, true);
	return 0;
}

void journal_rollback(struct journal *j)
{
	if (!j->open)
		return;
	/* SQLite may have rolled back by itself (a full disk). */
	if (!sqlite3_get_autocommit(j->db))
		journal_run(j, j->statement[SQL_ROLLBACK], NULL);
	j->open = false;
	j->now = j->before;
	set_synced(j, true);
}
