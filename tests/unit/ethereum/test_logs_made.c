/* SPDX-License-Identifier: Apache-2.0 */
/* The scanner of eth_getLogs on replies made here: malformed, too long, cut. */
#include "log_scan.h"

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
