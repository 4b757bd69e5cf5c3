/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LEDGER_ETHEREUM_ANSWER_H
#define LEDGER_ETHEREUM_ANSWER_H

#include "base/bytes.h"

/*
 * What a node answers to eth_sendRawTransaction. There is no standard for the
 * texts and the codes are of no use (-32000 for nearly all), so they are judged
 * by one table of the engines' words. No judgement here settles anything: a
 * batch's fate comes from receipts, from a preflight, or from a nonce that is
 * past at a final block.
 *
 * Of several endpoints' answers the highest counts: one that takes the
 * transaction is enough, and one that says why not says more than silence.
 */
enum answer {
	ANSWER_NONE = 0,         /* nobody could be reached, or rate limited */
	ANSWER_OTHER,            /* refused in words we do not know */
	ANSWER_WRONG_CHAIN,      /* another chain id */
	ANSWER_NOT_PERMITTED,    /* the chain's permissioning or the key's refusal */
	ANSWER_POOL_FULL,        /* later */
	ANSWER_NONCE_HIGH,       /* an earlier nonce is missing there */
	ANSWER_TYPE_UNSUPPORTED, /* no type 2 on this chain */
	ANSWER_FEE_CAP,          /* above what the node's operator lets pass */
	ANSWER_GAS_HIGH,         /* does not fit a block */
	ANSWER_GAS_LOW,          /* below the intrinsic gas */
	ANSWER_INSUFFICIENT_FUNDS,
	ANSWER_UNDERPRICED, /* below the node's least price or the base fee */
	ANSWER_REPLACEMENT, /* the same nonce waits there, at too near a price */
	ANSWER_NONCE_LOW,   /* the nonce is used: perhaps by this very one */
	ANSWER_KNOWN,       /* it has these bytes already */
	ANSWER_ACCEPTED,
};

/* Judge the text of an error object (case and surroundings do not count). */
enum answer answer_judge(struct view text);

/* "insufficient funds", ...: for logs and tests. */
const char *answer_name(enum answer a);

#endif
