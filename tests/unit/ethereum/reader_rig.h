/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_ETHEREUM_READER_RIG_H
#define TESTS_ETHEREUM_READER_RIG_H

#include "ledger_node.h"

#include <stdio.h>

#include "base/keccak.h"
#include "ledger/ethereum/reader.h"

/* A reader with its pool and journal on a loop, before nodes of the test's own. */
#define RUN_MS 20000 /* at most, for what must happen */

struct rig {
	uv_loop_t loop;
	struct ethereum_settings settings;
	struct journal *journal;
	struct pool *pool;
	struct log_reader *reader;
	struct ledger_node *node[3];
	unsigned nodes;
	uint8_t finality;
	uint32_t depth;
	uv_timer_t tick;
	bool (*until)(struct rig *r);
	bool reached;
	uint64_t deadline;

	uint64_t head, final, undone;
	bool behind;
	unsigned heads, undos, troubles;
	char said[8000];
	uint64_t quiet_until; /* for hold() */
	uint32_t now;
};

static struct rig *the_rig; /* for now() */

static inline uint32_t now_seconds(void)
{
	return the_rig->now;
}

static inline void on_followed(void *context, struct rpc *rpc)
{
	struct rig *r = context;

	reader_follow(r->reader, rpc);
}

static inline void on_trouble(void *context, bool healthy, const char *text)
{
	struct rig *r = context;
	size_t n = strlen(r->said);

	r->troubles += !healthy;
	snprintf(r->said + n, sizeof r->said - n, "%s%s\n", healthy ? "+ " : "- ", text);
}

static inline void on_head(
	void *context, const struct header *head, uint64_t final, bool newest)
{
	struct rig *r = context;

	r->heads++;
	r->behind = !newest;
	r->head = head->number;
	r->final = final;
}

static inline void on_undo(void *context, uint64_t block)
{
	struct rig *r = context;

	r->undos++;
	r->undone = block;
}

static inline void on_tick(uv_timer_t *timer)
{
	struct rig *r = timer->data;

	r->reached = r->until(r);
	if (r->reached || uv_now(&r->loop) > r->deadline)
		uv_stop(&r->loop);
}

/* Run until something holds; false when it does not within RUN_MS. */
static inline bool run(struct rig *r, bool (*until)(struct rig *r))
{
	uv_update_time(&r->loop);
	r->until = until;
	r->deadline = uv_now(&r->loop) + RUN_MS;
	uv_timer_start(&r->tick, on_tick, 0, 5);
	uv_run(&r->loop, UV_RUN_DEFAULT);
	uv_timer_stop(&r->tick);
	return r->reached;
}

static inline bool quiet(struct rig *r)
{
	return uv_now(&r->loop) > r->quiet_until;
}

/* Let the parts work: what must not happen would have happened by then. */
static inline void hold(struct rig *r, unsigned ms)
{
	uv_update_time(&r->loop);
	r->quiet_until = uv_now(&r->loop) + ms;
	run(r, quiet);
}

/* The parts on these nodes; journal: NULL for a fresh one in memory. */
static inline void rig_open(struct rig *r, const char *journal)
{
	const struct pool_callbacks pool = {r, on_followed, on_trouble};
	const struct reader_callbacks reader = {r, on_head, on_undo, on_trouble};
	const struct witness_limits limits = {.lag_blocks = 3,
		.lag_seconds = 10,
		.lag_ms = 300,
		.differ_ms = 200,
		.quarantine_ms = 600000,
		.quarantine_max_ms = 600000,
		.forgive_ms = 600000,
		.final_ms = 300};
	static const uint8_t contract[ADDRESS20] = {0xc0, 1, 2, 3};
	static const uint8_t code[] = {0x60, 1};
	struct error err = {""};
	char line[100], name[2] = "a";

	the_rig = r;
	uv_loop_init(&r->loop);
	uv_timer_init(&r->loop, &r->tick);
	r->tick.data = r;
	for (unsigned k = 0; k < r->nodes; k++, name[0]++)
		assert_int_equal(
			endpoint_parse(&r->settings.endpoints[k],
				view_str(node_line(line, r->node[k], name)), &err),
			0);
	r->settings.endpoint_count = r->nodes;
	memcpy(r->settings.contract, contract, ADDRESS20);
	r->settings.chain_id = 1337;
	node_hash(r->settings.genesis, r->node[0], 0);
	keccak256(r->settings.code_hash, code, sizeof code);
	r->settings.deployed = NODE_DEPLOYED;
	r->settings.finality = r->finality;
	r->settings.depth = r->depth;
	r->settings.poll_ms = 50;
	snprintf(r->settings.journal, sizeof r->settings.journal, "%s",
		journal ? journal : ":memory:");
	r->journal = journal_open(&r->settings, &err);
	if (!r->journal)
		fail_msg("%s", err.text);
	r->pool = pool_open(&r->loop, &r->settings, &pool, &err);
	assert_non_null(r->pool);
	pool_limits(r->pool, &limits, 60);
	r->reader = reader_open(
		&r->loop, &r->settings, r->journal, r->pool, now_seconds, &reader, &err);
	assert_non_null(r->reader);
	r->now = node_time(r->node[0], r->node[0]->head);
}

static inline void rig_close(struct rig *r)
{
	reader_close(r->reader);
	pool_close(r->pool);
	journal_close(r->journal);
	uv_close((uv_handle_t *)&r->tick, NULL);
	assert_int_equal(uv_run(&r->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&r->loop), 0);
}

/* Nodes that hold the same chain. */
static inline void rig_begin(struct rig *r, unsigned nodes)
{
	memset(r, 0, sizeof *r);
	r->nodes = nodes;
	r->finality = FINALITY_DEPTH;
	r->depth = 6;
	for (unsigned k = 0; k < nodes; k++)
		r->node[k] = node_start();
}

static inline void rig_end(struct rig *r)
{
	rig_close(r);
	for (unsigned k = 0; k < r->nodes; k++)
		node_stop(r->node[k]);
}

static inline void says(const struct rig *r, const char *text)
{
	if (!strstr(r->said, text))
		fail_msg("\"%s\" does not hold \"%s\"", r->said, text);
}

/* --- what must hold --- */

static inline bool is_read(struct rig *r)
{
	return r->head == r->node[0]->head;
}

struct walk {
	const struct history *h;
	unsigned at;
};

static inline bool compare(void *context, const struct ledger_event *e)
{
	struct walk *w = context;
	const struct history_entry *due = &w->h->list[w->at];

	assert_true(w->at < w->h->n);
	assert_int_equal(e->block, due->block);
	assert_int_equal(e->chain, due->chain);
	assert_true(view_eq(e->bytes, view_of(due->bytes.p, due->bytes.n)));
	assert_memory_equal(e->tip_before, due->tip_before, HASH_SIZE);
	w->at++;
	return true;
}

/* The journal holds the node's operations, in order, all of them. */
static inline void holds(const struct rig *r, const struct ledger_node *n)
{
	struct walk w = {&n->history, 0};
	uint8_t hash[HASH_SIZE], due[HASH_SIZE];
	uint64_t head;

	assert_int_equal(journal_replay(r->journal, compare, &w, NULL), 0);
	assert_int_equal(w.at, n->history.n);
	for (int c = 0; c < 2; c++) {
		const struct tip *tip = journal_tip(r->journal, (enum chain)c);

		assert_int_equal(tip->seq, n->history.tip[c].seq);
		assert_memory_equal(tip->hash, n->history.tip[c].hash, HASH_SIZE);
	}
	assert_true(journal_head(r->journal, &head, hash));
	node_hash(due, n, head);
	assert_int_equal(head, n->head);
	assert_memory_equal(hash, due, HASH_SIZE);
}

/* A chain of a few blocks with batches, read by a fresh rig of so many nodes. */
static inline void rig_read(struct rig *r, unsigned nodes)
{
	rig_begin(r, nodes);
	node_batches(r->node[0], 3);
	node_mine(r->node[0], 2);
	node_admin(r->node[0], OP_MEMBER_SET);
	node_batches(r->node[0], 2);
	for (unsigned k = 1; k < nodes; k++) {
		node_copy(r->node[k], r->node[0]);
		/* Who is there first is followed. */
		r->node[k]->delay_ms = 50;
	}
	rig_open(r, NULL);
	if (!run(r, is_read))
		fail_msg("not read: %s", r->said);
	for (unsigned k = 1; k < nodes; k++)
		r->node[k]->delay_ms = 0;
	assert_ptr_equal(pool_followed(r->pool), pool_rpc(r->pool, 0));
	holds(r, r->node[0]);
	assert_int_equal(r->troubles, 0);
}

#endif
