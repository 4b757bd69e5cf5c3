/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules of the ledger, in the order in which they are checked. Every
 * ledger checks them in this order, so that the same operation is refused for
 * the same reason everywhere.
 *
 * Every operation:
 *   Type, Genesis (the first operation, and only it, is one), Sequence, Time
 *   (a ledger that gives numbers and times itself, as a chain does, cannot
 *   meet the last two).
 *
 * BATCH:
 *   NotSigner        the actor is not a signer of op->member
 *   MemberNotActive
 *   BatchEmpty, BatchTooLarge
 *   then for each entry, which sees the entries before it:
 *     ActionUnknown
 *     Paused, Superseded     unless it is a spend
 *     WrongMember, WrongGeneration
 *     a spend:
 *       CellNotLive          the cell holds no live word
 *       CellMismatch         it holds another indicator
 *       (cap, expiry, category, proof and the indicator's shape are not
 *       asked: a word that stands may be spent, whatever has changed since)
 *     a report or replace:
 *       CellOverCap
 *       Category             1 to 8 or 255
 *       Proof                below PROOF_COUNT
 *       ExpiryPast           expiry <= time
 *       ExpiryTooFar         expiry > time + max_ttl
 *       Indicator            shape, then the configuration's lengths
 *       Unroutable           unless the configuration allows it
 *       Protected            overlaps the table, either way round; objections
 *                            too
 *       CellLive             the cell holds another live indicator, and this
 *                            is no replace
 *   A word is live while expiry > time and the cell's member, whose the batch
 *   is, has the word's generation.
 *   (A fold that is blind, because a window or a clock that ran ahead left
 *   words out, lets CellNotLive pass: the ledger knew better. No ledger is.)
 *
 * GENESIS            Zero (owner), Config
 * MEMBER_ADD         NotOwner, MemberUnknown (index 0 or past last + 1),
 *                    MemberExists (not removed), Generations, Name, Weight,
 *                    Cap, SignerLimit, then for each signer Zero, SignerTaken
 * MEMBER_SET         NotOwner, MemberUnknown, MemberRemoved, Weight, Cap
 * MEMBER_REMOVE      NotOwner, MemberUnknown, MemberRemoved
 * MEMBER_SUSPEND     NotGuardian (owner or guardian), MemberUnknown,
 *                    MemberNotActive
 * MEMBER_RESUME      NotOwner, MemberUnknown, MemberNotSuspended
 * SIGNER_ADD         NotOwner, MemberUnknown, MemberRemoved, Zero,
 *                    SignerTaken, SignerLimit
 * SIGNER_REMOVE      NotOwner, MemberUnknown, SignerUnknown
 * PROTECT            NotOwner, TableTooLarge, then for each entry Indicator
 *                    (shape only), TableUnsorted (not after, or overlapping,
 *                    the one before)
 * CONFIG             NotOwner, Config
 * GUARDIAN           NotOwner (zero: no guardian)
 * OWNER_PROPOSE      NotOwner (zero: takes the proposal back)
 * OWNER_ACCEPT       NotProposedOwner
 * PAUSE              NotGuardian, Paused
 * UNPAUSE            NotOwner, NotPaused
 * SUPERSEDE          NotOwner, Zero, Superseded
 *
 * Config: min_v4 8..32, min_v6 16..128, min_e164 1..15, max_ttl 1 s .. 366
 * days, threshold >= 1. Name: 1..64 bytes of UTF-8 without control
 * characters. Weight: >= 1. Cap: 1..2^24.
 */
#include "base/escape.h"
#include "indicator/unroutable.h"
#include "ledger/registry_state.h"

#define MAX_TTL_LIMIT   (366U * 86400)
#define CAP_LIMIT       (UINT32_C(1) << 24)
#define GENERATION_LAST UINT16_MAX

static int refuse(struct refusal *why, enum refusal_code code)
{
	*why = (struct refusal){.code = code};
	return -1;
}

static int refuse_at(struct refusal *why, enum refusal_code code, uint32_t entry)
{
	*why = (struct refusal){.code = code, .entry = entry};
	return -1;
}

static int refuse_conflict(struct refusal *why, enum refusal_code code, uint32_t entry,
	const struct indicator *conflict)
{
	*why = (struct refusal){code, entry, *conflict};
	return -1;
}

/* The zero address stands for nobody: it is nobody's actor. */
static bool acts_as(const struct operation *op, const uint8_t address[ADDRESS20])
{
	return !memcmp(op->actor, address, ADDRESS20) && !bytes_zero(address, ADDRESS20);
}

/*
 * The entries of a batch that were checked, by cell: a table of twice as many
 * places as there can be entries, probed onwards. A search through all of them
 * for each would be most of what a fold costs.
 */
#define PLACES (2 * BATCH_MAX)

struct entries {
	const struct operation *op;
	uint16_t last[PLACES]; /* 1 + the last entry about a cell; 0: none */
};

static uint32_t cell_of(const struct operation *op, uint32_t k)
{
	const uint8_t *w = op->words + (size_t)k * WORD_SIZE;

	return (uint32_t)w[26] << 16 | be16_load(w + 27);
}

/* The place of a cell: that of its last entry, or an empty one. */
static uint16_t *place_of(struct entries *e, uint32_t cell)
{
	uint32_t at = cell % PLACES;

	while (e->last[at] && cell_of(e->op, e->last[at] - 1U) != cell)
		at = (at + 1) % PLACES;
	return &e->last[at];
}

/*
 * The word that a cell holds before an entry of a batch, live at the batch's
 * time: what an earlier entry has left there, else what the registry knows.
 */
static bool cell_before(const struct registry *r, struct entries *earlier, uint32_t cell,
	struct report *held)
{
	const struct operation *op = earlier->op;
	uint16_t last = *place_of(earlier, cell);
	uint32_t slot;

	if (last) {
		word_decode(held, op->words + (last - 1U) * (size_t)WORD_SIZE);
		return held->action != ACTION_SPEND;
	}
	slot = index_find(r, op->member, cell);
	if (slot == NO_SLOT || !word_live(r, &r->words[slot], op->time))
		return false;
	*held = report_of(r, &r->words[slot]);
	return true;
}

static bool same(const struct indicator *a, const struct indicator *b)
{
	return !memcmp(a, b, sizeof *a);
}

static int check_spend(const struct registry *r, struct entries *earlier, uint32_t k,
	const struct report *e, bool blind, struct refusal *why)
{
	struct report held;

	if (!cell_before(r, earlier, e->cell, &held))
		return blind ? 0 : refuse_at(why, REFUSED_CELL_NOT_LIVE, k);
	if (!same(&held.indicator, &e->indicator))
		return refuse_at(why, REFUSED_CELL_MISMATCH, k);
	return 0;
}

static int check_report(const struct registry *r, struct entries *earlier, uint32_t k,
	const struct report *e, struct refusal *why)
{
	const struct operation *op = earlier->op;
	struct indicator_limits limits = r->config.limits;
	const struct indicator *protected;
	const struct unroutable *range;
	struct report held;

	if (e->cell >= registry_seat(r, op->member)->member.cap)
		return refuse_at(why, REFUSED_CELL_OVER_CAP, k);
	if ((e->category < CATEGORY_SCAN || e->category > CATEGORY_OTHER) &&
		e->category != CATEGORY_OBJECTION)
		return refuse_at(why, REFUSED_CATEGORY, k);
	if (e->proof >= PROOF_COUNT)
		return refuse_at(why, REFUSED_PROOF, k);
	if (e->expiry <= op->time)
		return refuse_at(why, REFUSED_EXPIRY_PAST, k);
	if (e->expiry - op->time > r->config.max_ttl)
		return refuse_at(why, REFUSED_EXPIRY_TOO_FAR, k);
	limits.allow_unroutable = true;
	if (indicator_check(&e->indicator, &limits, NULL))
		return refuse_at(why, REFUSED_INDICATOR, k);
	range = r->config.limits.allow_unroutable ? NULL : unroutable_find(&e->indicator);
	if (range)
		return refuse_conflict(why, REFUSED_UNROUTABLE, k, &range->range);
	protected = registry_protected_overlap(r, &e->indicator);
	if (protected)
		return refuse_conflict(why, REFUSED_PROTECTED, k, protected);
	if (e->action != ACTION_REPLACE && cell_before(r, earlier, e->cell, &held) &&
		!same(&held.indicator, &e->indicator))
		return refuse_at(why, REFUSED_CELL_LIVE, k);
	return 0;
}

static int check_entry(const struct registry *r, struct entries *earlier, uint32_t k,
	bool blind, struct refusal *why)
{
	const struct operation *op = earlier->op;
	struct report e;

	word_decode(&e, op->words + (size_t)k * WORD_SIZE);
	if (e.action > ACTION_SPEND)
		return refuse_at(why, REFUSED_ACTION_UNKNOWN, k);
	if (e.action != ACTION_SPEND) {
		if (r->paused)
			return refuse_at(why, REFUSED_PAUSED, k);
		if (r->superseded)
			return refuse_at(why, REFUSED_SUPERSEDED, k);
	}
	if (e.member != op->member)
		return refuse_at(why, REFUSED_WRONG_MEMBER, k);
	if (e.generation != registry_seat(r, op->member)->member.generation)
		return refuse_at(why, REFUSED_WRONG_GENERATION, k);
	if (e.action == ACTION_SPEND)
		return check_spend(r, earlier, k, &e, blind, why);
	return check_report(r, earlier, k, &e, why);
}

static int check_batch(const struct registry *r, const struct operation *op, bool blind,
	struct refusal *why)
{
	const struct member *m = registry_member_by_signer(r, op->actor);
	struct entries entries = {.op = op};

	if (!m || m->index != op->member)
		return refuse(why, REFUSED_NOT_SIGNER);
	if (m->status != MEMBER_ACTIVE)
		return refuse(why, REFUSED_MEMBER_NOT_ACTIVE);
	if (!op->count)
		return refuse(why, REFUSED_BATCH_EMPTY);
	if (op->count > BATCH_MAX)
		return refuse(why, REFUSED_BATCH_TOO_LARGE);
	index_expect(r, op);
	for (uint32_t k = 0; k < op->count; k++) {
		if (check_entry(r, &entries, k, blind, why))
			return -1;
		*place_of(&entries, cell_of(op, k)) = (uint16_t)(k + 1);
	}
	return 0;
}

static int check_config(const struct ledger_config *c, struct refusal *why)
{
	if (c->limits.min_v4 < 8 || c->limits.min_v4 > 32 || c->limits.min_v6 < 16 ||
		c->limits.min_v6 > 128 || c->limits.min_e164 < 1 ||
		c->limits.min_e164 > 15 || c->max_ttl < 1 || c->max_ttl > MAX_TTL_LIMIT ||
		c->threshold < 1)
		return refuse(why, REFUSED_CONFIG);
	return 0;
}

static int check_terms(const struct operation *op, struct refusal *why)
{
	if (op->weight < 1)
		return refuse(why, REFUSED_WEIGHT);
	if (op->cap < 1 || op->cap > CAP_LIMIT)
		return refuse(why, REFUSED_CAP);
	return 0;
}

static int check_member_add(
	const struct registry *r, const struct operation *op, struct refusal *why)
{
	const struct member *m = registry_member(r, op->member);

	if (!m && (op->member == 0 || op->member != r->seat_count + 1))
		return refuse(why, REFUSED_MEMBER_UNKNOWN);
	if (m && m->status != MEMBER_REMOVED)
		return refuse(why, REFUSED_MEMBER_EXISTS);
	/* Its next removal could not raise the generation any more. */
	if (m && m->generation == GENERATION_LAST)
		return refuse(why, REFUSED_GENERATIONS);
	if (op->name.n < 1 || op->name.n > NAME_MAX_BYTES || !text_is_clean(op->name))
		return refuse(why, REFUSED_NAME);
	if (check_terms(op, why))
		return -1;
	if (op->signer_count > SIGNERS_MAX)
		return refuse(why, REFUSED_SIGNER_LIMIT);
	for (uint32_t k = 0; k < op->signer_count; k++) {
		if (bytes_zero(op->signers[k], ADDRESS20))
			return refuse_at(why, REFUSED_ZERO, k);
		if (registry_member_by_signer(r, op->signers[k]))
			return refuse_at(why, REFUSED_SIGNER_TAKEN, k);
		for (uint32_t j = 0; j < k; j++)
			if (!memcmp(op->signers[j], op->signers[k], ADDRESS20))
				return refuse_at(why, REFUSED_SIGNER_TAKEN, k);
	}
	return 0;
}

static int check_signer(const struct registry *r, const struct operation *op,
	const struct member *m, struct refusal *why)
{
	const struct member *holder = registry_member_by_signer(r, op->address);

	if (op->type == OP_SIGNER_REMOVE)
		return holder == m ? 0 : refuse(why, REFUSED_SIGNER_UNKNOWN);
	if (m->status == MEMBER_REMOVED)
		return refuse(why, REFUSED_MEMBER_REMOVED);
	if (bytes_zero(op->address, ADDRESS20))
		return refuse(why, REFUSED_ZERO);
	if (holder)
		return refuse(why, REFUSED_SIGNER_TAKEN);
	if (m->signer_count >= SIGNERS_MAX)
		return refuse(why, REFUSED_SIGNER_LIMIT);
	return 0;
}

/* The operations about a member that is there. */
static int check_member(
	const struct registry *r, const struct operation *op, struct refusal *why)
{
	const struct member *m = registry_member(r, op->member);

	if (!m)
		return refuse(why, REFUSED_MEMBER_UNKNOWN);
	switch (op->type) {
	case OP_MEMBER_SET:
		if (m->status == MEMBER_REMOVED)
			return refuse(why, REFUSED_MEMBER_REMOVED);
		return check_terms(op, why);
	case OP_MEMBER_REMOVE:
		if (m->status == MEMBER_REMOVED)
			return refuse(why, REFUSED_MEMBER_REMOVED);
		return 0;
	case OP_MEMBER_SUSPEND:
		if (m->status != MEMBER_ACTIVE)
			return refuse(why, REFUSED_MEMBER_NOT_ACTIVE);
		return 0;
	case OP_MEMBER_RESUME:
		if (m->status != MEMBER_SUSPENDED)
			return refuse(why, REFUSED_MEMBER_NOT_SUSPENDED);
		return 0;
	default:
		return check_signer(r, op, m, why);
	}
}

static int check_table(const struct operation *op, struct refusal *why)
{
	struct indicator entry, before;

	if (op->table_count > PROTECTED_MAX)
		return refuse(why, REFUSED_TABLE_TOO_LARGE);
	for (uint32_t k = 0; k < op->table_count; k++) {
		memcpy(&entry, op->table + (size_t)k * INDICATOR_SIZE, sizeof entry);
		if (indicator_check_shape(&entry, NULL))
			return refuse_at(why, REFUSED_INDICATOR, k);
		if (k &&
			(indicator_compare(&before, &entry) >= 0 ||
				indicator_overlaps(&before, &entry)))
			return refuse_at(why, REFUSED_TABLE_UNSORTED, k);
		before = entry;
	}
	return 0;
}

/* What the operation's type asks of the ledger, the actor being right. */
static int check_admin(
	const struct registry *r, const struct operation *op, struct refusal *why)
{
	switch (op->type) {
	case OP_MEMBER_ADD:
		return check_member_add(r, op, why);
	case OP_MEMBER_SET:
	case OP_MEMBER_REMOVE:
	case OP_MEMBER_SUSPEND:
	case OP_MEMBER_RESUME:
	case OP_SIGNER_ADD:
	case OP_SIGNER_REMOVE:
		return check_member(r, op, why);
	case OP_PROTECT:
		return check_table(op, why);
	case OP_CONFIG:
		return check_config(&op->config, why);
	case OP_PAUSE:
		return r->paused ? refuse(why, REFUSED_PAUSED) : 0;
	case OP_UNPAUSE:
		return r->paused ? 0 : refuse(why, REFUSED_NOT_PAUSED);
	case OP_SUPERSEDE:
		if (bytes_zero(op->next, HASH_SIZE))
			return refuse(why, REFUSED_ZERO);
		return r->superseded ? refuse(why, REFUSED_SUPERSEDED) : 0;
	default: /* GUARDIAN, OWNER_PROPOSE, OWNER_ACCEPT: the actor is all */
		return 0;
	}
}

static int check_actor(
	const struct registry *r, const struct operation *op, struct refusal *why)
{
	switch (op->type) {
	case OP_OWNER_ACCEPT:
		if (!acts_as(op, r->proposed))
			return refuse(why, REFUSED_NOT_PROPOSED_OWNER);
		return 0;
	case OP_MEMBER_SUSPEND:
	case OP_PAUSE:
		if (!acts_as(op, r->guardian) && !acts_as(op, r->owner))
			return refuse(why, REFUSED_NOT_GUARDIAN);
		return 0;
	default:
		if (!acts_as(op, r->owner))
			return refuse(why, REFUSED_NOT_OWNER);
		return 0;
	}
}

int registry_judge(const struct registry *r, const struct operation *op, bool blind,
	struct refusal *why)
{
	enum chain chain = operation_chain(op->type);

	*why = (struct refusal){.code = REFUSED_NOT};
	if (operation_name(op->type)[0] == '?')
		return refuse(why, REFUSED_TYPE);
	if (r->begun == (op->type == OP_GENESIS))
		return refuse(why, REFUSED_GENESIS);
	if (op->seq != r->tips[chain].seq)
		return refuse(why, REFUSED_SEQUENCE);
	if (op->time < r->times[chain])
		return refuse(why, REFUSED_TIME);
	if (op->type == OP_BATCH)
		return check_batch(r, op, blind, why);
	if (op->type == OP_GENESIS) {
		if (bytes_zero(op->actor, ADDRESS20))
			return refuse(why, REFUSED_ZERO);
		return check_config(&op->config, why);
	}
	if (check_actor(r, op, why))
		return -1;
	return check_admin(r, op, why);
}

int registry_check(
	const struct registry *r, const struct operation *op, struct refusal *why)
{
	return registry_judge(r, op, false, why);
}
