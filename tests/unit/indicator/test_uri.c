/* SPDX-License-Identifier: Apache-2.0 */
#include "../cmocka_all.h"

#include <stdlib.h>

#include "indicator/uri.h"

/* A new canonical text in one of two buffers. */
static const char *canonical(const char *text)
{
	static char buffers[2][256];
	static unsigned turn;
	char *dst = buffers[turn++ % 2];
	struct error err = {""};

	if (uri_canonical(dst, view_str(text), &err) < 0)
		fail_msg("%s: %s", text, err.text);
	return dst;
}

/* RFC 3261 19.1.4: "The URIs within each of the following sets are
 * equivalent". */
static void test_rfc_equal(void **state)
{
	static const char *const pairs[][2] = {
		{"sip:%61lice@atlanta.com;transport=TCP",
			"sip:alice@AtlanTa.CoM;Transport=tcp"},
		{"sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"},
		{"sip:carol@chicago.com", "sip:carol@chicago.com;security=on"},
		{"sip:biloxi.com;transport=tcp;method=REGISTER"
		 "?to=sip:bob%40biloxi.com",
			"sip:biloxi.com;method=REGISTER;transport=tcp"
			"?to=sip:bob%40biloxi.com"},
		{"sip:alice@atlanta.com?subject=project%20x&priority=urgent",
			"sip:alice@atlanta.com?priority=urgent&subject=project%20x"},
		/* Ours: headers and passwords do not name a destination. The
		 * RFC holds these different. */
		{"sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"},
		{"sip:carol:secret@chicago.com", "sip:carol@chicago.com"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		assert_string_equal(canonical(pairs[i][0]), canonical(pairs[i][1]));
}

/* The same section: "The URIs within each of the following sets are not
 * equivalent", without the one that differs in headers alone. */
static void test_rfc_different(void **state)
{
	static const char *const pairs[][2] = {
		{"SIP:ALICE@AtLanTa.CoM;Transport=udp",
			"sip:alice@AtLanTa.CoM;Transport=UDP"},
		{"sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"},
		{"sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"},
		{"sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"},
		{"sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"},
		{"sip:bob@biloxi.com", "sips:bob@biloxi.com"},
		{"sip:bob@biloxi.com", "sip:bob@biloxi.com;ttl=1"},
		{"sip:bob@biloxi.com", "sip:bob@biloxi.com;maddr=192.0.2.1"},
		{"sip:bob@biloxi.com", "sip:bob@biloxi.com;method=INVITE"},
		{"sip:bob@biloxi.com", "sip:bob@biloxi.com;user=phone"},
		{"sip:biloxi.com", "sip:bob@biloxi.com"},
		/* + is reserved: escaped it is another character. */
		{"sip:+44@biloxi.com", "sip:%2b44@biloxi.com"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		assert_string_not_equal(canonical(pairs[i][0]), canonical(pairs[i][1]));
}

static void test_text(void **state)
{
	static const char *const cases[][2] = {
		{" sip:Bob@Example.COM. ", "sip:Bob@example.com"},
		{"SIPS:Example.com", "sips:example.com"},
		{"sip:bob@192.0.2.4:05060", "sip:bob@192.0.2.4:5060"},
		{"sip:bob@[2001:DB8:0::1]:5060", "sip:bob@[2001:db8::1]:5060"},
		{"sip:bob@[2001:db8::1]", "sip:bob@[2001:db8::1]"},
		{"sip:bob@[::ffff:192.0.2.4]", "sip:bob@192.0.2.4"},
		{"sip:alice;day=tuesday@atlanta.com",
			"sip:alice;day=tuesday@atlanta.com"},
		{"sip:a?b;c/d,e$&=@host", "sip:a?b;c/d,e$&=@host"},
		{"sip:a%3fb@host", "sip:a%3Fb@host"},
		{"sip:%7Ea%2d%5F%2e%21%2a%27%28%29@host", "sip:~a-_.!*'()@host"},
		{"sip:#00972@host", "sip:%2300972@host"},
		{"sip:%2300972@host", "sip:%2300972@host"},
		{"sip:j%c3%b6rg@host", "sip:j%C3%B6rg@host"},
		{"sip:j\xc3\xb6rg@host", "sip:j%C3%B6rg@host"},
		{"sip:a%00b%0d%0A@host", "sip:a%00b%0D%0A@host"},
		{"sip:+44-20@host;user=Phone;ttl=007;transport=TLS;maddr=Ab.C;lr",
			"sip:+44-20@host;maddr=ab.c;transport=tls;ttl=7;user=phone"},
		{"sip:host;%74ransport=u%64p", "sip:host;transport=udp"},
		{"sip:host;maddr=[2001:DB8::1]", "sip:host;maddr=[2001:db8::1]"},
		{"sip:host;averyveryverylongparameter=1;lr;x=", "sip:host"},
		{"sip:a:b:c@host", "sip:a@host"},
		{"sip:xn--bcher-kva.example", "sip:xn--bcher-kva.example"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_string_equal(canonical(cases[i][0]), cases[i][1]);
		/* A canonical text is its own. */
		assert_string_equal(canonical(cases[i][1]), cases[i][1]);
	}
}

static void test_refused(void **state)
{
	static const char *const cases[][2] = {
		{"", "\"\": the scheme must be sip: or sips:"},
		{"tel:+44", "\"tel:+44\": the scheme must be sip: or sips:"},
		{"sip", "\"sip\": the scheme must be sip: or sips:"},
		{"sip:", "the host is missing; write sip:HOST or sip:USER@HOST"},
		{"sip:bob@",
			"the host is missing; write sip:HOST or "
			"sip:USER@HOST"},
		{"sip:bob@:5060",
			"the host is missing; write sip:HOST or "
			"sip:USER@HOST"},
		{"sip:@host",
			"the user before @ is empty; write sip:HOST or "
			"sip:USER@HOST"},
		{"sip::pw@host",
			"the user before @ is empty; write sip:HOST or "
			"sip:USER@HOST"},
		{"sip:a@b@c",
			"\"sip:a@b@c\": more than one @; write %40 for one "
			"inside a part"},
		{"sip:100%@host",
			"user \"100%\": % must be followed by two hex "
			"digits; write %25 for a % itself"},
		{"sip:a%4@host",
			"user \"a%4\": % must be followed by two hex "
			"digits; write %25 for a % itself"},
		{"sip:a%g0@host",
			"user \"a%g0\": % must be followed by two hex "
			"digits; write %25 for a % itself"},
		{"<sip:bob@host>",
			"\"<sip:bob@host>\": write the URI alone, "
			"without a display name and < >"},
		{"\"Bob\" sip:bob@host",
			"\"\\\"Bob\\\" sip:bob@host\": write the "
			"URI alone, without a display name and < >"},
		{"sip:bo b@host",
			"\"sip:bo b@host\": a URI has no white space or "
			"control characters; write them as %20 and so on"},
		{"sip:bob\r\nX: y@host",
			"\"sip:bob\\x0d\\x0aX: y@host\": a URI "
			"has no white space or control characters; write them as "
			"%20 and so on"},
		{"sip:bob@host:0", "\"host:0\": the port must be 1..65535"},
		{"sip:bob@host:65536", "\"host:65536\": the port must be 1..65535"},
		{"sip:bob@host:", "\"host:\": the port must be 1..65535"},
		{"sip:bob@1.2.3.256",
			"\"1.2.3.256\" is no IP address: write four "
			"numbers 0..255 with dots, such as 192.0.2.7, or IPv6, "
			"such as 2001:db8::7"},
		{"sip:bob@[::1", "\"[::1\": the closing ] is missing"},
		{"sip:bob@h_st",
			"\"h_st\": a domain has letters, digits, hyphens "
			"and dots; \"_\" is none"},
		{"sip:host;", "\"sip:host;\": nothing follows the last ;"},
		{"sip:host;;lr",
			"a parameter of the URI has no name; write ;NAME "
			"or ;NAME=VALUE"},
		{"sip:host;=5",
			"a parameter of the URI has no name; write ;NAME "
			"or ;NAME=VALUE"},
		{"sip:host;ttl=1;TTL=1",
			"parameter ttl stands twice in the URI; "
			"leave one"},
		{"sip:host;transport",
			"parameter transport has no value; write "
			";transport=VALUE"},
		{"sip:host;transport=",
			"parameter transport has no value; write "
			";transport=VALUE"},
		{"sip:host;ttl=256", "parameter ttl must be 0..255"},
		{"sip:host;maddr=a_b",
			"parameter maddr: \"a_b\": a domain has "
			"letters, digits, hyphens and dots; \"_\" is none"},
		{"sip:host;method=%x1",
			"parameter method: % must be followed by "
			"two hex digits"},
	};
	struct error err;
	char dst[256];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		err.text[0] = '\0';
		assert_int_equal(uri_canonical(dst, view_str(cases[i][0]), &err), -1);
		assert_string_equal(err.text, cases[i][1]);
	}
	assert_int_equal(uri_canonical(dst, view_of("sip:a\0@b", 8), &err), -1);
}

/* The bound is on the canonical text, not on what was written. */
static void test_length(void **state)
{
	char text[3000], dst[256];
	struct error err;

	(void)state;
	memset(text, 'u', 300);
	memcpy(text, "sip:", 4);
	strcpy(text + 251, "@abc");
	assert_int_equal(uri_canonical(dst, view_str(text), &err), 0);
	assert_int_equal(strlen(dst), 255);
	strcpy(text + 251, "@abcd");
	assert_int_equal(uri_canonical(dst, view_str(text), &err), -1);
	assert_non_null(strstr(err.text, "longer than 255 characters"));
	strcpy(text, "sip:a@b;x=");
	memset(text + 10, 'x', 2038);
	text[2048] = '\0';
	assert_int_equal(uri_canonical(dst, view_str(text), &err), 0);
	assert_string_equal(dst, "sip:a@b");
	text[2048] = 'x';
	text[2049] = '\0';
	assert_int_equal(uri_canonical(dst, view_str(text), &err), -1);
	assert_non_null(strstr(err.text, "a URI of 2049 bytes, 2048 are allowed"));
}

static void test_domain(void **state)
{
	static const char *const good[][2] = {
		{"Example.COM", "example.com"},
		{"example.com.", "example.com"},
		{"localhost", "localhost"},
		{"a-b.c", "a-b.c"},
		{"3com.com", "3com.com"},
		{"1.2.3.4.in-addr.arpa", "1.2.3.4.in-addr.arpa"},
		{"x.a1", "x.a1"},
	};
	static const char *const bad[] = {"", ".", "..", "a..b", ".a", "a..", "-a.b",
		"a-.b", "a b", "a_b", "*.example.com", "1.2.3.4", "42",
		"example.com:5060", "z\xc3\xbcrich.example", "a/b", "a@b"};
	char label[66], text[300], dst[256];
	struct error err;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(domain_canonical(dst, view_str(good[i][0]), NULL), 0);
		assert_string_equal(dst, good[i][1]);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(domain_canonical(dst, view_str(bad[i]), NULL), -1);
	domain_canonical(dst, view_str("z\xc3\xbcrich.example"), &err);
	assert_string_equal(err.text,
		"\"z\\xc3\\xbcrich.example\": write an "
		"international name in its xn-- form");
	domain_canonical(dst, view_str("10.0.0.1"), &err);
	assert_string_equal(err.text,
		"\"10.0.0.1\": no domain ends in a number; "
		"write an IP address without domain:");
	memset(label, 'a', 64);
	label[63] = '\0';
	assert_int_equal(domain_canonical(dst, view_str(label), &err), 0);
	label[63] = 'a';
	label[64] = '\0';
	assert_int_equal(domain_canonical(dst, view_str(label), &err), -1);
	assert_non_null(strstr(err.text,
		"a label has 64 characters, 63 are "
		"allowed"));
	/* 253 characters and no more. */
	for (unsigned i = 0; i < 254; i++)
		text[i] = i % 2 ? '.' : 'a';
	text[253] = '\0';
	assert_int_equal(domain_canonical(dst, view_str(text), &err), 0);
	assert_int_equal(strlen(dst), 253);
	strcpy(text + 253, "b");
	assert_int_equal(domain_canonical(dst, view_str(text), &err), -1);
	assert_non_null(strstr(err.text, "at most 253 characters"));
}

static void test_agent(void **state)
{
	char text[300], dst[256];
	struct error err;

	(void)state;
	assert_int_equal(agent_canonical(dst,
				 view_str(" Cisco-SIPGateway/IOS \t\r\n 12.x "), &err),
		0);
	assert_string_equal(dst, "Cisco-SIPGateway/IOS 12.x");
	assert_int_equal(agent_canonical(dst, view_str("T\xc3\xa9l\xc3\xa9"), &err), 0);
	assert_string_equal(dst, "T\xc3\xa9l\xc3\xa9");
	assert_int_equal(agent_canonical(dst, view_str("a\x1b[2J"), &err), -1);
	assert_string_equal(err.text,
		"user agent \"a\\x1b[2J\": control "
		"characters and bytes that are not UTF-8 are refused");
	assert_int_equal(agent_canonical(dst, view_str("\xff"), &err), -1);
	assert_int_equal(agent_canonical(dst, view_of("a\0b", 3), &err), -1);
	assert_int_equal(agent_canonical(dst, view_of("a\0", 2), &err), -1);
	assert_int_equal(agent_canonical(dst, view_str(" \n "), &err), -1);
	memset(text, 'a', sizeof(text));
	assert_int_equal(agent_canonical(dst, view_of(text, 255), &err), 0);
	assert_int_equal(strlen(dst), 255);
	assert_int_equal(agent_canonical(dst, view_of(text, 256), &err), -1);
	assert_non_null(strstr(err.text, "more than 255 bytes"));
	/* The bound is on the folded text. */
	memset(text + 10, ' ', 200);
	assert_int_equal(agent_canonical(dst, view_of(text, 300), &err), 0);
	assert_int_equal(strlen(dst), 101);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rfc_equal),
		cmocka_unit_test(test_rfc_different),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_length),
		cmocka_unit_test(test_domain),
		cmocka_unit_test(test_agent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
