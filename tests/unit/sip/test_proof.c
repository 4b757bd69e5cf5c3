/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sip/proof.h"

#define S     USEC_PER_SEC
#define NONCE view_str("1795291461/7bf196f9c72de767")

static struct proofs *proofs;
static struct address pbx, phone, victim;

static struct address address(const char *text)
{
	struct address a;

	assert_int_equal(address_parse(&a, view_str(text), NULL), 0);
	return a;
}

static int setup(void **state)
{
	(void)state;
	proofs = proofs_new(&proof_config_default, (struct hash_key){7, 9});
	pbx = address("192.0.2.10");
	phone = address("198.51.100.7");
	victim = address("198.51.100.200");
	return proofs ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	proofs_free(proofs);
	return 0;
}

static bool issued(const struct address *client, struct view nonce, usec now)
{
	return proof_nonce_issued(proofs, client, &pbx, nonce, SIP_REGISTER, now);
}

static bool answered(const struct address *client, struct view nonce, usec now)
{
	return proof_nonce_answered(proofs, client, &pbx, nonce, SIP_REGISTER, now)
		.proved;
}

static void test_nonce(void **state)
{
	struct proof_answer a;

	(void)state;
	assert_false(answered(&phone, view_str("forged nonce"), 0));
	assert_false(issued(&phone, NONCE, 1 * S));
	assert_true(answered(&phone, NONCE, 2 * S));
	assert_true(answered(&phone, NONCE, 3 * S)); /* svcrack keeps its nonce */
	/* Relayed to another address, or to another server. */
	assert_false(answered(&victim, NONCE, 3 * S));
	assert_false(
		proof_nonce_answered(proofs, &phone, &victim, NONCE, SIP_REGISTER, 3 * S)
			.known);
	/* For another method it proves the address, and not the account. */
	a = proof_nonce_answered(proofs, &phone, &pbx, NONCE, SIP_OPTIONS, 4 * S);
	assert_true(a.known);
	assert_true(a.proved);
	assert_false(a.same_method);
	/* An hour after its last use it is forgotten. */
	assert_true(answered(&phone, NONCE, 3000 * S));
	assert_false(answered(&phone, NONCE, 6601 * S));
	/* Too short to be a secret. */
	assert_false(issued(&phone, view_str("1234567"), 1 * S));
	assert_false(answered(&phone, view_str("1234567"), 1 * S));
}

static void test_out_of_order(void **state)
{
	(void)state;
	assert_false(answered(&phone, NONCE, 10 * S));
	assert_true(issued(&phone, NONCE, 12 * S));
	assert_false(issued(&phone, NONCE, 12 * S)); /* told once */
	assert_false(answered(&victim, NONCE, 10 * S));
	assert_false(issued(&phone, view_str("another nonce"), 10 * S));
	/* Longer than two seconds is no reordering. */
	assert_false(answered(&phone, view_str("guessed nonce"), 20 * S));
	assert_false(issued(&phone, view_str("guessed nonce"), 22 * S + 1));
	assert_true(answered(&phone, view_str("guessed nonce"), 23 * S));
}

/*
 * Kamailio without auth_checks: one nonce a second for everybody. Who fetched
 * it under his own address knows what a spoofed victim was sent.
 */
static void test_shared_nonce(void **state)
{
	struct proof_figures f;

	(void)state;
	assert_false(issued(&phone, NONCE, 1 * S));
	assert_false(issued(&victim, NONCE, 1 * S));
	assert_false(answered(&victim, NONCE, 2 * S));
	assert_false(answered(&phone, NONCE, 2 * S));
	assert_true(proof_nonce_answered(proofs, &phone, &pbx, NONCE, SIP_REGISTER, 2 * S)
			    .known);
	/* Nor do its other nonces; early answers neither. */
	assert_false(issued(&phone, view_str("second nonce"), 600 * S));
	assert_false(answered(&phone, view_str("second nonce"), 601 * S));
	assert_false(answered(&victim, view_str("third nonce"), 601 * S));
	assert_false(issued(&victim, view_str("third nonce"), 601 * S));
	proofs_figures(proofs, &f);
	assert_int_equal(f.nonces_proved, 0);
	assert_int_equal(f.nonces_shared, 1);
	/* After an hour of good conduct it is believed again. */
	assert_false(issued(&phone, view_str("fourth nonce"), 3602 * S));
	assert_true(answered(&phone, view_str("fourth nonce"), 3603 * S));
}

/* A proxy passes the PBX's challenge on: two servers, one nonce, no sharing. */
static void test_relayed_challenge(void **state)
{
	struct address proxy = address("192.0.2.11");

	(void)state;
	assert_false(issued(&proxy, NONCE, 1 * S));
	assert_false(
		proof_nonce_issued(proofs, &phone, &proxy, NONCE, SIP_INVITE, 1 * S));
	assert_true(proof_nonce_answered(proofs, &phone, &proxy, NONCE, SIP_INVITE, 1 * S)
			    .proved);
}

static void test_tag(void **state)
{
	struct view id = view_str("call-1"), tag = view_str("fd4a04ff-6c11");

	(void)state;
	proof_tag_given(proofs, &phone, &pbx, id, tag, 1 * S);
	assert_int_equal(
		proof_tag_used(proofs, &victim, &pbx, id, tag, 2 * S), PROOF_TAG_UNKNOWN);
	assert_int_equal(
		proof_tag_used(proofs, &phone, &pbx, view_str("call-2"), tag, 2 * S),
		PROOF_TAG_UNKNOWN);
	assert_int_equal(proof_tag_used(proofs, &phone, &pbx, id,
				 view_str("fd4a04ff-6c12"), 2 * S),
		PROOF_TAG_UNKNOWN);
	assert_int_equal(
		proof_tag_used(proofs, &phone, &pbx, id, tag, 2 * S), PROOF_TAG_FIRST);
	assert_int_equal(
		proof_tag_used(proofs, &phone, &pbx, id, tag, 3 * S), PROOF_TAG_AGAIN);
	/* 200 OK repeats the tag of 180: still the same proof. */
	proof_tag_given(proofs, &phone, &pbx, id, tag, 4 * S);
	assert_int_equal(
		proof_tag_used(proofs, &phone, &pbx, id, tag, 5 * S), PROOF_TAG_AGAIN);
}

static bool secret(
	const char *branch, const char *from_tag, const char *call_id, const char *tag)
{
	struct sip_message m = {0};

	m.via.branch = view_str(branch);
	m.from.tag = view_str(from_tag);
	m.call_id = view_str(call_id);
	m.to.tag = view_str(tag);
	return proof_tag_is_secret(&m);
}

static void test_secret(void **state)
{
	(void)state;
	/* Asterisk, a stateful 404. */
	assert_true(secret("z9hG4bKd505p8ygtn", "33210", "fc5oz9z625",
		"b71265c6-265f-4f78-beba-a346d2487918"));
	/* pjsip's stateless 401: the tag is the branch. */
	assert_false(
		secret("z9hG4bKd505p8ygtn", "33210", "fc5oz9z625", "z9hG4bKd505p8ygtn"));
	assert_false(secret("z9hG4bKabc", "f", "c", "srv-z9hG4bKabc-1"));
	assert_false(secret("z9hG4bKabcdefgh", "f", "c", "abcdefgh"));
	assert_false(secret("b", "from-tag-1", "c", "from-tag-1"));
	assert_false(secret("b", "f", "1-2345@192.0.2.1", "1-2345@192.0.2.1.x"));
	/* Kamailio: a constant prefix and a CRC of the request's own Via. */
	assert_false(secret("b", "f", "c", "8068789c6f489f848d68f11e81141125.2a321f79"));
	assert_false(secret("b", "f", "c", "8068789c6f489f848d68f11e81141125-2a32"));
	assert_true(secret("b", "f", "c", "8068789c6f489f848d68f11e8114112x.2a321f79"));
	/* Too short. */
	assert_false(secret("b", "f", "c", "as12345"));
	assert_true(secret("b", "f", "c", "as1234567"));
}

/*
 * A phone keeps its nonce while one spoofed address is challenged a thousand
 * times, and while two thousand others are challenged once.
 */
static void test_flood(void **state)
{
	char text[32];

	(void)state;
	assert_false(issued(&phone, NONCE, 1 * S));
	for (int i = 0; i < 1000; i++) {
		snprintf(text, sizeof text, "flooding nonce %d", i);
		issued(&victim, view_str(text), 1 * S + (usec)i);
	}
	assert_true(answered(&phone, NONCE, 2 * S));
	for (uint32_t i = 0; i < 2000; i++) {
		struct address a = {
			.family = 4, .bytes = {203, 0, (uint8_t)(i >> 8), (uint8_t)i}};

		snprintf(text, sizeof text, "nonce for %04u", i);
		issued(&a, view_str(text), 3 * S + i);
	}
	assert_true(answered(&phone, NONCE, 4 * S));
}

/* The tables stay at their size whatever comes. */
static void test_memory(void **state)
{
	struct proof_figures f;
	char text[32];

	(void)state;
	for (uint32_t i = 0; i < 200000; i++) {
		struct address a = {.family = 4};

		be32_store(a.bytes, i * 2654435761u);
		snprintf(text, sizeof text, "nonce %06u", i);
		issued(&a, view_str(text), i);
		proof_tag_given(proofs, &a, &pbx, view_str("id"), view_str(text), i);
		if (i % 1000 == 0)
			assert_true(answered(&a, view_str(text), i));
	}
	proofs_figures(proofs, &f);
	assert_int_equal(f.nonces_issued, 200000);
	assert_in_range(f.memory, 700000, 1 << 20);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_nonce),
		TEST(test_out_of_order),
		TEST(test_shared_nonce),
		TEST(test_relayed_challenge),
		TEST(test_tag),
		TEST(test_secret),
		TEST(test_flood),
		TEST(test_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
