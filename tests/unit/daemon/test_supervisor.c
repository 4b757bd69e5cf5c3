/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The supervisor with real processes: this program started with arguments is
 * a sipchaind whose roles are those of roles_for_test.c; started without, it
 * runs the tests, each on a daemon of its own, and reads what it says.
 */
#include "../cmocka_all.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "daemon/start.h"
#include "daemon/supervisor_state.h"
#include "roles_for_test.h"

/* Long enough for a loaded machine; a test that waits so long has failed. */
#define PATIENCE_MS 30000

#define FIXED "\n[hep]\npassword = s3cret\n[enforce]\ntype = none\n"

static char folder[64], config_path[80], manager_path[80];

struct daemon {
	pid_t pid;
	int manager; /* what a service manager would read */
	int said;    /* standard error of all its processes */
	char *text;  /* all of it so far */
	size_t n, mark;
	char told[65536]; /* to the manager, one datagram a line */
	size_t told_n;
};

/* The daemon of the test that runs; what a failed test leaves is ended. */
static struct daemon *current;

static void write_config(const char *text)
{
	FILE *f = fopen(config_path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void configure(const char *name)
{
	char text[200];

	snprintf(text, sizeof text, "[node]\nname = %s" FIXED, name);
	write_config(text);
}

static int open_manager(void)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	unlink(manager_path);
	snprintf(at.sun_path, sizeof at.sun_path, "%s", manager_path);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
	return fd;
}

/* In the new process: supervise with these options. */
static void supervise(const struct supervisor_options *options, int said)
{
	struct config *config = calloc(1, sizeof *config);
	struct buffer errors = {0};
	int rc;

	dup2(said, STDERR_FILENO);
	close(said);
	setenv("NOTIFY_SOCKET", manager_path, 1);
	log_open("sipchaind", LOG_LEVEL_INFO);
	rc = config_load(config, options->config_path, &errors)
		? 77 : supervisor_run(options, config);
	fflush(NULL);
	_exit(rc);
}

static struct daemon *start_with(const struct supervisor_options *options)
{
	struct daemon *d = calloc(1, sizeof *d);
	int fds[2];

	assert_non_null(d);
	current = d;
	d->manager = open_manager();
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	d->said = fds[0];
	fflush(NULL);
	d->pid = fork();
	assert_true(d->pid >= 0);
	if (d->pid == 0)
		supervise(options, fds[1]);
	close(fds[1]);
	return d;
}

static struct supervisor_options fast(void)
{
	struct supervisor_options o = supervisor_options_default;

	o.config_path = config_path;
	o.ping_every = USEC_PER_SEC / 10;
	return o;
}

static struct daemon *start(void)
{
	struct supervisor_options o = fast();

	return start_with(&o);
}

/* Take in what the daemon said and told, waiting a little for more. */
static void listen_to(struct daemon *d)
{
	struct pollfd fds[2] = {{d->said, POLLIN, 0}, {d->manager, POLLIN, 0}};
	char block[4096];
	ssize_t n;

	if (poll(fds, 2, 20) > 0 && fds[0].revents == POLLHUP)
		usleep(20000); /* nobody writes any more; wait for their end all the same */
	while ((n = read(d->said, block, sizeof block)) > 0) {
		d->text = realloc(d->text, d->n + (size_t)n + 1);
		assert_non_null(d->text);
		memcpy(d->text + d->n, block, (size_t)n);
		d->n += (size_t)n;
		d->text[d->n] = '\0';
	}
	while ((n = recv(d->manager, block, sizeof block, 0)) > 0) {
		assert_true(d->told_n + (size_t)n + 2 < sizeof d->told);
		memcpy(d->told + d->told_n, block, (size_t)n);
		d->told_n += (size_t)n;
		d->told[d->told_n++] = '|';
		d->told[d->told_n] = '\0';
	}
}

/* From now on only what comes later counts for await(). */
static void mark(struct daemon *d)
{
	listen_to(d);
	d->mark = d->n;
}

static const char *since(const struct daemon *d)
{
	return d->text ? d->text + d->mark : "";
}

/* Wait until the daemon has said this. Returns where. */
static const char *await(struct daemon *d, const char *text)
{
	for (int i = 0; i < PATIENCE_MS / 20; i++) {
		const char *found = strstr(since(d), text);

		if (found && strchr(found, '\n'))
			return found;
		listen_to(d);
	}
	fprintf(stderr, "waited in vain for \"%s\"; it said:\n%s\ntold: %s\n", text, since(d),
		d->told);
	fail();
	return NULL;
}

static void assert_not_said(const struct daemon *d, const char *text)
{
	if (strstr(since(d), text)) {
		fprintf(stderr, "said \"%s\":\n%s\n", text, since(d));
		fail();
	}
}

/* Wait until the service manager has been told this since offset. */
static const char *await_told(struct daemon *d, size_t offset, const char *text)
{
	for (int i = 0; i < PATIENCE_MS / 20; i++) {
		const char *found = strstr(d->told + offset, text);

		if (found)
			return found;
		listen_to(d);
	}
	fprintf(stderr, "never told \"%s\"; told: %s; said:\n%s\n", text, d->told, since(d));
	fail();
	return NULL;
}

/* The pid of a role's n-th start. */
static pid_t pid_of(struct daemon *d, const char *role, unsigned starts)
{
	char text[80];
	int pid = 0;

	snprintf(text, sizeof text, "T %s start %u pid ", role, starts);
	assert_int_equal(sscanf(await(d, text) + strlen(text), "%d", &pid), 1);
	assert_true(pid > 1);
	return pid;
}

/* Wait for the daemon's end. Returns its exit code. */
static int end_of(struct daemon *d)
{
	int status, code;

	for (int i = 0; i < PATIENCE_MS / 20; i++) {
		if (waitpid(d->pid, &status, WNOHANG) == d->pid) {
			listen_to(d);
			d->pid = 0;
			code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
			return code;
		}
		listen_to(d);
	}
	fprintf(stderr, "does not end; it said:\n%s\n", since(d));
	fail();
	return -1;
}

static void free_daemon(struct daemon *d)
{
	close(d->manager);
	close(d->said);
	free(d->text);
	free(d);
	current = NULL;
}

static int leave_nothing(void **state)
{
	(void)state;
	if (!current)
		return 0;
	if (current->pid > 0) { /* 0 and -1 would mean more than one process */
		kill(current->pid, SIGKILL);
		waitpid(current->pid, NULL, 0);
	}
	free_daemon(current);
	return 0;
}

static void stop(struct daemon *d)
{
	kill(d->pid, SIGTERM);
	assert_int_equal(end_of(d), 0);
	free_daemon(d);
}

static const char *const names[] = {"sense", "node", "ledger", "enforce"};
static const char *const leaves[] = {"sense", "ledger", "enforce"};

static void await_all_run(struct daemon *d)
{
	await(d, "all roles run");
	for (int i = 0; i < 3; i++) {
		char text[80];

		snprintf(text, sizeof text, "T node hears %s: I am %s", leaves[i], leaves[i]);
		await(d, text);
		snprintf(text, sizeof text, "T %s hears node: I am node", leaves[i]);
		await(d, text);
	}
}

static void test_start(void **state)
{
	char text[120];
	struct daemon *d;
	int left_open;

	(void)state;
	/* What whoever starts the daemon left open must not reach the roles. */
	left_open = fcntl(STDIN_FILENO, F_DUPFD, 50);
	configure("plain");
	d = start();
	await_all_run(d);
	await_told(d, 0, "READY=1");
	for (int i = 0; i < 4; i++) {
		snprintf(text, sizeof text, "T %s start 1 pid %d name plain fds 4 notify 0 "
			"password \"%s\"\n", names[i], (int)pid_of(d, names[i], 1),
			i == 0 ? "s3cret" : "");
		await(d, text);
	}
	await(d, "T node roles sense=3/1/0/2 node=3/1/0/2 ledger=3/1/0/2 enforce=3/1/0/2\n");
	assert_not_said(d, "T sense peer ledger");
	assert_not_said(d, "T sense peer enforce");
	assert_not_said(d, "T ledger peer enforce");
	/* The node's status passes; a line break in it would be the node's own command. */
	await_told(d, 0, "STATUS=five bans|");
	assert_null(strstr(d->told, "MAINPID"));
	assert_null(strstr(d->told, "STATUS=two"));
	stop(d);
	close(left_open);
}

/* Whichever role is killed: it comes back, with new links; others go on. */
static void test_kill_each(void **state)
{
	char text[120];
	struct daemon *d;

	(void)state;
	configure("plain");
	d = start();
	await_all_run(d);
	for (int i = 0; i < 3; i++) {
		pid_t pid = pid_of(d, leaves[i], 1);

		d->mark = d->n;
		assert_int_equal(kill(pid, SIGKILL), 0);
		snprintf(text, sizeof text, "%s (pid %d) was ended by signal 9 (Killed); "
			"starting it again in 100 ms", leaves[i], (int)pid);
		await(d, text);
		snprintf(text, sizeof text, "T node lost %s: closed by the other end", leaves[i]);
		await(d, text);
		snprintf(text, sizeof text, "T node peer %s starts 2", leaves[i]);
		await(d, text);
		snprintf(text, sizeof text, "T node hears %s: I am", leaves[i]);
		await(d, text);
		snprintf(text, sizeof text, "T %s hears node: I am node", leaves[i]);
		await(d, text);
		snprintf(text, sizeof text, "%s=3/2/-9/2", leaves[i]);
		await(d, text); /* the node is told how it ended, and that it runs */
		snprintf(text, sizeof text, " start ");
		assert_null(strstr(strstr(since(d), " start ") + 1, " start "));
		d->mark = 0;
	}
	d->mark = 0;
	kill(pid_of(d, "node", 1), SIGKILL);
	d->mark = d->n;
	for (int i = 0; i < 3; i++) {
		snprintf(text, sizeof text, "T %s lost node", leaves[i]);
		await(d, text);
		snprintf(text, sizeof text, "T %s peer node starts 2", leaves[i]);
		await(d, text);
		snprintf(text, sizeof text, "T %s hears node: I am node", leaves[i]);
		await(d, text);
		snprintf(text, sizeof text, "T node peer %s starts 2", leaves[i]);
		await(d, text);
	}
	assert_not_said(d, "T sense start");
	assert_not_said(d, "T ledger start");
	assert_not_said(d, "T enforce start");
	stop(d);
}

/* A role that dies again and again is given longer and longer pauses. */
static void test_crash_loop(void **state)
{
	struct daemon *d;

	(void)state;
	configure("crash-ledger");
	d = start();
	await(d, "ledger (pid ");
	await(d, "exited with 1; starting it again in 100 ms");
	await(d, "exited with 1; starting it again in 200 ms");
	await(d, "exited with 1; starting it again in 400 ms");
	await(d, "T sense hears node");
	await(d, "T ledger start 4");
	assert_not_said(d, "T sense start 2");
	assert_not_said(d, "T node start 2");
	assert_null(strstr(d->told, "READY=1")); /* the daemon is not all there */
	stop(d);
}

static void test_reload(void **state)
{
	char text[160];
	struct daemon *d;
	size_t told;

	(void)state;
	configure("first");
	d = start();
	await_all_run(d);
	mark(d);
	told = d->told_n;
	configure("second");
	kill(d->pid, SIGHUP);
	for (int i = 0; i < 4; i++) {
		snprintf(text, sizeof text, "T %s reload second password \"%s\"", names[i],
			i == 0 ? "s3cret" : "");
		await(d, text);
	}
	await(d, "configuration reloaded");
	assert_true(await_told(d, told, "RELOADING=1\nMONOTONIC_USEC=") <
		await_told(d, told, "READY=1\nSTATUS=configuration reloaded"));

	/* A wrong one: told by file and line; nothing changes, for nobody. */
	mark(d);
	told = d->told_n;
	write_config("[node]\nname = third\nobserve = maybe\n[hep]\nlisten = here\n");
	kill(d->pid, SIGHUP);
	snprintf(text, sizeof text, "%s:3: [node] observe: \"maybe\" is neither yes nor no\n",
		config_path);
	await(d, text);
	snprintf(text, sizeof text, "%s:5: [hep] listen: \"here\"", config_path);
	await(d, text);
	await(d, "the new configuration is wrong; the old one stays in force");
	assert_true(await_told(d, told, "RELOADING=1") <
		await_told(d, told, "READY=1\nSTATUS=reload failed"));
	kill(pid_of((d->mark = 0, d), "sense", 1), SIGKILL);
	mark(d);
	await(d, "T sense start 2");
	await(d, "name second");
	assert_not_said(d, "third");

	/* A role that cannot follow says why and goes on. */
	mark(d);
	told = d->told_n;
	configure("refuse-enforce");
	kill(d->pid, SIGHUP);
	await(d, "enforce keeps its old configuration: no, thank you");
	await(d, "T sense reload refuse-enforce");
	await_told(d, told, "READY=1\nSTATUS=configuration reloaded");
	assert_not_said(d, "enforce start");
	stop(d);
}

/* A role that needs to leave its sandbox is started anew at once. */
static void test_again(void **state)
{
	struct daemon *d;

	(void)state;
	configure("plain");
	d = start();
	await_all_run(d);
	mark(d);
	configure("again-sense");
	kill(d->pid, SIGHUP);
	await(d, "asks to be started anew");
	await(d, "T sense start 2");
	await(d, "T node peer sense starts 2");
	assert_not_said(d, "starting it again in");
	stop(d);
}

/* The node first, then the others; everybody ends by himself. */
static void test_stop(void **state)
{
	struct daemon *d;
	pid_t pids[4];

	(void)state;
	configure("plain");
	d = start();
	await_all_run(d);
	for (int i = 0; i < 4; i++)
		pids[i] = pid_of(d, names[i], 1);
	mark(d);
	kill(d->pid, SIGINT);
	assert_int_equal(end_of(d), 0);
	await(d, "stopped");
	for (int i = 0; i < 3; i++) {
		char text[40];

		snprintf(text, sizeof text, "T %s stop gone 0", leaves[i]);
		assert_true(await(d, "T node end") < await(d, text));
		snprintf(text, sizeof text, "T %s end", leaves[i]);
		await(d, text);
	}
	assert_not_said(d, "killing it");
	assert_not_said(d, "start");
	assert_non_null(strstr(d->told, "STOPPING=1"));
	for (int i = 0; i < 4; i++)
		assert_int_equal(kill(pids[i], 0), -1);
	free_daemon(d);
}

static void test_stubborn(void **state)
{
	struct supervisor_options o = fast();
	struct daemon *d;

	(void)state;
	o.stop_node = o.stop_others = USEC_PER_SEC / 5;
	configure("stubborn-node");
	d = start_with(&o);
	await_all_run(d);
	kill(d->pid, SIGTERM);
	assert_int_equal(end_of(d), 0);
	await(d, "T node stop gone 0");
	assert_true(await(d, "does not stop; killing it") < await(d, "T sense stop gone 0"));
	await(d, "T enforce end");
	free_daemon(d);

	configure("stubborn-ledger");
	d = start_with(&o);
	await_all_run(d);
	kill(d->pid, SIGTERM);
	assert_int_equal(end_of(d), 0);
	await(d, "ledger (pid ");
	await(d, "does not stop; killing it");
	await(d, "T node end");
	free_daemon(d);
}

/* kill -9 of the parent leaves nobody behind. */
static void test_parent_killed(void **state)
{
	struct daemon *d;
	pid_t pids[4];

	(void)state;
	/* The orphans become ours, so that we can see their end. */
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	configure("plain");
	d = start();
	await_all_run(d);
	for (int i = 0; i < 4; i++)
		pids[i] = pid_of(d, names[i], 1);
	assert_int_equal(kill(d->pid, SIGKILL), 0);
	assert_int_equal(end_of(d), -SIGKILL);
	for (int i = 0; i < 4; i++) {
		pid_t ended = 0;

		for (int j = 0; j < PATIENCE_MS / 20 && !ended; j++) {
			ended = waitpid(pids[i], NULL, WNOHANG);
			if (!ended)
				usleep(20000);
		}
		assert_int_equal(ended, pids[i]);
	}
	prctl(PR_SET_CHILD_SUBREAPER, 0);
	free_daemon(d);
}

/* A role that refuses its configuration at the first start ends the daemon. */
static void test_config_refused(void **state)
{
	struct daemon *d;

	(void)state;
	configure("config-enforce");
	d = start();
	assert_int_equal(end_of(d), 78);
	await(d, "enforce refuses the configuration; stopping");
	free_daemon(d);
}

/* A role that hangs is killed, and nobody tells the manager that all is well. */
static void test_hang(void **state)
{
	struct supervisor_options o = fast();
	struct daemon *d;
	unsigned count = 0;
	size_t told;

	(void)state;
	o.hang = 2 * USEC_PER_SEC;
	configure("plain");
	setenv("WATCHDOG_USEC", "400000", 1);
	d = start_with(&o);
	unsetenv("WATCHDOG_USEC");
	await_all_run(d);
	await_told(d, 0, "WATCHDOG=1");
	listen_to(d);
	told = d->told_n;
	kill(pid_of(d, "sense", 1), SIGSTOP);
	mark(d);
	await(d, "has not answered for 2 s; killing it");
	for (const char *p = d->told + told; (p = strstr(p, "WATCHDOG=1")); p++)
		count++;
	/* One is due every 100 ms: 20 in that time, had they not been withheld. */
	assert_true(count <= 8);
	await(d, "T sense start 2");
	told = d->told_n;
	await_told(d, told, "WATCHDOG=1");
	stop(d);
}

static void misbehaviour(const char *name, const char *said)
{
	struct daemon *d;

	configure(name);
	d = start();
	await(d, said);
	await(d, "T sense start 2");
	await(d, "T node peer sense starts 2");
	assert_not_said(d, "T node start 2");
	await(d, "all roles run");
	stop(d);
}

static void test_misbehaviour(void **state)
{
	(void)state;
	misbehaviour("rogue-sense", "sense sent message 900, which is not for the parent");
	misbehaviour("broken-sense", "sense: malformed message; ending it");
	misbehaviour("closing-sense", "has closed its pair and goes on; killing it");
}

/* --- the configuration as roles get it --- */

static void test_process_config(void **state)
{
	struct buffer errors = {0};
	struct config c;
	char text[8192];
	ssize_t n;

	(void)state;
	configure("plain");
	assert_int_equal(config_load(&c, config_path, &errors), 0);
	for (int role = ROLE_SENSE; role < ROLE_COUNT; role++) {
		int fd = process_config(&c, (enum role)role);

		assert_true(fd >= 0);
		n = pread(fd, text, sizeof text - 1, 0);
		assert_true(n > 0);
		text[n] = '\0';
		assert_int_equal(strstr(text, "s3cret") != NULL, role == ROLE_SENSE);
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

	snprintf(line, sizeof line, "exec /proc/%d/exe %s 2>&1", (int)getpid(), arguments);
	f = popen(line, "re");
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
	struct daemon *d = calloc(1, sizeof *d);
	struct stat st;
	int fds[2];

	(void)state;
	snprintf(run, sizeof run, "%s/run", folder);
	snprintf(state_path, sizeof state_path, "%s/state", folder);
	snprintf(text, sizeof text, "[node]\nname = plain\nuser =\nrun = %s\nstate = %s\n",
		run, state_path);
	write_config(text);
	assert_non_null(d);
	current = d;
	d->manager = open_manager();
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	d->said = fds[0];
	d->pid = fork();
	if (d->pid == 0) {
		dup2(fds[1], STDERR_FILENO);
		close(STDIN_FILENO); /* a descriptor that the daemon must not use */
		setenv("NOTIFY_SOCKET", manager_path, 1);
		execl("/proc/self/exe", "sipchaind", "-c", config_path, NULL);
		_exit(99);
	}
	close(fds[1]);
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

static int make_folder(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/supervisor-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(config_path, sizeof config_path, "%s/sipchain.conf", folder);
	snprintf(manager_path, sizeof manager_path, "%s/notify", folder);
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	unlink(config_path);
	unlink(manager_path);
	return rmdir(folder);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_start, leave_nothing),
		cmocka_unit_test_teardown(test_kill_each, leave_nothing),
		cmocka_unit_test_teardown(test_crash_loop, leave_nothing),
		cmocka_unit_test_teardown(test_reload, leave_nothing),
		cmocka_unit_test_teardown(test_again, leave_nothing),
		cmocka_unit_test_teardown(test_stop, leave_nothing),
		cmocka_unit_test_teardown(test_stubborn, leave_nothing),
		cmocka_unit_test_teardown(test_parent_killed, leave_nothing),
		cmocka_unit_test_teardown(test_config_refused, leave_nothing),
		cmocka_unit_test_teardown(test_hang, leave_nothing),
		cmocka_unit_test_teardown(test_misbehaviour, leave_nothing),
		cmocka_unit_test_teardown(test_process_config, leave_nothing),
		cmocka_unit_test_teardown(test_command_line, leave_nothing),
		cmocka_unit_test_teardown(test_program, leave_nothing),
	};

	if (argc > 1)
		return daemon_start(argc, argv, roles_for_test);
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
