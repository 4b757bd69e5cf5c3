/* SPDX-License-Identifier: Apache-2.0 */
/* A PBX's phones on the allowlist. */
#include "../cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include "decide/own.h"
#include "decide/registered.h"
#include "sip/message.h"

#define NOW  1795291398U
#define LIFE 7200U

static struct allowlist *list;
static struct allow_entry entry, gone;

static int setup(void **state)
{
	(void)state;
	list = allowlist_new();
	return list ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	allowlist_free(list);
	return 0;
}

static struct observation success(const char *source, const char *account)
{
	struct observation o = {.kind = OBSERVED_AUTH_OK,
		.proof = PROOF_AUTH,
		.sensor = SENSOR_AMI,
		.transport = TRANSPORT_UDP};

	assert_int_equal(address_parse(&o.source, view_str(source), NULL), 0);
	view_copy(o.account, sizeof o.account, view_str(account));
	return o;
}

/* It happens now. */
static enum registered take(const struct observation *o, uint32_t now)
{
	struct observation one = *o;

	one.time = now * USEC_PER_SEC;
	return registered_take(list, &entry, &gone, &one, FAILED_NOT, LIFE, now);
}

static size_t count(void)
{
	size_t n;

	allowlist_entries(list, &n);
	return n;
}

static void test_life(void **state)
{
	struct observation o = success("192.0.2.57", "101");
	char text[INDICATOR_TEXT];

	(void)state;
	assert_int_equal(take(&o, NOW), REGISTERED_NEW);
	assert_string_equal(indicator_print(text, &entry.indicator), "192.0.2.57");
	assert_int_equal(entry.origin, ALLOW_REGISTERED);
	assert_int_equal(entry.expiry, NOW + LIFE);
	assert_string_equal(entry.note, "account 101");
	assert_int_equal(gone.origin, 0);
	assert_non_null(allowlist_overlap(list, &entry.indicator, NOW + LIFE - 1));
	assert_null(allowlist_overlap(list, &entry.indicator, NOW + LIFE));
	/* It comes again: one entry, which lives on. */
	assert_int_equal(take(&o, NOW + 600), REGISTERED_RENEWED);
	assert_int_equal(entry.expiry, NOW + 600 + LIFE);
	assert_int_equal(count(), 1);
	/* A clock set back takes nothing away. */
	assert_int_equal(take(&o, NOW), REGISTERED_NOT);
	assert_non_null(allowlist_overlap(list, &entry.indicator, NOW + 599 + LIFE));
	/* Nor is it worth a word each second. */
	assert_int_equal(take(&o, NOW + 601), REGISTERED_NOT);
	/* After its end it is a new one to whoever enforces. */
	assert_int_equal(take(&o, NOW + 600 + LIFE), REGISTERED_NEW);
	assert_int_equal(count(), 1);
	o = success("2001:db8::5", "101");
	assert_int_equal(take(&o, NOW), REGISTERED_NEW);
	assert_string_equal(indicator_print(text, &entry.indicator), "2001:db8::5");
}

static void test_not(void **state)
{
	struct observation good = success("192.0.2.57", "101"), o;

	(void)state;
	good.time = NOW * USEC_PER_SEC;
	/* It failed before it succeeded. */
	assert_int_equal(
		registered_take(list, &entry, &gone, &good, FAILED_PROVED, LIFE, NOW),
		REGISTERED_NOT);
	/* Switched off. */
	assert_int_equal(registered_take(list, &entry, &gone, &good, FAILED_NOT, 0, NOW),
		REGISTERED_NOT);
	/* No password; another kind; whoever takes any password; nobody. */
	o = good;
	o.proof = PROOF_TCP;
	assert_int_equal(take(&o, NOW), REGISTERED_NOT);
	for (uint8_t kind = 0; kind < 12; kind++) {
		o = good;
		o.kind = kind;
		if (kind != OBSERVED_AUTH_OK)
			assert_int_equal(take(&o, NOW), REGISTERED_NOT);
	}
	for (uint8_t sensor = 0; sensor < 12; sensor++) {
		o = good;
		o.sensor = sensor;
		if (sensor != SENSOR_AMI && sensor != SENSOR_SECURITY_LOG)
			assert_int_equal(take(&o, NOW), REGISTERED_NOT);
	}
	o = good;
	o.account[0] = 0;
	assert_int_equal(take(&o, NOW), REGISTERED_NOT);
	o = good;
	memset(&o.source, 0, sizeof o.source);
	assert_int_equal(take(&o, NOW), REGISTERED_NOT);
	assert_int_equal(count(), 0);
	o = good;
	o.sensor = SENSOR_SECURITY_LOG;
	assert_int_equal(take(&o, NOW), REGISTERED_NEW);
}

/* Whoever forges failures of a phone's address does not get it off the list. */
static void test_forged(void **state)
{
	struct observation o = success("192.0.2.57", "101");

	(void)state;
	o.time = NOW * USEC_PER_SEC;
	/* One that is not on it yet may be a thief. */
	assert_int_equal(
		registered_take(list, &entry, &gone, &o, FAILED_UNPROVED, LIFE, NOW),
		REGISTERED_NOT);
	assert_int_equal(take(&o, NOW), REGISTERED_NEW);
	for (uint32_t now = NOW + 600; now <= NOW + 3 * LIFE; now += 600) {
		o.time = now * USEC_PER_SEC;
		assert_int_equal(registered_take(list, &entry, &gone, &o, FAILED_UNPROVED,
					 LIFE, now),
			REGISTERED_RENEWED);
		assert_int_equal(entry.expiry, now + LIFE);
	}
	/* One who really failed there is renewed no more. */
	o.time += 600 * USEC_PER_SEC;
	assert_int_equal(registered_take(list, &entry, &gone, &o, FAILED_PROVED, LIFE,
				 NOW + 3 * LIFE + 600),
		REGISTERED_NOT);
	/* Nor is one whose entry has ended. */
	o.time = (NOW + 4 * LIFE) * USEC_PER_SEC;
	assert_int_equal(registered_take(list, &entry, &gone, &o, FAILED_UNPROVED, LIFE,
				 NOW + 4 * LIFE),
		REGISTERED_NOT);
}

/* What is read late: it lives from then on when it happened. */
static void test_late(void **state)
{
	struct observation o = success("192.0.2.57", "101");

	(void)state;
	o.time = (NOW - 7000) * USEC_PER_SEC;
	assert_int_equal(registered_take(list, &entry, &gone, &o, FAILED_NOT, LIFE, NOW),
		REGISTERED_NEW);
	assert_int_equal(entry.expiry, NOW - 7000 + LIFE);
	/* Something older after it takes nothing away. */
	o.time -= 100 * USEC_PER_SEC;
	assert_int_equal(registered_take(list, &entry, &gone, &o, FAILED_NOT, LIFE, NOW),
		REGISTERED_NOT);
	assert_non_null(allowlist_overlap(list, &entry.indicator, NOW - 7000 + LIFE - 1));
	o = success("192.0.2.58", "101");
	o.time = (NOW - LIFE) * USEC_PER_SEC;
	assert_int_equal(registered_take(list, &entry, &gone, &o, FAILED_NOT, LIFE, NOW),
		REGISTERED_NOT);
	/* A PBX whose clock is ahead. */
	o.time = (NOW + 86400) * USEC_PER_SEC;
	assert_int_equal(registered_take(list, &entry, &gone, &o, FAILED_NOT, LIFE, NOW),
		REGISTERED_NEW);
	assert_int_equal(entry.expiry, NOW + LIFE);
}

static void test_known_for_good(void **state)
{
	struct observation o = success("192.0.2.57", "101");
	struct allow_entry branch = {.origin = ALLOW_CONFIGURED};

	(void)state;
	assert_int_equal(
		indicator_parse(&branch.indicator, NULL, view_str("192.0.2.0/24"), NULL),
		0);
	assert_int_equal(allowlist_add(list, &branch), 0);
	assert_int_equal(take(&o, NOW), REGISTERED_NOT);
	assert_int_equal(count(), 1);
	/* What ends some day is no reason. */
	allowlist_remove(list, &branch.indicator, branch.origin);
	branch.expiry = NOW + 60;
	assert_int_equal(allowlist_add(list, &branch), 0);
	assert_int_equal(take(&o, NOW), REGISTERED_NEW);
}

/* A stolen password opens eight doors and no ninth. */
static void test_one_account(void **state)
{
	char source[32], text[INDICATOR_TEXT];
	struct observation o;

	(void)state;
	for (unsigned i = 0; i < REGISTERED_PER_ACCOUNT; i++) {
		snprintf(source, sizeof source, "198.51.100.%u", i + 1);
		o = success(source, "101");
		assert_int_equal(take(&o, NOW + i), REGISTERED_NEW);
		assert_int_equal(gone.origin, 0);
	}
	o = success("203.0.113.9", "102");
	assert_int_equal(take(&o, NOW), REGISTERED_NEW);
	o = success("198.51.100.200", "101");
	assert_int_equal(take(&o, NOW + 60), REGISTERED_NEW);
	assert_int_equal(gone.origin, ALLOW_REGISTERED);
	assert_string_equal(indicator_print(text, &gone.indicator), "198.51.100.1");
	assert_null(allowlist_overlap(list, &gone.indicator, NOW + 60));
	assert_int_equal(count(), REGISTERED_PER_ACCOUNT + 1);
}

static void test_full(void **state)
{
	char source[32], account[16];
	struct observation o;

	(void)state;
	for (unsigned i = 0; i < REGISTERED_MAX; i++) {
		snprintf(source, sizeof source, "10.0.%u.%u", i / 256, i % 256);
		snprintf(account, sizeof account, "a%u", i);
		o = success(source, account);
		assert_int_equal(take(&o, NOW), REGISTERED_NEW);
	}
	o = success("192.0.2.1", "one more");
	assert_int_equal(take(&o, NOW), REGISTERED_NOT);
	assert_int_equal(gone.origin, 0);
	assert_int_equal(count(), REGISTERED_MAX);
	/* Who is on it stays. */
	o = success("10.0.0.7", "a7");
	assert_int_equal(take(&o, NOW + 900), REGISTERED_RENEWED);
}

/* What a hostile name does to the note. */
static void test_note(void **state)
{
	struct observation o = success("192.0.2.57", "a\r\nb\x1b[2J");

	(void)state;
	assert_int_equal(take(&o, NOW), REGISTERED_NEW);
	assert_string_equal(entry.note, "account a\\x0d\\x0ab\\x1b[2J");
}

/* --- a thief with a password that he need not guess --- */

static struct detector *detector;

static int setup_detector(void **state)
{
	detector = detector_new(&detect_config_default, (struct hash_key){1, 2});
	return setup(state) || !detector ? -1 : 0;
}

static int teardown_detector(void **state)
{
	detector_free(detector);
	return teardown(state);
}

/* What a node does: the observation, the success, the detection. */
static struct own_action watch(struct observation o, uint32_t now)
{
	struct own_action a = {.ban = false};
	struct detection d;
	bool detected;

	o.time = now * USEC_PER_SEC;
	o.attempt = now;
	detected = detector_feed(detector, &o, &d);
	registered_take(list, &entry, &gone, &o,
		detector_failed(detector, &o.source, o.time), LIFE, now);
	if (detected)
		own_decide(&a, &own_config_default, NULL, list, &d, now);
	if (a.unregister)
		assert_true(allowlist_remove(list, &a.indicator, ALLOW_REGISTERED));
	return a;
}

/* A call to 00 and a number of its own, refused though the nonce was ours. */
static struct observation refused(const char *source, unsigned number)
{
	struct observation o = success(source, "108");

	o.kind = OBSERVED_CALL_REJECTED;
	o.proof = PROOF_NONCE;
	o.sensor = SENSOR_HEP;
	o.method = SIP_INVITE;
	snprintf(o.dialled, sizeof o.dialled, "0097259000%04u", number);
	return o;
}

static struct observation wrong_password(const char *source, const char *account)
{
	struct observation o = success(source, account);

	o.kind = OBSERVED_AUTH_FAILED;
	o.proof = PROOF_NONCE;
	o.sensor = SENSOR_HEP;
	return o;
}

static void test_thief_calls(void **state)
{
	struct own_action a;
	uint32_t now = NOW;

	(void)state;
	watch(success("198.51.100.37", "108"), now++);
	assert_int_equal(count(), 1);
	/* One number again and again: a panel whose number is dead does the same. */
	for (unsigned i = 0; i < 15; i++)
		a = watch(refused("198.51.100.37", 0), now++);
	assert_false(a.ban || a.publish);
	assert_int_equal(a.decision.why, WHY_ALLOWED);
	assert_int_equal(count(), 1);
	/* Fifteen numbers, though that ban is taken to be running. */
	for (unsigned i = 1; i < 14; i++)
		assert_false(watch(refused("198.51.100.37", i), now++).ban);
	a = watch(refused("198.51.100.37", 14), now++);
	assert_true(a.ban && a.publish && a.unregister);
	assert_int_equal(a.category, CATEGORY_FRAUD);
	assert_int_equal(count(), 0);
	/* Once; and his next success puts him on the list no more. */
	assert_false(watch(refused("198.51.100.37", 15), now++).would_ban);
	watch(success("198.51.100.37", "108"), now++);
	assert_int_equal(count(), 0);
}

/* He has one password, guesses another one's and calls abroad with that. */
static void test_thief_guesses(void **state)
{
	struct own_action a = {.ban = false};
	uint32_t now = NOW;

	(void)state;
	watch(success("198.51.100.37", "108"), now++);
	for (unsigned i = 0; i < 5; i++)
		watch(wrong_password("198.51.100.37", "109"), now++);
	for (unsigned i = 0; i < 2; i++) {
		struct observation o = success("198.51.100.37", "109");

		o.method = SIP_INVITE;
		snprintf(o.dialled, sizeof o.dialled, "0025260000%04u", i);
		a = watch(o, now++);
	}
	assert_true(a.ban && a.unregister);
	assert_int_equal(a.category, CATEGORY_STOLEN);
	assert_int_equal(count(), 0);
}

/* A phone that was let in before its password changed, and calls home now. */
static void test_owner(void **state)
{
	struct own_action a = {.would_ban = false};
	uint32_t now = NOW;

	(void)state;
	watch(success("192.0.2.57", "109"), now++);
	for (unsigned i = 0; i < 5; i++)
		assert_false(watch(wrong_password("192.0.2.57", "109"), now++).ban);
	for (unsigned i = 0; i < 2; i++) {
		struct observation o = success("192.0.2.57", "109");

		o.method = SIP_INVITE;
		snprintf(o.dialled, sizeof o.dialled, "0025260000%04u", i);
		a = watch(o, now++);
	}
	assert_int_equal(a.category, CATEGORY_STOLEN);
	assert_false(a.would_ban || a.would_publish);
	assert_int_equal(count(), 1);
}

/*
 * Three phones behind one address, a fourth with an old password that tries ten
 * times a second: all four stay.
 */
static void test_shared_address(void **state)
{
	static const char *const accounts[] = {"100", "101", "102"};
	uint32_t now = NOW;
	bool told = false;

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		watch(success("192.0.2.57", accounts[i]), now++);
	for (unsigned i = 0; i < 200; i++) {
		struct own_action a = watch(wrong_password("192.0.2.57", "104"), now++);

		told |= a.decision.why == WHY_ALLOWED;
		assert_false(a.would_ban || a.would_publish);
	}
	assert_true(told);
	assert_int_equal(count(), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_life, setup, teardown),
		cmocka_unit_test_setup_teardown(test_forged, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not, setup, teardown),
		cmocka_unit_test_setup_teardown(test_late, setup, teardown),
		cmocka_unit_test_setup_teardown(test_known_for_good, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_account, setup, teardown),
		cmocka_unit_test_setup_teardown(test_full, setup, teardown),
		cmocka_unit_test_setup_teardown(test_note, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_thief_calls, setup_detector, teardown_detector),
		cmocka_unit_test_setup_teardown(
			test_thief_guesses, setup_detector, teardown_detector),
		cmocka_unit_test_setup_teardown(
			test_owner, setup_detector, teardown_detector),
		cmocka_unit_test_setup_teardown(
			test_shared_address, setup_detector, teardown_detector),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
