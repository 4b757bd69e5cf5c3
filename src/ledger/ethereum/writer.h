/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LEDGER_ETHEREUM_WRITER_H
#define LEDGER_ETHEREUM_WRITER_H

#include "ledger/ethereum/journal.h"
#include "ledger/ethereum/pool.h"
#include "ledger/signer.h"

/*
 * The one writer of a key: gives nonces, signs, and follows each transaction
 * until its receipt is final. What was signed is in the journal before it is
 * sent (sent.h), so that after a kill the same bytes go out again and nothing
 * twice.
 *
 *   submit -> preflight (eth_call as the sender: a refusal costs nothing and
 *   names entry and reason; with it the estimate) -> sign, journal -> send to
 *   every endpoint -> in a block -> final
 *
 * Not in a block after a while: the same bytes again; then, where fees count, a
 * raised offer with the same nonce. Dropped by a reorganisation: the same bytes
 * again. Its nonce taken by somebody else's transaction: signed anew with the
 * next one, once no block can hold the old. Mined but reverted: once that block
 * is final, preflight says why. A batch whose call data are those of one that
 * is on its way, or was settled in the last hour (handed over again after a
 * restart of the node role), takes that one over.
 *
 * What is decided here is decided by pending.h, which is pure; here is its I/O.
 */
struct writer;

struct writer_callbacks {
	void *context;
	/*
	 * FATE_FINAL: in a block <= final that is canonical. FATE_REFUSED: by the
	 * contract, at a preflight. FATE_FAILED: reverted again and again, or the
	 * node does not say by which rule. FATE_TOO_LARGE: no block holds it. After a restart also for batches that
	 * nobody has submitted since, under their old ticket.
	 */
	void (*fate)(void *context, const struct ledger_fate *fate);
	void (*trouble)(void *context, bool healthy, const char *text);
};

/*
 * now_ms: a monotonic clock, for waiting. Begins to send what the journal
 * holds. journal, pool, signer and settings must outlive it. NULL with a text.
 */
struct writer *writer_open(uv_loop_t *loop, const struct ethereum_settings *s,
	struct journal *journal, struct pool *pool, const struct signer *signer,
	uint64_t (*now_ms)(void), const struct writer_callbacks *callbacks,
	struct error *err);

/*
 * Accepts (a copy), or -1 with a text when the queue is full. No callback runs
 * inside it. The cells of batches on their way must not overlap.
 */
int writer_submit(struct writer *w, const struct ledger_batch *batch, struct error *err);

/*
 * The reader's head after all its events: receipts are asked for, lost ones
 * sent again, and what is in a block <= final and still canonical is told. No
 * callback runs inside it. Nothing is signed before the first head.
 */
void writer_head(struct writer *w, const struct header *head, uint64_t final);

/* How many batches are not settled: for `status`. */
unsigned writer_pending(const struct writer *w);

/*
 * Pending transactions stay in the journal and go on at the next start. To be
 * called before pool_close(); no callback after it. Frees when its handle has
 * closed on the loop. NULL is nothing.
 */
void writer_close(struct writer *w);

/*
 * For tests alone: called between the steps of a batch, so that a process can
 * be killed there: "preflighted", "signed", "journalled", "sent" (the requests
 * are on their way), "answered", "mined", "final" (written down), "told".
 */
extern void (*writer_step)(const char *name);

#endif
