/* SPDX-License-Identifier: Apache-2.0 */
/* The supervisor with real processes: starts, deaths, reload, stop. */
#include "daemon_for_test.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/start.h"

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
		snprintf(text, sizeof text,
			"T %s start 1 pid %d name plain fds 4 notify 0 "
			"password \"%s\"\n",
			names[i], (int)pid_of(d, names[i], 1), i == 0 ? "s3cret" : "");
		await(d, text);
	}
	await(d,
		"T node roles sense=3/1/0/2 node=3/1/0/2 ledger=3/1/0/2 enforce=3/1/0/2\n");
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
	pid_t pid;

	(void)state;
	configure("plain");
	d = start();
	await_all_run(d);
	for (int i = 0; i < 3; i++) {
		pid = pid_of(d, leaves[i], 1);
		mark(d);
		assert_int_equal(kill(pid, SIGKILL), 0);
		snprintf(text, sizeof text,
			"%s (pid %d) was ended by signal 9 (Killed); "
			"starting it again in 100 ms",
			leaves[i], (int)pid);
		await(d, text);
		snprintf(text, sizeof text, "T node lost %s: closed by the other end",
			leaves[i]);
		await(d, text);
		snprintf(text, sizeof text, "T node peer %s starts 2", leaves[i]);
		await(d, text);
		snprintf(text, sizeof text, "T node hears %s: I am", leaves[i]);
		await(d, text);
		snprintf(text, sizeof text, "T %s hears node: I am node", leaves[i]);
		await(d, text);
		snprintf(text, sizeof text, "%s=3/2/-9/2", leaves[i]);
		await(d, text); /* the node is told how it ended, and that it runs */
		for (int j = 0; j < 4; j++) {
			snprintf(text, sizeof text, "T %s start ", names[j]);
			if (strcmp(names[j], leaves[i]) != 0)
				assert_not_said(d, text);
		}
	}
	pid = pid_of(d, "node", 1);
	mark(d);
	assert_int_equal(kill(pid, SIGKILL), 0);
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
	pid_t pid;

	(void)state;
	configure("first");
	d = start();
	await_all_run(d);
	mark(d);
	told = d->told_n;
	configure("second");
	kill(d->pid, SIGHUP);
	for (int i = 0; i < 4; i++) {
		snprintf(text, sizeof text, "T %s reload second password \"%s\"",
			names[i], i == 0 ? "s3cret" : "");
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
	snprintf(text, sizeof text,
		"%s:3: [node] observe: \"maybe\" is neither yes nor no\n", config_path);
	await(d, text);
	snprintf(text, sizeof text, "%s:5: [hep] listen: \"here\"", config_path);
	await(d, text);
	await(d, "the new configuration is wrong; the old one stays in force");
	assert_true(await_told(d, told, "RELOADING=1") <
		await_told(d, told, "READY=1\nSTATUS=reload failed"));
	pid = pid_of(d, "sense", 1);
	mark(d);
	kill(pid, SIGKILL);
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

#define WEBHOOK                                                                          \
	"[webhook \"siem\"]\nurl = https://siem.example.net/in/tok3n\n"                  \
	"secret_file = /etc/sipchain/siem.secret\n"

/* `deliver` runs while there is a webhook, and only then. */
static void test_deliver(void **state)
{
	char text[160];
	struct daemon *d;
	pid_t pid;

	(void)state;
	configure("plain");
	d = start();
	await_all_run(d);
	assert_not_said(d, "T deliver");
	mark(d);
	write_config("[node]\nname = more\n[enforce]\ntype = none\n" WEBHOOK);
	kill(d->pid, SIGHUP);
	await(d, "T deliver start 1");
	await(d, "T node peer deliver starts 1");
	await(d, "T deliver hears node: I am node");
	await(d, "enforce=3/1/0/2 deliver=3/1/0/2\n");
	assert_not_said(d, "T deliver peer sense");
	/* It is started again like any other .. */
	pid = pid_of(d, "deliver", 1);
	mark(d);
	kill(pid, SIGKILL);
	await(d, "starting it again in 100 ms");
	await(d, "T node peer deliver starts 2");
	await(d, "deliver=3/2/-9/2\n");
	/* .. and ends, for as long, when it has nothing to do. */
	pid = pid_of(d, "deliver", 2);
	mark(d);
	write_config(
		"[node]\nname = off\n[enforce]\ntype = none\n" WEBHOOK "enabled = no\n");
	kill(d->pid, SIGHUP);
	await(d, "T deliver stop gone 0");
	snprintf(text, sizeof text, "deliver (pid %d) has ended: no [webhook] is left",
		(int)pid);
	await(d, text);
	await(d, "enforce=3/1/0/2\n");
	assert_not_said(d, "starting it again");
	mark(d);
	write_config("[node]\nname = on\n[enforce]\ntype = none\n" WEBHOOK);
	kill(d->pid, SIGHUP);
	await(d, "T deliver start 3");
	await(d, "deliver=3/3/0/2\n");
	stop(d);
}

/* One that does not stop when it is to is killed. */
static void test_deliver_stubborn(void **state)
{
	struct supervisor_options o = fast();
	struct daemon *d;

	(void)state;
	o.stop_others = USEC_PER_SEC / 5;
	write_config("[node]\nname = plain\n[enforce]\ntype = none\n" WEBHOOK);
	d = start_with(&o);
	await(d, "T deliver hears node: I am node");
	await_told(d, 0, "READY=1");
	mark(d);
	write_config("[node]\nname = stubborn-deliver\n[enforce]\ntype = none\n" WEBHOOK);
	kill(d->pid, SIGHUP);
	await(d, "T deliver reload stubborn-deliver");
	mark(d);
	configure("plain");
	kill(d->pid, SIGHUP);
	await(d, "T deliver stop gone 0");
	await(d, "does not stop; killing it");
	await(d, "has ended: no [webhook] is left");
	await(d, "enforce=3/1/0/2\n");
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
	assert_true(
		await(d, "does not stop; killing it") < await(d, "T sense stop gone 0"));
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
	pid_t pid;

	(void)state;
	o.hang = 2 * USEC_PER_SEC;
	configure("plain");
	setenv("WATCHDOG_USEC", "400000", 1);
	d = start_with(&o);
	unsetenv("WATCHDOG_USEC");
	await_all_run(d);
	await_told(d, 0, "WATCHDOG=1");
	pid = pid_of(d, "sense", 1);
	mark(d);
	kill(pid, SIGSTOP);
	listen_to(d);
	told = d->told_n; /* what was told before it stood still does not count */
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
	misbehaviour(
		"rogue-sense", "sense sent message 900, which is not for the parent");
	misbehaviour("broken-sense", "sense: malformed message; ending it");
	misbehaviour("closing-sense", "has closed its pair and goes on; killing it");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_start, leave_nothing),
		cmocka_unit_test_teardown(test_kill_each, leave_nothing),
		cmocka_unit_test_teardown(test_crash_loop, leave_nothing),
		cmocka_unit_test_teardown(test_reload, leave_nothing),
		cmocka_unit_test_teardown(test_again, leave_nothing),
		cmocka_unit_test_teardown(test_deliver, leave_nothing),
		cmocka_unit_test_teardown(test_deliver_stubborn, leave_nothing),
		cmocka_unit_test_teardown(test_stop, leave_nothing),
		cmocka_unit_test_teardown(test_stubborn, leave_nothing),
		cmocka_unit_test_teardown(test_parent_killed, leave_nothing),
		cmocka_unit_test_teardown(test_config_refused, leave_nothing),
		cmocka_unit_test_teardown(test_hang, leave_nothing),
		cmocka_unit_test_teardown(test_misbehaviour, leave_nothing),
	};

	if (argc > 1)
		return daemon_start(argc, argv, roles_for_test);
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
