/* SPDX-License-Identifier: Apache-2.0 */
#include "writer_scene.h"

#include <signal.h>

#include "ledger/ethereum/abi.h"
#include "ledger/ethereum/writer_state.h"

/*
 * Endpoints that lie to the writer. What cannot be undone (a nonce that nobody
 * can mine, a second signature of the same batch, a fate) is not one endpoint's
 * to say where another can be asked, or where the verified operations tell.
 */
static struct fake_chain *liar_of(struct scene *s)
{
	stage_until(&s->stage,
		pool_followed(s->stage.pool) &&
			(s->chains == 1 || pool_witnesses(s->stage.pool) == 1));
	for (unsigned i = 0; i < s->chains; i++)
		if (pool_rpc(s->stage.pool, i) == pool_followed(s->stage.pool))
			return s->chain[i];
	fail_msg("nobody is followed");
	return NULL;
}

static struct fake_chain *other_than(struct scene *s, const struct fake_chain *c)
{
	return s->chain[0] == c ? s->chain[1] : s->chain[0];
}

static void mine_both(struct scene *s)
{
	for (unsigned i = 0; i < s->chains; i++)
		chain_mine(s->chain[i]);
}

/* So many blocks, and for each some turns and two seconds. */
static void blocks(struct scene *s, unsigned n)
{
	while (n--) {
		mine_both(s);
		for (unsigned i = 0; i < 60; i++) {
			stage_skew += 33;
			stage_turn(&s->stage);
		}
	}
}

static void a_nonce_far_ahead_is_not_signed(void **state)
{
	struct scene *s = *state;
	struct fake_chain *liar = liar_of(s), *honest = other_than(s, liar);

	chain_lock(liar);
	liar->ahead = 1000;
	chain_unlock(liar);
	stage_submit(&s->stage, &s->batch[0]);
	stage_until(&s->stage, chain_read(honest, &honest->sent_count) == 1);
	assert_int_equal(honest->sent[0].nonce, 0);
}

/* With nobody else to ask it is taken as said. */
static void another_program_used_the_key_before(void **state)
{
	struct scene *s = *state;
	struct fake_chain *c = liar_of(s);

	chain_lock(c);
	c->ahead = 7;
	chain_unlock(c);
	stage_submit(&s->stage, &s->batch[0]);
	stage_until(&s->stage, sent_to(s) == 1);
	assert_int_equal(c->sent[0].nonce, 7);
}

static void a_nonce_said_to_be_used_is_not_given_up(void **state)
{
	struct scene *s = *state;
	struct fake_chain *liar = liar_of(s), *honest = other_than(s, liar);

	for (unsigned i = 0; i < 2; i++) {
		chain_lock(s->chain[i]);
		s->chain[i]->answers_and_loses = true; /* it waits, and is not mined */
		chain_unlock(s->chain[i]);
	}
	stage_submit(&s->stage, &s->batch[0]);
	stage_until(&s->stage,
		chain_read(honest, &honest->sent_count) == 1 &&
			chain_read(liar, &liar->sent_count) == 1);
	chain_lock(liar);
	liar->ahead = 1;
	chain_unlock(liar);
	blocks(s, 8);
	for (unsigned i = 0; i < honest->sent_count; i++)
		assert_int_equal(honest->sent[i].nonce, 0);
	assert_null(strstr(s->stage.troubles, "was used by another program"));
	assert_int_equal(s->stage.fate_count, 0);
}

static void a_revert_that_one_invents_signs_nothing_anew(void **state)
{
	struct scene *s = *state;
	struct fake_chain *liar = liar_of(s), *honest = other_than(s, liar);

	chain_lock(liar);
	liar->says_reverted = true;
	chain_unlock(liar);
	stage_submit(&s->stage, &s->batch[0]);
	stage_until(&s->stage,
		chain_read(honest, &honest->sent_count) == 1 &&
			chain_read(liar, &liar->sent_count) == 1);
	blocks(s, 8);
	assert_int_equal(chain_read(honest, &honest->sent_count), 1);
	assert_int_equal(s->stage.fate_count, 0);
	chain_lock(liar);
	liar->says_reverted = false;
	chain_unlock(liar);
	stage_until_doing(&s->stage, s->stage.fate_count, stage_skew += 20);
	assert_int_equal(s->stage.fates[0].fate, FATE_FINAL);
	assert_int_equal(chain_holds(honest, s->batch[0].hash), 1);
}

/* --- with verified operations --- */

/* The journal's head is the chain's newest block. */
static void verified(struct scene *s, const struct ledger_event *event)
{
	struct fake_chain *c = s->chain[0];
	uint8_t hash[HASH_SIZE];
	struct error err;

	chain_lock(c);
	chain_hash(c, hash, c->head);
	if (journal_begin(s->stage.journal, &err) ||
		(event && journal_event(s->stage.journal, event, 0, &err)) ||
		journal_set_head(s->stage.journal, c->head, hash, &err) ||
		journal_commit(s->stage.journal, &err))
		fail_msg("%s", err.text);
	chain_unlock(c);
}

static void a_receipt_without_its_operation_settles_nothing(void **state)
{
	struct scene *s = *state;
	uint64_t mined = 0;

	liar_of(s);
	chain_lock(s->chain[0]);
	s->chain[0]->answers_and_loses = true;
	s->chain[0]->forges = 4;
	chain_unlock(s->chain[0]);
	chain_mine(s->chain[0]);
	verified(s, NULL);
	stage_submit(&s->stage, &s->batch[0]);
	stage_until_doing(&s->stage, strstr(s->stage.troubles, "is not believed for"),
		mine_now_and_then(s, &mined, 50));
	assert_non_null(strstr(s->stage.troubles,
		"its receipt is of a batch that the verified operations of that block do "
		"not have"));
	assert_int_equal(s->stage.fate_count, 0);
	assert_int_equal(writer_pending(s->stage.writer), 1);
}

/* The only endpoint says "reverted", but the operation is there. */
static void a_revert_of_what_was_verified_is_none(void **state)
{
	struct scene *s = *state;
	struct operation op = {.type = OP_BATCH, .time = 1700000004, .member = 1};
	struct ledger_event event = {.chain = CHAIN_MEMBERS, .block = 4};
	struct buffer bytes = {0};

	liar_of(s);
	stage_submit(&s->stage, &s->batch[0]);
	stage_until(&s->stage, sent_to(s) == 1);
	chain_lock(s->chain[0]);
	s->chain[0]->says_reverted = true;
	chain_unlock(s->chain[0]);
	memcpy(op.actor, signer_address(s->stage.signer), ADDRESS20);
	op.count = s->batch[0].batch.count;
	op.words = s->batch[0].words;
	assert_int_equal(operation_encode(&bytes, &op), 0);
	event.operation = op;
	event.bytes = view_of(bytes.p, bytes.n);
	/* No head is told in between: the journal is there first. */
	chain_mine(s->chain[0]);
	verified(s, &event);
	stage_until_doing(&s->stage, s->stage.fate_count, stage_skew += 5);
	assert_int_equal(s->stage.fates[0].fate, FATE_FINAL);
	assert_int_equal(s->stage.fates[0].block, 4);
	assert_int_equal(sent_to(s), 1);
	buffer_free(&bytes);
}

static struct inquiry *inquiry_of(struct writer *w, unsigned calls)
{
	struct inquiry *q = w->inquiries;

	while (q && q->count != calls)
		q = q->next;
	assert_non_null(q);
	return q;
}

/* It was asked for two kinds of quotes, and then tells a head without a base fee. */
static void a_head_of_another_sort_comes_between(void **state)
{
	enum { NODES = 5 };
	struct scene *s = *state;
	struct inquiry *q;
	struct writer *w;
	char url[64];

	close_stage(s);
	while (s->stage.settings.endpoint_count < NODES)
		endpoint(&s->stage, chain_url(url, s->chain[0]));
	reopen(s);
	stage_until(&s->stage,
		pool_followed(s->stage.pool) &&
			pool_witnesses(s->stage.pool) == NODES - 1);
	w = s->stage.writer;
	w->set->head.has_base_fee = true;
	writer_quotes(w);
	q = inquiry_of(w, 2);
	q->quoted[0] = q->quoted[1] = true;
	q->done(q); /* nothing was agreed on: all are asked */
	inquiry_free(q);
	q = inquiry_of(w, 2 * NODES);
	for (unsigned k = 0; k < 2 * NODES; k++) {
		q->quoted[k] = true;
		q->quotes[k] = 1000 + k;
	}
	w->set->head.has_base_fee = false;
	q->done(q);
	inquiry_free(q);
	assert_int_equal(w->set->quotes.gas_price, 1004);
	assert_int_equal(w->set->quotes.priority_fee, 1005);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with(setup_two, a_nonce_far_ahead_is_not_signed),
		with(setup, another_program_used_the_key_before),
		with(setup_two, a_nonce_said_to_be_used_is_not_given_up),
		with(setup_two, a_revert_that_one_invents_signs_nothing_anew),
		with(setup, a_receipt_without_its_operation_settles_nothing),
		with(setup, a_revert_of_what_was_verified_is_none),
		with(setup, a_head_of_another_sort_comes_between),
	};

	log_open("writer-lies", LOG_LEVEL_ERROR);
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
