/* SPDX-License-Identifier: Apache-2.0 */
/*
 * eth_getProof's result: {"account", "slots", "root", "result"} as JSON. So
 * that the fuzzer comes past the first hash, it may also give "fit": the root
 * is then the hash of the account proof's first node.
 */
#include <stdlib.h>

#include "base/hex.h"
#include "base/keccak.h"
#include "ledger/ethereum/header.h"
#include "ledger/ethereum/trie.h"

#define SLOTS_MAX 8

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

/* The hash of the first node, where there is one. */
static void fit(uint8_t root[HASH_SIZE], const json_t *result)
{
	const json_t *node = json_array_get(json_object_get(result, "accountProof"), 0);
	size_t n = json_string_length(node);
	uint8_t bytes[2048];

	if (n < 2 || n % 2 || n / 2 - 1 > sizeof bytes ||
		hex_decode(bytes, n / 2 - 1, view_of(json_string_value(node), n)))
		return;
	keccak256(root, bytes, n / 2 - 1);
}

/* A single node, which need not be JSON, under its own hash. */
static void play_node(struct view node)
{
	uint8_t root[HASH_SIZE];
	struct error err = {0};
	struct view value;

	keccak256(root, node.p, node.n);
	if (trie_verify(&value, root, view_str("key"), &node, 1, &err)) {
		if (!err.text[0] || value.n)
			abort();
	} else if (value.n && (value.p < node.p || value.p + value.n > node.p + node.n)) {
		abort();
	}
}

static void play(const json_t *question)
{
	const json_t *result = json_object_get(question, "result");
	const json_t *list = json_object_get(question, "slots");
	uint8_t account[ADDRESS20] = {0}, root[HASH_SIZE] = {0}, code[HASH_SIZE];
	struct proved_slot slots[SLOTS_MAX] = {{{0}, {0}}};
	struct error err = {0};
	unsigned count = 0;

	while (count < SLOTS_MAX && count < json_array_size(list)) {
		fixed_parse(slots[count].slot, HASH_SIZE, json_array_get(list, count));
		count++;
	}
	fixed_parse(account, ADDRESS20, json_object_get(question, "account"));
	fixed_parse(root, HASH_SIZE, json_object_get(question, "root"));
	if (json_object_get(question, "fit"))
		fit(root, result);
	if (proof_verify(slots, count, code, result, account, root, &err) && !err.text[0])
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	json_t *question = json_loadb((const char *)input, size, JSON_DECODE_ANY, NULL);

	if (question)
		play(question);
	json_decref(question);
	play_node(view_of(input, size));
	return 0;
}
