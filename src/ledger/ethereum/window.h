/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LEDGER_ETHEREUM_WINDOW_H
#define LEDGER_ETHEREUM_WINDOW_H

#include "ledger/ledger.h"

/*
 * The window of a first reading: which block it begins with, and the proof that
 * nothing that may still live was left out. Pure.
 */

/* The first block with timestamp >= since, by bisection. */
struct window_search {
	uint64_t low, high; /* it is in low..high; low == high: found */
	uint32_t since;
};

/* In from..to; to's timestamp is not asked for when one before it will do. */
void window_begin(struct window_search *w, uint32_t since, uint64_t from, uint64_t to);

/* The next block whose timestamp is wanted; false: *number is the first block. */
bool window_next(const struct window_search *w, uint64_t *number);
void window_answer(struct window_search *w, uint64_t timestamp);

/* A little earlier than the longest time to live, for clocks that differ. */
uint32_t window_since(uint32_t now, uint64_t head_timestamp, uint32_t longest);

/*
 * The members' operation just before the window: it must lead to the tip that
 * the window's first event carries, and be older than `since`, as it is the
 * youngest of those that are left out. Returns 0, or -1 with a text.
 */
int window_prove(const struct ledger_event *last, const struct tip *before,
	uint32_t since, struct error *err);

#endif
