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
	uint64_t paid;         /* what this key offered for its last final transaction; 0:
				  not known */
};

/*
 * Quotes are only what somebody says. Where the operator set no max_fee a gas
 * is never paid with more than FEE_LIMIT, nor with more than FEE_TIMES_PAID
 * times what this key last offered (but for the first FEE_LEAST), and the
 * priority fee is cut to the base fee or to FEE_PRIORITY, whichever is higher.
 */
#define FEE_GWEI       UINT64_C(1000000000)
#define FEE_LIMIT      (100 * FEE_GWEI)
#define FEE_PRIORITY   (3 * FEE_GWEI)
#define FEE_LEAST      (1 * FEE_GWEI)
#define FEE_TIMES_PAID 10

/* What is offered a gas at most: settings->max_fee, or what stands for it. Wei. */
uint64_t fee_limit(const struct fee_quotes *quotes, const struct ethereum_settings *s);

/* Whether fee_choose() cuts the quoted priority fee, as it is not to be believed. */
bool fee_cuts_priority(const struct header *head, const struct fee_quotes *quotes,
	const struct ethereum_settings *s);

/*
 * What a base fee is believed to be at most, `blocks` after one of `before`: a
 * block raises it by an eighth at most (EIP-1559), and the first FEE_LEAST is
 * let through (chains with a floor of their own). Wei.
 */
uint64_t fee_base_bound(uint64_t before, uint64_t blocks);

/*
 * The max_fee to pin where the chain asks `asked` wei a gas now: ten times as
 * much, in whole gwei, at least one. 0 when that is more than FEE_LIMIT, which
 * is for a person to say.
 */
uint64_t fee_pin(uint64_t asked);

/*
 * Fill t's dynamic, max_fee and priority_fee. max_fee is cut to fee_limit()
 * where that still pays the next block. Returns 0; -1 when the chain now asks
 * more than that (the text says both figures in gwei and names the setting).
 */
int fee_choose(struct transaction *t, const struct header *head,
	const struct fee_quotes *quotes, const struct ethereum_settings *s,
	struct error *err);

/*
 * The next offer for a transaction that waits too long: both fields at least
 * 12.5 % up (nodes ask for 10, and for more than before), never below what
 * fee_choose() would take now, never above fee_limit(). t->dynamic stays.
 * Returns 0; 1 when there is nothing to raise (zero fees), 2 when the limit
 * leaves no room for a raise that nodes would take. t is unchanged then.
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
 * How many of a batch's words surely fit a block: the most, fewer than `words`,
 * whose bound with their share of the texts is within block_limit; at least 1.
 */
unsigned gas_words(unsigned words, size_t texts, uint64_t block_limit);

/* About what one report costs in a batch of 100: in a new cell, in a used one. */
#define GAS_REPORT_NEW    25000
#define GAS_REPORT_REUSED 8000

/*
 * What to sign: estimate * 1.25 (0: not told, the bound), at most the bound
 * doubled `doublings` times (chains whose gas pays for data elsewhere need more
 * than an EVM's), at most the block's gas limit (0: not known).
 */
uint64_t gas_choose(
	uint64_t estimate, uint64_t bound, unsigned doublings, uint64_t block_limit);

#endif
