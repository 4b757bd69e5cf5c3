/* SPDX-License-Identifier: Apache-2.0 */
/* [detect] rules: a file of rules beside the configuration. */
#include "../cmocka_all.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/config_schema.h"

static char path[] = "/tmp/sipchain-rules-XXXXXX";

static void write_rules(const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

/* Parse a configuration that names the file; returns the errors (static). */
static const char *parse(struct config *c, const char *more)
{
	static char told[2048];
	struct buffer errors = {.max = 65536};
	char text[512];
	int n = snprintf(text, sizeof text,
		"[node]\nname = edge1\n[detect]\nrules = %s\n%s", path, more);

	int rc = config_parse(c, "c.conf", view_of(text, (size_t)n), &errors);

	assert_int_equal(rc, errors.n ? -1 : 0);
	snprintf(told, sizeof told, "%.*s", (int)errors.n, (const char *)errors.p);
	buffer_free(&errors);
	return told;
}

static void test_thresholds(void **state)
{
	struct buffer errors = {.max = 1000};
	struct config c;

	(void)state;
	write_rules("[password]\nthreshold = 7/1h\n[enumeration]\nthreshold = 6/30m\n"
		    "[malformed]\nenabled = no\n");
	assert_string_equal(parse(&c, "auth_failed = 4/20m\n"), "");
	/* The configuration's own word counts before the file's. */
	assert_int_equal(c.detect.rules[OBSERVED_AUTH_FAILED].threshold, 4);
	assert_int_equal(c.detect.rules[OBSERVED_UNKNOWN_ACCOUNT].threshold, 6);
	assert_int_equal(c.detect.rules[OBSERVED_UNKNOWN_ACCOUNT].window, 1800);
	assert_int_equal(c.detect.rules[OBSERVED_MALFORMED].threshold, 0);
	assert_int_equal(c.detect.rules[OBSERVED_SCAN].threshold, 10);
	assert_non_null(c.detect.more);
	config_free(&c);
	/* Without a file: the built-in ones. */
	assert_int_equal(
		config_parse(&c, "c", view_str("[node]\nname = e\n"), &errors), 0);
	assert_null(c.detect.more);
	config_free(&c);
}

/* A role is told the lines, since it cannot read the file. */
static void test_roles(void **state)
{
	struct buffer shown = {.max = 1 << 20}, told = {.max = 1 << 20};
	struct buffer errors = {.max = 1000};
	struct config c, role;

	(void)state;
	write_rules("# remark\n[password]\n  threshold = 7/1h\n\n[mine]\n"
		    "observations = injection\nreason = {agent} says: [x] = y\n");
	assert_string_equal(parse(&c, ""), "");
	assert_int_equal(config_print(&shown, &c, 0), 0);
	assert_true(view_find_str(view_of(shown.p, shown.n), path) < shown.n);
	assert_true(view_find_str(view_of(shown.p, shown.n), "rules_line") == shown.n);
	assert_int_equal(config_print(&told, &c, CONFIG_PRINT_FILES), 0);
	assert_true(view_find_str(view_of(told.p, told.n), path) == told.n);
	unlink(path);
	assert_int_equal(
		config_parse(&role, "told", view_of(told.p, told.n), &errors), 0);
	assert_memory_equal(role.detect.more, c.detect.more, sizeof *c.detect.more);
	assert_memory_equal(role.detect.rules, c.detect.rules, sizeof c.detect.rules);
	buffer_free(&shown);
	buffer_free(&told);
	config_free(&c);
	config_free(&role);
}

static void test_errors(void **state)
{
	static char big[70000];
	struct buffer errors = {.max = 1000};
	char expected[256];
	struct config c;

	(void)state;
	write_rules("[password]\nthreshold = 7\nbann = 1m\n");
	snprintf(expected, sizeof expected,
		"%s:2: [password] threshold: \"7\": write ATTEMPTS/WINDOW, such as 3/10m, "
		"or off\n%s:3: [password] has no key \"bann\"; see the head of "
		"rules.conf\n",
		path, path);
	assert_string_equal(parse(&c, ""), expected);
	/* Bytes that are no text, more than can be rules, what is no file. */
	write_rules("\x7f\x45LF\xff\n[pass\x01word]\n");
	snprintf(expected, sizeof expected, "%s:1: ", path);
	assert_int_equal(strncmp(parse(&c, ""), expected, strlen(expected)), 0);
	memset(big, '#', sizeof big - 1);
	write_rules(big);
	snprintf(expected, sizeof expected,
		"c.conf:4: [detect] rules: %s: is larger than 65536 bytes\n", path);
	assert_string_equal(parse(&c, ""), expected);
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	snprintf(expected, sizeof expected,
		"c.conf:4: [detect] rules: %s: is no regular file\n", path);
	assert_string_equal(parse(&c, ""), expected);
	unlink(path);
	snprintf(expected, sizeof expected,
		"c.conf:4: [detect] rules: %s: No such file or directory\n", path);
	assert_string_equal(parse(&c, ""), expected);
	assert_int_equal(config_parse(&c, "c",
				 view_str("[node]\nname = e\n[detect]\n"
					  "rules = /tmp\n"),
				 &errors),
		-1);
	assert_non_null(errors.p);
	assert_true(view_find_str(view_of(errors.p, errors.n), "is no regular file") <
		errors.n);
	buffer_free(&errors);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_thresholds),
		cmocka_unit_test(test_roles),
		cmocka_unit_test(test_errors),
	};
	int fd = mkstemp(path), rc;

	if (fd < 0)
		return 1;
	close(fd);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	return rc;
}
