/* SPDX-License-Identifier: Apache-2.0 */
#include "../cmocka_all.h"

#include <stdlib.h>

#include "base/hex.h"
#include "ledger/ethereum/json_bounded.h"
#include "ledger/ethereum/rpc.h"

#define SECRET "0123456789abcdef"

static struct endpoint endpoint;
static struct buffer scratch;
static json_t *root;

static int set_up(void **state)
{
	(void)state;
	return endpoint_parse(
		&endpoint, view_str("https://rpc.example/v3/" SECRET " name=node"), NULL);
}

static int clean_up(void **state)
{
	(void)state;
	json_decref(root);
	root = NULL;
	buffer_free(&scratch);
	return 0;
}

static struct rpc_reply judge(long status, const char *body)
{
	struct rpc_reply r;

	json_decref(root);
	rpc_reply_judge(&r, &root, &scratch, &endpoint, status, view_str(body), 1);
	assert_null(strstr(r.error.text, SECRET));
	if (r.outcome == RPC_RESULT) {
		assert_non_null(r.result);
	} else {
		assert_null(r.result);
		assert_memory_equal(r.error.text, "node: ", 6);
	}
	return r;
}

static void outcome_is(
	long status, const char *body, enum rpc_outcome due, const char *text)
{
	struct rpc_reply r = judge(status, body);

	if (r.outcome != due)
		fail_msg(
			"%s: outcome %d, not %d: %s", body, r.outcome, due, r.error.text);
	if (!strstr(r.error.text, text))
		fail_msg("%s: \"%s\" lacks \"%s\"", body, r.error.text, text);
}

static void data_is(const struct rpc_reply *r, const char *hex)
{
	char text[400];

	assert_true(r->data.n < 200);
	hex_encode(text, r->data.p, r->data.n);
	assert_string_equal(text, hex);
}

static void refused_with(const char *body, bool reverted, const char *hex)
{
	struct rpc_reply r = judge(200, body);

	if (r.outcome != RPC_REFUSED || r.reverted != reverted)
		fail_msg("%s: %d %d", body, r.outcome, r.reverted);
	data_is(&r, hex);
}

#define OK(id, rest) "{\"jsonrpc\":\"2.0\",\"id\":" id "," rest "}"
#define ERR(rest)    "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":" rest "}"

static void test_result(void **state)
{
	struct rpc_reply r;

	(void)state;
	r = judge(200, OK("1", "\"result\":\"0x1\""));
	assert_int_equal(r.outcome, RPC_RESULT);
	assert_string_equal(json_string_value(r.result), "0x1");
	r = judge(200,
		" {\n\t\"result\" : null , \"error\":null,\"id\":1,\"jsonrpc\":\"2.0\"}\n");
	assert_int_equal(r.outcome, RPC_RESULT);
	assert_true(json_is_null(r.result));
}

static void test_garbage(void **state)
{
	static const char string[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"\\\"";
	char deep[200], *wide;

	(void)state;
	outcome_is(200, "", RPC_GARBAGE, "not JSON");
	outcome_is(200, "<html>" SECRET "</html>", RPC_GARBAGE, "not JSON");
	outcome_is(200, "{\"a\":" SECRET "}", RPC_GARBAGE, "not JSON: it is malformed");
	outcome_is(200, "[1]", RPC_GARBAGE, "no object");
	outcome_is(200, OK("2", "\"result\":1"), RPC_GARBAGE, "another request's id");
	outcome_is(200, OK("\"1\"", "\"result\":1"), RPC_GARBAGE, "another request's id");
	outcome_is(200, OK("1.0", "\"result\":1"), RPC_GARBAGE, "another request's id");
	outcome_is(200, OK("null", "\"result\":1"), RPC_GARBAGE, "another request's id");
	outcome_is(
		200, OK("2", "\"error\":{\"code\":1}"), RPC_GARBAGE, "another request's");
	outcome_is(200, OK("1", "\"id\":1,\"result\":1"), RPC_GARBAGE,
		"a key is there twice");
	outcome_is(200, "{\"id\":1,\"jsonrpc\":\"1.0\",\"result\":1}", RPC_GARBAGE,
		"another version");
	outcome_is(200, "{\"id\":1,\"result\":1}", RPC_GARBAGE, "without saying");
	outcome_is(200, OK("1", "\"other\":1"), RPC_GARBAGE, "neither");
	outcome_is(
		200, OK("1", "\"result\":1,\"error\":{\"code\":1}"), RPC_GARBAGE, "both");
	outcome_is(200, OK("1", "\"result\":1") "x", RPC_GARBAGE, "not JSON");
	memset(deep, '[', 50);
	strcpy(deep + 50, "1");
	outcome_is(200, deep, RPC_GARBAGE, "deeper than 32");
	wide = malloc(1000000);
	memset(wide, ' ', 999999);
	for (unsigned i = 0; i < 300000; i += 3)
		memcpy(wide + i, "[],", 3);
	wide[999999] = '\0';
	outcome_is(200, wide, RPC_GARBAGE, "JSON of more than");
	/* In a string brackets are text. */
	memset(wide, '[', 300000);
	memcpy(wide, string, strlen(string));
	strcpy(wide + 300000, "\"}");
	outcome_is(200, wide, RPC_RESULT, "");
	free(wide);
}

static void test_status(void **state)
{
	struct rpc_reply r;

	(void)state;
	outcome_is(401, "bad key " SECRET, RPC_UNAUTHORISED, "\"bad key ***\"");
	outcome_is(403, "", RPC_UNAUTHORISED, "check the key in its URL");
	outcome_is(407, "", RPC_UNAUTHORISED, "proxy=http://USER:PASSWORD@");
	outcome_is(429, "", RPC_RATE_LIMITED, "HTTP 429");
	outcome_is(301, "moved", RPC_GARBAGE, "give the final URL");
	outcome_is(404, "not here", RPC_GARBAGE, "check the URL's path: \"not here\"");
	outcome_is(413, "content length too large", RPC_GARBAGE, "HTTP 413");
	outcome_is(502, "<html>", RPC_UNREACHABLE, "HTTP 502");
	outcome_is(
		500, ERR("{\"code\":-32000,\"message\":\"boom\"}"), RPC_REFUSED, "boom");
	outcome_is(400, ERR("{\"code\":3,\"message\":\"execution reverted\"}"),
		RPC_REFUSED, "(code 3)");
	/* A result under an error's status is not believed. */
	outcome_is(500, OK("1", "\"result\":1"), RPC_GARBAGE, "HTTP 500");
	/* Infura's 429 */
	r = judge(429,
		ERR("{\"code\":-32005,\"message\":\"daily request count exceeded\","
		    "\"data\":{\"rate\":{\"backoff_seconds\":30}}}"));
	assert_int_equal(r.outcome, RPC_RATE_LIMITED);
	assert_int_equal(r.retry_ms, 30000);
}

static void test_rate_limit(void **state)
{
	struct rpc_reply r;

	(void)state;
	outcome_is(200,
		ERR("{\"code\":429,\"message\":\"Your app has exceeded its compute units per "
		    "second capacity. If you have retries enabled ...\"}"),
		RPC_RATE_LIMITED, "asks us to slow down");
	outcome_is(200, ERR("{\"code\":-32097,\"message\":\"x\"}"), RPC_RATE_LIMITED, "");
	outcome_is(200, ERR("{\"code\":-32005,\"message\":\"limit exceeded\"}"),
		RPC_RATE_LIMITED, "");
	outcome_is(
		200, "{\"error\":\"Too Many Requests\"}", RPC_RATE_LIMITED, "Too Many");
	outcome_is(200, ERR("{\"code\":-32000,\"message\":\"Rate limit reached\"}"),
		RPC_RATE_LIMITED, "");
	r = judge(200,
		ERR("{\"code\":-32016,\"message\":\"over rate limit\","
		    "\"data\":{\"try_again_in\":\"1.5s\"}}"));
	assert_int_equal(r.outcome, RPC_RATE_LIMITED);
	assert_int_equal(r.retry_ms, 1500);
	r = judge(200,
		ERR("{\"code\":-32005,\"message\":\"x\",\"data\":"
		    "{\"rate\":{\"backoff_seconds\":1e300}}}"));
	assert_int_equal(r.retry_ms, 3600000);
	r = judge(200,
		ERR("{\"code\":-32005,\"message\":\"x\",\"data\":"
		    "{\"rate\":{\"backoff_seconds\":-1}}}"));
	assert_int_equal(r.retry_ms, 0);
	/* The same code for what waiting does not cure. */
	outcome_is(200,
		ERR("{\"code\":-32005,\"message\":\"query returned more than 10000 results. "
		    "Try with this block range [0x1, 0x2].\"}"),
		RPC_REFUSED, "[0x1, 0x2]");
	/* A contract may say anything. */
	outcome_is(200,
		ERR("{\"code\":3,\"message\":\"execution reverted: rate limit\","
		    "\"data\":\"0x\"}"),
		RPC_REFUSED, "rate limit");
}

static void test_revert_data(void **state)
{
	(void)state;
	/* geth, anvil, Besu */
	refused_with(
		ERR("{\"code\":3,\"message\":\"execution reverted\",\"data\":\"0x01aB\"}"),
		true, "01ab");
	refused_with(
		ERR("{\"code\":-32000,\"message\":\"Execution reverted\",\"data\":\"0x\"}"),
		true, "");
	/* Nethermind, OpenEthereum */
	refused_with(ERR("{\"code\":-32015,\"message\":\"VM execution error.\","
			 "\"data\":\"Reverted 0x08c379a0\"}"),
		true, "08c379a0");
	/* Hardhat */
	refused_with(
		ERR("{\"code\":-32603,\"message\":\"Error: VM Exception while processing "
		    "transaction: reverted\",\"data\":{\"message\":\"m\",\"txHash\":"
		    "\"0xaa\",\"data\":\"0x278040da\"}}"),
		true, "278040da");
	/* Ganache */
	refused_with(ERR("{\"code\":-32000,\"message\":\"VM Exception: revert\",\"data\":"
			 "{\"0xaa\":{\"error\":\"revert\",\"return\":\"0x1122\"},"
			 "\"stack\":\"s\"}}"),
		true, "1122");
	/* a wallet's wrapping */
	refused_with(ERR("{\"code\":-32603,\"message\":\"reverted\",\"data\":"
			 "{\"originalError\":{\"code\":3,\"data\":\"0x33\"}}}"),
		true, "33");
	/* only in the message */
	refused_with(
		ERR("{\"code\":-32000,\"message\":\"execution reverted: 0x278040da00\"}"),
		true, "278040da00");
	refused_with(ERR("{\"message\":\"execution reverted\"}"), true, "");
	refused_with(ERR("{\"code\":\"-32000\",\"message\":\"no 0xaa\"}"), false, "");
	refused_with(
		"{\"id\":null,\"error\":{\"code\":-32700,\"message\":\"parse error\"}}",
		false, "");
	refused_with(
		ERR("{\"code\":-32000,\"message\":\"x\",\"data\":\"0xzz\"}"), false, "");
	/* a level too many is not followed */
	refused_with(
		ERR("{\"code\":3,\"message\":\"m\",\"data\":{\"data\":{\"data\":{\"data\":"
		    "{\"data\":{\"data\":\"0x11\"}}}}}}"),
		true, "");
}

static void test_no_method(void **state)
{
	(void)state;
	assert_true(judge(200, ERR("{\"code\":-32601,\"message\":\"x\"}")).no_method);
	assert_true(judge(200,
		ERR("{\"code\":-32600,\"message\":\"Unsupported method: "
		    "eth_getProof. See available methods\"}"))
			    .no_method);
	assert_true(judge(200,
		ERR("{\"code\":-32000,\"message\":\"The method eth_getProof is "
		    "disabled\"}"))
			    .no_method);
	assert_false(judge(200, ERR("{\"code\":-32000,\"message\":\"block not found\"}"))
			     .no_method);
	assert_false(judge(200,
		ERR("{\"code\":3,\"message\":\"execution reverted: method not "
		    "found\"}"))
			     .no_method);
}

/* A message's secrets and control characters do not come through. */
static void test_message(void **state)
{
	static const char start[] =
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"message\":\"";
	struct rpc_reply r;
	char *body;

	(void)state;
	outcome_is(200, ERR("{\"code\":-1,\"message\":\"key " SECRET "\\u001b[2J\"}"),
		RPC_REFUSED, "refused: key ***\\x1b[2J (code -1)");
	outcome_is(200, ERR("{}"), RPC_REFUSED, "no reason given");
	body = malloc(3000000);
	memset(body, 'a', 2000000);
	memcpy(body, start, strlen(start));
	strcpy(body + 2000000, "revert\"}}");
	r = judge(200, body);
	assert_int_equal(r.outcome, RPC_REFUSED);
	assert_true(strlen(r.error.text) < 260);
	free(body);
}

/* What the engines of the tests really answer: tests/data/ethereum/errors_*.json */
static void test_engines(void **state)
{
	static const char *const engines[] = {"anvil", "geth", "ibft"};
	static const char custom[] =
		"278040da0000000000000000000000000000000000000000000000000000000000000005";

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		char path[300];
		struct rpc_reply r;
		json_t *bodies;

		snprintf(path, sizeof path, "%s/ethereum/errors_%s.json", TESTS_DATA,
			engines[i]);
		bodies = json_load_file(path, 0, NULL);
		assert_non_null(bodies);
#define BODY(name) json_string_value(json_object_get(bodies, name))
		r = judge(200, BODY("revert_string"));
		assert_true(r.outcome == RPC_REFUSED && r.reverted && r.data.n == 100);
		assert_non_null(strstr(r.error.text, "execution reverted: why"));
		r = judge(200, BODY("revert_custom"));
		assert_true(r.outcome == RPC_REFUSED && r.reverted);
		data_is(&r, custom);
		r = judge(200, BODY("revert_empty"));
		assert_true(r.outcome == RPC_REFUSED && r.reverted && r.data.n == 0);
		r = judge(200, BODY("estimate_custom"));
		data_is(&r, custom);
		r = judge(200, BODY("no_method"));
		assert_true(r.outcome == RPC_REFUSED && r.no_method && !r.reverted);
		r = judge(200, BODY("nonce_low"));
		assert_true(r.outcome == RPC_REFUSED && !r.no_method && !r.reverted);
		assert_non_null(strstr(r.error.text, "nonce too low"));
		r = judge(200, BODY("bad_params"));
		assert_true(r.outcome == RPC_REFUSED && !r.no_method);
		r = judge(200, BODY("no_receipt"));
		assert_true(r.outcome == RPC_RESULT && json_is_null(r.result));
#undef BODY
		json_decref(bodies);
	}
}

/* The same by its parts, as a scanner of the reply has them. */
static void test_parts(void **state)
{
	struct rpc_reply r;

	(void)state;
	rpc_reply_error(&r, &scratch, &endpoint, 3, view_str("execution reverted"),
		view_str("0x0102"));
	assert_int_equal(r.outcome, RPC_REFUSED);
	assert_true(r.reverted);
	data_is(&r, "0102");
	rpc_reply_error(&r, &scratch, &endpoint, -32005, view_str("limit " SECRET),
		(struct view){NULL, 0});
	assert_int_equal(r.outcome, RPC_RATE_LIMITED);
	assert_string_equal(r.error.text, "node: asks us to slow down: limit ***");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_result, set_up, clean_up),
		cmocka_unit_test_setup_teardown(test_garbage, set_up, clean_up),
		cmocka_unit_test_setup_teardown(test_status, set_up, clean_up),
		cmocka_unit_test_setup_teardown(test_rate_limit, set_up, clean_up),
		cmocka_unit_test_setup_teardown(test_revert_data, set_up, clean_up),
		cmocka_unit_test_setup_teardown(test_no_method, set_up, clean_up),
		cmocka_unit_test_setup_teardown(test_message, set_up, clean_up),
		cmocka_unit_test_setup_teardown(test_engines, set_up, clean_up),
		cmocka_unit_test_setup_teardown(test_parts, set_up, clean_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
