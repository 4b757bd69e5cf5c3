/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LEDGER_REGISTRY_STATE_H
#define LEDGER_REGISTRY_STATE_H

#include "base/buckets.h"
#include "base/table.h"
#include "ledger/registry.h"

/*
 * The registry's inside, for registry*.c only.
 *
 * Words stand in one dense array; a slot is a place in it. What points at a
 * word:
 *
 *   by_cell       buckets of (cell, member), chained through cell_next. A chain
 *                 is short: no two words have the same key
 *   by_indicator  buckets of indicators, chained both ways through next and
 *                 prev. All words about an indicator stand in one bucket, in no
 *                 order and among others: however many of its cells a member
 *                 spends on one indicator, putting and dropping a word costs
 *                 the same
 *   heap          slots, a binary min-heap by expiry; a word knows its place,
 *                 so that a refresh moves it: with lazy deletion every refresh
 *                 would leave an entry behind for up to max_ttl
 *   objections    slots of objections by indicator, member, cell: those inside
 *                 a prefix are one range
 *
 * A hole is filled with the last word, so memory follows the live words: 48
 * bytes each and 5.3 to 8 of buckets, and up to a 16th of the 48 in reserve.
 */
#define NO_SLOT BUCKET_END

/*
 * A word's generation is its member's: what has an older one was forgotten when
 * the member was removed.
 */
struct word {
	struct indicator indicator;
	uint16_t member;
	uint32_t cell : 24;
	uint32_t category : 4; /* CATEGORY_OBJECTION as NARROW_OBJECTION */
	uint32_t proof : 4;
	uint32_t expiry;
	uint32_t next, prev; /* slots of the same bucket of by_indicator */
	uint32_t cell_next;  /* of by_cell */
	uint32_t heap_at;
};

#define NARROW_OBJECTION 15
_Static_assert(sizeof(struct word) == 44, "a million of them are held");
_Static_assert(
	PROOF_COUNT <= 16 && CATEGORY_OTHER < NARROW_OBJECTION, "4 bits each in a word");

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
	struct buckets by_cell;
	struct buckets by_indicator;
	/* How many words there are of a kind and length, so that looking around
	 * asks only for lengths in use. */
	uint32_t lengths[INDICATOR_AGENT + 1][129];
};

/* --- registry_index.c --- */

/*
 * Make room for so many more words: after it, no index_put() of them can fail.
 * Returns 0, or -1 leaving all words as they were.
 */
int index_reserve(struct registry *r, size_t more);

/*
 * The entries of a batch (at most BATCH_MAX) are about to be looked up: fetch
 * what they will meet. Only of effect on the time that takes.
 */
void index_expect(const struct registry *r, const struct operation *batch);

/*
 * Put a word into its cell, over what is there: link is index_link()'s answer.
 * Reserved before. Returns the slot that it has now.
 */
uint32_t index_put(struct registry *r, const struct report *report, uint32_t *link);

/* Forget the word in a slot; the last word moves into the slot. */
void index_drop(struct registry *r, uint32_t slot);

/* Give memory back when little of it is in use. */
void index_shrink(struct registry *r);

/*
 * The slot of a cell, or NO_SLOT; and what holds that slot, or the end of the
 * chain where it would stand: valid until the next change.
 */
uint32_t *index_link(const struct registry *r, uint16_t member, uint32_t cell);
uint32_t index_find(const struct registry *r, uint16_t member, uint32_t cell);

/* A slot about exactly i, and the next one about the same; NO_SLOT: no more. */
uint32_t index_about(const struct registry *r, const struct indicator *i);
uint32_t index_next(const struct registry *r, uint32_t slot);

struct report report_of(const struct registry *r, const struct word *w);
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

/* Live: expiry > now, the member active. */
bool word_live(const struct registry *r, const struct word *w, uint32_t now);

/* Touch i, and for an objection what is listed around it. */
void registry_touch(const struct registry *r, const struct indicator *i, bool objection,
	registry_touch_fn *touch, void *context);

#endif
