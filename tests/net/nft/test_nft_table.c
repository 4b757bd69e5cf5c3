/* SPDX-License-Identifier: Apache-2.0 */
/* The table in the real kernel: set-up, ownership, removal by others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "namespace.h"
#include "../../unit/cmocka_all.h"
#include "ruleset.h"

/* Each test begins without a table. */
static int no_table(void **state)
{
	(void)state;
	(void)ruleset_delete_table();
	return ruleset_has_table();
}

/* The notifications' descriptor is readable. */
static bool notified(const struct nft *n)
{
	struct pollfd p = {.fd = nft_event_fd(n), .events = POLLIN};

	return poll(&p, 1, 0) == 1;
}

static void test_setup_twice_keeps_bans(void **state)
{
	struct nft *n = open_table(NULL);
	struct error err = {""};

	(void)state;
	assert_true(ban_one(n, BAN_SIP, "198.51.100.7", 600));
	assert_true(ban_one(n, BAN_ALL, "2001:db8:7::/48", 600));
	assert_int_equal(nft_setup(n, &err), 0);
	assert_int_equal(nft_setup(n, &err), 0);
	assert_in_range(ruleset_left("sip4_32", "198.51.100.7"), 1, 600000);
	assert_in_range(ruleset_left("all6_48", "2001:db8:7::/48"), 1, 600000);
	/* Their rules were made again, once each. */
	struct nft_counter counters[8];

	assert_int_equal(nft_counters(n, counters, 8, &err), 4);
	assert_string_equal(counters[0].set, "sip4_32");
	assert_string_equal(counters[1].set, "all6_48");
	assert_string_equal(counters[2].set, "allow4");
	assert_string_equal(counters[3].set, "allow6");
	assert_int_equal(nft_counters(n, counters, 2, &err), 2);
	nft_close(n);
}

/* A daemon that ends leaves its bans; the next one finds and keeps them. */
static void test_bans_outlive_the_process(void **state)
{
	struct nft *n = open_table(NULL);

	(void)state;
	assert_true(ban_one(n, BAN_SIP, "198.51.100.0/24", 600));
	nft_close(n);
	assert_true(ruleset_left("sip4_24", "198.51.100.0/24") > 0);
	n = open_table(NULL);
	assert_true(ruleset_left("sip4_24", "198.51.100.0/24") > 0);
	assert_true(ban_one(n, BAN_SIP, "198.51.100.0/24", -1));
	assert_int_equal(ruleset_left("sip4_24", "198.51.100.0/24"), -1);
	nft_close(n);
}

static void test_teardown(void **state)
{
	struct nft *n = open_table(NULL);
	struct error err = {""};
	struct ban_order o = order_of(BAN_SIP, "198.51.100.7", 600);
	size_t refused;

	(void)state;
	assert_int_equal(nft_teardown(n, &err), 0);
	assert_false(ruleset_has_table());
	assert_int_equal(nft_teardown(n, &err), 0); /* not there: success */
	assert_int_equal(nft_apply(n, &o, 1, clock_wall(), NULL, &refused, &err), -1);
	assert_non_null(strstr(err.text, "not set up"));
	assert_int_equal(nft_setup(n, &err), 0);
	assert_true(ban_one(n, BAN_SIP, "198.51.100.7", 600));
	nft_close(n);
	/* An operator removes what a stopped daemon left. */
	assert_int_equal(ruleset_delete_table(), 0);
}

/* Linux 6.9: others' `nft flush ruleset` passes an owned table by. */
static void test_flush_of_an_owned_table(void **state)
{
	struct nft *n = open_table(NULL);

	(void)state;
	if (!nft_features(n)->owner_persist) {
		nft_close(n);
		left_out("this kernel's tables have no owner and persist");
		return;
	}
	assert_true(ban_one(n, BAN_SIP, "198.51.100.7", 600));
	assert_int_equal(ruleset_flush(), 0);
	assert_int_equal(ruleset_delete_table(), EPERM);
	assert_int_equal(ruleset_delete_rules(), EPERM);
	assert_true(ruleset_left("sip4_32", "198.51.100.7") > 0);
	assert_false(notified(n));
	assert_false(nft_lost(n));
	nft_close(n);
	/* Now it belongs to nobody. */
	assert_true(ruleset_has_table());
	assert_int_equal(ruleset_flush(), 0);
	assert_false(ruleset_has_table());
}

/* A second daemon is told who is in its way, and changes nothing. */
static void test_table_of_another_process(void **state)
{
	struct nft *n = open_table(NULL), *second;
	struct error err = {""};

	(void)state;
	if (!nft_features(n)->owner_persist) {
		nft_close(n);
		left_out("this kernel's tables have no owner and persist");
		return;
	}
	assert_true(ban_one(n, BAN_SIP, "198.51.100.7", 600));
	second = nft_open(&nft_config_default, &err);
	assert_non_null(second);
	assert_true(
		nft_features(second)->update_timeout == nft_features(n)->update_timeout);
	assert_int_equal(nft_setup(second, &err), -1);
	assert_non_null(strstr(err.text, "owned by another running process"));
	assert_int_equal(nft_teardown(second, &err), -1);
	assert_non_null(strstr(err.text, "no other running process owns"));
	assert_true(ruleset_left("sip4_32", "198.51.100.7") > 0);
	/* It adopts the table when the first one ends. */
	nft_close(n);
	assert_int_equal(nft_setup(second, &err), 0);
	assert_true(ruleset_left("sip4_32", "198.51.100.7") > 0);
	assert_int_equal(ruleset_delete_table(), EPERM);
	nft_close(second);
}

/* As on kernels before 6.9: a table without an owner is flushed, and we hear. */
static void test_flush_of_a_table_without_owner(void **state)
{
	struct nft *n;
	struct error err = {""};
	const struct indicator allow[] = {indicator_of("192.0.2.0/24")};

	(void)state;
	assert_int_equal(ruleset_make_table(0), 0);
	n = open_table(NULL);
	assert_int_equal(nft_allow(n, allow, 1, &err), 0);
	assert_true(ban_one(n, BAN_SIP, "198.51.100.7", 600));
	assert_true(ban_one(n, BAN_SIP, "198.51.100.7", 900));
	/* No news of our own changes. */
	assert_false(notified(n));
	assert_false(nft_lost(n));

	assert_int_equal(ruleset_flush(), 0);
	assert_false(ruleset_has_table());
	assert_true(notified(n));
	assert_true(nft_lost(n));
	assert_false(nft_lost(n)); /* said once */

	assert_int_equal(nft_setup(n, &err), 0);
	assert_int_equal(ruleset_left("sip4_32", "198.51.100.7"), -1);
	assert_true(ban_one(n, BAN_SIP, "198.51.100.7", 600));
	assert_true(ruleset_left("sip4_32", "198.51.100.7") > 0);
	/* The allow set's contents came back with the table. */
	assert_true(ruleset_has_set("allow4"));
	assert_false(ban_one(n, BAN_SIP, "192.0.2.55", 600));
	assert_false(nft_lost(n));
	nft_close(n);
}

/* Parts of the table, too; and nothing about other tables. */
static void test_others_change_parts(void **state)
{
	struct nft *n;
	struct error err = {""};
	struct nft_counter counters[8];

	(void)state;
	assert_int_equal(ruleset_make_table(0), 0);
	n = open_table(NULL);
	assert_true(ban_one(n, BAN_SIP, "198.51.100.7", 600));

	assert_int_equal(ruleset_delete_rules(), 0);
	assert_true(nft_lost(n));
	assert_int_equal(nft_counters(n, counters, 8, &err), 0);
	assert_int_equal(nft_setup(n, &err), 0);
	assert_int_equal(nft_counters(n, counters, 8, &err), 3);
	assert_true(ruleset_left("sip4_32", "198.51.100.7") > 0);

	assert_int_equal(ruleset_empty_set("sip4_32"), 0);
	assert_true(nft_lost(n));

	struct nft_config config = nft_config_default;
	struct nft *other;

	snprintf(config.table, sizeof(config.table), "another");
	other = open_table(&config);
	assert_int_equal(nft_teardown(other, &err), 0);
	nft_close(other);
	assert_false(nft_lost(n));
	nft_close(n);
}

/* A ban ordered into a table that is gone names the remedy. */
static void test_apply_without_table(void **state)
{
	struct nft *n;
	struct error err = {""};
	struct ban_order o = order_of(BAN_SIP, "198.51.100.7", 600);
	size_t refused;
	uint8_t done = 1;

	(void)state;
	assert_int_equal(ruleset_make_table(0), 0);
	n = open_table(NULL);
	assert_true(ban_one(n, BAN_SIP, "198.51.100.7", 600));
	assert_int_equal(ruleset_delete_table(), 0);
	assert_int_equal(nft_apply(n, &o, 1, clock_wall(), &done, &refused, &err), -1);
	assert_int_equal(done, 0);
	assert_non_null(strstr(err.text, "set it up again"));
	nft_close(n);
}

/* What stands with another hook or another key is made anew. */
static void test_setup_repairs(void **state)
{
	const struct nft_set_shape wrong = nft_interval_shape(16);
	const struct nft_set_shape ports = nft_interval_shape(4);
	struct nft *n;

	(void)state;
	assert_int_equal(ruleset_make_table(0), 0);
	assert_int_equal(ruleset_make_other_chain(), 0);
	assert_int_equal(ruleset_make_set("allow4", &wrong), 0);
	assert_int_equal(ruleset_make_set("sip4_32", &wrong), 0);
	assert_int_equal(ruleset_make_set("ports", &ports), 0);
	n = open_table(NULL);
	assert_true(ban_one(n, BAN_SIP, "198.51.100.7", 600));
	assert_true(ruleset_left("sip4_32", "198.51.100.7") > 0);
	nft_close(n);
}

/* Every set that a ban can need, in both scopes. */
static void test_all_prefix_lengths(void **state)
{
	struct nft *n = open_table(NULL);
	struct ban_order orders[NFT_SLOTS];
	struct error err = {""};
	struct nft_config config = nft_config_default;
	size_t refused, count = 0;
	uint8_t done[NFT_SLOTS];
	char name[NFT_SET_NAME];

	(void)state;
	nft_close(n);
	config.set_size = 16;
	n = open_table(&config);
	for (uint16_t slot = 0; slot < NFT_SLOTS; slot++) {
		struct nft_set s = nft_set_at(slot);

		orders[count++] = (struct ban_order){
			.indicator = {.kind = s.family == 4 ? INDICATOR_IP4 :
							      INDICATOR_IP6,
				.plen = s.plen,
				.value = {0x80}},
			.change = BAN_ADD,
			.scope = s.scope,
			.until = UINT32_MAX, /* the longest that can be said */
		};
	}
	assert_int_equal(
		nft_apply(n, orders, count, clock_wall(), done, &refused, &err), 0);
	assert_int_equal(refused, 0);
	for (uint16_t slot = 0; slot < NFT_SLOTS; slot++) {
		struct nft_set s = nft_set_at(slot);

		assert_int_equal(done[slot], 1);
		assert_true(ruleset_has_set(nft_set_name(name, &s)));
	}
	assert_int_equal(nft_setup(n, &err), 0); /* 322 rules in one transaction */
	nft_close(n);
}

static void test_bad_configurations(void **state)
{
	struct nft_config c;
	struct error err = {""};

	(void)state;
	c = nft_config_default;
	snprintf(c.table, sizeof(c.table), "sip chain");
	assert_null(nft_open(&c, &err));
	assert_non_null(strstr(err.text, "table: a name is letters"));
	c = nft_config_default;
	memset(c.table, 'a', sizeof(c.table));
	assert_null(nft_open(&c, &err));
	c = nft_config_default;
	c.ports[0].first = 5062;
	assert_null(nft_open(&c, &err));
	assert_string_equal(err.text,
		"ports: 5062-5061 is no range: first and last are 1 to "
		"65535, first is not above last");
	c.ports_count = 0;
	assert_null(nft_open(&c, &err));
	assert_non_null(strstr(err.text, "1 to 16 ranges"));
	c = nft_config_default;
	c.set_size = 0;
	assert_null(nft_open(&c, &err));
	assert_non_null(strstr(err.text, "set_size"));
	c = nft_config_default;
	c.gc_interval = 0;
	assert_null(nft_open(&c, &err));
	assert_non_null(strstr(err.text, "gc_interval"));
}

/* Ranges that overlap or touch, in any order, are one interval to the kernel. */
static void test_ports_are_merged(void **state)
{
	struct nft_config c = nft_config_default;
	struct nft *n;

	(void)state;
	c.ports[0].first = 65535, c.ports[0].last = 65535;
	c.ports[1].first = 5080, c.ports[1].last = 5090;
	c.ports[2].first = 5060, c.ports[2].last = 5070;
	c.ports[3].first = 5065, c.ports[3].last = 5067;
	c.ports[4].first = 5071, c.ports[4].last = 5071;
	c.ports_count = 5;
	n = open_table(&c);
	assert_int_equal(n->config.ports_count, 3);
	assert_int_equal(n->config.ports[0].first, 5060);
	assert_int_equal(n->config.ports[0].last, 5071);
	assert_int_equal(n->config.ports[2].last, 65535);
	nft_close(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_setup_twice_keeps_bans, no_table),
		cmocka_unit_test_setup(test_bans_outlive_the_process, no_table),
		cmocka_unit_test_setup(test_teardown, no_table),
		cmocka_unit_test_setup(test_flush_of_an_owned_table, no_table),
		cmocka_unit_test_setup(test_table_of_another_process, no_table),
		cmocka_unit_test_setup(test_flush_of_a_table_without_owner, no_table),
		cmocka_unit_test_setup(test_others_change_parts, no_table),
		cmocka_unit_test_setup(test_apply_without_table, no_table),
		cmocka_unit_test_setup(test_setup_repairs, no_table),
		cmocka_unit_test_setup(test_all_prefix_lengths, no_table),
		cmocka_unit_test_setup(test_bad_configurations, no_table),
		cmocka_unit_test_setup(test_ports_are_merged, no_table),
	};
	struct error err = {""};

	if (namespace_enter(&err) < 0) {
		fprintf(stderr, "skipped: %s\n", err.text);
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
