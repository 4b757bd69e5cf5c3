/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LEDGER_ETHEREUM_ETHEREUM_H
#define LEDGER_ETHEREUM_ETHEREUM_H

#include "ledger/ethereum/settings.h"
#include "ledger/ethereum/witness.h"
#include "ledger/ledger.h"

/*
 * The ledger as a contract on an EVM chain, as a `struct ledger` on a loop.
 *
 * ethereum_ledger_new() opens the journal and begins to follow the chain;
 * start() delivers what the journal holds (also with no endpoint at all: then
 * caught_up() comes from the journal alone, and trouble() says so) and then
 * goes on with the chain. start() may be called again at any time: delivery
 * begins anew from the journal, which costs no request. undo() is called when a
 * reorganisation took delivered events back; the owner calls start() again.
 * caught_up() for the first time on an empty journal comes only when the chain
 * was read to its head.
 *
 * A fate is FATE_FINAL when the transaction's block is final (settings).
 * signer may be NULL (a node that only reads); it is not owned; settings must
 * outlive the ledger. Call http_client_init() first, before the process is
 * sealed. NULL with a text.
 */
struct ledger *ethereum_ledger_new(uv_loop_t *loop, const struct ethereum_settings *s,
	const struct signer *signer, const struct ledger_callbacks *callbacks,
	uint32_t (*now)(void), struct error *err);

/*
 * "https://host (block 1234567), 2 witnesses" into dst, without secrets: what
 * is followed now, for `status`. Returns dst.
 */
char *ethereum_ledger_where(char *dst, size_t size, const struct ledger *l);

/*
 * How far the ledger is, for `status`. final: what counts as final, with how many
 * other endpoints confirm it.
 */
struct ethereum_progress {
	uint64_t head, head_time; /* the newest verified block; 0: none yet */
	struct final_block final;
	unsigned witnesses; /* other endpoints that are usable now */
};
void ethereum_ledger_progress(struct ethereum_progress *out, const struct ledger *l);

#endif
