/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include "base/bytes.h"

/* A key drawn at start: an attacker must not be able to choose collisions. */
struct hash_key {
	uint64_t k0, k1;
};

/* SipHash-1-3 of n bytes (Aumasson, Bernstein 2012; the 1-3 variant). */
uint64_t hash_bytes(const struct hash_key *key, const void *p, size_t n);

/* A fresh random key from getrandom(2); aborts when the kernel has none. */
struct hash_key hash_key_random(void);

#endif
