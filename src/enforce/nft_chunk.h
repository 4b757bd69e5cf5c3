/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENFORCE_NFT_CHUNK_H
#define ENFORCE_NFT_CHUNK_H

#include "base/clock.h"
#include "base/hash.h"
#include "enforce/nft.h"
#include "enforce/nft_set.h"

/*
 * Orders on their way to the kernel: at most NFT_ELEMENTS_MAX of them, planned
 * first and then put into one transaction or, when a set is full, into
 * several.
 */
enum nft_step {
	NFT_STEP_NONE = 0, /* nothing to send: refused, superseded, not there */
	NFT_STEP_ADD,
	NFT_STEP_DELETE,
};

#define NFT_SEEN_SLOTS 2048 /* a power of two, > 2 * NFT_ELEMENTS_MAX */

struct nft_chunk {
	const struct ban_order *orders;
	size_t n;
	uint8_t step[NFT_ELEMENTS_MAX]; /* enum nft_step */
	bool ok[NFT_ELEMENTS_MAX];      /* carried out */
	bool pick[NFT_ELEMENTS_MAX];    /* goes into the next transaction */
	bool put[NFT_ELEMENTS_MAX];     /* is in it already */
	uint16_t slot[NFT_ELEMENTS_MAX];
	uint16_t heir[NFT_ELEMENTS_MAX];    /* the last order about the same ban */
	uint64_t timeout[NFT_ELEMENTS_MAX]; /* ms */
	uint16_t seen[NFT_SEEN_SLOTS];      /* hash of bans: order + 1, 0: free */
	struct hash_key key;
};

/* NULL when memory is short. */
struct nft_chunk *nft_chunk_new(void);
void nft_chunk_free(struct nft_chunk *c);

/* What planning depends on. */
struct nft_standing {
	const bool *present; /* NFT_SLOTS: the ban sets that stand */
	const struct nft_span *allow;
	size_t allow_count;
	usec now;
};

/*
 * Plan the first n orders (n <= NFT_ELEMENTS_MAX), which must stay until the
 * chunk is settled: step, slot and timeout of each. Of several orders about
 * one ban only the last is sent; the others share its fate, as nobody can see
 * a state inside a transaction. Pure.
 */
void nft_chunk_plan(struct nft_chunk *c, const struct nft_standing *standing,
	const struct ban_order *orders, size_t n);

/*
 * Put all picked orders into the transaction, deletions first (they make
 * room). exclusive: no ban to be added stands (the kernel refuses with EEXIST
 * otherwise).
 */
void nft_chunk_put(struct nft_chunk *c, struct nft_batch *b, const char *table,
	const struct nft_features *features, bool exclusive);

/*
 * Tell of each order (done may be NULL) whether it was carried out. Returns
 * how many were not.
 */
size_t nft_chunk_settle(const struct nft_chunk *c, uint8_t *done, usec now);

#endif
