/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sip/message.h"

#define CORE                                                                             \
	"Via: SIP/2.0/UDP 198.51.100.7:5070;branch=z9hG4bK776;rport\r\n"                 \
	"From: \"A. G. Bell\" <sip:100@example.com>;tag=a48s\r\n"                        \
	"To: <sip:9011972590000101@example.com>\r\n"                                     \
	"Call-ID: f81d4fae@198.51.100.7\r\n"

static struct sip_message m;
static const char *why;

/* Parse a copy of exactly this size: the sanitizer sees a read past the end. */
static enum sip_verdict parse_n(const char *text, size_t n)
{
	static uint8_t *copy;

	free(copy);
	copy = malloc(n ? n : 1);
	assert_non_null(copy);
	memcpy(copy, text, n);
	return sip_parse(&m, view_of(copy, n), &why);
}

static enum sip_verdict parse(const char *text)
{
	return parse_n(text, strlen(text));
}

static void assert_view(struct view v, const char *text)
{
	char copy[256];

	assert_true(v.n < sizeof copy);
	view_copy(copy, sizeof copy, v);
	assert_string_equal(copy, text);
}

static void assert_malformed(const char *text, const char *reason)
{
	assert_int_equal(parse(text), SIP_MALFORMED);
	assert_string_equal(why, reason);
}

static void test_request(void **state)
{
	(void)state;
	assert_int_equal(
		parse("INVITE sip:9011972590000101:pw@example.com:5080;user=phone?x=y SIP/2.0\r\n" CORE
		      "CSeq: 4711 INVITE\r\n"
		      "Contact: \"a, b\" <sip:100@198.51.100.7;transport=udp>, <sip:x@y>\r\n"
		      "User-Agent: friendly-scanner\r\n"
		      "Expires: 3600\r\n"
		      "Content-Length: 4\r\n"
		      "\r\n"
		      "v=0\nrest"),
		SIP_VALID);
	assert_true(m.request);
	assert_int_equal(m.method, SIP_INVITE);
	assert_view(m.target.scheme, "sip");
	assert_view(m.target.user, "9011972590000101");
	assert_view(m.target.host, "example.com");
	assert_view(m.target.port, "5080");
	assert_view(m.target.parameters, "user=phone");
	assert_view(m.via.transport, "UDP");
	assert_view(m.via.host, "198.51.100.7");
	assert_view(m.via.port, "5070");
	assert_view(m.via.branch, "z9hG4bK776");
	assert_true(m.via.wants_rport);
	assert_int_equal(m.via.rport.n, 0);
	assert_view(m.from.display, "A. G. Bell");
	assert_view(m.from.parts.user, "100");
	assert_view(m.from.tag, "a48s");
	assert_int_equal(m.to.tag.n, 0);
	assert_view(m.call_id, "f81d4fae@198.51.100.7");
	assert_int_equal(m.cseq, 4711);
	assert_view(m.contact.uri, "sip:100@198.51.100.7;transport=udp");
	assert_view(m.agent, "friendly-scanner");
	assert_int_equal(m.expires, 3600);
	assert_view(m.body, "v=0\n");
}

static void test_response(void **state)
{
	(void)state;
	assert_int_equal(
		parse("SIP/2.0 401 Unauthorized\r\n"
		      "Via: SIP/2.0/UDP 10.0.0.1;received=198.51.100.7;rport=5070;branch=z9hG4bKa, "
		      "SIP/2.0/TCP 10.0.0.2;branch=z9hG4bKb\r\n"
		      "Via: SIP/2.0/TLS 10.0.0.3;branch=z9hG4bKc\r\n"
		      "From: <sip:100@example.com>;tag=1\r\n"
		      "To: sip:100@example.com;tag=z9hG4bKa\r\n"
		      "Call-ID: 1\r\n"
		      "CSeq: 1 REGISTER\r\n"
		      "Server: Asterisk\r\n"
		      "WWW-Authenticate: Digest realm=\"a \\\"b\\\", c\", nonce=\"n/1==\", stale=TRUE, "
		      "opaque=\"nonce=x\",qop=\"auth\"\r\n"
		      "Proxy-Authenticate: Digest realm=p,nonce=n2\r\n"
		      "Content-Length: 0\r\n\r\n"),
		SIP_VALID);
	assert_false(m.request);
	assert_int_equal(m.status, 401);
	assert_view(m.reason, "Unauthorized");
	assert_int_equal(m.method, SIP_REGISTER);
	assert_view(m.via.branch, "z9hG4bKa");
	assert_view(m.via.received, "198.51.100.7");
	assert_view(m.via.rport, "5070");
	assert_view(m.to.parts.host, "example.com");
	assert_view(m.to.tag, "z9hG4bKa");
	assert_view(m.agent, "Asterisk");
	assert_int_equal(m.n_challenges, 2);
	assert_view(m.challenges[0].realm, "a \\\"b\\\", c");
	assert_view(m.challenges[0].nonce, "n/1==");
	assert_true(m.challenges[0].stale);
	assert_false(m.challenges[0].proxy);
	assert_view(m.challenges[1].nonce, "n2");
	assert_true(m.challenges[1].proxy);
	assert_false(m.challenges[1].stale);
}

static void test_credentials(void **state)
{
	(void)state;
	/* cnonce contains nonce, and stands before it; opaque contains all. */
	assert_int_equal(
		parse("REGISTER sip:example.com SIP/2.0\r\n" CORE "CSeq: 2 REGISTER\r\n"
		      "Authorization: DIGEST username=\"10\\\"1\" , cnonce=\"not this\",nc=00000001,\r\n"
		      " qop=auth,uri=\"sip:example.com\",NONCE=\"this one\",opaque=\"nonce=\\\"no\\\"\",\r\n"
		      "\tresponse=\"d7ef708a\",realm=asterisk\r\n"
		      "Authorization: Basic Zm9vOmJhcg==\r\n"
		      "Proxy-Authorization: Digest nonce=p, response=q\r\n\r\n"),
		SIP_VALID);
	assert_int_equal(m.n_credentials, 2);
	assert_view(m.credentials[0].username, "10\\\"1");
	assert_view(m.credentials[0].nonce, "this one");
	assert_view(m.credentials[0].response, "d7ef708a");
	assert_view(m.credentials[0].realm, "asterisk");
	assert_view(m.credentials[0].uri, "sip:example.com");
	assert_true(m.credentials[1].proxy);
	/* Without a nonce there is none, whatever the cnonce says. */
	assert_int_equal(
		parse("REGISTER sip:example.com SIP/2.0\r\n" CORE "CSeq: 2 REGISTER\r\n"
		      "Authorization: Digest cnonce=\"x\", response=\"y\"\r\n\r\n"),
		SIP_VALID);
	assert_int_equal(m.n_credentials, 1);
	assert_int_equal(m.credentials[0].nonce.n, 0);
}

/* The ideas of RFC 4475 3.1.1 "valid messages": odd, and right. */
static void test_odd_but_valid(void **state)
{
	(void)state;
	/* Compact forms, folding, white space, case (3.1.1.1). */
	assert_int_equal(
		parse("\r\n\r\nINVITE sip:vivekg@chair.example.com;unknownparam SIP/2.0\r\n"
		      "tO :\r\n sip:vivekg@chair.example.com ;   tag    = 1918181833n\r\n"
		      "f   : \"J Rosenberg \\\\\\\"\"       <sip:jdrosen@example.com>\r\n"
		      "  ;\r\n  tag = 98asjd8\r\n"
		      "I: wsinv.ndaksdj@192.0.2.1\r\n"
		      "Content-Length   : 0\r\n"
		      "cseq: 0009\r\n  INVITE\r\n"
		      "V  : SIP  / 2.0\r\n / UDP\r\n    192.0.2.2;branch=390skdjuw\r\n"
		      "s :\r\n"
		      "NewFangledHeader:   newfangled value\r\n continued newfangled value\r\n"
		      "m:\"Quoted string \\\"\\\"\" <sip:jdrosen@example.com> ; newparam =\r\n"
		      "      newvalue ;\r\n  secondparam ; q = 0.33\r\n\r\n"),
		SIP_VALID);
	assert_view(m.to.tag, "1918181833n");
	assert_view(m.from.tag, "98asjd8");
	assert_view(m.from.display, "J Rosenberg \\\\\\\"");
	assert_view(m.call_id, "wsinv.ndaksdj@192.0.2.1");
	assert_int_equal(m.cseq, 9);
	assert_view(m.via.host, "192.0.2.2");
	assert_view(m.via.branch, "390skdjuw");
	assert_view(m.contact.uri, "sip:jdrosen@example.com");
	/* An extension method of every token character (3.1.1.2). */
	assert_int_equal(
		parse("!interesting-Method0123456789_*+`.%indeed'~ sip:a@b SIP/2.0\r\n" CORE
		      "CSeq: 1 !interesting-Method0123456789_*+`.%indeed'~\r\n\r\n"),
		SIP_VALID);
	assert_int_equal(m.method, SIP_OTHER);
	/* LF alone, IPv6, tel:, escapes kept, empty reason. */
	assert_int_equal(
		parse("OPTIONS sip:a%00b@[2001:db8::1]:5060 SIP/2.0\n"
		      "v:SIP/2.0/UDP [2001:db8::2]:5062;branch=z9hG4bK1\nf:<tel:+15551234;phone-context=x>;tag=1\n"
		      "t:<sip:%5b>\ni:1\nCSeq: 1 OPTIONS\n\n"),
		SIP_VALID);
	assert_view(m.target.user, "a%00b");
	assert_view(m.target.host, "2001:db8::1");
	assert_view(m.via.host, "2001:db8::2");
	assert_view(m.from.parts.user, "+15551234");
	assert_int_equal(m.content_length, -1);
	assert_int_equal(
		parse("SIP/2.0 200 \r\n" CORE "CSeq: 1 INVITE\r\n\r\n"), SIP_VALID);
	assert_int_equal(
		parse("SIP/2.0 200\r\n" CORE "CSeq: 1 INVITE\r\n\r\n"), SIP_VALID);
	assert_int_equal(m.reason.n, 0);
	/* Methods have case (7.1); this one is not REGISTER. */
	assert_int_equal(
		parse("Register sip:b SIP/2.0\r\n" CORE "CSeq: 1 Register\r\n\r\n"),
		SIP_VALID);
	assert_int_equal(m.method, SIP_OTHER);
}

static void test_malformed(void **state)
{
	(void)state;
#define BYE "BYE sip:a@b SIP/2.0\r\n"
	assert_malformed("INVITE <sip:a@b> SIP/2.0\r\n" CORE "CSeq: 1 INVITE\r\n\r\n",
		"Request-URI");
	assert_malformed("INVITE sip:a@b; lr SIP/2.0\r\n" CORE "CSeq: 1 INVITE\r\n\r\n",
		"Request-URI");
	assert_malformed("INVITE  sip:a@b SIP/2.0\r\n" CORE "CSeq: 1 INVITE\r\n\r\n",
		"Request-URI");
	assert_malformed("INVITE SIP/2.0\r\n" CORE "CSeq: 1 INVITE\r\n\r\n",
		"request line without method or URI");
	assert_malformed("IN\"VITE sip:a@b SIP/2.0\r\n\r\n", "method is no token");
	assert_malformed("OPTIONS sip:a@b SIP/7.0\r\n\r\n", "SIP version other than 2.0");
	assert_malformed("OPTIONS sip:a@b SIP/2.0 \r\n" CORE "\r\n",
		"bytes behind the SIP version");
	assert_malformed("SIP/2.0 4294967301 better not break the receiver\r\n\r\n",
		"status code out of range");
	assert_malformed("SIP/2.0 99 low\r\n\r\n", "status code out of range");
	assert_malformed(BYE CORE "CSeq: 36893488147419103232 BYE\r\n\r\n", "CSeq");
	assert_malformed(BYE CORE "CSeq: x BYE\r\n\r\n", "CSeq");
	assert_malformed(BYE CORE "CSeq: 1 INVITE\r\n\r\n", "CSeq names another method");
	assert_malformed(BYE CORE "CSeq: 1 BYE\r\nFrom: <sip:q@r>;tag=2\r\n\r\n",
		"more than one From");
	assert_malformed(
		BYE CORE "CSeq: 1 BYE\r\nt: <sip:q@r>\r\n\r\n", "more than one To");
	assert_malformed(BYE CORE "CSeq: 1 BYE\r\ni: 2\r\n\r\n", "more than one Call-ID");
	assert_malformed(
		BYE CORE "CSeq: 1 BYE\r\ncseq: 1 BYE\r\n\r\n", "more than one CSeq");
	assert_malformed(BYE "From: <<<>\r\n\r\n", "From");
	assert_malformed(BYE "From: <sip:a@b>;tag=1;tag=2\r\n\r\n", "From");
	assert_malformed(BYE "From: \"x <sip:a@b>;tag=1\r\n\r\n", "From");
	assert_malformed(BYE "Via: SIP/2.0/UDP\r\n\r\n", "Via");
	assert_malformed(BYE "Via: SIP/2.0/UDP h:99999\r\n\r\n", "Via");
	assert_malformed(BYE "Via: SIP/2.0/UDP h;;,;,,\r\n\r\n", "Via");
	assert_malformed(BYE CORE "\r\n", "Via, From, To, Call-ID or CSeq is missing");
	assert_malformed(BYE CORE "CSeq: 1 BYE\r\n", "no empty line behind the headers");
	assert_malformed(BYE CORE "CSeq: 1 BYE", "no empty line behind the headers");
	assert_malformed(BYE "no colon here\r\n\r\n", "line without a header name");
	assert_malformed(BYE ": x\r\n\r\n", "line without a header name");
	assert_malformed(BYE "a b: x\r\n\r\n", "header name is no token");
	assert_malformed(BYE "X: a\rFrom: b\r\n\r\n", "NUL or bare CR in a header");
	assert_malformed(BYE CORE "CSeq: 1 BYE\r\nContent-Length: 5\r\n\r\n1234",
		"Content-Length is more than there is");
	assert_malformed(BYE CORE "CSeq: 1 BYE\r\nContent-Length: -1\r\n\r\n1234",
		"Content-Length is no number");
	assert_malformed(BYE CORE "CSeq: 1 BYE\r\nl: 0\r\nContent-Length: 4\r\n\r\n1234",
		"more than one Content-Length");
	assert_malformed(BYE "Authorization: Digest nonce=a, nonce=b\r\n\r\n",
		"Digest parameters");
	assert_malformed(
		BYE "Authorization: Digest nonce=\"a\r\n\r\n", "Digest parameters");
	assert_malformed(BYE "Authorization: Digest nonce=\"a\" response=b\r\n\r\n",
		"Digest parameters");
}

static void test_nul(void **state)
{
	static const char text[] = "BYE sip:a@b SIP/2.0\r\nX: a\0b\r\n\r\n";
	static const char start[] = "BYE sip:a\0@b SIP/2.0\r\n\r\n";

	(void)state;
	assert_int_equal(parse_n(text, sizeof text - 1), SIP_MALFORMED);
	assert_string_equal(why, "NUL or bare CR in a header");
	assert_int_equal(parse_n(start, sizeof start - 1), SIP_MALFORMED);
	assert_string_equal(why, "NUL or bare CR in the start line");
}

static void test_no_sip(void **state)
{
	static const uint8_t stun[20] = {0x00, 0x01, 0x00, 0x00, 0x21, 0x12, 0xa4, 0x42};

	(void)state;
	assert_int_equal(parse("\r\n\r\n"), SIP_KEEPALIVE);
	assert_int_equal(parse("\r\n"), SIP_KEEPALIVE);
	assert_int_equal(parse(""), SIP_KEEPALIVE);
	assert_int_equal(parse_n("\0\0\0\0", 4), SIP_KEEPALIVE);
	assert_int_equal(parse_n((const char *)stun, sizeof stun), SIP_FOREIGN);
	assert_int_equal(parse("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), SIP_FOREIGN);
	assert_int_equal(parse("jaK"), SIP_FOREIGN);
}

static void test_limits(void **state)
{
	static char text[SIP_MESSAGE_MAX + 4096];
	size_t n = (size_t)sprintf(
		text, "BYE sip:a@b SIP/2.0\r\n" CORE "CSeq: 1 BYE\r\n");
	size_t core = n;

	(void)state;
	for (int i = 5; i < SIP_HEADERS_MAX; i++)
		n += (size_t)sprintf(text + n, "X-%d: y\r\n", i);
	memcpy(text + n, "\r\n", 2);
	assert_int_equal(parse_n(text, n + 2), SIP_VALID);
	memcpy(text + n, "Z: z\r\n\r\n", 8);
	assert_int_equal(parse_n(text, n + 8), SIP_MALFORMED);
	assert_string_equal(why, "too many headers");

	memcpy(text + core, "\r\n", 2);
	memset(text + core + 2, 'b', SIP_MESSAGE_MAX);
	assert_int_equal(parse_n(text, SIP_MESSAGE_MAX), SIP_VALID);
	assert_int_equal(m.body.n, SIP_MESSAGE_MAX - core - 2);
	assert_int_equal(parse_n(text, SIP_MESSAGE_MAX + 1), SIP_MALFORMED);
	assert_string_equal(why, "longer than 64 KiB");
	/* A valid line, then five Digest headers. */
	n = core;
	for (int i = 0; i <= SIP_DIGESTS_MAX; i++)
		n += (size_t)sprintf(text + n, "Authorization: Digest nonce=%d\r\n", i);
	memcpy(text + n, "\r\n", 2);
	assert_int_equal(parse_n(text, n + 2), SIP_MALFORMED);
	assert_string_equal(why, "too many Digest headers");
}

/* Cut at every length, nothing is read past the end, and only all is valid. */
static void test_truncated(void **state)
{
	static const char text[] =
		"INVITE sip:1@b SIP/2.0\r\n" CORE "CSeq: 1 INVITE\r\n"
		"Authorization: Digest username=\"a\", nonce=\"b\", response=\"c\"\r\n"
		"Contact: \"x\\\"\" <sip:1@b>\r\nContent-Length: 3\r\n\r\nabc";

	(void)state;
	for (size_t n = 3; n < sizeof text - 1; n++)
		assert_int_not_equal(parse_n(text, n), SIP_VALID);
	assert_int_equal(parse_n(text, sizeof text - 1), SIP_VALID);
}

static void test_uri(void **state)
{
	struct sip_uri u;

	(void)state;
	assert_int_equal(sip_uri_parse(&u, view_str("sips:a;b=c:pw@h;lr")), 0);
	assert_view(u.user, "a");
	assert_view(u.parameters, "lr");
	assert_int_equal(
		sip_uri_parse(&u, view_str("nobodyKnowsThisScheme:totallyopaque")), 0);
	assert_view(u.host, "totallyopaque");
	assert_int_equal(sip_uri_parse(&u, view_str("sip:@h")), 0);
	assert_int_equal(u.user.n, 0);
	assert_int_equal(sip_uri_parse(&u, view_str("sip:")), -1);
	assert_int_equal(sip_uri_parse(&u, view_str("sip:a@")), -1);
	assert_int_equal(sip_uri_parse(&u, view_str("sip:a@[::1")), -1);
	assert_int_equal(sip_uri_parse(&u, view_str("sip:a@h:12x")), -1);
	assert_int_equal(sip_uri_parse(&u, view_str("sip:a@h:")), -1);
	assert_int_equal(sip_uri_parse(&u, view_str("a@h")), -1);
	assert_int_equal(sip_uri_parse(&u, view_str("tel:")), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request),
		cmocka_unit_test(test_response),
		cmocka_unit_test(test_credentials),
		cmocka_unit_test(test_odd_but_valid),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_nul),
		cmocka_unit_test(test_no_sip),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_uri),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
