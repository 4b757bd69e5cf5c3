/* SPDX-License-Identifier: Apache-2.0 */
/* The one event, and where the contract keeps things. */
#include "base/keccak.h"
#include "ledger/ethereum/abi_word.h"

const uint8_t abi_operation_topic[HASH_SIZE] = {
	0xdc,
	0xc8,
	0xf4,
	0x83,
	0x90,
	0xd6,
	0xb7,
	0x79,
	0xc9,
	0x8a,
	0xf2,
	0x91,
	0x61,
	0x59,
	0x67,
	0x70,
	0xaf,
	0x86,
	0x14,
	0xbe,
	0x7a,
	0x37,
	0xef,
	0xd1,
	0x45,
	0x8e,
	0x90,
	0x1c,
	0x66,
	0xd9,
	0xe0,
	0xce,
};

/* The first bytes of an operation say which chain it is of and its number. */
static int check_operation(struct abi_reader *r, const struct contract_event *e)
{
	struct view op = e->operation;

	if (op.n < OPERATION_HEAD)
		return abi_reader_fail(
			r, "operation", "shorter than an operation's head");
	if (operation_chain(op.p[0]) != e->chain)
		return abi_reader_fail(r, "chain", "not the operation's");
	if (be64_load(op.p + 1) != e->seq)
		return abi_reader_fail(r, "seq", "not the operation's");
	return 0;
}

int abi_event_decode(struct contract_event *out, const uint8_t topics[][HASH_SIZE],
	unsigned topic_count, struct view data, struct error *err)
{
	struct abi_reader r = {.rest = data, .what = "event Operation", .err = err};
	struct abi_reader topic = {.what = "event Operation", .err = err};

	if (topic_count != 3 || memcmp(topics[0], abi_operation_topic, HASH_SIZE) != 0)
		return error_set(err,
			"event Operation: %u topics, or another event's: it has 3",
			topic_count);
	topic.rest = view_of(topics[1], 2 * HASH_SIZE);
	out->chain = abi_take_uint(&topic, "chain", 1) ? CHAIN_ADMIN : CHAIN_MEMBERS;
	out->seq = abi_take_uint(&topic, "seq", UINT64_MAX);
	if (topic.failed)
		return -1;
	memcpy(out->tip_before, abi_take_word(&r, "tipBefore"), HASH_SIZE);
	out->block_before = abi_take_uint(&r, "blockBefore", UINT64_MAX);
	abi_take_offset(&r, "operation", 3 * ABI_WORD);
	out->operation = abi_take_bytes(&r, "operation", OPERATION_MAX);
	if (abi_reader_end(&r))
		return -1;
	return check_operation(&r, out);
}

void abi_cell_slot(uint8_t slot[HASH_SIZE], uint16_t member, uint32_t cell)
{
	static const char name[] = "SIPchain cells v1";

	keccak256(slot, name, sizeof name - 1);
	be16_store(slot + HASH_SIZE - 5, member);
	slot[HASH_SIZE - 3] = (uint8_t)(cell >> 16);
	be16_store(slot + HASH_SIZE - 2, (uint16_t)cell);
}
