/* SPDX-License-Identifier: Apache-2.0 */
/* What a capture, a line and a message are explained as. */
#include "../cmocka_all.h"

#include "explain_steps.h"

static void feed_file(const char *name)
{
	static uint8_t bytes[1 << 20];
	char path[4096];
	size_t n;
	FILE *f;

	snprintf(path, sizeof path, TESTS_DATA "/corpora/asterisk/%s", name);
	f = fopen(path, "rb");
	assert_non_null(f);
	n = fread(bytes, 1, sizeof bytes, f);
	fclose(f);
	assert_int_equal(explain_feed(&x, view_of(bytes, n), NULL), 0);
}

/* A capture of HEP: from the packet to the report. */
static void test_capture(void **state)
{
	const json_t *attempt, *rule;

	(void)state;
	feed_file("02_reg_wrongpw_tcp/hep.pcap");
	assert_string_equal(text(step("read", 0), "text"), "a pcap file");
	assert_string_equal(
		text(json_object_get(step("read", 1), "fields"), "request"), "REGISTER");
	assert_string_equal(text(step("observation", 0), "kind"), "auth-failed");
	assert_string_equal(text(step("observation", 0), "proof"), "tcp");
	attempt = step("attempt", 0);
	assert_string_equal(text(attempt, "filed"), "a new attempt");
	assert_true(json_is_true(json_object_get(attempt, "counts")));
	assert_in_range((int)(json_real_value(json_object_get(attempt, "weight")) * 1000),
		333, 334);
	rule = json_array_get(json_object_get(attempt, "rules"), 1);
	assert_string_equal(text(rule, "rule"), "password");
	assert_int_equal(json_integer_value(json_object_get(rule, "have")), 1);
	assert_int_equal(json_integer_value(json_object_get(rule, "need")), 3);
	assert_string_equal(text(step("detection", 0), "rule"), "password");
	assert_true(json_is_true(json_object_get(step("decision", 0), "report")));
	assert_int_equal(x.detections, 1);
}

/* What is not proved is not reported, and that is said. */
static void test_log(void **state)
{
	(void)state;
	feed_file("01_reg_wrongpw_udp/security.json");
	assert_string_equal(text(step("read", 0), "text"), "Asterisk's security events");
	assert_string_equal(text(step("decision", 0), "reason"),
		"not banned: nothing shows that the source is not forged; not reported: the "
		"source is not proved");
}

static void test_message(void **state)
{
	static const char message[] =
		"INVITE sip:1@192.0.2.10 SIP/2.0\nVia: SIP/2.0/UDP 198.51.100.9;branch=z9hG4bK1\n"
		"From: \"x SecurityEvent=\" <sip:100@x>;tag=1\nTo: <sip:9@x>\nCall-ID: a\n"
		"CSeq: 1 INVITE\n";

	(void)state;
	assert_int_equal(explain_feed(&x, view_str(message), NULL), 0);
	assert_string_equal(
		text(json_object_get(step("read", 2), "fields"), "injection_in"), "From");
	assert_string_equal(text(step("observation", 0), "source"), "198.51.100.9");
	assert_true(json_is_true(json_object_get(step("decision", 0), "ban")));
	assert_false(json_is_true(json_object_get(step("decision", 0), "report")));
}

static void test_wrong(void **state)
{
	static const uint8_t broken[] = "HEP3\xff\xff";
	static const uint8_t capture[24] = {0xd4, 0xc3, 0xb2, 0xa1, [20] = 0x93};
	struct error err = {""};

	(void)state;
	assert_int_equal(explain_feed(&x, view_str("nonsense"), &err), -1);
	assert_string_equal(err.text,
		"is no pcap, no HEP, no SIP message, no event and no line of a log that is "
		"known here; name the filter that reads such lines: --filter NAME");
	assert_int_equal(explain_feed(&x, view_of(NULL, 0), &err), -1);
	assert_string_equal(err.text, "is empty");
	assert_int_equal(explain_feed(&x, view_of(broken, 6), &err), -1);
	assert_string_equal(err.text, "the HEP packet at byte 0 is broken, or cut off");
	assert_int_equal(explain_feed(&x, view_of(capture, sizeof capture), &err), -1);
	assert_non_null(strstr(err.text, "link type 147"));
}

/* What is whole of a capture is explained, and where it lies is said. */
static void test_cut(void **state)
{
	static const uint8_t capture[] = {0xd4, 0xc3, 0xb2, 0xa1, [20] = 101,
		/* a packet of two bytes, then one of four thousand */
		[32] = 2, [36] = 2, [40] = 0x45, [50] = 0xa0, [51] = 0x0f, [58] = 0};
	struct error err = {""};

	(void)state;
	assert_int_equal(explain_feed(&x, view_of(capture, sizeof capture), &err), 0);
	assert_non_null(strstr(text(step("read", 1), "text"), "left out"));
	assert_string_equal(text(step("read", 2), "text"),
		"the file is cut off: the packet at byte 42 says that it has 4016 bytes, "
		"and 17 are there; capture it again");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_capture, setup, teardown),
		cmocka_unit_test_setup_teardown(test_log, setup, teardown),
		cmocka_unit_test_setup_teardown(test_message, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wrong, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cut, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
