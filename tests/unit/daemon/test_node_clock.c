/* SPDX-License-Identifier: Apache-2.0 */
/* The machine's clock is set while the node runs. */
#include "node_for_test.h"

#include <stdlib.h>

#include "remove_tree.h"

#define HOUR 3600

static char folder[64];

static int make_folder(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/node-clock-XXXXXX");
	clock_set(0);
	clock_set_wall(0);
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	(void)state;
	history_cut(0);
	return remove_tree(folder);
}

/* A node with a ban for half an hour and one for four hours, ordered. */
static struct node *begun(void)
{
	struct node *n = node_begin(folder, true);
	struct ban_order o[8];

	history_begin(1000);
	node_link(n);
	history_report(n, "203.0.113.1", 0, T0 + HOUR / 2);
	history_report(n, "203.0.113.2", 1, T0 + 4 * HOUR);
	node_decide_dirty(n);
	assert_int_equal(ban_table_count(n->bans), 2);
	assert_int_equal(ban_table_take(n->bans, o, 8), 2);
	assert_false(ban_table_done(n->bans, &o[0], true));
	assert_false(ban_table_done(n->bans, &o[1], true));
	return n;
}

/* The order about an address among those that wait; false: none. */
static bool ordered(
	struct ban_order *out, const struct ban_order *o, size_t count, const char *text)
{
	struct indicator i = of(text);

	for (size_t k = 0; k < count; k++)
		if (!memcmp(&o[k].indicator, &i, sizeof i)) {
			*out = o[k];
			return true;
		}
	return false;
}

static bool banned(struct node *n, const char *text, uint32_t until)
{
	struct indicator i = of(text);
	const struct ban *b = ban_table_get(n->bans, &i, BAN_SIP);

	return b && b->until == until;
}

static void test_forward(void **state)
{
	struct node *n = begun();
	struct ban_order o[8], one;
	size_t count;

	(void)state;
	/* Time that passes by both clocks is none that was set. */
	clock_set(100);
	assert_false(node_clock_was_set(n));
	clock_set_wall(0.9);
	assert_false(node_clock_was_set(n));
	node_schedule(n);
	assert_int_equal(ban_table_queued(n->bans), 0);
	clock_set_wall(HOUR);
	assert_true(node_clock_was_set(n));
	node_schedule(n);
	assert_false(node_clock_was_set(n));
	assert_int_equal(ban_table_count(n->bans), 1);
	assert_true(banned(n, "203.0.113.2", T0 + 4 * HOUR));
	/* The kernel's timeouts are of the old clock: one ends now, one is set anew. */
	count = ban_table_take(n->bans, o, 8);
	assert_int_equal(count, 2);
	assert_true(ordered(&one, o, count, "203.0.113.1"));
	assert_int_equal(one.change, BAN_DELETE);
	assert_true(ban_table_done(n->bans, &one, true));
	assert_true(ordered(&one, o, count, "203.0.113.2"));
	assert_int_equal(one.change, BAN_ADD);
	assert_int_equal(one.until, T0 + 4 * HOUR);
	node_kill(n);
}

static void test_ahead_and_right_again(void **state)
{
	struct node *n = begun();

	(void)state;
	clock_set_wall(HOUR);
	node_schedule(n);
	assert_false(banned(n, "203.0.113.1", T0 + HOUR / 2));
	clock_set(60);
	clock_set_wall(0);
	node_schedule(n);
	history_deliver(n); /* as it was asked to */
	assert_true(banned(n, "203.0.113.1", T0 + HOUR / 2));
	assert_true(banned(n, "203.0.113.2", T0 + 4 * HOUR));
	/* And it ends by its time. */
	clock_set(HOUR / 2.0 + 1);
	node_schedule(n);
	assert_false(banned(n, "203.0.113.1", T0 + HOUR / 2));
	assert_int_equal(ban_table_count(n->bans), 1);
	node_kill(n);
}

/* No end moves, and what stands is told how much longer that is now. */
static void test_back(void **state)
{
	struct node *n = begun();

	(void)state;
	clock_set_wall(-HOUR);
	node_schedule(n);
	history_deliver(n);
	assert_true(banned(n, "203.0.113.1", T0 + HOUR / 2));
	assert_true(banned(n, "203.0.113.2", T0 + 4 * HOUR));
	assert_int_equal(ban_table_queued(n->bans), 2);
	clock_set_wall(0);
	clock_set(HOUR / 2.0 + 1);
	node_schedule(n);
	assert_int_equal(ban_table_count(n->bans), 1);
	node_kill(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_forward, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(
			test_ahead_and_right_again, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(test_back, make_folder, remove_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
