/* SPDX-License-Identifier: Apache-2.0 */
/* Own addresses, gateways and resolvers, from texts as Linux prints them. */
#include "../cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "decide/auto_allow.h"

/* /proc/net/route writes addresses as the CPU reads them: these are of x86. */
static const char routes4[] =
	"Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT"
	"                                                       \n"
	"eth0\t00000000\t0102A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0"
	"                                                                           \n"
	/* on-link default, without a gateway */
	"ppp0\t00000000\t00000000\t0001\t0\t0\t0\t00000000\t0\t0\t0\n"
	/* a second default */
	"eth1\t00000000\tFEC83AC6\t0003\t0\t0\t200\t00000000\t0\t0\t0\n"
	/* a gateway, but not of the default route */
	"eth0\t0000000A\t0902A8C0\t0003\t0\t0\t0\t000000FF\t0\t0\t0\n"
	/* 0.0.0.0/1, as VPNs write it: not the default route */
	"tun0\t00000000\t0100080A\t0003\t0\t0\t0\t00000080\t0\t0\t0\n"
	/* a default that is down */
	"eth2\t00000000\t0303A8C0\t0002\t0\t0\t0\t00000000\t0\t0\t0\n"
	"eth0\t0002A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0\n";

static const char routes6[] =
	"00000000000000000000000000000000 00 00000000000000000000000000000000 00 "
	"fe800000000000000000000000000001 00000400 00000001 00000000 00450003     eth0\n"
	"20010db8000000000000000000000000 40 00000000000000000000000000000000 00 "
	"00000000000000000000000000000000 00000100 00000001 00000000 00000001     eth0\n"
	"20010db8000100000000000000000000 30 00000000000000000000000000000000 00 "
	"20010db8000000000000000000000009 00000100 00000001 00000000 00000003     eth0\n"
	/* the reject route that every kernel has */
	"00000000000000000000000000000000 00 00000000000000000000000000000000 00 "
	"00000000000000000000000000000000 ffffffff 00000001 00000000 00200200       lo\n";

static const char resolv[] = "# made by hand\n"
			     "domain example.com\n"
			     "nameserver 192.0.2.53\n"
			     "nameserver\t2001:db8::53\n"
			     "  nameserver 198.51.100.53   \n"
			     ";nameserver 203.0.113.1\n"
			     "nameserver fe80::1%eth0\n"
			     "nameserver not-an-address\n"
			     "nameservers 203.0.113.2\n"
			     "nameserver\n"
			     "options edns0 trust-ad\n"
			     "nameserver 127.0.0.53";

/* Every entry as "indicator origin;" */
static const char *listing(const struct allowlist *a)
{
	static char text[1000];
	const struct allow_entry *e;
	size_t n;

	text[0] = '\0';
	e = allowlist_entries(a, &n);
	for (size_t k = 0; k < n; k++) {
		char one[INDICATOR_TEXT];

		strcat(text, indicator_print(one, &e[k].indicator));
		strcat(text, " ");
		strcat(text, allow_origin_name(e[k].origin));
		strcat(text, ";");
	}
	return text;
}

static void test_routes4(void **state)
{
	struct allowlist *a = allowlist_new();

	(void)state;
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
	left_out("the vectors are of a little-endian machine");
	return;
#endif
	assert_int_equal(auto_allow_routes4(a, view_str(routes4)), 2);
	assert_string_equal(listing(a), "192.168.2.1 gateway;198.58.200.254 gateway;");
	{
		size_t n;
		const struct allow_entry *e = allowlist_entries(a, &n);

		assert_string_equal(e[0].note, "eth0");
		assert_int_equal(e[0].expiry, 0);
	}
	allowlist_free(a);
}

static void test_routes6(void **state)
{
	struct allowlist *a = allowlist_new();

	(void)state;
	assert_int_equal(auto_allow_routes6(a, view_str(routes6)), 1);
	assert_string_equal(listing(a), "fe80::1 gateway;");
	allowlist_free(a);
}

static void test_resolvers(void **state)
{
	struct allowlist *a = allowlist_new();

	(void)state;
	assert_int_equal(auto_allow_resolvers(a, view_str(resolv)), 5);
	assert_string_equal(listing(a),
		"127.0.0.53 resolver;192.0.2.53 resolver;"
		"198.51.100.53 resolver;2001:db8::53 resolver;fe80::1 resolver;");
	allowlist_free(a);
}

/* Lines that are cut, wrong or not text at all are passed over. */
static void test_bad_lines(void **state)
{
	struct allowlist *a = allowlist_new();
	size_t n;

	(void)state;
	assert_int_equal(auto_allow_routes4(a, view_str("")), 0);
	assert_int_equal(auto_allow_routes4(a, view_str("\n\n  \n\t\n")), 0);
	assert_int_equal(
		auto_allow_routes4(a, view_str("eth0 00000000 0102A8C0 0003 0 0 100")),
		0);
	assert_int_equal(
		auto_allow_routes4(
			a, view_str("eth0 00000000 0102A8CZ 0003 0 0 100 00000000")),
		0);
	assert_int_equal(
		auto_allow_routes4(
			a, view_str("eth0 00000000 00102A8C0 0003 0 0 100 00000000")),
		0);
	assert_int_equal(auto_allow_routes6(a, view_str(routes4)), 0);
	assert_int_equal(auto_allow_routes4(a, view_str(routes6)), 0);
	for (size_t cut = 0; cut < 150; cut++)
		assert_int_equal(
			auto_allow_routes6(a, view_of(routes6, cut)), cut > 145 ? 1 : 0);
	allowlist_clear(a, ALLOW_GATEWAY);
	assert_int_equal(auto_allow_resolvers(a, view_of("nameserver \0\xff\n", 14)), 0);
	allowlist_entries(a, &n);
	assert_int_equal(n, 0);
	allowlist_free(a);
}

static void test_interfaces(void **state)
{
	struct allowlist *a = allowlist_new();
	struct error err = {""};
	const struct allow_entry *e;
	size_t n;

	(void)state;
	if (auto_allow_interfaces(a, &err) < 0)
		fail_msg("%s", err.text);
	e = allowlist_entries(a, &n);
	for (size_t k = 0; k < n; k++) {
		assert_int_equal(e[k].origin, ALLOW_OWN);
		assert_int_equal(e[k].indicator.plen,
			e[k].indicator.kind == INDICATOR_IP4 ? 32 : 128);
		assert_true(e[k].note[0] != '\0');
	}
	allowlist_free(a);
}

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static bool listed(const struct allowlist *a, const char *text, uint8_t origin)
{
	const struct allow_entry *e;
	struct indicator i;
	size_t n;

	assert_int_equal(indicator_parse(&i, NULL, view_str(text), NULL), 0);
	e = allowlist_entries(a, &n);
	for (size_t k = 0; k < n; k++) {
		if (e[k].origin == origin && indicator_compare(&e[k].indicator, &i) == 0)
			return true;
	}
	return false;
}

/* Read, read anew after a change, and fail without losing what was there. */
static void test_read(void **state)
{
	char directory[] = "/tmp/sipchain-auto-XXXXXX", path[64];
	struct auto_allow_paths paths = {
		"/nonexistent/route", "/nonexistent/route6", path};
	struct allow_entry other = {.origin = ALLOW_CONFIGURED};
	struct allowlist *a = allowlist_new();
	struct error err = {""};

	(void)state;
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/resolv.conf", directory);
	assert_int_equal(
		indicator_parse(&other.indicator, NULL, view_str("192.0.2.53"), NULL), 0);
	assert_int_equal(allowlist_add(a, &other), 0);
	write_file(path, "nameserver 192.0.2.53\nnameserver 192.0.2.54\n");
	if (auto_allow_read(a, &paths, &err) < 2)
		fail_msg("%s", err.text);
	assert_true(listed(a, "192.0.2.53", ALLOW_RESOLVER));
	assert_true(listed(a, "192.0.2.54", ALLOW_RESOLVER));
	write_file(path, "nameserver 192.0.2.55\n");
	assert_true(auto_allow_read(a, &paths, &err) >= 1);
	assert_false(listed(a, "192.0.2.53", ALLOW_RESOLVER));
	assert_true(listed(a, "192.0.2.53", ALLOW_CONFIGURED));
	assert_true(listed(a, "192.0.2.55", ALLOW_RESOLVER));
	/* A directory cannot be read: nothing changes. */
	paths.route6 = directory;
	write_file(path, "nameserver 192.0.2.56\n");
	assert_int_equal(auto_allow_read(a, &paths, &err), -1);
	assert_non_null(strstr(err.text, directory));
	assert_non_null(strstr(err.text, "Is a directory"));
	assert_true(listed(a, "192.0.2.55", ALLOW_RESOLVER));
	assert_false(listed(a, "192.0.2.56", ALLOW_RESOLVER));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(directory), 0);
	allowlist_free(a);
}

/* The machine's own files parse. */
static void test_this_machine(void **state)
{
	struct allowlist *a = allowlist_new();
	struct error err = {""};

	(void)state;
	if (auto_allow_read(a, &auto_allow_paths_default, &err) < 0)
		fail_msg("%s", err.text);
	allowlist_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_routes4),
		cmocka_unit_test(test_routes6),
		cmocka_unit_test(test_resolvers),
		cmocka_unit_test(test_bad_lines),
		cmocka_unit_test(test_interfaces),
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_this_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
