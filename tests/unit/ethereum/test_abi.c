/* SPDX-License-Identifier: Apache-2.0 */
/* The contract's calls, as ethers encodes them. */
#include "abi_cases.h"

static void test_operation_calls(void **state)
{
	const json_t *list = json_object_get(root, "operations");
	unsigned types[256] = {0};

	(void)state;
	for (size_t k = 0; k < json_array_size(list); k++) {
		const json_t *v = json_array_get(list, k);
		struct view bytes = hex_field(v, "operation");
		struct error err = {0};
		struct buffer out = {0};
		struct operation op;

		print_message("# %s\n", json_string_value(json_object_get(v, "name")));
		assert_int_equal(operation_decode(&op, bytes, &err), 0);
		types[op.type]++;
		assert_int_equal(abi_operation_call(&out, &op), 0);
		assert_buffer_hex(&out, json_string_value(json_object_get(v, "call")));
		bytes_free(bytes);
	}
	/* None is forgotten. */
	for (unsigned type = OP_MEMBER_ADD; type <= OP_SUPERSEDE; type++)
		assert_true(types[type] >= 1);
	assert_true(types[OP_BATCH] >= 4);
}

static void test_no_call(void **state)
{
	struct operation op = {.type = OP_GENESIS};
	struct buffer out = {0};

	(void)state;
	assert_int_equal(abi_operation_call(&out, &op), -1);
	op.type = 0x20;
	assert_int_equal(abi_operation_call(&out, &op), -1);
	op = (struct operation){.type = OP_MEMBER_ADD,
		.name = view_str("x"),
		.signer_count = SIGNERS_MAX + 1};
	assert_int_equal(abi_operation_call(&out, &op), -1);
	assert_int_equal(out.n, 0);
	op.signer_count = 0;
	out.max = 100;
	assert_int_equal(abi_operation_call(&out, &op), -1);
	buffer_free(&out);
}

static const char *due_call(const char *name)
{
	return json_string_value(json_object_get(calls, name));
}

static void test_plain_views(void **state)
{
	static const struct {
		const char *name;
		int (*call)(struct buffer *out);
	} views[] = {
		{"version", abi_call_version},
		{"id", abi_call_id},
		{"tips", abi_call_tips},
		{"config", abi_call_config},
		{"guardian", abi_call_guardian},
		{"owner", abi_call_owner},
		{"pendingOwner", abi_call_pending_owner},
		{"paused", abi_call_paused},
		{"superseded", abi_call_superseded},
		{"memberCount", abi_call_member_count},
		{"protectedTable", abi_call_protected},
	};

	(void)state;
	for (size_t k = 0; k < sizeof views / sizeof *views; k++) {
		struct buffer out = {0}, full = {.max = 3};

		assert_int_equal(views[k].call(&out), 0);
		assert_buffer_hex(&out, due_call(views[k].name));
		assert_int_equal(views[k].call(&full), -1);
		buffer_free(&full);
	}
}

static void test_views_of_something(void **state)
{
	static const uint64_t cells[] = {0x000100000000, 0x0001000005ff, 0xbeef123456};
	struct buffer out = {0};
	uint8_t address[ADDRESS20];
	struct indicator i;

	(void)state;
	pattern(address, ADDRESS20, 17);
	pattern((uint8_t *)&i, INDICATOR_SIZE, 4);
	assert_int_equal(abi_call_member(&out, 0xbeef), 0);
	assert_buffer_hex(&out, due_call("member"));
	assert_int_equal(abi_call_member_of(&out, address), 0);
	assert_buffer_hex(&out, due_call("memberOf"));
	assert_int_equal(abi_call_snapshot(&out, 0xbeef, 0x123456, 1000), 0);
	assert_buffer_hex(&out, due_call("snapshot"));
	assert_int_equal(abi_call_support(&out, &i, cells, 3), 0);
	assert_buffer_hex(&out, due_call("support"));
	assert_int_equal(abi_call_support(&out, &i, NULL, 0), 0);
	assert_buffer_hex(&out, due_call("supportOfNone"));
}

static void test_creation(void **state)
{
	const struct ledger_config config = {
		.limits = {16, 32, 5, true},
		.max_ttl = 604800,
		.threshold = 3,
	};
	struct view arguments = hex_field(
		json_object_get(root, "views"), "creationArguments");
	uint8_t guardian[ADDRESS20], hash[HASH_SIZE], due[HASH_SIZE];
	struct buffer out = {0};
	size_t code = 0;

	(void)state;
	pattern(guardian, ADDRESS20, 17);
	assert_int_equal(abi_creation(&out, &config, guardian), 0);
	assert_true(out.n > arguments.n);
	assert_memory_equal(out.p + out.n - arguments.n, arguments.p, arguments.n);
	/* The runtime code stands in the creation code, as solc lays it out:
	 * 0xfe (INVALID) divides them. */
	abi_code_hash(hash);
	for (size_t k = 0; k + arguments.n < out.n && !code; k++) {
		if (out.p[k] != 0xfe)
			continue;
		keccak256(due, out.p + k + 1, out.n - arguments.n - k - 1);
		if (!memcmp(due, hash, HASH_SIZE))
			code = out.n - arguments.n - k - 1;
	}
	assert_true(code > 1000);
	buffer_free(&out);
	bytes_free(arguments);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_operation_calls),
		cmocka_unit_test(test_no_call),
		cmocka_unit_test(test_plain_views),
		cmocka_unit_test(test_views_of_something),
		cmocka_unit_test(test_creation),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
