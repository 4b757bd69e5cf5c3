/* SPDX-License-Identifier: Apache-2.0 */
#include "store/allow_learnt.h"

#include "store/sql.h"

int allow_learnt_put(struct store *s, const struct allow_entry *e, struct error *err)
{
	struct sql q;

	if (sql_ready(s, STORE_SOON, err) != 0)
		return -1;
	sql_prepare(&q, s,
		"INSERT INTO allow_learnt (indicator, origin, expiry, note)"
		" VALUES (?, ?, ?, ?)"
		" ON CONFLICT (indicator, origin) DO UPDATE SET"
		" expiry = excluded.expiry, note = excluded.note");
	sql_blob(&q, &e->indicator, INDICATOR_SIZE);
	sql_u64(&q, e->origin);
	sql_u64(&q, e->expiry);
	sql_text(&q, e->note);
	return sql_run(&q, err);
}

int allow_learnt_delete(
	struct store *s, const struct indicator *i, uint8_t origin, struct error *err)
{
	struct sql q;

	if (sql_ready(s, STORE_SOON, err) != 0)
		return -1;
	sql_prepare(&q, s, "DELETE FROM allow_learnt WHERE indicator = ? AND origin = ?");
	sql_blob(&q, i, INDICATOR_SIZE);
	sql_u64(&q, origin);
	return sql_run(&q, err);
}

int allow_learnt_prune(struct store *s, uint64_t now, struct error *err)
{
	struct sql q;

	if (sql_ready(s, STORE_SOON, err) != 0)
		return -1;
	sql_prepare(&q, s, "DELETE FROM allow_learnt WHERE expiry <= ?");
	sql_u64(&q, now);
	return sql_run(&q, err);
}

int allow_learnt_each(
	struct store *s, allow_learnt_fn *fn, void *context, struct error *err)
{
	struct sql q;
	int n = 0, rc;

	sql_prepare(&q, s,
		"SELECT indicator, origin, expiry, note FROM allow_learnt"
		" ORDER BY indicator, origin");
	while ((rc = sql_step(&q, err)) == 1) {
		struct allow_entry e = {.origin = (uint8_t)sql_get_u64(&q, 1)};

		sql_get_bytes(&q, 0, &e.indicator, INDICATOR_SIZE);
		e.expiry = (uint32_t)sql_get_u64(&q, 2);
		sql_get_text(&q, 3, e.note, sizeof(e.note));
		fn(context, &e);
		n++;
	}
	sql_end(&q);
	return rc == 0 ? n : -1;
}
