/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

static uint64_t rotl(uint64_t v, unsigned n)
{
	return v << n | v >> (64 - n);
}

static void sipround(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotl(v[1], 13) ^ v[0];
	v[0] = rotl(v[0], 32);
	v[2] += v[3];
	v[3] = rotl(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotl(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotl(v[1], 17) ^ v[2];
	v[2] = rotl(v[2], 32);
}

static uint64_t load_le64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof v);
	return le64toh(v);
}

/* n < 8 bytes, little-endian. */
static uint64_t load_le(const uint8_t *p, size_t n)
{
	uint64_t v = 0;

	for (size_t i = n; i > 0; i--)
		v = v << 8 | p[i - 1];
	return v;
}

uint64_t hash_bytes(const struct hash_key *key, const void *p, size_t n)
{
	const uint8_t *in = p;
	size_t whole = n - n % 8;
	uint64_t m,
		v[4] = {
			key->k0 ^ UINT64_C(0x736f6d6570736575),
			key->k1 ^ UINT64_C(0x646f72616e646f6d),
			key->k0 ^ UINT64_C(0x6c7967656e657261),
			key->k1 ^ UINT64_C(0x7465646279746573),
		};

	for (size_t i = 0; i < whole; i += 8) {
		m = load_le64(in + i);
		v[3] ^= m;
		sipround(v);
		v[0] ^= m;
	}
	m = (uint64_t)n << 56;
	if (n > whole)
		m |= load_le(in + whole, n - whole);
	v[3] ^= m;
	sipround(v);
	v[0] ^= m;
	v[2] ^= 0xff;
	for (unsigned i = 0; i < 3; i++)
		sipround(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

struct hash_key hash_key_random(void)
{
	struct hash_key key;
	ssize_t n;

	/* Up to 256 bytes come whole or not at all (getrandom(2)). */
	do
		n = getrandom(&key, sizeof(key), 0);
	while (n < 0 && errno == EINTR);
	if (n != (ssize_t)sizeof(key))
		abort();
	return key;
}
