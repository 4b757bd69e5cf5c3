/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_ETHEREUM_ABI_CASES_H
#define TESTS_ETHEREUM_ABI_CASES_H

#include "vectors.h"

#include "base/keccak.h"
#include "ledger/ethereum/abi.h"

/* encoding.json: made by ethers from the contract's committed ABI. */
static json_t *root;
static const json_t *calls, *results;

static inline int setup(void **state)
{
	(void)state;
	root = vectors_load("encoding.json");
	calls = json_object_get(json_object_get(root, "views"), "calls");
	results = json_object_get(json_object_get(root, "views"), "results");
	return 0;
}

static inline int teardown(void **state)
{
	(void)state;
	json_decref(root);
	return 0;
}

/* bytes(n, from) of vectors.cjs */
static inline void pattern(uint8_t *dst, size_t n, unsigned from)
{
	for (size_t k = 0; k < n; k++)
		dst[k] = (uint8_t)(from + 7 * k);
}

#endif
