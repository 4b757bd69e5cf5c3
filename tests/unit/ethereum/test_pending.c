/* SPDX-License-Identifier: Apache-2.0 */
#include "pending_fixture.h"

/* --- the way of one batch --- */

static void a_batch_becomes_final(void **state)
{
	struct world *w = *state;

	submit(w, 1, 0);
	/* Nothing is signed before the first head; what can be asked is asked. */
	expect(w, "count preflight:1");
	count(w, 0);
	passed(w, 1);
	expect(w, "");
	head(w, 10, 5);
	expect(w, "count quotes");
	count(w, 4);
	quotes(w, 3 * GWEI, 0);
	expect(w, "sign:1#4@3 send:1");
	assert_int_equal(w->last.gas_limit, 150000);
	assert_int_equal(w->last.chain_id, 31337);
	assert_int_equal(w->last.to[19], 0xc0);
	answer(w, 1, ANSWER_ACCEPTED);
	expect(w, "");
	head(w, 11, 6);
	expect(w, "count");
	count(w, 4); /* not yet: no receipt is asked for */
	expect(w, "");
	head(w, 12, 7);
	expect(w, "count");
	count(w, 5);
	expect(w, "look:1");
	found(w, 1, 12, true);
	expect(w, "");
	head(w, 13, 11);
	expect(w, "count");
	count(w, 5);
	expect(w, "");
	head(w, 14, 12);
	expect(w, "count look:1=");
	count(w, 5);
	found(w, 1, 12, true);
	expect(w, "final:1");
	assert_int_equal(w->fate.block, 12);
	assert_int_equal(w->fate.ticket, 1);
	expect(w, "");
	assert_true(pending_due(w->set, w->now) == UINT64_MAX);
}

/* Immediate finality (QBFT): one head settles it. */
static void depth_zero_settles_at_once(void **state)
{
	struct world *w = *state;

	send_one(w, 1, 0, 0);
	head(w, 11, 11);
	expect(w, "count");
	count(w, 1);
	expect(w, "look:1");
	found(w, 1, 11, true);
	expect(w, "look:1=");
	found(w, 1, 11, true);
	expect(w, "final:1");
}

static void a_refusal_takes_no_nonce(void **state)
{
	struct world *w = *state;
	struct preflight p = {.outcome = PREFLIGHT_REFUSED,
		.refusal = {.code = REFUSED_PROTECTED,
			.entry = 7,
			.conflict = {.kind = INDICATOR_IP4, .plen = 24}}};

	head(w, 10, 5);
	submit(w, 1, 0);
	submit(w, 2, 10);
	act(w);
	count(w, 9);
	quotes(w, GWEI, 0);
	pending_preflight(w->set, by_ticket(w, 1), &p, w->now, 0);
	passed(w, 2);
	expect(w, "refused:1 sign:2#9@1 send:2");
	assert_int_equal(w->fate.refusal.code, REFUSED_PROTECTED);
	assert_int_equal(w->fate.refusal.entry, 7);
	assert_int_equal(w->fate.refusal.conflict.plen, 24);
	assert_int_equal(w->set->open, 1);
}

static void an_unexplained_refusal_fails(void **state)
{
	struct world *w = *state;
	struct preflight p = {
		.outcome = PREFLIGHT_FAILED, .error = {"the contract says Panic(0x11)"}};

	head(w, 10, 5);
	submit(w, 1, 0);
	act(w);
	pending_preflight(w->set, by_ticket(w, 1), &p, w->now, 0);
	expect(w, "failed:1");
	assert_string_equal(w->fate.error.text, "the contract says Panic(0x11)");
	/* It may be handed over again, and is not taken for the old one. */
	assert_true(submit(w, 2, 0));
	expect(w, "preflight:2");
}

static void nobody_answers_and_nothing_is_lost(void **state)
{
	struct world *w = *state;
	struct preflight p = {.outcome = PREFLIGHT_AGAIN};

	head(w, 10, 5);
	submit(w, 1, 0);
	assert_string_equal(act_reachable(w, false), "");
	expect(w, "count quotes preflight:1");
	pending_count(w->set, false, 0, w->now, 0);
	pending_quotes(w->set, NULL, w->now, 0);
	p.retry_ms = 5000;
	pending_preflight(w->set, by_ticket(w, 1), &p, w->now, 0);
	expect(w, "");
	w->now += 2000;
	expect(w, "count quotes");
	w->now += 3000;
	expect(w, "preflight:1"); /* when the provider said */
	p.retry_ms = 0;
	for (int i = 0; i < 20; i++) {
		pending_preflight(w->set, by_ticket(w, 1), &p, w->now, 0);
		expect(w, "");
		assert_in_range(pending_due(w->set, w->now) - w->now, 750, 1000);
		w->now += 60000;
		expect(w, "preflight:1");
	}
	passed(w, 1);
	count(w, 0);
	quotes(w, GWEI, 0);
	expect(w, "sign:1#0@1 send:1");
}

static void backoff_doubles_and_is_spread(void **state)
{
	(void)state;
	assert_int_equal(pending_backoff(0, 0), 750);
	assert_int_equal(pending_backoff(0, 499), 1249);
	assert_int_equal(pending_backoff(3, 0), 6000);
	assert_int_equal(pending_backoff(5, 0), 24000);
	for (unsigned n = 6; n < 200; n += 7) {
		assert_int_equal(pending_backoff(n, 0), 45000);
		assert_in_range(pending_backoff(n, UINT32_MAX), 45000, 75000);
	}
}

/* --- several --- */

static void twenty_go_out_in_one_sequence(void **state)
{
	struct world *w = *state;
	char line[1000] = "";

	head(w, 10, 5);
	for (unsigned t = 1; t <= 20; t++)
		submit(w, t, t * 10);
	act(w);
	count(w, 100);
	quotes(w, GWEI, 0);
	for (unsigned t = 1; t <= 20; t++) {
		passed(w, t);
		snprintf(line + strlen(line), sizeof line - strlen(line),
			"%ssign:%u#%u@1 send:%u", t > 1 ? " " : "", t, 99 + t, t);
	}
	expect(w, line);
	for (unsigned t = 1; t <= 20; t++)
		answer(w, t, ANSWER_ACCEPTED);
	/* Half of them are mined: only those are looked for. */
	head(w, 11, 5);
	expect(w, "count");
	count(w, 110);
	expect(w,
		"look:1 look:2 look:3 look:4 look:5 look:6 look:7 look:8 look:9 look:10");
	/* The next ones continue behind all of them. */
	submit(w, 21, 900);
	act(w);
	passed(w, 21);
	quotes(w, GWEI, 0);
	expect(w, "sign:21#120@1 send:21");
}

static void sixty_four_is_full(void **state)
{
	struct world *w = *state;
	struct buffer call = call_of(5000, 1, 1);
	struct error err = {""};
	bool fresh;

	for (unsigned t = 1; t <= PENDING_MAX; t++)
		submit(w, t, t * 10);
	assert_null(pending_submit(w->set, 99, view_of(call.p, call.n), &fresh, &err));
	assert_string_equal(err.text,
		"64 batches wait for the chain already: they go on as soon as it takes "
		"them");
	/* One that is there is taken over all the same. */
	assert_false(submit(w, 99, 10));
	assert_int_equal(w->set->open, PENDING_MAX);
	buffer_free(&call);
}

static void what_is_no_batch_is_refused(void **state)
{
	struct world *w = *state;
	struct buffer call = call_of(0, 3, 1);
	struct error err = {""};
	bool fresh;

	for (size_t n = 0; n < call.n; n++)
		assert_null(pending_submit(w->set, 1, view_of(call.p, n), &fresh, &err));
	assert_string_equal(err.text, "the batch is malformed");
	/* Bytes of the ABI's padding or offsets changed: another encoding. */
	call.p[SELECTOR_SIZE]++;
	assert_null(pending_submit(w->set, 1, view_of(call.p, call.n), &fresh, &err));
	call.p[SELECTOR_SIZE]--;
	call.p[0] ^= 1;
	assert_null(pending_submit(w->set, 1, view_of(call.p, call.n), &fresh, &err));
	call.p[0] ^= 1;
	assert_non_null(pending_submit(w->set, 1, view_of(call.p, call.n), &fresh, &err));
	buffer_free(&call);
}

static void the_sequence_follows_chain_and_journal(void **state)
{
	struct world *w = *state;

	/* The journal knows 6; the chain says 9: somebody used the key. */
	pending_free(w->set);
	start(w, 6);
	send_one(w, 1, 0, 9);
	assert_int_equal(by_ticket(w, 1)->nonce, 9);
	/* The chain still says 9, or less: it lags. */
	send_one(w, 2, 10, 9);
	assert_int_equal(by_ticket(w, 2)->nonce, 10);
	assert_int_equal(w->set->highest, 10);
}

/* --- again and again --- */

static void the_same_bytes_again(void **state)
{
	struct world *w = *state;
	uint8_t first[HASH_SIZE];

	w->settings.zero_fee = true;
	send_one(w, 1, 0, 0);
	memcpy(first, w->last_hash, HASH_SIZE);
	for (uint64_t n = 11; n < 14; n++) {
		head(w, n, 5);
		expect(w, "count");
		count(w, 0);
		expect(w, "");
	}
	head(w, 14, 5);
	expect(w, "count send:1 look:1"); /* a receipt in any case at times */
	absent(w, 1);
	count(w, 0);
	expect(w, "");
	assert_memory_equal(pending_offer(by_ticket(w, 1))->hash, first, HASH_SIZE);
	assert_int_equal(by_ticket(w, 1)->offer_count, 1);
	answer(w, 1, ANSWER_KNOWN);
	/* No block for long: seconds count, more and more of them. */
	w->now += 7999;
	expect(w, "");
	w->now += 8001;
	expect(w, "send:1");
	answer(w, 1, ANSWER_KNOWN);
	w->now += 31999;
	expect(w, "");
	w->now += 1;
	expect(w, "send:1");
}

static void a_sending_that_reaches_nobody_is_repeated(void **state)
{
	struct world *w = *state;

	head(w, 10, 5);
	submit(w, 1, 0);
	act(w);
	passed(w, 1);
	count(w, 0);
	quotes(w, GWEI, 0);
	act(w);
	answer(w, 1, ANSWER_NONE);
	expect(w, "");
	w->now += 750;
	/* Also when nobody can be asked: it may be taken all the same. */
	assert_string_equal(act_reachable(w, false), "send:1");
	answer(w, 1, ANSWER_NONE);
	w->now += 1499;
	expect(w, "");
	w->now += 1;
	expect(w, "send:1");
	answer(w, 1, ANSWER_ACCEPTED);
	assert_int_equal(by_ticket(w, 1)->failures, 0);
}

static void raised_after_thirty_seconds(void **state)
{
	struct world *w = *state;

	send_one(w, 1, 0, 0);
	assert_int_equal(w->last.max_fee, GWEI);
	/* A chain that stands still is not waiting for more. */
	w->now += 100000;
	expect(w, "send:1");
	answer(w, 1, ANSWER_KNOWN);
	expect(w, "");
	head(w, 11, 5);
	act(w);
	count(w, 0);
	expect(w, "");
	head(w, 12, 5);
	expect(w, "count quotes"); /* of this head, for the raise */
	count(w, 0);
	quotes(w, GWEI, GWEI);
	expect(w, "sign:1#0@1 send:1");
	assert_int_equal(w->last.max_fee, GWEI + GWEI / 8 + 1);
	assert_int_equal(w->last.nonce, 0);
	assert_int_equal(by_ticket(w, 1)->offer_count, 2);
	answer(w, 1, ANSWER_ACCEPTED);
	expect(w, "");
}

static void raised_after_twelve_blocks(void **state)
{
	struct world *w = *state;
	bool raised = false;
	uint64_t n = 11;

	send_one(w, 1, 0, 0);
	for (; n < 40 && !raised; n++) {
		head(w, n, 5);
		act(w);
		if (by_ticket(w, 1)->looking)
			absent(w, 1);
		if (by_ticket(w, 1)->sending)
			answer(w, 1, ANSWER_KNOWN);
		count(w, 0);
		if (w->set->quoting)
			quotes(w, GWEI, GWEI);
		act(w);
		raised = by_ticket(w, 1)->offer_count == 2;
	}
	assert_int_equal(n - 1, 22); /* sent at 10 */
}

static void who_waits_behind_is_not_raised(void **state)
{
	struct world *w = *state;

	send_one(w, 1, 0, 0);
	send_one(w, 2, 10, 0);
	w->now += 20000;
	act(w);
	answer(w, 1, ANSWER_KNOWN);
	answer(w, 2, ANSWER_KNOWN);
	w->now += 20000;
	act(w);
	answer(w, 1, ANSWER_KNOWN);
	answer(w, 2, ANSWER_KNOWN);
	head(w, 11, 5);
	act(w);
	head(w, 12, 5);
	count(w, 0);
	act(w);
	quotes(w, GWEI, GWEI);
	assert_non_null(strstr(act(w), "sign:1#0@1"));
	assert_int_equal(by_ticket(w, 1)->offer_count, 2);
	assert_int_equal(by_ticket(w, 2)->offer_count, 1);
}

static void any_of_several_offers_settles(void **state)
{
	struct world *w = *state;
	struct sighting s = {
		.kind = SIGHTING_FOUND, .succeeded = true, .block = 13, .offer = 0};

	raised_after_thirty_seconds(state);
	head(w, 13, 13);
	act(w);
	count(w, 1);
	expect(w, "look:1");
	block_hash(s.block_hash, 13, w->fork);
	look_gives(w, 1, s); /* the first one */
	expect(w, "look:1=");
	look_gives(w, 1, s);
	expect(w, "final:1");
	assert_int_equal(w->fate.block, 13);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_world(a_batch_becomes_final),
		with_world(depth_zero_settles_at_once),
		with_world(a_refusal_takes_no_nonce),
		with_world(an_unexplained_refusal_fails),
		with_world(nobody_answers_and_nothing_is_lost),
		with_world(backoff_doubles_and_is_spread),
		with_world(twenty_go_out_in_one_sequence),
		with_world(sixty_four_is_full),
		with_world(what_is_no_batch_is_refused),
		with_world(the_sequence_follows_chain_and_journal),
		with_world(the_same_bytes_again),
		with_world(a_sending_that_reaches_nobody_is_repeated),
		with_world(raised_after_thirty_seconds),
		with_world(raised_after_twelve_blocks),
		with_world(who_waits_behind_is_not_raised),
		with_world(any_of_several_offers_settles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
