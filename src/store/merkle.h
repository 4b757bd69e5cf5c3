/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_MERKLE_H
#define STORE_MERKLE_H

#include "base/keccak.h"

/*
 * The tree whose root a batch commits to: the Merkle Tree Hash of RFC 6962
 * section 2.1 with keccak256 in the place of SHA-256. | is concatenation.
 *
 *   leaf(d)            = keccak256(0x00 | d)
 *   node(l, r)         = keccak256(0x01 | l | r)
 *   root(of n leaves)  = 32 zero bytes for n = 0 (a batch without evidence),
 *                        the leaf itself for n = 1, else
 *                        node(root(first k), root(the rest)) where k is the
 *                        greatest power of two that is less than n
 *
 * The prefixes keep a node from being passed off as a leaf; as no leaf is ever
 * doubled, two different lists of leaves have different roots. Pure.
 */
#define MERKLE_LEAVES_MAX 65536
#define MERKLE_DEPTH_MAX  16

/* From a leaf to the root: the siblings, the leaf's own first. */
struct merkle_path {
	uint32_t index; /* of the leaf, from 0 */
	uint32_t count; /* leaves in the tree */
	uint8_t length;
	uint8_t siblings[MERKLE_DEPTH_MAX][KECCAK_SIZE];
};

void merkle_leaf(uint8_t out[KECCAK_SIZE], struct view data);

/* The root over n leaves. n <= MERKLE_LEAVES_MAX. */
void merkle_root(
	uint8_t out[KECCAK_SIZE], const uint8_t (*leaves)[KECCAK_SIZE], uint32_t n);

/* The path of leaf index (< n) among n leaves. */
void merkle_prove(struct merkle_path *out, const uint8_t (*leaves)[KECCAK_SIZE],
	uint32_t n, uint32_t index);

/*
 * Whether the path leads from leaf to root (RFC 9162 section 2.1.3.2). Any
 * path may be given: one of a wrong shape does not verify.
 */
bool merkle_verify(const uint8_t root[KECCAK_SIZE], const uint8_t leaf[KECCAK_SIZE],
	const struct merkle_path *path);

#endif
