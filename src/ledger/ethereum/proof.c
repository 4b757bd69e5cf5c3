/* SPDX-License-Identifier: Apache-2.0 */
/* The result of eth_getProof (EIP-1186). */
#include "base/buffer.h"
#include "base/hex.h"
#include "ledger/ethereum/rlp.h"
#include "ledger/ethereum/trie.h"

/* A branch of sixteen hashes has 532 bytes; no node of our tries is longer. */
#define NODE_MAX 1024

/* A proof's nodes, decoded. */
struct nodes {
	struct buffer bytes;
	struct view node[PROOF_NODES_MAX];
	unsigned count;
};

/* One node's text: "0x" and an even number of digits. */
static int put_node(struct nodes *n, const json_t *text, struct error *err)
{
	uint8_t bytes[NODE_MAX];
	size_t digits = json_string_length(text);
	struct view digits_text = view_of(json_string_value(text), digits);

	if (!json_is_string(text) || !view_starts(digits_text, "0x") ||
		digits > 2 + 2 * NODE_MAX || digits % 2 ||
		hex_decode(bytes, digits / 2 - 1, digits_text))
		return error_set(err, "proof: node %u is no hex text of at most %d bytes",
			n->count, NODE_MAX);
	if (buffer_put(&n->bytes, bytes, digits / 2 - 1))
		return error_set(err, "proof: out of memory");
	n->node[n->count++].n = digits / 2 - 1;
	return 0;
}

/* Decode an array of nodes. Returns 0 or -1; free with buffer_free(&n->bytes). */
static int nodes_parse(struct nodes *n, const json_t *array, struct error *err)
{
	size_t at = 0;

	n->count = 0;
	n->bytes.n = 0;
	if (!json_is_array(array) || json_array_size(array) > PROOF_NODES_MAX)
		return error_set(
			err, "proof: no array of at most %d nodes", PROOF_NODES_MAX);
	for (size_t k = 0; k < json_array_size(array); k++)
		if (put_node(n, json_array_get(array, k), err))
			return -1;
	/* Only now does the buffer stay where it is. */
	for (unsigned k = 0; k < n->count; k++) {
		n->node[k].p = n->bytes.p + at;
		at += n->node[k].n;
	}
	return 0;
}

/* The account's leaf: [nonce, balance, storage root, code hash]. */
static int take_account(uint8_t storage_root[HASH_SIZE], uint8_t code_hash[HASH_SIZE],
	struct view leaf, struct error *err)
{
	struct rlp_item list, items[4];

	if (rlp_next(&leaf, &list) || leaf.n || !list.list)
		return error_set(err, "accountProof: the account is no RLP list");
	for (unsigned k = 0; k < 4; k++)
		if (rlp_next(&list.payload, &items[k]) || items[k].list)
			return error_set(
				err, "accountProof: the account has fewer than 4 fields");
	if (list.payload.n || items[2].payload.n != HASH_SIZE ||
		items[3].payload.n != HASH_SIZE)
		return error_set(err, "accountProof: the account's fields are malformed");
	memcpy(storage_root, items[2].payload.p, HASH_SIZE);
	if (code_hash)
		memcpy(code_hash, items[3].payload.p, HASH_SIZE);
	return 0;
}

/* A slot's leaf: its value's RLP, an integer above zero. */
static int take_value(uint8_t value[HASH_SIZE], struct view leaf, struct error *err)
{
	struct rlp_item item;

	memset(value, 0, HASH_SIZE);
	if (!leaf.n)
		return 0;
	if (rlp_next(&leaf, &item) || leaf.n || item.list || !item.payload.n ||
		item.payload.n > HASH_SIZE || !item.payload.p[0])
		return error_set(err, "the slot's value is no integer of 256 bits");
	memcpy(value + HASH_SIZE - item.payload.n, item.payload.p, item.payload.n);
	return 0;
}

static int verify_account(struct nodes *n, uint8_t storage_root[HASH_SIZE],
	uint8_t code_hash[HASH_SIZE], const json_t *result,
	const uint8_t account[ADDRESS20], const uint8_t state_root[HASH_SIZE],
	struct error *err)
{
	struct view leaf;

	if (nodes_parse(n, json_object_get(result, "accountProof"), err) ||
		trie_verify(&leaf, state_root, view_of(account, ADDRESS20), n->node,
			n->count, err))
		return error_prefix(err, "accountProof");
	if (!leaf.n)
		return error_set(
			err, "accountProof: it proves that there is no such account");
	return take_account(storage_root, code_hash, leaf, err);
}

static int verify_slot(struct nodes *n, struct proved_slot *slot,
	const uint8_t storage_root[HASH_SIZE], const json_t *entry, struct error *err)
{
	struct view leaf;

	if (nodes_parse(n, json_object_get(entry, "proof"), err) ||
		trie_verify(&leaf, storage_root, view_of(slot->slot, HASH_SIZE), n->node,
			n->count, err))
		return -1;
	return take_value(slot->value, leaf, err);
}

int proof_verify(struct proved_slot *slots, unsigned count, uint8_t code_hash[HASH_SIZE],
	const json_t *result, const uint8_t account[ADDRESS20],
	const uint8_t state_root[HASH_SIZE], struct error *err)
{
	const json_t *proofs = json_object_get(result, "storageProof");
	uint8_t storage_root[HASH_SIZE];
	struct nodes nodes = {.count = 0};
	int rc = verify_account(
		&nodes, storage_root, code_hash, result, account, state_root, err);

	if (!rc && (!json_is_array(proofs) || json_array_size(proofs) != count))
		rc = error_set(err, "storageProof: not an array of %u proofs", count);
	for (unsigned k = 0; k < count && !rc; k++)
		if (verify_slot(&nodes, &slots[k], storage_root,
			    json_array_get(proofs, k), err))
			rc = error_prefix(err, "storageProof %u", k);
	buffer_free(&nodes.bytes);
	return rc;
}
