/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LEDGER_ETHEREUM_HEADER_H
#define LEDGER_ETHEREUM_HEADER_H

#include <jansson.h>

#include "base/error.h"
#include "ledger/operation.h"

/* What we need of a block's header, as eth_getBlockByNumber gives it. */
struct header {
	uint64_t number;
	uint64_t timestamp; /* unix seconds */
	uint8_t hash[HASH_SIZE];
	uint8_t parent[HASH_SIZE];
	uint8_t state_root[HASH_SIZE];
	uint64_t gas_limit;
	uint64_t gas_used;
	bool has_base_fee; /* EIP-1559: then type-2 transactions pass */
	uint64_t base_fee; /* wei a gas */
};

/*
 * From a reply's result or a newHeads notification (which engines give without
 * some fields: stateRoot, gasLimit, gasUsed and baseFeePerGas may be absent or
 * null, and are zero then; number, hash, parentHash and timestamp may not).
 * Returns 0, or -1 with a text that names the field.
 */
int header_parse(struct header *out, const json_t *block, struct error *err);

/* A quantity, "0x" and 1..16 digits without leading zeros, in any case. 0 or -1. */
int quantity_parse(uint64_t *out, const json_t *value);

/* n bytes as "0x" and 2n digits. 0 or -1. */
int fixed_parse(uint8_t *out, size_t n, const json_t *value);

/* A balance: "0x" and 1..64 digits, as 32 bytes, big-endian. 0 or -1. */
int wei_parse(uint8_t wei[32], const json_t *value);

#define QUANTITY_TEXT 19 /* 0x, 16 digits, NUL */

/* "0x1a" into dst[QUANTITY_TEXT]. Returns dst. */
char *quantity_print(char *dst, uint64_t value);

/* "0x" and 2n digits into dst[2n + 3]. Returns dst. */
char *fixed_print(char *dst, const uint8_t *bytes, size_t n);

#endif
