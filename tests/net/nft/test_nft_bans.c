/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bans in the real kernel: what stands, until when, and what is refused. Run
 * three times, in the manner of each generation of kernels (a newer kernel
 * understands what an older one needs).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "namespace.h"
#include "ruleset.h"

/* Which kernel to behave for. */
static struct nft_features manner;

static struct nft *open_as(uint32_t set_size)
{
	struct nft_config config = nft_config_default;
	struct nft *n;

	(void)ruleset_delete_table();
	config.set_size = set_size;
	n = open_table(&config);
	n->features.update_timeout &= manner.update_timeout;
	n->features.destroy &= manner.destroy;
	return n;
}

static void test_add_and_delete(void **state)
{
	struct nft *n = open_as(1000);

	(void)state;
	assert_true(ban_one(n, BAN_SIP, "198.51.100.7", 600));
	assert_in_range(ruleset_left("sip4_32", "198.51.100.7"), 590000, 601000);
	assert_int_equal(ruleset_left("sip4_32", "198.51.100.8"), -1);
	assert_int_equal(ruleset_left("all4_32", "198.51.100.7"), -1);
	assert_true(ban_one(n, BAN_ALL, "2001:db8::7", 60));
	assert_in_range(ruleset_left("all6_128", "2001:db8::7"), 50000, 61000);

	assert_true(ban_one(n, BAN_SIP, "198.51.100.7", -1));
	assert_int_equal(ruleset_left("sip4_32", "198.51.100.7"), -1);
	assert_true(ban_one(n, BAN_SIP, "198.51.100.7", -1));   /* not there: success */
	assert_true(ban_one(n, BAN_SIP, "203.0.113.0/24", -1)); /* not even the set */
	assert_false(ruleset_has_set("sip4_24"));
	nft_close(n);
}

/* A later end extends, an earlier one shortens, the same one keeps it. */
static void test_renewal(void **state)
{
	struct nft *n = open_as(1000);

	(void)state;
	assert_true(ban_one(n, BAN_SIP, "198.51.100.7", 60));
	assert_true(ban_one(n, BAN_SIP, "198.51.100.7", 3600));
	assert_in_range(ruleset_left("sip4_32", "198.51.100.7"), 3590000, 3601000);
	assert_true(ban_one(n, BAN_SIP, "198.51.100.7", 120));
	assert_in_range(ruleset_left("sip4_32", "198.51.100.7"), 110000, 121000);
	nft_close(n);
}

/* The same length again counts from now on, not from the first time. */
static void test_renewal_with_same_length(void **state)
{
	struct nft *n = open_as(1000);
	struct ban_order o = order_of(BAN_SIP, "198.51.100.7", 600);
	struct error err = {""};
	usec now = (usec)(o.until - 600) * USEC_PER_SEC;
	size_t refused;
	int64_t left;

	(void)state;
	assert_int_equal(nft_apply(n, &o, 1, now, NULL, &refused, &err), 0);
	do {
		usleep(20000);
		left = ruleset_left("sip4_32", "198.51.100.7");
	} while (left > 599900);
	assert_int_equal(nft_apply(n, &o, 1, now, NULL, &refused, &err), 0);
	assert_true(ruleset_left("sip4_32", "198.51.100.7") > left);
	nft_close(n);
}

/* An order whose end is past ends the ban. */
static void test_order_in_the_past_deletes(void **state)
{
	struct nft *n = open_as(1000);
	struct ban_order o = order_of(BAN_SIP, "198.51.100.7", 600);
	struct error err = {""};
	size_t refused;
	uint8_t done;

	(void)state;
	apply(n, &o, 1, &done, 0);
	assert_int_equal(done, 1);
	assert_int_equal(
		nft_apply(n, &o, 1, (usec)o.until * USEC_PER_SEC, &done, &refused, &err),
		0);
	assert_int_equal(done, 1);
	assert_int_equal(ruleset_left("sip4_32", "198.51.100.7"), -1);
	nft_close(n);
}

/* The kernel ends it by itself, and it may be ordered again after that. */
static void test_expiry(void **state)
{
	struct nft *n = open_as(1000);
	struct ban_order o = order_of(BAN_SIP, "198.51.100.7", 600);
	struct error err = {""};
	size_t refused;

	(void)state;
	/* 200 ms before its end. */
	assert_int_equal(nft_apply(n, &o, 1, (usec)o.until * USEC_PER_SEC - 200000, NULL,
				 &refused, &err),
		0);
	for (unsigned i = 0; i < 1000 && ruleset_left("sip4_32", "198.51.100.7") >= 0;
		i++)
		usleep(10000);
	assert_int_equal(ruleset_left("sip4_32", "198.51.100.7"), -1);
	/* It still occupies its place until the next collection. */
	assert_true(ban_one(n, BAN_SIP, "198.51.100.7", 600));
	assert_true(ruleset_left("sip4_32", "198.51.100.7") > 500000);
	assert_true(ban_one(n, BAN_SIP, "198.51.100.7", -1));
	assert_int_equal(ruleset_left("sip4_32", "198.51.100.7"), -1);
	nft_close(n);
}

/* 2,500 orders of both families and several lengths in one call. */
static void test_many(void **state)
{
	struct nft *n = open_as(10000);
	struct ban_order *orders = orders_from(2500, 0, 600);
	uint8_t *done = calloc(2500, 1);
	char text[64];

	(void)state;
	for (unsigned i = 0; i < 2500; i += 5) {
		snprintf(text, sizeof(text), "2001:db8:%x::/48", i);
		orders[i] = order_of(i % 2 ? BAN_ALL : BAN_SIP, text, 600);
		snprintf(text, sizeof(text), "10.%u.%u.0/24", i / 256, i % 256);
		orders[i + 1] = order_of(BAN_ALL, text, 600);
	}
	apply(n, orders, 2500, done, 0);
	for (unsigned i = 0; i < 2500; i++)
		assert_int_equal(done[i], 1);
	assert_true(ruleset_left("sip6_48", "2001:db8:0::/48") > 0);
	assert_true(ruleset_left("all6_48", "2001:db8:5::/48") > 0);
	assert_true(ruleset_left("all4_24", "10.9.186.0/24") > 0); /* 2490 + 1 */
	assert_true(ruleset_left("sip4_32", "1.0.9.195") > 0);     /* 2499 */
	/* All once more (renewals in all manners), then all away. */
	apply(n, orders, 2500, done, 0);
	for (unsigned i = 0; i < 2500; i++)
		orders[i].change = BAN_DELETE;
	apply(n, orders, 2500, done, 0);
	assert_int_equal(ruleset_left("sip4_32", "1.0.9.195"), -1);
	assert_int_equal(ruleset_left("sip6_48", "2001:db8:0::/48"), -1);
	free(done);
	free(orders);
	nft_close(n);
}

/* New bans and renewals mixed; before 6.12 the hope for all-new ones fails. */
static void test_new_and_standing_mixed(void **state)
{
	struct nft *n = open_as(10000);
	struct ban_order *first = orders_from(500, 0, 60),
			 *second = orders_from(1000, 250, 3600);
	uint8_t done[1000];

	(void)state;
	apply(n, first, 500, done, 0);
	apply(n, second, 1000, done, 0);
	assert_in_range(ruleset_left("sip4_32", "1.0.0.0"), 50000, 61000);
	assert_in_range(ruleset_left("sip4_32", "1.0.1.0"), 3590000, 3601000);
	assert_in_range(ruleset_left("sip4_32", "1.0.4.0"), 3590000, 3601000);
	free(first);
	free(second);
	nft_close(n);
}

/* Orders about one ban in one call: the last one counts. */
static void test_last_order_counts(void **state)
{
	struct nft *n = open_as(1000);
	struct ban_order orders[] = {
		order_of(BAN_SIP, "198.51.100.1", 60),
		order_of(BAN_SIP, "198.51.100.2", 60),
		order_of(BAN_SIP, "198.51.100.1", 600),
		order_of(BAN_SIP, "198.51.100.2", -1),
		order_of(BAN_SIP, "198.51.100.3", -1),
		order_of(BAN_SIP, "198.51.100.3", 60),
	};
	uint8_t done[6];

	(void)state;
	apply(n, orders, 6, done, 0);
	assert_true(ruleset_left("sip4_32", "198.51.100.1") > 500000);
	assert_int_equal(ruleset_left("sip4_32", "198.51.100.2"), -1);
	assert_true(ruleset_left("sip4_32", "198.51.100.3") > 0);
	nft_close(n);
}

/* Exactly what does not fit is refused: 6 places for 10, in order. */
static void test_full_set(void **state)
{
	struct nft *n = open_as(6);
	struct ban_order orders[12], *more;
	uint8_t done[12];
	char text[32];

	(void)state;
	for (unsigned i = 0; i < 10; i++) {
		snprintf(text, sizeof(text), "198.51.100.%u", i);
		orders[i] = order_of(BAN_SIP, text, 60);
	}
	orders[10] = order_of(BAN_ALL, "198.51.100.9", 60); /* another set */
	orders[11] = order_of(BAN_SIP, "2001:db8::/64", 60);
	apply(n, orders, 12, done, 4);
	assert_memory_equal(done, ((uint8_t[]){1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1}), 12);
	assert_true(ruleset_left("sip4_32", "198.51.100.5") > 0);
	assert_int_equal(ruleset_left("sip4_32", "198.51.100.6"), -1);
	assert_true(ruleset_left("all4_32", "198.51.100.9") > 0);
	assert_true(ruleset_left("sip6_64", "2001:db8::/64") > 0);

	/* One alone; a renewal; a deletion of what is not there. */
	assert_false(ban_one(n, BAN_SIP, "198.51.100.6", 60));
	assert_true(ban_one(n, BAN_SIP, "198.51.100.5", 600));
	assert_true(ruleset_left("sip4_32", "198.51.100.5") > 500000);
	assert_true(ban_one(n, BAN_SIP, "198.51.100.7", -1));

	/* Renewals and deletions beside new ones: two places become free. */
	orders[0] = order_of(BAN_SIP, "198.51.100.100", 60);
	orders[1] = order_of(BAN_SIP, "198.51.100.0", 600);
	orders[2] = order_of(BAN_SIP, "198.51.100.1", -1);
	orders[3] = order_of(BAN_SIP, "198.51.100.101", 60);
	orders[4] = order_of(BAN_SIP, "198.51.100.2", -1);
	orders[5] = order_of(BAN_SIP, "198.51.100.102", 60);
	orders[6] = order_of(BAN_SIP, "198.51.100.77", -1);
	apply(n, orders, 7, done, 1);
	assert_memory_equal(done, ((uint8_t[]){1, 1, 1, 1, 1, 0, 1}), 7);
	assert_true(ruleset_left("sip4_32", "198.51.100.0") > 500000);
	assert_int_equal(ruleset_left("sip4_32", "198.51.100.1"), -1);
	assert_int_equal(ruleset_left("sip4_32", "198.51.100.102"), -1);

	/* A full set and a long list: in order, and not one abort an order. */
	more = orders_from(1500, 0, 60);
	for (unsigned i = 0; i < 6; i++) {
		snprintf(text, sizeof(text), "198.51.100.%u", i);
		assert_true(ban_one(n, BAN_SIP, text, -1));
	}
	assert_true(ban_one(n, BAN_SIP, "198.51.100.100", -1));
	apply(n, more, 1500, NULL, 1495); /* 198.51.100.101 is the sixth */
	assert_true(ruleset_left("sip4_32", "1.0.0.4") > 0);
	assert_int_equal(ruleset_left("sip4_32", "1.0.0.5"), -1);
	free(more);
	nft_close(n);
}

/* The enforcer's own copy of the allowlist; others' kinds are no bans. */
static void test_refusals(void **state)
{
	struct nft *n = open_as(1000);
	const struct indicator allow[] = {indicator_of("198.51.100.0/28"),
		indicator_of("2001:db8:a::1"), indicator_of("+442079460000")};
	struct ban_order orders[] = {
		order_of(BAN_SIP, "198.51.100.15", 60),
		order_of(BAN_ALL, "198.51.100.0/24", 60), /* around it */
		order_of(BAN_SIP, "198.51.100.16", 60),
		order_of(BAN_SIP, "2001:db8:a::/48", 60),
		order_of(BAN_SIP, "+97259*", 60),
		order_of(BAN_SIP, "198.51.100.15", -1),
		{.indicator = {.kind = INDICATOR_IP4, .plen = 0},
			.change = BAN_ADD,
			.until = UINT32_MAX},
	};
	uint8_t done[7];
	struct error err = {""};

	(void)state;
	assert_true(ban_one(n, BAN_SIP, "198.51.100.15", 60)); /* before it was allowed */
	assert_int_equal(nft_allow(n, allow, 3, &err), 0);
	apply(n, orders, 7, done, 5);
	assert_memory_equal(done, ((uint8_t[]){0, 0, 1, 0, 0, 1, 0}), 7);
	assert_int_equal(ruleset_left("all4_24", "198.51.100.0/24"), -1);

	/* An empty allowlist allows all bans again. */
	assert_int_equal(nft_allow(n, NULL, 0, &err), 0);
	assert_true(ban_one(n, BAN_ALL, "198.51.100.0/24", 60));
	nft_close(n);
}

/* Replaced in one transaction, over and over, with all that overlaps. */
static void test_allow_is_replaced(void **state)
{
	struct nft *n = open_as(1000);
	struct indicator list[] = {indicator_of("0.0.0.0/1"), indicator_of("128.0.0.0/1"),
		indicator_of("198.51.100.7"), indicator_of("::/0"),
		indicator_of("2001:db8::1")};
	struct error err = {""};

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(nft_allow(n, list, 5, &err), 0);
		assert_int_equal(n->allow_count, 2);
		assert_int_equal(nft_allow(n, list + 2, 1, &err), 0);
		assert_int_equal(n->allow_count, 1);
	}
	assert_false(ban_one(n, BAN_SIP, "198.51.100.7", 60));
	assert_true(ban_one(n, BAN_SIP, "198.51.100.6", 60));
	nft_close(n);
}

/* 5,000 prefixes need several messages but stay one transaction. */
static void test_large_allowlist(void **state)
{
	struct nft *n = open_as(1000);
	struct indicator *list = calloc(5000, sizeof(*list));
	struct error err = {""};

	(void)state;
	assert_non_null(list);
	for (uint32_t i = 0; i < 5000; i++) {
		list[i] = indicator_of("20.0.0.0");
		be32_store(list[i].value, 0x14000000 + 2 * i);
	}
	if (nft_allow(n, list, 5000, &err) < 0)
		fail_msg("%s", err.text);
	assert_false(ban_one(n, BAN_SIP, "20.0.39.14", 60)); /* 2 x 4999 */
	assert_true(ban_one(n, BAN_SIP, "20.0.39.15", 60));
	assert_true(ban_one(n, BAN_SIP, "20.0.39.16", 60));
	free(list);
	nft_close(n);
}

int main(void)
{
	static const struct {
		const char *name;
		struct nft_features features;
	} kernels[] = {
		{"as Linux 6.12", {.update_timeout = true, .destroy = true}},
		{"as Linux 6.3", {.destroy = true}},
		{"as Linux 6.1", {0}},
	};
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_add_and_delete),
		cmocka_unit_test(test_renewal),
		cmocka_unit_test(test_renewal_with_same_length),
		cmocka_unit_test(test_order_in_the_past_deletes),
		cmocka_unit_test(test_expiry),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_new_and_standing_mixed),
		cmocka_unit_test(test_last_order_counts),
		cmocka_unit_test(test_full_set),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_allow_is_replaced),
		cmocka_unit_test(test_large_allowlist),
	};
	struct error err = {""};
	int failed = 0;

	if (namespace_enter(&err) < 0) {
		fprintf(stderr, "skipped: %s\n", err.text);
		return 77;
	}
	for (unsigned i = 0; i < sizeof(kernels) / sizeof(kernels[0]); i++) {
		manner = kernels[i].features;
		failed += cmocka_run_group_tests_name(kernels[i].name, tests, NULL, NULL);
	}
	return failed != 0;
}
