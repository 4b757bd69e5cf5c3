/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each case runs in a process of its own, which seals itself for real and then
 * tries something; its exit code is the errno of that, 0 for success.
 */
#include "../cmocka_all.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <pthread.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sqlite3.h>
#include <uv.h>

#include "base/log.h"
#include "daemon/link.h"
#include "daemon/sandbox.h"
#include "enforce/nft.h"

#define SEAL_FAILED 250
#define SETUP_FAILED 251

static char folder[64], readable[80], writable[80];

static const enum role all_roles[] = {ROLE_SENSE, ROLE_NODE, ROLE_LEDGER, ROLE_ENFORCE};

/* Seal as a role, with one folder to read and one to write. */
static void seal(enum role role, const char *user)
{
	const struct sandbox_path paths[] = {
		{readable, SANDBOX_READ},
		{writable, SANDBOX_READ | SANDBOX_WRITE},
		{"/nonexistent/folder", SANDBOX_READ},
	};
	struct sandbox s = {.role = role, .user = user, .paths = paths, .paths_count = 3};
	struct error err = {""};

	if (sandbox_seal(&s, &err)) {
		fprintf(stderr, "%s\n", err.text);
		_exit(SEAL_FAILED);
	}
}

typedef int attempt(enum role role);

/* Returns the wait status of a process that sealed itself and made the attempt. */
static int status_of(enum role role, attempt *fn)
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

static int result(enum role role, attempt *fn)
{
	int status = status_of(role, fn);

	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* The filter ends the process with SIGSYS. */
static void assert_ended(enum role role, attempt *fn)
{
	int status = status_of(role, fn);

	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSYS);
}

/* Asked before anything is sealed: a sealed process may not even ask. */
static bool landlock;

/* --- files --- */

static int open_path(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

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
	if (fd < 0 || write(fd, "x", 1) != 1 || ftruncate(fd, 0) || fsync(fd) || close(fd) ||
		rename(path, other) || unlink(other))
		return errno;
	return 0;
}

static void test_files(void **state)
{
	(void)state;
	for (size_t i = 0; i < 4; i++) {
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

static void test_sockets(void **state)
{
	(void)state;
	for (size_t i = 0; i < 4; i++) {
		enum role role = all_roles[i];

		assert_int_equal(result(role, socket_inet), EPERM);
		assert_int_equal(result(role, socket_inet6), EPERM);
		assert_int_equal(result(role, socket_netlink), EPERM);
		assert_int_equal(result(role, socket_packet), EPERM);
		assert_int_equal(result(role, socket_unix), role == ROLE_NODE ? 0 : EPERM);
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
	for (size_t i = 0; i < 4; i++) {
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
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

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

static void test_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < 4; i++) {
		enum role role = all_roles[i];

		assert_int_equal(result(role, try_fork), EPERM);
		assert_int_equal(result(role, try_thread), EPERM);
		assert_int_equal(result(role, try_exec_memory), EPERM);
		assert_int_equal(result(role, try_make_executable), EPERM);
		assert_int_equal(result(role, try_kill), EPERM);
		assert_int_equal(result(role, try_dumpable), EPERM);
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

/* --- what must go on working --- */

static int use_sqlite(enum role role)
{
	char path[100], *text = NULL;
	sqlite3 *db;
	int rc;

	snprintf(path, sizeof path, "%s/%d.db", writable, (int)role);
	rc = sqlite3_open(path, &db);
	if (!rc)
		rc = sqlite3_exec(db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
			"CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT) STRICT;"
			"BEGIN IMMEDIATE; INSERT INTO t(b) VALUES (hex(randomblob(2000)));"
			"INSERT INTO t(b) SELECT b FROM t; INSERT INTO t(b) SELECT b FROM t; COMMIT;"
			"CREATE TEMP TABLE u AS SELECT * FROM t ORDER BY b;"
			"PRAGMA wal_checkpoint(TRUNCATE); VACUUM; DELETE FROM t;", NULL, NULL, &text);
	if (rc)
		fprintf(stderr, "sqlite: %s\n", text ? text : sqlite3_errmsg(db));
	rc |= sqlite3_close(db);
	sqlite3_free(text);
	return rc;
}

static void test_sqlite(void **state)
{
	(void)state;
	assert_int_equal(result(ROLE_NODE, use_sqlite), 0);
	assert_int_equal(result(ROLE_LEDGER, use_sqlite), 0);
}

struct loop_use {
	uv_loop_t loop;
	uv_timer_t timer;
	uv_async_t async;
	uv_fs_event_t watch;
	struct link *link;
	int done, failed;
};

static void on_timer(uv_timer_t *timer)
{
	struct loop_use *u = timer->data;

	u->done |= 1;
	uv_async_send(&u->async);
}

static void on_async(uv_async_t *async)
{
	struct loop_use *u = async->data;

	u->done |= 2;
	uv_stop(&u->loop);
}

static void on_link_message(void *context, struct link *l, uint16_t type,
	struct view payload, int fd)
{
	struct loop_use *u = context;

	(void)l;
	if (type == 9 && payload.n == 2 && fd < 0)
		u->done |= 4;
}

static void on_link_closed(void *context, struct link *l, const char *why)
{
	(void)context;
	(void)l;
	(void)why;
}

static void on_watch(uv_fs_event_t *watch, const char *name, int events, int status)
{
	(void)watch;
	(void)name;
	(void)events;
	(void)status;
}

/* A loop opened after the seal, as a role has it, with a link that comes then. */
static int use_loop(enum role role)
{
	static struct loop_use u;
	const struct link_callbacks callbacks = {.context = &u, .message = on_link_message,
		.closed = on_link_closed};
	int all = 7;

	if (uv_loop_init(&u.loop))
		return 1;
	u.timer.data = u.async.data = &u;
	uv_timer_init(&u.loop, &u.timer);
	uv_timer_start(&u.timer, on_timer, 1, 0);
	if (uv_async_init(&u.loop, &u.async, on_async))
		return 2;
	u.link = link_open(&u.loop, role == ROLE_SENSE ? 100 : 102, 1000, &callbacks);
	if (!u.link)
		return 3;
	if (packet_send(role == ROLE_SENSE ? 101 : 103, 9, view_str("hi"), -1))
		return 4;
	if (role != ROLE_ENFORCE) {
		uv_fs_event_init(&u.loop, &u.watch);
		if (uv_fs_event_start(&u.watch, on_watch, readable, 0))
			return 5;
	}
	uv_run(&u.loop, UV_RUN_DEFAULT);
	log_notice("a sealed role logs");
	return u.done == all ? 0 : 6;
}

static void test_loop(void **state)
{
	int fds[2];

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(packet_pair(fds), 0);
		assert_true(dup2(fds[0], all_roles[i] == ROLE_SENSE ? 100 : 102) > 0);
		assert_true(dup2(fds[1], all_roles[i] == ROLE_SENSE ? 101 : 103) > 0);
		close(fds[0]);
		close(fds[1]);
		assert_int_equal(result(all_roles[i], use_loop), 0);
	}
}

static int udp_fd, tcp_fd, client_fd;

/* Sockets opened before the seal go on receiving and accepting. */
static int use_network(enum role role)
{
	char text[8];
	int fd;

	(void)role;
	if (recv(udp_fd, text, sizeof text, 0) != 3)
		return errno ? errno : 1;
	fd = accept4(tcp_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	return fd < 0 ? errno : 0;
}

static void test_network(void **state)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	socklen_t n = sizeof at;

	(void)state;
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	udp_fd = socket(AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(bind(udp_fd, (struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(getsockname(udp_fd, (struct sockaddr *)&at, &n), 0);
	assert_int_equal(sendto(udp_fd, "abc", 3, 0, (struct sockaddr *)&at, sizeof at), 3);
	tcp_fd = socket(AF_INET, SOCK_STREAM, 0);
	at.sin_port = 0;
	assert_int_equal(bind(tcp_fd, (struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(listen(tcp_fd, 1), 0);
	assert_int_equal(getsockname(tcp_fd, (struct sockaddr *)&at, &n), 0);
	client_fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(client_fd, (struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(result(ROLE_SENSE, use_network), 0);
	close(client_fd);
	close(tcp_fd);
	close(udp_fd);
}

/* --- who the process is --- */

static int ordinary(enum role role)
{
	struct sandbox_report r;

	if (sandbox_report(&r))
		return 1;
	if (r.uid != geteuid() || r.gid != getegid())
		return 2;
	if (!r.no_new_privs || r.seccomp != 2)
		return 3;
	if (r.cap_effective & ~(UINT64_C(1) << CAP_NET_ADMIN))
		return 4;
	if (role != ROLE_ENFORCE && r.cap_effective)
		return 5;
	if (r.landlock_paths != (landlock ? 2 : 0))
		return 6;
	return r.landlock_abi >= 0 ? 0 : 7;
}

static void test_report(void **state)
{
	struct sandbox_report before;

	(void)state;
	assert_int_equal(sandbox_report(&before), 0);
	assert_int_equal(before.uid, geteuid());
	assert_int_equal(before.seccomp, 0);
	assert_int_equal(before.landlock_abi, 0);
	assert_false(before.no_new_privs);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(result(all_roles[i], ordinary), 0);
}

static int core_limits(enum role role)
{
	struct rlimit r;

	(void)role;
	if (getrlimit(RLIMIT_CORE, &r))
		return errno;
	return r.rlim_cur == 0 && r.rlim_max == 0 && prctl(PR_GET_DUMPABLE) == 0 ? 0 : 1;
}

static void test_core(void **state)
{
	(void)state;
	assert_int_equal(result(ROLE_LEDGER, core_limits), 0);
}

/* Run fn in a process of its own, unsealed at first. Returns its exit code. */
static int apart(int (*fn)(void))
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

/* As root, with a user to become: ids, groups and every capability set change. */
static int become_nobody(void)
{
	const struct passwd *pw = getpwnam("nobody");
	struct sandbox_report r;
	uid_t real, effective, saved;

	seal(ROLE_ENFORCE, "nobody");
	if (sandbox_report(&r))
		return 1;
	if (r.uid != pw->pw_uid || r.gid != pw->pw_gid)
		return 2;
	if (getresuid(&real, &effective, &saved) || real != pw->pw_uid || saved != real)
		return 3;
	if (r.cap_effective != UINT64_C(1) << CAP_NET_ADMIN ||
		r.cap_bounding != UINT64_C(1) << CAP_NET_ADMIN)
		return 4;
	if (setuid(0) == 0)
		return 5;
	return 0;
}

static int nobody_without_capabilities(void)
{
	struct sandbox_report r;

	seal(ROLE_NODE, "nobody");
	if (sandbox_report(&r))
		return 1;
	return r.cap_effective == 0 && r.cap_bounding == 0 && r.uid != 0 ? 0 : 2;
}

static int no_such_user(void)
{
	struct sandbox s = {.role = ROLE_NODE, .user = "no-such-user-here"};
	struct error err = {""};

	if (!sandbox_seal(&s, &err))
		return 1;
	return strstr(err.text, "[node] user: there is no user \"no-such-user-here\"") &&
			strstr(err.text, "adduser") ? 0 : 2;
}

static void test_user(void **state)
{
	(void)state;
	if (geteuid() != 0 || !getpwnam("nobody"))
		skip();
	assert_int_equal(apart(become_nobody), 0);
	assert_int_equal(apart(nobody_without_capabilities), 0);
	assert_int_equal(apart(no_such_user), 0);
}

static bool put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return ok;
}

/* Root of a namespace that has no other user, as in a container without a map. */
static bool enter_namespace(int flags)
{
	char map[40];
	unsigned uid = geteuid(), gid = getegid();

	if (unshare(CLONE_NEWUSER | flags))
		return false;
	snprintf(map, sizeof map, "0 %u 1", uid);
	if (!put("/proc/self/uid_map", map) || !put("/proc/self/setgroups", "deny"))
		return false;
	snprintf(map, sizeof map, "0 %u 1", gid);
	return put("/proc/self/gid_map", map);
}

static int lone_root(void)
{
	struct sandbox_report r;

	if (!enter_namespace(0))
		return SETUP_FAILED;
	seal(ROLE_NODE, "nobody");
	if (sandbox_report(&r))
		return 1;
	return r.uid == 0 && r.cap_effective == 0 && r.cap_bounding == 0 ? 0 : 2;
}

static void test_lone_root(void **state)
{
	int rc = apart(lone_root);

	(void)state;
	if (rc == SETUP_FAILED)
		skip();
	assert_int_equal(rc, 0);
}

/* The sealed enforcer still reaches nftables, with CAP_NET_ADMIN alone. */
static int use_nft(void)
{
	struct ban_order order = {.change = BAN_ADD, .scope = BAN_ALL};
	struct nft_config config = nft_config_default;
	struct sandbox_report r;
	struct error err = {""};
	size_t refused = 0;
	struct nft *nft;
	usec now = clock_wall();

	if (!enter_namespace(CLONE_NEWNET))
		return SETUP_FAILED;
	nft = nft_open(&config, &err);
	if (!nft) {
		fprintf(stderr, "%s\n", err.text);
		return SETUP_FAILED;
	}
	seal(ROLE_ENFORCE, "");
	order.until = (uint32_t)(now / USEC_PER_SEC) + 60;
	if (sandbox_report(&r) || r.cap_effective != UINT64_C(1) << CAP_NET_ADMIN)
		return 1;
	if (indicator_parse(&order.indicator, NULL, view_str("192.0.2.7"), &err) ||
		nft_setup(nft, &err) || nft_allow(nft, NULL, 0, &err) ||
		nft_apply(nft, &order, 1, now, NULL, &refused, &err)) {
		fprintf(stderr, "%s\n", err.text);
		return 2;
	}
	return refused ? 3 : 0;
}

static void test_nft(void **state)
{
	int rc = apart(use_nft);

	(void)state;
	if (rc == SETUP_FAILED)
		skip();
	assert_int_equal(rc, 0);
}

static int seal_parent(void)
{
	struct sandbox s = {.role = ROLE_PARENT};
	struct error err = {""};

	return sandbox_seal(&s, &err) == -1 && err.text[0] ? 0 : 1;
}

static void test_parent(void **state)
{
	(void)state;
	assert_int_equal(apart(seal_parent), 0);
}

static int make_folders(void **state)
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
			open_path(path, O_WRONLY | O_CREAT) ? -1 : 0;
}

static int remove_folders(void **state)
{
	char command[200];

	(void)state;
	snprintf(command, sizeof command, "rm -r %s", folder);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_report),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_sockets),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_abort),
		cmocka_unit_test(test_sqlite),
		cmocka_unit_test(test_loop),
		cmocka_unit_test(test_network),
		cmocka_unit_test(test_core),
		cmocka_unit_test(test_user),
		cmocka_unit_test(test_lone_root),
		cmocka_unit_test(test_nft),
		cmocka_unit_test(test_parent),
	};

	return cmocka_run_group_tests(tests, make_folders, remove_folders);
}
