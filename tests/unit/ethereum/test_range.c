/* SPDX-License-Identifier: Apache-2.0 */
/* How many blocks a question may ask for: what providers say, and that it ends. */
#include "../cmocka_all.h"
#include "../prng.h"

#include "ledger/ethereum/range.h"

static enum range_verdict refuse(
	struct range *r, uint64_t from, uint64_t to, int64_t code, const char *text)
{
	return range_refused(r, from, to, code, view_str(text), view_of(NULL, 0));
}

static void test_whole_until_refused(void **state)
{
	struct range r = {0};

	(void)state;
	assert_int_equal(range_end(&r, 5, 1000000), 1000000);
	assert_int_equal(range_end(&r, 7, 7), 7);
	range_passed(&r, 999996);
	assert_int_equal(range_end(&r, 5, UINT64_MAX), UINT64_MAX);
}

struct said {
	const char *text;
	int64_t code;
	enum range_verdict verdict;
	uint64_t span, limit; /* after [1000, 100999] was refused */
};

/*
 * Texts as they are known of: geth's --rpc.rangelimit, Infura, Alchemy, Ankr,
 * Chainstack, QuickNode, Cloudflare, BSC's public nodes, Nethermind, Besu,
 * reth, Polygon's bor, drpc.
 */
static const struct said sayings[] = {
	{"exceed maximum block range: 5000", -32000, RANGE_SMALLER, 5000, 5000},
	{"block range exceeds configured limit (max 2048)", -32602, RANGE_SMALLER, 2048,
		2048},
	{"query returned more than 10000 results", -32005, RANGE_SMALLER, 50000, 0},
	{"query returned more than 10000 results. Try with this block range "
	 "[0x3E8, 0x7CF].",
		-32005, RANGE_SMALLER, 1000, 0},
	{"Log response size exceeded. You can make eth_getLogs requests with up to a 2K "
	 "block range and no limit on the response size, or you can request any block "
	 "range with a cap of 10K logs in the response. Based on your parameters and the "
	 "response size limit, this block range should work: [0x3e8, 0x3f1]",
		-32602, RANGE_SMALLER, 10, 0},
	{"block range is too wide", -32600, RANGE_SMALLER, 50000, 0},
	{"Block range limit exceeded. See more details at https://docs.example.org/docs/"
	 "limits",
		-32600, RANGE_SMALLER, 50000, 0},
	{"eth_getLogs and eth_newFilter are limited to a 10,000 blocks range", -32614,
		RANGE_SMALLER, 10000, 10000},
	{"eth_getLogs is limited to a 5 range", -32614, RANGE_SMALLER, 5, 5},
	{"Max range: 800", -32047, RANGE_SMALLER, 800, 800},
	{"requested too many blocks from 1000 to 100999, maximum is set to 2048", -32000,
		RANGE_SMALLER, 2048, 2048},
	{"query exceeds max results 20000, retry with the range 1000-1512", -32602,
		RANGE_SMALLER, 50000, 0},
	{"query exceeds max block range 100000", -32602, RANGE_SMALLER, 50000, 0},
	{"query timeout exceeded. Consider reducing your block range", -32000,
		RANGE_SMALLER, 50000, 0},
	{"Response size is larger than 150MB limit", -32008, RANGE_SMALLER, 50000, 0},
	{"limit exceeded", -32005, RANGE_SMALLER, 50000, 0},
	{"You cannot query logs for more than 1k blocks at once", -32000, RANGE_SMALLER,
		1000, 1000},
	{"ranges over 0x2710 blocks are not supported: range too large", -32000,
		RANGE_OTHER, 0, 0},
	{"up to 0x2710 blocks", -32000, RANGE_SMALLER, 10000, 10000},
	{"daily request count exceeded, request rate limited", -32005, RANGE_LATER, 0, 0},
	{"Your app has exceeded its compute units per second capacity", 429, RANGE_LATER,
		0, 0},
	{"Too Many Requests", -32097, RANGE_LATER, 0, 0},
	{"invalid argument 0: hex string without 0x prefix", -32602, RANGE_OTHER, 0, 0},
	{"block range extends beyond current head block", -32000, RANGE_OTHER, 0, 0},
	{"header not found", -32000, RANGE_OTHER, 0, 0},
	{"the method eth_getLogs does not exist", -32601, RANGE_OTHER, 0, 0},
	{"", 0, RANGE_OTHER, 0, 0},
	{"", -32005, RANGE_SMALLER, 50000, 0},
};

static void test_what_providers_say(void **state)
{
	(void)state;
	for (size_t k = 0; k < sizeof sayings / sizeof *sayings; k++) {
		const struct said *s = &sayings[k];
		struct range r = {0};
		enum range_verdict is = refuse(&r, 1000, 100999, s->code, s->text);

		if (is != s->verdict || r.span != s->span || r.limit != s->limit)
			fail_msg("\"%s\": verdict %d, span %llu, limit %llu", s->text, is,
				(unsigned long long)r.span, (unsigned long long)r.limit);
	}
}

static void test_in_the_data(void **state)
{
	struct range r = {0};

	(void)state;
	assert_int_equal(range_refused(&r, 0, 99999, -32000, view_str("invalid params"),
				 view_str("exceed maximum block range: 50")),
		RANGE_SMALLER);
	assert_int_equal(r.limit, 50);
}

/* A suggestion that begins elsewhere, or is no smaller, is none. */
static void test_suggestions(void **state)
{
	struct range r = {0};

	(void)state;
	refuse(&r, 100, 1099, -32005, "try [0x65, 0x70] for fewer results");
	assert_int_equal(r.span, 500);
	memset(&r, 0, sizeof r);
	refuse(&r, 100, 1099, -32005, "try [0x64, 0x44b] for fewer results");
	assert_int_equal(r.span, 500);
	memset(&r, 0, sizeof r);
	refuse(&r, 100, 1099, -32005, "try [100, 107] for fewer results");
	assert_int_equal(r.span, 8);
	memset(&r, 0, sizeof r);
	refuse(&r, 100, 1099, -32005, "results [[0x64,[0x64,0x64]");
	assert_int_equal(r.span, 1);
	memset(&r, 0, sizeof r);
	refuse(&r, 100, 1099, -32005, "results [0x64, 0xffffffffffffffffffffff]");
	assert_int_equal(r.span, 500);
}

/* A named limit is never passed again; a full range is grown back to. */
static void test_growing(void **state)
{
	struct range r = {0};
	unsigned asked = 0;

	(void)state;
	refuse(&r, 0, 99999, -32000, "exceed maximum block range: 5");
	for (int k = 0; k < 100; k++) {
		assert_int_equal(range_end(&r, 10, 99999), 14);
		range_passed(&r, 5);
	}
	memset(&r, 0, sizeof r);
	refuse(&r, 0, 99999, -32005, "query returned more than 10000 results");
	refuse(&r, 0, 49999, -32005, "query returned more than 10000 results");
	refuse(&r, 0, 24999, -32005, "query returned more than 10000 results");
	assert_int_equal(r.span, 12500);
	/* Not at once into the same refusal .. */
	range_passed(&r, 12500);
	assert_int_equal(r.span, 12500);
	/* .. but in the end into emptier years. */
	while (r.span < 100000 && asked++ < 200)
		range_passed(&r, r.span);
	assert_true(r.span >= 100000);
	/* A short last question shows nothing. */
	memset(&r, 0, sizeof r);
	range_broke(&r, 0, 99);
	r.ceiling = 0;
	range_passed(&r, 3);
	assert_int_equal(r.span, 50);
}

static void test_single_block(void **state)
{
	struct range r = {0};

	(void)state;
	assert_int_equal(
		refuse(&r, 7, 7, -32005, "query returned more than 10000 results"),
		RANGE_SINGLE);
	assert_int_equal(range_broke(&r, 7, 7), RANGE_SINGLE);
	assert_int_equal(range_broke(&r, 7, 8), RANGE_SMALLER);
	assert_int_equal(range_end(&r, 7, 8), 7);
}

/* Whatever is said, asking comes to an end. */
static void test_it_ends(void **state)
{
	static const char *const words[] = {"range", "[0x0, ", "0x10]", "limit", "5000",
		"results", "10k", "block", "]", "1,000", "try", "max", "[1,",
		"99999999999", "exceed"};
	struct prng random = {3};

	(void)state;
	for (int round = 0; round < 3000; round++) {
		struct range r = {0};
		uint64_t from = 0, to = prng_below(&random, 2000000);
		unsigned asked = 0, refusals = 0;

		while (from <= to && asked++ < 400) {
			uint64_t end = range_end(&r, from, to);
			char text[200] = "";
			enum range_verdict v;

			assert_true(end >= from && end <= to);
			if (end - from < 100 || prng_below(&random, 3) == 0) {
				range_passed(&r, end - from + 1);
				from = end + 1;
				refusals = 0;
				continue;
			}
			for (int k = 0; k < 6; k++) {
				strcat(text, words[prng_below(&random, 15)]);
				strcat(text, " ");
			}
			v = refuse(&r, from, end, -32005, text);
			if (v != RANGE_SMALLER)
				break;
			assert_true(range_end(&r, from, to) < end);
			assert_true(++refusals < 25);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole_until_refused),
		cmocka_unit_test(test_what_providers_say),
		cmocka_unit_test(test_in_the_data),
		cmocka_unit_test(test_suggestions),
		cmocka_unit_test(test_growing),
		cmocka_unit_test(test_single_block),
		cmocka_unit_test(test_it_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
