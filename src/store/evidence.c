/* SPDX-License-Identifier: Apache-2.0 */
#include "store/evidence.h"

#include <inttypes.h>
#include <stdlib.h>

#include "store/outbox.h"
#include "store/sql.h"

void evidence_leaf(uint8_t out[KECCAK_SIZE], const uint8_t salt[EVIDENCE_SALT],
	const struct indicator *i, struct view body)
{
	static const uint8_t prefix = 0x00;
	struct keccak k;

	/* merkle_leaf() of the three in one, without copying the body. */
	keccak_init(&k);
	keccak_update(&k, &prefix, 1);
	keccak_update(&k, salt, EVIDENCE_SALT);
	keccak_update(&k, i, INDICATOR_SIZE);
	keccak_update(&k, body.p, body.n);
	keccak_final(&k, out);
}

int evidence_add(struct store *s, uint64_t *id, const struct indicator *i,
	struct view body, const uint8_t salt[EVIDENCE_SALT], uint64_t now,
	struct error *err)
{
	uint8_t leaf[KECCAK_SIZE];
	struct sql q;
	int rc;

	if (body.n == 0 || body.n > EVIDENCE_BODY_MAX)
		return error_set(err, "evidence of %zu bytes: 1 to %d are kept", body.n,
			EVIDENCE_BODY_MAX);
	evidence_leaf(leaf, salt, i, body);
	if (sql_ready(s, STORE_SYNCED, err) != 0)
		return -1;
	sql_prepare(&q, s,
		"INSERT INTO evidence (created, indicator, salt, leaf, body)"
		" VALUES (?, ?, ?, ?, ?)");
	sql_u64(&q, now);
	sql_blob(&q, i, INDICATOR_SIZE);
	sql_blob(&q, salt, EVIDENCE_SALT);
	sql_blob(&q, leaf, sizeof(leaf));
	sql_blob(&q, body.p, body.n);
	rc = sql_run(&q, err);
	*id = sql_last_id(s);
	return rc;
}

/* The columns of one record; its body points into the row. */
#define COLUMNS "id, created, indicator, salt, leaf, body"

static void read_row(struct evidence *out, struct sql *q)
{
	out->id = sql_get_u64(q, 0);
	out->created = sql_get_u64(q, 1);
	sql_get_bytes(q, 2, &out->indicator, INDICATOR_SIZE);
	sql_get_bytes(q, 3, out->salt, EVIDENCE_SALT);
	sql_get_bytes(q, 4, out->leaf, KECCAK_SIZE);
	out->body = sql_get_view(q, 5);
}

int evidence_get(struct store *s, struct evidence *out, uint64_t id, struct error *err)
{
	struct sql q;
	int rc;

	*out = (struct evidence){0};
	sql_prepare(&q, s, "SELECT " COLUMNS " FROM evidence WHERE id = ?");
	sql_u64(&q, id);
	rc = sql_step(&q, err);
	if (rc == 1) {
		uint8_t *copy;

		read_row(out, &q);
		copy = malloc(out->body.n);
		if (copy != NULL)
			memcpy(copy, out->body.p, out->body.n);
		else
			rc = error_set(err, "evidence %" PRIu64 ": out of memory", id);
		out->body = view_of(copy, copy != NULL ? out->body.n : 0);
	}
	sql_end(&q);
	return rc;
}

void evidence_free(struct evidence *e)
{
	/* The const is the view's; evidence_get() allocated it. */
	free((void *)(uintptr_t)e->body.p);
	e->body = (struct view){NULL, 0};
}

int evidence_each(struct store *s, const struct indicator *i, int max, evidence_fn *fn,
	void *context, struct error *err)
{
	struct sql q;
	int n = 0, rc;

	sql_prepare(&q, s,
		"SELECT " COLUMNS " FROM evidence WHERE indicator = ?"
		" ORDER BY id DESC LIMIT ?");
	sql_blob(&q, i, INDICATOR_SIZE);
	sql_u64(&q, max > 0 ? (uint64_t)max : 0);
	while ((rc = sql_step(&q, err)) == 1) {
		struct evidence e;

		read_row(&e, &q);
		fn(context, &e);
		n++;
	}
	sql_end(&q);
	return rc == 0 ? n : -1;
}

/* The batch to show, into *out, and the record's position in it. */
static int find_batch(struct store *s, struct evidence_proof *out, uint32_t *position,
	uint64_t id, struct error *err)
{
	struct sql q;
	int rc;

	sql_prepare(&q, s,
		"SELECT b.id, b.block, b.commitment, l.position"
		" FROM batch_leaf l JOIN batch b ON b.id = l.batch"
		" WHERE l.evidence = ? ORDER BY b.block IS NULL, b.id DESC LIMIT 1");
	sql_u64(&q, id);
	rc = sql_step(&q, err);
	if (rc == 1) {
		out->batch = sql_get_u64(&q, 0);
		out->block = sql_get_u64(&q, 1);
		sql_get_bytes(&q, 2, out->commitment, KECCAK_SIZE);
		*position = (uint32_t)sql_get_u64(&q, 3);
	}
	sql_end(&q);
	return rc;
}

/* The leaves of a batch in order; *n of at most max. Returns 0 or -1. */
static int read_leaves(struct store *s, uint8_t (*leaves)[KECCAK_SIZE], uint32_t max,
	uint32_t *n, uint64_t batch, struct error *err)
{
	struct sql q;
	int rc;

	*n = 0;
	sql_prepare(&q, s,
		"SELECT leaf FROM batch_leaf WHERE batch = ?"
		" ORDER BY position");
	sql_u64(&q, batch);
	while ((rc = sql_step(&q, err)) == 1 && *n < max)
		sql_get_bytes(&q, 0, leaves[(*n)++], KECCAK_SIZE);
	sql_end(&q);
	if (rc == 1)
		return error_set(err, "batch %" PRIu64 " has over %u leaves", batch, max);
	return rc;
}

int evidence_prove(
	struct store *s, struct evidence_proof *out, uint64_t id, struct error *err)
{
	const uint32_t max = MERKLE_LEAVES_MAX;
	uint32_t position = 0, n;
	uint8_t(*leaves)[KECCAK_SIZE];
	int rc;

	*out = (struct evidence_proof){0};
	rc = find_batch(s, out, &position, id, err);
	if (rc != 1)
		return rc;
	leaves = calloc(max, sizeof(*leaves));
	if (leaves == NULL)
		return error_set(err, "evidence %" PRIu64 ": out of memory", id);
	rc = read_leaves(s, leaves, max, &n, out->batch, err);
	if (rc == 0 && position >= n)
		rc = error_set(
			err, "batch %" PRIu64 " lacks leaf %u", out->batch, position);
	if (rc == 0)
		merkle_prove(
			&out->path, (const uint8_t(*)[KECCAK_SIZE])leaves, n, position);
	free(leaves);
	return rc == 0 ? 1 : -1;
}

int evidence_list(struct store *s, const struct indicator *i, uint64_t before, int max,
	evidence_summary_fn *fn, void *context, struct error *err)
{
	struct sql q;
	int n = 0, rc;

	sql_prepare(&q, s,
		"SELECT " COLUMNS ","
		" (SELECT o.state FROM outbox o WHERE o.evidence = evidence.id"
		"  ORDER BY o.id DESC LIMIT 1),"
		" (SELECT max(b.block) FROM batch_leaf l JOIN batch b ON b.id = l.batch"
		"  WHERE l.evidence = evidence.id)"
		" FROM evidence WHERE id < ?1 AND (?2 IS NULL OR indicator = ?2)"
		" ORDER BY id DESC LIMIT ?3");
	sql_u64(&q, before ? before : INT64_MAX);
	if (i != NULL)
		sql_blob(&q, i, INDICATOR_SIZE);
	else
		sql_null(&q);
	sql_u64(&q, max > 0 ? (uint64_t)max : 0);
	while ((rc = sql_step(&q, err)) == 1) {
		struct evidence_summary e;

		read_row(&e.evidence, &q);
		e.state = (uint8_t)sql_get_u64(&q, 6);
		e.block = sql_get_u64(&q, 7);
		/* Its row is forgotten sooner than itself: its batch is final. */
		if (e.state == 0 && !sql_is_null(&q, 7))
			e.state = OUTBOX_FINAL;
		fn(context, &e);
		n++;
	}
	sql_end(&q);
	return rc == 0 ? n : -1;
}

int evidence_bytes(struct store *s, uint64_t *bytes, struct error *err)
{
	struct sql q;
	int rc;

	*bytes = 0;
	sql_prepare(&q, s, "SELECT bytes FROM evidence_size");
	rc = sql_step(&q, err);
	if (rc == 1)
		*bytes = sql_get_u64(&q, 0);
	sql_end(&q);
	return rc < 0 ? -1 : 0;
}

/* No report that commits to it waits, is on its way or lives. */
#define FREE                                                                             \
	" NOT EXISTS (SELECT 1 FROM outbox o WHERE o.evidence = e.id"                    \
	"  AND (o.state <= 3 OR (o.state = 4 AND o.expiry > ?1)))"

int evidence_prune(
	struct store *s, const struct evidence_limits *limits, struct error *err)
{
	uint64_t bytes;
	struct sql q;

	if (evidence_bytes(s, &bytes, err) != 0 || sql_ready(s, STORE_SYNCED, err) != 0)
		return -1;
	if (limits->bytes != 0 && bytes > limits->bytes)
		/* Those, oldest first, with which there is too much. */
		sql_prepare(&q, s,
			"DELETE FROM evidence WHERE id IN (SELECT id FROM"
			" (SELECT id, created, sum(size) OVER (ORDER BY id) - size"
			"   AS earlier FROM (SELECT e.id, e.created, length(e.body)"
			"   AS size FROM evidence e WHERE" FREE
			"   ORDER BY e.id LIMIT ?3))"
			" WHERE created < ?2 OR earlier < ?4)");
	else
		sql_prepare(&q, s,
			"DELETE FROM evidence WHERE id IN (SELECT e.id FROM evidence e"
			" WHERE e.created < ?2 AND" FREE " ORDER BY e.id LIMIT ?3)");
	sql_u64(&q, limits->now);
	sql_u64(&q, limits->before);
	sql_u64(&q, limits->most > 0 ? (uint64_t)limits->most : 0);
	if (limits->bytes != 0 && bytes > limits->bytes)
		sql_u64(&q, bytes - limits->bytes);
	if (sql_run(&q, err) != 0)
		return -1;
	return (int)sql_changes(s);
}
