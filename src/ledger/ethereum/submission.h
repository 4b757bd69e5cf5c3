/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LEDGER_ETHEREUM_SUBMISSION_H
#define LEDGER_ETHEREUM_SUBMISSION_H

#include "base/buffer.h"
#include "ledger/ledger.h"

/*
 * A batch as call data: submit(uint16,bytes32,uint256[],bytes). Its hash says
 * which batch it is, over restarts and whatever transaction carries it.
 */
struct submission {
	struct view call;
	uint8_t hash[HASH_SIZE]; /* keccak256 of call */
	uint16_t member;
	unsigned count;
	const uint8_t *words; /* into call */
	size_t texts;         /* bytes */
};

/* Append the batch's call data. Returns 0, or -1 when out fails. */
int submission_encode(struct buffer *out, const struct ledger_batch *batch);

/*
 * Read call data that submission_encode() made, back from the journal. Strict:
 * what encodes otherwise is refused. Returns 0 or -1.
 */
int submission_decode(struct submission *out, struct view call);

/* Whether a word of each is for the same cell. */
bool submission_overlaps(const struct submission *a, const struct submission *b);

#endif
