/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_DESK_H
#define CLI_DESK_H

#include "cli/choice.h"
#include "cli/exit.h"
#include "ledger/local.h"

/*
 * The one place where both kinds of ledger are opened: the ledger that the
 * command means (choice.h), read and verified, and the key that signs.
 *
 * Some operations carry a whole state (the protected table, the
 * configuration, a member's weight and cap), which is made of the state that
 * was read. So that two of them never overwrite each other's change, a desk
 * that signs on a local ledger holds a lock (flock() of FILE-bell) from before
 * it reads until it is closed, and waits up to DESK_WAIT_MS for another one. A
 * local ledger's writers are of one machine, where that holds for every
 * `sipchain`. Should something else have written administrative operations
 * without the lock, or on a chain at the same time, desk_append() says so.
 */
#define DESK_WAIT_MS  10000
#define DESK_BLOCK_MS 120000 /* for a block to take an operation: --timeout's default */

enum desk_flags {
	DESK_SIGNS = 1,  /* open the key of --key */
	DESK_MEMBER = 2, /* ... or else the configuration's [member] key */
	DESK_TEXTS = 4,  /* keep the published texts of hashed indicators */
	DESK_UNREAD = 8, /* of a chain open no session: the command does, as it needs */
	DESK_SHARED = 16 /* take no lock: what is signed carries no whole state */
};

struct desk {
	struct choice choice;
	struct local *ledger;    /* a local one, without DESK_TEXTS */
	struct reading *reading; /* a local one, with DESK_TEXTS */
	struct session *session; /* of a chain */
	struct signer *signer;   /* NULL: a desk that only reads */
	int lock;                /* descriptor, -1: none */
	unsigned block_ms;       /* to wait for a block at most */

	/* Of desk_submit(): */
	struct session_failure why;
	struct session_cost cost;       /* of a chain */
	struct session_receipt receipt; /* of a chain */
};

/*
 * Open the ledger and, with DESK_SIGNS, the key. Returns 0, or an exit code
 * after having said why (nothing to close then): CONTROL_PERMISSION for a file
 * that this user may not use.
 */
int desk_open(struct desk *d, struct invocation *in, unsigned flags);
void desk_close(struct desk *d);

/* The state as it was read; NULL when it was not. */
const struct registry *desk_registry(const struct desk *d);

/* The published text of a hashed indicator, or NULL; with DESK_TEXTS. */
const char *desk_text(const struct desk *d, const struct indicator *i);

/* Read again what was appended since. Returns 0, or -1 with d->why. */
int desk_read(struct desk *d);

/*
 * Sign op and put it onto the ledger, or with --dry-run ask only whether the
 * ledger would take it. Fills op's seq and time (unless it is not waited for),
 * and d->cost and d->receipt of a chain. wait_ms: for the block. Returns 0, or
 * -1 with d->why and nothing said.
 */
int desk_submit(
	struct desk *d, struct invocation *in, struct operation *op, unsigned wait_ms);

/*
 * desk_submit(), waiting for the block; print "SUBJECT is DONE", or with --json
 * the operation's name, sequence number and member, with the transaction.
 * Returns 0, or an exit code after having said why: CONTROL_PERMISSION when the
 * key is not the owner's (guardian's, proposed owner's); CONTROL_FAILED when an
 * operation came between that op was not made on; else as exit.h says.
 */
int desk_append(struct desk *d, struct invocation *in, struct operation *op,
	const char *subject, const char *done);

/* --timeout in milliseconds. Returns 0, or an exit code after having said why. */
int option_timeout(struct invocation *in, unsigned *ms);

/* --- by kind: desk_local.c, desk_chain.c; in->error or d->why on -1 --- */

int desk_open_local(struct desk *d, struct invocation *in, unsigned flags);
int desk_submit_local(struct desk *d, struct invocation *in, struct operation *op);

/* Returns 0 or -1 with d->why. */
int desk_open_chain(struct desk *d, unsigned flags);
int desk_submit_chain(
	struct desk *d, struct invocation *in, struct operation *op, unsigned wait_ms);

/* --- desk_print.c: what a transaction was and cost --- */

/*
 * With --tx, or always in a script's JSON: the transaction, its block, gas and
 * the explorer's link. Of a local ledger there is nothing to say.
 */
void transaction_print(const struct desk *d, const struct invocation *in);
void transaction_json(const struct desk *d, json_t *out);

/* The verdict of --dry-run: cost, purse; what: "member 1 (a) would be admitted". */
void dry_run_print(const struct desk *d, struct invocation *in, const char *what);

/*
 * CONTROL_PERMISSION after having said so when this user may not use one of
 * the ledger's files; else 0, also for those that are not there.
 */
int ledger_permitted(const char *path);

/* The member of that index or name; NULL with a text. */
const struct member *named_member(
	const struct registry *r, const char *text, struct error *err);

/* "member 3 (bank-a)" into dst. Returns dst. */
#define SUBJECT_TEXT (4 * NAME_MAX_BYTES + 32)
const char *member_subject(char dst[SUBJECT_TEXT], uint16_t index, const char *name);

/* {"seq": ..., "hash": ...} of a chain's tip, a new reference. */
json_t *tip_json(const struct registry *r, enum chain chain);

/*
 * An address (checksum case), a hash (hex without 0x) as a new reference; null
 * for NULL and for all zeros, which stand for nobody and for nothing.
 */
json_t *address_json(const uint8_t *address);
json_t *hash_json(const uint8_t *hash);

#endif
