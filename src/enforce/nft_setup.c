/* SPDX-License-Identifier: Apache-2.0 */
#include <netinet/in.h> /* first: the kernel headers yield to it */

#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netlink.h>
#include <stdlib.h>

#include "enforce/nft_listing.h"

/*
 * Ownership. An owned table can be changed by its owner's socket alone, and
 * `nft flush ruleset` of others passes it by. `persist` keeps the table when
 * that socket closes: it then belongs to nobody (an operator may delete it)
 * until the next set-up adopts it. Owner without persist (Linux 5.12 to 6.8)
 * is not used: the bans would end with the process.
 */
#define OWNED (NFT_TABLE_F_OWNER | NFT_TABLE_PERSIST)

/* The flags to ask for: those of a table that stands can only be adopted. */
static uint32_t table_flags(const struct nft *n, const struct nft_listing *l)
{
	if (!n->features.owner_persist)
		return 0;
	return !l->table || l->flags & NFT_TABLE_PERSIST ? OWNED : 0;
}

static void put_table(struct nft *n, const struct nft_listing *l)
{
	nft_batch_message(&n->batch, NFT_MSG_NEWTABLE, NLM_F_CREATE);
	nft_put_name(&n->batch, NFTA_TABLE_NAME, n->config.table);
	nft_put_u32(&n->batch, NFTA_TABLE_FLAGS, table_flags(n, l));
}

/* Every rule of the table goes: they are made anew, in order. */
static void put_flush_rules(struct nft *n)
{
	nft_batch_message(&n->batch, NFT_MSG_DELRULE, 0);
	nft_put_name(&n->batch, NFTA_RULE_TABLE, n->config.table);
}

static void put_chain(struct nft *n, unsigned index, const struct nft_listing *l)
{
	struct nft_batch *b = &n->batch;
	size_t nest;

	if (l->chains[index] == NFT_DIFFERS) {
		nft_batch_message(b, NFT_MSG_DELCHAIN, 0);
		nft_put_name(b, NFTA_CHAIN_TABLE, n->config.table);
		nft_put_name(b, NFTA_CHAIN_NAME, nft_chain_names[index]);
	}
	nft_batch_message(b, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
	nft_put_name(b, NFTA_CHAIN_TABLE, n->config.table);
	nft_put_name(b, NFTA_CHAIN_NAME, nft_chain_names[index]);
	if (index != NFT_LISTED_BAN)
		return;
	nft_put_name(b, NFTA_CHAIN_TYPE, "filter");
	nft_put_u32(b, NFTA_CHAIN_POLICY, NF_ACCEPT);
	nest = nft_nest(b, NFTA_CHAIN_HOOK);
	nft_put_u32(b, NFTA_HOOK_HOOKNUM, NF_INET_PRE_ROUTING);
	nft_put_u32(b, NFTA_HOOK_PRIORITY, (uint32_t)NFT_PRIORITY);
	nft_nest_end(b, nest);
}

/* Make one set, in place of one that stands with another key or kind. */
static void put_set(struct nft *n, unsigned index, const struct nft_set_shape *shape,
	const struct nft_listing *l)
{
	char name[NFT_SET_NAME];

	nft_listed_name(name, index);
	if (l->sets[index] == NFT_DIFFERS)
		nft_put_set_delete(&n->batch, n->config.table, name);
	nft_put_set(&n->batch, n->config.table, name, shape);
}

/* The interval sets; their contents are known, so those are put in again. */
static void put_interval_sets(struct nft *n, const struct nft_listing *l)
{
	const struct nft_set_shape ports = nft_interval_shape(2);
	const struct nft_set_shape allow4 = nft_interval_shape(4);
	const struct nft_set_shape allow6 = nft_interval_shape(16);
	const char *table = n->config.table;
	uint8_t lo[2], hi[2];
	size_t nest;

	put_set(n, NFT_LISTED_ALLOW4, &allow4, l);
	put_set(n, NFT_LISTED_ALLOW6, &allow6, l);
	put_set(n, NFT_LISTED_PORTS, &ports, l);

	nft_put_set_flush(&n->batch, table, NFT_PORTS);
	nest = nft_elements_begin(&n->batch, table, NFT_PORTS, NFT_MSG_NEWSETELEM, false);
	for (unsigned i = 0; i < n->config.ports_count; i++) {
		be16_store(lo, n->config.ports[i].first);
		be16_store(hi, n->config.ports[i].last);
		nft_put_interval(&n->batch, lo, hi, 2);
	}
	nft_elements_end(&n->batch, nest);

	/* A daemon that just started does not know the allowlist yet: until
	 * nft_allow() the one that stands remains. */
	if (!n->allow_known)
		return;
	for (uint8_t family = 4; family <= 6; family += 2) {
		nft_put_set_flush(&n->batch, table, nft_allow_name(family));
		nft_put_allow(&n->batch, table, family, n->allow, n->allow_count);
	}
}

/* The ban sets that stand, each with its rule. */
static void put_ban_sets(struct nft *n, const struct nft_listing *l)
{
	for (uint16_t slot = 0; slot < NFT_SLOTS; slot++) {
		struct nft_set set = nft_set_at(slot);
		struct nft_set_shape shape = nft_ban_shape(
			&set, n->config.set_size, n->config.gc_interval);

		if (l->sets[slot] == NFT_ABSENT)
			continue;
		put_set(n, slot, &shape, l);
		nft_rule_ban(&n->batch, n->config.table,
			set.scope == BAN_ALL ? NFT_ALL_CHAIN : NFT_SIP_CHAIN, &set,
			&l->counts[slot]);
	}
}

static void put_base_rules(struct nft *n, const struct nft_listing *l)
{
	struct nft_batch *b = &n->batch;
	const char *table = n->config.table;

	nft_rule_allow(b, table, NFT_BAN_CHAIN, 4, &l->counts[NFT_LISTED_ALLOW4]);
	nft_rule_allow(b, table, NFT_BAN_CHAIN, 6, &l->counts[NFT_LISTED_ALLOW6]);
	for (size_t i = 0; i < n->pass_count; i++)
		nft_rule_pass(b, table, NFT_BAN_CHAIN, &n->pass[i]);
	nft_rule_jump(b, table, NFT_BAN_CHAIN, NFT_ALL_CHAIN);
	nft_rule_jump_ports(b, table, NFT_BAN_CHAIN, IPPROTO_UDP, NFT_SIP_CHAIN);
	nft_rule_jump_ports(b, table, NFT_BAN_CHAIN, IPPROTO_TCP, NFT_SIP_CHAIN);
}

/*
 * One transaction, whatever was there: no packet meets a table that is half
 * made, and rules that stand are replaced with their counters' figures.
 */
static void put_everything(struct nft *n, const struct nft_listing *l)
{
	nft_transport_begin(&n->transport, &n->batch);
	put_table(n, l);
	if (l->table)
		put_flush_rules(n);
	for (unsigned i = 0; i < NFT_LISTED_CHAINS; i++)
		put_chain(n, i, l);
	put_interval_sets(n, l);
	put_base_rules(n, l);
	put_ban_sets(n, l);
}

int nft_setup(struct nft *n, struct error *err)
{
	struct nft_listing *l = calloc(1, sizeof(*l));
	struct nft_outcome out;
	bool owned;
	int result = -1;

	if (!l)
		return error_set(err, "out of memory");
	if (nft_listing_read(n, l, err) < 0)
		goto out;
	if (l->owner != 0 && l->owner != n->transport.portid) {
		error_set(err,
			"nftables table inet %s is owned by another running process "
			"(netlink port %u; another sipchaind?): stop it first",
			n->config.table, (unsigned)l->owner);
		goto out;
	}
	/* Listen before the table stands, or a removal might go unnoticed.
	 * Nobody can remove an owned one, and listening to ourselves slows the
	 * kernel's transactions down by half. */
	owned = table_flags(n, l) == OWNED;
	if (!owned && nft_events_listen(n, true, err) < 0)
		goto out;
	put_everything(n, l);
	if (nft_transport_commit(&n->transport, &n->batch, &out) < 0) {
		nft_refused(n, &out, "set up", err);
		goto out;
	}
	for (unsigned slot = 0; slot < NFT_SLOTS; slot++)
		n->present[slot] = l->sets[slot] != NFT_ABSENT;
	n->ready = true;
	result = owned ? nft_events_listen(n, false, err) : 0;
out:
	free(l);
	return result;
}
