/* SPDX-License-Identifier: Apache-2.0 */
#include "../cmocka_all.h"

#include "ledger/ethereum/answer.h"

/* As engines write them, in the surroundings that the transport adds. */
static const struct {
	const char *text;
	enum answer answer;
} spoken[] = {
	/* geth */
	{"already known", ANSWER_KNOWN},
	{"known transaction: 0x88df016429689c079f3b2f6ad39fa052532c56795b733da78a91ebe6a7"
	 "13944b",
		ANSWER_KNOWN},
	{"nonce too low", ANSWER_NONCE_LOW},
	{"nonce too low: address 0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266, tx: 3 state: 4",
		ANSWER_NONCE_LOW},
	{"nonce too low: next nonce 4, tx nonce 3", ANSWER_NONCE_LOW},
	{"nonce too high: tx nonce 9, gapped nonce 4", ANSWER_NONCE_HIGH},
	{"replacement transaction underpriced", ANSWER_REPLACEMENT},
	{"replacement transaction underpriced: new tx gas fee cap 1 <= 1 queued + bump",
		ANSWER_REPLACEMENT},
	{"transaction underpriced", ANSWER_UNDERPRICED},
	{"transaction underpriced: gas tip cap 0, minimum needed 1", ANSWER_UNDERPRICED},
	{"transaction gas price below minimum: gas tip cap 0, minimum needed 1",
		ANSWER_UNDERPRICED},
	{"insufficient funds for gas * price + value: balance 0, tx cost 2, overshot 2",
		ANSWER_INSUFFICIENT_FUNDS},
	{"insufficient funds for gas * price + value", ANSWER_INSUFFICIENT_FUNDS},
	{"max fee per gas less than block base fee: address 0xf39F, maxFeePerGas: 1, "
	 "baseFee: 875000000",
		ANSWER_UNDERPRICED},
	{"exceeds block gas limit", ANSWER_GAS_HIGH},
	{"transaction gas limit too high (cap: 16777216, tx: 30000000)", ANSWER_GAS_HIGH},
	{"intrinsic gas too low: gas 20000, minimum needed 21000", ANSWER_GAS_LOW},
	{"insufficient gas for floor data gas cost: gas 1, minimum needed 2",
		ANSWER_GAS_LOW},
	{"invalid chain id for signer: have 1 want 31337", ANSWER_WRONG_CHAIN},
	{"transaction type not supported", ANSWER_TYPE_UNSUPPORTED},
	{"tx fee (1.50 ether) exceeds the configured cap (1.00 ether)", ANSWER_FEE_CAP},
	{"txpool is full", ANSWER_POOL_FULL},
	/* Besu */
	{"Known transaction", ANSWER_KNOWN},
	{"Nonce too low", ANSWER_NONCE_LOW},
	{"Transaction nonce is too distant from current sender nonce", ANSWER_NONCE_HIGH},
	{"Replacement transaction underpriced", ANSWER_REPLACEMENT},
	{"Upfront cost exceeds account balance", ANSWER_INSUFFICIENT_FUNDS},
	{"Transaction gas limit exceeds block gas limit", ANSWER_GAS_HIGH},
	{"Gas price below configured minimum gas price", ANSWER_UNDERPRICED},
	{"Gas price below current base fee", ANSWER_UNDERPRICED},
	{"Intrinsic gas exceeds gas limit", ANSWER_GAS_LOW},
	{"Wrong chainId", ANSWER_WRONG_CHAIN},
	{"Sender account not authorized to send transactions", ANSWER_NOT_PERMITTED},
	{"Transaction fee cap exceeded", ANSWER_FEE_CAP},
	/* Nethermind */
	{"AlreadyKnown", ANSWER_KNOWN},
	{"OldNonce, Current nonce: 4, nonce of rejected tx: 3", ANSWER_NONCE_LOW},
	{"NonceGap, Future nonce. Expected nonce: 4", ANSWER_NONCE_HIGH},
	{"ReplacementNotAllowed", ANSWER_REPLACEMENT},
	{"FeeTooLow", ANSWER_UNDERPRICED},
	{"FeeTooLowToCompete", ANSWER_POOL_FULL},
	{"InsufficientFunds, Account balance: 0, cumulative cost: 1",
		ANSWER_INSUFFICIENT_FUNDS},
	{"GasLimitExceeded, Gas limit: 30000000", ANSWER_GAS_HIGH},
	{"Invalid, InvalidTxChainId: Expected 1, got 5", ANSWER_WRONG_CHAIN},
	/* Erigon */
	{"existing tx with same hash", ANSWER_KNOWN},
	{"ALREADY_EXISTS: already known", ANSWER_KNOWN},
	{"could not replace existing tx", ANSWER_REPLACEMENT},
	{"underpriced", ANSWER_UNDERPRICED},
	{"fee too low", ANSWER_UNDERPRICED},
	{"insufficient funds", ANSWER_INSUFFICIENT_FUNDS},
	{"pending sub-pool is full", ANSWER_POOL_FULL},
	/* polygon-edge and IBFT engines made of it */
	{"tx with the same nonce is already present", ANSWER_REPLACEMENT},
	{"replacement tx underpriced", ANSWER_REPLACEMENT},
	{"rejected future tx due to low slots", ANSWER_NONCE_HIGH},
	{"maximum number of enqueued transactions reached", ANSWER_POOL_FULL},
	/* anvil */
	{"transaction already imported", ANSWER_KNOWN},
	{"[0x88df] Already imported", ANSWER_KNOWN},
	{"Insufficient funds for gas * price + value", ANSWER_INSUFFICIENT_FUNDS},
	{"max fee per gas less than block base fee", ANSWER_UNDERPRICED},
	/* OpenEthereum, Hardhat, rollups */
	{"Transaction with the same hash was already imported.", ANSWER_KNOWN},
	{"Transaction nonce is too low. Try incrementing the nonce.", ANSWER_NONCE_LOW},
	{"Transaction gas price 1Wei is too low. There is another transaction with same "
	 "nonce in the queue with gas price: 2Wei.",
		ANSWER_REPLACEMENT},
	{"Transaction cost exceeds current gas limit. Limit: 1, got: 2", ANSWER_GAS_HIGH},
	{"Sender doesn't have enough funds to send tx", ANSWER_INSUFFICIENT_FUNDS},
	{"gas price too low", ANSWER_UNDERPRICED},
	/* nothing of it */
	{"", ANSWER_OTHER},
	{"internal error", ANSWER_OTHER},
	{"nonce too", ANSWER_OTHER},
};

static void each_engine_is_understood(void **state)
{
	char text[400];

	(void)state;
	for (size_t i = 0; i < sizeof spoken / sizeof *spoken; i++) {
		snprintf(text, sizeof text, "node-1: error -32000: \"%s\"",
			spoken[i].text);
		if (answer_judge(view_str(text)) != spoken[i].answer)
			fail_msg("\"%s\" is taken for \"%s\", not \"%s\"", spoken[i].text,
				answer_name(answer_judge(view_str(text))),
				answer_name(spoken[i].answer));
		if (answer_judge(view_str(spoken[i].text)) != spoken[i].answer)
			fail_msg("bare: \"%s\"", spoken[i].text);
	}
}

static void every_answer_occurs(void **state)
{
	(void)state;
	for (int a = ANSWER_WRONG_CHAIN; a < ANSWER_ACCEPTED; a++) {
		bool found = false;

		for (size_t i = 0; i < sizeof spoken / sizeof *spoken; i++)
			found = found || (int)spoken[i].answer == a;
		if (!found)
			fail_msg("no text for \"%s\"", answer_name((enum answer)a));
	}
	assert_string_equal(answer_name((enum answer)99), "?");
	assert_string_equal(answer_name(ANSWER_ACCEPTED), "accepted");
}

/* One that takes it is enough; used nonces are looked into before fees. */
static void the_best_of_several_counts(void **state)
{
	(void)state;
	assert_true(ANSWER_ACCEPTED > ANSWER_KNOWN);
	assert_true(ANSWER_KNOWN > ANSWER_NONCE_LOW);
	assert_true(ANSWER_NONCE_LOW > ANSWER_INSUFFICIENT_FUNDS);
	assert_true(ANSWER_NONCE_LOW > ANSWER_UNDERPRICED);
	assert_true(ANSWER_INSUFFICIENT_FUNDS > ANSWER_WRONG_CHAIN);
	assert_true(ANSWER_OTHER > ANSWER_NONE);
}

static void any_bytes_are_judged(void **state)
{
	uint8_t bytes[512];

	(void)state;
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(i * 7 + 128);
	assert_int_equal(answer_judge(view_of(bytes, sizeof bytes)), ANSWER_OTHER);
	memcpy(bytes + sizeof bytes - 13, "nonce too low", 13);
	assert_int_equal(answer_judge(view_of(bytes, sizeof bytes)), ANSWER_NONCE_LOW);
	assert_int_equal(answer_judge(view_of(bytes, sizeof bytes - 1)), ANSWER_OTHER);
	assert_int_equal(answer_judge(view_of(NULL, 0)), ANSWER_OTHER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_engine_is_understood),
		cmocka_unit_test(every_answer_occurs),
		cmocka_unit_test(the_best_of_several_counts),
		cmocka_unit_test(any_bytes_are_judged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
