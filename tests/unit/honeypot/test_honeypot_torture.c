/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The messages of RFC 4475, one datagram each: recorded, answered as the RFC asks, and
 * nothing stops. "j.user" and "watson" are bait accounts here, so that what asks for a
 * registrar's opinion finds one.
 */
#include "../cmocka_all.h"
#include "honeypot_steps.h"

#include <dirent.h>
#include <stdlib.h>

struct torture {
	const char *name;
	unsigned status; /* 0: no answer */
	uint8_t verdict;
	uint8_t kind; /* of the last observation; 0: none */
};

static const struct torture torture[] = {
	/* 3.1.1, valid */
	{"wsinv", 481, SIP_VALID, OBSERVED_PROOF}, /* in a dialog that is not there */
	{"intmeth", 501, SIP_VALID, OBSERVED_SCAN},
	{"esc01", 404, SIP_VALID, OBSERVED_UNKNOWN_ACCOUNT},
	{"escnull", 404, SIP_VALID, OBSERVED_UNKNOWN_ACCOUNT},
	{"esc02", 501, SIP_VALID, OBSERVED_SCAN}, /* RE%47IST%45R is no REGISTER */
	{"lwsdisp", 200, SIP_VALID, OBSERVED_SCAN},
	{"longreq", 404, SIP_VALID, OBSERVED_UNKNOWN_ACCOUNT},
	{"dblreq", 401, SIP_VALID, OBSERVED_SCAN},
	{"semiuri", 200, SIP_VALID, OBSERVED_SCAN},
	{"transports", 200, SIP_VALID, OBSERVED_SCAN},
	{"mpart01", 404, SIP_VALID, OBSERVED_SCAN},
	{"unreason", 0, SIP_VALID, 0},
	{"noreason", 0, SIP_VALID, 0},
	/* 3.1.2, invalid */
	{"badinv01", 400, SIP_MALFORMED, OBSERVED_MALFORMED},
	{"clerr", 400, SIP_MALFORMED, OBSERVED_MALFORMED},
	{"ncl", 400, SIP_MALFORMED, OBSERVED_MALFORMED},
	{"scalar02", 400, SIP_MALFORMED, OBSERVED_MALFORMED},
	{"scalarlg", 0, SIP_MALFORMED, 0},
	{"quotbal", 400, SIP_MALFORMED, OBSERVED_MALFORMED},
	{"ltgtruri", 400, SIP_MALFORMED, OBSERVED_MALFORMED},
	{"lwsruri", 400, SIP_MALFORMED, OBSERVED_MALFORMED},
	{"lwsstart", 400, SIP_MALFORMED, OBSERVED_MALFORMED},
	{"trws", 400, SIP_MALFORMED, OBSERVED_MALFORMED},
	{"escruri", 400, SIP_VALID, OBSERVED_MALFORMED},
	{"baddate", 404, SIP_VALID, OBSERVED_UNKNOWN_ACCOUNT}, /* or 400; ignored */
	{"regbadct", 400, SIP_VALID, OBSERVED_MALFORMED},
	{"badaspec", 400, SIP_MALFORMED, OBSERVED_MALFORMED},
	{"baddn", 400, SIP_MALFORMED, OBSERVED_MALFORMED},
	{"badvers", 505, SIP_MALFORMED, OBSERVED_MALFORMED},
	{"mismatch01", 400, SIP_MALFORMED, OBSERVED_MALFORMED},
	{"mismatch02", 400, SIP_MALFORMED, OBSERVED_MALFORMED},
	{"bigcode", 0, SIP_MALFORMED, 0},
	/* 3.2, transaction layer */
	{"badbranch", 200, SIP_VALID, OBSERVED_SCAN},
	/* 3.3, application layer */
	{"insuf", 400, SIP_MALFORMED, OBSERVED_MALFORMED},
	{"unkscm", 416, SIP_VALID, OBSERVED_MALFORMED},
	{"novelsc", 416, SIP_VALID, OBSERVED_MALFORMED},
	{"unksm2", 404, SIP_VALID, OBSERVED_UNKNOWN_ACCOUNT},
	{"bext01", 420, SIP_VALID, OBSERVED_MALFORMED},
	{"invut", 415, SIP_VALID, OBSERVED_MALFORMED},
	{"regaut01", 401, SIP_VALID, OBSERVED_SCAN},
	{"multi01", 400, SIP_MALFORMED, OBSERVED_MALFORMED},
	{"mcl01", 400, SIP_MALFORMED, OBSERVED_MALFORMED},
	{"bcast", 0, SIP_VALID, 0},
	{"zeromf", 200, SIP_VALID,
		OBSERVED_SCAN}, /* it is for us: nothing is forwarded */
	{"cparam01", 401, SIP_VALID, OBSERVED_SCAN},
	{"cparam02", 401, SIP_VALID, OBSERVED_SCAN},
	{"regescrt", 404, SIP_VALID, OBSERVED_UNKNOWN_ACCOUNT},
	{"sdp01", 406, SIP_VALID, OBSERVED_MALFORMED},
	/* 3.4 */
	{"inv2543", 404, SIP_VALID, OBSERVED_UNKNOWN_ACCOUNT},
};

#define TORTURES (sizeof torture / sizeof *torture)

static size_t load(char *dst, size_t size, const char *name)
{
	char path[512];
	FILE *f;
	size_t n;

	snprintf(path, sizeof path, TESTS_DATA "/rfc4475/%s.dat", name);
	f = fopen(path, "rb");
	if (!f)
		fail_msg("%s cannot be opened", path);
	n = fread(dst, 1, size, f);
	fclose(f);
	return n;
}

static void begin(void)
{
	config.n_baits = 1;
	snprintf(config.baits[0], sizeof config.baits[0], "j.user");
	snprintf(config.baits[config.n_baits++], sizeof config.baits[0], "watson");
	honeypot_steps_begin();
}

static void check_profile(const char *profile)
{
	static char text[65536];

	config.profile = profiles_find(profiles_builtin(), view_str(profile));
	assert_non_null(config.profile);
	begin();
	for (size_t i = 0; i < TORTURES; i++) {
		const struct torture *t = &torture[i];
		size_t n = load(text, sizeof text, t->name);
		unsigned before = n_seen, recorded = n_recorded;

		feed_from("198.51.100.7", 5070, text, n);
		/* Each PBX refuses a MESSAGE in its own way. */
		if (status(0) != t->status &&
			!(!strcmp(t->name, "mpart01") && status(0) > 400))
			fail_msg(
				"%s: answered %u, not %u", t->name, status(0), t->status);
		assert_int_equal(n_sent, t->status ? 1 : 0);
		assert_true(bytes_sent <= n);
		if (n_recorded != recorded + 1 || last_record.verdict != t->verdict)
			fail_msg("%s: recorded %u times, verdict %u (%s)", t->name,
				n_recorded - recorded, last_record.verdict,
				last_record.why);
		assert_int_equal(last_record.bytes.n, n);
		if ((n_seen > before ? seen[n_seen - 1].kind : 0) != t->kind)
			fail_msg("%s: observed %s", t->name,
				n_seen > before ?
					observation_kind_name(seen[n_seen - 1].kind) :
					"nothing");
	}
	assert_int_equal(bad_records, 0);
}

static void test_asterisk(void **state)
{
	(void)state;
	check_profile("asterisk");
}

static void test_other_profiles(void **state)
{
	(void)state;
	check_profile("freeswitch");
	check_profile("cisco");
}

/* The table has each file, and each file is in the table. */
static void test_all_of_them(void **state)
{
	DIR *d = opendir(TESTS_DATA "/rfc4475");
	unsigned n = 0;
	struct dirent *e;

	(void)state;
	assert_non_null(d);
	while ((e = readdir(d))) {
		size_t length = strlen(e->d_name);
		bool found = false;

		if (length < 5 || strcmp(e->d_name + length - 4, ".dat"))
			continue;
		n++;
		for (size_t i = 0; i < TORTURES; i++)
			found |= strlen(torture[i].name) == length - 4 &&
				!strncmp(torture[i].name, e->d_name, length - 4);
		if (!found)
			fail_msg("%s is not in the table", e->d_name);
	}
	closedir(d);
	assert_int_equal(n, 49);
	assert_int_equal(TORTURES, 49);
}

/* What the RFC wants to see in the answers. */
static void test_details(void **state)
{
	static char text[65536];
	char found[256];

	(void)state;
	begin();
	feed_over(TRANSPORT_TCP, 1,
		(text[load(text, sizeof text - 1, "bext01")] = 0, text));
	assert_string_equal(between(found, sent[0].text, "Unsupported: ", "\r\n"),
		"nothingSupportsThis, nothingSupportsThisEither");
	feed_over(
		TRANSPORT_TCP, 1, (text[load(text, sizeof text - 1, "wsinv")] = 0, text));
	/* Folded and spaced as it came, but on one line. */
	assert_string_equal(between(found, sent[0].text, "To: ", "\r\n"),
		"sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n");
	assert_non_null(strstr(sent[0].text, "CSeq: 0009    INVITE\r\n"));
	/* All Vias, in their order, the first with where it came from. */
	assert_non_null(
		strstr(sent[0].text, "192.0.2.2;received=198.51.100.7;branch=390skdjuw"));
	assert_non_null(strstr(sent[0].text, "spindle.example.com"));
	assert_non_null(strstr(sent[0].text, "192.168.255.111"));
	feed_over(
		TRANSPORT_TCP, 1, (text[load(text, sizeof text - 1, "invut")] = 0, text));
	assert_non_null(strstr(sent[0].text, "\r\nAccept: application/sdp\r\n"));
}

/* Nothing of them is left behind that would stop the next. */
static void test_goes_on(void **state)
{
	static char text[65536];

	(void)state;
	begin();
	for (unsigned round = 0; round < 20; round++) {
		for (size_t i = 0; i < TORTURES; i++) {
			size_t n = load(text, sizeof text, torture[i].name);

			feed_from("198.51.100.7", 5070, text, n);
			now += 50 * MS;
			honeypot_due(honeypot, now);
		}
	}
	feed(request((struct request){.method = "OPTIONS"}));
	assert_int_equal(status(0), 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_asterisk, honeypot_steps_setup, honeypot_steps_teardown),
		cmocka_unit_test_setup_teardown(test_other_profiles, honeypot_steps_setup,
			honeypot_steps_teardown),
		cmocka_unit_test_setup_teardown(
			test_all_of_them, honeypot_steps_setup, honeypot_steps_teardown),
		cmocka_unit_test_setup_teardown(
			test_details, honeypot_steps_setup, honeypot_steps_teardown),
		cmocka_unit_test_setup_teardown(
			test_goes_on, honeypot_steps_setup, honeypot_steps_teardown),
	};

	return cmocka_run_group_tests_name("honeypot-torture", tests, NULL, NULL);
}
