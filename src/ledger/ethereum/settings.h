/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LEDGER_ETHEREUM_SETTINGS_H
#define LEDGER_ETHEREUM_SETTINGS_H

#include "ledger/ethereum/endpoint.h"
#include "ledger/operation.h"

/* When a block counts as final. */
enum finality {
	FINALITY_DEPTH = 1,     /* so many blocks on top of it; 0: at once (QBFT, IBFT) */
	FINALITY_SAFE = 2,      /* the chain's tag `safe` */
	FINALITY_FINALIZED = 3, /* the chain's tag `finalized` */
};

/* What the operator configures of an Ethereum ledger ([ledger] type = ethereum). */
struct ethereum_settings {
	struct endpoint endpoints[ENDPOINTS_MAX];
	size_t endpoint_count;

	/* Pinned by `sipchain init`: whoever answers otherwise is not our ledger. */
	uint8_t contract[ADDRESS20];
	uint64_t chain_id;
	uint8_t genesis[HASH_SIZE];   /* hash of block 0 */
	uint8_t code_hash[HASH_SIZE]; /* keccak256 of the contract's runtime code */
	uint64_t deployed; /* the block of its creation: nothing is before it */

	uint8_t finality; /* enum finality */
	uint32_t depth;   /* FINALITY_DEPTH */

	uint64_t max_fee;   /* wei a gas; 0: see fee_limit() */
	bool zero_fee;      /* the chain takes transactions without fees: offer none */
	uint32_t poll_ms;   /* asking for the head where no socket tells it */
	char journal[256];  /* the file of what was verified and of what is sent */
	char explorer[256]; /* template with {tx}, or "" */
};

#endif
