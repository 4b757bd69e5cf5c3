/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LEDGER_ETHEREUM_FEE_H
#define LEDGER_ETHEREUM_FEE_H

#include "ledger/ethereum/header.h"
#include "ledger/ethereum/settings.h"
#include "ledger/ethereum/transaction.h"

/*
 * What a transaction offers. Pure. Legacy where headers have no base fee; else
 * type 2 with max_fee = 2 * base fee + priority fee, which passes six full
 * blocks in a row. Zero where the operator said so (zero_fee).
 */
struct fee_quotes {
	uint64_t gas_price;    /* eth_gasPrice, wei; 0 also when it was not told */
	uint64_t priority_fee; /* eth_maxPriorityFeePerGas, wei; legacy: unused */
};

/*
 * Fill t's dynamic, max_fee and priority_fee. max_fee is cut to
 * settings->max_fee where that still pays the next block. Returns 0; -1 when
 * the chain now asks more than settings->max_fee (the text says both figures
 * in gwei and names the setting).
 */
int fee_choose(struct transaction *t, const struct header *head,
	const struct fee_quotes *quotes, const struct ethereum_settings *s,
	struct error *err);

/*
 * The next offer for a transaction that waits too long: both fields at least
 * 12.5 % up (nodes ask for 10, and for more than before), never below what
 * fee_choose() would take now, never above max_fee. t->dynamic stays. Returns
 * 0; 1 when there is nothing to raise (zero fees), 2 when max_fee leaves no
 * room for a raise that nodes would take. t is unchanged then.
 */
int fee_raise(struct transaction *t, const struct header *head,
	const struct fee_quotes *quotes, const struct ethereum_settings *s);

#define FEE_TEXT 40

/* "1.5 gwei", "0 gwei", "0.000000001 gwei" into dst[FEE_TEXT]. Returns dst. */
char *fee_print(char *dst, uint64_t wei);

/*
 * gas * fee wei in the chain's coin, "0.00142" (18 decimals, trailing zeros
 * left out), into dst[FEE_TEXT]. Returns dst.
 */
char *fee_coin_print(char *dst, uint64_t gas, uint64_t fee);

/* --- gas --- */

/*
 * The gas that a batch of so many words and bytes of texts needs at most on an
 * EVM chain, the protected table full. The contract's gas is linear in both;
 * measured: 80k for one word, 26k for each further (contracts/snapshots). A
 * full batch stays below the 2^24 that EIP-7825 allows a transaction.
 */
uint64_t gas_bound(unsigned words, size_t texts);

/*
 * What to sign: estimate * 1.25 (0: not told, the bound), at most the bound
 * doubled `doublings` times (chains whose gas pays for data elsewhere need more
 * than an EVM's), at most the block's gas limit (0: not known).
 */
uint64_t gas_choose(
	uint64_t estimate, uint64_t bound, unsigned doublings, uint64_t block_limit);

#endif
