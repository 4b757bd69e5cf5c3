/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LEDGER_LOCAL_H
#define LEDGER_LOCAL_H

#include "ledger/ledger.h"

/*
 * The local ledger: one SQLite file (WAL, STRICT), shared by any number of
 * processes of one machine. Each row is one operation with its chain, the tip
 * before it and its author's signature over
 *
 *   keccak256("SIPchain local operation v1" | 0 | ledger id | row u64 |
 *             author's counter u64 | tip before | operation bytes)
 *
 * (the id is zero for the genesis operation itself), so that nothing can be
 * replayed, reordered or carried to another ledger. The counter is the signing
 * address's own, 1 for its first operation. Readers verify signature, counter,
 * row, tip and rules of every row; at the first row that fails they stop and
 * say so, and what was verified before stays.
 *
 * What the file alone cannot show is that its last rows were cut off: what is
 * left is an older but true ledger. A process that had read them notices.
 * Whoever may write to the file may also destroy it; he cannot make it say
 * what no member signed.
 *
 * Writers ring a bell (a byte written to FILE-bell) after commit; readers
 * watch it with inotify, so that nobody polls. FILE, FILE-wal, FILE-shm and
 * FILE-bell are made with mode 0660 and stay: for daemons of several users,
 * give their directory a common group and the setgid bit.
 *
 * All files are open after local_open() and local_ledger_new(); SQLite needs
 * fcntl() locks, fdatasync(), nanosleep() and the directory (it syncs it once)
 * after that. One thread at a time.
 */
struct local;

/*
 * Make a new file with a genesis operation signed by owner, with a random
 * salt. Refuses to overwrite, or to build on an old FILE-wal. guardian may be
 * all zeros. Returns 0, or -1 with a text and nothing left behind.
 */
int local_create(const char *path, const struct ledger_config *config,
	const uint8_t guardian[ADDRESS20], const struct signer *owner, uint32_t now,
	struct error *err);

/* The same with a given salt: another ledger's history is made again. */
int local_create_salted(const char *path, const struct ledger_config *config,
	const uint8_t guardian[ADDRESS20], const uint8_t salt[HASH_SIZE],
	const struct signer *owner, uint32_t now, struct error *err);

/*
 * Open an existing file and fold it. whole: every operation from genesis;
 * otherwise the members' chain is folded only for the last max_ttl before
 * now (of the longest max_ttl ever configured), after the window proof. NULL
 * with a text.
 */
struct local *local_open(const char *path, bool whole, uint32_t now, struct error *err);
void local_close(struct local *l);

/* The state as of the last read. */
const struct registry *local_registry(const struct local *l);

/*
 * Read, verify and fold what others appended since. event (may be NULL) sees
 * every operation folded by this call; what local_append() folded or wrote in
 * between it does not see (a follower reads only, or is a struct ledger). It
 * must not call back into l. Returns how many, or -1 with a text when a row
 * fails verification (it stays failed) or the file cannot be read (try again).
 */
typedef void local_event_fn(void *context, const struct ledger_event *event);
int local_read(struct local *l, local_event_fn *event, void *context, struct error *err);

/*
 * Append one operation: within one write transaction it reads what is new,
 * fills op->seq, op->time (now, never before the last operation's) and
 * op->actor, checks, signs, writes, commits with synchronous=FULL, rings the
 * bell. Waits up to 5 s for another writer. Returns 0; -1 with *why set when a
 * rule refused it (nothing written); -2 with a text when the file failed
 * (nothing written, as far as the disk says: a later read shows).
 */
int local_append(struct local *l, struct operation *op, const struct signer *signer,
	uint32_t now, struct refusal *why, struct error *err);

/*
 * The tip as the file's last row of a chain gives it, without folding. Returns
 * 0, or -1 with a text.
 */
int local_tip(struct local *l, enum chain chain, struct tip *out, struct error *err);

/*
 * Verify the whole file from genesis with a fresh registry: signatures,
 * counters, tips, rules. Returns the operations verified, or -1 with a text
 * naming the first bad row and what is wrong with it. progress (may be NULL)
 * is called every 1,000 and at the end.
 */
int64_t local_verify(const char *path,
	void (*progress)(void *context, uint64_t done, uint64_t total), void *context,
	struct error *err);

/*
 * Give every operation from genesis to event, each after it has been verified.
 * Returns how many, or -1 with a text at the first row that is not right (the
 * ones before it have been given).
 */
int64_t local_export(
	const char *path, local_event_fn *event, void *context, struct error *err);

/*
 * The same file as a `struct ledger` on a loop. signer may be NULL (a node
 * that only reads); it is not owned. now gives unix seconds for what is
 * appended (NULL: the wall clock). The file is opened here and read from
 * start() on, a few hundred rows a turn of the loop; a submitted batch is
 * appended in one of the next turns, and no callback runs inside a method.
 * What does not verify is told by trouble(), once, and every batch fails from
 * then on. A busy file fails a batch after 1 s. Batches that still wait when it
 * is closed get no fate. NULL with a text.
 */
struct ledger *local_ledger_new(uv_loop_t *loop, const char *path,
	const struct signer *signer, const struct ledger_callbacks *callbacks,
	uint32_t (*now)(void), struct error *err);

#endif
