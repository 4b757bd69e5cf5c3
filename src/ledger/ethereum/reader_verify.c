/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hex.h"
#include "ledger/ethereum/reader_state.h"

/*
 * All logs up to the target are there. They count when they lead to the tips
 * that the contract has at that block (by eth_getProof against the header's
 * state root where it is served, else by eth_call), when the block is still
 * canonical, and when no witness says otherwise, also where they bring nothing:
 * what was left out of a block would else be missing for good.
 */

#define DISPUTED_MS 100
/*
 * So long is one block held for witnesses that do not know it yet. A newer one
 * in its place would never be confirmed by who is always a little behind.
 */
#define HOLD_MS 12000

/* --- what the contract says --- */

bool reader_untold(struct log_reader *r)
{
	struct error text;

	if (r->has_tips || r->has_proof)
		return false;
	error_set(&text, "it does not tell the contract's tips at block %llu: %s",
		(unsigned long long)r->target.number, r->tips_error.text);
	reader_broken(r, text.text);
	return true;
}

/* What the endpoint says of the target, for the others to confirm. */
static struct witness_answer answer_of(const struct log_reader *r)
{
	const struct contract_tips *tips = r->has_proof ? &r->proof : &r->tips;
	struct witness_answer a = {
		.has_block = true, .has_tips = true, .proved = r->has_proof};

	memcpy(a.hash, r->target.hash, HASH_SIZE);
	memcpy(a.state_root, r->target.state_root, HASH_SIZE);
	for (int c = 0; c < 2; c++) {
		memcpy(a.tip[c], tips->tip[c].hash, HASH_SIZE);
		a.seq[c] = tips->tip[c].seq;
	}
	return a;
}

static void on_tips_confirmed(void *context, enum confirmation confirmation)
{
	struct log_reader *r = context;

	/* What follows takes long: they are asked anew then. */
	r->asked_witnesses = false;
	if (confirmation == CONFIRM_DISPUTED)
		reader_unsettled(r, DISPUTED_MS,
			"another endpoint says something else about the contract's tips");
	else
		reader_fetch_logs(r);
}

/*
 * The tips bound what is written to the disk before it is verified: where they
 * are not proved, the others are heard first.
 */
static void trust_tips(struct log_reader *r)
{
	struct witness_answer mine;

	if (reader_untold(r))
		return;
	if (r->has_proof || pool_count(r->pool) < 2) {
		reader_fetch_logs(r);
		return;
	}
	mine = answer_of(r);
	pool_ask(r->pool, r->target.number);
	pool_confirm(r->pool, &mine, on_tips_confirmed, r);
}

static void checked(struct log_reader *r)
{
	if (!--r->checks_due && r->logs_wait)
		trust_tips(r);
	else
		reader_verify(r);
}

static void on_tips(void *context, const struct rpc_reply *reply)
{
	struct log_reader *r = context;

	r->call[ASK_TIPS] = 0;
	if (reply->outcome != RPC_RESULT)
		r->tips_error = reply->error;
	else
		r->has_tips = !result_tips(&r->tips, reply->result, &r->tips_error);
	checked(r);
}

static void on_proof(void *context, const struct rpc_reply *reply)
{
	struct log_reader *r = context;
	struct error err;

	r->call[ASK_PROOF] = 0;
	/* Refused (a state too old for it): eth_call has to do. */
	if (reply->outcome != RPC_RESULT) {
		checked(r);
		return;
	}
	if (result_proof(
		    &r->proof, reply->result, r->settings, r->target.state_root, &err)) {
		reader_doubt(r, err.text);
		return;
	}
	r->has_proof = true;
	checked(r);
}

void reader_ask_tips(struct log_reader *r)
{
	const struct at_block at = {.by_hash = r->can->by_hash,
		.number = r->target.number,
		.hash = r->target.hash};

	r->has_tips = r->has_proof = false;
	r->checks_due = 1;
	if (r->can->proofs && !bytes_zero(r->target.state_root, HASH_SIZE)) {
		r->checks_due = 2;
		if (!reader_ask(r, ASK_PROOF, "eth_getProof",
			    request_proof(r->settings, &at), on_proof))
			return;
	}
	reader_ask(r, ASK_TIPS, "eth_call", request_tips(r->settings, &at), on_tips);
}

/* --- the commit --- */

static bool same_tip(const struct tip *a, const struct tip *b)
{
	return a->seq == b->seq && !memcmp(a->hash, b->hash, HASH_SIZE);
}

/* What is staged leads to the contract's tips. Returns 0, or -1 with a text. */
static int compare(
	const struct log_reader *r, const struct contract_tips *due, struct error *err)
{
	char is_text[17], due_text[17];

	for (int c = 0; c < 2; c++) {
		const struct tip *is = journal_staged_tip(r->journal, (enum chain)c);

		if (same_tip(is, &due->tip[c]))
			continue;
		return error_set(err,
			"its logs up to block %llu give %llu %s operations (tip %s..), "
			"the contract has %llu (tip %s..): logs are left out, altered or "
			"invented",
			(unsigned long long)r->target.number, (unsigned long long)is->seq,
			c == CHAIN_ADMIN ? "administrative" : "members'",
			hex_encode(is_text, is->hash, 8),
			(unsigned long long)due->tip[c].seq,
			hex_encode(due_text, due->tip[c].hash, 8));
	}
	return 0;
}

/* Into the open transaction. Returns 0, or -1 with a text. */
static int apply(struct log_reader *r, const struct contract_tips *due, struct error *err)
{
	struct tip before;
	uint32_t since;

	if (r->undo && journal_undo(r->journal, r->base + 1, err))
		return -1;
	if (portion_store(&r->portion, r->journal, r->since, err))
		return -1;
	if (!journal_staged_tip(r->journal, CHAIN_MEMBERS)->seq &&
		due->tip[CHAIN_MEMBERS].seq && !r->has_base &&
		!journal_window(r->journal, &before, &since, NULL) &&
		journal_set_window(r->journal, &due->tip[CHAIN_MEMBERS], r->since,
			due->last_block[CHAIN_MEMBERS], err))
		return -1;
	if (compare(r, due, err))
		return -1;
	return journal_set_head(r->journal, r->target.number, r->target.hash, err);
}

static void commit(struct log_reader *r)
{
	const struct contract_tips *due = r->has_proof ? &r->proof : &r->tips;
	struct error err = {""};
	bool undone = r->undo;

	reader_mark("verified");
	if (journal_begin(r->journal, &err)) {
		reader_own_trouble(r, err.text);
		return;
	}
	if (apply(r, due, &err)) {
		bool ours = journal_failed(r->journal);

		journal_rollback(r->journal);
		if (ours)
			reader_own_trouble(r, err.text);
		else
			reader_doubt(r, err.text);
		return;
	}
	if (journal_commit(r->journal, &err)) {
		reader_own_trouble(r, err.text);
		return;
	}
	if (r->has_proof && r->has_tips &&
		(!same_tip(&r->tips.tip[0], &r->proof.tip[0]) ||
			!same_tip(&r->tips.tip[1], &r->proof.tip[1])))
		r->contradicted++;
	else
		r->contradicted = 0;
	reader_committed(r, undone, r->base + 1);
}

/* --- still canonical, and agreed --- */

static void decided(struct log_reader *r)
{
	if (r->canonical_due || r->confirm_due)
		return;
	if (r->confirmed == CONFIRM_DISPUTED) {
		reader_unsettled(r, DISPUTED_MS,
			"another endpoint says something else about its newest block");
	} else if (r->confirmed != CONFIRM_UNKNOWN) {
		commit(r);
	} else if (uv_now(r->loop) - r->began < HOLD_MS) {
		r->asked_witnesses = false;
		reader_check(r);
	} else {
		reader_unsettled(
			r, DISPUTED_MS, "no other endpoint knows its newest block");
	}
}

static void on_canonical(struct log_reader *r, bool there)
{
	if (!there || r->block.number != r->target.number ||
		memcmp(r->block.hash, r->target.hash, HASH_SIZE)) {
		reader_unsettled(r, 0, "its newest block is another each time");
		return;
	}
	r->canonical_due = false;
	decided(r);
}

static void on_confirmed(void *context, enum confirmation confirmation)
{
	struct log_reader *r = context;

	r->confirm_due = false;
	r->confirmed = confirmation;
	decided(r);
}

void reader_check(struct log_reader *r)
{
	struct witness_answer mine = answer_of(r);

	r->canonical_due = r->confirm_due = true;
	reader_ask_block(r, r->target.number, on_canonical);
	if (!r->running)
		return;
	if (!r->asked_witnesses)
		pool_ask(r->pool, r->target.number);
	r->asked_witnesses = true;
	pool_confirm(r->pool, &mine, on_confirmed, r);
}

void reader_verify(struct log_reader *r)
{
	uint8_t hash[HASH_SIZE];
	uint64_t number;

	if (!r->running || !r->logs_done || r->checks_due || reader_untold(r))
		return;
	if (r->undo || journal_head(r->journal, &number, hash))
		reader_check(r);
	else if (!reader_stage(r))
		reader_prove(r);
}

/* --- is the endpoint wrong, or what is in the journal? --- */

/*
 * What the journal holds up to the block that this round went on from. 0 or -1
 * with a text.
 */
static int held_at_base(struct log_reader *r, struct tip tip[2], uint8_t hash[HASH_SIZE],
	struct error *err)
{
	int rc;

	if (journal_block(r->journal, r->base, hash))
		return error_set(err, "the block is not kept");
	if (journal_begin(r->journal, err))
		return -1;
	rc = journal_undo(r->journal, r->base + 1, err);
	for (int c = 0; c < 2 && !rc; c++)
		tip[c] = *journal_tip(r->journal, (enum chain)c);
	journal_rollback(r->journal);
	return rc;
}

static void on_suspicion(void *context, enum confirmation confirmation)
{
	struct log_reader *r = context;
	struct error was = r->doubt;

	uint64_t anchor = pool_upheld(r->pool);

	/* What others have confirmed and is final stands, whoever denies it. */
	if (confirmation == CONFIRM_AGREED && anchor && anchor < r->base) {
		reader_go_back(r, anchor,
			"what was read last is not what the contract held (an endpoint "
			"that was believed alone has lied): it is read anew from the "
			"last final block on that others have confirmed");
		return;
	}
	if (confirmation == CONFIRM_AGREED && !anchor) {
		reader_start_over(r,
			"what was read before is not what the contract held (an endpoint "
			"that was believed alone has lied): it is read from the "
			"beginning");
		return;
	}
	/* One alone is not believed against what was verified. */
	error_set(&r->doubt,
		"%s; it also denies what was read before: should it be right, another "
		"endpoint or moving the file of [ledger] path away mends that",
		was.text);
	reader_lied(r);
}

static void on_base_tips(void *context, const struct rpc_reply *reply)
{
	struct log_reader *r = context;
	struct witness_answer mine = {.has_block = true, .has_tips = true};
	struct contract_tips told;
	struct tip held[2];

	r->call[ASK_TIPS] = 0;
	if (reply->outcome != RPC_RESULT || result_tips(&told, reply->result, NULL) ||
		held_at_base(r, held, mine.hash, NULL) ||
		(same_tip(&held[0], &told.tip[0]) && same_tip(&held[1], &told.tip[1]))) {
		reader_lied(r);
		return;
	}
	memcpy(mine.tip[0], told.tip[0].hash, HASH_SIZE);
	memcpy(mine.tip[1], told.tip[1].hash, HASH_SIZE);
	mine.seq[0] = told.tip[0].seq;
	mine.seq[1] = told.tip[1].seq;
	pool_ask(r->pool, r->base);
	pool_confirm(r->pool, &mine, on_suspicion, r);
}

void reader_suspect(struct log_reader *r)
{
	const struct at_block at = {.number = r->base};

	r->running = true;
	reader_ask(r, ASK_TIPS, "eth_call", request_tips(r->settings, &at), on_base_tips);
}
