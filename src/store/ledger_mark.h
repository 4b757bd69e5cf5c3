/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_LEDGER_MARK_H
#define STORE_LEDGER_MARK_H

#include "store/outbox.h"

/*
 * Which ledger this store's outbox is for, so that nothing that was decided for
 * one reaches another one by accident when the configuration names another.
 */
#define LEDGER_ID 32

struct ledger_mark {
	uint8_t id[LEDGER_ID];
	bool has_next;
	uint8_t next[LEDGER_ID]; /* the successor that this ledger named */
};

/* Returns 1, 0 when none was set yet, or -1 with a text. */
int ledger_mark_get(struct store *s, struct ledger_mark *out, struct error *err);
/* Synced. Returns 0, or -1 with a text. */
int ledger_mark_put(struct store *s, const struct ledger_mark *mark, struct error *err);

/* What became of the outbox's rows. */
struct ledger_move {
	uint64_t carried; /* waiting and in flight: they wait for the new ledger */
	uint64_t anew;    /* live on the old ledger: they are reported again */
	uint64_t dropped; /* refused, with a text that says why */
};

/*
 * The outbox is for another ledger from now on; its mark is put with it, all or
 * nothing. No row keeps a word, which was of the old ledger's member and cells.
 *
 * succeeds: the old ledger named this one as its successor. Then reports and
 * objections that wait or are in flight wait for the new one, and those that are
 * final there, the last word about their indicator and not over at now, are
 * requested again. Revocations are refused: they were meant for what stands on
 * the old ledger; what they are about is not requested again. Without succeeds
 * everything open is refused.
 *
 * Returns 0, or -1 with a text.
 */
int ledger_mark_move(struct store *s, const struct ledger_mark *mark, bool succeeds,
	uint64_t now, struct ledger_move *out, struct error *err);

#endif
