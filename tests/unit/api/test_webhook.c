/* SPDX-License-Identifier: Apache-2.0 */
/* Webhooks: URLs, secrets, types, signatures, verdicts, waiting. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "../cmocka_all.h"
#include "api/webhook.h"

/* --- the URL --- */

static void url_is(
	const char *url, bool tls, bool loopback, unsigned port, const char *host)
{
	struct webhook_url u;
	struct error err = {""};

	if (webhook_url_check(&u, url, false, &err))
		fail_msg("%s: %s", url, err.text);
	assert_int_equal(u.tls, tls);
	assert_int_equal(u.loopback, loopback);
	assert_int_equal(u.port, port);
	assert_string_equal(u.host, host);
}

static void url_not(const char *url, const char *text)
{
	struct error err = {""};

	if (webhook_url_check(NULL, url, false, &err) != -1)
		fail_msg("%s is taken", url);
	if (!strstr(err.text, text))
		fail_msg("%s: \"%s\" lacks \"%s\"", url, err.text, text);
	assert_null(strstr(err.text, "hush"));
}

static void test_url(void **state)
{
	char long_url[600];

	(void)state;
	url_is("https://example.org/hook", true, false, 443, "example.org");
	url_is("https://example.org:8443/a/b?c=d", true, false, 8443, "example.org");
	url_is("https://192.0.2.7", true, false, 443, "192.0.2.7");
	url_is("https://[2001:db8::1]:9/x", true, false, 9, "[2001:db8::1]");
	url_is("http://127.0.0.1:8000/", false, true, 8000, "127.0.0.1");
	url_is("http://127.9.8.7/", false, true, 80, "127.9.8.7");
	url_is("http://[::1]:8000/x", false, true, 8000, "[::1]");
	url_is("http://LocalHost/", false, true, 80, "LocalHost");
	url_is("https://localhost/", true, true, 443, "localhost");
	/* The same address, as libcurl reads it. */
	url_is("http://127.1/", false, true, 80, "127.0.0.1");
	url_is("http://0x7f000001/", false, true, 80, "127.0.0.1");

	url_not("http://example.org/hush", "http:// to example.org goes readable");
	url_not("http://example.org/hush", "insecure = yes");
	url_not("http://127.0.0.1.example.org/", "http:// to 127.0.0.1.example.org");
	url_not("http://128.0.0.1/", "http:// to 128.0.0.1 goes");
	url_not("http://0.0.0.0/", "http:// to 0.0.0.0 goes");
	url_not("http://[::2]/", "http:// to [::2] goes");
	url_not("http://[::ffff:a00:1]/", "goes readable");
	url_not("https://hush:hushhush@example.org/", "take it out");
	url_not("https://hush@example.org/", "take it out");
	url_not("http://127.0.0.1@evil.example/", "take it out");
	url_not("ftp://example.org/hush", "must begin with https://");
	url_not("HTTPS://example.org/hush", "must begin with https://");
	url_not("example.org/hush", "must begin with https://");
	url_not("", "must begin with https://");
	url_not("https://", "is not a URL");
	url_not("https:///hush", "it has no host");
	url_not("https:////hush", "is not a URL");
	url_not("https://example.org:hush/", "is not a URL");
	url_not("https://example.org:0/hush", "its host or its port is none");
	url_not("https://example.org:70000/hush", "is not a URL");
	url_not("https://example.org/hush#part", "fragment");
	url_not("https://example.org/hu sh", "%XX");
	url_not("https://example.org/\nhush", "%XX");
	url_not("https://exämple.org/hush", "%XX");
	snprintf(long_url, sizeof long_url, "https://example.org/%0500d", 0);
	url_not(long_url, "longer than 511 bytes");
}

static void test_url_insecure(void **state)
{
	struct error err = {""};
	struct webhook_url u;

	(void)state;
	assert_int_equal(
		webhook_url_check(&u, "http://10.1.2.3:8080/hook", true, &err), 0);
	assert_false(u.loopback);
	assert_false(u.tls);
	assert_int_equal(u.port, 8080);
	/* That allows nothing else. */
	assert_int_equal(webhook_url_check(NULL, "http://a:b@10.1.2.3/", true, &err), -1);
	assert_int_equal(webhook_url_check(NULL, "ftp://10.1.2.3/", true, &err), -1);
}

/* --- secrets --- */

static int read_secret(struct webhook_secret *s, const char *text, struct error *err)
{
	memset(s, 0xaa, sizeof *s);
	return webhook_secret_read(s, view_str(text), err);
}

static void secret_not(const char *text, const char *why)
{
	struct webhook_secret s;
	struct error err = {""};

	assert_int_equal(read_secret(&s, text, &err), -1);
	if (!strstr(err.text, why))
		fail_msg("\"%s\" lacks \"%s\"", err.text, why);
	assert_true(bytes_zero(&s, sizeof s));
	if (strlen(text) > 12)
		assert_null(strstr(err.text, text + 8));
}

static void test_secret(void **state)
{
	struct webhook_secret s;
	struct error err = {""};

	(void)state;
	/* 24 bytes, 32 with padding, 64: the least, the usual, the most. */
	assert_int_equal(
		read_secret(&s, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", &err), 0);
	assert_int_equal(s.n, 24);
	assert_memory_equal(s.bytes, "\x31\xf2\x90\xf6\xbf\x06\x29\x8a", 8);
	assert_int_equal(
		read_secret(
			&s, "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", &err),
		0);
	assert_int_equal(s.n, 32);
	for (unsigned i = 0; i < 32; i++)
		assert_int_equal(s.bytes[i], i);
	assert_int_equal(read_secret(&s,
				 "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
				 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==",
				 &err),
		0);
	assert_int_equal(s.n, 64);

	secret_not("", "begins with whsec_");
	secret_not("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "begins with whsec_");
	secret_not("WHSEC_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "begins with whsec_");
	secret_not("whsec_", "no base64 of 24 to 64 bytes");
	secret_not("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS", "no base64"); /* cut */
	secret_not("whsec_MfKQ9r8GKYqrTwjU PD8ILPZIo2LaLaSw", "no base64");
	secret_not("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa-_", "no base64");
	secret_not("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8", "no base64");
	secret_not("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRY=", "not 23");
	secret_not("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
		   "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
		"not 65");
	secret_not(
		"whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==",
		"no base64");
}

/* --- the signature --- */

/*
 * The vector of the "Standard Webhooks" libraries' own tests
 * (github.com/standard-webhooks/standard-webhooks, libraries).
 */
static void test_signature(void **state)
{
	const struct webhook_secret *both[WEBHOOK_SECRETS_MAX] = {NULL, NULL};
	struct webhook_secret first, second;
	char signature[WEBHOOK_SIGNATURE_MAX];
	struct view body = view_str("{\"test\": 2432232314}");
	struct error err = {""};

	(void)state;
	assert_int_equal(
		read_secret(&first, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", &err), 0);
	assert_int_equal(
		read_secret(&second,
			"whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", &err),
		0);
	both[0] = &first;
	assert_string_equal(webhook_sign(signature, both, "msg_p5jXN8AQM9LWM0D4loKWxJek",
				    1614265330, body),
		"v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
	/* Both while it changes; the second by Python's hmac module. */
	both[1] = &second;
	assert_string_equal(webhook_sign(signature, both, "msg_p5jXN8AQM9LWM0D4loKWxJek",
				    1614265330, body),
		"v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE= "
		"v1,O4Gjv1HqPqsMrjmczoggs/sWA8gZD0VyHG+fLh4+ktI=");
	assert_int_equal(strlen(signature) + 1, WEBHOOK_SIGNATURE_MAX);
	both[0] = NULL;
	assert_string_equal(webhook_sign(signature, both, "msg_p5jXN8AQM9LWM0D4loKWxJek",
				    1614265330, body),
		"v1,O4Gjv1HqPqsMrjmczoggs/sWA8gZD0VyHG+fLh4+ktI=");
}

static void test_id(void **state)
{
	struct view journal = view_str("0123456789abcdef");
	char a[WEBHOOK_ID_MAX], b[WEBHOOK_ID_MAX];

	(void)state;
	/* sha256sum of the journal's id and "bot" with its NUL; by coreutils. */
	assert_string_equal(webhook_id(a, journal, "bot", 7, 106),
		"evt_09d1764b410422fb8e2046891680f51b_7_106");
	assert_string_equal(a, webhook_id(b, journal, "bot", 7, 106));
	assert_string_not_equal(a, webhook_id(b, journal, "bot", 7, 107));
	assert_string_not_equal(a, webhook_id(b, journal, "bot", 8, 106));
	assert_string_not_equal(a, webhook_id(b, journal, "bo", 7, 106));
	assert_string_not_equal(
		a, webhook_id(b, view_str("0123456789abcdeF"), "bot", 7, 106));
	/* The longest fits, with nothing that a signature's dots could be mistaken for. */
	webhook_id(b, journal, "a.name.with.dots", UINT64_MAX, UINT64_MAX);
	assert_int_equal(strlen(b), 4 + 32 + 1 + 20 + 1 + 20);
	assert_true(strlen(b) < WEBHOOK_ID_MAX);
	assert_null(strchr(b, '.'));
}

/* --- types --- */

static void test_types(void **state)
{
	struct error err = {""};
	webhook_types types = 0;

	(void)state;
	assert_true(webhook_wants(0, "ban"));
	assert_true(webhook_wants(0, "a type to come"));
	assert_int_equal(webhook_types_add(&types, view_str("ban"), &err), 0);
	assert_int_equal(webhook_types_add(&types, view_str("unban"), &err), 0);
	assert_true(webhook_wants(types, "ban"));
	assert_true(webhook_wants(types, "unban"));
	assert_false(webhook_wants(types, "detection"));
	assert_false(webhook_wants(types, "bans"));
	assert_false(webhook_wants(types, "a type to come"));
	/* It stands for those that are not told one by one. */
	assert_int_equal(webhook_types_add(&types, view_str("bans"), &err), 0);
	assert_true(webhook_wants(types, "bans"));
	assert_int_equal(webhook_types_add(&types, view_str("Ban"), &err), -1);
	assert_string_equal(err.text,
		"there are no events of type \"Ban\"; there are allow, ban, bans, detection, "
		"expired, hit, ledger, objection, pass, published, reload, report, "
		"revocation, trouble, unban");
	assert_int_equal(webhook_types_add(&types, view_str("\x1b[2Jban"), &err), -1);
	assert_non_null(strstr(err.text, "\"\\x1b[2Jban\""));
	assert_int_equal(webhook_types_add(&types, view_str(""), &err), -1);
}

/* --- verdicts --- */

#define URL "https://example.org/hook/T0KEN-abc-123"

static void verdict_is(unsigned status, int64_t retry, const char *text,
	enum webhook_verdict due, uint32_t retry_s, const char *reason)
{
	struct webhook_outcome o = {.took = 77, .reason = {"old"}};

	webhook_judge(&o, URL, status, retry, view_str(text));
	if (o.verdict != due || o.retry_s != retry_s || strcmp(o.reason.text, reason))
		fail_msg("%u: verdict %d, retry %u, \"%s\"", status, o.verdict, o.retry_s,
			o.reason.text);
	assert_int_equal(o.status, status);
	assert_int_equal(o.took, 77);
}

static void test_verdicts(void **state)
{
	(void)state;
	verdict_is(200, 0, "fine", WEBHOOK_DELIVERED, 0, "");
	verdict_is(202, 9, "", WEBHOOK_DELIVERED, 0, "");
	verdict_is(299, 0, "", WEBHOOK_DELIVERED, 0, "");
	verdict_is(199, 0, "", WEBHOOK_LATER, 0, "HTTP 199");
	verdict_is(300, 0, "", WEBHOOK_LATER, 0, "HTTP 300");
	verdict_is(301, 0, "", WEBHOOK_LATER, 0,
		"HTTP 301 (a redirect, which is not followed: write the new place into url)");
	verdict_is(307, 5, "", WEBHOOK_LATER, 0,
		"HTTP 307 (a redirect, which is not followed: write the new place into url)");
	verdict_is(400, 0, "what?", WEBHOOK_LATER, 0, "HTTP 400: \"what?\"");
	verdict_is(401, 0, "", WEBHOOK_LATER, 0,
		"HTTP 401 (it refuses the signature or the sender: is secret_file the same "
		"there?)");
	verdict_is(404, 0, "Cannot POST /hook/T0KEN-abc-123", WEBHOOK_LATER, 0,
		"HTTP 404 (nothing takes a POST at this path of url): \"Cannot POST ***\"");
	verdict_is(410, 60, "", WEBHOOK_GONE, 0, "HTTP 410 (it wants no more)");
	verdict_is(413, 0, "", WEBHOOK_LATER, 0,
		"HTTP 413 (the batch is too large for it: let it take 256 KiB)");
	verdict_is(500, 60, "oops\nat line 7", WEBHOOK_LATER, 0, "HTTP 500: \"oops\"");
	/* Who may say when: 429 and 503, an hour at most. */
	verdict_is(429, 60, "", WEBHOOK_LATER, 60, "HTTP 429");
	verdict_is(503, 3600, "", WEBHOOK_LATER, 3600, "HTTP 503");
	verdict_is(503, 3601, "", WEBHOOK_LATER, 3600, "HTTP 503");
	verdict_is(503, INT64_MAX, "", WEBHOOK_LATER, 3600, "HTTP 503");
	verdict_is(429, -5, "", WEBHOOK_LATER, 0, "HTTP 429");
	verdict_is(429, INT64_MIN, "", WEBHOOK_LATER, 0, "HTTP 429");
	verdict_is(0, 0, "", WEBHOOK_LATER, 0, "HTTP 0");
	verdict_is(999, 0, " \r\n\t", WEBHOOK_LATER, 0, "HTTP 999");
}

/* A peer's text, whatever it is, is one clean and bounded piece. */
static void test_hostile_reasons(void **state)
{
	char text[70000];
	struct webhook_outcome o = {0};

	(void)state;
	for (unsigned c = 0; c < 256; c++) {
		memset(text, (int)c, sizeof text);
		webhook_judge(&o, URL, 500, 0, view_of(text, sizeof text));
		assert_true(strlen(o.reason.text) <= strlen("HTTP 500: \"\"") + 200);
		for (const char *p = o.reason.text; *p; p++)
			assert_in_range(*p, ' ', '~');
	}
	verdict_is(500, 0, "\x1b[2J\x07\"quoted\"\\ \xff", WEBHOOK_LATER, 0,
		"HTTP 500: \"\\x1b[2J\\x07\\\"quoted\\\"\\\\ \\xff\"");
	verdict_is(500, 0, "<14>forged line, token /hook/T0KEN-abc-123 there",
		WEBHOOK_LATER, 0, "HTTP 500: \"<14>forged line, token *** there\"");
	verdict_is(500, 0, "T0KEN-abc-123", WEBHOOK_LATER, 0, "HTTP 500: \"***\"");
	memset(text, 'a', 300);
	text[300] = '\0';
	webhook_judge(&o, URL, 500, 0, view_str(text));
	assert_int_equal(strlen(o.reason.text), strlen("HTTP 500: \"\"") + 200);
	assert_string_equal(o.reason.text + strlen(o.reason.text) - 5, "a...\"");
}

static void test_failures(void **state)
{
	struct webhook_outcome o = {.verdict = WEBHOOK_DELIVERED, .retry_s = 5};

	(void)state;
	webhook_failure(&o, URL, "its answer was cut off", false);
	assert_int_equal(o.verdict, WEBHOOK_LATER);
	assert_int_equal(o.retry_s, 0);
	assert_string_equal(o.reason.text, "its answer was cut off");
	webhook_failure(&o, URL,
		"Could not POST \x1b https://example.org/hook/T0KEN-abc-123", true);
	assert_non_null(strstr(o.reason.text, "Could not POST \\x1b "));
	assert_null(strstr(o.reason.text, "T0KEN-abc-123"));
}

/* --- waiting --- */

static void test_waiting(void **state)
{
	(void)state;
	for (unsigned failures = 0; failures < 70; failures++) {
		unsigned doublings = failures > 1 ? failures - 1 : 0;
		usec most = doublings < 10 ? USEC_PER_SEC << doublings :
					     WEBHOOK_BACKOFF_MOST;
		usec low, high;

		if (most > WEBHOOK_BACKOFF_MOST)
			most = WEBHOOK_BACKOFF_MOST;
		low = webhook_wait(failures, 0, 0);
		high = webhook_wait(failures, UINT32_MAX, 0);
		assert_int_equal(low, most / 2);
		assert_in_range(high, most - most / 1000, most);
		assert_int_equal(
			webhook_wait(failures, 1U << 31, 0), most / 2 + most / 4);
	}
	assert_int_equal(webhook_wait(UINT32_MAX, 0, 0), WEBHOOK_BACKOFF_MOST / 2);
	/* Never sooner than the receiver asks; later when there were many failures. */
	assert_int_equal(webhook_wait(1, 7, 60), 60 * USEC_PER_SEC);
	assert_int_equal(webhook_wait(1, 7, WEBHOOK_RETRY_MAX), 3600 * USEC_PER_SEC);
	assert_int_equal(webhook_wait(30, 0, 60), WEBHOOK_BACKOFF_MOST / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_url),
		cmocka_unit_test(test_url_insecure),
		cmocka_unit_test(test_secret),
		cmocka_unit_test(test_signature),
		cmocka_unit_test(test_id),
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_hostile_reasons),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_waiting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
