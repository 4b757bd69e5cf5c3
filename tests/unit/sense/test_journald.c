/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Real journal files, written by systemd-journal-remote from an export stream
 * (https://systemd.io/JOURNAL_EXPORT_FORMATS). No test waits for a time: each runs
 * the loop until what it expects has come, and a limit of turns makes it fail.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../cmocka_all.h"

#include "base/bytes.h"
#include "sense/journald.h"

#define WRITER "/lib/systemd/systemd-journal-remote"
#define UNIT   "kamailio.service"

static uv_loop_t loop;
static char folder[64];
static struct journald *journal;
static struct journald_position position;
static char seen[8192];
static size_t longest;
static unsigned written;

static void on_entry(void *context, const struct log_entry *e)
{
	(void)context;
	if (e->message.n > longest)
		longest = e->message.n;
	snprintf(seen + strlen(seen), sizeof seen - strlen(seen), "(%.*s)",
		e->message.n > 60 ? 60 : (int)e->message.n,
		e->message.n ? (const char *)e->message.p : "");
	if (view_eq(e->message, view_str("fields"))) {
		assert_true(view_eq(e->host, view_str("pbx")));
		assert_true(view_eq(e->app, view_str("kamailio")));
		assert_true(view_eq(e->pid, view_str("25002")));
		assert_int_equal(e->time, UINT64_C(1795335267000001));
	}
}

static void on_position(void *context, const struct journald_position *p)
{
	(void)context;
	position = *p;
}

/* Append one entry to folder/NAME.journal; message may hold anything. */
static void write_entry(const char *name, const char *unit, const void *message, size_t n)
{
	char command[256];
	uint64_t length = n; /* little-endian, as the machines that this runs on */
	FILE *f;

	snprintf(command, sizeof command, WRITER " -o %s/%s.journal - >/dev/null 2>&1",
		folder, name);
	f = popen(command, "w"); /* NOLINT(cert-env33-c): the command is ours */
	assert_non_null(f);
	written++;
	fprintf(f,
		"__REALTIME_TIMESTAMP=%llu\n__MONOTONIC_TIMESTAMP=%u\n"
		"_BOOT_ID=0123456789abcdef0123456789abcdef\n"
		"_MACHINE_ID=fedcba9876543210fedcba9876543210\n"
		"_SYSTEMD_UNIT=%s\nSYSLOG_IDENTIFIER=kamailio\n_PID=25002\n_HOSTNAME=pbx\n",
		1795335267000000ULL + written, 1000 + written, unit);
	if (message) {
		fputs("MESSAGE\n", f);
		fwrite(&length, sizeof length, 1, f);
		fwrite(message, 1, n, f);
		fputc('\n', f);
	}
	fputc('\n', f);
	assert_int_equal(pclose(f), 0);
}

static void write_text(const char *name, const char *text)
{
	write_entry(name, UNIT, text, strlen(text));
}

static void begin(const char *match, bool resume)
{
	const struct journald_events events = {on_entry, on_position, NULL};
	const struct journald_config config = {folder, match};
	struct journald_position from = position;
	struct error err = {""};

	journal = journald_open(&loop, &config, resume ? &from : NULL, &events, &err);
	if (!journal)
		fail_msg("%s", err.text);
}

static void stop(void)
{
	journald_close(journal);
	journal = NULL;
	uv_run(&loop, UV_RUN_DEFAULT);
}

static void wait_seen(const char *expected)
{
	for (int turn = 0; strlen(seen) < strlen(expected) && turn < 20000; turn++) {
		uv_run(&loop, UV_RUN_NOWAIT);
		usleep(500);
	}
	assert_string_equal(seen, expected);
}

static bool writer(void)
{
	struct error err = {""};

	if (access(WRITER, X_OK)) {
		left_out("no " WRITER " (package systemd-journal-remote)");
		return false;
	}
	if (journald_load(&err)) {
		left_out(err.text);
		return false;
	}
	return true;
}

static int setup(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/journald-XXXXXX");
	assert_non_null(mkdtemp(folder));
	seen[0] = '\0';
	longest = 0;
	memset(&position, 0, sizeof position);
	return uv_loop_init(&loop);
}

static int teardown(void **state)
{
	struct dirent *d;
	DIR *dir = opendir(folder);

	(void)state;
	stop();
	while ((d = readdir(dir)))
		unlinkat(dirfd(dir), d->d_name, 0);
	closedir(dir);
	rmdir(folder);
	return uv_loop_close(&loop);
}

/* From the end on; the unit's alone; over a restart, and what came meanwhile. */
static void test_follow(void **state)
{
	struct journald_figures f;

	(void)state;
	if (!writer())
		return;
	written = 0;
	write_text("system", "fields");
	begin(UNIT, false);
	write_text("system", "a");
	write_entry("system", "other.service", "not ours", 8);
	write_text("system", "b");
	wait_seen("(a)(b)");
	stop();
	write_text("system", "c");
	begin(UNIT, true);
	wait_seen("(a)(b)(c)");
	write_text("system", "d");
	wait_seen("(a)(b)(c)(d)");
	journald_figures(journal, &f);
	assert_int_equal(f.entries, 2);
	stop();
	/* Nothing new: nothing twice. */
	begin(UNIT, true);
	write_text("system", "e");
	wait_seen("(a)(b)(c)(d)(e)");
	stop();
	/* By identifier, from the beginning: the time alone counts. */
	seen[0] = '\0';
	memset(&position, 0, sizeof position);
	position.realtime = 1;
	begin("kamailio", true);
	wait_seen("(fields)(a)(not ours)(b)(c)(d)(e)");
}

/* A journal that is rotated, then vacuumed; entries in the next file count. */
static void test_rotation(void **state)
{
	char path[128], aside[128];

	(void)state;
	if (!writer())
		return;
	write_text("system", "a");
	begin(UNIT, false);
	write_text("system", "b");
	wait_seen("(b)");
	snprintf(path, sizeof path, "%s/system.journal", folder);
	snprintf(aside, sizeof aside, "%s/system@1.journal", folder);
	assert_int_equal(rename(path, aside), 0);
	write_text("system", "c");
	wait_seen("(b)(c)");
	assert_int_equal(unlink(aside), 0);
	write_text("system", "d");
	wait_seen("(b)(c)(d)");
	stop();
	/* The entry where reading stood is gone, too: its time goes on. */
	assert_int_equal(unlink(path), 0);
	write_text("system", "e");
	begin(UNIT, true);
	wait_seen("(b)(c)(d)(e)");
}

/* What an attacker may put into a message. */
static void test_hostile(void **state)
{
	static char big[3 * LOG_ENTRY_MAX];
	struct journald_figures f;

	(void)state;
	if (!writer())
		return;
	write_text("system", "first");
	begin(UNIT, false);
	write_entry("system", UNIT, "line\nMESSAGE=forged\n_SYSTEMD_UNIT=x", 35);
	wait_seen("(line\nMESSAGE=forged\n_SYSTEMD_UNIT=x)");
	seen[0] = '\0';
	write_entry("system", UNIT, NULL, 0);
	write_entry("system", UNIT, "\xff\x01", 2);
	wait_seen("(\xff\x01)");
	memset(big, 'x', sizeof big);
	seen[0] = '\0';
	write_entry("system", UNIT, big, sizeof big);
	write_text("system", "last");
	for (int turn = 0; !strstr(seen, "(last)") && turn < 20000; turn++) {
		uv_run(&loop, UV_RUN_NOWAIT);
		usleep(500);
	}
	assert_non_null(strstr(seen, "(last)"));
	assert_int_equal(longest, LOG_ENTRY_MAX);
	journald_figures(journal, &f);
	assert_int_equal(f.cut, 1);
	assert_int_equal(f.without, 1);
	assert_int_equal(f.failures, 0);
}

static void test_refused(void **state)
{
	const struct journald_events events = {on_entry, on_position, NULL};
	const struct journald_config config = {"/nonexistent/journal", UNIT};
	struct error err = {""};

	(void)state;
	if (!writer())
		return;
	assert_null(journald_open(&loop, &config, NULL, &events, &err));
	assert_non_null(strstr(err.text, "/nonexistent/journal: No such file"));
	assert_false(journald_forbidden(folder));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_follow, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rotation, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hostile, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
	};

	return cmocka_run_group_tests_name("journald", tests, NULL, NULL);
}
