/* SPDX-License-Identifier: Apache-2.0 */
#include "enforce/nft_listing.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>

#define DUMP_TRIES 10 /* a dump that others' transactions interrupt is repeated */
#define ATTR_MAX   31

const char *const nft_chain_names[NFT_LISTED_CHAINS] = {
	[NFT_LISTED_BAN] = NFT_BAN_CHAIN,
	[NFT_LISTED_ALL] = NFT_ALL_CHAIN,
	[NFT_LISTED_SIP] = NFT_SIP_CHAIN,
};

/* An answer's attributes by type, and whose listing they go to. */
struct walk {
	const struct nft *nft;
	struct nft_listing *listing;
	const struct nlattr *attr[ATTR_MAX + 1];
};

static int collect(const struct nlattr *attr, void *arg)
{
	const struct nlattr **attrs = arg;

	if (mnl_attr_get_type(attr) <= ATTR_MAX)
		attrs[mnl_attr_get_type(attr)] = attr;
	return MNL_CB_OK;
}

/* NUL-terminated text of an attribute, or "". */
static const char *text_of(const struct nlattr *attr)
{
	if (!attr || mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) < 0)
		return "";
	return mnl_attr_get_str(attr);
}

/* Big-endian integers of an attribute, or 0. */
static uint32_t u32_of(const struct nlattr *attr)
{
	if (!attr || mnl_attr_get_payload_len(attr) != 4)
		return 0;
	return be32_load(mnl_attr_get_payload(attr));
}

static uint64_t u64_of(const struct nlattr *attr)
{
	if (!attr || mnl_attr_get_payload_len(attr) != 8)
		return 0;
	return be64_load(mnl_attr_get_payload(attr));
}

/* Fill attrs from inside a nested attribute (which may be NULL). */
static void open_nest(const struct nlattr *nest, const struct nlattr *attrs[ATTR_MAX + 1])
{
	for (unsigned i = 0; i <= ATTR_MAX; i++)
		attrs[i] = NULL;
	if (nest)
		(void)mnl_attr_parse_nested(nest, collect, attrs);
}

/*
 * Attributes of a message about our table; false for others. The table's name
 * is attribute 1 in every kind of message.
 */
static bool ours(struct walk *w, const struct nlmsghdr *nlh, uint16_t type)
{
	if (nlh->nlmsg_type != (NFNL_SUBSYS_NFTABLES << 8 | type))
		return false;
	memset(w->attr, 0, sizeof(w->attr));
	(void)mnl_attr_parse(nlh, sizeof(struct nfgenmsg), collect, w->attr);
	return strcmp(text_of(w->attr[NFTA_TABLE_NAME]), w->nft->config.table) == 0;
}

static void on_table(const struct nlmsghdr *nlh, void *arg)
{
	struct walk *w = arg;

	if (!ours(w, nlh, NFT_MSG_NEWTABLE))
		return;
	w->listing->table = true;
	w->listing->flags = u32_of(w->attr[NFTA_TABLE_FLAGS]);
	w->listing->owner = u32_of(w->attr[NFTA_TABLE_OWNER]);
}

/* Whether the chain's hook is what the base chain's should be. */
static bool is_base(const struct walk *w)
{
	const struct nlattr *hook[ATTR_MAX + 1];

	open_nest(w->attr[NFTA_CHAIN_HOOK], hook);
	return hook[NFTA_HOOK_HOOKNUM] &&
		u32_of(hook[NFTA_HOOK_HOOKNUM]) == NF_INET_PRE_ROUTING &&
		u32_of(hook[NFTA_HOOK_PRIORITY]) == (uint32_t)NFT_PRIORITY &&
		strcmp(text_of(w->attr[NFTA_CHAIN_TYPE]), "filter") == 0;
}

static void on_chain(const struct nlmsghdr *nlh, void *arg)
{
	struct walk *w = arg;

	if (!ours(w, nlh, NFT_MSG_NEWCHAIN))
		return;
	for (unsigned i = 0; i < NFT_LISTED_CHAINS; i++) {
		bool right = i == NFT_LISTED_BAN ? is_base(w) : !w->attr[NFTA_CHAIN_HOOK];

		if (strcmp(text_of(w->attr[NFTA_CHAIN_NAME]), nft_chain_names[i]) == 0)
			w->listing->chains[i] = right ? NFT_STANDS : NFT_DIFFERS;
	}
}

/* The number of a set's name, NFT_LISTED_SETS when it is not ours. */
static unsigned index_of(const char *name)
{
	uint16_t slot;

	if (strcmp(name, nft_allow_name(4)) == 0)
		return NFT_LISTED_ALLOW4;
	if (strcmp(name, nft_allow_name(6)) == 0)
		return NFT_LISTED_ALLOW6;
	if (strcmp(name, NFT_PORTS) == 0)
		return NFT_LISTED_PORTS;
	slot = nft_set_parse(name);
	return slot == NFT_NO_SLOT ? NFT_LISTED_SETS : slot;
}

char *nft_listed_name(char dst[NFT_SET_NAME], unsigned index)
{
	const char *name;
	struct nft_set s;

	if (index < NFT_SLOTS) {
		s = nft_set_at((uint16_t)index);
		return nft_set_name(dst, &s);
	}
	name = nft_allow_name(index == NFT_LISTED_ALLOW4 ? 4 : 6);
	if (index == NFT_LISTED_PORTS)
		name = NFT_PORTS;
	snprintf(dst, NFT_SET_NAME, "%s", name);
	return dst;
}

/* What a set should be, but for its size and collection interval. */
static struct nft_set_shape shape_of(const struct nft *n, unsigned index)
{
	struct nft_set set;

	switch (index) {
	case NFT_LISTED_PORTS:
		return nft_interval_shape(2);
	case NFT_LISTED_ALLOW4:
		return nft_interval_shape(4);
	case NFT_LISTED_ALLOW6:
		return nft_interval_shape(16);
	default:
		set = nft_set_at((uint16_t)index);
		return nft_ban_shape(&set, n->config.set_size, 0);
	}
}

static void on_set(const struct nlmsghdr *nlh, void *arg)
{
	struct walk *w = arg;
	struct nft_set_shape shape;
	unsigned index;

	if (!ours(w, nlh, NFT_MSG_NEWSET))
		return;
	index = index_of(text_of(w->attr[NFTA_SET_NAME]));
	if (index == NFT_LISTED_SETS)
		return;
	shape = shape_of(w->nft, index);
	w->listing->sets[index] = NFT_DIFFERS;
	if (u32_of(w->attr[NFTA_SET_FLAGS]) == shape.flags &&
		u32_of(w->attr[NFTA_SET_KEY_LEN]) == shape.key_length)
		w->listing->sets[index] = NFT_STANDS;
}

/* A rule: the set that it looks up last, and its counter. */
static void on_rule(const struct nlmsghdr *nlh, void *arg)
{
	struct walk *w = arg;
	const struct nlattr *expr[ATTR_MAX + 1], *inner[ATTR_MAX + 1];
	struct nlattr *element;
	unsigned index = NFT_LISTED_SETS;
	struct nft_count count = {0};
	bool counter = false;

	if (!ours(w, nlh, NFT_MSG_NEWRULE) || !w->attr[NFTA_RULE_EXPRESSIONS])
		return;
	mnl_attr_for_each_nested(element, w->attr[NFTA_RULE_EXPRESSIONS])
	{
		open_nest(element, expr);
		open_nest(expr[NFTA_EXPR_DATA], inner);
		if (strcmp(text_of(expr[NFTA_EXPR_NAME]), "lookup") == 0) {
			index = index_of(text_of(inner[NFTA_LOOKUP_SET]));
		} else if (strcmp(text_of(expr[NFTA_EXPR_NAME]), "counter") == 0) {
			counter = true;
			count.bytes = u64_of(inner[NFTA_COUNTER_BYTES]);
			count.packets = u64_of(inner[NFTA_COUNTER_PACKETS]);
		}
	}
	if (!counter || index == NFT_LISTED_SETS)
		return;
	w->listing->counted[index] = true;
	w->listing->counts[index] = count;
}

/* Dump everything of one type in our table; an absent table has nothing. */
static int dump(struct nft *n, struct nft_listing *l, uint16_t type, nft_answer_cb *cb,
	const char *doing, struct error *err)
{
	struct walk w = {.nft = n, .listing = l};
	struct nft_outcome out;

	for (unsigned i = 0; i < DUMP_TRIES; i++) {
		nft_transport_ask(&n->transport, &n->batch, type, NLM_F_DUMP);
		nft_put_name(&n->batch, NFTA_TABLE_NAME, n->config.table);
		if (nft_transport_question(&n->transport, &n->batch, cb, &w, &out) == 0 ||
			out.error == ENOENT)
			return 0;
		if (out.error != EINTR)
			break;
	}
	return nft_refused(n, &out, doing, err);
}

int nft_listing_counters(struct nft *n, struct nft_listing *l, struct error *err)
{
	return dump(n, l, NFT_MSG_GETRULE, on_rule, "list the rules", err);
}

int nft_listing_read(struct nft *n, struct nft_listing *l, struct error *err)
{
	struct walk w = {.nft = n, .listing = l};
	struct nft_outcome out;

	*l = (struct nft_listing){0};
	nft_transport_ask(&n->transport, &n->batch, NFT_MSG_GETTABLE, NLM_F_ACK);
	nft_put_name(&n->batch, NFTA_TABLE_NAME, n->config.table);
	if (nft_transport_question(&n->transport, &n->batch, on_table, &w, &out) < 0) {
		if (out.error == ENOENT)
			return 0;
		return nft_refused(n, &out, "look for the table", err);
	}
	if (dump(n, l, NFT_MSG_GETCHAIN, on_chain, "list the chains", err) < 0)
		return -1;
	if (dump(n, l, NFT_MSG_GETSET, on_set, "list the sets", err) < 0)
		return -1;
	return nft_listing_counters(n, l, err);
}
