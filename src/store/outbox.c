/* SPDX-License-Identifier: Apache-2.0 */
#include "store/outbox.h"

#include <stdio.h>

#include "store/outbox_row.h"

/* --- reading --- */

void outbox_row_read(struct outbox_row *out, struct sql *q)
{
	*out = (struct outbox_row){.ticket = sql_get_u64(q, 0)};
	sql_get_bytes(q, 1, &out->indicator, INDICATOR_SIZE);
	sql_get_text(q, 2, out->text, sizeof(out->text));
	out->want = (uint8_t)sql_get_u64(q, 3);
	out->category = (uint8_t)sql_get_u64(q, 4);
	out->proof = (uint8_t)sql_get_u64(q, 5);
	out->expiry = (uint32_t)sql_get_u64(q, 6);
	out->evidence = sql_get_u64(q, 7);
	out->state = (uint8_t)sql_get_u64(q, 8);
	out->has_word = !sql_is_null(q, 9);
	sql_get_bytes(q, 9, out->word, WORD_SIZE);
	out->batch = sql_get_u64(q, 10);
	out->position = (uint16_t)sql_get_u64(q, 11);
	out->attempts = (uint32_t)sql_get_u64(q, 12);
	out->retry_at = sql_get_u64(q, 13);
	out->block = sql_get_u64(q, 14);
	out->created = sql_get_u64(q, 15);
	out->updated = sql_get_u64(q, 16);
	sql_get_text(q, 17, out->error, sizeof(out->error));
}

int outbox_rows_read(struct outbox_row *rows, int max, struct sql *q, struct error *err)
{
	int n = 0, rc = 0;

	while (n < max && (rc = sql_step(q, err)) == 1)
		outbox_row_read(&rows[n++], q);
	sql_end(q);
	return rc >= 0 ? n : -1;
}

int outbox_get(
	struct store *s, struct outbox_row *out, uint64_t ticket, struct error *err)
{
	struct sql q;

	sql_prepare(&q, s, "SELECT " OUTBOX_COLUMNS " FROM outbox o WHERE o.id = ?");
	sql_u64(&q, ticket);
	return outbox_rows_read(out, 1, &q, err);
}

int outbox_open(struct store *s, const struct indicator *i, struct outbox_row *waiting,
	struct outbox_row *in_flight, struct error *err)
{
	struct sql q;
	int n;

	sql_prepare(&q, s,
		"SELECT " OUTBOX_COLUMNS " FROM outbox o"
		" WHERE o.indicator = ? AND o.state = 1");
	sql_blob(&q, i, INDICATOR_SIZE);
	n = outbox_rows_read(waiting, 1, &q, err);
	if (n < 0)
		return -1;
	if (n == 0)
		waiting->ticket = 0;
	sql_prepare(&q, s,
		"SELECT " OUTBOX_COLUMNS " FROM outbox o"
		" WHERE o.indicator = ? AND o.state IN (2, 3)");
	sql_blob(&q, i, INDICATOR_SIZE);
	n = outbox_rows_read(in_flight, 1, &q, err);
	if (n < 0)
		return -1;
	if (n == 0)
		in_flight->ticket = 0;
	return 0;
}

int outbox_next(struct store *s, struct outbox_row *rows, int max, uint64_t now,
	struct error *err)
{
	struct sql q;

	sql_prepare(&q, s,
		"SELECT " OUTBOX_COLUMNS " FROM outbox o"
		" WHERE o.state = 1 AND o.retry_at <= ? AND NOT EXISTS"
		" (SELECT 1 FROM outbox f WHERE f.indicator = o.indicator"
		"  AND f.state IN (2, 3)) ORDER BY o.want <> 3, o.want <> 2, o.id");
	sql_u64(&q, now);
	return outbox_rows_read(rows, max, &q, err);
}

/* Call fn for every row of q and release q. Returns how many, or -1. */
static int each(struct sql *q, outbox_fn *fn, void *context, struct error *err)
{
	int n = 0, rc;

	while ((rc = sql_step(q, err)) == 1) {
		struct outbox_row row;

		outbox_row_read(&row, q);
		fn(context, &row);
		n++;
	}
	sql_end(q);
	return rc == 0 ? n : -1;
}

int outbox_in_flight(struct store *s, outbox_fn *fn, void *context, struct error *err)
{
	struct sql q;

	sql_prepare(&q, s,
		"SELECT " OUTBOX_COLUMNS " FROM outbox o"
		" WHERE o.state IN (2, 3) ORDER BY o.batch, o.position");
	return each(&q, fn, context, err);
}

int outbox_list(struct store *s, uint64_t before, int max, bool open_only, outbox_fn *fn,
	void *context, struct error *err)
{
	struct sql q;

	sql_prepare(&q, s,
		"SELECT " OUTBOX_COLUMNS " FROM outbox o"
		" WHERE o.id < ? AND o.state <= ? ORDER BY o.id DESC LIMIT ?");
	sql_u64(&q, before != 0 ? before : INT64_MAX);
	sql_u64(&q, open_only ? OUTBOX_SUBMITTED : OUTBOX_STATES);
	sql_u64(&q, max > 0 ? (uint64_t)max : 0);
	return each(&q, fn, context, err);
}

int outbox_counts(struct store *s, uint64_t counts[OUTBOX_STATES], struct error *err)
{
	struct sql q;
	int rc;

	memset(counts, 0, OUTBOX_STATES * sizeof(*counts));
	sql_prepare(&q, s, "SELECT state, count(*) FROM outbox GROUP BY state");
	while ((rc = sql_step(&q, err)) == 1) {
		uint64_t state = sql_get_u64(&q, 0);

		if (state < OUTBOX_STATES)
			counts[state] = sql_get_u64(&q, 1);
	}
	sql_end(&q);
	return rc;
}

int outbox_oldest(struct store *s, uint64_t *created, struct error *err)
{
	struct sql q;
	int rc;

	*created = 0;
	sql_prepare(&q, s, "SELECT min(created) FROM outbox WHERE state <= ?1");
	sql_u64(&q, OUTBOX_SUBMITTED);
	rc = sql_step(&q, err);
	if (rc == 1)
		*created = sql_get_u64(&q, 0);
	sql_end(&q);
	return rc < 0 ? -1 : 0;
}

/* --- taking requests --- */

/* Whether a request can be kept as it is. Returns 0, or -1 with a text. */
static int check(const struct outbox_request *r, const char *text, struct error *err)
{
	struct view v = view_str(text);

	if (r->want < OUTBOX_REPORT || r->want > OUTBOX_SPEND)
		return error_set(err, "outbox: unknown wish %u", r->want);
	if (indicator_check_shape(&r->indicator, err) != 0)
		return error_prefix(err, "outbox");
	if ((r->want == OUTBOX_OBJECT) != (r->category == CATEGORY_OBJECTION) &&
		r->want != OUTBOX_SPEND)
		return error_set(err,
			"outbox: a report has a category other than "
			"objection, an objection that one");
	if (r->want != OUTBOX_SPEND && r->expiry == 0)
		return error_set(err, "outbox: a report must have an expiry");
	if (v.n == 0)
		return 0;
	if (r->indicator.kind >= INDICATOR_URI && v.n <= INDICATOR_SOURCE_TEXT) {
		struct indicator hashed = indicator_from_canonical(r->indicator.kind, v);

		if (memcmp(&hashed, &r->indicator, sizeof(hashed)) == 0)
			return 0;
	}
	return error_set(
		err, "outbox: the text is not the one that the indicator hashes");
}

/* A waiting row and a new request with the same wish become one. */
static int merge(struct store *s, const struct outbox_row *row,
	const struct outbox_request *r, uint64_t now, struct error *err)
{
	struct sql q;

	sql_prepare(&q, s,
		"UPDATE outbox SET category = ?, proof = ?,"
		" expiry = max(expiry, ?), evidence = coalesce(?, evidence),"
		" updated = ? WHERE id = ?");
	sql_u64(&q, r->category);
	sql_u64(&q, r->proof);
	sql_u64(&q, r->expiry);
	if (r->evidence != 0)
		sql_u64(&q, r->evidence);
	else
		sql_null(&q);
	sql_u64(&q, now);
	sql_u64(&q, row->ticket);
	return sql_run(&q, err);
}

/* The waiting row gives way to one with another wish. */
static int supersede(struct store *s, const struct outbox_row *row, const char *by,
	uint64_t now, struct error *err)
{
	char reason[80];
	struct sql q;

	snprintf(reason, sizeof(reason), "superseded by a later request to %s", by);
	sql_prepare(&q, s,
		"UPDATE outbox SET state = 6, error = ?, updated = ?"
		" WHERE id = ?");
	sql_text(&q, reason);
	sql_u64(&q, now);
	sql_u64(&q, row->ticket);
	return sql_run(&q, err);
}

/* A new waiting row, with the word of the one it supersedes (or none). */
static int insert(struct store *s, const struct outbox_request *r, const char *text,
	const struct outbox_row *before, uint64_t now, uint64_t *ticket,
	struct error *err)
{
	struct sql q;

	sql_prepare(&q, s,
		"INSERT INTO outbox (indicator, text, want, category, proof,"
		" expiry, evidence, state, word, created, updated)"
		" VALUES (?, ?, ?, ?, ?, ?, ?, 1, ?, ?, ?)");
	sql_blob(&q, &r->indicator, INDICATOR_SIZE);
	sql_text(&q, text);
	sql_u64(&q, r->want);
	sql_u64(&q, r->category);
	sql_u64(&q, r->proof);
	sql_u64(&q, r->expiry);
	if (r->evidence != 0)
		sql_u64(&q, r->evidence);
	else
		sql_null(&q);
	if (before->ticket != 0 && before->has_word)
		sql_blob(&q, before->word, WORD_SIZE);
	else
		sql_null(&q);
	sql_u64(&q, now);
	sql_u64(&q, now);
	if (sql_run(&q, err) != 0)
		return -1;
	*ticket = sql_last_id(s);
	return 0;
}

/* outbox_add() within its transaction. */
static int add(struct store *s, const struct outbox_request *r, const char *text,
	uint64_t now, uint64_t *ticket, bool *fresh, struct error *err)
{
	struct outbox_row waiting, in_flight;

	*fresh = false;
	if (outbox_open(s, &r->indicator, &waiting, &in_flight, err) != 0)
		return -1;
	if (waiting.ticket != 0 && waiting.want == r->want) {
		*ticket = waiting.ticket;
		return merge(s, &waiting, r, now, err);
	}
	if (waiting.ticket == 0 && in_flight.ticket != 0 && in_flight.want == r->want &&
		in_flight.expiry >= r->expiry) {
		*ticket = in_flight.ticket;
		return 0;
	}
	if (waiting.ticket != 0 &&
		supersede(s, &waiting, outbox_want_name(r->want), now, err) != 0)
		return -1;
	*fresh = true;
	return insert(s, r, text, &waiting, now, ticket, err);
}

int outbox_add(struct store *s, const struct outbox_request *request, uint64_t now,
	uint64_t *ticket, bool *fresh, struct error *err)
{
	const char *text = request->text != NULL ? request->text : "";
	bool made;
	int rc;

	if (check(request, text, err) != 0 || sql_enter(s, STORE_SYNCED, err) != 0)
		return -1;
	rc = sql_leave(s, add(s, request, text, now, ticket, &made, err), err);
	if (rc == 0 && fresh != NULL)
		*fresh = made;
	return rc;
}

/* --- tidying --- */

int outbox_expire(struct store *s, uint64_t now, struct error *err)
{
	struct sql q;

	if (sql_ready(s, STORE_SYNCED, err) != 0)
		return -1;
	sql_prepare(&q, s,
		"UPDATE outbox SET state = 7, updated = ?1,"
		" error = 'its end came before it could be sent'"
		" WHERE state = 1 AND want <> 3 AND expiry <= ?1");
	sql_u64(&q, now);
	return sql_run(&q, err);
}

int outbox_put_off(struct store *s, uint64_t ticket, uint64_t until, struct error *err)
{
	struct sql q;

	if (sql_ready(s, STORE_SYNCED, err) != 0)
		return -1;
	sql_prepare(&q, s, "UPDATE outbox SET retry_at = ? WHERE id = ? AND state = 1");
	sql_u64(&q, until);
	sql_u64(&q, ticket);
	return sql_run(&q, err);
}

int outbox_put_off_until(
	struct store *s, uint64_t *first, uint64_t now, struct error *err)
{
	struct sql q;
	int rc;

	*first = 0;
	sql_prepare(&q, s,
		"SELECT coalesce(min(retry_at), 0) FROM outbox"
		" WHERE state = 1 AND retry_at > ?");
	sql_u64(&q, now);
	rc = sql_step(&q, err);
	if (rc > 0)
		*first = sql_get_u64(&q, 0);
	sql_end(&q);
	return rc < 0 ? -1 : 0;
}

int outbox_clock_set_back(struct store *s, uint64_t now, struct error *err)
{
	struct sql q;

	if (sql_ready(s, STORE_SYNCED, err) != 0)
		return -1;
	sql_prepare(&q, s,
		"UPDATE outbox SET retry_at = ?1 WHERE state = 1 AND retry_at > ?1");
	sql_u64(&q, now);
	return sql_run(&q, err);
}

/* Remove batches that nothing refers to, and then their leaves. */
static int prune_batches(struct store *s, struct error *err)
{
	struct sql q;

	sql_prepare(&q, s,
		"DELETE FROM batch WHERE NOT EXISTS"
		" (SELECT 1 FROM outbox o WHERE o.batch = batch.id) AND NOT EXISTS"
		" (SELECT 1 FROM batch_leaf l JOIN evidence e ON e.id = l.evidence"
		"  WHERE l.batch = batch.id)");
	if (sql_run(&q, err) != 0)
		return -1;
	sql_prepare(&q, s,
		"DELETE FROM batch_leaf WHERE batch NOT IN"
		" (SELECT id FROM batch)");
	return sql_run(&q, err);
}

int outbox_prune(struct store *s, uint64_t before, struct error *err)
{
	struct sql q;
	int rc;

	if (sql_enter(s, STORE_SYNCED, err) != 0)
		return -1;
	sql_prepare(&q, s,
		"DELETE FROM outbox WHERE state > 3 AND updated < ?1 AND"
		" NOT (state = 4 AND evidence IS NOT NULL AND expiry > ?1)");
	sql_u64(&q, before);
	rc = sql_run(&q, err);
	if (rc == 0)
		rc = prune_batches(s, err);
	return sql_leave(s, rc, err);
}

const char *outbox_want_name(uint8_t want)
{
	static const char *const names[] = {"?", "report", "object", "spend"};

	return want < sizeof(names) / sizeof(names[0]) ? names[want] : names[0];
}

const char *outbox_state_name(uint8_t state)
{
	static const char *const names[OUTBOX_STATES] = {"?", "waiting", "assigned",
		"submitted", "final", "refused", "superseded", "expired"};

	return state < OUTBOX_STATES ? names[state] : names[0];
}
