/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "enforce/nft_chunk.h"

#define NOW     1800000000u
#define NEW     NFT_MSG_NEWSETELEM
#define DEL     NFT_MSG_DELSETELEM
#define DESTROY NFT_DESTROYSETELEM

static const struct nft_features linux_6_1 = {0};
static const struct nft_features linux_6_3 = {.destroy = true};
static const struct nft_features linux_6_12 = {.destroy = true, .update_timeout = true};

static struct ban_order order(
	uint8_t change, uint8_t scope, const char *text, uint32_t until)
{
	struct ban_order o = {.change = change, .scope = scope, .until = until};
	struct error err = {""};

	if (indicator_parse(&o.indicator, NULL, view_str(text), &err) < 0)
		fail_msg("%s: %s", text, err.text);
	return o;
}

#define ADD(text)    order(BAN_ADD, BAN_SIP, text, NOW + 60)
#define DELETE(text) order(BAN_DELETE, BAN_SIP, text, 0)

/* Plan with all sets standing and this allowlist. */
static struct nft_chunk *plan(
	const struct ban_order *orders, size_t n, const char *allowed)
{
	static bool present[NFT_SLOTS];
	struct nft_standing s = {.present = present, .now = NOW * USEC_PER_SEC};
	struct nft_chunk *c = nft_chunk_new();
	struct nft_span *spans = NULL;
	struct ban_order allow;

	assert_non_null(c);
	memset(present, true, sizeof(present));
	if (allowed) {
		allow = ADD(allowed);
		assert_int_equal(
			nft_spans_make(&spans, &s.allow_count, &allow.indicator, 1), 0);
		s.allow = spans;
	}
	nft_chunk_plan(c, &s, orders, n);
	free(spans);
	return c;
}

static void test_plan_steps(void **state)
{
	struct ban_order orders[] = {
		ADD("198.51.100.1"), DELETE("198.51.100.2"),
		order(BAN_ADD, BAN_SIP, "198.51.100.3", NOW),     /* ends now */
		order(BAN_ADD, BAN_SIP, "198.51.100.4", NOW - 1), /* has ended */
		order(BAN_ADD, BAN_SIP, "198.51.100.5", NOW + 1),
		order(BAN_ADD, BAN_ALL, "2001:db8::/48", UINT32_MAX),
		ADD("+442079460000"),
		order(BAN_ADD, 2, "198.51.100.6", NOW + 60), /* no such scope */
	};
	static const uint8_t steps[] = {NFT_STEP_ADD, NFT_STEP_DELETE, NFT_STEP_DELETE,
		NFT_STEP_DELETE, NFT_STEP_ADD, NFT_STEP_ADD, NFT_STEP_NONE,
		NFT_STEP_NONE};
	struct nft_chunk *c = plan(orders, 8, NULL);

	(void)state;
	for (unsigned i = 0; i < 8; i++)
		assert_int_equal(c->step[i], steps[i]);
	assert_int_equal(c->timeout[0], 60000);
	assert_int_equal(c->timeout[4], 1000);
	assert_int_equal(c->timeout[5], (UINT32_MAX - NOW) * UINT64_C(1000));
	nft_chunk_free(c);
}

/* What is left of a second is rounded up: a ban never ends early. */
static void test_timeout_rounds_up(void **state)
{
	struct ban_order o = order(BAN_ADD, BAN_SIP, "198.51.100.1", NOW + 1);
	const bool present[NFT_SLOTS] = {false};
	struct nft_standing s = {
		.present = present, .now = NOW * USEC_PER_SEC + USEC_PER_SEC - 1};
	struct nft_chunk *c = nft_chunk_new();

	(void)state;
	nft_chunk_plan(c, &s, &o, 1);
	assert_int_equal(c->timeout[0], 1);
	nft_chunk_free(c);
}

/* A ban in a set that was never made does not stand: nothing is sent. */
static void test_delete_without_set_is_done(void **state)
{
	struct ban_order o = DELETE("198.51.100.1");
	const bool present[NFT_SLOTS] = {false};
	struct nft_standing s = {.present = present, .now = NOW * USEC_PER_SEC};
	struct nft_chunk *c = nft_chunk_new();
	uint8_t done = 0;

	(void)state;
	nft_chunk_plan(c, &s, &o, 1);
	assert_int_equal(c->step[0], NFT_STEP_NONE);
	assert_int_equal(nft_chunk_settle(c, &done, s.now), 0);
	assert_int_equal(done, 1);
	nft_chunk_free(c);
}

/* Allowed addresses: additions are refused both ways, deletions go through. */
static void test_plan_refuses_the_allowlist(void **state)
{
	struct ban_order orders[] = {ADD("198.51.100.7"), ADD("198.51.100.0/24"),
		ADD("198.51.0.0/16"), DELETE("198.51.100.7"), ADD("198.51.101.0/24")};
	struct nft_chunk *c = plan(orders, 5, "198.51.100.0/25");
	uint8_t done[5];

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(c->step[i], NFT_STEP_NONE);
	assert_int_equal(c->step[3], NFT_STEP_DELETE);
	assert_int_equal(c->step[4], NFT_STEP_ADD);
	c->ok[3] = c->ok[4] = true;
	assert_int_equal(nft_chunk_settle(c, done, NOW * USEC_PER_SEC), 3);
	assert_memory_equal(done, ((uint8_t[]){0, 0, 0, 1, 1}), 5);
	nft_chunk_free(c);
}

/* A refused addition does not stand for the deletion before it. */
static void test_refused_order_is_no_heir(void **state)
{
	struct ban_order orders[] = {DELETE("198.51.100.7"), ADD("198.51.100.7")};
	struct nft_chunk *c = plan(orders, 2, "198.51.100.7");

	(void)state;
	assert_int_equal(c->step[0], NFT_STEP_DELETE);
	assert_int_equal(c->step[1], NFT_STEP_NONE);
	nft_chunk_free(c);
}

/* Of orders about one ban the last is sent; scope and length tell bans apart. */
static void test_last_order_wins(void **state)
{
	struct ban_order orders[] = {
		ADD("198.51.100.7"),
		DELETE("198.51.100.7"),
		order(BAN_ADD, BAN_SIP, "198.51.100.7", NOW + 90),
		order(BAN_ADD, BAN_ALL, "198.51.100.7", NOW + 60),
		ADD("198.51.100.0/24"),
		ADD("198.51.100.8"),
		DELETE("198.51.100.8"),
	};
	static const uint8_t steps[] = {NFT_STEP_NONE, NFT_STEP_NONE, NFT_STEP_ADD,
		NFT_STEP_ADD, NFT_STEP_ADD, NFT_STEP_NONE, NFT_STEP_DELETE};
	struct nft_chunk *c = plan(orders, 7, NULL);
	uint8_t done[7];

	(void)state;
	for (unsigned i = 0; i < 7; i++)
		assert_int_equal(c->step[i], steps[i]);
	assert_int_equal(c->timeout[2], 90000);
	/* The set is full for order 2: so it is for 0; 1 wanted it gone. */
	c->ok[3] = c->ok[4] = c->ok[6] = true;
	assert_int_equal(nft_chunk_settle(c, done, NOW * USEC_PER_SEC), 2);
	assert_memory_equal(done, ((uint8_t[]){0, 1, 0, 1, 1, 1, 1}), 7);
	nft_chunk_free(c);
}

/* A full chunk of different bans: every one is found to be its own. */
static void test_thousand_bans(void **state)
{
	struct ban_order *orders = calloc(NFT_ELEMENTS_MAX, sizeof(*orders));
	struct nft_chunk *c;

	(void)state;
	for (uint32_t i = 0; i < NFT_ELEMENTS_MAX; i++) {
		orders[i] = ADD("198.51.100.0");
		/* Each occurs twice: i and i + 500. */
		be32_store(orders[i].indicator.value, 0x01000000 + i % 500);
	}
	c = plan(orders, NFT_ELEMENTS_MAX, NULL);
	for (uint32_t i = 0; i < NFT_ELEMENTS_MAX; i++) {
		assert_int_equal(c->heir[i], i < 500 ? i + 500 : i);
		assert_int_equal(c->step[i], i < 500 ? NFT_STEP_NONE : NFT_STEP_ADD);
	}
	nft_chunk_free(c);
	free(orders);
}

/* Put the chunk and print "set:type[excl]:elements" of each message. */
static char *messages(
	struct nft_chunk *c, const struct nft_features *features, bool exclusive)
{
	struct nft_batch b = {0};
	struct buffer out = {0};
	const struct nlmsghdr *nlh;
	struct nlattr *attr, *element;
	int left;

	for (size_t i = 0; i < c->n; i++)
		c->pick[i] = c->step[i] != NFT_STEP_NONE;
	nft_batch_begin(&b, 1);
	nft_chunk_put(c, &b, "sipchain", features, exclusive);
	assert_int_equal(nft_batch_end(&b), 0);
	nlh = (const void *)b.p;
	left = (int)b.n;
	for (; mnl_nlmsg_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left)) {
		if (nlh->nlmsg_type >> 8 != NFNL_SUBSYS_NFTABLES)
			continue;
		mnl_attr_for_each(attr, nlh, sizeof(struct nfgenmsg))
		{
			if (mnl_attr_get_type(attr) == NFTA_SET_ELEM_LIST_SET)
				buffer_printf(&out, "%s:", mnl_attr_get_str(attr));
			if (mnl_attr_get_type(attr) == NFTA_SET_ELEM_LIST_ELEMENTS) {
				unsigned count = 0;

				mnl_attr_for_each_nested(element, attr) count++;
				buffer_printf(&out, "%u%s:%u ", nlh->nlmsg_type & 0xff,
					nlh->nlmsg_flags & NLM_F_EXCL ? "x" : "", count);
			}
		}
	}
	buffer_put_u8(&out, 0);
	nft_batch_free(&b);
	return (char *)out.p;
}

/* Deletions first, then one message a set; what each kernel needs. */
static void test_messages_by_kernel(void **state)
{
	struct ban_order orders[] = {ADD("198.51.100.1"), ADD("2001:db8::1"),
		DELETE("198.51.100.2"), ADD("198.51.100.3"), DELETE("198.51.100.4"),
		ADD("198.51.100.0/24")};
	static const struct {
		const struct nft_features *features;
		bool exclusive;
		const char *messages;
	} cases[] = {
		/* NEW 12, DEL 14, DESTROY 30 */
		{&linux_6_12, false,
			"sip4_32:30:2 sip4_32:12:2 sip6_128:12:1 sip4_24:12:1 "},
		{&linux_6_3, false,
			"sip4_32:30:2 sip4_32:30:2 sip4_32:12:2 "
			"sip6_128:30:1 sip6_128:12:1 sip4_24:30:1 sip4_24:12:1 "},
		{&linux_6_3, true,
			"sip4_32:30:2 sip4_32:12x:2 sip6_128:12x:1 sip4_24:12x:1 "},
		{&linux_6_1, false,
			"sip4_32:12:2 sip4_32:14:2 "
			"sip4_32:12:2 sip4_32:14:2 sip4_32:12:2 "
			"sip6_128:12:1 sip6_128:14:1 sip6_128:12:1 "
			"sip4_24:12:1 sip4_24:14:1 sip4_24:12:1 "},
		{&linux_6_1, true,
			"sip4_32:12:2 sip4_32:14:2 "
			"sip4_32:12x:2 sip6_128:12x:1 sip4_24:12x:1 "},
	};

	(void)state;
	assert_int_equal(NEW, 12);
	assert_int_equal(DEL, 14);
	assert_int_equal(DESTROY, 30);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct nft_chunk *c = plan(orders, 6, NULL);
		char *text = messages(c, cases[i].features, cases[i].exclusive);

		assert_string_equal(text, cases[i].messages);
		free(text);
		nft_chunk_free(c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plan_steps),
		cmocka_unit_test(test_timeout_rounds_up),
		cmocka_unit_test(test_delete_without_set_is_done),
		cmocka_unit_test(test_plan_refuses_the_allowlist),
		cmocka_unit_test(test_refused_order_is_no_heir),
		cmocka_unit_test(test_last_order_wins),
		cmocka_unit_test(test_thousand_bans),
		cmocka_unit_test(test_messages_by_kernel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
