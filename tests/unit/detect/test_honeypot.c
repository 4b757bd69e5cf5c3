/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a tool's packets to a detection: what svmap, svwar and svcrack (sipvicious 0.3.3)
 * send, through the honeypot and the built-in rules. svmap and svwar's REGISTERs cannot
 * be proved over UDP; all else is.
 */
#include "../cmocka_all.h"

#include "detect/detect.h"
#include "sense/honeypot/honeypot.h"

#define NOW (UINT64_C(1795291398) * USEC_PER_SEC)

static struct detector *detector;
static struct honeypot *honeypot;
static struct detection found[32];
static unsigned n_found, status;
static char tag[128], nonce[128];
static usec now;
static const char *agent;

static void on_observe(void *context, const struct observation *o)
{
	struct detection d;

	(void)context;
	if (detector_feed(detector, o, &d) && n_found < 32)
		found[n_found++] = d;
}

static void copy(char dst[128], const char *text, const char *before, const char *end)
{
	const char *at = text ? strstr(text, before) : NULL;

	if (at)
		snprintf(dst, 128, "%.*s", (int)strcspn(at + strlen(before), end),
			at + strlen(before));
}

static void on_send(void *context, const struct honeypot_path *path, struct view bytes)
{
	char text[8192];

	(void)context;
	(void)path;
	view_copy(text, sizeof text, bytes);
	(void)sscanf(text, "SIP/2.0 %u", &status);
	copy(tag, strstr(text, "\nTo: "), ";tag=", "\r\n");
	copy(nonce, text, "nonce=\"", "\"");
}

static int setup(void **state)
{
	const struct honeypot_hooks hooks = {.send = on_send, .observe = on_observe};
	static const uint8_t key[32] = {1};

	(void)state;
	now = NOW;
	agent = "friendly-scanner";
	n_found = 0;
	detector = detector_new(&detect_config_default, (struct hash_key){1, 2});
	honeypot = honeypot_new(&honeypot_config_default, &hooks, key, now, NULL);
	return detector && honeypot ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	detector_free(detector);
	honeypot_free(honeypot);
	return 0;
}

/* As makeRequest() of sipvicious' svhelper.py writes it. */
static void send_tool(uint8_t transport, const char *method, const char *user,
	const char *from_tag, unsigned call_id, const char *to_tag, const char *extra)
{
	const struct honeypot_path path = {
		.remote = {4, {198, 51, 100, 66}},
		.local = {4, {192, 0, 2, 10}},
		.remote_port = 5060,
		.local_port = 5060,
		.transport = transport,
	};
	char text[2048], target[64] = "";
	int n;

	if (strcmp(method, "REGISTER"))
		snprintf(target, sizeof target, "%s@", user);
	n = snprintf(text, sizeof text,
		"%s sip:%s192.0.2.10 SIP/2.0\r\n"
		"Via: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK-%u;rport\r\n"
		"Max-Forwards: 70\r\nTo: \"%s\"<sip:%s@192.0.2.10>%s%s\r\n"
		"From: \"%s\"<sip:%s@192.0.2.10>;tag=%s\r\nUser-Agent: %s\r\n"
		"Call-ID: %u\r\nContact: sip:%s@192.0.2.10\r\nCSeq: 1 %s\r\n"
		"Accept: application/sdp\r\n%sContent-Length: 0\r\n\r\n",
		method, target, call_id * 7, user, user, *to_tag ? ";tag=" : "", to_tag,
		user, user, from_tag, agent, call_id, user, method, extra);
	honeypot_receive(honeypot, &path, view_of(text, (size_t)n), now);
	now += 5000;
}

static void hex_tag(char dst[128], const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += (size_t)snprintf(dst + n, 128 - n, "%02x", (unsigned char)*text);
	snprintf(dst + n, 128 - n, "01%s", "31323334");
}

static void settle(void)
{
	struct detection d;

	for (unsigned i = 0; i < 10; i++) {
		now += USEC_PER_SEC;
		while (detector_due(detector, now, &d))
			if (n_found < 32)
				found[n_found++] = d;
	}
}

static void test_svcrack(void **state)
{
	char extra[512], from[128];

	(void)state;
	send_tool(TRANSPORT_UDP, "REGISTER", "100", "3206210844", 1, "", "");
	assert_int_equal(status, 401);
	assert_int_equal(n_found, 0);
	for (unsigned i = 0; i < 12 && status != 200; i++) {
		char pair[32];

		snprintf(pair, sizeof pair, "100:%u", 100 + i);
		hex_tag(from, pair);
		snprintf(extra, sizeof extra,
			"Authorization: Digest username=\"100\",realm=\"asterisk\","
			"nonce=\"%s\",uri=\"sip:192.0.2.10\",response=\"%032u\","
			"algorithm=MD5\r\n",
			nonce, i);
		send_tool(TRANSPORT_UDP, "REGISTER", "100", from, 1, "", extra);
	}
	/* The tool's own end: it has found the password. */
	assert_int_equal(status, 200);
	assert_true(n_found >= 1);
	assert_string_equal(found[0].rule, "honeypot-password");
	assert_int_equal(found[0].category, CATEGORY_PASSWORD);
	assert_int_equal(found[0].proof, PROOF_NONCE);
	assert_true(found[0].publish);
	assert_int_equal(found[0].attempts, 1);
	assert_int_equal(found[0].ban, 600);
	assert_string_equal(found[0].reason,
		"1 passwords guessed at a honeypot, last for account 100");
}

/* svwar -m INVITE: it acknowledges whatever it is answered. */
static void test_svwar_invite(void **state)
{
	char from[128], user[16];
	unsigned call_id = 10;

	(void)state;
	hex_tag(from, "3141592653");
	send_tool(TRANSPORT_UDP, "INVITE", "3141592653", from, call_id, "", "");
	assert_int_equal(status, 404);
	send_tool(TRANSPORT_UDP, "ACK", "3141592653", from, call_id, tag, "");
	/* At the first: a tool that only attacks. */
	assert_int_equal(n_found, 2);
	assert_string_equal(found[0].rule, "honeypot-list");
	assert_int_equal(found[0].proof, PROOF_NONE);
	assert_string_equal(found[1].rule, "honeypot-list");
	assert_int_equal(found[1].category, CATEGORY_ENUMERATION);
	assert_int_equal(found[1].proof, PROOF_NONCE);
	assert_true(found[1].publish);
	/* It goes on to its end. */
	for (unsigned i = 500; i < 520; i++) {
		snprintf(user, sizeof user, "%u", i);
		hex_tag(from, user);
		send_tool(TRANSPORT_UDP, "INVITE", user, from, ++call_id, "", "");
		assert_int_equal(status, 404);
		send_tool(TRANSPORT_UDP, "ACK", user, from, call_id, tag, "");
	}
	assert_int_equal(n_found, 2);
}

/* The same by what does not say that it is a tool: two accounts. */
static void test_enumeration(void **state)
{
	(void)state;
	agent = "eyeBeam";
	send_tool(TRANSPORT_UDP, "INVITE", "500", "a1", 1, "", "");
	send_tool(TRANSPORT_UDP, "ACK", "500", "a1", 1, tag, "");
	assert_int_equal(n_found, 0);
	send_tool(TRANSPORT_UDP, "INVITE", "501", "a1", 2, "", "");
	send_tool(TRANSPORT_UDP, "ACK", "501", "a1", 2, tag, "");
	/* Unproved until it acknowledged the second, too. */
	assert_int_equal(n_found, 2);
	assert_int_equal(found[0].proof, PROOF_NONE);
	assert_string_equal(found[1].rule, "honeypot-enumeration");
	assert_int_equal(found[1].category, CATEGORY_ENUMERATION);
	assert_int_equal(found[1].proof, PROOF_NONCE);
	assert_string_equal(
		found[1].reason, "asked a honeypot for 2 accounts in 1s, last for 501");
}

/* A call that would have gone out, by whoever acknowledged its end: fraud at once. */
static void test_one_call(void **state)
{
	char from[128];
	unsigned call_id;

	(void)state;
	hex_tag(from, "1000");
	for (call_id = 1; call_id < 50; call_id++) {
		send_tool(TRANSPORT_UDP, "INVITE", "900441519471629", "a1b2", call_id, "",
			"");
		if (status == 503)
			break;
	}
	assert_int_equal(status, 503);
	n_found = 0;
	send_tool(TRANSPORT_UDP, "ACK", "900441519471629", "a1b2", call_id, tag, "");
	assert_int_equal(n_found, 1);
	assert_string_equal(found[0].rule, "honeypot-call");
	assert_int_equal(found[0].category, CATEGORY_FRAUD);
	assert_int_equal(found[0].proof, PROOF_NONCE);
	assert_true(found[0].publish);
	assert_string_equal(found[0].dialled, "900441519471629");
}

/* Banned here for five minutes and told nobody: anybody could have sent it. */
static void test_svmap(void **state)
{
	(void)state;
	send_tool(TRANSPORT_UDP, "OPTIONS", "100",
		"6330303030323061313363340131333333363537313033", 1, "", "");
	assert_int_equal(status, 200);
	settle();
	assert_int_equal(n_found, 1);
	assert_string_equal(found[0].rule, "honeypot-tool");
	assert_int_equal(found[0].category, CATEGORY_SCAN);
	assert_int_equal(found[0].proof, PROOF_NONE);
	assert_true(found[0].plausible);
	assert_int_equal(found[0].unproved_ban, 300);
	assert_string_equal(found[0].reason,
		"1 requests of an attack tool at a honeypot: friendly-scanner");
}

static void test_svmap_stream(void **state)
{
	(void)state;
	send_tool(TRANSPORT_TCP, "OPTIONS", "100",
		"6330303030323061313363340131333333363537313033", 1, "", "");
	settle();
	assert_int_equal(n_found, 1);
	assert_string_equal(found[0].rule, "honeypot-tool");
	assert_int_equal(found[0].proof, PROOF_TCP);
	assert_true(found[0].publish);
}

static void test_svwar_register(void **state)
{
	char from[128], user[16];

	(void)state;
	for (unsigned i = 500; i < 600; i++) {
		snprintf(user, sizeof user, "%u", i);
		hex_tag(from, user);
		send_tool(TRANSPORT_UDP, "REGISTER", user, from, i, "", "");
		assert_int_equal(status, 404);
	}
	settle();
	assert_true(n_found >= 1);
	assert_string_equal(found[0].rule, "honeypot-list");
	for (unsigned i = 0; i < n_found; i++)
		assert_int_equal(found[i].proof, PROOF_NONE);
}

/* A phone that was given a wrong address: one account, again and again. */
static void test_lost_phone(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 20; i++) {
		const struct honeypot_path path = {.remote = {4, {198, 51, 100, 77}},
			.local = {4, {192, 0, 2, 10}},
			.remote_port = 5060,
			.local_port = 5060,
			.transport = TRANSPORT_TCP};
		char text[1024];
		int n = snprintf(text, sizeof text,
			"REGISTER sip:192.0.2.10 SIP/2.0\r\n"
			"Via: SIP/2.0/TCP 10.0.0.5:5060;branch=z9hG4bK%u;rport\r\n"
			"From: <sip:4711@192.0.2.10>;tag=a%u\r\nTo: <sip:4711@192.0.2.10>\r\n"
			"Call-ID: phone-1@10.0.0.5\r\nCSeq: %u REGISTER\r\n"
			"User-Agent: Yealink SIP-T46S\r\n\r\n",
			i, i, i + 1);

		honeypot_receive(honeypot, &path, view_of(text, (size_t)n), now);
		now += 60 * USEC_PER_SEC;
	}
	settle();
	for (unsigned i = 0; i < n_found; i++)
		fail_msg("%s: %s", found[i].rule, found[i].reason);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_svcrack),
		TEST(test_svwar_invite),
		TEST(test_enumeration),
		TEST(test_one_call),
		TEST(test_svmap),
		TEST(test_svmap_stream),
		TEST(test_svwar_register),
		TEST(test_lost_phone),
	};

	return cmocka_run_group_tests_name("detect-honeypot", tests, NULL, NULL);
}
