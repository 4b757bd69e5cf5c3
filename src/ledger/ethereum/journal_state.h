/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LEDGER_ETHEREUM_JOURNAL_STATE_H
#define LEDGER_ETHEREUM_JOURNAL_STATE_H

#include <sqlite3.h>

#include "ledger/ethereum/journal.h"

/* The inside of a journal: for journal.c, journal_event.c, journal_undo.c. */

#define JOURNAL_APPLICATION 0x53504a45 /* "SPJE" */
#define JOURNAL_VERSION     1
#define JOURNAL_INDEX_BITS  20

/* The row of the table state, and what follows from the events. */
struct journal_reading {
	bool has_head;
	uint64_t head;
	uint8_t head_hash[HASH_SIZE];
	bool has_reach[2];
	uint64_t reach[2];
	bool has_window;
	struct tip window;
	uint32_t since;
	uint64_t window_block;
	struct tip tip[2]; /* verified */
	struct tip staged[2];
	uint64_t last[2]; /* key of each chain's last event; 0: none */
	uint32_t longest;
};

enum journal_statement {
	SQL_BEGIN,
	SQL_COMMIT,
	SQL_ROLLBACK,
	SQL_EVENT_PUT,
	SQL_EVENT_GET,
	SQL_EVENT_NEXT,
	SQL_EVENT_LAST,  /* of a chain, at or below a key */
	SQL_EVENT_CHAIN, /* of a chain, by seq */
	SQL_EVENT_DROP,  /* at or above a key */
	SQL_EVENT_DROP_CHAIN,
	SQL_EVENT_TRIM,
	SQL_BLOCK_PUT,
	SQL_BLOCK_GET,
	SQL_BLOCK_BEFORE,
	SQL_BLOCK_DROP,
	SQL_BLOCK_TRIM,
	SQL_STATE_PUT,
	SQL_STATE_GET,
	SQL_COUNT
};

struct journal {
	sqlite3 *db;
	char *path;
	sqlite3_stmt *statement[SQL_COUNT];
	struct journal_reading now;
	struct journal_reading before; /* for journal_rollback() */
	bool open;                     /* a transaction */
	bool failed;                   /* the file, last */
};

static inline uint64_t journal_key(uint64_t block, uint32_t index)
{
	return block << JOURNAL_INDEX_BITS | index;
}

/* "journal FILE: doing: why: remedy"; returns -1. */
int journal_error(struct journal *j, struct error *err, const char *doing);

/* Run a statement to its end. 0 or -1 with a text. */
int journal_run(struct journal *j, sqlite3_stmt *s, struct error *err);

/* A blob column as a view, valid until the statement is reset. */
struct view journal_column(sqlite3_stmt *s, int column);

/* Write the row of the table state. 0 or -1. */
int journal_put_state(struct journal *j, struct error *err);

/* Fill in tips, last keys and longest from the events. 0 or -1. */
int journal_derive(struct journal *j, struct error *err);

/* Drop events of a chain at or above a key. 0 or -1. */
int journal_drop(struct journal *j, enum chain chain, uint64_t key, struct error *err);

#endif
