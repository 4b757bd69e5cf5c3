/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_PRNG_H
#define TESTS_PRNG_H

#include <stdint.h>

/* xorshift64*: the same sequence everywhere, so that a failure repeats. */
struct prng {
	uint64_t state; /* the seed; not 0 */
};

static inline uint64_t prng_next(struct prng *r)
{
	r->state ^= r->state >> 12;
	r->state ^= r->state << 25;
	r->state ^= r->state >> 27;
	return r->state * UINT64_C(0x2545f4914f6cdd1d);
}

/* 0..n-1; n > 0. The bias is of no weight in tests. */
static inline unsigned prng_below(struct prng *r, unsigned n)
{
	return (unsigned)((prng_next(r) >> 32) % n);
}

#endif
