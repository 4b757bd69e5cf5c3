/* SPDX-License-Identifier: Apache-2.0 */
/* Challenges, credentials, and what they prove. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "wire_steps.h"

static void test_accepted(void **state)
{
	const struct observation *o;

	(void)state;
	FEED(1 * S, 0);
	FEED(1 * S, .status = 401, .nonce = "nonce-1234");
	FEED(2 * S, .cseq = 2, .nonce = "nonce-1234");
	assert_int_equal(n_seen, 0);
	FEED(2 * S, .cseq = 2, .status = 200);
	o = only(OBSERVED_AUTH_OK, PROOF_AUTH);
	assert_string_equal(o->account, "101");
	assert_string_equal(o->agent, "Phone");
	assert_int_equal(o->port, 5070);
	assert_int_equal(o->sensor, SENSOR_HEP);
	assert_int_equal(o->transport, TRANSPORT_UDP);
	assert_int_equal(o->time, 2 * S);
	assert_true(address_eq(&o->source, &(struct address){4, {198, 51, 100, 7}}));
	assert_int_equal(o->attempt, attempt("c1", "r-nonce-1234-2"));
	wire_expire(wire, 100 * S);
	assert_int_equal(n_seen, 0);
}

static void test_refused(void **state)
{
	(void)state;
	FEED(1 * S, 0);
	FEED(1 * S, .status = 401, .nonce = "nonce-1234");
	FEED(1 * S, .cseq = 2, .nonce = "nonce-1234");
	FEED(1 * S, .cseq = 2, .status = 401, .nonce = "nonce-5678");
	assert_int_equal(only(OBSERVED_AUTH_FAILED, PROOF_NONCE)->attempt,
		attempt("c1", "r-nonce-1234-2"));
	/* Another guess under the same Call-ID is another attempt. */
	FEED(2 * S, .cseq = 3, .nonce = "nonce-5678");
	FEED(2 * S, .cseq = 3, .status = 403);
	assert_int_equal(only(OBSERVED_AUTH_FAILED, PROOF_NONCE)->attempt,
		attempt("c1", "r-nonce-5678-3"));
	/* Retransmissions of both are none. */
	FEED(3 * S, .cseq = 3, .nonce = "nonce-5678");
	FEED(3 * S, .cseq = 3, .status = 403);
	wire_expire(wire, 30 * S);
	assert_int_equal(n_seen, 0);
}

static void test_forged_nonce(void **state)
{
	(void)state;
	FEED(1 * S, .nonce = "forged-nonce");
	FEED(1 * S, .status = 401, .nonce = "nonce-1234");
	only(OBSERVED_AUTH_FAILED, PROOF_NONE);
	/* Fetched by another address and relayed. */
	FEED(2 * S, .from = "198.51.100.8");
	FEED(2 * S, .to = "198.51.100.8", .status = 401, .nonce = "nonce-of-8");
	FEED(3 * S, .cseq = 5, .nonce = "nonce-of-8");
	FEED(3 * S, .cseq = 5, .status = 401, .nonce = "nonce-5678");
	only(OBSERVED_AUTH_FAILED, PROOF_NONE);
}

static void test_unanswered_challenge(void **state)
{
	const struct observation *o;

	(void)state;
	FEED(1 * S, .method = "INVITE", .uri = "sip:9011%3972590000101@" PBX,
		.user = "1000");
	FEED(1 * S, .method = "INVITE", .status = 401, .nonce = "nonce-1234",
		.tag = "z9hG4bK-1");
	FEED(1 * S, .method = "ACK", .tag = "z9hG4bK-1");
	wire_expire(wire, 1 * S + 1999 * MS);
	assert_int_equal(n_seen, 0);
	wire_expire(wire, 3 * S);
	o = only(OBSERVED_SCAN, PROOF_NONE);
	assert_string_equal(o->dialled, "9011972590000101");
	assert_string_equal(o->account, "1000");
	assert_int_equal(o->attempt, attempt("c1", ""));
	assert_int_equal(o->time, 3 * S);
	wire_expire(wire, 300 * S);
	assert_int_equal(n_seen, 0);
}

/* A stale nonce is asked for anew; neither failure nor scan. */
static void test_stale(void **state)
{
	(void)state;
	FEED(1 * S, .nonce = "old-nonce");
	FEED(1 * S, .status = 401, .nonce = "new-nonce", .stale = true);
	assert_int_equal(n_seen, 0);
	FEED(1 * S, .cseq = 2, .nonce = "new-nonce");
	FEED(1 * S, .cseq = 2, .status = 200);
	only(OBSERVED_AUTH_OK, PROOF_AUTH);
	wire_expire(wire, 30 * S);
	assert_int_equal(n_seen, 0);
	/* Who never comes back with the fresh one was only probing. */
	FEED(40 * S, .cseq = 3, .nonce = "old-nonce");
	FEED(40 * S, .cseq = 3, .status = 401, .nonce = "new-nonce2", .stale = true);
	wire_expire(wire, 43 * S);
	only(OBSERVED_SCAN, PROOF_NONE);
}

/* Credentials for another realm are no failure here, and no answer either. */
static void test_other_realm(void **state)
{
	(void)state;
	FEED(1 * S, .nonce = "nonce-1234", .realm = "proxy");
	FEED(1 * S, .status = 401, .nonce = "nonce-5678");
	assert_int_equal(n_seen, 0);
	wire_expire(wire, 4 * S);
	only(OBSERVED_SCAN, PROOF_NONE);
}

/* Kamailio's workers: the answer is seen before the challenge. */
static void test_out_of_order(void **state)
{
	(void)state;
	FEED(1 * S, 0);
	FEED(1 * S, .cseq = 2, .nonce = "nonce-1234");
	FEED(1 * S, .cseq = 2, .status = 403);
	only(OBSERVED_AUTH_FAILED, PROOF_NONE);
	FEED(1 * S + MS, .status = 401, .nonce = "nonce-1234");
	assert_int_equal(only(OBSERVED_PROOF, PROOF_NONCE)->attempt,
		attempt("c1", "r-nonce-1234-2"));
	/* Challenge between credentials and success: one observation. */
	FEED(5 * S, .call_id = "c2");
	FEED(5 * S, .call_id = "c2", .cseq = 2, .nonce = "nonce-5678");
	FEED(5 * S, .call_id = "c2", .status = 401, .nonce = "nonce-5678");
	FEED(5 * S, .call_id = "c2", .cseq = 2, .status = 200);
	only(OBSERVED_AUTH_OK, PROOF_AUTH);
	wire_expire(wire, 60 * S);
	assert_int_equal(n_seen, 0);
}

/* Proved credentials that the PBX leaves unanswered still prove. */
static void test_no_answer(void **state)
{
	(void)state;
	FEED(1 * S, 0);
	FEED(1 * S, .status = 401, .nonce = "nonce-1234");
	FEED(1 * S, .cseq = 2, .nonce = "nonce-1234");
	wire_expire(wire, 2 * S);
	assert_int_equal(n_seen, 0);
	wire_expire(wire, 3 * S);
	only(OBSERVED_PROOF, PROOF_NONCE);
	wire_expire(wire, 300 * S);
	/* A plain request that nobody answers says nothing. */
	FEED(400 * S, .call_id = "c2");
	wire_expire(wire, 700 * S);
	assert_int_equal(n_seen, 0);
}

/* The Via is the sender's word; HEP's protocol is the PBX's. */
static void test_transport(void **state)
{
	static const struct {
		uint8_t protocol;
		const char *via;
		uint8_t transport, proof;
	} cases[] = {
		{HEP_PROTOCOL_UDP, "TLS", TRANSPORT_UDP, PROOF_NONE},
		{HEP_PROTOCOL_UDP, "WSS", TRANSPORT_UDP, PROOF_NONE},
		{132, "TCP", TRANSPORT_UDP, PROOF_NONE},
		{HEP_PROTOCOL_TCP, "UDP", TRANSPORT_TCP, PROOF_TCP},
		{HEP_PROTOCOL_TCP, "tls", TRANSPORT_TLS, PROOF_TCP},
		{HEP_PROTOCOL_TCP, "WS", TRANSPORT_WS, PROOF_TCP},
		{HEP_PROTOCOL_TCP, "WSS", TRANSPORT_WSS, PROOF_TCP},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		FEED(1 * S, .cseq = 10 + i, .protocol = cases[i].protocol,
			.transport = cases[i].via);
		FEED(1 * S, .cseq = 10 + i, .status = 404, .transport = cases[i].via);
		assert_int_equal(
			only(OBSERVED_UNKNOWN_ACCOUNT, cases[i].proof)->transport,
			cases[i].transport);
	}
}

/* Credentials that nobody asked for do not make a good source. */
static void test_worthless_credentials(void **state)
{
	(void)state;
	FEED(1 * S, .method = "OPTIONS", .nonce = "made-up-nonce");
	FEED(1 * S, .method = "OPTIONS", .status = 200);
	assert_int_equal(n_seen, 0);
	/* Nor with a nonce that was meant for a REGISTER. */
	FEED(2 * S, .call_id = "c2");
	FEED(2 * S, .call_id = "c2", .status = 401, .nonce = "nonce-1234");
	FEED(2 * S, .call_id = "c3", .method = "OPTIONS", .nonce = "nonce-1234");
	FEED(2 * S, .call_id = "c3", .method = "OPTIONS", .status = 200);
	only(OBSERVED_PROOF, PROOF_NONCE);
	assert_int_equal(count(OBSERVED_AUTH_OK), 0);
}

static void test_ack(void **state)
{
	const char *tag = "fd4a04ff-6c11-4164-927f-67fa1a87b594";
	const struct observation *o;

	(void)state;
	FEED(1 * S, .method = "INVITE", .uri = "sip:900972590000101@x");
	FEED(1 * S, .method = "INVITE", .status = 404, .tag = tag);
	only(OBSERVED_CALL_REJECTED, PROOF_NONE);
	FEED(1 * S, .method = "ACK", .tag = "fd4a04ff-0000-0000-0000-67fa1a87b594");
	FEED(1 * S, .from = "198.51.100.8", .method = "ACK", .tag = tag);
	assert_int_equal(n_seen, 0);
	FEED(1 * S, .method = "ACK", .tag = tag);
	o = only(OBSERVED_PROOF, PROOF_ACK);
	assert_int_equal(o->attempt, attempt("c1", ""));
	assert_int_equal(o->signs, SIGN_TOOK_PART);
	FEED(1 * S, .method = "ACK", .tag = tag);
	assert_int_equal(n_seen, 0);
	/* The tag of pjsip's 401 is the branch, which a spoofer chose himself. */
	FEED(2 * S, .method = "INVITE", .call_id = "c2", .branch = "z9hG4bKchosen");
	FEED(2 * S, .method = "INVITE", .call_id = "c2", .branch = "z9hG4bKchosen",
		.status = 401, .nonce = "nonce-1234", .tag = "z9hG4bKchosen");
	FEED(2 * S, .method = "ACK", .call_id = "c2", .tag = "z9hG4bKchosen");
	assert_int_equal(n_seen, 0);
	/* It is a sign all the same, once it is an attempt. */
	wire_expire(wire, 5 * S);
	assert_int_equal(only(OBSERVED_SCAN, PROOF_NONE)->signs, SIGN_TOOK_PART);
}

/* What speaks for or against a source that nothing proves. */
static void test_signs(void **state)
{
	const struct observation *o;

	(void)state;
	/* An OPTIONS is answered, and a BYE repeats its tag, derivable or not. */
	FEED(1 * S, .method = "OPTIONS", .call_id = "o");
	FEED(1 * S, .method = "OPTIONS", .call_id = "o", .status = 404, .tag = "as1");
	o = only(OBSERVED_UNKNOWN_ACCOUNT, PROOF_NONE);
	assert_int_equal(o->signs, 0);
	assert_int_equal(o->method, SIP_OPTIONS);
	FEED(1 * S, .method = "BYE", .call_id = "o", .cseq = 2, .tag = "as2");
	assert_int_equal(n_seen, 0);
	FEED(1 * S, .method = "BYE", .call_id = "o", .cseq = 2, .tag = "as1");
	assert_int_equal(only(OBSERVED_PROOF, PROOF_NONE)->signs, SIGN_TOOK_PART);
	/* A nonce that this address was never sent. */
	FEED(2 * S, .call_id = "r", .nonce = "made-up-1");
	FEED(2 * S, .call_id = "r", .nonce = "nonce-9999", .status = 401);
	assert_int_equal(only(OBSERVED_AUTH_FAILED, PROOF_NONE)->signs, SIGN_FORGED);
	/* A refused INVITE that nobody acknowledges, over UDP; told once. */
	FEED(3 * S, .method = "INVITE", .call_id = "i", .uri = "sip:0097250@x");
	FEED(3 * S, .method = "INVITE", .call_id = "i", .status = 403, .tag = "t1");
	only(OBSERVED_CALL_REJECTED, PROOF_NONE);
	wire_expire(wire, 6 * S);
	assert_int_equal(n_seen, 0);
	wire_expire(wire, 8 * S);
	assert_int_equal(only(OBSERVED_PROOF, PROOF_NONE)->signs, SIGN_FORGED);
	wire_expire(wire, 10 * S);
	assert_int_equal(n_seen, 0);
	/* A tool says so itself. */
	FEED(20 * S, .method = "OPTIONS", .call_id = "t", .agent = "friendly-scanner");
	wire_expire(wire, 25 * S);
	assert_int_equal(only(OBSERVED_SCAN, PROOF_NONE)->signs, SIGN_TOOL);
}

/* Sixty phones behind one address register within 60 ms after a power cut. */
static void test_nat(void **state)
{
	char id[60][8];

	(void)state;
	for (unsigned i = 0; i < 60; i++) {
		snprintf(id[i], sizeof id[i], "n%u", i);
		FEED(1 * S + i * MS, .call_id = id[i]);
		FEED(1 * S + i * MS, .call_id = id[i], .status = 401,
			.nonce = "nonce-1234");
	}
	for (unsigned i = 0; i < 60; i++) {
		FEED(1 * S + (100 + i) * MS, .call_id = id[i], .cseq = 2,
			.nonce = "nonce-1234");
		FEED(1 * S + (100 + i) * MS, .call_id = id[i], .cseq = 2, .status = 200);
	}
	wire_expire(wire, 100 * S);
	assert_int_equal(count(OBSERVED_SCAN), 0);
	assert_int_equal(count(OBSERVED_AUTH_OK), 60);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, wire_steps_setup, wire_steps_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_accepted),
		TEST(test_refused),
		TEST(test_forged_nonce),
		TEST(test_unanswered_challenge),
		TEST(test_stale),
		TEST(test_other_realm),
		TEST(test_out_of_order),
		TEST(test_no_answer),
		TEST(test_transport),
		TEST(test_worthless_credentials),
		TEST(test_ack),
		TEST(test_signs),
		TEST(test_nat),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
