/* SPDX-License-Identifier: Apache-2.0 */
#include "store/http_key.h"

#include <string.h>

#include "store/sql.h"

#define PRUNE_EACH 64

/* A copy of a column's text, allocated; NULL when memory is short. */
static char *copy(struct sql *q, int column)
{
	struct view text = sql_get_view(q, column);

	return strndup(text.p ? (const char *)text.p : "", text.n);
}

int http_key_get(struct store *s, const char *owner, const char *key,
	const uint8_t digest[HTTP_DIGEST], uint64_t now, unsigned *status, char **answer,
	struct error *err)
{
	uint8_t kept[HTTP_DIGEST];
	struct sql q;
	int rc;

	sql_prepare(&q, s,
		"SELECT digest, status, answer FROM http_key"
		" WHERE owner = ? AND key = ? AND created > ?");
	sql_text(&q, owner);
	sql_text(&q, key);
	sql_u64(&q, now > HTTP_KEY_SECONDS ? now - HTTP_KEY_SECONDS : 0);
	rc = sql_step(&q, err);
	if (rc == 1) {
		sql_get_bytes(&q, 0, kept, sizeof kept);
		if (memcmp(kept, digest, sizeof kept) != 0) {
			rc = 2;
		} else {
			*status = (unsigned)sql_get_u64(&q, 1);
			*answer = copy(&q, 2);
			if (!*answer)
				rc = error_set(err, "out of memory");
		}
	}
	sql_end(&q);
	return rc;
}

static int prune(struct store *s, const char *owner, uint64_t now, struct error *err)
{
	struct sql q;

	sql_prepare(&q, s, "DELETE FROM http_key WHERE created <= ?");
	sql_u64(&q, now > HTTP_KEY_SECONDS ? now - HTTP_KEY_SECONDS : 0);
	if (sql_run(&q, err))
		return -1;
	sql_prepare(&q, s,
		"DELETE FROM http_key WHERE id <= (SELECT id FROM http_key"
		" WHERE owner = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2) AND owner = ?1");
	sql_text(&q, owner);
	sql_u64(&q, HTTP_KEYS_MOST);
	return sql_run(&q, err);
}

int http_key_put(struct store *s, const char *owner, const char *key,
	const uint8_t digest[HTTP_DIGEST], uint64_t now, unsigned status,
	const char *answer, struct error *err)
{
	struct sql q;

	if (sql_ready(s, STORE_SYNCED, err))
		return -1;
	/* An old one of the same name may still be there. */
	sql_prepare(&q, s,
		"INSERT OR REPLACE INTO http_key"
		" (owner, key, digest, created, status, answer)"
		" VALUES (?, ?, ?, ?, ?, ?)");
	sql_text(&q, owner);
	sql_text(&q, key);
	sql_blob(&q, digest, HTTP_DIGEST);
	sql_u64(&q, now);
	sql_u64(&q, status);
	sql_text(&q, answer);
	if (sql_run(&q, err))
		return -1;
	return sql_last_id(s) % PRUNE_EACH ? 0 : prune(s, owner, now, err);
}
