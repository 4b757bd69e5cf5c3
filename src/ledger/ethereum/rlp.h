/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LEDGER_ETHEREUM_RLP_H
#define LEDGER_ETHEREUM_RLP_H

#include "base/buffer.h"

/*
 * Recursive Length Prefix, Ethereum Yellow Paper appendix B: the encoding of
 * transactions and of the nodes of the state trie.
 */

/* Append one byte string. Returns as buffer_put(). */
int rlp_put_bytes(struct buffer *out, struct view bytes);

/* Append an integer: big-endian without leading zeros, zero as no bytes. */
int rlp_put_uint(struct buffer *out, uint64_t value);

/* Append a list whose items, already encoded, are payload. */
int rlp_put_list(struct buffer *out, struct view payload);

struct rlp_item {
	bool list;
	struct view payload; /* the string, or the list's encoded items */
	struct view whole;   /* with its header */
};

/*
 * Take the first item off *rest. Strict: lengths are minimal and within *rest,
 * a single byte below 0x80 stands for itself. Returns 0; -1 when *rest is
 * empty or not RLP (*rest unchanged).
 */
int rlp_next(struct view *rest, struct rlp_item *out);

/* The integer in a string of at most 8 bytes without leading zeros. 0 or -1. */
int rlp_uint(const struct rlp_item *item, uint64_t *out);

#endif
