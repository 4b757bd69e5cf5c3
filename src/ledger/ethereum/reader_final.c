/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/ethereum/reader_state.h"

/*
 * Which of the verified blocks are final: so many deep, or by the chain's tag. A
 * tag is what an endpoint says, so the endpoints together say it (pool_final()),
 * and where the journal knows the block's hash, it must be that one. What is
 * final stays so; only a reorganisation that all endpoints tell of undoes it.
 */
#define DENIES_MAX 2 /* rounds: the tag and the head are asked for one by one */

void reader_seen(struct log_reader *r)
{
	r->seen[r->seen_next].number = r->target.number;
	r->seen[r->seen_next].timestamp = r->target.timestamp;
	r->seen_next = (r->seen_next + 1) % SEEN_MAX;
	if (r->has_candidate || r->confirmed != CONFIRM_AGREED)
		return;
	r->has_candidate = true;
	r->candidate = r->target.number;
	memcpy(r->candidate_hash, r->target.hash, HASH_SIZE);
}

void reader_unfinalise(struct log_reader *r, uint64_t from)
{
	if (r->final.number >= from)
		r->final = (struct final_block){.number = from ? from - 1 : 0};
	pool_unfinalise(r->pool, from);
	if (r->candidate >= from)
		r->has_candidate = false;
	for (unsigned k = 0; k < SEEN_MAX; k++)
		if (r->seen[k].number >= from)
			r->seen[k].timestamp = 0;
}

/* When the highest head of those up to number was made: it is one of the last. */
static uint64_t time_of(const struct log_reader *r, uint64_t number)
{
	uint64_t best = 0, timestamp = 0;

	for (unsigned k = 0; k < SEEN_MAX; k++) {
		if (!r->seen[k].timestamp || r->seen[k].number > number ||
			r->seen[k].number < best)
			continue;
		best = r->seen[k].number;
		timestamp = r->seen[k].timestamp;
	}
	return timestamp;
}

static bool by_depth(const struct log_reader *r, struct final_block *is)
{
	uint64_t head = r->target.number, depth = r->settings->depth;

	if (head <= depth)
		return false;
	*is = (struct final_block){.number = head - depth,
		.timestamp = time_of(r, head - depth),
		.witnesses = r->confirmed == CONFIRM_AGREED ? pool_witnesses(r->pool) :
							      0};
	return true;
}

/* Whether the journal holds another block at that height. */
static bool contradicts(const struct log_reader *r, const struct final_block *b)
{
	uint8_t hash[HASH_SIZE];

	return !journal_block(r->journal, b->number, hash) &&
		memcmp(hash, b->hash, HASH_SIZE);
}

static bool by_tag(struct log_reader *r, struct final_block *is)
{
	r->tag_denies = r->has_tag && contradicts(r, &r->tag) ? r->tag_denies + 1 : 0;
	switch (pool_final(r->pool, is)) {
	case POOL_FINAL_AGREED:
		break;
	case POOL_FINAL_ALONE:
		if (!r->has_tag)
			return false;
		*is = r->tag;
		break;
	case POOL_FINAL_OPEN:
		return false;
	}
	return !contradicts(r, is);
}

bool reader_tag_lies(const struct log_reader *r)
{
	return r->tag_denies >= DENIES_MAX;
}

/* The candidate is final: who denies it from now on lies. */
static void set_anchor(struct log_reader *r)
{
	uint8_t hash[HASH_SIZE];

	if (!r->has_candidate || r->candidate > r->final.number)
		return;
	r->has_candidate = false;
	if (!journal_block(r->journal, r->candidate, hash) &&
		!memcmp(hash, r->candidate_hash, HASH_SIZE))
		pool_anchor(r->pool, r->candidate, hash);
}

void reader_finalise(struct log_reader *r)
{
	bool tag = r->settings->finality != FINALITY_DEPTH;
	struct final_block is;

	if (!(tag ? by_tag(r, &is) : by_depth(r, &is)))
		return;
	if (is.number > r->target.number) {
		is.number = r->target.number;
		is.timestamp = r->target.timestamp;
		memcpy(is.hash, r->target.hash, HASH_SIZE);
	}
	if (is.number >= r->final.number)
		r->final = is;
	set_anchor(r);
}

bool reader_denies_final(struct log_reader *r, uint64_t base)
{
	uint64_t upheld = pool_upheld(r->pool);

	return upheld > base;
}

struct final_block reader_final(const struct log_reader *r)
{
	return r->final;
}
