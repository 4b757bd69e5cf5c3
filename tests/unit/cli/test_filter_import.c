/* SPDX-License-Identifier: Apache-2.0 */
/* fail2ban's jails as sources, also jails that nobody meant to import. */
#include <stdlib.h>

#include "../cmocka_all.h"

#include "cli/filter_import.h"
#include "daemon/config.h"

static char *printed;

/* What is printed of a jail.local; what is taken over must be a configuration. */
static const char *import_text(const char *jails, unsigned sources)
{
	struct pool pool = {.max = 1 << 20};
	struct conf conf = {.pool = &pool, .defaults = {.name = "DEFAULT"}};
	struct buffer text = {.max = 1 << 20}, errors = {.max = 65536};
	json_t *list = json_array();
	struct error err = {""};
	struct config c;
	size_t n;
	FILE *out;

	free(printed);
	printed = NULL;
	if (conf_parse(&conf, "jail.local", view_str(jails), &err))
		fail_msg("%s", err.text);
	out = open_memstream(&printed, &n);
	assert_non_null(out);
	filter_import_print(out, list, &conf);
	fclose(out);
	buffer_printf(&text, "[node]\nname = a\n%s", printed);
	if (config_parse(&c, "imported", view_of(text.p, text.n), &errors))
		fail_msg("%.*s in %s", (int)errors.n, (char *)errors.p, printed);
	assert_int_equal(c.source_count, sources);
	assert_int_equal(json_array_size(list), sources);
	config_free(&c);
	json_decref(list);
	buffer_free(&text);
	buffer_free(&errors);
	pool_free(&pool);
	return printed;
}

static void test_import(void **state)
{
	(void)state;
	assert_string_equal(
		import_text("[DEFAULT]\nlogs = /var/log\nenabled = false\n"
			    "[asterisk]\nenabled = true\n"
			    "logpath = %(logs)s/asterisk/messages\n"
			    "          %(logs)s/asterisk/full tail\n"
			    "[sshd]\nlogpath = /var/log/auth.log\n"
			    "[web server]\nenabled = yes\nlogpath = /var/log/web\n"
			    "filter = web[mode=extra,\n  logtype=short]\n"
			    "[boot]\nenabled = 1\nbackend = systemd[journalflags=1]\n"
			    "journalmatch = _SYSTEMD_UNIT=boot.service + _COMM=boot\n"
			    "[dark]\nenabled = 1\nbackend = systemd\n"
			    "journalmatch = _COMM=dark\n",
			4),
		"[source \"asterisk\"]\ntype = log\nfilter = asterisk\n"
		"path = /var/log/asterisk/messages\n\n"
		"[source \"asterisk-2\"]\ntype = log\nfilter = asterisk\n"
		"path = /var/log/asterisk/full\n\n"
		"[source \"web-server\"]\ntype = log\n"
		"filter = web[mode=extra, logtype=short]\npath = /var/log/web\n\n"
		"[source \"boot\"]\ntype = log\nfilter = boot\n"
		"journal = boot.service\n\n"
		"# [dark] reads the journal: it names no unit of the journal: left out\n");
	assert_string_equal(import_text("[a]\nenabled = no\n", 0),
		"# no jail that reads a log is enabled\n");
	assert_non_null(strstr(import_text("[a]\nenabled = true\n", 0),
		"# [a] has no logpath: left out\n"));
}

/* A value cannot become a line of its own, nor a name another source's. */
static void test_hostile(void **state)
{
	char big[4096] = "[big]\nenabled = true\nlogpath = /var/log/";
	struct buffer many = {.max = 65536};
	const char *told;

	(void)state;
	told = import_text("[a]\nenabled = true\nlogpath = /x\n"
			   "filter = x\n  [source \"evil\"]\n  path = /etc/shadow\n",
		1);
	assert_non_null(
		strstr(told, "filter = x [source \"evil\"] path = /etc/shadow\n"));
	told = import_text("[a b]\nenabled = on\nlogpath = /x\n"
			   "[a-b]\nenabled = on\nlogpath = /x\n /y\n"
			   "[a-b-2]\nenabled = on\nlogpath = /z\n",
		4);
	assert_non_null(strstr(told, "[source \"a-b-3\"]"));
	assert_non_null(strstr(told, "[source \"a-b-2-2\"]"));
	assert_non_null(strstr(import_text("[a]\nenabled = on\nlogpath = x/y\n", 0),
		"# [a] path: \"x/y\" is no absolute path: begin it with /: left out\n"));
	assert_non_null(strstr(import_text("[a]\nenabled = on\nlogpath = /\x01\n", 0),
		"holds control characters or is no UTF-8: left out\n"));
	assert_non_null(strstr(import_text("[a\x1b[31m]\nenabled = on\n", 0),
		"# [a\\x1b[31m] has no logpath"));
	assert_non_null(strstr(import_text("[a]\nenabled = on\nbackend = systemd\n"
					   "journalmatch = _SYSTEMD_UNIT=a;b.service\n",
				       0),
		"is no unit and no identifier"));
	/* What refers to nothing is said; the other jails are not harmed. */
	told = import_text("[a]\nenabled = on\nlogpath = %(none)s\n"
			   "[b]\nenabled = on\nlogpath = /b\n",
		1);
	assert_non_null(strstr(told, "# [a] logpath: "));
	assert_non_null(strstr(told, "none"));
	memset(big + strlen(big), 'x', 3000);
	assert_non_null(strstr(import_text(big, 0), "the most is 255: left out\n"));
	for (unsigned i = 0; i < CONFIG_SOURCES_MAX + 4; i++)
		buffer_printf(&many, "[j%u]\nenabled = on\nlogpath = /log%u\n", i, i);
	buffer_put_u8(&many, 0);
	told = import_text((const char *)many.p, CONFIG_SOURCES_MAX);
	assert_non_null(strstr(told,
		"# [j19] /log19: left out, there can be no more than 16 sources\n"));
	buffer_free(&many);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_import),
		cmocka_unit_test(test_hostile),
	};
	int rc = cmocka_run_group_tests_name("filter_import", tests, NULL, NULL);

	free(printed);
	return rc;
}
