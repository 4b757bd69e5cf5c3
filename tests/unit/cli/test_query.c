/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "cli/query.h"

static struct query q[QUERY_MAX];

static int read_text(const char *text)
{
	struct error err = {""};
	int n = query_read(q, text, &err);

	assert_true(n == -1 || (n >= 1 && n <= QUERY_MAX));
	assert_true((n == -1) == (err.text[0] != 0) || n > 0);
	return n;
}

static void what_is_right_stays_as_it_is(void **state)
{
	static const char *const texts[] = {"198.51.100.7", "198.51.100.0/24",
		"2001:db8::7", "+442079460000", "+97259*", "domain:example.com",
		"agent:friendly-scanner", "domain#4ee7abf9396a35b172bc838647a88e41"};

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		assert_int_equal(read_text(texts[i]), 1);
		assert_string_equal(q[0].text, texts[i]);
		assert_null(q[0].as);
	}
}

static void bare_numbers_get_their_plus(void **state)
{
	(void)state;
	assert_int_equal(read_text("442079460000"), 1);
	assert_string_equal(q[0].text, "+442079460000");
	assert_string_equal(q[0].as, "a number");
	assert_int_equal(read_text("00442079460000"), 1);
	assert_string_equal(q[0].text, "+442079460000");
	assert_int_equal(read_text(" 97259* "), 1);
	assert_string_equal(q[0].text, "+97259*");
	assert_int_equal(read_text("02079460000"), -1); /* of which country? */
	assert_int_equal(read_text("4420794600001234567"), -1);
}

static void uris_bring_their_address(void **state)
{
	(void)state;
	/* The answer about the URI tells of its domain and its number, too. */
	assert_int_equal(read_text("sip:bob@Evil.Example;transport=tcp"), 1);
	assert_int_equal(read_text("sips:192.0.2.7:5061"), 2);
	assert_string_equal(q[1].text, "192.0.2.7");
	assert_string_equal(q[1].as, "its host");
	assert_int_equal(read_text("sip:+44207@[2001:db8::7]:5060"), 2);
	assert_string_equal(q[1].text, "2001:db8::7");
	assert_int_equal(read_text("bob@evil.example"), 1);
	assert_string_equal(q[0].text, "sip:bob@evil.example");
	assert_string_equal(q[0].as, "a SIP URI");
	/* Only the hash is known of this one. */
	assert_int_equal(read_text("uri#5874b35b7f8d8e2890231a423b6ba647"), 1);
}

static void names_are_read_both_ways(void **state)
{
	(void)state;
	assert_int_equal(read_text("evil.example"), 2);
	assert_string_equal(q[0].text, "domain:evil.example");
	assert_string_equal(q[1].text, "agent:evil.example");
	assert_int_equal(read_text("friendly-scanner"), 1);
	assert_string_equal(q[0].text, "agent:friendly-scanner");
	assert_int_equal(read_text("Asterisk PBX 18.9"), 1);
	assert_string_equal(q[0].text, "agent:Asterisk PBX 18.9");
}

static void slips_say_what_would_be_right(void **state)
{
	struct error err = {""};
	char text[400];

	(void)state;
	assert_int_equal(query_read(q, "198.51.100.300", &err), -1);
	assert_non_null(strstr(err.text, "no IP address"));
	assert_int_equal(query_read(q, "198.51.100.1/24", &err), -1);
	assert_non_null(strstr(err.text, "198.51.100.0/24"));
	assert_int_equal(query_read(q, "2001:db8::zz", &err), -1);
	assert_int_equal(query_read(q, "2001:db8:1", &err), -1);
	assert_int_equal(query_read(q, "  ", &err), -1);
	assert_non_null(strstr(err.text, "empty"));
	assert_int_equal(query_read(q, "\x1b[31mred", &err), -1);
	assert_null(strchr(err.text, '\x1b'));
	memset(text, 'a', sizeof text - 1);
	text[sizeof text - 1] = 0;
	assert_int_equal(query_read(q, text, &err), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_right_stays_as_it_is),
		cmocka_unit_test(bare_numbers_get_their_plus),
		cmocka_unit_test(uris_bring_their_address),
		cmocka_unit_test(names_are_read_both_ways),
		cmocka_unit_test(slips_say_what_would_be_right),
	};

	return cmocka_run_group_tests_name("query", tests, NULL, NULL);
}
