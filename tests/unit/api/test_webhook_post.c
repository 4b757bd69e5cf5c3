/* SPDX-License-Identifier: Apache-2.0 */
/* Sending webhooks to a real receiver: tests/api/webhook_receiver.py, over TLS. */
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../cmocka_all.h"
#include "../ethereum/certificates.h"
#include "api/webhook_post.h"

#define FIRST  "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define SECOND "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

/* --- the receivers, one for each certificate --- */

struct receiver {
	pid_t pid;
	int to;     /* its standard input: open as long as it shall live */
	FILE *from; /* what it tells */
	unsigned port;
};

static struct certificates certificates;
static struct receiver plain, good, other_name, stranger;

/* certificate: NULL for plain HTTP. */
static void receiver_start(struct receiver *r, const char *certificate)
{
	char line[100] = "";
	int in[2], out[2];

	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	r->pid = fork();
	assert_true(r->pid >= 0);
	if (r->pid == 0) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		if (certificate)
			execl(RECEIVER, RECEIVER, "--certificate", certificate, "--key",
				certificates.key, FIRST, SECOND, (char *)NULL);
		else
			execl(RECEIVER, RECEIVER, FIRST, SECOND, (char *)NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	r->to = in[1];
	r->from = fdopen(out[0], "r");
	assert_non_null(r->from);
	assert_non_null(fgets(line, sizeof line, r->from));
	assert_int_equal(sscanf(line, "port %u", &r->port), 1);
}

static void receiver_stop(struct receiver *r)
{
	int status;

	close(r->to);
	fclose(r->from);
	kill(r->pid, SIGTERM);
	waitpid(r->pid, &status, 0);
}

/* What it tells of the next request; json_decref() it. */
static json_t *receiver_told(struct receiver *r)
{
	char line[4096];
	json_t *json;

	assert_non_null(fgets(line, sizeof line, r->from));
	json = json_loads(line, 0, NULL);
	assert_non_null(json);
	return json;
}

static const char *told(const json_t *request, const char *key)
{
	const char *value = json_string_value(json_object_get(request, key));

	assert_non_null(value);
	return value;
}

static int start(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_IGN);
	certificates_make(&certificates);
	receiver_start(&plain, NULL);
	receiver_start(&good, certificates.good);
	receiver_start(&other_name, certificates.name);
	receiver_start(&stranger, certificates.stranger);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	receiver_stop(&plain);
	receiver_stop(&good);
	receiver_stop(&other_name);
	receiver_stop(&stranger);
	certificates_remove(&certificates);
	return 0;
}

/* --- one sender --- */

struct scene {
	uv_loop_t loop;
	struct webhook_post *post;
	struct webhook_secret first, second;
	struct webhook_config config;
	char url[WEBHOOK_URL_MAX];
	unsigned done;
	struct webhook_outcome outcome;
};

static void open_scene(struct scene *s)
{
	struct error err = {""};

	memset(s, 0, sizeof *s);
	uv_loop_init(&s->loop);
	assert_int_equal(webhook_secret_read(&s->first, view_str(FIRST), &err), 0);
	assert_int_equal(webhook_secret_read(&s->second, view_str(SECOND), &err), 0);
	s->post = webhook_post_open(&s->loop, &err);
	assert_non_null(s->post);
	s->config = (struct webhook_config){.name = "bot",
		.url = s->url,
		.ca_file = certificates.ca,
		.secret = {&s->first, NULL},
		.timeout_s = 10};
}

static void close_scene(struct scene *s)
{
	webhook_post_close(s->post);
	uv_run(&s->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&s->loop), 0);
}

static void to(struct scene *s, const struct receiver *r, const char *path)
{
	struct error err = {""};

	snprintf(s->url, sizeof s->url, "%s://127.0.0.1:%u%s",
		r == &plain ? "http" : "https", r->port, path);
	assert_int_equal(webhook_url_check(NULL, s->url, false, &err), 0);
}

static void on_done(void *context, const struct webhook_outcome *outcome)
{
	struct scene *s = context;

	s->done++;
	s->outcome = *outcome;
}

/* Send and wait for what comes of it. */
static void post(struct scene *s, const char *id, const char *body)
{
	unsigned before = s->done;

	assert_true(webhook_post_send(s->post, &s->config, id, view_str(body),
			    (uint64_t)time(NULL), on_done, s) > 0);
	assert_int_equal(s->done, before); /* not from within the call */
	while (s->done == before)
		uv_run(&s->loop, UV_RUN_ONCE);
	assert_int_equal(s->done, before + 1);
}

static void outcome_is(const struct scene *s, enum webhook_verdict verdict,
	unsigned status, const char *reason)
{
	if (s->outcome.verdict != verdict || s->outcome.status != status ||
		!strstr(s->outcome.reason.text, reason))
		fail_msg("%s: verdict %d, HTTP %u, \"%s\" instead of %d, %u, \"%s\"",
			s->url, s->outcome.verdict, s->outcome.status,
			s->outcome.reason.text, verdict, status, reason);
	if (!*reason)
		assert_string_equal(s->outcome.reason.text, "");
}

/* Post to a path, and what comes of it. */
static void path_is(struct scene *s, const char *path, enum webhook_verdict verdict,
	unsigned status, const char *reason)
{
	to(s, &good, path);
	post(s, "evt_1", "{}");
	outcome_is(s, verdict, status, reason);
	json_decref(receiver_told(&good));
}

/* --- tests --- */

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

/* --- cancelling, closing, many --- */

static void never(void *context, const struct webhook_outcome *outcome)
{
	(void)context;
	fail_msg("done after it was cancelled: \"%s\"", outcome->reason.text);
}

static uint64_t send_slow(struct scene *s, webhook_post_fn *done)
{
	uint64_t n = webhook_post_send(s->post, &s->config, "evt_1", view_str("{}"),
		(uint64_t)time(NULL), done, s);

	assert_true(n > 0);
	return n;
}

static void test_cancel(void **state)
{
	struct scene s;
	uint64_t waiting, under_way;

	(void)state;
	open_scene(&s);
	to(&s, &good, "/slow?seconds=0.5");
	waiting = send_slow(&s, never);
	webhook_post_cancel(s.post, waiting);
	webhook_post_cancel(s.post, waiting);
	webhook_post_cancel(s.post, 0);
	webhook_post_cancel(s.post, 4711);
	under_way = send_slow(&s, never);
	for (unsigned i = 0; i < 4; i++)
		uv_run(&s.loop, UV_RUN_ONCE);
	webhook_post_cancel(s.post, under_way);
	assert_int_equal(webhook_post_counts(s.post)->cancelled, 2);
	assert_int_equal(webhook_post_counts(s.post)->failed, 0);
	close_scene(&s);
	/* What did reach the receiver, if anything did, is not to be told later. */
	receiver_stop(&good);
	receiver_start(&good, certificates.good);
}

struct turn {
	struct scene *scene;
	uint64_t other;
};

static void cancel_other(void *context, const struct webhook_outcome *outcome)
{
	struct turn *t = context;

	assert_int_equal(outcome->verdict, WEBHOOK_DELIVERED);
	t->scene->done++;
	webhook_post_cancel(t->scene->post, t->other);
}

static void close_all(void *context, const struct webhook_outcome *outcome)
{
	struct scene *s = context;

	assert_int_equal(outcome->verdict, WEBHOOK_DELIVERED);
	s->done++;
	webhook_post_close(s->post);
	webhook_post_close(s->post);
	assert_int_equal(webhook_post_send(s->post, &s->config, "evt_2", view_str("{}"),
				 1, never, s),
		0);
}

/* From within done: another is cancelled, all is closed. */
static void test_cancel_within(void **state)
{
	struct scene s;
	struct turn t = {.scene = &s};

	(void)state;
	open_scene(&s);
	to(&s, &good, "/ok");
	assert_true(webhook_post_send(s.post, &s.config, "evt_1", view_str("{}"),
			    (uint64_t)time(NULL), cancel_other, &t) > 0);
	{
		struct webhook_config slow = s.config;
		char url[WEBHOOK_URL_MAX];

		snprintf(url, sizeof url, "https://127.0.0.1:%u/slow?seconds=5",
			good.port);
		slow.url = url;
		t.other = webhook_post_send(s.post, &slow, "evt_2", view_str("{}"),
			(uint64_t)time(NULL), never, &s);
		while (!s.done)
			uv_run(&s.loop, UV_RUN_ONCE);
	}
	assert_int_equal(webhook_post_counts(s.post)->cancelled, 1);
	assert_int_equal(webhook_post_counts(s.post)->delivered, 1);
	assert_true(webhook_post_send(s.post, &s.config, "evt_3", view_str("{}"),
			    (uint64_t)time(NULL), close_all, &s) > 0);
	uv_run(&s.loop, UV_RUN_DEFAULT);
	assert_int_equal(s.done, 2);
	assert_int_equal(uv_loop_close(&s.loop), 0);
	receiver_stop(&good);
	receiver_start(&good, certificates.good);
}

/* Sixteen at once, each with its own answer; one that is slow holds up nobody. */
static void test_many(void **state)
{
	struct webhook_config config[WEBHOOKS_MAX];
	char url[WEBHOOKS_MAX][WEBHOOK_URL_MAX];
	struct scene s, *hook = calloc(WEBHOOKS_MAX, sizeof *hook);

	(void)state;
	assert_non_null(hook);
	open_scene(&s);
	for (unsigned i = 0; i < WEBHOOKS_MAX; i++) {
		snprintf(url[i], sizeof url[i], "https://127.0.0.1:%u/status?status=%u",
			good.port, i ? 200 + i : 500);
		if (i == 3)
			snprintf(url[i], sizeof url[i],
				"https://127.0.0.1:%u/slow?seconds=30", good.port);
		config[i] = s.config;
		config[i].url = url[i];
		assert_true(webhook_post_send(s.post, &config[i], "evt_1", view_str("{}"),
				    (uint64_t)time(NULL), i == 3 ? never : on_done,
				    &hook[i]) > 0);
	}
	while (webhook_post_counts(s.post)->delivered +
			webhook_post_counts(s.post)->failed <
		WEBHOOKS_MAX - 1)
		uv_run(&s.loop, UV_RUN_ONCE);
	for (unsigned i = 0; i < WEBHOOKS_MAX; i++)
		if (i != 3) {
			assert_int_equal(hook[i].done, 1);
			assert_int_equal(hook[i].outcome.status, i ? 200 + i : 500);
		}
	close_scene(&s); /* cancels the slow one */
	free(hook);
	receiver_stop(&good);
	receiver_start(&good, certificates.good);
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
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_cancel_within),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
