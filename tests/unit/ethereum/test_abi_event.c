/* SPDX-License-Identifier: Apache-2.0 */
#include "vectors.h"

#include "base/keccak.h"
#include "ledger/ethereum/abi.h"

/* encoding.json: made by ethers from the contract's committed ABI. */
static json_t *root;

static int setup(void **state)
{
	(void)state;
	root = vectors_load("encoding.json");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	json_decref(root);
	return 0;
}

/* bytes(n, from) of vectors.cjs */
static void pattern(uint8_t *dst, size_t n, unsigned from)
{
	for (size_t k = 0; k < n; k++)
		dst[k] = (uint8_t)(from + 7 * k);
}

static void test_topic(void **state)
{
	static const char name[] = "Operation(uint8,uint64,bytes32,uint64,bytes)";
	struct view due = hex_field(root, "topic");
	uint8_t hash[HASH_SIZE];

	(void)state;
	keccak256(hash, name, strlen(name));
	assert_memory_equal(abi_operation_topic, hash, HASH_SIZE);
	assert_memory_equal(abi_operation_topic, due.p, HASH_SIZE);
	bytes_free(due);
}

static void take_topics(uint8_t topics[3][HASH_SIZE], const json_t *v)
{
	const json_t *list = json_object_get(v, "topics");

	assert_int_equal(json_array_size(list), 3);
	for (size_t k = 0; k < 3; k++)
		assert_int_equal(
			hex_decode(topics[k], HASH_SIZE,
				view_str(json_string_value(json_array_get(list, k)))),
			0);
}

/* C17 does not add the const by itself. */
static int decode(struct contract_event *e, uint8_t topics[3][HASH_SIZE], unsigned count,
	struct view data, struct error *err)
{
	return abi_event_decode(e, (const uint8_t(*)[HASH_SIZE])topics, count, data, err);
}

static void test_events(void **state)
{
	const json_t *list = json_object_get(root, "operations");
	uint8_t topics[3][HASH_SIZE], tip[HASH_SIZE];

	(void)state;
	pattern(tip, HASH_SIZE, 50);
	for (size_t k = 0; k < json_array_size(list); k++) {
		const json_t *v = json_array_get(list, k);
		struct view data = hex_field(v, "data");
		struct view operation = hex_field(v, "operation");
		struct contract_event e;
		struct error err = {0};

		take_topics(topics, v);
		if (decode(&e, topics, 3, data, &err))
			fail_msg("%s", err.text);
		assert_int_equal(
			e.chain, json_integer_value(json_object_get(v, "chain")));
		assert_true(
			e.seq == (uint64_t)json_integer_value(json_object_get(v, "seq")));
		assert_memory_equal(e.tip_before, tip, HASH_SIZE);
		assert_true(e.block_before == 123456789);
		assert_true(view_eq(e.operation, operation));
		/* Cut, it is none; beyond a few words every 97th byte will do. */
		for (size_t n = 0; n < data.n; n += n < 300 ? 1 : 97)
			assert_int_equal(
				decode(&e, topics, 3, view_head(data, n), &err), -1);
		bytes_free(data);
		bytes_free(operation);
	}
}

static void test_event_fields(void **state)
{
	/* Of an event: topic (1, 2) or data (0), the byte, its value. */
	static const struct {
		unsigned topic;
		size_t at;
		uint8_t value;
		const char *due;
	} cases[] = {
		{1, 31, 1, "event Operation: chain: not the operation's"},
		{1, 31, 2, "event Operation: chain: the number is too large"},
		{1, 0, 1, "event Operation: chain: the number is too large"},
		{2, 31, 9, "event Operation: seq: not the operation's"},
		{2, 23, 1, "event Operation: seq: the number is too large"},
		{0, 32, 1, "event Operation: blockBefore: the number is too large"},
		{0, 95, 0x40, "event Operation: operation: not where"},
		{0, 96 + 24, 1, "event Operation: operation: the number is too large"},
		{0, 96 + 31, 0xff, "event Operation: operation: the bytes end"},
		{0, 128, 0x10, "event Operation: chain: not the operation's"},
		{0, 128 + 8, 9, "event Operation: seq: not the operation's"},
	};
	const json_t *v = json_array_get(json_object_get(root, "operations"), 0);

	(void)state;
	for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
		struct view data = hex_field(v, "data");
		uint8_t topics[3][HASH_SIZE];
		struct contract_event e;
		struct error err = {0};

		take_topics(topics, v);
		if (cases[k].topic)
			topics[cases[k].topic][cases[k].at] = cases[k].value;
		else
			((uint8_t *)(uintptr_t)data.p)[cases[k].at] = cases[k].value;
		assert_int_equal(decode(&e, topics, 3, data, &err), -1);
		if (strncmp(err.text, cases[k].due, strlen(cases[k].due)) != 0)
			fail_msg("%zu: %s", k, err.text);
		bytes_free(data);
	}
}

static void test_not_our_event(void **state)
{
	const json_t *v = json_array_get(json_object_get(root, "operations"), 0);
	struct view data = hex_field(v, "data"), empty;
	uint8_t topics[3][HASH_SIZE];
	struct contract_event e;
	struct error err = {0};

	(void)state;
	take_topics(topics, v);
	assert_int_equal(decode(&e, topics, 2, data, &err), -1);
	assert_int_equal(decode(&e, topics, 0, data, &err), -1);
	/* An operation of no bytes. */
	empty = view_head(data, 4 * ABI_WORD);
	memset((uint8_t *)(uintptr_t)data.p + 3 * ABI_WORD, 0, ABI_WORD);
	assert_int_equal(decode(&e, topics, 3, empty, &err), -1);
	assert_non_null(strstr(err.text, "shorter than an operation's head"));
	topics[0][0] ^= 1;
	assert_int_equal(decode(&e, topics, 3, data, &err), -1);
	bytes_free(data);
}

static void test_cell_slot(void **state)
{
	struct view due = hex_field(root, "cells");
	uint8_t slot[HASH_SIZE];

	(void)state;
	abi_cell_slot(slot, 0xbeef, 0x123456);
	assert_memory_equal(slot, due.p, HASH_SIZE - 5);
	assert_memory_equal(slot + HASH_SIZE - 5, "\xbe\xef\x12\x34\x56", 5);
	bytes_free(due);
}

/* --- refusals --- */

static enum refusal_code code_named(const char *name)
{
	for (int code = 1; code < REFUSED_COUNT; code++)
		if (!strcmp(refusal_name((enum refusal_code)code), name))
			return (enum refusal_code)code;
	return REFUSED_NOT;
}

/* Every error of the contract's ABI is ours, but for OpenZeppelin's two. */
static void test_refusals(void **state)
{
	const json_t *list = json_object_get(root, "refusals");
	unsigned known = 0;

	(void)state;
	for (size_t k = 0; k < json_array_size(list); k++) {
		const json_t *v = json_array_get(list, k);
		const char *name = json_string_value(json_object_get(v, "name"));
		size_t inputs = json_array_size(json_object_get(v, "inputs"));
		struct view data = hex_field(v, "data");
		struct refusal r;
		char text[INDICATOR_TEXT];

		if (!strncmp(name, "Ownable", 7)) {
			assert_int_equal(abi_refusal_decode(&r, data), -1);
			bytes_free(data);
			continue;
		}
		if (abi_refusal_decode(&r, data))
			fail_msg("%s is not known", name);
		assert_int_equal(r.code, code_named(name));
		assert_int_equal(r.entry, inputs ? 41 : 0);
		assert_int_equal(r.conflict.kind, inputs == 2 ? INDICATOR_IP4 : 0);
		if (inputs == 2)
			assert_string_equal(
				indicator_print(text, &r.conflict), "192.0.2.0/24");
		for (size_t n = 0; n < data.n; n++)
			assert_int_equal(abi_refusal_decode(&r, view_head(data, n)), -1);
		bytes_free(data);
		known++;
	}
	assert_true(known >= 38);
}

static const json_t *refusal_vector(const char *name)
{
	const json_t *list = json_object_get(root, "refusals");

	for (size_t k = 0; k < json_array_size(list); k++)
		if (!strcmp(name,
			    json_string_value(
				    json_object_get(json_array_get(list, k), "name"))))
			return json_array_get(list, k);
	fail_msg("no error %s", name);
	return NULL;
}

static void test_hostile_refusals(void **state)
{
	/* Of Protected: an entry of 2^32, a kind of 0, a host bit, padding. */
	static const struct {
		size_t at;
		uint8_t value;
	} cases[] = {{4 + 27, 1}, {4, 1}, {36, 0}, {36, 7}, {36 + 17, 1}, {36 + 18, 1},
		{36 + 31, 1}};
	uint8_t memory[4], hash[KECCAK_SIZE];
	struct refusal r;

	(void)state;
	for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
		struct view data = hex_field(refusal_vector("Protected"), "data");

		((uint8_t *)(uintptr_t)data.p)[cases[k].at] = cases[k].value;
		assert_int_equal(abi_refusal_decode(&r, data), -1);
		bytes_free(data);
	}
	/* No contract runs out of this process's memory. */
	keccak256(hash, "Memory()", 8);
	memcpy(memory, hash, sizeof memory);
	assert_int_equal(abi_refusal_decode(&r, view_of(memory, 4)), -1);
	keccak256(hash, "Accepted()", 10);
	memcpy(memory, hash, sizeof memory);
	assert_int_equal(abi_refusal_decode(&r, view_of(memory, 4)), -1);
	assert_int_equal(abi_refusal_decode(&r, (struct view){NULL, 0}), -1);
}

static void test_revert_text(void **state)
{
	const json_t *reverts = json_object_get(root, "reverts");
	struct view text = hex_field(reverts, "text");
	struct view panic = hex_field(reverts, "panic");
	struct error err = {0};

	(void)state;
	assert_int_equal(abi_revert_text(text, &err), -1);
	assert_string_equal(
		err.text, "the contract refused: \"no \\\"such\\\"\\x0athing\"");
	abi_revert_text(panic, &err);
	assert_string_equal(
		err.text, "the contract stopped with Panic 0x11, a fault in it");
	abi_revert_text((struct view){NULL, 0}, &err);
	assert_string_equal(err.text, "the contract refused without a reason");
	abi_revert_text(view_head(text, text.n - 1), &err);
	assert_string_equal(err.text,
		"the contract refused with an error that this version does not know "
		"(0x08c379a0 and 95 bytes)");
	bytes_free(text);
	bytes_free(panic);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_topic),
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_event_fields),
		cmocka_unit_test(test_not_our_event),
		cmocka_unit_test(test_cell_slot),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_hostile_refusals),
		cmocka_unit_test(test_revert_text),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
