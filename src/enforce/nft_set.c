/* SPDX-License-Identifier: Apache-2.0 */
#include "enforce/nft_set.h"

#include <linux/netfilter/nf_tables.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>

#define SLOTS_4     32
#define SLOTS_SCOPE 160

/* nft's numbers of key types: only for its listing, the kernel stores them. */
enum {
	TYPE_IPV4_ADDR = 7,
	TYPE_IPV6_ADDR = 8,
	TYPE_INET_SERVICE = 13,
};

/* What nft keeps beside a set to print its keys: NFTNL_UDATA_SET_KEYBYTEORDER. */
struct userdata {
	uint8_t type, length;
	uint8_t value[4]; /* a number in this machine's order */
};
#define BIG_ENDIAN_KEYS 2u

uint16_t nft_set_slot(const struct nft_set *s)
{
	return (uint16_t)((s->scope == BAN_ALL ? SLOTS_SCOPE : 0) +
		(s->family == 6 ? SLOTS_4 : 0) + s->plen - 1);
}

struct nft_set nft_set_at(uint16_t slot)
{
	unsigned within = slot % SLOTS_SCOPE;
	bool six = within >= SLOTS_4;

	return (struct nft_set){
		.scope = slot >= SLOTS_SCOPE ? BAN_ALL : BAN_SIP,
		.family = six ? 6 : 4,
		.plen = (uint8_t)(within - (six ? SLOTS_4 : 0) + 1),
	};
}

char *nft_set_name(char dst[NFT_SET_NAME], const struct nft_set *s)
{
	snprintf(dst, NFT_SET_NAME, "%s%u_%u", s->scope == BAN_ALL ? "all" : "sip",
		s->family, s->plen);
	return dst;
}

/* Print what each candidate would be called: one spelling, no parser. */
uint16_t nft_set_parse(const char *name)
{
	char candidate[NFT_SET_NAME];

	for (uint16_t slot = 0; slot < NFT_SLOTS; slot++) {
		struct nft_set s = nft_set_at(slot);

		if (strcmp(nft_set_name(candidate, &s), name) == 0)
			return slot;
	}
	return NFT_NO_SLOT;
}

uint16_t nft_set_slot_of(const struct indicator *i, uint8_t scope)
{
	unsigned most = i->kind == INDICATOR_IP4 ? 32 : 128;
	struct nft_set s = {.scope = scope, .plen = i->plen};
	unsigned whole = i->plen / 8;

	if (i->kind != INDICATOR_IP4 && i->kind != INDICATOR_IP6)
		return NFT_NO_SLOT;
	if (i->plen == 0 || i->plen > most)
		return NFT_NO_SLOT;
	if (i->plen % 8 != 0) {
		if (i->value[whole] & 0xff >> i->plen % 8)
			return NFT_NO_SLOT;
		whole++;
	}
	if (!bytes_zero(i->value + whole, sizeof(i->value) - whole))
		return NFT_NO_SLOT;
	s.family = i->kind == INDICATOR_IP4 ? 4 : 6;
	return nft_set_slot(&s);
}

const char *nft_allow_name(uint8_t family)
{
	return family == 4 ? "allow4" : "allow6";
}

struct nft_set_shape nft_ban_shape(
	const struct nft_set *s, uint32_t size, uint32_t gc_interval)
{
	struct nft_set_shape shape = {
		.flags = NFT_SET_TIMEOUT,
		.key_length = s->family == 4 ? 4 : 16,
		.size = size,
		.gc_interval = gc_interval,
	};

	if (s->plen < 32 && UINT32_C(1) << s->plen < size)
		shape.size = UINT32_C(1) << s->plen;
	return shape;
}

struct nft_set_shape nft_interval_shape(uint32_t key_length)
{
	return (struct nft_set_shape){
		.flags = NFT_SET_INTERVAL, .key_length = key_length};
}

/* A message about a set; NFTA_SET_* and NFTA_SET_ELEM_LIST_* agree on 1 and 2. */
static void set_message(struct nft_batch *b, uint16_t type, uint16_t flags,
	const char *table, const char *name)
{
	nft_batch_message(b, type, flags);
	nft_put_name(b, NFTA_SET_TABLE, table);
	nft_put_name(b, NFTA_SET_NAME, name);
}

static uint32_t key_type(uint32_t key_length)
{
	switch (key_length) {
	case 2:
		return TYPE_INET_SERVICE;
	case 4:
		return TYPE_IPV4_ADDR;
	default:
		return TYPE_IPV6_ADDR;
	}
}

void nft_put_set(struct nft_batch *b, const char *table, const char *name,
	const struct nft_set_shape *shape)
{
	struct userdata byteorder = {.type = 0, .length = sizeof(byteorder.value)};
	const uint32_t big_endian = BIG_ENDIAN_KEYS;
	size_t nest;

	set_message(b, NFT_MSG_NEWSET, NLM_F_CREATE, table, name);
	nft_put_u32(b, NFTA_SET_FLAGS, shape->flags);
	nft_put_u32(b, NFTA_SET_KEY_TYPE, key_type(shape->key_length));
	nft_put_u32(b, NFTA_SET_KEY_LEN, shape->key_length);
	/* Names the set within the transaction; unique there. */
	nft_put_u32(b, NFTA_SET_ID, b->count);
	if (shape->size != 0) {
		nest = nft_nest(b, NFTA_SET_DESC);
		nft_put_u32(b, NFTA_SET_DESC_SIZE, shape->size);
		nft_nest_end(b, nest);
	}
	if (shape->gc_interval != 0)
		nft_put_u32(b, NFTA_SET_GC_INTERVAL, shape->gc_interval);
	memcpy(byteorder.value, &big_endian, sizeof(big_endian));
	nft_put(b, NFTA_SET_USERDATA, &byteorder, sizeof(byteorder));
}

void nft_put_set_delete(struct nft_batch *b, const char *table, const char *name)
{
	set_message(b, NFT_MSG_DELSET, 0, table, name);
}

void nft_put_set_flush(struct nft_batch *b, const char *table, const char *name)
{
	set_message(b, NFT_MSG_DELSETELEM, 0, table, name);
}

size_t nft_elements_begin(struct nft_batch *b, const char *table, const char *name,
	uint16_t type, bool exclusive)
{
	uint16_t flags = type == NFT_MSG_NEWSETELEM ? NLM_F_CREATE : 0;

	if (exclusive)
		flags |= NLM_F_EXCL;
	set_message(b, type, flags, table, name);
	return nft_nest(b, NFTA_SET_ELEM_LIST_ELEMENTS);
}

void nft_elements_end(struct nft_batch *b, size_t nest)
{
	nft_nest_end(b, nest);
}

void nft_put_ban(struct nft_batch *b, const uint8_t *value, unsigned key_length,
	uint64_t timeout, bool expiration)
{
	size_t nest = nft_nest(b, NFTA_LIST_ELEM);

	if (timeout != 0) {
		nft_put_u64(b, NFTA_SET_ELEM_TIMEOUT, timeout);
		if (expiration)
			nft_put_u64(b, NFTA_SET_ELEM_EXPIRATION, timeout);
	}
	nft_put_value(b, NFTA_SET_ELEM_KEY, value, key_length);
	nft_nest_end(b, nest);
}

/* One end of an interval. */
static void put_end(
	struct nft_batch *b, const uint8_t *key, unsigned key_length, uint32_t flags)
{
	size_t nest = nft_nest(b, NFTA_LIST_ELEM);

	if (flags != 0)
		nft_put_u32(b, NFTA_SET_ELEM_FLAGS, flags);
	nft_put_value(b, NFTA_SET_ELEM_KEY, key, key_length);
	nft_nest_end(b, nest);
}

void nft_put_interval(
	struct nft_batch *b, const uint8_t *lo, const uint8_t *hi, unsigned key_length)
{
	uint8_t after[16] = {0};
	unsigned at = key_length;

	put_end(b, lo, key_length, 0);
	memcpy(after, hi, key_length);
	while (at > 0 && ++after[at - 1] == 0)
		at--;
	if (at > 0) /* else hi is the last key there is */
		put_end(b, after, key_length, NFT_SET_ELEM_INTERVAL_END);
}

void nft_put_allow(struct nft_batch *b, const char *table, uint8_t family,
	const struct nft_span *spans, size_t n)
{
	size_t nest = 0, in_message = 0;

	for (size_t i = 0; i < n; i++) {
		if (spans[i].family != family)
			continue;
		if (in_message == 0)
			nest = nft_elements_begin(b, table, nft_allow_name(family),
				NFT_MSG_NEWSETELEM, false);
		nft_put_interval(b, spans[i].lo, spans[i].hi, family == 4 ? 4 : 16);
		if (++in_message == NFT_ELEMENTS_MAX / 2) { /* two elements each */
			nft_elements_end(b, nest);
			in_message = 0;
		}
	}
	if (in_message > 0)
		nft_elements_end(b, nest);
}
