/* SPDX-License-Identifier: Apache-2.0 */
/* What attackers call: bounds of memory, prefixes, reading anew. Behaviour: scenarios. */
#include "../cmocka_all.h"

#include <stdio.h>

#include "detect/number_target.h"
#include "detect/numbers.h"
#include "indicator/number.h"
#include "sip/message.h"

#define T0 (UINT64_C(1767225600) * USEC_PER_SEC)
#define S  USEC_PER_SEC

static struct address address_of(unsigned n)
{
	return (struct address){.family = 4,
		.bytes = {198, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n}};
}

static struct observation call(unsigned source, const char *dialled, usec time)
{
	static uint64_t attempt;
	struct observation o;

	memset(&o, 0, sizeof o);
	o.time = time;
	o.source = address_of(source);
	o.kind = OBSERVED_CALL_REJECTED;
	o.proof = PROOF_TCP;
	o.transport = TRANSPORT_TCP;
	o.sensor = SENSOR_HEP;
	o.method = SIP_INVITE;
	o.attempt = ++attempt;
	snprintf(o.dialled, sizeof o.dialled, "%s", dialled);
	return o;
}

static struct detection detected(unsigned source, usec time)
{
	return (struct detection){.time = time,
		.source = address_of(source),
		.plen = 32,
		.category = CATEGORY_FRAUD,
		.proof = PROOF_TCP};
}

static struct numbers *begun(struct numbers_config *c)
{
	struct numbers *n;

	numbers_config_default(c);
	n = numbers_new(c, (struct hash_key){1, 2});
	assert_non_null(n);
	return n;
}

static struct number_detection told(struct numbers *n, usec now, const char *what)
{
	struct number_detection d;
	char text[INDICATOR_TEXT];

	if (!numbers_due(n, now, &d))
		fail_msg("%s is not told", what);
	assert_string_equal(indicator_print(text, &d.indicator), what);
	return d;
}

static void untold(struct numbers *n, usec now)
{
	struct number_detection d;
	char text[INDICATOR_TEXT];

	if (numbers_due(n, now, &d))
		fail_msg("%s is told", indicator_print(text, &d.indicator));
}

/* A call at the honeypot, over UDP. */
static struct observation baited(
	unsigned source, uint64_t call_id, const char *dialled, uint8_t proof, usec time)
{
	struct observation o = call(source, dialled, time);

	o.sensor = SENSOR_HONEYPOT;
	o.transport = TRANSPORT_UDP;
	o.proof = proof;
	o.call_id = call_id;
	if (!*dialled)
		o.kind = OBSERVED_PROOF;
	return o;
}

/*
 * Forged packets put no number on the list: neither a PBX's ACK of an answer to a call
 * that it never made, nor calls in the name of an attacker.
 */
static void test_forged_bait(void **state)
{
	struct numbers_config c;
	struct numbers *n = begun(&c);
	struct observation o;

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		o = baited(1, 100 + i, "00972590000101", PROOF_NONE, T0 + i * S);
		numbers_note(n, &o);
		o = baited(1, 100 + i, "", PROOF_ACK, T0 + i * S + S / 2);
		numbers_note(n, &o);
	}
	untold(n, T0 + 10 * S);
	/* One who was there himself, and two calls that are not his. */
	o = baited(2, 200, "", PROOF_NONCE, T0 + 20 * S);
	numbers_note(n, &o);
	for (unsigned i = 0; i < 2; i++) {
		o = baited(2, 201 + i, "00252610000102", PROOF_NONE, T0 + (21 + i) * S);
		numbers_note(n, &o);
	}
	untold(n, T0 + 30 * S);
	/* His own: the ACK, which names nobody, proves the call that it belongs to. */
	for (unsigned i = 0; i < 2; i++) {
		o = baited(2, 301 + i, "00252610000103", PROOF_NONE, T0 + (31 + i) * S);
		numbers_note(n, &o);
		o = baited(2, 301 + i, "", PROOF_ACK, T0 + (31 + i) * S + S / 2);
		numbers_note(n, &o);
	}
	assert_int_equal(told(n, T0 + 40 * S, "+252610000103").calls, 2);
	untold(n, T0 + 50 * S);
	numbers_free(n);
}

/* Who has a /64 is no more than one source, whichever of its addresses he calls from. */
static void test_one_network(void **state)
{
	struct numbers_config c;
	struct numbers *n = begun(&c);
	struct number_detection d;
	unsigned count = 0;
	char dialled[32];

	(void)state;
	c.prefix.threshold = 0;
	numbers_configure(n, &c);
	for (unsigned i = 0; i < NUMBER_TOLD_MAX + 8; i++) {
		snprintf(dialled, sizeof dialled, "00972590%06u", i * 17);
		for (unsigned k = 0; k < 2; k++) {
			struct observation o = baited(
				1, 1000 + 2 * i + k, dialled, PROOF_TCP, T0 + i * S);

			o.transport = TRANSPORT_TCP;
			o.source = (struct address){.family = 6,
				.bytes = {
					0x20, 0x01, 0x0d, 0xb8, [15] = (uint8_t)(i + 1)}};
			numbers_note(n, &o);
		}
		while (numbers_due(n, T0 + (i + 2) * S, &d))
			count++;
	}
	assert_int_equal(count, NUMBER_TOLD_MAX);
	numbers_free(n);
}

/* Twenty thousand callers, ten thousand numbers: no more than was allowed. */
static void test_bounds(void **state)
{
	struct numbers_config c;
	struct numbers *n = begun(&c);
	struct numbers_figures f;
	struct number_detection d;
	char dialled[32];
	size_t most = 0;

	(void)state;
	c.bytes_max = 200000;
	c.prefix.threshold = 0;
	numbers_configure(n, &c);
	for (unsigned i = 0; i < 20000; i++) {
		struct observation o;

		snprintf(dialled, sizeof dialled, "00972590%06u",
			i % 2 ? i % 1000 : 1000 + i % 10000);
		o = call(i, dialled, T0 + i * 1000);
		numbers_note(n, &o);
		if (i % 3 == 0) {
			struct detection by = detected(i, o.time);

			numbers_convict(n, &by);
		}
		while (numbers_due(n, o.time, &d))
			;
		if (i % 64)
			continue;
		numbers_figures(n, &f);
		if (f.memory > most)
			most = f.memory;
	}
	assert_true(f.targets <= TARGETS_MAX);
	assert_in_range(f.callers, 10, 2000);
	/* The tables themselves, the callers' 200 kB, and 4,096 numbers of 0.9 kB. */
	assert_in_range(most, 200000, 6000000);
	numbers_figures(n, &f);
	assert_int_equal(f.told, 500); /* those called again and again */
	numbers_free(n);
}

/* Of one caller the last strings are kept; what counted before goes on to count. */
static void test_one_caller(void **state)
{
	struct numbers_config c;
	struct numbers *n = begun(&c);
	struct detection by = detected(1, T0);
	struct numbers_figures f;
	struct observation o;
	char dialled[32];

	(void)state;
	c.prefix.threshold = 0;
	numbers_configure(n, &c);
	o = call(1, "00972590000101", T0);
	numbers_note(n, &o);
	numbers_convict(n, &by);
	untold(n, T0);
	for (unsigned i = 0; i < 500; i++) {
		snprintf(dialled, sizeof dialled, "%u", 7000000 + i);
		o = call(1, dialled, T0 + (1 + i) * S);
		numbers_note(n, &o);
	}
	untold(n, T0 + 600 * S);
	numbers_figures(n, &f);
	assert_int_equal(f.calls, 64);
	o = call(1, "00972590000101", T0 + 700 * S);
	numbers_note(n, &o);
	assert_int_equal(told(n, T0 + 700 * S, "+972590000101").calls, 2);
	numbers_free(n);
}

static void call_by(struct numbers *n, unsigned source, const char *dialled, usec at)
{
	struct observation o = call(source, dialled, at);
	struct detection by = detected(source, at);

	numbers_note(n, &o);
	numbers_convict(n, &by);
}

static void call_all(struct numbers *n, const char *const *list, unsigned count, usec at)
{
	for (unsigned i = 0; i < count; i++)
		call_by(n, 1, list[i], at);
}

/* A prefix that holds an own number, or is too short for the ledger, is none. */
static void test_prefix_limits(void **state)
{
	static const char *const five[] = {"00972590000101", "00972590000102",
		"00972590000103", "00972590000104", "00972590000105"};
	static const char *const wide[] = {"00972590000101", "00972591000102",
		"00972592000103", "00972593000104", "00972594000105"};
	struct numbers_config c;
	struct numbers *n = begun(&c);

	(void)state;
	assert_int_equal(dial_plan_own(&c.plan, view_str("+972590000109"), NULL), 0);
	numbers_configure(n, &c);
	call_all(n, five, 5, T0);
	untold(n, T0 + 2 * S);
	/* +97259*: five digits; where six are asked for there is none. */
	numbers_config_default(&c);
	c.min_e164 = 6;
	numbers_configure(n, &c);
	call_all(n, wide, 5, T0 + 60 * S);
	/* +97259000010* of the first ones, which are read anew. */
	told(n, T0 + 70 * S, "+97259000010*");
	untold(n, T0 + 72 * S);
	c.min_e164 = 5;
	numbers_configure(n, &c);
	told(n, T0 + 80 * S, "+97259000010*");
	/* One attacker alone does not block a country's numbers ... */
	untold(n, T0 + 82 * S);
	/* ... two do, as soon as one number more is not in that one. */
	call_by(n, 2, "00972595000106", T0 + 84 * S);
	assert_int_equal(told(n, T0 + 90 * S, "+97259*").numbers, 10);
	numbers_free(n);
}

/* Of numbers that tails gave alone the prefix is of class cluster. */
static void test_targets(void **state)
{
	struct numbers_config c;
	struct targets *t;
	struct number_detection d;
	char digits[16];

	(void)state;
	numbers_config_default(&c);
	t = targets_new(&c, (struct hash_key){1, 2});
	assert_non_null(t);
	for (unsigned i = 0; i < 5; i++) {
		struct target_call by = {.time = T0 + i,
			.id = i + 1,
			.source = address_of(i),
			.proof = i ? PROOF_CLUSTER : PROOF_RULE,
			.source_proof = i == 2 ? PROOF_NONCE : PROOF_ACK,
			.category = i == 3 ? CATEGORY_STOLEN : CATEGORY_FRAUD,
			.dialled = "x\"\n"};
		struct indicator number;

		snprintf(digits, sizeof digits, "97259000010%u", i);
		assert_int_equal(indicator_from_digits(&number, view_str(digits)), 0);
		assert_false(targets_due(t, &d));
		targets_add(t, &number, "", &by);
	}
	assert_true(targets_due(t, &d));
	assert_int_equal(d.proof, PROOF_CLUSTER);
	assert_int_equal(d.source_proof, PROOF_NONCE);
	assert_int_equal(d.category, CATEGORY_STOLEN);
	assert_int_equal(d.numbers, 5);
	assert_int_equal(d.sources, 5);
	/* Hostile text stays text. */
	assert_non_null(strstr(d.reason, "last as x\\\"\\x0a; what several strings"));
	assert_false(targets_due(t, &d));
	targets_forgive(t, &d.indicator);
	assert_int_equal(targets_count(t), 0);
	targets_free(t);
}

/* The same call may be taken back: it counted for another number before. */
static void test_remove(void **state)
{
	struct numbers_config c;
	struct targets *t;
	struct number_detection d;
	struct indicator number;
	struct target_call by = {.time = T0,
		.id = 1,
		.source = address_of(1),
		.proof = PROOF_RULE,
		.source_proof = PROOF_TCP,
		.dialled = "1"};

	(void)state;
	numbers_config_default(&c);
	t = targets_new(&c, (struct hash_key){1, 2});
	assert_int_equal(indicator_from_digits(&number, view_str("972590000101")), 0);
	targets_add(t, &number, "", &by);
	targets_add(t, &number, "", &by);
	assert_false(targets_due(t, &d)); /* the same call twice is one */
	by.id = 2;
	targets_remove(t, &number, 1);
	assert_int_equal(targets_count(t), 0);
	targets_add(t, &number, "", &by);
	assert_false(targets_due(t, &d));
	by.id = 3;
	targets_add(t, &number, "", &by);
	assert_true(targets_due(t, &d));
	assert_int_equal(d.calls, 2);
	targets_free(t);
}

/* An attacker who moves within his /64 is convicted as one; so is where he goes. */
static void test_network(void **state)
{
	struct numbers_config c;
	struct numbers *n = begun(&c);
	struct detection by = {.time = T0,
		.plen = 64,
		.category = CATEGORY_CAMPAIGN,
		.proof = PROOF_TCP,
		.source = {.family = 6, .bytes = {0x20, 1, 0xd, 0xb8}}};

	(void)state;
	for (uint8_t i = 1; i <= 3; i++) {
		struct observation o = call(0, "00972590000101", T0 + i * S);

		o.source = by.source;
		o.source.bytes[15] = i;
		if (i == 3)
			numbers_convict(n, &by);
		numbers_note(n, &o);
	}
	assert_int_equal(told(n, T0 + 9 * S, "+972590000101").sources, 2);
	untold(n, T0 + 20 * S);
	numbers_free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forged_bait),
		cmocka_unit_test(test_one_network),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_one_caller),
		cmocka_unit_test(test_prefix_limits),
		cmocka_unit_test(test_targets),
		cmocka_unit_test(test_remove),
		cmocka_unit_test(test_network),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
