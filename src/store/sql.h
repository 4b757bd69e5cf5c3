/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_SQL_H
#define STORE_SQL_H

#include <sqlite3.h>

#include "store/store.h"

#define STATEMENTS_MAX 96

/* A prepared statement kept for the next time. */
struct statement {
	const char *text; /* the literal's address is the key */
	sqlite3_stmt *statement;
	bool busy;
};

struct store {
	sqlite3 *db;
	char *path;
	unsigned depth;             /* transactions and savepoints open */
	enum durability durability; /* that PRAGMA synchronous stands at */
	struct statement statements[STATEMENTS_MAX];
	unsigned statement_count;
};

/*
 * For the modules of this folder only: prepared statements with bound values,
 * kept for the life of the store, and transactions that nest.
 *
 *	struct sql q;
 *
 *	sql_prepare(&q, s, "UPDATE t SET a = ? WHERE b = ?");
 *	sql_u64(&q, a);
 *	sql_text(&q, b);
 *	return sql_run(&q, err);
 *
 * Errors of preparing and binding are kept in q and come out of sql_run() or
 * sql_step(). Every prepared q must reach sql_run() or sql_end().
 */
struct sql {
	struct store *store;
	sqlite3_stmt *statement;
	int bound;   /* parameters bound so far */
	int code;    /* first SQLite error, or SQLITE_OK */
	bool cached; /* stays in the store's cache */
};

/* text must be a string literal: its address is the cache's key. */
void sql_prepare(struct sql *q, struct store *s, const char *text);

/* Bind the next parameter. Bytes must stay until sql_run() or sql_end(). */
void sql_u64(struct sql *q, uint64_t v);
void sql_text(struct sql *q, const char *v);
void sql_blob(struct sql *q, const void *p, size_t n);
void sql_null(struct sql *q);

/* Run to the end and release. Returns 0, or -1 with a text. */
int sql_run(struct sql *q, struct error *err);

/* The next row. Returns 1, 0 at the end, or -1 with a text. */
int sql_step(struct sql *q, struct error *err);

/* Release; may be called after any step. */
void sql_end(struct sql *q);

/* Columns of the row that sql_step() gave, counted from 0. */
uint64_t sql_get_u64(struct sql *q, int column);
bool sql_is_null(struct sql *q, int column);
/* Copies text, cut to fit, NUL-terminated. */
void sql_get_text(struct sql *q, int column, char *dst, size_t size);
/* Copies exactly n bytes; zeros when the column holds another length. */
void sql_get_bytes(struct sql *q, int column, void *dst, size_t n);
/* The column's bytes, valid until the next step or sql_end(). */
struct view sql_get_view(struct sql *q, int column);

/* Rows changed by the last sql_run(). */
uint64_t sql_changes(const struct store *s);
/* The row id that the last INSERT made. */
uint64_t sql_last_id(const struct store *s);

/*
 * Before a single writing statement, which is a transaction by itself when
 * none is open: see that its commit survives as much as d says. Returns 0, or
 * -1 with a text when the open transaction promises less.
 */
int sql_ready(struct store *s, enum durability d, struct error *err);

/*
 * Begin a transaction, or a savepoint within one. sql_leave() with rc == 0
 * commits, otherwise undoes everything since sql_enter(); it returns rc, or -1
 * with a text when the commit failed.
 */
int sql_enter(struct store *s, enum durability d, struct error *err);
int sql_leave(struct store *s, int rc, struct error *err);

#endif
