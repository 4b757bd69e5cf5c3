/* SPDX-License-Identifier: Apache-2.0 */
#include "sealed.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "remove_tree.h"

char readable[80], writable[80];
bool landlock;

static char folder[64];

const enum role all_roles[ALL_ROLES] = {
	ROLE_SENSE, ROLE_NODE, ROLE_LEDGER, ROLE_ENFORCE, ROLE_DELIVER};

void seal(enum role role, const char *user)
{
	const struct sandbox_path paths[] = {
		{readable, SANDBOX_READ},
		{writable, SANDBOX_READ | SANDBOX_WRITE},
		{"/nonexistent/folder", SANDBOX_READ},
	};
	struct sandbox s = {.role = role,
		.user = user,
		.paths = paths,
		.paths_count = 3,
		.connects = role == ROLE_DELIVER};
	struct error err = {""};

	if (sandbox_seal(&s, &err)) {
		fprintf(stderr, "%s\n", err.text);
		_exit(SEAL_FAILED);
	}
}

int status_of(enum role role, attempt *fn)
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		seal(role, "");
		_exit(fn(role));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

int result(enum role role, attempt *fn)
{
	int status = status_of(role, fn);

	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

void assert_ended(enum role role, attempt *fn)
{
	int status = status_of(role, fn);

	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSYS);
}

int open_path(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

int apart(int (*fn)(void))
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(fn());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

int make_folders(void **state)
{
	char path[100];

	(void)state;
	landlock = syscall(SYS_landlock_create_ruleset, NULL, 0, 1U) >= 1;
	strcpy(folder, "/tmp/sandbox-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(readable, sizeof readable, "%s/r", folder);
	snprintf(writable, sizeof writable, "%s/w", folder);
	snprintf(path, sizeof path, "%s/file", readable);
	return mkdir(readable, 0755) || mkdir(writable, 0755) ||
			open_path(path, O_WRONLY | O_CREAT) ?
		-1 :
		0;
}

int remove_folders(void **state)
{
	(void)state;
	return remove_tree(folder);
}
