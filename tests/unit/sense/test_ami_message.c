/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages of Asterisk 22.10.1 (from the corpora and from a running one, some
 * with one line changed) and what attackers make of them.
 */
#include "../cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "sense/ami_accounts.h"
#include "sense/ami_event.h"
#include "sense/ami_trunks.h"

#define SECURITY "Privilege: security,all\r\n"
#define HEAD                                                                             \
	"EventTV: 2026-11-21T20:03:18.240+0000\r\nSeverity: Error\r\nService: PJSIP\r\n" \
	"EventVersion: 1\r\n"
#define WHO                                                                              \
	"AccountID: 101\r\nSessionID: 1-26901@198.51.100.10\r\n"                         \
	"LocalAddress: IPV4/UDP/192.0.2.10/5060\r\n"
#define REMOTE(proto) "RemoteAddress: IPV4/" proto "/198.51.100.10/5071\r\n"
#define CHANNEL(name, state, exten)                                                      \
	"Event: Newchannel\r\nPrivilege: call,all\r\nChannel: " name "\r\n"              \
	"ChannelState: " state "\r\nChannelStateDesc: Ring\r\nCallerIDNum: 108\r\n"      \
	"CallerIDName: Ext 108\r\nConnectedLineNum: <unknown>\r\n"                       \
	"ConnectedLineName: <unknown>\r\nLanguage: en\r\nAccountCode: \r\n"              \
	"Context: internal\r\nExten: " exten "\r\nPriority: 1\r\n"                       \
	"Uniqueid: 1795291471.0\r\nLinkedid: 1795291471.0\r\n"

static struct ami_message message;

static enum ami_event_result parse(
	struct observation *o, struct ami_call *call, const char *text)
{
	memset(o, 0xee, sizeof *o);
	memset(call, 0, sizeof *call);
	ami_message_split(&message, view_str(text));
	return ami_event_parse(o, call, &message);
}

static void test_split(void **state)
{
	static const struct {
		const char *text;
		unsigned faults;
		size_t count;
	} cases[] = {
		{"Event: A\r\nB: \r\nC: d: e\r\n", 0, 3},
		{"Event: A\r\nB: c", 0, 2}, /* the last line's end ends the message */
		{"Event: A\r\nEvent: B\r\n", AMI_DUPLICATE, 2},
		{"Event: A\r\neVENT: B\r\n", AMI_DUPLICATE, 2},
		{"Event: A\r\nChanVariable: a=1\r\nChanVariable: b=2\r\n", 0, 3},
		{"Event: A\r\nDestChanVariable: a\r\nDestChanVariable: b\r\n", 0, 3},
		{"Event: A\nB: c\r\n", AMI_BARE_BREAK, 1},
		{"Event: A\rB: c\r\n", AMI_BARE_BREAK, 1},
		{"Event: A\r\nB: c\r", AMI_BARE_BREAK, 2},
		{"Event: A\r\n\nB: c\r\n", AMI_BARE_BREAK, 2},
		{"Event: A\r\nB\r\n", AMI_NO_FIELD, 1},
		{"Event: A\r\nB:\r\n", AMI_NO_FIELD, 1},
		{"Event: A\r\nB:c\r\n", AMI_NO_FIELD, 1},
		{"Event: A\r\n: c\r\n", AMI_NO_FIELD, 1},
		{"\r\nEvent: A\r\n", AMI_NO_FIELD, 1},
		{"", 0, 0},
	};
	struct ami_message m;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		ami_message_split(&m, view_str(cases[i].text));
		assert_int_equal(m.faults, cases[i].faults);
		assert_int_equal(m.count, cases[i].count);
	}
	ami_message_split(&m, view_str("Event: A\r\nB: \r\nC: d: e"));
	assert_true(ami_message_is(&m, "Event", "A"));
	assert_false(ami_message_is(&m, "Event", "AB"));
	assert_false(ami_message_is(&m, "Response", "A"));
	assert_true(view_eq(ami_message_get(&m, "C"), view_str("d: e")));
	assert_int_equal(ami_message_get(&m, "B").n, 0);
	assert_int_equal(ami_message_get(&m, "c").n, 0); /* case counts */
	/* A NUL byte is no text. */
	ami_message_split(&m, view_of("A: b\0c", 6));
	assert_int_equal(m.faults, AMI_BARE_BREAK);
}

/* --- the reader --- */

struct got {
	unsigned n, oversize;
	size_t fields;
	char last[64];
	bool stop;
};

static bool take(void *context, const struct ami_message *m)
{
	struct got *g = context;

	g->n++;
	g->oversize += m->faults == AMI_OVERSIZE;
	g->fields += m->count;
	if (m->count)
		view_copy(g->last, sizeof g->last, m->field[0].value);
	return !g->stop;
}

static void feed(struct ami_reader *r, struct got *g, const char *text)
{
	assert_int_equal(ami_reader_feed(r, view_str(text), take, g), 0);
}

static void test_reader(void **state)
{
	struct ami_reader r = {0};
	struct got g = {0};

	(void)state;
	feed(&r, &g, "Event: A\r\nB: c\r\n\r");
	assert_int_equal(g.n, 0);
	feed(&r, &g, "\nEvent: D\r\n\r\nEvent: E\r\n\r\nEv");
	assert_int_equal(g.n, 3);
	assert_int_equal(g.fields, 4);
	assert_string_equal(g.last, "E");
	/* LF LF ends nothing. */
	feed(&r, &g, "ent: F\n\nEvent: G\r\n");
	assert_int_equal(g.n, 3);
	feed(&r, &g, "\r\n");
	assert_int_equal(g.n, 4);
	/* After false nothing that is there is given out any more. */
	g.stop = true;
	feed(&r, &g, "Event: H\r\n\r\nEvent: I\r\n\r\n");
	assert_int_equal(g.n, 5);
	assert_int_equal(r.rest.n, 0);
	ami_reader_free(&r);
}

static void test_oversize(void **state)
{
	static char big[AMI_MESSAGE_MAX];
	struct ami_reader r = {0};
	struct got g = {0};

	(void)state;
	memset(big, 'x', sizeof big - 1);
	for (unsigned i = 0; i < 50; i++)
		feed(&r, &g, big);
	assert_int_equal(g.n, 1);
	assert_int_equal(g.oversize, 1);
	assert_true(r.rest.n < 2 * AMI_MESSAGE_MAX);
	assert_true(r.rest.capacity <= 4 * AMI_MESSAGE_MAX);
	/* Its end is found, also in pieces, and what follows is whole. */
	feed(&r, &g, "\r\n\r");
	feed(&r, &g, "\nEvent: A\r\n\r\n");
	assert_int_equal(g.n, 2);
	assert_string_equal(g.last, "A");
	/* One line too long spoils its message alone. */
	feed(&r, &g, "Event: B\r\nC: ");
	big[AMI_LINE_MAX] = 0;
	feed(&r, &g, big);
	feed(&r, &g, "\r\n\r\nEvent: D\r\n\r\n");
	assert_int_equal(g.n, 4);
	assert_int_equal(g.oversize, 2);
	assert_string_equal(g.last, "D");
	/* As do too many lines. */
	for (unsigned i = 0; i <= AMI_FIELDS_MAX; i++)
		feed(&r, &g, "ChanVariable: x\r\n");
	feed(&r, &g, "\r\n");
	assert_int_equal(g.oversize, 3);
	ami_reader_free(&r);
}

static void test_greeting(void **state)
{
	struct ami_reader r = {0};
	struct got g = {0};
	struct view line;
	char big[300];

	(void)state;
	assert_int_equal(ami_reader_line(&r, view_str("Asterisk Call"), &line), 0);
	assert_int_equal(
		ami_reader_line(&r, view_str(" Manager/11.0.0\r\nEvent: A\r\n"), &line),
		1);
	assert_true(view_eq(line, view_str("Asterisk Call Manager/11.0.0")));
	feed(&r, &g, "\r\n");
	assert_string_equal(g.last, "A");
	ami_reader_free(&r);
	memset(big, 'x', sizeof big);
	assert_int_equal(ami_reader_line(&r, view_of(big, 255), &line), 0);
	assert_int_equal(ami_reader_line(&r, view_of(big, 1), &line), -1);
	ami_reader_free(&r);
}

/* --- events --- */

static void test_kinds(void **state)
{
	static const struct {
		const char *text;
		uint8_t kind, proof, transport;
	} cases[] = {
		{"Event: InvalidAccountID\r\n" SECURITY HEAD WHO REMOTE("UDP"),
			OBSERVED_UNKNOWN_ACCOUNT, PROOF_NONE, TRANSPORT_UDP},
		{"Event: FailedACL\r\n" SECURITY HEAD WHO REMOTE(
			 "UDP") "ACLName: not_match_endpoint_acl\r\n",
			OBSERVED_UNKNOWN_ACCOUNT, PROOF_NONE, TRANSPORT_UDP},
		{"Event: ChallengeSent\r\n" SECURITY HEAD WHO REMOTE(
			 "TLS") "Challenge: \r\n",
			OBSERVED_SCAN, PROOF_TCP, TRANSPORT_TLS},
		{"Event: ChallengeResponseFailed\r\n" SECURITY HEAD WHO REMOTE(
			 "WSS") "Challenge: 1/2\r\nResponse: 00\r\nExpectedResponse: \r\n",
			OBSERVED_AUTH_FAILED, PROOF_TCP, TRANSPORT_WSS},
		{"Event: InvalidPassword\r\n" SECURITY HEAD WHO REMOTE(
			 "UDP") "Challenge: 7\r\nReceivedChallenge: 7\r\nReceivedHash: 00\r\n",
			OBSERVED_AUTH_FAILED, PROOF_NONE, TRANSPORT_UDP},
		{"Event: SuccessfulAuth\r\n" SECURITY HEAD WHO REMOTE(
			 "UDP") "UsingPassword: 1\r\n",
			OBSERVED_AUTH_OK, PROOF_AUTH, TRANSPORT_UDP},
		{"Event: SuccessfulAuth\r\n" SECURITY HEAD WHO REMOTE(
			 "UDP") "UsingPassword: 0\r\n",
			OBSERVED_AUTH_OK, PROOF_NONE, TRANSPORT_UDP},
		{"Event: RequestBadFormat\r\n" SECURITY HEAD
		 "SessionID: s\r\nLocalAddress: IPV4/WS/192.0.2.10/5060\r\n" REMOTE(
			 "WS") "RequestType: x\r\nAccountID: a\r\n",
			OBSERVED_MALFORMED, PROOF_TCP, TRANSPORT_WS},
		/* What manager.conf and asterisk.conf can add. */
		{"Event: SuccessfulAuth\r\n" SECURITY
		 "Timestamp: 1795330463.372264\r\nSequenceNumber: 7\r\nFile: a.c\r\n"
		 "Line: 1\r\nFunc: f\r\nSystemName: pbx1\r\n" HEAD WHO REMOTE(
			 "UDP") "UsingPassword: 1\r\nModule: res_pjsip\r\n"
				"SessionTV: 2026-11-21T20:03:18.240+0000\r\n",
			OBSERVED_AUTH_OK, PROOF_AUTH, TRANSPORT_UDP},
	};
	struct observation o;
	struct ami_call call;
	char text[ADDRESS_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		assert_int_equal(parse(&o, &call, cases[i].text), AMI_EVENT_OBSERVATION);
		assert_int_equal(o.kind, cases[i].kind);
		assert_int_equal(o.proof, cases[i].proof);
		assert_int_equal(o.transport, cases[i].transport);
		assert_int_equal(o.sensor, SENSOR_AMI);
		assert_int_equal(o.time, UINT64_C(1795291398240000));
		assert_string_equal(address_print(text, &o.source), "198.51.100.10");
		assert_int_equal(o.port, 5071);
	}
}

static void test_key(void **state)
{
	struct observation o;
	struct ami_call call;

	(void)state;
	assert_int_equal(
		parse(&o, &call,
			"Event: ChallengeResponseFailed\r\n" SECURITY HEAD WHO REMOTE(
				"UDP") "Challenge: 1795291398/72c9ec3eec590fc9\r\n"
				       "Response: 63683e5d776c0da1526ede392d21dd10\r\n"
				       "ExpectedResponse: \r\n"),
		AMI_EVENT_OBSERVATION);
	assert_string_equal(o.account, "101");
	/* On which the wire and the log agree. */
	assert_true(o.attempt ==
		observation_attempt(view_str("1-26901@198.51.100.10"),
			view_str("63683e5d776c0da1526ede392d21dd10")));
	assert_int_equal(parse(&o, &call,
				 "Event: ChallengeSent\r\n" SECURITY HEAD
				 "AccountID: <unknown>\r\nSessionID: s\r\n"
				 "LocalAddress: IPV4/UDP/192.0.2.10/5060\r\n" REMOTE(
					 "UDP") "Challenge: \r\n"),
		AMI_EVENT_OBSERVATION);
	assert_string_equal(o.account, "");
	assert_true(o.attempt == observation_attempt(view_str("s"), (struct view){0}));
}

/* Of no concern: other events, and managers that log in. */
static void test_nothing(void **state)
{
	static const char *const cases[] = {
		"Event: Hangup\r\nPrivilege: call,all\r\nChannel: PJSIP/1-1\r\n",
		"Event: SessionLimit\r\n" SECURITY HEAD WHO REMOTE("UDP"),
		"Event: SuccessfulAuth\r\n" SECURITY
		"EventTV: 2026-11-22T06:54:11.319+0000\r\nSeverity: Informational\r\n"
		"Service: AMI\r\nEventVersion: 1\r\nAccountID: a\r\n"
		"SessionID: 0x7fe444001480\r\nLocalAddress: IPV4/TCP/127.0.0.1/5038\r\n"
		"RemoteAddress: IPV4/TCP/127.0.0.1/53442\r\nUsingPassword: 0\r\n"
		"SessionTV: 2026-11-22T06:54:11.319+0000\r\n",
	};
	struct observation o;
	struct ami_call call;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		assert_int_equal(parse(&o, &call, cases[i]), AMI_EVENT_NOTHING);
	assert_int_equal(
		parse(&o, &call,
			"Event: FullyBooted\r\nPrivilege: system,all\r\n"
			"Uptime: 25\r\nLastReload: 25\r\nStatus: Fully Booted\r\n"),
		AMI_EVENT_BOOTED);
	assert_int_equal(parse(&o, &call,
				 "Event: Shutdown\r\nPrivilege: system,all\r\n"
				 "Shutdown: Cleanly\r\nRestart: False\r\n"),
		AMI_EVENT_SHUTDOWN);
}

static void test_injection(void **state)
{
	static const char *const cases[] = {
		/* what a broken event leaves behind */
		"SessionID: 32yxama1m8\r\nLocalAddress: IPV4/UDP/192.0.2.10/5060\r\n",
		"",
		"Event: InvalidPassword\r\n",
		"Event: InvalidAccountID\r\n" SECURITY HEAD "AccountID: a\r\n",
		/* a field of his own, before Asterisk's */
		"Event: InvalidAccountID\r\n" SECURITY HEAD
		"AccountID: a\r\nRemoteAddress: IPV4/TCP/203.0.113.9/5\r\nSessionID: s\r\n"
		"LocalAddress: IPV4/UDP/192.0.2.10/5060\r\n" REMOTE("UDP"),
		/* any other that is not there */
		"Event: InvalidAccountID\r\n" SECURITY HEAD "AccountID: a\r\nX: y\r\n"
		"SessionID: s\r\nLocalAddress: IPV4/UDP/192.0.2.10/5060\r\n" REMOTE(
			"UDP"),
		/* bare breaks */
		"Event: InvalidAccountID\r\n" SECURITY HEAD "AccountID: a\nb\r\n"
		"SessionID: s\r\nLocalAddress: IPV4/UDP/192.0.2.10/5060\r\n" REMOTE(
			"UDP"),
		"Event: InvalidAccountID\r\n" SECURITY HEAD "AccountID: a\rb\r\n"
		"SessionID: s\r\nLocalAddress: IPV4/UDP/192.0.2.10/5060\r\n" REMOTE(
			"UDP"),
		/* out of order, though each is there once */
		"Event: InvalidAccountID\r\n" SECURITY HEAD
		"SessionID: s\r\nAccountID: a\r\n"
		"LocalAddress: IPV4/UDP/192.0.2.10/5060\r\n" REMOTE("UDP"),
		/* one of another kind of event, one behind the last */
		"Event: InvalidAccountID\r\n" SECURITY HEAD WHO REMOTE(
			"UDP") "UsingPassword: 1\r\n",
		"Event: SuccessfulAuth\r\n" SECURITY HEAD WHO REMOTE(
			"UDP") "UsingPassword: 1\r\nX: y\r\n",
		"Event: SuccessfulAuth\r\n" SECURITY HEAD WHO REMOTE("UDP"),
		/* the optional ones the wrong way round */
		"Event: SuccessfulAuth\r\n" SECURITY HEAD WHO REMOTE(
			"UDP") "UsingPassword: 1\r\nSessionTV: x\r\nModule: y\r\n",
		/* of another class: a user event that calls itself so */
		"Event: SuccessfulAuth\r\nPrivilege: user,all\r\n" HEAD WHO REMOTE(
			"UDP") "UsingPassword: 1\r\n",
		/* values that Asterisk does not write */
		"Event: SuccessfulAuth\r\n" SECURITY HEAD WHO
		"RemoteAddress: IPV4/SCTP/198.51.100.10/5071\r\nUsingPassword: 1\r\n",
		"Event: SuccessfulAuth\r\n" SECURITY HEAD WHO
		"RemoteAddress: IPV4/UDP/198.51.100.10\r\nUsingPassword: 1\r\n",
		"Event: InvalidAccountID\r\n" SECURITY
		"EventTV: yesterday\r\nSeverity: Error\r\nService: PJSIP\r\n"
		"EventVersion: 1\r\n" WHO REMOTE("UDP"),
		"Event: InvalidAccountID\r\n" SECURITY
		"EventTV: 2026-11-21T20:03:18.240+0000\r\nSeverity: Great\r\n"
		"Service: PJSIP\r\nEventVersion: 1\r\n" WHO REMOTE("UDP"),
		/* a dialled string that breaks its line */
		CHANNEL("PJSIP/108-00000000", "4", "9\nX: y"),
		CHANNEL("PJSIP/108-00000000", "4", "9\r\nExten: 00"),
		/* any event at all that is odd */
		"Event: Hangup\r\nPrivilege: call,all\r\nPrivilege: security,all\r\n",
	};
	struct observation o;
	struct ami_call call;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		if (parse(&o, &call, cases[i]) != AMI_EVENT_INJECTION) {
			print_error("case %zu: %s\n", i, cases[i]);
			fail();
		}
}

static void test_calls(void **state)
{
	struct ami_accounts *a = ami_accounts_new((struct hash_key){1, 2});
	struct observation o, success;
	struct ami_call call;

	(void)state;
	assert_non_null(a);
	assert_int_equal(
		parse(&o, &call, CHANNEL("PJSIP/my-pbx-00000000", "4", "9011441")),
		AMI_EVENT_CALL);
	assert_true(view_eq(call.endpoint, view_str("my-pbx")));
	assert_true(view_eq(call.dialled, view_str("9011441")));
	/* With what channelvars= adds. */
	assert_int_equal(parse(&o, &call,
				 CHANNEL("PJSIP/1-0", "4", "9") "ChanVariable: a=b\r\n"
								"ChanVariable: c=d\r\n"),
		AMI_EVENT_CALL);
	/* The PBX's own side of a call, another technology, no number. */
	assert_int_equal(
		parse(&o, &call, CHANNEL("PJSIP/trunk-0", "0", "s")), AMI_EVENT_NOTHING);
	assert_int_equal(
		parse(&o, &call, CHANNEL("IAX2/x-1", "4", "9")), AMI_EVENT_NOTHING);
	assert_int_equal(
		parse(&o, &call, CHANNEL("PJSIP/108-0", "4", "")), AMI_EVENT_NOTHING);

	/* Who did not authenticate calls from nowhere. */
	assert_false(ami_accounts_call(a, &o, view_str("101"), view_str("0044"), 1000));
	assert_int_equal(parse(&success, &call,
				 "Event: SuccessfulAuth\r\n" SECURITY HEAD WHO REMOTE(
					 "UDP") "UsingPassword: 1\r\n"),
		AMI_EVENT_OBSERVATION);
	ami_accounts_success(a, &success, 1000);
	assert_true(ami_accounts_call(
		a, &o, view_str("101"), view_str("0044"), 1000 + AMI_CALL_WITHIN));
	assert_int_equal(o.kind, OBSERVED_CALL);
	assert_int_equal(o.proof, PROOF_AUTH);
	assert_int_equal(o.sensor, SENSOR_AMI);
	assert_string_equal(o.account, "101");
	assert_string_equal(o.dialled, "0044");
	assert_true(address_eq(&o.source, &success.source));
	assert_true(o.attempt == success.attempt);
	assert_false(ami_accounts_call(
		a, &o, view_str("101"), view_str("0044"), 1001 + AMI_CALL_WITHIN));
	assert_false(ami_accounts_call(a, &o, view_str("102"), view_str("0044"), 1000));
	/* Without a password it is nobody's word. */
	success.proof = PROOF_NONE;
	view_copy(success.account, sizeof success.account, view_str("102"));
	ami_accounts_success(a, &success, 1000);
	assert_false(ami_accounts_call(a, &o, view_str("102"), view_str("0044"), 1000));
	ami_accounts_free(a);
}

/* --- trunks --- */

static void assert_trunk(const struct ami_trunks *t, size_t i, const char *text)
{
	char printed[INDICATOR_TEXT];

	assert_true(i < t->count);
	assert_string_equal(indicator_print(printed, &t->list[i].indicator), text);
}

static void test_trunks(void **state)
{
	struct ami_trunks t = {0};
	char many[16];

	(void)state;
	ami_trunks_begin(&t);
	/* As Asterisk 22 writes it. */
	ami_trunks_match(&t, view_str("carrier"),
		view_str("198.51.100.0/255.255.255.0,203.0.113.7/255.255.255.255,"
			 "2001:db8::/ffff:ffff:ffff:ffff::"));
	assert_int_equal(t.count, 3);
	assert_trunk(&t, 0, "198.51.100.0/24");
	assert_trunk(&t, 1, "203.0.113.7");
	assert_trunk(&t, 2, "2001:db8::/64");
	assert_string_equal(t.list[0].endpoint, "carrier");
	/* Older ones; twice is once; host bits go. */
	ami_trunks_match(
		&t, view_str("b"), view_str("192.0.2.9/24, 203.0.113.7,,::1/128"));
	assert_int_equal(t.count, 5);
	assert_trunk(&t, 3, "192.0.2.0/24");
	assert_trunk(&t, 4, "::1");
	assert_int_equal(t.unused, 0);
	/* Too wide, no address, a mask with holes, one of the other family. */
	ami_trunks_match(&t, view_str("c"),
		view_str(
			"0.0.0.0/0.0.0.0,10.0.0.0/15,2001::/31,sip.example.net,"
			"192.0.2.0/255.0.255.0,192.0.2.0/ffff::,192.0.2.0/33,!192.0.2.1"));
	assert_int_equal(t.count, 5);
	assert_int_equal(t.unused, 8);
	ami_trunks_match(&t, view_str("c"), view_str("10.0.0.0/16,2001:db8::/32"));
	assert_int_equal(t.count, 7);

	ami_trunks_endpoint(&t, view_str("alice"));
	ami_trunks_endpoint(&t, view_str("a\r\nAction: Command"));
	ami_trunks_endpoint(&t, view_str(""));
	ami_trunks_endpoint(&t, view_str("bob"));
	assert_string_equal(ami_trunks_next(&t), "alice");
	assert_string_equal(ami_trunks_next(&t), "bob");
	assert_null(ami_trunks_next(&t));

	ami_trunks_begin(&t);
	assert_null(ami_trunks_next(&t));
	assert_int_equal(t.count, 0);
	for (unsigned i = 0; i < AMI_TRUNKS_MAX + 3; i++) {
		snprintf(many, sizeof many, "10.1.%u.%u", i / 256, i % 256);
		ami_trunks_match(&t, view_str("d"), view_str(many));
	}
	assert_int_equal(t.count, AMI_TRUNKS_MAX);
	assert_int_equal(t.unused, 3);
	ami_trunks_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_reader),
		cmocka_unit_test(test_oversize),
		cmocka_unit_test(test_greeting),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_key),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_injection),
		cmocka_unit_test(test_calls),
		cmocka_unit_test(test_trunks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
