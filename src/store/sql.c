/* SPDX-License-Identifier: Apache-2.0 */
#include "store/sql.h"

/* --- transactions --- */

/* Run one fixed statement. Returns 0, or -1 with a text. */
static int run(struct store *s, const char *text, struct error *err)
{
	if (sqlite3_exec(s->db, text, NULL, NULL, NULL) == SQLITE_OK)
		return 0;
	return error_set(err, "store %s: %s", s->path, sqlite3_errmsg(s->db));
}

int sql_ready(struct store *s, enum durability d, struct error *err)
{
	if (s->depth > 0 && d > s->durability)
		return error_set(err,
			"store %s: a change that must be synced came within "
			"a transaction that is not",
			s->path);
	/* SQLite takes no such PRAGMA within a transaction. */
	if (s->depth > 0 || s->durability == d)
		return 0;
	if (run(s,
		    d == STORE_SYNCED ? "PRAGMA synchronous = FULL" :
					"PRAGMA synchronous = NORMAL",
		    err) != 0)
		return -1;
	s->durability = d;
	return 0;
}

int sql_enter(struct store *s, enum durability d, struct error *err)
{
	if (sql_ready(s, d, err) != 0 ||
		run(s, s->depth > 0 ? "SAVEPOINT nested" : "BEGIN IMMEDIATE", err) != 0)
		return -1;
	s->depth++;
	return 0;
}

int sql_leave(struct store *s, int rc, struct error *err)
{
	s->depth--;
	if (s->depth > 0) {
		if (rc != 0)
			run(s, "ROLLBACK TO nested", NULL);
		if (run(s, "RELEASE nested", rc == 0 ? err : NULL) != 0)
			return -1;
		return rc;
	}
	if (rc == 0 && run(s, "COMMIT", err) == 0)
		return 0;
	/* A full disk may have rolled back already. */
	if (!sqlite3_get_autocommit(s->db))
		run(s, "ROLLBACK", NULL);
	return rc == 0 ? -1 : rc;
}

/* --- statements --- */

/* The cached statement, made when it is not there; NULL when none is free. */
static struct statement *cached(struct store *s, const char *text, int *code)
{
	struct statement *c;

	for (unsigned k = 0; k < s->statement_count; k++) {
		if (s->statements[k].text == text)
			return s->statements[k].busy ? NULL : &s->statements[k];
	}
	if (s->statement_count == STATEMENTS_MAX)
		return NULL;
	c = &s->statements[s->statement_count];
	*code = sqlite3_prepare_v3(
		s->db, text, -1, SQLITE_PREPARE_PERSISTENT, &c->statement, NULL);
	if (*code != SQLITE_OK)
		return NULL;
	c->text = text;
	s->statement_count++;
	return c;
}

void sql_prepare(struct sql *q, struct store *s, const char *text)
{
	struct statement *c;

	*q = (struct sql){.store = s, .code = SQLITE_OK};
	c = cached(s, text, &q->code);
	if (c != NULL) {
		c->busy = true;
		q->cached = true;
		q->statement = c->statement;
	} else if (q->code == SQLITE_OK) {
		/* In use further up the stack: a statement of its own. */
		q->code = sqlite3_prepare_v2(s->db, text, -1, &q->statement, NULL);
	}
}

/* Keep the first error. */
static void note(struct sql *q, int code)
{
	if (q->code == SQLITE_OK)
		q->code = code;
}

void sql_u64(struct sql *q, uint64_t v)
{
	note(q, sqlite3_bind_int64(q->statement, ++q->bound, (sqlite3_int64)v));
}

void sql_text(struct sql *q, const char *v)
{
	note(q, sqlite3_bind_text(q->statement, ++q->bound, v, -1, SQLITE_STATIC));
}

void sql_blob(struct sql *q, const void *p, size_t n)
{
	note(q,
		sqlite3_bind_blob64(
			q->statement, ++q->bound, n > 0 ? p : "", n, SQLITE_STATIC));
}

void sql_null(struct sql *q)
{
	note(q, sqlite3_bind_null(q->statement, ++q->bound));
}

int sql_step(struct sql *q, struct error *err)
{
	const char *text;

	if (q->code == SQLITE_OK) {
		int code = sqlite3_step(q->statement);

		if (code == SQLITE_ROW)
			return 1;
		if (code == SQLITE_DONE)
			return 0;
		q->code = code;
	}
	text = sqlite3_errmsg(q->store->db);
	return error_set(err, "store %s: %s", q->store->path, text);
}

int sql_run(struct sql *q, struct error *err)
{
	int rc;

	do {
		rc = sql_step(q, err);
	} while (rc == 1);
	sql_end(q);
	return rc;
}

void sql_end(struct sql *q)
{
	struct store *s = q->store;

	if (q->statement == NULL)
		return;
	if (!q->cached) {
		sqlite3_finalize(q->statement);
		q->statement = NULL;
		return;
	}
	sqlite3_reset(q->statement);
	sqlite3_clear_bindings(q->statement);
	for (unsigned k = 0; k < s->statement_count; k++) {
		if (s->statements[k].statement == q->statement)
			s->statements[k].busy = false;
	}
	q->statement = NULL;
}

uint64_t sql_get_u64(struct sql *q, int column)
{
	return (uint64_t)sqlite3_column_int64(q->statement, column);
}

bool sql_is_null(struct sql *q, int column)
{
	return sqlite3_column_type(q->statement, column) == SQLITE_NULL;
}

struct view sql_get_view(struct sql *q, int column)
{
	const void *p = sqlite3_column_blob(q->statement, column);
	int n = sqlite3_column_bytes(q->statement, column);

	return view_of(p, p != NULL && n > 0 ? (size_t)n : 0);
}

void sql_get_text(struct sql *q, int column, char *dst, size_t size)
{
	view_copy(dst, size, sql_get_view(q, column));
}

void sql_get_bytes(struct sql *q, int column, void *dst, size_t n)
{
	struct view v = sql_get_view(q, column);

	if (v.n == n && v.p != NULL)
		memcpy(dst, v.p, n);
	else
		memset(dst, 0, n);
}

uint64_t sql_changes(const struct store *s)
{
	return (uint64_t)sqlite3_changes64(s->db);
}

uint64_t sql_last_id(const struct store *s)
{
	return (uint64_t)sqlite3_last_insert_rowid(s->db);
}
