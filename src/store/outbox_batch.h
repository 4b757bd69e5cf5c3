/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_OUTBOX_BATCH_H
#define STORE_OUTBOX_BATCH_H

#include "store/merkle.h"
#include "store/outbox.h"

/*
 * The outbox's rows on their way: batches, and what becomes of them. A batch
 * is one operation on the ledger; its number serves as the ledger's ticket.
 */
#define OUTBOX_BATCH_MAX 256 /* BATCH_MAX of the ledger */

struct outbox_assignment {
	uint64_t ticket;
	uint8_t word[WORD_SIZE]; /* with its action */
};

/*
 * Make a batch of n (1..OUTBOX_BATCH_MAX) waiting rows, entry k at position k,
 * with the words chosen for them. commitment becomes the Merkle root over the
 * evidence leaves of those entries that have evidence, in their order (zero
 * when none has). All or nothing: refused when a row is not waiting, is of
 * another indicator than its word, or the indicator has one in flight.
 * Returns 0, or -1 with a text.
 */
int outbox_assign(struct store *s, const struct outbox_assignment *entries, int n,
	uint64_t now, uint64_t *batch, uint8_t commitment[KECCAK_SIZE],
	struct error *err);

/* The batch is about to be handed to the ledger (again). 0 or -1. */
int outbox_submitted(struct store *s, uint64_t batch, uint64_t now, struct error *err);

/*
 * Read a batch's rows that are in flight, in order, to submit it again. Returns
 * how many of at most max, or -1 with a text (also when the batch is unknown).
 */
int outbox_batch(struct store *s, uint64_t batch, struct outbox_row *rows, int max,
	uint8_t commitment[KECCAK_SIZE], struct error *err);

/* The ledger holds the batch for good, in this block. 0 or -1. */
int outbox_final(
	struct store *s, uint64_t batch, uint64_t block, uint64_t now, struct error *err);

/*
 * The ledger refused the batch for the entry at `position`: that row is
 * refused with this reason, the others wait again. 0 or -1.
 */
int outbox_refused(struct store *s, uint64_t batch, uint16_t position, const char *reason,
	uint64_t now, struct error *err);

/*
 * The batch failed by circumstance, or was refused as a whole (a pause): its
 * rows wait again until retry_at, and keep their words. 0 or -1.
 */
int outbox_failed(struct store *s, uint64_t batch, const char *reason, uint64_t retry_at,
	uint64_t now, struct error *err);

/*
 * Give one open row its fate apart from its batch: OUTBOX_FINAL (it stands on
 * the ledger, or there is nothing left to spend), OUTBOX_REFUSED, or
 * OUTBOX_WAITING (back in the queue, at once). reason may be NULL. A row that
 * is finished already is left as it is. 0 or -1.
 */
int outbox_settle(struct store *s, uint64_t ticket, enum outbox_state fate,
	uint64_t block, const char *reason, uint64_t now, struct error *err);

#endif
