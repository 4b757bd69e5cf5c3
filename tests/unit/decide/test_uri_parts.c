/* SPDX-License-Identifier: Apache-2.0 */
/* What a call to a URI is a call to. */
#include "../cmocka_all.h"

#include <string.h>

#include "decide/uri_parts.h"

/* As printed; "" for none. */
static void parts_are(const char *uri, const char *domain, const char *number)
{
	char canonical[INDICATOR_SOURCE_TEXT + 1], got[INDICATOR_TEXT];
	struct indicator i, expected;
	struct uri_parts parts;

	assert_int_equal(indicator_parse(&i, canonical, view_str(uri), NULL), 0);
	uri_parts(&parts, &i, canonical);
	assert_memory_equal(&parts.part[URI_ITSELF], &i, sizeof i);
	if (!domain[0]) {
		assert_int_equal(parts.part[URI_DOMAIN].kind, 0);
		assert_int_equal(parts.host.n, 0);
	} else {
		if (!view_eq(parts.host, view_str(domain)))
			fail_msg("%s: the host is %.*s", uri, (int)parts.host.n,
				(const char *)parts.host.p);
		expected = indicator_from_canonical(INDICATOR_DOMAIN, view_str(domain));
		assert_memory_equal(&parts.part[URI_DOMAIN], &expected, sizeof expected);
	}
	if (!number[0])
		assert_int_equal(parts.part[URI_NUMBER].kind, 0);
	else
		assert_string_equal(
			indicator_print(got, &parts.part[URI_NUMBER]), number);
}

static void of_urls(void **state)
{
	(void)state;
	parts_are("sip:bob@Carrier.Example", "carrier.example", "");
	parts_are("sips:bob@carrier.example:5061;transport=tls", "carrier.example", "");
	parts_are("sip:carrier.example", "carrier.example", "");
	parts_are("sip:carrier.example;transport=tcp", "carrier.example", "");
	parts_are("sip:bob@192.0.2.7:5070", "", "");
	parts_are("sip:bob@[2001:db8::7]:5070", "", "");
	parts_are("sip:+972591234567@gw.example.com;user=phone", "gw.example.com",
		"+972591234567");
	parts_are("sip:+972591234567@gw.example.com", "gw.example.com", "+972591234567");
	parts_are("sip:+972591234567@192.0.2.7", "", "+972591234567");
	parts_are("sip:+972-59.123(45)67;ext=1@gw.example.com", "gw.example.com",
		"+972591234567");
	parts_are("sip:+972591234567:secret@gw.example.com", "gw.example.com",
		"+972591234567");
	parts_are(
		"sip:%2b972591234567@gw.example.com", "gw.example.com", "+972591234567");
	/* A prefix, a string that is dialled: no number. */
	parts_are("sip:%2B@gw.example.com", "gw.example.com", "");
	parts_are("sip:+97259*@gw.example.com", "gw.example.com", "");
	parts_are("sip:972591234567@gw.example.com;user=phone", "gw.example.com", "");
	parts_are("sip:00972591234567@gw.example.com", "gw.example.com", "");
	parts_are("sip:+0972591234567@gw.example.com", "gw.example.com", "");
	parts_are("sip:+9725912345678901@gw.example.com", "gw.example.com", "");
	parts_are("sip:+@gw.example.com", "gw.example.com", "");
}

/* Of what was published only the hash may be known. */
static void of_no_text(void **state)
{
	static const char *const texts[] = {NULL, "", "sip:", "nonsense", "sip:+1@", "@"};
	struct indicator i;
	struct uri_parts parts;

	(void)state;
	assert_int_equal(indicator_parse(&i, NULL,
				 view_str("uri#5874b35b7f8d8e2890231a423b6ba647"), NULL),
		0);
	for (size_t k = 0; k < sizeof texts / sizeof texts[0]; k++) {
		uri_parts(&parts, &i, texts[k]);
		assert_memory_equal(&parts.part[URI_ITSELF], &i, sizeof i);
		assert_int_equal(parts.part[URI_DOMAIN].kind, 0);
		assert_int_equal(
			parts.part[URI_NUMBER].kind, k == 4 ? INDICATOR_NUMBER : 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_urls),
		cmocka_unit_test(of_no_text),
	};

	return cmocka_run_group_tests_name("uri_parts", tests, NULL, NULL);
}
