/* SPDX-License-Identifier: Apache-2.0 */
#include "store/allow_record.h"

#include "store/sql.h"

int allow_record_put(struct store *s, const struct allow_entry *e, struct error *err)
{
	struct sql q;

	if (sql_ready(s, STORE_SYNCED, err) != 0)
		return -1;
	sql_prepare(&q, s,
		"INSERT INTO allow (indicator, expiry, note) VALUES (?, ?, ?)"
		" ON CONFLICT (indicator) DO UPDATE SET expiry = excluded.expiry,"
		" note = excluded.note");
	sql_blob(&q, &e->indicator, INDICATOR_SIZE);
	sql_u64(&q, e->expiry);
	sql_text(&q, e->note);
	return sql_run(&q, err);
}

int allow_record_delete(struct store *s, const struct indicator *i, struct error *err)
{
	struct sql q;
	int rc;

	if (sql_ready(s, STORE_SYNCED, err) != 0)
		return -1;
	sql_prepare(&q, s, "DELETE FROM allow WHERE indicator = ?");
	sql_blob(&q, i, INDICATOR_SIZE);
	rc = sql_run(&q, err);
	return rc == 0 ? sql_changes(s) > 0 : -1;
}

int allow_record_prune(struct store *s, uint64_t now, struct error *err)
{
	struct sql q;

	if (sql_ready(s, STORE_SYNCED, err) != 0)
		return -1;
	sql_prepare(&q, s, "DELETE FROM allow WHERE expiry <> 0 AND expiry <= ?");
	sql_u64(&q, now);
	return sql_run(&q, err);
}

int allow_record_each(
	struct store *s, allow_record_fn *fn, void *context, struct error *err)
{
	struct sql q;
	int n = 0, rc;

	sql_prepare(
		&q, s, "SELECT indicator, expiry, note FROM allow ORDER BY indicator");
	while ((rc = sql_step(&q, err)) == 1) {
		struct allow_entry e = {.origin = ALLOW_OPERATOR};

		sql_get_bytes(&q, 0, &e.indicator, INDICATOR_SIZE);
		e.expiry = (uint32_t)sql_get_u64(&q, 1);
		sql_get_text(&q, 2, e.note, sizeof(e.note));
		fn(context, &e);
		n++;
	}
	sql_end(&q);
	return rc == 0 ? n : -1;
}
