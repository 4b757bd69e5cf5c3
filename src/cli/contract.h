/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_CONTRACT_H
#define CLI_CONTRACT_H

#include "cli/exit.h"
#include "ledger/ethereum/abi.h"

/* What the contract says of itself, all as of one block. */
#define CONTRACT_SLOTS 5 /* the owner's, and two of each tip */

struct contract_state {
	struct header head; /* that block */
	uint64_t version;
	uint8_t id[HASH_SIZE];
	uint8_t owner[ADDRESS20], pending_owner[ADDRESS20], guardian[ADDRESS20];
	struct ledger_config config;
	bool paused;
	uint8_t superseded[HASH_SIZE]; /* zeros: not */
	uint64_t members;
	struct contract_tips tips;
	uint8_t storage[CONTRACT_SLOTS][HASH_SIZE]; /* in that order */
	bool proved; /* storage, by eth_getProof against the block's state root */
};

/*
 * Ask for it, and see that the storage holds what the views say. 0, or -1 with
 * *why: SESSION_LIED when a proof does not hold or storage and views differ.
 */
int contract_state_read(
	struct session *s, struct contract_state *out, struct session_failure *why);

/* Whether storage and views agree: the text of what does not. 0 or -1. Pure. */
int contract_state_check(const struct contract_state *c, struct error *err);

/*
 * The [ledger] section that pins this ledger, as text for a configuration:
 * what differs from the defaults. secrets: the endpoints' too, else "***".
 * Returns 0, or -1 when out fails. Pure.
 */
int ledger_section(struct buffer *out, const struct ethereum_settings *s, bool secrets);

/*
 * What the chain is like, into out: when a block is final, and whether it takes
 * transactions without fees; else, where none is given, what is offered a gas at
 * most (fee_pin(): 0 when that has to be given). Asked once, at init and deployment. Returns a
 * remark for people on how it was found.
 */
const char *probe_chain(struct session *s, struct ethereum_settings *out);

/*
 * The block of the contract's creation into *block: found by bisection of
 * eth_getCode or, where the engine keeps no old state, as that of the first
 * event. 0, or -1 with *why.
 */
int find_deployment(struct session *s, uint64_t *block, struct session_failure *why);

#endif
