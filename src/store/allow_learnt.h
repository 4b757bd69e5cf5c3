/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_ALLOW_LEARNT_H
#define STORE_ALLOW_LEARNT_H

#include "decide/allowlist.h"
#include "store/store.h"

/*
 * Entries of the allowlist that a PBX's words made (origins ALLOW_REGISTERED and
 * ALLOW_TRUNK), which all expire: kept so that a restart does not leave phones
 * without them until they register again. Not synced: after a power loss they do.
 */

/* Add or replace the entry of this indicator and origin. 0, or -1 with a text. */
int allow_learnt_put(struct store *s, const struct allow_entry *e, struct error *err);

/* Remove it; not being there is success. 0, or -1 with a text. */
int allow_learnt_delete(
	struct store *s, const struct indicator *i, uint8_t origin, struct error *err);

/* Remove entries whose expiry is not after now (unix seconds). 0 or -1. */
int allow_learnt_prune(struct store *s, uint64_t now, struct error *err);

/* Every entry; fn must not change the store. How many, or -1 with a text. */
typedef void allow_learnt_fn(void *context, const struct allow_entry *e);
int allow_learnt_each(
	struct store *s, allow_learnt_fn *fn, void *context, struct error *err);

#endif
