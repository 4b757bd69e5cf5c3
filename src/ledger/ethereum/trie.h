/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LEDGER_ETHEREUM_TRIE_H
#define LEDGER_ETHEREUM_TRIE_H

#include <jansson.h>

#include "base/error.h"
#include "ledger/operation.h"

/*
 * Verification of Merkle Patricia trie proofs (Yellow Paper appendix D), as
 * eth_getProof (EIP-1186) gives them.
 */
#define PROOF_NODES_MAX 64

/*
 * Walk a proof: nodes[0] hashes to root, each names the next, none is left
 * over. *value is the leaf's payload for keccak256(key), pointing into the
 * nodes; empty when the proof shows that the key is absent (no node at all for
 * the empty trie). Returns 0, or -1 with a text.
 */
int trie_verify(struct view *value, const uint8_t root[HASH_SIZE], struct view key,
	const struct view *nodes, unsigned count, struct error *err);

struct proved_slot {
	uint8_t slot[HASH_SIZE];  /* in */
	uint8_t value[HASH_SIZE]; /* out */
};

/*
 * Verify a whole eth_getProof result for account against a header's state
 * root: the account's proof, then each slot's against the account's storage
 * root. storageProof must be in the order in which the slots were asked for.
 * code_hash (may be NULL) receives the account's. The result's own "value",
 * "storageHash", "codeHash" and "key" are not believed. Returns 0, or -1 with a
 * text that names what does not hold; an account proved absent is an error, too.
 */
int proof_verify(struct proved_slot *slots, unsigned count, uint8_t code_hash[HASH_SIZE],
	const json_t *result, const uint8_t account[ADDRESS20],
	const uint8_t state_root[HASH_SIZE], struct error *err);

#endif
