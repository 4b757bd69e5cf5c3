/* SPDX-License-Identifier: Apache-2.0 */
/* What the answers to requests mean. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "wire_steps.h"

static void options(usec now, unsigned i, const char *user)
{
	char id[16];

	snprintf(id, sizeof id, "ping-%u", i);
	FEED(now, .method = "OPTIONS", .call_id = id, .user = user);
	FEED(now, .method = "OPTIONS", .call_id = id, .user = user, .status = 401,
		.nonce = "nonce-1234");
}

static void test_options(void **state)
{
	char user[16];

	(void)state;
	/* A trunk that pings every thirty seconds for ten minutes. */
	for (unsigned i = 0; i < 20; i++)
		options((1 + i * 30) * S, i, "ping");
	wire_expire(wire, 1000 * S);
	assert_int_equal(count(OBSERVED_SCAN), 20);
	assert_int_equal(distinct_attempts(), 1);
	/* As many within a second. */
	n_seen = 0;
	for (unsigned i = 0; i < 20; i++)
		options(2000 * S + i * 40 * MS, 100 + i, "100");
	wire_expire(wire, 3000 * S);
	assert_in_range(distinct_attempts(), 14, 20);
	/* Slowly, but for another account each time. */
	n_seen = 0;
	for (unsigned i = 0; i < 20; i++) {
		snprintf(user, sizeof user, "%u", 100 + i);
		options((4000 + i * 30) * S, 200 + i, user);
	}
	wire_expire(wire, 6000 * S);
	assert_int_equal(distinct_attempts(), 20);
}

/* One Call-ID for many accounts does not make them one attempt. */
static void test_reused_call_id(void **state)
{
	char user[16];

	(void)state;
	for (unsigned i = 0; i < 10; i++) {
		snprintf(user, sizeof user, "%u", 100 + i);
		FEED(1 * S + i * 100 * MS, .cseq = 1 + i, .user = user);
		FEED(1 * S + i * 100 * MS, .cseq = 1 + i, .user = user, .status = 404);
	}
	assert_int_equal(count(OBSERVED_UNKNOWN_ACCOUNT), 10);
	assert_int_equal(distinct_attempts(), 10);
	/* A phone without password that asks for its own again and again. */
	n_seen = 0;
	for (unsigned i = 0; i < 10; i++) {
		FEED((100 + i * 60) * S, .call_id = "boot", .cseq = 1 + i);
		FEED((100 + i * 60) * S, .call_id = "boot", .cseq = 1 + i, .status = 401,
			.nonce = "nonce-1234");
	}
	wire_expire(wire, 1000 * S);
	assert_int_equal(count(OBSERVED_SCAN), 10);
	assert_int_equal(distinct_attempts(), 1);
}

/* How many observations an INVITE to this user makes when answered so. */
static uint8_t invite_answered(const char *user, unsigned status)
{
	static unsigned serial;
	char id[16], uri[64];

	n_seen = 0;
	snprintf(id, sizeof id, "inv-%u", serial++);
	snprintf(uri, sizeof uri, "sip:%s@" PBX, user);
	FEED(1 * S, .method = "INVITE", .uri = uri, .call_id = id);
	FEED(1 * S, .method = "INVITE", .call_id = id, .status = 100);
	FEED(1 * S, .method = "INVITE", .call_id = id, .status = status);
	assert_in_range(n_seen, 0, 1);
	return n_seen ? seen[0].kind : 0;
}

static void test_invite(void **state)
{
	static const unsigned everyday[] = {180, 183, 200, 302, 408, 480, 481, 482, 486,
		487, 488, 491, 500, 503, 600, 603, 606};

	(void)state;
	assert_int_equal(invite_answered("900972590000101", 404), OBSERVED_CALL_REJECTED);
	assert_string_equal(seen[0].dialled, "900972590000101");
	assert_int_equal(invite_answered("+15559990100", 403), OBSERVED_CALL_REJECTED);
	assert_int_equal(invite_answered("100", 403), OBSERVED_CALL_REJECTED);
	assert_int_equal(invite_answered("900972590000101", 484), OBSERVED_CALL_REJECTED);
	assert_int_equal(invite_answered("900972590000101", 604), OBSERVED_CALL_REJECTED);
	assert_int_equal(invite_answered("100", 404), OBSERVED_UNKNOWN_ACCOUNT);
	assert_int_equal(invite_answered("alice", 404), OBSERVED_UNKNOWN_ACCOUNT);
	/* %0a stays as it came, and is told of by itself. */
	n_seen = 0;
	FEED(1 * S, .method = "INVITE", .uri = "sip:1%0a%20x@" PBX, .call_id = "lf");
	only(OBSERVED_INJECTION, PROOF_NONE);
	FEED(1 * S, .method = "INVITE", .uri = "sip:1%0a%20x@" PBX, .call_id = "lf");
	assert_int_equal(n_seen, 0); /* a retransmission */
	FEED(1 * S, .method = "INVITE", .call_id = "lf", .status = 404);
	assert_string_equal(
		only(OBSERVED_UNKNOWN_ACCOUNT, PROOF_NONE)->dialled, "1%0a%20x");
	assert_int_equal(invite_answered("100", 400), OBSERVED_MALFORMED);
	for (unsigned i = 0; i < sizeof everyday / sizeof *everyday; i++)
		assert_int_equal(invite_answered("900972590000101", everyday[i]),
			everyday[i] < 200 ? 0 : OBSERVED_DIALLED);
}

static void test_forbidden(void **state)
{
	(void)state;
	FEED(1 * S, 0);
	FEED(1 * S, .status = 403);
	only(OBSERVED_SCAN, PROOF_NONE);
	FEED(1 * S, .call_id = "c2", .method = "SUBSCRIBE");
	FEED(1 * S, .call_id = "c2", .method = "SUBSCRIBE", .status = 489);
	assert_int_equal(n_seen, 0);
	/* The password may be right, the number barred. */
	FEED(1 * S, .call_id = "c3", .method = "INVITE", .uri = "sip:0900123456@x",
		.nonce = "nonce-1234");
	FEED(1 * S, .call_id = "c3", .method = "INVITE", .status = 403);
	only(OBSERVED_CALL_REJECTED, PROOF_NONE);
}

/* A call of the PBX that its carrier refuses is no attack of the PBX. */
static void test_own_calls(void **state)
{
	struct wire_config config = wire_config_default;
	struct address own = wire_address(PBX);

	(void)state;
	FEED(1 * S, .from = "192.0.2.77");
	FEED(1 * S, .to = "192.0.2.77", .status = 401, .nonce = "nonce-1234");
	FEED(2 * S, .from = PBX, .to = "192.0.2.20", .method = "INVITE", .call_id = "out",
		.uri = "sip:0044207@x");
	FEED(2 * S, .from = "192.0.2.20", .to = PBX, .method = "INVITE", .call_id = "out",
		.status = 404);
	assert_int_equal(n_seen, 0);
	/* The carrier challenges too: it does not become one of ours by that. */
	FEED(3 * S, .from = PBX, .to = "192.0.2.20", .call_id = "reg");
	FEED(3 * S, .from = "192.0.2.20", .to = PBX, .call_id = "reg", .status = 401,
		.nonce = "of-carrier");
	FEED(9 * S, .from = "192.0.2.20", .method = "INVITE", .call_id = "in",
		.uri = "sip:0044207@x");
	n_seen = 0;
	FEED(9 * S, .to = "192.0.2.20", .method = "INVITE", .call_id = "in",
		.status = 404);
	only(OBSERVED_CALL_REJECTED, PROOF_NONE);

	/* Configured: known from the first message. */
	config.servers = &own;
	config.n_servers = 1;
	config.learn_servers = false;
	wire_steps_restart(&config);
	FEED(1 * S, .from = PBX, .to = "192.0.2.20", .method = "INVITE",
		.uri = "sip:0044207@x");
	FEED(1 * S, .from = "192.0.2.20", .to = PBX, .method = "INVITE", .status = 404);
	assert_int_equal(n_seen, 0);
}

static void test_tools(void **state)
{
	(void)state;
	FEED(1 * S, .method = "OPTIONS", .agent = "Friendly-Scanner/1");
	FEED(1 * S, .method = "OPTIONS", .agent = "Friendly-Scanner/1", .status = 200);
	only(OBSERVED_SCAN, PROOF_NONE);
	FEED(1 * S, .method = "OPTIONS", .call_id = "c2", .agent = "sipcli/v1.8");
	wire_expire(wire, 4 * S);
	only(OBSERVED_SCAN, PROOF_NONE);
	FEED(5 * S, .method = "OPTIONS", .call_id = "c3", .agent = "sipsak 0.9.8.1");
	wire_expire(wire, 9 * S);
	assert_int_equal(n_seen, 0);
	/* A shut door; no answer at all is no sign of one. */
	FEED(10 * S, .call_id = "c5", .agent = "pplsip");
	FEED(10 * S, .call_id = "c6", .agent = "pplsip");
	FEED(10 * S, .call_id = "c6", .agent = "pplsip", .status = 403);
	assert_int_equal(
		only(OBSERVED_SCAN, PROOF_NONE)->signs, SIGN_TOOL | SIGN_UNSERVED);
	wire_expire(wire, 13 * S);
	assert_int_equal(only(OBSERVED_SCAN, PROOF_NONE)->signs, SIGN_TOOL);
	/* Who gave credentials is refused as an account, not as an address. */
	FEED(20 * S, .call_id = "c7", .agent = "pplsip", .nonce = "n");
	FEED(20 * S, .call_id = "c7", .agent = "pplsip", .status = 403);
	assert_int_equal(n_seen, 1);
	assert_int_equal(seen[0].signs & SIGN_UNSERVED, 0);
}

static void test_malformed(void **state)
{
	static const char request[] = "REGISTER sip:x SIP/2.0\r\nFrom: <<<>\r\n\r\n";
	static const char response[] = "SIP/2.0 200 OK\r\nFrom: <<<>\r\n\r\n";
	struct wire_figures f;

	(void)state;
	feed_text(&(struct step){0}, request, sizeof request - 1, 1 * S);
	only(OBSERVED_MALFORMED, PROOF_NONE);
	feed_text(&(struct step){0}, response, sizeof response - 1, 1 * S);
	feed_text(&(struct step){0}, "\r\n\r\n", 4, 1 * S);
	feed_text(&(struct step){0}, "GET / HTTP/1.0\r\n\r\n", 18, 1 * S);
	assert_int_equal(n_seen, 0);
	FEED(2 * S, 0);
	FEED(2 * S, .status = 400);
	only(OBSERVED_MALFORMED, PROOF_NONE);
	wire_figures(wire, &f);
	assert_int_equal(f.malformed, 2);
	assert_int_equal(f.keepalives, 1);
	assert_int_equal(f.not_sip, 1);
	assert_int_equal(f.requests, 1);
	assert_int_equal(f.responses, 1);
	assert_int_equal(f.observations[OBSERVED_MALFORMED], 2);
	assert_in_range(f.memory, 1 << 20, 4 << 20);
}

/* What an INVITE dialled is told once, whatever became of it. */
static void test_dialled(void **state)
{
	(void)state;
	/* Refused for want of lines, busy, answered without being asked who. */
	FEED(1 * S, .method = "INVITE", .uri = "sip:00972590000101@" PBX);
	FEED(1 * S, .method = "INVITE", .status = 503);
	assert_string_equal(
		only(OBSERVED_DIALLED, PROOF_NONE)->dialled, "00972590000101");
	FEED(2 * S, .method = "INVITE", .call_id = "c2", .uri = "sip:%30044@" PBX);
	FEED(2 * S, .method = "INVITE", .call_id = "c2", .status = 486);
	assert_string_equal(only(OBSERVED_DIALLED, PROOF_NONE)->dialled, "0044");
	FEED(3 * S, .method = "INVITE", .call_id = "c3", .uri = "sip:810@" PBX);
	FEED(3 * S, .method = "INVITE", .call_id = "c3", .status = 200);
	assert_string_equal(only(OBSERVED_DIALLED, PROOF_NONE)->dialled, "810");
	/* Never answered; a retransmission is no second one, nor is time. */
	FEED(4 * S, .method = "INVITE", .call_id = "c4", .uri = "sip:011@" PBX);
	FEED(5 * S, .method = "INVITE", .call_id = "c4", .uri = "sip:011@" PBX);
	wire_expire(wire, 5 * S);
	assert_int_equal(n_seen, 0);
	/* Two refusals that nobody acknowledges are signs beside it. */
	wire_expire(wire, 7 * S);
	assert_int_equal(n_seen, 3);
	assert_int_equal(count(OBSERVED_PROOF), 2);
	assert_int_equal(count(OBSERVED_DIALLED), 1);
	n_seen = 0;
	wire_expire(wire, 10 * S);
	wire_expire(wire, 300 * S);
	assert_int_equal(n_seen, 0);
	/* An answer that says something tells it itself; other methods dial nothing. */
	FEED(400 * S, .method = "INVITE", .call_id = "c5", .uri = "sip:0900@" PBX);
	FEED(400 * S, .method = "INVITE", .call_id = "c5", .status = 403);
	assert_string_equal(only(OBSERVED_CALL_REJECTED, PROOF_NONE)->dialled, "0900");
	FEED(500 * S, .method = "OPTIONS", .call_id = "c6", .uri = "sip:0900@" PBX);
	FEED(500 * S, .method = "OPTIONS", .call_id = "c6", .status = 200);
	wire_expire(wire, 900 * S);
	assert_int_equal(n_seen, count(OBSERVED_PROOF)); /* no ACK, as above */
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, wire_steps_setup, wire_steps_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_options),
		TEST(test_reused_call_id),
		TEST(test_invite),
		TEST(test_forbidden),
		TEST(test_own_calls),
		TEST(test_dialled),
		TEST(test_tools),
		TEST(test_malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
