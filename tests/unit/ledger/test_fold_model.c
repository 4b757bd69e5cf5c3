/* SPDX-License-Identifier: Apache-2.0 */
/* The registry against the plain model, on scripts of random bytes. */
#include "../../fuzz/fold_play.h"
#include "../cmocka_all.h"
#include "../prng.h"

#define SCRIPTS      80
#define SCRIPT_BYTES 6000

static void test_random_scripts(void **state)
{
	static struct fold_run run;
	static uint8_t script[SCRIPT_BYTES];
	unsigned accepted[256] = {0}, refused[REFUSED_COUNT] = {0};

	(void)state;
	for (unsigned seed = 1; seed <= SCRIPTS; seed++) {
		struct prng random = {seed * UINT64_C(0x9e3779b97f4a7c15)};

		for (size_t k = 0; k < sizeof script; k++)
			script[k] = (uint8_t)(prng_next(&random) >> 32);
		memset(&run, 0, sizeof run);
		model_play(&run, view_of(script, sizeof script));
		for (unsigned k = 0; k < 256; k++)
			accepted[k] += run.accepted[k];
		for (unsigned k = 0; k < REFUSED_COUNT; k++)
			refused[k] += run.refused[k];
	}
	/* The scripts must have gone everywhere, or they prove little. */
	for (unsigned type = 1; type < 256; type++)
		if (operation_name((uint8_t)type)[0] != '?' && type != OP_GENESIS &&
			!accepted[type])
			fail_msg(
				"no %s was ever accepted", operation_name((uint8_t)type));
	for (unsigned code = 1; code < REFUSED_COUNT; code++) {
		/* These need larger or other input than the scripts make. */
		if (code == REFUSED_TYPE || code == REFUSED_MEMORY ||
			code == REFUSED_BATCH_TOO_LARGE || code == REFUSED_CAP ||
			code == REFUSED_TABLE_TOO_LARGE || code == REFUSED_GENERATIONS ||
			code == REFUSED_SIGNER_LIMIT)
			continue;
		if (!refused[code])
			fail_msg("nothing was ever refused for %s",
				refusal_name((enum refusal_code)code));
	}
	if (accepted[OP_BATCH] < 1500)
		fail_msg("only %u batches were accepted", accepted[OP_BATCH]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_scripts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
