/* SPDX-License-Identifier: Apache-2.0 */
#include "../cmocka_all.h"

#include <arpa/inet.h>

#include "../prng.h"
#include "indicator/address.h"

static struct address parsed(const char *text)
{
	struct error err = {""};
	struct address a;

	if (address_parse(&a, view_str(text), &err) < 0)
		fail_msg("%s: %s", text, err.text);
	return a;
}

/* Input and RFC 5952 output; the v6 ones are mostly that RFC's own. */
static void test_canonical(void **state)
{
	static const char *const cases[][2] = {
		{"0.0.0.0", "0.0.0.0"},
		{"255.255.255.255", "255.255.255.255"},
		{"192.0.2.7", "192.0.2.7"},
		{"2001:0db8:0000:0000:0001:0000:0000:0001", "2001:db8::1:0:0:1"},
		{"2001:db8:0:0:0:0:2:1", "2001:db8::2:1"},
		{"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
		{"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
		{"2001:db8:aaaa:bbbb:cccc:dddd:eeee:AAAA",
			"2001:db8:aaaa:bbbb:cccc:dddd:eeee:aaaa"},
		{"::", "::"},
		{"::1", "::1"},
		{"1::", "1::"},
		{"0:0:0:0:0:0:0:1", "::1"},
		{"1:0:0:0:0:0:0:0", "1::"},
		{"fe80:0:0:0:1:0:0:0", "fe80::1:0:0:0"},
		{"[2001:db8::7]", "2001:db8::7"},
		{"64:ff9b::192.0.2.33", "64:ff9b::c000:221"},
		{"::ffff:192.0.2.33", "192.0.2.33"},
		{"::FFFF:c000:221", "192.0.2.33"},
		{"[0:0:0:0:0:ffff:c000:0221]", "192.0.2.33"},
		{"::192.0.2.33", "::c000:221"},
	};
	char text[ADDRESS_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct address a = parsed(cases[i][0]);

		assert_string_equal(address_print(text, &a), cases[i][1]);
		assert_int_equal(a.family, strchr(cases[i][1], ':') ? 6 : 4);
		if (a.family == 4)
			assert_true(bytes_zero(a.bytes + 4, 12));
	}
}

static void test_refused(void **state)
{
	static const char *const bad[] = {"", "1", "1.2.3", "1.2.3.4.5", "1.2.3.",
		".1.2.3", "1..2.3", "1.2.3.256", "1.2.3.-4", "1.2.3.4 ", " 1.2.3.4",
		"0x1.2.3.4", "1.2.3.4/32", "1.02.3.4", "1.2.3.00", "[1.2.3.4]",
		"1.2.3.1000", ":", ":::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3",
		"12345::", "g::", "::1.2.3", "::1.2.3.256", "[::1", "::1]", "[", "[]",
		"[:", "1:2:3:4:5:6:7:8::",
		"0000:0000:0000:0000:0000:0000:0000:0000:0000:0000"};
	struct address a;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(address_parse(&a, view_str(bad[i]), NULL), -1);
	assert_int_equal(address_parse(&a, view_of("::1\0", 4), NULL), -1);
	assert_int_equal(address_parse(&a, view_of("1.2.3.4\0", 8), NULL), -1);
}

static void test_errors(void **state)
{
	struct error err;
	struct address a;

	(void)state;
	address_parse(&a, view_str("10.0.010.1"), &err);
	assert_string_equal(err.text,
		"\"10.0.010.1\": a leading zero is ambiguous "
		"(octal for some); write 10 instead of 010");
	address_parse(&a, view_str("fe80::1%eth0"), &err);
	assert_string_equal(err.text,
		"\"fe80::1%eth0\": a zone has no meaning on "
		"another host; write the address without %zone");
	address_parse(&a, view_str("example.com"), &err);
	assert_string_equal(err.text,
		"\"example.com\" is no IP address: write "
		"four numbers 0..255 with dots, such as 192.0.2.7, or IPv6, "
		"such as 2001:db8::7");
	address_parse(&a, view_str("\x1b:z:"), &err);
	assert_string_equal(err.text,
		"\"\\x1b:z:\" is no IPv6 address: write "
		"groups of hex digits with colons, such as 2001:db8::7");
}

/* Print and parse back; inet_ntop() agrees wherever it prints no quad. */
static void test_round_trip(void **state)
{
	char text[ADDRESS_TEXT], other[INET6_ADDRSTRLEN];
	struct prng r = {41};

	(void)state;
	for (unsigned i = 0; i < 20000; i++) {
		struct address a = {.family = i % 4 ? 6 : 4}, b;
		unsigned n = a.family == 4 ? 4 : 16;

		/* Many zero groups, or there would be no runs. */
		for (unsigned k = 0; k < n; k++)
			a.bytes[k] = prng_below(&r, 3) || k / 2 % 2 == i % 2 ?
				0 :
				(uint8_t)prng_next(&r);
		if (a.family == 6)
			a.bytes[0] |= 0x20;
		address_print(text, &a);
		b = parsed(text);
		assert_true(address_eq(&a, &b));
		assert_non_null(inet_ntop(a.family == 4 ? AF_INET : AF_INET6, a.bytes,
			other, sizeof(other)));
		assert_string_equal(text, other);
	}
}

static void test_sockaddr(void **state)
{
	static const char *const texts[] = {"192.0.2.7", "2001:db8::7"};
	struct sockaddr_storage ss;
	struct sockaddr_in6 mapped = {.sin6_family = AF_INET6, .sin6_port = htons(5060)};
	struct address a, b;
	char text[ADDRESS_TEXT];
	uint16_t port;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		a = parsed(texts[i]);
		assert_int_equal(address_to_sockaddr(&ss, &a, 5061),
			i ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in));
		assert_int_equal(ss.ss_family, i ? AF_INET6 : AF_INET);
		assert_int_equal(
			address_from_sockaddr(&b, &port, (struct sockaddr *)&ss), 0);
		assert_true(address_eq(&a, &b));
		assert_int_equal(port, 5061);
	}
	inet_pton(AF_INET6, "::ffff:192.0.2.9", &mapped.sin6_addr);
	assert_int_equal(address_from_sockaddr(&a, &port, (struct sockaddr *)&mapped), 0);
	assert_string_equal(address_print(text, &a), "192.0.2.9");
	assert_int_equal(port, 5060);
	ss.ss_family = AF_UNIX;
	assert_int_equal(address_from_sockaddr(&a, &port, (struct sockaddr *)&ss), -1);
}

static void test_port(void **state)
{
	static const struct {
		const char *text, *address;
		int port;
	} good[] = {
		{"192.0.2.7:5060", "192.0.2.7", 5060},
		{"192.0.2.7", "192.0.2.7", 99},
		{"192.0.2.7:0", "192.0.2.7", 0},
		{"[2001:db8::7]:65535", "2001:db8::7", 65535},
		{"[2001:db8::7]", "2001:db8::7", 99},
		{"2001:db8::7:5060", "2001:db8::7:5060", 99},
		{"::", "::", 99},
		{"[::ffff:1.2.3.4]:5", "1.2.3.4", 5},
	};
	static const char *const bad[] = {"", ":", ":5060",
		"192.0.2.7:", "192.0.2.7:65536", "192.0.2.7:x", "192.0.2.7:-1",
		"[::1]:", "[::1]:99999", "[::1]5060", "[::1:5060", "localhost:5060",
		"[192.0.2.7]:5060"};
	struct error err = {""};
	char text[ADDRESS_TEXT];
	struct address a;
	uint16_t port;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		port = 1;
		assert_int_equal(
			address_port_parse(&a, &port, view_str(good[i].text), 99, &err),
			0);
		assert_string_equal(address_print(text, &a), good[i].address);
		assert_int_equal(port, good[i].port);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(
			address_port_parse(&a, &port, view_str(bad[i]), 99, NULL), -1);
	address_port_parse(&a, &port, view_str("192.0.2.7:65536"), 1, &err);
	assert_string_equal(err.text, "\"192.0.2.7:65536\": the port must be 0..65535");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_canonical),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_sockaddr),
		cmocka_unit_test(test_port),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
