/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_ALLOW_RECORD_H
#define STORE_ALLOW_RECORD_H

#include "decide/allowlist.h"
#include "store/store.h"

/*
 * The operator's entries of the allowlist (`sipchain allow add`). Every other
 * origin is found anew at start and is not kept.
 */

/* Add or replace the entry of this indicator. Synced. 0, or -1 with a text. */
int allow_record_put(struct store *s, const struct allow_entry *e, struct error *err);

/* Remove it. Synced. Returns 1, 0 when it was not there, or -1 with a text. */
int allow_record_delete(struct store *s, const struct indicator *i, struct error *err);

/* Remove entries whose expiry is not after now (unix seconds). 0 or -1. */
int allow_record_prune(struct store *s, uint64_t now, struct error *err);

/*
 * Every entry, origin ALLOW_OPERATOR, by indicator; fn must not change the
 * store. Returns how many, or -1 with a text.
 */
typedef void allow_record_fn(void *context, const struct allow_entry *e);
int allow_record_each(
	struct store *s, allow_record_fn *fn, void *context, struct error *err);

#endif
