/* SPDX-License-Identifier: Apache-2.0 */
/* Python's expressions on PCRE2, what they need of a line, and what they cost. */
#include "../cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>

#include "sense/filter/expression.h"
#include "sense/filter/python_regex.h"
#include "sense/filter/scan.h"
#include "sense/filter/utf8.h"

static void assert_rewritten(const char *python, const char *pcre)
{
	struct buffer out = {.max = 4096};
	struct error err = {""};

	assert_int_equal(regex_from_python(&out, python, &err), 0);
	buffer_put_u8(&out, 0);
	assert_string_equal((char *)out.p, pcre);
	buffer_free(&out);
}

static void rewrites_pythons_syntax(void **state)
{
	(void)state;
	assert_rewritten("(?iu)x{,3}\\Z", "(?i)x{0,3}\\z");
	assert_rewritten("(?u)a", "(?:)a");
	assert_rewritten(
		"(?i:a)(?P<n>b)(?P=n)(?(n)c|d)", "(?i:a)(?P<n>b)(?P=n)(?(n)c|d)");
	assert_rewritten("[[:alpha:]]", "[\\[:alpha:]]");
	assert_rewritten("[]a]\\v\\{,2}", "[\\]a]\\x0b\\{,2}");
	assert_rewritten("\\s[\\s]", "[\\s\\x1c-\\x1f][\\s\\x1c-\\x1f]");
	assert_rewritten("\\u00e9", "\\x{00e9}");
}

static void refuses_what_python_has_not(void **state)
{
	static const char *const bad[] = {"(*UTF)a", "(?R)", "(?C1)a", "a\\Kb", "\\Qa\\E",
		"(?&n)", "(?|a|b)", "(?P>n)", "a\\", "(?'n'a)", "\\h"};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct buffer out = {.max = 4096};
		struct error err = {""};

		assert_int_equal(regex_from_python(&out, bad[i], &err), -1);
		assert_non_null(strstr(err.text, " at character "));
		buffer_free(&out);
	}
}

static void puts_tags(void **state)
{
	struct buffer out = {.max = 8192};

	(void)state;
	regex_put_tags(&out,
		"<F-USER>\\S+</F-USER> <F-ID>x</F-ID></F-NO> <F-PORT/> (?P<n>a) "
		"((?i)b)(?:(?i)c)<SKIPLINES><CIDR>");
	buffer_put_u8(&out, 0);
	assert_string_equal((char *)out.p,
		"(?P<user>\\S+) (?P<fid>x)</F-NO> (?P<fport>\\w+) (?P<n>a) (?i:b)(?i:c)"
		"\\n(?P<skiplines0>(?:(?:.*\\n)*?))(?P<cidr>\\d+)");
	buffer_free(&out);
}

static bool finds(struct expression *e, const char *text)
{
	struct view v = view_str(text);
	struct subject s = {v.p, v.n, ascii_head(v) == v.n};

	assert_true(utf8_valid(v));
	return expression_search(e, &s, 0) > 0;
}

static void matches_text_not_bytes(void **state)
{
	struct error err = {""};
	struct expression *e = expression_new(
		"^a.c (?P<w>\\w+)$", "failregex 1", "f", 1, false, &err);
	size_t begin, end;

	(void)state;
	assert_non_null(e);
	assert_true(finds(e, "abc def"));
	assert_true(finds(e,
		"a\xc3\xa9"
		"c d\xc3\xa9"
		"f"));
	assert_true(expression_group(e, expression_group_find(e, "w"), &begin, &end));
	assert_int_equal(end - begin, 4);
	assert_false(finds(e,
		"a\xc3\xa9\xc3\xa9"
		"c d"));
	expression_free(e);
	e = expression_new("^[^\xc3\xa9]\xc3\xa9?x$", "failregex 1", "f", 1, false, &err);
	assert_non_null(e);
	assert_true(finds(e, "ax")); /* by Unicode, though all of it is ASCII */
	expression_free(e);
}

static void errors_name_the_place(void **state)
{
	struct error err = {""};

	(void)state;
	assert_null(expression_new("a(b", "failregex 2", "x.conf", 7, false, &err));
	assert_string_equal(err.text,
		"x.conf:7: failregex 2: missing closing parenthesis, at \"a(b\"");
}

static void a_catastrophic_one_is_switched_off(void **state)
{
	struct error err = {""};
	struct expression *e = expression_new(
		"^(?:\\w+\\s?)*$", "failregex 1", "x.conf", 3, false, &err);
	char line[4096];
	unsigned i;

	(void)state;
	assert_non_null(e);
	memset(line, 'a', sizeof line);
	line[sizeof line - 2] = '!';
	line[sizeof line - 1] = 0;
	for (i = 0; i < EXPRESSION_STRIKES; i++) {
		assert_false(expression_is_off(e));
		assert_false(finds(e, line));
		assert_int_equal(expression_exhausted(e), i + 1);
	}
	assert_true(expression_is_off(e));
	assert_false(finds(e, "aaa")); /* off: not even what it could */
	assert_int_equal(expression_exhausted(e), EXPRESSION_STRIKES);
	expression_free(e);
}

static void a_long_line_switches_nothing_off(void **state)
{
	struct error err = {""};
	struct expression *e = expression_new(
		"(?:\\w+\\s?)*$", "failregex 1", "x.conf", 3, false, &err);
	static char line[60000];

	(void)state;
	assert_non_null(e);
	memset(line, 'a', sizeof line);
	line[sizeof line - 2] = '!';
	line[sizeof line - 3] = '!';
	line[sizeof line - 1] = 0;
	for (unsigned i = 0; i < 2 * EXPRESSION_STRIKES; i++)
		finds(e, line);
	assert_int_equal(expression_exhausted(e), 2 * EXPRESSION_STRIKES);
	assert_false(expression_is_off(e));
	expression_free(e);
}

static void rare_trouble_is_forgiven(void **state)
{
	struct error err = {""};
	struct expression *e = expression_new(
		"^(?:\\w+\\s?)*$", "failregex 1", "x.conf", 3, false, &err);
	char line[200];

	(void)state;
	assert_non_null(e);
	memset(line, 'a', sizeof line);
	line[sizeof line - 2] = '!';
	line[sizeof line - 1] = 0;
	for (unsigned i = 0; i < 2 * EXPRESSION_STRIKES; i++) {
		assert_false(finds(e, line));
		for (unsigned k = 0; k < EXPRESSION_FORGIVE; k++)
			assert_true(finds(e, "aaa"));
	}
	assert_false(expression_is_off(e));
	assert_int_equal(expression_exhausted(e), 2 * EXPRESSION_STRIKES);
	expression_free(e);
}

/* --- what a line must hold --- */

static void assert_literals(const char *regex, const char *wanted)
{
	struct literals l;
	char text[2048] = "";

	literals_find(&l, regex);
	for (unsigned i = 0; i < l.first.count; i++)
		snprintf(text + strlen(text), sizeof text - strlen(text), "{%.*s}",
			l.first.literal[i].n, l.first.literal[i].text);
	assert_string_equal(text, wanted);
}

static void finds_what_is_needed(void **state)
{
	(void)state;
	assert_literals("^failed from <\\S+> abcdefg$", "{failed from <}");
	assert_literals("a(?:bc|de)+fgh(?:i|j)?.*",
		"{bcfghi}{bcfghj}{bcfgh}{defghi}{defghj}{defgh}");
	assert_literals("(?:one|two.*)", "{one}{two}");
	assert_literals("(?:one|.*)", "");
	assert_literals("x*y?\\d+", "");
	assert_literals("(?!nothing)(?<=abc)def", "{def}");
	assert_literals("(?i)Failed \\w+", "{failed }");
	assert_literals("(abc)?def", "{abcdef}{def}");
	assert_literals("(?(1)abc)def|ghi", "{def}{ghi}");
	/* The date may have stood between the brackets. */
	assert_literals("\\[\\] sshd", "{] sshd}");
	assert_literals("ab{2}c?d", "{abbcd}{abbd}");
	assert_literals("ab{2}c{0,1}d", "{abb}");
	assert_literals("\xc3\xa9t\xc3\xa9 here", "{ here}");
	assert_literals("a[bc]d[^e]f", "{abd}{acd}");
	assert_literals("a(b", "");
}

static bool scanned(const struct scan *s, const char *line, unsigned i)
{
	struct expression_set found;

	return scan_line(s, view_str(line), &found) && expression_set_has(&found, i);
}

static void scans_for_all_at_once(void **state)
{
	struct literals l[4];
	struct scan *s;

	(void)state;
	literals_find(&l[0], "failed from");
	literals_find(&l[1], "(?i)REFUSED");
	literals_find(&l[2], "\\d+");
	literals_find(&l[3], "the beginning is here.*the very end of it");
	s = scan_new(l, 4);
	assert_non_null(s);
	assert_true(scanned(s, "x failed from y", 0));
	assert_true(scanned(s, "failed from", 0));
	assert_false(scanned(s, "failed fro", 0));
	assert_true(scanned(s, "It was rEfUsEd", 1));
	assert_false(scanned(s, "It was refuse", 1));
	assert_true(scanned(s,
		"refu\xc5\xbf"
		"ed",
		1)); /* U+017F is an s without case: not ruled out */
	assert_true(scanned(s, "", 2));
	assert_true(scanned(s, "the beginning is here, the very end of it", 3));
	assert_false(scanned(s, "the beginning is here", 3));
	assert_false(scanned(s, "the very end of it", 3));
	scan_free(s);
}

/* Whatever matches must pass the scan: expressions and lines at random. */
static void the_scan_hides_nothing(void **state)
{
	static const char *const parts[] = {"ab", "(?:cd|e)", "f+", "(g|hi)*", ".",
		"[jk]", "l?", "m{2}", "\\d", "(?:no|p.q)", "\\w+", "^", "x|y", "(?=r)r"};
	uint32_t seed = 1;
	unsigned matched = 0;

	(void)state;
	for (unsigned round = 0; round < 4000; round++) {
		char regex[128] = "", line[64];
		struct error err = {""};
		struct expression *e;
		struct literals l;
		struct scan *s;
		size_t n;

		for (unsigned i = 0; i < 5; i++) {
			seed = seed * 1664525 + 1013904223;
			strcat(regex, parts[(seed >> 16) % 14]);
		}
		e = expression_new(regex, "random", NULL, 0, false, &err);
		literals_find(&l, regex);
		s = scan_new(&l, 1);
		assert_non_null(e);
		for (unsigned k = 0; k < 50; k++) {
			for (n = 0; n < 20; n++) {
				seed = seed * 1664525 + 1013904223;
				line[n] = "abcdefghijklmnopqrxy07"[(seed >> 16) % 22];
			}
			line[n] = 0;
			if (!finds(e, line))
				continue;
			matched++;
			if (!scanned(s, line, 0))
				fail_msg("%s matches %s, and the scan hides it", regex,
					line);
		}
		expression_free(e);
		scan_free(s);
	}
	assert_true(matched > 1000);
}

static void repairs_utf8_as_python(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		/* bytes(...).decode('utf-8', 'replace') */
		{"a\xff"
		 "b",
			"a\xef\xbf\xbd"
			"b"},
		{"\xe2\x82", "\xef\xbf\xbd"},
		{"\xe2\x82(", "\xef\xbf\xbd("},
		{"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
		{"\xf0\x9f\x98\x80\xf4\x90", "\xf0\x9f\x98\x80\xef\xbf\xbd\xef\xbf\xbd"},
		{"\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		uint8_t out[64];
		size_t n = utf8_repair(out, view_str(cases[i].in));

		assert_int_equal(n, strlen(cases[i].out));
		assert_memory_equal(out, cases[i].out, n);
		assert_true(utf8_valid(view_of(out, n)));
		assert_false(utf8_valid(view_str(cases[i].in)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rewrites_pythons_syntax),
		cmocka_unit_test(refuses_what_python_has_not),
		cmocka_unit_test(puts_tags),
		cmocka_unit_test(matches_text_not_bytes),
		cmocka_unit_test(errors_name_the_place),
		cmocka_unit_test(a_catastrophic_one_is_switched_off),
		cmocka_unit_test(a_long_line_switches_nothing_off),
		cmocka_unit_test(rare_trouble_is_forgiven),
		cmocka_unit_test(finds_what_is_needed),
		cmocka_unit_test(scans_for_all_at_once),
		cmocka_unit_test(the_scan_hides_nothing),
		cmocka_unit_test(repairs_utf8_as_python),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
