/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_ETHEREUM_WRITER_STAGE_H
#define TESTS_ETHEREUM_WRITER_STAGE_H

#include "../cmocka_all.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "ledger/ethereum/pending.h"
#include "ledger/ethereum/writer.h"

/*
 * A writer on a loop with real endpoints: pool, journal and writer as the
 * ledger puts them together, and a poll of the head in the reader's place. Its
 * clock is the machine's and what the test has put forward.
 */
#define STAGE_FATES 64

struct stage {
	struct ethereum_settings settings;
	uv_loop_t loop;
	struct journal *journal;
	struct pool *pool;
	struct signer *signer;
	struct writer *writer;
	uint64_t polled_at;
	uint64_t polling; /* rpc call */
	struct rpc *polled;

	struct ledger_fate fates[STAGE_FATES];
	unsigned fate_count;
	char troubles[4000]; /* a line each */
};

static uint64_t stage_skew; /* ms that the test has put the clock forward */

static inline uint64_t stage_now(void)
{
	return clock_monotonic() / 1000 + stage_skew;
}

static inline void stage_fate(void *context, const struct ledger_fate *fate)
{
	struct stage *st = context;

	assert_in_range(st->fate_count, 0, STAGE_FATES - 1);
	st->fates[st->fate_count++] = *fate;
}

static inline void stage_trouble(void *context, bool healthy, const char *text)
{
	struct stage *st = context;
	size_t n = strlen(st->troubles);

	snprintf(st->troubles + n, sizeof st->troubles - n, "%c %s\n",
		healthy ? '+' : '-', text);
}

static inline void stage_ignore(void *context, struct rpc *rpc)
{
	(void)context;
	(void)rpc;
}

static inline void stage_open(struct stage *st, struct signer *signer)
{
	const struct pool_callbacks pool = {st, stage_ignore, stage_trouble};
	const struct writer_callbacks writer = {st, stage_fate, stage_trouble};
	struct error err;

	st->signer = signer;
	assert_int_equal(uv_loop_init(&st->loop), 0);
	if (!(st->journal = journal_open(&st->settings, &err)) ||
		!(st->pool = pool_open(&st->loop, &st->settings, &pool, &err)) ||
		!(st->writer = writer_open(&st->loop, &st->settings, st->journal,
			  st->pool, signer, stage_now, &writer, &err)))
		fail_msg("%s", err.text);
}

static inline void stage_close(struct stage *st)
{
	if (st->polling)
		rpc_cancel(st->polled, st->polling);
	writer_close(st->writer);
	pool_close(st->pool);
	while (uv_run(&st->loop, UV_RUN_DEFAULT))
		;
	assert_int_equal(uv_loop_close(&st->loop), 0);
	journal_close(st->journal);
	st->polling = 0;
}

static inline void stage_head(void *context, const struct rpc_reply *reply)
{
	struct stage *st = context;
	struct header h;

	st->polling = 0;
	if (reply->outcome != RPC_RESULT || header_parse(&h, reply->result, NULL))
		return;
	writer_head(st->writer, &h,
		h.number > st->settings.depth ? h.number - st->settings.depth : 0);
}

/* A moment of the loop, and a poll now and then. */
static inline void stage_turn(struct stage *st)
{
	struct rpc *rpc = pool_followed(st->pool);

	if (rpc && !st->polling && clock_monotonic() - st->polled_at > 10000) {
		st->polled_at = clock_monotonic();
		st->polled = rpc;
		st->polling = rpc_call(rpc, "eth_getBlockByNumber",
			json_pack("[s, b]", "latest", 0), 5000, stage_head, st);
	}
	uv_run(&st->loop, UV_RUN_NOWAIT);
	usleep(500);
}

/*
 * Until it holds, doing something before each turn; a test that waits half a
 * minute has failed.
 */
#define stage_until_doing(st, condition, doing)                                          \
	do {                                                                             \
		uint64_t stage_begun = clock_monotonic();                                \
		while (!(condition)) {                                                   \
			doing;                                                           \
			stage_turn(st);                                                  \
			if (clock_monotonic() - stage_begun > 30 * USEC_PER_SEC)         \
				fail_msg("still not: %s\ntroubles: %s", #condition,      \
					(st)->troubles);                                 \
		}                                                                        \
	} while (0)

#define stage_until(st, condition) stage_until_doing(st, condition, (void)0)

/* For so many turns: what must not happen has time to. */
static inline void stage_turns(struct stage *st, unsigned n)
{
	while (n--)
		stage_turn(st);
}

/* A batch of `count` words of member 1, new indicators by cell. */
struct stage_batch {
	struct ledger_batch batch;
	uint8_t words[BATCH_MAX * WORD_SIZE];
	uint8_t hash[HASH_SIZE]; /* of its call data */
};

static inline void stage_batch(struct stage_batch *b, uint64_t ticket, unsigned cell,
	unsigned count, uint32_t expiry)
{
	struct report r = {
		.indicator = {.kind = INDICATOR_IP4, .plen = 32},
		.expiry = expiry,
		.member = 1,
		.category = CATEGORY_SCAN,
		.proof = PROOF_TCP,
	};
	struct buffer call = {0};
	struct submission s;

	memset(&b->batch, 0, sizeof b->batch);
	b->batch.ticket = ticket;
	b->batch.member = 1;
	b->batch.count = (uint16_t)count;
	b->batch.words = b->words;
	for (unsigned i = 0; i < count; i++) {
		r.cell = cell + i;
		r.indicator.value[0] = 8;
		r.indicator.value[1] = (uint8_t)((cell + i) >> 16);
		r.indicator.value[2] = (uint8_t)((cell + i) >> 8);
		r.indicator.value[3] = (uint8_t)(cell + i);
		word_encode(b->words + (size_t)i * WORD_SIZE, &r);
	}
	assert_int_equal(submission_encode(&call, &b->batch), 0);
	assert_int_equal(submission_decode(&s, view_of(call.p, call.n)), 0);
	memcpy(b->hash, s.hash, HASH_SIZE);
	buffer_free(&call);
}

static inline void stage_submit(struct stage *st, const struct stage_batch *b)
{
	struct error err;

	if (writer_submit(st->writer, &b->batch, &err))
		fail_msg("%s", err.text);
}

static inline const struct ledger_fate *stage_fate_of(
	const struct stage *st, uint64_t ticket)
{
	for (unsigned i = 0; i < st->fate_count; i++)
		if (st->fates[i].ticket == ticket)
			return &st->fates[i];
	return NULL;
}

#endif
