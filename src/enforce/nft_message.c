/* SPDX-License-Identifier: Apache-2.0 */
#include "enforce/nft_message.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>

#define FIRST_CAPACITY 16384
#define MOST_BYTES     (64u << 20) /* a bound against a runaway caller */

/* Make room for n more bytes. Returns whether there is. */
static bool room(struct nft_batch *b, size_t n)
{
	size_t capacity = b->capacity ? b->capacity : FIRST_CAPACITY;
	uint8_t *p;

	if (b->failed)
		return false;
	if (n > MOST_BYTES - b->n) {
		b->failed = true;
		return false;
	}
	if (b->n + n <= b->capacity)
		return true;
	while (capacity < b->n + n)
		capacity *= 2;
	p = realloc(b->p, capacity);
	if (!p) {
		b->failed = true;
		return false;
	}
	b->p = p;
	b->capacity = capacity;
	return true;
}

static struct nlmsghdr *message(const struct nft_batch *b)
{
	return (struct nlmsghdr *)(void *)(b->p + b->message);
}

/* A header with its nfgenmsg at the end of what is there. */
static void header(struct nft_batch *b, uint16_t type, uint16_t flags, uint32_t seq,
	uint8_t family, uint16_t res_id)
{
	struct nlmsghdr *nlh;
	struct nfgenmsg *nfg;

	if (!room(b, MNL_NLMSG_HDRLEN + sizeof(*nfg)))
		return;
	b->message = b->n;
	nlh = mnl_nlmsg_put_header(b->p + b->n);
	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	nlh->nlmsg_seq = seq;
	nfg = mnl_nlmsg_put_extra_header(nlh, sizeof(*nfg));
	nfg->nfgen_family = family;
	nfg->version = NFNETLINK_V0;
	nfg->res_id = htons(res_id);
	b->n += nlh->nlmsg_len;
}

static void reset(struct nft_batch *b, uint32_t seq)
{
	b->n = 0;
	b->message = 0;
	b->seq = seq;
	b->count = 0;
	b->failed = false;
}

void nft_batch_begin(struct nft_batch *b, uint32_t seq)
{
	reset(b, seq);
	header(b, NFNL_MSG_BATCH_BEGIN, 0, seq, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
}

void nft_batch_message(struct nft_batch *b, uint16_t type, uint16_t flags)
{
	b->count++;
	header(b, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), flags, b->seq + b->count,
		NFPROTO_INET, 0);
}

int nft_batch_end(struct nft_batch *b)
{
	if (b->failed || b->count == 0)
		return -1;
	message(b)->nlmsg_flags |= NLM_F_ACK;
	header(b, NFNL_MSG_BATCH_END, 0, b->seq + 1 + b->count, AF_UNSPEC,
		NFNL_SUBSYS_NFTABLES);
	return b->failed ? -1 : 0;
}

void nft_batch_request(struct nft_batch *b, uint16_t type, uint16_t flags, uint32_t seq)
{
	reset(b, seq);
	header(b, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), flags, seq, NFPROTO_INET,
		0);
}

void nft_batch_free(struct nft_batch *b)
{
	free(b->p);
	*b = (struct nft_batch){0};
}

void nft_put(struct nft_batch *b, uint16_t type, const void *p, size_t n)
{
	if (n > UINT16_MAX - MNL_ATTR_HDRLEN) {
		b->failed = true;
		return;
	}
	if (!room(b, MNL_ATTR_HDRLEN + MNL_ALIGN(n)))
		return;
	mnl_attr_put(message(b), type, n, p);
	b->n = b->message + message(b)->nlmsg_len;
}

void nft_put_u32(struct nft_batch *b, uint16_t type, uint32_t v)
{
	uint8_t raw[4];

	be32_store(raw, v);
	nft_put(b, type, raw, sizeof(raw));
}

void nft_put_u64(struct nft_batch *b, uint16_t type, uint64_t v)
{
	uint8_t raw[8];

	be64_store(raw, v);
	nft_put(b, type, raw, sizeof(raw));
}

void nft_put_name(struct nft_batch *b, uint16_t type, const char *s)
{
	nft_put(b, type, s, strlen(s) + 1);
}

/* Nests are offsets, not pointers: room() may move the bytes. */
size_t nft_nest(struct nft_batch *b, uint16_t type)
{
	size_t nest = b->n;

	if (!room(b, MNL_ATTR_HDRLEN))
		return nest;
	mnl_attr_nest_start(message(b), type);
	b->n = b->message + message(b)->nlmsg_len;
	return nest;
}

void nft_nest_end(struct nft_batch *b, size_t nest)
{
	if (b->failed)
		return;
	if (nft_nest_size(b, nest) > UINT16_MAX) {
		b->failed = true;
		return;
	}
	mnl_attr_nest_end(message(b), (struct nlattr *)(void *)(b->p + nest));
}

size_t nft_nest_size(const struct nft_batch *b, size_t nest)
{
	return b->n - nest;
}

void nft_put_value(struct nft_batch *b, uint16_t type, const void *p, size_t n)
{
	size_t nest = nft_nest(b, type);

	nft_put(b, NFTA_DATA_VALUE, p, n);
	nft_nest_end(b, nest);
}
