/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/local_file.h"

/*
 * The window: a fresh reader folds the administrative chain whole and the
 * members' chain only from the first operation that may still matter. What it
 * passes over is proved to be old and complete by the operation just before
 * the window, whose hash is the tip that the window's first event carries: it
 * is older than the window, and signed by who was an active member's signer
 * then. What this cannot show is a member who wrote back-dated rows into the
 * file by himself; a reader from genesis stops at those.
 */
struct window {
	uint32_t since;  /* every skipped operation is older */
	uint64_t seq;    /* of the members' first operation in the window */
	uint64_t row;    /* the first row that is folded one by one */
	uint64_t before; /* the row of operation seq - 1 */
	uint32_t before_time;
	struct tip tip; /* before seq */
};

/* The row of an operation. Returns 0, 1 when it is not there, -1 with a text.
 * The statement is to be reset by the caller. */
static int load(struct local *l, enum chain chain, uint64_t seq, struct row *row,
	struct error *err)
{
	sqlite3_stmt *s = l->select_seq;
	int step;

	sqlite3_reset(s);
	sqlite3_bind_int64(s, 1, chain);
	sqlite3_bind_int64(s, 2, (int64_t)seq);
	step = sqlite3_step(s);
	if (step == SQLITE_DONE)
		return 1;
	if (step != SQLITE_ROW)
		return local_error(l, err, "looking for the window");
	row_load(row, s);
	return row->bytes.n >= OPERATION_HEAD ? 0 : 1;
}

static uint32_t time_of(const struct row *row)
{
	return be32_load(row->bytes.p + 1 + 8);
}

/*
 * The longest max_ttl of any configuration on the administrative chain, read
 * without verifying: these rows are all folded later.
 */
static int longest_ttl(struct local *l, uint32_t *longest, struct error *err)
{
	sqlite3_stmt *s = l->select_admin;
	int step;

	*longest = 0;
	sqlite3_bind_int64(s, 1, INT64_MIN);
	sqlite3_bind_int64(s, 2, INT64_MAX);
	while ((step = sqlite3_step(s)) == SQLITE_ROW) {
		struct operation op;
		struct row row;

		row_load(&row, s);
		if (!operation_decode(&op, row.bytes, NULL) &&
			op.config.max_ttl > *longest)
			*longest = op.config.max_ttl;
	}
	sqlite3_reset(s);
	return step == SQLITE_DONE ? 0 : local_error(l, err, "reading configurations");
}

/* The first members' operation not before w->since. Returns as load(). */
static int search(struct local *l, uint64_t count, struct window *w, struct error *err)
{
	uint64_t lo = 0, hi = count;

	while (lo < hi) {
		uint64_t mid = lo + (hi - lo) / 2;
		struct row row;
		int rc = load(l, CHAIN_MEMBERS, mid, &row, err);

		if (rc)
			return rc;
		if (time_of(&row) < w->since)
			lo = mid + 1;
		else
			hi = mid;
	}
	w->seq = lo;
	return 0;
}

/*
 * Where the window begins. Returns 0; 1 when there is nothing to skip, or the
 * file is not in order (folding it from its genesis then says what is wrong);
 * -1 with a text.
 */
static int find(struct local *l, uint32_t now, struct window *w, struct error *err)
{
	struct tip end;
	struct row row;
	uint32_t longest;
	int rc;

	if (longest_ttl(l, &longest, err) || local_tip(l, CHAIN_MEMBERS, &end, err))
		return -1;
	w->since = now > longest ? now - longest : 0;
	rc = search(l, end.seq, w, err);
	if (rc || !w->seq)
		return rc ? rc : 1;
	rc = load(l, CHAIN_MEMBERS, w->seq - 1, &row, err);
	if (rc)
		return rc;
	w->before = row.row;
	w->before_time = time_of(&row);
	if (row.tip_before.n != HASH_SIZE)
		return 1;
	tip_advance(w->tip.hash, row.tip_before.p, row.bytes);
	w->tip.seq = w->seq;
	if (w->seq == end.seq) {
		rc = local_end(l, &w->row, err);
		w->row++;
		return rc;
	}
	rc = load(l, CHAIN_MEMBERS, w->seq, &row, err);
	w->row = row.row;
	return rc;
}

/* Fold the administrative operations up to a row. Returns 0 or -1. */
static int fold_admin(struct local *l, uint64_t end, struct error *err)
{
	sqlite3_stmt *s = l->select_admin;
	int step = SQLITE_DONE, rc = 0;

	sqlite3_bind_int64(s, 1, (int64_t)l->row);
	sqlite3_bind_int64(s, 2, (int64_t)end);
	while (!rc && (step = sqlite3_step(s)) == SQLITE_ROW) {
		struct row row;

		row_load(&row, s);
		rc = row_fold(l, &row, true, err);
	}
	if (!rc && step != SQLITE_DONE)
		rc = local_error(l, err, "reading administrative operations");
	sqlite3_reset(s);
	return rc;
}

/*
 * The operation just before the window, the administrative ones before it
 * having been folded. Returns 0, or -1 with a text.
 */
static int check_before(const struct local *l, const struct window *w,
	const struct row *row, struct error *err)
{
	const struct member *m;
	struct operation op;

	if (operation_decode(&op, row->bytes, err) || row_check_columns(row, &op, err) ||
		row_check_signature(l, row, err))
		return -1;
	m = registry_member_by_signer(l->registry, op.actor);
	if (!m || m->index != op.member || m->status != MEMBER_ACTIVE)
		return error_set(err, "its actor was no signer of an active member");
	if (op.time >= w->since)
		return error_set(err, "it is not older than the window");
	return 0;
}

/*
 * What stands just before the window, and that it leads to the window's first
 * event. Returns 0, or -1 with a text, l failed.
 */
static int prove(struct local *l, const struct window *w, struct error *err)
{
	struct error reason = {0};
	struct row row;
	int rc;

	rc = load(l, CHAIN_MEMBERS, w->seq - 1, &row, err);
	if (rc < 0)
		return -1;
	if (rc)
		error_set(&reason, "it is malformed");
	if (rc || check_before(l, w, &row, &reason))
		return local_fail(l, w->before, &reason, err);
	rc = load(l, CHAIN_MEMBERS, w->seq, &row, err);
	if (rc < 0)
		return -1;
	if (!rc && !view_eq(row.tip_before, view_of(w->tip.hash, HASH_SIZE))) {
		error_set(&reason,
			"the tip before the window is not the hash of the "
			"operation before it: rows are missing or altered");
		return local_fail(l, row.row, &reason, err);
	}
	return 0;
}

/* Stand on the row before the window, so that it is seen to stay. */
static int stand(struct local *l, const struct window *w, struct error *err)
{
	sqlite3_stmt *s = l->select_from;
	struct error reason;
	struct row row;
	int rc = 0;

	sqlite3_bind_int64(s, 1, (int64_t)w->row - 1);
	sqlite3_bind_int64(s, 2, 1);
	if (sqlite3_step(s) != SQLITE_ROW) {
		rc = local_error(l, err, "reading the row before the window");
	} else {
		row_load(&row, s);
		if (row.row != w->row - 1 || row.signature.n != SIGNATURE_SIZE) {
			error_set(&reason, "the row before the window is missing");
			rc = local_fail(l, w->row - 1, &reason, err);
		} else {
			l->row = row.row;
			memcpy(l->signature, row.signature.p, SIGNATURE_SIZE);
		}
	}
	sqlite3_reset(s);
	return rc;
}

/* The window as one reading of the file. Returns 0 or -1. */
static int begin(struct local *l, uint32_t now, struct error *err)
{
	struct window w = {0};
	int rc = find(l, now, &w, err);

	if (rc)
		return rc < 0 ? -1 : 0;
	l->windowed = true;
	rc = fold_admin(l, w.before, err) || prove(l, &w, err) ||
		fold_admin(l, w.row, err) || stand(l, &w, err);
	if (!rc && registry_window(l->registry, &w.tip, w.since))
		rc = error_set(err, "%s: row 1 is not a genesis: " LOCAL_REMEDY, l->path);
	if (rc) {
		/* Half a window is in the registry: nothing can follow it. */
		if (!l->failed)
			l->failure = *err;
		l->failed = true;
		return -1;
	}
	if (l->time < w.before_time)
		l->time = w.before_time;
	if (l->on_window)
		l->on_window(l->context, &w.tip, w.since);
	return 0;
}

int local_begin(struct local *l, bool whole, uint32_t now, struct error *err)
{
	struct error own = {0};
	int rc;

	if (whole)
		return 0;
	if (local_exec(l, "BEGIN", err))
		return -1;
	rc = begin(l, now, &own);
	sqlite3_reset(l->select_seq);
	if (local_exec(l, "COMMIT", rc ? NULL : &own))
		rc = -1;
	if (rc && err)
		*err = own;
	return rc;
}
