/* SPDX-License-Identifier: Apache-2.0 */
#include "store/connector_row.h"

#include <string.h>

#include "store/sql.h"

int connector_row_put(struct store *s, const struct connector_row *row, struct error *err)
{
	struct sql q;

	if (sql_ready(s, STORE_SOON, err))
		return -1;
	sql_prepare(&q, s,
		"INSERT OR REPLACE INTO connector (place, name, type, gone)"
		" VALUES (?, ?, ?, ?)");
	sql_text(&q, row->place);
	sql_text(&q, row->name);
	sql_u64(&q, row->type);
	sql_u64(&q, row->gone);
	return sql_run(&q, err);
}

int connector_row_delete(struct store *s, const char *place, struct error *err)
{
	struct sql q;

	if (sql_ready(s, STORE_SOON, err))
		return -1;
	sql_prepare(&q, s, "DELETE FROM connector WHERE place = ?");
	sql_text(&q, place);
	return sql_run(&q, err);
}

int connector_row_each(
	struct store *s, connector_row_fn *fn, void *context, struct error *err)
{
	struct connector_row row;
	struct sql q;
	int n = 0, rc;

	sql_prepare(&q, s,
		"SELECT place, name, type, gone FROM connector ORDER BY name, place");
	while ((rc = sql_step(&q, err)) == 1) {
		memset(&row, 0, sizeof row);
		sql_get_text(&q, 0, row.place, sizeof row.place);
		sql_get_text(&q, 1, row.name, sizeof row.name);
		row.type = (uint8_t)sql_get_u64(&q, 2);
		row.gone = sql_get_u64(&q, 3);
		fn(context, &row);
		n++;
	}
	sql_end(&q);
	return rc == 0 ? n : -1;
}
