/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENFORCE_NFT_RULE_H
#define ENFORCE_NFT_RULE_H

#include "enforce/nft.h"
#include "enforce/nft_set.h"

/*
 * The rules, as expressions of nf_tables' virtual machine on register 1:
 *
 *   ip saddr & 255.255.255.0 @sip4_24 counter drop
 *   [ meta load nfproto => reg 1 ] [ cmp eq reg 1 2 ]
 *   [ payload load 4b @ network header + 12 => reg 1 ]
 *   [ bitwise reg 1 = ( reg 1 & 255.255.255.0 ) ^ 0 ]
 *   [ lookup reg 1 set sip4_24 ] [ counter ] [ immediate reg 0 drop ]
 *
 * Each appends to its chain. Counters begin at the given figures, so that
 * rules can be made anew without losing what was counted.
 */
struct nft_count {
	uint64_t packets, bytes;
};

/* ip[6] saddr @allowF counter accept. */
void nft_rule_allow(struct nft_batch *b, const char *table, const char *chain,
	uint8_t family, const struct nft_count *from);

/*
 * ip[6] daddr ADDRESS udp|tcp dport PORT accept; without the address where it is
 * all zero bits, and then of its family alone.
 */
void nft_rule_pass(struct nft_batch *b, const char *table, const char *chain,
	const struct nft_listener *l);

/* ip[6] saddr & MASK @SET counter drop. */
void nft_rule_ban(struct nft_batch *b, const char *table, const char *chain,
	const struct nft_set *set, const struct nft_count *from);

/* jump TARGET. */
void nft_rule_jump(
	struct nft_batch *b, const char *table, const char *chain, const char *target);

/*
 * meta l4proto PROTOCOL th dport @ports jump TARGET. A packet without ports (a
 * fragment but the first) does not match; as the first one, which always
 * holds the ports, is dropped, such a datagram is never put together.
 */
void nft_rule_jump_ports(struct nft_batch *b, const char *table, const char *chain,
	uint8_t protocol, const char *target);

#endif
