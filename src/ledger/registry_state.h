/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LEDGER_REGISTRY_STATE_H
#define LEDGER_REGISTRY_STATE_H

#include "base/table.h"
#include "ledger/registry.h"

/*
 * The registry's inside, for registry*.c only.
 *
 * Words stand in one dense array; a slot is a place in it. What points at a
 * word:
 *
 *   cells       (cell, member)  -> slot
 *   listed      indicator       -> first slot of a doubly linked list of the
 *                                  words about exactly it, by member and cell
 *   heap        slots, a binary min-heap by expiry; a word knows its place,
 *               so that a refresh moves it: with lazy deletion every refresh
 *               would leave an entry behind for up to max_ttl
 *   objections  slots of objections by indicator, member, cell: those inside
 *               a prefix are one range
 *
 * A hole is filled with the last word, so memory follows the live words.
 */
#define NO_SLOT UINT32_MAX

struct word {
	struct indicator indicator;
	uint8_t category;
	uint8_t proof;
	uint32_t expiry;
	uint32_t cell;
	uint16_t member;
	uint16_t generation;
	uint32_t next, prev; /* slots of the same indicator's words */
	uint32_t heap_at;
};

/* cells: the first 8 bytes are the key (no padding). */
struct cell_record {
	uint32_t cell;
	uint32_t member;
	uint32_t slot; /* NO_SLOT only while a batch is being prepared */
};

/* listed: the indicator is the key. */
struct listed_record {
	struct indicator indicator;
	uint8_t pad[2];
	uint32_t head; /* NO_SLOT only while a batch is being prepared */
};

/* signers: the address is the key. */
struct signer_record {
	uint8_t address[ADDRESS20];
	uint16_t member;
};

/* A member and what only the registry needs to know of it. */
struct seat {
	struct member member;
	uint32_t free_from; /* every cell below it holds a word */
};

struct registry {
	struct hash_key key;

	bool begun; /* the genesis has been folded */
	bool paused;
	bool superseded;
	uint8_t id[HASH_SIZE];
	uint8_t next[HASH_SIZE];
	uint8_t owner[ADDRESS20];
	uint8_t proposed[ADDRESS20]; /* zero: nobody */
	uint8_t guardian[ADDRESS20];
	struct ledger_config config;
	uint32_t longest_ttl;
	struct indicator *protected;
	size_t protected_count;

	struct tip tips[2];
	uint32_t times[2];    /* of each chain's last operation */
	uint32_t blind_until; /* words that lived before it may be unknown */

	struct seat *seats; /* index - 1 */
	uint16_t seat_count;
	size_t seat_capacity;
	struct table *signers;

	struct word *words;
	uint32_t *heap; /* word_count of them */
	uint32_t word_count, word_capacity;
	uint32_t *objections;
	uint32_t objection_count, objection_capacity;
	struct table *cells;
	struct table *listed;
	/* How many listed indicators there are of a kind and length, so that
	 * looking around asks only for lengths in use. */
	uint32_t lengths[INDICATOR_AGENT + 1][129];
};

/* --- registry_index.c --- */

/*
 * Make room for `reports`, the entries of a batch that will be put: after it,
 * no index_put() of them can fail. Returns 0, or -1 leaving all as it was.
 */
int index_reserve(struct registry *r, const struct report *reports, size_t n);

/* Put a word into its cell, over what was there. Reserved before. */
void index_put(struct registry *r, const struct report *report);

/* Forget the word in a slot; the last word moves into the slot. */
void index_drop(struct registry *r, uint32_t slot);

/* Give memory back when little of it is in use. */
void index_shrink(struct registry *r);

/* The slot of a cell, or NO_SLOT. */
uint32_t index_find(const struct registry *r, uint16_t member, uint32_t cell);

/* The first slot about exactly i, or NO_SLOT. */
uint32_t index_head(const struct registry *r, const struct indicator *i);

struct report report_of(const struct word *w);
bool is_objection(const struct word *w);

/* --- registry_order.c: the heap and the objections --- */

void heap_enter(struct registry *r, uint32_t slot); /* a new last entry */
void heap_leave(struct registry *r, uint32_t slot);
void heap_expiry_changed(struct registry *r, uint32_t slot);

void objections_enter(struct registry *r, uint32_t slot);
void objections_leave(struct registry *r, uint32_t slot);
/* The word of slot `from` is now in slot `to` as well: point there. */
void objections_renumber(struct registry *r, uint32_t to);
/* Take out all of a member's, whose words are then dropped one by one. */
void objections_leave_member(struct registry *r, uint16_t member);
/* The range [*first, *end) of objections on i or inside it. */
void objections_inside(const struct registry *r, const struct indicator *i,
	uint32_t *first, uint32_t *end);

/* --- registry_check.c --- */

/* registry_check(), and blind: spends of unknown cells pass, see there. */
int registry_judge(const struct registry *r, const struct operation *op, bool blind,
	struct refusal *why);

/* --- registry.c --- */

struct seat *registry_seat(const struct registry *r, uint16_t member);

/* Live: expiry > now, the member's generation, the member active. */
bool word_live(const struct registry *r, const struct word *w, uint32_t now);

/* Touch i, and for an objection what is listed around it. */
void registry_touch(const struct registry *r, const struct indicator *i, bool objection,
	registry_touch_fn *touch, void *context);

#endif
