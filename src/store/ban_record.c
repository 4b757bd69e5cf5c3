/* SPDX-License-Identifier: Apache-2.0 */
#include "store/ban_record.h"

#include "store/sql.h"

int ban_record_put(
	struct store *s, const struct ban *b, const char *note, struct error *err)
{
	char cut[BAN_NOTE];
	struct sql q;

	view_copy(cut, sizeof(cut), view_str(note != NULL ? note : ""));
	if (sql_ready(s, STORE_SOON, err) != 0)
		return -1;
	sql_prepare(&q, s,
		"INSERT INTO ban (indicator, scope, origin, category,"
		" deleting, until, since, note) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
		" ON CONFLICT (indicator, scope) DO UPDATE SET"
		" origin = excluded.origin, category = excluded.category,"
		" deleting = excluded.deleting, until = excluded.until,"
		" since = excluded.since, note = excluded.note");
	sql_blob(&q, &b->indicator, INDICATOR_SIZE);
	sql_u64(&q, b->scope);
	sql_u64(&q, b->origin);
	sql_u64(&q, b->category);
	sql_u64(&q, b->deleting);
	sql_u64(&q, b->until);
	sql_u64(&q, b->since);
	sql_text(&q, cut);
	return sql_run(&q, err);
}

int ban_record_delete(
	struct store *s, const struct indicator *i, uint8_t scope, struct error *err)
{
	struct sql q;

	if (sql_ready(s, STORE_SOON, err) != 0)
		return -1;
	sql_prepare(&q, s, "DELETE FROM ban WHERE indicator = ? AND scope = ?");
	sql_blob(&q, i, INDICATOR_SIZE);
	sql_u64(&q, scope);
	return sql_run(&q, err);
}

#define COLUMNS "indicator, scope, origin, category, deleting, until, since, note"

static void read_row(struct ban *out, char note[BAN_NOTE], struct sql *q)
{
	*out = (struct ban){0};
	sql_get_bytes(q, 0, &out->indicator, INDICATOR_SIZE);
	out->scope = (uint8_t)sql_get_u64(q, 1);
	out->origin = (uint8_t)sql_get_u64(q, 2);
	out->category = (uint8_t)sql_get_u64(q, 3);
	out->deleting = (uint8_t)sql_get_u64(q, 4);
	out->until = (uint32_t)sql_get_u64(q, 5);
	out->since = (uint32_t)sql_get_u64(q, 6);
	if (note != NULL)
		sql_get_text(q, 7, note, BAN_NOTE);
}

int ban_record_get(struct store *s, struct ban *out, char *note,
	const struct indicator *i, uint8_t scope, struct error *err)
{
	struct sql q;
	int rc;

	sql_prepare(
		&q, s, "SELECT " COLUMNS " FROM ban WHERE indicator = ? AND scope = ?");
	sql_blob(&q, i, INDICATOR_SIZE);
	sql_u64(&q, scope);
	rc = sql_step(&q, err);
	if (rc == 1)
		read_row(out, note, &q);
	sql_end(&q);
	return rc;
}

int64_t ban_record_each(
	struct store *s, ban_record_fn *fn, void *context, struct error *err)
{
	struct sql q;
	int64_t n = 0;
	int rc;

	sql_prepare(&q, s, "SELECT " COLUMNS " FROM ban ORDER BY indicator, scope");
	while ((rc = sql_step(&q, err)) == 1) {
		char note[BAN_NOTE];
		struct ban b;

		read_row(&b, note, &q);
		fn(context, &b, note);
		n++;
	}
	sql_end(&q);
	return rc == 0 ? n : -1;
}

int ban_record_prune(struct store *s, uint32_t now, struct error *err)
{
	struct sql q;

	if (sql_ready(s, STORE_SOON, err) != 0)
		return -1;
	sql_prepare(&q, s, "DELETE FROM ban WHERE until <= ?");
	sql_u64(&q, now);
	return sql_run(&q, err);
}
