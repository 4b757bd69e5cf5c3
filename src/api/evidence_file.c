/* SPDX-License-Identifier: Apache-2.0 */
#include "api/evidence_file.h"

#include <inttypes.h>
#include <stdlib.h>

#include "api/evidence_answer.h"
#include "base/escape.h"
#include "base/hex.h"
#include "indicator/address.h"

/* --- reading --- */

/* A text member. NULL with a text. */
static const char *text_at(
	const json_t *o, const char *where, const char *key, struct error *err)
{
	const char *s = json_string_value(json_object_get(o, key));

	if (!s)
		error_set(err, "%s%s: is missing, or no text", where, key);
	return s;
}

static int hex_at(uint8_t *dst, size_t n, const json_t *o, const char *where,
	const char *key, struct error *err)
{
	const char *s = text_at(o, where, key, err);

	if (!s)
		return -1;
	if (hex_decode(dst, n, view_str(s)))
		return error_set(err, "%s%s: is not %zu bytes in hex", where, key, n);
	return 0;
}

static int number_at(uint64_t *out, uint64_t max, const json_t *o, const char *where,
	const char *key, struct error *err)
{
	const json_t *v = json_object_get(o, key);
	json_int_t n = json_integer_value(v);

	if (!json_is_integer(v) || n < 0 || (uint64_t)n > max)
		return error_set(
			err, "%s%s: is no number from 0 to %" PRIu64, where, key, max);
	*out = (uint64_t)n;
	return 0;
}

static int read_path(struct merkle_path *path, const json_t *o, struct error *err)
{
	const json_t *siblings = json_object_get(o, "siblings");
	uint64_t index = 0, count = 0;

	if (number_at(&index, MERKLE_LEAVES_MAX - 1, o, "path.", "index", err) ||
		number_at(&count, MERKLE_LEAVES_MAX, o, "path.", "count", err))
		return -1;
	if (!json_is_array(siblings) || json_array_size(siblings) > MERKLE_DEPTH_MAX)
		return error_set(err, "path.siblings: is no list of at most %d hashes",
			MERKLE_DEPTH_MAX);
	path->index = (uint32_t)index;
	path->count = (uint32_t)count;
	path->length = (uint8_t)json_array_size(siblings);
	for (unsigned i = 0; i < path->length; i++) {
		const char *s = json_string_value(json_array_get(siblings, i));

		if (!s || hex_decode(path->siblings[i], KECCAK_SIZE, view_str(s)))
			return error_set(err, "path.siblings: entry %u is no hash", i);
	}
	return 0;
}

static int read_record(struct evidence_file *f, const json_t *o, struct error *err)
{
	json_t *record = json_object_get(o, "record");
	const json_t *raw = json_object_get(o, "raw");

	if (json_is_object(record)) {
		f->record = json_incref(record);
		f->body = evidence_record_write(record);
		f->body_length = f->body ? strlen(f->body) : 0;
	} else if (json_is_string(raw)) {
		f->body_length = json_string_length(raw);
		f->body = malloc(f->body_length + 1);
		if (f->body)
			memcpy(f->body, json_string_value(raw), f->body_length + 1);
	} else {
		return error_set(err, "record: is missing");
	}
	if (!f->body)
		return error_set(err, "record: out of memory, or no text in UTF-8");
	if (!f->body_length || f->body_length > EVIDENCE_BODY_MAX)
		return error_set(err, "record: has %zu bytes, it may have %d",
			f->body_length, EVIDENCE_BODY_MAX);
	return 0;
}

static int read_operation(struct evidence_file *f, const json_t *o, struct error *err)
{
	static const char where[] = "operation.";
	uint64_t member = 0, time = 0;

	if (number_at(&f->seq, INT64_MAX, o, where, "seq", err) ||
		number_at(&member, UINT16_MAX, o, where, "member", err) ||
		number_at(&time, UINT32_MAX, o, where, "time", err) ||
		number_at(&f->block, INT64_MAX, o, where, "block", err) ||
		hex_at(f->actor, ADDRESS20, o, where, "actor", err) ||
		hex_at(f->tip_before, HASH_SIZE, o, where, "tip_before", err))
		return -1;
	f->member = (uint16_t)member;
	f->time = (uint32_t)time;
	return 0;
}

static int read_ledger(struct evidence_file *f, const json_t *o, struct error *err)
{
	static const char where[] = "ledger.";
	const char *type = text_at(o, where, "type", err);

	if (!type || hex_at(f->ledger, HASH_SIZE, o, where, "id", err))
		return -1;
	f->on_chain = !strcmp(type, "ethereum");
	if (!f->on_chain && strcmp(type, "local"))
		return error_set(err, "ledger.type: is neither local nor ethereum");
	if (!f->on_chain)
		return 0;
	return number_at(&f->chain_id, INT64_MAX, o, where, "chain_id", err) ||
			hex_at(f->contract, ADDRESS20, o, where, "contract", err) ?
		-1 :
		0;
}

static int read_all(struct evidence_file *f, const json_t *o, struct error *err)
{
	const char *format = text_at(o, "", "format", err), *indicator;

	if (!format)
		return -1;
	if (strcmp(format, EVIDENCE_FILE_FORMAT))
		return error_set(err,
			"format: \"%s\" is not \"" EVIDENCE_FILE_FORMAT "\"",
			escaped(view_str(format)));
	indicator = text_at(o, "", "indicator", err);
	if (!indicator)
		return -1;
	if (indicator_parse(&f->indicator, NULL, view_str(indicator), err))
		return error_prefix(err, "indicator");
	if (hex_at(f->salt, EVIDENCE_SALT, o, "", "salt", err) ||
		hex_at(f->leaf, KECCAK_SIZE, o, "", "leaf", err) ||
		hex_at(f->commitment, KECCAK_SIZE, o, "", "commitment", err) ||
		read_path(&f->path, json_object_get(o, "path"), err) ||
		read_operation(f, json_object_get(o, "operation"), err) ||
		read_ledger(f, json_object_get(o, "ledger"), err))
		return -1;
	return read_record(f, o, err);
}

int evidence_file_parse(struct evidence_file *out, struct view text, struct error *err)
{
	json_error_t why;
	json_t *o;
	int rc;

	memset(out, 0, sizeof *out);
	if (text.n > EVIDENCE_FILE_MAX)
		return error_set(err,
			"is larger than such a file can be: at most %u bytes",
			EVIDENCE_FILE_MAX);
	if (!text.n)
		return error_set(err, "is empty; ask for the file once more");
	o = json_loadb((const char *)text.p, text.n, JSON_REJECT_DUPLICATES, &why);
	if (!json_is_object(o)) {
		json_decref(o);
		return error_set(err, "line %d: is no JSON object: %s", o ? 1 : why.line,
			o ? "another value" : escaped(view_str(why.text)));
	}
	rc = read_all(out, o, err);
	json_decref(o);
	if (rc)
		evidence_file_free(out);
	return rc;
}

void evidence_file_free(struct evidence_file *f)
{
	json_decref(f->record);
	free(f->body);
	memset(f, 0, sizeof *f);
}

/* --- does it agree with itself --- */

int evidence_file_check(const struct evidence_file *f, struct error *err)
{
	const char *about = json_string_value(json_object_get(f->record, "indicator"));
	char text[INDICATOR_TEXT];
	uint8_t leaf[KECCAK_SIZE];

	evidence_leaf(leaf, f->salt, &f->indicator, view_of(f->body, f->body_length));
	if (memcmp(leaf, f->leaf, sizeof leaf))
		return error_set(err,
			"record: it was edited (or salt, indicator or leaf were): together they "
			"do not give the leaf");
	if (!merkle_verify(f->commitment, f->leaf, &f->path))
		return error_set(err,
			"path: it does not lead from the leaf to the commitment: the path, the "
			"leaf or the commitment was changed");
	if (about && strcmp(about, indicator_print(text, &f->indicator)))
		return error_set(err, "record: it is about %s, the file about %s",
			escaped(view_str(about)), text);
	return 0;
}

/* --- is it on the ledger --- */

static void look_at_words(struct evidence_search *s, const struct operation *op)
{
	for (unsigned i = 0; i < op->count && !s->named; i++) {
		word_decode(&s->word, op->words + (size_t)i * WORD_SIZE);
		s->named = s->word.action != ACTION_SPEND &&
			!memcmp(&s->word.indicator, &s->indicator, INDICATOR_SIZE);
	}
}

void evidence_search_event(void *context, const struct ledger_event *event)
{
	const struct operation *op = &event->operation;
	struct evidence_search *s = context;

	if (event->chain != CHAIN_MEMBERS || op->type != OP_BATCH)
		return;
	s->batches++;
	if (memcmp(op->commitment, s->commitment, KECCAK_SIZE)) {
		if (op->seq == s->seq) {
			s->other_at_seq = true;
			memcpy(s->other, op->commitment, KECCAK_SIZE);
		}
		return;
	}
	if (s->found && s->named)
		return; /* the first one counts: another batch can only copy it */
	s->found = true;
	s->found_seq = op->seq;
	s->block = event->block;
	s->time = op->time;
	s->member = op->member;
	memcpy(s->actor, op->actor, ADDRESS20);
	memcpy(s->tip_before, event->tip_before, HASH_SIZE);
	look_at_words(s, op);
}

static int not_found(
	const struct evidence_search *s, const struct evidence_file *f, struct error *err)
{
	char here[2 * KECCAK_SIZE + 1];

	if (!s->other_at_seq)
		return error_set(err,
			"not on this ledger: none of its %" PRIu64
			" batches carries the commitment",
			s->batches);
	return error_set(err,
		"not on this ledger: batch %" PRIu64
		" commits to %.16s..., not to what the file says: another batch",
		f->seq, hex_encode(here, s->other, KECCAK_SIZE));
}

/* What the file says of the batch, field by field. */
static int compare(
	const struct evidence_search *s, const struct evidence_file *f, struct error *err)
{
	if (s->found_seq != f->seq)
		return error_set(err,
			"operation.seq: the batch with this commitment is operation %" PRIu64
			", the file says %" PRIu64,
			s->found_seq, f->seq);
	if (s->member != f->member)
		return error_set(err,
			"operation.member: the batch is of member %u, the file says %u",
			s->member, f->member);
	if (s->time != f->time || s->block != f->block)
		return error_set(err,
			"operation.%s: the ledger says %" PRIu64 ", the file %" PRIu64,
			s->time != f->time ? "time" : "block",
			s->time != f->time ? s->time : s->block,
			s->time != f->time ? f->time : f->block);
	if (memcmp(s->actor, f->actor, ADDRESS20))
		return error_set(err, "operation.actor: another key signed the batch");
	if (memcmp(s->tip_before, f->tip_before, HASH_SIZE))
		return error_set(err,
			"operation.tip_before: the ledger has another tip "
			"before the batch");
	return 0;
}

int evidence_search_judge(const struct evidence_search *s, const struct evidence_file *f,
	const uint8_t id[HASH_SIZE], struct error *err)
{
	char here[2 * HASH_SIZE + 1], there[2 * HASH_SIZE + 1], text[INDICATOR_TEXT];

	if (memcmp(id, f->ledger, HASH_SIZE))
		return error_set(err,
			"not on this ledger: the file is of ledger %.16s..., this one is "
			"%.16s...",
			hex_encode(there, f->ledger, HASH_SIZE),
			hex_encode(here, id, HASH_SIZE));
	if (!s->found)
		return not_found(s, f, err);
	if (compare(s, f, err))
		return -1;
	if (!s->named)
		return error_set(err,
			"indicator: the batch reports nothing about %s: its record belongs to "
			"no report",
			indicator_print(text, &f->indicator));
	return 0;
}

/* --- writing --- */

static json_t *hex_json(const char *prefix, const uint8_t *p, size_t n)
{
	char text[2 * HASH_SIZE + 1];

	return json_sprintf("%s%s", prefix, hex_encode(text, p, n));
}

/* The leaf of what the answer shows. 0 or -1. */
static int answered_leaf(uint8_t leaf[KECCAK_SIZE], const json_t *answer)
{
	const char *salt = json_string_value(json_object_get(answer, "salt"));
	const char *about = json_string_value(json_object_get(answer, "indicator"));
	const char *raw = json_string_value(json_object_get(answer, "raw"));
	char *body = raw ? NULL :
			   evidence_record_write(json_object_get(answer, "record"));
	uint8_t bytes[EVIDENCE_SALT];
	struct indicator i;
	int rc = -1;

	if (salt && about && (raw || body) &&
		!hex_decode(bytes, sizeof bytes, view_str(salt)) &&
		!indicator_parse(&i, NULL, view_str(about), NULL)) {
		evidence_leaf(leaf, bytes, &i, view_str(raw ? raw : body));
		rc = 0;
	}
	free(body);
	return rc;
}

json_t *evidence_file_json(const json_t *answer, const struct evidence_search *found,
	const char *name, json_t *ledger)
{
	static const char *const taken[] = {
		"indicator", "record", "raw", "salt", "path", "commitment"};
	json_t *o = json_object();
	uint8_t leaf[KECCAK_SIZE];

	if (!o || answered_leaf(leaf, answer)) {
		json_decref(o);
		json_decref(ledger);
		return NULL;
	}
	json_object_set_new(o, "format", json_string(EVIDENCE_FILE_FORMAT));
	for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++)
		json_object_set(o, taken[i], json_object_get(answer, taken[i]));
	json_object_set_new(o, "leaf", hex_json("", leaf, KECCAK_SIZE));
	json_object_set_new(o, "operation",
		json_pack("{s:I, s:i, s:s, s:I, s:I, s:o, s:o}", "seq",
			(json_int_t)found->found_seq, "member", (int)found->member,
			"name", name, "time", (json_int_t)found->time, "block",
			(json_int_t)found->block, "actor",
			hex_json("0x", found->actor, ADDRESS20), "tip_before",
			hex_json("", found->tip_before, HASH_SIZE)));
	json_object_set_new(o, "ledger", ledger);
	return o;
}
