/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines of Asterisk 22.10.1 (from the corpora, some with one field changed)
 * and what attackers make of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sense/event_time.h"
#include "sense/security_log.h"

#define HEAD(kind, service)                                                              \
	"SecurityEvent=\"" kind "\",EventTV=\"2026-11-21T20:03:18.240"                   \
	"+0000\",Severity=\"Error\",Service=\"" service "\",EventVersion=\"1\","
#define WHO(account, session) "AccountID=\"" account "\",SessionID=\"" session "\","
#define ADDR(proto, remote)                                                              \
	"LocalAddress=\"IPV4/" proto "/192.0.2.10/5060\","                               \
	"RemoteAddress=\"IPV4/" proto "/" remote "\""
#define PREFIX "[2026-11-21 20:03:18.240] SECURITY[26897] res_security_log.c: "
#define VICTIM "198.51.100.222/5060"
#define OWN    "198.51.100.39/46001"

static enum security_log_result parse(struct observation *o, const char *line)
{
	memset(o, 0xee, sizeof(*o));
	return security_log_parse(o, view_str(line));
}

/* The event as a JSON line, as Asterisk's formatter would write it. */
static enum security_log_result parse_json(struct observation *o, const char *event)
{
	char line[8192];
	size_t n;

	n = (size_t)snprintf(line, sizeof(line),
		"{\"hostname\":\"\",\"timestamp\":"
		"\"2026-11-21 20:03:18.240\",\"identifiers\":{\"lwp\":26897,\"callid\":"
		"\"\"},\"logmsg\":{\"location\":{\"filename\":\"res_security_log.c\","
		"\"function\":\"security_event_stasis_cb\",\"line\":114},\"level\":"
		"\"SECURITY\",\"message\":\"");
	for (; *event; event++) {
		if (*event == '"' || *event == '\\')
			line[n++] = '\\';
		line[n++] = *event;
	}
	snprintf(line + n, sizeof(line) - n, "\\n\"}}\n");
	return parse(o, line);
}

static void assert_source(const struct observation *o, const char *source, uint16_t port)
{
	char text[ADDRESS_TEXT];

	assert_string_equal(address_print(text, &o->source), source);
	assert_int_equal(o->port, port);
}

static void test_kinds(void **state)
{
	static const struct {
		const char *event;
		uint8_t kind, proof, transport;
	} cases[] = {
		{HEAD("InvalidAccountID", "PJSIP") WHO("901", "s") ADDR("UDP", OWN),
			OBSERVED_UNKNOWN_ACCOUNT, PROOF_NONE, TRANSPORT_UDP},
		{HEAD("FailedACL", "PJSIP") WHO("110", "s")
				ADDR("UDP", OWN) ",ACLName=\"not_match_endpoint_acl\"",
			OBSERVED_UNKNOWN_ACCOUNT, PROOF_NONE, TRANSPORT_UDP},
		{HEAD("ChallengeSent", "PJSIP") WHO("101", "s")
				ADDR("TLS", OWN) ",Challenge=\"\"",
			OBSERVED_SCAN, PROOF_TCP, TRANSPORT_TLS},
		{HEAD("ChallengeResponseFailed", "PJSIP") WHO("101", "s") ADDR("WSS",
			 OWN) ",Challenge=\"1/2\",Response=\"00\",ExpectedResponse=\"\"",
			OBSERVED_AUTH_FAILED, PROOF_TCP, TRANSPORT_WSS},
		{HEAD("InvalidPassword", "SIP") WHO("101", "s") ADDR("UDP",
			 OWN) ",Challenge=\"7\",ReceivedChallenge=\"7\",ReceivedHash=\"00\"",
			OBSERVED_AUTH_FAILED, PROOF_NONE, TRANSPORT_UDP},
		{HEAD("SuccessfulAuth", "PJSIP") WHO("101", "s")
				ADDR("UDP", OWN) ",UsingPassword=\"1\"",
			OBSERVED_AUTH_OK, PROOF_AUTH, TRANSPORT_UDP},
		{HEAD("SuccessfulAuth", "PJSIP") WHO("101", "s")
				ADDR("UDP", OWN) ",UsingPassword=\"0\"",
			OBSERVED_AUTH_OK, PROOF_NONE, TRANSPORT_UDP},
		{HEAD("SuccessfulAuth", "PJSIP") WHO("101", "s")
				ADDR("TCP", OWN) ",UsingPassword=\"0\"",
			OBSERVED_AUTH_OK, PROOF_TCP, TRANSPORT_TCP},
		{HEAD("InvalidPassword", "AMI") WHO("admin", "0x7f") ADDR(
			 "TCP", OWN) ",SessionTV=\"1970-01-01T00:00:00.000+0000\"",
			OBSERVED_AUTH_FAILED, PROOF_TCP, TRANSPORT_TCP},
		{HEAD("RequestBadFormat", "PJSIP") "SessionID=\"s\"," ADDR(
			 "WS", OWN) ",RequestType=\"x\",AccountID=\"a\"",
			OBSERVED_MALFORMED, PROOF_TCP, TRANSPORT_WS},
	};
	struct observation o;
	char line[2048];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(
			parse_json(&o, cases[i].event), SECURITY_LOG_OBSERVATION);
		assert_int_equal(o.kind, cases[i].kind);
		assert_int_equal(o.proof, cases[i].proof);
		assert_int_equal(o.transport, cases[i].transport);
		assert_int_equal(o.sensor, SENSOR_SECURITY_LOG);
		assert_int_equal(o.time, UINT64_C(1795291398240000));
		assert_source(&o, "198.51.100.39", 46001);
		snprintf(line, sizeof(line), PREFIX "%s\n", cases[i].event);
		assert_int_equal(parse(&o, line), SECURITY_LOG_OBSERVATION);
		assert_int_equal(o.kind, cases[i].kind);
		assert_int_equal(o.proof, cases[i].proof);
	}
}

static void test_fields(void **state)
{
	struct observation o;

	(void)state;
	assert_int_equal(
		parse_json(&o,
			HEAD("ChallengeResponseFailed", "PJSIP") WHO(
				"101", "1-26901@198.51.100.10") ADDR("UDP",
				"198.51.100.10/5071") ",Challenge=\"1795291398/72c9ec3eec590fc9043f4be138c6ee2e\","
						      "Response=\"63683e5d776c0da1526ede392d21dd10\",ExpectedResponse=\"\""),
		SECURITY_LOG_OBSERVATION);
	assert_string_equal(o.account, "101");
	assert_string_equal(o.dialled, "");
	/* The key on which the wire agrees. */
	assert_true(o.attempt ==
		observation_attempt(view_str("1-26901@198.51.100.10"),
			view_str("63683e5d776c0da1526ede392d21dd10")));
	/* The endpoint that stands in for unknown ones is no account. */
	assert_int_equal(parse_json(&o,
				 HEAD("ChallengeSent", "PJSIP") WHO("<unknown>", "s")
					 ADDR("UDP", OWN) ",Challenge=\"\""),
		SECURITY_LOG_OBSERVATION);
	assert_string_equal(o.account, "");
	assert_true(o.attempt == observation_attempt(view_str("s"), (struct view){0}));
	/* IPv6, and an account longer than its place. */
	assert_int_equal(
		parse(&o,
			PREFIX HEAD("InvalidAccountID", "PJSIP") WHO(
				"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
				"s") "LocalAddress=\"IPV6/UDP/2001:db8:0:1::10/5060\","
				     "RemoteAddress=\"IPV6/UDP/2001:db8:a::1/49658\""),
		SECURITY_LOG_OBSERVATION);
	assert_source(&o, "2001:db8:a::1", 49658);
	assert_int_equal(strlen(o.account), 63);
	/* A manager's sessions share their SessionID; each line is an attempt. */
	assert_int_equal(
		parse_json(&o,
			HEAD("InvalidPassword", "AMI") WHO("a", "0x7f") ADDR("TCP", OWN)),
		SECURITY_LOG_OBSERVATION);
	assert_true(o.attempt != observation_attempt(view_str("0x7f"), (struct view){0}));
}

static void test_nothing(void **state)
{
	static const char *const lines[] = {
		"",
		"\n",
		"[2026-11-21 20:03:17.583] Asterisk 22.10.1 built by nobody @ buildhost",
		PREFIX HEAD("SuccessfulAuth", "AMI") WHO("sipchain", "0x7f7cc400d550")
			ADDR("TCP", "127.0.0.1/37570") ",UsingPassword=\"1\"",
		PREFIX HEAD("SessionLimit", "PJSIP") WHO("101", "s") ADDR("UDP", OWN),
		PREFIX HEAD("ChallengeSent", "AMI") WHO("101", "s") ADDR("TCP", OWN),
		PREFIX HEAD("InvalidAccountID", "IAX2") WHO("101", "s") ADDR("UDP", OWN),
	};
	struct observation o;

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_int_equal(parse(&o, lines[i]), SECURITY_LOG_NOTHING);
}

/* Fields written by the attacker: his own address is named, or nobody's. */
static void test_injected_fields(void **state)
{
	static const struct {
		const char *event;
		enum security_log_result result;
	} cases[] = {
		/* Corpus 14, Call-ID: whole fields in front of the real ones. */
		{HEAD("ChallengeSent", "PJSIP")
				WHO("101", "q\"," ADDR("UDP", VICTIM) ",X=\"")
					ADDR("UDP", OWN) ",Challenge=\"\"",
			SECURITY_LOG_OBSERVATION},
		{HEAD("ChallengeSent", "PJSIP") WHO("101",
			 "q\"," ADDR("TCP",
				 VICTIM) ",Challenge=\"1/2\",Response=\"3\",ExpectedResponse=\"")
				ADDR("UDP", OWN) ",Challenge=\"\"",
			SECURITY_LOG_OBSERVATION},
		{HEAD("InvalidAccountID", "PJSIP") WHO(
			 "a\",RemoteAddress=\"IPV4/UDP/198.51.10", "iour2i33se")
				ADDR("UDP", OWN),
			SECURITY_LOG_OBSERVATION},
		/* A success in front of a failure. */
		{HEAD("InvalidAccountID", "PJSIP") WHO("a",
			 "s\"," ADDR("TCP", VICTIM) ",UsingPassword=\"1\",SessionTV=\"")
				ADDR("UDP", OWN),
			SECURITY_LOG_OBSERVATION},
		/* Corpus 14, nonce and response: quotes escaped as they came. */
		{HEAD("ChallengeResponseFailed", "PJSIP") WHO("101", "s") ADDR("UDP",
			 OWN) ",Challenge=\"n\\\",RemoteAddress=\\\"IPV4/UDP/" VICTIM
			      "\\\"\","
			      "Response=\"x\\\",RemoteAddress=\\\"IPV4/TCP/" VICTIM "\","
			      "ExpectedResponse=\"\"",
			SECURITY_LOG_OBSERVATION},
		/* Whole fields in the Call-ID of a kind with such a tail, over TCP. */
		{HEAD("ChallengeResponseFailed", "PJSIP") WHO("101",
			 "q\"," ADDR("TCP",
				 VICTIM) ",Challenge=\"n\",Response=\"") ADDR("TCP",
			 OWN) ",Challenge=\"n\",Response=\"x\",ExpectedResponse=\"\"",
			SECURITY_LOG_OBSERVATION},
		/* A tail that this kind does not have. */
		{HEAD("InvalidAccountID", "PJSIP") WHO("a", "s")
				ADDR("UDP", OWN) ",UsingPassword=\"1\"",
			SECURITY_LOG_INJECTION},
		{HEAD("SuccessfulAuth", "PJSIP") WHO("a", "s") ADDR(
			 "UDP", OWN) ",UsingPassword=\"0\",UsingPassword=\"1\"",
			SECURITY_LOG_INJECTION},
		/* RemoteAddress without LocalAddress before it. */
		{HEAD("InvalidAccountID", "PJSIP")
				WHO("a", "s") "RemoteAddress=\"IPV4/UDP/" OWN "\"",
			SECURITY_LOG_INJECTION},
		/* Addresses that are none. */
		{HEAD("InvalidAccountID", "PJSIP") WHO("a", "s")
				ADDR("UDP", "1.2.3/5060"),
			SECURITY_LOG_INJECTION},
		{HEAD("InvalidAccountID", "PJSIP") WHO("a", "s")
				ADDR("UDP", "1.2.3.4/70000"),
			SECURITY_LOG_INJECTION},
		{HEAD("InvalidAccountID", "PJSIP") WHO("a", "s") ADDR("SCTP", OWN),
			SECURITY_LOG_INJECTION},
	};
	struct observation o;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(parse_json(&o, cases[i].event), cases[i].result);
		if (cases[i].result == SECURITY_LOG_OBSERVATION) {
			assert_source(&o, "198.51.100.39", 46001);
			assert_int_equal(o.proof, PROOF_NONE);
		}
	}
}

/*
 * Should somebody find a way to write bare quotes behind the real address, he
 * can name anybody, as a forged packet can, but prove nothing.
 */
static void test_hostile_tail(void **state)
{
	static const char *const events[] = {
		HEAD("ChallengeResponseFailed", "PJSIP") WHO("101", "s") ADDR(
			"UDP", OWN) ",Challenge=\"n\",Response=\"x\"," ADDR("TCP",
			VICTIM) ",Challenge=\"n\",Response=\"x\",ExpectedResponse=\"\"",
		HEAD("InvalidPassword", "SIP") WHO("101", "s")
			ADDR("UDP", OWN) ",Challenge=\"n\",ReceivedChallenge=\"n\"," ADDR(
				"TLS", VICTIM) ",ReceivedHash=\"x\"",
	};
	struct observation o;

	(void)state;
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		assert_int_equal(parse_json(&o, events[i]), SECURITY_LOG_OBSERVATION);
		assert_int_equal(o.proof, PROOF_NONE);
		assert_int_equal(o.kind, OBSERVED_AUTH_FAILED);
	}
	/* A real line of 22.10 (response="a\\\\", then a quote): one address. */
	assert_int_equal(
		parse_json(&o,
			HEAD("ChallengeResponseFailed", "PJSIP") WHO(
				"101", "forge7") ADDR("TCP",
				OWN) ",Challenge=\"1/2\",Response=\"a\\\\\",ExpectedResponse=\"\""),
		SECURITY_LOG_OBSERVATION);
	assert_int_equal(o.proof, PROOF_TCP);
	assert_true(
		o.attempt == observation_attempt(view_str("forge7"), view_str("a\\\\")));
}

/* Lines that are not Asterisk's, or not whole. */
static void test_unreadable(void **state)
{
	static const char *const lines[] = {
		"hello",
		"{",
		"{}",
		"[]",
		"{\"logmsg\":5}",
		/* Other levels and sources of a file that is not for us. */
		"[2026-11-21 20:03:18] NOTICE[1] res_pjsip/pjsip_distributor.c: Request x",
		"[2026-11-21 20:03:18.240] SECURITY[1] other.c: " HEAD(
			"InvalidAccountID", "PJSIP") WHO("a", "s") ADDR("UDP", OWN),
		/* Without Asterisk's prefix. */
		HEAD("InvalidAccountID", "PJSIP") WHO("a", "s") ADDR("UDP", OWN),
		" " HEAD("InvalidAccountID", "PJSIP") WHO("a", "s") ADDR("UDP", OWN),
		"[yesterday] SECURITY[1] res_security_log.c: " HEAD(
			"InvalidAccountID", "PJSIP") WHO("a", "s") ADDR("UDP", OWN),
		"[2026-11-21 20:03:18.240] SECURITY[x] res_security_log.c: " HEAD(
			"InvalidAccountID", "PJSIP") WHO("a", "s") ADDR("UDP", OWN),
		/* Fields out of order, EventTV that is no time. */
		PREFIX "EventTV=\"2026-11-21T20:03:18.240+0000\",SecurityEvent=\"x\"",
		PREFIX
		"SecurityEvent=\"InvalidAccountID\",EventTV=\"now\",Severity=\"Error\","
		"Service=\"PJSIP\",EventVersion=\"1\"," WHO("a", "s") ADDR("UDP", OWN),
		/* JSON: a key twice, a wrong file, a text cut at 8,192 bytes. */
		"{\"logmsg\":{\"level\":\"SECURITY\",\"level\":\"SECURITY\"}}",
		"{\"timestamp\":\"x\",\"logmsg\":{\"location\":{\"filename\":\"evil.c\"},"
		"\"level\":\"SECURITY\",\"message\":\""
		"\"}}",
		"{\"hostname\":\"\",\"logmsg\":{\"level\":\"SECURITY\",\"message\":\"Secu",
	};
	struct observation o;

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_int_equal(parse(&o, lines[i]), SECURITY_LOG_UNREADABLE);
}

/* A text line cut inside a Call-ID ends as the attacker likes. */
static void test_cut_text(void **state)
{
	static const char begin[] = PREFIX HEAD(
		"InvalidAccountID", "PJSIP") "AccountID=\"101\",SessionID=\"";
	static const char end[] = "\"," ADDR("TCP", VICTIM);
	char line[16384];
	struct observation o;
	size_t filler;

	(void)state;
	for (size_t n = sizeof(begin) + sizeof(end); n < sizeof(line); n += 997) {
		filler = n - sizeof(begin) - sizeof(end);
		memcpy(line, begin, sizeof(begin) - 1);
		memset(line + sizeof(begin) - 1, 'B', filler);
		memcpy(line + sizeof(begin) - 1 + filler, end, sizeof(end));
		assert_int_equal(parse(&o, line),
			strlen(line) > SECURITY_LOG_TEXT_MAX ? SECURITY_LOG_UNREADABLE :
							       SECURITY_LOG_OBSERVATION);
	}
}

static void test_times_disagree(void **state)
{
	static const char event[] = HEAD("InvalidAccountID", "PJSIP") WHO("a", "s")
		ADDR("UDP", OWN);
	static const struct {
		const char *stamp;
		enum security_log_result result;
	} cases[] = {
		{"2026-11-21 20:03:18", SECURITY_LOG_OBSERVATION},
		{"2026-11-21T20:03:18.240+0000", SECURITY_LOG_OBSERVATION},
		{"2026-11-21 20:03:48.239", SECURITY_LOG_OBSERVATION},
		{"2026-11-21 20:03:48.241", SECURITY_LOG_INJECTION},
		{"2026-11-21 19:55:00.002", SECURITY_LOG_INJECTION},
		{"2025-11-21 20:03:18", SECURITY_LOG_INJECTION},
		{"Nov 21 20:03:20", SECURITY_LOG_OBSERVATION},
		{"Nov 21 21:03:20", SECURITY_LOG_INJECTION},
		{"Nov 22 20:03:20", SECURITY_LOG_INJECTION},
		{"21.11.2026 20:03:18", SECURITY_LOG_UNREADABLE},
	};
	struct observation o;
	char line[2048];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(line, sizeof(line),
			"[%s] SECURITY[26897] res_security_log.c: %s", cases[i].stamp,
			event);
		assert_int_equal(parse(&o, line), cases[i].result);
	}
	/* With a call identifier, as for events within a call. */
	snprintf(line, sizeof(line),
		"[Nov 21 20:03:20] SECURITY[1][C-0000000a] "
		"res_security_log.c: %s",
		event);
	assert_int_equal(parse(&o, line), SECURITY_LOG_OBSERVATION);
}

static unsigned seen, victims;

static void on_observation(void *context, const struct observation *o)
{
	char text[ADDRESS_TEXT];

	(void)context;
	seen++;
	address_print(text, &o->source);
	/* 198.51.100.222 to .226 are the injected victims of cases 14, 15, 22. */
	victims += !strncmp(text, "198.51.100.22", 13) && strlen(text) == 14;
}

static struct security_log_figures read_file(const char *path)
{
	struct security_log_figures figures = {{0}};
	char *line = NULL;
	size_t size = 0;
	FILE *f = fopen(path, "r");
	ssize_t n;

	assert_non_null(f);
	while ((n = getline(&line, &size, f)) >= 0)
		security_log_feed(
			&figures, view_of(line, (size_t)n), on_observation, NULL);
	free(line);
	fclose(f);
	return figures;
}

/* The corpora's worst: both forms, and the logs that must never be given us. */
static void test_injection_corpora(void **state)
{
	static const struct {
		const char *file;
		unsigned seen;
		uint64_t unreadable, injections;
	} cases[] = {
		{"14_log_injection/security.json", 45, 6, 0},
		/* 9 accounts with line breaks; 6 lines cut, 2 good ones glued to them. */
		{"14_log_injection/security.log", 34, 15, 9},
		{"15_log_injection_newline_anon/security.json", 0, 0, 0},
		{"15_log_injection_newline_anon/security.log", 0, 0, 0},
		{"22_packet_dump_injection/security.json", 0, 0, 0},
		{"22_packet_dump_injection/security.log", 0, 0, 0},
		{"13_spoofed_udp/security.json", 93, 0, 0},
		{"13_spoofed_udp/security.log", 93, 0, 0},
	};
	struct security_log_figures f;
	char path[4096];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		seen = victims = 0;
		snprintf(path, sizeof(path), TESTS_DATA "/corpora/asterisk/%s",
			cases[i].file);
		f = read_file(path);
		print_message("# %s: %u seen, %u unreadable, %u injections\n",
			cases[i].file, seen, (unsigned)f.lines[SECURITY_LOG_UNREADABLE],
			(unsigned)f.lines[SECURITY_LOG_INJECTION]);
		assert_int_equal(victims, 0);
		assert_int_equal(seen, cases[i].seen);
		assert_int_equal(seen, f.lines[SECURITY_LOG_OBSERVATION]);
		assert_int_equal(f.lines[SECURITY_LOG_UNREADABLE], cases[i].unreadable);
		assert_int_equal(f.lines[SECURITY_LOG_INJECTION], cases[i].injections);
	}
}

static void test_event_time(void **state)
{
	static const struct {
		const char *text;
		int64_t wall, offset;
	} good[] = {
		{"1970-01-01T00:00:00", 0, 0},
		{"2000-02-29 23:59:59.5", INT64_C(951868799500000), 0},
		{"2026-11-21T20:03:17.825+0000", INT64_C(1795291397825000), 0},
		{"2026-11-21T20:03:17.825-0330", INT64_C(1795291397825000), -12600000000},
		{"2026-11-21 20:03:17.123456789Z", INT64_C(1795291397123456), 0},
		{"Jan  1 00:00:01", 1000000, 0},
		{"Dec 31 23:59:59", INT64_C(364) * 86400000000 + 86399000000, 0},
	};
	static const char *const bad[] = {"", "2026", "2026-11-21", "2026-11-21 20:03",
		"2026-13-01 00:00:00", "2026-01-32 00:00:00", "2026-01-01 24:00:00",
		"2026-01-01 00:00:00.", "2026-01-01 00:00:00 ", "2026-01-01T00:00:00+1",
		"2026-01-01T00:00:00+0060", "Nov 21", "Foo 21 20:03:17",
		"Nov  x 20:03:17", "Nov 0 20:03:17", "Nov 21 20:03:17 x",
		"1969-12-31 00:00:00"};
	struct event_time t, u;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(event_time_parse(&t, view_str(good[i].text)), 0);
		assert_true(t.wall == good[i].wall);
		assert_true(t.offset == good[i].offset);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(event_time_parse(&t, view_str(bad[i])), -1);
	assert_int_equal(event_time_parse(&t, view_str("2026-11-21T20:03:17-0330")), 0);
	assert_true(event_time_usec(&t) == UINT64_C(1795303997000000));
	/* Without a year: the turn of the year, and 29 February. */
	assert_int_equal(event_time_parse(&t, view_str("2026-12-31T23:59:58+0000")), 0);
	assert_int_equal(event_time_parse(&u, view_str("Jan  1 00:00:03")), 0);
	assert_true(event_time_near(&t, &u, 5000000));
	assert_false(event_time_near(&t, &u, 4999999));
	assert_int_equal(event_time_parse(&t, view_str("2028-02-29T12:00:00+0000")), 0);
	assert_int_equal(event_time_parse(&u, view_str("Feb 29 12:00:00")), 0);
	assert_true(event_time_near(&t, &u, 0));
	assert_int_equal(event_time_parse(&t, view_str("2028-12-01T12:00:00+0000")), 0);
	assert_int_equal(event_time_parse(&u, view_str("Dec  1 12:00:00")), 0);
	assert_true(event_time_near(&t, &u, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_injected_fields),
		cmocka_unit_test(test_hostile_tail),
		cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_cut_text),
		cmocka_unit_test(test_times_disagree),
		cmocka_unit_test(test_injection_corpora),
		cmocka_unit_test(test_event_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
