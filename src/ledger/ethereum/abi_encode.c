/* SPDX-License-Identifier: Apache-2.0 */
/* What is sent: call data and the creation's data. */
/* Made by the build, not in this folder. */
#include "ledger/ethereum/contract_code.h"

#include "base/keccak.h"
#include "ledger/ethereum/abi_word.h"

/* Begin a call. */
static void call(struct buffer *out, const char *signature)
{
	uint8_t selector[SELECTOR_SIZE];

	abi_selector(selector, signature);
	buffer_put(out, selector, sizeof selector);
}

static int done(const struct buffer *out)
{
	return out->failed ? -1 : 0;
}

static void put_addresses(
	struct buffer *out, const uint8_t addresses[][ADDRESS20], size_t count)
{
	abi_put_uint(out, count);
	for (size_t k = 0; k < count; k++)
		abi_put_address(out, addresses[k]);
}

/*
 * The configuration's 12 canonical bytes: those of a CONFIG operation behind
 * its head, so that there is one place that knows them.
 */
static void put_config(struct buffer *out, const struct ledger_config *config)
{
	struct operation op = {.type = OP_CONFIG, .config = *config};
	struct buffer bytes = {0};

	if (operation_encode(&bytes, &op))
		out->failed = true;
	else
		abi_put_left(out, bytes.p + OPERATION_HEAD, bytes.n - OPERATION_HEAD);
	buffer_free(&bytes);
}

static void put_submit(struct buffer *out, const struct operation *op)
{
	size_t words = (size_t)op->count * WORD_SIZE;

	call(out, "submit(uint16,bytes32,uint256[],bytes)");
	abi_put_uint(out, op->member);
	buffer_put(out, op->commitment, HASH_SIZE);
	abi_put_uint(out, 4 * ABI_WORD);
	abi_put_uint(out, 4 * ABI_WORD + ABI_WORD + words);
	abi_put_uint(out, op->count);
	buffer_put(out, op->words, words);
	abi_put_bytes(out, op->texts);
}

static void put_member_add(struct buffer *out, const struct operation *op)
{
	call(out, "memberAdd(uint16,uint16,uint32,string,address[])");
	abi_put_uint(out, op->member);
	abi_put_uint(out, op->weight);
	abi_put_uint(out, op->cap);
	abi_put_uint(out, 5 * ABI_WORD);
	abi_put_uint(out, 5 * ABI_WORD + abi_tail_size(op->name.n));
	abi_put_bytes(out, op->name);
	put_addresses(out, op->signers, op->signer_count);
}

static void put_member_set(struct buffer *out, const struct operation *op)
{
	call(out, "memberSet(uint16,uint16,uint32)");
	abi_put_uint(out, op->member);
	abi_put_uint(out, op->weight);
	abi_put_uint(out, op->cap);
}

static void put_protect(struct buffer *out, const struct operation *op)
{
	call(out, "protect(bytes)");
	abi_put_uint(out, ABI_WORD);
	abi_put_bytes(out, view_of(op->table, (size_t)op->table_count * INDICATOR_SIZE));
}

/* The calls whose arguments are only a member, an address or both. */
static const struct {
	uint8_t type;
	bool member, address;
	const char *signature;
} plain_calls[] = {
	{OP_MEMBER_REMOVE, true, false, "memberRemove(uint16)"},
	{OP_MEMBER_SUSPEND, true, false, "memberSuspend(uint16)"},
	{OP_MEMBER_RESUME, true, false, "memberResume(uint16)"},
	{OP_SIGNER_ADD, true, true, "signerAdd(uint16,address)"},
	{OP_SIGNER_REMOVE, true, true, "signerRemove(uint16,address)"},
	{OP_GUARDIAN, false, true, "setGuardian(address)"},
	{OP_OWNER_PROPOSE, false, true, "transferOwnership(address)"},
	{OP_OWNER_ACCEPT, false, false, "acceptOwnership()"},
	{OP_PAUSE, false, false, "pause()"},
	{OP_UNPAUSE, false, false, "unpause()"},
};

static int put_plain(struct buffer *out, const struct operation *op)
{
	for (size_t k = 0; k < sizeof plain_calls / sizeof *plain_calls; k++) {
		if (plain_calls[k].type != op->type)
			continue;
		call(out, plain_calls[k].signature);
		if (plain_calls[k].member)
			abi_put_uint(out, op->member);
		if (plain_calls[k].address)
			abi_put_address(out, op->address);
		return done(out);
	}
	return -1;
}

int abi_operation_call(struct buffer *out, const struct operation *op)
{
	switch (op->type) {
	case OP_BATCH:
		put_submit(out, op);
		break;
	case OP_MEMBER_ADD:
		if (op->signer_count > SIGNERS_MAX)
			return -1;
		put_member_add(out, op);
		break;
	case OP_MEMBER_SET:
		put_member_set(out, op);
		break;
	case OP_PROTECT:
		put_protect(out, op);
		break;
	case OP_CONFIG:
		call(out, "configure(bytes12)");
		put_config(out, &op->config);
		break;
	case OP_SUPERSEDE:
		call(out, "supersede(bytes32)");
		buffer_put(out, op->next, HASH_SIZE);
		break;
	default:
		return put_plain(out, op);
	}
	return done(out);
}

int abi_creation(struct buffer *out, const struct ledger_config *config,
	const uint8_t guardian[ADDRESS20])
{
	buffer_put(out, contract_creation, sizeof contract_creation);
	put_config(out, config);
	abi_put_address(out, guardian);
	return done(out);
}

void abi_code_hash(uint8_t hash[HASH_SIZE])
{
	keccak256(hash, contract_runtime, sizeof contract_runtime);
}
