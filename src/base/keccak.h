/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_KECCAK_H
#define BASE_KECCAK_H

#include "base/bytes.h"
#include <nettle/sha3.h>

/*
 * Keccak-256 as Ethereum uses it: the Keccak team's original padding byte
 * 0x01, not FIPS 202's 0x06. The permutation is nettle's.
 */
struct keccak {
	struct sha3_state state;
	uint8_t block[136];
	unsigned fill;
};

#define KECCAK_SIZE 32

void keccak_init(struct keccak *k);
void keccak_update(struct keccak *k, const void *p, size_t n);
void keccak_final(struct keccak *k, uint8_t out[KECCAK_SIZE]);

/* One call. */
void keccak256(uint8_t out[KECCAK_SIZE], const void *p, size_t n);

#endif
