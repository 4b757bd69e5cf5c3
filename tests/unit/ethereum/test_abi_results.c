/* SPDX-License-Identifier: Apache-2.0 */
/* What the contract's views return. */
#include "abi_cases.h"

static struct view due_result(const char *name)
{
	return hex_field(results, name);
}

/* Cut by a byte or a word, or with a byte more, no result is taken. */
static void assert_strict(
	const char *name, int (*decode)(struct view result, struct error *err))
{
	struct view whole = due_result(name);
	struct buffer more = {0};
	struct error err = {0};

	assert_int_equal(decode(whole, &err), 0);
	for (size_t n = 0; n < whole.n; n++) {
		err.text[0] = '\0';
		assert_int_equal(decode(view_head(whole, n), &err), -1);
		assert_true(err.text[0] != '\0');
	}
	buffer_put(&more, whole.p, whole.n);
	for (unsigned k = 0; k < ABI_WORD; k++) {
		buffer_put_u8(&more, 0);
		assert_int_equal(decode(view_of(more.p, more.n), &err), -1);
	}
	assert_non_null(strstr(err.text, "end: more bytes than the values take"));
	buffer_free(&more);
	bytes_free(whole);
}

static int strict_uint(struct view result, struct error *err)
{
	return abi_uint_decode(&(uint64_t){0}, result, err);
}

static int strict_int(struct view result, struct error *err)
{
	return abi_int_decode(&(int64_t){0}, result, err);
}

static int strict_hash(struct view result, struct error *err)
{
	uint8_t hash[HASH_SIZE];

	return abi_hash_decode(hash, result, err);
}

static int strict_address(struct view result, struct error *err)
{
	uint8_t address[ADDRESS20];

	return abi_address_decode(address, result, err);
}

static int strict_tips(struct view result, struct error *err)
{
	struct contract_tips tips;

	return abi_tips_decode(&tips, result, err);
}

static int strict_config(struct view result, struct error *err)
{
	struct ledger_config config;

	return abi_config_decode(&config, result, err);
}

static int strict_member(struct view result, struct error *err)
{
	struct member m = {0};

	return abi_member_decode(&m, result, err);
}

static int strict_protected(struct view result, struct error *err)
{
	struct view table;

	return abi_protected_decode(&table, result, err);
}

static int strict_words(struct view result, struct error *err)
{
	struct view words;

	return abi_words_decode(&words, result, err);
}

static void test_strict(void **state)
{
	(void)state;
	assert_strict("version", strict_uint);
	assert_strict("supportMinus", strict_int);
	assert_strict("id", strict_hash);
	assert_strict("owner", strict_address);
	assert_strict("tips", strict_tips);
	assert_strict("config", strict_config);
	assert_strict("member", strict_member);
	assert_strict("memberNone", strict_member);
	assert_strict("memberShort", strict_member);
	assert_strict("protectedTable", strict_protected);
	assert_strict("protectedNone", strict_protected);
	assert_strict("snapshot", strict_words);
	assert_strict("snapshotNone", strict_words);
}

static void test_numbers(void **state)
{
	static const struct {
		const char *name;
		int rc;
		int64_t value;
	} ints[] = {
		{"supportMinus", 0, -3},
		{"supportPlus", 0, 5},
		{"supportLeast", 0, INT64_MIN},
		{"supportBelow", -1, 0},
		{"supportAbove", -1, 0},
	};
	struct error err = {0};
	struct view v = due_result("paused");
	uint64_t u = 0;

	(void)state;
	assert_int_equal(abi_uint_decode(&u, v, &err), 0);
	assert_int_equal(u, 1);
	bytes_free(v);
	for (size_t k = 0; k < sizeof ints / sizeof *ints; k++) {
		int64_t value = 0;

		v = due_result(ints[k].name);
		assert_int_equal(abi_int_decode(&value, v, &err), ints[k].rc);
		if (!ints[k].rc)
			assert_true(value == ints[k].value);
		bytes_free(v);
	}
	/* 2^64, and a negative number that is none. */
	v = hex_bytes("0000000000000000000000000000000000000000000000010000000000000000");
	assert_int_equal(abi_uint_decode(&u, v, &err), -1);
	assert_string_equal(
		err.text, "contract's number: value: the number is too large");
	bytes_free(v);
	v = hex_bytes("00ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff");
	assert_int_equal(abi_int_decode(&(int64_t){0}, v, &err), -1);
	bytes_free(v);
}

static void test_fixed_results(void **state)
{
	uint8_t due[HASH_SIZE], hash[HASH_SIZE];
	struct contract_tips tips;
	struct ledger_config config;
	struct error err = {0};
	struct view v = due_result("id");

	(void)state;
	pattern(due, HASH_SIZE, 77);
	assert_int_equal(abi_hash_decode(hash, v, &err), 0);
	assert_memory_equal(hash, due, HASH_SIZE);
	/* The same word is no address. */
	assert_int_equal(abi_address_decode(hash, v, &err), -1);
	assert_string_equal(
		err.text, "contract's address: value: no address of 20 bytes");
	assert_int_equal(abi_config_decode(&config, v, &err), -1);
	bytes_free(v);
	v = due_result("owner");
	pattern(due, ADDRESS20, 17);
	assert_int_equal(abi_address_decode(hash, v, &err), 0);
	assert_memory_equal(hash, due, ADDRESS20);
	bytes_free(v);
	v = due_result("config");
	assert_int_equal(abi_config_decode(&config, v, &err), 0);
	assert_true(config.limits.min_v4 == 16 && config.limits.min_v6 == 32 &&
		config.limits.min_e164 == 5 && config.limits.allow_unroutable);
	assert_true(config.max_ttl == 604800 && config.threshold == 3);
	((uint8_t *)(uintptr_t)v.p)[3] = 2; /* neither false nor true */
	assert_int_equal(abi_config_decode(&config, v, &err), -1);
	assert_non_null(strstr(err.text, "config(): "));
	bytes_free(v);
	v = due_result("tips");
	assert_int_equal(abi_tips_decode(&tips, v, &err), 0);
	pattern(due, HASH_SIZE, 1);
	assert_memory_equal(tips.tip[CHAIN_MEMBERS].hash, due, HASH_SIZE);
	pattern(due, HASH_SIZE, 2);
	assert_memory_equal(tips.tip[CHAIN_ADMIN].hash, due, HASH_SIZE);
	assert_true(tips.tip[CHAIN_MEMBERS].seq == 1ULL << 63);
	assert_true(tips.last_block[CHAIN_MEMBERS] == 7);
	assert_true(tips.tip[CHAIN_ADMIN].seq == 9);
	assert_true(tips.last_block[CHAIN_ADMIN] == UINT64_MAX);
	bytes_free(v);
}

static void test_member(void **state)
{
	struct member m = {.index = 41, .live = 9};
	struct error err = {0};
	struct view v = due_result("member");
	uint8_t due[ADDRESS20];

	(void)state;
	assert_int_equal(abi_member_decode(&m, v, &err), 0);
	assert_true(m.index == 41 && m.live == 0);
	assert_true(m.status == MEMBER_ACTIVE && m.generation == 3 && m.weight == 9);
	assert_int_equal(m.cap, 1 << 24);
	assert_string_equal(m.name, "Universit\u00e4t zu K\u00f6ln, Rechenzentrum");
	assert_int_equal(m.signer_count, 8);
	pattern(due, ADDRESS20, 8);
	assert_memory_equal(m.signers[7], due, ADDRESS20);
	bytes_free(v);
	v = due_result("memberNone");
	assert_int_equal(abi_member_decode(&m, v, &err), 0);
	assert_true(m.status == MEMBER_NONE && !m.signer_count && !m.name[0]);
	bytes_free(v);
	v = due_result("memberShort");
	assert_int_equal(abi_member_decode(&m, v, &err), 0);
	assert_true(m.status == MEMBER_REMOVED && m.generation == 65535 && m.cap == 1);
	assert_string_equal(m.name, "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz");
	assert_int_equal(m.signer_count, 1);
	bytes_free(v);
}

/* One byte of member()'s result changed: what is said. */
static void test_member_fields(void **state)
{
	static const struct {
		size_t at;
		uint8_t value;
		const char *due;
	} cases[] = {
		{31, 4, "member(): status: the number is too large"},
		{32 + 29, 1, "member(): generation: the number is too large"},
		{64 + 29, 1, "member(): weight: the number is too large"},
		{96 + 31, 1, "member(): cap: the number is too large"},
		{128 + 31, 0xa0, "member(): name: not where"},
		{128, 1, "member(): name: the number is too large"},
		{160 + 31, 0xff, "member(): signers: not where"},
		{192 + 31, 65, "member(): name: the number is too large"},
		{192 + 31, 34, "member(): name: bytes behind its end are not zero"},
		{192 + 31, 32, "member(): signers: not where"},
		{192, 1, "member(): name: the number is too large"},
		{224, '\n', "member(): name: not clean UTF-8"},
		{224 + 63, 1, "member(): name: bytes behind its end are not zero"},
		{288 + 31, 9, "member(): signers: the number is too large"},
		{288 + 31, 7, "member(): end: more bytes"},
		{320, 1, "member(): signers: no address of 20 bytes"},
	};

	(void)state;
	for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
		struct view v = due_result("member");
		struct member m = {0};
		struct error err = {0};

		((uint8_t *)(uintptr_t)v.p)[cases[k].at] = cases[k].value;
		assert_int_equal(abi_member_decode(&m, v, &err), -1);
		if (strncmp(err.text, cases[k].due, strlen(cases[k].due)) != 0)
			fail_msg("%zu: %s, not %s", k, err.text, cases[k].due);
		bytes_free(v);
	}
}

static void test_lists(void **state)
{
	uint8_t due[INDICATOR_SIZE * 5];
	struct error err = {0};
	struct view v = due_result("protectedTable"), out;

	(void)state;
	pattern(due, sizeof due, 3);
	assert_int_equal(abi_protected_decode(&out, v, &err), 0);
	assert_int_equal(out.n, sizeof due);
	assert_memory_equal(out.p, due, sizeof due);
	assert_ptr_equal(out.p, v.p + 64);
	((uint8_t *)(uintptr_t)v.p)[63] = 89; /* and a zero behind it */
	((uint8_t *)(uintptr_t)v.p)[64 + 89] = 0;
	assert_int_equal(abi_protected_decode(&out, v, &err), -1);
	assert_string_equal(
		err.text, "protectedTable(): table: no whole number of entries");
	((uint8_t *)(uintptr_t)v.p)[60] = 1; /* 16 MB that are not there */
	assert_int_equal(abi_protected_decode(&out, v, &err), -1);
	bytes_free(v);
	v = due_result("protectedNone");
	assert_int_equal(abi_protected_decode(&out, v, &err), 0);
	assert_int_equal(out.n, 0);
	bytes_free(v);
	v = due_result("snapshot");
	assert_int_equal(abi_words_decode(&out, v, &err), 0);
	assert_int_equal(out.n, 3 * WORD_SIZE);
	pattern(due, WORD_SIZE, 12);
	assert_memory_equal(out.p + WORD_SIZE, due, WORD_SIZE);
	((uint8_t *)(uintptr_t)v.p)[63] = 2;
	assert_int_equal(abi_words_decode(&out, v, &err), -1);
	((uint8_t *)(uintptr_t)v.p)[59] = 0xff; /* a count of 2^40 */
	assert_int_equal(abi_words_decode(&out, v, &err), -1);
	bytes_free(v);
	v = due_result("snapshotNone");
	assert_int_equal(abi_words_decode(&out, v, &err), 0);
	assert_int_equal(out.n, 0);
	bytes_free(v);
}

/* --- the Solidity documentation's own examples --- */

/* "Use of Dynamic Types": g(uint256[][],string[]) has strings in tails like
 * ours; of f(uint256,uint32[],bytes10,bytes) the bytes "Hello, world!" are
 * what protectedTable() would return for 13 bytes: no whole entry. */
static void test_documentation(void **state)
{
	struct view v = hex_bytes(
		"0000000000000000000000000000000000000000000000000000000000000020"
		"000000000000000000000000000000000000000000000000000000000000000d"
		"48656c6c6f2c20776f726c642100000000000000000000000000000000000000");
	struct error err = {0};
	struct view table;

	(void)state;
	assert_int_equal(abi_protected_decode(&table, v, &err), -1);
	assert_string_equal(
		err.text, "protectedTable(): table: no whole number of entries");
	assert_int_equal(table.n, 13);
	assert_memory_equal(table.p, "Hello, world!", 13);
	bytes_free(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_strict),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_fixed_results),
		cmocka_unit_test(test_member),
		cmocka_unit_test(test_member_fields),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_documentation),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
