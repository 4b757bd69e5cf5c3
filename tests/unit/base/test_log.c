/* SPDX-License-Identifier: Apache-2.0 */
#include "../cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

static int saved_stderr, read_end;

/* Standard error becomes a pipe that lines() reads. */
static int capture(void **state)
{
	int ends[2];

	(void)state;
	saved_stderr = dup(STDERR_FILENO);
	if (saved_stderr < 0 || pipe(ends) < 0 || dup2(ends[1], STDERR_FILENO) < 0)
		return -1;
	close(ends[1]);
	read_end = ends[0];
	unsetenv("JOURNAL_STREAM");
	return 0;
}

static int release(void **state)
{
	(void)state;
	dup2(saved_stderr, STDERR_FILENO);
	close(saved_stderr);
	close(read_end);
	return 0;
}

/* What was written, after a last mark: so that reading never blocks. */
static const char *lines(void)
{
	static char text[8192];
	size_t n = 0;

	assert_int_equal(write(STDERR_FILENO, "\f", 1), 1);
	for (;;) {
		ssize_t got = read(read_end, text + n, sizeof(text) - 1 - n);

		assert_true(got > 0);
		n += (size_t)got;
		if (text[n - 1] == '\f')
			break;
	}
	text[n - 1] = '\0';
	return text;
}

static void test_plain(void **state)
{
	const char *text;

	(void)state;
	log_open("sense", LOG_LEVEL_INFO);
	log_warning("%d of %s", 3, "them");
	text = lines();
	/* 2026-01-31T12:00:00Z warning sense: ... */
	assert_int_equal(text[4], '-');
	assert_int_equal(text[10], 'T');
	assert_string_equal(text + 19, "Z warning sense: 3 of them\n");
}

static void test_levels(void **state)
{
	(void)state;
	log_open("node", LOG_LEVEL_NOTICE);
	log_info("not said");
	log_debug("not said");
	assert_string_equal(lines(), "");
	log_notice("said");
	assert_string_equal(lines() + 19, "Z notice node: said\n");
	log_error("said too");
	assert_string_equal(lines() + 19, "Z error node: said too\n");
	log_open("node", LOG_LEVEL_DEBUG);
	log_debug("now");
	assert_string_equal(lines() + 19, "Z debug node: now\n");
}

/* JOURNAL_STREAM counts only when it names the standard error we have. */
static void test_journal(void **state)
{
	char value[64];
	struct stat st;

	(void)state;
	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	snprintf(value, sizeof(value), "%ju:%ju", (uintmax_t)st.st_dev,
		(uintmax_t)st.st_ino);
	setenv("JOURNAL_STREAM", value, 1);
	log_open("ledger", LOG_LEVEL_INFO);
	log_error("text");
	assert_string_equal(lines(), "<3>ledger: text\n");
	log_info("text");
	assert_string_equal(lines(), "<6>ledger: text\n");
	setenv("JOURNAL_STREAM", "1:1", 1);
	log_open("ledger", LOG_LEVEL_INFO);
	log_info("text");
	assert_string_equal(lines() + 19, "Z info ledger: text\n");
	setenv("JOURNAL_STREAM", "junk", 1);
	log_open("ledger", LOG_LEVEL_INFO);
	log_info("text");
	assert_string_equal(lines() + 19, "Z info ledger: text\n");
	unsetenv("JOURNAL_STREAM");
}

/* A forgotten escape cannot forge a line; a long text is cut to one. */
static void test_hostile(void **state)
{
	char big[4000];
	const char *text;

	(void)state;
	log_open("sense", LOG_LEVEL_INFO);
	log_info("user %s", "a\r\n<3>node: forged\x1b[2J");
	assert_string_equal(lines() + 19,
		"Z info sense: user a?"
		"?<3>node: forged?[2J\n");
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	log_info("%s", big);
	text = lines();
	assert_true(strlen(text) <= 2048);
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_plain, capture, release),
		cmocka_unit_test_setup_teardown(test_levels, capture, release),
		cmocka_unit_test_setup_teardown(test_journal, capture, release),
		cmocka_unit_test_setup_teardown(test_hostile, capture, release),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
