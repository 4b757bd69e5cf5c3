/* SPDX-License-Identifier: Apache-2.0 */
/* Text that means to be read as a line of a log, and text that does not. */
#include "../cmocka_all.h"

#include "sense/injection.h"

static void test_text(void **state)
{
	/* Of the captures, and what other PBXs' readers look for. */
	static const char *const hostile[] = {
		"' failed for '198.51.100.222:5060' (callid: x) - Failed to authenticate",
		"y' failed for '198.51.100.222:5060' (callid: z",
		"q\",RemoteAddress=\"IPV4/UDP/198.51.100.222/5060",
		"a%22%2cRemoteAddress%3d%22IPV4%2fUDP%2f198%2e51%2e100%2e222%2f1",
		"a%0aRemoteAddress%3a%20IPV4%2fUDP%2f198%2e51%2e100%2e222%2f1",
		"a%0d%0a%0d%0aEvent%3a%20InvalidPassword%0d%0a",
		"a%00b",
		"SIPCHAIN ev=auth_fail src=198.51.100.134:5060",
		"x%20src%3d198%2e51%2e100%2e134%3a1%20",
		"x src=198.51.100.134:1 verified=1\" src=198.51.100.134",
		"900972%27%20rejected%20because",
		"x] NOTICE[1] chan_sip.c: y",
		"SIP auth failure (REGISTER) on sofia profile",
		"host='203.0.113.9'",
	};
	static const char *const harmless[] = {"", "101", "alice", "+4930123456",
		"Yealink SIP-T46S 66.86.0.15", "Grandstream GXP2160 1.0.11.48",
		"Asterisk PBX 22.10.1", "O'Brien (Sales), \\\"Jack\\\"", "100%25",
		"1-26901@198.51.100.10", "a84b4c76e66710@pc33.example.com",
		"MTIzNDU2Nzg5MA==@192.0.2.1", "*72", "900972590000101",
		"user%40example.org", "rate=1.2", "eyeBeam release 3006o stamp 17551",
		"%2", "x=256.1.1.1", "version=1.2.3.4.5",
		"Fritz!Box 7590 (Call waiting)"};

	(void)state;
	for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++)
		if (!injection_text(view_str(hostile[i])))
			fail_msg("not seen: %s", hostile[i]);
	for (size_t i = 0; i < sizeof harmless / sizeof *harmless; i++)
		if (injection_text(view_str(harmless[i])))
			fail_msg("taken for an injection: %s", harmless[i]);
}

/* The field is named, whichever it is. */
static void test_field(void **state)
{
	static const char form[] =
		"%s sip:%s@192.0.2.10 SIP/2.0\r\nVia: SIP/2.0/UDP 198.51.100.9;branch=z9hG4bK1\r\n"
		"From: %s <sip:%s@x>;tag=1\r\nTo: <sip:9@x>\r\nCall-ID: %s\r\n"
		"CSeq: 1 %s\r\nUser-Agent: %s\r\nContent-Length: 0\r\n\r\n";
	static const struct {
		const char *uri, *display, *user, *call_id, *agent, *field;
	} cases[] = {
		{"9", "\"A\"", "100", "c1", "Phone 1.2.3.4", NULL},
		{"1%0a2", "\"A\"", "100", "c1", "Phone", "Request-URI"},
		{"9", "\"x' failed for 'y'\"", "100", "c1", "Phone", "From"},
		{"9", "\"A\"", "a%0db", "c1", "Phone", "From"},
		{"9", "\"A\"", "100", "c SecurityEvent=\"", "Phone", "Call-ID"},
		{"9", "\"A\"", "100", "c1", "x src=192.0.2.1", "User-Agent"},
	};
	struct sip_message m;
	char text[1024];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int n = snprintf(text, sizeof text, form, "INVITE", cases[i].uri,
			cases[i].display, cases[i].user, cases[i].call_id, "INVITE",
			cases[i].agent);

		assert_int_equal(
			sip_parse(&m, view_of(text, (size_t)n), NULL), SIP_VALID);
		if (cases[i].field)
			assert_string_equal(injection_field(&m), cases[i].field);
		else
			assert_null(injection_field(&m));
	}
}

static void test_packet(void **state)
{
	(void)state;
	assert_true(
		injection_packet(view_str("REGISTER sip:x SIP/2.0\r\nX: y\r\n"
					  "[Nov 21 19:55:00] NOTICE[1] res.c: z\r\n")));
	assert_false(
		injection_packet(view_str("REGISTER sip:x SIP/2.0\r\nX: y\r\n\r\n")));
	assert_false(injection_packet((struct view){0}));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_field),
		cmocka_unit_test(test_packet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
