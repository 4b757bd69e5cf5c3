/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENFORCE_NFT_STATE_H
#define ENFORCE_NFT_STATE_H

#include "enforce/nft.h"
#include "enforce/nft_set.h"
#include "enforce/nft_transport.h"

/* What stands behind struct nft: for the nft_*.c files only. */

/* The chains; `ban` is the base chain and jumps to the others. */
#define NFT_BAN_CHAIN "ban"
#define NFT_ALL_CHAIN "all"
#define NFT_SIP_CHAIN "sip"
#define NFT_PRIORITY  (-310) /* before raw (-300), conntrack (-200), DNAT (-100) */

struct nft_chunk;

struct nft {
	struct nft_config config; /* ports sorted and merged */
	struct nft_features features;
	struct nft_transport transport;
	struct nft_batch batch;
	struct mnl_socket *events;
	struct nft_chunk *chunk;
	size_t chunk_most;   /* orders a transaction; less with a small send buffer */
	unsigned hope_after; /* nft_apply.c */

	bool ready;              /* nft_setup() succeeded */
	bool present[NFT_SLOTS]; /* ban sets that stand, with their rule */

	struct nft_listener pass[NFT_PASS_MAX];
	size_t pass_count;

	bool allow_known; /* nft_allow() was called */
	struct nft_span *allow;
	size_t allow_count;
};

/*
 * Write why the kernel refused, with the remedy: "make the table: ...".
 * Returns -1.
 */
int nft_refused(const struct nft *n, const struct nft_outcome *out, const char *doing,
	struct error *err);

/* Find out n->features. Leaves nothing behind. Returns 0, or -1 with a text. */
int nft_probe(struct nft *n, struct error *err);

/* Open and close n->events. n->transport must be open. 0, or -1 with a text. */
int nft_events_open(struct nft *n, struct error *err);
int nft_events_listen(struct nft *n, bool listen, struct error *err);
void nft_events_close(struct nft *n);

#endif
