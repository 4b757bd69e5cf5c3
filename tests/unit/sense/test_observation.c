/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sense/observation.h"

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(sensor_name(SENSOR_HEP), "hep");
	assert_string_equal(sensor_name(SENSOR_SECURITY_LOG), "security-log");
	assert_string_equal(sensor_name(SENSOR_FILTER), "filter");
	assert_string_equal(sensor_name(0), "?");
	assert_string_equal(sensor_name(SENSOR_KAMAILIO), "kamailio");
	assert_string_equal(sensor_name(7), "?");
	assert_string_equal(observation_kind_name(OBSERVED_AUTH_FAILED), "auth-failed");
	assert_string_equal(
		observation_kind_name(OBSERVED_CALL_REJECTED), "call-rejected");
	assert_string_equal(observation_kind_name(OBSERVED_PROOF), "proof");
	assert_string_equal(observation_kind_name(OBSERVED_BLOCKED), "call-blocked");
	assert_string_equal(observation_kind_name(OBSERVED_BLOCKED + 1), "?");
	assert_string_equal(observation_kind_name(OBSERVED_INJECTION), "injection");
	assert_string_equal(observation_kind_name(255), "?");
	assert_string_equal(transport_name(TRANSPORT_UDP), "udp");
	assert_string_equal(transport_name(TRANSPORT_WSS), "wss");
	assert_string_equal(transport_name(6), "?");
}

static uint64_t attempt(const char *call_id, const char *response)
{
	return observation_attempt(view_str(call_id), view_str(response));
}

static void test_attempt(void **state)
{
	const struct view none = {0};
	char longer[200];

	(void)state;
	assert_int_equal(attempt("a", "b"), attempt("a", "b"));
	assert_int_not_equal(attempt("a", "b"), attempt("a", "c"));
	assert_int_not_equal(attempt("a", ""), attempt("", "a"));
	assert_int_not_equal(attempt("ab", ""), attempt("a", "b"));
	assert_int_equal(attempt("", ""), observation_attempt(none, none));
	/* The includes write no more of a Call-ID: else one attempt counts twice. */
	memset(longer, 'x', sizeof longer);
	assert_int_equal(
		observation_attempt(view_of(longer, sizeof longer), view_str("r")),
		observation_attempt(view_of(longer, ATTEMPT_CALL_ID), view_str("r")));
	assert_int_not_equal(
		observation_attempt(view_of(longer, ATTEMPT_CALL_ID - 1), view_str("r")),
		observation_attempt(view_of(longer, ATTEMPT_CALL_ID), view_str("r")));
	/* Two processes must agree: the hash is not keyed. */
	assert_int_equal(attempt("1-27081@198.51.100.20", "d7ef708a"),
		UINT64_C(0x4163683c792ae500));
}

/* What a clock that is wrong says of a thing that happens now. */
static void test_live(void **state)
{
	const usec now = 1767225600 * USEC_PER_SEC, near = 29 * USEC_PER_SEC;
	struct observation o = {.time = now - near};

	(void)state;
	observation_live(&o, now);
	assert_int_equal(o.time, now - near);
	o.time = now + near;
	observation_live(&o, now);
	assert_int_equal(o.time, now + near);
	o.time = now - 3600 * USEC_PER_SEC;
	observation_live(&o, now);
	assert_int_equal(o.time, now);
	o.time = now + 40 * USEC_PER_SEC;
	observation_live(&o, now);
	assert_int_equal(o.time, now);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_attempt),
		cmocka_unit_test(test_live),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
