/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENFORCE_NFT_SET_H
#define ENFORCE_NFT_SET_H

#include "enforce/ban.h"
#include "enforce/nft_message.h"
#include "enforce/nft_span.h"

/*
 * The sets of the table. One ban set for each (scope, family, prefix length),
 * numbered by slot:
 *
 *   slot  0 ..  31   sip4_1 .. sip4_32      160 .. 191   all4_1 .. all4_32
 *        32 .. 159   sip6_1 .. sip6_128     192 .. 319   all6_1 .. all6_128
 *
 * and three interval sets: allow4, allow6 and ports.
 */
#define NFT_SLOTS    320
#define NFT_NO_SLOT  UINT16_MAX
#define NFT_SET_NAME 24
#define NFT_PORTS    "ports"

struct nft_set {
	uint8_t scope;  /* enum ban_scope */
	uint8_t family; /* 4 or 6 */
	uint8_t plen;   /* 1 .. 32 or 128 */
};

uint16_t nft_set_slot(const struct nft_set *s);
struct nft_set nft_set_at(uint16_t slot);

/* "sip4_24" into dst. Returns dst. */
char *nft_set_name(char dst[NFT_SET_NAME], const struct nft_set *s);

/* The slot of a set's name, NFT_NO_SLOT when it is not a ban set's. */
uint16_t nft_set_parse(const char *name);

/*
 * The slot that a ban of this indicator belongs to, or NFT_NO_SLOT when it is
 * none that a set can hold: another kind than ip4 and ip6, a length of zero (a
 * ban of everybody is an outage, not a ban) or past the family's, host bits.
 */
uint16_t nft_set_slot_of(const struct indicator *i, uint8_t scope);

/* "allow4", "allow6". */
const char *nft_allow_name(uint8_t family);

/* What NEWSET says; also what a set that stands is held against. */
struct nft_set_shape {
	uint32_t flags;       /* NFT_SET_INTERVAL or NFT_SET_TIMEOUT */
	uint32_t key_length;  /* bytes */
	uint32_t size;        /* most elements; 0: no limit */
	uint32_t gc_interval; /* ms; 0: the kernel's */
};

/*
 * A ban set: a hash table with timeouts. No more than 2^plen elements exist,
 * so a short prefix's set is that small (the kernel allocates the buckets for
 * `size` elements at once, 8 bytes for each rounded up to a power of two).
 */
struct nft_set_shape nft_ban_shape(
	const struct nft_set *s, uint32_t size, uint32_t gc_interval);

/* An interval set of keys of this length: 2 (ports), 4, 16. */
struct nft_set_shape nft_interval_shape(uint32_t key_length);

/* NEWSET: makes it; one that stands keeps its elements. */
void nft_put_set(struct nft_batch *b, const char *table, const char *name,
	const struct nft_set_shape *shape);

/* DELSET. */
void nft_put_set_delete(struct nft_batch *b, const char *table, const char *name);

/* DELSETELEM without elements: empties the set. */
void nft_put_set_flush(struct nft_batch *b, const char *table, const char *name);

/*
 * A message about elements of one set: begin, elements, end. type is
 * NFT_MSG_NEWSETELEM, NFT_MSG_DELSETELEM or NFT_DESTROYSETELEM. NEWSETELEM of
 * an element that stands is no error (and since Linux 6.12 renews it), with
 * exclusive it is EEXIST. At most NFT_ELEMENTS_MAX elements: the list's length
 * is a 16-bit figure.
 */
#define NFT_ELEMENTS_MAX 1000
size_t nft_elements_begin(struct nft_batch *b, const char *table, const char *name,
	uint16_t type, bool exclusive);
void nft_elements_end(struct nft_batch *b, size_t nest);

/*
 * A ban: its key is the first key_length bytes of the indicator's value.
 * timeout in ms, 0 for none (deletions). expiration: also say when it ends;
 * since Linux 6.12 that renews an element that stands, even when its timeout
 * stays the same figure. Before 5.3 kernels refuse it.
 */
void nft_put_ban(struct nft_batch *b, const uint8_t *value, unsigned key_length,
	uint64_t timeout, bool expiration);

/*
 * [lo, hi] as the two elements that the kernel wants: lo, and hi + 1 marked as
 * the interval's end (none when hi is the last key).
 */
void nft_put_interval(
	struct nft_batch *b, const uint8_t *lo, const uint8_t *hi, unsigned key_length);

/*
 * All messages that put the spans of one family into its allow set (none when
 * there are none of the family).
 */
void nft_put_allow(struct nft_batch *b, const char *table, uint8_t family,
	const struct nft_span *spans, size_t n);

#endif
