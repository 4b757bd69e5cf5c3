/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/local_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/escape.h"

#define BUSY_MS       5000
#define ROW_BYTES_MAX 200000 /* no row is larger: a batch has 74 kB at most */

#define SCHEMA                                                                           \
	"CREATE TABLE operation ("                                                       \
	"row INTEGER PRIMARY KEY, chain INTEGER NOT NULL, "                              \
	"seq INTEGER NOT NULL, actor BLOB NOT NULL, "                                    \
	"counter INTEGER NOT NULL, tip_before BLOB NOT NULL, "                           \
	"bytes BLOB NOT NULL, signature BLOB NOT NULL, "                                 \
	"UNIQUE (chain, seq), UNIQUE (actor, counter)) STRICT"

#define COLUMNS "row, chain, seq, actor, counter, tip_before, bytes, signature"

void local_error_text(const struct local *l, struct error *err, const char *doing)
{
	const char *remedy = "";

	switch (sqlite3_errcode(l->db) & 0xff) {
	case SQLITE_BUSY:
		remedy = ": another process holds the write lock; try again";
		break;
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:
	case SQLITE_READONLY:
		remedy = ": the file, FILE-wal, FILE-shm and their directory must be "
			 "writable for this user or its group";
		break;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		remedy = ": " LOCAL_REMEDY;
		break;
	case SQLITE_FULL:
		remedy = ": make room on the disk";
		break;
	default:
		break;
	}
	error_set(err, "%s: %s: %s%s", l->path, doing, sqlite3_errmsg(l->db), remedy);
}

int local_exec(struct local *l, const char *sql, struct error *err)
{
	if (sqlite3_exec(l->db, sql, NULL, NULL, NULL) != SQLITE_OK)
		return local_error(l, err, sql);
	return 0;
}

/*
 * Wait for another writer in steps of a millisecond or so: SQLite's own
 * handler sleeps up to 100 ms between attempts, ten times what a commit takes.
 */
static int wait_for_writer(void *context, int count)
{
	struct local *l = context;
	struct timespec step = {.tv_nsec = 500000 + (getpid() % 16) * 100000};

	if (!count)
		l->busy_since = clock_monotonic();
	if (clock_monotonic() - l->busy_since > l->busy_ms * UINT64_C(1000))
		return 0;
	nanosleep(&step, NULL);
	return 1;
}

static char *sibling(const char *path, const char *suffix)
{
	char *name;

	return asprintf(&name, "%s%s", path, suffix) < 0 ? NULL : name;
}

/* The connection's settings. Returns 0, or -1 with a text. */
static int configure(struct local *l, struct error *err)
{
	int keep = 1;

	sqlite3_extended_result_codes(l->db, 1);
	sqlite3_busy_handler(l->db, wait_for_writer, l);
	sqlite3_limit(l->db, SQLITE_LIMIT_LENGTH, ROW_BYTES_MAX);
	sqlite3_limit(l->db, SQLITE_LIMIT_ATTACHED, 0);
	/* Others may write to the file: nothing in it is run. */
	sqlite3_db_config(l->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(l->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(l->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	sqlite3_db_config(l->db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
	/*
	 * -wal and -shm stay when the last process closes: whoever comes next
	 * may be another user of the group, whose new ones we could not write.
	 */
	sqlite3_file_control(l->db, "main", SQLITE_FCNTL_PERSIST_WAL, &keep);
	return local_exec(l,
		"PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY; "
		"PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0",
		err);
}

/* The first column of a statement's first row. Returns 0, or -1 with a text. */
static int ask_number(struct local *l, const char *sql, int64_t *value, struct error *err)
{
	sqlite3_stmt *s = NULL;
	int rc = -1;

	if (sqlite3_prepare_v2(l->db, sql, -1, &s, NULL) == SQLITE_OK &&
		sqlite3_step(s) == SQLITE_ROW) {
		*value = sqlite3_column_int64(s, 0);
		rc = 0;
	} else {
		local_error(l, err, sql);
	}
	sqlite3_finalize(s);
	return rc;
}

/* The file holds our table and nothing else. Returns 0, or -1 with a text. */
static int check_objects(struct local *l, struct error *err)
{
	static const char sql[] = "SELECT name, sql FROM sqlite_schema";
	sqlite3_stmt *s = NULL;
	int rc = -1, step;
	bool found = false;

	if (sqlite3_prepare_v2(l->db, sql, -1, &s, NULL) != SQLITE_OK) {
		local_error(l, err, "reading the schema");
		goto done;
	}
	while ((step = sqlite3_step(s)) == SQLITE_ROW) {
		const char *name = (const char *)sqlite3_column_text(s, 0);
		const char *text = (const char *)sqlite3_column_text(s, 1);

		if (text && !strcmp(text, SCHEMA)) {
			found = true;
		} else if (text || !name ||
			strncmp(name, "sqlite_autoindex_operation_", 27) != 0) {
			error_set(err,
				"%s: unexpected object \"%s\" in the schema: " LOCAL_REMEDY,
				l->path, escaped(view_str(name ? name : "")));
			goto done;
		}
	}
	if (step != SQLITE_DONE)
		local_error(l, err, "reading the schema");
	else if (!found)
		error_set(err, "%s: no table of operations: " LOCAL_REMEDY, l->path);
	else
		rc = 0;
done:
	sqlite3_finalize(s);
	return rc;
}

static int check_schema(struct local *l, struct error *err)
{
	int64_t id, version;

	if (ask_number(l, "PRAGMA application_id", &id, err) ||
		ask_number(l, "PRAGMA user_version", &version, err))
		return -1;
	if (id != LOCAL_APPLICATION_ID)
		return error_set(err,
			"%s: not a SIPchain ledger (application id "
			"0x%08llx): name another file",
			l->path, (unsigned long long)id);
	if (version != LOCAL_VERSION)
		return error_set(err,
			"%s: ledger format %lld, this program knows %d: "
			"use the version of SIPchain that made it, or a newer one",
			l->path, (long long)version, LOCAL_VERSION);
	return check_objects(l, err);
}

int local_prepare(struct local *l, struct error *err)
{
	const struct {
		sqlite3_stmt **statement;
		const char *sql;
	} list[] = {
		{&l->select_from,
			"SELECT " COLUMNS " FROM operation "
			"WHERE row >= ?1 ORDER BY row LIMIT ?2"},
		{&l->select_admin,
			"SELECT " COLUMNS " FROM operation "
			"WHERE chain = 1 AND row > ?1 AND row < ?2 ORDER BY seq"},
		{&l->select_seq,
			"SELECT " COLUMNS " FROM operation "
			"WHERE chain = ?1 AND seq = ?2"},
		{&l->select_last,
			"SELECT " COLUMNS " FROM operation "
			"WHERE chain = ?1 ORDER BY seq DESC LIMIT 1"},
		{&l->select_counter,
			"SELECT counter FROM operation "
			"WHERE actor = ?1 ORDER BY counter DESC LIMIT 1"},
		{&l->select_end, "SELECT max(row) FROM operation"},
		{&l->insert,
			"INSERT INTO operation (" COLUMNS ") "
			"VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"},
	};

	for (size_t k = 0; k < sizeof list / sizeof *list; k++)
		if (sqlite3_prepare_v3(l->db, list[k].sql, -1, SQLITE_PREPARE_PERSISTENT,
			    list[k].statement, NULL) != SQLITE_OK)
			return local_error(l, err, "preparing");
	return 0;
}

int local_schema_create(struct local *l, struct error *err)
{
	char marks[96];

	snprintf(marks, sizeof marks,
		"PRAGMA application_id = %d; "
		"PRAGMA user_version = %d",
		LOCAL_APPLICATION_ID, LOCAL_VERSION);
	if (local_exec(l, marks, err) || local_exec(l, SCHEMA, err))
		return -1;
	return local_prepare(l, err);
}

/* Writers hold the bell open; readers watch its path. */
static int open_bell(struct local *l, struct error *err)
{
	struct stat st;

	l->bell = open(l->bell_path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (l->bell < 0 && errno == ENOENT) {
		l->bell = open(l->bell_path,
			O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0660);
		/* Whatever the umask: the group shares it. */
		if (l->bell >= 0 && fchmod(l->bell, 0660))
			return error_set(err, "%s: %s", l->bell_path, strerror(errno));
	}
	if (l->bell < 0 || fstat(l->bell, &st))
		return error_set(err,
			"%s: %s: it must be writable for this user or "
			"its group",
			l->bell_path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return error_set(err, "%s: not a regular file: remove it", l->bell_path);
	return 0;
}

int local_bell_renew(struct local *l, struct error *err)
{
	struct stat held, named;

	if (!fstat(l->bell, &held) && !lstat(l->bell_path, &named) &&
		held.st_ino == named.st_ino && held.st_dev == named.st_dev)
		return 0;
	close(l->bell);
	return open_bell(l, err) ? -1 : 1;
}

void local_ring(const struct local *l)
{
	/* At offset 0 always: the file keeps its one byte. */
	while (pwrite(l->bell, "\a", 1, 0) < 0 && errno == EINTR)
		;
}

/* All but what needs the schema. NULL with a text. */
static struct local *open_file(const char *path, struct error *err)
{
	struct local *l = calloc(1, sizeof *l);

	if (!l)
		goto memory;
	l->bell = -1;
	l->busy_ms = BUSY_MS;
	l->path = strdup(path);
	l->bell_path = sibling(path, "-bell");
	l->registry = registry_new(hash_key_random());
	l->counters = table_new(
		sizeof(struct counter_record), ADDRESS20, 0, hash_key_random());
	if (!l->path || !l->bell_path || !l->registry || !l->counters)
		goto memory;
	if (sqlite3_open_v2(path, &l->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
		    NULL) != SQLITE_OK) {
		if (access(path, F_OK))
			error_set(err, "%s: %s: create the ledger first", path,
				strerror(errno));
		else
			local_error(l, err, "opening");
		goto fail;
	}
	if (configure(l, err))
		goto fail;
	return l;
memory:
	error_set(err, "%s: out of memory", path);
fail:
	local_close(l);
	return NULL;
}

/* Returns 0, or -1 with a text, when the file is not in WAL mode. */
static int check_wal(struct local *l, const char *sql, struct error *err)
{
	sqlite3_stmt *s = NULL;
	const char *mode = NULL;
	int rc = -1;

	if (sqlite3_prepare_v2(l->db, sql, -1, &s, NULL) == SQLITE_OK &&
		sqlite3_step(s) == SQLITE_ROW)
		mode = (const char *)sqlite3_column_text(s, 0);
	if (!mode)
		local_error(l, err, sql);
	else if (strcmp(mode, "wal") != 0)
		error_set(err,
			"%s: journal mode \"%s\", not \"wal\": keep the file "
			"on a local disk, and run PRAGMA journal_mode = wal on it",
			l->path, escaped(view_str(mode)));
	else
		rc = 0;
	sqlite3_finalize(s);
	return rc;
}

struct local *local_attach(const char *path, struct error *err)
{
	struct local *l = open_file(path, err);

	if (!l)
		return NULL;
	if (check_schema(l, err) || check_wal(l, "PRAGMA journal_mode", err) ||
		local_prepare(l, err) || open_bell(l, err)) {
		local_close(l);
		return NULL;
	}
	return l;
}

struct local *local_attach_new(const char *path, struct error *err)
{
	struct local *l = open_file(path, err);

	if (!l)
		return NULL;
	if (check_wal(l, "PRAGMA journal_mode = WAL", err) || open_bell(l, err)) {
		local_close(l);
		return NULL;
	}
	return l;
}

void local_close(struct local *l)
{
	if (!l)
		return;
	sqlite3_finalize(l->insert);
	sqlite3_finalize(l->select_end);
	sqlite3_finalize(l->select_counter);
	sqlite3_finalize(l->select_last);
	sqlite3_finalize(l->select_seq);
	sqlite3_finalize(l->select_admin);
	sqlite3_finalize(l->select_from);
	sqlite3_close(l->db);
	if (l->bell >= 0)
		close(l->bell);
	table_free(l->counters);
	registry_free(l->registry);
	free(l->bell_path);
	free(l->path);
	free(l);
}
