/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_BAN_RECORD_H
#define STORE_BAN_RECORD_H

#include "enforce/ban_table.h"
#include "store/store.h"

/*
 * The bans as ordered to the enforcers, so that a node that was killed knows
 * what may stand in the kernel: a record is put before the order goes out and
 * deleted after the enforcer has acknowledged the deletion (or the ban's end
 * has come). So what stands is always a subset of what is recorded, and
 * ordering every record anew at start makes them equal.
 *
 * By the thousand, put the calls into one STORE_SOON transaction; for a whole
 * ledger, 100,000 a transaction (a million records then take some 10 s, a
 * third of what transactions of 10,000 take).
 */
#define BAN_NOTE 160

/*
 * Add or replace the record of (b->indicator, b->scope): origin, category,
 * deleting, until, since and note (clean text, cut to BAN_NOTE - 1 bytes, may
 * be NULL). Returns 0, or -1 with a text.
 */
int ban_record_put(
	struct store *s, const struct ban *b, const char *note, struct error *err);

/* Remove it; not being there is success. Returns 0, or -1 with a text. */
int ban_record_delete(
	struct store *s, const struct indicator *i, uint8_t scope, struct error *err);

/*
 * Read one; note (may be NULL) has BAN_NOTE bytes. Returns 1, 0 when there is
 * none, or -1 with a text.
 */
int ban_record_get(struct store *s, struct ban *out, char *note,
	const struct indicator *i, uint8_t scope, struct error *err);

/*
 * Every record, by indicator, fit for ban_table_restore(); fn must not change
 * the store. Returns how many, or -1 with a text.
 */
typedef void ban_record_fn(void *context, const struct ban *b, const char *note);
int64_t ban_record_each(
	struct store *s, ban_record_fn *fn, void *context, struct error *err);

/* Remove records whose end is not after now (unix seconds). 0 or -1. */
int ban_record_prune(struct store *s, uint32_t now, struct error *err);

#endif
