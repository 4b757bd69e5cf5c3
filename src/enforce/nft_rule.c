/* SPDX-License-Identifier: Apache-2.0 */
#include "enforce/nft_rule.h"

#include <netinet/in.h> /* first: the kernel headers yield to it */

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netlink.h>

#define SADDR_OFFSET_4 12 /* of struct iphdr */
#define SADDR_OFFSET_6 8  /* of struct ipv6hdr */
#define DADDR_OFFSET_4 16
#define DADDR_OFFSET_6 24
#define DPORT_OFFSET   2 /* TCP and UDP alike */

/* An open expression: its list element and its attributes. */
struct expression {
	size_t element, attributes;
};

static struct expression expression(struct nft_batch *b, const char *name)
{
	struct expression e;

	e.element = nft_nest(b, NFTA_LIST_ELEM);
	nft_put_name(b, NFTA_EXPR_NAME, name);
	e.attributes = nft_nest(b, NFTA_EXPR_DATA);
	return e;
}

static void expression_end(struct nft_batch *b, struct expression e)
{
	nft_nest_end(b, e.attributes);
	nft_nest_end(b, e.element);
}

/* A rule at the end of its chain. Returns the nest of its expressions. */
static size_t rule(struct nft_batch *b, const char *table, const char *chain)
{
	nft_batch_message(b, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);
	nft_put_name(b, NFTA_RULE_TABLE, table);
	nft_put_name(b, NFTA_RULE_CHAIN, chain);
	return nft_nest(b, NFTA_RULE_EXPRESSIONS);
}

/* The rule goes on only when register 1 holds these bytes. */
static void put_equals(struct nft_batch *b, const void *p, size_t n)
{
	struct expression e = expression(b, "cmp");

	nft_put_u32(b, NFTA_CMP_SREG, NFT_REG_1);
	nft_put_u32(b, NFTA_CMP_OP, NFT_CMP_EQ);
	nft_put_value(b, NFTA_CMP_DATA, p, n);
	expression_end(b, e);
}

/* meta KEY one byte, compared. */
static void put_meta_is(struct nft_batch *b, uint32_t key, uint8_t value)
{
	struct expression e = expression(b, "meta");

	nft_put_u32(b, NFTA_META_KEY, key);
	nft_put_u32(b, NFTA_META_DREG, NFT_REG_1);
	expression_end(b, e);
	put_equals(b, &value, 1);
}

static void put_payload(struct nft_batch *b, uint32_t base, uint32_t offset, uint32_t n)
{
	struct expression e = expression(b, "payload");

	nft_put_u32(b, NFTA_PAYLOAD_DREG, NFT_REG_1);
	nft_put_u32(b, NFTA_PAYLOAD_BASE, base);
	nft_put_u32(b, NFTA_PAYLOAD_OFFSET, offset);
	nft_put_u32(b, NFTA_PAYLOAD_LEN, n);
	expression_end(b, e);
}

/* Clear the host bits in register 1. */
static void put_mask(struct nft_batch *b, unsigned plen, unsigned key_length)
{
	const uint8_t zero[16] = {0};
	uint8_t mask[16] = {0};
	struct expression e = expression(b, "bitwise");

	memset(mask, 0xff, plen / 8);
	if (plen % 8 != 0)
		mask[plen / 8] = (uint8_t) ~(0xff >> plen % 8);
	nft_put_u32(b, NFTA_BITWISE_SREG, NFT_REG_1);
	nft_put_u32(b, NFTA_BITWISE_DREG, NFT_REG_1);
	nft_put_u32(b, NFTA_BITWISE_OP, NFT_BITWISE_BOOL);
	nft_put_u32(b, NFTA_BITWISE_LEN, key_length);
	nft_put_value(b, NFTA_BITWISE_MASK, mask, key_length);
	nft_put_value(b, NFTA_BITWISE_XOR, zero, key_length);
	expression_end(b, e);
}

static void put_lookup(struct nft_batch *b, const char *set)
{
	struct expression e = expression(b, "lookup");

	nft_put_u32(b, NFTA_LOOKUP_SREG, NFT_REG_1);
	nft_put_name(b, NFTA_LOOKUP_SET, set);
	expression_end(b, e);
}

static void put_counter(struct nft_batch *b, const struct nft_count *from)
{
	struct expression e = expression(b, "counter");

	if (from->packets != 0) {
		nft_put_u64(b, NFTA_COUNTER_BYTES, from->bytes);
		nft_put_u64(b, NFTA_COUNTER_PACKETS, from->packets);
	}
	expression_end(b, e);
}

/* The verdict; target is the chain of NFT_JUMP, else NULL. */
static void put_verdict(struct nft_batch *b, int code, const char *target)
{
	struct expression e = expression(b, "immediate");
	size_t data, verdict;

	nft_put_u32(b, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
	data = nft_nest(b, NFTA_IMMEDIATE_DATA);
	verdict = nft_nest(b, NFTA_DATA_VERDICT);
	nft_put_u32(b, NFTA_VERDICT_CODE, (uint32_t)code);
	if (target)
		nft_put_name(b, NFTA_VERDICT_CHAIN, target);
	nft_nest_end(b, verdict);
	nft_nest_end(b, data);
	expression_end(b, e);
}

/*
 * Load the source address; no match for the other family. The chain is inet's,
 * so the header's layout is known only after that comparison.
 */
static void put_saddr(struct nft_batch *b, uint8_t family)
{
	put_meta_is(b, NFT_META_NFPROTO, family == 4 ? NFPROTO_IPV4 : NFPROTO_IPV6);
	put_payload(b, NFT_PAYLOAD_NETWORK_HEADER,
		family == 4 ? SADDR_OFFSET_4 : SADDR_OFFSET_6, family == 4 ? 4 : 16);
}

void nft_rule_allow(struct nft_batch *b, const char *table, const char *chain,
	uint8_t family, const struct nft_count *from)
{
	size_t nest = rule(b, table, chain);

	put_saddr(b, family);
	put_lookup(b, nft_allow_name(family));
	put_counter(b, from);
	put_verdict(b, NF_ACCEPT, NULL);
	nft_nest_end(b, nest);
}

void nft_rule_pass(struct nft_batch *b, const char *table, const char *chain,
	const struct nft_listener *l)
{
	bool ip4 = l->address.family == 4;
	unsigned n = ip4 ? 4 : 16;
	size_t nest = rule(b, table, chain);
	const uint8_t any[16] = {0};
	uint8_t port[2];

	be16_store(port, l->port);
	put_meta_is(b, NFT_META_NFPROTO, ip4 ? NFPROTO_IPV4 : NFPROTO_IPV6);
	if (memcmp(l->address.bytes, any, n) != 0) {
		put_payload(b, NFT_PAYLOAD_NETWORK_HEADER,
			ip4 ? DADDR_OFFSET_4 : DADDR_OFFSET_6, n);
		put_equals(b, l->address.bytes, n);
	}
	put_meta_is(b, NFT_META_L4PROTO, l->udp ? IPPROTO_UDP : IPPROTO_TCP);
	put_payload(b, NFT_PAYLOAD_TRANSPORT_HEADER, DPORT_OFFSET, 2);
	put_equals(b, port, 2);
	put_verdict(b, NF_ACCEPT, NULL);
	nft_nest_end(b, nest);
}

void nft_rule_ban(struct nft_batch *b, const char *table, const char *chain,
	const struct nft_set *set, const struct nft_count *from)
{
	unsigned key_length = set->family == 4 ? 4 : 16;
	size_t nest = rule(b, table, chain);
	char name[NFT_SET_NAME];

	put_saddr(b, set->family);
	if (set->plen < 8 * key_length)
		put_mask(b, set->plen, key_length);
	put_lookup(b, nft_set_name(name, set));
	put_counter(b, from);
	put_verdict(b, NF_DROP, NULL);
	nft_nest_end(b, nest);
}

void nft_rule_jump(
	struct nft_batch *b, const char *table, const char *chain, const char *target)
{
	size_t nest = rule(b, table, chain);

	put_verdict(b, NFT_JUMP, target);
	nft_nest_end(b, nest);
}

void nft_rule_jump_ports(struct nft_batch *b, const char *table, const char *chain,
	uint8_t protocol, const char *target)
{
	size_t nest = rule(b, table, chain);

	put_meta_is(b, NFT_META_L4PROTO, protocol);
	put_payload(b, NFT_PAYLOAD_TRANSPORT_HEADER, DPORT_OFFSET, 2);
	put_lookup(b, NFT_PORTS);
	put_verdict(b, NFT_JUMP, target);
	nft_nest_end(b, nest);
}
