/* SPDX-License-Identifier: Apache-2.0 */
#include "store/ledger_mark.h"

#include "store/sql.h"

int ledger_mark_get(struct store *s, struct ledger_mark *out, struct error *err)
{
	struct sql q;
	int rc;

	*out = (struct ledger_mark){.has_next = false};
	sql_prepare(&q, s, "SELECT id, next FROM ledger");
	rc = sql_step(&q, err);
	if (rc == 1) {
		sql_get_bytes(&q, 0, out->id, LEDGER_ID);
		out->has_next = !sql_is_null(&q, 1);
		sql_get_bytes(&q, 1, out->next, LEDGER_ID);
	}
	sql_end(&q);
	return rc;
}

int ledger_mark_put(struct store *s, const struct ledger_mark *mark, struct error *err)
{
	struct sql q;

	if (sql_ready(s, STORE_SYNCED, err) != 0)
		return -1;
	sql_prepare(
		&q, s, "INSERT OR REPLACE INTO ledger (one, id, next) VALUES (1, ?, ?)");
	sql_blob(&q, mark->id, LEDGER_ID);
	if (mark->has_next)
		sql_blob(&q, mark->next, LEDGER_ID);
	else
		sql_null(&q);
	return sql_run(&q, err);
}

/* --- the outbox for another ledger --- */

/* Run a statement whose one parameter is now; *changed rows are added up. */
static int change(struct sql *q, uint64_t now, uint64_t *changed, struct error *err)
{
	sql_u64(q, now);
	if (sql_run(q, err) != 0)
		return -1;
	*changed += sql_changes(q->store);
	return 0;
}

/* What was meant for the old ledger alone. */
static int drop(struct store *s, bool succeeds, uint64_t now, struct ledger_move *out,
	struct error *err)
{
	struct sql q;

	if (succeeds)
		sql_prepare(&q, s,
			"UPDATE outbox SET state = 5, updated = ?1, error ="
			" 'the ledger gave way to its successor before this revocation was"
			" on it: what it was about ends there by itself'"
			" WHERE state < 4 AND want = 3");
	else
		sql_prepare(&q, s,
			"UPDATE outbox SET state = 5, updated = ?1, error ="
			" 'another ledger was configured before this was on the first: ask"
			" for it again if it is meant for the new one'"
			" WHERE state < 4");
	return change(&q, now, &out->dropped, err);
}

/*
 * Open reports wait, without their words; of two requests about one indicator the
 * later one counts, which may be a revocation.
 */
static int carry(
	struct store *s, uint64_t now, struct ledger_move *out, struct error *err)
{
	uint64_t ignored = 0;
	struct sql q;

	sql_prepare(&q, s,
		"UPDATE outbox SET state = 6, updated = ?1, error ="
		" 'a later request about it was waiting when the successor took over'"
		" WHERE state IN (2, 3) AND want <> 3"
		" AND EXISTS (SELECT 1 FROM outbox w"
		"  WHERE w.indicator = outbox.indicator AND w.state = 1)");
	if (change(&q, now, &ignored, err) != 0)
		return -1;
	sql_prepare(&q, s,
		"UPDATE outbox SET state = 1, batch = NULL, position = NULL,"
		" word = NULL, retry_at = 0, updated = ?1, error ="
		" 'waits for the successor of the ledger' WHERE state < 4 AND want <> 3");
	return change(&q, now, &out->carried, err);
}

/* Live ones, unless something was said about the indicator after them. */
static int report_anew(
	struct store *s, uint64_t now, struct ledger_move *out, struct error *err)
{
	struct sql q;

	sql_prepare(&q, s,
		"INSERT INTO outbox (indicator, text, want, category, proof, expiry,"
		" evidence, state, created, updated)"
		" SELECT o.indicator, o.text, o.want, o.category, o.proof, o.expiry,"
		"  (SELECT e.id FROM evidence e WHERE e.id = o.evidence), 1, ?1, ?1"
		" FROM outbox o WHERE o.state = 4 AND o.want <> 3 AND o.expiry > ?1"
		" AND NOT EXISTS (SELECT 1 FROM outbox l"
		"  WHERE l.indicator = o.indicator AND l.id > o.id"
		"  AND l.state <= 4) ORDER BY o.id");
	return change(&q, now, &out->anew, err);
}

/* ledger_mark_move() within its transaction. */
static int move(struct store *s, const struct ledger_mark *mark, bool succeeds,
	uint64_t now, struct ledger_move *out, struct error *err)
{
	/* Revocations that are open still count against what they are about. */
	if (succeeds &&
		(carry(s, now, out, err) != 0 || report_anew(s, now, out, err) != 0))
		return -1;
	if (drop(s, succeeds, now, out, err) != 0)
		return -1;
	return ledger_mark_put(s, mark, err);
}

int ledger_mark_move(struct store *s, const struct ledger_mark *mark, bool succeeds,
	uint64_t now, struct ledger_move *out, struct error *err)
{
	*out = (struct ledger_move){.carried = 0};
	if (sql_enter(s, STORE_SYNCED, err) != 0)
		return -1;
	return sql_leave(s, move(s, mark, succeeds, now, out, err), err);
}
