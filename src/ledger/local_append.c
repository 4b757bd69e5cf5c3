/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ledger/local_file.h"

/* The actor's next counter. Returns 0, or -1 with a text. */
static int next_counter(struct local *l, const uint8_t actor[ADDRESS20], uint64_t *next,
	struct error *err)
{
	const struct counter_record *c = local_counter(l, actor);
	sqlite3_stmt *s = l->select_counter;
	int step;

	if (!c)
		return error_set(err, "%s: out of memory", l->path);
	*next = c->counter + 1;
	if (c->exact)
		return 0;
	/* His last row lies before the window: the index knows. */
	sqlite3_bind_blob(s, 1, actor, ADDRESS20, SQLITE_STATIC);
	step = sqlite3_step(s);
	if (step == SQLITE_ROW)
		*next = (uint64_t)sqlite3_column_int64(s, 0) + 1;
	sqlite3_reset(s);
	if (step != SQLITE_ROW && step != SQLITE_DONE)
		return local_error(l, err, "reading the author's counter");
	return 0;
}

static int insert(struct local *l, const struct row *row, struct error *err)
{
	sqlite3_stmt *s = l->insert;
	int step;

	sqlite3_bind_int64(s, 1, (int64_t)row->row);
	sqlite3_bind_int64(s, 2, row->chain);
	sqlite3_bind_int64(s, 3, (int64_t)row->seq);
	sqlite3_bind_blob(s, 4, row->actor.p, (int)row->actor.n, SQLITE_STATIC);
	sqlite3_bind_int64(s, 5, (int64_t)row->counter);
	sqlite3_bind_blob(s, 6, row->tip_before.p, (int)row->tip_before.n, SQLITE_STATIC);
	sqlite3_bind_blob(s, 7, row->bytes.p, (int)row->bytes.n, SQLITE_STATIC);
	sqlite3_bind_blob(s, 8, row->signature.p, (int)row->signature.n, SQLITE_STATIC);
	step = sqlite3_step(s);
	sqlite3_reset(s);
	sqlite3_clear_bindings(s);
	return step == SQLITE_DONE ? 0 : local_error(l, err, "writing");
}

/* What stands in a row beside the operation, made for the next place. */
struct draft {
	struct row row;
	struct buffer bytes;
	struct tip tip;
	uint8_t signature[SIGNATURE_SIZE];
};

/* Sign the operation as the next row. Returns 0, or -1 with a text. */
static int draft_make(struct local *l, struct draft *d, const struct operation *op,
	const struct signer *signer, struct error *err)
{
	uint8_t digest[HASH_SIZE];

	if (operation_encode(&d->bytes, op))
		return error_set(err, "%s: the operation cannot be encoded", l->path);
	d->tip = *registry_tip(l->registry, operation_chain(op->type));
	d->row = (struct row){
		.row = l->row + 1,
		.seq = op->seq,
		.chain = operation_chain(op->type),
		.actor = view_of(op->actor, ADDRESS20),
		.tip_before = view_of(d->tip.hash, HASH_SIZE),
		.bytes = view_of(d->bytes.p, d->bytes.n),
		.signature = view_of(d->signature, SIGNATURE_SIZE),
	};
	if (next_counter(l, op->actor, &d->row.counter, err))
		return -1;
	row_digest(digest, registry_id(l->registry), &d->row);
	if (signer_sign(signer, d->signature, digest))
		return error_set(err, "%s: signing failed", l->path);
	return 0;
}

/*
 * Fill, check, sign and insert within the open write transaction, all rows
 * having been folded. Returns as local_append().
 */
static int append(struct local *l, struct draft *d, struct operation *op,
	const struct signer *signer, uint32_t now, struct refusal *why, struct error *err)
{
	op->seq = registry_tip(l->registry, operation_chain(op->type))->seq;
	/* A clock that was set back must not stop the ledger. */
	op->time = now > l->time ? now : l->time;
	memcpy(op->actor, signer_address(signer), ADDRESS20);
	if (registry_check(l->registry, op, why))
		return -1;
	if (draft_make(l, d, op, signer, err) || insert(l, &d->row, err))
		return -2;
	return 0;
}

/* The row is on the disk: fold it here as every reader will. */
static void settle(struct local *l, const struct draft *d, const struct operation *op)
{
	struct error reason;
	struct refusal why;

	if (registry_apply(l->registry, op, d->row.bytes, NULL, NULL, &why)) {
		error_set(&reason, "written but not folded: %s; start again",
			refusal_name(why.code));
		local_fail(l, d->row.row, &reason, NULL);
		return;
	}
	row_folded(l, &d->row, op, false);
}

int local_append(struct local *l, struct operation *op, const struct signer *signer,
	uint32_t now, struct refusal *why, struct error *err)
{
	struct draft d = {0};
	int rc = -2;

	*why = (struct refusal){.code = REFUSED_NOT};
	/* Most of what is new is read before others have to wait for us. */
	if (local_fold(l, -1, err) < 0)
		return -2;
	if (local_exec(l, "BEGIN IMMEDIATE", err))
		return -2;
	if (local_fold(l, -1, err) < 0)
		goto rollback;
	rc = append(l, &d, op, signer, now, why, err);
	if (rc)
		goto rollback;
	if (local_exec(l, "COMMIT", err)) {
		rc = -2;
		goto rollback;
	}
	settle(l, &d, op);
	local_ring(l);
	buffer_free(&d.bytes);
	return 0;
rollback:
	/* A failed COMMIT may have rolled back already. */
	if (!sqlite3_get_autocommit(l->db))
		sqlite3_exec(l->db, "ROLLBACK", NULL, NULL, NULL);
	buffer_free(&d.bytes);
	return rc;
}

/* A new file, shared with the group whatever the umask. Returns 0 or -1. */
static int make_file(const char *path, struct error *err)
{
	static const char *const suffixes[] = {"-wal", "-shm", "-bell", "-journal"};
	char name[4096];
	int fd;

	for (size_t k = 0; k < sizeof suffixes / sizeof *suffixes; k++) {
		struct stat st;

		/* SQLite would play an old -wal into the new file. */
		if ((size_t)snprintf(name, sizeof name, "%s%s", path, suffixes[k]) >=
			sizeof name)
			return error_set(err, "the path is too long");
		if (!lstat(name, &st))
			return error_set(err,
				"%s: left over from another ledger: "
				"remove it, or choose another name",
				name);
	}
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0660);
	if (fd < 0)
		return error_set(err, "%s: %s%s", path, strerror(errno),
			errno == EEXIST ? ": a ledger is not overwritten; choose "
					  "another name" :
					  "");
	if (fchmod(fd, 0660)) {
		error_set(err, "%s: %s", path, strerror(errno));
		close(fd);
		unlink(path);
		return -1;
	}
	close(fd);
	return 0;
}

static void remove_file(const char *path)
{
	static const char *const suffixes[] = {"", "-wal", "-shm", "-bell"};
	char name[4096];

	for (size_t k = 0; k < sizeof suffixes / sizeof *suffixes; k++)
		if ((size_t)snprintf(name, sizeof name, "%s%s", path, suffixes[k]) <
			sizeof name)
			unlink(name);
}

/* Schema and genesis as one transaction. Returns 0, or -1 with a text. */
static int write_genesis(struct local *l, struct operation *op,
	const struct signer *owner, uint32_t now, struct error *err)
{
	struct draft d = {0};
	char text[REFUSAL_TEXT];
	struct refusal why;
	int rc;

	if (local_exec(l, "BEGIN IMMEDIATE", err))
		return -1;
	rc = local_schema_create(l, err) ? -2 : append(l, &d, op, owner, now, &why, err);
	if (!rc && local_exec(l, "COMMIT", err))
		rc = -2;
	if (rc == -1)
		error_set(err, "%s: %s", l->path, refusal_print(text, &why));
	buffer_free(&d.bytes);
	return rc ? -1 : 0;
}

int local_create(const char *path, const struct ledger_config *config,
	const uint8_t guardian[ADDRESS20], const struct signer *owner, uint32_t now,
	struct error *err)
{
	uint8_t salt[HASH_SIZE];

	if (getrandom(salt, HASH_SIZE, 0) != HASH_SIZE)
		return error_set(err, "%s: no randomness: %s", path, strerror(errno));
	return local_create_salted(path, config, guardian, salt, owner, now, err);
}

int local_create_salted(const char *path, const struct ledger_config *config,
	const uint8_t guardian[ADDRESS20], const uint8_t salt[HASH_SIZE],
	const struct signer *owner, uint32_t now, struct error *err)
{
	struct operation op = {.type = OP_GENESIS, .config = *config};
	struct local *l;

	memcpy(op.address, guardian, ADDRESS20);
	memcpy(op.salt, salt, HASH_SIZE);
	if (make_file(path, err))
		return -1;
	l = local_attach_new(path, err);
	if (!l || write_genesis(l, &op, owner, now, err)) {
		local_close(l);
		remove_file(path);
		return -1;
	}
	local_close(l);
	return 0;
}
