/* SPDX-License-Identifier: Apache-2.0 */
#include "store/outbox_batch.h"

#include <inttypes.h>
#include <stdlib.h>

#include "store/outbox_row.h"

/* --- making a batch --- */

/* Whether the word may be given to the row. Returns 0, or -1 with a text. */
static int check_assignment(const struct outbox_row *row,
	const struct outbox_assignment *a, struct error *err)
{
	struct report r;

	word_decode(&r, a->word);
	if (row->state != OUTBOX_WAITING)
		return error_set(err, "outbox: ticket %" PRIu64 " is %s, not waiting",
			a->ticket, outbox_state_name(row->state));
	if (memcmp(&r.indicator, &row->indicator, INDICATOR_SIZE) != 0)
		return error_set(err,
			"outbox: the word for ticket %" PRIu64
			" is about another indicator",
			a->ticket);
	if ((r.action == ACTION_SPEND) != (row->want == OUTBOX_SPEND))
		return error_set(err,
			"outbox: the word for ticket %" PRIu64
			" does not do what was asked (%s)",
			a->ticket, outbox_want_name(row->want));
	return 0;
}

/* Keep the record's leaf as leaf number n of the batch. 0, or -1 with a text. */
static int keep_leaf(struct store *s, uint64_t batch, uint32_t n, uint64_t evidence,
	uint8_t leaf[KECCAK_SIZE], struct error *err)
{
	struct sql q;
	int rc;

	sql_prepare(&q, s, "SELECT leaf FROM evidence WHERE id = ?");
	sql_u64(&q, evidence);
	rc = sql_step(&q, err);
	if (rc == 1)
		sql_get_bytes(&q, 0, leaf, KECCAK_SIZE);
	sql_end(&q);
	if (rc == 0)
		return error_set(
			err, "outbox: evidence %" PRIu64 " is not kept", evidence);
	if (rc < 0)
		return -1;
	sql_prepare(&q, s,
		"INSERT INTO batch_leaf (batch, position, evidence, leaf)"
		" VALUES (?, ?, ?, ?)");
	sql_u64(&q, batch);
	sql_u64(&q, n);
	sql_u64(&q, evidence);
	sql_blob(&q, leaf, KECCAK_SIZE);
	return sql_run(&q, err);
}

/* Put one waiting row into the batch; *evidence is its record, or 0. */
static int assign_row(struct store *s, const struct outbox_assignment *a, int position,
	uint64_t batch, uint64_t now, uint64_t *evidence, struct error *err)
{
	struct outbox_row row;
	struct sql q;
	int rc = outbox_get(s, &row, a->ticket, err);

	if (rc == 0)
		return error_set(err, "outbox: no ticket %" PRIu64, a->ticket);
	if (rc < 0 || check_assignment(&row, a, err) != 0)
		return -1;
	*evidence = row.evidence;
	sql_prepare(&q, s,
		"UPDATE outbox SET state = 2, batch = ?, position = ?,"
		" word = ?, updated = ? WHERE id = ?");
	sql_u64(&q, batch);
	sql_u64(&q, (uint64_t)position);
	sql_blob(&q, a->word, WORD_SIZE);
	sql_u64(&q, now);
	sql_u64(&q, a->ticket);
	return sql_run(&q, err);
}

static int insert_batch(struct store *s, uint64_t now, uint64_t *batch, struct error *err)
{
	static const uint8_t none[KECCAK_SIZE];
	struct sql q;

	sql_prepare(&q, s, "INSERT INTO batch (commitment, created) VALUES (?, ?)");
	sql_blob(&q, none, sizeof(none));
	sql_u64(&q, now);
	if (sql_run(&q, err) != 0)
		return -1;
	*batch = sql_last_id(s);
	return 0;
}

/* outbox_assign() within its transaction. leaves has room for n. */
static int assign(struct store *s, const struct outbox_assignment *entries, int n,
	uint64_t now, uint64_t *batch, uint8_t (*leaves)[KECCAK_SIZE],
	uint8_t commitment[KECCAK_SIZE], struct error *err)
{
	uint32_t leaf_count = 0;
	struct sql q;

	if (insert_batch(s, now, batch, err) != 0)
		return -1;
	for (int k = 0; k < n; k++) {
		uint64_t evidence;

		if (assign_row(s, &entries[k], k, *batch, now, &evidence, err) != 0)
			return -1;
		if (evidence == 0)
			continue;
		if (keep_leaf(s, *batch, leaf_count, evidence, leaves[leaf_count], err) !=
			0)
			return -1;
		leaf_count++;
	}
	merkle_root(commitment, (const uint8_t(*)[KECCAK_SIZE])leaves, leaf_count);
	sql_prepare(&q, s, "UPDATE batch SET commitment = ? WHERE id = ?");
	sql_blob(&q, commitment, KECCAK_SIZE);
	sql_u64(&q, *batch);
	return sql_run(&q, err);
}

int outbox_assign(struct store *s, const struct outbox_assignment *entries, int n,
	uint64_t now, uint64_t *batch, uint8_t commitment[KECCAK_SIZE], struct error *err)
{
	uint8_t(*leaves)[KECCAK_SIZE];
	int rc;

	if (n < 1 || n > OUTBOX_BATCH_MAX)
		return error_set(
			err, "outbox: a batch has 1 to %d entries", OUTBOX_BATCH_MAX);
	leaves = calloc((size_t)n, sizeof(*leaves));
	if (leaves == NULL)
		return error_set(err, "outbox: out of memory");
	rc = sql_enter(s, STORE_SYNCED, err);
	if (rc == 0)
		rc = sql_leave(s,
			assign(s, entries, n, now, batch, leaves, commitment, err), err);
	free(leaves);
	return rc;
}

/* --- sending it --- */

int outbox_submitted(struct store *s, uint64_t batch, uint64_t now, struct error *err)
{
	struct sql q;

	if (sql_ready(s, STORE_SYNCED, err) != 0)
		return -1;
	sql_prepare(&q, s,
		"UPDATE outbox SET state = 3, attempts = attempts + 1,"
		" updated = ? WHERE batch = ? AND state IN (2, 3)");
	sql_u64(&q, now);
	sql_u64(&q, batch);
	return sql_run(&q, err);
}

int outbox_batch(struct store *s, uint64_t batch, struct outbox_row *rows, int max,
	uint8_t commitment[KECCAK_SIZE], struct error *err)
{
	struct sql q;
	int rc;

	sql_prepare(&q, s, "SELECT commitment FROM batch WHERE id = ?");
	sql_u64(&q, batch);
	rc = sql_step(&q, err);
	if (rc == 1)
		sql_get_bytes(&q, 0, commitment, KECCAK_SIZE);
	sql_end(&q);
	if (rc == 0)
		return error_set(err, "outbox: no batch %" PRIu64, batch);
	if (rc < 0)
		return -1;
	sql_prepare(&q, s,
		"SELECT " OUTBOX_COLUMNS " FROM outbox o"
		" WHERE o.batch = ? AND o.state IN (2, 3) ORDER BY o.position");
	sql_u64(&q, batch);
	return outbox_rows_read(rows, max, &q, err);
}

/* --- its fate --- */

/* Set one row's end. */
static int finish_row(struct store *s, uint64_t ticket, enum outbox_state fate,
	uint64_t block, const char *reason, uint64_t now, struct error *err)
{
	struct sql q;

	sql_prepare(&q, s,
		"UPDATE outbox SET state = ?, block = ?, error = ?,"
		" updated = ? WHERE id = ?");
	sql_u64(&q, fate);
	sql_u64(&q, block);
	sql_text(&q, reason);
	sql_u64(&q, now);
	sql_u64(&q, ticket);
	return sql_run(&q, err);
}

/*
 * The row goes back to the queue and keeps its word. When a later row about the
 * indicator waits there already, that one speaks for both and inherits the word.
 */
static int requeue_row(struct store *s, const struct outbox_row *row, const char *reason,
	uint64_t retry_at, uint64_t now, struct error *err)
{
	struct sql q;

	sql_prepare(&q, s,
		"UPDATE outbox SET word = coalesce(word, ?)"
		" WHERE indicator = ? AND state = 1");
	sql_blob(&q, row->word, WORD_SIZE);
	sql_blob(&q, &row->indicator, INDICATOR_SIZE);
	if (sql_run(&q, err) != 0)
		return -1;
	if (sql_changes(s) > 0)
		return finish_row(s, row->ticket, OUTBOX_SUPERSEDED, 0,
			"failed, and a later request waits", now, err);
	sql_prepare(&q, s,
		"UPDATE outbox SET state = 1, batch = NULL, position = NULL,"
		" error = ?, retry_at = ?, updated = ? WHERE id = ?");
	sql_text(&q, reason);
	sql_u64(&q, retry_at);
	sql_u64(&q, now);
	sql_u64(&q, row->ticket);
	return sql_run(&q, err);
}

/*
 * Requeue the batch's rows in flight, but for the one at `refused` (-1: none),
 * which is refused.
 */
static int dissolve(struct store *s, uint64_t batch, int refused, const char *reason,
	uint64_t retry_at, uint64_t now, struct error *err)
{
	struct outbox_row *rows = calloc(OUTBOX_BATCH_MAX, sizeof(*rows));
	uint8_t commitment[KECCAK_SIZE];
	int rc, n;

	if (rows == NULL)
		return error_set(err, "outbox: out of memory");
	rc = n = outbox_batch(s, batch, rows, OUTBOX_BATCH_MAX, commitment, err);
	for (int k = 0; k < n && rc >= 0; k++) {
		if (rows[k].position == refused)
			rc = finish_row(
				s, rows[k].ticket, OUTBOX_REFUSED, 0, reason, now, err);
		else
			rc = requeue_row(s, &rows[k], refused >= 0 ? "" : reason,
				retry_at, now, err);
	}
	free(rows);
	return rc >= 0 ? 0 : -1;
}

int outbox_final(
	struct store *s, uint64_t batch, uint64_t block, uint64_t now, struct error *err)
{
	struct sql q;
	int rc;

	if (sql_enter(s, STORE_SYNCED, err) != 0)
		return -1;
	sql_prepare(&q, s,
		"UPDATE outbox SET state = 4, block = ?, error = '',"
		" updated = ? WHERE batch = ? AND state IN (2, 3)");
	sql_u64(&q, block);
	sql_u64(&q, now);
	sql_u64(&q, batch);
	rc = sql_run(&q, err);
	if (rc == 0) {
		sql_prepare(&q, s, "UPDATE batch SET block = ? WHERE id = ?");
		sql_u64(&q, block);
		sql_u64(&q, batch);
		rc = sql_run(&q, err);
	}
	return sql_leave(s, rc, err);
}

int outbox_refused(struct store *s, uint64_t batch, uint16_t position, const char *reason,
	uint64_t now, struct error *err)
{
	if (sql_enter(s, STORE_SYNCED, err) != 0)
		return -1;
	return sql_leave(s, dissolve(s, batch, position, reason, now, now, err), err);
}

int outbox_failed(struct store *s, uint64_t batch, const char *reason, uint64_t retry_at,
	uint64_t now, struct error *err)
{
	if (sql_enter(s, STORE_SYNCED, err) != 0)
		return -1;
	return sql_leave(s, dissolve(s, batch, -1, reason, retry_at, now, err), err);
}

/* outbox_settle() within its transaction. */
static int settle(struct store *s, uint64_t ticket, enum outbox_state fate,
	uint64_t block, const char *reason, uint64_t now, struct error *err)
{
	struct outbox_row row;
	struct sql q;
	int rc = outbox_get(s, &row, ticket, err);

	if (rc == 0)
		return error_set(err, "outbox: no ticket %" PRIu64, ticket);
	if (rc < 0)
		return -1;
	if (row.state > OUTBOX_SUBMITTED ||
		(row.state == OUTBOX_WAITING && fate == OUTBOX_WAITING))
		return 0;
	if (fate == OUTBOX_WAITING)
		return requeue_row(s, &row, reason, now, now, err);
	if (fate == OUTBOX_FINAL && row.batch != 0 && block != 0) {
		sql_prepare(&q, s,
			"UPDATE batch SET block = coalesce(block, ?)"
			" WHERE id = ?");
		sql_u64(&q, block);
		sql_u64(&q, row.batch);
		if (sql_run(&q, err) != 0)
			return -1;
	}
	return finish_row(s, ticket, fate, block, reason, now, err);
}

int outbox_settle(struct store *s, uint64_t ticket, enum outbox_state fate,
	uint64_t block, const char *reason, uint64_t now, struct error *err)
{
	if (fate != OUTBOX_FINAL && fate != OUTBOX_REFUSED && fate != OUTBOX_WAITING)
		return error_set(err, "outbox: no row is settled as %s",
			outbox_state_name((uint8_t)fate));
	if (sql_enter(s, STORE_SYNCED, err) != 0)
		return -1;
	return sql_leave(s,
		settle(s, ticket, fate, block, reason != NULL ? reason : "", now, err),
		err);
}
