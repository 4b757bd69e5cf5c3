/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LEDGER_ETHEREUM_TRANSACTION_H
#define LEDGER_ETHEREUM_TRANSACTION_H

#include "base/buffer.h"
#include "ledger/signer.h"

/*
 * A transaction that calls the contract or creates it; it never carries value.
 * legacy: EIP-155; dynamic: type 2, EIP-1559 with an empty access list.
 */
struct transaction {
	bool dynamic;
	uint64_t chain_id;
	uint64_t nonce;
	uint64_t max_fee;      /* wei a gas; legacy: gasPrice */
	uint64_t priority_fee; /* wei a gas; dynamic only */
	uint64_t gas_limit;
	bool creates;
	uint8_t to[ADDRESS20]; /* unless it creates */
	struct view data;      /* not owned */
};

/*
 * Append the raw bytes with a signature made elsewhere; its recovery id must be
 * 0 or 1 (EIP-155 and EIP-1559 have room for no other). Returns 0, or -1: out of
 * memory, another recovery id, no chain id or one past what EIP-155's v can
 * hold (legacy), a priority fee above the maximum (dynamic: nodes refuse it).
 */
int transaction_encode(struct buffer *raw, const struct transaction *t,
	const uint8_t signature[SIGNATURE_SIZE]);

/*
 * Sign and append the raw bytes that eth_sendRawTransaction takes; hash: the
 * transaction's. Returns 0, or -1 as transaction_encode() or when the signer
 * fails; then raw is not to be used.
 */
int transaction_sign(struct buffer *raw, uint8_t hash[HASH_SIZE],
	const struct transaction *t, const struct signer *s);

/*
 * Read raw bytes back, the sender recovered; t->data points into raw. Strict:
 * only what transaction_sign() makes is taken (no value, no access list, low s,
 * EIP-155), so that the bytes follow from the fields and the signature.
 * Returns 0 or -1.
 */
int transaction_parse(struct transaction *t, uint8_t sender[ADDRESS20], struct view raw);

/* The address of the contract that sender's transaction of that nonce creates. */
void contract_address(
	uint8_t out[ADDRESS20], const uint8_t sender[ADDRESS20], uint64_t nonce);

#endif
