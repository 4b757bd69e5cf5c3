/* SPDX-License-Identifier: Apache-2.0 */
/* The command line, and the program as a whole. */
#include "daemon_for_test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/start.h"
#include "daemon/supervisor_state.h"

/* --- the configuration as roles get it --- */

static void test_process_config(void **state)
{
	struct buffer errors = {0};
	struct config c;
	char text[8192];
	ssize_t n;

	(void)state;
	write_config("[node]\nname = plain\n[hep]\npassword = s3cret\n"
		     "[webhook \"siem\"]\nurl = https://siem.example.net/in/tok3n\n"
		     "secret_file = /etc/sipchain/siem.secret\n");
	assert_int_equal(config_load(&c, config_path, &errors), 0);
	for (int role = ROLE_SENSE; role < ROLE_COUNT; role++) {
		int fd = process_config(&c, (enum role)role);

		assert_true(fd >= 0);
		n = pread(fd, text, sizeof text - 1, 0);
		assert_true(n > 0);
		text[n] = '\0';
		assert_int_equal(strstr(text, "s3cret") != NULL, role == ROLE_SENSE);
		assert_int_equal(strstr(text, "tok3n") != NULL, role == ROLE_DELIVER);
		assert_non_null(strstr(text, "url = https://siem.example.net"));
		assert_int_equal(write(fd, "x", 1), -1);
		assert_int_equal(errno, EPERM);
		assert_int_equal(ftruncate(fd, 0), -1);
		assert_int_equal(fcntl(fd, F_GET_SEALS),
			F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
		close(fd);
	}
	config_free(&c);
}

/* --- the command line --- */

/* Run this program with arguments; what it says into out. Returns the code. */
static int command(char *out, size_t size, const char *arguments)
{
	char line[400];
	size_t n;
	FILE *f;
	int rc;

	snprintf(
		line, sizeof line, "exec /proc/%d/exe %s 2>&1", (int)getpid(), arguments);
	f = popen(line, "re"); /* NOLINT(cert-env33-c): the line is ours */
	assert_non_null(f);
	n = fread(out, 1, size - 1, f);
	out[n] = '\0';
	rc = pclose(f);
	assert_true(WIFEXITED(rc));
	return WEXITSTATUS(rc);
}

static void test_command_line(void **state)
{
	char out[8192], arguments[200], expected[200];

	(void)state;
	assert_int_equal(command(out, sizeof out, "--version"), 0);
	assert_string_equal(out, "sipchaind " SIPCHAIN_VERSION "\n");
	assert_int_equal(command(out, sizeof out, "--help"), 0);
	assert_memory_equal(out, "usage: sipchaind", 16);
	assert_int_equal(command(out, sizeof out, "--nonsense"), 2);
	assert_non_null(strstr(out, "usage: sipchaind"));
	assert_int_equal(command(out, sizeof out, "-c"), 2);
	assert_int_equal(command(out, sizeof out, "--foreground more"), 2);
	assert_non_null(strstr(out, "\"more\" is one argument too many"));
	assert_int_equal(command(out, sizeof out, "--role sense 3</dev/null"), 2);
	assert_non_null(strstr(out, "--role is for sipchaind itself"));
	assert_int_equal(command(out, sizeof out, "--role parent"), 2);

	configure("plain");
	snprintf(arguments, sizeof arguments, "-c %s --check", config_path);
	assert_int_equal(command(out, sizeof out, arguments), 0);
	assert_non_null(strstr(out, "the configuration is right"));
	write_config("[node]\nname = a\nobserve = perhaps\n");
	snprintf(expected, sizeof expected,
		"%s:3: [node] observe: \"perhaps\" is neither yes nor no\n", config_path);
	assert_int_equal(command(out, sizeof out, arguments), 78);
	assert_string_equal(out, expected);
	snprintf(arguments, sizeof arguments, "--config=%s", config_path);
	assert_int_equal(command(out, sizeof out, arguments), 78);
	assert_string_equal(out, expected);
	assert_int_equal(command(out, sizeof out, "-c /nonexistent/sipchain.conf"), 78);
	assert_string_equal(out,
		"/nonexistent/sipchain.conf:1: cannot be read: No such file or directory\n");
}

/* The whole program: folders are made, it runs, it stops. */
static void test_program(void **state)
{
	char text[600], run[100], state_path[100];
	struct daemon *d;
	struct stat st;
	int said;

	(void)state;
	snprintf(run, sizeof run, "%s/run", folder);
	snprintf(state_path, sizeof state_path, "%s/state", folder);
	snprintf(text, sizeof text,
		"[node]\nname = plain\nuser =\nrun = %s\nstate = %s\n", run, state_path);
	write_config(text);
	d = daemon_new(&said);
	if (d->pid == 0) {
		dup2(said, STDERR_FILENO);
		close(STDIN_FILENO); /* a descriptor that the daemon must not use */
		execl("/proc/self/exe", "sipchaind", "-c", config_path, NULL);
		_exit(99);
	}
	close(said);
	await_all_run(d);
	await(d, "fds 4 notify 0");
	await_told(d, 0, "READY=1");
	assert_int_equal(stat(run, &st), 0);
	assert_true(S_ISDIR(st.st_mode));
	assert_int_equal(stat(state_path, &st), 0);
	assert_int_equal(st.st_mode & 07, 0);
	stop(d);
	rmdir(run);
	rmdir(state_path);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_process_config, leave_nothing),
		cmocka_unit_test_teardown(test_command_line, leave_nothing),
		cmocka_unit_test_teardown(test_program, leave_nothing),
	};

	if (argc > 1)
		return daemon_start(argc, argv, roles_for_test);
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
