/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/ethereum/request.h"

#include <stdlib.h>

#include "base/hex.h"
#include "base/keccak.h"
#include "ledger/ethereum/trie.h"

static const uint8_t proved_slots[] = {
	SLOT_MEMBERS_TIP, SLOT_MEMBERS_COUNT, SLOT_ADMIN_TIP, SLOT_ADMIN_COUNT};

#define SLOTS (sizeof proved_slots)

/* --- questions --- */

json_t *request_block(uint64_t number)
{
	char text[19];

	return json_pack("[s,b]", quantity_print(text, number), 0);
}

json_t *request_tag(const char *tag)
{
	return json_pack("[s,b]", tag, 0);
}

static json_t *block_parameter(const struct at_block *at)
{
	char text[2 * HASH_SIZE + 3];

	if (at->by_hash)
		return json_pack("{s:s,s:b}", "blockHash",
			fixed_print(text, at->hash, HASH_SIZE), "requireCanonical", 1);
	return json_string(quantity_print(text, at->number));
}

static json_t *address_of(const struct ethereum_settings *s)
{
	char text[2 * ADDRESS20 + 3];

	return json_string(fixed_print(text, s->contract, ADDRESS20));
}

json_t *request_tips(const struct ethereum_settings *s, const struct at_block *at)
{
	char text[2 * SELECTOR_SIZE + 3];
	struct buffer call = {0};
	json_t *out = NULL;

	if (!abi_call_tips(&call) && call.n == SELECTOR_SIZE)
		out = json_pack("[{s:o,s:s},o]", "to", address_of(s), "data",
			fixed_print(text, call.p, call.n), block_parameter(at));
	buffer_free(&call);
	return out;
}

/* A number as 32 bytes: an indexed topic, a slot. */
static json_t *word_of(uint64_t value)
{
	char text[2 * HASH_SIZE + 3];
	uint8_t word[HASH_SIZE] = {0};

	be64_store(word + HASH_SIZE - 8, value);
	return json_string(fixed_print(text, word, HASH_SIZE));
}

/* Engines differ in which shorter forms of a slot they take; all take 32 bytes. */
json_t *request_proof(const struct ethereum_settings *s, const struct at_block *at)
{
	json_t *slots = json_array();

	for (size_t k = 0; k < SLOTS; k++)
		json_array_append_new(slots, word_of(proved_slots[k]));
	return json_pack("[o,o,o]", address_of(s), slots, block_parameter(at));
}

json_t *request_code(const struct ethereum_settings *s)
{
	return json_pack("[o,s]", address_of(s), "latest");
}

json_t *request_filter(const struct ethereum_settings *s, int chain, uint64_t seq)
{
	char text[2 * HASH_SIZE + 3];
	json_t *topics = json_array();

	json_array_append_new(
		topics, json_string(fixed_print(text, abi_operation_topic, HASH_SIZE)));
	if (chain >= 0)
		json_array_append_new(topics, word_of((uint64_t)chain));
	if (chain >= 0 && seq != UINT64_MAX)
		json_array_append_new(topics, word_of(seq));
	return json_pack("{s:o,s:o}", "address", address_of(s), "topics", topics);
}

json_t *request_logs(const struct ethereum_settings *s, uint64_t from, uint64_t to,
	int chain, uint64_t seq)
{
	json_t *filter = request_filter(s, chain, seq);
	char text[19];

	json_object_set_new(filter, "fromBlock", json_string(quantity_print(text, from)));
	json_object_set_new(filter, "toBlock", json_string(quantity_print(text, to)));
	return json_pack("[o]", filter);
}

/* --- answers --- */

/* The bytes of a "0x.." string into out. 0 or -1. */
static int bytes_of(struct buffer *out, const json_t *value)
{
	const char *text = json_string_value(value);
	size_t digits = json_string_length(value);
	uint8_t *bytes;
	int rc = -1;

	if (!text || digits < 2 || digits % 2 || text[0] != '0' || text[1] != 'x')
		return -1;
	digits -= 2;
	bytes = malloc(digits / 2 + 1);
	if (bytes && !hex_decode(bytes, digits / 2, view_of(text + 2, digits)))
		rc = buffer_put(out, bytes, digits / 2);
	free(bytes);
	return rc;
}

int result_tips(struct contract_tips *out, const json_t *result, struct error *err)
{
	struct buffer bytes = {0};
	int rc;

	if (bytes_of(&bytes, result))
		rc = error_set(err, "eth_call of tips(): the result is no hex string");
	else if (!bytes.n)
		rc = error_set(
			err, "eth_call of tips(): no contract there at that block");
	else if ((rc = abi_tips_decode(out, view_of(bytes.p, bytes.n), err)) != 0)
		error_prefix(err, "eth_call of tips()");
	buffer_free(&bytes);
	return rc;
}

int result_proof(struct contract_tips *out, const json_t *result,
	const struct ethereum_settings *s, const uint8_t state_root[HASH_SIZE],
	struct error *err)
{
	struct proved_slot slot[SLOTS];
	uint8_t code_hash[HASH_SIZE];

	memset(slot, 0, sizeof slot);
	for (size_t k = 0; k < SLOTS; k++)
		slot[k].slot[HASH_SIZE - 1] = proved_slots[k];
	if (proof_verify(slot, SLOTS, code_hash, result, s->contract, state_root, err))
		return error_prefix(err, "eth_getProof");
	if (!bytes_zero(s->code_hash, HASH_SIZE) &&
		memcmp(code_hash, s->code_hash, HASH_SIZE))
		return error_set(err, "eth_getProof: another code is proved there");
	for (int c = 0; c < 2; c++) {
		memcpy(out->tip[c].hash, slot[2 * c].value, HASH_SIZE);
		/* seq in the low 8 bytes, block in the next */
		out->tip[c].seq = be64_load(slot[2 * c + 1].value + 24);
		out->last_block[c] = be64_load(slot[2 * c + 1].value + 16);
	}
	return 0;
}

int result_code(
	uint8_t hash[HASH_SIZE], bool *empty, const json_t *result, struct error *err)
{
	struct buffer bytes = {0};

	if (bytes_of(&bytes, result)) {
		buffer_free(&bytes);
		return error_set(err, "eth_getCode: the result is no hex string");
	}
	*empty = !bytes.n;
	keccak256(hash, bytes.p, bytes.n);
	buffer_free(&bytes);
	return 0;
}
