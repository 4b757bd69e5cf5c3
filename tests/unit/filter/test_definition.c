/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration files of fail2ban's form, and the filter that they make. */
#include "../cmocka_all.h"
#include "folder.h"

#include "sense/filter/definition.h"

static void assert_value(
	const struct conf_section *s, const char *name, const char *value)
{
	const struct conf_option *o = conf_option_find(s, name);

	assert_non_null(o);
	assert_string_equal(o->value, value);
}

static int parse(struct conf *c, const char *text, struct error *err)
{
	return conf_parse(c, "f.conf", view_str(text), err);
}

static void parses_as_configparser(void **state)
{
	struct pool pool = {.max = 1 << 20};
	struct conf c = {.pool = &pool};
	struct error err = {""};
	const struct conf_section *s;

	(void)state;
	assert_int_equal(
		parse(&c,
			"\xef\xbb\xbf# comment\n[DEFAULT]\na = 1\r\n[Definition]\n"
			"Key = one ; cut\n  two;kept\n\n\t# dropped\n  three\n\n"
			"empty =\nb : 2=3\nlast=\n   x",
			&err),
		0);
	assert_value(&c.defaults, "a", "1");
	s = conf_section_find(&c, "Definition");
	assert_non_null(s);
	/* A comment's line is no line of the value; an empty one is. */
	assert_value(s, "key", "one\ntwo;kept\n\nthree");
	assert_value(s, "empty", "");
	assert_value(s, "b", "2=3");
	assert_value(s, "last", "\nx");
	assert_int_equal(conf_option_find(s, "b")->line, 12);
	pool_free(&pool);
}

static void names_file_and_line(void **state)
{
	static const struct {
		const char *text, *error;
	} bad[] = {
		{"x = 1\n", "f.conf:1: stands before the first [section]: \"x = 1\""},
		{"[a]\n[a]\n", "f.conf:2: the section is there already: \"a\""},
		{"[a]\nx=1\nX=2\n",
			"f.conf:3: the option is given twice in its section: \"X\""},
		{"[a]\n\nnonsense\n",
			"f.conf:3: neither \"name = value\" nor a [section]: "
			"\"nonsense\""},
		{"[a]\n= 1\n", "f.conf:2: the name before '=' is missing: \"= 1\""},
		{"[a]\nx = \xff\n",
			"f.conf:2: is no text in UTF-8; mend the line, or convert the file with "
			"iconv -t UTF-8"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct pool pool = {.max = 1 << 20};
		struct conf c = {.pool = &pool};
		struct error err = {""};

		assert_int_equal(parse(&c, bad[i].text, &err), -1);
		assert_string_equal(err.text, bad[i].error);
		pool_free(&pool);
	}
}

static const char common[] =
	"[INCLUDES]\nafter = common.local\n"
	"[DEFAULT]\nlogtype = file\n_daemon = \\S*\n"
	"__prefix_line = <lt_<logtype>/__prefix_line>\n"
	"[lt_file]\n__prefix_line = <_daemon>:\\s\n"
	"[lt_short]\n__prefix_line = S\n"
	"[lt_journal]\n__prefix_line = %(lt_short/__prefix_line)sJ\n";

static void puts_values_into_values(void **state)
{
	struct folder f;
	struct definition d;
	struct error err = {""};

	(void)state;
	folder_make(&f);
	folder_write(&f, "common.conf", common);
	folder_write(&f, "one.conf",
		"[INCLUDES]\nbefore = common.conf\n[Definition]\n_daemon = one\n"
		"mode = normal\nmdre-normal = N <HOST>\nmdre-extra = %(mdre-normal)s\n"
		"  E <HOST>\nfailregex = ^%(__prefix_line)s<mdre-<mode>>$\nignoreregex =\n"
		"prefregex = ^<F-CONTENT>.+</F-CONTENT>$\ndatepattern = %%Y\n"
		"journalmatch = _UNIT=x\n[Init]\nmaxlines = 3\n"
		"[lt_journal]\n__prefix_line = %(known/__prefix_line)s!\n");
	assert_int_equal(definition_load(&d, "one", f.list, false, &err), 0);
	assert_string_equal(d.failregex.text, "^one:\\sN <HOST>$");
	assert_string_equal(d.prefregex.text, "^<F-CONTENT>.+</F-CONTENT>$");
	assert_string_equal(d.datepattern.text, "%Y");
	assert_string_equal(d.journalmatch.text, "_UNIT=x");
	assert_int_equal(d.maxlines, 3);
	assert_int_equal(d.failregex.line, 9);
	definition_free(&d);
	assert_int_equal(definition_load(&d, "one[mode=extra, logtype=\"short\"]", f.list,
				 false, &err),
		0);
	assert_string_equal(d.failregex.text, "^SN <HOST>\nE <HOST>$");
	definition_free(&d);
	/* A journal's logtype is the automatic one for a journal. */
	assert_int_equal(definition_load(&d, "one[maxlines=1]", f.list, true, &err), 0);
	assert_string_equal(d.failregex.text, "^SJ!N <HOST>$");
	assert_int_equal(d.maxlines, 1);
	definition_free(&d);
	folder_remove(&f);
}

static void overlays_win_and_know_what_they_override(void **state)
{
	struct folder f, own;
	struct definition d;
	struct error err = {""};
	const char *both[3];

	(void)state;
	folder_make(&f);
	folder_make(&own);
	folder_write(&f, "common.conf", common);
	folder_write(&f, "common.local", "[DEFAULT]\n_daemon = local\n");
	folder_write(&f, "one.conf",
		"[INCLUDES]\nbefore = common.conf\n[Definition]\n"
		"failregex = ^%(__prefix_line)s<HOST>$\n");
	folder_write(&f, "one.local",
		"[Definition]\nfailregex = %(known/failregex)s\n ^L <HOST>$\n");
	both[0] = own.path;
	both[1] = f.path;
	both[2] = NULL;
	assert_int_equal(definition_load(&d, "one", both, false, &err), 0);
	assert_string_equal(d.failregex.text, "^local:\\s<HOST>$\n^L <HOST>$");
	definition_free(&d);
	/* Ours comes first, and finds what it includes in the other folder. */
	folder_write(&own, "one.conf",
		"[INCLUDES]\nbefore = common.conf\n[Definition]\n"
		"failregex = own %(__prefix_line)s<HOST>\n");
	assert_int_equal(definition_load(&d, "one", both, false, &err), 0);
	assert_string_equal(d.failregex.text, "own local:\\s<HOST>\n^L <HOST>$");
	definition_free(&d);
	folder_remove(&f);
	folder_remove(&own);
}

static void refuses_with_a_reason(void **state)
{
	static const struct {
		const char *text, *error; /* %s: the folder */
	} bad[] = {
		{"[Definition]\nfailregex = %(nothing)s\n",
			"filter bad: %s/bad.conf:2: [Definition] failregex: there is no "
			"\"nothing\" to put in"},
		{"[Definition]\nfailregex = 5% <HOST>\n",
			"filter bad: %s/bad.conf:2: [Definition] failregex: '%' must be followed "
			"by '%' or '(', found \"% <HOST>\""},
		{"[Definition]\na = %(b)s\nb = %(a)s\nfailregex = %(a)s\n",
			"filter bad: %s/bad.conf:4: [Definition] failregex: refers to itself, or "
			"is nested deeper than 10"},
		{"[Definition]\nfailregex = <a>\na = <b>\nb = <a>\n",
			"filter bad: %s/bad.conf:2: failregex: refers to itself by <a>"},
		{"[Init]\nx = 1\n", "filter bad: has no section [Definition]"},
		{"[Definition]\nmaxlines = many\n",
			"filter bad: %s/bad.conf:2: maxlines: a number from 1 to 1000 is needed, "
			"not \"many\""},
		{"[INCLUDES]\nbefore = bad.conf\n[Definition]\nfailregex = [\nx\n",
			"filter bad: %s/bad.conf:5: neither \"name = value\" nor a [section]: "
			"\"x\""},
	};
	struct folder f;
	struct definition d;

	(void)state;
	folder_make(&f);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct error err = {""};
		const char *at = strstr(bad[i].error, "%s");
		char wanted[320];

		folder_write(&f, "bad.conf", bad[i].text);
		assert_int_equal(definition_load(&d, "bad", f.list, false, &err), -1);
		if (at)
			snprintf(wanted, sizeof wanted, "%.*s%s%s",
				(int)(at - bad[i].error), bad[i].error, f.path, at + 2);
		else
			snprintf(wanted, sizeof wanted, "%s", bad[i].error);
		assert_string_equal(err.text, wanted);
	}
	folder_remove(&f);
}

static void reads_options_in_every_notation(void **state)
{
	static const struct {
		const char *spec, *a, *b; /* a NULL: refused */
	} cases[] = {
		{"n[a=1,b=2]", "1", "2"},
		{"n[a=\"x,y]\", b='z \"q\"']", "x,y]", "z \"q\""},
		{"n[a=1][b=2]", "1", "2"},
		{"n[ a = 1]", NULL, NULL},
		{"n[a=1", NULL, NULL},
		{"n[a]", NULL, NULL},
		{"[a=1]", NULL, NULL},
		{"n[a=1]x", NULL, NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct pool pool = {.max = 1 << 16};
		struct conf_section s = {.name = "s"};
		struct error err = {""};
		const char *name;
		int rc = definition_options(&pool, &s, &name, cases[i].spec, &err);

		assert_int_equal(rc, cases[i].a ? 0 : -1);
		if (cases[i].a) {
			assert_string_equal(name, "n");
			assert_value(&s, "a", cases[i].a);
			assert_value(&s, "b", cases[i].b);
		} else {
			assert_string_not_equal(err.text, "");
		}
		pool_free(&pool);
	}
}

static void memory_is_bounded(void **state)
{
	struct folder f;
	struct definition d;
	struct error err = {""};
	char text[4096] = "[Definition]\na0 = xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n";

	(void)state;
	/* Each value holds the one before it eight times. */
	for (unsigned i = 1; i < 9; i++) {
		size_t n = strlen(text);

		n += (size_t)snprintf(text + n, sizeof text - n, "a%u =", i);
		for (unsigned k = 0; k < 8; k++)
			n += (size_t)snprintf(
				text + n, sizeof text - n, " %%(a%u)s", i - 1);
		snprintf(text + n, sizeof text - n, "\n");
	}
	strcat(text, "failregex = %(a8)s <HOST>\n");
	folder_make(&f);
	folder_write(&f, "big.conf", text);
	assert_int_equal(definition_load(&d, "big", f.list, false, &err), -1);
	assert_non_null(strstr(err.text, "is longer than 262144 bytes"));
	folder_remove(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_as_configparser),
		cmocka_unit_test(names_file_and_line),
		cmocka_unit_test(puts_values_into_values),
		cmocka_unit_test(overlays_win_and_know_what_they_override),
		cmocka_unit_test(refuses_with_a_reason),
		cmocka_unit_test(reads_options_in_every_notation),
		cmocka_unit_test(memory_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
