/* SPDX-License-Identifier: Apache-2.0 */
/* The role `ledger` of an Ethereum ledger: it reaches its endpoints, no more. */
#include "sealed.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/ledger_seal.h"
#include "daemon/seal_reach.h"
#include "tls_server.h"

#define NAME "rpc.sipchain.test" /* what the servers of this test are called */

/*
 * Every case runs in a network and a mount namespace of its own, where the
 * resolver's files are the test's and 127.0.0.1:53 answers every question with
 * 127.0.0.1.
 */
static char certificate[100];
static uint16_t tls_port, plain_port, other_port;

static bool put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT, 0644);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return ok;
}

static bool be_root(void)
{
	char map[40];
	unsigned uid = geteuid(), gid = getegid();

	if (unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS))
		return false;
	snprintf(map, sizeof map, "0 %u 1", uid);
	if (!put("/proc/self/uid_map", map) || !put("/proc/self/setgroups", "deny"))
		return false;
	snprintf(map, sizeof map, "0 %u 1", gid);
	return put("/proc/self/gid_map", map);
}

static bool loopback_up(void)
{
	struct ifreq r = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	bool ok = fd >= 0 && !ioctl(fd, SIOCSIFFLAGS, &r);

	if (fd >= 0)
		close(fd);
	return ok;
}

/* Put a file of ours over one of the system's. */
static bool instead(const char *system, const char *text)
{
	char path[120];

	snprintf(path, sizeof path, "%s/%s", writable, strrchr(system, '/') + 1);
	return put(path, text) && !mount(path, system, NULL, MS_BIND, NULL);
}

/* A listening or bound socket on 127.0.0.1; *port 0 is any. */
static int server(int type, uint16_t *port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(*port)};
	socklen_t n = sizeof at;
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) ||
		(type == SOCK_STREAM && listen(fd, 8)) ||
		getsockname(fd, (struct sockaddr *)&at, &n))
		return -1;
	*port = ntohs(at.sin_port);
	return fd;
}

/* RFC 1035: the question back, and for an A one answer. */
static void answer_names(int fd)
{
	static const uint8_t record[] = {
		0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1};
	uint8_t m[1024];

	for (;;) {
		struct sockaddr_in from;
		socklen_t n = sizeof from;
		ssize_t size = recvfrom(fd, m, 512, 0, (struct sockaddr *)&from, &n);
		size_t end = 12;

		if (size < 17)
			continue;
		while (end < (size_t)size && m[end])
			end += m[end] + 1u;
		end += 5; /* the root, type, class */
		m[2] = 0x81;
		m[3] = 0x80;
		m[7] = m[end - 3] == 1; /* type A */
		m[9] = m[11] = 0;
		memcpy(m + end, record, sizeof record);
		sendto(fd, m, end + (m[7] ? sizeof record : 0), 0,
			(struct sockaddr *)&from, n);
	}
}

static bool start_names(void)
{
	uint16_t port = 53;
	int fd = server(SOCK_DGRAM, &port);
	pid_t pid = fd < 0 ? -1 : fork();

	if (pid == 0)
		answer_names(fd);
	if (fd >= 0)
		close(fd);
	return pid > 0;
}

static int (*tried)(void);
static int replaced(void);
static bool start_network(void);

/* The namespace with all its servers. */
static bool set_up(void)
{
	snprintf(certificate, sizeof certificate, "%s/ca.pem", writable);
	plain_port = other_port = 0;
	if (!be_root() || !loopback_up() ||
		!instead("/etc/hosts", "127.0.0.1 localhost hosts-entry.test\n") ||
		!instead("/etc/resolv.conf", "nameserver 127.0.0.1\n") ||
		!instead("/etc/nsswitch.conf", "hosts: files dns\n") || !start_names() ||
		server(SOCK_STREAM, &plain_port) < 0 ||
		server(SOCK_STREAM, &other_port) < 0)
		return false;
	tls_port = tls_server_start(NAME, certificate);
	return tls_port != 0 && (tried != replaced || start_network());
}

/* As role_ledger.c seals itself, with these endpoints. */
static void seal_chain(void)
{
	static struct config c;
	struct ethereum_settings *s = &c.ledger.ethereum;
	struct error err = {""};

	c.ledger.type = CONFIG_LEDGER_ETHEREUM;
	snprintf(c.ledger.path, sizeof c.ledger.path, "%s/ethereum.db", writable);
	s->endpoint_count = 2;
	snprintf(s->endpoints[0].url, ENDPOINT_URL_MAX, "https://" NAME ":%u/", tls_port);
	snprintf(s->endpoints[0].ca_file, sizeof s->endpoints[0].ca_file, "%s",
		certificate);
	snprintf(
		s->endpoints[1].url, ENDPOINT_URL_MAX, "http://127.0.0.1:%u", plain_port);
	curl_global_init(CURL_GLOBAL_DEFAULT);
	if (ledger_seal(&c, &err)) {
		fprintf(stderr, "%s\n", err.text);
		_exit(SEAL_FAILED);
	}
}

static int in_namespace(void)
{
	if (!set_up())
		return SETUP_FAILED;
	seal_chain();
	return tried();
}

/*
 * How fn ended, sealed. Its servers end with their process group: no signal
 * comes to them by its death, which Landlock keeps within what is sealed.
 */
static int chain_status(int (*fn)(void))
{
	int status;
	pid_t pid;

	tried = fn;
	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		setpgid(0, 0);
		_exit(in_namespace());
	}
	setpgid(pid, pid);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	kill(-pid, SIGKILL);
	return status;
}

/* Its exit code; SETUP_FAILED where there are no namespaces. */
static int chain_result(int (*fn)(void))
{
	int status = chain_status(fn);

	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* The signal that ended it, or 0. */
static int chain_signal(int (*fn)(void))
{
	int status = chain_status(fn);

	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

/* --- what must work --- */

/* 0 when a name resolves to 127.0.0.1. */
static int resolves(const char *name)
{
	struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *list;
	int rc = getaddrinfo(name, "443", &hints, &list);

	if (rc) {
		fprintf(stderr, "%s: %s\n", name, gai_strerror(rc));
		return 1;
	}
	rc = ((struct sockaddr_in *)(void *)list->ai_addr)->sin_addr.s_addr ==
			htonl(INADDR_LOOPBACK) ?
		0 :
		2;
	freeaddrinfo(list);
	return rc;
}

static int resolve_hosts(void)
{
	return resolves("hosts-entry.test");
}

static int resolve_dns(void)
{
	return resolves("somewhere.example.net");
}

static void *add_one(void *argument)
{
	++*(int *)argument;
	return argument;
}

static int threads(void)
{
	pthread_t list[4];
	int sum[4] = {0};

	for (int i = 0; i < 4; i++)
		if (pthread_create(&list[i], NULL, add_one, &sum[i]))
			return 1;
	for (int i = 0; i < 4; i++)
		if (pthread_join(list[i], NULL))
			return 2;
	return sum[0] + sum[1] + sum[2] + sum[3] == 4 ? 0 : 3;
}

static size_t take_body(char *p, size_t size, size_t n, void *context)
{
	strncat(context, p, n);
	return size * n;
}

static CURLcode fetch(const char *url, const char *ca_file, char body[64])
{
	CURL *easy = curl_easy_init();
	CURLcode code;

	body[0] = 0;
	curl_easy_setopt(easy, CURLOPT_URL, url);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, body);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_TIMEOUT, 20L);
	if (ca_file)
		curl_easy_setopt(easy, CURLOPT_CAINFO, ca_file);
	code = curl_easy_perform(easy);
	if (code)
		fprintf(stderr, "%s: %s\n", url, curl_easy_strerror(code));
	curl_easy_cleanup(easy);
	return code;
}

/* A name by DNS, a thread for it, TLS with the endpoint's own authority. */
static int over_tls(void)
{
	char url[100], body[64];

	snprintf(url, sizeof url, "https://" NAME ":%u/", tls_port);
	if (fetch(url, certificate, body))
		return 1;
	return strcmp(body, "hello") ? 2 : 0;
}

/* The system's authorities are read, and do not know this certificate. */
static int over_tls_unknown(void)
{
	char url[100], body[64];

	snprintf(url, sizeof url, "https://" NAME ":%u/", tls_port);
	return fetch(url, NULL, body) == CURLE_PEER_FAILED_VERIFICATION ? 0 : 1;
}

static int connect_to(uint16_t port)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return SETUP_FAILED;
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return connect(fd, (struct sockaddr *)&to, sizeof to) ? errno : 0;
}

static int connect_endpoint(void)
{
	return connect_to(plain_port);
}

static int change_files(void)
{
	char path[100];

	snprintf(path, sizeof path, "%s/journal", writable);
	return open_path(path, O_RDWR | O_CREAT) || unlink(path) ? 1 : 0;
}

static bool there_are_namespaces;

static void test_works(void **state)
{
	int rc = chain_result(threads);

	(void)state;
	if (rc == SETUP_FAILED) {
		left_out("no namespaces here, or no port 53 in them");
		return;
	}
	there_are_namespaces = true;
	assert_int_equal(rc, 0);
	assert_int_equal(chain_result(resolve_hosts), 0);
	assert_int_equal(chain_result(resolve_dns), 0);
	assert_int_equal(chain_result(connect_endpoint), 0);
	assert_int_equal(chain_result(change_files), 0);
}

static void test_tls(void **state)
{
	(void)state;
	if (!there_are_namespaces)
		return;
	assert_int_equal(chain_result(over_tls), 0);
	if (access("/etc/ssl/certs/ca-certificates.crt", R_OK) == 0)
		assert_int_equal(chain_result(over_tls_unknown), 0);
}

/* --- what must not --- */

static int connect_elsewhere(void)
{
	return connect_to(other_port);
}

static int bind_tcp(void)
{
	uint16_t port = 0;

	return server(SOCK_STREAM, &port) < 0 ? errno : 0;
}

static int bind_udp(void)
{
	uint16_t port = 0;

	return server(SOCK_DGRAM, &port) < 0 ? errno : 0;
}

static int listen_unbound(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	return fd < 0 ? SETUP_FAILED : listen(fd, 1) ? errno : 0;
}

static int socket_of(int family, int type)
{
	int fd = socket(family, type | SOCK_CLOEXEC, 0);

	return fd < 0 ? errno : 0;
}

static int socket_unix(void)
{
	return socket_of(AF_UNIX, SOCK_STREAM);
}

static int socket_netlink(void)
{
	return socket_of(AF_NETLINK, SOCK_RAW);
}

static int socket_packet(void)
{
	return socket_of(AF_PACKET, SOCK_RAW);
}

static int socket_raw(void)
{
	int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP);

	return fd < 0 ? errno : 0;
}

static int read_passwd(void)
{
	return open_path("/etc/passwd", O_RDONLY);
}

static int write_hosts(void)
{
	return open_path("/etc/hosts", O_WRONLY);
}

static int new_process(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid < 0 ? errno : 0;
}

/* As a thread, but for one bit each: a process, or one that shares less. */
static int odd_threads(void)
{
	static const unsigned long flags[] = {CLONE_VM | CLONE_VFORK | SIGCHLD,
		CLONE_NEWUSER | SIGCHLD, CLONE_VM | CLONE_FS | CLONE_FILES | SIGCHLD};

	for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
		if (syscall(SYS_clone, flags[i], NULL, NULL, NULL, 0) >= 0 ||
			errno != EPERM)
			return 1;
	return 0;
}

static int run_program(void)
{
	char *argv[] = {(char[]){"true"}, NULL}, *env[] = {NULL};

	execve("/bin/true", argv, env);
	return errno;
}

static int trace(void)
{
	return ptrace(PTRACE_TRACEME, 0, NULL, NULL) ? errno : 0;
}

static void *trace_in_thread(void *argument)
{
	trace();
	return argument;
}

/* What a thread does is filtered too. */
static int thread_traces(void)
{
	pthread_t thread;

	return pthread_create(&thread, NULL, trace_in_thread, NULL) ||
		pthread_join(thread, NULL);
}

static void test_refused(void **state)
{
	(void)state;
	if (!there_are_namespaces)
		return;
	assert_int_equal(chain_result(bind_tcp), EPERM);
	assert_int_equal(chain_result(bind_udp), EPERM);
	assert_int_equal(chain_result(listen_unbound), EPERM);
	assert_int_equal(chain_result(socket_unix), EPERM);
	assert_int_equal(chain_result(socket_netlink), EPERM);
	assert_int_equal(chain_result(socket_packet), EPERM);
	assert_int_equal(chain_result(socket_raw), EPERM);
	assert_int_equal(chain_result(new_process), EPERM);
	assert_int_equal(chain_result(odd_threads), 0);
	assert_int_equal(chain_signal(run_program), SIGSYS);
	assert_int_equal(chain_signal(trace), SIGSYS);
	assert_int_equal(chain_signal(thread_traces), SIGSYS);
	if (!landlock)
		return;
	assert_int_equal(chain_result(read_passwd), EACCES);
	assert_int_equal(chain_result(write_hosts), EACCES);
	if (syscall(SYS_landlock_create_ruleset, NULL, 0, 1U) < 4)
		left_out("this kernel's Landlock knows no ports");
	else
		assert_int_equal(chain_result(connect_elsewhere), EACCES);
}

static int network[2]; /* what changes the resolver's files, outside of the seal */

static bool start_network(void)
{
	char byte;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, network))
		return false;
	pid = fork();
	if (pid)
		return pid > 0;
	if (read(network[1], &byte, 1) == 1 &&
		mount(certificate, "/etc/resolv.conf", NULL, MS_BIND, NULL) == 0 &&
		write(network[1], &byte, 1) == 1)
		pause();
	_exit(1);
}

/* Another file under the name of one of the resolver's. */
static int replaced(void)
{
	char byte = 0;

	if (reach_stale())
		return 1;
	if (write(network[0], &byte, 1) != 1 || read(network[0], &byte, 1) != 1)
		return 2;
	return reach_stale() ? 0 : 3;
}

static void test_stale(void **state)
{
	(void)state;
	if (there_are_namespaces)
		assert_int_equal(chain_result(replaced), 0);
	/* Never sealed here: whatever stands there is not what was seen. */
	assert_true(reach_stale());
}

/* Only the ledger connects. */
static int seal_other(void)
{
	struct sandbox s = {.role = ROLE_SENSE, .connects = true};
	struct error err = {""};

	return sandbox_seal(&s, &err) == -1 && strstr(err.text, "does not connect") ? 0 :
										      1;
}

static void test_other_roles(void **state)
{
	(void)state;
	assert_int_equal(apart(seal_other), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_works),
		cmocka_unit_test(test_tls),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_stale),
		cmocka_unit_test(test_other_roles),
	};

	return cmocka_run_group_tests(tests, make_folders, remove_folders);
}
