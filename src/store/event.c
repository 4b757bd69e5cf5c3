/* SPDX-License-Identifier: Apache-2.0 */
#include "store/event.h"

#include <string.h>

#include "store/sql.h"

/* Ids grow by one and are never reused, so the newest id tells how many. */
static int prune(struct store *s, uint64_t newest, struct error *err)
{
	struct sql q;

	if (newest <= EVENTS_MOST)
		return 0;
	sql_prepare(&q, s, "DELETE FROM event WHERE id <= ?");
	sql_u64(&q, newest - EVENTS_MOST);
	return sql_run(&q, err);
}

int event_put(struct store *s, const struct event *e, uint64_t *id, struct error *err)
{
	struct sql q;
	uint64_t fresh;

	if (strlen(e->type) > EVENT_TYPE_MAX || strlen(e->body) > EVENT_BODY_MAX)
		return error_set(err, "an event of type %.24s is too long", e->type);
	/* Within any transaction: it is not worth a disk's answer of its own. */
	if (!s->depth && sql_ready(s, STORE_SOON, err))
		return -1;
	sql_prepare(&q, s,
		"INSERT INTO event (time, type, indicator, body) VALUES (?, ?, ?, ?)");
	sql_u64(&q, e->time);
	sql_text(&q, e->type);
	sql_text(&q, e->indicator);
	sql_text(&q, e->body);
	if (sql_run(&q, err))
		return -1;
	fresh = sql_last_id(s);
	if (id)
		*id = fresh;
	return fresh % EVENTS_FORGET ? 0 : prune(s, fresh, err);
}

int events_after(struct store *s, uint64_t after, int max, event_fn *fn, void *context,
	struct error *err)
{
	char type[EVENT_TYPE_MAX + 1], indicator[EVENT_SUBJECT], body[EVENT_BODY_MAX + 1];
	struct sql q;
	int n = 0, rc;

	if (after > INT64_MAX) /* above every id that there can be */
		return 0;
	sql_prepare(&q, s,
		"SELECT id, time, type, indicator, body FROM event WHERE id > ?"
		" ORDER BY id LIMIT ?");
	sql_u64(&q, after);
	sql_u64(&q, max > 0 ? (uint64_t)max : 0);
	while ((rc = sql_step(&q, err)) == 1) {
		struct event e = {.id = sql_get_u64(&q, 0),
			.time = sql_get_u64(&q, 1),
			.type = type,
			.indicator = indicator,
			.body = body};

		sql_get_text(&q, 2, type, sizeof type);
		sql_get_text(&q, 3, indicator, sizeof indicator);
		sql_get_text(&q, 4, body, sizeof body);
		n++;
		if (!fn(context, &e)) {
			rc = 0;
			break;
		}
	}
	sql_end(&q);
	return rc == 0 ? n : -1;
}

int events_range(struct store *s, uint64_t *oldest, uint64_t *newest, struct error *err)
{
	struct sql q;
	int rc;

	/* sqlite_sequence remembers the last id of a table that is empty again. */
	sql_prepare(&q, s,
		"SELECT coalesce((SELECT min(id) FROM event), 0),"
		" coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'event'), 0)");
	rc = sql_step(&q, err);
	if (rc == 1) {
		*oldest = sql_get_u64(&q, 0);
		*newest = sql_get_u64(&q, 1);
		if (!*oldest)
			*oldest = *newest + 1;
	}
	sql_end(&q);
	return rc == 1 ? 0 : -1;
}
