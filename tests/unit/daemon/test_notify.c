/* SPDX-License-Identifier: Apache-2.0 */
#include "../cmocka_all.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/backoff.h"
#include "daemon/notify.h"
#include "daemon/role.h"

/* A service manager's socket under this name ("@..." abstract). */
static int manager(const char *name)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	size_t n = strlen(name);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	memcpy(at.sun_path, name, n);
	if (name[0] == '@')
		at.sun_path[0] = '\0';
	assert_int_equal(bind(fd, (struct sockaddr *)&at,
				 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)),
		0);
	return fd;
}

static void expect_text(int fd, const char *text)
{
	char got[1024] = "";
	ssize_t n = recv(fd, got, sizeof got - 1, 0);

	assert_true(n > 0);
	assert_string_equal(got, text);
}

static void try_name(const char *name)
{
	char long_text[1100];
	struct notify n;
	char pid[20];
	int fd = manager(name);

	snprintf(pid, sizeof pid, "%ld", (long)getpid());
	setenv("NOTIFY_SOCKET", name, 1);
	setenv("WATCHDOG_USEC", "30000000", 1);
	setenv("WATCHDOG_PID", pid, 1);
	notify_open(&n);
	assert_true(n.fd >= 0);
	assert_int_equal(n.watchdog, 30 * USEC_PER_SEC);
	assert_null(getenv("NOTIFY_SOCKET"));
	assert_null(getenv("WATCHDOG_USEC"));
	assert_null(getenv("WATCHDOG_PID"));

	assert_int_equal(notify_send(&n, "READY=1\nSTATUS=%d roles", 4), 0);
	expect_text(fd, "READY=1\nSTATUS=4 roles");
	assert_int_equal(notify_reloading(&n, 1234567), 0);
	expect_text(fd, "RELOADING=1\nMONOTONIC_USEC=1234567");
	memset(long_text, 'x', sizeof long_text);
	long_text[sizeof long_text - 1] = '\0';
	assert_int_equal(notify_send(&n, "STATUS=%s", long_text), -1);
	assert_int_equal(errno, EMSGSIZE);

	close(fd); /* the manager is gone: an error, no signal */
	assert_int_equal(notify_send(&n, "WATCHDOG=1"), -1);
	notify_close(&n);
	assert_int_equal(n.fd, -1);
}

static void test_path(void **state)
{
	char folder[] = "/tmp/notify-XXXXXX", name[64];

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(name, sizeof name, "%s/socket", folder);
	try_name(name);
	unlink(name);
	rmdir(folder);
}

static void test_abstract(void **state)
{
	char name[64];

	(void)state;
	snprintf(name, sizeof name, "@sipchain-test-%ld", (long)getpid());
	try_name(name);
}

static void test_nobody(void **state)
{
	struct notify n;

	(void)state;
	unsetenv("NOTIFY_SOCKET");
	setenv("WATCHDOG_USEC", "1000", 1);
	notify_open(&n);
	assert_int_equal(n.fd, -1);
	assert_int_equal(n.watchdog, 0);
	assert_int_equal(notify_send(&n, "READY=1"), 0);
	notify_close(&n);

	setenv("NOTIFY_SOCKET", "relative/path", 1);
	notify_open(&n);
	assert_int_equal(n.fd, -1);
	setenv("NOTIFY_SOCKET", "/nonexistent/socket", 1);
	notify_open(&n);
	assert_int_equal(n.fd, -1);
}

/* A watchdog that is meant for another process is not ours. */
static void test_watchdog_pid(void **state)
{
	char name[64];
	struct notify n;
	int fd;

	(void)state;
	snprintf(name, sizeof name, "@sipchain-test-wd-%ld", (long)getpid());
	fd = manager(name);
	setenv("NOTIFY_SOCKET", name, 1);
	setenv("WATCHDOG_USEC", "30000000", 1);
	setenv("WATCHDOG_PID", "1", 1);
	notify_open(&n);
	assert_true(n.fd >= 0);
	assert_int_equal(n.watchdog, 0);
	notify_close(&n);
	setenv("NOTIFY_SOCKET", name, 1);
	setenv("WATCHDOG_USEC", "soon", 1);
	notify_open(&n);
	assert_int_equal(n.watchdog, 0);
	notify_close(&n);
	close(fd);
}

static void test_backoff(void **state)
{
	static const uint64_t ms[] = {
		100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000, 30000};
	usec wait = 0;

	(void)state;
	for (size_t i = 0; i < sizeof ms / sizeof ms[0]; i++) {
		wait = backoff_next(wait, 5 * USEC_PER_SEC);
		assert_int_equal(wait, ms[i] * 1000);
	}
	assert_int_equal(backoff_next(wait, 60 * USEC_PER_SEC - 1), 30 * USEC_PER_SEC);
	assert_int_equal(backoff_next(wait, 60 * USEC_PER_SEC), 100000);
}

static void test_roles(void **state)
{
	(void)state;
	for (int i = ROLE_SENSE; i < ROLE_COUNT; i++)
		assert_int_equal(role_parse(role_name((enum role)i)), i);
	assert_int_equal(role_parse("parent"), -1);
	assert_int_equal(role_parse("sens"), -1);
	assert_string_equal(role_name(ROLE_COUNT), "?");
	assert_true(role_linked(ROLE_NODE, ROLE_SENSE));
	assert_true(role_linked(ROLE_LEDGER, ROLE_NODE));
	assert_true(role_linked(ROLE_ENFORCE, ROLE_NODE));
	assert_true(role_linked(ROLE_NODE, ROLE_DELIVER));
	assert_false(role_linked(ROLE_SENSE, ROLE_ENFORCE));
	assert_false(role_linked(ROLE_LEDGER, ROLE_DELIVER));
	assert_false(role_linked(ROLE_LEDGER, ROLE_ENFORCE));
	assert_false(role_linked(ROLE_NODE, ROLE_NODE));
	assert_false(role_linked(ROLE_NODE, ROLE_PARENT));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_path),
		cmocka_unit_test(test_abstract),
		cmocka_unit_test(test_nobody),
		cmocka_unit_test(test_watchdog_pid),
		cmocka_unit_test(test_backoff),
		cmocka_unit_test(test_roles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
