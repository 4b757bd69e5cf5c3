/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines as Kamailio 5.6.3 writes them with the shipped include, some with one
 * field changed, lines of the corpora, and what attackers make of both.
 */
#include <stdio.h>
#include <stdlib.h>

#include "../cmocka_all.h"

#include "sense/kamailio_log.h"
#include "sip/message.h"

#define NOW    (UINT64_C(1795335300) * USEC_PER_SEC)
#define HEAD   "Nov 22 08:13:39 vm kamailio[25002]: "
#define SERVER "NOTICE: <script>: "
#define T      "t=1795335267.104404 "
#define FAIL                                                                             \
	"SIPCHAIN ev=auth_fail " T "src=198.51.100.7:5071 proto=udp method=REGISTER "    \
	"rc=-2 verified=1 authuser=101 from=100 to=100 ruser= "                          \
	"callid=1-23165%40198.51.100.7 resp=0123456789abcdef0123456789abcdef "           \
	"ua=MyDialer%2f1.0"

static struct observation o;

static enum kamailio_log_result parse(const char *line)
{
	memset(&o, 0xee, sizeof o);
	return kamailio_log_parse(&o, view_str(line), NOW);
}

#define is(line)     assert_int_equal(parse(line), KAMAILIO_LOG_OBSERVATION)
#define forged(line) assert_int_equal(parse(line), KAMAILIO_LOG_INJECTION)
#define cut(line)    assert_int_equal(parse(line), KAMAILIO_LOG_UNREADABLE)
#define silent(line) assert_int_equal(parse(line), KAMAILIO_LOG_NOTHING)

static void assert_source(const char *source, uint16_t port)
{
	char text[ADDRESS_TEXT];

	assert_string_equal(address_print(text, &o.source), source);
	assert_int_equal(o.port, port);
}

static void test_failure(void **state)
{
	static const char id[] = "1-23165@198.51.100.7";

	(void)state;
	is(HEAD SERVER FAIL "\n");
	assert_source("198.51.100.7", 5071);
	assert_int_equal(o.time, UINT64_C(1795335267104404));
	assert_int_equal(o.kind, OBSERVED_AUTH_FAILED);
	assert_int_equal(o.proof, PROOF_NONCE);
	assert_int_equal(o.transport, TRANSPORT_UDP);
	assert_int_equal(o.sensor, SENSOR_KAMAILIO);
	assert_string_equal(sensor_name(o.sensor), "kamailio");
	assert_int_equal(o.method, SIP_REGISTER);
	assert_string_equal(o.account, "101");
	assert_string_equal(o.agent, "MyDialer/1.0");
	assert_string_equal(o.dialled, "");
	/* What HEP makes of the same request. */
	assert_int_equal(o.attempt,
		observation_attempt(
			view_str(id), view_str("0123456789abcdef0123456789abcdef")));
}

static void test_heads(void **state)
{
	(void)state;
	is(SERVER FAIL); /* the journal */
	is(FAIL);        /* OpenSIPS there */
	is(HEAD FAIL);   /* OpenSIPS */
	is("2026-11-22T08:13:39.123456+00:00 vm kamailio[1]: " SERVER FAIL);
	is("Nov  2 08:13:39 pbx-1.example /usr/sbin/kamailio[25002]: " SERVER FAIL);
	is(HEAD "INFO: <script>: " FAIL);
	is(HEAD "NOTICE: {1 2 REGISTER abc@198.51.100.7} <script>: " FAIL);
	/* Standard error: who sends a broken packet writes lines there. */
	forged(" 0(25002) " SERVER FAIL);
	forged(HEAD "ERROR: <script>: " FAIL);
	forged(HEAD "NOTICE: <core> [core/receive.c:447]: " FAIL);
	silent(HEAD "NOTICE: <script>: something else");
	silent("");
	silent("\n");
}

static void test_result_codes(void **state)
{
	static const struct {
		const char *rc, *verified;
		int kind, proof;
	} list[] = {
		{"-2", "1", OBSERVED_AUTH_FAILED, PROOF_NONCE},
		{"-3", "1", OBSERVED_UNKNOWN_ACCOUNT, PROOF_NONCE},
		{"-2", "0", OBSERVED_AUTH_FAILED, PROOF_NONE},
		{"-3", "0", OBSERVED_UNKNOWN_ACCOUNT, PROOF_NONE},
		{"-1", "0", OBSERVED_SCAN, PROOF_NONE},
		{"-4", "0", OBSERVED_SCAN, PROOF_NONE},
		{"-6", "0", OBSERVED_SCAN, PROOF_NONE},
		/* Contradictory: the include writes nothing of the kind. */
		{"-1", "1", 0, 0},
		{"-4", "1", 0, 0},
		{"-22", "1", 0, 0},
		{"-2", "2", 0, 0},
		{"-2", "", 0, 0},
		{"", "1", 0, 0},
	};
	char line[512];

	(void)state;
	for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
		snprintf(line, sizeof line,
			HEAD SERVER "SIPCHAIN ev=auth_fail src=198.51.100.7:1 proto=udp "
				    "method=INVITE rc=%s verified=%s authuser=1 callid=x",
			list[i].rc, list[i].verified);
		if (!list[i].kind) {
			forged(line);
			continue;
		}
		is(line);
		assert_int_equal(o.kind, list[i].kind);
		assert_int_equal(o.proof, list[i].proof);
	}
}

#define REST                                                                             \
	" " T "src=198.51.100.7:5060 proto=%s method=INVITE from=100 to=200 "            \
	"ruser=900972590000101 callid=xejivg2c9v ua=x authuser="

static void test_events(void **state)
{
	static const struct {
		const char *ev, *proto;
		int kind, transport, proof;
	} list[] = {
		{"challenge", "udp", OBSERVED_SCAN, TRANSPORT_UDP, PROOF_NONE},
		{"challenge", "tcp", OBSERVED_SCAN, TRANSPORT_TCP, PROOF_TCP},
		{"bad_ua", "UDP", OBSERVED_SCAN, TRANSPORT_UDP, PROOF_NONE},
		{"pike", "tls", OBSERVED_SCAN, TRANSPORT_TLS, PROOF_TCP},
		{"rejected", "ws", OBSERVED_CALL_REJECTED, TRANSPORT_WS, PROOF_TCP},
		{"malformed", "wss", OBSERVED_MALFORMED, TRANSPORT_WSS, PROOF_TCP},
		{"auth_ok", "udp", OBSERVED_AUTH_OK, TRANSPORT_UDP, PROOF_AUTH},
	};
	char line[512];

	(void)state;
	for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
		snprintf(line, sizeof line, HEAD SERVER "SIPCHAIN ev=%s" REST, list[i].ev,
			list[i].proto);
		is(line);
		assert_int_equal(o.kind, list[i].kind);
		assert_int_equal(o.transport, list[i].transport);
		assert_int_equal(o.proof, list[i].proof);
		assert_string_equal(o.dialled, "900972590000101");
		assert_string_equal(o.account, "100"); /* an INVITE's From */
	}
	/* What a node blocks itself is no news to it. */
	silent(HEAD SERVER
		"SIPCHAIN ev=blocked_ip src=198.51.100.7:5060 proto=udp id=0x1");
	cut(HEAD SERVER "SIPCHAIN ");
	cut(HEAD SERVER "SIPCHAIN ev=challenge src=198.51.100.7:5060 proto=sctp "
			"method=INVITE callid=x");
}

/* A call that the node's own ban ended: who wanted to call what. */
static void test_blocked(void **state)
{
	(void)state;
#define BLOCKED                                                                          \
	HEAD SERVER "SIPCHAIN ev=blocked_num t=1795335300.000000 src=198.51.100.7:5060 " \
		    "proto=udp method=INVITE rc=0 verified=0 authuser=101 from=999 "     \
		    "to=0097259000123 ruser=0097259000123 callid=x resp= ua="
	is(BLOCKED " num=97259000123 id=+97259*");
	assert_int_equal(o.kind, OBSERVED_BLOCKED);
	assert_int_equal(o.proof, PROOF_NONE);
	assert_source("198.51.100.7", 5060);
	assert_string_equal(o.account, "101");
	assert_string_equal(o.dialled, "0097259000123");
	assert_string_equal(o.request, "97259000123");
	assert_string_equal(o.returned, "+97259*");
	is(BLOCKED " num=97259000123 id=+97259000123");
	assert_string_equal(o.returned, "+97259000123");
	/* What blocks another number did not block this one. */
	cut(BLOCKED " num=97259000123 id=+97258*");
	cut(BLOCKED " num=97259000123 id=198.51.100.7");
	cut(BLOCKED " num=97259000123 id=");
	cut(BLOCKED " num= id=+97259*");
	cut(BLOCKED " num=9725900012345678 id=+97259*");
	cut(BLOCKED " num=097259 id=+97259*");
	cut(BLOCKED " num=97259000123");
	forged(BLOCKED " num=97259000123 id=+97259* id=+97259*");
	forged(BLOCKED " num=97259000123 id=+97259*\"");
}

static void test_texts(void **state)
{
	static const uint8_t raw[] = {'c', 0xff, 0x01, 'd'};

	(void)state;
	is(HEAD SERVER
		"SIPCHAIN ev=challenge src=2001:db8::1:40934 proto=udp "
		"method=REGISTER from=100 to=:3a00ff ruser= callid=:63ff0164 resp= "
		"ua=:6772c3bcc39f20");
	assert_source("2001:db8::1", 40934);
	assert_string_equal(o.account, ":?\xff"); /* a REGISTER is for its To */
	assert_string_equal(o.agent, "gr\xc3\xbc\xc3\x9f ");
	assert_int_equal(o.attempt,
		observation_attempt(view_of(raw, sizeof raw), (struct view){0}));
	is(HEAD SERVER "SIPCHAIN ev=challenge src=[2001:db8::1]:5060 proto=udp "
		       "method=INVITE from=1 ruser=%252B49%252399%250a callid=0");
	assert_source("2001:db8::1", 5060);
	assert_string_equal(o.dialled, "+49#99%0a"); /* as HEP has it */
	assert_int_equal(o.method, SIP_INVITE);
	/* No Call-ID: each line is an attempt of its own. */
	is(HEAD SERVER "SIPCHAIN ev=pike src=198.51.100.7:5060 proto=udp method=BYE");
	assert_int_equal(o.attempt, 0);
	assert_int_equal(o.time, NOW);
}

static void test_times(void **state)
{
	static const char *const now[] = {"x", "1795335267.1", "99999999999999999999",
		"4294967295.000000", "", "-1", "1795335331.000000"};
	char line[256];

	(void)state;
	for (size_t i = 0; i < sizeof now / sizeof now[0]; i++) {
		snprintf(line, sizeof line,
			SERVER "SIPCHAIN ev=malformed t=%s src=198.51.100.7:1 proto=udp",
			now[i]);
		is(line);
		assert_int_equal(o.time, NOW);
	}
}

/* Of the corpora: 07_injection_malformed, and its like. */
static void test_injection(void **state)
{
	(void)state;
	is(HEAD SERVER
		"SIPCHAIN ev=challenge src=198.51.100.112:37319 proto=udp method=REGISTER "
		"from=101 ruser= callid=y%20SIPCHAIN%20ev=auth_fail%20src=198.51.100.134"
		"%3a5060%20verified=1 ua=MyDialer%2f1.0");
	assert_source("198.51.100.112", 37319);
	/* Not escaped: another's configuration, or none of Kamailio's writing. */
	forged(HEAD SERVER "SIPCHAIN ev=challenge src=198.51.100.112:1 proto=udp "
			   "method=REGISTER callid=y SIPCHAIN ev=auth_fail "
			   "src=198.51.100.134:5060 verified=1");
	forged(HEAD SERVER FAIL " src=198.51.100.134:5060");
	forged(HEAD SERVER FAIL " ev=auth_ok");
	forged(HEAD SERVER FAIL " x y");
	forged(HEAD SERVER FAIL "\"");
	forged(HEAD SERVER FAIL "\xff");
	forged(HEAD SERVER FAIL "\r" SERVER);
	forged(HEAD SERVER FAIL "%0");
	forged(HEAD SERVER FAIL "%zz");
	forged(HEAD SERVER "SIPCHAIN  ev=challenge"); /* two blanks */
	forged(HEAD SERVER "SIPCHAIN ev=challenge src=198.51.100.7:1 proto=udp "
			   "method=X callid=:0");
	forged(HEAD SERVER "SIPCHAIN ev=challenge src=198.51.100.7:1 proto=udp "
			   "method=X callid=:0g");
	/* log_prefix with a Call-ID in it. */
	forged(HEAD "NOTICE: {1 1 REGISTER x} <script>: SIPCHAIN ev=pike "
		    "src=198.51.100.134:1 proto=udp method=X} <script>: login by 100");
	forged(HEAD "NOTICE: {1 1 REGISTER SIPCHAIN } <script>: " FAIL);
	forged(HEAD "NOTICE: {1 1 REGISTER x} <script>: y} <script>: " FAIL);
	/* A packet that Kamailio dumps, its line breaks escaped by syslog. */
	forged(HEAD "ERROR: <core> [core/parser/msg_parser.c:749]: parse_msg(): ERROR: "
		    "parse_msg: message=<REGISTER sip:+49 1@x SIP/2.0#015#012Via: x#015"
		    "#012" HEAD SERVER FAIL);
}

static void test_bytes(void **state)
{
	static char line[KAMAILIO_LOG_LINE_MAX + 64];
	struct view v;
	size_t n;

	(void)state;
	/* A NUL is no end. */
	n = (size_t)snprintf(line, sizeof line, "%s", HEAD SERVER FAIL);
	line[n] = '\0';
	v = view_of(line, n + 1);
	assert_int_equal(kamailio_log_parse(&o, v, NOW), KAMAILIO_LOG_INJECTION);
	memset(line + n, 'x', sizeof line - n);
	v = view_of(line, KAMAILIO_LOG_LINE_MAX);
	assert_int_equal(kamailio_log_parse(&o, v, NOW), KAMAILIO_LOG_OBSERVATION);
	assert_int_equal(strlen(o.agent), sizeof o.agent - 1);
	v = view_of(line, KAMAILIO_LOG_LINE_MAX + 1);
	assert_int_equal(kamailio_log_parse(&o, v, NOW), KAMAILIO_LOG_INJECTION);
	/* Every way to cut a line reads no other source out of it. */
	for (size_t i = 0; i < n; i++) {
		enum kamailio_log_result r = kamailio_log_parse(
			&o, view_of(HEAD SERVER FAIL, i), NOW);

		if (r == KAMAILIO_LOG_OBSERVATION) {
			assert_source("198.51.100.7", 5071);
			assert_int_equal(o.proof, PROOF_NONCE);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_failure),
		cmocka_unit_test(test_heads),
		cmocka_unit_test(test_result_codes),
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_blocked),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_injection),
		cmocka_unit_test(test_bytes),
	};

	return cmocka_run_group_tests_name("kamailio_log", tests, NULL, NULL);
}
