/* SPDX-License-Identifier: Apache-2.0 */
/* What a record holds, and above all what it does not. */
#include "../cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>

#include "api/evidence_answer.h"
#include "daemon/evidence_record.h"
#include "detect/trail.h"

#define T (UINT64_C(1700000000) * USEC_PER_SEC + 584000)

static struct observation seen(const char *account, const char *dialled)
{
	struct observation o = {.time = T,
		.kind = OBSERVED_CALL_REJECTED,
		.proof = PROOF_NONE,
		.transport = TRANSPORT_UDP,
		.sensor = SENSOR_HEP,
		.port = 5061,
		.call_id = 0xabc};

	snprintf(o.account, sizeof o.account, "%s", account);
	snprintf(o.dialled, sizeof o.dialled, "%s", dialled);
	snprintf(o.agent, sizeof o.agent, "evil\n\"agent");
	return o;
}

static uint8_t category = CATEGORY_FRAUD;

static char *record_of(const struct observation *list, size_t count)
{
	struct detection d = {.time = T,
		.category = category,
		.proof = PROOF_NONCE,
		.kind = OBSERVED_CALL_REJECTED,
		.attempts = 3,
		.window = 2,
		.rule = "calls",
		.offence = 1};
	struct own_action a = {.category = CATEGORY_FRAUD, .proof = PROOF_NONCE};
	struct evidence_facts f = {.node = "edge1",
		.detection = &d,
		.action = &a,
		.thresholds = &detect_config_default,
		.observations = list,
		.count = count,
		.seen = 9};
	char *text;

	assert_int_equal(
		indicator_parse(&a.indicator, NULL, view_str("198.51.100.7"), NULL), 0);
	snprintf(a.reason, sizeof a.reason, "ban for 10m");
	text = evidence_record(&f);
	assert_non_null(text);
	return text;
}

static void test_holds(void **state)
{
	struct observation o[2] = {seen("alice", "00972590000101"), seen("alice", "")};
	json_t *record, *first, *second;
	char *text;

	(void)state;
	o[0].proof = PROOF_NONCE;
	o[0].issued = T - 1000;
	snprintf(o[0].returned, sizeof o[0].returned, "1700/abcdef");
	text = record_of(o, 2);
	/* In the form that a file can give back byte for byte. */
	record = evidence_record_read(view_str(text));
	assert_non_null(record);
	first = json_array_get(json_object_get(record, "observations"), 0);
	second = json_array_get(json_object_get(record, "observations"), 1);
#define IS(o, key, value)                                                                \
	assert_string_equal(json_string_value(json_object_get(o, key)), value)
	IS(record, "indicator", "198.51.100.7");
	IS(record, "detected", "2023-11-14T22:13:20.584Z");
	IS(record, "rule", "calls");
	IS(record, "reason", "ban for 10m");
	IS(record, "node", "edge1");
	IS(record, "software", "sipchain " SIPCHAIN_VERSION);
	IS(json_object_get(record, "thresholds"), "auth-failed", "3/600");
	IS(first, "dialled", "00972590000101");
	IS(first, "agent", "evil\\x0a\\\"agent");
	IS(first, "call_id", "0000000000000abc");
	IS(json_object_get(first, "returned"), "nonce", "1700/abcdef");
	IS(json_object_get(first, "returned"), "sent", "2023-11-14T22:13:20.583Z");
	assert_null(json_object_get(second, "returned"));
	assert_null(json_object_get(second, "dialled"));
	assert_int_equal(json_integer_value(json_object_get(record, "seen")), 9);
	json_decref(record);
	free(text);
}

/* Accounts and extensions are told apart, and not told. */
static void test_masks(void **state)
{
	struct observation o[] = {seen("secretary", "4711"), seen("boss", "reception"),
		seen("secretary", "4711"), seen("", "+442079460000")};
	static const char *const accounts[] = {
		"account 1", "account 2", "account 1", NULL};
	static const char *const dialled[] = {
		"extension 1", "extension 2", "extension 1", "+442079460000"};
	char *text = record_of(o, 4);
	json_t *record = json_loads(text, 0, NULL), *list;

	(void)state;
	assert_null(strstr(text, "secretary"));
	assert_null(strstr(text, "boss"));
	assert_null(strstr(text, "4711"));
	assert_null(strstr(text, "reception"));
	list = json_object_get(record, "observations");
	for (size_t i = 0; i < 4; i++) {
		const json_t *one = json_array_get(list, i);

		if (accounts[i])
			IS(one, "account", accounts[i]);
		else
			assert_null(json_object_get(one, "account"));
		IS(one, "dialled", dialled[i]);
	}
	json_decref(record);
	free(text);
}

/*
 * Behind one address there may be an attacker and a customer: whom the customer
 * calls, and with what, is nobody's business. Unless the calls are the offence.
 */
static void test_neighbours(void **state)
{
	static const uint8_t kinds[] = {
		OBSERVED_AUTH_OK, OBSERVED_CALL, OBSERVED_DIALLED};
	struct observation o[3];
	char *text;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		o[i] = seen("secretary", "+442079460000");
		o[i].kind = kinds[i];
		snprintf(o[i].request, sizeof o[i].request,
			"INVITE sip:+442079460000@* SIP/2.0");
	}
	text = record_of(o, 3);
	assert_non_null(strstr(text, "auth-ok"));
	assert_null(strstr(text, "442079460000"));
	assert_null(strstr(text, "agent"));
	free(text);
	category = CATEGORY_STOLEN;
	text = record_of(o, 3);
	category = CATEGORY_FRAUD;
	assert_non_null(strstr(text, "\"dialled\":\"+442079460000\""));
	free(text);
}

/* As many as there can be, of the longest and worst texts: it still fits. */
static void test_bounded(void **state)
{
	struct observation o[TRAIL_MAX];
	char *text;

	(void)state;
	for (size_t i = 0; i < TRAIL_MAX; i++) {
		o[i] = seen("x", "y");
		memset(o[i].account, 1 + (int)i, sizeof o[i].account - 1);
		memset(o[i].dialled, '\x1b', sizeof o[i].dialled - 1);
		memset(o[i].agent, '\xff', sizeof o[i].agent - 1);
		memset(o[i].returned, '"', sizeof o[i].returned - 1);
		memset(o[i].request, '\\', sizeof o[i].request - 1);
	}
	text = record_of(o, TRAIL_MAX);
	assert_in_range(strlen(text), 1000, EVIDENCE_BODY_MAX);
	free(text);
}

static void test_manual(void **state)
{
	struct indicator i;
	char *text;

	(void)state;
	assert_int_equal(indicator_parse(&i, NULL, view_str("+4420*"), NULL), 0);
	text = evidence_record_manual(
		"edge1", &i, CATEGORY_FRAUD, PROOF_LOG, "uid 1000", 1700000000);
	assert_string_equal(text,
		"{\"by\":\"uid 1000\",\"category\":\"fraud\","
		"\"detected\":\"2023-11-14T22:13:20.000Z\",\"indicator\":\"+4420*\","
		"\"node\":\"edge1\",\"proof\":\"log\",\"software\":\"sipchain " SIPCHAIN_VERSION
		"\",\"version\":1}");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_holds),
		cmocka_unit_test(test_masks),
		cmocka_unit_test(test_neighbours),
		cmocka_unit_test(test_bounded),
		cmocka_unit_test(test_manual),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
