/* SPDX-License-Identifier: Apache-2.0 */
/* Wei in coins: exact, of any size. */
#include "../cmocka_all.h"

#include "base/hex.h"
#include "ledger/ethereum/session.h"

static void coins_are_exact(void **state)
{
	static const struct {
		const char *wei;
		const char *coins;
	} cases[] = {
		{"0", "0"},
		{"1", "0.000000000000000001"},
		{"de0b6b3a7640000", "1"},
		{"de0b6b3a7640001", "1.000000000000000001"},
		{"14d1120d7b160000", "1.5"},
		{"21e19e0c9bab2400000", "10000"},
		{"2386f26fc10000", "0.01"},
		/* 2^256 - 1 */
		{"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
			"115792089237316195423570985008687907853269984665640564039457."
			"584007913129639935"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char padded[65], text[COINS_TEXT];
		uint8_t wei[32];

		snprintf(padded, sizeof padded, "%.*s%s",
			(int)(64 - strlen(cases[i].wei)),
			"0000000000000000000000000000000000000000000000000000000000000000",
			cases[i].wei);
		assert_int_equal(hex_decode(wei, 32, view_str(padded)), 0);
		assert_string_equal(coins_print(text, wei), cases[i].coins);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(coins_are_exact)};

	return cmocka_run_group_tests_name("coins", tests, NULL, NULL);
}
