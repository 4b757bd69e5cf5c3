/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the scenarios (tests/scenario/detect) cannot say: hostile fields, memory,
 * verdicts about another source than the one observed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "detect/attempt.h"
#include "detect/source.h"

#define START (1767225600 * USEC_PER_SEC)

static const struct hash_key key = {1, 2};

static struct observation at(
	usec time, const char *source, uint8_t kind, uint64_t attempt)
{
	struct observation o = {.time = START + time,
		.kind = kind,
		.attempt = attempt,
		.transport = TRANSPORT_UDP,
		.sensor = SENSOR_HEP};

	assert_int_equal(address_parse(&o.source, view_str(source), NULL), 0);
	return o;
}

static void test_hostile_fields(void **state)
{
	struct detector *d = detector_new(&detect_config_default, key);
	struct detection out;
	struct detect_figures f;
	struct observation o;

	(void)state;
	/* Kinds, proofs, sensors and addresses that no enum knows. */
	for (unsigned kind = 0; kind < 256; kind++) {
		o = at(kind, "198.51.100.1", (uint8_t)kind, 1000 + kind);
		o.proof = (uint8_t)(255 - kind);
		o.sensor = (uint8_t)kind;
		detector_feed(d, &o, &out);
	}
	o = at(0, "198.51.100.1", OBSERVED_AUTH_FAILED, 1);
	memset(&o.source, 0, sizeof(o.source));
	for (o.attempt = 1; o.attempt < 10; o.attempt++)
		assert_false(detector_feed(d, &o, &out));
	detector_figures(d, &f);
	assert_int_equal(f.observations, 265);
	assert_int_equal(f.sources, 1);
	detector_free(d);
	detector_free(NULL);
}

static void test_due_of_another(void **state)
{
	struct detector *d = detector_new(&detect_config_default, key);
	struct detection out;
	struct observation o;

	(void)state;
	for (unsigned i = 0; i < 10; i++) {
		o = at(i, "198.51.100.33", OBSERVED_SCAN, 100 + i);
		assert_false(detector_feed(d, &o, &out));
	}
	o = at(2 * USEC_PER_SEC, "192.0.2.1", OBSERVED_AUTH_OK, 1);
	assert_false(detector_feed(d, &o, &out));
	o = at(4 * USEC_PER_SEC, "192.0.2.1", OBSERVED_AUTH_OK, 2);
	assert_true(detector_feed(d, &o, &out));
	o = at(0, "198.51.100.33", OBSERVED_SCAN, 0);
	assert_true(address_eq(&out.source, &o.source));
	assert_int_equal(out.time, START + 4 * USEC_PER_SEC);
	assert_int_equal(out.category, CATEGORY_SCAN);
	assert_int_equal(out.attempts, 10);
	assert_int_equal(out.window, 4);
	assert_int_equal(out.sensor, SENSOR_HEP);
	assert_false(detector_due(d, START + 60 * USEC_PER_SEC, &out));
	detector_free(d);
}

/* Both are due at one time, and the one observed is detected as well. */
static void test_none_is_lost(void **state)
{
	struct detector *d = detector_new(&detect_config_default, key);
	struct detection out;
	struct observation o;
	unsigned i;

	(void)state;
	for (i = 0; i < 30; i++) {
		o = at(i, i % 2 ? "198.51.100.33" : "198.51.100.34", OBSERVED_SCAN,
			100 + i);
		assert_false(detector_feed(d, &o, &out));
	}
	for (i = 0; i < 2; i++) {
		o = at(1000, "198.51.100.35", OBSERVED_AUTH_FAILED, 200 + i);
		assert_false(detector_feed(d, &o, &out));
	}
	o = at(5 * USEC_PER_SEC, "198.51.100.35", OBSERVED_AUTH_FAILED, 300);
	assert_true(detector_feed(d, &o, &out));
	assert_int_equal(out.category, CATEGORY_PASSWORD);
	assert_true(detector_due(d, o.time, &out));
	assert_int_equal(out.category, CATEGORY_SCAN);
	assert_true(detector_due(d, o.time, &out));
	assert_int_equal(out.category, CATEGORY_SCAN);
	assert_false(detector_due(d, o.time, &out));
	detector_free(d);
}

/* One source sends what it wants: what is kept of it has a bound. */
static void test_memory_is_bounded(void **state)
{
	struct detect_config config = detect_config_default;
	struct detect_figures before, after;
	struct detector *d;
	struct detection out;
	struct observation o;

	(void)state;
	config.rules[OBSERVED_AUTH_FAILED].threshold = 64;
	config.success_factor = 1;
	d = detector_new(&config, key);
	o = at(0, "198.51.100.1", OBSERVED_AUTH_OK, 1);
	detector_feed(d, &o, &out);
	detector_figures(d, &before);
	for (unsigned i = 0; i < 100000; i++) {
		o = at(i, "198.51.100.1", OBSERVED_AUTH_FAILED, 10 + i);
		assert_int_equal(detector_feed(d, &o, &out), i == 63);
	}
	detector_figures(d, &after);
	assert_true(after.memory - before.memory <=
		(ATTEMPTS_MAX + ATTEMPTS_SPARE) * sizeof(struct attempt));
	assert_int_equal(after.detections, 1);
	detector_free(d);
}

/* A table of one, and a configuration of zeros, are no reason to fall over. */
static void test_least_config(void **state)
{
	struct detect_config config = {0};
	struct detector *d = detector_new(&config, key);
	struct detect_figures f;
	struct detection out;
	struct observation o;

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		o = at(i, i % 2 ? "198.51.100.1" : "2001:db8::1", OBSERVED_AUTH_FAILED,
			i);
		assert_false(detector_feed(d, &o, &out));
	}
	detector_figures(d, &f);
	assert_int_equal(f.sources, 1);
	assert_int_equal(f.evicted, 999);
	config.rules[OBSERVED_AUTH_FAILED] = (struct detect_rule){1, 60};
	detector_configure(d, &config);
	o = at(0, "198.51.100.1", OBSERVED_AUTH_FAILED, 5000);
	assert_true(detector_feed(d, &o, &out));
	assert_int_equal(out.ban, 0);
	detector_free(d);
}

/* Evicted while it waits to become ripe: nothing is left pointing to it. */
static void test_evicted_while_ripening(void **state)
{
	struct detect_config config = detect_config_default;
	struct detector *d;
	struct detection out;
	struct observation o;

	(void)state;
	config.sources_max = 2;
	d = detector_new(&config, key);
	for (unsigned i = 0; i < 20; i++) {
		o = at(i, "198.51.100.1", OBSERVED_SCAN, 100 + i);
		assert_false(detector_feed(d, &o, &out));
	}
	o = at(100, "198.51.100.2", OBSERVED_SCAN, 1);
	detector_feed(d, &o, &out);
	o = at(100, "198.51.100.3", OBSERVED_SCAN, 1);
	detector_feed(d, &o, &out);
	assert_false(detector_due(d, START + 10 * USEC_PER_SEC, &out));
	detector_free(d);
}

static enum failed failed(const struct detector *d, const char *source, usec now)
{
	struct address a;

	assert_int_equal(address_parse(&a, view_str(source), NULL), 0);
	return detector_failed(d, &a, START + now);
}

/* Whose success is to be believed. */
static void test_failed(void **state)
{
	static const uint8_t kinds[] = {OBSERVED_AUTH_FAILED, OBSERVED_UNKNOWN_ACCOUNT,
		OBSERVED_CALL_REJECTED, OBSERVED_MALFORMED};
	const usec window = 600 * USEC_PER_SEC;
	struct detector *d = detector_new(&detect_config_default, key);
	struct detection out;
	struct observation o;
	struct address a;
	char source[32];

	(void)state;
	assert_int_equal(failed(d, "198.51.100.1", 0), FAILED_NOT);
	for (unsigned i = 0; i < sizeof(kinds); i++) {
		snprintf(source, sizeof(source), "198.51.100.%u", i + 10);
		o = at(0, source, kinds[i], 1 + i);
		assert_false(detector_feed(d, &o, &out));
		assert_int_equal(failed(d, source, 0), FAILED_UNPROVED);
		assert_int_equal(failed(d, source, window - 1), FAILED_UNPROVED);
		/* A wrong password is held against it for a day: some guess slowly. */
		assert_int_equal(failed(d, source, window),
			kinds[i] == OBSERVED_AUTH_FAILED ? FAILED_UNPROVED : FAILED_NOT);
		assert_int_equal(failed(d, source, FAILED_LIFE), FAILED_NOT);
	}
	/* A challenge, answered by the right password, is no failure. */
	o = at(0, "198.51.100.2", OBSERVED_SCAN, 50);
	detector_feed(d, &o, &out);
	assert_int_equal(failed(d, "198.51.100.2", 0), FAILED_NOT);
	o = at(0, "198.51.100.2", OBSERVED_UNKNOWN_ACCOUNT, 51);
	detector_feed(d, &o, &out);
	o = at(1000, "198.51.100.2", OBSERVED_AUTH_OK, 52);
	o.proof = PROOF_AUTH;
	detector_feed(d, &o, &out);
	assert_int_equal(failed(d, "198.51.100.2", 1000), FAILED_NOT);
	/* What is proved counts for more. */
	o = at(0, "198.51.100.5", OBSERVED_AUTH_FAILED, 55);
	o.proof = PROOF_NONCE;
	detector_feed(d, &o, &out);
	o = at(1, "198.51.100.5", OBSERVED_AUTH_FAILED, 56);
	detector_feed(d, &o, &out);
	assert_int_equal(failed(d, "198.51.100.5", 1), FAILED_PROVED);
	/* A detection that nothing proves is no offence. */
	for (unsigned i = 0; i < 3; i++) {
		o = at(0, "198.51.100.6", OBSERVED_AUTH_FAILED, 70 + i);
		detector_feed(d, &o, &out);
	}
	assert_int_equal(failed(d, "198.51.100.6", 1), FAILED_UNPROVED);
	/* Nor does success undo a failure. */
	o = at(2000, "198.51.100.3", OBSERVED_AUTH_FAILED, 60);
	detector_feed(d, &o, &out);
	o = at(3000, "198.51.100.3", OBSERVED_AUTH_OK, 61);
	o.proof = PROOF_AUTH;
	detector_feed(d, &o, &out);
	assert_int_equal(failed(d, "198.51.100.3", 3000), FAILED_UNPROVED);
	/* An offence is remembered for longer, unless it is forgiven. */
	assert_int_equal(address_parse(&a, view_str("198.51.100.4"), NULL), 0);
	detector_remember(d, &a, 1, START);
	assert_int_equal(failed(d, "198.51.100.4", 86400 * USEC_PER_SEC), FAILED_PROVED);
	assert_int_equal(failed(d, "198.51.100.4", 8 * 86400 * USEC_PER_SEC), FAILED_NOT);
	detector_forgive(d, &a);
	assert_int_equal(failed(d, "198.51.100.4", 1), FAILED_NOT);
	detector_free(d);
}

static void test_orders(void **state)
{
	static const uint8_t kinds[] = {OBSERVED_PROOF, OBSERVED_SCAN, OBSERVED_MALFORMED,
		OBSERVED_UNKNOWN_ACCOUNT, OBSERVED_AUTH_FAILED, OBSERVED_CALL_REJECTED};
	static const uint8_t proofs[] = {
		PROOF_NONE, PROOF_LOG, PROOF_ACK, PROOF_TCP, PROOF_NONCE, PROOF_AUTH};

	(void)state;
	for (size_t i = 1; i < sizeof(kinds); i++)
		assert_true(kind_harm(kinds[i]) > kind_harm(kinds[i - 1]));
	for (size_t i = 1; i < sizeof(proofs); i++)
		assert_true(proof_rank(proofs[i]) > proof_rank(proofs[i - 1]));
	assert_int_equal(kind_harm(OBSERVED_AUTH_OK), 0);
	assert_int_equal(kind_harm(255), 0);
	/* What a sensor cannot claim proves nothing. */
	assert_int_equal(proof_rank(PROOF_MANUAL), 0);
	assert_int_equal(proof_rank(PROOF_CLUSTER), 0);
	assert_int_equal(proof_rank(255), 0);
	assert_int_equal(proof_rank(PROOF_ACK), PROOF_RANK_PROVED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hostile_fields),
		cmocka_unit_test(test_due_of_another),
		cmocka_unit_test(test_none_is_lost),
		cmocka_unit_test(test_memory_is_bounded),
		cmocka_unit_test(test_least_config),
		cmocka_unit_test(test_evicted_while_ripening),
		cmocka_unit_test(test_failed),
		cmocka_unit_test(test_orders),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
