/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/ethereum/sent.h"
#include "ledger/ethereum/journal_state.h"

static const char schema[] =
	"CREATE TABLE IF NOT EXISTS sent (id INTEGER PRIMARY KEY,"
	" ticket INTEGER NOT NULL, batch BLOB NOT NULL, sender BLOB NOT NULL,"
	" nonce INTEGER NOT NULL, hash BLOB NOT NULL UNIQUE, raw BLOB NOT NULL,"
	" block INTEGER NOT NULL, settled INTEGER NOT NULL, told INTEGER NOT NULL)"
	" STRICT;"
	"CREATE INDEX IF NOT EXISTS sent_batch ON sent (batch);"
	/* The highest nonce a key has signed, which outlives its rows. */
	"CREATE TABLE IF NOT EXISTS sender (address BLOB PRIMARY KEY,"
	" nonce INTEGER NOT NULL) STRICT";

/*
 * Outside of the reader's transaction: inside it a change would not be synced,
 * and would be lost when the reader rolls back.
 */
static int free_to_write(struct journal *j, struct error *err)
{
	if (sqlite3_get_autocommit(j->db))
		return 0;
	return error_set(err, "journal %s: events are being written", j->path);
}

static sqlite3_stmt *prepare(struct journal *j, const char *text, struct error *err)
{
	sqlite3_stmt *s = NULL;

	if (sqlite3_prepare_v2(j->db, text, -1, &s, NULL) != SQLITE_OK) {
		journal_error(j, err, "the table of sent transactions");
		return NULL;
	}
	return s;
}

static int exec(struct journal *j, const char *text, struct error *err)
{
	if (sqlite3_exec(j->db, text, NULL, NULL, NULL) != SQLITE_OK)
		return journal_error(j, err, "the table of sent transactions");
	return 0;
}

int sent_open(struct journal *j, struct error *err)
{
	if (free_to_write(j, err))
		return -1;
	return exec(j, schema, err);
}

static void bind_hash(sqlite3_stmt *s, int at, const uint8_t *bytes, int n)
{
	sqlite3_bind_blob(s, at, bytes, n, SQLITE_STATIC);
}

static int insert(struct journal *j, struct sent *row, struct error *err)
{
	sqlite3_stmt *s = prepare(j,
		"INSERT INTO sent (ticket, batch, sender, nonce, hash, raw, block,"
		" settled, told) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, 0, 0)",
		err);
	int rc;

	if (!s)
		return -1;
	sqlite3_bind_int64(s, 1, (int64_t)row->ticket);
	bind_hash(s, 2, row->batch, HASH_SIZE);
	bind_hash(s, 3, row->sender, ADDRESS20);
	sqlite3_bind_int64(s, 4, (int64_t)row->nonce);
	bind_hash(s, 5, row->hash, HASH_SIZE);
	sqlite3_bind_blob64(s, 6, row->raw.p, row->raw.n, SQLITE_STATIC);
	rc = journal_run(j, s, err);
	sqlite3_finalize(s);
	if (!rc)
		row->id = (uint64_t)sqlite3_last_insert_rowid(j->db);
	return rc;
}

static int count_nonce(struct journal *j, const struct sent *row, struct error *err)
{
	sqlite3_stmt *s = prepare(j,
		"INSERT INTO sender (address, nonce) VALUES (?1, ?2)"
		" ON CONFLICT (address) DO UPDATE SET"
		" nonce = max(nonce, excluded.nonce)",
		err);
	int rc;

	if (!s)
		return -1;
	bind_hash(s, 1, row->sender, ADDRESS20);
	sqlite3_bind_int64(s, 2, (int64_t)row->nonce);
	rc = journal_run(j, s, err);
	sqlite3_finalize(s);
	return rc;
}

int sent_add(struct journal *j, struct sent *row, struct error *err)
{
	if (row->nonce > INT64_MAX)
		return error_set(
			err, "nonce %llu cannot be", (unsigned long long)row->nonce);
	if (free_to_write(j, err) || exec(j, "BEGIN IMMEDIATE", err))
		return -1;
	if (insert(j, row, err) || count_nonce(j, row, err) || exec(j, "COMMIT", err)) {
		/* SQLite may have rolled back by itself (a full disk). */
		if (!sqlite3_get_autocommit(j->db))
			exec(j, "ROLLBACK", NULL);
		return -1;
	}
	return 0;
}

/* One change of every row of a batch (?1), with a and b as ?2 and ?3. */
static int change(struct journal *j, const char *text, const uint8_t batch[HASH_SIZE],
	uint64_t a, uint64_t b, struct error *err)
{
	sqlite3_stmt *s;
	int rc;

	if (free_to_write(j, err))
		return -1;
	s = prepare(j, text, err);
	if (!s)
		return -1;
	bind_hash(s, 1, batch, HASH_SIZE);
	if (sqlite3_bind_parameter_count(s) > 1)
		sqlite3_bind_int64(s, 2, (int64_t)a);
	if (sqlite3_bind_parameter_count(s) > 2)
		sqlite3_bind_int64(s, 3, (int64_t)b);
	rc = journal_run(j, s, err);
	sqlite3_finalize(s);
	return rc;
}

int sent_ticket(struct journal *j, const uint8_t batch[HASH_SIZE], uint64_t ticket,
	struct error *err)
{
	return change(j, "UPDATE sent SET ticket = ?2, told = 0 WHERE batch = ?1", batch,
		ticket, 0, err);
}

int sent_settle(struct journal *j, const uint8_t batch[HASH_SIZE], uint64_t block,
	uint64_t time, struct error *err)
{
	return change(j, "UPDATE sent SET block = ?2, settled = ?3 WHERE batch = ?1",
		batch, block, time, err);
}

int sent_told(struct journal *j, const uint8_t batch[HASH_SIZE], struct error *err)
{
	return change(j, "UPDATE sent SET told = 1 WHERE batch = ?1", batch, 0, 0, err);
}

int sent_forget(struct journal *j, const uint8_t batch[HASH_SIZE], struct error *err)
{
	return change(j, "DELETE FROM sent WHERE batch = ?1", batch, 0, 0, err);
}

/* --- reading --- */

static int copy_exact(uint8_t *out, size_t n, struct view column)
{
	if (column.n != n)
		return -1;
	memcpy(out, column.p, n);
	return 0;
}

static int read_row(sqlite3_stmt *s, struct sent *row)
{
	memset(row, 0, sizeof *row);
	row->id = (uint64_t)sqlite3_column_int64(s, 0);
	row->ticket = (uint64_t)sqlite3_column_int64(s, 1);
	row->nonce = (uint64_t)sqlite3_column_int64(s, 4);
	row->raw = journal_column(s, 6);
	row->block = (uint64_t)sqlite3_column_int64(s, 7);
	row->settled = (uint64_t)sqlite3_column_int64(s, 8);
	row->told = sqlite3_column_int64(s, 9) != 0;
	if (copy_exact(row->batch, HASH_SIZE, journal_column(s, 2)) ||
		copy_exact(row->sender, ADDRESS20, journal_column(s, 3)) ||
		copy_exact(row->hash, HASH_SIZE, journal_column(s, 5)) || !row->raw.n)
		return -1;
	return 0;
}

int sent_each(struct journal *j, const uint8_t sender[ADDRESS20], sent_fn *fn,
	void *context, struct error *err)
{
	sqlite3_stmt *s = prepare(j,
		"SELECT id, ticket, batch, sender, nonce, hash, raw, block, settled, told"
		" FROM sent WHERE sender = ?1 ORDER BY nonce, id",
		err);
	struct sent row;
	int step, n = 0;

	if (!s)
		return -1;
	bind_hash(s, 1, sender, ADDRESS20);
	while ((step = sqlite3_step(s)) == SQLITE_ROW) {
		if (read_row(s, &row)) {
			error_set(err,
				"journal %s: row %llu of sent transactions is damaged",
				j->path, (unsigned long long)row.id);
			break;
		}
		fn(context, &row);
		n++;
	}
	if (step != SQLITE_DONE && step != SQLITE_ROW)
		journal_error(j, err, "reading sent transactions");
	sqlite3_finalize(s);
	return step == SQLITE_DONE ? n : -1;
}

int sent_nonce(struct journal *j, const uint8_t sender[ADDRESS20], int64_t *nonce,
	struct error *err)
{
	sqlite3_stmt *s = prepare(j, "SELECT nonce FROM sender WHERE address = ?1", err);
	int step;

	if (!s)
		return -1;
	bind_hash(s, 1, sender, ADDRESS20);
	step = sqlite3_step(s);
	*nonce = step == SQLITE_ROW ? sqlite3_column_int64(s, 0) : -1;
	if (step != SQLITE_ROW && step != SQLITE_DONE)
		journal_error(j, err, "reading the nonce");
	sqlite3_finalize(s);
	return step == SQLITE_ROW || step == SQLITE_DONE ? 0 : -1;
}

int sent_strangers(struct journal *j, const uint8_t sender[ADDRESS20],
	uint8_t other[ADDRESS20], struct error *err)
{
	sqlite3_stmt *s = prepare(j,
		"SELECT count(DISTINCT batch), max(sender) FROM sent"
		" WHERE block = 0 AND sender <> ?1",
		err);
	struct view address;
	int n = -1;

	if (!s)
		return -1;
	bind_hash(s, 1, sender, ADDRESS20);
	if (sqlite3_step(s) == SQLITE_ROW) {
		n = sqlite3_column_int(s, 0);
		address = journal_column(s, 1);
		if (n && address.n == ADDRESS20)
			memcpy(other, address.p, ADDRESS20);
	} else {
		journal_error(j, err, "the table of sent transactions");
	}
	sqlite3_finalize(s);
	return n;
}
