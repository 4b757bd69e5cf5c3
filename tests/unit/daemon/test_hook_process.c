/* SPDX-License-Identifier: Apache-2.0 */
/* Starting, ending and starting again an operator's program. */
#include "../cmocka_all.h"

#include <errno.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/hook_process.h"
#include "remove_tree.h"

static char folder[64], path[96];
static struct hook_process h;
static struct hook_program program;
static struct error err;
static int fds[2];

/* Whom it may run as here: only root can choose. */
static const char *user(void)
{
	return geteuid() == 0 ? "nobody" : getpwuid(geteuid())->pw_name;
}

static int setup(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/sipchain-hook-XXXXXX");
	if (!mkdtemp(folder) || chmod(folder, 0755))
		return -1;
	snprintf(path, sizeof path, "%s/program", folder);
	memset(&h, 0, sizeof h);
	program = (struct hook_program){
		.connector = "billing", .path = path, .arguments = "", .user = user()};
	fds[0] = fds[1] = -1;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	remove_tree(folder);
	return 0;
}

static void write_program(const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	assert_int_equal(chmod(path, 0755), 0);
}

/* What comes from fd until it holds `until`, or ends. */
static const char *read_until(int fd, const char *until)
{
	static char text[8192];
	size_t n = 0;

	text[0] = '\0';
	while (n < sizeof text - 1 && !(until && strstr(text, until))) {
		struct pollfd p = {fd, POLLIN, 0};
		ssize_t got;

		assert_int_equal(poll(&p, 1, 20000), 1);
		got = read(fd, text + n, sizeof text - 1 - n);
		if (got <= 0)
			break;
		n += (size_t)got;
		text[n] = '\0';
	}
	return text;
}

/* Wait for its end; the time is `now` then. */
static void await_end(usec now)
{
	for (unsigned i = 0; i < 2000 && h.pid > 0; i++) {
		if (hook_process_reap(&h, now))
			return;
		usleep(10000);
	}
	fail_msg("the program has not ended");
}

static void start(usec now)
{
	int rc = hook_process_start(&h, &program, fds, now, &err);

	if (rc)
		fail_msg("%s", err.text);
	assert_true(h.pid > 0);
}

/* Who it is, what it has, what it has not. */
static void test_surroundings(void **state)
{
	char expected[200];
	const char *text;

	(void)state;
	setenv("SECRET_OF_THE_DAEMON", "x", 1);
	write_program(
		"#!/bin/sh\n"
		"id -un; pwd; umask; echo \"$#:$1:$2:$3\"\n"
		"env | sort | grep -v '^PWD=\\|^_=\\|^SHLVL=' | tr '\\n' '|'; echo\n"
		"ls /proc/$$/fd | tr '\\n' ' '; echo\n"
		"grep -h 'CapEff\\|NoNewPrivs' /proc/$$/status | tr -d '\\n'; echo\n"
		"read line; echo \"got $line\"; echo oops >&2; exit 3\n");
	program.arguments = "--a,b  $HOME;ls 'c";
	start(1);
	assert_int_equal(write(fds[0], "hello\nmore\n", 11), 11);
	text = read_until(fds[0], "got");
	snprintf(expected, sizeof expected, "%s\n/\n0077\n3:--a,b:$HOME;ls:'c\n", user());
	assert_memory_equal(text, expected, strlen(expected));
	assert_non_null(strstr(text, "|LANG=C.UTF-8|"));
	assert_non_null(strstr(text, "SIPCHAIN_CONNECTOR=billing|"));
	assert_null(strstr(text, "SECRET_OF"));
	assert_non_null(strstr(text, "CapEff:\t0000000000000000NoNewPrivs:\t1"));
	/* 3 to 10: a shell's own (its script) only. */
	assert_null(strstr(text, " 4 "));
	assert_non_null(strstr(text, "got hello\n"));
	assert_string_equal(read_until(fds[1], NULL), "oops\n");
	await_end(5);
	assert_int_equal(h.pid, 0);
}

/* It dies again and again: longer and longer pauses. */
static void test_backoff(void **state)
{
	usec now = 1000, wait = 100000;

	(void)state;
	write_program("#!/bin/sh\nexit 1\n");
	for (unsigned i = 0; i < 4; i++) {
		start(now);
		close(fds[0]);
		close(fds[1]);
		await_end(now + 10);
		now += 10;
		assert_int_equal(
			hook_process_start(&h, &program, fds, now + wait - 1, &err), -1);
		assert_int_equal(errno, EBUSY);
		assert_string_equal(err.text,
			"its program ended too soon; it is started again after a while");
		now += wait;
		wait *= 2;
	}
	fds[0] = fds[1] = -1;
}

/* It does not care for SIGTERM, nor does what it started: killed by its pid. */
static void test_kill(void **state)
{
	int old;

	(void)state;
	write_program("#!/bin/sh\ntrap '' TERM\nsleep 600 &\necho ready\n"
		      "while :; do sleep 1; done\n");
	start(1000);
	assert_string_equal(read_until(fds[0], "ready"), "ready\n");
	assert_int_equal(hook_process_due(&h, 1000), 0);
	old = h.pid;
	/* A second start asks the first to end, and waits for it. */
	assert_int_equal(hook_process_start(&h, &program, fds, 1000, &err), -1);
	assert_int_equal(errno, EBUSY);
	assert_string_equal(err.text, "its last process has not ended yet");
	usleep(100000);
	assert_false(hook_process_reap(&h, 1000));
	assert_int_equal(
		hook_process_due(&h, 1000 + HOOK_KILL_AFTER - 1), 1000 + HOOK_KILL_AFTER);
	assert_int_equal(h.pid, old);
	hook_process_due(&h, 1000 + HOOK_KILL_AFTER);
	await_end(1000 + HOOK_KILL_AFTER);
	/* Nothing of it is left at the other end of the stream. */
	assert_string_equal(read_until(fds[0], NULL), "");
	close(fds[0]);
	close(fds[1]);
	/* It was asked to: no pause. */
	start(1000 + HOOK_KILL_AFTER);
	hook_process_stop(&h, 0);
	hook_process_due(&h, HOOK_KILL_AFTER);
	await_end(HOOK_KILL_AFTER);
}

static void refused(const char *expected)
{
	assert_int_equal(hook_process_start(&h, &program, fds, 1, &err), -1);
	assert_int_not_equal(errno, EBUSY);
	assert_string_equal(err.text, expected);
	assert_int_equal(h.pid, 0);
}

static void test_refusals(void **state)
{
	char text[200], *long_words;

	(void)state;
	snprintf(text, sizeof text, "program: %s: No such file or directory", path);
	refused(text);
	program.path = "bin/sh";
	refused("program: \"bin/sh\" is no absolute path");
	program.path = path;
	write_program("#!/bin/sh\n");
	chmod(path, 0644);
	snprintf(text, sizeof text, "program: %s is no program: chmod +x it", path);
	refused(text);
	chmod(path, 0757);
	snprintf(text, sizeof text, "program: anybody may write %s: chmod o-w it", path);
	refused(text);
	chmod(path, 0755);
	program.arguments = "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17";
	refused("arguments: more than 16 words");
	long_words = malloc(2000);
	memset(long_words, 'x', 1999);
	long_words[1999] = '\0';
	program.arguments = long_words;
	refused("arguments: more than 1023 bytes");
	free(long_words);
	program.arguments = "";
	if (geteuid() == 0) {
		program.user = "root";
		refused("run_as: it does not run as root; name another user");
		program.user = "no-such-user";
		refused("run_as: there is no user \"no-such-user\"");
	} else {
		program.user = "root";
		refused("run_as: only root can start it as root; start sipchaind as "
			"root, or name yourself");
	}
}

/* What cannot be executed says so where the node reads it. */
static void test_no_interpreter(void **state)
{
	char text[200];

	(void)state;
	write_program("#!/nowhere/at/all\n");
	start(1);
	snprintf(text, sizeof text, "cannot run %s: No such file or directory\n", path);
	assert_string_equal(read_until(fds[1], NULL), text);
	await_end(2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_surroundings, setup, teardown),
		cmocka_unit_test_setup_teardown(test_backoff, setup, teardown),
		cmocka_unit_test_setup_teardown(test_kill, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refusals, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_interpreter, setup, teardown),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
