/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/scrypt_narrow.h"

#include <openssl/evp.h>
#include <stdlib.h>

#define BLOCK 128 /* 128 r bytes: two of Salsa20's */
#define WORDS (BLOCK / 4)
#define HALF  (WORDS / 2)

static uint32_t rotate(uint32_t v, unsigned by)
{
	return v << by | v >> (32 - by);
}

static void quarter(uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d)
{
	*b ^= rotate(*a + *d, 7);
	*c ^= rotate(*b + *a, 9);
	*d ^= rotate(*c + *b, 13);
	*a ^= rotate(*d + *c, 18);
}

/* RFC 7914 section 3: Salsa20/8. */
static void salsa(uint32_t b[HALF])
{
	uint32_t x[HALF];

	memcpy(x, b, sizeof x);
	for (int round = 0; round < 8; round += 2) {
		for (unsigned k = 0; k < 4; k++)
			quarter(&x[5 * k], &x[(5 * k + 4) % 16], &x[(5 * k + 8) % 16],
				&x[(5 * k + 12) % 16]);
		for (unsigned k = 0; k < 4; k++)
			quarter(&x[5 * k], &x[4 * k + (k + 1) % 4],
				&x[4 * k + (k + 2) % 4], &x[4 * k + (k + 3) % 4]);
	}
	for (unsigned k = 0; k < HALF; k++)
		b[k] += x[k];
}

static void mix_in(uint32_t *dst, const uint32_t *src, unsigned n)
{
	for (unsigned k = 0; k < n; k++)
		dst[k] ^= src[k];
}

/* Section 4, scryptBlockMix: with r = 1 the two halves stay in order. */
static void block_mix(uint32_t b[WORDS])
{
	mix_in(b, b + HALF, HALF);
	salsa(b);
	mix_in(b + HALF, b, HALF);
	salsa(b + HALF);
}

/* Section 5, scryptROMix. v: n blocks. */
static void rom_mix(uint32_t x[WORDS], uint32_t *v, uint32_t n)
{
	for (uint32_t k = 0; k < n; k++) {
		memcpy(v + (size_t)k * WORDS, x, BLOCK);
		block_mix(x);
	}
	for (uint32_t k = 0; k < n; k++) {
		mix_in(x, v + (size_t)(x[HALF] & (n - 1)) * WORDS, WORDS);
		block_mix(x);
	}
}

/* One lane's bytes through ROMix; they are little-endian. */
static void lane(uint8_t bytes[BLOCK], uint32_t *v, uint32_t n)
{
	uint32_t x[WORDS];

	for (unsigned k = 0; k < WORDS; k++)
		x[k] = (uint32_t)bytes[4 * k] | (uint32_t)bytes[4 * k + 1] << 8 |
			(uint32_t)bytes[4 * k + 2] << 16 |
			(uint32_t)bytes[4 * k + 3] << 24;
	rom_mix(x, v, n);
	for (unsigned k = 0; k < BLOCK; k++)
		bytes[k] = (uint8_t)(x[k / 4] >> (8 * (k % 4)));
	explicit_bzero(x, sizeof x);
}

int scrypt_narrow(uint8_t *out, size_t n_out, struct view password, struct view salt,
	uint32_t n, uint32_t p)
{
	const char *text = password.n ? (const char *)password.p : "";
	size_t size = (size_t)p * BLOCK, memory = (size_t)n * BLOCK;
	uint8_t *b = malloc(size);
	uint32_t *v = malloc(memory);
	int ok = b && v;

	ok = ok &&
		PKCS5_PBKDF2_HMAC(text, (int)password.n, salt.p, (int)salt.n, 1,
			EVP_sha256(), (int)size, b);
	for (uint32_t k = 0; ok && k < p; k++)
		lane(b + (size_t)k * BLOCK, v, n);
	ok = ok &&
		PKCS5_PBKDF2_HMAC(text, (int)password.n, b, (int)size, 1, EVP_sha256(),
			(int)n_out, out);
	if (b)
		explicit_bzero(b, size);
	if (v)
		explicit_bzero(v, memory);
	free(b);
	free(v);
	return ok ? 0 : -1;
}
