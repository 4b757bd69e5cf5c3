/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LEDGER_REGISTRY_H
#define LEDGER_REGISTRY_H

#include "base/hash.h"
#include "ledger/operation.h"

/*
 * The registry: the state that folding a ledger gives. Pure: no clock, no
 * I/O. One fold serves every ledger: the local one also asks it before it
 * appends, a reader applies what the ledger accepted.
 *
 * A dead word (expired, spent, of an older generation) has no influence on
 * any rule, so the registry forgets it; its size follows the live reports.
 * The rules and the order in which they are checked: registry_check.c.
 */
struct registry;

enum refusal_code {
	REFUSED_NOT = 0,
	REFUSED_TYPE, /* no such operation */
	REFUSED_NOT_OWNER,
	REFUSED_NOT_GUARDIAN,
	REFUSED_NOT_SIGNER,
	REFUSED_NOT_PROPOSED_OWNER,
	REFUSED_MEMBER_UNKNOWN,
	REFUSED_MEMBER_EXISTS,
	REFUSED_MEMBER_NOT_ACTIVE,
	REFUSED_MEMBER_NOT_SUSPENDED,
	REFUSED_MEMBER_REMOVED,
	REFUSED_GENERATIONS, /* removed 65535 times: take a new index */
	REFUSED_SIGNER_TAKEN,
	REFUSED_SIGNER_UNKNOWN,
	REFUSED_SIGNER_LIMIT,
	REFUSED_ZERO,   /* a signer or successor that is all zeros */
	REFUSED_PAUSED, /* only spends pass while paused */
	REFUSED_NOT_PAUSED,
	REFUSED_SUPERSEDED,
	REFUSED_BATCH_EMPTY,
	REFUSED_BATCH_TOO_LARGE,
	REFUSED_ACTION_UNKNOWN,
	REFUSED_WRONG_MEMBER,
	REFUSED_WRONG_GENERATION,
	REFUSED_CELL_OVER_CAP,
	REFUSED_CELL_LIVE,     /* holds another live indicator; no replace bit */
	REFUSED_CELL_NOT_LIVE, /* spend: nothing live there */
	REFUSED_CELL_MISMATCH, /* spend: another indicator is there */
	REFUSED_INDICATOR,     /* shape or limits */
	REFUSED_UNROUTABLE,    /* conflict names the range */
	REFUSED_EXPIRY_PAST,
	REFUSED_EXPIRY_TOO_FAR,
	REFUSED_CATEGORY,
	REFUSED_PROOF,
	REFUSED_PROTECTED, /* conflict names the table's entry */
	REFUSED_TABLE_UNSORTED,
	REFUSED_TABLE_TOO_LARGE,
	REFUSED_NAME,
	REFUSED_WEIGHT,
	REFUSED_CAP,
	REFUSED_CONFIG,
	REFUSED_GENESIS, /* first operation, and only it */
	REFUSED_SEQUENCE,
	REFUSED_TIME,   /* goes backwards */
	REFUSED_MEMORY, /* no rule: this process is out of memory */
	REFUSED_COUNT
};

struct refusal {
	enum refusal_code code;
	uint32_t entry;            /* of a batch, table or signer list; else 0 */
	struct indicator conflict; /* PROTECTED, UNROUTABLE; kind 0 otherwise */
};

#define REFUSAL_TEXT 200

/* One line for people: entry, reason, remedy. dst[200]. Returns dst. */
char *refusal_print(char *dst, const struct refusal *r);

/* "CellLive", "Protected", ...: also the Ethereum ledger's error names. */
const char *refusal_name(enum refusal_code code);

/*
 * Whether a refusal of this code may carry an entry's number; a conflicting
 * indicator. They are the arguments of the Ethereum ledger's errors.
 */
bool refusal_has_entry(enum refusal_code code);
bool refusal_has_conflict(enum refusal_code code);

enum member_status {
	MEMBER_NONE = 0,
	MEMBER_ACTIVE = 1,
	MEMBER_SUSPENDED = 2,
	MEMBER_REMOVED = 3,
};

struct member {
	uint16_t index;      /* 1.. */
	uint8_t status;      /* enum member_status */
	uint16_t generation; /* 0 at first, + 1 with each removal */
	uint16_t weight;
	uint32_t cap;
	char name[NAME_MAX_BYTES + 1];
	uint8_t signers[SIGNERS_MAX][ADDRESS20];
	uint8_t signer_count;
	uint32_t live; /* words it holds that are not yet forgotten */
};

struct tip {
	uint8_t hash[HASH_SIZE];
	uint64_t seq; /* operations folded so far (or skipped by a window) */
};

/*
 * Called for each indicator whose standing may have changed; NULL means any
 * may have (config, protected table, pause). Called after the change.
 */
typedef void registry_touch_fn(void *context, const struct indicator *i);

/* An empty registry; key is for its hash tables. NULL when memory is short. */
struct registry *registry_new(struct hash_key key);
void registry_free(struct registry *r);

/*
 * Would the ledger accept op now? op->seq, op->time and op->actor are part of
 * the question. Entries of a batch see the entries before them. Returns 0, or
 * -1 with *why.
 */
int registry_check(
	const struct registry *r, const struct operation *op, struct refusal *why);

/*
 * Fold one accepted operation (bytes: its canonical form, hashed into the
 * chain's tip). All or nothing: it is checked first, by the same rules, but
 * for one thing: while op->time is before what registry_window() skipped or
 * registry_expire() forgot could have lived until, a spend of a cell that
 * looks empty is taken as the ledger took it. Words that are dead at a
 * batch's time are forgotten (and touched) with it.
 *
 * touch may be NULL: it sees each indicator of a batch, those that a replace
 * pushed out, and for an objection every listed prefix around it; for
 * MEMBER_SET, REMOVE, SUSPEND and RESUME those of all the member's words; NULL
 * for GENESIS, CONFIG, PROTECT, PAUSE and UNPAUSE. The same indicator may come
 * more than once. It must not change the registry. Returns 0, or -1 with *why
 * and nothing changed.
 */
int registry_apply(struct registry *r, const struct operation *op, struct view bytes,
	registry_touch_fn *touch, void *context, struct refusal *why);

/*
 * Start the members' chain in the middle: a fresh node that folds only what
 * can still live sets the tip before the window's first event. Every skipped
 * operation is older than `since` (unix seconds), which must not be later than
 * now - registry_longest_ttl() of the whole administrative chain. Only after
 * genesis, on a registry that has folded no batch. Returns 0 or -1.
 */
int registry_window(struct registry *r, const struct tip *before, uint32_t since);

/*
 * The longest max_ttl that any configuration folded so far has allowed: no
 * word lives longer. 0 before genesis.
 */
uint32_t registry_longest_ttl(const struct registry *r);

/*
 * Forget every word with expiry <= now and touch its indicator (and the
 * listed prefixes around it, for an objection). A ledger that asks this
 * registry before it appends must not call it with a time past the next
 * operation's: it would take cells for free that readers still see live.
 */
void registry_expire(
	struct registry *r, uint32_t now, registry_touch_fn *touch, void *context);

/* The next expiry, or 0 when no word is held. */
uint32_t registry_next_expiry(const struct registry *r);

/* --- asking --- */

const struct ledger_config *registry_config(const struct registry *r);
const struct tip *registry_tip(const struct registry *r, enum chain chain);
const uint8_t *registry_id(const struct registry *r); /* 32 bytes; zero before genesis */
const uint8_t *registry_owner(const struct registry *r);    /* 20 bytes */
const uint8_t *registry_guardian(const struct registry *r); /* 20 bytes */
/* The address that may accept the ownership, or NULL. */
const uint8_t *registry_proposed_owner(const struct registry *r);
bool registry_paused(const struct registry *r);
/* The successor's id, or NULL. */
const uint8_t *registry_superseded(const struct registry *r);

/*
 * Member by index (1..), NULL when never added; valid until the next change.
 * registry_members: how many were ever added, which is the last index.
 */
const struct member *registry_member(const struct registry *r, uint16_t index);
uint16_t registry_members(const struct registry *r);
const struct member *registry_member_by_signer(
	const struct registry *r, const uint8_t address[ADDRESS20]);

/* The protected table, sorted; valid until the next PROTECT. *n entries. */
const struct indicator *registry_protected(const struct registry *r, size_t *n);
/* The (first) entry that i overlaps, either way round, or NULL. */
const struct indicator *registry_protected_overlap(
	const struct registry *r, const struct indicator *i);

/*
 * The live words about exactly i (reports and objections) and the live
 * objections about anything inside i, at `now`, into out[max], ordered by
 * member then cell. Returns how many there are; when that exceeds max, which
 * of them stand in out is unspecified. Words of suspended members are not
 * live.
 */
size_t registry_words(const struct registry *r, const struct indicator *i, uint32_t now,
	struct report *out, size_t max);

/*
 * The sum of DESIGN section 6 over distinct members: weights of live reports
 * on i less weights of live objections on i or inside it.
 */
int64_t registry_support(
	const struct registry *r, const struct indicator *i, uint32_t now);

/*
 * Listed indicators (a word about them is held) that contain i: i itself, if
 * listed, first, the widest last. Returns how many were put into out[max];
 * there are never more than 129.
 */
size_t registry_around(const struct registry *r, const struct indicator *i,
	struct indicator *out, size_t max);

/*
 * Walk live words, in no order, until fn returns false. The registry must not
 * change meanwhile.
 */
typedef bool registry_word_fn(void *context, const struct report *word);
void registry_each(
	const struct registry *r, uint32_t now, registry_word_fn *fn, void *context);

/*
 * Listed indicators (a word about them is held, live or not) that follow `after` (NULL:
 * from the first on) into out[max], each once, in an order of this registry's own.
 * Returns how many; fewer than max: there are no more. The cost is that of what is
 * given. What comes and goes moves nothing else in that order, and `after` need not be
 * listed (any more); so whoever goes on after the last one has seen at the end
 * whatever was listed all the while, and nothing twice.
 */
size_t registry_after(const struct registry *r, const struct indicator *after,
	struct indicator *out, size_t max);

/*
 * The name of that order. It is another under another hash key: where names differ,
 * one registry's `after` says nothing to the other.
 */
uint32_t registry_order(const struct registry *r);

/*
 * Whether there is a live word about exactly i of this category (0: of any but
 * CATEGORY_OBJECTION).
 */
bool registry_listed(const struct registry *r, const struct indicator *i,
	uint8_t category, uint32_t now);

/*
 * The cell in which member should put i: its live cell with that indicator
 * (the lowest, should there be several), else the lowest free cell; *action
 * is ACTION_REPORT. With every cell live: the cell that expires first, the
 * lowest of those, and ACTION_REPLACE. Cells in avoid[avoid_count] (those
 * which the batch being built has already used) are passed over. Returns 0,
 * or -1 when the member is unknown or removed or no cell is left.
 */
int registry_choose_cell(const struct registry *r, uint16_t member,
	const struct indicator *i, uint32_t now, const uint32_t *avoid,
	size_t avoid_count, uint32_t *cell, uint8_t *action);

/*
 * The live word that this member holds about exactly i into *out, and 0; -1
 * when there is none. Of several that in the lowest cell.
 */
int registry_own_word(const struct registry *r, uint16_t member,
	const struct indicator *i, uint32_t now, struct report *out);

/* The live word in a cell into *out, and 0; -1 when there is none. */
int registry_cell(const struct registry *r, uint16_t member, uint32_t cell, uint32_t now,
	struct report *out);

/* Words held (not yet forgotten) and bytes used, for `status`. */
size_t registry_live_count(const struct registry *r);
size_t registry_memory(const struct registry *r);

#endif
