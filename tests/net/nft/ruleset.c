/* SPDX-License-Identifier: Apache-2.0 */
#include "ruleset.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>
#include <stdlib.h>

#define TABLE "sipchain"

static _Noreturn void give_up(const char *what, const struct error *err)
{
	fprintf(stderr, "%s: %s\n", what, err->text);
	abort();
}

/* A socket and a message to fill, and what came of it. */
struct other {
	struct nft_transport transport;
	struct nft_batch batch;
	struct nft_outcome out;
};

static struct other other_begin(void)
{
	struct other o = {0};
	struct error err = {""};

	if (nft_transport_open(&o.transport, &err) < 0)
		give_up("other program", &err);
	nft_transport_begin(&o.transport, &o.batch);
	return o;
}

static void other_end(struct other *o)
{
	nft_batch_free(&o->batch);
	nft_transport_close(&o->transport);
}

static int other_commit(struct other *o)
{
	(void)nft_transport_commit(&o->transport, &o->batch, &o->out);
	other_end(o);
	return o->out.error;
}

int ruleset_flush(void)
{
	struct other o = other_begin();

	nft_batch_message(&o.batch, NFT_MSG_DELTABLE, 0);
	return other_commit(&o);
}

int ruleset_delete_table(void)
{
	struct other o = other_begin();

	nft_batch_message(&o.batch, NFT_MSG_DELTABLE, 0);
	nft_put_name(&o.batch, NFTA_TABLE_NAME, TABLE);
	return other_commit(&o);
}

int ruleset_make_table(uint32_t flags)
{
	struct other o = other_begin();

	nft_batch_message(&o.batch, NFT_MSG_NEWTABLE, NLM_F_CREATE);
	nft_put_name(&o.batch, NFTA_TABLE_NAME, TABLE);
	nft_put_u32(&o.batch, NFTA_TABLE_FLAGS, flags);
	return other_commit(&o);
}

int ruleset_delete_rules(void)
{
	struct other o = other_begin();

	nft_batch_message(&o.batch, NFT_MSG_DELRULE, 0);
	nft_put_name(&o.batch, NFTA_RULE_TABLE, TABLE);
	return other_commit(&o);
}

int ruleset_make_set(const char *name, const struct nft_set_shape *shape)
{
	struct other o = other_begin();

	nft_put_set(&o.batch, TABLE, name, shape);
	return other_commit(&o);
}

int ruleset_empty_set(const char *name)
{
	struct other o = other_begin();

	nft_put_set_flush(&o.batch, TABLE, name);
	return other_commit(&o);
}

int ruleset_make_other_chain(void)
{
	struct other o = other_begin();
	size_t nest;

	nft_batch_message(&o.batch, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
	nft_put_name(&o.batch, NFTA_CHAIN_TABLE, TABLE);
	nft_put_name(&o.batch, NFTA_CHAIN_NAME, "ban");
	nft_put_name(&o.batch, NFTA_CHAIN_TYPE, "filter");
	nest = nft_nest(&o.batch, NFTA_CHAIN_HOOK);
	nft_put_u32(&o.batch, NFTA_HOOK_HOOKNUM, NF_INET_LOCAL_OUT);
	nft_put_u32(&o.batch, NFTA_HOOK_PRIORITY, 0);
	nft_nest_end(&o.batch, nest);
	return other_commit(&o);
}

/* What is left of the element in an answer to GETSETELEM. */
static void on_element(const struct nlmsghdr *nlh, void *arg)
{
	struct nlattr *list, *element, *attr;
	int64_t *left = arg;

	mnl_attr_for_each(list, nlh, sizeof(struct nfgenmsg))
	{
		if (mnl_attr_get_type(list) != NFTA_SET_ELEM_LIST_ELEMENTS)
			continue;
		mnl_attr_for_each_nested(element, list) mnl_attr_for_each_nested(
			attr, element) if (mnl_attr_get_type(attr) ==
			NFTA_SET_ELEM_EXPIRATION) *left = (int64_t)
			be64_load(mnl_attr_get_payload(attr));
	}
}

int64_t ruleset_left(const char *set, const char *prefix)
{
	struct other o = other_begin();
	struct indicator i = indicator_of(prefix);
	int64_t left = -1;
	size_t nest;

	nft_transport_ask(&o.transport, &o.batch, NFT_MSG_GETSETELEM, NLM_F_ACK);
	nft_put_name(&o.batch, NFTA_SET_ELEM_LIST_TABLE, TABLE);
	nft_put_name(&o.batch, NFTA_SET_ELEM_LIST_SET, set);
	nest = nft_nest(&o.batch, NFTA_SET_ELEM_LIST_ELEMENTS);
	nft_put_ban(&o.batch, i.value, i.kind == INDICATOR_IP4 ? 4 : 16, 0, false);
	nft_nest_end(&o.batch, nest);
	(void)nft_transport_question(&o.transport, &o.batch, on_element, &left, &o.out);
	other_end(&o);
	return left;
}

/* Whether the kernel answers a question about something of this name. */
static bool has(uint16_t type, const char *name)
{
	struct other o = other_begin();

	nft_transport_ask(&o.transport, &o.batch, type, NLM_F_ACK);
	nft_put_name(&o.batch, NFTA_TABLE_NAME, TABLE);
	if (name)
		nft_put_name(&o.batch, NFTA_SET_NAME, name);
	(void)nft_transport_question(&o.transport, &o.batch, NULL, NULL, &o.out);
	other_end(&o);
	return o.out.error == 0;
}

bool ruleset_has_table(void)
{
	return has(NFT_MSG_GETTABLE, NULL);
}

bool ruleset_has_set(const char *name)
{
	return has(NFT_MSG_GETSET, name);
}

struct indicator indicator_of(const char *text)
{
	struct indicator i;
	struct error err = {""};

	if (indicator_parse(&i, NULL, view_str(text), &err) < 0)
		give_up(text, &err);
	return i;
}

struct ban_order order_of(uint8_t scope, const char *text, int seconds)
{
	uint32_t now = (uint32_t)(clock_wall() / USEC_PER_SEC);

	return (struct ban_order){
		.indicator = indicator_of(text),
		.change = seconds < 0 ? BAN_DELETE : BAN_ADD,
		.scope = scope,
		.until = seconds < 0 ? 0 : now + (uint32_t)seconds,
	};
}

bool ban_one(struct nft *n, uint8_t scope, const char *text, int seconds)
{
	struct ban_order o = order_of(scope, text, seconds);
	struct error err = {""};
	size_t refused;
	uint8_t done;

	if (nft_apply(n, &o, 1, clock_wall(), &done, &refused, &err) < 0)
		give_up(text, &err);
	if (refused != (size_t)!done)
		give_up(text, &(struct error){"`done` and `refused` differ"});
	return done;
}

struct ban_order *orders_from(size_t count, uint32_t first, int seconds)
{
	struct ban_order *orders = calloc(count, sizeof(*orders));

	if (!orders)
		abort();
	for (size_t i = 0; i < count; i++) {
		orders[i] = order_of(BAN_SIP, "1.0.0.0", seconds);
		be32_store(orders[i].indicator.value, 0x01000000 + first + (uint32_t)i);
	}
	return orders;
}

void apply(struct nft *n, const struct ban_order *orders, size_t count, uint8_t *done,
	size_t expect_refused)
{
	struct error err = {""};
	size_t refused;

	if (nft_apply(n, orders, count, clock_wall(), done, &refused, &err) < 0)
		give_up("nft_apply", &err);
	if (refused != expect_refused) {
		error_set(&err, "%zu refused, %zu expected", refused, expect_refused);
		give_up("nft_apply", &err);
	}
}

struct nft *open_table(const struct nft_config *config)
{
	struct error err = {""};
	struct nft *n = nft_open(config ? config : &nft_config_default, &err);

	if (!n)
		give_up("nft_open", &err);
	if (nft_setup(n, &err) < 0)
		give_up("nft_setup", &err);
	return n;
}

uint64_t counted(struct nft *n, const char *set)
{
	struct nft_counter counters[64];
	struct error err = {""};
	int count = nft_counters(n, counters, 64, &err);

	if (count < 0)
		give_up("nft_counters", &err);
	for (int i = 0; i < count; i++)
		if (strcmp(counters[i].set, set) == 0)
			return counters[i].packets;
	return 0;
}
