/* SPDX-License-Identifier: Apache-2.0 */
#include "../cmocka_all.h"

#include <jansson.h>
#include <stdlib.h>

#include "../prng.h"
#include "base/hex.h"
#include "ledger/ethereum/json_scan.h"
#include "ledger/ethereum/logs.h"

/* What a scan gave, in bytes, to be compared. */
struct result {
	int rc; /* of the end, or -2: of feeding */
	uint64_t count;
	struct buffer logs;
	int64_t code;
	char message[200], data[200];
	struct error err;
	uint64_t stop_at; /* refuse this log; 0: none (they count from 1) */
};

static bool take(void *context, const struct log *l)
{
	struct result *r = context;

	buffer_put(&r->logs, l->address, sizeof l->address);
	buffer_put_u8(&r->logs, (uint8_t)l->topic_count);
	buffer_put(&r->logs, l->topics, sizeof l->topics);
	buffer_put_u32(&r->logs, (uint32_t)l->data.n);
	buffer_put(&r->logs, l->data.p, l->data.n);
	buffer_put_u64(&r->logs, l->block);
	buffer_put(&r->logs, l->block_hash, HASH_SIZE);
	buffer_put(&r->logs, l->transaction, HASH_SIZE);
	buffer_put_u32(&r->logs, l->index);
	buffer_put_u8(&r->logs, l->removed);
	r->count++;
	return r->count != r->stop_at;
}

/* Feed text in pieces of the given sizes, in turn (0 ends them: the rest). */
static void scan(struct result *r, struct view text, const size_t *sizes)
{
	struct log_scanner *s = log_scanner_new(7, take, r);
	struct view message = {NULL, 0}, data = {NULL, 0};

	assert_non_null(s);
	r->rc = 0;
	while (text.n > 0 && r->rc == 0) {
		size_t n = *sizes ? *sizes++ : text.n;
		/* An exact copy: the sanitizer sees a read past the piece. */
		struct view piece = view_head(text, n);
		uint8_t *copy = malloc(piece.n);

		memcpy(copy, piece.p, piece.n);
		if (log_scanner_feed(s, view_of(copy, piece.n), &r->err))
			r->rc = -2;
		free(copy);
		text = view_from(text, piece.n);
	}
	assert_int_equal(log_scanner_count(s), r->count);
	if (r->rc == 0) {
		r->rc = log_scanner_end(s, &r->code, &message, &data, &r->err);
		view_copy(r->message, sizeof r->message, message);
		view_copy(r->data, sizeof r->data, data);
	} else {
		assert_int_equal(log_scanner_feed(s, view_str(" "), NULL), -1);
		assert_int_equal(log_scanner_end(s, &r->code, &message, &data, NULL), -1);
	}
	log_scanner_free(s);
}

static void scan_whole(struct result *r, struct view text)
{
	scan(r, text, (const size_t[]){0});
}

static void assert_same(const struct result *a, const struct result *b)
{
	assert_int_equal(a->rc, b->rc);
	assert_int_equal(a->count, b->count);
	assert_int_equal(a->logs.n, b->logs.n);
	if (a->logs.n > 0)
		assert_memory_equal(a->logs.p, b->logs.p, a->logs.n);
	assert_int_equal(a->code, b->code);
	assert_string_equal(a->message, b->message);
	assert_string_equal(a->data, b->data);
	assert_string_equal(a->err.text, b->err.text);
}

/* However it is cut into two, or into single bytes, it is the same. */
static void all_splits(struct view text)
{
	struct result whole = {0};
	size_t *ones = calloc(text.n + 1, sizeof *ones);

	scan_whole(&whole, text);
	for (size_t i = 0; i < text.n; i++) {
		struct result r = {0};

		ones[i] = 1;
		scan(&r, text, (const size_t[]){i, 0});
		assert_same(&whole, &r);
		buffer_free(&r.logs);
	}
	if (text.n > 0) {
		struct result r = {0};

		scan(&r, text, ones);
		assert_same(&whole, &r);
		buffer_free(&r.logs);
	}
	free(ones);
	buffer_free(&whole.logs);
}

static void refused(const char *text, const char *why)
{
	struct result r = {0};

	scan_whole(&r, view_str(text));
	if (r.rc >= 0 || !strstr(r.err.text, why))
		fail_msg("%s: %d \"%s\" lacks \"%s\"", text, r.rc, r.err.text, why);
	buffer_free(&r.logs);
	all_splits(view_str(text));
}

static void accepted(const char *text, uint64_t count)
{
	struct result r = {0};

	scan_whole(&r, view_str(text));
	if (r.rc != 0)
		fail_msg("%s: %s", text, r.err.text);
	assert_int_equal(r.count, count);
	buffer_free(&r.logs);
	all_splits(view_str(text));
}

/* --- real replies --- */

static json_t *load(const char *name, struct buffer *text)
{
	char path[300], chunk[4096];
	size_t n;
	FILE *f;

	snprintf(path, sizeof path, "%s/ethereum/%s.json", TESTS_DATA, name);
	f = fopen(path, "rb");
	assert_non_null(f);
	while ((n = fread(chunk, 1, sizeof chunk, f)) > 0)
		buffer_put(text, chunk, n);
	fclose(f);
	return json_loadb((char *)text->p, text->n, 0, NULL);
}

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

/* --- replies made here --- */

#define H32    "0x00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF"
#define HEAD   "{\"jsonrpc\":\"2.0\",\"id\":7,"
#define LOG    "\"address\":\"0x000102030405060708090a0b0c0d0e0f10111213\","
#define TOPICS "\"topics\":[\"" H32 "\"],"
#define DATA   "\"data\":\"0x0102\","
#define BLOCK  "\"blockNumber\":\"0x1f\","
#define BHASH  "\"blockHash\":\"" H32 "\","
#define THASH  "\"transactionHash\":\"" H32 "\","
#define INDEX  "\"logIndex\":\"0x0\""
#define ONE(x) HEAD "\"result\":[{" x "}]}"
#define GOOD   LOG TOPICS DATA BLOCK BHASH THASH INDEX

static void test_fields(void **state)
{
	struct result r = {0};

	(void)state;
	accepted(ONE(GOOD), 1);
	accepted(ONE(GOOD ",\"removed\":true"), 1);
	accepted(
		ONE("\"x\":{\"data\":[1,{\"address\":null}],\"y\":\"\\\"}\"},\"z\":-1.5e+9,"
		    "\"w\":[[],{},\"\\ud83d\\ude00\"]," GOOD ",\"u\":true"),
		1);
	accepted(ONE(LOG "\"topics\":[]," DATA BLOCK BHASH THASH INDEX), 1);
	accepted("{\"result\":[],\"id\":7,\"extra\":{\"result\":1},\"jsonrpc\":\"2.0\"}",
		0);
	/* A key written with an escape is the same key. */
	accepted(ONE(LOG TOPICS "\"d\\u0061ta\":\"0x\"," BLOCK BHASH THASH INDEX), 1);
	refused(ONE(GOOD ",\"d\\u0061ta\":\"0x\""), "data is there twice");
	scan_whole(&r, view_str(ONE(GOOD ",\"removed\":true")));
	assert_int_equal(r.logs.p[r.logs.n - 1], 1);
	assert_int_equal(be64_load(r.logs.p + 20 + 1 + 4 * 32 + 4 + 2), 0x1f);
	buffer_free(&r.logs);

	refused(ONE(TOPICS DATA BLOCK BHASH THASH INDEX), "log 0: no address");
	refused(ONE(LOG DATA BLOCK BHASH THASH INDEX), "log 0: no topics");
	refused(ONE(LOG TOPICS BLOCK BHASH THASH INDEX), "log 0: no data");
	refused(ONE(LOG TOPICS DATA BHASH THASH INDEX), "log 0: no blockNumber");
	refused(ONE(LOG TOPICS DATA BLOCK THASH INDEX), "log 0: no blockHash");
	refused(ONE(LOG TOPICS DATA BLOCK BHASH INDEX), "log 0: no transactionHash");
	refused(ONE(LOG TOPICS DATA BLOCK BHASH "\"transactionHash\":\"" H32 "\""),
		"no logIndex");
	refused(HEAD "\"result\":[{" GOOD "},{" GOOD "," GOOD "}]}",
		"address is there twice");
	refused(ONE(GOOD ",\"removed\":1"), "malformed removed");
	refused(ONE(GOOD ",\"removed\":\"false\""), "malformed removed");
	refused(ONE(GOOD ",\"removed\":[]"), "malformed removed");
}

static void malformed(const char *field, const char *value)
{
	char text[600], due[64];

	snprintf(text, sizeof text, HEAD "\"result\":[{\"%s\":%s", field, value);
	snprintf(due, sizeof due, "log 0: malformed %s", field);
	/* The object need not end: it is refused where it goes wrong. */
	strcat(text, ",");
	refused(text, due);
}

static void test_malformed(void **state)
{
	static const char *const hashes[] = {"blockHash", "transactionHash", "address"};
	char hex[600];

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		malformed(hashes[i], "\"0x00\"");
		malformed(hashes[i], "\"0x\"");
		malformed(hashes[i], "\"\"");
		malformed(hashes[i], "null");
		malformed(hashes[i], "7");
		malformed(hashes[i], "{}");
		malformed(hashes[i], "[\"" H32 "\"]");
		malformed(hashes[i], "\"" H32 "00\"");
		malformed(hashes[i], "\"0x0g\"");
	}
	malformed("data", "\"0x0\"");
	malformed("data", "\"0X00\"");
	malformed("data", "\"0000\"");
	malformed("data", "\"0x00 \"");
	malformed("data", "\"0x000\"");
	malformed("data", "\"0x0\xc3\xa4\"");
	malformed("blockNumber", "\"0x\"");
	malformed("blockNumber", "\"0x01\"");
	malformed("blockNumber", "\"1\"");
	malformed("blockNumber", "1");
	malformed("blockNumber", "null");
	malformed("blockNumber", "\"0x10000000000000000\"");
	malformed("logIndex", "\"0x100000000\"");
	malformed("topics", "\"" H32 "\"");
	malformed("topics", "[\"0x00\"]");
	malformed("topics", "[[]]");
	malformed("topics", "[null]");
	snprintf(hex, sizeof hex,
		HEAD "\"result\":[{\"topics\":[\"%s\",\"%s\",\"%s\",\"%s\",\"%s\"", H32,
		H32, H32, H32, H32);
	refused(hex, "more than 4 topics");
	/* Each byte that is no digit is found, at either half. */
	for (unsigned c = 0x20; c < 0x100; c++) {
		struct result r = {0};
		bool digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') ||
			(c >= 'A' && c <= 'F');

		if (c == '"' || c == '\\')
			continue;
		for (unsigned half = 0; half < 2; half++) {
			snprintf(hex, sizeof hex,
				"{\"id\":7,\"result\":[{\"data\":\"0x12345678%s%c%s12345678\"",
				half ? "1" : "", (int)c, half ? "" : "1");
			r.rc = 0;
			scan_whole(&r, view_str(hex));
			assert_int_equal(r.rc, digit ? -1 : -2);
		}
	}
}

/* A log's data has a limit: at it it passes, a byte more does not. */
static void test_data_limit(void **state)
{
	size_t n = strlen(HEAD) + 2 * LOG_DATA_MAX + 1000;
	char *text = malloc(n);

	(void)state;
	for (unsigned more = 0; more < 2; more++) {
		struct result r = {0};
		size_t at;

		at = (size_t)snprintf(text, n,
			HEAD "\"result\":[{" LOG TOPICS BLOCK BHASH THASH INDEX
			     ",\"data\":\"0x");
		memset(text + at, 'a', 2 * (LOG_DATA_MAX + more));
		strcpy(text + at + 2 * (LOG_DATA_MAX + more), "\"}]}");
		for (size_t step = 1000; step < 100000; step *= 7) {
			size_t sizes[400] = {0};

			for (unsigned i = 0; i < 399; i++)
				sizes[i] = step + i;
			r.count = 0;
			r.logs.n = 0;
			scan(&r, view_str(text), sizes);
			if (more) {
				assert_int_equal(r.rc, -2);
				assert_non_null(
					strstr(r.err.text, "log 0: data of more"));
			} else {
				assert_int_equal(r.rc, 0);
				assert_int_equal(r.count, 1);
				assert_int_equal(r.logs.p[153 + LOG_DATA_MAX], 0);
				assert_int_equal(r.logs.p[152 + LOG_DATA_MAX], 0xaa);
			}
		}
		buffer_free(&r.logs);
	}
	free(text);
}

static void test_replies(void **state)
{
	(void)state;
	refused(HEAD "\"result\":null}", "null, not a list");
	refused(HEAD "\"result\":{}}", "no list of logs");
	refused(HEAD "\"result\":\"0x\"}", "no list of logs");
	refused(HEAD "\"result\":[1]}", "log 0: no object");
	refused(HEAD "\"result\":[[]]}", "log 0: no object");
	refused(HEAD "\"result\":[null]}", "log 0: no object");
	refused(HEAD "\"x\":1}", "neither a result nor an error");
	refused("{}", "neither");
	refused("[]", "no object");
	refused("null", "no object");
	refused("", "cut off");
	refused("{\"jsonrpc\":\"2.0\",\"result\":[]}", "no id");
	refused("{\"jsonrpc\":\"2.0\",\"id\":null,\"result\":[]}", "no id");
	refused("{\"id\":7,\"result\":[]}", "no \"jsonrpc\"");
	refused("{\"jsonrpc\":\"2.1\",", "another version");
	refused("{\"jsonrpc\":2.0,", "another version");
	refused("{\"id\":8", "cut off");
	refused("{\"id\":8,", "another request's id");
	refused("{\"id\":\"7\"", "another request's id");
	refused("{\"id\":7.0,", "another request's id");
	refused("{\"id\":-7,", "another request's id");
	refused(HEAD "\"id\":7,", "id is there twice");
	refused(HEAD "\"result\":[],\"result\":[]}", "result is there twice");
	refused(HEAD "\"result\":[],\"error\":{\"code\":1}}",
		"both a result and an error");
	accepted(HEAD "\"result\":[],\"error\":null}", 0);
	refused(HEAD "\"error\":7}", "the error is no object");
	refused("<html>", "not JSON: unexpected < at byte 0");
	refused(HEAD "\"result\":[]}x", "not JSON: unexpected x at byte");
	refused(HEAD "\"result\":[}", "not JSON: unexpected }");
	refused(HEAD "\"result\":[],}", "not JSON: unexpected }");
	refused(HEAD "\"result\" []", "not JSON");
	refused(HEAD "\"x\":01,", "not JSON: a malformed word");
	refused(HEAD "\"x\":-,", "not JSON");
	refused(HEAD "\"x\":1.,", "not JSON");
	refused(HEAD "\"x\":1e,", "not JSON");
	refused(HEAD "\"x\":truE,", "not JSON");
	refused(HEAD "\"x\":tru,", "not JSON");
	refused(HEAD "\"x\":\"a\nb\"", "not JSON: unexpected control character");
	refused(HEAD "\"x\":\"\\x\"", "not JSON");
	refused(HEAD "\"x\":\"\\u12g4\"", "not JSON");
	refused(HEAD "\"x\":[1 2]", "not JSON");
	refused(HEAD "\"x\":{1:2}", "not JSON");
}

static void test_error_object(void **state)
{
	static const char text[] = HEAD
		"\"error\":{\"message\":\"query returned more than \\\"10000\\\" results\","
		"\"more\":[1,{\"code\":9}],\"code\":-32005,\"data\":\"0x12\"}}";
	struct result r = {0};

	(void)state;
	scan_whole(&r, view_str(text));
	assert_int_equal(r.rc, 1);
	assert_int_equal(r.code, -32005);
	assert_string_equal(r.message, "query returned more than \"10000\" results");
	assert_string_equal(r.data, "0x12");
	all_splits(view_str(text));
	r = (struct result){0};
	scan_whole(&r, view_str("{\"id\":null,\"error\":\"Too many requests\"}"));
	assert_int_equal(r.rc, 1);
	assert_string_equal(r.message, "Too many requests");
	r = (struct result){0};
	scan_whole(&r,
		view_str(HEAD
			"\"result\":null,\"error\":{\"code\":3,\"data\":{\"message\":"
			"\"inner\"}}}"));
	assert_int_equal(r.rc, 1);
	assert_int_equal(r.code, 3);
	assert_string_equal(r.message, "");
	assert_string_equal(r.data, "");
}

static void test_depth(void **state)
{
	char text[200] = HEAD "\"x\":";
	size_t at = strlen(text);

	(void)state;
	memset(text + at, '[', 31);
	memset(text + at + 31, ']', 31);
	strcpy(text + at + 62, ",\"result\":[]}");
	accepted(text, 0);
	memset(text + at, '[', 32);
	text[at + 32] = '\0';
	refused(text, "nested deeper than 32");
}

static void test_stopped(void **state)
{
	struct result r = {.stop_at = 2};
	struct buffer text = {0};

	(void)state;
	json_decref(load("logs_geth", &text));
	scan_whole(&r, view_of(text.p, text.n));
	assert_int_equal(r.rc, -2);
	assert_int_equal(r.count, 2);
	assert_string_equal(r.err.text, "stopped at log 1");
	buffer_free(&r.logs);
	buffer_free(&text);
}

/* Random changes of a real reply: never a crash, never a difference by cutting. */
static void test_mutations(void **state)
{
	struct prng prng = {20240611};
	struct buffer text = {0};

	(void)state;
	json_decref(load("logs_ibft", &text));
	for (unsigned i = 0; i < 3000; i++) {
		struct result whole = {0}, cut = {0};
		size_t at = prng_below(&prng, (unsigned)text.n), sizes[41] = {0};
		uint8_t old = text.p[at];

		text.p[at] = (uint8_t) "\"\\{}[]:,0x \nfng\x80"[prng_below(&prng, 16)];
		for (unsigned k = 0; k < 40; k++)
			sizes[k] = 1 + prng_below(&prng, 120);
		scan_whole(&whole, view_of(text.p, text.n));
		scan(&cut, view_of(text.p, text.n), sizes);
		assert_same(&whole, &cut);
		buffer_free(&whole.logs);
		buffer_free(&cut.logs);
		text.p[at] = old;
	}
	buffer_free(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_engines),
		cmocka_unit_test(test_layouts),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_data_limit),
		cmocka_unit_test(test_replies),
		cmocka_unit_test(test_error_object),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_stopped),
		cmocka_unit_test(test_mutations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
