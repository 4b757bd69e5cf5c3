/* SPDX-License-Identifier: Apache-2.0 */
/* What a sealed role cannot do. */
#include "sealed.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- files --- */

static int open_shadow(enum role role)
{
	(void)role;
	return open_path("/etc/shadow", O_RDONLY);
}

static int open_passwd(enum role role)
{
	(void)role;
	return open_path("/etc/passwd", O_RDONLY);
}

static int open_readable(enum role role)
{
	char path[100];

	(void)role;
	snprintf(path, sizeof path, "%s/file", readable);
	return open_path(path, O_RDONLY);
}

static int write_readable(enum role role)
{
	char path[100];

	(void)role;
	snprintf(path, sizeof path, "%s/file", readable);
	return open_path(path, O_WRONLY);
}

static int create_readable(enum role role)
{
	char path[100];

	(void)role;
	snprintf(path, sizeof path, "%s/new", readable);
	return open_path(path, O_WRONLY | O_CREAT);
}

/* Make, cut, rename and remove a file. */
static int change_writable(enum role role)
{
	char path[100], other[100];
	int fd;

	snprintf(path, sizeof path, "%s/%d", writable, (int)role);
	snprintf(other, sizeof other, "%s/%d-other", writable, (int)role);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || write(fd, "x", 1) != 1 || ftruncate(fd, 0) || fsync(fd) ||
		close(fd) || rename(path, other) || unlink(other))
		return errno;
	return 0;
}

/* What a recorder does: make a file, lock it, append, remove it by its name. */
static int record_writable(enum role role)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int folder = open(writable, O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd;
	char name[32];

	if (folder < 0)
		return errno;
	snprintf(name, sizeof name, "%d-record", (int)role);
	fd = openat(folder, name,
		O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (fd < 0 || fcntl(fd, F_OFD_SETLK, &lock) || write(fd, "x", 1) != 1 ||
		close(fd) || unlinkat(folder, name, 0))
		return errno;
	return 0;
}

static void test_files(void **state)
{
	(void)state;
	for (size_t i = 0; i < ALL_ROLES; i++) {
		enum role role = all_roles[i];
		int rc = result(role, open_shadow);

		assert_true(rc == EACCES || rc == EPERM);
		if (!landlock)
			continue;
		assert_int_equal(result(role, write_readable) != 0, 1);
		assert_int_equal(result(role, create_readable) != 0, 1);
		assert_true(result(role, open_passwd) != 0);
	}
	assert_int_equal(result(ROLE_SENSE, open_readable), 0);
	assert_int_equal(result(ROLE_NODE, open_readable), 0);
	if (landlock) {
		assert_int_equal(result(ROLE_NODE, open_passwd), EACCES);
		assert_int_equal(result(ROLE_NODE, write_readable), EACCES);
		assert_int_equal(result(ROLE_NODE, create_readable), EACCES);
	}
	assert_int_equal(result(ROLE_NODE, change_writable), 0);
	assert_int_equal(result(ROLE_LEDGER, change_writable), 0);
	assert_int_equal(result(ROLE_SENSE, change_writable), EPERM);
	assert_int_equal(result(ROLE_DELIVER, change_writable), EPERM);
	assert_int_equal(result(ROLE_SENSE, record_writable), 0);
}

/* --- sockets --- */

static int try_socket(int family, int type)
{
	int fd = socket(family, type | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static int socket_inet(enum role role)
{
	(void)role;
	return try_socket(AF_INET, SOCK_STREAM);
}

static int socket_inet6(enum role role)
{
	(void)role;
	return try_socket(AF_INET6, SOCK_DGRAM);
}

static int socket_netlink(enum role role)
{
	(void)role;
	return try_socket(AF_NETLINK, SOCK_RAW);
}

static int socket_packet(enum role role)
{
	(void)role;
	return try_socket(AF_PACKET, SOCK_RAW);
}

static int socket_unix(enum role role)
{
	(void)role;
	return try_socket(AF_UNIX, SOCK_STREAM);
}

/* What connects takes nothing in: not by bind(), listen(), accept(). */
static int take_in(enum role role)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)role;
	if (fd < 0)
		return errno;
	if (!bind(fd, (struct sockaddr *)&at, sizeof at) || errno != EPERM)
		return 1;
	if (!listen(fd, 1) || errno != EPERM)
		return 2;
	return accept4(fd, NULL, NULL, SOCK_CLOEXEC) >= 0 || errno != EPERM ? 3 : 0;
}

static void test_sockets(void **state)
{
	(void)state;
	assert_int_equal(result(ROLE_DELIVER, take_in), 0);
	for (size_t i = 0; i < ALL_ROLES; i++) {
		enum role role = all_roles[i];

		assert_int_equal(
			result(role, socket_inet), role == ROLE_DELIVER ? 0 : EPERM);
		assert_int_equal(
			result(role, socket_inet6), role == ROLE_DELIVER ? 0 : EPERM);
		assert_int_equal(result(role, socket_netlink), EPERM);
		assert_int_equal(result(role, socket_packet), EPERM);
		assert_int_equal(
			result(role, socket_unix), role == ROLE_NODE ? 0 : EPERM);
	}
}

/* --- what ends a process, and what is only refused --- */

static int try_execve(enum role role)
{
	char *argv[] = {(char[]){"true"}, NULL}, *env[] = {NULL};

	(void)role;
	execve("/bin/true", argv, env);
	return errno;
}

static int try_ptrace(enum role role)
{
	(void)role;
	return ptrace(PTRACE_TRACEME, 0, NULL, NULL) ? errno : 0;
}

static int try_mount(enum role role)
{
	(void)role;
	return syscall(SYS_mount, "none", "/mnt", "tmpfs", 0, NULL) ? errno : 0;
}

static int try_bpf(enum role role)
{
	(void)role;
	return syscall(SYS_bpf, 0, NULL, 0) ? errno : 0;
}

static int try_unshare(enum role role)
{
	(void)role;
	return unshare(CLONE_NEWUSER) ? errno : 0;
}

static int try_readv(enum role role)
{
	(void)role;
	return syscall(SYS_process_vm_readv, getppid(), NULL, 0, NULL, 0, 0) ? errno : 0;
}

#ifdef __x86_64__
/* The filter names calls by their x86-64 numbers; others must not get in. */
static int try_i386(enum role role)
{
	long rc;

	(void)role;
	__asm__ volatile("int $0x80" : "=a"(rc) : "a"(20L) : "memory"); /* getpid */
	return rc > 0 ? 0 : 1;
}

static int try_x32(enum role role)
{
	(void)role;
	return syscall(0x40000000L | SYS_getpid) < 0 ? errno : 0;
}
#endif

static void test_hostile(void **state)
{
	(void)state;
	for (size_t i = 0; i < ALL_ROLES; i++) {
		enum role role = all_roles[i];

		assert_ended(role, try_execve);
		assert_ended(role, try_ptrace);
		assert_ended(role, try_mount);
		assert_ended(role, try_bpf);
		assert_ended(role, try_unshare);
		assert_ended(role, try_readv);
#ifdef __x86_64__
		assert_ended(role, try_i386);
		assert_ended(role, try_x32);
#endif
	}
}

static int try_fork(enum role role)
{
	pid_t pid = fork();

	(void)role;
	if (pid == 0)
		_exit(0);
	return pid < 0 ? errno : 0;
}

static void *no_thread(void *argument)
{
	return argument;
}

static int try_thread(enum role role)
{
	pthread_t thread;

	(void)role;
	return pthread_create(&thread, NULL, no_thread, NULL);
}

static int try_exec_memory(enum role role)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)role;
	return p == MAP_FAILED ? errno : 0;
}

static int try_make_executable(enum role role)
{
	void *p = mmap(
		NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)role;
	if (p == MAP_FAILED)
		return SETUP_FAILED;
	return mprotect(p, 4096, PROT_READ | PROT_EXEC) ? errno : 0;
}

static int try_kill(enum role role)
{
	(void)role;
	return kill(getppid(), 0) ? errno : 0;
}

static int try_dumpable(enum role role)
{
	(void)role;
	return prctl(PR_SET_DUMPABLE, 1) ? errno : 0;
}

static int try_setrlimit(enum role role)
{
	struct rlimit r;

	(void)role;
	if (getrlimit(RLIMIT_NOFILE, &r))
		return SETUP_FAILED;
	return setrlimit(RLIMIT_NOFILE, &r) ? errno : 0;
}

static void test_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ALL_ROLES; i++) {
		enum role role = all_roles[i];

		assert_int_equal(result(role, try_fork), EPERM);
		assert_int_equal(
			result(role, try_thread), role == ROLE_DELIVER ? 0 : EPERM);
		assert_int_equal(result(role, try_exec_memory), EPERM);
		assert_int_equal(result(role, try_make_executable), EPERM);
		assert_int_equal(result(role, try_kill), EPERM);
		assert_int_equal(result(role, try_dumpable), EPERM);
		assert_int_equal(result(role, try_setrlimit), EPERM);
	}
}

/* A failed assertion must still leave its signal. */
static int try_abort(enum role role)
{
	(void)role;
	abort();
}

static void test_abort(void **state)
{
	int status = status_of(ROLE_SENSE, try_abort);

	(void)state;
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_sockets),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_abort),
	};

	return cmocka_run_group_tests(tests, make_folders, remove_folders);
}
