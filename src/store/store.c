/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "store/schema.h"
#include "store/sql.h"

/* A predecessor that is just being ended may hold the file for a moment. */
#define BUSY_MILLISECONDS 1000

/* --- opening --- */

/*
 * Make the file with mode 0600, or correct the mode of one that is there.
 * SQLite gives its -wal the mode of the database. The file is not opened when
 * it exists: closing any descriptor of it would drop this process's locks.
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
			"its directory does not exist; make it, owned by "
			"the user of the role node, mode 0700");
	if (errno != EEXIST)
		return error_set(err, "%s", strerror(errno));
	if (stat(path, &st) != 0)
		return error_set(err, "%s", strerror(errno));
	if (!S_ISREG(st.st_mode))
		return error_set(err, "is not a regular file");
	if ((st.st_mode & 077) == 0)
		return 0;
	log_warning("%s: mode %04o lets others at it; corrected to 0600", path,
		(unsigned)(st.st_mode & 07777));
	if (chmod(path, 0600) != 0)
		return error_set(err,
			"mode %04o lets others at it and cannot be "
			"corrected: %s",
			(unsigned)(st.st_mode & 07777), strerror(errno));
	return 0;
}

/* SQLite's last error with what an operator can do about it. */
static int open_error(sqlite3 *db, struct error *err)
{
	switch (sqlite3_errcode(db) & 0xff) {
	case SQLITE_BUSY:
		return error_set(err,
			"is in use by another process; one sipchaind at "
			"a time may have it open");
	case SQLITE_NOTADB:
		return error_set(err,
			"is not an SQLite database; choose another path, or "
			"move the file away");
	case SQLITE_CORRUPT:
		return error_set(err,
			"is damaged (%s); restore a copy, or move it away "
			"and start with an empty store",
			sqlite3_errmsg(db));
	default:
		return error_set(err, "%s", sqlite3_errmsg(db));
	}
}

/* Now that the file is ours; BEGIN IMMEDIATE takes the lock for good. */
static int configure(sqlite3 *db, struct error *err)
{
	static const char pragmas[] =
		"PRAGMA journal_mode = WAL;"
		"PRAGMA synchronous = NORMAL;"
		"PRAGMA trusted_schema = OFF;"
		/* The role's sandbox reaches no folder for temporary files. */
		"PRAGMA temp_store = MEMORY;"
		/*
		 * Bans come in no order of the key: a million of them touch
		 * every page of their table again and again. 64 MiB hold it
		 * (taken as it is needed), and a longer WAL is copied back
		 * less often: measured, an eighth of the time.
		 */
		"PRAGMA cache_size = -65536;"
		"PRAGMA wal_autocheckpoint = 8192;"
		"PRAGMA cell_size_check = ON;"
		"BEGIN IMMEDIATE; COMMIT";

	sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
	if (sqlite3_exec(db, pragmas, NULL, NULL, NULL) != SQLITE_OK)
		return open_error(db, err);
	return 0;
}

/*
 * Whose file it is must be known before the journal mode is set, which writes
 * to it: another program's database is left exactly as it was, a WAL beside it
 * included. Exclusive locking comes before everything: a WAL that is first
 * read under it needs no shared memory file.
 */
static int refuse_foreign(sqlite3 *db, struct error *err)
{
	sqlite3_stmt *q;
	int rc = 0;

	sqlite3_extended_result_codes(db, 1);
	sqlite3_busy_timeout(db, BUSY_MILLISECONDS);
	sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	if (sqlite3_exec(db, "PRAGMA locking_mode = EXCLUSIVE", NULL, NULL, NULL) !=
		SQLITE_OK)
		return open_error(db, err);

	if (sqlite3_prepare_v2(db, "PRAGMA application_id", -1, &q, NULL) != SQLITE_OK)
		return open_error(db, err);
	if (sqlite3_step(q) != SQLITE_ROW) {
		rc = open_error(db, err);
	} else if (sqlite3_column_int(q, 0) != SCHEMA_APPLICATION) {
		sqlite3_finalize(q);
		return schema_migrate(db, NULL, 0, err);
	}
	sqlite3_finalize(q);
	return rc;
}

struct store *store_open(const char *path, struct error *err)
{
	const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
	struct store *s = calloc(1, sizeof(*s));

	if (s == NULL || (s->path = strdup(path)) == NULL) {
		error_set(err, "out of memory");
		goto fail;
	}
	if (prepare_file(path, err) != 0)
		goto fail;
	if (sqlite3_open_v2(path, &s->db, flags, NULL) != SQLITE_OK) {
		error_set(err, "%s", s->db ? sqlite3_errmsg(s->db) : "out of memory");
		goto fail;
	}
	s->durability = STORE_SOON;
	if (refuse_foreign(s->db, err) != 0 || configure(s->db, err) != 0 ||
		schema_migrate(s->db, schema_migrations, schema_version, err) != 0)
		goto fail;
	return s;
fail:
	error_prefix(err, "store %s", path);
	store_close(s);
	return NULL;
}

void store_close(struct store *s)
{
	if (s == NULL)
		return;
	if (s->depth > 0)
		store_rollback(s);
	for (unsigned k = 0; k < s->statement_count; k++)
		sqlite3_finalize(s->statements[k].statement);
	sqlite3_close(s->db);
	free(s->path);
	free(s);
}

const char *store_path(const struct store *s)
{
	return s->path;
}

uint64_t store_bytes(struct store *s)
{
	uint64_t bytes = 0;
	struct sql q;

	sql_prepare(&q, s,
		"SELECT page_count * page_size"
		" FROM pragma_page_count(), pragma_page_size()");
	if (sql_step(&q, NULL) == 1)
		bytes = sql_get_u64(&q, 0);
	sql_end(&q);
	return bytes;
}

int store_begin(struct store *s, enum durability d, struct error *err)
{
	if (s->depth > 0)
		return error_set(err, "store %s: a transaction is open already", s->path);
	return sql_enter(s, d, err);
}

int store_commit(struct store *s, struct error *err)
{
	if (s->depth != 1)
		return error_set(err, "store %s: no transaction is open", s->path);
	return sql_leave(s, 0, err);
}

void store_rollback(struct store *s)
{
	if (s->depth == 0)
		return;
	s->depth = 1;
	sql_leave(s, -1, NULL);
}
