/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENFORCE_NFT_LISTING_H
#define ENFORCE_NFT_LISTING_H

#include "enforce/nft_rule.h"
#include "enforce/nft_state.h"

/*
 * What of our table stands in the kernel: its flags, chains, sets and the
 * rules' counters. Never the elements of a set: listing 1M of them takes the
 * kernel most of a minute.
 */
enum {
	NFT_LISTED_ALLOW4 = NFT_SLOTS, /* ban sets go by their slot */
	NFT_LISTED_ALLOW6,
	NFT_LISTED_PORTS,
	NFT_LISTED_SETS,
};

enum nft_listed {
	NFT_ABSENT = 0,
	NFT_STANDS = 1,
	NFT_DIFFERS = 2, /* another hook, key or kind: to be made anew */
};

enum { NFT_LISTED_BAN, NFT_LISTED_ALL, NFT_LISTED_SIP, NFT_LISTED_CHAINS };
extern const char *const nft_chain_names[NFT_LISTED_CHAINS];

struct nft_listing {
	bool table;
	uint32_t flags;                           /* NFT_TABLE_F_* */
	uint32_t owner;                           /* port of the owning socket, 0: none */
	uint8_t chains[NFT_LISTED_CHAINS];        /* enum nft_listed */
	uint8_t sets[NFT_LISTED_SETS];            /* enum nft_listed */
	struct nft_count counts[NFT_LISTED_SETS]; /* of the rule that looks it up */
	bool counted[NFT_LISTED_SETS];
};

/* Read it all. Returns 0, or -1 with a text. */
int nft_listing_read(struct nft *n, struct nft_listing *l, struct error *err);

/* Read the counters only; an absent table has none. */
int nft_listing_counters(struct nft *n, struct nft_listing *l, struct error *err);

/* The name of a listed set. Returns dst. */
char *nft_listed_name(char dst[NFT_SET_NAME], unsigned index);

#endif
