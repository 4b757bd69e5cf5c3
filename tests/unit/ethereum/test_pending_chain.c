/* SPDX-License-Identifier: Apache-2.0 */
#include "pending_fixture.h"

/* What chains and other programs do to a batch on its way. */

/* --- reorganisations --- */

static void mine(struct world *w, uint64_t ticket, uint64_t block, uint64_t n)
{
	head(w, block, 5);
	act(w);
	count(w, n);
	act(w);
	found(w, ticket, block, true);
	assert_int_equal(by_ticket(w, ticket)->state, PENDING_MINED);
}

static void a_reorganisation_sends_the_same_bytes(void **state)
{
	struct world *w = *state;
	uint8_t hash[HASH_SIZE];

	send_one(w, 1, 0, 0);
	memcpy(hash, w->last_hash, HASH_SIZE);
	mine(w, 1, 11, 1);
	expect(w, "");
	head(w, 12, 5);
	act(w);
	count(w, 1);
	expect(w, ""); /* in line: nothing is asked */
	w->fork = 9;
	head(w, 12, 5); /* another 12 */
	expect(w, "count look:1");
	count(w, 0);
	absent(w, 1);
	expect(w, "count send:1");
	assert_memory_equal(pending_offer(by_ticket(w, 1))->hash, hash, HASH_SIZE);
	assert_int_equal(by_ticket(w, 1)->offer_count, 1);
	answer(w, 1, ANSWER_ACCEPTED);
	count(w, 0);
	head(w, 13, 13);
	act(w);
	count(w, 1);
	expect(w, "look:1");
	found(w, 1, 13, true);
	expect(w, "look:1=");
	found(w, 1, 13, true);
	expect(w, "final:1");
	assert_int_equal(w->fate.block, 13);
}

static void heights_that_jump_raise_doubt(void **state)
{
	struct world *w = *state;

	send_one(w, 1, 0, 0);
	mine(w, 1, 11, 1);
	head(w, 13, 5); /* its parent is not known here */
	expect(w, "count look:1");
	count(w, 1);
	found(w, 1, 12, true); /* the fork has it elsewhere */
	assert_int_equal(by_ticket(w, 1)->block, 12);
	expect(w, "");
	head(w, 13, 5); /* the same head again */
	expect(w, "");
	head(w, 14, 12);
	expect(w, "count look:1=");
}

static void another_block_than_before_is_not_final_yet(void **state)
{
	struct world *w = *state;

	send_one(w, 1, 0, 0);
	mine(w, 1, 11, 1);
	head(w, 12, 11);
	expect(w, "count look:1=");
	count(w, 1);
	w->fork = 3;
	found(w, 1, 11, true); /* same number, other hash */
	w->fork = 0;
	expect(w, "");
	w->now += 1000;
	expect(w, "look:1=");
	found(w, 1, 11, true);
	w->now += 2000;
	expect(w, "look:1=");
	found(w, 1, 11, true);
	expect(w, "final:1");
}

static void gone_when_it_should_be_final(void **state)
{
	struct world *w = *state;

	send_one(w, 1, 0, 0);
	mine(w, 1, 11, 1);
	head(w, 12, 11);
	expect(w, "count look:1=");
	count(w, 1);
	absent(w, 1); /* or its block is not the canonical one */
	expect(w, "count send:1");
	assert_int_equal(by_ticket(w, 1)->state, PENDING_SENT);
}

static void who_did_not_answer_has_not_said_no(void **state)
{
	struct world *w = *state;

	send_one(w, 1, 0, 0);
	mine(w, 1, 11, 1);
	head(w, 12, 11);
	act(w);
	count(w, 1);
	look_gives(w, 1, (struct sighting){.kind = SIGHTING_UNKNOWN});
	assert_int_equal(by_ticket(w, 1)->state, PENDING_MINED);
	expect(w, "");
	w->now += 750;
	expect(w, "look:1=");
}

/* A block that was final was dropped: the settled bytes go out once more. */
static void a_settled_one_that_vanished_goes_out_again(void **state)
{
	struct world *w = *state;

	send_one(w, 1, 0, 0);
	mine(w, 1, 11, 1);
	head(w, 12, 11);
	act(w);
	count(w, 1);
	found(w, 1, 11, true);
	expect(w, "final:1");
	w->fork = 9;
	w->now += 100000;
	head(w, 12, 5);
	expect(w, "");
	submit(w, 2, 50);
	expect(w, "count quotes preflight:2");
	count(w, 0);
	quotes(w, GWEI, 0);
	passed(w, 2);
	/* Nonce 0 is held by batch 1: no gap. */
	expect(w, "send:1 sign:2#1@1 send:2");
}

static void a_gap_is_filled_after_three_heads(void **state)
{
	struct world *w = *state;

	pending_free(w->set);
	start(w, 4); /* 0..4 were signed, and nobody holds them any more */
	head(w, 10, 5);
	submit(w, 1, 0);
	act(w);
	passed(w, 1);
	quotes(w, GWEI, 0);
	count(w, 3);
	for (uint64_t n = 11; n < 13; n++) {
		expect(w, "");
		head(w, n, 5);
		expect(w, "count quotes");
		quotes(w, GWEI, 0);
		count(w, 3);
	}
	expect(w, "");
	head(w, 13, 5);
	act(w);
	quotes(w, GWEI, 0);
	count(w, 3);
	expect(w, "sign:1#3@1 send:1");
	/* An endpoint that lagged makes none. */
	answer(w, 1, ANSWER_ACCEPTED);
	submit(w, 2, 10);
	act(w);
	passed(w, 2);
	quotes(w, GWEI, 0);
	count(w, 5);
	expect(w, "look:1 sign:2#5@1 send:2");
}

/* --- another program with the same key --- */

static void steal(struct world *w)
{
	send_one(w, 1, 0, 0);
	head(w, 11, 9);
	act(w);
	count(w, 1);
	expect(w, "look:1");
	absent(w, 1);
	expect(w, "");
	head(w, 12, 10);
	expect(w, "count look:1");
	count(w, 1);
	absent(w, 1);
	/* The nonce is gone at the head: is it in a final block? */
	expect(w, "final-count@10");
}

static void a_stolen_nonce_is_signed_anew(void **state)
{
	struct world *w = *state;

	steal(w);
	pending_final_count(w->set, true, 0);
	expect(w, ""); /* no: a reorganisation may still bring ours */
	head(w, 13, 11);
	expect(w, "count final-count@11 look:1");
	count(w, 1);
	pending_final_count(w->set, true, 1);
	absent(w, 1); /* asked before that was known: not enough */
	assert_int_equal(by_ticket(w, 1)->state, PENDING_SENT);
	expect(w, "look:1!");
	absent(w, 1);
	expect(w, "trouble count quotes preflight:1");
	assert_non_null(strstr(w->said,
		"nonce 0 of this node's key was used by another "
		"program: give each node a key of its own"));
	count(w, 1);
	quotes(w, GWEI, 0);
	passed(w, 1);
	expect(w, "sign:1#1@1 send:1");
	assert_int_equal(by_ticket(w, 1)->offer_count, 2);
	assert_true(by_ticket(w, 1)->looking == false);
}

static void a_late_receipt_is_no_theft(void **state)
{
	struct world *w = *state;

	steal(w);
	pending_final_count(w->set, true, 1);
	expect(w, "look:1!");
	found(w, 1, 11, true); /* the index of one endpoint lagged */
	assert_int_equal(by_ticket(w, 1)->state, PENDING_MINED);
	assert_int_equal(by_ticket(w, 1)->offer_count, 1);
}

static void one_endpoint_short_is_no_proof(void **state)
{
	struct world *w = *state;

	steal(w);
	pending_final_count(w->set, true, 1);
	expect(w, "look:1!");
	look_gives(w, 1, (struct sighting){.kind = SIGHTING_UNKNOWN});
	expect(w, "");
	w->now += 750;
	expect(w, "look:1!");
	assert_int_equal(by_ticket(w, 1)->offer_count, 1);
}

static void nonce_too_low_looks_first(void **state)
{
	struct world *w = *state;

	send_one(w, 1, 0, 0);
	by_ticket(w, 1)->send_now = true;
	act(w);
	answer(w, 1, ANSWER_NONCE_LOW);
	expect(w, "count look:1");
	count(w, 1);
	found(w, 1, 10, true);
	expect(w, "");
	assert_int_equal(by_ticket(w, 1)->state, PENDING_MINED);
}

/* A receipt of a block that never comes must not make it wait for good. */
static void in_a_block_far_ahead_is_asked_again(void **state)
{
	struct world *w = *state;

	send_one(w, 1, 0, 0);
	head(w, 11, 5);
	act(w);
	count(w, 1);
	act(w);
	found(w, 1, 1000000, true);
	expect(w, "");
	head(w, 12, 5);
	expect(w, "count look:1");
	count(w, 0);
	absent(w, 1);
	expect(w, "count send:1"); /* it was nowhere */
}

/* --- mined, but reverted --- */

static void revert_once(struct world *w, uint64_t block, uint64_t n)
{
	head(w, block, block - 2);
	act(w);
	count(w, n);
	assert_non_null(strstr(act(w), "look:1"));
	found(w, 1, block, false);
	assert_int_equal(by_ticket(w, 1)->state, PENDING_REVERTED);
	expect(w, "");
	head(w, block + 1, block - 1);
	act(w);
	count(w, n);
	expect(w, ""); /* not final: it might still succeed elsewhere */
	head(w, block + 2, block);
	expect(w, "count look:1!="); /* it would be signed anew: all are asked */
	count(w, n);
	found(w, 1, block, false);
}

static void a_revert_is_explained_by_preflight(void **state)
{
	struct world *w = *state;
	struct preflight p = {.outcome = PREFLIGHT_REFUSED,
		.refusal = {.code = REFUSED_CELL_LIVE, .entry = 1}};

	send_one(w, 1, 0, 0);
	revert_once(w, 11, 1);
	expect(w, "count quotes preflight:1");
	pending_preflight(w->set, by_ticket(w, 1), &p, w->now, 0);
	expect(w, "refused:1");
	assert_int_equal(w->fate.refusal.code, REFUSED_CELL_LIVE);
	assert_int_equal(w->fate.refusal.entry, 1);
	assert_null(w->set->first); /* and forgotten */
}

static void a_revert_without_reason_is_signed_anew_twice(void **state)
{
	struct world *w = *state;

	send_one(w, 1, 0, 0);
	for (uint64_t i = 0; i < 2; i++) {
		revert_once(w, 11 + 3 * i, i + 1);
		expect(w, "count quotes preflight:1");
		passed(w, 1);
		count(w, i + 1);
		quotes(w, GWEI, 0);
		assert_non_null(strstr(act(w), "sign:1#"));
		assert_int_equal(by_ticket(w, 1)->nonce, i + 1);
		answer(w, 1, ANSWER_ACCEPTED);
	}
	revert_once(w, 17, 3);
	expect(w, "failed:1");
	assert_string_equal(w->fate.error.text,
		"the contract reverted it 3 times, in the end in block 17, though each "
		"preflight had passed");
}

static void a_revert_that_a_fork_undoes_counts_for_nothing(void **state)
{
	struct world *w = *state;

	send_one(w, 1, 0, 0);
	head(w, 11, 5);
	act(w);
	count(w, 1);
	act(w);
	found(w, 1, 11, false);
	w->fork = 9;
	head(w, 12, 5);
	expect(w, "count look:1");
	count(w, 1);
	found(w, 1, 12, true);
	assert_int_equal(by_ticket(w, 1)->state, PENDING_MINED);
	assert_int_equal(by_ticket(w, 1)->attempts, 0);
}

static void out_of_gas_gets_more(void **state)
{
	struct world *w = *state;
	struct sighting s = {.kind = SIGHTING_FOUND, .block = 11, .gas_used = 150000};

	send_one(w, 1, 0, 0);
	assert_int_equal(w->last.gas_limit, 150000);
	head(w, 11, 11);
	act(w);
	count(w, 1);
	expect(w, "look:1");
	block_hash(s.block_hash, 11, 0);
	look_gives(w, 1, s);
	expect(w, "look:1!=");
	look_gives(w, 1, s);
	act(w);
	passed(w, 1);
	count(w, 1);
	quotes(w, GWEI, 0);
	act(w);
	assert_int_equal(w->last.gas_limit, 2 * gas_bound(2, 0));
	assert_int_equal(w->last.nonce, 1);
}

static void a_batch_past_the_block_limit_is_too_large(void **state)
{
	struct world *w = *state;
	struct preflight p = {.outcome = PREFLIGHT_PASSED, .gas = 31000000};

	head(w, 10, 5);
	submit(w, 1, 0);
	act(w);
	pending_preflight(w->set, by_ticket(w, 1), &p, w->now, 0);
	count(w, 0);
	quotes(w, GWEI, 0);
	expect(w, "large:1");
	assert_int_equal(w->fate.words, 1);
	assert_string_equal(w->fate.error.text,
		"a block of this chain holds 30000000 gas, too little for a batch of 2 "
		"reports: they go in batches of 1");
	assert_int_equal(w->set->highest, -1);
}

/* A head of a chain whose blocks hold so much. */
static void small_head(struct world *w, uint64_t number, uint64_t gas_limit)
{
	struct header h = {
		.number = number, .timestamp = 1700000000, .gas_limit = gas_limit};

	block_hash(h.hash, number, w->fork);
	block_hash(h.parent, number - 1, w->fork);
	w->now += 1000;
	pending_head(w->set, &h, 5);
}

static void submit_words(struct world *w, uint64_t ticket, unsigned cell, unsigned words)
{
	struct buffer call = call_of(cell, words, 0x77);
	bool fresh;

	assert_non_null(
		pending_submit(w->set, ticket, view_of(call.p, call.n), &fresh, NULL));
	buffer_free(&call);
}

/* However the engine says that a call ran out of gas, or says nothing of it. */
static void small_blocks_make_small_batches(void **state)
{
	struct preflight p[] = {
		{.outcome = PREFLIGHT_FAILED, .error = {"reverted without data"}},
		{.outcome = PREFLIGHT_UNCLEAR},
		{.outcome = PREFLIGHT_PASSED, .gas = 1500000},
		{.outcome = PREFLIGHT_PASSED}, /* no estimate */
	};
	struct preflight again = {.outcome = PREFLIGHT_AGAIN};
	struct world *w = *state;

	small_head(w, 10, 1000000);
	for (unsigned i = 0; i < 4; i++) {
		submit_words(w, i + 1, 100 * i, 100);
		act(w);
		pending_preflight(w->set, by_ticket(w, i + 1), &p[i], w->now, 0);
		count(w, 0);
		quotes(w, GWEI, 0);
		assert_non_null(strstr(act(w), "large:"));
		assert_int_equal(w->fate.words, 20);
	}
	/* Silence says nothing of the size; what is estimated to fit is sent. */
	submit_words(w, 9, 0, 100);
	act(w);
	pending_preflight(w->set, by_ticket(w, 9), &again, w->now, 0);
	assert_int_equal(by_ticket(w, 9)->state, PENDING_QUEUED);
	w->now += 2000;
	expect(w, "preflight:9");
	p[2].gas = 790000;
	pending_preflight(w->set, by_ticket(w, 9), &p[2], w->now, 0);
	expect(w, "sign:9#0@1 send:9");
	assert_int_equal(w->last.gas_limit, 987500);
	/* One report that does not fit is nobody's to divide. */
	small_head(w, 11, 100000);
	submit_words(w, 10, 500, 1);
	act(w);
	pending_preflight(w->set, by_ticket(w, 10), &p[0], w->now, 0);
	assert_non_null(strstr(act(w), "failed:10"));
	assert_non_null(
		strstr(w->fate.error.text, "100000 gas, too little for a report"));
}

/* --- gaps --- */

/* Nonce 0's batch is settled, forgotten, and its block dropped all the same. */
static void gap_before_nonce_1(struct world *w)
{
	pending_free(w->set);
	start(w, 0); /* nonce 0 was signed once, and no row is left */
	head(w, 10, 5);
	submit(w, 1, 0);
	act(w);
	passed(w, 1);
	count(w, 1); /* used up, as far as can be seen */
	quotes(w, GWEI, 0);
	expect(w, "sign:1#1@1 send:1");
	answer(w, 1, ANSWER_ACCEPTED);
}

static void a_gap_that_nobody_takes_is_filled(void **state)
{
	struct world *w = *state;
	struct pending *filler = NULL;
	struct action a;

	gap_before_nonce_1(w);
	/* It was dropped: nonce 0 is free, and nobody holds it. */
	for (uint64_t n = 11; n < 11 + GAP_FILL_HEADS; n++) {
		head(w, n, 5);
		w->line[0] = '\0';
		while (pending_next(w->set, w->now, true, &a)) {
			assert_int_not_equal(a.kind, ACTION_SIGN);
			perform(w, &a);
		}
		if (by_ticket(w, 1)->sending)
			answer(w, 1, ANSWER_KNOWN);
		if (by_ticket(w, 1)->looking)
			absent(w, 1);
		count(w, 0);
	}
	head(w, 40, 5);
	act(w);
	count(w, 0);
	act(w);
	quotes(w, GWEI, 0);
	act(w);
	for (struct pending *b = w->set->first; b; b = b->next)
		if (b->filler)
			filler = b;
	assert_non_null(filler);
	assert_int_equal(filler->state, PENDING_SENT);
	assert_int_equal(filler->nonce, 0);
	assert_int_equal(w->last.nonce, 0);
	assert_memory_equal(w->last.to, signer_address(w->signer), ADDRESS20);
	assert_int_equal(w->last.data.n, 0);
	assert_int_equal(w->last.gas_limit, gas_bound(0, 0));
	/* One is enough. */
	head(w, 60, 5);
	act(w);
	count(w, 0);
	act(w);
	assert_int_equal(w->set->open, 2);
}

/* A count that was never true led far ahead: that batch comes back to the gap. */
static void a_nonce_far_ahead_is_given_up(void **state)
{
	struct world *w = *state;

	send_one(w, 1, 0, 5000);
	assert_int_equal(by_ticket(w, 1)->nonce, 5000);
	for (uint64_t n = 11; n < 40; n++) {
		head(w, n, 5);
		act(w);
		count(w, 0);
		quotes(w, GWEI, 0);
		act(w);
		if (by_ticket(w, 1)->asking)
			passed(w, 1);
		else if (by_ticket(w, 1)->sending)
			answer(w, 1, ANSWER_KNOWN);
		if (by_ticket(w, 1)->looking)
			absent(w, 1);
	}
	assert_int_equal(by_ticket(w, 1)->nonce, 0);
	assert_int_equal(w->set->resigned, 1);
	assert_int_equal(w->set->open, 1); /* no filler for five thousand */
}

/* --- lies that cost gas --- */

/* A receipt that says "reverted", believed: what is there twice is bounded. */
static void signing_anew_is_bounded(void **state)
{
	struct world *w = *state;
	unsigned signatures = 0, batches = 0;
	struct action a;

	for (uint64_t n = 10; n < 400; n++) {
		head(w, n, n);
		if (!w->set->open) {
			batches++;
			submit(w, batches, 2 * batches);
		}
		for (int i = 0; i < 20; i++) {
			struct pending *b = by_ticket(w, batches);

			w->line[0] = '\0';
			while (pending_next(w->set, w->now, true, &a)) {
				signatures += a.kind == ACTION_SIGN;
				perform(w, &a);
				if (a.kind == ACTION_END || a.kind == ACTION_FORGET)
					break;
			}
			if (!w->set->open)
				break;
			if (b->asking)
				passed(w, batches);
			if (w->set->counting)
				count(w, signatures);
			if (w->set->quoting)
				quotes(w, GWEI, 0);
			if (b->sending)
				answer(w, batches, ANSWER_ACCEPTED);
			if (b->looking)
				found(w, batches, n, false);
		}
		w->now += 1000;
	}
	/* Each batch's first, and what was signed anew within the hour. */
	assert_int_equal(w->set->resigned, RESIGN_MOST);
	assert_int_equal(signatures, batches + RESIGN_MOST);
	assert_true(w->set->troubles[TROUBLE_ANEW].on);
	assert_non_null(strstr(w->set->troubles[TROUBLE_ANEW].error.text,
		"16 batches were signed anew"));
}

/* --- what is believed of fees --- */

static void a_base_fee_that_no_chain_has_is_not_offered(void **state)
{
	struct world *w = *state;

	head_of(w, 10, 5, 8 * GWEI, true);
	head_of(w, 11, 5, 5000 * GWEI, true);
	assert_true(pending_believed(w->set).base_fee == 9 * GWEI);
	submit(w, 1, 0);
	act(w);
	passed(w, 1);
	count(w, 0);
	quotes(w, 0, 4000 * GWEI);
	/* The priority fee is cut, which is said, and the reports go. */
	expect(w, "sign:1#0@27 trouble send:1");
	assert_int_equal(w->last.priority_fee, 9 * GWEI);
	assert_non_null(strstr(w->said, "a priority fee of 4000 gwei"));
	assert_non_null(strstr(w->said, "max_fee"));
	/* Back at once, and up again block by block. */
	head_of(w, 12, 5, 4 * GWEI, true);
	assert_true(pending_believed(w->set).base_fee == 4 * GWEI);
	head_of(w, 14, 5, 5 * GWEI, true);
	assert_true(pending_believed(w->set).base_fee == 5 * GWEI);
}

static void a_purse_that_runs_low_is_said(void **state)
{
	struct world *w = *state;

	head(w, 10, 5);
	pending_purse(w->set, 1000000); /* 0.001 coins */
	submit(w, 1, 0);
	act(w);
	passed(w, 1);
	count(w, 0);
	quotes(w, GWEI, 0);
	expect(w, "sign:1#0@1 trouble send:1");
	assert_non_null(strstr(w->said, "holds 0.001 of the chain's coin"));
	assert_non_null(strstr(w->said, "may cost 0.00015"));
	answer(w, 1, ANSWER_ACCEPTED);
	pending_purse(w->set, UINT64_MAX);
	submit(w, 2, 2);
	act(w);
	passed(w, 2);
	head(w, 11, 5);
	act(w);
	count(w, 0);
	quotes(w, GWEI, 0);
	assert_non_null(strstr(act(w), "healthy"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_world(a_reorganisation_sends_the_same_bytes),
		with_world(heights_that_jump_raise_doubt),
		with_world(another_block_than_before_is_not_final_yet),
		with_world(gone_when_it_should_be_final),
		with_world(who_did_not_answer_has_not_said_no),
		with_world(a_settled_one_that_vanished_goes_out_again),
		with_world(a_gap_is_filled_after_three_heads),
		with_world(a_stolen_nonce_is_signed_anew),
		with_world(a_late_receipt_is_no_theft),
		with_world(one_endpoint_short_is_no_proof),
		with_world(nonce_too_low_looks_first),
		with_world(in_a_block_far_ahead_is_asked_again),
		with_world(a_revert_is_explained_by_preflight),
		with_world(a_revert_without_reason_is_signed_anew_twice),
		with_world(a_revert_that_a_fork_undoes_counts_for_nothing),
		with_world(out_of_gas_gets_more),
		with_world(a_batch_past_the_block_limit_is_too_large),
		with_world(small_blocks_make_small_batches),
		with_world(a_gap_that_nobody_takes_is_filled),
		with_world(a_nonce_far_ahead_is_given_up),
		with_world(signing_anew_is_bounded),
		with_world(a_base_fee_that_no_chain_has_is_not_offered),
		with_world(a_purse_that_runs_low_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
