/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/ethereum/rpc.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/escape.h"
#include "base/hex.h"
#include "ledger/ethereum/json_bounded.h"

#define RETRY_MAX_MS  3600000
#define DATA_DEPTH    4
#define BODY_SHOWN    100
#define MESSAGE_SHOWN 200
#define MENTIONED_IN  1024 /* a message may have megabytes */

/* Whether the start of text holds word, letters compared without case. */
static bool mentions(struct view text, const char *word)
{
	size_t n = strlen(word);

	text = view_head(text, MENTIONED_IN);
	for (size_t i = 0; i + n <= text.n; i++)
		if (view_eq_nocase(view_of(text.p + i, n), word))
			return true;
	return false;
}

static bool mentions_any(struct view text, const char *const *words)
{
	for (; *words; words++)
		if (mentions(text, *words))
			return true;
	return false;
}

/* --- revert data --- */

/*
 * Hex behind a "0x" somewhere in text ("Reverted 0x08c379a0...", Nethermind's
 * and OpenEthereum's way), appended to scratch. Returns whether there was any;
 * "0x" alone is an empty answer, not none.
 */
static bool hex_within(struct buffer *scratch, struct view text)
{
	struct view digits = view_from(text, view_find_str(text, "0x") + 2);
	size_t n = 0;
	uint8_t byte;

	if (view_find_str(text, "0x") == text.n)
		return false;
	while (n + 2 <= digits.n && !hex_decode(&byte, 1, view_of(digits.p + n, 2))) {
		if (buffer_put_u8(scratch, byte))
			return false;
		n += 2;
	}
	return n > 0 || text.n == 2;
}

/*
 * Revert data in an error's "data": a string, or an object that holds it under
 * one of the names that nodes and wallets give it, at any level.
 */
static bool data_within(struct buffer *scratch, const json_t *data, int depth)
{
	static const char *const names[] = {
		"data", "output", "result", "return", "originalError"};
	const char *key;
	json_t *value;

	if (json_is_string(data))
		return hex_within(scratch, json_text(data));
	if (!json_is_object(data) || depth == 0)
		return false;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (data_within(scratch, json_object_get(data, names[i]), depth - 1))
			return true;
	/* Ganache: {"0x<transaction>": {"error": "revert", "return": "0x..."}} */
	json_object_foreach(
		(json_t *)(uintptr_t)data, key, value) if (json_is_object(value) &&
		data_within(scratch, value, depth - 1)) return true;
	return false;
}

/* --- which kind of error it is --- */

static bool is_reverted(int64_t code, struct view message, struct view data)
{
	/* 3: geth's and all that follow it; in the data: "Reverted 0x...". */
	return code == 3 || mentions(message, "revert") || mentions(data, "revert");
}

/*
 * "query returned more than 10000 results", "block range too large": the same
 * codes as of a rate limit at some providers, but waiting does not help.
 */
static bool is_too_much(struct view message)
{
	static const char *const words[] = {"results", "block range", "range is",
		"range limit", "logs matched", "response size", "too large", NULL};

	return mentions_any(message, words);
}

static bool is_rate_limit(int64_t code, struct view message)
{
	static const char *const words[] = {"rate limit", "rate-limit", "ratelimit",
		"too many requests", "compute units", "request limit",
		"requests per second", "request count exceeded", "request rate",
		"throttled", NULL};

	if (is_too_much(message))
		return false;
	return code == 429 || code == -32005 || code == -32097 || code == -32029 ||
		mentions_any(message, words);
}

static bool is_no_method(int64_t code, struct view message)
{
	static const char *const words[] = {"not found", "not exist", "not available",
		"not supported", "unsupported", "unknown", "disabled", "not allowed",
		"not whitelisted", "not enabled", NULL};

	return code == -32601 || code == -32004 ||
		(mentions(message, "method") && mentions_any(message, words));
}

/* How long to wait, as some providers say it in the error's data. */
static uint32_t retry_of(const json_t *data)
{
	const json_t *rate = json_object_get(data, "rate");
	const json_t *wait = json_object_get(rate, "backoff_seconds");
	double s = 0;

	if (json_is_number(wait))
		s = json_number_value(wait);
	wait = json_object_get(data, "try_again_in"); /* "1.5s", "450ms" */
	if (json_is_string(wait)) {
		char *unit;

		s = strtod(json_string_value(wait), &unit);
		if (!strncmp(unit, "ms", 2))
			s /= 1000;
	}
	if (!(s > 0)) /* a NaN too */
		return 0;
	return s * 1000 >= RETRY_MAX_MS ? RETRY_MAX_MS : (uint32_t)(s * 1000);
}

/* out->reverted is set already; data: what was decoded. */
static void judge_error(struct rpc_reply *out, const struct endpoint *e, int64_t code,
	struct view message, struct view data)
{
	char text[MESSAGE_SHOWN];

	endpoint_redact(text, sizeof text, e, message);
	out->code = code;
	if (!out->reverted && is_rate_limit(code, message)) {
		out->outcome = RPC_RATE_LIMITED;
		error_set(&out->error, "%s: asks us to slow down: %s", e->name, text);
		return;
	}
	out->outcome = RPC_REFUSED;
	out->data = data;
	out->no_method = !out->reverted && is_no_method(code, message);
	if (code)
		error_set(&out->error, "%s: refused: %s (code %" PRId64 ")", e->name,
			text[0] ? text : "no reason given", code);
	else
		error_set(&out->error, "%s: refused: %s", e->name,
			text[0] ? text : "no reason given");
}

void rpc_reply_error(struct rpc_reply *out, struct buffer *scratch,
	const struct endpoint *e, int64_t code, struct view message, struct view data)
{
	*out = (struct rpc_reply){.outcome = RPC_REFUSED};
	scratch->n = 0;
	out->reverted = is_reverted(code, message, data);
	if (!hex_within(scratch, data) && out->reverted)
		hex_within(scratch, message);
	judge_error(out, e, code, message, view_of(scratch->p, scratch->n));
}

/* The "error" member: an object, or (some gateways) a mere string. */
static void judge_error_member(struct rpc_reply *out, struct buffer *scratch,
	const struct endpoint *e, const json_t *error)
{
	const json_t *code = json_object_get(error, "code");
	const json_t *data = json_object_get(error, "data");
	struct view message = json_text(json_object_get(error, "message"));
	int64_t number = 0;

	if (json_is_string(error))
		message = json_text(error);
	if (json_is_integer(code))
		number = json_integer_value(code);
	else if (json_is_string(code)) /* "-32000", or a name, which is then 0 */
		number = strtoll(json_string_value(code), NULL, 10);
	out->reverted = is_reverted(number, message, json_text(data));
	if (!data_within(scratch, data, DATA_DEPTH)) {
		scratch->n = 0;
		if (out->reverted)
			hex_within(scratch, message);
	}
	judge_error(out, e, number, message, view_of(scratch->p, scratch->n));
	if (out->outcome == RPC_RATE_LIMITED)
		out->retry_ms = retry_of(data);
}

/* --- the whole --- */

static void garbage(struct rpc_reply *out, const struct endpoint *e, const char *what,
	struct view body)
{
	char text[BODY_SHOWN];

	out->outcome = RPC_GARBAGE;
	if (body.n > 0)
		error_set(&out->error, "%s: %s: \"%s\"", e->name, what,
			endpoint_redact(text, sizeof text, e, view_trim(body)));
	else
		error_set(&out->error, "%s: %s", e->name, what);
}

/* A body that is no JSON-RPC, or an HTTP status that says all. */
static void judge_status(struct rpc_reply *out, const struct endpoint *e, long status,
	const char *otherwise, struct view body)
{
	char text[BODY_SHOWN], what[160];

	endpoint_redact(text, sizeof text, e, view_trim(body));
	if (status == 401 || status == 403) {
		out->outcome = RPC_UNAUTHORISED;
		error_set(&out->error,
			"%s: not let in (HTTP %ld): check the key in its URL, header=, basic=, "
			"bearer_file= or jwt_file=%s%s%s",
			e->name, status, body.n ? ": \"" : "", text, body.n ? "\"" : "");
	} else if (status == 407) {
		out->outcome = RPC_UNAUTHORISED;
		error_set(&out->error,
			"%s: the proxy wants credentials (HTTP 407): write them into "
			"proxy=http://USER:PASSWORD@...",
			e->name);
	} else if (status == 429) {
		out->outcome = RPC_RATE_LIMITED;
		error_set(&out->error, "%s: asks us to slow down (HTTP 429)", e->name);
	} else if (status >= 300 && status < 400) {
		snprintf(what, sizeof what,
			"redirects (HTTP %ld), which is not followed: give the final URL",
			status);
		garbage(out, e, what, (struct view){NULL, 0});
	} else if (status == 408 || status == 502 || status == 503 || status == 504) {
		out->outcome = RPC_UNREACHABLE;
		error_set(&out->error, "%s: its gateway says that it is down (HTTP %ld)",
			e->name, status);
	} else if (status == 200) {
		garbage(out, e, otherwise, body);
	} else {
		snprintf(what, sizeof what,
			"no JSON-RPC there (HTTP %ld): check the URL's path", status);
		garbage(out, e, what, body);
	}
}

/* Whether the reply is to our request. A node that could not read it says null. */
static bool id_is(const json_t *id, uint64_t expected, bool failed)
{
	if (json_is_integer(id))
		return json_integer_value(id) >= 0 &&
			(uint64_t)json_integer_value(id) == expected;
	return failed && (!id || json_is_null(id));
}

void rpc_reply_judge(struct rpc_reply *out, json_t **root, struct buffer *scratch,
	const struct endpoint *e, long http_status, struct view body, uint64_t id)
{
	json_t *error, *result, *version;
	struct error why = {""};
	bool failed;

	*out = (struct rpc_reply){.outcome = RPC_GARBAGE};
	scratch->n = 0;
	*root = json_parse_bounded(body, &why);
	error = json_object_get(*root, "error");
	result = json_object_get(*root, "result");
	version = json_object_get(*root, "jsonrpc");
	failed = error && !json_is_null(error);
	/* An HTTP error says more than a body; but an error object says most. */
	if (http_status == 401 || http_status == 403 || http_status == 429 ||
		(http_status != 200 && !failed)) {
		judge_status(out, e, http_status, "", body);
		if (http_status == 429)
			out->retry_ms = retry_of(json_object_get(error, "data"));
		return;
	}
	if (!*root)
		judge_status(out, e, http_status, why.text, body);
	else if (!json_is_object(*root))
		garbage(out, e, "answers with JSON that is no object", body);
	else if (!id_is(json_object_get(*root, "id"), id, failed))
		garbage(out, e, "answers with another request's id", body);
	else if (version && !view_eq(json_text(version), view_str("2.0")))
		garbage(out, e, "answers with another version of JSON-RPC", body);
	else if (failed && result && !json_is_null(result))
		garbage(out, e, "answers with both a result and an error", body);
	else if (failed)
		judge_error_member(out, scratch, e, error);
	else if (!result)
		garbage(out, e, "answers with neither a result nor an error", body);
	else if (!version)
		garbage(out, e, "answers without saying \"jsonrpc\": \"2.0\"", body);
	else {
		out->outcome = RPC_RESULT;
		out->result = result;
	}
}
