/* SPDX-License-Identifier: Apache-2.0 */
/* Nonces and tags: who is proved by what, for how long, and who is not. */
#include "../cmocka_all.h"
#include "honeypot_steps.h"

#include "sense/honeypot/stamp.h"

static const uint8_t key[32] = {1, 2, 3};
static const struct address a = {4, {198, 51, 100, 7}}, b = {4, {198, 51, 100, 8}};

static void test_stamp_is_bound(void **state)
{
	const char *template = "{time}/{mac32}";
	struct view scope = view_str("asterisk");
	char text[STAMP_TEXT_MAX];
	struct stamp_keys k, other;
	usec issued = 0;
	size_t n;

	(void)state;
	stamp_keys_begin(&k, key, now);
	n = stamp_make(&k, text, template, STAMP_NONCE, &a, scope, now);
	assert_int_equal(n, 10 + 1 + 32);
	assert_memory_equal(text, "1795291398/", 11);
	assert_int_equal(stamp_check(&k, view_of(text, n), template, STAMP_NONCE, &a,
				 scope, now + 9 * S, &issued),
		STAMP_OURS);
	assert_int_equal(issued, now);
	/* Another address, purpose, realm, a digit more or less, another honeypot. */
	assert_int_equal(stamp_check(&k, view_of(text, n), template, STAMP_NONCE, &b,
				 scope, now, NULL),
		STAMP_FOREIGN);
	assert_int_equal(stamp_check(&k, view_of(text, n), template, STAMP_REFUSAL, &a,
				 scope, now, NULL),
		STAMP_FOREIGN);
	assert_int_equal(stamp_check(&k, view_of(text, n), template, STAMP_NONCE, &a,
				 view_str("asterisl"), now, NULL),
		STAMP_FOREIGN);
	assert_int_equal(stamp_check(&k, view_of(text, n - 1), template, STAMP_NONCE, &a,
				 scope, now, NULL),
		STAMP_FOREIGN);
	other = k;
	stamp_keys_begin(&other, (const uint8_t[32]){1, 2, 4}, now);
	assert_int_equal(stamp_check(&other, view_of(text, n), template, STAMP_NONCE, &a,
				 scope, now, NULL),
		STAMP_FOREIGN);
	for (size_t i = 0; i < n; i++) {
		text[i] ^= 1;
		assert_int_equal(stamp_check(&k, view_of(text, n), template, STAMP_NONCE,
					 &a, scope, now, NULL),
			STAMP_FOREIGN);
		text[i] ^= 1;
	}
}

static void test_stamp_expires(void **state)
{
	const char *template = "{time8}{mac16}", *tag_form = "{alnum13}";
	struct view scope = view_str("c1");
	char nonce[STAMP_TEXT_MAX], tag[STAMP_TEXT_MAX];
	struct stamp_keys k;

	(void)state;
	stamp_keys_begin(&k, key, now);
	stamp_make(&k, nonce, template, STAMP_NONCE, &a, scope, now);
	stamp_make(&k, tag, tag_form, STAMP_REFUSAL, &a, scope, now);
	assert_int_equal(strlen(nonce), 24);
	assert_int_equal(strlen(tag), 13);
	for (unsigned i = 0; i < 3600 * 3; i += 30) {
		usec t = now + i * S;
		enum stamp_verdict v;

		stamp_keys_turn(&k, t);
		v = stamp_check(
			&k, view_str(nonce), template, STAMP_NONCE, &a, scope, t, NULL);
		if (i <= 600)
			assert_int_equal(v, STAMP_OURS);
		else
			assert_int_not_equal(v, STAMP_OURS);
		v = stamp_check(
			&k, view_str(tag), tag_form, STAMP_REFUSAL, &a, scope, t, NULL);
		if (i < 180)
			assert_int_equal(v, STAMP_OURS);
		if (i >= 300)
			assert_int_equal(v, STAMP_FOREIGN);
	}
	/* A day later it is not even known to have been ours. */
	stamp_keys_turn(&k, now + 86400 * S);
	assert_int_equal(stamp_check(&k, view_str(nonce), template, STAMP_NONCE, &a,
				 scope, now + S, NULL),
		STAMP_FOREIGN);
}

/* What is given a minute before the hour is known a minute after it. */
static void check_over_the_hour(bool again)
{
	usec before = (now / (3600 * S) + 1) * 3600 * S - 30 * S, after = before + 60 * S;
	struct view scope = view_str("c1");
	char text[STAMP_TEXT_MAX], tag[STAMP_TEXT_MAX];
	struct stamp_keys k;

	stamp_keys_begin(&k, key, before);
	stamp_make(&k, text, "{time8}{mac16}", STAMP_NONCE, &a, scope, before);
	stamp_make(&k, tag, "{mac16}", STAMP_ACCEPT, &a, scope, before);
	/* Also by a process that was started in between. */
	if (again)
		stamp_keys_begin(&k, key, after);
	else
		stamp_keys_turn(&k, after);
	assert_int_equal(stamp_check(&k, view_str(text), "{time8}{mac16}", STAMP_NONCE,
				 &a, scope, after, NULL),
		STAMP_OURS);
	assert_int_equal(stamp_check(&k, view_str(tag), "{mac16}", STAMP_ACCEPT, &a,
				 scope, after, NULL),
		STAMP_OURS);
}

static void test_stamp_over_the_hour(void **state)
{
	(void)state;
	check_over_the_hour(false);
	check_over_the_hour(true);
}

static void test_templates(void **state)
{
	static const struct {
		const char *template;
		const char *error; /* NULL: it is good */
	} cases[] = {
		{"{mac16}", NULL},
		{"{alnum13}", NULL},
		{"{time}/{mac32}", NULL},
		{"{mac8}-{MAC8}", NULL},
		{"{mac15}", "could be guessed"},
		{"{alnum12}", "could be guessed"},
		{"{time}", "could be guessed"},
		{"", "could be guessed"},
		{"{mac65}", "placeholder"},
		{"{mac}", "placeholder"},
		{"{mac32", "placeholder"},
		{"{nonce}{mac32}", "placeholder"},
		{"{mac64}{mac16}", "too long"},
		{"{alnum33}", "too long"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct error err = {""};
		int got = stamp_template_check(cases[i].template, &err);

		assert_int_equal(got, cases[i].error ? -1 : 0);
		if (cases[i].error && !strstr(err.text, cases[i].error))
			fail_msg("%s: %s", cases[i].template, err.text);
	}
}

static const char *authorization(const char *nonce, const char *response)
{
	static char text[512];

	snprintf(text, sizeof text,
		"Authorization: Digest username=\"100\",realm=\"asterisk\",nonce=\"%s\","
		"uri=\"sip:192.0.2.10\",response=\"%s\",algorithm=MD5\r\n",
		nonce, response);
	return text;
}

static void test_nonce_proves(void **state)
{
	char nonce[256];
	const char *guess;

	(void)state;
	feed(request((struct request){0}));
	assert_int_equal(status(0), 401);
	assert_int_equal(seen[0].kind, OBSERVED_SCAN);
	assert_int_equal(seen[0].proof, PROOF_NONE);
	assert_false(honeypot_proved(honeypot, &seen[0].source, now));
	between(nonce, sent[0].text, "nonce=\"", "\"");
	/* From elsewhere it is worth nothing. */
	guess = request((struct request){.cseq = 2, .extra = authorization(nonce, "aa")});
	feed_from("198.51.100.8", 5070, guess, strlen(guess));
	assert_int_equal(seen[1].kind, OBSERVED_AUTH_FAILED);
	assert_int_equal(seen[1].proof, PROOF_NONE);
	assert_true(seen[1].signs & SIGN_FORGED);
	assert_string_equal(seen[1].returned, "");
	now += 5 * S;
	feed(request((struct request){.cseq = 2, .extra = authorization(nonce, "aa")}));
	assert_int_equal(status(0), 401);
	assert_int_equal(seen[2].kind, OBSERVED_AUTH_FAILED);
	assert_int_equal(seen[2].proof, PROOF_NONCE);
	assert_int_equal(seen[2].sensor, SENSOR_HONEYPOT);
	assert_string_equal(seen[2].returned, nonce);
	assert_int_equal(seen[2].issued, now - 5 * S);
	assert_string_equal(seen[2].account, "100");
	assert_string_equal(seen[2].request, "REGISTER sip:* SIP/2.0");
	assert_int_equal(last_record.proof, PROOF_NONCE);
	assert_true(honeypot_proved(honeypot, &seen[2].source, now));
	/* Now the long form, with all that Asterisk says. */
	assert_non_null(strstr(sent[0].text, "opaque="));
}

static void test_stale_nonce(void **state)
{
	char nonce[256];

	(void)state;
	feed(request((struct request){0}));
	between(nonce, sent[0].text, "nonce=\"", "\"");
	now += 601 * S;
	feed(request((struct request){.cseq = 2, .extra = authorization(nonce, "aa")}));
	assert_int_equal(status(0), 401);
	assert_non_null(strstr(sent[0].text, ",stale=true"));
	assert_int_equal(seen[1].proof, PROOF_NONE);
	assert_false(seen[1].signs & SIGN_FORGED);
}

static void test_refusal_tag_proves(void **state)
{
	char tag[256], text[2048];

	(void)state;
	feed(request((struct request){.method = "INVITE", .uri = "sip:7777@192.0.2.10"}));
	assert_int_equal(status(0), 404);
	assert_int_equal(seen[0].kind, OBSERVED_UNKNOWN_ACCOUNT);
	between(tag, strstr(sent[0].text, "\nTo: "), ";tag=", "\r\n");
	assert_int_equal(strlen(tag), 36);
	snprintf(text, sizeof text, "%s",
		request((struct request){.method = "ACK", .to_tag = tag}));
	/* Another source and another Call-ID do not have it. */
	feed_from("203.0.113.9", 5060, text, strlen(text));
	assert_int_equal(n_seen, 1);
	feed(request((struct request){.method = "ACK", .to_tag = tag, .call_id = "c2"}));
	assert_int_equal(n_seen, 1);
	feed(text);
	assert_int_equal(n_sent, 0);
	assert_int_equal(n_seen, 2);
	assert_int_equal(seen[1].kind, OBSERVED_PROOF);
	assert_int_equal(seen[1].proof, PROOF_NONCE);
	assert_int_equal(seen[1].attempt, seen[0].attempt);
	assert_string_equal(seen[1].returned, tag);
	assert_true(honeypot_proved(honeypot, &seen[0].source, now));
}

/* An ACK of a 2xx is less: some PBXs send one for any 2xx that comes. */
static void test_accept_tag_proves_less(void **state)
{
	char tag[256], call_id[16];
	unsigned taken = 0, refused = 0;
	const char *text;

	(void)state;
	for (unsigned i = 0; i < 40; i++) {
		unsigned before;

		snprintf(call_id, sizeof call_id, "call-%u", i);
		text = request((struct request){.method = "INVITE",
			.uri = "sip:900441519471629@192.0.2.10",
			.call_id = call_id,
			.extra = "X-More: to have enough bytes for an answer with a "
				 "session description, as INVITEs with one have\r\n",
			.body = "v=0\r\no=- 1 1 IN IP4 198.51.100.7\r\ns=-\r\n"
				"c=IN IP4 198.51.100.7\r\nt=0 0\r\n"
				"m=audio 4000 RTP/AVP 0 8 101\r\n"
				"a=rtpmap:101 telephone-event/8000\r\n"});
		feed_from("203.0.113.9", 5060, text, strlen(text));
		assert_int_equal(n_sent, 1);
		assert_int_equal(seen[n_seen - 1].kind, OBSERVED_CALL_REJECTED);
		assert_string_equal(seen[n_seen - 1].dialled, "900441519471629");
		if (status(0) != 200) {
			assert_int_equal(status(0), 503);
			refused++;
			continue;
		}
		taken++;
		assert_non_null(strstr(sent[0].text, "\r\n\r\nv=0\r\n"));
		between(tag, strstr(sent[0].text, "\nTo: "), ";tag=", "\r\n");
		before = n_seen;
		text = request((struct request){
			.method = "ACK", .call_id = call_id, .to_tag = tag});
		feed_from("203.0.113.9", 5060, text, strlen(text));
		assert_int_equal(n_seen, before + 1);
		assert_int_equal(seen[before].proof, PROOF_ACK);
		assert_true(seen[before].signs & SIGN_TOOK_PART);
		/* It may have more bytes for this call alone. */
		assert_false(honeypot_proved(honeypot, &seen[before].source, now));
	}
	/* The sender cannot know which it will be. */
	assert_in_range(taken, 8, 32);
	assert_in_range(refused, 8, 32);
}

static void test_streams_are_proved(void **state)
{
	static const uint8_t transports[] = {
		TRANSPORT_TCP, TRANSPORT_TLS, TRANSPORT_WS, TRANSPORT_WSS};

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		feed_over(
			transports[i], 9, request((struct request){.method = "OPTIONS"}));
		assert_int_equal(seen[n_seen - 1].proof, PROOF_TCP);
		assert_int_equal(seen[n_seen - 1].transport, transports[i]);
		assert_non_null(strstr(sent[0].text, "\r\nAllow: "));
	}
	/* But not their address over UDP. */
	assert_false(honeypot_proved(honeypot, &seen[0].source, now));
}

/* A response that comes in proves nothing, whatever stands in it. */
static void test_responses_prove_nothing(void **state)
{
	char tag[256], text[8192];

	(void)state;
	feed(request((struct request){.method = "INVITE", .uri = "sip:7777@192.0.2.10"}));
	between(tag, strstr(sent[0].text, "\nTo: "), ";tag=", "\r\n");
	snprintf(text, sizeof text, "%s", sent[0].text);
	feed(text);
	assert_int_equal(n_sent, 0);
	assert_int_equal(n_seen, 1);
	assert_int_equal(last_record.status, 404);
	assert_int_equal(last_record.proof, PROOF_NONE);
	assert_false(honeypot_proved(honeypot, &seen[0].source, now));
}

#define TEST(name)                                                                       \
	cmocka_unit_test_setup_teardown(                                                 \
		name, honeypot_steps_setup, honeypot_steps_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_stamp_is_bound),
		TEST(test_stamp_expires),
		TEST(test_stamp_over_the_hour),
		TEST(test_templates),
		TEST(test_nonce_proves),
		TEST(test_stale_nonce),
		TEST(test_refusal_tag_proves),
		TEST(test_accept_tag_proves_less),
		TEST(test_streams_are_proved),
		TEST(test_responses_prove_nothing),
	};

	return cmocka_run_group_tests_name("honeypot-proof", tests, NULL, NULL);
}
