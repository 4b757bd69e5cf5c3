/* SPDX-License-Identifier: Apache-2.0 */
#include "pending_fixture.h"

/* What nodes answer to a sending, and what it costs. */

static void max_fee_holds_it_back_and_says_so_once(void **state)
{
	struct world *w = *state;

	w->settings.max_fee = 2 * GWEI;
	head(w, 10, 5);
	submit(w, 1, 0);
	act(w);
	passed(w, 1);
	count(w, 0);
	quotes(w, 3 * GWEI, 0);
	expect(w, "trouble");
	assert_string_equal(w->said,
		"reports wait: the chain asks 3 gwei a gas, the setting max_fee allows 2 "
		"gwei: raise it or wait");
	expect(w, "");
	head(w, 11, 5);
	expect(w, "count quotes");
	count(w, 0);
	quotes(w, 3 * GWEI, 0);
	expect(w, "");
	head(w, 12, 5);
	act(w);
	count(w, 0);
	quotes(w, 2 * GWEI, 0);
	expect(w, "sign:1#0@2 healthy send:1");
}

static void no_raise_past_max_fee(void **state)
{
	struct world *w = *state;

	w->settings.max_fee = GWEI + GWEI / 20;
	send_one(w, 1, 0, 0);
	w->now += 50000;
	act(w);
	answer(w, 1, ANSWER_KNOWN);
	head(w, 11, 5);
	act(w);
	head(w, 12, 5);
	count(w, 0);
	act(w);
	count(w, 0);
	act(w);
	quotes(w, GWEI, 0);
	expect(w, "trouble");
	assert_non_null(strstr(w->said, "the setting max_fee allows 1.05 gwei"));
	assert_int_equal(by_ticket(w, 1)->offer_count, 1);
	w->now += 100000;
	expect(w, "send:1"); /* the same bytes, as ever */
}

static void underpriced_is_raised_at_once(void **state)
{
	struct world *w = *state;

	head_of(w, 10, 5, 10 * GWEI, true);
	submit(w, 1, 0);
	act(w);
	passed(w, 1);
	count(w, 0);
	quotes(w, 0, GWEI);
	expect(w, "sign:1#0@21 send:1");
	assert_true(w->last.dynamic);
	head_of(w, 24, 5, 40 * GWEI, true);
	act(w);
	count(w, 0);
	answer(w, 1, ANSWER_UNDERPRICED); /* "less than block base fee" */
	w->now += 750;
	expect(w, "quotes");
	quotes(w, 0, GWEI);
	expect(w, "sign:1#0@81 send:1");
}

static void replacement_underpriced_waits_for_its_turn(void **state)
{
	struct world *w = *state;

	send_one(w, 1, 0, 0);
	w->now += 8000;
	act(w);
	answer(w, 1, ANSWER_REPLACEMENT);
	expect(w, "");
	assert_int_equal(by_ticket(w, 1)->offer_count, 1);
}

static void zero_fee_is_never_raised(void **state)
{
	struct world *w = *state;

	w->settings.zero_fee = true;
	head(w, 10, 5);
	submit(w, 1, 0);
	expect(w, "count preflight:1"); /* no quotes: whatever they say */
	passed(w, 1);
	count(w, 0);
	expect(w, "sign:1#0@0 send:1");
	answer(w, 1, ANSWER_ACCEPTED);
	for (uint64_t n = 11; n < 60; n++) {
		w->now += 10000;
		head(w, n, 5);
		act(w);
		if (by_ticket(w, 1)->looking)
			absent(w, 1);
		count(w, 0);
		act(w);
		if (by_ticket(w, 1)->sending)
			answer(w, 1, ANSWER_KNOWN);
	}
	assert_int_equal(by_ticket(w, 1)->offer_count, 1);
	assert_true(by_ticket(w, 1)->sendings > 3);
	assert_string_equal(w->said, "");
}

static void zero_fee_refused_names_the_setting(void **state)
{
	struct world *w = *state;

	w->settings.zero_fee = true;
	head(w, 10, 5);
	submit(w, 1, 0);
	act(w);
	passed(w, 1);
	count(w, 0);
	act(w);
	answer(w, 1, ANSWER_UNDERPRICED);
	expect(w, "trouble");
	assert_string_equal(w->said,
		"the chain takes no transaction without fees: set zero_fee = no and fill "
		"the key's purse");
	assert_int_equal(by_ticket(w, 1)->offer_count, 1);
}

/* zero_fee = no, an empty purse, no base fee: try without before giving up. */
static void an_empty_purse_tries_zero(void **state)
{
	struct world *w = *state;

	head(w, 10, 5);
	submit(w, 1, 0);
	act(w);
	passed(w, 1);
	count(w, 0);
	quotes(w, GWEI, 0);
	expect(w, "sign:1#0@1 send:1");
	answer(w, 1, ANSWER_INSUFFICIENT_FUNDS);
	expect(w, "sign:1#0@0 send:1");
	answer(w, 1, ANSWER_ACCEPTED);
	expect(w, "healthy");
	assert_string_equal(w->said,
		"this chain takes transactions without fees, and they are offered none "
		"now: the setting zero_fee = yes says so from the start");
	/* The next one offers none from the start. */
	submit(w, 2, 10);
	expect(w, "preflight:2");
	passed(w, 2);
	expect(w, "sign:2#1@0 send:2");
}

static void an_empty_purse_is_named(void **state)
{
	struct world *w = *state;

	an_empty_purse_tries_zero(state);
	pending_free(w->set);
	start(w, -1);
	head(w, 10, 5);
	submit(w, 1, 0);
	act(w);
	passed(w, 1);
	count(w, 0);
	quotes(w, GWEI, 0);
	act(w);
	answer(w, 1, ANSWER_INSUFFICIENT_FUNDS);
	expect(w, "sign:1#0@0 send:1");
	answer(w, 1, ANSWER_UNDERPRICED);
	w->now += 10000;
	expect(w, "send:1"); /* the paying one again, not a third */
	assert_int_equal(pending_offer(by_ticket(w, 1))->max_fee, GWEI);
	assert_int_equal(by_ticket(w, 1)->offer_count, 2);
	answer(w, 1, ANSWER_INSUFFICIENT_FUNDS);
	expect(w, "trouble");
	/* The address of EIP-155's example. */
	assert_string_equal(w->said,
		"the purse of 0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F is empty: a "
		"transaction may cost up to 0.00015 of the chain's coin, send some to this "
		"address (reports wait until then)");
	expect(w, "");
	w->now += 60000;
	expect(w, "send:1");
	answer(w, 1, ANSWER_ACCEPTED); /* it was filled */
	expect(w, "healthy");
}

/* Eleven blocks with nonce 0 still free; each sending answered as `a`. */
static void eleven_blocks(struct world *w, uint64_t ticket, enum answer a)
{
	uint64_t from = w->set->head.number;

	for (uint64_t n = from + 1; n <= from + 11; n++) {
		head(w, n, 5);
		act(w);
		count(w, 0);
		quotes(w, GWEI, 0);
		act(w);
		if (by_ticket(w, ticket)->sending)
			answer(w, ticket, a);
		if (by_ticket(w, ticket)->looking)
			absent(w, ticket);
	}
}

/* An endpoint takes what no validator wants, and the purse has been filled since. */
static void zero_that_nobody_mines_is_paid_in_the_end(void **state)
{
	struct world *w = *state;

	an_empty_purse_tries_zero(state);
	answer(w, 2, ANSWER_ACCEPTED);
	eleven_blocks(w, 1, ANSWER_KNOWN);
	assert_int_equal(pending_offer(by_ticket(w, 1))->max_fee, 0);
	head(w, 22, 5);
	assert_non_null(strstr(act(w), "send:1"));
	assert_int_equal(pending_offer(by_ticket(w, 1))->max_fee, GWEI);
	assert_int_equal(by_ticket(w, 1)->offer_count, 2); /* the former one again */
	assert_string_equal(w->said,
		"nonce 0: an endpoint took the transaction without fees, and no block has "
		"it: fees are offered again (is the key's purse filled?)");
	answer(w, 1, ANSWER_ACCEPTED);
	/* What comes now is paid from the start. */
	count(w, 0);
	quotes(w, GWEI, 0);
	submit(w, 3, 20);
	act(w);
	passed(w, 3);
	assert_non_null(strstr(act(w), "sign:3#2@1"));
}

/* Where nothing is asked nothing is said, and nothing else is signed. */
static void zero_that_is_asked_for_stays(void **state)
{
	struct world *w = *state;

	head(w, 10, 5);
	submit(w, 1, 0);
	act(w);
	passed(w, 1);
	count(w, 0);
	quotes(w, 0, 0);
	expect(w, "sign:1#0@0 send:1");
	answer(w, 1, ANSWER_ACCEPTED);
	for (uint64_t n = 11; n <= 40; n++) {
		head(w, n, 5);
		assert_null(strstr(act(w), "trouble"));
		count(w, 0);
		quotes(w, 0, 0);
		assert_null(strstr(act(w), "sign"));
		if (by_ticket(w, 1)->sending)
			answer(w, 1, ANSWER_KNOWN);
		if (by_ticket(w, 1)->looking)
			absent(w, 1);
	}
	assert_int_equal(by_ticket(w, 1)->offer_count, 1);
}

static void a_base_fee_leaves_no_zero_to_try(void **state)
{
	struct world *w = *state;

	head_of(w, 10, 5, 7, true);
	submit(w, 1, 0);
	act(w);
	passed(w, 1);
	count(w, 0);
	quotes(w, 0, GWEI);
	act(w);
	answer(w, 1, ANSWER_INSUFFICIENT_FUNDS);
	expect(w, "trouble");
	assert_int_equal(by_ticket(w, 1)->offer_count, 1);
}

/* --- other answers --- */

static void type_two_refused_means_legacy(void **state)
{
	struct world *w = *state;

	head_of(w, 10, 5, 7, true);
	submit(w, 1, 0);
	act(w);
	passed(w, 1);
	count(w, 0);
	quotes(w, 3 * GWEI, GWEI);
	expect(w, "sign:1#0@1 send:1");
	assert_true(w->last.dynamic);
	answer(w, 1, ANSWER_TYPE_UNSUPPORTED);
	w->now += 750;
	expect(w, "sign:1#0@3 send:1");
	assert_false(w->last.dynamic);
	assert_int_equal(w->last.nonce, 0);
}

static void too_little_gas_is_doubled(void **state)
{
	struct world *w = *state;

	send_one(w, 1, 0, 0);
	w->now += 8000;
	expect(w, "send:1");
	answer(w, 1, ANSWER_GAS_LOW);
	w->now += 750;
	expect(w, "sign:1#0@1 send:1");
	assert_int_equal(w->last.gas_limit, 2 * gas_bound(2, 0));
}

static void strange_answers_are_told_and_it_goes_on(void **state)
{
	struct world *w = *state;
	static const enum answer strange[] = {ANSWER_OTHER, ANSWER_WRONG_CHAIN,
		ANSWER_NOT_PERMITTED, ANSWER_POOL_FULL, ANSWER_FEE_CAP, ANSWER_GAS_HIGH};

	send_one(w, 1, 0, 0);
	for (size_t i = 0; i < sizeof strange / sizeof *strange; i++) {
		w->now += 200000;
		expect(w, "send:1");
		answer(w, 1, strange[i]);
		expect(w, i ? "" : "trouble"); /* once */
	}
	assert_string_equal(w->said,
		"no endpoint takes the transaction with nonce 0: node-1: so it says");
	w->now += 200000;
	expect(w, "send:1");
	answer(w, 1, ANSWER_ACCEPTED);
	expect(w, "healthy");
	assert_int_equal(by_ticket(w, 1)->offer_count, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_world(max_fee_holds_it_back_and_says_so_once),
		with_world(no_raise_past_max_fee),
		with_world(underpriced_is_raised_at_once),
		with_world(replacement_underpriced_waits_for_its_turn),
		with_world(zero_fee_is_never_raised),
		with_world(zero_fee_refused_names_the_setting),
		with_world(an_empty_purse_tries_zero),
		with_world(an_empty_purse_is_named),
		with_world(zero_that_nobody_mines_is_paid_in_the_end),
		with_world(zero_that_is_asked_for_stays),
		with_world(a_base_fee_leaves_no_zero_to_try),
		with_world(type_two_refused_means_legacy),
		with_world(too_little_gas_is_doubled),
		with_world(strange_answers_are_told_and_it_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
