/* SPDX-License-Identifier: Apache-2.0 */
/* What a sealed role can still do, and who it is. */
#include "sealed.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sched.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sqlite3.h>
#include <uv.h>

#include "base/log.h"
#include "daemon/link.h"
#include "enforce/nft.h"

/* --- what must go on working --- */

static int use_sqlite(enum role role)
{
	char path[100], *text = NULL;
	sqlite3 *db;
	int rc;

	snprintf(path, sizeof path, "%s/%d.db", writable, (int)role);
	rc = sqlite3_open(path, &db);
	if (!rc)
		rc = sqlite3_exec(db,
			"PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
			"CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT) STRICT;"
			"BEGIN IMMEDIATE; INSERT INTO t(b) VALUES (hex(randomblob(2000)));"
			"INSERT INTO t(b) SELECT b FROM t; INSERT INTO t(b) SELECT b FROM t; COMMIT;"
			"CREATE TEMP TABLE u AS SELECT * FROM t ORDER BY b;"
			"PRAGMA wal_checkpoint(TRUNCATE); VACUUM; DELETE FROM t;",
			NULL, NULL, &text);
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

static void on_link_message(
	void *context, struct link *l, uint16_t type, struct view payload, int fd)
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
	const struct link_callbacks callbacks = {
		.context = &u, .message = on_link_message, .closed = on_link_closed};
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
	for (size_t i = 0; i < ALL_ROLES; i++) {
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
	assert_int_equal(
		sendto(udp_fd, "abc", 3, 0, (struct sockaddr *)&at, sizeof at), 3);
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
	for (size_t i = 0; i < ALL_ROLES; i++)
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
	assert_int_equal(result(ROLE_SENSE, core_limits), 0); /* passwords */
	assert_int_equal(result(ROLE_DELIVER, core_limits), 0);
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
			strstr(err.text, "adduser") ?
		0 :
		2;
}

static void test_user(void **state)
{
	(void)state;
	if (geteuid() != 0 || !getpwnam("nobody")) {
		left_out("only root can become another user");
		return;
	}
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
	if (rc == SETUP_FAILED) {
		left_out("no namespaces here");
		return;
	}
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
	if (rc == SETUP_FAILED) {
		left_out("no namespaces here");
		return;
	}
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_report),
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
