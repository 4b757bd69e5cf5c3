/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DIFFERENTIAL_CHAIN_H
#define DIFFERENTIAL_CHAIN_H

#include <jansson.h>

#include "base/buffer.h"
#include "ledger/operation.h"
#include "ledger/signer.h"

/*
 * A development chain as this test needs it: blocking JSON-RPC, the block's
 * time given, one transaction a block. Whatever is unexpected ends the program.
 */
void chain_open(const char *url);
void chain_close(void);

/* The result of a call, a new reference; dies on an error object. */
json_t *chain_ask(const char *method, json_t *params);

/* A fresh contract, in a block of that time. */
void chain_deploy(uint8_t contract[ADDRESS20], uint8_t salt[HASH_SIZE],
	const struct ledger_config *config, const uint8_t guardian[ADDRESS20],
	const struct signer *owner, uint32_t time);

/*
 * eth_call as from, as if in a block of that time. True: out holds the result;
 * false: the revert's data.
 */
bool chain_call(struct buffer *out, const uint8_t contract[ADDRESS20],
	const uint8_t from[ADDRESS20], struct view call, uint32_t time);

/*
 * The same as a signed transaction in a block of exactly that time. True: it
 * succeeded, and *receipt (a new reference) is its receipt; false: it reverted.
 */
bool chain_send(json_t **receipt, const uint8_t contract[ADDRESS20],
	const struct signer *signer, struct view call, uint32_t time, bool dynamic);

/* Say what, and end. */
void die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

#endif
