/* SPDX-License-Identifier: Apache-2.0 */
/* The pure parts of reading: heads, ancestors, the window, portions. */
#include "history.h"

#include <stdio.h>

#include "base/keccak.h"
#include "ledger/ethereum/abi.h"
#include "ledger/ethereum/chain.h"
#include "ledger/ethereum/portion.h"
#include "ledger/ethereum/window.h"

static struct header header_of(uint64_t number, uint8_t hash, uint8_t parent)
{
	struct header h = {.number = number};

	memset(h.hash, hash, HASH_SIZE);
	memset(h.parent, parent, HASH_SIZE);
	return h;
}

static void test_steps(void **state)
{
	uint8_t ours[HASH_SIZE];
	struct header h;

	(void)state;
	memset(ours, 7, HASH_SIZE);
	h = header_of(100, 7, 6);
	assert_int_equal(chain_step(100, ours, &h), CHAIN_KNOWN);
	h = header_of(100, 8, 6);
	assert_int_equal(chain_step(100, ours, &h), CHAIN_LEFT);
	h = header_of(101, 9, 7);
	assert_int_equal(chain_step(100, ours, &h), CHAIN_EXTENDS);
	h = header_of(101, 9, 8);
	assert_int_equal(chain_step(100, ours, &h), CHAIN_LEFT);
	h = header_of(102, 9, 7);
	assert_int_equal(chain_step(100, ours, &h), CHAIN_GAP);
	h = header_of(99, 7, 6);
	assert_int_equal(chain_step(100, ours, &h), CHAIN_LEFT);
	h = header_of(0, 1, 0);
	assert_int_equal(chain_step(UINT64_MAX, ours, &h), CHAIN_LEFT);
}

/* Every length and every fork: the right one is found, in few questions. */
static void test_ancestors(void **state)
{
	uint64_t kept[300], is;

	(void)state;
	for (unsigned count = 0; count < 300; count += count < 20 ? 1 : 31) {
		for (unsigned k = 0; k < count; k++)
			kept[k] = 10000 - 3 * (uint64_t)k;
		for (unsigned fork = 0; fork <= count; fork++) {
			struct ancestor a;
			unsigned asked = 0, depth = 1;

			ancestor_begin(&a, kept, count);
			while (ancestor_next(&a, &is)) {
				asked++;
				ancestor_answer(&a, fork < count && is <= kept[fork]);
			}
			assert_int_equal(is, fork < count ? kept[fork] : UINT64_MAX);
			while (1u << depth <= fork + 1)
				depth++;
			assert_true(asked <= 2 * depth);
		}
	}
}

static void test_window_search(void **state)
{
	(void)state;
	for (uint64_t from = 1; from < 4; from++)
		for (uint64_t to = from; to < 80; to += 7)
			for (uint64_t first = from; first <= to; first++) {
				struct window_search w;
				uint64_t n;
				unsigned asked = 0;

				window_begin(
					&w, (uint32_t)(1000 + 10 * first - 3), from, to);
				while (window_next(&w, &n)) {
					assert_true(n >= from && n < to);
					window_answer(&w, 1000 + 10 * n);
					assert_true(++asked < 9);
				}
				assert_int_equal(n, first);
			}
}

static void test_since(void **state)
{
	(void)state;
	assert_int_equal(window_since(1000000, 1000005, 3600), 1000000 - 3600 - 120);
	/* A chain that stands still: its own time counts. */
	assert_int_equal(window_since(1000000, 900000, 3600), 900000 - 3600 - 120);
	assert_int_equal(window_since(3000, 3000, 3600), 0);
	assert_int_equal(window_since(UINT32_MAX, UINT64_MAX, UINT32_MAX), 0);
}

static void prove_fails(const struct ledger_event *e, const struct tip *before,
	uint32_t since, const char *text)
{
	struct error err = {""};

	assert_int_equal(window_prove(e, before, since, &err), -1);
	if (!strstr(err.text, text))
		fail_msg("\"%s\" does not say \"%s\"", err.text, text);
}

static void test_window_proof(void **state)
{
	struct ledger_event e;
	struct history h;
	struct tip before;

	(void)state;
	history_begin(&h);
	history_admin(&h, OP_GENESIS, 5, 0, T_START);
	history_batch(&h, 10, 0, T_START + 100);
	history_batch(&h, 11, 0, T_START + 200);
	history_batch(&h, 12, 0, T_START + 300);
	e = history_event(&h, 2);
	memcpy(before.hash, h.list[3].tip_before, HASH_SIZE);
	before.seq = 2;
	assert_int_equal(window_prove(&e, &before, T_START + 201, NULL), 0);
	/* The operation is of the window itself: it was left out. */
	prove_fails(&e, &before, T_START + 200, "operation 1 of the window was left out");
	before.hash[0] ^= 1;
	prove_fails(&e, &before, T_START + 201, "were left out or altered");
	before.hash[0] ^= 1;
	before.seq = 3;
	prove_fails(&e, &before, T_START + 201, "is not members' operation 2");
	before.seq = 2;
	e = history_event(&h, 1);
	prove_fails(&e, &before, T_START + 201, "is not members' operation 1");
	e = history_event(&h, 0);
	before.seq = 1;
	prove_fails(&e, &before, T_START + 201, "is not members' operation 0");
	history_end(&h);
}

/* --- portions --- */

static const uint8_t contract[ADDRESS20] = {0xc0};

/* The log that the contract would have emitted; data is the caller's. */
static struct log log_of(const struct history *h, unsigned k, struct buffer *data)
{
	const struct history_entry *e = &h->list[k];
	struct log log = {.topic_count = 3, .block = e->block, .index = e->index};
	uint8_t word[32] = {0};

	memcpy(log.address, contract, ADDRESS20);
	memcpy(log.topics[0], abi_operation_topic, HASH_SIZE);
	log.topics[1][31] = (uint8_t)e->chain;
	be64_store(log.topics[2] + 24, be64_load(e->bytes.p + 1));
	memset(log.block_hash, (int)e->block, HASH_SIZE);
	data->n = 0;
	buffer_put(data, e->tip_before, HASH_SIZE);
	be64_store(word + 24, e->block_before);
	buffer_put(data, word, 32);
	be64_store(word + 24, 96);
	buffer_put(data, word, 32);
	be64_store(word + 24, e->bytes.n);
	buffer_put(data, word, 32);
	buffer_put(data, e->bytes.p, e->bytes.n);
	memset(word, 0, sizeof word);
	buffer_put(data, word, (32 - e->bytes.n % 32) % 32);
	log.data = view_of(data->p, data->n);
	return log;
}

static const struct portion_filter any = {
	.contract = contract, .from = 1, .to = 100, .chain = -1, .seq = UINT64_MAX};

static void test_portion_order(void **state)
{
	static const unsigned order[] = {4, 1, 3, 1, 0, 2, 4, 3};
	struct buffer data = {0};
	struct portion p = {0};
	struct ledger_event e;
	struct history h;

	(void)state;
	history_begin(&h);
	history_admin(&h, OP_GENESIS, 5, 0, T_START);
	for (unsigned k = 0; k < 4; k++)
		history_batch(&h, 10 + k / 2, k % 2 * 7, T_START + 100);
	for (size_t k = 0; k < sizeof order / sizeof *order; k++) {
		struct log log = log_of(&h, order[k], &data);

		assert_int_equal(portion_add(&p, &log, &any, NULL), 0);
	}
	portion_sort(&p);
	assert_int_equal(p.count, 5);
	for (unsigned k = 0; k < 5; k++) {
		assert_int_equal(portion_event(&p, k, &e, NULL), 0);
		assert_int_equal(e.block, h.list[k].block);
		assert_true(
			view_eq(e.bytes, view_of(h.list[k].bytes.p, h.list[k].bytes.n)));
		assert_memory_equal(e.tip_before, h.list[k].tip_before, HASH_SIZE);
	}
	portion_cut(&p, 2, p.list[2].at);
	assert_int_equal(p.count, 2);
	portion_free(&p);
	buffer_free(&data);
	history_end(&h);
}

static void add_is(
	const struct log *log, const struct portion_filter *f, int due, const char *text)
{
	struct portion p = {0};
	struct error err = {""};

	assert_int_equal(portion_add(&p, log, f, &err), due);
	if (!strstr(err.text, text))
		fail_msg("\"%s\" does not say \"%s\"", err.text, text);
	assert_int_equal(p.count, due == 0);
	portion_free(&p);
}

static void test_portion_filter(void **state)
{
	struct buffer data = {0};
	struct portion_filter f = any;
	uint8_t hash[HASH_SIZE];
	struct history h;
	struct log log, bad;

	(void)state;
	history_begin(&h);
	history_admin(&h, OP_GENESIS, 5, 0, T_START);
	history_batch(&h, 10, 0, T_START);
	log = log_of(&h, 1, &data);
	add_is(&log, &f, 0, "");
	bad = log;
	bad.address[19] ^= 1;
	add_is(&bad, &f, -1, "a log of another contract");
	bad = log;
	bad.removed = true;
	add_is(&bad, &f, -1, "called removed");
	f.to = 9;
	add_is(&log, &f, -1, "block 10, which was not asked for");
	f.to = 100;
	f.from = 11;
	add_is(&log, &f, -1, "block 10, which was not asked for");
	f = any;
	f.chain = CHAIN_ADMIN;
	add_is(&log, &f, -1, "not asked for");
	f.chain = CHAIN_MEMBERS;
	f.seq = 1;
	add_is(&log, &f, -1, "not asked for");
	f.seq = 0;
	add_is(&log, &f, 0, "");
	bad = log;
	bad.topics[0][5] ^= 1;
	add_is(&bad, &f, -1, "block 10, log 0");
	bad = log;
	bad.data.n--;
	add_is(&bad, &f, -1, "block 10, log 0");
	/* Of the block whose hash is known another one: a reorganisation. */
	f = any;
	memcpy(hash, log.block_hash, HASH_SIZE);
	f.known = 10;
	f.known_hash = hash;
	add_is(&log, &f, 0, "");
	hash[0] ^= 1;
	add_is(&log, &f, 1, "");
	f.known = 11;
	add_is(&log, &f, 0, "");
	buffer_free(&data);
	history_end(&h);
}

/* Into the journal: the window is where the first members' event begins. */
static void test_portion_store(void **state)
{
	struct ethereum_settings s = {.journal = ":memory:"};
	struct journal *j = journal_open(&s, NULL);
	struct buffer data = {0};
	struct portion p = {0};
	struct error err = {""};
	struct history h;
	struct tip before;
	uint64_t block;
	uint32_t since;

	(void)state;
	history_begin(&h);
	history_admin(&h, OP_GENESIS, 5, 0, T_START);
	for (unsigned k = 0; k < 4; k++)
		history_batch(&h, 10 + k, 0, T_START + 100);
	for (unsigned k = 5; k-- > 0;) {
		struct log log = log_of(&h, k, &data);

		if (k != 1 && k != 2)
			assert_int_equal(portion_add(&p, &log, &any, NULL), 0);
	}
	assert_int_equal(journal_begin(j, &err), 0);
	assert_int_equal(portion_store(&p, j, T_START + 77, &err), 0);
	assert_int_equal(p.count, 0);
	assert_true(journal_window(j, &before, &since, &block));
	assert_int_equal(before.seq, 2);
	assert_memory_equal(before.hash, h.list[3].tip_before, HASH_SIZE);
	assert_int_equal(since, T_START + 77);
	assert_int_equal(block, 11);
	assert_memory_equal(
		journal_staged_tip(j, CHAIN_MEMBERS)->hash, h.tip[0].hash, HASH_SIZE);
	journal_rollback(j);
	/* One in the middle is missing. */
	for (unsigned k = 0; k < 5; k++) {
		struct log log = log_of(&h, k, &data);

		if (k != 2)
			assert_int_equal(portion_add(&p, &log, &any, NULL), 0);
	}
	assert_int_equal(journal_begin(j, &err), 0);
	assert_int_equal(portion_store(&p, j, 0, &err), -1);
	assert_non_null(strstr(err.text, "members' operation 2 came where 1 is due"));
	assert_false(journal_failed(j));
	journal_close(j);
	portion_free(&p);
	buffer_free(&data);
	history_end(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_steps),
		cmocka_unit_test(test_ancestors),
		cmocka_unit_test(test_window_search),
		cmocka_unit_test(test_since),
		cmocka_unit_test(test_window_proof),
		cmocka_unit_test(test_portion_order),
		cmocka_unit_test(test_portion_filter),
		cmocka_unit_test(test_portion_store),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
