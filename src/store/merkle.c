/* SPDX-License-Identifier: Apache-2.0 */
#include "store/merkle.h"

void merkle_leaf(uint8_t out[KECCAK_SIZE], struct view data)
{
	static const uint8_t prefix = 0x00;
	struct keccak k;

	keccak_init(&k);
	keccak_update(&k, &prefix, 1);
	keccak_update(&k, data.p, data.n);
	keccak_final(&k, out);
}

/* out may be left or right. */
static void hash_node(uint8_t out[KECCAK_SIZE], const uint8_t left[KECCAK_SIZE],
	const uint8_t right[KECCAK_SIZE])
{
	static const uint8_t prefix = 0x01;
	struct keccak k;

	keccak_init(&k);
	keccak_update(&k, &prefix, 1);
	keccak_update(&k, left, KECCAK_SIZE);
	keccak_update(&k, right, KECCAK_SIZE);
	keccak_final(&k, out);
}

/* The greatest power of two less than n; n >= 2. */
static uint32_t split_at(uint32_t n)
{
	uint32_t k = 1;

	while (k * 2 < n)
		k *= 2;
	return k;
}

/* Recursion is as deep as the tree: at most MERKLE_DEPTH_MAX. */
void merkle_root(
	uint8_t out[KECCAK_SIZE], const uint8_t (*leaves)[KECCAK_SIZE], uint32_t n)
{
	uint8_t right[KECCAK_SIZE];
	uint32_t k;

	if (n == 0) {
		memset(out, 0, KECCAK_SIZE);
		return;
	}
	if (n == 1) {
		memcpy(out, leaves[0], KECCAK_SIZE);
		return;
	}
	k = split_at(n);
	merkle_root(out, leaves, k);
	merkle_root(right, leaves + k, n - k);
	hash_node(out, out, right);
}

void merkle_prove(struct merkle_path *out, const uint8_t (*leaves)[KECCAK_SIZE],
	uint32_t n, uint32_t index)
{
	uint8_t down[MERKLE_DEPTH_MAX][KECCAK_SIZE];
	uint8_t length = 0;

	*out = (struct merkle_path){.index = index, .count = n};
	/* Walk down; the siblings come in the order from the root. */
	while (n > 1 && length < MERKLE_DEPTH_MAX) {
		uint32_t k = split_at(n);

		if (index < k) {
			merkle_root(down[length++], leaves + k, n - k);
			n = k;
		} else {
			merkle_root(down[length++], leaves, k);
			leaves += k;
			index -= k;
			n -= k;
		}
	}
	out->length = length;
	for (uint8_t at = 0; at < length; at++)
		memcpy(out->siblings[at], down[length - 1 - at], KECCAK_SIZE);
}

bool merkle_verify(const uint8_t root[KECCAK_SIZE], const uint8_t leaf[KECCAK_SIZE],
	const struct merkle_path *path)
{
	uint32_t node = path->index, last = path->count - 1;
	uint8_t hash[KECCAK_SIZE];

	if (path->count == 0 || path->index >= path->count ||
		path->count > MERKLE_LEAVES_MAX || path->length > MERKLE_DEPTH_MAX)
		return false;
	memcpy(hash, leaf, KECCAK_SIZE);
	for (uint8_t at = 0; at < path->length; at++) {
		if (last == 0)
			return false;
		if ((node & 1) != 0 || node == last) {
			hash_node(hash, path->siblings[at], hash);
			/* A right edge that has no sibling at its level rises. */
			while ((node & 1) == 0 && node != 0) {
				node >>= 1;
				last >>= 1;
			}
		} else {
			hash_node(hash, hash, path->siblings[at]);
		}
		node >>= 1;
		last >>= 1;
	}
	return last == 0 && memcmp(hash, root, KECCAK_SIZE) == 0;
}
