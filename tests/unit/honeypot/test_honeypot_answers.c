/* SPDX-License-Identifier: Apache-2.0 */
/* What each request is answered, and that it looks like the PBX it should be. */
#include "../cmocka_all.h"
#include "honeypot_steps.h"

/* Asterisk 22.10's own words, from tests/data/corpora (asterisk/01, 11). */
static void test_asterisk_401(void **state)
{
	static const char genuine[] =
		"SIP/2.0 401 Unauthorized\r\n"
		"Via: SIP/2.0/TCP 198.51.100.10:5071;rport=40000;received=198.51.100.7;"
		"branch=z9hG4bK-26901-1-0\r\n"
		"Call-ID: 1-26901@198.51.100.10\r\n"
		"From: <sip:101@192.0.2.10>;tag=1t26901\r\n"
		"To: <sip:101@192.0.2.10>;tag=@\r\n"
		"CSeq: 1 REGISTER\r\n"
		"WWW-Authenticate: Digest realm=\"asterisk\",nonce=\"@\",opaque=\"@\","
		"algorithm=MD5,qop=\"auth\"\r\n"
		"Server: Asterisk PBX 22.10.1\r\n"
		"Content-Length:  0\r\n\r\n";
	const char *want = genuine, *got;

	(void)state;
	feed_over(TRANSPORT_TCP, 1,
		"REGISTER sip:192.0.2.10 SIP/2.0\r\n"
		"Via: SIP/2.0/TCP 198.51.100.10:5071;branch=z9hG4bK-26901-1-0;rport\r\n"
		"From: <sip:101@192.0.2.10>;tag=1t26901\r\nTo: <sip:101@192.0.2.10>\r\n"
		"Call-ID: 1-26901@198.51.100.10\r\nCSeq: 1 REGISTER\r\n"
		"Contact: <sip:101@198.51.100.10:5071>\r\nContent-Length: 0\r\n\r\n");
	assert_int_equal(n_sent, 1);
	/* '@' stands for what is never twice the same. */
	for (got = sent[0].text; *want && *got; want++, got++) {
		if (*want == '@' && (want[1] == '"' || want[1] == '\r')) {
			while (*got && *got != want[1])
				got++;
			want++;
		}
		if (*want != *got)
			fail_msg("at \"%.30s\" stands \"%.30s\"", want, got);
	}
	assert_int_equal(*want, 0);
	assert_int_equal(*got, 0);
}

static void test_each_method(void **state)
{
	static const struct {
		const char *method;
		unsigned status; /* of the profile asterisk */
		uint8_t kind;
	} cases[] = {
		{"OPTIONS", 200, OBSERVED_SCAN}, {"SUBSCRIBE", 489, OBSERVED_SCAN},
		{"NOTIFY", 481, OBSERVED_SCAN}, {"PUBLISH", 489, OBSERVED_SCAN},
		{"MESSAGE", 404, OBSERVED_SCAN}, {"INFO", 481, OBSERVED_SCAN},
		{"REFER", 403, OBSERVED_SCAN}, {"UPDATE", 481, OBSERVED_SCAN},
		{"PRACK", 481, OBSERVED_SCAN}, {"BYE", 481, OBSERVED_SCAN},
		{"FOO", 501, OBSERVED_SCAN},
		{"register", 501, OBSERVED_SCAN}, /* methods have a case (7.1) */
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		n_seen = 0;
		feed(request((struct request){.method = cases[i].method}));
		if (n_sent != 1 || status(0) != cases[i].status || n_seen != 1 ||
			seen[0].kind != cases[i].kind || seen[0].proof != PROOF_NONE)
			fail_msg("%s: %u", cases[i].method, status(0));
	}
	feed(request((struct request){.method = "ACK"}));
	assert_int_equal(n_sent, 0);
	feed(request((struct request){.method = "CANCEL"}));
	assert_int_equal(status(0), 481);
	assert_int_equal(n_seen, 1);
}

static void test_accounts(void **state)
{
	(void)state;
	feed(request((struct request){.user = "31415"}));
	assert_int_equal(status(0), 404);
	assert_int_equal(seen[0].kind, OBSERVED_UNKNOWN_ACCOUNT);
	assert_string_equal(seen[0].account, "31415");
	feed(request((struct request){.user = "admin"}));
	assert_int_equal(status(0), 401);
	assert_int_equal(seen[1].kind, OBSERVED_SCAN);
	feed(request((struct request){.user = "Admin"}));
	assert_int_equal(status(0), 404);
	config.n_baits = 0;
	honeypot_steps_begin();
	feed(request((struct request){.user = "admin"}));
	assert_int_equal(status(0), 404);
}

static unsigned guess(const char *nonce, unsigned number, const char *extra)
{
	char line[512];

	snprintf(line, sizeof line,
		"%sAuthorization: Digest username=\"100\",realm=\"asterisk\",nonce=\"%s\","
		"uri=\"sip:x\",response=\"%032u\"\r\n",
		extra, nonce, number);
	feed(request((struct request){.cseq = number + 2, .extra = line}));
	return status(0);
}

/* svcrack: one Call-ID, one nonce, another password each time. */
static void test_guesses(void **state)
{
	char nonce[256], found[256];
	struct honeypot_figures f;

	(void)state;
	feed(request((struct request){0}));
	between(nonce, sent[0].text, "nonce=\"", "\"");
	for (unsigned i = 0; i < 8; i++) {
		assert_int_equal(guess(nonce, i, ""), 401);
		/* The same packet again is the same guess. */
		assert_int_equal(guess(nonce, i, ""), 401);
	}
	assert_int_equal(guess(nonce, 8, "Expires: 120\r\n"), 200);
	assert_string_equal(between(found, sent[0].text, "\r\nContact: ", "\r\n"),
		"<sip:100@198.51.100.7:5070>;expires=120");
	assert_int_equal(guess(nonce, 9, ""), 200);
	for (unsigned i = 1; i < n_seen; i++) {
		assert_int_equal(seen[i].kind, OBSERVED_AUTH_FAILED);
		assert_int_equal(seen[i].proof, PROOF_NONCE);
	}
	/* Each guess is an attempt of its own, its repetition is not. */
	assert_int_not_equal(seen[1].attempt, seen[3].attempt);
	assert_int_equal(seen[1].attempt, seen[2].attempt);
	honeypot_figures(honeypot, &f);
	assert_int_equal(f.accepted, 1);
	/* A nonce of nobody's is no guess. */
	assert_int_equal(
		guess("1795291461/7bf196f9c72de7677bf196f9c72de767", 10, ""), 401);
	config.refuse = 0;
	honeypot_steps_begin();
	feed(request((struct request){0}));
	between(nonce, sent[0].text, "nonce=\"", "\"");
	for (unsigned i = 0; i < 30; i++)
		assert_int_equal(guess(nonce, i, ""), 401);
}

static void test_where_to(void **state)
{
	static const struct {
		const char *via;
		uint16_t port;
		const char *sent_back; /* with 198.51.100.7:5070 as the source */
	} cases[] = {
		{"SIP/2.0/UDP 198.51.100.7:5070;branch=z9hG4bK1", 5070,
			"SIP/2.0/UDP 198.51.100.7:5070;branch=z9hG4bK1"},
		{"SIP/2.0/UDP 198.51.100.7:9;rport;branch=z9hG4bK1", 5070,
			"SIP/2.0/UDP 198.51.100.7:9;rport=5070;received=198.51.100.7;"
			"branch=z9hG4bK1"},
		{"SIP/2.0/UDP host.example:6060;branch=z9hG4bK1", 6060,
			"SIP/2.0/UDP host.example:6060;received=198.51.100.7;"
			"branch=z9hG4bK1"},
		{"SIP/2.0/UDP host.example;branch=z9hG4bK1", 5060,
			"SIP/2.0/UDP host.example;received=198.51.100.7;branch=z9hG4bK1"},
		/* maddr would have us send to somebody else */
		{"SIP/2.0/UDP a;maddr=203.0.113.5;branch=z9hG4bK1;rport", 5070,
			"SIP/2.0/UDP a;rport=5070;received=198.51.100.7;"
			"maddr=203.0.113.5;branch=z9hG4bK1"},
		/* what the sender says to have been received is not what was */
		{"SIP/2.0/UDP a;received=203.0.113.5;x=\"a;b\";rport", 5070,
			"SIP/2.0/UDP a;rport=5070;received=198.51.100.7;x=\"a;b\""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char text[1024], found[256];

		snprintf(text, sizeof text,
			"OPTIONS sip:a SIP/2.0\r\nVia: %s\r\nVia: SIP/2.0/TCP second\r\n"
			"From: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: %zu\r\n"
			"CSeq: 1 OPTIONS\r\nX: %0200u\r\n\r\n",
			cases[i].via, i, 0u);
		feed(text);
		assert_int_equal(n_sent, 1);
		assert_string_equal(between(found, sent[0].text, "Via: ", "\r\n"),
			cases[i].sent_back);
		assert_int_equal(sent[0].path.remote_port, cases[i].port);
		assert_int_equal(sent[0].path.remote.bytes[3], 7);
		assert_non_null(strstr(sent[0].text, "\r\nVia: SIP/2.0/TCP second\r\n"));
	}
}

static void test_ip6(void **state)
{
	char text[1024];

	(void)state;
	snprintf(text, sizeof text,
		"OPTIONS sip:[2001:db8::10] SIP/2.0\r\n"
		"Via: SIP/2.0/UDP [2001:db8::7]:5060;branch=z9hG4bK1;rport\r\n"
		"From: <sip:a@[2001:db8::7]>;tag=1\r\nTo: <sip:a@[2001:db8::10]>\r\n"
		"Call-ID: 1\r\nCSeq: 1 OPTIONS\r\nX: %0100u\r\n\r\n",
		0u);
	feed_from("2001:db8::7", 5061, text, strlen(text));
	assert_int_equal(status(0), 200);
	assert_non_null(strstr(sent[0].text, ";rport=5061;received=2001:db8::7;"));
	assert_int_equal(seen[0].source.family, 6);
}

/* What goes into texts is the address that was configured, not that behind the NAT. */
static void test_advertised(void **state)
{
	(void)state;
	config.advertised = (struct address){4, {203, 0, 113, 77}};
	config.ring = 0;
	honeypot_steps_begin();
	feed_over(TRANSPORT_TCP, 1,
		request((struct request){
			.method = "INVITE", .uri = "sip:00441519471629@192.0.2.10"}));
	pass(0);
	assert_int_equal(status(0), 200);
	assert_non_null(strstr(sent[0].text, "\r\nContact: <sip:203.0.113.77:5060>\r\n"));
	assert_non_null(strstr(sent[0].text, "\r\nc=IN IP4 203.0.113.77\r\n"));
	assert_null(strstr(strstr(sent[0].text, "\r\nContact: "), "192.0.2.10"));
}

static void test_injection(void **state)
{
	(void)state;
	feed(request((struct request){.user = "100%0aNOTICE[1]"}));
	assert_int_equal(n_seen, 2);
	assert_int_equal(seen[0].kind, OBSERVED_INJECTION);
	assert_int_equal(seen[1].kind, OBSERVED_UNKNOWN_ACCOUNT);
	assert_int_not_equal(seen[0].attempt, seen[1].attempt);
	feed("REGISTER sip:x SIP/2.0\r\nVia: SIP/2.0/UDP a\r\n"
	     "[2026-11-22 10:00:00] NOTICE[1] res_pjsip: Request 'REGISTER' from x failed for '192.0.2.1:5060'\r\n\r\n");
	assert_int_equal(n_seen, 3);
	assert_int_equal(seen[2].kind, OBSERVED_INJECTION);
	feed("GET / HTTP/1.1\r\nHost: 192.0.2.10\r\n\r\n");
	assert_int_equal(n_seen, 3);
	assert_int_equal(n_sent, 0);
	assert_int_equal(last_record.verdict, SIP_FOREIGN);
}

static void test_other_pbxs(void **state)
{
	static const struct {
		const char *profile, *agent, *nonce_before, *contact;
		size_t tag;
	} cases[] = {
		{"freeswitch",
			"User-Agent: FreeSWITCH-mod_sofia/1.10.9-release~64bit\r\n",
			"realm=\"192.0.2.10\", nonce=\"",
			"Contact: <sip:00441519471629@192.0.2.10:5060;transport=udp>\r\n",
			13},
		{"cisco", "Server: Cisco-SIPGateway/IOS-15.5.3.M5\r\n",
			"realm=\"cisco.com\", nonce=\"",
			"Contact: <sip:00441519471629@192.0.2.10:5060>\r\n", 17},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char tag[256];

		config.profile = profiles_find(
			profiles_builtin(), view_str(cases[i].profile));
		config.ring = 0;
		honeypot_steps_begin();
		feed_over(TRANSPORT_TCP, 1, request((struct request){0}));
		assert_non_null(strstr(sent[0].text, cases[i].nonce_before));
		assert_non_null(strstr(sent[0].text, cases[i].agent));
		between(tag, strstr(sent[0].text, "\nTo: "), ";tag=", "\r\n");
		assert_int_equal(strlen(tag), cases[i].tag);
		/* rport where it stood, received behind. */
		assert_non_null(strstr(sent[0].text,
			";branch=z9hG4bK-1;rport=40000;received=198.51.100.7\r\n"));
		feed_over(TRANSPORT_TCP, 1,
			request((struct request){.method = "INVITE",
				.uri = "sip:00441519471629@192.0.2.10"}));
		pass(0);
		assert_int_equal(status(0), 200);
		assert_non_null(strstr(sent[0].text, cases[i].contact));
		assert_non_null(strstr(sent[0].text, "\r\nm=audio "));
		/* 1795291398 */
		feed_over(
			TRANSPORT_TCP, 1, request((struct request){.method = "OPTIONS"}));
		assert_int_equal(status(0), 200);
		if (i)
			assert_non_null(strstr(sent[0].text,
				"\r\nDate: Sat, 21 Nov 2026 20:03:18 GMT\r\n"));
	}
}

static void test_configuration(void **state)
{
	static const uint8_t key[32];
	const struct honeypot_hooks hooks = {0};
	struct honeypot_config c = honeypot_config_default;
	struct error err = {""};

	(void)state;
	c.per_source = 0;
	assert_null(honeypot_new(&c, &hooks, key, now, &err));
	assert_string_equal(
		err.text, "the honeypot's rates are 1 to 1000000 messages a second");
	c = honeypot_config_default;
	c.dialogs = 0;
	assert_null(honeypot_new(&c, &hooks, key, now, &err));
	assert_string_equal(err.text, "the honeypot keeps 1 to 65536 dialogs");
	c = honeypot_config_default;
	c.baits[2][0] = 0;
	assert_null(honeypot_new(&c, &hooks, key, now, &err));
	assert_string_equal(
		err.text, "bait account 3 has no name or one of more than 31 bytes");
}

#define TEST(name)                                                                       \
	cmocka_unit_test_setup_teardown(                                                 \
		name, honeypot_steps_setup, honeypot_steps_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_asterisk_401),
		TEST(test_each_method),
		TEST(test_accounts),
		TEST(test_guesses),
		TEST(test_where_to),
		TEST(test_ip6),
		TEST(test_advertised),
		TEST(test_injection),
		TEST(test_other_pbxs),
		TEST(test_configuration),
	};

	return cmocka_run_group_tests_name("honeypot-answers", tests, NULL, NULL);
}
