/* SPDX-License-Identifier: Apache-2.0 */
#include "store/webhook_row.h"

#include <string.h>

#include "store/sql.h"

int journal_id(struct store *s, uint8_t id[JOURNAL_ID], struct error *err)
{
	struct sql q;
	int rc;

	sql_prepare(&q, s, "SELECT id FROM journal");
	rc = sql_step(&q, err);
	if (rc == 1)
		sql_get_bytes(&q, 0, id, JOURNAL_ID);
	sql_end(&q);
	if (rc == 0)
		return error_set(err, "the journal of events has no id");
	return rc == 1 ? 0 : -1;
}

int webhook_row_get(
	struct store *s, struct webhook_row *out, const char *name, struct error *err)
{
	struct sql q;
	int rc;

	memset(out, 0, sizeof *out);
	sql_prepare(&q, s,
		"SELECT state, position, first, last, types, node, told, attempts, lost,"
		" untold, events, batches, failures, delivered, tried, status, reason,"
		" nonce FROM webhook WHERE name = ?");
	sql_text(&q, name);
	rc = sql_step(&q, err);
	if (rc == 1) {
		view_copy(out->name, sizeof out->name, view_str(name));
		out->state = (uint8_t)sql_get_u64(&q, 0);
		out->position = sql_get_u64(&q, 1);
		out->first = sql_get_u64(&q, 2);
		out->last = sql_get_u64(&q, 3);
		sql_get_text(&q, 4, out->types, sizeof out->types);
		sql_get_text(&q, 5, out->node, sizeof out->node);
		out->told = sql_get_u64(&q, 6);
		out->attempts = sql_get_u64(&q, 7);
		out->lost = sql_get_u64(&q, 8);
		out->untold = sql_get_u64(&q, 9);
		out->events = sql_get_u64(&q, 10);
		out->batches = sql_get_u64(&q, 11);
		out->failures = sql_get_u64(&q, 12);
		out->delivered = sql_get_u64(&q, 13);
		out->tried = sql_get_u64(&q, 14);
		out->status = (uint32_t)sql_get_u64(&q, 15);
		sql_get_text(&q, 16, out->reason, sizeof out->reason);
		sql_get_bytes(&q, 17, out->nonce, sizeof out->nonce);
	}
	sql_end(&q);
	return rc;
}

int webhook_row_put(struct store *s, const struct webhook_row *row, enum durability d,
	struct error *err)
{
	struct sql q;

	if (sql_ready(s, d, err))
		return -1;
	sql_prepare(&q, s,
		"INSERT OR REPLACE INTO webhook (name, state, position, first, last, types,"
		" node, told, attempts, lost, untold, events, batches, failures, delivered,"
		" tried, status, reason, nonce)"
		" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
	sql_text(&q, row->name);
	sql_u64(&q, row->state);
	sql_u64(&q, row->position);
	sql_u64(&q, row->first);
	sql_u64(&q, row->last);
	sql_text(&q, row->types);
	sql_text(&q, row->node);
	sql_u64(&q, row->told);
	sql_u64(&q, row->attempts);
	sql_u64(&q, row->lost);
	sql_u64(&q, row->untold);
	sql_u64(&q, row->events);
	sql_u64(&q, row->batches);
	sql_u64(&q, row->failures);
	sql_u64(&q, row->delivered);
	sql_u64(&q, row->tried);
	sql_u64(&q, row->status);
	sql_text(&q, row->reason);
	sql_blob(&q, row->nonce, sizeof row->nonce);
	return sql_run(&q, err);
}

int webhook_row_delete(struct store *s, const char *name, struct error *err)
{
	struct sql q;

	if (sql_ready(s, STORE_SOON, err))
		return -1;
	sql_prepare(&q, s, "DELETE FROM webhook WHERE name = ?");
	sql_text(&q, name);
	return sql_run(&q, err);
}

int webhook_row_each(
	struct store *s, webhook_name_fn *fn, void *context, struct error *err)
{
	char name[WEBHOOK_ROW_NAME];
	struct sql q;
	int n = 0, rc;

	sql_prepare(&q, s, "SELECT name FROM webhook ORDER BY name");
	while ((rc = sql_step(&q, err)) == 1) {
		sql_get_text(&q, 0, name, sizeof name);
		fn(context, name);
		n++;
	}
	sql_end(&q);
	return rc == 0 ? n : -1;
}
