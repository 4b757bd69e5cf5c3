/* SPDX-License-Identifier: Apache-2.0 */
#include "base/keccak.h"

#define RATE 136 /* bytes: (1600 - 2 * 256) / 8 */

/* XOR a block into the state, lanes little-endian, and permute. */
static void absorb(struct keccak *k, const uint8_t *block)
{
	for (unsigned lane = 0; lane < RATE / 8; lane++) {
		uint64_t v = 0;

		for (unsigned i = 8; i > 0; i--)
			v = v << 8 | block[8 * lane + i - 1];
		k->state.a[lane] ^= v;
	}
	sha3_permute(&k->state);
}

void keccak_init(struct keccak *k)
{
	memset(k, 0, sizeof(*k));
}

void keccak_update(struct keccak *k, const void *p, size_t n)
{
	const uint8_t *in = p;

	while (n > 0) {
		size_t take = RATE - k->fill;

		if (k->fill == 0 && n >= RATE) {
			absorb(k, in); /* whole blocks need no copy */
			take = RATE;
		} else {
			if (take > n)
				take = n;
			memcpy(k->block + k->fill, in, take);
			k->fill += (unsigned)take;
			if (k->fill == RATE) {
				absorb(k, k->block);
				k->fill = 0;
			}
		}
		in += take;
		n -= take;
	}
}

void keccak_final(struct keccak *k, uint8_t out[KECCAK_SIZE])
{
	memset(k->block + k->fill, 0, RATE - k->fill);
	k->block[k->fill] |= 0x01; /* one byte 0x81 when a single one is left */
	k->block[RATE - 1] |= 0x80;
	absorb(k, k->block);
	for (unsigned i = 0; i < KECCAK_SIZE; i++)
		out[i] = (uint8_t)(k->state.a[i / 8] >> 8 * (i % 8));
}

void keccak256(uint8_t out[KECCAK_SIZE], const void *p, size_t n)
{
	struct keccak k;

	keccak_init(&k);
	keccak_update(&k, p, n);
	keccak_final(&k, out);
}
