/* SPDX-License-Identifier: Apache-2.0 */
/* What sources did last: first and last ones, within bounds of memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "detect/trail.h"

#define S USEC_PER_SEC

static struct observation seen(const char *source, usec time, const char *dialled)
{
	struct observation o = {.time = time,
		.kind = OBSERVED_CALL_REJECTED,
		.proof = PROOF_NONE,
		.transport = TRANSPORT_UDP,
		.sensor = SENSOR_HEP,
		.port = 5060,
		.attempt = 7,
		.call_id = 9,
		.issued = 3};

	assert_int_equal(address_parse(&o.source, view_str(source), NULL), 0);
	snprintf(o.account, sizeof o.account, "101");
	snprintf(o.dialled, sizeof o.dialled, "%s", dialled);
	snprintf(o.agent, sizeof o.agent, "agent");
	snprintf(o.returned, sizeof o.returned, "nonce");
	snprintf(o.request, sizeof o.request, "INVITE sip:*");
	return o;
}

static struct trail *trail_of(size_t bytes)
{
	struct trail *t = trail_new(bytes, (struct hash_key){1, 2});

	assert_non_null(t);
	return t;
}

static struct address address(const char *text)
{
	struct address a;

	assert_int_equal(address_parse(&a, view_str(text), NULL), 0);
	return a;
}

static void test_whole(void **state)
{
	struct trail *t = trail_of(1 << 20);
	struct observation in = seen("198.51.100.7", 5 * S, "00972"), out[4];
	struct address other = address("198.51.100.8");
	uint64_t all;

	(void)state;
	trail_note(t, &in);
	assert_int_equal(trail_pick(t, &in.source, 32, 0, out, 4, &all), 1);
	assert_int_equal(all, 1);
	/* Nothing of it is lost or added. */
	assert_memory_equal(&out[0], &in, sizeof in);
	assert_int_equal(trail_pick(t, &in.source, 32, 5 * S + 1, out, 4, &all), 0);
	assert_int_equal(trail_pick(t, &other, 32, 0, out, 4, &all), 0);
	assert_int_equal(all, 0);
	trail_free(t);
}

static void test_first_and_last(void **state)
{
	struct trail *t = trail_of(1 << 20);
	struct observation in, out[TRAIL_MAX];
	char dialled[16];
	uint64_t all;

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(dialled, sizeof dialled, "%u", i);
		in = seen("2001:db8::1", (1 + i) * S, dialled);
		trail_note(t, &in);
	}
	assert_int_equal(
		trail_pick(t, &in.source, 128, 0, out, TRAIL_MAX, &all), TRAIL_MAX);
	assert_int_equal(all, 1000);
	assert_string_equal(out[0].dialled, "0");
	assert_string_equal(out[TRAIL_FIRST - 1].dialled, "7");
	assert_string_equal(out[TRAIL_FIRST].dialled, "984");
	assert_string_equal(out[TRAIL_MAX - 1].dialled, "999");
	/* Of those, six: two of the beginning, four of the end. */
	assert_int_equal(trail_pick(t, &in.source, 128, 0, out, 6, NULL), 6);
	assert_string_equal(out[1].dialled, "1");
	assert_string_equal(out[2].dialled, "996");
	assert_string_equal(out[5].dialled, "999");
	/* After a long silence it is another story. */
	in = seen("2001:db8::1", 1000 * S + TRAIL_PAUSE + S, "new");
	trail_note(t, &in);
	assert_int_equal(trail_pick(t, &in.source, 128, 0, out, TRAIL_MAX, &all), 1);
	assert_int_equal(all, 1);
	trail_free(t);
}

/* A network's members are told in the order of time. */
static void test_network(void **state)
{
	struct trail *t = trail_of(1 << 20);
	struct observation in, out[TRAIL_MAX];
	struct address net = address("2001:db8:0:1::"), four = address("198.51.100.0");
	char source[40];

	(void)state;
	for (unsigned i = 0; i < 9; i++) {
		snprintf(source, sizeof source, "2001:db8:0:%u::%u", i % 3, i);
		in = seen(source, (100 - i) * S, "1");
		trail_note(t, &in);
	}
	in = seen("198.51.100.129", S, "2");
	trail_note(t, &in);
	assert_int_equal(trail_pick(t, &net, 64, 0, out, TRAIL_MAX, NULL), 3);
	assert_int_equal(out[0].time, 93 * S);
	assert_int_equal(out[2].time, 99 * S);
	assert_int_equal(trail_pick(t, &four, 24, 0, out, TRAIL_MAX, NULL), 1);
	assert_int_equal(trail_pick(t, &four, 25, 0, out, TRAIL_MAX, NULL), 0);
	trail_free(t);
}

/* Forged sources push out forged ones, and memory stays where it was. */
static void test_flood(void **state)
{
	struct trail *t = trail_of(64 << 10);
	struct observation in, out[4];
	struct address proved = address("192.0.2.1");
	char source[40];

	(void)state;
	in = seen("192.0.2.1", S, "real");
	in.proof = PROOF_NONCE;
	trail_note(t, &in);
	for (unsigned i = 0; i < 20000; i++) {
		snprintf(source, sizeof source, "10.%u.%u.1", i >> 8, i & 255);
		in = seen(source, (2 + i) * S / 1000, "forged");
		trail_note(t, &in);
		assert_true(trail_memory(t) < (64 << 10) + 65536);
	}
	assert_int_equal(trail_pick(t, &proved, 32, 0, out, 4, NULL), 1);
	assert_int_equal(trail_pick(t, &in.source, 32, 0, out, 4, NULL), 1);
	/* One that is too large by itself is kept nowhere, and nothing breaks. */
	trail_free(t);
	t = trail_of(100);
	trail_note(t, &in);
	assert_int_equal(trail_pick(t, &in.source, 32, 0, out, 4, NULL), 0);
	trail_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_first_and_last),
		cmocka_unit_test(test_network),
		cmocka_unit_test(test_flood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
