/* SPDX-License-Identifier: Apache-2.0 */
#include "store/positions.h"

#include "store/sql.h"

int positions_put(struct store *s, const struct position *p, struct error *err)
{
	struct sql q;

	if (p->path[0] == '\0' || memchr(p->path, '\0', sizeof(p->path)) == NULL)
		return error_set(
			err, "a log's path must have 1 to %d bytes", POSITION_PATH - 1);
	if (sql_ready(s, STORE_SOON, err) != 0)
		return -1;
	sql_prepare(&q, s,
		"INSERT INTO position (path, dev, inode, offset, fingerprint)"
		" VALUES (?, ?, ?, ?, ?) ON CONFLICT (path) DO UPDATE SET"
		" dev = excluded.dev, inode = excluded.inode,"
		" offset = excluded.offset, fingerprint = excluded.fingerprint");
	sql_text(&q, p->path);
	sql_u64(&q, p->dev);
	sql_u64(&q, p->inode);
	sql_u64(&q, p->offset);
	sql_blob(&q, p->fingerprint, sizeof(p->fingerprint));
	return sql_run(&q, err);
}

int positions_delete(struct store *s, const char *path, struct error *err)
{
	struct sql q;

	if (sql_ready(s, STORE_SOON, err) != 0)
		return -1;
	sql_prepare(&q, s, "DELETE FROM position WHERE path = ?");
	sql_text(&q, path);
	return sql_run(&q, err);
}

static void read_row(struct position *out, struct sql *q)
{
	sql_get_text(q, 0, out->path, sizeof(out->path));
	out->dev = sql_get_u64(q, 1);
	out->inode = sql_get_u64(q, 2);
	out->offset = sql_get_u64(q, 3);
	sql_get_bytes(q, 4, out->fingerprint, sizeof(out->fingerprint));
}

int positions_get(
	struct store *s, struct position *out, const char *path, struct error *err)
{
	struct sql q;
	int rc;

	sql_prepare(&q, s,
		"SELECT path, dev, inode, offset, fingerprint FROM position"
		" WHERE path = ?");
	sql_text(&q, path);
	rc = sql_step(&q, err);
	if (rc == 1)
		read_row(out, &q);
	sql_end(&q);
	return rc;
}

int positions_each(struct store *s, position_fn *fn, void *context, struct error *err)
{
	struct sql q;
	int n = 0, rc;

	sql_prepare(&q, s,
		"SELECT path, dev, inode, offset, fingerprint FROM position"
		" ORDER BY path");
	while ((rc = sql_step(&q, err)) == 1) {
		struct position p;

		read_row(&p, &q);
		fn(context, &p);
		n++;
	}
	sql_end(&q);
	return rc == 0 ? n : -1;
}
