/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/ethereum/reader_state.h"

/*
 * The newest block is known: is what was processed still below it? Then which
 * block is read up to.
 */
#define INCONSISTENT_MS 200 /* behind a balancer, one backend lags another */

/* --- up to where --- */

static void on_near_target(struct log_reader *r, bool there)
{
	if (!there || r->block.number != r->latest.number - NEAR_BLOCKS) {
		reader_unsettled(r, INCONSISTENT_MS,
			"it does not have a block below its newest one");
		return;
	}
	r->target = r->block;
	reader_fetch(r);
}

/*
 * Far behind, first up to a block that will hardly be reorganised while so much
 * is read, and whose state every node still has; then what is left.
 */
static void choose_target(struct log_reader *r)
{
	uint64_t from = r->has_base ? r->base : r->settings->deployed;

	/*
	 * What is taken back is confirmed at the height of the old head, which
	 * the witnesses know on either chain; what is above it comes next.
	 */
	if (r->undo && r->latest.number > r->ours.number) {
		r->target = r->ours;
		reader_fetch(r);
		return;
	}
	if (r->latest.number > from && r->latest.number - from > FAR_BLOCKS) {
		reader_ask_block(r, r->latest.number - NEAR_BLOCKS, on_near_target);
		return;
	}
	r->target = r->latest;
	reader_fetch(r);
}

/* --- where a reorganisation began --- */

/*
 * No kept block is on the chain any more: all that was read is forgotten, if
 * no witness says otherwise.
 */
static void on_start_over(void *context, enum confirmation confirmation)
{
	struct log_reader *r = context;

	if (confirmation == CONFIRM_DISPUTED || confirmation == CONFIRM_UNKNOWN)
		reader_unsettled(r, INCONSISTENT_MS,
			"it has another chain than was read, and no other endpoint "
			"confirms that");
	else
		reader_start_over(r,
			"no block that was read is on the chain any more: it is read "
			"from the beginning");
}

void reader_start_over(struct log_reader *r, const char *why)
{
	struct error err;

	if (journal_begin(r->journal, &err) || journal_undo(r->journal, 0, &err) ||
		journal_commit(r->journal, &err)) {
		journal_rollback(r->journal);
		reader_own_trouble(r, err.text);
		return;
	}
	reader_unfinalise(r, 0);
	r->has_base = r->undo = false;
	r->callbacks.trouble(r->callbacks.context, false, why);
	if (!r->closing)
		r->callbacks.undo(r->callbacks.context, 0);
	if (!r->closing)
		choose_target(r);
}

void reader_go_back(struct log_reader *r, uint64_t block, const char *why)
{
	struct error err;

	if (journal_begin(r->journal, &err) ||
		journal_undo(r->journal, block + 1, &err) ||
		journal_commit(r->journal, &err)) {
		journal_rollback(r->journal);
		reader_own_trouble(r, err.text);
		return;
	}
	reader_unfinalise(r, block + 1);
	r->callbacks.trouble(r->callbacks.context, false, why);
	if (!r->closing)
		r->callbacks.undo(r->callbacks.context, block + 1);
	if (!r->closing)
		reader_retry(r, 0);
}

static void start_over(struct log_reader *r)
{
	struct witness_answer mine = {.has_block = true};

	memcpy(mine.hash, r->latest.hash, HASH_SIZE);
	memcpy(mine.state_root, r->latest.state_root, HASH_SIZE);
	r->has_base = false;
	pool_ask(r->pool, r->latest.number);
	pool_confirm(r->pool, &mine, on_start_over, r);
}

static void next_ancestor(struct log_reader *r);

static void on_ancestor(struct log_reader *r, bool there)
{
	uint8_t hash[HASH_SIZE];
	uint64_t number;
	bool same;

	if (!ancestor_next(&r->ancestor, &number))
		return;
	same = there && r->block.number == number &&
		!journal_block(r->journal, number, hash) &&
		!memcmp(hash, r->block.hash, HASH_SIZE);
	ancestor_answer(&r->ancestor, same);
	next_ancestor(r);
}

/* What the journal's first members' event follows stands above this block. */
static bool before_window(const struct log_reader *r, uint64_t number)
{
	struct tip before;
	uint32_t since;
	uint64_t block;

	return journal_window(r->journal, &before, &since, &block) && block > number;
}

static void next_ancestor(struct log_reader *r)
{
	uint64_t number;

	if (ancestor_next(&r->ancestor, &number)) {
		reader_ask_block(r, number, on_ancestor);
	} else if (reader_denies_final(r, number == UINT64_MAX ? 0 : number)) {
		reader_unsettled(r, INCONSISTENT_MS,
			"it denies a final block that another endpoint has");
	} else if (number == UINT64_MAX || before_window(r, number)) {
		start_over(r);
	} else {
		r->base = number;
		r->has_base = r->undo = true;
		choose_target(r);
	}
}

/* --- is ours still there? --- */

static void on_ours(struct log_reader *r, bool there)
{
	uint8_t hash[HASH_SIZE];
	uint64_t number;
	unsigned kept;

	if (!journal_head(r->journal, &number, hash))
		return;
	if (!there && r->latest.number > number) {
		reader_unsettled(r, INCONSISTENT_MS,
			"it does not have a block below its newest one");
		return;
	}
	/* It is behind, or went back: what is undone shows when it goes on. */
	if (!there ||
		(r->latest.number <= number && !memcmp(hash, r->block.hash, HASH_SIZE))) {
		reader_round_done(r, false);
		return;
	}
	if (r->block.number == number && !memcmp(hash, r->block.hash, HASH_SIZE)) {
		r->base = number;
		r->has_base = true;
		choose_target(r);
		return;
	}
	r->ours = r->block;
	kept = journal_blocks(r->journal, r->kept, ANCESTOR_BLOCKS_MAX);
	/* The first is ours, which was just asked for. */
	ancestor_begin(&r->ancestor, r->kept + 1, kept ? kept - 1 : 0);
	next_ancestor(r);
}

/* The same block still: only what is final may have grown. */
static void on_known(struct log_reader *r)
{
	uint64_t was = r->final.number;

	r->target = r->latest;
	reader_finalise(r);
	if (r->final.number > was)
		r->callbacks.head(
			r->callbacks.context, &r->target, r->final.number, true);
	if (reader_tag_lies(r) && r->rpc && !r->closing)
		pool_lied(r->pool, r->rpc,
			"it calls a block final that is not the one which was verified "
			"there");
	reader_round_done(r, false);
}

void reader_place(struct log_reader *r)
{
	uint8_t hash[HASH_SIZE];
	uint64_t number;
	struct error why;

	if (!journal_head(r->journal, &number, hash)) {
		if (r->latest.number >= r->settings->deployed) {
			choose_target(r);
			return;
		}
		error_set(&why,
			"its newest block is %llu, the contract was created in block "
			"%llu: it is still catching up",
			(unsigned long long)r->latest.number,
			(unsigned long long)r->settings->deployed);
		reader_broken(r, why.text);
		return;
	}
	switch (chain_step(number, hash, &r->latest)) {
	case CHAIN_KNOWN:
		if (r->compared) {
			on_known(r);
			return;
		}
		/* No logs are missing, but what does this endpoint say of the tips? */
		r->base = number;
		r->has_base = true;
		choose_target(r);
		return;
	case CHAIN_EXTENDS:
		r->base = number;
		r->has_base = true;
		break;
	case CHAIN_GAP:
	case CHAIN_LEFT:
		reader_ask_block(r, number, on_ours);
		break;
	}
	if (r->polled)
		reader_socket_missed(r);
	if (r->has_base)
		choose_target(r);
}
