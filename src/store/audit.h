/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_AUDIT_H
#define STORE_AUDIT_H

#include <sys/types.h>

#include "store/store.h"

/* Who did what when: operators' commands, and changes this node made itself. */
#define AUDIT_NODE ((uid_t)-1) /* the node itself, no person */

struct audit_entry {
	uint64_t id;
	uint64_t time;     /* unix seconds */
	uid_t uid;         /* of the peer on the control socket, or AUDIT_NODE */
	char action[32];   /* "ban", "allow-add", "member-remove", ... */
	char subject[256]; /* an indicator or name, in clean text */
	char detail[512];
};

/*
 * Append; e->id is ignored. Texts are cut to their fields. Synced. Returns 0,
 * or -1 with a text.
 */
int audit_add(struct store *s, const struct audit_entry *e, struct error *err);

/*
 * Entries with an id below `before` (0: from the newest), newest first, at most
 * max; fn must not change the store. Returns how many, or -1 with a text.
 */
typedef void audit_fn(void *context, const struct audit_entry *e);
int audit_each(struct store *s, uint64_t before, int max, audit_fn *fn, void *context,
	struct error *err);

/*
 * Keep at most the `most` newest entries, and none of before `before` (unix
 * seconds). Returns 0, or -1 with a text.
 */
int audit_prune(struct store *s, uint64_t most, uint64_t before, struct error *err);

#endif
