/* SPDX-License-Identifier: Apache-2.0 */
#include "../cmocka_all.h"

#include "ledger/ethereum/fee.h"

#define GWEI UINT64_C(1000000000)

static const struct header legacy_head = {.number = 7, .gas_limit = 30000000};
static const struct header base_head = {
	.number = 7,
	.gas_limit = 30000000,
	.has_base_fee = true,
	.base_fee = 20 * GWEI,
};

static void legacy_takes_the_gas_price(void **state)
{
	struct fee_quotes q = {.gas_price = 3 * GWEI, .priority_fee = GWEI};
	struct ethereum_settings s = {.max_fee = 0};
	struct transaction t = {.dynamic = true, .priority_fee = 9};

	(void)state;
	assert_int_equal(fee_choose(&t, &legacy_head, &q, &s, NULL), 0);
	assert_false(t.dynamic);
	assert_int_equal(t.max_fee, 3 * GWEI);
	assert_int_equal(t.priority_fee, 0);
}

static void dynamic_offers_twice_the_base_fee(void **state)
{
	struct fee_quotes q = {.gas_price = 99 * GWEI, .priority_fee = 2 * GWEI};
	struct ethereum_settings s = {.max_fee = 0};
	struct transaction t = {.dynamic = false};

	(void)state;
	assert_int_equal(fee_choose(&t, &base_head, &q, &s, NULL), 0);
	assert_true(t.dynamic);
	assert_int_equal(t.max_fee, 42 * GWEI);
	assert_int_equal(t.priority_fee, 2 * GWEI);
}

static void zero_fee_offers_none_whatever_is_quoted(void **state)
{
	struct fee_quotes q = {.gas_price = GWEI, .priority_fee = GWEI};
	struct ethereum_settings s = {.zero_fee = true, .max_fee = 1};
	struct transaction t = {.max_fee = 5, .priority_fee = 5};
	struct header london = base_head;

	(void)state;
	assert_int_equal(fee_choose(&t, &legacy_head, &q, &s, NULL), 0);
	assert_false(t.dynamic);
	assert_int_equal(t.max_fee, 0);
	assert_int_equal(t.priority_fee, 0);
	london.base_fee = 0;
	assert_int_equal(fee_choose(&t, &london, &q, &s, NULL), 0);
	assert_true(t.dynamic);
	assert_int_equal(t.max_fee, 0);
	assert_int_equal(fee_raise(&t, &london, &q, &s), 1);
}

static void max_fee_is_a_limit_and_is_named(void **state)
{
	struct fee_quotes q = {.gas_price = 25 * GWEI, .priority_fee = GWEI};
	struct ethereum_settings s = {.max_fee = 21 * GWEI - 1};
	struct transaction t = {.nonce = 4};
	struct error err;

	(void)state;
	assert_int_equal(fee_choose(&t, &base_head, &q, &s, &err), -1);
	assert_string_equal(err.text,
		"the chain asks 21 gwei a gas, the setting max_fee allows "
		"20.999999999 gwei: raise it or wait");
	/* Enough for the next block: offered, but no more than allowed. */
	s.max_fee = 21 * GWEI;
	assert_int_equal(fee_choose(&t, &base_head, &q, &s, &err), 0);
	assert_int_equal(t.max_fee, 21 * GWEI);
	assert_int_equal(t.priority_fee, GWEI);
	assert_int_equal(fee_choose(&t, &legacy_head, &q, &s, &err), -1);
	assert_non_null(strstr(err.text, "asks 25 gwei"));
}

static void hostile_quotes_do_not_wrap(void **state)
{
	struct fee_quotes q = {.gas_price = 1, .priority_fee = UINT64_MAX};
	struct ethereum_settings s = {.max_fee = 0};
	struct header head = base_head;
	struct transaction t = {.nonce = 1};

	(void)state;
	head.base_fee = UINT64_MAX;
	assert_int_equal(fee_choose(&t, &head, &q, &s, NULL), -1);
	s.max_fee = 100 * GWEI;
	assert_int_equal(fee_choose(&t, &head, &q, &s, NULL), -1);
}

/* Without max_fee a quote is bounded all the same, and the setting is named. */
static void without_max_fee_a_bound_of_our_own(void **state)
{
	struct fee_quotes q = {.gas_price = 100 * GWEI};
	struct ethereum_settings s = {.max_fee = 0};
	struct transaction t = {.nonce = 1};
	struct error err = {""};

	(void)state;
	assert_int_equal(fee_choose(&t, &legacy_head, &q, &s, &err), 0);
	assert_int_equal(t.max_fee, 100 * GWEI);
	q.gas_price++;
	assert_int_equal(fee_choose(&t, &legacy_head, &q, &s, &err), -1);
	assert_string_equal(err.text,
		"the chain asks 100.000000001 gwei a gas, and without the setting max_fee no "
		"more than 100 gwei is offered: is that its price, set max_fee (--max-fee, "
		"[ledger] max_fee), else wait or ask other endpoints");
	/* It never pays more than ten times what it paid. */
	q.paid = 2 * GWEI;
	q.gas_price = 20 * GWEI;
	assert_int_equal(fee_choose(&t, &legacy_head, &q, &s, &err), 0);
	q.gas_price++;
	assert_int_equal(fee_choose(&t, &legacy_head, &q, &s, &err), -1);
	assert_non_null(strstr(err.text, "no more than 20 gwei"));
	q.paid = 1; /* a chain that was nearly free may come to cost a gwei */
	assert_true(fee_limit(&q, &s) == GWEI);
	q.paid = UINT64_MAX;
	assert_true(fee_limit(&q, &s) == FEE_LIMIT);
	/* Nor does a raise go past it. */
	t = (struct transaction){.max_fee = 95 * GWEI};
	q.paid = 0;
	assert_int_equal(fee_raise(&t, &legacy_head, &q, &s), 2);
	t.max_fee = 90 * GWEI;
	assert_int_equal(fee_raise(&t, &legacy_head, &q, &s), 0);
	assert_int_equal(t.max_fee, 100 * GWEI);
	/* The operator's word counts instead. */
	s.max_fee = 500 * GWEI;
	q.gas_price = 400 * GWEI;
	assert_int_equal(fee_choose(&t, &legacy_head, &q, &s, &err), 0);
	assert_int_equal(t.max_fee, 400 * GWEI);
}

static void a_hostile_priority_fee_is_cut(void **state)
{
	struct fee_quotes q = {.priority_fee = 60 * GWEI};
	struct ethereum_settings s = {.max_fee = 0};
	struct header head = base_head;
	struct transaction t = {.nonce = 1};

	(void)state;
	/* To the base fee, or to 3 gwei. */
	assert_true(fee_cuts_priority(&head, &q, &s));
	assert_int_equal(fee_choose(&t, &head, &q, &s, NULL), 0);
	assert_int_equal(t.priority_fee, 20 * GWEI);
	assert_int_equal(t.max_fee, 60 * GWEI);
	head.base_fee = 1000;
	assert_int_equal(fee_choose(&t, &head, &q, &s, NULL), 0);
	assert_int_equal(t.priority_fee, 3 * GWEI);
	q.priority_fee = 3 * GWEI;
	assert_false(fee_cuts_priority(&head, &q, &s));
	/* What the operator allows is not cut. */
	q.priority_fee = 60 * GWEI;
	s.max_fee = 300 * GWEI;
	assert_false(fee_cuts_priority(&head, &q, &s));
	assert_int_equal(fee_choose(&t, &head, &q, &s, NULL), 0);
	assert_int_equal(t.priority_fee, 60 * GWEI);
}

static void a_base_fee_rises_by_an_eighth_a_block(void **state)
{
	(void)state;
	assert_true(fee_base_bound(80 * GWEI, 0) == 80 * GWEI);
	assert_true(fee_base_bound(80 * GWEI, 1) == 90 * GWEI);
	assert_true(fee_base_bound(80 * GWEI, 2) == 101250000000);
	assert_true(fee_base_bound(0, 0) == GWEI);
	assert_true(fee_base_bound(80 * GWEI, UINT64_MAX) == UINT64_MAX);
}

static void what_init_pins(void **state)
{
	(void)state;
	assert_true(fee_pin(0) == GWEI);
	assert_true(fee_pin(1) == GWEI);
	assert_true(fee_pin(GWEI / 10) == GWEI);
	assert_true(fee_pin(GWEI / 10 + 1) == 2 * GWEI);
	assert_true(fee_pin(2 * GWEI) == 20 * GWEI);
	assert_true(fee_pin(100 * GWEI) == 1000 * GWEI);
	assert_true(fee_pin(100 * GWEI + 1) == 0); /* a person is to say so */
	assert_true(fee_pin(UINT64_MAX) == 0);
}

static void words_that_fit_a_block(void **state)
{
	(void)state;
	assert_int_equal(gas_words(100, 0, 1000000), 20);
	assert_true(gas_bound(20, 0) <= 1000000 && gas_bound(21, 0) > 1000000);
	assert_int_equal(gas_words(100, 6400, 1000000), 18);
	assert_int_equal(gas_words(100, 0, 30000000), 99); /* fewer in any case */
	assert_int_equal(gas_words(2, 0, 1000), 1);
	assert_int_equal(gas_words(1, 0, 1000), 1);
}

static void a_raise_is_an_eighth_on_both(void **state)
{
	struct fee_quotes q = {.gas_price = GWEI, .priority_fee = GWEI};
	struct ethereum_settings s = {.max_fee = 0};
	struct transaction t = {
		.dynamic = true, .max_fee = 80 * GWEI, .priority_fee = 8 * GWEI};

	(void)state;
	assert_int_equal(fee_raise(&t, &base_head, &q, &s), 0);
	assert_int_equal(t.max_fee, 90 * GWEI + 1);
	assert_int_equal(t.priority_fee, 9 * GWEI + 1);
	assert_true(t.dynamic);
}

static void a_raise_follows_the_chain(void **state)
{
	struct fee_quotes q = {.gas_price = GWEI, .priority_fee = 5 * GWEI};
	struct ethereum_settings s = {.max_fee = 0};
	struct transaction t = {
		.dynamic = true, .max_fee = 10 * GWEI, .priority_fee = GWEI};

	(void)state;
	assert_int_equal(fee_raise(&t, &base_head, &q, &s), 0);
	assert_int_equal(t.max_fee, 45 * GWEI);
	assert_int_equal(t.priority_fee, 5 * GWEI);
	/* A legacy one stays legacy and takes the price. */
	t = (struct transaction){.max_fee = GWEI};
	q.gas_price = 7 * GWEI;
	assert_int_equal(fee_raise(&t, &base_head, &q, &s), 0);
	assert_false(t.dynamic);
	assert_int_equal(t.max_fee, 7 * GWEI);
	assert_int_equal(t.priority_fee, 0);
}

/* geth's rule: old * 110 / 100, and more than before, on both fields. */
static void a_raise_is_one_that_nodes_take(void **state)
{
	static const uint64_t fees[] = {1, 2, 7, 9, 10, 11, 99, 1001, GWEI, GWEI + 1};
	struct fee_quotes q = {.gas_price = 0};
	struct ethereum_settings s = {.max_fee = 0};
	struct header head = base_head;

	(void)state;
	head.base_fee = 0;
	for (size_t i = 0; i < sizeof fees / sizeof *fees; i++)
		for (size_t k = 0; k <= i; k++) {
			struct transaction t = {.dynamic = true,
				.max_fee = fees[i],
				.priority_fee = k ? fees[k] : 0};
			struct transaction was = t;

			assert_int_equal(fee_raise(&t, &head, &q, &s), 0);
			assert_true(t.max_fee > was.max_fee);
			assert_true(t.priority_fee > was.priority_fee);
			assert_true(t.max_fee * 100 >= was.max_fee * 110);
			assert_true(t.priority_fee * 100 >= was.priority_fee * 110);
			assert_true(t.priority_fee <= t.max_fee);
		}
}

static void a_raise_stops_at_max_fee(void **state)
{
	struct fee_quotes q = {.gas_price = GWEI, .priority_fee = GWEI};
	struct ethereum_settings s = {.max_fee = 112 * GWEI};
	struct transaction t = {
		.dynamic = true, .max_fee = 100 * GWEI, .priority_fee = 2 * GWEI};
	struct transaction was;

	(void)state;
	/* 112.5 is cut to 112: still more than nodes ask for. */
	assert_int_equal(fee_raise(&t, &base_head, &q, &s), 0);
	assert_int_equal(t.max_fee, 112 * GWEI);
	was = t;
	assert_int_equal(fee_raise(&t, &base_head, &q, &s), 2);
	assert_memory_equal(&t, &was, sizeof t);
	s.max_fee = 123 * GWEI; /* 9.8 % */
	assert_int_equal(fee_raise(&t, &base_head, &q, &s), 2);
	s.max_fee = 112 * GWEI + 112 * GWEI / 10;
	assert_int_equal(fee_raise(&t, &base_head, &q, &s), 0);
	assert_int_equal(t.max_fee, s.max_fee);
	/* The priority has no room either. */
	t.priority_fee = t.max_fee;
	s.max_fee = 200 * GWEI;
	assert_int_equal(fee_raise(&t, &base_head, &q, &s), 0);
	assert_int_equal(t.priority_fee, t.max_fee);
}

static void zero_is_not_raised(void **state)
{
	struct fee_quotes q = {.gas_price = GWEI, .priority_fee = GWEI};
	struct ethereum_settings s = {.max_fee = 0};
	struct transaction t = {.dynamic = true};

	(void)state;
	assert_int_equal(fee_raise(&t, &base_head, &q, &s), 1);
	assert_int_equal(t.max_fee, 0);
	t.max_fee = GWEI;
	s.zero_fee = true;
	assert_int_equal(fee_raise(&t, &base_head, &q, &s), 1);
	assert_int_equal(t.max_fee, GWEI);
}

static void figures_for_people(void **state)
{
	char text[FEE_TEXT];

	(void)state;
	assert_string_equal(fee_print(text, 0), "0 gwei");
	assert_string_equal(fee_print(text, 1), "0.000000001 gwei");
	assert_string_equal(fee_print(text, 1500000000), "1.5 gwei");
	assert_string_equal(fee_print(text, 20 * GWEI), "20 gwei");
	assert_string_equal(fee_print(text, UINT64_MAX), "18446744073.709551615 gwei");
	assert_string_equal(fee_coin_print(text, 0, GWEI), "0");
	assert_string_equal(fee_coin_print(text, 2845000, 50 * GWEI), "0.14225");
	assert_string_equal(fee_coin_print(text, 1, 1), "0.000000000000000001");
	assert_string_equal(fee_coin_print(text, 1000000000, GWEI), "1");
	assert_string_equal(fee_coin_print(text, UINT64_MAX, UINT64_MAX),
		"1267650600228.229401496703205376");
}

static void gas_is_bounded_by_the_batch_and_the_block(void **state)
{
	uint64_t full = gas_bound(BATCH_MAX, TEXTS_MAX);

	(void)state;
	/* EIP-7825 allows 2^24; the measured need of 256 new words is 6.7 M. */
	assert_true(full < 1 << 24);
	assert_true(gas_bound(BATCH_MAX, 0) > 256 * 26000 + 80000);
	assert_true(gas_bound(1, 0) > 80000);
	assert_int_equal(
		gas_bound(2, 0) - gas_bound(1, 0), gas_bound(256, 0) - gas_bound(255, 0));

	assert_int_equal(gas_choose(100000, 240000, 0, 30000000), 125000);
	assert_int_equal(gas_choose(0, 240000, 0, 30000000), 240000);       /* absent */
	assert_int_equal(gas_choose(5000000, 240000, 0, 30000000), 240000); /* a lie */
	assert_true(gas_choose(UINT64_MAX, 240000, 0, 0) == 240000);
	assert_int_equal(gas_choose(100000, 240000, 0, 110000), 110000);
	assert_int_equal(gas_choose(0, 240000, 0, 0), 240000);
	/* It was out of gas with what was estimated. */
	assert_int_equal(gas_choose(21000, 240000, 1, 30000000), 480000);
	assert_int_equal(gas_choose(21000, 240000, 3, 1000000), 1000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(legacy_takes_the_gas_price),
		cmocka_unit_test(dynamic_offers_twice_the_base_fee),
		cmocka_unit_test(zero_fee_offers_none_whatever_is_quoted),
		cmocka_unit_test(max_fee_is_a_limit_and_is_named),
		cmocka_unit_test(hostile_quotes_do_not_wrap),
		cmocka_unit_test(without_max_fee_a_bound_of_our_own),
		cmocka_unit_test(a_hostile_priority_fee_is_cut),
		cmocka_unit_test(a_base_fee_rises_by_an_eighth_a_block),
		cmocka_unit_test(what_init_pins),
		cmocka_unit_test(words_that_fit_a_block),
		cmocka_unit_test(a_raise_is_an_eighth_on_both),
		cmocka_unit_test(a_raise_follows_the_chain),
		cmocka_unit_test(a_raise_is_one_that_nodes_take),
		cmocka_unit_test(a_raise_stops_at_max_fee),
		cmocka_unit_test(zero_is_not_raised),
		cmocka_unit_test(figures_for_people),
		cmocka_unit_test(gas_is_bounded_by_the_batch_and_the_block),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
