/* SPDX-License-Identifier: Apache-2.0 */
/* The file that the owner of a listed address is given: read, held to itself and
 * to a ledger, changed in every place. */
#include "../cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>

#include "api/evidence_answer.h"
#include "api/evidence_file.h"
#include "base/hex.h"

#define SALT "0101010101010101010101010101010101010101010101010101010101010101"
#define BODY "{\"indicator\":\"198.51.100.7\",\"observations\":[],\"version\":1}"

static struct error err;

struct scene {
	json_t *file;
	struct evidence_search found;
	uint8_t id[HASH_SIZE];
	uint8_t words[2 * WORD_SIZE];
	struct ledger_event event;
};

static struct indicator of(const char *text)
{
	struct indicator i;

	assert_int_equal(indicator_parse(&i, NULL, view_str(text), &err), 0);
	return i;
}

static json_t *hex(const uint8_t *p, size_t n)
{
	char text[2 * HASH_SIZE + 1];

	return json_string(hex_encode(text, p, n));
}

/* A batch of three records of which ours is the second, on a ledger. */
static int setup(void **state)
{
	struct scene *s = calloc(1, sizeof *s);
	uint8_t leaves[3][KECCAK_SIZE] = {{1}, {2}, {3}}, salt[EVIDENCE_SALT];
	struct report word = {.indicator = of("198.51.100.7"),
		.expiry = 5000,
		.member = 3,
		.category = CATEGORY_FRAUD,
		.proof = PROOF_NONCE};
	struct merkle_path path;
	uint8_t root[KECCAK_SIZE];
	json_t *answer;

	assert_non_null(s);
	assert_int_equal(hex_decode(salt, sizeof salt, view_str(SALT)), 0);
	evidence_leaf(leaves[1], salt, &word.indicator, view_str(BODY));
	merkle_root(root, (const uint8_t(*)[KECCAK_SIZE])leaves, 3);
	merkle_prove(&path, (const uint8_t(*)[KECCAK_SIZE])leaves, 3, 1);
	answer = json_pack("{s:s, s:s, s:o, s:o, s:{s:i, s:i, s:[o, o]}}", "indicator",
		"198.51.100.7", "salt", SALT, "record", json_loads(BODY, 0, NULL),
		"commitment", hex(root, KECCAK_SIZE), "path", "index", 1, "count", 3,
		"siblings", hex(path.siblings[0], KECCAK_SIZE),
		hex(path.siblings[1], KECCAK_SIZE));
	assert_int_equal(path.length, 2);

	memset(s->id, 0x1d, sizeof s->id);
	word_encode(s->words + WORD_SIZE, &word);
	word.indicator = of("198.51.100.6");
	word_encode(s->words, &word);
	s->event = (struct ledger_event){.chain = CHAIN_MEMBERS,
		.block = 77,
		.operation = {.type = OP_BATCH,
			.seq = 12,
			.time = 1700000000,
			.member = 3,
			.count = 2,
			.words = s->words}};
	memcpy(s->event.operation.commitment, root, KECCAK_SIZE);
	memset(s->event.operation.actor, 0xac, ADDRESS20);
	memset(s->event.tip_before, 0x7b, HASH_SIZE);
	s->found.indicator = of("198.51.100.7");
	s->found.seq = 12;
	memcpy(s->found.commitment, root, KECCAK_SIZE);
	evidence_search_event(&s->found, &s->event);
	s->file = evidence_file_json(answer, &s->found, "bank-a",
		json_pack("{s:s, s:o}", "type", "local", "id", hex(s->id, HASH_SIZE)));
	assert_non_null(s->file);
	json_decref(answer);
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct scene *s = *state;

	json_decref(s->file);
	free(s);
	return 0;
}

/* The whole way of `evidence verify`. NULL, or where and why it stopped. */
static const char *verdict(const struct scene *s, const struct evidence_search *found)
{
	char *text = json_dumps(s->file, JSON_INDENT(1));
	struct evidence_file f;
	int rc;

	err.text[0] = 0;
	assert_non_null(text);
	rc = evidence_file_parse(&f, view_str(text), &err);
	free(text);
	if (rc)
		return err.text;
	rc = evidence_file_check(&f, &err) ||
		evidence_search_judge(found, &f, s->id, &err);
	evidence_file_free(&f);
	return rc ? err.text : NULL;
}

static void expect(const struct scene *s, const char *part)
{
	const char *why = verdict(s, &s->found);

	if (!why || !strstr(why, part))
		fail_msg("expected \"%s\", got \"%s\"", part, why ? why : "verified");
}

/* The member at a path such as "operation.seq" becomes value. */
static void set(const struct scene *s, const char *path, json_t *value)
{
	const char *dot = strchr(path, '.');
	json_t *o = s->file;
	char first[32];

	if (dot) {
		snprintf(first, sizeof first, "%.*s", (int)(dot - path), path);
		o = json_object_get(o, first);
	}
	assert_non_null(o);
	json_object_set_new(o, dot ? dot + 1 : path, value);
}

static void test_verifies(void **state)
{
	struct scene *s = *state;

	assert_null(verdict(s, &s->found));
	assert_true(s->found.named);
	assert_int_equal(s->found.word.category, CATEGORY_FRAUD);
	assert_int_equal(s->found.block, 77);
}

static void test_edited(void **state)
{
	struct scene *s = *state;
	static uint8_t zeros[KECCAK_SIZE];
	json_t *record = json_object_get(s->file, "record");

	json_object_set_new(record, "version", json_integer(2));
	expect(s, "record: it was edited");
	/* With the leaf made to fit, the path leads elsewhere. */
	json_object_set_new(record, "version", json_integer(1));
	set(s, "leaf", hex(zeros, KECCAK_SIZE));
	expect(s, "do not give the leaf");
}

static void test_other_indicator(void **state)
{
	struct scene *s = *state;

	set(s, "indicator", json_string("198.51.100.6"));
	expect(s, "record: it was edited (or salt, indicator or leaf were)");
}

static void test_path(void **state)
{
	struct scene *s = *state;

	set(s, "path.index", json_integer(0));
	expect(s, "path: it does not lead");
	set(s, "path.index", json_integer(MERKLE_LEAVES_MAX));
	expect(s, "path.index: is no number from 0 to");
	set(s, "path.index", json_integer(1));
	set(s, "path.siblings", json_pack("[s]", "00"));
	expect(s, "path.siblings: entry 0 is no hash");
	set(s, "path.siblings", json_pack("[]"));
	expect(s, "path: it does not lead");
}

static void test_ledger(void **state)
{
	struct scene *s = *state;
	struct evidence_search none = {.indicator = s->found.indicator, .seq = 12};
	uint8_t id[HASH_SIZE];

	/* Another ledger. */
	memcpy(id, s->id, sizeof id);
	s->id[0] ^= 1;
	expect(s, "not on this ledger: the file is of ledger 1d1d1d1d1d1d1d1d");
	memcpy(s->id, id, sizeof id);
	/* No such batch; another one in its place. */
	memcpy(none.commitment, s->found.commitment, KECCAK_SIZE);
	assert_non_null(strstr(verdict(s, &none), "none of its 0 batches"));
	s->event.operation.commitment[0] ^= 1;
	evidence_search_event(&none, &s->event);
	assert_non_null(strstr(verdict(s, &none), "another batch"));
	/* It is there, but says nothing about the indicator: a stranger's record. */
	s->event.operation.commitment[0] ^= 1;
	s->event.operation.count = 1;
	evidence_search_event(&none, &s->event);
	assert_non_null(strstr(verdict(s, &none), "reports nothing about 198.51.100.7"));
}

/* What the file says about the batch is held to the ledger, field by field. */
static void test_operation(void **state)
{
	static const struct {
		const char *path;
		json_int_t wrong, right;
	} numbers[] = {
		{"operation.seq", 11, 12},
		{"operation.member", 4, 3},
		{"operation.time", 1600000000, 1700000000},
		{"operation.block", 78, 77},
	};
	struct scene *s = *state;
	static uint8_t zeros[HASH_SIZE];

	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
		set(s, numbers[i].path, json_integer(numbers[i].wrong));
		expect(s, numbers[i].path);
		set(s, numbers[i].path, json_integer(-1));
		expect(s, "is no number from 0 to");
		set(s, numbers[i].path, json_integer(numbers[i].right));
	}
	assert_null(verdict(s, &s->found));
	set(s, "operation.tip_before", hex(zeros, HASH_SIZE));
	expect(s, "operation.tip_before");
	set(s, "operation.actor", hex(zeros, ADDRESS20));
	expect(s, "operation.actor: another key");
}

/* Who copies another's commitment into a later batch gains nothing. */
static void test_copied(void **state)
{
	struct scene *s = *state;

	s->event.operation.seq = 13;
	s->event.operation.member = 4;
	evidence_search_event(&s->found, &s->event);
	assert_int_equal(s->found.member, 3);
	assert_null(verdict(s, &s->found));
}

static void test_foreign(void **state)
{
	static const char *const texts[] = {"", "{", "[]", "null", "{}",
		"{\"format\":\"sipchain evidence 2\"}", "{\"format\":1}",
		"{\"format\":\"sipchain evidence 1\",\"indicator\":\"nonsense\"}",
		"{\"format\":\"sipchain evidence 1\",\"format\":\"x\"}"};
	struct evidence_file f;
	char *large = calloc(1, EVIDENCE_FILE_MAX + 1);

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		err.text[0] = 0;
		assert_int_equal(evidence_file_parse(&f, view_str(texts[i]), &err), -1);
		assert_true(err.text[0]);
	}
	assert_non_null(large);
	assert_int_equal(
		evidence_file_parse(&f, view_of(large, EVIDENCE_FILE_MAX + 1), &err), -1);
	assert_non_null(strstr(err.text, "is larger than such a file can be"));
	free(large);
}

/* A body that is no canonical JSON goes as it is. */
static void test_raw(void **state)
{
	json_t *o = evidence_record_read(view_str(BODY));
	char *text = evidence_record_write(o);

	(void)state;
	assert_string_equal(text, BODY);
	free(text);
	json_decref(o);
	assert_null(evidence_record_read(view_str("{\"b\":1,\"a\":2}")));
	assert_null(evidence_record_read(view_str("{ \"a\":2}")));
	assert_null(evidence_record_read(view_str("text")));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_verifies),
		TEST(test_edited),
		TEST(test_other_indicator),
		TEST(test_path),
		TEST(test_ledger),
		TEST(test_operation),
		TEST(test_copied),
		cmocka_unit_test(test_foreign),
		cmocka_unit_test(test_raw),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
