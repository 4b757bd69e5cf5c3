/* SPDX-License-Identifier: Apache-2.0 */
#include "api/evidence_answer.h"

#include <stdlib.h>

#include "base/hex.h"
#include "store/outbox.h"

#define CANONICAL (JSON_COMPACT | JSON_SORT_KEYS | JSON_ENSURE_ASCII)

char *evidence_record_write(const json_t *record)
{
	return json_dumps(record, CANONICAL);
}

json_t *evidence_record_read(struct view body)
{
	json_t *o = json_loadb(
		(const char *)body.p, body.n, JSON_REJECT_DUPLICATES, NULL);
	char *again = json_is_object(o) ? evidence_record_write(o) : NULL;
	bool same = again && strlen(again) == body.n && !memcmp(again, body.p, body.n);

	free(again);
	if (same)
		return o;
	json_decref(o);
	return NULL;
}

static json_t *hex_json(const uint8_t *p, size_t n)
{
	char text[2 * KECCAK_SIZE + 1];

	return json_string(hex_encode(text, p, n));
}

static json_t *indicator_json(const struct indicator *i)
{
	char text[INDICATOR_TEXT];

	return json_string(indicator_print(text, i));
}

/* --- the list --- */

struct listing {
	json_t *list;
	uint64_t last;
};

static void add_summary(void *context, const struct evidence_summary *e)
{
	struct listing *l = context;
	json_t *record = evidence_record_read(e->evidence.body);
	const char *category = json_string_value(json_object_get(record, "category"));

	json_array_append_new(l->list,
		json_pack("{s:I, s:o, s:I, s:I, s:s, s:s, s:I}", "id",
			(json_int_t)e->evidence.id, "indicator",
			indicator_json(&e->evidence.indicator), "created",
			(json_int_t)e->evidence.created, "bytes",
			(json_int_t)e->evidence.body.n, "category",
			category ? category : "", "state",
			e->state ? outbox_state_name(e->state) : "none", "block",
			(json_int_t)e->block));
	l->last = e->evidence.id;
	json_decref(record);
}

json_t *evidence_answer_list(struct store *s, const struct indicator *i, uint64_t before,
	int limit, struct error *err)
{
	struct listing l = {.list = json_array()};
	uint64_t bytes = 0;
	int n = evidence_list(s, i, before, limit, add_summary, &l, err);

	if (n < 0 || evidence_bytes(s, &bytes, err)) {
		json_decref(l.list);
		return NULL;
	}
	return json_pack("{s:o, s:I, s:I}", "evidence", l.list, "bytes",
		(json_int_t)bytes, "before", (json_int_t)(n == limit ? l.last : 0));
}

/* --- one record --- */

struct choosing {
	struct store *store;
	uint64_t best, newest;
	struct error *err;
	bool failed;
};

static void choose(void *context, const struct evidence_summary *e)
{
	struct choosing *c = context;

	if (!c->newest)
		c->newest = e->evidence.id;
	if (!c->best && e->state == OUTBOX_FINAL)
		c->best = e->evidence.id;
}

static int find_id(
	struct store *s, uint64_t *id, const struct indicator *i, struct error *err)
{
	struct choosing c = {.store = s};

	if (evidence_list(s, i, 0, 64, choose, &c, err) < 0)
		return -1;
	*id = c.best ? c.best : c.newest;
	return 0;
}

static json_t *path_json(const struct merkle_path *path)
{
	json_t *siblings = json_array();

	for (unsigned k = 0; k < path->length; k++)
		json_array_append_new(siblings, hex_json(path->siblings[k], KECCAK_SIZE));
	return json_pack("{s:I, s:I, s:o}", "index", (json_int_t)path->index, "count",
		(json_int_t)path->count, "siblings", siblings);
}

static json_t *record_json(const struct evidence *e, const struct evidence_proof *p)
{
	json_t *o = json_pack("{s:I, s:o, s:I, s:o}", "id", (json_int_t)e->id,
		"indicator", indicator_json(&e->indicator), "created",
		(json_int_t)e->created, "salt", hex_json(e->salt, EVIDENCE_SALT));
	json_t *record = evidence_record_read(e->body);

	if (record)
		json_object_set_new(o, "record", record);
	else
		json_object_set_new(
			o, "raw", json_stringn((const char *)e->body.p, e->body.n));
	json_object_set_new(
		o, "commitment", p ? hex_json(p->commitment, KECCAK_SIZE) : json_null());
	json_object_set_new(
		o, "block", p ? json_integer((json_int_t)p->block) : json_null());
	json_object_set_new(o, "path", p ? path_json(&p->path) : json_null());
	return o;
}

json_t *evidence_answer_get(
	struct store *s, uint64_t id, const struct indicator *i, struct error *err)
{
	struct evidence_proof proof;
	struct evidence e;
	json_t *out = NULL;
	int rc;

	if (!id && find_id(s, &id, i, err))
		return NULL;
	rc = id ? evidence_get(s, &e, id, err) : 0;
	if (rc <= 0)
		return rc ? NULL : json_null();
	rc = evidence_prove(s, &proof, id, err);
	if (rc >= 0)
		out = record_json(&e, rc ? &proof : NULL);
	evidence_free(&e);
	return out;
}
