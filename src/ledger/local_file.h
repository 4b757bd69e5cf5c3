/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LEDGER_LOCAL_FILE_H
#define LEDGER_LOCAL_FILE_H

#include <sqlite3.h>

#include "base/table.h"
#include "ledger/local.h"

/*
 * The local ledger's inside, for local_*.c only. The file's one table:
 *
 *   row         1.. without gaps: the position in the ledger
 *   chain, seq  as in the operation
 *   actor       as in the operation: for the index by (actor, counter)
 *   counter     the actor's own, 1.. without gaps
 *   tip_before  of the chain
 *   bytes       the operation
 *   signature   the actor's, over all of these
 */
#define LOCAL_APPLICATION_ID 0x53495043 /* "SIPC" */
#define LOCAL_VERSION        1
#define LOCAL_REMEDY         "restore the file from a copy that verifies"

struct row {
	uint64_t row;
	uint64_t seq;
	uint64_t counter;
	uint8_t chain;
	struct view actor, tip_before, bytes, signature; /* until the next step */
};

/* Counters by actor; the address is the key. */
struct counter_record {
	uint8_t address[ADDRESS20];
	bool exact; /* false: rows of this actor may have been skipped since */
	uint64_t counter;
};

struct local {
	char *path;
	char *bell_path;
	sqlite3 *db;
	int bell;
	uint32_t busy_ms; /* how long to wait for another writer */
	uint64_t busy_since;

	sqlite3_stmt *select_from;  /* rows >= ?1, at most ?2 */
	sqlite3_stmt *select_admin; /* CHAIN_ADMIN, ?1 < row < ?2 */
	sqlite3_stmt *select_seq;   /* chain ?1, seq ?2 */
	sqlite3_stmt *select_last;  /* the last of chain ?1 */
	sqlite3_stmt *select_counter;
	sqlite3_stmt *select_end; /* the last row's number */
	sqlite3_stmt *insert;

	struct registry *registry;
	struct table *counters;
	uint64_t row;                      /* the last one folded; 0: none */
	uint32_t time;                     /* of that row's operation */
	uint8_t signature[SIGNATURE_SIZE]; /* of that row: it must stay there */
	bool windowed;

	bool failed; /* a row did not verify: nothing more is read */
	struct error failure;

	void *context;
	void (*on_window)(void *context, const struct tip *before, uint32_t since);
	local_event_fn *on_event;
};

/* --- local_file.c --- */

/* Open and check file and schema; nothing is folded yet. NULL with a text. */
struct local *local_attach(const char *path, struct error *err);

/* Open a new, empty file as local_create() made it: no schema yet. */
struct local *local_attach_new(const char *path, struct error *err);

/* The schema and the file's marks, within a transaction. Returns 0 or -1. */
int local_schema_create(struct local *l, struct error *err);

/* Compile the statements. Returns 0, or -1 with a text. */
int local_prepare(struct local *l, struct error *err);

/* Set err to "FILE: doing: what SQLite says" and its remedy. */
void local_error_text(const struct local *l, struct error *err, const char *doing);

/* The same; returns -1, which is seen here by who reads one file, the analyzer. */
static inline int local_error(const struct local *l, struct error *err, const char *doing)
{
	local_error_text(l, err, doing);
	return -1;
}

/* Run one statement without a result. Returns 0, or -1 with a text. */
int local_exec(struct local *l, const char *sql, struct error *err);

/* Tell the readers. A bell that cannot be rung is made up for by their timer. */
void local_ring(const struct local *l);

/*
 * Open, or make, the bell anew if its name is no longer the file that is held
 * open. Returns 1 when it was, 0 when there was no need, -1 with a text.
 */
int local_bell_renew(struct local *l, struct error *err);

/* --- local_row.c --- */

/* The columns of a statement that stands on a row. */
void row_load(struct row *row, sqlite3_stmt *select);

/* What the author signs. */
void row_digest(
	uint8_t digest[HASH_SIZE], const uint8_t id[HASH_SIZE], const struct row *row);

/*
 * Verify a row against all that was folded before it, and fold it. skipping:
 * the members' chain is being passed over, so rows are missing between.
 * Returns 0, or -1 with a text; l is failed then.
 */
int row_fold(struct local *l, const struct row *row, bool skipping, struct error *err);

/* A row that is in the registry is done: remember it, tell the listener. */
void row_folded(struct local *l, const struct row *row, const struct operation *op,
	bool skipping);

/* Whether the columns say what the operation says. Returns 0 or -1 with a text. */
int row_check_columns(
	const struct row *row, const struct operation *op, struct error *err);

/* Whether a row's signature is its actor's. Returns 0, or -1 with a text. */
int row_check_signature(const struct local *l, const struct row *row, struct error *err);

/*
 * Mark l failed at a row for a reason, and say so, with the remedy, in err
 * (may be NULL); returns -1.
 */
int local_fail(
	struct local *l, uint64_t row, const struct error *reason, struct error *err);

/* The last counter of an actor as far as rows were folded; never NULL but
 * when memory is short. */
struct counter_record *local_counter(struct local *l, const uint8_t actor[ADDRESS20]);

/* --- local_read.c --- */

/*
 * Find where to begin: at row 1, or, if not whole, with the administrative
 * operations up to the window, which are folded here. Returns 0 or -1.
 */
int local_begin(struct local *l, bool whole, uint32_t now, struct error *err);

/* Fold up to max further rows (-1: all). Returns how many, or -1 with a text. */
int local_fold(struct local *l, int max, struct error *err);

/* The last row's number, 0 when there is none. Returns 0, or -1 with a text. */
int local_end(struct local *l, uint64_t *row, struct error *err);

#endif
