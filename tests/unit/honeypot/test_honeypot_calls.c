/* SPDX-License-Identifier: Apache-2.0 */
/* Calls from the INVITE to the BYE, with a source that is proved. */
#include "../cmocka_all.h"
#include "honeypot_steps.h"

#define NUMBER "900972590000101"
#define URI    "sip:" NUMBER "@192.0.2.10"

/* Prove 198.51.100.7: it acknowledges a refusal. */
static void prove(void)
{
	char tag[256];

	feed(request((struct request){
		.method = "INVITE", .uri = "sip:7777@192.0.2.10", .call_id = "p"}));
	assert_int_equal(status(0), 404);
	between(tag, strstr(sent[0].text, "\nTo: "), ";tag=", "\r\n");
	feed(request((struct request){.method = "ACK", .call_id = "p", .to_tag = tag}));
	n_seen = 0;
}

static size_t dialogs(void)
{
	struct honeypot_figures f;

	honeypot_figures(honeypot, &f);
	return f.dialogs;
}

static const char *invite(void)
{
	return request((struct request){.method = "INVITE", .uri = URI, .user = "1000"});
}

static const char *in_call(const char *method, const char *tag, unsigned cseq)
{
	return request((struct request){.method = method,
		.uri = "sip:192.0.2.10:5060",
		.user = "1000",
		.to_tag = tag,
		.cseq = cseq,
		.branch = "z9hG4bK-other"});
}

static void test_whole_call(void **state)
{
	char tag[256], text[256];

	(void)state;
	prove();
	feed(invite());
	assert_int_equal(n_sent, 2);
	assert_int_equal(status(0), 100);
	assert_int_equal(status(1), 180);
	assert_non_null(strstr(sent[0].text, "\r\nTo: <sip:1000@192.0.2.10>\r\n"));
	between(tag, strstr(sent[1].text, "\nTo: "), ";tag=", "\r\n");
	assert_int_equal(strlen(tag), 36);
	assert_int_equal(n_seen, 1);
	assert_int_equal(seen[0].kind, OBSERVED_CALL_REJECTED);
	assert_string_equal(seen[0].dialled, NUMBER);
	assert_string_equal(seen[0].account, "1000");
	/* The client repeats it: no other call. */
	feed(invite());
	assert_int_equal(status(0), 180);
	assert_int_equal(n_seen, 1);
	pass(1999 * MS);
	assert_int_equal(n_sent, 0);
	pass(1 * MS);
	assert_int_equal(n_sent, 1);
	assert_int_equal(status(0), 200);
	assert_string_equal(
		between(text, strstr(sent[0].text, "\nTo: "), ";tag=", "\r\n"), tag);
	assert_string_equal(
		between(text, sent[0].text, "Content-Length:  ", "\r\n"), "248");
	assert_int_equal(strlen(strstr(sent[0].text, "\r\n\r\n") + 4), 248);
	assert_non_null(strstr(sent[0].text, "\r\nc=IN IP4 192.0.2.10\r\n"));
	/* Until the ACK: after 0.5, 1.5, 3.5 seconds (RFC 3261 13.3.1.4). */
	pass(499 * MS);
	assert_int_equal(n_sent, 0);
	pass(1 * MS);
	assert_int_equal(n_sent, 1);
	pass(3 * S);
	assert_int_equal(n_sent, 2);
	feed(in_call("ACK", tag, 1));
	assert_int_equal(n_sent, 0);
	assert_int_equal(seen[1].kind, OBSERVED_PROOF);
	assert_int_equal(seen[1].attempt, seen[0].attempt);
	pass(19999 * MS);
	assert_int_equal(n_sent, 0);
	pass(1 * MS);
	assert_int_equal(n_sent, 1);
	assert_memory_equal(
		sent[0].text, "BYE sip:1000@198.51.100.7:5070 SIP/2.0\r\n", 40);
	snprintf(text, sizeof text, "\r\nFrom: <sip:1000@192.0.2.10>;tag=%s\r\n", tag);
	assert_non_null(strstr(sent[0].text, text));
	assert_non_null(strstr(
		sent[0].text, "\r\nTo: \"1000\" <sip:1000@192.0.2.10>;tag=f1\r\n"));
	assert_int_equal(sent[0].path.remote_port, 5070);
	assert_int_equal(dialogs(), 1);
	/* Its answer ends it. */
	snprintf(text, sizeof text,
		"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK1\r\n"
		"From: <sip:1000@192.0.2.10>;tag=%s\r\nTo: <sip:1000@192.0.2.10>;tag=f1\r\n"
		"Call-ID: c1\r\nCSeq: 102 BYE\r\n\r\n",
		tag);
	feed(text);
	assert_int_equal(dialogs(), 0);
	pass(60 * S);
	assert_int_equal(n_sent, 0);
	assert_int_equal(honeypot_next(honeypot), 0);
}

/* Nobody acknowledges, nobody answers the BYE: it ends all the same. */
/* A call with these header lines; its BYE is in sent[0]. */
static void call_with(const char *extra)
{
	char tag[256];

	honeypot_steps_begin();
	prove();
	feed(request((struct request){
		.method = "INVITE", .uri = URI, .user = "1000", .extra = extra}));
	assert_int_equal(n_sent, 2);
	between(tag, strstr(sent[1].text, "\nTo: "), ";tag=", "\r\n");
	pass(2 * S);
	assert_int_equal(status(0), 200);
	feed(in_call("ACK", tag, 1));
	pass(20 * S);
	assert_int_equal(n_sent, 1);
}

static void test_routes(void **state)
{
#define LOOSE                                                                            \
	"Record-Route: <sip:p2@192.0.2.2;lr>\r\n"                                        \
	"Record-Route: <sip:192.0.2.1;lr=on>, <sip:198.51.100.7;lr>\r\n"
	(void)state;
	call_with("");
	assert_null(strstr(sent[0].text, "Route:"));
	/* In the order in which they came; the Request-URI is the caller's Contact. */
	call_with(LOOSE);
	assert_memory_equal(
		sent[0].text, "BYE sip:1000@198.51.100.7:5070 SIP/2.0\r\n", 40);
	assert_non_null(strstr(sent[0].text,
		"\r\nRoute: <sip:p2@192.0.2.2;lr>, <sip:192.0.2.1;lr=on>, "
		"<sip:198.51.100.7;lr>\r\nMax-Forwards: 70\r\n"));
	assert_int_equal(sent[0].path.remote_port, 5070);
	/* A strict router's URI in the Request-URI, the caller's behind the others. */
	call_with("Record-Route: <sip:p1.example.net>, <sip:p2.example.net;lr>\r\n");
	assert_memory_equal(sent[0].text, "BYE sip:p1.example.net SIP/2.0\r\n", 32);
	assert_non_null(strstr(sent[0].text,
		"\r\nRoute: <sip:p2.example.net;lr>, "
		"<sip:1000@198.51.100.7:5070>\r\n"));
	call_with("Record-Route: <sip:p1.example.net>\r\n");
	assert_non_null(
		strstr(sent[0].text, "\r\nRoute: <sip:1000@198.51.100.7:5070>\r\n"));
	/* The 180 and the 200 repeat the headers as they were. */
	honeypot_steps_begin();
	prove();
	feed(request((struct request){
		.method = "INVITE", .uri = URI, .user = "1000", .extra = LOOSE}));
	assert_null(strstr(sent[0].text, "Record-Route"));
	assert_non_null(strstr(sent[1].text, "\r\n" LOOSE));
	pass(2 * S);
	assert_int_equal(status(0), 200);
	assert_non_null(strstr(sent[0].text, "\r\n" LOOSE));
#undef LOOSE
}

/* Who demands reliable 1xx gets none that would have to be (RFC 3262 3). */
static void test_reliable(void **state)
{
	static const char extra[] = "Require: timer, 100REL\r\n";
	const struct request r = {
		.method = "INVITE", .uri = URI, .user = "1000", .extra = extra};
	char tag[256];

	(void)state;
	prove();
	feed(request(r));
	assert_int_equal(n_sent, 1);
	assert_int_equal(status(0), 100);
	feed(request(r));
	assert_int_equal(n_sent, 1);
	assert_int_equal(status(0), 100);
	pass(2 * S);
	assert_int_equal(n_sent, 1);
	assert_int_equal(status(0), 200);
	between(tag, strstr(sent[0].text, "\nTo: "), ";tag=", "\r\n");
	/* A PRACK has nothing that it could acknowledge; an INFO has its call. */
	feed(in_call("PRACK", tag, 2));
	assert_int_equal(status(0), 481);
	feed(in_call("INFO", tag, 3));
	assert_int_equal(status(0), 200);
	/* An extension that is none of ours is named (RFC 3261 8.2.2.3). */
	feed(request((struct request){.method = "INVITE",
		.uri = URI,
		.call_id = "x",
		.extra = "Require: 100rel, nothing, timer\r\n"}));
	assert_int_equal(n_sent, 1);
	assert_int_equal(status(0), 420);
	assert_non_null(strstr(sent[0].text, "\r\nUnsupported: nothing\r\n"));
}

static void test_nobody_there(void **state)
{
	char tag[256];

	(void)state;
	prove();
	feed(invite());
	between(tag, strstr(sent[1].text, "\nTo: "), ";tag=", "\r\n");
	pass(100 * S);
	/* 0 0.5 1.5 3.5 7.5 ... 31.5: eleven times in 32 seconds. */
	assert_int_equal(n_sent, 11);
	assert_int_equal(dialogs(), 0);
	feed(request((struct request){.method = "INVITE",
		.uri = URI,
		.user = "1000",
		.call_id = "c1",
		.cseq = 5}));
	between(tag, strstr(sent[1].text, "\nTo: "), ";tag=", "\r\n");
	pass(2 * S);
	feed(in_call("ACK", tag, 5));
	pass(200 * S);
	assert_int_equal(n_sent, 11);
	assert_memory_equal(sent[0].text, "BYE ", 4);
	assert_int_equal(dialogs(), 0);
}

static void test_cancel(void **state)
{
	char tag[256];

	(void)state;
	prove();
	feed(invite());
	between(tag, strstr(sent[1].text, "\nTo: "), ";tag=", "\r\n");
	feed(request((struct request){.method = "CANCEL", .uri = URI, .user = "1000"}));
	assert_int_equal(n_sent, 2);
	assert_int_equal(status(0), 200);
	assert_non_null(strstr(sent[0].text, "\r\nCSeq: 1 CANCEL\r\n"));
	assert_int_equal(status(1), 487);
	assert_non_null(strstr(sent[1].text, "\r\nCSeq: 1 INVITE\r\n"));
	pass(600 * MS);
	assert_int_equal(n_sent, 1);
	assert_int_equal(status(0), 487);
	feed(request((struct request){.method = "ACK",
		.uri = URI,
		.user = "1000",
		.to_tag = between(
			tag, strstr(sent[0].text, "\nTo: "), ";tag=", "\r\n")}));
	assert_int_equal(dialogs(), 0);
	/* Of what is not there. */
	feed(request((struct request){.method = "CANCEL", .uri = URI, .user = "1000"}));
	assert_int_equal(n_sent, 1);
	assert_int_equal(status(0), 481);
}

static void test_caller_hangs_up(void **state)
{
	char tag[256];

	(void)state;
	prove();
	feed(invite());
	between(tag, strstr(sent[1].text, "\nTo: "), ";tag=", "\r\n");
	pass(2 * S);
	feed(in_call("ACK", tag, 1));
	feed(in_call("INFO", tag, 2));
	assert_int_equal(status(0), 200);
	feed(in_call("INVITE", tag, 3)); /* hold, T.38, ... */
	assert_int_equal(status(0), 200);
	assert_non_null(strstr(sent[0].text, "\r\nm=audio "));
	feed(in_call("BYE", tag, 4));
	assert_int_equal(status(0), 200);
	assert_int_equal(dialogs(), 0);
	feed(in_call("BYE", "0123456789", 5));
	assert_int_equal(status(0), 481);
	feed(in_call("INVITE", "0123456789", 6));
	assert_int_equal(status(0), 481);
}

/* A request with this behind its From's tag. */
static const char *with_tag(const char *message, const char *more)
{
	const char *tag = strstr(strstr(message, "\r\nFrom: "), ";tag=");
	static char text[4096];
	size_t n = (size_t)(strchr(tag, '\r') - message);

	snprintf(text, sizeof text, "%.*s%s%s", (int)n, message, more, message + n);
	return text;
}

/*
 * Two From-tags, as svwar's BYE has: answered as an Asterisk 22.10 with chan_pjsip was
 * measured to, which takes the last one, outside a call and in one.
 */
static void test_two_from_tags(void **state)
{
	char tag[256];

	(void)state;
	prove();
	feed(with_tag(request((struct request){.method = "BYE"}), ";tag=zz"));
	assert_int_equal(status(0), 481);
	assert_non_null(strstr(sent[0].text, ">;tag=zz\r\n"));
	/* Anything else with two is refused as before. */
	feed(with_tag(request((struct request){.method = "OPTIONS"}), ";tag=zz"));
	assert_int_equal(status(0), 400);
	feed(with_tag(invite(), ";tag=zz"));
	assert_int_equal(status(0), 400);
	assert_int_equal(dialogs(), 0);

	feed(invite());
	between(tag, strstr(sent[1].text, "\nTo: "), ";tag=", "\r\n");
	pass(2 * S);
	feed(in_call("ACK", tag, 1));
	n_seen = 0;
	feed(with_tag(in_call("BYE", tag, 2), ";tag=zz"));
	assert_int_equal(status(0), 481);
	assert_non_null(strstr(sent[0].text, ">;tag=zz\r\n"));
	assert_int_equal(dialogs(), 1);
	assert_int_equal(n_seen, 1);
	assert_int_equal(seen[0].kind, OBSERVED_PROOF); /* the To-tag is ours */
	/* One that is empty has no grammar in any reader. */
	feed(with_tag(in_call("BYE", tag, 3), ";tag="));
	assert_int_equal(status(0), 400);
	/* The last is the call's. */
	feed(with_tag(in_call("BYE", tag, 4), ";tag=zz;x=y;tag=f1"));
	assert_int_equal(status(0), 200);
	assert_non_null(strstr(sent[0].text, ">;tag=f1\r\n"));
	assert_null(strstr(sent[0].text, "tag=zz"));
	assert_int_equal(dialogs(), 0);
}

/* A profile that was not measured to do so refuses them. */
static void test_two_from_tags_refused(void **state)
{
	(void)state;
	config.profile = profiles_find(profiles_builtin(), view_str("freeswitch"));
	honeypot_steps_begin();
	prove();
	feed(with_tag(request((struct request){.method = "BYE"}), ";tag=zz"));
	assert_int_equal(status(0), 400);
}

/* What is an extension is not there, whatever is behind it goes out. */
static void test_dial_plan(void **state)
{
	static const struct {
		const char *user;
		unsigned status;
		uint8_t kind;
	} cases[] = {
		{"7777", 404, OBSERVED_UNKNOWN_ACCOUNT},
		{"3141592653", 404, OBSERVED_UNKNOWN_ACCOUNT}, /* svwar's first */
		{"00441519471629", 100, OBSERVED_CALL_REJECTED},
		{"+441519471629", 100, OBSERVED_CALL_REJECTED},
		{"011441519471629", 100, OBSERVED_CALL_REJECTED},
		{"%30%30441519471629", 100, OBSERVED_CALL_REJECTED},
		{"76000046850780294", 100, OBSERVED_CALL_REJECTED},
		{"100", 100, OBSERVED_UNKNOWN_ACCOUNT}, /* bait, but no call that costs */
		{"nobody", 404, OBSERVED_UNKNOWN_ACCOUNT},
		{"0", 404, OBSERVED_UNKNOWN_ACCOUNT},
	};

	(void)state;
	prove();
	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		char uri[64], call_id[8];

		snprintf(uri, sizeof uri, "sip:%s@192.0.2.10", cases[i].user);
		snprintf(call_id, sizeof call_id, "d%u", i);
		n_seen = 0;
		feed(request((struct request){
			.method = "INVITE", .uri = uri, .call_id = call_id}));
		if (status(0) != cases[i].status || seen[0].kind != cases[i].kind)
			fail_msg("%s: %u, %s", cases[i].user, status(0),
				observation_kind_name(seen[0].kind));
	}
}

/* A flood of calls from one source fills a quarter of the table, no more. */
static void test_many_calls(void **state)
{
	unsigned busy = 0, rung = 0;
	char call_id[16];

	(void)state;
	config.dialogs = 40;
	config.per_source = 100000;
	honeypot_steps_begin();
	prove();
	for (unsigned i = 0; i < 30; i++) {
		snprintf(call_id, sizeof call_id, "m%u", i);
		feed(request((struct request){
			.method = "INVITE", .uri = URI, .call_id = call_id}));
		busy += status(0) == 486;
		rung += status(0) == 100;
	}
	assert_int_equal(rung, 10);
	assert_int_equal(busy, 20);
	/* Over streams from elsewhere: there is room, and the oldest gives way. */
	for (unsigned i = 0; i < 200; i++) {
		struct honeypot_path path = {.remote = {4, {203, 0, 113, (uint8_t)i}},
			.local = {4, {192, 0, 2, 10}},
			.transport = TRANSPORT_TCP,
			.connection = i + 1};
		const char *text = request(
			(struct request){.method = "INVITE", .uri = URI});

		n_sent = 0;
		now += MS;
		honeypot_receive(honeypot, &path, view_str(text), now);
		assert_int_equal(status(0), 100);
	}
	assert_int_equal(dialogs(), 40);
	honeypot_closed(honeypot, 200, now);
	assert_int_equal(dialogs(), 39);
	pass(300 * S);
	assert_int_equal(dialogs(), 0);
}

/* A call that only its ACK vouches for is ended, too, but by one BYE. */
static void test_unproved_call(void **state)
{
	static const char body[] = "v=0\r\no=- 1 1 IN IP4 198.51.100.7\r\ns=-\r\n"
				   "c=IN IP4 198.51.100.7\r\nt=0 0\r\n"
				   "m=audio 4000 RTP/AVP 0 8 101\r\n"
				   "a=rtpmap:101 telephone-event/8000\r\n";
	char tag[256], call_id[16];
	size_t came, went;

	(void)state;
	for (unsigned i = 0; i < 30; i++) {
		const char *text;

		snprintf(call_id, sizeof call_id, "u%u", i);
		text = request((struct request){.method = "INVITE",
			.uri = URI,
			.call_id = call_id,
			.body = body,
			.extra =
				"Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, SUBSCRIBE\r\n"});
		feed(text);
		came = strlen(text);
		went = bytes_sent;
		if (status(0) == 200)
			break;
	}
	assert_int_equal(status(0), 200);
	between(tag, strstr(sent[0].text, "\nTo: "), ";tag=", "\r\n");
	feed(request(
		(struct request){.method = "ACK", .call_id = call_id, .to_tag = tag}));
	came += strlen(request(
		(struct request){.method = "ACK", .call_id = call_id, .to_tag = tag}));
	assert_int_equal(dialogs(), 1);
	pass(100 * S);
	assert_int_equal(n_sent, 1);
	assert_memory_equal(sent[0].text, "BYE ", 4);
	assert_int_equal(dialogs(), 0);
	assert_true(went + bytes_sent <= came);
}

/* A call of svwar is not ended by a BYE: it would stop at that. */
static void test_quiet(void **state)
{
	char tag[256], ack[1024];

	(void)state;
	prove();
	feed("INVITE sip:100@192.0.2.10 SIP/2.0\r\n"
	     "Via: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK-2517358391;rport\r\n"
	     "From: \"100\"<sip:100@192.0.2.10>;tag=3130300131323334353637383930\r\n"
	     "To: \"100\"<sip:100@192.0.2.10>\r\nCall-ID: 12\r\nCSeq: 1 INVITE\r\n\r\n");
	assert_string_equal(last_record.tool, "svwar");
	assert_int_equal(status(0), 100);
	between(tag, strstr(sent[1].text, "\nTo: "), ";tag=", "\r\n");
	pass(2 * S);
	snprintf(ack, sizeof ack,
		"ACK sip:None@192.0.2.10 SIP/2.0\r\n"
		"Via: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK-2517358391;rport\r\n"
		"From: \"100\"<sip:100@192.0.2.10>;tag=3130300131323334353637383930\r\n"
		"To: \"100\"<sip:100@192.0.2.10>;tag=%s\r\nCall-ID: 12\r\n"
		"CSeq: 1 ACK\r\n\r\n",
		tag);
	feed(ack);
	assert_int_equal(seen[n_seen - 1].proof, PROOF_ACK);
	assert_int_equal(dialogs(), 1);
	pass(200 * S);
	assert_int_equal(n_sent, 0);
	assert_int_equal(dialogs(), 0);
}

#define TEST(name)                                                                       \
	cmocka_unit_test_setup_teardown(                                                 \
		name, honeypot_steps_setup, honeypot_steps_teardown)

/* Who calls a name at a domain calls a URI; a number is the same behind any host. */
static void test_domain(void **state)
{
	static const struct {
		const char *uri, *dialled;
	} cases[] = {
		{"sip:bob@premium.example.net", "bob@premium.example.net"},
		{"sip:bob@premium.example.net:5070;transport=udp",
			"bob@premium.example.net"},
		{"sip:bob@192.0.2.10", "bob"},
		{"sip:bob@[2001:db8::1]", "bob"},
		{"sip:bob@localhost", "bob"},
		{"sip:00972590000101@premium.example.net", "00972590000101"},
		{"sip:bob@a-name-that-is-longer-than-what-a-dialled-string-may-have.example.net",
			"bob"},
	};
	char branch[32];

	(void)state;
	prove();
	for (unsigned k = 0; k < sizeof cases / sizeof cases[0]; k++) {
		snprintf(branch, sizeof branch, "z9hG4bK-domain-%u", k);
		feed(request((struct request){.method = "INVITE",
			.uri = cases[k].uri,
			.user = "1000",
			.cseq = 10 + k,
			.branch = branch}));
		assert_true(n_seen > 0);
		assert_string_equal(seen[n_seen - 1].dialled, cases[k].dialled);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_whole_call),
		TEST(test_domain),
		TEST(test_routes),
		TEST(test_reliable),
		TEST(test_nobody_there),
		TEST(test_cancel),
		TEST(test_caller_hangs_up),
		TEST(test_two_from_tags),
		TEST(test_two_from_tags_refused),
		TEST(test_dial_plan),
		TEST(test_many_calls),
		TEST(test_unproved_call),
		TEST(test_quiet),
	};

	return cmocka_run_group_tests_name("honeypot-calls", tests, NULL, NULL);
}
