/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/local_file.h"

#define VERIFY_STEP 1000

int local_end(struct local *l, uint64_t *row, struct error *err)
{
	int rc = 0;

	if (sqlite3_step(l->select_end) == SQLITE_ROW)
		*row = (uint64_t)sqlite3_column_int64(l->select_end, 0);
	else
		rc = local_error(l, err, "counting rows");
	sqlite3_reset(l->select_end);
	return rc;
}

/* The row that was read last must still stand there. Returns 0 or -1. */
static int check_anchor(
	struct local *l, bool found, const struct row *row, struct error *err)
{
	struct error reason;

	if (found && row->row == l->row &&
		view_eq(row->signature, view_of(l->signature, SIGNATURE_SIZE)))
		return 0;
	error_set(&reason,
		"it was read before and is gone or another one now: the "
		"file was cut or replaced");
	return local_fail(l, l->row, &reason, err);
}

int local_fold(struct local *l, int max, struct error *err)
{
	sqlite3_stmt *s = l->select_from;
	bool anchored = l->row > 0;
	uint64_t first = l->row;
	int step, rc = 0;
	struct row row = {0};

	if (l->failed) {
		if (err)
			*err = l->failure;
		return -1;
	}
	sqlite3_bind_int64(s, 1, anchored ? (int64_t)l->row : INT64_MIN);
	sqlite3_bind_int64(s, 2, max < 0 ? -1 : max + anchored);
	step = sqlite3_step(s);
	if (anchored && (step == SQLITE_ROW || step == SQLITE_DONE)) {
		if (step == SQLITE_ROW)
			row_load(&row, s);
		rc = check_anchor(l, step == SQLITE_ROW, &row, err);
		if (!rc)
			step = sqlite3_step(s);
	}
	for (; !rc && step == SQLITE_ROW; step = sqlite3_step(s)) {
		row_load(&row, s);
		rc = row_fold(l, &row, false, err);
	}
	if (!rc && step != SQLITE_DONE) {
		char doing[48];

		sqlite3_snprintf(sizeof doing, doing, "after row %llu", l->row);
		rc = local_error(l, err, doing);
	}
	sqlite3_reset(s);
	return rc ? -1 : (int)(l->row - first);
}

struct local *local_open(const char *path, bool whole, uint32_t now, struct error *err)
{
	struct local *l = local_attach(path, err);

	if (!l)
		return NULL;
	if (local_begin(l, whole, now, err) || local_fold(l, -1, err) < 0)
		goto fail;
	if (!l->row) {
		error_set(err, "%s: holds no operation: " LOCAL_REMEDY, path);
		goto fail;
	}
	return l;
fail:
	local_close(l);
	return NULL;
}

const struct registry *local_registry(const struct local *l)
{
	return l->registry;
}

int local_read(struct local *l, local_event_fn *event, void *context, struct error *err)
{
	int n;

	l->on_event = event;
	l->context = context;
	n = local_fold(l, -1, err);
	l->on_event = NULL;
	l->context = NULL;
	return n;
}

int local_tip(struct local *l, enum chain chain, struct tip *out, struct error *err)
{
	sqlite3_stmt *s = l->select_last;
	int step, rc = 0;

	memset(out, 0, sizeof *out);
	sqlite3_bind_int64(s, 1, chain);
	step = sqlite3_step(s);
	if (step == SQLITE_ROW) {
		struct row row;

		row_load(&row, s);
		if (row.tip_before.n == HASH_SIZE) {
			tip_advance(out->hash, row.tip_before.p, row.bytes);
			out->seq = row.seq + 1;
		} else {
			rc = error_set(err,
				"%s: row %llu: a tip of %zu bytes: " LOCAL_REMEDY,
				l->path, (unsigned long long)row.row, row.tip_before.n);
		}
	} else if (step != SQLITE_DONE) {
		rc = local_error(l, err, "reading the tip");
	}
	sqlite3_reset(s);
	return rc;
}

/* The indexes, by which tips are asked, agree with the rows. */
static int check_tips(struct local *l, struct error *err)
{
	for (int chain = CHAIN_MEMBERS; chain <= CHAIN_ADMIN; chain++) {
		const struct tip *folded = registry_tip(l->registry, chain);
		struct tip said;

		if (local_tip(l, chain, &said, err))
			return -1;
		if (said.seq != folded->seq || memcmp(said.hash, folded->hash, HASH_SIZE))
			return error_set(err,
				"%s: the index of the %s chain does not "
				"lead to its last row: run REINDEX on the file",
				l->path,
				chain == CHAIN_ADMIN ? "administrative" : "members'");
	}
	return 0;
}

int64_t local_verify(const char *path,
	void (*progress)(void *context, uint64_t done, uint64_t total), void *context,
	struct error *err)
{
	struct local *l = local_attach(path, err);
	int64_t rc = -1;
	uint64_t total;
	int n = 0;

	if (!l)
		return -1;
	/* One snapshot: rows appended meanwhile are not this call's. */
	if (local_exec(l, "BEGIN", err) || local_end(l, &total, err))
		goto done;
	while ((n = local_fold(l, VERIFY_STEP, err)) > 0)
		if (progress)
			progress(context, l->row, total);
	if (n < 0 || check_tips(l, err))
		goto done;
	rc = (int64_t)l->row;
	if (!rc)
		rc = error_set(err, "%s: holds no operation: " LOCAL_REMEDY, path);
done:
	local_close(l);
	return rc;
}
