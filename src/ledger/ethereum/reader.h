/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LEDGER_ETHEREUM_READER_H
#define LEDGER_ETHEREUM_READER_H

#include "ledger/ethereum/journal.h"
#include "ledger/ethereum/pool.h"

/*
 * Reads the contract's events from the followed endpoint into the journal, in
 * the order that loses nothing (DESIGN section 6): subscribe and wait for the
 * id (or poll), take the head, see by parent hashes whether what was processed
 * is still canonical, fetch the logs since then in ranges that the provider
 * allows, see that they follow the tips, compare the tips with the contract's
 * at that block (eth_call, eth_getProof against the state root where it is
 * served), see that the head is still canonical and that the witnesses do not
 * say otherwise, and only then commit. What a socket tells is only a reason to
 * look; none of it is believed.
 *
 * Events are not given here: the owner reads them from the journal.
 */
struct log_reader;

struct reader_callbacks {
	void *context;
	/*
	 * The journal's head has moved, or the final block: everything up to this
	 * block is verified and committed. final: highest final block number.
	 * newest: it is the endpoint's newest block; else more follows at once.
	 */
	void (*head)(
		void *context, const struct header *head, uint64_t final, bool newest);
	/*
	 * A reorganisation: every event of a block >= `block` is no longer in the
	 * journal. Before head(), which follows at once.
	 */
	void (*undo)(void *context, uint64_t block);
	void (*trouble)(void *context, bool healthy, const char *text);
};

/*
 * Begins when the pool follows somebody (reader_follow()). now gives unix
 * seconds (the window of a first reading). journal and pool must outlive it.
 * NULL with a text.
 */
struct log_reader *reader_open(uv_loop_t *loop, const struct ethereum_settings *s,
	struct journal *journal, struct pool *pool, uint32_t (*now)(void),
	const struct reader_callbacks *callbacks, struct error *err);

/*
 * To be called before pool_close(); no callback after it. Frees when its
 * handles have closed on the loop. NULL is nothing.
 */
void reader_close(struct log_reader *r);

/* Another endpoint is followed (NULL: none): start over from the journal's head. */
void reader_follow(struct log_reader *r, struct rpc *rpc);

/*
 * What counts as final now; witnesses: other endpoints that confirm it, by their
 * tag or, by depth, by the block that is so far above it.
 */
struct final_block reader_final(const struct log_reader *r);

/*
 * For tests alone: called between the steps of a reading, so that a process can
 * be killed there: "head", "logs", "staged", "verified", "committed".
 */
extern void (*reader_step)(const char *name);

#endif
