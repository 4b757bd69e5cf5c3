/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LEDGER_HISTORY_H
#define LEDGER_HISTORY_H

#include "ledger/ledger.h"

/*
 * A history as `sipchain ledger export` writes it: one JSON object a line, with
 * the operation's canonical bytes in hex under "bytes". For who cannot reach the
 * ledger but was given its history: the bytes are folded by the ledger's rules
 * from the genesis on, every "tip_before" must be the tip that the fold has
 * there, and the ledger's id is the genesis'. What a history cannot show is that
 * nothing was added at its end: signatures are not in it.
 */
#define HISTORY_LINE_MAX (1U << 20)

/*
 * Read and fold the file. event (may be NULL) sees every operation after it was
 * folded. Returns the registry, which registry_free() releases, or NULL with a
 * text that names file and line.
 */
struct registry *history_read(const char *path,
	void (*event)(void *context, const struct ledger_event *event), void *context,
	uint64_t *count, struct error *err);

#endif
