/* SPDX-License-Identifier: Apache-2.0 */
/* URLs: whether one leads to this machine; what of one is kept out of a text. */
#include <stdio.h>
#include <string.h>

#include "../cmocka_all.h"
#include "base/redact.h"
#include "base/url.h"

static void test_loopback(void **state)
{
	static const struct {
		const char *url;
		bool loopback;
	} cases[] = {
		{"http://localhost", true},
		{"https://LOCALHOST:8545/key?a=b", true},
		{"http://127.0.0.1:8545", true},
		{"http://127.9.9.9/", true},
		{"http://user:127@127.0.0.1/", true},
		/* The same address, as libcurl reads it. */
		{"http://127.1/", true},
		{"http://2130706433/", true},
		{"http://[::1]", true},
		{"http://[::1]:8545/", true},
		{"http://[0:0:0:0:0:0:0:1]/", true},
		{"http://[::ffff:127.0.0.1]:80/", true},
		{"http://[::ffff:7f09:909]/", true},

		{"http://127.example", false},
		{"http://127.0.0.1.example:8545/", false},
		{"http://127.0.0.example/", false},
		{"http://localhost.example/", false},
		{"http://notlocalhost/", false},
		{"http://127.0.0.1@far.example/", false},
		{"http://localhost:127@far.example/", false},
		{"http://far.example/127.0.0.1", false},
		{"http://far.example?@127.0.0.1", false},
		{"http://128.0.0.1/", false},
		{"http://0.0.0.0/", false},
		{"http://[::]/", false},
		{"http://[::2]/", false},
		{"http://[::1:1]/", false},
		{"http://[1::1]/", false},
		{"http://[::127.0.0.1]/", false},
		{"http://[::ffff:10.0.0.1]/", false},
		{"http://[::fffe:127.0.0.1]/", false},
		{"127.0.0.1", false},
		{"http://", false},
		{"", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (url_is_loopback(cases[i].url) != cases[i].loopback)
			fail_msg("%s: %s", cases[i].url,
				cases[i].loopback ? "is not" : "is");
}

/* A host that fits into no buffer is no loopback, whatever it begins with. */
static void test_long_host(void **state)
{
	char url[1200];

	(void)state;
	snprintf(url, sizeof url, "http://127.0.0.1%01000d/", 0);
	assert_false(url_is_loopback(url));
}

static void redacts(const char *url, const char *text, const char *due)
{
	char out[120];

	assert_string_equal(url_redact(out, sizeof out, url, view_str(text)), due);
}

static void test_redact(void **state)
{
	static const char url[] =
		"https://us%20er:p%40ss@h.example/v3/0123456789abcdef?k=a1b2c3";
	char out[8];

	(void)state;
	redacts(url, "nothing of h.example", "nothing of h.example");
	redacts(url, "GET /v3/0123456789abcdef?k=a1b2c3 failed", "GET *** failed");
	redacts(url, "key 0123456789abcdef, a1b2c3", "key ***, ***");
	/* As written, decoded, and in a Basic header (RFC 7617). */
	redacts(url, "us%20er, us er, p@ss, dXMgZXI6cEBzcw==", "***, ***, ***, ***");
	redacts(url, "tab\there", "tab\\x09here");
	redacts("https://h.example/", "GET / of rpc", "GET / of rpc");
	redacts("no url", "no url", "no url");
	url_redact(out, sizeof out, url, view_str("abcd 0123456789abcdef"));
	assert_true(strlen(out) < sizeof out);
	assert_null(strstr(out, "01"));
	/* No memory: nothing is better than a secret. */
	assert_string_equal(
		redaction_apply(out, sizeof out, NULL, view_str("abcdef")), "***");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_loopback),
		cmocka_unit_test(test_long_host),
		cmocka_unit_test(test_redact),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
