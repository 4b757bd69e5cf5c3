/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>

#include "enforce/nft_state.h"

/*
 * What the kernel supports is tried out, not concluded from its version:
 * distributions carry nf_tables of newer kernels in older ones.
 */
#define PROBE_SET "probe"
#define PROBE_KEY                                                                        \
	{                                                                                \
		192, 0, 2, 1                                                             \
	}
#define PROBE_NAME     64
#define FIRST_TIMEOUT  3600000 /* ms */
#define SECOND_TIMEOUT 7200000

/* A name of our own: two daemons may probe at once in one namespace. */
static void probe_name(char dst[PROBE_NAME], const struct nft *n)
{
	snprintf(dst, PROBE_NAME, "%s_probe_%u", n->config.table,
		(unsigned)n->transport.portid);
}

static void put_table(
	struct nft_batch *b, uint16_t type, const char *table, uint32_t flags)
{
	nft_batch_message(b, type, type == NFT_MSG_NEWTABLE ? NLM_F_CREATE : 0);
	nft_put_name(b, NFTA_TABLE_NAME, table);
	if (type == NFT_MSG_NEWTABLE)
		nft_put_u32(b, NFTA_TABLE_FLAGS, flags);
}

/*
 * One transaction that is bound to fail, as it deletes a table that is not
 * there: the kernel says of each message whether it would have taken it, and
 * then undoes them all.
 */
static int probe_messages(struct nft *n, const char *table, struct error *err)
{
	struct nft_batch *b = &n->batch;
	struct nft_outcome out;
	char absent[PROBE_NAME + 2];

	snprintf(absent, sizeof(absent), "%s_", table);
	nft_transport_begin(&n->transport, b);
	put_table(b, NFT_MSG_NEWTABLE, table, NFT_TABLE_F_OWNER | NFT_TABLE_PERSIST);
	put_table(b, NFT_DESTROYTABLE, absent, 0);
	put_table(b, NFT_MSG_DELTABLE, absent, 0);
	if (nft_transport_commit(&n->transport, b, &out) == 0)
		return error_set(err,
			"the kernel deleted a table that is not there: "
			"not an nf_tables that is known");
	if (out.message == NFT_WHOLE_BATCH)
		return nft_refused(n, &out, "ask what it supports", err);
	n->features.owner_persist = !(out.refused & 1u << 0);
	n->features.destroy = !(out.refused & 1u << 1);
	return 0;
}

static void put_element(
	struct nft_batch *b, const char *table, uint16_t type, uint64_t timeout)
{
	const uint8_t key[4] = PROBE_KEY;
	size_t nest = nft_elements_begin(b, table, PROBE_SET, type, false);

	nft_put_ban(b, key, sizeof(key), timeout, timeout == SECOND_TIMEOUT);
	nft_elements_end(b, nest);
}

/* The timeout of the first element in an answer to GETSETELEM. */
static void on_element(const struct nlmsghdr *nlh, void *arg)
{
	struct nlattr *list, *element, *attr;
	uint64_t *timeout = arg;

	mnl_attr_for_each(list, nlh, sizeof(struct nfgenmsg))
	{
		if (mnl_attr_get_type(list) != NFTA_SET_ELEM_LIST_ELEMENTS)
			continue;
		mnl_attr_for_each_nested(element, list) mnl_attr_for_each_nested(attr,
			element) if (mnl_attr_get_type(attr) == NFTA_SET_ELEM_TIMEOUT &&
			mnl_attr_get_payload_len(attr) ==
				8) *timeout = be64_load(mnl_attr_get_payload(attr));
	}
}

/*
 * Does NEWSETELEM renew an element that stands? Before Linux 6.12 it answers
 * success and changes nothing, so look. The table has no chain, and owned
 * without `persist` it dies with our socket should we not get to delete it.
 */
static int probe_update(struct nft *n, const char *table, struct error *err)
{
	const struct nft_set set = {.scope = BAN_SIP, .family = 4, .plen = 32};
	const struct nft_set_shape shape = nft_ban_shape(&set, 16, 0);
	struct nft_batch *b = &n->batch;
	const uint8_t key[4] = PROBE_KEY;
	struct nft_outcome out, ignored;
	uint64_t timeout = 0;
	size_t nest;

	nft_transport_begin(&n->transport, b);
	put_table(b, NFT_MSG_NEWTABLE, table, NFT_TABLE_F_OWNER);
	nft_put_set(b, table, PROBE_SET, &shape);
	put_element(b, table, NFT_MSG_NEWSETELEM, FIRST_TIMEOUT);
	if (nft_transport_commit(&n->transport, b, &out) < 0)
		return nft_refused(n, &out, "make a set with timeouts", err);

	nft_transport_begin(&n->transport, b);
	put_element(b, table, NFT_MSG_NEWSETELEM, SECOND_TIMEOUT);
	if (nft_transport_commit(&n->transport, b, &out) == 0) {
		nft_transport_ask(&n->transport, b, NFT_MSG_GETSETELEM, NLM_F_ACK);
		nft_put_name(b, NFTA_SET_ELEM_LIST_TABLE, table);
		nft_put_name(b, NFTA_SET_ELEM_LIST_SET, PROBE_SET);
		nest = nft_nest(b, NFTA_SET_ELEM_LIST_ELEMENTS);
		nft_put_ban(b, key, sizeof(key), 0, false);
		nft_nest_end(b, nest);
		(void)nft_transport_question(
			&n->transport, b, on_element, &timeout, &out);
	}
	n->features.update_timeout = timeout == SECOND_TIMEOUT;

	nft_transport_begin(&n->transport, b);
	put_table(b, NFT_MSG_DELTABLE, table, 0);
	(void)nft_transport_commit(&n->transport, b, &ignored);
	return 0;
}

int nft_probe(struct nft *n, struct error *err)
{
	char table[PROBE_NAME];

	probe_name(table, n);
	n->features.sndbuf_force = n->transport.sndbuf_force;
	if (probe_messages(n, table, err) < 0)
		return -1;
	return probe_update(n, table, err);
}
