/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LEDGER_ETHEREUM_HEX_PIECES_H
#define LEDGER_ETHEREUM_HEX_PIECES_H

#include "base/bytes.h"

/*
 * "0x" and hex digits of either case, decoded as the pieces of a string arrive
 * (base/hex.h decodes what is whole).
 */
struct hex_pieces {
	uint8_t *dst;
	size_t n, max;  /* bytes written, bytes that dst takes */
	uint8_t prefix; /* bytes of "0x" seen */
	uint8_t high;   /* the first digit of a byte begun */
	bool odd;       /* whether there is one */
};

/* Begin anew: at most max bytes go to dst. */
void hex_begin(struct hex_pieces *h, uint8_t *dst, size_t max);

/* Pairs of digits. Returns 0, or -1: no digit, no prefix, too many. */
int hex_feed(struct hex_pieces *h, struct view piece);

/* Returns 0, or -1 when the prefix is incomplete or a digit is left over. */
int hex_end(const struct hex_pieces *h);

/*
 * The same for a quantity (1..16 digits, no leading zero), whose first byte may
 * have one digit: one digit a byte goes to dst, max 16 there.
 */
int hex_feed_quantity(struct hex_pieces *h, struct view piece);

/* Returns 0 with *value, or -1. */
int hex_end_quantity(uint64_t *value, const struct hex_pieces *h);

#endif
