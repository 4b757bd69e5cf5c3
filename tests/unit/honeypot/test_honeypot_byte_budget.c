/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Over everything that can be sent: an unproved source never gets more bytes than it
 * sent, nor more datagrams; memory does not grow; nothing is kept of it.
 */
#include "../cmocka_all.h"
#include "../prng.h"
#include "honeypot_steps.h"

static const char *const methods[] = {"OPTIONS", "REGISTER", "INVITE", "ACK", "BYE",
	"CANCEL", "SUBSCRIBE", "MESSAGE", "NOTIFY", "UPDATE", "PRACK", "INFO", "REFER",
	"PUBLISH", "FOO", "invite"};

static const char *const lines[] = {
	"Via: SIP/2.0/UDP 198.51.100.7:5070;branch=z9hG4bK-%u;rport\r\n",
	"Via: SIP/2.0/UDP a\r\n",
	"v: SIP/2.0/UDP 192.0.2.1;maddr=192.0.2.99;branch=%u\r\n",
	"From: <sip:%u@x>;tag=%u\r\n", "f:sip:a@b;tag=1\r\n",
	"To: <sip:100@192.0.2.10>\r\n", "t:sip:a@b\r\n", "To: <sip:%u@x>;tag=%u\r\n",
	"Call-ID: %u\r\n", "i:%u\r\n", "CSeq: %u %s\r\n", "Contact: <sip:a@b>\r\n",
	"Contact: *\r\n", "Require: x%u\r\n", "Record-Route: <sip:%u.example.com;lr>\r\n",
	"Max-Forwards: %u\r\n", "Content-Type: application/sdp\r\n", "Accept: */*\r\n",
	"Authorization: Digest username=\"100\",realm=\"asterisk\",nonce=\"%u\",response=\"aa\"\r\n",
	"User-Agent: friendly-scanner\r\n"};

/* Most often a whole request; sometimes cut, changed or of other bytes. */
static size_t random_packet(struct prng *r, char dst[4096])
{
	const char *method = methods[prng_below(r, sizeof methods / sizeof *methods)];
	size_t n = (size_t)snprintf(dst, 4096, "%s sip:%s%u@192.0.2.10 SIP/2.0\r\n",
		method, prng_below(r, 2) ? "00" : "", prng_below(r, 1000000000));
	unsigned kind = prng_below(r, 10);

	if (kind) {
		n += (size_t)snprintf(dst + n, 4096 - n,
			"v:SIP/2.0/UDP %s;branch=%u%s\r\nf:sip:%u@x;tag=1\r\n%s\r\n"
			"i:%u\r\nCSeq:1 %s\r\n",
			prng_below(r, 2) ? "a" : "198.51.100.7", prng_below(r, 1000),
			prng_below(r, 2) ? ";rport" : "", prng_below(r, 300),
			prng_below(r, 2) ? "t:sip:100@x" : "t:<sip:admin@x>",
			prng_below(r, 100000), method);
	}
	for (unsigned i = prng_below(r, kind ? 6 : 14); i-- > 0;) {
		const char *line = lines[prng_below(r, sizeof lines / sizeof *lines)];
		unsigned v = prng_below(r, 3000);

		/* All of them take numbers but the CSeq. */
		if (!strncmp(line, "CSeq", 4))
			n += (size_t)snprintf(
				dst + n, 4096 - n, "CSeq: %u %s\r\n", v, method);
		else
			n += (size_t)snprintf(dst + n, 4096 - n, line, v, v);
	}
	n += (size_t)snprintf(dst + n, 4096 - n, "\r\n");
	if (!prng_below(r, 4))
		n += (size_t)snprintf(dst + n, 4096 - n, "v=0\r\nc=IN IP4 192.0.2.1\r\n");
	if (!prng_below(r, 8))
		n = prng_below(r, (unsigned)n);
	for (unsigned i = prng_below(r, 20) ? 0 : prng_below(r, 20); i-- > 0 && n;)
		dst[prng_below(r, (unsigned)n)] = (char)prng_next(r);
	return n;
}

static void run(const char *profile, unsigned packets)
{
	struct prng r = {.state = UINT64_C(0x5eed) + packets};
	struct honeypot_figures before, after;
	uint64_t answered = 0;
	char text[4096], address[32];

	config.profile = profiles_find(profiles_builtin(), view_str(profile));
	honeypot_steps_begin();
	honeypot_figures(honeypot, &before);
	for (unsigned i = 0; i < packets; i++) {
		size_t n = random_packet(&r, text);

		snprintf(address, sizeof address, "198.51.%u.%u", prng_below(&r, 256),
			prng_below(&r, 256));
		n_seen = 0;
		feed_from(address, 5070, text, n);
		if (bytes_sent > n || n_sent > 1)
			fail_msg("%u bytes in %u datagrams for %zu: %.*s",
				(unsigned)bytes_sent, n_sent, n, (int)n, text);
		answered += n_sent;
		/* And nothing later. */
		now += prng_below(&r, 2000) * MS;
		n_sent = 0;
		honeypot_due(honeypot, now);
		assert_int_equal(n_sent, 0);
	}
	honeypot_figures(honeypot, &after);
	assert_int_equal(after.memory, before.memory);
	assert_int_equal(after.dialogs, 0);
	assert_int_equal(after.sources, 0);
	assert_int_equal(after.proofs, 0);
	assert_true(after.bytes_sent <= after.bytes_received);
	/* The test would say nothing of a honeypot that never answers. */
	assert_true(answered > packets / 4);
	assert_int_equal(bad_records, 0);
}

static void test_asterisk(void **state)
{
	(void)state;
	run("asterisk", 6000);
}

static void test_freeswitch(void **state)
{
	(void)state;
	run("freeswitch", 6000);
}

static void test_cisco(void **state)
{
	(void)state;
	run("cisco", 6000);
}

/* Every length of one and the same request. */
static void test_each_length(void **state)
{
	char text[4096];
	const char *whole = request((struct request){.method = "OPTIONS"});
	unsigned fit = 0;

	(void)state;
	for (unsigned pad = 0; pad < 800; pad++) {
		size_t n = (size_t)snprintf(text, sizeof text,
			"OPTIONS sip:a SIP/2.0\r\nv:SIP/2.0/UDP a\r\nf:sip:a@b;tag=1\r\n"
			"t:sip:a@b\r\ni:1\r\nCSeq:1 OPTIONS\r\nx:%0*u\r\n\r\n",
			(int)pad + 1, 0);

		feed_from("198.51.100.9", 5070, text, n);
		assert_true(bytes_sent <= n);
		fit += n_sent;
		now += 100 * MS;
	}
	/* From some length on each fits, and the longer the more it says. */
	assert_in_range(fit, 700, 800);
	assert_non_null(strstr(sent[0].text, "\r\nSupported: "));
	feed(whole);
	assert_int_equal(status(0), 200);
	assert_null(strstr(sent[0].text, "\r\nAllow: "));
	assert_non_null(strstr(sent[0].text, "\r\nServer: Asterisk PBX "));
}

/* Datagrams to the longest there are, of bytes of any kind. */
static void test_garbage(void **state)
{
	static char text[65507];
	struct prng r = {.state = 77};
	struct honeypot_figures before, after;

	(void)state;
	honeypot_figures(honeypot, &before);
	for (unsigned i = 0; i < 3000; i++) {
		size_t n = i % 10 ? prng_below(&r, 300) : prng_below(&r, sizeof text);

		for (size_t k = 0; k < n; k++)
			text[k] = (char)prng_next(&r);
		if (i % 3 == 0 && n > 40)
			memcpy(text, "INVITE sip:1 SIP/2.0\r\n", 22);
		feed_from("203.0.113.1", 1, text, n);
		assert_true(bytes_sent <= n);
	}
	honeypot_figures(honeypot, &after);
	assert_int_equal(after.memory, before.memory);
	assert_int_equal(after.received, 3000);
	assert_int_equal(after.foreign + after.malformed + after.keepalives +
			after.requests + after.responses,
		3000);
}

/* Who sends a lot is answered at the rate that was set; the others are, too. */
static void test_rates(void **state)
{
	const char *options = request((struct request){.method = "OPTIONS"});
	unsigned answered = 0;
	struct honeypot_figures f;

	(void)state;
	config.per_source = 10;
	config.total = 1000;
	honeypot_steps_begin();
	for (unsigned i = 0; i < 1000; i++) {
		feed(options);
		answered += n_sent;
	}
	assert_int_equal(answered, 100);
	feed_from("203.0.113.1", 1, options, strlen(options));
	assert_int_equal(n_sent, 1);
	now += S;
	answered = 0;
	for (unsigned i = 0; i < 100; i++) {
		feed(options);
		answered += n_sent;
	}
	assert_int_equal(answered, 10);
	honeypot_figures(honeypot, &f);
	assert_int_equal(f.limited, 900 + 90);
	assert_int_equal(f.received, f.requests);
	/* In total. */
	for (unsigned i = 0, n = 0; i < 5000; i++) {
		char address[32];

		snprintf(address, sizeof address, "203.0.%u.%u", i / 200, i % 200);
		feed_from(address, 1, options, strlen(options));
		n += n_sent;
		if (i == 4999)
			assert_in_range(n, 1900, 2000);
	}
}

#define TEST(name)                                                                       \
	cmocka_unit_test_setup_teardown(                                                 \
		name, honeypot_steps_setup, honeypot_steps_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_asterisk),
		TEST(test_freeswitch),
		TEST(test_cisco),
		TEST(test_each_length),
		TEST(test_garbage),
		TEST(test_rates),
	};

	return cmocka_run_group_tests_name("honeypot-bytes", tests, NULL, NULL);
}
