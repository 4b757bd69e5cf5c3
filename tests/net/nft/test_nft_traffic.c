/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packets through the real kernel: banned ones never arrive. Every test sends
 * them and then one from an address that nobody banned; as the loopback keeps
 * the order, what the receiver gets first tells whether the others came through.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "namespace.h"
#include "ruleset.h"

#define SERVER_4 "192.0.2.1"
#define SERVER_6 "2001:db8::1"
#define CLEAN_4  "203.0.113.1"
#define CLEAN_6  "2001:db8:c::1"
#define LARGE    4000 /* bytes: four fragments at an MTU of 1280 */

static const char *server_for(const char *source)
{
	return strchr(source, ':') ? SERVER_6 : SERVER_4;
}

/* A socket of this type bound to address and port. */
static int socket_at(int type, const char *address, uint16_t port)
{
	struct sockaddr_storage ss;
	struct address a;
	struct error err = {""};
	int on = 1, fd;

	if (address_parse(&a, view_str(address), &err) < 0)
		fail_msg("%s: %s", address, err.text);
	fd = socket(a.family == 4 ? AF_INET : AF_INET6, type | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
	socklen_t n = address_to_sockaddr(&ss, &a, port);

	if (bind(fd, (struct sockaddr *)&ss, n) < 0)
		fail_msg("bind %s port %u: %s", address, port, strerror(errno));
	return fd;
}

/* One datagram of n bytes, all of them c, from source to the server. */
static void send_udp(const char *source, uint16_t port, char c, size_t n)
{
	struct sockaddr_storage ss;
	struct address a;
	char bytes[LARGE];
	int fd = socket_at(SOCK_DGRAM, source, 0);

	assert_int_equal(address_parse(&a, view_str(server_for(source)), NULL), 0);
	socklen_t length = address_to_sockaddr(&ss, &a, port);

	memset(bytes, c, n);
	assert_int_equal(sendto(fd, bytes, n, 0, (struct sockaddr *)&ss, length), n);
	close(fd);
}

/* The first byte of the next datagram within a minute. */
static char receive(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	char bytes[LARGE] = {0};

	assert_int_equal(poll(&p, 1, 60000), 1);
	assert_true(recv(fd, bytes, sizeof(bytes), 0) > 0);
	return bytes[0];
}

/* Whether UDP of n bytes from source reaches the server's port. */
static bool arrives_sized(const char *source, uint16_t port, size_t n)
{
	const char *clean = strchr(source, ':') ? CLEAN_6 : CLEAN_4;
	int fd = socket_at(SOCK_DGRAM, server_for(source), port);
	char first;

	send_udp(source, port, 's', n);
	send_udp(clean, port, 'c', 1);
	first = receive(fd);
	if (first == 's')
		assert_int_equal(receive(fd), 'c');
	close(fd);
	return first == 's';
}

static bool arrives(const char *source, uint16_t port)
{
	return arrives_sized(source, port, 10);
}

/* Whether a TCP connection from source is established; its SYN is sent. */
static bool connects(struct nft *n, const char *source, uint16_t port, const char *set)
{
	int listener = socket_at(SOCK_STREAM, server_for(source), port);
	int fd = socket_at(SOCK_STREAM | SOCK_NONBLOCK, source, 0);
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	uint64_t before = counted(n, set);
	struct sockaddr_storage ss;
	struct address a;
	bool up = false;

	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(address_parse(&a, view_str(server_for(source)), NULL), 0);
	socklen_t length = address_to_sockaddr(&ss, &a, port);

	if (connect(fd, (struct sockaddr *)&ss, length) < 0)
		assert_int_equal(errno, EINPROGRESS);
	/* Until it is up or its packets were counted as dropped. */
	for (unsigned i = 0; i < 500 && !up && counted(n, set) == before; i++)
		up = poll(&p, 1, 10) == 1 && !(p.revents & (POLLERR | POLLHUP));
	close(fd);
	close(listener);
	return up;
}

/* The loopback keeps the order of what one processor sends. */
static void stay_on_one_processor(void)
{
	cpu_set_t one;
	int cpu = sched_getcpu();

	CPU_ZERO(&one);
	CPU_SET(cpu < 0 ? 0 : cpu, &one);
	if (sched_setaffinity(0, sizeof(one), &one) < 0)
		perror("sched_setaffinity");
}

static int fresh(void **state)
{
	(void)ruleset_delete_table();
	*state = open_table(NULL);
	return 0;
}

static int close_table(void **state)
{
	nft_close(*state);
	return 0;
}

/* SIP scope: the SIP ports alone, UDP and TCP; nobody else's packets. */
static void test_sip_scope(void **state)
{
	struct nft *n = *state;

	assert_true(arrives("198.51.100.7", 5060));
	assert_true(ban_one(n, BAN_SIP, "198.51.100.7", 600));
	assert_false(arrives("198.51.100.7", 5060));
	assert_false(arrives("198.51.100.7", 5061));
	assert_true(arrives("198.51.100.7", 5059));
	assert_true(arrives("198.51.100.7", 5062));
	assert_true(arrives("198.51.100.7", 16384));
	assert_true(arrives("198.51.100.8", 5060));
	assert_true(arrives("198.51.100.6", 5060));
	assert_int_equal(counted(n, "sip4_32"), 2);

	assert_false(connects(n, "198.51.100.7", 5060, "sip4_32"));
	assert_true(connects(n, "198.51.100.7", 8080, "sip4_32"));
	assert_true(connects(n, "198.51.100.8", 5060, "sip4_32"));

	assert_true(ban_one(n, BAN_SIP, "198.51.100.7", -1));
	assert_true(arrives("198.51.100.7", 5060));
}

/* All ports. */
static void test_all_scope(void **state)
{
	struct nft *n = *state;

	assert_true(ban_one(n, BAN_ALL, "198.51.100.7", 600));
	assert_false(arrives("198.51.100.7", 5060));
	assert_false(arrives("198.51.100.7", 16384));
	assert_true(arrives("198.51.100.8", 16384));
	assert_int_equal(counted(n, "all4_32"), 2);
	assert_false(connects(n, "198.51.100.7", 8080, "all4_32"));
	assert_true(connects(n, "198.51.100.8", 8080, "all4_32"));
}

/* Prefixes of several lengths, on and off byte boundaries, and their edges. */
static void test_prefixes_ip4(void **state)
{
	static const struct {
		const char *ban, *inside, *last, *outside;
	} cases[] = {
		{"198.51.100.0/24", "198.51.100.0", "198.51.100.255", "198.51.101.0"},
		{"198.51.100.128/25", "198.51.100.128", "198.51.100.255",
			"198.51.100.127"},
		{"198.51.100.4/30", "198.51.100.4", "198.51.100.7", "198.51.100.8"},
		{"198.51.100.2/31", "198.51.100.2", "198.51.100.3", "198.51.100.4"},
		{"198.51.96.0/19", "198.51.96.0", "198.51.127.255", "198.51.128.0"},
		{"198.51.0.0/16", "198.51.0.9", "198.51.255.254", "198.52.0.0"},
		{"198.0.0.0/9", "198.51.1.1", "198.51.255.254", "203.0.113.9"},
		{"192.0.0.0/5", "198.51.1.1", "198.52.0.0", "203.0.113.9"},
	};
	struct nft *n = *state;

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_true(arrives(cases[i].inside, 5060));
		assert_true(ban_one(n, BAN_SIP, cases[i].ban, 600));
		assert_false(arrives(cases[i].inside, 5060));
		assert_false(arrives(cases[i].last, 5060));
		assert_true(arrives(cases[i].inside, 5070));
		assert_true(arrives(cases[i].outside, 5060));
		assert_true(ban_one(n, BAN_SIP, cases[i].ban, -1));
		assert_true(arrives(cases[i].inside, 5060));
	}
}

static void test_prefixes_ip6(void **state)
{
	static const struct {
		const char *ban, *inside, *outside;
	} cases[] = {
		{"2001:db8:a::7", "2001:db8:a::7", "2001:db8:a::8"},
		{"2001:db8:a::/64", "2001:db8:a::8", "2001:db8:a:1::1"},
		{"2001:db8:a::/63", "2001:db8:a:1::1", "2001:db8:b::1"},
		{"2001:db8:a::/47", "2001:db8:b::1", "2001:db8:d::1"},
		{"2001:db8:8000::/33", "2001:db8:8000::1", "2001:db8:a::7"},
	};
	struct nft *n = *state;

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_true(arrives(cases[i].inside, 5060));
		assert_true(ban_one(n, i % 2 ? BAN_ALL : BAN_SIP, cases[i].ban, 600));
		assert_false(arrives(cases[i].inside, 5060));
		assert_int_equal(arrives(cases[i].inside, 5070), i % 2 == 0);
		assert_true(arrives(cases[i].outside, 5060));
		assert_true(ban_one(n, i % 2 ? BAN_ALL : BAN_SIP, cases[i].ban, -1));
	}
	assert_true(ban_one(n, BAN_SIP, "2001:db8:a::7", 600));
	assert_false(connects(n, "2001:db8:a::7", 5061, "sip6_128"));
	assert_true(connects(n, "2001:db8:a::7", 443, "sip6_128"));
}

/* What is allowed passes bans of both scopes that were there before. */
static void test_allow_overrides(void **state)
{
	struct nft *n = *state;
	const struct indicator allow[] = {
		indicator_of("198.51.100.16/28"), indicator_of("2001:db8:a::7")};
	struct error err = {""};

	assert_true(ban_one(n, BAN_ALL, "198.51.100.0/24", 600));
	assert_true(ban_one(n, BAN_SIP, "198.51.100.20", 600));
	assert_true(ban_one(n, BAN_ALL, "2001:db8:a::/48", 600));
	assert_false(arrives("198.51.100.20", 5060));
	assert_int_equal(nft_allow(n, allow, 2, &err), 0);
	assert_true(arrives("198.51.100.16", 5060));
	assert_true(arrives("198.51.100.20", 5060));
	assert_true(arrives("198.51.100.31", 16384));
	assert_false(arrives("198.51.100.15", 5060));
	assert_false(arrives("198.51.100.32", 16384));
	assert_true(arrives("2001:db8:a::7", 5060));
	assert_false(arrives("2001:db8:a::8", 5060));
	assert_int_equal(counted(n, "allow4"), 3);
	assert_int_equal(counted(n, "allow6"), 1);

	/* Set up again, the allowlist and the counters are still there. */
	assert_int_equal(nft_setup(n, &err), 0);
	assert_true(arrives("198.51.100.20", 5060));
	assert_int_equal(counted(n, "allow4"), 4);
	assert_int_equal(counted(n, "all4_24"), 3);

	assert_int_equal(nft_allow(n, NULL, 0, &err), 0);
	assert_false(arrives("198.51.100.20", 5060));
}

/*
 * Fragments but the first hold no ports and pass the SIP scope's rule; the
 * datagram is never whole without the first, which is dropped.
 */
static void test_fragments(void **state)
{
	struct nft *n = *state;

	assert_true(arrives_sized("198.51.100.7", 5060, LARGE));
	assert_true(arrives_sized("2001:db8:a::7", 5060, LARGE));
	assert_true(ban_one(n, BAN_SIP, "198.51.100.7", 600));
	assert_true(ban_one(n, BAN_SIP, "2001:db8:a::7", 600));
	assert_false(arrives_sized("198.51.100.7", 5060, LARGE));
	assert_false(arrives_sized("2001:db8:a::7", 5060, LARGE));
	assert_true(arrives_sized("198.51.100.7", 7000, LARGE));
	assert_true(arrives_sized("2001:db8:a::7", 7000, LARGE));
	assert_int_equal(counted(n, "sip4_32"), 1);
	assert_int_equal(counted(n, "sip6_128"), 1);
	assert_true(ban_one(n, BAN_ALL, "198.51.100.7", 600));
	assert_false(arrives_sized("198.51.100.7", 7000, LARGE));
	assert_true(counted(n, "all4_32") >= 4); /* every fragment */
}

static struct nft_listener listener(const char *address, uint16_t port, bool udp)
{
	struct nft_listener l = {.port = port, .udp = udp};

	assert_int_equal(address_parse(&l.address, view_str(address), NULL), 0);
	return l;
}

/* Bans of both scopes end before a listener that passes: its address, port, protocol. */
static void test_pass_of_an_address(void **state)
{
	struct nft *n = *state;
	const struct nft_listener pass[] = {listener(SERVER_4, 5060, true),
		listener(SERVER_4, 8080, false), listener(SERVER_6, 5061, true),
		listener("203.0.113.77", 5062, true),
		listener("2001:db8::77", 5062, true)};
	struct error err = {""};

	assert_true(ban_one(n, BAN_ALL, "198.51.100.7", 600));
	assert_true(ban_one(n, BAN_SIP, "198.51.100.7", 600));
	assert_true(ban_one(n, BAN_ALL, "2001:db8:a::7", 600));
	assert_false(arrives("198.51.100.7", 5060));
	nft_pass(n, pass, sizeof(pass) / sizeof(pass[0]));
	assert_int_equal(nft_setup(n, &err), 0);
	assert_int_equal(counted(n, "all4_32"), 1); /* as they stood */

	assert_true(arrives("198.51.100.7", 5060));
	assert_true(arrives("2001:db8:a::7", 5061));
	assert_true(connects(n, "198.51.100.7", 8080, "all4_32"));
	assert_false(arrives("198.51.100.7", 5059));
	assert_false(arrives("198.51.100.7", 5061)); /* of IPv6 */
	assert_false(arrives("198.51.100.7", 8080)); /* of TCP */
	assert_false(arrives("198.51.100.7", 5062)); /* of another address */
	assert_false(connects(n, "198.51.100.7", 5060, "all4_32"));
	assert_false(arrives("2001:db8:a::7", 5060)); /* of IPv4 */
	assert_false(arrives("2001:db8:a::7", 5062));
	assert_int_equal(counted(n, "all6_128"), 2);
}

/* The port alone, of one family; the next set-up has what was said last. */
static void test_pass_of_a_port(void **state)
{
	struct nft *n = *state;
	struct nft_listener pass = listener("0.0.0.0", 5060, true);
	struct error err = {""};

	assert_true(ban_one(n, BAN_ALL, "198.51.100.7", 600));
	assert_true(ban_one(n, BAN_ALL, "2001:db8:a::/64", 600));
	nft_pass(n, &pass, 1);
	assert_false(arrives("198.51.100.7", 5060)); /* not before it is set up */
	assert_int_equal(nft_setup(n, &err), 0);
	assert_true(arrives("198.51.100.7", 5060));
	assert_false(arrives("198.51.100.7", 5061));
	assert_false(arrives("2001:db8:a::7", 5060));

	pass = listener("::", 5060, true);
	nft_pass(n, &pass, 1);
	assert_int_equal(nft_setup(n, &err), 0);
	assert_false(arrives("198.51.100.7", 5060));
	assert_true(arrives("2001:db8:a::7", 5060));
	assert_false(arrives("2001:db8:a::7", 5061));

	nft_pass(n, NULL, 0);
	assert_int_equal(nft_setup(n, &err), 0);
	assert_false(arrives("2001:db8:a::7", 5060));
}

/* The kernel ends a ban by itself: nobody is told, packets pass again. */
static void test_expiry(void **state)
{
	struct nft *n = *state;
	struct ban_order o = order_of(BAN_SIP, "198.51.100.7", 600);
	struct error err = {""};
	size_t refused;

	/* Three seconds are left of it. */
	assert_int_equal(nft_apply(n, &o, 1, (usec)o.until * USEC_PER_SEC - 3000000, NULL,
				 &refused, &err),
		0);
	assert_true(counted(n, "sip4_32") == 0);
	for (unsigned i = 0; i < 1000 && !arrives("198.51.100.7", 5060); i++)
		usleep(10000);
	assert_true(arrives("198.51.100.7", 5060));
	assert_true(counted(n, "sip4_32") > 0);
	assert_true(ban_one(n, BAN_SIP, "198.51.100.7", 600));
	assert_false(arrives("198.51.100.7", 5060));
}

/* Flushed by others and set up again: bans ordered anew drop again. */
static void test_flush_by_others(void **state)
{
	const struct indicator allow = indicator_of("198.51.100.8");
	struct nft *n;
	struct error err = {""};

	nft_close(*state);
	assert_int_equal(ruleset_delete_table(), 0);
	assert_int_equal(ruleset_make_table(0), 0);
	*state = n = open_table(NULL);
	assert_int_equal(nft_allow(n, &allow, 1, &err), 0);
	assert_true(ban_one(n, BAN_SIP, "198.51.100.7", 600));
	assert_false(arrives("198.51.100.7", 5060));
	assert_int_equal(ruleset_flush(), 0);
	assert_true(arrives("198.51.100.7", 5060));
	assert_true(nft_lost(n));
	assert_int_equal(nft_setup(n, &err), 0);
	assert_true(arrives("198.51.100.8", 5060));
	assert_int_equal(counted(n, "allow4"), 1); /* the allowlist is back by itself */
	assert_true(ban_one(n, BAN_SIP, "198.51.100.7", 600));
	assert_false(arrives("198.51.100.7", 5060));
}

/* Bans drop while nobody runs, too, and in the next process's time. */
static void test_fail_static(void **state)
{
	struct nft *n = *state;

	assert_true(ban_one(n, BAN_SIP, "198.51.100.7", 600));
	nft_close(n);
	assert_false(arrives("198.51.100.7", 5060));
	*state = open_table(NULL);
	assert_false(arrives("198.51.100.7", 5060));
	assert_int_equal(counted(*state, "sip4_32"), 2);
}

/* The configured ports, and new ones after a restart. */
static void test_ports(void **state)
{
	struct nft_config config = nft_config_default;

	nft_close(*state);
	config.ports[0].first = 5080, config.ports[0].last = 5089;
	config.ports[1].first = 443, config.ports[1].last = 443;
	config.ports_count = 2;
	*state = open_table(&config);
	assert_true(ban_one(*state, BAN_SIP, "198.51.100.7", 600));
	assert_true(arrives("198.51.100.7", 5060));
	assert_true(arrives("198.51.100.7", 5079));
	assert_false(arrives("198.51.100.7", 5080));
	assert_false(arrives("198.51.100.7", 5089));
	assert_true(arrives("198.51.100.7", 5090));
	assert_false(arrives("198.51.100.7", 443));
	nft_close(*state);
	*state = open_table(NULL);
	assert_false(arrives("198.51.100.7", 5060));
	assert_true(arrives("198.51.100.7", 5080));
}

int main(void)
{
	static const char *const addresses[] = {SERVER_4 "/32", CLEAN_4 "/24",
		"198.51.0.0/16", "198.52.0.0/24", SERVER_6 "/128", CLEAN_6 "/128",
		"2001:db8:a::7/128", "2001:db8:a::8/128", "2001:db8:a:1::1/128",
		"2001:db8:b::1/128", "2001:db8:d::1/128", "2001:db8:8000::1/128"};
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_sip_scope, fresh, close_table),
		cmocka_unit_test_setup_teardown(test_all_scope, fresh, close_table),
		cmocka_unit_test_setup_teardown(test_prefixes_ip4, fresh, close_table),
		cmocka_unit_test_setup_teardown(test_prefixes_ip6, fresh, close_table),
		cmocka_unit_test_setup_teardown(test_allow_overrides, fresh, close_table),
		cmocka_unit_test_setup_teardown(test_fragments, fresh, close_table),
		cmocka_unit_test_setup_teardown(
			test_pass_of_an_address, fresh, close_table),
		cmocka_unit_test_setup_teardown(test_pass_of_a_port, fresh, close_table),
		cmocka_unit_test_setup_teardown(test_expiry, fresh, close_table),
		cmocka_unit_test_setup_teardown(test_flush_by_others, fresh, close_table),
		cmocka_unit_test_setup_teardown(test_fail_static, fresh, close_table),
		cmocka_unit_test_setup_teardown(test_ports, fresh, close_table),
	};
	struct error err = {""};

	if (namespace_enter(&err) < 0) {
		fprintf(stderr, "skipped: %s\n", err.text);
		return 77;
	}
	for (unsigned i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++)
		namespace_address(addresses[i]);
	namespace_mtu(1280);
	stay_on_one_processor();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
