/* SPDX-License-Identifier: Apache-2.0 */
/* One line or event of every kind, as it should be and as an attacker writes it. */
#include "../cmocka_all.h"

#include "../filter/folder.h"
#include "explain_steps.h"

#define SECURITY                                                                         \
	"[2026-11-21 20:03:18.244] SECURITY[26900] res_security_log.c: "                 \
	"SecurityEvent=\"ChallengeResponseFailed\","                                     \
	"EventTV=\"2026-11-21T20:03:18.244+0000\",Severity=\"Error\",Service=\"PJSIP\"," \
	"EventVersion=\"1\",AccountID=\"101\",SessionID=\"1-26901\","                    \
	"LocalAddress=\"IPV4/TCP/192.0.2.10/5060\","                                     \
	"RemoteAddress=\"IPV4/TCP/198.51.100.10/5071\"%s,"                               \
	"Challenge=\"17/72c9\",Response=\"6368\",ExpectedResponse=\"\""

#define AMI_HEAD(name, severity)                                                         \
	"Event: " name "\r\nPrivilege: security,all\r\n"                                 \
	"EventTV: 2026-11-21T20:03:18.240+0000\r\nSeverity: " severity "\r\n"            \
	"Service: PJSIP\r\nEventVersion: 1\r\n"
#define AMI_WHO(account)                                                                 \
	"AccountID: " account "\r\nSessionID: 1-26901@198.51.100.10\r\n"                 \
	"LocalAddress: IPV4/UDP/192.0.2.10/5060\r\n"                                     \
	"RemoteAddress: IPV4/UDP/198.51.100.10/5071\r\n"
#define AMI_SUCCESS                                                                      \
	AMI_HEAD("SuccessfulAuth", "Informational")                                      \
	AMI_WHO("101") "UsingPassword: 1\r\n\r\n"
#define AMI_CALL                                                                          \
	"Event: Newchannel\r\nPrivilege: call,all\r\nChannel: PJSIP/101-0000001a\r\n"     \
	"ChannelState: 4\r\nChannelStateDesc: Ring\r\nCallerIDNum: 101\r\n"               \
	"CallerIDName: x\r\nConnectedLineNum: y\r\nConnectedLineName: z\r\n"              \
	"Language: en\r\nAccountCode: \r\nContext: internal\r\nExten: 00972590000101\r\n" \
	"Priority: 1\r\nUniqueid: 1.1\r\nLinkedid: 1.1\r\n\r\n"

#define KAMAILIO                                                                         \
	"NOTICE: <script>: SIPCHAIN ev=auth_fail t=1700000000.123456 "                   \
	"src=198.51.100.100:5071 proto=udp method=REGISTER rc=-2 verified=1 "            \
	"authuser=101 from=101 ruser= callid=1%40a resp=0123 ua=MyDialer%2f1.0"

static struct folder folder;

/* A filter of our own, so that no package is needed. */
static int setup_filter(void **state)
{
	folder_make(&folder);
	folder_write(&folder, "door.conf",
		"[Definition]\nprefregex = ^\\s*door\\[\\d+\\]: <F-CONTENT>.+</F-CONTENT>$\n"
		"failregex = ^shut for nobody$<HOST>\n"
		"            ^shut for <F-USER>\\S+</F-USER> from <HOST>(?: port "
		"<F-PORT>\\d+</F-PORT>)?$\n"
		"ignoreregex = ^shut for guest\n");
	folder_write(&folder, "asterisk.conf",
		"[Definition]\nfailregex = NOTICE\\[\\d+\\] .* failed for '<HOST>(:\\d+)?'\n");
	if (setup(state))
		return -1;
	x.folder = folder.path;
	return 0;
}

static int teardown_filter(void **state)
{
	folder_remove(&folder);
	return teardown(state);
}

/* --- security events as lines --- */

static void feed_security(const char *more)
{
	char line[1024];

	snprintf(line, sizeof line, SECURITY, more);
	feed(line);
}

static void test_security(void **state)
{
	(void)state;
	feed_security("");
	assert_string_equal(text(step("read", 0), "text"), "Asterisk's security events");
	expect_read(2, "a security event: [2026-11-21 20:03:18.244] SECURITY[26900]");
	assert_string_equal(field(2, "SecurityEvent"), "ChallengeResponseFailed");
	assert_string_equal(field(2, "AccountID"), "101");
	assert_string_equal(field(2, "SessionID"), "1-26901");
	assert_string_equal(field(2, "RemoteAddress"), "IPV4/TCP/198.51.100.10/5071");
	assert_string_equal(text(step("observation", 0), "proof"), "tcp");
}

/* An address that the attacker wrote proves nothing, and that is said. */
static void test_security_second_address(void **state)
{
	(void)state;
	feed_security(",LocalAddress=\"L\",RemoteAddress=\"IPV4/TCP/203.0.113.7/5060\"");
	assert_non_null(strstr(field(2, "ambiguous"), "several RemoteAddress"));
	assert_string_equal(text(step("observation", 0), "proof"), "none");
	feed_security(",RemoteAddress=\"IPV4/TCP/203.0.113.7/5060\"");
	expect_read(5,
		"discarded and counted as injected: before RemoteAddress stands no "
		"LocalAddress: ");
}

static void test_security_discarded(void **state)
{
	(void)state;
	feed("[2026-11-21 20:03:18.244] SECURITY[26900] res_security_log.c: "
	     "SecurityEvent=\"InvalidAccountID\",EventTV=\"2026-11-21T20:03:18.244+0000\","
	     "Severity=\"Error\",Service=\"PJSIP\",EventVersion=\"1\",AccountID=\"1\","
	     "SessionID=\"2\",LocalAddress=\"L\","
	     "RemoteAddress=\"IPV4/UDP/203.0.113.7/5060\",Evil\x1b=\"1\"\n"
	     "[2026-11-21 20:09:18.244] SECURITY[26900] res_security_log.c: "
	     "SecurityEvent=\"InvalidAccountID\",EventTV=\"2026-11-21T20:03:18.244+0000\","
	     "Severity=\"Error\",Service=\"PJSIP\",EventVersion=\"1\",AccountID=\"1\","
	     "SessionID=\"2\",LocalAddress=\"L\",RemoteAddress=\"IPV4/UDP/203.0.113.7/5060\"\n"
	     "what a broken line left over\n");
	expect_read(2,
		"discarded and counted as injected: behind RemoteAddress stands "
		"Evil\\x1b, which does not belong there or is there twice: ");
	expect_read(3,
		"discarded and counted as injected: its EventTV is not near the "
		"time of the line itself: ");
	expect_read(4, "no security event: it does not begin \"[DATE] SECURITY");
	assert_int_equal(x.observations, 0);
}

/* --- AMI --- */

static void test_ami(void **state)
{
	(void)state;
	feed("Asterisk Call Manager/9.0.0\r\n" AMI_SUCCESS AMI_CALL
	     "Response: Success\r\nActionID: 1\r\n\r\n");
	expect_read(0, "events of Asterisk's manager interface (AMI)");
	expect_read(1, "an event: SuccessfulAuth");
	assert_string_equal(field(1, "UsingPassword"), "1");
	assert_string_equal(text(step("observation", 0), "proof"), "auth");
	assert_string_equal(text(step("observation", 0), "sensor"), "ami");
	/* Its phone comes onto the allowlist, for as long as [allow] registered says. */
	assert_string_equal(text(step("allow", 0), "indicator"), "198.51.100.10");
	assert_non_null(strstr(text(step("allow", 0), "reason"), "for 2h"));
	expect_read(2, "a call: Newchannel");
	assert_string_equal(field(2, "Exten"), "00972590000101");
	assert_string_equal(text(step("observation", 1), "kind"), "call");
	assert_string_equal(text(step("observation", 1), "dialled"), "00972590000101");
	expect_read(3, "an answer to an action, and no event: Success");
}

/* What failed before it succeeded may be a thief. */
static void test_ami_thief(void **state)
{
	(void)state;
	feed(AMI_HEAD("InvalidAccountID", "Error") AMI_WHO("9") "\r\n" AMI_SUCCESS);
	assert_int_equal(steps("allow"), 0);
	expect_read(3, "not onto the allowlist: it failed before it succeeded");
}

static void test_ami_call_of_nobody(void **state)
{
	(void)state;
	feed(AMI_CALL);
	expect_read(2, "no observation: the endpoint did not authenticate just before");
	assert_int_equal(x.observations, 0);
}

static void test_ami_forged(void **state)
{
	static const struct {
		const char *event, *why;
	} cases[] = {
		{AMI_HEAD("InvalidAccountID", "Error") AMI_WHO("a\nRemoteAddress: x"),
			"a bare CR, LF or NUL stands in it"},
		{AMI_HEAD("InvalidAccountID", "Error")
				AMI_WHO("a\r\nRemoteAddress: IPV4/TCP/203.0.113.7/1"),
			"a key stands in it twice"},
		{AMI_HEAD("InvalidAccountID", "Error") AMI_WHO("a\r\nEvil: 1"),
			"Evil stands where SessionID belongs"},
		{AMI_HEAD("InvalidAccountID", "Error") AMI_WHO("a") "Evil: 1\r\n",
			"Evil stands where the end belongs"},
		{AMI_HEAD("InvalidAccountID", "Error") "AccountID: 1\r\n",
			"cut off: there is no SessionID"},
		{"Event: x\r\n\r\n@host\r\n", "a line of it is no \"Key: value\""},
		{"Event: x\r\n\r\nSessionID: 1\r\n",
			"SessionID stands where Event belongs"},
		{AMI_HEAD("InvalidAccountID", "Loud") AMI_WHO("a"),
			"its EventTV or Severity is none that Asterisk writes"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char expected[200];
		unsigned last;

		feed(cases[i].event);
		last = steps("read") - 1;
		snprintf(expected, sizeof expected,
			"discarded whole and counted as forged: %s", cases[i].why);
		expect_read(last, expected);
	}
	assert_int_equal(x.observations, 0);
	/* Both values of a key are shown, and what would upset a terminal is escaped. */
	feed(AMI_HEAD("InvalidAccountID", "Error") AMI_WHO("\x1b[1m\r\nAccountID: b"));
	assert_string_equal(field(steps("read") - 1, "AccountID"), "\\x1b[1m");
	assert_string_equal(field(steps("read") - 1, "AccountID (2)"), "b");
}

/* Copied from an editor, an event has no CR. */
static void test_ami_of_an_editor(void **state)
{
	(void)state;
	feed("Event: InvalidAccountID\nPrivilege: security,all\n"
	     "EventTV: 2026-11-21T20:03:18.240+0000\nSeverity: Error\nService: PJSIP\n"
	     "EventVersion: 1\nAccountID: 9\nSessionID: s\nLocalAddress: L\n"
	     "RemoteAddress: IPV4/UDP/198.51.100.10/5071\n");
	expect_read(1, "its lines end in LF alone");
	assert_string_equal(text(step("observation", 0), "kind"), "unknown-account");
}

static void test_trunk(void **state)
{
	(void)state;
	feed("Event: IdentifyDetail\r\nObjectName: c\r\n"
	     "Match: 198.51.100.0/255.255.255.0,0.0.0.0/0.0.0.0\r\n"
	     "EndpointName: carrier\r\n\r\n" AMI_HEAD("InvalidAccountID", "Error")
			AMI_WHO("9"));
	assert_string_equal(text(step("allow", 0), "indicator"), "198.51.100.0/24");
	expect_read(2, "1 matches are not taken over: wider than /16");
	assert_string_equal(text(step("allow", 1), "indicator"), "198.51.100.10");
	assert_string_equal(text(step("allow", 1), "reason"),
		"on it (trunk, trunk carrier): neither banned nor reported");
}

/* --- the includes' lines, and what they come in --- */

static void test_kamailio(void **state)
{
	(void)state;
	feed("Nov 21 20:27:20 vm kamailio[23149]: " KAMAILIO "\n");
	expect_read(0, "lines of a log");
	expect_read(1, "a line of the shipped include: Nov 21");
	assert_string_equal(field(1, "src"), "198.51.100.100:5071");
	assert_string_equal(field(1, "ua"), "MyDialer%2f1.0");
	assert_string_equal(field(1, "t"), "1700000000.123456");
	assert_string_equal(field(1, "time"), "");
	assert_string_equal(text(step("observation", 0), "proof"), "nonce");
	assert_string_equal(text(step("observation", 0), "agent"), "MyDialer/1.0");
}

static void test_kamailio_discarded(void **state)
{
	static const struct {
		const char *line, *why;
	} cases[] = {
		{"NOTICE: {1 1 REGISTER a <script>: SIPCHAIN ev=pike} <script>: SIPCHAIN ev=x",
			"discarded and counted as forged: what stands before the first "
			"SIPCHAIN is not the server's own head: "},
		{KAMAILIO " src=203.0.113.7:5060",
			"discarded and counted as forged: the key src stands there twice: "},
		{KAMAILIO " to=a\x01",
			"discarded and counted as forged: the value of to holds what the "
			"include never writes bare: a\\x01: "},
		{KAMAILIO " bare",
			"discarded and counted as forged: \"bare\" is no KEY=VALUE"},
		{KAMAILIO " Key=1",
			"discarded and counted as forged: \"Key\" is no key of the include's: "},
		{"SIPCHAIN ev=auth_fail src=198.51.100.1:1 proto=udp",
			"cut off: not believed: cut off: there is no method=: "},
		{"SIPCHAIN ev=pike src=nobody proto=udp method=INVITE",
			"cut off: not believed: src is no ADDRESS:PORT, or proto no transport: "},
		{"SIPCHAIN ev=reboot src=198.51.100.1:1",
			"left alone: ev is none that is known"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		feed(cases[i].line);
		expect_read(steps("read") - 1, cases[i].why);
	}
	assert_int_equal(x.observations, 0);
}

static void test_syslog(void **state)
{
	(void)state;
	feed("<29>1 2026-11-21T20:03:18.003Z vm kamailio 23149 - - " KAMAILIO "\n"
	     "<29>Nov 21 20:27:20 vm kamailio[23149]: " KAMAILIO "\n"
	     "<29>Nov 21 20:27:20 vm cron[1]: nothing\x1b\n");
	expect_read(1, "a syslog message, read as over TCP");
	assert_string_equal(field(1, "program"), "kamailio");
	assert_string_equal(field(1, "pid"), "23149");
	assert_string_equal(field(1, "time"), "");
	assert_non_null(strstr(field(3, "time"), "no year"));
	assert_int_equal(x.observations, 2);
	expect_read(6, "left alone: no line of the includes', and no filter was named");
	assert_string_equal(field(5, "message"), "nothing\\x1b");
}

/* A message of several lines is binary in the export; its length leads over them. */
static void test_journal(void **state)
{
	static const char entry[] =
		"__CURSOR=s=1\n__REALTIME_TIMESTAMP=1795638440123456\n_HOSTNAME=vm\n"
		"SYSLOG_IDENTIFIER=kamailio\n_PID=7\nMESSAGE=" KAMAILIO "\n\n"
		"__CURSOR=s=2\nMESSAGE\n\x0b\0\0\0\0\0\0\0SIPCHAIN \n\n\n\n";
	static const char broken[] =
		"__CURSOR=s=1\nMESSAGE\n\xff\xff\xff\xff\xff\xff\xff\xff";
	struct error err = {""};

	(void)state;
	assert_int_equal(explain_feed(&x, view_of(entry, sizeof entry - 1), &err), 0);
	expect_read(0, "entries of the journal");
	assert_string_equal(field(1, "host"), "vm");
	assert_string_equal(text(step("observation", 0), "proof"), "nonce");
	assert_string_equal(field(3, "message"), "SIPCHAIN \\x0a\\x0a");
	assert_int_equal(x.observations, 1);
	assert_int_equal(explain_feed(&x, view_of(broken, sizeof broken - 1), &err), -1);
	assert_string_equal(err.text,
		"is cut off in entry 1: make it anew, with `journalctl -o export`");
}

/* --- filters --- */

static void test_filter(void **state)
{
	(void)state;
	x.filter = "door";
	feed("2026-11-21 20:03:18 door[7]: shut for \x1b from 198.51.100.9 port 5071\n");
	expect_read(
		1, "matched by the filter: 2026-11-21 20:03:18 door[7]: shut for \\x1b");
	assert_string_equal(field(1, "filter"), "door");
	assert_string_equal(field(1, "host"), "198.51.100.9");
	assert_string_equal(field(1, "user"), "\\x1b");
	assert_string_equal(field(1, "port"), "5071");
	assert_string_equal(field(1, "prefregex"), "matches");
	assert_memory_equal(field(1, "failregex"), "2: ^shut for <F-USER>", 21);
	assert_memory_equal(field(1, "date"), "{^LN-BEG}ExYear", 15);
	assert_string_equal(text(step("observation", 0), "sensor"), "filter");
	assert_string_equal(text(step("observation", 0), "proof"), "none");
	/* Its time is what it says, however long ago. */
	assert_in_range((uint64_t)x.last / USEC_PER_SEC, 1795240000, 1795340000);
}

static void test_filter_missed(void **state)
{
	static const struct {
		const char *line, *why;
	} cases[] = {
		{"2026-11-21 20:03:18 gate[7]: shut",
			"missed: prefregex does not match it, so that no failregex was tried"},
		{"door[7]: open", "missed: no failregex matches it"},
		{"door[7]: shut for guest from 198.51.100.9",
			"ignored: an ignoreregex matches it"},
		{"door[7]: shut for x from evil.example",
			"missed: it names a host and no address, and names are not looked up"},
	};

	(void)state;
	x.filter = "door";
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		feed(cases[i].line);
		expect_read(2 * (unsigned)i + 1, cases[i].why);
	}
	assert_memory_equal(field(1, "prefregex"), "^\\s*door", 8);
	assert_string_equal(field(3, "date"), "none was found: it counts as of now");
	assert_string_equal(field(5, "ignoreregex"), "1: ^shut for guest");
	assert_memory_equal(field(7, "failregex"), "2: ", 3);
	assert_int_equal(x.observations, 0);
}

static void test_filter_wrong(void **state)
{
	struct error err = {""};

	(void)state;
	x.filter = "window";
	assert_int_equal(explain_feed(&x, view_str("a line"), &err), -1);
	assert_non_null(strstr(err.text, "filter window: there is no window.conf in "));
	assert_int_equal(x.code, CONTROL_CONFIG);
	assert_int_equal(explain_feed(&x, view_str("HEP3"), &err), -1);
	assert_string_equal(err.text, "holds packets: --filter is for lines of a log");
}

/* A usual line finds its filter by itself; one that is missing names the remedy. */
static void test_stock(void **state)
{
	struct error err = {""};

	(void)state;
	feed("[2026-11-21 20:03:18] NOTICE[12345] chan_sip.c: Registration from 'x' failed "
	     "for '198.51.100.9:5071' - Wrong password\n");
	expect_read(1, "it looks like a log for the filter asterisk");
	expect_read(2, "matched by the filter");
	assert_string_equal(text(step("observation", 0), "source"), "198.51.100.9");
	assert_int_equal(
		explain_feed(&x,
			view_str(
				"2026-11-21 20:03:18.123456 99.97% [WARNING] sofia_reg.c:1792 "
				"SIP auth failure"),
			&err),
		-1);
	assert_non_null(strstr(err.text,
		"line 1: looks like a log for the filter freeswitch, which cannot be used"));
	assert_non_null(strstr(err.text, "--filters"));
}

/* A message with lines of logs in it stays a message. */
static void test_dump(void **state)
{
	(void)state;
	feed("REGISTER sip:192.0.2.10 SIP/2.0\r\nVia: SIP/2.0/UDP 198.51.100.9\r\n"
	     "[2026-11-21 20:03:18] NOTICE[1] x: failed for '203.0.113.7'\r\n\r\n");
	expect_read(0, "a SIP message");
	for (unsigned i = 0; i < steps("observation"); i++)
		assert_string_equal(
			text(step("observation", i), "source"), "198.51.100.9");
}

#define WITH(f)  cmocka_unit_test_setup_teardown(f, setup, teardown)
#define WITHF(f) cmocka_unit_test_setup_teardown(f, setup_filter, teardown_filter)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(test_security),
		WITH(test_security_second_address),
		WITH(test_security_discarded),
		WITH(test_ami),
		WITH(test_ami_thief),
		WITH(test_ami_call_of_nobody),
		WITH(test_ami_forged),
		WITH(test_ami_of_an_editor),
		WITH(test_trunk),
		WITH(test_kamailio),
		WITH(test_kamailio_discarded),
		WITH(test_syslog),
		WITH(test_journal),
		WITHF(test_filter),
		WITHF(test_filter_missed),
		WITHF(test_filter_wrong),
		WITHF(test_stock),
		WITH(test_dump),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
