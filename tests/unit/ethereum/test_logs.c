/* SPDX-License-Identifier: Apache-2.0 */
/* The scanner of eth_getLogs on replies of real engines. */
#include "log_scan.h"

static void unhex(struct buffer *out, const json_t *object, const char *key, size_t n)
{
	const char *text = json_string_value(json_object_get(object, key));
	uint8_t *bytes = malloc(n + 1);

	assert_non_null(text);
	assert_int_equal(hex_decode(bytes, n, view_str(text)), 0);
	buffer_put(out, bytes, n);
	free(bytes);
}

static uint64_t quantity(const json_t *object, const char *key)
{
	return strtoull(json_string_value(json_object_get(object, key)), NULL, 16);
}

/* What take() should have written, from jansson's tree. */
static void expect(struct buffer *out, const json_t *reply)
{
	const json_t *logs = json_object_get(reply, "result"), *log;
	size_t i;

	json_array_foreach(logs, i, log)
	{
		const json_t *topics = json_object_get(log, "topics");
		size_t n = json_array_size(topics);
		uint8_t hash[HASH_SIZE], zero[HASH_SIZE] = {0};

		unhex(out, log, "address", ADDRESS20);
		buffer_put_u8(out, (uint8_t)n);
		for (size_t t = 0; t < LOG_TOPICS_MAX; t++) {
			const char *topic = json_string_value(json_array_get(topics, t));

			if (topic)
				assert_int_equal(
					hex_decode(hash, HASH_SIZE, view_str(topic)), 0);
			buffer_put(out, topic ? hash : zero, HASH_SIZE);
		}
		n = json_string_length(json_object_get(log, "data")) / 2 - 1;
		buffer_put_u32(out, (uint32_t)n);
		unhex(out, log, "data", n);
		buffer_put_u64(out, quantity(log, "blockNumber"));
		unhex(out, log, "blockHash", HASH_SIZE);
		unhex(out, log, "transactionHash", HASH_SIZE);
		buffer_put_u32(out, (uint32_t)quantity(log, "logIndex"));
		buffer_put_u8(out, json_is_true(json_object_get(log, "removed")));
	}
}

static const char *const engines[] = {"anvil", "geth", "ibft"};

static void test_engines(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct buffer text = {0}, due = {0};
		struct result r = {0};
		char name[64];
		json_t *reply;

		snprintf(name, sizeof name, "logs_%s", engines[i]);
		reply = load(name, &text);
		assert_non_null(reply);
		expect(&due, reply);
		scan_whole(&r, view_of(text.p, text.n));
		assert_int_equal(r.rc, 0);
		assert_int_equal(r.count, 4);
		assert_int_equal(r.logs.n, due.n);
		assert_memory_equal(r.logs.p, due.p, due.n);
		all_splits(view_of(text.p, text.n));
		buffer_free(&r.logs);
		buffer_free(&text);
		buffer_free(&due);
		json_decref(reply);

		snprintf(name, sizeof name, "logs_%s_none", engines[i]);
		json_decref(load(name, &text));
		r = (struct result){0};
		scan_whole(&r, view_of(text.p, text.n));
		assert_int_equal(r.rc, 0);
		assert_int_equal(r.count, 0);
		all_splits(view_of(text.p, text.n));
		buffer_free(&text);
	}
}

/* The same reply with other white space and in another order of its fields. */
static void test_layouts(void **state)
{
	static const size_t flags[] = {
		JSON_INDENT(8), JSON_SORT_KEYS, JSON_SORT_KEYS | JSON_INDENT(1)};

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct buffer text = {0};
		struct result whole = {0};
		json_t *reply = load("logs_geth", &text);

		scan_whole(&whole, view_of(text.p, text.n));
		for (unsigned f = 0; f < 3; f++) {
			struct result r = {0};
			char *other = json_dumps(reply, flags[f]);

			for (char *p = other; *p; p++)
				if (*p == ' ' && f == 0)
					*p = "\t\r\n "[(p - other) % 4];
			scan_whole(&r, view_str(other));
			assert_same(&whole, &r);
			buffer_free(&r.logs);
			free(other);
		}
		buffer_free(&whole.logs);
		buffer_free(&text);
		json_decref(reply);
	}
}

/* Cut off anywhere it is no reply, but for white space at its end. */
static void test_truncated(void **state)
{
	struct buffer text = {0};

	(void)state;
	json_decref(load("logs_anvil", &text));
	for (size_t n = 0; n < text.n; n++) {
		struct result r = {0};

		if (text.p[n] == '\n')
			break;
		scan_whole(&r, view_of(text.p, n));
		assert_int_equal(r.rc, -1);
		assert_memory_equal(r.err.text, "cut off", 7);
		buffer_free(&r.logs);
	}
	buffer_free(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_engines),
		cmocka_unit_test(test_layouts),
		cmocka_unit_test(test_truncated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
