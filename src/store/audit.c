/* SPDX-License-Identifier: Apache-2.0 */
#include "store/audit.h"

#include "store/sql.h"

int audit_add(struct store *s, const struct audit_entry *e, struct error *err)
{
	struct sql q;

	if (sql_ready(s, STORE_SYNCED, err) != 0)
		return -1;
	sql_prepare(&q, s,
		"INSERT INTO audit (time, uid, action, subject, detail)"
		" VALUES (?, ?, ?, ?, ?)");
	sql_u64(&q, e->time);
	sql_u64(&q, e->uid);
	sql_text(&q, e->action);
	sql_text(&q, e->subject);
	sql_text(&q, e->detail);
	return sql_run(&q, err);
}

int audit_each(struct store *s, uint64_t before, int max, audit_fn *fn, void *context,
	struct error *err)
{
	struct sql q;
	int n = 0, rc;

	sql_prepare(&q, s,
		"SELECT id, time, uid, action, subject, detail FROM audit"
		" WHERE id < ? ORDER BY id DESC LIMIT ?");
	sql_u64(&q, before != 0 ? before : INT64_MAX);
	sql_u64(&q, max > 0 ? (uint64_t)max : 0);
	while ((rc = sql_step(&q, err)) == 1) {
		struct audit_entry e;

		e.id = sql_get_u64(&q, 0);
		e.time = sql_get_u64(&q, 1);
		e.uid = (uid_t)sql_get_u64(&q, 2);
		sql_get_text(&q, 3, e.action, sizeof(e.action));
		sql_get_text(&q, 4, e.subject, sizeof(e.subject));
		sql_get_text(&q, 5, e.detail, sizeof(e.detail));
		fn(context, &e);
		n++;
	}
	sql_end(&q);
	return rc == 0 ? n : -1;
}

/* Ids grow by one and are never reused, so the newest id tells how many. */
int audit_prune(struct store *s, uint64_t most, uint64_t before, struct error *err)
{
	struct sql q;

	if (sql_ready(s, STORE_SYNCED, err) != 0)
		return -1;
	sql_prepare(&q, s,
		"DELETE FROM audit WHERE time < ?1 OR id <="
		" (SELECT max(id) FROM audit) - ?2");
	sql_u64(&q, before);
	sql_u64(&q, most < INT64_MAX ? most : INT64_MAX);
	return sql_run(&q, err);
}
