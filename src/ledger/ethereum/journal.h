/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LEDGER_ETHEREUM_JOURNAL_H
#define LEDGER_ETHEREUM_JOURNAL_H

#include "ledger/ethereum/settings.h"
#include "ledger/ledger.h"

/*
 * What this node has verified of an Ethereum ledger and what it has sent, in
 * one SQLite file (WAL, STRICT), so that a restart, a reorganisation or a
 * provider's absence costs nothing that was once known:
 *
 *   pin     the settings' chain id, genesis, contract, code hash; a file of
 *           another ledger is refused
 *   block   number -> hash of recent canonical blocks, to find where a
 *           reorganisation began
 *   event   every operation since the window's start, both chains, in log
 *           order
 *   state   how far it was read, and the window: the members' tip before the
 *           first kept event, and `since`
 *   sent    transactions of this node's key until they are final (sent.h)
 *
 * Events up to the head are verified; those after it are staged: they follow
 * their chain's tip, but the contract has not yet confirmed where that leads.
 * Staged events are kept over a restart (a long first reading goes on where it
 * stood) and are given to nobody.
 *
 * A change is one transaction of the file. What was read can be read again, so
 * these transactions are not synced; the file stands at synchronous = FULL
 * between them, for sent.c. One process at a time has the file: the role
 * `ledger`; the command line uses a journal in memory (path ":memory:").
 */
struct journal;

/* Blocks whose hashes are kept below the head. */
#define JOURNAL_BLOCKS 4096
/* An event's place: block and log index. More of either is refused. */
#define JOURNAL_BLOCK_MAX ((UINT64_C(1) << 43) - 1)
#define JOURNAL_INDEX_MAX ((UINT32_C(1) << 20) - 1)

/*
 * Open or make (mode 0600). What a cut reading left behind is dropped. NULL
 * with a text (another ledger's file; a newer version's; no such folder).
 */
struct journal *journal_open(const struct ethereum_settings *s, struct error *err);
/* Rolls back what is not committed. NULL is nothing. */
void journal_close(struct journal *j);

/*
 * A long reading is over: give back the memory that it has filled with pages of
 * the file (2 MiB at most). What is asked next comes from the file again.
 */
void journal_release(struct journal *j);

/* Whether the last function that failed did so for the file, not for its argument. */
bool journal_failed(const struct journal *j);

/* --- what it holds --- */

/* The last block whose events are all in and verified. False: none yet. */
bool journal_head(const struct journal *j, uint64_t *number, uint8_t hash[HASH_SIZE]);

/*
 * The block up to which a chain's events are all in, staged ones included;
 * never below the head. False: none yet.
 */
bool journal_reach(const struct journal *j, enum chain chain, uint64_t *number);

/* The kept hash of a block. Returns 0, or -1 when it is not kept. */
int journal_block(struct journal *j, uint64_t number, uint8_t hash[HASH_SIZE]);
/* The highest kept block below number. Returns 0 or -1. */
int journal_block_before(
	struct journal *j, uint64_t number, uint64_t *out, uint8_t hash[HASH_SIZE]);
/* The numbers of the highest kept blocks, descending, into out[max]. How many. */
unsigned journal_blocks(struct journal *j, uint64_t *out, unsigned max);

/*
 * Where the members' chain begins here; *block (may be NULL): where the
 * operation before it stands. False: at its genesis.
 */
bool journal_window(
	const struct journal *j, struct tip *before, uint32_t *since, uint64_t *block);
/* The tip of a chain after all verified events; staged: after all. */
const struct tip *journal_tip(const struct journal *j, enum chain chain);
const struct tip *journal_staged_tip(const struct journal *j, enum chain chain);
/* The longest max_ttl that any administrative event has allowed; 0: none yet. */
uint32_t journal_longest_ttl(const struct journal *j);

/* --- changes: between journal_begin() and journal_commit() --- */

int journal_begin(struct journal *j, struct error *err);
int journal_commit(struct journal *j, struct error *err);
/* All since journal_begin() is as if it had not been. */
void journal_rollback(struct journal *j);

/*
 * The members' chain begins after `before`, whose operation stands in block.
 * Only before its first event. 0 or -1 with a text.
 */
int journal_set_window(struct journal *j, const struct tip *before, uint32_t since,
	uint64_t block, struct error *err);

/*
 * Stage one event, which must follow its chain's staged tip and seq and stand
 * behind that chain's last event. The same event once more (same place, same
 * bytes) is passed over. 0, or -1 with a text and nothing staged.
 */
int journal_event(struct journal *j, const struct ledger_event *event, uint32_t index,
	struct error *err);

/* All events of a chain up to this block are staged. 0 or -1. */
int journal_set_reach(
	struct journal *j, enum chain chain, uint64_t number, struct error *err);

/* All that is staged is verified: number and hash are the head. 0 or -1. */
int journal_set_head(struct journal *j, uint64_t number, const uint8_t hash[HASH_SIZE],
	struct error *err);

/*
 * Forget every block and event >= block: the highest kept block below it is
 * the head then. When none is kept, or the window's start is undone with it,
 * all that was read is forgotten (not what was sent). 0 or -1.
 */
int journal_undo(struct journal *j, uint64_t block, struct error *err);

/* Forget what is staged. Outside of a transaction of its own. 0 or -1. */
int journal_unstage(struct journal *j, struct error *err);
/* Forget what is staged of a chain past its reach (a cut reply). The same. */
int journal_unreach(struct journal *j, struct error *err);

/* --- giving it out --- */

/*
 * Give verified events after *cursor (0: from the first), at most max, in log
 * order, to fn until it returns false; *cursor moves behind the last one given.
 * fn must not change the journal. Returns how many were given; -1 with a text.
 */
typedef bool journal_event_fn(void *context, const struct ledger_event *event);
int journal_next(struct journal *j, uint64_t *cursor, unsigned max, journal_event_fn *fn,
	void *context, struct error *err);

/* The cursor that stands behind every event of blocks < block. */
uint64_t journal_cursor(uint64_t block);

/* All of them. Returns 0 or -1 with a text. */
int journal_replay(
	struct journal *j, journal_event_fn *fn, void *context, struct error *err);

/*
 * Drop members' events of before `since` (unix seconds; the window moves) and
 * of blocks <= final, at most max a call, and hashes of blocks more than
 * JOURNAL_BLOCKS below the head. Outside of a transaction. How many events, -1.
 */
int journal_trim(struct journal *j, uint32_t since, uint64_t final, unsigned max,
	struct error *err);

/* For sent.c: the same file. */
struct sqlite3;
struct sqlite3 *journal_file(struct journal *j);

#endif
