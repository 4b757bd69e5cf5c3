/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LEDGER_ETHEREUM_REQUEST_H
#define LEDGER_ETHEREUM_REQUEST_H

#include "ledger/ethereum/abi.h"
#include "ledger/ethereum/header.h"
#include "ledger/ethereum/settings.h"

/*
 * The questions of those who read (pool.c, reader.c) as parameters for
 * rpc_call(), and their answers. Every request is a new reference, or NULL when
 * memory is short.
 */

/* eth_getBlockByNumber without transactions; tag: "latest", "finalized". */
json_t *request_block(uint64_t number);
json_t *request_tag(const char *tag);

/* Which block a state is asked at: by EIP-1898 hash, which refuses a block that
 * is not canonical, or by number. */
struct at_block {
	bool by_hash;
	uint64_t number;
	const uint8_t *hash;
};

/* eth_call of tips(). */
json_t *request_tips(const struct ethereum_settings *s, const struct at_block *at);
/* eth_getProof of the four slots that tips() reads. */
json_t *request_proof(const struct ethereum_settings *s, const struct at_block *at);
/* eth_getCode at the head. */
json_t *request_code(const struct ethereum_settings *s);

/*
 * eth_getLogs of [from, to]: chain -1 for both, else of one chain; seq:
 * UINT64_MAX, or of one operation.
 */
json_t *request_logs(const struct ethereum_settings *s, uint64_t from, uint64_t to,
	int chain, uint64_t seq);
/* {"address": .., "topics": [..]} for eth_subscribe. */
json_t *request_filter(const struct ethereum_settings *s, int chain, uint64_t seq);

/* The results. 0, or -1 with a text that names the method. */
int result_tips(struct contract_tips *out, const json_t *result, struct error *err);
int result_proof(struct contract_tips *out, const json_t *result,
	const struct ethereum_settings *s, const uint8_t state_root[HASH_SIZE],
	struct error *err);
/* keccak256 of the code; *empty: there is none. */
int result_code(
	uint8_t hash[HASH_SIZE], bool *empty, const json_t *result, struct error *err);

#endif
