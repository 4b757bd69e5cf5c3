/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which tool it is: by what sipvicious 0.3.3 (Debian's) and others really sent, in
 * tests/data/corpora, and by single shapes. And the file that says so.
 */
#include "../cmocka_all.h"
#include "honeypot_steps.h"

#include "sense/pcap.h"
#include "sip/hep.h"

static const struct tool *tool_for(const char *text)
{
	struct sip_message m;
	struct view packet = view_str(text);

	assert_int_equal(sip_parse(&m, packet, NULL), SIP_VALID);
	return tool_of(tools_builtin(), &m, packet);
}

#define HEAD(method, uri)                                                                \
	method " " uri " SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5060;branch="
#define TAIL(method) "\r\nCall-ID: 758214019702934734732015\r\nCSeq: 1 " method "\r\n"

static void test_shapes(void **state)
{
	static const struct {
		const char *text, *tool;
	} cases[] = {
		/* svmap whatever it says that it is */
		{HEAD("OPTIONS",
			 "sip:100@192.0.2.10") "z9hG4bK-3430021461;rport\r\n"
					       "To: \"x\"<sip:100@1.1.1.1>\r\nFrom: \"x\"<sip:100@1.1.1.1>;"
					       "tag=6330303030323061313363340131333333363537313033" TAIL(
						       "OPTIONS") "User-Agent: Asterisk PBX\r\n\r\n",
			"svmap"},
		{HEAD("REGISTER",
			 "sip:192.0.2.10") "z9hG4bK-2\r\n"
					   "To: \"105\" <sip:105@x>\r\nFrom: \"105\" <sip:105@x>;"
					   "tag=3130353a5333637265742d31303501343230363538353439" TAIL(
						   "REGISTER") "\r\n",
			"svcrack"},
		{HEAD("REGISTER",
			 "sip:192.0.2.10") "z9hG4bK-2\r\n"
					   "To: \"105\" <sip:105@x>\r\nFrom: \"105\" <sip:105@x>;tag=3206210844" TAIL(
						   "REGISTER") "\r\n",
			"svcrack-first"},
		{HEAD("INVITE",
			 "sip:100@192.0.2.10") "z9hG4bK-2\r\n"
					       "To: \"100\"<sip:100@x>\r\nFrom: \"100\"<sip:100@x>;"
					       "tag=3130300131323334353637383930" TAIL(
						       "INVITE") "\r\n",
			"svwar"},
		/* twelve digits are hex, too: svwar all the same */
		{HEAD("INVITE",
			 "sip:900972590101@192.0.2.10") "z9hG4bK-2\r\n"
							"To: <sip:900972590101@x>\r\nFrom: <sip:900972590101@x>;"
							"tag=39303039373235393031303101313233" TAIL(
								"INVITE") "\r\n",
			"svwar"},
		{HEAD("INVITE", "sip:1@x") "b\r\nTo: <sip:1@x>\r\nFrom: <sip:1@x>;tag=1" TAIL(
			 "INVITE") "User-Agent: FRIENDLY-scanner/1\r\n\r\n",
			"friendly-scanner"},
		{HEAD("INVITE", "sip:1@x") "b\r\nTo: <sip:1@x>\r\n"
					   "From: \"sipvicious\" <sip:1@x>;tag=1" TAIL(
						   "INVITE") "\r\n",
			"sipvicious-name"},
		{HEAD("INVITE", "sip:1@x") "b\r\nTo: <sip:1@x>\r\nFrom: <sip:1@x>;tag=1" TAIL(
			 "INVITE") "User-Agent: VaxSIPUserAgent/3.1\r\n\r\n",
			"vaxsip"},
		{HEAD("INVITE", "sip:1@x") "b\r\nTo: <sip:1@x>\r\nFrom: <sip:1@x>;tag=1" TAIL(
			 "INVITE") "User-Agent: sipcli/v1.8\r\n\r\n",
			"sipcli"},
		{HEAD("INVITE", "sip:1@x") "b\r\nTo: <sip:1@x>\r\nFrom: <sip:1@x>;tag=1" TAIL(
			 "INVITE") "User-Agent: pplsip\r\n\r\n",
			"pplsip"},
		/* nmap-service-probes, SIPOptions */
		{"OPTIONS sip:nm SIP/2.0\r\nVia: SIP/2.0/TCP nm;branch=foo\r\n"
		 "From: <sip:nm@nm>;tag=root\r\nTo: <sip:nm2@nm2>\r\nCall-ID: 50000\r\n"
		 "CSeq: 42 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n"
		 "Contact: <sip:nm@nm>\r\nAccept: application/sdp\r\n\r\n",
			"nmap"},
		/* phones and a stress test */
		{HEAD("REGISTER",
			 "sip:x") "z9hG4bK-524287-1---abcdef;rport\r\n"
				  "To: <sip:101@x>\r\nFrom: <sip:101@x>;tag=a3b1c2d4" TAIL(
					  "REGISTER") "User-Agent: Yealink SIP-T46S\r\n\r\n",
			""},
		{HEAD("INVITE",
			 "sip:x") "z9hG4bK-26901-1-0\r\n"
				  "To: <sip:101@x>\r\nFrom: sipp <sip:101@x>;tag=26901SIPpTag001\r\n"
				  "Call-ID: 1-26901@198.51.100.10\r\nCSeq: 1 INVITE\r\n\r\n",
			"sipp"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct tool *t = tool_for(cases[i].text);

		assert_string_equal(t ? t->name : "", cases[i].tool);
	}
	assert_false(tool_for(cases[12].text)->attack);
	assert_true(tool_for(cases[0].text)->attack);
}

static void test_target(void **state)
{
	char target[TOOL_TARGET_MAX];

	(void)state;
	assert_true(tool_target(
		target, view_str("6330303030323061313363340131333333363537313033")));
	assert_string_equal(target, "192.0.2.10:5060");
	assert_false(tool_target(target, view_str("3130300131323334353637383930")));
	assert_string_equal(target, "");
	assert_false(tool_target(target, view_str("")));
	/* Port 0 and what is no hex of hex. */
	assert_false(tool_target(
		target, view_str("6330303030323061303030300131333333363537313033")));
	assert_false(tool_target(
		target, view_str("7a30303030323061313363340131333333363537313033")));
}

struct found {
	unsigned n;
	char tools[64][TOOL_NAME_MAX];
};

/* Each tool that requests in a capture are taken for, once. */
static void tools_in(struct found *found, const char *name)
{
	char path[256], bytes[65536];
	size_t n;
	FILE *f;

	found->n = 0;
	snprintf(path, sizeof path, TESTS_DATA "/corpora/asterisk/%s/hep.pcap", name);
	f = fopen(path, "rb");
	if (!f)
		fail_msg("%s cannot be opened", path);
	while ((n = fread(bytes, 1, sizeof bytes, f)) > 0) {
		/* The HEP packets stand in the capture word for word. */
		for (size_t i = 0; i + 6 < n; i++) {
			struct hep_message hep;
			struct sip_message m;
			const struct tool *t;
			unsigned k = 0;
			long length;

			if (memcmp(bytes + i, "HEP3", 4))
				continue;
			length = hep_frame(view_of(bytes + i, n - i));
			if (length <= 0 || (size_t)length > n - i ||
				hep_decode(&hep, view_of(bytes + i, (size_t)length)) !=
					HEP_VALID ||
				sip_parse(&m, hep.payload, NULL) != SIP_VALID ||
				!m.request)
				continue;
			t = tool_of(tools_builtin(), &m, hep.payload);
			while (k < found->n && strcmp(found->tools[k], t ? t->name : ""))
				k++;
			if (k == found->n && k < 64)
				snprintf(found->tools[found->n++], TOOL_NAME_MAX, "%s",
					t ? t->name : "");
		}
	}
	fclose(f);
}

static bool has(const struct found *found, const char *tool)
{
	for (unsigned i = 0; i < found->n; i++)
		if (!strcmp(found->tools[i], tool))
			return true;
	return false;
}

static void test_corpora(void **state)
{
	struct found found;

	(void)state;
	tools_in(&found, "06_svmap");
	assert_true(has(&found, "svmap"));
	assert_false(has(&found, "svwar"));
	assert_false(has(&found, ""));
	tools_in(&found, "07_svwar");
	assert_true(has(&found, "svwar"));
	assert_false(has(&found, "svmap"));
	tools_in(&found, "08_svcrack");
	assert_true(has(&found, "svcrack"));
	assert_true(has(&found, "svcrack-first"));
	/* Phones alone (played by sipp, which says so). */
	tools_in(&found, "11_legit_only");
	assert_true(found.n > 0);
	for (unsigned i = 0; i < found.n; i++)
		if (found.tools[i][0] && strcmp(found.tools[i], "sipp"))
			fail_msg("legit taken for %s", found.tools[i]);
}

/* The record tells, and hides what the tool guessed. */
static void test_recorded(void **state)
{
	static const char crack[] =
		"REGISTER sip:192.0.2.10 SIP/2.0\r\n"
		"Via: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK-1347631053;rport\r\n"
		"From: \"105\" <sip:105@192.0.2.10>;"
		"tag=3130353a5333637265742d31303501343230363538353439\r\n"
		"To: \"105\" <sip:105@192.0.2.10>\r\nCall-ID: 733612999\r\n"
		"CSeq: 2 REGISTER\r\nUser-Agent: friendly-scanner\r\n"
		"Authorization: Digest username=\"105\",realm=\"asterisk\",nonce=\"1\","
		"uri=\"sip:x\",response=\"d7ef708a0a6d9f0f70e49c906ba41395\","
		"cnonce=\"6b8b4567\",algorithm=MD5\r\n"
		"Proxy-Authorization: Basic dXNlcjpwYXNz\r\n\r\n";

	(void)state;
	feed(crack);
	assert_string_equal(last_record.tool, "svcrack");
	assert_string_equal(last_record.agent, "friendly-scanner");
	assert_string_equal(last_record.account, "105");
	assert_int_equal(last_record.bytes.n, sizeof crack - 1);
	assert_null(strstr(last_bytes, "d7ef708a"));
	assert_null(strstr(last_bytes, "6b8b4567"));
	assert_null(strstr(last_bytes, "dXNlcjpwYXNz"));
	assert_null(strstr(last_bytes, "5333637265742d313035"));
	assert_non_null(strstr(
		last_bytes, ";tag=3130353a********************01343230363538353439"));
	assert_non_null(
		strstr(last_bytes, "response=\"********************************\""));
	assert_non_null(strstr(last_bytes, "nonce=\"1\""));
	assert_non_null(strstr(last_bytes, "Basic ************"));
	assert_true(seen[0].signs & SIGN_TOOL);
	/* The answer repeats the tag, and its record hides the guess as well. */
	assert_int_equal(n_sent, 1);
	assert_null(strstr(last_answer, "5333637265742d313035"));
	assert_non_null(strstr(
		last_answer, ";tag=3130353a********************01343230363538353439"));
	config.keep_secrets = true;
	honeypot_steps_begin();
	feed(crack);
	assert_memory_equal(last_bytes, crack, sizeof crack - 1);
	assert_non_null(strstr(last_answer, "5333637265742d313035"));
	feed("OPTIONS sip:100@192.0.2.10 SIP/2.0\r\n"
	     "Via: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK-3430021461;rport\r\n"
	     "From: \"x\"<sip:100@1.1.1.1>;tag=6330303030323061313363340131333333363537313033\r\n"
	     "To: <sip:100@1.1.1.1>\r\nCall-ID: 7\r\nCSeq: 1 OPTIONS\r\n\r\n");
	assert_string_equal(last_record.tool, "svmap");
	assert_string_equal(last_record.target, "192.0.2.10:5060");
}

/* What was fed is recorded as that, and kept when it is to be. */
static void shows(const char *text, const char *masked)
{
	config.keep_secrets = false;
	honeypot_steps_begin();
	feed(text);
	assert_string_equal(last_bytes, masked);
	config.keep_secrets = true;
	honeypot_steps_begin();
	feed(text);
	assert_string_equal(last_bytes, text);
}

static void test_passwords(void **state)
{
#define REST                                                                             \
	"Via: SIP/2.0/UDP h:5060;branch=z9hG4bKa:b@c\r\nCall-ID: a:b@c\r\nCSeq: 1 OPTIONS\r\n"
	(void)state;
	/* A valid request: in every URI, and its answer as well. */
	shows("OPTIONS sip:100:geheim@192.0.2.10 SIP/2.0\r\n" REST
	      "From: <sips:7:g7@h:5061>;tag=1\r\nTo: \"a b\" <sip:100:g8@h>\r\n"
	      "Contact: sip:a@h:5060,SIP:b:g9@h\r\n"
	      "Refer-To: <sip:u:p@ss:w@h;x=1>\r\nRoute: <sip:h:5060;lr>\r\n\r\n",
		"OPTIONS sip:100:******@192.0.2.10 SIP/2.0\r\n" REST
		"From: <sips:7:**@h:5061>;tag=1\r\nTo: \"a b\" <sip:100:**@h>\r\n"
		"Contact: sip:a@h:5060,SIP:b:**@h\r\n"
		"Refer-To: <sip:u:******@h;x=1>\r\nRoute: <sip:h:5060;lr>\r\n\r\n");
	assert_int_equal(last_record.verdict, SIP_VALID);
	assert_non_null(strstr(last_answer, "From: <sips:7:g7@h:5061>;tag=1"));
	config.keep_secrets = false;
	honeypot_steps_begin();
	feed("OPTIONS sip:1@h SIP/2.0\r\n" REST
	     "From: <sip:7:g7@h>;tag=1\r\nTo: <sip:1:g8@h>\r\n\r\n");
	assert_non_null(strstr(last_answer, "From: <sip:7:**@h>;tag=1"));
	assert_non_null(strstr(last_answer, "To: <sip:1:**@h>"));
	/* In a body. */
	shows("OPTIONS sip:1@h SIP/2.0\r\n" REST
	      "From: <sip:7@h>;tag=1\r\nTo: <sip:1@h>\r\n\r\nsee http://u:pw@h/",
		"OPTIONS sip:1@h SIP/2.0\r\n" REST
		"From: <sip:7@h>;tag=1\r\nTo: <sip:1@h>\r\n\r\nsee http://u:**@h/");
	/* Malformed, and with a blank in front of the colon. */
	shows("REGISTER sip:h SIP/2.0\r\nFrom : <sip:1:pw@h>;tag=1;tag=2\r\n"
	      "Authorization : Basic dTpwdw==\r\nauthorization:dTpwdw==\r\n\r\n",
		"REGISTER sip:h SIP/2.0\r\nFrom : <sip:1:**@h>;tag=1;tag=2\r\n"
		"Authorization : Basic ********\r\nauthorization:********\r\n\r\n");
	assert_int_equal(last_record.verdict, SIP_MALFORMED);
	/* Not SIP: also in what follows an empty line, and in a first line. */
	shows("GET http://u:pw@h/?user=a&password=b%20c&x=1 HTTP/1.1\r\n\r\n"
	      "POST / HTTP/1.1\r\nAuthorization: Basic\r\n dTpwdw==\r\n"
	      "Proxy-Authorization: Bearer abc.def\r\nCookie: s=1\r\n\r\npwd=q&a=b",
		"GET http://u:**@h/?user=a&password=*****&x=1 HTTP/1.1\r\n\r\n"
		"POST / HTTP/1.1\r\nAuthorization: Basic\r\n ********\r\n"
		"Proxy-Authorization: Bearer *******\r\nCookie: ***\r\n\r\npwd=*&a=b");
	assert_int_equal(last_record.verdict, SIP_FOREIGN);
	shows("Action: Login\r\nUsername: admin\r\nSecret: mysecret\r\n\r\n",
		"Action: Login\r\nUsername: admin\r\nSecret: ********\r\n\r\n");
	shows("authorization: Digest username=\"u\",response=\"abcd\",nonce=\"n\"\n",
		"authorization: Digest username=\"u\",response=\"****\",nonce=\"n\"\n");
#undef REST
}

static void test_session(void **state)
{
	uint64_t first;

	(void)state;
	feed(request((struct request){.method = "OPTIONS"}));
	first = last_record.session;
	assert_int_not_equal(first, 0);
	feed(request((struct request){.method = "REGISTER"}));
	assert_int_equal(last_record.session, first);
	feed(request((struct request){.method = "REGISTER", .call_id = "c2"}));
	assert_int_not_equal(last_record.session, first);
	feed("\x16\x03\x01 no SIP at all");
	assert_int_equal(last_record.session, 0);
	assert_int_equal(last_record.verdict, SIP_FOREIGN);
	/* Not recorded. */
	n_recorded = 0;
	feed("\r\n\r\n");
	assert_int_equal(n_recorded, 0);
}

static void test_file(void **state)
{
	static struct honeypot_tools tools;
	struct buffer errors = {.max = 65536};
	static const char own[] = "# own\n[my-tool]\nagent = My\\*Tool #.#\nattack = no\n"
				  "[order]\norder = Via From To Call-ID CSeq\n";
	struct sip_message m;
	const char *text = HEAD(
		"INVITE", "sip:x") "b\r\nFrom: <sip:1@x>;tag=1\r\nTo: <sip:1@x>\r\n"
				   "Call-ID: 7\r\nCSeq: 1 INVITE\r\n\r\n";

	(void)state;
	assert_int_equal(tools_read(&tools, "t.conf", view_str(own), &errors), 0);
	assert_int_equal(tools.n, 2);
	sip_parse(&m, view_str(text), NULL);
	assert_string_equal(tool_of(&tools, &m, view_str(text))->name, "order");
	m.agent = view_str("my*tool 3.14");
	assert_string_equal(tool_of(&tools, &m, view_str(text))->name, "my-tool");
	m.agent = view_str("mystool 3.14");
	assert_string_equal(tool_of(&tools, &m, view_str(text))->name, "order");
	assert_int_equal(tools_read(&tools, "t.conf", tools_builtin_text(), &errors), 0);
	assert_int_equal(tools.n, 2 + tools_builtin()->n);
	assert_int_equal(
		tools_read(&tools, "t.conf",
			view_str("x = 1\n[a]\n[b]\ncolour = red\nattack = maybe\n"
				 "agent = \\\n[B]\nno sense\n[c\n"),
			&errors),
		-1);
	assert_int_equal(buffer_put_u8(&errors, 0), 0);
	assert_string_equal((char *)errors.p,
		"t.conf:1: stands before the first [section]\n"
		"t.conf:2: [a] has no pattern: it would fit everything\n"
		"t.conf:4: a tool has no key \"colour\"; see the head of honeypot-tools.conf\n"
		"t.conf:5: is neither yes nor no\n"
		"t.conf:6: ends in a backslash; nothing is behind it\n"
		"t.conf:3: [b] has no pattern: it would fit everything\n"
		"t.conf:7: the section's name is none: up to 31 of a-z, 0-9 and -\n"
		"t.conf:8: is no \"key = value\"\n"
		"t.conf:9: the section's name has no end; close it with ]\n");
	buffer_free(&errors);
}

#define TEST(name)                                                                       \
	cmocka_unit_test_setup_teardown(                                                 \
		name, honeypot_steps_setup, honeypot_steps_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_shapes),
		TEST(test_target),
		TEST(test_corpora),
		TEST(test_recorded),
		TEST(test_passwords),
		TEST(test_session),
		TEST(test_file),
	};

	return cmocka_run_group_tests_name("honeypot-tools", tests, NULL, NULL);
}
