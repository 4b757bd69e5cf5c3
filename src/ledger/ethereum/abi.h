/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LEDGER_ETHEREUM_ABI_H
#define LEDGER_ETHEREUM_ABI_H

#include "base/buffer.h"
#include "base/error.h"
#include "ledger/registry.h"

/*
 * The contract (contracts/src/SIPchain.sol) as the client sees it, in the
 * Contract ABI of Solidity: call data, results, the one event, the refusals.
 * All decoding is strict and bounded: every offset and length is checked, what
 * is wrong is an error that names the field.
 */
#define SELECTOR_SIZE 4
#define ABI_WORD      32

/* --- what is sent --- */

/*
 * The call that makes this operation: op's own fields (seq, time and actor are
 * the chain's). Any type but GENESIS. Returns 0, or -1 when out fails or the
 * type has no call.
 */
int abi_operation_call(struct buffer *out, const struct operation *op);

/* The creation transaction's data: the code and the constructor's arguments. */
int abi_creation(struct buffer *out, const struct ledger_config *config,
	const uint8_t guardian[ADDRESS20]);

/* keccak256 of the runtime code that belongs to abi_creation()'s. */
void abi_code_hash(uint8_t hash[HASH_SIZE]);

/* --- views: the call data, and what comes back --- */

int abi_call_version(struct buffer *out);
int abi_call_id(struct buffer *out);
int abi_call_tips(struct buffer *out);
int abi_call_config(struct buffer *out);
int abi_call_guardian(struct buffer *out);
int abi_call_owner(struct buffer *out);
int abi_call_pending_owner(struct buffer *out);
int abi_call_paused(struct buffer *out);
int abi_call_superseded(struct buffer *out);
int abi_call_member_count(struct buffer *out);
int abi_call_member(struct buffer *out, uint16_t member);
int abi_call_member_of(struct buffer *out, const uint8_t signer[ADDRESS20]);
int abi_call_protected(struct buffer *out);
int abi_call_snapshot(struct buffer *out, uint16_t member, uint32_t from, uint32_t count);
int abi_call_support(struct buffer *out, const struct indicator *i, const uint64_t *cells,
	size_t count); /* cell: member << 24 | cell, ascending */

struct contract_tips {
	struct tip tip[2];      /* by enum chain; seq: operations so far */
	uint64_t last_block[2]; /* of the chain's last operation */
};

int abi_uint_decode(uint64_t *out, struct view result, struct error *err);
int abi_int_decode(int64_t *out, struct view result, struct error *err);
int abi_hash_decode(uint8_t out[HASH_SIZE], struct view result, struct error *err);
int abi_address_decode(uint8_t out[ADDRESS20], struct view result, struct error *err);
int abi_tips_decode(struct contract_tips *out, struct view result, struct error *err);
int abi_config_decode(struct ledger_config *out, struct view result, struct error *err);
/* out->index is the caller's; out->live is not on the ledger: 0. */
int abi_member_decode(struct member *out, struct view result, struct error *err);
/* The views point into result. */
int abi_protected_decode(struct view *table, struct view result, struct error *err);
int abi_words_decode(struct view *words, struct view result, struct error *err);

/* --- the event --- */

/* keccak256("Operation(uint8,uint64,bytes32,uint64,bytes)"): topic 0. */
extern const uint8_t abi_operation_topic[HASH_SIZE];

struct contract_event {
	enum chain chain;
	uint64_t seq;
	uint8_t tip_before[HASH_SIZE];
	uint64_t block_before; /* of the chain's operation before; a hint */
	struct view operation; /* canonical bytes, into data */
};

/*
 * From a log's topics and data. chain and seq must agree with the operation's
 * own bytes. Returns 0, or -1 with a text.
 */
int abi_event_decode(struct contract_event *out, const uint8_t topics[][HASH_SIZE],
	unsigned topic_count, struct view data, struct error *err);

/* --- refusals --- */

/*
 * The contract's custom errors are named as refusal_name() says, with the
 * arguments (), (uint256 entry) or (uint256 entry, bytes18 conflict).
 * Returns 0 with *out; -1 when the revert data is none of them.
 */
int abi_refusal_decode(struct refusal *out, struct view revert);

/* The text of Error(string) or Panic(uint256), escaped, into err; returns -1. */
int abi_revert_text(struct view revert, struct error *err);

/* --- where things stand (contracts/README.md) --- */

/* The storage slot of a cell: CELLS | member << 24 | cell. */
void abi_cell_slot(uint8_t slot[HASH_SIZE], uint16_t member, uint32_t cell);

/* Slots 2..5: members' tip, its seq | block << 64, the administrative ones. */
#define SLOT_MEMBERS_TIP   2
#define SLOT_MEMBERS_COUNT 3
#define SLOT_ADMIN_TIP     4
#define SLOT_ADMIN_COUNT   5

#endif
