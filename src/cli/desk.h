/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_DESK_H
#define CLI_DESK_H

#include "cli/command.h"
#include "ledger/local.h"

/*
 * Where the owner and the guardian sign: the local ledger, opened, and the
 * key of --key.
 *
 * Some operations carry a whole state (the protected table, the
 * configuration, a member's weight and cap), which is made of the state that
 * was read. So that two of them never overwrite each other's change, a desk
 * that signs holds a lock (flock() of FILE-bell) from before it reads until it
 * is closed, and waits up to DESK_WAIT_MS for another one. A ledger's writers
 * are of one machine, where that holds for every `sipchain`. Should something
 * else have written administrative operations without the lock, desk_append()
 * says so.
 */
#define DESK_WAIT_MS 10000

struct desk {
	struct local *ledger;
	struct signer *signer; /* NULL: a desk that only reads */
	int lock;              /* descriptor, -1: none */
};

/*
 * Open the ledger of --ledger or --config, and the key when the command
 * signs. Returns 0, or an exit code after having said why (nothing to close
 * then): CONTROL_PERMISSION for a file that this user may not use.
 */
int desk_open(struct desk *d, struct invocation *in, bool signs);
void desk_close(struct desk *d);

/*
 * Sign op and append it to the ledger; print "SUBJECT is DONE", or with --json
 * the operation's name, sequence number and member. Returns 0, or an exit code
 * after having said why: CONTROL_PERMISSION when the key is not the owner's
 * (guardian's, proposed owner's); CONTROL_FAILED for any other refusal, and
 * when an operation came between that op was not made on.
 */
int desk_append(struct desk *d, struct invocation *in, struct operation *op,
	const char *subject, const char *done);

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

#endif
