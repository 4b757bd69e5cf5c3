/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LEDGER_ETHEREUM_SENT_H
#define LEDGER_ETHEREUM_SENT_H

#include "ledger/ethereum/journal.h"

/*
 * The journal's table of this node's own transactions, one row a signed
 * transaction; a raised offer or a re-signing is a further row of the same
 * batch. Every change is synced to the disk before its function returns: what
 * is not here was never sent.
 */
struct sent {
	uint64_t id;              /* row */
	uint64_t ticket;          /* the batch, as its submitter numbers it */
	uint8_t batch[HASH_SIZE]; /* keccak256 of the call data: which batch */
	uint8_t sender[ADDRESS20];
	uint64_t nonce;
	uint8_t hash[HASH_SIZE]; /* the transaction's */
	struct view raw;         /* into the caller's bytes; valid during a callback */
	uint64_t block;          /* settled: the block that holds the batch; 0: open */
	uint64_t settled;        /* that chain time, unix seconds */
	bool told;               /* settled, and its submitter has heard of it */
};

/*
 * Make the table where it is not there yet. Returns 0, or -1 with a text (also
 * for a table of a newer version).
 */
int sent_open(struct journal *j, struct error *err);

/*
 * Write one open row down (id is set) and count its nonce as used, in one.
 * Returns 0 or -1 with a text.
 */
int sent_add(struct journal *j, struct sent *row, struct error *err);

/* Another ticket for the same batch. Returns 0 or -1 with a text. */
int sent_ticket(struct journal *j, const uint8_t batch[HASH_SIZE], uint64_t ticket,
	struct error *err);

/*
 * The batch is on the ledger for good, in that block at that chain time. Its
 * rows stay, so that a submitter that asks again (it was killed before it heard
 * or wrote down the answer) is not served twice. Returns 0 or -1 with a text.
 */
int sent_settle(struct journal *j, const uint8_t batch[HASH_SIZE], uint64_t block,
	uint64_t time, struct error *err);

/* Its submitter was told. Returns 0 or -1 with a text. */
int sent_told(struct journal *j, const uint8_t batch[HASH_SIZE], struct error *err);

/* Forget every row of the batch; its nonces stay used. 0 or -1 with a text. */
int sent_forget(struct journal *j, const uint8_t batch[HASH_SIZE], struct error *err);

/*
 * Every row of a sender, by nonce, then id, to fn, which must not change the
 * table. Returns how many, or -1 with a text: a row whose columns have other
 * sizes than they were written with is an error, not passed over.
 */
typedef void sent_fn(void *context, const struct sent *row);
int sent_each(struct journal *j, const uint8_t sender[ADDRESS20], sent_fn *fn,
	void *context, struct error *err);

/*
 * How many batches that another key than sender's signed are open still; that
 * key's address (one of them) into other. Nobody can sign for it any more. -1
 * with a text.
 */
int sent_strangers(struct journal *j, const uint8_t sender[ADDRESS20],
	uint8_t other[ADDRESS20], struct error *err);

/*
 * The highest nonce ever signed by sender, kept after sent_forget(), into
 * *nonce (-1: none). Returns 0 or -1 with a text.
 */
int sent_nonce(struct journal *j, const uint8_t sender[ADDRESS20], int64_t *nonce,
	struct error *err);

#endif
