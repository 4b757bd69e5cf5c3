/* SPDX-License-Identifier: Apache-2.0 */
/* The pure parts of the HTTP API: targets, Accept, bodies, tokens, pages. */
#include "../cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>

#include "api/event_answer.h"
#include "api/http_accept.h"
#include "api/http_page.h"
#include "api/http_report.h"
#include "api/http_target.h"
#include "api/http_token.h"

/* --- targets --- */

static struct http_target target;
static struct error err;

static int parse(const char *text)
{
	err.text[0] = 0;
	return http_target_parse(&target, view_str(text), &err);
}

static void test_target(void **state)
{
	static const char *const names[] = {"number", "x", NULL};
	static const char *const only[] = {"number", NULL};

	(void)state;
	assert_int_equal(parse("/v1/check?number=+97%32&x&&empty="), 0);
	assert_string_equal(target.path, "/v1/check");
	assert_int_equal(target.count, 3);
	assert_string_equal(http_parameter(&target, "number"), "+972");
	assert_string_equal(http_parameter(&target, "x"), "");
	assert_string_equal(http_parameter(&target, "empty"), "");
	assert_null(http_parameter(&target, "none"));
	assert_string_equal(http_parameter_unknown(&target, names), "empty");
	assert_string_equal(http_parameter_unknown(&target, only), "x");
	assert_int_equal(parse("/v1/check?uri=sip:a%3Db@c&ip=a=b"), 0);
	assert_string_equal(http_parameter(&target, "uri"), "sip:a=b@c");
	assert_string_equal(http_parameter(&target, "ip"), "a=b");
	assert_null(http_parameter_unknown(
		&target, (const char *const[]){"ip", "uri", NULL}));
	/* A path is no query. */
	assert_int_equal(parse("/a%20b"), 0);
	assert_string_equal(target.path, "/a%20b");
	assert_int_equal(target.count, 0);
	assert_int_equal(parse(""), 0);
	assert_string_equal(target.path, "");
}

static void test_target_faults(void **state)
{
	static const struct {
		const char *text, *error;
	} cases[] = {
		{"/?a=%",
			"the query holds a bad escape, a control character or no UTF-8"},
		{"/?a=%2",
			"the query holds a bad escape, a control character or no UTF-8"},
		{"/?a=%2x",
			"the query holds a bad escape, a control character or no UTF-8"},
		{"/?a=%00",
			"the query holds a bad escape, a control character or no UTF-8"},
		{"/?a=%0a",
			"the query holds a bad escape, a control character or no UTF-8"},
		{"/?a=%ff",
			"the query holds a bad escape, a control character or no UTF-8"},
		{"/?=a", "the query holds a bad escape, a control character or no UTF-8"},
		{"/?a=1&a=2", "parameter a is given twice"},
		{"/?a=1&%61=2", "parameter a is given twice"},
		{"/?a&b&c&d&e&f&g&h&i", "more than 8 parameters"},
		{"/?a=\x80", "the target holds a byte that no URI may hold"},
		{"/ x", "the target holds a byte that no URI may hold"},
		{"/#x", "the target holds a byte that no URI may hold"},
	};
	char text[HTTP_TARGET_MAX + 2];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		assert_int_equal(parse(cases[i].text), 400);
		assert_string_equal(err.text, cases[i].error);
	}
	memset(text, 'a', sizeof text);
	text[HTTP_TARGET_MAX] = 0;
	assert_int_equal(parse(text), 0);
	text[HTTP_TARGET_MAX] = 'a';
	text[HTTP_TARGET_MAX + 1] = 0;
	assert_int_equal(parse(text), 414);
	assert_string_equal(err.text, "the target is longer than 2048 bytes");
}

/* --- Accept --- */

static void test_accept(void **state)
{
	static const struct {
		const char *header;
		unsigned offered, media;
	} cases[] = {
		{NULL, HTTP_JSON | HTTP_TEXT, HTTP_JSON},
		{NULL, HTTP_TEXT, HTTP_TEXT},
		{"*/*", HTTP_EVENTS, HTTP_EVENTS},
		{"", HTTP_JSON, 0},
		{"text/plain", HTTP_JSON | HTTP_TEXT, HTTP_TEXT},
		{"TEXT/Plain", HTTP_JSON | HTTP_TEXT, HTTP_TEXT},
		{"text/plain", HTTP_JSON, 0},
		{"text/*", HTTP_JSON | HTTP_TEXT, HTTP_TEXT},
		{"text/html, */*;q=0.1", HTTP_JSON | HTTP_TEXT, HTTP_JSON},
		{"application/json;q=0.5, text/plain;q=0.6", HTTP_JSON | HTTP_TEXT,
			HTTP_TEXT},
		{"application/json;q=0.5,text/plain;q=0.500", HTTP_JSON | HTTP_TEXT,
			HTTP_JSON},
		/* The closest range counts, wherever it stands. */
		{"text/plain;q=0, */*", HTTP_TEXT, 0},
		{"*/*, text/plain;q=0", HTTP_TEXT, 0},
		{"*/*;q=0, application/*", HTTP_JSON | HTTP_TEXT, HTTP_JSON},
		{"application/json;q=0", HTTP_JSON, 0},
		{"application/json;q=2, x", HTTP_JSON, 0},
		{"application/json;q=0.1234", HTTP_JSON, 0},
		{"application/json;q=", HTTP_JSON, 0},
		{",;,q=1,text/event-stream ; charset=utf-8 ; q=1.0", HTTP_EVENTS,
			HTTP_EVENTS},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		assert_int_equal(http_accept(cases[i].header ? view_str(cases[i].header) :
							       (struct view){0},
					 cases[i].offered),
			cases[i].media);
}

static void test_content_type(void **state)
{
	(void)state;
	assert_true(http_is_json(view_str("application/json")));
	assert_true(http_is_json(view_str("Application/JSON ; charset=UTF-8")));
	assert_true(http_is_json(view_str("application/json; charset=\"utf-8\"; a=b")));
	assert_false(http_is_json(view_str("application/json; charset=latin1")));
	assert_false(http_is_json(view_str("application/jsonp")));
	assert_false(http_is_json(view_str("text/json")));
	assert_false(http_is_json(view_str("")));
}

/* --- bodies --- */

/* The first fault of a body, as "field: text"; "" when every entry is right. */
static const char *fault(const char *body, struct http_report *last)
{
	static char text[512], name[HTTP_REPORT_NAME];
	const char *field = "-";
	size_t count = 0;
	json_t *root;
	int rc = 0;

	err.text[0] = text[0] = 0;
	root = http_reports_load(view_str(body), name, &err);
	if (name[0])
		field = name;
	rc = root ? http_reports_list(root, &count, &field, &err) : -1;
	for (size_t i = 0; !rc && i < count; i++)
		rc = http_report_parse(last, http_reports_at(root, i), &field, &err);
	if (rc)
		snprintf(text, sizeof text, "%s: %s", field, err.text);
	json_decref(root);
	return text;
}

static void test_bodies(void **state)
{
	struct http_report r;
	char name[INDICATOR_TEXT];

	(void)state;
	assert_string_equal(
		fault("{\"number\":\"+97259*\",\"category\":\"fraud\",\"ttl\":90,"
		      "\"note\":\"caf\\u00e9\"}",
			&r),
		"");
	assert_string_equal(indicator_print(name, &r.indicator), "+97259*");
	assert_int_equal(r.category, CATEGORY_FRAUD);
	assert_int_equal(r.ttl, 90);
	assert_string_equal(r.note, "caf\xc3\xa9");
	assert_string_equal(
		fault("{\"reports\":[{\"ip\":\"192.0.2.7\"},{\"domain\":\"Bad.Example\"}]}",
			&r),
		"");
	assert_string_equal(r.canonical, "bad.example");
	assert_int_equal(r.category, CATEGORY_OTHER);
	assert_int_equal(r.ttl, 0);
	assert_string_equal(fault("{\"agent\":\"agent:x\"}", &r), "");
	assert_string_equal(r.canonical, "x");
	assert_string_equal(fault("{\"ip\":\"2001:db8::/48\"}", &r), "");
	assert_string_equal(fault("{\"indicator\":\"sip:a@b.example\"}", &r), "");
	assert_int_equal(r.indicator.kind, INDICATOR_URI);
}

static void test_body_faults(void **state)
{
	static const struct {
		const char *body, *says;
	} cases[] = {
		{"", "-: the body is no JSON: line 1"},
		{"{\"ip\":\"1.2.3.4\"} x", "-: the body is no JSON: line 1"},
		{"{\"ip\":\"1.2.3.4\",\"ip\":\"1.2.3.4\"}",
			"-: the body is no JSON: line 1"},
		{"[[[[[", "-: the body nests deeper than 4"},
		{"{\"a\":{\"b\":{\"c\":{\"d\":{}}}}}", "-: the body nests deeper than 4"},
		{"7", "-: the body is no JSON"},
		{"{\"ip\":\"\xff\"}", "ip: the body is no UTF-8: line 1, column "},
		{"{\"reports\":[{\"ip\":\"a:\\\"b\",\"note\":\"\n\xc3(\"}]}",
			"-: the body is no JSON: line 1"},
		{"{\"a\":\"x:\\\"y\", \"note\" :\"\xc3(\"}",
			"note: the body is no UTF-8"},
		{"{\"a\xff\":1}", "-: the body is no UTF-8"},
		{"{\"ip\":{\"a\xff\":1}}", "ip: the body is no UTF-8"},
		{"\xff", "-: the body is no UTF-8: line 1, column "},
		{"[]", ": the body is no object"},
		{"{\"reports\":[]}",
			"reports: a batch has 1 to 1000 reports, this one has 0"},
		{"{\"reports\":{}}", "reports: a batch is"},
		{"{\"reports\":[{}],\"ttl\":1}", "reports: a batch is"},
		{"{}", "indicator: is missing"},
		{"{\"ttl\":5}", "indicator: is missing"},
		{"{\"ip\":\"1.2.3.4\",\"number\":\"+123456\"}", "number: names a second"},
		{"{\"ip\":\"+123456\"}", "ip: \"+123456\" is of kind number"},
		{"{\"number\":\"1.2.3.4\"}", "number: \"1.2.3.4\" is of kind ip4"},
		{"{\"uri\":\"domain:a.example\"}",
			"uri: \"domain:a.example\" is of kind"},
		{"{\"ip\":true}", "ip: must be a text"},
		{"{\"ip\":\"1.2.3.4\",\"ttl\":0}",
			"ttl: must be a number of seconds, 1 to"},
		{"{\"ip\":\"1.2.3.4\",\"ttl\":31622401}", "ttl: must be"},
		{"{\"ip\":\"1.2.3.4\",\"ttl\":1.5}", "ttl: must be"},
		{"{\"ip\":\"1.2.3.4\",\"ttl\":\"60\"}", "ttl: must be"},
		{"{\"ip\":\"1.2.3.4\",\"category\":\"none\"}",
			"category: no such category"},
		{"{\"ip\":\"1.2.3.4\",\"category\":\"objection\"}", "category: no such"},
		{"{\"ip\":\"1.2.3.4\",\"category\":4}", "category: no such"},
		{"{\"ip\":\"1.2.3.4\",\"note\":\"\\u001b\"}", "note: must be at most 79"},
		{"{\"ip\":\"1.2.3.4\",\"nte\":\"a\"}", "nte: no such field; there are"},
		{"{\"reports\":[7]}", ": a report is an object"},
	};
	struct http_report r;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		if (strncmp(fault(cases[i].body, &r), cases[i].says,
			    strlen(cases[i].says)) != 0)
			fail_msg("%s: %s", cases[i].body, fault(cases[i].body, &r));
	/* Brackets in strings do not nest. */
	assert_string_equal(
		fault("{\"ip\":\"1.2.3.4\",\"note\":\"[[[[[[ \\\" [[[[\"}", &r), "");
}

/* --- tokens --- */

static void test_tokens(void **state)
{
	struct http_token tokens[3] = {{.name = "a"}, {.name = "b"}, {.name = "c"}};
	const char *const secrets[] = {"0123456789abcdef", "0123456789abcdeF", "x"};

	(void)state;
	for (size_t i = 0; i < 3; i++)
		http_secret_digest(tokens[i].digest, view_str(secrets[i]));
	for (size_t i = 0; i < 3; i++)
		assert_ptr_equal(
			http_token_find(tokens, 3, view_str(secrets[i])), &tokens[i]);
	assert_null(http_token_find(tokens, 3, view_str("0123456789abcde")));
	assert_null(http_token_find(tokens, 3, view_str("")));
	assert_null(http_token_find(tokens, 0, view_str("x")));
	assert_true(view_eq(http_bearer(view_str("bEARER  x ")), view_str("x")));
	assert_int_equal(http_bearer(view_str("Basic x")).n, 0);
	assert_int_equal(http_bearer(view_str("Bearer")).n, 0);
	assert_int_equal(http_bearer((struct view){0}).n, 0);
}

static void test_rate(void **state)
{
	struct http_token t = {.rate = 60};
	const usec s = USEC_PER_SEC;

	(void)state;
	assert_int_equal(http_token_spend(&t, 61, 1000 * s), -1);
	assert_int_equal(http_token_spend(&t, 60, 1000 * s), 0);
	/* One a second comes back. */
	assert_int_equal(http_token_spend(&t, 1, 1000 * s), 2);
	assert_int_equal(http_token_spend(&t, 5, 1000 * s), 6);
	assert_int_equal(http_token_spend(&t, 5, 1005 * s), 0);
	assert_int_equal(http_token_spend(&t, 1, 1005 * s), 2);
	/* No more than a minute's is saved; a clock that goes back gives nothing. */
	assert_int_equal(http_token_spend(&t, 60, 9000 * s), 0);
	assert_int_equal(http_token_spend(&t, 1, 8000 * s), 2);
	t.rate = 0;
	assert_int_equal(http_token_spend(&t, 1000000, 0), 0);
}

/* --- events --- */

static void test_event(void **state)
{
	struct event e = {.id = 7,
		.time = 9,
		.type = "ban",
		.indicator = "192.0.2.7",
		.body = "{\"text\":\"a\\nb \\u00e9\",\"id\":99}"};
	struct buffer out = {0};

	(void)state;
	assert_int_equal(event_stream_print(&out, &e), 0);
	buffer_put_u8(&out, 0);
	/* One line, and what the journal says itself is not overridden. */
	assert_string_equal((char *)out.p,
		"id: 7\nevent: ban\ndata: {\"id\":7,\"time\":9,\"type\":\"ban\","
		"\"indicator\":\"192.0.2.7\",\"text\":\"a\\nb \\u00E9\"}\n\n");
	buffer_free(&out);
}

/* --- cursors --- */

static void test_cursor(void **state)
{
	struct indicator i, back;
	char text[HTTP_CURSOR];

	(void)state;
	assert_int_equal(indicator_parse(&i, NULL, view_str("192.0.2.0/24"), NULL), 0);
	assert_string_equal(http_cursor_print(text, &i, 0x0a0b0cff),
		"0118c00002000000000000000000000000000a0b0cff");
	assert_int_equal(http_cursor_parse(&back, text, 0x0a0b0cff), 0);
	assert_memory_equal(&i, &back, sizeof i);
	/* The order is another, as after a start: what follows is not known. */
	assert_int_equal(http_cursor_parse(&back, text, 0x0a0b0cfe), -2);
	assert_int_equal(http_cursor_parse(&back, "0118", 0x0a0b0cff), -1);
	assert_int_equal(http_cursor_parse(&back, "0118c0000200000000000000000000000000",
				 0x0a0b0cff),
		-1);
	text[3] = 'x';
	assert_int_equal(http_cursor_parse(&back, text, 0x0a0b0cff), -1);
	assert_int_equal(
		http_cursor_parse(&back, "0x18c00002000000000000000000000000000a0b0cff",
			0x0a0b0cff),
		-1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_target),
		cmocka_unit_test(test_target_faults),
		cmocka_unit_test(test_accept),
		cmocka_unit_test(test_content_type),
		cmocka_unit_test(test_bodies),
		cmocka_unit_test(test_body_faults),
		cmocka_unit_test(test_tokens),
		cmocka_unit_test(test_rate),
		cmocka_unit_test(test_event),
		cmocka_unit_test(test_cursor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
