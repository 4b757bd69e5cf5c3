/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_ETHEREUM_FAKE_CHAIN_H
#define TESTS_ETHEREUM_FAKE_CHAIN_H

#include <jansson.h>
#include <pthread.h>

#include "server.h"

#include "ledger/ethereum/abi.h"
#include "ledger/ethereum/transaction.h"

/*
 * A chain of one account's transactions behind JSON-RPC: blocks are made when
 * the test says so, with the pool's transactions in the order of nonces. It
 * accepts whatever is signed well; the faults are the test's.
 */
#define CHAIN_BLOCKS 256
#define CHAIN_SENT   128

struct chain_transaction {
	uint8_t hash[HASH_SIZE], sender[ADDRESS20];
	uint8_t batch[HASH_SIZE]; /* keccak256 of its data */
	uint64_t nonce, max_fee, gas;
	bool dynamic;
	uint64_t block; /* 0: in the pool */
	bool reverts, dropped;
	unsigned seen; /* how often these bytes came */
};

struct fake_chain {
	struct server *server;
	pthread_mutex_t lock;

	struct chain_transaction sent[CHAIN_SENT];
	unsigned sent_count;
	uint64_t head;
	uint8_t fork[CHAIN_BLOCKS];    /* part of a block's hash */
	uint64_t nonces[CHAIN_BLOCKS]; /* the account's count after the block */
	uint64_t base_fee;
	bool legacy; /* no base fee in headers */

	/* Faults. */
	bool no_pending, no_estimate, forgets_receipts, down;
	bool answers_and_loses;    /* takes a transaction and drops it */
	bool reverts;              /* what is mined */
	bool says_reverted;        /* receipts lie */
	uint64_t forges;           /* receipts of a success in this block, for all */
	uint64_t ahead;            /* counts of nonces lie by so many */
	unsigned limited;          /* so many requests: 429 */
	const char *send_error;    /* what a sending is answered with, while set */
	unsigned send_errors;      /* so often */
	char preflight_error[300]; /* the data of a revert, "0x..", while set */

	unsigned sendings, preflights, at_pending;
};

struct fake_chain *chain_start(void);
void chain_stop(struct fake_chain *c);
/* "http://127.0.0.1:PORT" into dst[64]. */
char *chain_url(char *dst, const struct fake_chain *c);

/* One more block, with what the pool holds. */
void chain_mine(struct fake_chain *c);
/* The last n blocks are replaced by as many empty ones; keep: what was in them
 * goes back into the pool, else it is forgotten. */
void chain_reorganise(struct fake_chain *c, unsigned n, bool keep);
/* Somebody else's transaction takes the next nonce in a block of its own. */
void chain_steal(struct fake_chain *c);
/* How many transactions with these call data are in blocks and succeeded. */
unsigned chain_holds(struct fake_chain *c, const uint8_t batch[HASH_SIZE]);
/* A block's hash; locked. */
void chain_hash(const struct fake_chain *c, uint8_t hash[HASH_SIZE], uint64_t number);
/* Locked reading of a counter. */
unsigned chain_read(struct fake_chain *c, const unsigned *counter);
void chain_lock(struct fake_chain *c);
void chain_unlock(struct fake_chain *c);

#endif
