/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/bytes.h"
#include "base/error.h"

/*
 * The node's own memory: one SQLite file (WAL, STRICT tables, mode 0600) that
 * the role `node` alone opens. The file is held with an exclusive lock while
 * it is open, so that two daemons cannot work off one outbox; the kernel drops
 * the lock with the process, however it ends.
 *
 * Every module of this folder takes a store first; none is for threads. Reads
 * and writes are synchronous and short (microseconds, plus one fsync where
 * STORE_SYNCED is said).
 */
struct store;

/*
 * How much a commit survives. Both survive the death of the process at any
 * moment (the WAL is written to the kernel before a commit returns). The
 * second also survives the machine's: one fsync for each commit.
 *
 * Reports, evidence, the operators' entries and the audit trail are synced:
 * they are few and cannot be had again. Bans, offences and positions are not:
 * they are many, and after a power loss the kernel's sets are gone too, the
 * ledger is read anew, and a log tail reads a few lines twice.
 */
enum durability {
	STORE_SOON = 1,
	STORE_SYNCED = 2,
	/*
	 * For store_begin() around a detection's ban and report: the commit is
	 * written like STORE_SOON, so that the ban waits for no disk, yet calls
	 * that must be synced are let in, because the next synced commit (the
	 * report's own submission) syncs what stands before it in the WAL.
	 */
	STORE_WITH_NEXT = 3,
};

/*
 * Open path, made when it is not there (its directory must be), and bring its
 * tables to this program's version. A mode that lets others read is corrected
 * to 0600. NULL with a text and remedy when the file is another program's,
 * damaged, written by a newer SIPchain, or open in another process.
 */
struct store *store_open(const char *path, struct error *err);

/* Close; an open transaction is rolled back. NULL is allowed. */
void store_close(struct store *s);

/*
 * A transaction over several calls: bans by the thousand, or an evidence
 * record and its report together. Calls that must be synced are refused
 * within a STORE_SOON transaction. Not nested. Return 0, or -1 with a text
 * (a failed commit is rolled back).
 */
int store_begin(struct store *s, enum durability d, struct error *err);
int store_commit(struct store *s, struct error *err);
void store_rollback(struct store *s);

const char *store_path(const struct store *s);

/* Bytes of the database, without its WAL; 0 when it cannot be asked. */
uint64_t store_bytes(struct store *s);

#endif
