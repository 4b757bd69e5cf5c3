/* SPDX-License-Identifier: Apache-2.0 */
/* How `status` counts bans: at once, or seldom when there are so many that it takes long. */
#include "node_for_test.h"

#include <stdlib.h>

#include "daemon/node_connector.h"
#include "remove_tree.h"

static char folder[64];
static struct node *n;

static int setup(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/node-status-XXXXXX");
	clock_set(0);
	clock_pace(0);
	if (!mkdtemp(folder))
		return -1;
	n = node_begin(folder, true);
	n->detector = detector_new(&detect_config_default, n->hash_key);
	n->connectors = node_connectors_new(n);
	return n->detector && n->connectors ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	clock_pace(0);
	detector_free(n->detector);
	node_connectors_free(n->connectors);
	node_kill(n);
	return remove_tree(folder);
}

static void ban(const char *text)
{
	struct indicator i = of(text);

	node_bans_begin(n, STORE_SOON);
	node_ban(n, &i, BAN_ALL, BAN_OPERATOR, CATEGORY_OTHER, T0 + 3600);
	node_bans_flush(n);
}

/* Bans by operators, as status has them. */
static int counted(void)
{
	json_t *o = node_status(n);
	int count = (int)json_integer_value(
		json_object_get(json_object_get(o, "bans"), "operator"));

	json_decref(o);
	return count;
}

static void test_at_once(void **state)
{
	(void)state;
	assert_int_equal(counted(), 0);
	ban("192.0.2.1");
	assert_int_equal(counted(), 1);
	clock_pace(0.0019); /* not long yet */
	assert_int_equal(counted(), 1);
	clock_pace(0);
	ban("192.0.2.2");
	assert_int_equal(counted(), 2);
}

static void test_seldom(void **state)
{
	usec until;

	(void)state;
	ban("192.0.2.1");
	clock_pace(0.003);
	assert_int_equal(counted(), 1);
	until = n->ban_counts.until;
	clock_pace(0);
	ban("192.0.2.2");
	/* 200 times 3 ms from when the count began. */
	assert_in_range(
		until, 1000 * USEC_PER_SEC + 600000, 1000 * USEC_PER_SEC + 700000);
	clock_set((double)(until - 1) / USEC_PER_SEC - 1000);
	assert_int_equal(counted(), 1);
	clock_set((double)until / USEC_PER_SEC - 1000);
	assert_int_equal(counted(), 2);
	/* However long it takes, five seconds at most. */
	clock_pace(1);
	assert_int_equal(counted(), 2);
	clock_pace(0);
	assert_in_range(
		n->ban_counts.until, until + 5 * USEC_PER_SEC, until + 10 * USEC_PER_SEC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(test_seldom, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
