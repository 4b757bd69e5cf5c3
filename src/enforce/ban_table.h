/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENFORCE_BAN_TABLE_H
#define ENFORCE_BAN_TABLE_H

#include "base/hash.h"
#include "enforce/ban.h"

/*
 * The bans as they should stand in one enforcer, and how far the enforcer has
 * followed. The kernel is never asked what it holds (listing a set costs
 * O(n^2)): this table knows, because every order went through it. Pure: no
 * I/O, time is an argument.
 */
enum ban_origin {
	BAN_LEARNT = 1,   /* from the ledger */
	BAN_OWN = 2,      /* this node's detection */
	BAN_OPERATOR = 3, /* sipchain ban */
};

enum ban_state {
	BAN_QUEUED = 1,   /* an order waits to be sent */
	BAN_ORDERED = 2,  /* sent, not answered */
	BAN_STANDING = 3, /* the enforcer carried it out */
	BAN_REFUSED = 4,  /* the enforcer would not (allowlist, set full) */
	BAN_KEPT = 5,     /* not of a kind that this enforcer carries: no order */
};

/* The first BAN_KEY_SIZE bytes, indicator and scope, are the key. */
#define BAN_KEY_SIZE (INDICATOR_SIZE + 1)

struct ban {
	struct indicator indicator;
	uint8_t scope;    /* enum ban_scope */
	uint8_t deleting; /* ends as soon as the enforcer has followed */
	uint8_t origin;   /* enum ban_origin */
	uint8_t state;    /* enum ban_state */
	uint8_t waiting;  /* stands in the queue of orders */
	uint8_t category; /* enum category, for people */
	uint32_t until;   /* unix seconds */
	uint32_t since;
};

struct ban_table;

typedef void ban_fn(void *context, const struct ban *b);

/* NULL when memory is short. */
struct ban_table *ban_table_new(struct hash_key key);
void ban_table_free(struct ban_table *t);

/*
 * Bans of these kinds (bits 1 << enum indicator_kind) are kept and never ordered: the
 * firewall carries no numbers. They end without anybody's answer. Before the first.
 */
void ban_table_keep(struct ban_table *t, unsigned kinds);

/* The same for each ban whose indicator the enforcer does not carry. Before the first. */
typedef bool ban_carries_fn(const void *context, const struct indicator *i);
void ban_table_carry(struct ban_table *t, ban_carries_fn *carries, const void *context);

/* Whether a ban of this indicator is one of those. */
bool ban_table_keeps(const struct ban_table *t, const struct indicator *i);

/*
 * A ban shall stand until `until`. Returns true when that is news (and an
 * order is queued); false when it stands so already, or memory is short.
 */
bool ban_table_set(struct ban_table *t, const struct indicator *i, uint8_t scope,
	uint8_t origin, uint8_t category, uint32_t until, uint32_t now);

/* It shall end now. Returns whether it stood (and a deletion is queued). */
bool ban_table_clear(struct ban_table *t, const struct indicator *i, uint8_t scope);

/*
 * A ban found in the store at start: it may stand in the enforcer, or not.
 * Queued as an order like any other.
 */
void ban_table_restore(struct ban_table *t, const struct ban *b);

/* The ban, or NULL (a ban being deleted counts as none). */
const struct ban *ban_table_get(
	const struct ban_table *t, const struct indicator *i, uint8_t scope);

/* The narrowest ban that covers i, or NULL. Looks at the lengths in use alone. */
const struct ban *ban_table_around(
	const struct ban_table *t, const struct indicator *i, uint8_t scope);

/* The ban that covers these digits of a number, the longest first, or NULL. */
const struct ban *ban_table_digits(
	const struct ban_table *t, struct view digits, uint8_t scope);

/* Take up to max queued orders, to be sent now. Returns how many. */
size_t ban_table_take(struct ban_table *t, struct ban_order *orders, size_t max);

/*
 * How far the queue has come: passed() says whether all that was queued when mark()
 * was called has been taken since, or was dropped from the queue.
 */
uint64_t ban_table_mark(const struct ban_table *t);
bool ban_table_passed(const struct ban_table *t, uint64_t mark);

/*
 * The enforcer's answer to one order: carried out, or refused. Returns true
 * when a deletion is complete and the record gone. One that was refused is still
 * to be done: BAN_REFUSED, until _retry() or the end of the ban.
 */
bool ban_table_done(struct ban_table *t, const struct ban_order *order, bool carried_out);

/*
 * The enforcer lost everything (or is a new one): queue every ban again.
 * Deletions stay queued: a new enforcer process finds old kernel sets.
 */
void ban_table_requeue(struct ban_table *t);

/*
 * The enforcer was found to hold this ban as it is: it stands, and is not ordered.
 * Returns false, nothing changed, when it is not to stand, or not until `until`.
 */
bool ban_table_found(
	struct ban_table *t, const struct indicator *i, uint8_t scope, uint32_t until);

/* Queue again what the enforcer refused. Returns how many. */
size_t ban_table_retry(struct ban_table *t);

/* The enforcer was found to hold nothing: all are gone, deletions too. */
void ban_table_drop_all(struct ban_table *t);

/* All shall end now: a deletion of each is queued. */
void ban_table_clear_all(struct ban_table *t);

/*
 * For an enforcer that forgets nothing by itself: queue the deletion of bans whose
 * end has come, with a callback for each. Returns the next end, or 0.
 */
uint32_t ban_table_end(struct ban_table *t, uint32_t now, ban_fn *fn, void *context);

/*
 * Drop bans whose end has come (the kernel's timeout removed them too), with
 * a callback for each; one that is being deleted waits for the enforcer's answer
 * instead, unless that was a refusal (no callback). Returns the next end, or 0 when none is left.
 */
uint32_t ban_table_expire(struct ban_table *t, uint32_t now, ban_fn *fn, void *context);

/* The same of up to so many: an end that is returned may have come already. */
uint32_t ban_table_expire_some(
	struct ban_table *t, uint32_t now, size_t most, ban_fn *fn, void *context);

/* Walk all but those being deleted; the table must not change meanwhile. */
void ban_table_each(const struct ban_table *t, ban_fn *fn, void *context);

/* How many there are in each state, deletions too: out[enum ban_state]. */
void ban_table_tally(const struct ban_table *t, size_t out[BAN_KEPT + 1]);

/* Whether nothing is left, not even a deletion to be answered. */
bool ban_table_empty(const struct ban_table *t);

size_t ban_table_count(const struct ban_table *t);
size_t ban_table_queued(const struct ban_table *t);
size_t ban_table_memory(const struct ban_table *t);

/* --- ban_name.c: words for people --- */

const char *ban_origin_name(uint8_t origin);
const char *ban_scope_name(uint8_t scope);
const char *ban_state_name(uint8_t state);

#endif
