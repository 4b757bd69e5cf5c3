/* SPDX-License-Identifier: Apache-2.0 */
#include "store/offences.h"

#include "store/sql.h"

/* struct address has no padding: its 17 bytes are the key. */
_Static_assert(sizeof(struct address) == 17, "an address is its own key");

int offences_put(struct store *s, const struct address *source, uint32_t count, usec last,
	struct error *err)
{
	struct sql q;

	if (sql_ready(s, STORE_SOON, err) != 0)
		return -1;
	sql_prepare(&q, s,
		"INSERT INTO offence (address, count, last) VALUES (?, ?, ?)"
		" ON CONFLICT (address) DO UPDATE SET count = excluded.count,"
		" last = excluded.last");
	sql_blob(&q, source, sizeof(*source));
	sql_u64(&q, count);
	sql_u64(&q, last);
	return sql_run(&q, err);
}

int offences_delete(struct store *s, const struct address *source, struct error *err)
{
	struct sql q;

	if (sql_ready(s, STORE_SOON, err) != 0)
		return -1;
	sql_prepare(&q, s, "DELETE FROM offence WHERE address = ?");
	sql_blob(&q, source, sizeof(*source));
	return sql_run(&q, err);
}

int offences_prune(struct store *s, usec before, struct error *err)
{
	struct sql q;

	if (sql_ready(s, STORE_SOON, err) != 0)
		return -1;
	sql_prepare(&q, s, "DELETE FROM offence WHERE last < ?");
	sql_u64(&q, before);
	return sql_run(&q, err);
}

int64_t offences_each(
	struct store *s, uint64_t max, offence_fn *fn, void *context, struct error *err)
{
	struct sql q;
	int64_t n = 0;
	int rc;

	sql_prepare(&q, s,
		"SELECT address, count, last FROM offence"
		" ORDER BY last DESC LIMIT ?");
	sql_u64(&q, max < INT64_MAX ? max : INT64_MAX);
	while ((rc = sql_step(&q, err)) == 1) {
		struct address source;

		sql_get_bytes(&q, 0, &source, sizeof(source));
		fn(context, &source, (uint32_t)sql_get_u64(&q, 1), sql_get_u64(&q, 2));
		n++;
	}
	sql_end(&q);
	return rc == 0 ? n : -1;
}
