/* SPDX-License-Identifier: Apache-2.0 */
#include "writer_scene.h"

#include <signal.h>

#include "base/hex.h"
#include "base/keccak.h"

/*
 * The writer with its I/O: pool, journal and HTTP are the real ones, the chain
 * is fake_chain.c. What is decided is tested by test_pending*.c; here, that it
 * is done.
 */
static void one_batch(void **state)
{
	struct scene *s = *state;
	const struct chain_transaction *t;
	const struct ledger_fate *f;

	stage_submit(&s->stage, &s->batch[0]);
	assert_int_equal(writer_pending(s->stage.writer), 1);
	stage_until(&s->stage, sent_to(s) == 1);
	t = &s->chain[0]->sent[0];
	assert_memory_equal(t->sender, signer_address(s->stage.signer), ADDRESS20);
	assert_int_equal(t->nonce, 0);
	assert_false(t->dynamic);
	assert_int_equal(t->max_fee, 2000000000);
	assert_int_equal(t->gas, 100000); /* the estimate and a quarter */
	assert_int_equal(s->stage.fate_count, 0);
	chain_mine(s->chain[0]);
	stage_until(&s->stage, s->stage.fate_count == 1);
	f = &s->stage.fates[0];
	assert_int_equal(f->fate, FATE_FINAL);
	assert_int_equal(f->ticket, 1);
	assert_int_equal(f->block, 4);
	assert_int_equal(writer_pending(s->stage.writer), 0);
	assert_int_equal(chain_holds(s->chain[0], s->batch[0].hash), 1);
	/* Asked again with other words for it: the same answer, nothing sent. */
	s->batch[0].batch.ticket = 99;
	stage_submit(&s->stage, &s->batch[0]);
	stage_until(&s->stage, s->stage.fate_count == 2);
	assert_int_equal(s->stage.fates[1].ticket, 99);
	assert_int_equal(s->stage.fates[1].fate, FATE_FINAL);
	assert_int_equal(sent_to(s), 1);
	assert_string_equal(s->stage.troubles, "");
}

static void twenty_at_once(void **state)
{
	struct scene *s = *state;

	for (unsigned i = 0; i < 20; i++)
		stage_submit(&s->stage, &s->batch[i]);
	stage_until(&s->stage, sent_to(s) == 20);
	for (unsigned i = 0; i < 20; i++) {
		bool there = false;

		for (unsigned k = 0; k < 20; k++)
			there = there || s->chain[0]->sent[k].nonce == i;
		assert_true(there);
	}
	/* Those that came while others were on their way. */
	assert_true(chain_read(s->chain[0], &s->chain[0]->at_pending) > 0);
	for (unsigned i = 0; i < 20; i++)
		expect_final(s, i, i + 1);
	assert_int_equal(s->stage.fate_count, 20);
}

static void a_chain_with_base_fee_and_poor_engine(void **state)
{
	struct scene *s = *state;

	chain_lock(s->chain[0]);
	s->chain[0]->legacy = false;
	s->chain[0]->base_fee = 7000000000;
	s->chain[0]->no_pending = true;
	s->chain[0]->no_estimate = true;
	chain_unlock(s->chain[0]);
	stage_submit(&s->stage, &s->batch[0]);
	stage_submit(&s->stage, &s->batch[1]);
	stage_until(&s->stage, sent_to(s) == 2);
	assert_true(s->chain[0]->sent[0].dynamic);
	assert_int_equal(s->chain[0]->sent[0].max_fee, 15000000000);
	/* No estimate: the bound of 100 words. */
	assert_int_equal(s->chain[0]->sent[0].gas, 200000 + 100 * 40000);
	expect_final(s, 0, 1);
	expect_final(s, 1, 2);
	/* Found out once, then not asked again. */
	assert_in_range(chain_read(s->chain[0], &s->chain[0]->at_pending), 1, 2);
}

static void a_refusal_names_entry_and_conflict(void **state)
{
	struct scene *s = *state;
	static const char signature[] = "Protected(uint256,bytes18)";
	const struct ledger_fate *f;
	uint8_t revert[4 + 64] = {0}, hash[KECCAK_SIZE];

	keccak256(hash, signature, strlen(signature));
	memcpy(revert, hash, 4);
	revert[4 + 31] = 42;
	memcpy(revert + 36, "\x01\x18\x08\x08\x08", 5); /* 8.8.8.0/24 */
	chain_lock(s->chain[0]);
	memcpy(s->chain[0]->preflight_error, "0x", 2);
	hex_encode(s->chain[0]->preflight_error + 2, revert, sizeof revert);
	chain_unlock(s->chain[0]);
	stage_submit(&s->stage, &s->batch[0]);
	stage_until(&s->stage, s->stage.fate_count == 1);
	f = &s->stage.fates[0];
	assert_int_equal(f->fate, FATE_REFUSED);
	assert_int_equal(f->refusal.code, REFUSED_PROTECTED);
	assert_int_equal(f->refusal.entry, 42);
	assert_int_equal(f->refusal.conflict.kind, INDICATOR_IP4);
	assert_int_equal(f->refusal.conflict.plen, 24);
	assert_int_equal(sent_to(s), 0);
	/* The nonce is still free, and the same batch may be tried again. */
	chain_lock(s->chain[0]);
	s->chain[0]->preflight_error[0] = '\0';
	chain_unlock(s->chain[0]);
	s->batch[0].batch.ticket = 2;
	stage_submit(&s->stage, &s->batch[0]);
	expect_final(s, 0, 2);
	assert_int_equal(s->chain[0]->sent[0].nonce, 0);
}

static void mined_but_reverted(void **state)
{
	struct scene *s = *state;
	const struct ledger_fate *f;

	s->chain[0]->reverts = true;
	stage_submit(&s->stage, &s->batch[0]);
	f = settle(s, 1);
	assert_int_equal(f->fate, FATE_FAILED);
	assert_non_null(strstr(f->error.text, "reverted it 3 times"));
	assert_int_equal(sent_to(s), 3);
	/* All three nonces are used: the next one goes on behind them. */
	chain_lock(s->chain[0]);
	s->chain[0]->reverts = false;
	chain_unlock(s->chain[0]);
	stage_submit(&s->stage, &s->batch[1]);
	expect_final(s, 1, 2);
	assert_int_equal(s->chain[0]->sent[3].nonce, 3);
}

static void a_reorganisation_brings_it_back(void **state)
{
	struct scene *s = *state;

	s->stage.settings.depth = 6;
	for (unsigned i = 0; i < 3; i++)
		stage_submit(&s->stage, &s->batch[i]);
	stage_until(&s->stage, sent_to(s) == 3);
	chain_mine(s->chain[0]);
	chain_mine(s->chain[0]);
	assert_int_equal(chain_holds(s->chain[0], s->batch[0].hash), 1);
	stage_turns(&s->stage, 100);
	/* Dropped, and forgotten by the chain's pool as well. */
	chain_reorganise(s->chain[0], 2, false);
	chain_mine(s->chain[0]);
	assert_int_equal(chain_holds(s->chain[0], s->batch[0].hash), 0);
	assert_int_equal(s->stage.fate_count, 0);
	for (unsigned i = 0; i < 3; i++)
		expect_final(s, i, i + 1);
	/* The same bytes: no further transaction was signed. */
	assert_int_equal(sent_to(s), 3);
}

static void a_stolen_nonce(void **state)
{
	struct scene *s = *state;

	s->stage.settings.depth = 2;
	chain_lock(s->chain[0]);
	s->chain[0]->answers_and_loses = true;
	chain_unlock(s->chain[0]);
	stage_submit(&s->stage, &s->batch[0]);
	stage_until(&s->stage, sent_to(s) == 1);
	chain_lock(s->chain[0]);
	s->chain[0]->answers_and_loses = false;
	chain_unlock(s->chain[0]);
	chain_steal(s->chain[0]);
	expect_final(s, 0, 1);
	assert_int_equal(sent_to(s), 2);
	assert_int_equal(s->chain[0]->sent[1].nonce, 1);
	assert_non_null(strstr(s->stage.troubles,
		"- nonce 0 of this node's key was used by another program"));
	assert_non_null(strstr(s->stage.troubles, "+ nonces are this node's own again"));
}

static void lost_and_sent_again(void **state)
{
	struct scene *s = *state;

	chain_lock(s->chain[0]);
	s->chain[0]->answers_and_loses = true;
	chain_unlock(s->chain[0]);
	stage_submit(&s->stage, &s->batch[0]);
	stage_until(&s->stage, sent_to(s) == 1);
	chain_lock(s->chain[0]);
	s->chain[0]->answers_and_loses = false;
	chain_unlock(s->chain[0]);
	stage_skew += RESEND_MS;
	expect_final(s, 0, 1);
	assert_int_equal(sent_to(s), 1);
	assert_true(s->chain[0]->sent[0].seen >= 2);
}

/* Nobody mines it; half a minute later it offers more, under the same nonce. */
static void raised(void **state)
{
	struct scene *s = *state;
	uint64_t mined = 0;

	chain_lock(s->chain[0]);
	s->chain[0]->answers_and_loses = true;
	chain_unlock(s->chain[0]);
	stage_submit(&s->stage, &s->batch[0]);
	stage_until_doing(&s->stage, sent_to(s) == 2, mine_slowly(s, &mined));
	assert_int_equal(s->chain[0]->sent[1].nonce, 0);
	assert_true(s->chain[0]->sent[1].max_fee >= 2250000000);
	assert_true(s->chain[0]->sent[0].seen >= 2); /* first the same bytes */
	chain_lock(s->chain[0]);
	s->chain[0]->answers_and_loses = false;
	s->chain[0]->sent[0].dropped = false; /* the first one is mined after all */
	s->chain[0]->sent[0].max_fee = UINT64_MAX;
	chain_unlock(s->chain[0]);
	expect_final(s, 0, 1);
	assert_true(s->chain[0]->sent[0].block);
	assert_int_equal(s->chain[0]->sent[1].block, 0);
}

static void an_empty_purse(void **state)
{
	struct scene *s = *state;

	chain_lock(s->chain[0]);
	s->chain[0]->send_error = "insufficient funds for gas * price + value";
	s->chain[0]->send_errors = 1;
	chain_unlock(s->chain[0]);
	stage_submit(&s->stage, &s->batch[0]);
	expect_final(s, 0, 1);
	/* With fees it did not pass, without it did. */
	assert_int_equal(sent_to(s), 1);
	assert_int_equal(s->chain[0]->sent[0].max_fee, 0);
	assert_non_null(strstr(s->stage.troubles,
		"+ this chain takes transactions without "
		"fees"));
	/* None of both: the purse is named, and once filled all goes on. */
	chain_lock(s->chain[0]);
	s->chain[0]->send_errors = 3;
	chain_unlock(s->chain[0]);
	stage_submit(&s->stage, &s->batch[1]);
	stage_until_doing(&s->stage,
		strstr(s->stage.troubles,
			"- the purse of 0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F is empty"),
		stage_skew += 20);
	stage_until_doing(&s->stage, sent_to(s) == 2, stage_skew += 20);
	expect_final(s, 1, 2);
	assert_non_null(strstr(s->stage.troubles, "+ transactions can be paid again"));
}

static void limits_and_silence_lose_nothing(void **state)
{
	struct scene *s = *state;
	uint64_t begun;

	stage_until(&s->stage, pool_followed(s->stage.pool));
	chain_lock(s->chain[0]);
	s->chain[0]->limited = 5;
	chain_unlock(s->chain[0]);
	for (unsigned i = 0; i < 5; i++)
		stage_submit(&s->stage, &s->batch[i]);
	stage_until_doing(&s->stage, sent_to(s) == 5, stage_skew += 5);
	/* Down, and up again. */
	chain_lock(s->chain[0]);
	s->chain[0]->down = true;
	chain_unlock(s->chain[0]);
	for (unsigned i = 5; i < 8; i++)
		stage_submit(&s->stage, &s->batch[i]);
	begun = clock_monotonic();
	stage_until(&s->stage, clock_monotonic() - begun > 500000);
	assert_int_equal(s->stage.fate_count, 0);
	chain_lock(s->chain[0]);
	s->chain[0]->down = false;
	chain_unlock(s->chain[0]);
	stage_until_doing(&s->stage, sent_to(s) == 8, stage_skew += 5);
	for (unsigned i = 0; i < 8; i++)
		expect_final(s, i, i + 1);
}

/* The same bytes reach each endpoint, also one that cannot be followed. */
static void every_endpoint_gets_the_bytes(void **state)
{
	struct scene *s = *state;

	stage_until(&s->stage, pool_followed(s->stage.pool));
	stage_submit(&s->stage, &s->batch[0]);
	stage_until(&s->stage,
		sent_to(s) == 1 &&
			chain_read(s->chain[1], &s->chain[1]->sent_count) == 1);
	assert_memory_equal(
		s->chain[0]->sent[0].hash, s->chain[1]->sent[0].hash, HASH_SIZE);
	chain_mine(s->chain[0]);
	chain_mine(s->chain[1]);
	stage_until(&s->stage, s->stage.fate_count == 1);
	assert_int_equal(s->stage.fates[0].fate, FATE_FINAL);
}

static void a_restart_goes_on_by_itself(void **state)
{
	struct scene *s = *state;

	for (unsigned i = 0; i < 4; i++)
		stage_submit(&s->stage, &s->batch[i]);
	stage_until(&s->stage, sent_to(s) == 4);
	close_stage(s);
	/* The chain's node has forgotten them. */
	for (unsigned i = 0; i < 4; i++)
		s->chain[0]->sent[i].dropped = true;
	reopen(s);
	assert_int_equal(writer_pending(s->stage.writer), 4);
	for (unsigned i = 0; i < 4; i++)
		expect_final(s, i, i + 1);
	assert_int_equal(sent_to(s), 4);
	/* Once more: all is settled and told. */
	close_stage(s);
	reopen(s);
	stage_turns(&s->stage, 200);
	assert_int_equal(s->stage.fate_count, 0);
	s->batch[2].batch.ticket = 33;
	stage_submit(&s->stage, &s->batch[2]);
	stage_until(&s->stage, s->stage.fate_count == 1);
	assert_int_equal(s->stage.fates[0].ticket, 33);
	assert_int_equal(s->stage.fates[0].fate, FATE_FINAL);
	assert_int_equal(sent_to(s), 4);
}

static void sixty_four_wait_at_most(void **state)
{
	struct scene *s = *state;
	struct stage_batch b;
	struct error err = {""};

	s->chain[0]->limited = UINT32_MAX;
	for (unsigned i = 0; i < PENDING_MAX; i++) {
		stage_batch(&b, i + 1, 10000 + i, 1, 1800000000);
		stage_submit(&s->stage, &b);
	}
	stage_batch(&b, 99, 20000, 1, 1800000000);
	assert_int_equal(writer_submit(s->stage.writer, &b.batch, &err), -1);
	assert_non_null(strstr(err.text, "64 batches wait"));
}

static void what_the_journal_cannot_hold_is_not_sent(void **state)
{
	struct scene *s = *state;
	struct error err;

	stage_until(&s->stage, pool_followed(s->stage.pool));
	/* The reader is in the middle of writing. */
	assert_int_equal(journal_begin(s->stage.journal, &err), 0);
	stage_submit(&s->stage, &s->batch[0]);
	stage_until(&s->stage, s->stage.troubles[0]);
	assert_non_null(strstr(s->stage.troubles, "- a transaction waits: journal"));
	stage_turns(&s->stage, 100);
	assert_int_equal(sent_to(s), 0);
	journal_rollback(s->stage.journal);
	stage_until_doing(&s->stage, sent_to(s) == 1, stage_skew += 20);
	expect_final(s, 0, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with(setup, one_batch),
		with(setup, twenty_at_once),
		with(setup, a_chain_with_base_fee_and_poor_engine),
		with(setup, a_refusal_names_entry_and_conflict),
		with(setup, mined_but_reverted),
		with(setup, a_reorganisation_brings_it_back),
		with(setup, a_stolen_nonce),
		with(setup, lost_and_sent_again),
		with(setup, raised),
		with(setup, an_empty_purse),
		with(setup, limits_and_silence_lose_nothing),
		with(setup_two, every_endpoint_gets_the_bytes),
		with(setup, a_restart_goes_on_by_itself),
		with(setup, sixty_four_wait_at_most),
		with(setup, what_the_journal_cannot_hold_is_not_sent),
	};

	log_open("writer", LOG_LEVEL_WARNING); /* hundreds of transactions go out */
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
