/* SPDX-License-Identifier: Apache-2.0 */
/* Sending webhooks to a real receiver, over TLS: what comes of it. */
#include <sys/resource.h>

#include "webhook_scene.h"

static void test_delivered(void **state)
{
	struct scene s;
	json_t *request;

	(void)state;
	open_scene(&s);
	to(&s, &good, "/ok");
	post(&s, "evt_00ff_1_2", "{\"events\":[]}");
	outcome_is(&s, WEBHOOK_DELIVERED, 200, "");
	assert_true(s.outcome.took > 0);
	request = receiver_told(&good);
	assert_string_equal(told(request, "wrong"), ""); /* Python's hmac agrees */
	assert_string_equal(told(request, "method"), "POST");
	assert_string_equal(told(request, "id"), "evt_00ff_1_2");
	assert_string_equal(told(request, "type"), "application/json");
	assert_string_equal(told(request, "agent"), "sipchain/" SIPCHAIN_VERSION);
	assert_string_equal(told(request, "authorization"), "");
	assert_null(strchr(told(request, "signatures"), ' '));
	/* sha256sum of the body. */
	assert_string_equal(told(request, "sha256"),
		"24de1c4a19c43ad41b013f13dcd858c17b0daa7f33a53f19913e5b11366d1c2e");
	json_decref(request);
	path_is(&s, "/no_content", WEBHOOK_DELIVERED, 204, "");
	assert_int_equal(webhook_post_counts(s.post)->sent, 2);
	assert_int_equal(webhook_post_counts(s.post)->delivered, 2);
	close_scene(&s);
}

/* Over plain HTTP, and a body of the most that there is, byte for byte. */
static void test_plain_and_large(void **state)
{
	char *body = malloc(WEBHOOK_BODY_MAX + 1);
	struct scene s;
	json_t *request;

	(void)state;
	assert_non_null(body);
	memset(body, 'x', WEBHOOK_BODY_MAX);
	body[WEBHOOK_BODY_MAX] = '\0';
	open_scene(&s);
	to(&s, &plain, "/ok");
	post(&s, "evt_1", body);
	outcome_is(&s, WEBHOOK_DELIVERED, 200, "");
	request = receiver_told(&plain);
	assert_string_equal(told(request, "wrong"), "");
	assert_int_equal(
		json_integer_value(json_object_get(request, "bytes")), WEBHOOK_BODY_MAX);
	assert_string_equal(told(request, "sha256"),
		"d509bff642a353f88582e8a846ecae041c333b79c57a7a24ff310fbdb7e914e9");
	json_decref(request);
	close_scene(&s);
	free(body);
}

/* While a secret is changed both sign; one that the receiver does not know is told. */
static void test_two_secrets(void **state)
{
	struct webhook_secret unknown = {.n = 32};
	struct scene s;
	json_t *request;

	(void)state;
	open_scene(&s);
	to(&s, &good, "/ok");
	s.config.secret[0] = &unknown;
	s.config.secret[1] = &s.second;
	post(&s, "evt_1", "{}");
	outcome_is(&s, WEBHOOK_DELIVERED, 200, "");
	request = receiver_told(&good);
	assert_non_null(strchr(told(request, "signatures"), ' '));
	json_decref(request);
	s.config.secret[1] = NULL;
	post(&s, "evt_1", "{}");
	outcome_is(&s, WEBHOOK_LATER, 401,
		"HTTP 401 (it refuses the signature or the sender: is secret_file the same "
		"there?): \"refused: no signature of 1 is by a secret of 2\"");
	json_decref(receiver_told(&good));
	s.config.secret[0] = NULL;
	post(&s, "evt_1", "{}");
	outcome_is(
		&s, WEBHOOK_LATER, 0, "it has no secret, and unsigned nothing is sent");
	/* The next that the receiver hears of is signed. */
	s.config.secret[0] = &s.first;
	path_is(&s, "/ok", WEBHOOK_DELIVERED, 200, "");
	close_scene(&s);
}

/* A retry is the same but for its time and what that makes of the signature. */
static void test_retry(void **state)
{
	uint64_t now = (uint64_t)time(NULL);
	struct scene s;
	json_t *request[2];

	(void)state;
	open_scene(&s);
	to(&s, &good, "/status?status=500&text=not+now");
	for (unsigned i = 0; i < 2; i++) {
		assert_true(
			webhook_post_send(s.post, &s.config, "evt_9",
				view_str("{\"a\":1}"), now + 60 * i, on_done, &s) > 0);
		while (s.done == i)
			uv_run(&s.loop, UV_RUN_ONCE);
		outcome_is(&s, WEBHOOK_LATER, 500, "HTTP 500: \"not now\"");
		request[i] = receiver_told(&good);
		assert_string_equal(told(request[i], "wrong"), "");
	}
	assert_string_equal(told(request[0], "id"), told(request[1], "id"));
	assert_string_equal(told(request[0], "sha256"), told(request[1], "sha256"));
	assert_int_equal(atoll(told(request[1], "timestamp")), now + 60);
	assert_int_equal(atoll(told(request[0], "timestamp")), now);
	assert_string_not_equal(
		told(request[0], "signatures"), told(request[1], "signatures"));
	json_decref(request[0]);
	json_decref(request[1]);
	assert_int_equal(webhook_post_counts(s.post)->failed, 2);
	close_scene(&s);
}

static void test_verdicts(void **state)
{
	struct scene s;

	(void)state;
	open_scene(&s);
	path_is(&s, "/gone", WEBHOOK_GONE, 410,
		"HTTP 410 (it wants no more): \"no more, please\"");
	path_is(&s, "/busy?after=7", WEBHOOK_LATER, 429, "HTTP 429: \"slow down\"");
	assert_int_equal(s.outcome.retry_s, 7);
	path_is(&s, "/busy?status=503&after=86400", WEBHOOK_LATER, 503, "HTTP 503");
	assert_int_equal(s.outcome.retry_s, 3600);
	path_is(&s, "/busy?after=99999999999999999999", WEBHOOK_LATER, 429, "HTTP 429");
	assert_in_range(s.outcome.retry_s, 0, 3600);
	path_is(&s, "/busy?after=-7", WEBHOOK_LATER, 429, "HTTP 429");
	assert_int_equal(s.outcome.retry_s, 0);
	path_is(&s, "/busy?after=soon", WEBHOOK_LATER, 429, "HTTP 429");
	assert_int_equal(s.outcome.retry_s, 0);
	path_is(&s, "/busy?status=500&after=7", WEBHOOK_LATER, 500, "HTTP 500");
	assert_int_equal(s.outcome.retry_s, 0);
	/* A date: a minute or two from now, and one that has gone by. */
	path_is(&s, "/busy_until?after=120", WEBHOOK_LATER, 503,
		"HTTP 503: \"back soon\"");
	assert_in_range(s.outcome.retry_s, 60, 120);
	path_is(&s, "/busy_until?after=-120", WEBHOOK_LATER, 503, "HTTP 503");
	assert_int_equal(s.outcome.retry_s, 0);
	path_is(&s, "/nowhere", WEBHOOK_LATER, 404, "HTTP 404");
	assert_int_equal(webhook_post_counts(s.post)->gone, 1);
	close_scene(&s);
}

/* Not to the same host, not to another: what comes next would be a GET there. */
static void test_redirect(void **state)
{
	char path[100];
	struct scene s;

	(void)state;
	open_scene(&s);
	path_is(&s, "/redirect?status=307", WEBHOOK_LATER, 307,
		"(a redirect, which is not followed: write the new place into url)");
	path_is(&s, "/redirect?status=302", WEBHOOK_LATER, 302, "(a redirect");
	snprintf(path, sizeof path, "/redirect?status=308&to=http://127.0.0.1:%u/ok",
		plain.port);
	path_is(&s, path, WEBHOOK_LATER, 308, "(a redirect");
	/* The next that either of them is asked is what comes now. */
	path_is(&s, "/ok", WEBHOOK_DELIVERED, 200, "");
	to(&s, &plain, "/no_content");
	post(&s, "evt_after", "{}");
	outcome_is(&s, WEBHOOK_DELIVERED, 204, "");
	{
		json_t *request = receiver_told(&plain);

		assert_string_equal(told(request, "id"), "evt_after");
		json_decref(request);
	}
	close_scene(&s);
}

static void test_trust(void **state)
{
	struct scene s;

	(void)state;
	open_scene(&s);
	to(&s, &other_name, "/ok");
	post(&s, "evt_1", "{}");
	outcome_is(&s, WEBHOOK_LATER, 0, "its certificate is for another host's name");
	to(&s, &stranger, "/ok");
	post(&s, "evt_1", "{}");
	outcome_is(&s, WEBHOOK_LATER, 0, "signed by an authority that is unknown here");
	/* The system's authorities do not know the test's. */
	s.config.ca_file = "";
	to(&s, &good, "/ok");
	post(&s, "evt_1", "{}");
	outcome_is(&s, WEBHOOK_LATER, 0, "signed by an authority that is unknown here");
	s.config.ca_file = "/nonexistent/ca.pem";
	post(&s, "evt_1", "{}");
	outcome_is(&s, WEBHOOK_LATER, 0,
		"the authorities' file /nonexistent/ca.pem cannot be read");
	/* TLS where there is none, and the other way round. */
	s.config.ca_file = certificates.ca;
	snprintf(s.url, sizeof s.url, "https://127.0.0.1:%u/ok", plain.port);
	post(&s, "evt_1", "{}");
	outcome_is(&s, WEBHOOK_LATER, 0, "no TLS connection comes about");
	snprintf(s.url, sizeof s.url, "http://127.0.0.1:%u/ok", good.port);
	post(&s, "evt_1", "{}");
	assert_int_equal(s.outcome.verdict, WEBHOOK_LATER);
	assert_int_equal(s.outcome.status, 0);
	/* ... and all that has spoilt nothing. */
	path_is(&s, "/ok", WEBHOOK_DELIVERED, 200, "");
	close_scene(&s);
}

static void test_bad_answers(void **state)
{
	struct scene s;

	(void)state;
	open_scene(&s);
	path_is(&s, "/cut", WEBHOOK_LATER, 200, "its answer was cut off");
	path_is(&s, "/drop", WEBHOOK_LATER, 0,
		"it closed the connection without an answer");
	path_is(&s, "/garbage", WEBHOOK_LATER, 0, "does not speak HTTP");
	path_is(&s, "/hostile", WEBHOOK_LATER, 500,
		"HTTP 500: \"\\x1b[2J\\x07evil \\\"quoted\\\" \\xff\\xfe Cannot POST *** AAAA");
	assert_null(strstr(s.outcome.reason.text, "second line"));
	s.config.timeout_s = 1;
	path_is(&s, "/slow?seconds=2", WEBHOOK_LATER, 0, "no whole answer within 1 s");
	path_is(&s, "/drip", WEBHOOK_LATER, 0, "no whole answer within 1 s");
	close_scene(&s);
}

/* Nothing listens there. */
static void test_refused(void **state)
{
	struct receiver gone;
	struct scene s;

	(void)state;
	receiver_start(&gone, NULL);
	open_scene(&s);
	s.config.ca_file = "";
	snprintf(s.url, sizeof s.url, "http://127.0.0.1:%u/hush-hush", gone.port);
	receiver_stop(&gone);
	post(&s, "evt_1", "{}");
	outcome_is(&s, WEBHOOK_LATER, 0, "onnect");
	assert_null(strstr(s.outcome.reason.text, "hush"));
	close_scene(&s);
}

static long resident(void)
{
	struct rusage use;

	getrusage(RUSAGE_SELF, &use);
	return use.ru_maxrss; /* KiB, the most so far */
}

/* A gigabyte as an answer: its status counts, its first 64 KiB are read. */
static void test_huge_answer(void **state)
{
	struct scene s;
	long before;

	(void)state;
	open_scene(&s);
	path_is(&s, "/ok", WEBHOOK_DELIVERED, 200, "");
	before = resident();
	path_is(&s, "/huge", WEBHOOK_DELIVERED, 200, "");
	path_is(&s, "/huge?status=500", WEBHOOK_LATER, 500, "HTTP 500: \"xxxx");
	assert_in_range(resident() - before, 0, 64 << 10);
	close_scene(&s);
}

/* The environment's proxy is none of ours. */
static void test_no_proxy(void **state)
{
	struct scene s;

	(void)state;
	setenv("http_proxy", "http://127.0.0.1:1", 1);
	setenv("https_proxy", "http://127.0.0.1:1", 1);
	setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
	open_scene(&s);
	path_is(&s, "/ok", WEBHOOK_DELIVERED, 200, "");
	to(&s, &plain, "/ok");
	post(&s, "evt_1", "{}");
	outcome_is(&s, WEBHOOK_DELIVERED, 200, "");
	json_decref(receiver_told(&plain));
	close_scene(&s);
	unsetenv("http_proxy");
	unsetenv("https_proxy");
	unsetenv("ALL_PROXY");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_delivered),
		cmocka_unit_test(test_plain_and_large),
		cmocka_unit_test(test_two_secrets),
		cmocka_unit_test(test_retry),
		cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_redirect),
		cmocka_unit_test(test_trust),
		cmocka_unit_test(test_bad_answers),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_huge_answer),
		cmocka_unit_test(test_no_proxy),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
