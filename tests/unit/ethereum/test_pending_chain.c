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

static void a_batch_past_the_block_limit_fails(void **state)
{
	struct world *w = *state;
	struct preflight p = {.outcome = PREFLIGHT_PASSED, .gas = 31000000};

	head(w, 10, 5);
	submit(w, 1, 0);
	act(w);
	pending_preflight(w->set, by_ticket(w, 1), &p, w->now, 0);
	count(w, 0);
	quotes(w, GWEI, 0);
	expect(w, "failed:1");
	assert_string_equal(w->fate.error.text,
		"the batch of 2 words needs 31000000 gas and a block holds 30000000: send "
		"smaller batches");
	assert_int_equal(w->set->highest, -1);
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
		with_world(a_batch_past_the_block_limit_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
