/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "enforce/ban_table.h"
#include "indicator/word.h"

static const struct hash_key key = {1, 2};

static struct indicator ip(const char *text)
{
	struct indicator i;

	assert_int_equal(indicator_parse(&i, NULL, view_str(text), NULL), 0);
	return i;
}

static void set(
	struct ban_table *t, const char *text, uint8_t scope, uint32_t until, bool news)
{
	struct indicator i = ip(text);

	assert_int_equal(
		ban_table_set(t, &i, scope, BAN_OWN, CATEGORY_PASSWORD, until, 100),
		news);
}

static uint8_t state(struct ban_table *t, const char *text, uint8_t scope)
{
	struct indicator i = ip(text);
	const struct ban *b = ban_table_get(t, &i, scope);

	return b ? b->state : 0;
}

/* What is sent is what the ban is now, and once, however often it changed. */
static void changes_before_the_order_are_one_order(void **s)
{
	struct ban_table *t = ban_table_new(key);
	struct ban_order o[8];

	(void)s;
	set(t, "192.0.2.7", BAN_ALL, 200, true);
	set(t, "192.0.2.7", BAN_ALL, 200, false);
	set(t, "192.0.2.7", BAN_ALL, 300, true);
	assert_int_equal(ban_table_queued(t), 1);
	assert_int_equal(ban_table_take(t, o, 8), 1);
	assert_int_equal(o[0].change, BAN_ADD);
	assert_int_equal(o[0].until, 300);
	assert_int_equal(state(t, "192.0.2.7", BAN_ALL), BAN_ORDERED);
	assert_false(ban_table_done(t, &o[0], true));
	assert_int_equal(state(t, "192.0.2.7", BAN_ALL), BAN_STANDING);
	ban_table_free(t);
}

static void scopes_are_apart(void **s)
{
	struct ban_table *t = ban_table_new(key);
	struct indicator i = ip("192.0.2.7");

	(void)s;
	set(t, "192.0.2.7", BAN_ALL, 200, true);
	set(t, "192.0.2.7", BAN_SIP, 400, true);
	assert_int_equal(ban_table_count(t), 2);
	assert_true(ban_table_clear(t, &i, BAN_ALL));
	assert_null(ban_table_get(t, &i, BAN_ALL));
	assert_non_null(ban_table_get(t, &i, BAN_SIP));
	ban_table_free(t);
}

/* An answer to an older order must not settle a newer wish. */
static void a_late_answer_settles_nothing(void **s)
{
	struct ban_table *t = ban_table_new(key);
	struct indicator i = ip("192.0.2.7");
	struct ban_order first, second;

	(void)s;
	set(t, "192.0.2.7", BAN_ALL, 200, true);
	assert_int_equal(ban_table_take(t, &first, 1), 1);
	assert_true(ban_table_clear(t, &i, BAN_ALL));
	assert_false(ban_table_done(t, &first, true));
	assert_int_equal(ban_table_take(t, &second, 1), 1);
	assert_int_equal(second.change, BAN_DELETE);
	/* banned again while the deletion is on its way */
	set(t, "192.0.2.7", BAN_ALL, 500, true);
	assert_false(ban_table_done(t, &second, true));
	assert_non_null(ban_table_get(t, &i, BAN_ALL));
	assert_int_equal(ban_table_take(t, &first, 1), 1);
	assert_int_equal(first.change, BAN_ADD);
	assert_int_equal(first.until, 500);
	ban_table_free(t);
}

static void deletion_ends_the_record(void **s)
{
	struct ban_table *t = ban_table_new(key);
	struct indicator i = ip("2001:db8::/48");
	struct ban_order o;

	(void)s;
	set(t, "2001:db8::/48", BAN_SIP, 200, true);
	assert_int_equal(ban_table_take(t, &o, 1), 1);
	ban_table_done(t, &o, true);
	assert_true(ban_table_clear(t, &i, BAN_SIP));
	assert_false(ban_table_clear(t, &i, BAN_SIP));
	assert_int_equal(ban_table_take(t, &o, 1), 1);
	assert_true(ban_table_done(t, &o, true));
	assert_int_equal(ban_table_count(t), 0);
	ban_table_free(t);
}

static void refusal_shows(void **s)
{
	struct ban_table *t = ban_table_new(key);
	struct ban_order o;

	(void)s;
	set(t, "192.0.2.7", BAN_ALL, 200, true);
	ban_table_take(t, &o, 1);
	assert_false(ban_table_done(t, &o, false));
	assert_int_equal(state(t, "192.0.2.7", BAN_ALL), BAN_REFUSED);
	ban_table_free(t);
}

/* A new enforcer: bans and unfinished deletions alike are ordered again. */
static void requeue_orders_everything(void **s)
{
	struct ban_table *t = ban_table_new(key);
	struct indicator i = ip("192.0.2.8");
	struct ban_order o[8];
	unsigned adds = 0, deletes = 0;

	(void)s;
	set(t, "192.0.2.7", BAN_ALL, 200, true);
	set(t, "192.0.2.8", BAN_ALL, 200, true);
	assert_int_equal(ban_table_take(t, o, 8), 2);
	ban_table_done(t, &o[0], true);
	ban_table_done(t, &o[1], true);
	ban_table_clear(t, &i, BAN_ALL);
	assert_int_equal(ban_table_take(t, o, 8), 1); /* and no answer */
	ban_table_requeue(t);
	ban_table_requeue(t);
	assert_int_equal(ban_table_take(t, o, 8), 2);
	for (unsigned k = 0; k < 2; k++)
		*(o[k].change == BAN_ADD ? &adds : &deletes) += 1;
	assert_int_equal(adds, 1);
	assert_int_equal(deletes, 1);
	ban_table_free(t);
}

static void count_call(void *context, const struct ban *b)
{
	(void)b;
	++*(unsigned *)context;
}

static void expiry_follows_the_last_end(void **s)
{
	struct ban_table *t = ban_table_new(key);
	unsigned gone = 0;

	(void)s;
	set(t, "192.0.2.7", BAN_ALL, 200, true);
	set(t, "192.0.2.7", BAN_ALL, 300, true); /* extended */
	set(t, "192.0.2.8", BAN_ALL, 250, true);
	assert_int_equal(ban_table_expire(t, 199, count_call, &gone), 250);
	assert_int_equal(ban_table_expire(t, 250, count_call, &gone), 300);
	assert_int_equal(gone, 1);
	assert_int_equal(ban_table_count(t), 1);
	/* shortened: the earlier end counts */
	set(t, "192.0.2.7", BAN_ALL, 260, true);
	assert_int_equal(ban_table_expire(t, 260, count_call, &gone), 0);
	assert_int_equal(gone, 2);
	assert_int_equal(ban_table_count(t), 0);
	ban_table_free(t);
}

static void a_deletion_outlives_its_bans_end(void **s)
{
	struct ban_table *t = ban_table_new(key);
	struct indicator i = ip("192.0.2.7");
	struct ban_order o;
	unsigned gone = 0;

	(void)s;
	set(t, "192.0.2.7", BAN_ALL, 200, true);
	assert_int_equal(ban_table_take(t, &o, 1), 1);
	assert_false(ban_table_done(t, &o, true));
	assert_true(ban_table_clear(t, &i, BAN_ALL));
	/* By a clock that was set forward: the kernel holds it still. */
	assert_int_equal(ban_table_expire(t, 5000, count_call, &gone), 0);
	assert_int_equal(gone, 0);
	assert_int_equal(ban_table_take(t, &o, 1), 1);
	assert_int_equal(o.change, BAN_DELETE);
	assert_true(ban_table_done(t, &o, true));
	assert_int_equal(ban_table_count(t), 0);
	/* Banned anew meanwhile, its new end counts. */
	set(t, "192.0.2.7", BAN_ALL, 6000, true);
	assert_true(ban_table_clear(t, &i, BAN_ALL));
	set(t, "192.0.2.7", BAN_ALL, 7000, true);
	assert_int_equal(ban_table_expire(t, 6000, count_call, &gone), 7000);
	assert_int_equal(ban_table_expire(t, 7000, count_call, &gone), 0);
	assert_int_equal(gone, 1);
	/* The clock was wrong: the same end is to come after all. */
	set(t, "192.0.2.7", BAN_ALL, 8000, true);
	assert_true(ban_table_clear(t, &i, BAN_ALL));
	assert_int_equal(ban_table_expire(t, 9000, count_call, &gone), 0);
	set(t, "192.0.2.7", BAN_ALL, 8000, true);
	assert_int_equal(ban_table_expire(t, 7500, count_call, &gone), 8000);
	assert_int_equal(ban_table_expire(t, 8000, count_call, &gone), 0);
	assert_int_equal(gone, 2);
	ban_table_free(t);
}

static void the_ring_grows_in_order(void **s)
{
	struct ban_table *t = ban_table_new(key);
	struct ban_order o[1];
	struct indicator i = ip("10.0.0.0");

	(void)s;
	for (uint32_t n = 0; n < 1000; n++) {
		be32_store(i.value, 0x0a000000u + n);
		assert_true(ban_table_set(
			t, &i, BAN_SIP, BAN_LEARNT, CATEGORY_SCAN, 1000, 1));
		if (n % 3 == 0) /* head moves on while it grows */
			assert_int_equal(ban_table_take(t, o, 1), 1);
	}
	for (uint32_t n = 334; n < 1000; n++) {
		assert_int_equal(ban_table_take(t, o, 1), 1);
		assert_int_equal(be32_load(o[0].indicator.value), 0x0a000000u + n);
	}
	assert_int_equal(ban_table_take(t, o, 1), 0);
	ban_table_free(t);
}

/* The narrowest that covers it, of that scope, and none that is being deleted. */
static void what_covers_an_address(void **state)
{
	struct ban_table *t = ban_table_new(key);
	struct indicator host = ip("192.0.2.7"), other = ip("192.0.3.7"),
			 six = ip("2001:db8::1"), narrow = ip("192.0.2.0/28");

	(void)state;
	assert_null(ban_table_around(t, &host, BAN_ALL));
	set(t, "192.0.2.0/24", BAN_ALL, 500, true);
	set(t, "192.0.2.0/28", BAN_ALL, 400, true);
	set(t, "192.0.2.7", BAN_SIP, 300, true);
	set(t, "2001:db8::/32", BAN_ALL, 300, true);
	assert_int_equal(ban_table_around(t, &host, BAN_ALL)->until, 400);
	assert_int_equal(ban_table_around(t, &host, BAN_SIP)->until, 300);
	assert_null(ban_table_around(t, &other, BAN_ALL));
	assert_int_equal(ban_table_around(t, &six, BAN_ALL)->indicator.plen, 32);
	assert_null(ban_table_around(t, &six, BAN_SIP));
	assert_true(ban_table_clear(t, &narrow, BAN_ALL));
	assert_int_equal(ban_table_around(t, &host, BAN_ALL)->until, 500);
	ban_table_free(t);
}

/* The whole number before any prefix, the longest prefix before a shorter one. */
static void what_covers_a_number(void **state)
{
	struct ban_table *t = ban_table_new(key);
	struct view digits = view_str("442079460000");
	struct indicator whole = ip("+442079460000"), longest = ip("+44207946*");

	(void)state;
	assert_null(ban_table_digits(t, digits, BAN_SIP));
	set(t, "+4420*", BAN_SIP, 300, true);
	set(t, "+44207946*", BAN_SIP, 400, true);
	set(t, "+442079460000", BAN_SIP, 500, true);
	assert_int_equal(ban_table_digits(t, digits, BAN_SIP)->until, 500);
	assert_null(ban_table_digits(t, digits, BAN_ALL));
	assert_true(ban_table_clear(t, &whole, BAN_SIP));
	assert_int_equal(ban_table_digits(t, digits, BAN_SIP)->until, 400);
	assert_true(ban_table_clear(t, &longest, BAN_SIP));
	assert_int_equal(ban_table_digits(t, digits, BAN_SIP)->until, 300);
	assert_null(ban_table_digits(t, view_str("442"), BAN_SIP));
	assert_null(ban_table_digits(t, view_str(""), BAN_SIP));
	assert_null(ban_table_digits(t, view_str("4420x"), BAN_ALL));
	ban_table_free(t);
}

/* What the enforcer holds already is not ordered, as long as it is the same. */
static void what_is_found_is_not_ordered(void **s)
{
	struct ban_table *t = ban_table_new(key);
	struct indicator i = ip("+97259*"), other = ip("+442079460000");
	struct ban_order o[8];
	size_t tally[BAN_KEPT + 1];

	(void)s;
	set(t, "+97259*", BAN_SIP, 200, true);
	set(t, "+442079460000", BAN_SIP, 300, true);
	ban_table_requeue(t);
	assert_false(ban_table_found(t, &i, BAN_ALL, 200));
	assert_false(ban_table_found(t, &i, BAN_SIP, 201));
	assert_true(ban_table_found(t, &i, BAN_SIP, 200));
	ban_table_tally(t, tally);
	assert_int_equal(tally[BAN_STANDING], 1);
	assert_int_equal(tally[BAN_QUEUED], 1);
	assert_int_equal(ban_table_take(t, o, 8), 1);
	assert_int_equal(indicator_compare(&o[0].indicator, &other), 0);
	/* A change after that is an order as any other. */
	set(t, "+97259*", BAN_SIP, 400, true);
	assert_int_equal(ban_table_take(t, o, 8), 1);
	assert_int_equal(o[0].until, 400);
	/* What is to go is not what should stand. */
	assert_true(ban_table_clear(t, &i, BAN_SIP));
	assert_false(ban_table_found(t, &i, BAN_SIP, 400));
	/* However often all is found, the queue does not grow. */
	for (int n = 0; n < 1000; n++) {
		ban_table_requeue(t);
		assert_int_equal(ban_table_queued(t), 2);
		assert_true(ban_table_found(t, &other, BAN_SIP, 300));
	}
	ban_table_free(t);
}

static void refused_ones_are_queued_again(void **s)
{
	struct ban_table *t = ban_table_new(key);
	struct ban_order o[8];

	(void)s;
	set(t, "192.0.2.7", BAN_ALL, 200, true);
	set(t, "192.0.2.8", BAN_ALL, 200, true);
	assert_int_equal(ban_table_take(t, o, 8), 2);
	ban_table_done(t, &o[0], false);
	ban_table_done(t, &o[1], true);
	assert_int_equal(ban_table_retry(t), 1);
	assert_int_equal(ban_table_take(t, o, 8), 1);
	assert_int_equal(state(t, "192.0.2.8", BAN_ALL), BAN_STANDING);
	assert_int_equal(ban_table_retry(t), 0);
	ban_table_free(t);
}

static void count_ended(void *context, const struct ban *b)
{
	assert_int_equal(b->until, 200);
	++*(unsigned *)context;
}

static void forget_any(void *context, const struct ban *b)
{
	(void)context;
	(void)b;
}

/* For an enforcer that forgets nothing: an end is an order to delete. */
static void an_end_is_ordered(void **s)
{
	struct ban_table *t = ban_table_new(key);
	struct ban_order o[8];
	unsigned ended = 0;

	(void)s;
	set(t, "192.0.2.7", BAN_ALL, 200, true);
	set(t, "192.0.2.8", BAN_ALL, 300, true);
	assert_int_equal(ban_table_take(t, o, 8), 2);
	assert_int_equal(ban_table_end(t, 199, count_ended, &ended), 200);
	assert_int_equal(ended, 0);
	assert_int_equal(ban_table_end(t, 200, count_ended, &ended), 300);
	assert_int_equal(ended, 1);
	assert_int_equal(state(t, "192.0.2.7", BAN_ALL), 0);
	assert_int_equal(ban_table_take(t, o, 8), 1);
	assert_int_equal(o[0].change, BAN_DELETE);
	assert_true(ban_table_done(t, &o[0], true));
	/* One that came back meanwhile is not lost. */
	assert_int_equal(ban_table_count(t), 1);
	ban_table_clear_all(t);
	assert_int_equal(ban_table_count(t), 0);
	assert_false(ban_table_empty(t));
	assert_int_equal(ban_table_take(t, o, 8), 1);
	set(t, "192.0.2.8", BAN_ALL, 300, true);
	assert_false(ban_table_done(t, &o[0], true));
	assert_int_equal(ban_table_count(t), 1);
	ban_table_clear_all(t);
	assert_int_equal(ban_table_take(t, o, 8), 1);
	assert_true(ban_table_done(t, &o[0], true));
	assert_true(ban_table_empty(t));
	assert_int_equal(ban_table_end(t, 400, count_ended, &ended), 0);
	assert_int_equal(ended, 1);
	ban_table_free(t);
}

/* A deletion that the enforcer refuses is not forgotten: an innocent's number. */
static void a_refused_deletion_is_tried_again(void **s)
{
	struct ban_table *t = ban_table_new(key);
	struct indicator i = ip("192.0.2.7");
	struct ban_order o[8];
	unsigned ended = 0;
	size_t tally[BAN_KEPT + 1];

	(void)s;
	set(t, "192.0.2.7", BAN_ALL, 200, true);
	assert_int_equal(ban_table_take(t, o, 8), 1);
	ban_table_done(t, &o[0], true);
	assert_true(ban_table_clear(t, &i, BAN_ALL));
	assert_int_equal(ban_table_take(t, o, 8), 1);
	assert_int_equal(o[0].change, BAN_DELETE);
	assert_false(ban_table_done(t, &o[0], false));
	assert_false(ban_table_empty(t));
	assert_int_equal(ban_table_count(t), 0);
	ban_table_tally(t, tally);
	assert_int_equal(tally[BAN_REFUSED], 1);
	assert_int_equal(ban_table_retry(t), 1);
	assert_int_equal(ban_table_take(t, o, 8), 1);
	assert_int_equal(o[0].change, BAN_DELETE);
	/* At the ban's end the enforcer has forgotten it by itself; not before. */
	assert_int_equal(ban_table_expire(t, 200, count_ended, &ended), 0);
	assert_false(ban_table_empty(t));
	assert_false(ban_table_done(t, &o[0], false));
	assert_int_equal(ban_table_expire(t, 199, count_ended, &ended), 200);
	assert_false(ban_table_empty(t));
	assert_int_equal(ban_table_expire(t, 200, count_ended, &ended), 0);
	assert_true(ban_table_empty(t));
	assert_int_equal(ban_table_count(t), 0);
	assert_int_equal(ended, 0); /* it was told when it was lifted */
	/* Blocked again meanwhile: that counts. */
	set(t, "192.0.2.7", BAN_ALL, 300, true);
	ban_table_clear(t, &i, BAN_ALL);
	ban_table_take(t, o, 8);
	ban_table_done(t, &o[0], false);
	set(t, "192.0.2.7", BAN_ALL, 300, true);
	assert_int_equal(ban_table_take(t, o, 8), 1);
	assert_int_equal(o[0].change, BAN_ADD);
	assert_int_equal(ban_table_count(t), 1);
	ban_table_free(t);
}

/* Ends that were changed take no more memory than the bans do. */
static void changed_ends_are_shed(void **s)
{
	struct ban_table *t = ban_table_new(key);
	struct indicator i;
	unsigned ended = 0;
	char text[32];

	(void)s;
	for (uint32_t n = 0; n < 1000; n++) {
		snprintf(text, sizeof text, "192.0.%u.%u", n / 256, n % 256);
		set(t, text, BAN_ALL, 1000000 + n, true);
	}
	for (uint32_t n = 0; n < 200000; n++) {
		snprintf(
			text, sizeof text, "192.0.%u.%u", n % 1000 / 256, n % 1000 % 256);
		set(t, text, BAN_ALL, 2000000 - n, true);
	}
	/* 1,000 bans, their queue, and twice as many ends: not 200,000 of them. */
	assert_true(ban_table_memory(t) < 400000);
	/* Each still ends at its last end: the first of them is the last changed. */
	assert_int_equal(ban_table_expire(t, 1, count_ended, &ended), 2000000 - 199999);
	assert_true(ban_table_clear(t, (i = ip("192.0.3.231"), &i), BAN_ALL));
	assert_int_equal(ban_table_expire(t, 1, count_ended, &ended), 2000000 - 199998);
	assert_int_equal(ended, 0);
	ban_table_free(t);
}

static bool is_a_number(const void *context, const struct indicator *i)
{
	assert_ptr_equal(context, &key);
	return i->kind == INDICATOR_NUMBER;
}

/* What the enforcer does not carry is kept: no order, no answer is waited for. */
static void what_is_not_carried_is_kept(void **s)
{
	struct ban_table *t = ban_table_new(key);
	struct indicator i = ip("192.0.2.7");
	struct ban_order o[8];
	unsigned ended = 0;
	size_t tally[BAN_KEPT + 1];

	(void)s;
	ban_table_carry(t, is_a_number, &key);
	set(t, "192.0.2.7", BAN_ALL, 200, true);
	set(t, "192.0.2.8", BAN_ALL, 200, true);
	set(t, "192.0.2.9", BAN_ALL, 300, true);
	set(t, "+97259*", BAN_ALL, 300, true);
	assert_int_equal(ban_table_take(t, o, 8), 1);
	assert_int_equal(o[0].indicator.kind, INDICATOR_NUMBER);
	ban_table_requeue(t);
	assert_int_equal(ban_table_queued(t), 1);
	ban_table_tally(t, tally);
	assert_int_equal(tally[BAN_KEPT], 3);
	assert_true(ban_table_clear(t, &i, BAN_ALL));
	assert_int_equal(ban_table_count(t), 3);
	assert_int_equal(ban_table_end(t, 200, count_ended, &ended), 300);
	assert_int_equal(ended, 1);
	assert_int_equal(ban_table_count(t), 2);
	ban_table_clear_all(t);
	ban_table_expire(t, 1, forget_any, NULL);
	assert_int_equal(ban_table_take(t, o, 8), 1);
	assert_int_equal(o[0].change, BAN_DELETE);
	assert_true(ban_table_done(t, &o[0], true));
	assert_true(ban_table_empty(t));
	ban_table_free(t);
}

/* The enforcer holds nothing: neither bans nor orders are left, nor their ends. */
static void all_are_dropped(void **s)
{
	struct ban_table *t = ban_table_new(key);
	struct indicator i = ip("192.0.2.7");
	struct ban_order o[8];
	unsigned ended = 0;

	(void)s;
	set(t, "192.0.2.7", BAN_ALL, 200, true);
	set(t, "192.0.2.8", BAN_ALL, 200, true);
	assert_int_equal(ban_table_take(t, o, 1), 1);
	ban_table_clear(t, &i, BAN_ALL);
	ban_table_drop_all(t);
	assert_true(ban_table_empty(t));
	assert_int_equal(ban_table_count(t), 0);
	assert_int_equal(ban_table_take(t, o + 1, 7), 0);
	assert_false(ban_table_done(t, &o[0], true));
	assert_int_equal(ban_table_expire(t, 1, count_ended, &ended), 0);
	set(t, "192.0.2.7", BAN_ALL, 200, true);
	assert_int_equal(ban_table_count(t), 1);
	assert_int_equal(ban_table_take(t, o, 8), 1);
	assert_int_equal(ban_table_expire(t, 1, count_ended, &ended), 200);
	ban_table_free(t);
}

/* When all that was queued at some time has been taken. */
static void how_far_the_queue_has_come(void **s)
{
	struct ban_table *t = ban_table_new(key);
	struct indicator i = ip("192.0.2.8");
	struct ban_order o[2];
	uint64_t mark;

	(void)s;
	assert_true(ban_table_passed(t, ban_table_mark(t)));
	set(t, "192.0.2.7", BAN_ALL, 200, true);
	set(t, "192.0.2.8", BAN_ALL, 200, true);
	set(t, "192.0.2.9", BAN_ALL, 200, true);
	mark = ban_table_mark(t);
	set(t, "192.0.2.10", BAN_ALL, 200, true);
	assert_int_equal(ban_table_take(t, o, 2), 2);
	assert_false(ban_table_passed(t, mark));
	assert_int_equal(ban_table_take(t, o, 1), 1);
	assert_true(ban_table_passed(t, mark));
	assert_false(ban_table_passed(t, ban_table_mark(t)));
	/* All once more; the second is found to stand, the last one is passed over, too. */
	ban_table_requeue(t);
	mark = ban_table_mark(t);
	assert_false(ban_table_passed(t, mark));
	assert_true(ban_table_found(t, &i, BAN_ALL, 200));
	assert_int_equal(ban_table_take(t, o, 2), 2);
	assert_false(ban_table_passed(t, mark));
	assert_int_equal(ban_table_take(t, o, 2), 1);
	assert_int_equal(ban_table_take(t, o, 2), 0);
	assert_true(ban_table_passed(t, mark));
	ban_table_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(changes_before_the_order_are_one_order),
		cmocka_unit_test(scopes_are_apart),
		cmocka_unit_test(a_late_answer_settles_nothing),
		cmocka_unit_test(deletion_ends_the_record),
		cmocka_unit_test(refusal_shows),
		cmocka_unit_test(requeue_orders_everything),
		cmocka_unit_test(expiry_follows_the_last_end),
		cmocka_unit_test(a_deletion_outlives_its_bans_end),
		cmocka_unit_test(the_ring_grows_in_order),
		cmocka_unit_test(what_covers_an_address),
		cmocka_unit_test(what_covers_a_number),
		cmocka_unit_test(what_is_found_is_not_ordered),
		cmocka_unit_test(refused_ones_are_queued_again),
		cmocka_unit_test(an_end_is_ordered),
		cmocka_unit_test(a_refused_deletion_is_tried_again),
		cmocka_unit_test(changed_ends_are_shed),
		cmocka_unit_test(what_is_not_carried_is_kept),
		cmocka_unit_test(all_are_dropped),
		cmocka_unit_test(how_far_the_queue_has_come),
	};

	return cmocka_run_group_tests_name("ban_table", tests, NULL, NULL);
}
