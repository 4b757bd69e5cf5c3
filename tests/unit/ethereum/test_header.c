/* SPDX-License-Identifier: Apache-2.0 */
#include "vectors.h"

#include "ledger/ethereum/header.h"

static json_t *parse(const char *text)
{
	json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);

	assert_non_null(value);
	return value;
}

static void test_quantities(void **state)
{
	/* Right and wrong ones are those of the JSON-RPC specification, "Hex
	 * value encoding", and what the 64 bits make of it. */
	static const struct {
		const char *text;
		int rc;
		uint64_t value;
	} cases[] = {
		{"\"0x41\"", 0, 65},
		{"\"0x400\"", 0, 1024},
		{"\"0x0\"", 0, 0},
		{"\"0xfF\"", 0, 255},
		{"\"0xffffffffffffffff\"", 0, UINT64_MAX},
		{"\"0x\"", -1, 0},
		{"\"0x0400\"", -1, 0},
		{"\"0x00\"", -1, 0},
		{"\"ff\"", -1, 0},
		{"\"0Xff\"", -1, 0},
		{"\"0x10000000000000000\"", -1, 0},
		{"\"0xfg\"", -1, 0},
		{"\"0x-1\"", -1, 0},
		{"\"0x1 \"", -1, 0},
		{"\" 0x1\"", -1, 0},
		{"\"\"", -1, 0},
		{"65", -1, 0},
		{"null", -1, 0},
		{"[\"0x1\"]", -1, 0},
	};

	(void)state;
	for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
		json_t *value = parse(cases[k].text);
		uint64_t v = 0;

		if (quantity_parse(&v, value) != cases[k].rc || v != cases[k].value)
			fail_msg("%s", cases[k].text);
		json_decref(value);
	}
	assert_int_equal(quantity_parse(&(uint64_t){0}, NULL), -1);
}

static void test_nul_inside(void **state)
{
	json_t *value = json_stringn_nocheck("0x1\0", 4);
	uint64_t v;

	(void)state;
	assert_int_equal(quantity_parse(&v, value), -1);
	json_decref(value);
}

static void test_print(void **state)
{
	static const uint64_t values[] = {0, 1, 15, 16, 255, 1ULL << 40, UINT64_MAX};
	char text[QUANTITY_TEXT], fixed[2 * 4 + 3];
	uint64_t back;

	(void)state;
	assert_string_equal(quantity_print(text, 0), "0x0");
	assert_string_equal(quantity_print(text, UINT64_MAX), "0xffffffffffffffff");
	for (size_t k = 0; k < sizeof values / sizeof *values; k++) {
		json_t *value = json_string(quantity_print(text, values[k]));

		assert_int_equal(quantity_parse(&back, value), 0);
		assert_true(back == values[k]);
		json_decref(value);
	}
	assert_string_equal(
		fixed_print(fixed, (const uint8_t *)"\x00\x01\xab\xff", 4), "0x0001abff");
}

static void test_fixed(void **state)
{
	static const char *const bad[] = {"\"0x0102\"", "\"0x01020304\"", "\"010203\"",
		"\"0x01020g\"", "\"0x0x0102\"", "\"0x\"", "7", "null"};
	json_t *value = parse("\"0x01a2B3\"");
	uint8_t out[3];

	(void)state;
	assert_int_equal(fixed_parse(out, 3, value), 0);
	assert_memory_equal(out, "\x01\xa2\xb3", 3);
	json_decref(value);
	for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
		value = parse(bad[k]);
		assert_int_equal(fixed_parse(out, 3, value), -1);
		json_decref(value);
	}
	assert_int_equal(fixed_parse(out, 3, NULL), -1);
}

/* What geth 1.13.15 and anvil 1.7.1 answered (tests/data/ethereum). */
static void test_recorded(void **state)
{
	static const char *const files[] = {"proof-anvil.json", "proof-geth.json"};

	(void)state;
	for (size_t k = 0; k < 2; k++) {
		json_t *root = vectors_load(files[k]);
		const json_t *block = json_object_get(root, "block");
		struct view parent = hex_field(block, "parentHash");
		struct view state_root = hex_field(block, "stateRoot");
		struct error err = {0};
		struct header h;
		char text[QUANTITY_TEXT];

		assert_int_equal(header_parse(&h, block, &err), 0);
		assert_string_equal(quantity_print(text, h.number),
			json_string_value(json_object_get(block, "number")));
		assert_string_equal(quantity_print(text, h.gas_limit),
			json_string_value(json_object_get(block, "gasLimit")));
		assert_string_equal(quantity_print(text, h.gas_used),
			json_string_value(json_object_get(block, "gasUsed")));
		assert_string_equal(quantity_print(text, h.timestamp),
			json_string_value(json_object_get(block, "timestamp")));
		assert_memory_equal(h.parent, parent.p, HASH_SIZE);
		assert_memory_equal(h.state_root, state_root.p, HASH_SIZE);
		assert_true(h.has_base_fee);
		assert_string_equal(quantity_print(text, h.base_fee),
			json_string_value(json_object_get(block, "baseFeePerGas")));
		bytes_free(parent);
		bytes_free(state_root);
		json_decref(root);
	}
}

#define H1 "0x1111111111111111111111111111111111111111111111111111111111111111"
#define H2 "0x2222222222222222222222222222222222222222222222222222222222222222"

/* A block with one field changed: value NULL takes it out. */
static int changed(
	const char *field, const char *value, struct header *h, struct error *err)
{
	json_t *block = json_pack("{s:s, s:s, s:s, s:s}", "number", "0x10", "timestamp",
		"0x20", "hash", H1, "parentHash", H2);
	int rc;

	if (field && value)
		json_object_set_new(block, field, parse(value));
	else if (field)
		json_object_del(block, field);
	rc = header_parse(h, block, err);
	json_decref(block);
	return rc;
}

static void test_fields(void **state)
{
	static const char *const needed[] = {"number", "timestamp", "hash", "parentHash"};
	static const char *const optional[] = {
		"stateRoot", "gasLimit", "gasUsed", "baseFeePerGas"};
	struct error err = {0};
	struct header h;

	(void)state;
	assert_int_equal(changed(NULL, NULL, &h, &err), 0);
	assert_true(h.number == 16 && h.timestamp == 32 && !h.has_base_fee);
	assert_true(bytes_zero(h.state_root, HASH_SIZE));
	for (size_t k = 0; k < 4; k++) {
		assert_int_equal(changed(needed[k], NULL, &h, &err), -1);
		assert_non_null(strstr(err.text, needed[k]));
		assert_int_equal(changed(needed[k], "null", &h, &err), -1);
		assert_int_equal(changed(needed[k], "7", &h, &err), -1);
		err.text[0] = '\0';
		assert_int_equal(changed(needed[k], "\"0x0102\"", &h, &err), -1);
		assert_non_null(strstr(err.text, needed[k]));

		assert_int_equal(changed(optional[k], "null", &h, &err), 0);
		assert_false(h.has_base_fee);
		err.text[0] = '\0';
		assert_int_equal(changed(optional[k], "\"0x0102\"", &h, &err), -1);
		assert_non_null(strstr(err.text, optional[k]));
	}
	assert_int_equal(changed("baseFeePerGas", "\"0x0\"", &h, &err), 0);
	assert_true(h.has_base_fee && !h.base_fee);
	assert_int_equal(header_parse(&h, NULL, &err), -1);
	assert_string_equal(err.text, "block header: not an object");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_quantities),
		cmocka_unit_test(test_nul_inside),
		cmocka_unit_test(test_print),
		cmocka_unit_test(test_fixed),
		cmocka_unit_test(test_recorded),
		cmocka_unit_test(test_fields),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
