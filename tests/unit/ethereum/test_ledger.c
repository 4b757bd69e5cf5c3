/* SPDX-License-Identifier: Apache-2.0 */
/* The Ethereum ledger as its owner sees it: struct ledger and its callbacks. */
#include "ledger_node.h"

#include <stdio.h>
#include <unistd.h>

#include "base/keccak.h"
#include "ledger/ethereum/ethereum.h"

#define RUN_MS 20000

struct owner {
	uv_loop_t loop;
	struct ethereum_settings settings;
	struct ledger *ledger;
	struct ledger_node *node;
	uv_timer_t tick;
	uint64_t deadline;
	bool reached;
	bool (*until)(struct owner *o);

	struct tip tip[2]; /* folded */
	uint64_t last_block;
	unsigned events, windows, undos, caught_up, troubles;
	unsigned close_at;   /* closes the ledger within this event; 0: never */
	unsigned restart_at; /* start() within this event; 0: never */
	bool restarts;       /* start() within undo() */
	uint32_t since;
	char said[4000];
};

static struct owner *the_owner;

static uint32_t now_seconds(void)
{
	return node_time(the_owner->node, the_owner->node->head);
}

static void forget(struct owner *o)
{
	memset(o->tip, 0, sizeof o->tip);
	o->last_block = 0;
	o->events = o->windows = 0;
}

static void on_window(void *context, const struct tip *before, uint32_t since)
{
	struct owner *o = context;

	o->windows++;
	o->since = since;
	assert_int_equal(o->tip[CHAIN_MEMBERS].seq, 0);
	o->tip[CHAIN_MEMBERS] = *before;
}

static void on_event(void *context, const struct ledger_event *e)
{
	struct owner *o = context;
	struct tip *tip = &o->tip[e->chain];

	assert_memory_equal(e->tip_before, tip->hash, HASH_SIZE);
	assert_int_equal(e->operation.seq, tip->seq);
	assert_true(e->block >= o->last_block);
	tip_advance(tip->hash, tip->hash, e->bytes);
	tip->seq++;
	o->last_block = e->block;
	if (o->events + 1 == o->restart_at) {
		o->restart_at = 0;
		forget(o);
		assert_int_equal(o->ledger->methods->start(o->ledger, 0, NULL), 0);
		return;
	}
	if (++o->events == o->close_at) {
		o->ledger->methods->close(o->ledger);
		o->ledger = NULL;
	}
}

static void on_undo(void *context, uint64_t block)
{
	struct owner *o = context;

	assert_true(block <= o->last_block);
	o->undos++;
	if (!o->restarts)
		return;
	forget(o);
	assert_int_equal(o->ledger->methods->start(o->ledger, 0, NULL), 0);
}

static void on_caught_up(void *context)
{
	struct owner *o = context;

	/* Not after the far part of a first reading. */
	assert_int_equal(o->tip[CHAIN_ADMIN].seq, o->node->history.tip[CHAIN_ADMIN].seq);
	o->caught_up++;
}

static void on_trouble(void *context, bool healthy, const char *text)
{
	struct owner *o = context;
	size_t n = strlen(o->said);

	o->troubles += !healthy;
	snprintf(o->said + n, sizeof o->said - n, "%s%s\n", healthy ? "+ " : "- ", text);
}

static void on_tick(uv_timer_t *timer)
{
	struct owner *o = timer->data;

	o->reached = o->until(o);
	if (o->reached || uv_now(&o->loop) > o->deadline)
		uv_stop(&o->loop);
}

static bool run(struct owner *o, bool (*until)(struct owner *o))
{
	uv_update_time(&o->loop);
	o->until = until;
	o->deadline = uv_now(&o->loop) + RUN_MS;
	uv_timer_start(&o->tick, on_tick, 0, 5);
	uv_run(&o->loop, UV_RUN_DEFAULT);
	uv_timer_stop(&o->tick);
	return o->reached;
}

static bool folded(struct owner *o)
{
	const struct tip *due = o->node->history.tip;

	return o->caught_up && !memcmp(o->tip[0].hash, due[0].hash, HASH_SIZE) &&
		!memcmp(o->tip[1].hash, due[1].hash, HASH_SIZE);
}

static void open_ledger(struct owner *o, const char *journal)
{
	const struct ledger_callbacks callbacks = {
		o, on_window, on_event, on_undo, on_caught_up, NULL, on_trouble};
	struct error err = {""};

	snprintf(o->settings.journal, sizeof o->settings.journal, "%s", journal);
	o->ledger = ethereum_ledger_new(
		&o->loop, &o->settings, NULL, &callbacks, now_seconds, &err);
	if (!o->ledger)
		fail_msg("%s", err.text);
}

static void begin(struct owner *o, uint32_t spacing)
{
	static const uint8_t contract[ADDRESS20] = {0xc0, 1, 2, 3};
	static const uint8_t code[] = {0x60, 1};
	char line[100];

	memset(o, 0, sizeof *o);
	the_owner = o;
	o->node = node_start();
	o->node->spacing = spacing;
	o->restarts = true;
	uv_loop_init(&o->loop);
	uv_timer_init(&o->loop, &o->tick);
	o->tick.data = o;
	assert_int_equal(endpoint_parse(&o->settings.endpoints[0],
				 view_str(node_line(line, o->node, "a")), NULL),
		0);
	o->settings.endpoint_count = 1;
	memcpy(o->settings.contract, contract, ADDRESS20);
	o->settings.chain_id = 1337;
	node_hash(o->settings.genesis, o->node, 0);
	keccak256(o->settings.code_hash, code, sizeof code);
	o->settings.deployed = NODE_DEPLOYED;
	o->settings.finality = FINALITY_DEPTH;
	o->settings.poll_ms = 50;
}

static void end(struct owner *o)
{
	if (o->ledger)
		o->ledger->methods->close(o->ledger);
	uv_close((uv_handle_t *)&o->tick, NULL);
	assert_int_equal(uv_run(&o->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&o->loop), 0);
	node_stop(o->node);
}

static void test_delivery(void **state)
{
	struct error err = {""};
	struct owner o;
	struct tip tip;
	char where[120];
	unsigned events;

	(void)state;
	begin(&o, 10);
	for (unsigned k = 0; k < 140; k++)
		node_batches(o.node, 3);
	node_admin(o.node, OP_MEMBER_SET);
	open_ledger(&o, ":memory:");
	assert_int_equal(o.ledger->methods->tip(o.ledger, CHAIN_ADMIN, &tip, &err), -1);
	assert_string_equal(err.text, "the chain has not been read yet");
	assert_int_equal(o.ledger->methods->start(o.ledger, 0, &err), 0);
	assert_true(run(&o, folded));
	assert_int_equal(o.events, o.node->history.n);
	assert_int_equal(o.windows, 0);
	assert_int_equal(o.ledger->methods->tip(o.ledger, CHAIN_MEMBERS, &tip, &err), 0);
	assert_int_equal(tip.seq, 420);
	assert_string_equal(ethereum_ledger_where(where, sizeof where, o.ledger),
		"a (block 151), 0 witnesses");
	/* Live, and anew from the journal without a question. */
	node_batches(o.node, 2);
	assert_true(run(&o, folded));
	assert_int_equal(o.events, o.node->history.n);
	forget(&o);
	o.caught_up = 0;
	events = o.node->logs_asked;
	assert_int_equal(o.ledger->methods->start(o.ledger, 0, &err), 0);
	assert_true(run(&o, folded));
	assert_int_equal(o.events, o.node->history.n);
	assert_int_equal(o.node->logs_asked, events);
	assert_int_equal(o.caught_up, 1);
	assert_int_equal(o.troubles, 0);
	end(&o);
}

static void test_window_is_told(void **state)
{
	struct owner o;

	(void)state;
	begin(&o, 20000);
	for (unsigned k = 0; k < 60; k++)
		node_batches(o.node, 1);
	open_ledger(&o, ":memory:");
	o.ledger->methods->start(o.ledger, 0, NULL);
	assert_true(run(&o, folded));
	assert_int_equal(o.windows, 1);
	assert_true(o.events < o.node->history.n && o.events > 30);
	assert_true(o.since <= now_seconds() - MAX_TTL);
	end(&o);
	/* No event in it at all. */
	begin(&o, 20000);
	node_batches(o.node, 3);
	node_mine(o.node, 60);
	open_ledger(&o, ":memory:");
	o.ledger->methods->start(o.ledger, 0, NULL);
	assert_true(run(&o, folded));
	assert_int_equal(o.windows, 1);
	assert_int_equal(o.events, 2);
	end(&o);
}

/*
 * Read in two parts, a chain a little older than its longest report: what is dropped
 * between them was told, and no window begins in the middle.
 */
static void test_dropped_between_parts(void **state)
{
	struct owner o;

	(void)state;
	begin(&o, 4999);
	/* The first part ends with the 122nd, MAX_TTL and 79 s behind the first. */
	for (unsigned k = 0; k < 154; k++)
		node_batches(o.node, 1);
	open_ledger(&o, ":memory:");
	o.ledger->methods->start(o.ledger, 0, NULL);
	assert_true(run(&o, folded));
	assert_int_equal(o.windows, 0);
	assert_int_equal(o.events, o.node->history.n);
	/* Anew from the journal, which begins later now. */
	forget(&o);
	o.caught_up = 0;
	o.ledger->methods->start(o.ledger, 0, NULL);
	assert_true(run(&o, folded));
	assert_int_equal(o.windows, 1);
	assert_true(o.events < o.node->history.n);
	end(&o);
}

static bool undone(struct owner *o)
{
	return o->undos > 0;
}

static bool nothing_more(struct owner *o)
{
	return uv_now(&o->loop) + RUN_MS > o->deadline + 400;
}

static void test_undo(void **state)
{
	struct owner o;
	unsigned events;

	(void)state;
	begin(&o, 10);
	for (unsigned k = 0; k < 5; k++)
		node_batches(o.node, 2);
	open_ledger(&o, ":memory:");
	o.ledger->methods->start(o.ledger, 0, NULL);
	assert_true(run(&o, folded));
	node_fork(o.node, o.node->head - 1);
	node_batches(o.node, 1);
	assert_true(run(&o, undone));
	assert_true(run(&o, folded));
	assert_int_equal(o.undos, 1);
	assert_int_equal(o.events, o.node->history.n);
	/* Empty blocks that are replaced undo nothing. */
	node_mine(o.node, 4);
	assert_false(run(&o, nothing_more) && o.undos > 1);
	node_fork(o.node, o.node->head - 2);
	run(&o, nothing_more);
	assert_int_equal(o.undos, 1);
	/* Told once, and nothing is delivered until start(). */
	o.restarts = false;
	node_fork(o.node, o.node->head - 4);
	events = o.events;
	node_batches(o.node, 1);
	run(&o, nothing_more);
	assert_int_equal(o.undos, 2);
	assert_int_equal(o.events, events);
	forget(&o);
	o.ledger->methods->start(o.ledger, 0, NULL);
	assert_true(run(&o, folded));
	end(&o);
}

static void test_restart_without_endpoint(void **state)
{
	char path[] = "/tmp/sipchain-ledger-XXXXXX";
	int fd = mkstemp(path);
	struct owner o;

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	unlink(path);
	begin(&o, 10);
	for (unsigned k = 0; k < 5; k++)
		node_batches(o.node, 2);
	open_ledger(&o, path);
	o.ledger->methods->start(o.ledger, 0, NULL);
	assert_true(run(&o, folded));
	/* Closed and opened again before the loop turns. */
	o.ledger->methods->close(o.ledger);
	o.node->down = true;
	forget(&o);
	o.caught_up = 0;
	open_ledger(&o, path);
	o.ledger->methods->start(o.ledger, 0, NULL);
	assert_true(run(&o, folded));
	run(&o, nothing_more);
	assert_non_null(
		strstr(o.said, "no endpoint can be used: what was verified stays"));
	o.node->down = false;
	node_batches(o.node, 1);
	assert_true(run(&o, folded));
	assert_non_null(strstr(o.said, "+ endpoint a is followed"));
	end(&o);
	unlink(path);
}

static bool closed(struct owner *o)
{
	return !o->ledger;
}

static void test_close_within_an_event(void **state)
{
	struct owner o;

	(void)state;
	begin(&o, 10);
	for (unsigned k = 0; k < 5; k++)
		node_batches(o.node, 2);
	o.close_at = 4;
	open_ledger(&o, ":memory:");
	o.ledger->methods->start(o.ledger, 0, NULL);
	assert_true(run(&o, closed));
	run(&o, nothing_more);
	assert_int_equal(o.events, 4);
	assert_int_equal(o.caught_up, 0);
	end(&o);
}

static void test_start_within_an_event(void **state)
{
	struct owner o;

	(void)state;
	begin(&o, 10);
	for (unsigned k = 0; k < 5; k++)
		node_batches(o.node, 2);
	o.restart_at = 7;
	open_ledger(&o, ":memory:");
	o.ledger->methods->start(o.ledger, 0, NULL);
	assert_true(run(&o, folded));
	assert_int_equal(o.restart_at, 0);
	assert_int_equal(o.events, o.node->history.n);
	assert_int_equal(o.caught_up, 1);
	end(&o);
}

static void test_no_key(void **state)
{
	const struct ledger_batch batch = {.ticket = 1};
	struct error err = {""};
	struct owner o;

	(void)state;
	begin(&o, 10);
	open_ledger(&o, ":memory:");
	assert_int_equal(o.ledger->methods->submit(o.ledger, &batch, &err), -1);
	assert_non_null(strstr(err.text, "no key to sign with"));
	end(&o);
}

static void test_bad_settings(void **state)
{
	struct ethereum_settings none = {.journal = ":memory:"};
	const struct ledger_callbacks callbacks = {0};
	struct error err = {""};
	uv_loop_t loop;

	(void)state;
	uv_loop_init(&loop);
	assert_null(ethereum_ledger_new(&loop, &none, NULL, &callbacks, NULL, &err));
	assert_non_null(strstr(err.text, "[ledger] endpoint: none is configured"));
	snprintf(none.journal, sizeof none.journal, "/nowhere/journal");
	assert_null(ethereum_ledger_new(&loop, &none, NULL, &callbacks, NULL, &err));
	assert_non_null(strstr(err.text, "its folder does not exist"));
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_delivery),
		cmocka_unit_test(test_window_is_told),
		cmocka_unit_test(test_dropped_between_parts),
		cmocka_unit_test(test_undo),
		cmocka_unit_test(test_restart_without_endpoint),
		cmocka_unit_test(test_close_within_an_event),
		cmocka_unit_test(test_start_within_an_event),
		cmocka_unit_test(test_no_key),
		cmocka_unit_test(test_bad_settings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
