/* SPDX-License-Identifier: Apache-2.0 */
#include "store/schema.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"

/* Numbers of states and kinds are those of the enums in the headers. */
static const char version_1[] =
	/* enum outbox_state: 1 waiting, 2 assigned, 3 submitted, 4.. finished */
	"CREATE TABLE outbox ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT," /* a ticket is never reused */
	" indicator BLOB NOT NULL CHECK (length(indicator) = 18),"
	" text TEXT NOT NULL,"
	" want INTEGER NOT NULL CHECK (want BETWEEN 1 AND 3),"
	" category INTEGER NOT NULL,"
	" proof INTEGER NOT NULL,"
	" expiry INTEGER NOT NULL,"
	" evidence INTEGER,"
	" state INTEGER NOT NULL CHECK (state BETWEEN 1 AND 7),"
	" batch INTEGER,"
	" position INTEGER,"
	" word BLOB CHECK (length(word) = 32),"
	" attempts INTEGER NOT NULL DEFAULT 0,"
	" retry_at INTEGER NOT NULL DEFAULT 0,"
	" error TEXT NOT NULL DEFAULT '',"
	" block INTEGER NOT NULL DEFAULT 0,"
	" created INTEGER NOT NULL,"
	" updated INTEGER NOT NULL,"
	" CHECK (state NOT IN (2, 3) OR"
	"  (batch IS NOT NULL AND position IS NOT NULL AND word IS NOT NULL))"
	") STRICT;"
	/* What makes doubling impossible, whatever the code above it does. */
	"CREATE UNIQUE INDEX outbox_waiting ON outbox (indicator) WHERE state = 1;"
	"CREATE UNIQUE INDEX outbox_in_flight ON outbox (indicator)"
	" WHERE state IN (2, 3);"
	"CREATE UNIQUE INDEX outbox_batch ON outbox (batch, position)"
	" WHERE batch IS NOT NULL;"
	"CREATE INDEX outbox_finished ON outbox (updated) WHERE state > 3;"
	"CREATE INDEX outbox_evidence ON outbox (evidence) WHERE evidence IS NOT NULL;"

	"CREATE TABLE batch ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" commitment BLOB NOT NULL CHECK (length(commitment) = 32),"
	" block INTEGER,"
	" created INTEGER NOT NULL"
	") STRICT;"
	"CREATE TABLE batch_leaf ("
	" batch INTEGER NOT NULL,"
	" position INTEGER NOT NULL,"
	" evidence INTEGER NOT NULL,"
	" leaf BLOB NOT NULL CHECK (length(leaf) = 32),"
	" PRIMARY KEY (batch, position)"
	") STRICT, WITHOUT ROWID;"
	"CREATE INDEX batch_leaf_evidence ON batch_leaf (evidence);"

	"CREATE TABLE evidence ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" created INTEGER NOT NULL,"
	" indicator BLOB NOT NULL CHECK (length(indicator) = 18),"
	" salt BLOB NOT NULL CHECK (length(salt) = 32),"
	" leaf BLOB NOT NULL CHECK (length(leaf) = 32),"
	" body BLOB NOT NULL"
	") STRICT;"
	"CREATE INDEX evidence_indicator ON evidence (indicator, id);"
	"CREATE INDEX evidence_created ON evidence (created);"

	"CREATE TABLE ban ("
	" indicator BLOB NOT NULL CHECK (length(indicator) = 18),"
	" scope INTEGER NOT NULL,"
	" origin INTEGER NOT NULL,"
	" category INTEGER NOT NULL,"
	" deleting INTEGER NOT NULL,"
	" until INTEGER NOT NULL,"
	" since INTEGER NOT NULL,"
	" note TEXT NOT NULL,"
	" PRIMARY KEY (indicator, scope)"
	") STRICT, WITHOUT ROWID;"

	"CREATE TABLE offence ("
	" address BLOB NOT NULL PRIMARY KEY CHECK (length(address) = 17),"
	" count INTEGER NOT NULL,"
	" last INTEGER NOT NULL"
	") STRICT, WITHOUT ROWID;"

	"CREATE TABLE position ("
	" path TEXT NOT NULL PRIMARY KEY,"
	" dev INTEGER NOT NULL,"
	" inode INTEGER NOT NULL,"
	" offset INTEGER NOT NULL,"
	" fingerprint BLOB NOT NULL CHECK (length(fingerprint) = 16)"
	") STRICT, WITHOUT ROWID;"

	"CREATE TABLE allow ("
	" indicator BLOB NOT NULL PRIMARY KEY CHECK (length(indicator) = 18),"
	" expiry INTEGER NOT NULL,"
	" note TEXT NOT NULL"
	") STRICT, WITHOUT ROWID;"

	"CREATE TABLE audit ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" time INTEGER NOT NULL,"
	" uid INTEGER NOT NULL,"
	" action TEXT NOT NULL,"
	" subject TEXT NOT NULL,"
	" detail TEXT NOT NULL"
	") STRICT;"
	"CREATE INDEX audit_time ON audit (time);";

static const char version_2[] =
	/* One row: whose outbox this is. */
	"CREATE TABLE ledger ("
	" one INTEGER PRIMARY KEY CHECK (one = 1),"
	" id BLOB NOT NULL CHECK (length(id) = 32),"
	" next BLOB CHECK (length(next) = 32)"
	") STRICT;";

static const char version_3[] = "CREATE TABLE allow_learnt ("
				" indicator BLOB NOT NULL CHECK (length(indicator) = 18),"
				" origin INTEGER NOT NULL,"
				" expiry INTEGER NOT NULL,"
				" note TEXT NOT NULL,"
				" PRIMARY KEY (indicator, origin)"
				") STRICT, WITHOUT ROWID;";

static const char version_4[] =
	/* One row: bytes of all bodies; to add them up would read the whole table. */
	"CREATE TABLE evidence_size ("
	" one INTEGER PRIMARY KEY CHECK (one = 1),"
	" bytes INTEGER NOT NULL"
	") STRICT;"
	"INSERT INTO evidence_size SELECT 1, coalesce(sum(length(body)), 0)"
	" FROM evidence;"
	"CREATE TRIGGER evidence_grows AFTER INSERT ON evidence BEGIN"
	" UPDATE evidence_size SET bytes = bytes + length(new.body);"
	"END;"
	"CREATE TRIGGER evidence_shrinks AFTER DELETE ON evidence BEGIN"
	" UPDATE evidence_size SET bytes = bytes - length(old.body);"
	"END;";

static const char version_5[] =
	"CREATE TABLE event ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT," /* whoever remembers one goes on after it */
	" time INTEGER NOT NULL,"
	" type TEXT NOT NULL,"
	" indicator TEXT NOT NULL,"
	" body TEXT NOT NULL"
	") STRICT;"
	"CREATE TABLE http_key ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" owner TEXT NOT NULL,"
	" key TEXT NOT NULL,"
	" digest BLOB NOT NULL CHECK (length(digest) = 32),"
	" created INTEGER NOT NULL,"
	" status INTEGER NOT NULL,"
	" answer TEXT NOT NULL,"
	" UNIQUE (owner, key)"
	") STRICT;"
	"CREATE INDEX http_key_created ON http_key (created);";

static const char version_6[] =
	/* One row: what tells this journal's events from those of any other. */
	"CREATE TABLE journal ("
	" one INTEGER PRIMARY KEY CHECK (one = 1),"
	" id BLOB NOT NULL CHECK (length(id) = 16)"
	") STRICT;"
	"INSERT INTO journal VALUES (1, randomblob(16));"
	"CREATE TABLE webhook ("
	" name TEXT NOT NULL PRIMARY KEY,"
	" state INTEGER NOT NULL CHECK (state BETWEEN 1 AND 2),"
	" position INTEGER NOT NULL,"
	" first INTEGER NOT NULL," /* of the batch on its way; last 0: there is none */
	" last INTEGER NOT NULL,"
	" types TEXT NOT NULL,"
	" node TEXT NOT NULL,"
	" told INTEGER NOT NULL,"
	" attempts INTEGER NOT NULL,"
	" lost INTEGER NOT NULL,"
	" untold INTEGER NOT NULL,"
	" events INTEGER NOT NULL,"
	" batches INTEGER NOT NULL,"
	" failures INTEGER NOT NULL,"
	" delivered INTEGER NOT NULL,"
	" tried INTEGER NOT NULL,"
	" status INTEGER NOT NULL,"
	" reason TEXT NOT NULL,"
	" CHECK (last = 0 OR (first > position AND last >= first))"
	") STRICT, WITHOUT ROWID;";

static const char version_7[] =
	/* Where entries of ours may stand, whatever is configured now. */
	"CREATE TABLE connector ("
	" place TEXT NOT NULL PRIMARY KEY,"
	" name TEXT NOT NULL,"
	" type INTEGER NOT NULL,"
	" gone INTEGER NOT NULL" /* since when it is not configured; 0: it is */
	") STRICT, WITHOUT ROWID;"
	/* Of the batch on its way; zeros: none was drawn, it is of an older version. */
	"ALTER TABLE webhook ADD COLUMN nonce BLOB NOT NULL"
	" DEFAULT x'00000000000000000000000000000000' CHECK (length(nonce) = 16);";

const struct migration schema_migrations[] = {
	{"first tables", version_1},
	{"the ledger's id", version_2},
	{"the PBX's phones and trunks", version_3},
	{"the size of the evidence", version_4},
	{"events, and answers over HTTP", version_5},
	{"webhooks", version_6},
	{"where PBXs' entries stand, and ids that are never given again", version_7},
};
const int schema_version = sizeof(schema_migrations) / sizeof(schema_migrations[0]);

/* The one integer that sql gives. Returns 0, or -1 with SQLite's text. */
static int ask(sqlite3 *db, const char *sql, int *out, struct error *err)
{
	sqlite3_stmt *q;
	int rc = -1;

	if (sqlite3_prepare_v2(db, sql, -1, &q, NULL) != SQLITE_OK)
		return error_set(err, "%s", sqlite3_errmsg(db));
	if (sqlite3_step(q) == SQLITE_ROW) {
		*out = sqlite3_column_int(q, 0);
		rc = 0;
	} else {
		error_set(err, "%s", sqlite3_errmsg(db));
	}
	sqlite3_finalize(q);
	return rc;
}

/* Whose file it is. Sets *version. Returns 0, or -1 with a text. */
static int identify(sqlite3 *db, int n, int *version, struct error *err)
{
	int application, objects;

	if (ask(db, "PRAGMA application_id", &application, err) != 0 ||
		ask(db, "PRAGMA user_version", version, err) != 0 ||
		ask(db, "SELECT count(*) FROM sqlite_schema", &objects, err) != 0)
		return -1;
	if (application != SCHEMA_APPLICATION &&
		(application != 0 || *version != 0 || objects != 0))
		return error_set(err,
			"is another program's database (application id "
			"0x%08x, %d tables and indexes); choose another path",
			(unsigned)application, objects);
	if (*version > n)
		return error_set(err,
			"was written by a newer SIPchain (tables of version "
			"%d, this program knows %d); start that one, or restore "
			"a copy made before the upgrade",
			*version, n);
	if (*version < 0)
		return error_set(err, "has the impossible version %d", *version);
	return 0;
}

/* Run step number `version` and record it, all or nothing. */
static int run_step(
	sqlite3 *db, const struct migration *step, int version, struct error *err)
{
	char numbers[96];
	char *text = NULL;

	snprintf(numbers, sizeof(numbers),
		"PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT",
		SCHEMA_APPLICATION, version);
	if (sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, &text) == SQLITE_OK &&
		sqlite3_exec(db, step->sql, NULL, NULL, &text) == SQLITE_OK &&
		sqlite3_exec(db, numbers, NULL, NULL, &text) == SQLITE_OK)
		return 0;
	error_set(err, "bringing its tables to version %d (%s): %s", version, step->what,
		text != NULL ? text : sqlite3_errmsg(db));
	sqlite3_free(text);
	if (!sqlite3_get_autocommit(db))
		sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	return -1;
}

int schema_migrate(sqlite3 *db, const struct migration *steps, int n, struct error *err)
{
	int version;

	if (identify(db, n, &version, err) != 0)
		return -1;
	if (version > 0 && version < n)
		log_notice(
			"store: bringing its tables from version %d to %d", version, n);
	for (; version < n; version++) {
		if (run_step(db, &steps[version], version + 1, err) != 0)
			return -1;
	}
	return 0;
}
