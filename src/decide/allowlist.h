/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DECIDE_ALLOWLIST_H
#define DECIDE_ALLOWLIST_H

#include "indicator/indicator.h"

/* Why an entry is on this node's own allowlist. */
enum allow_origin {
	ALLOW_CONFIGURED = 1, /* [allow] in the configuration */
	ALLOW_OPERATOR = 2,   /* sipchain allow add */
	ALLOW_OWN = 3,        /* an address of this machine */
	ALLOW_GATEWAY = 4,
	ALLOW_RESOLVER = 5,
	ALLOW_LEDGER = 6,     /* an endpoint of the ledger */
	ALLOW_REGISTERED = 7, /* a PBX's own phones: registered.h */
	ALLOW_TRUNK = 8,      /* what a PBX identifies by its address alone */
};

struct allow_entry {
	struct indicator indicator;
	uint8_t origin;  /* enum allow_origin */
	uint32_t expiry; /* unix seconds; 0: stays */
	char note[80];   /* clean text */
};

/* A set of intervals; overlap in either direction keeps a ban away. */
struct allowlist;

struct allowlist *allowlist_new(void);
void allowlist_free(struct allowlist *a);

/*
 * Add or replace the entry with this indicator and origin. Returns 0, or -1
 * when memory is short or the indicator's kind or length is none at all.
 */
int allowlist_add(struct allowlist *a, const struct allow_entry *e);

/* Remove the entry; returns whether it was there. */
bool allowlist_remove(struct allowlist *a, const struct indicator *i, uint8_t origin);

/* Remove every entry of an origin (before it is read again). */
void allowlist_clear(struct allowlist *a, uint8_t origin);

/*
 * The entry that i overlaps at now (inside it, around it or equal), or NULL.
 * Of several the widest around i comes first. Valid until the next change.
 */
const struct allow_entry *allowlist_overlap(
	const struct allowlist *a, const struct indicator *i, uint32_t now);

/* The same, as if there were no entry of that origin (0: all count). */
const struct allow_entry *allowlist_overlap_but(const struct allowlist *a,
	const struct indicator *i, uint8_t origin, uint32_t now);

/* The entry with this indicator and origin, live or not, or NULL. */
const struct allow_entry *allowlist_find(
	const struct allowlist *a, const struct indicator *i, uint8_t origin);

/* All entries, sorted by indicator. */
const struct allow_entry *allowlist_entries(const struct allowlist *a, size_t *n);

/* "configured", "operator", "own-address", ...; "?" for anything else. */
const char *allow_origin_name(uint8_t origin);

#endif
