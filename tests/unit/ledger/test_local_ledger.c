/* SPDX-License-Identifier: Apache-2.0 */
/* The local ledger as a struct ledger on a loop. */
#include "local_fixture.h"

#include "base/hash.h"

/*
 * A hung test ends; nothing is measured by it. Shorter than the ledger's
 * safety timer, so that what came by the bell cannot have come by that.
 */
#define GUARD_MS 20000

static uv_loop_t loop;
static uv_timer_t guard;
static uint32_t now_is;

static uint32_t fake_now(void)
{
	return now_is;
}

/* A node as it uses a ledger: folds what comes, counts the rest. */
struct node {
	struct ledger *ledger;
	struct registry *registry;
	unsigned events, windows, caught_up, fates, troubles, healed;
	struct ledger_fate fate;
	char trouble[400];
	char order[256]; /* W E C F T, as they came */
	bool inside;     /* a method is running: nothing may call back */
	bool close_at_event;
	uint64_t last_block;
};

static void came(struct node *n, char what)
{
	size_t at = strlen(n->order);

	assert_false(n->inside);
	assert_non_null(n->ledger);
	uv_stop(&loop); /* run_until() looks again before it waits */
	if (at < sizeof n->order - 1)
		n->order[at] = what;
}

static void on_window(void *context, const struct tip *before, uint32_t since)
{
	struct node *n = context;

	came(n, 'W');
	n->windows++;
	assert_int_equal(registry_window(n->registry, before, since), 0);
}

static void on_event(void *context, const struct ledger_event *event)
{
	struct node *n = context;
	struct refusal why;

	came(n, 'E');
	assert_memory_equal(event->tip_before,
		registry_tip(n->registry, event->chain)->hash, HASH_SIZE);
	if (registry_apply(
		    n->registry, &event->operation, event->bytes, NULL, NULL, &why))
		fail_msg("event refused: %s", refusal_name(why.code));
	assert_true(event->block > n->last_block);
	n->last_block = event->block;
	n->events++;
	if (n->close_at_event) {
		n->ledger->methods->close(n->ledger);
		n->ledger = NULL; /* anything further fails in came() */
	}
}

static void on_caught_up(void *context)
{
	struct node *n = context;

	came(n, 'C');
	n->caught_up++;
}

static void on_fate(void *context, const struct ledger_fate *fate)
{
	struct node *n = context;

	came(n, 'F');
	n->fates++;
	n->fate = *fate;
}

static void on_trouble(void *context, bool healthy, const char *text)
{
	struct node *n = context;

	came(n, 'T');
	if (healthy)
		n->healed++;
	else
		n->troubles++;
	snprintf(n->trouble, sizeof n->trouble, "%s", text);
}

static void node_open(struct node *n, const char *path, unsigned who)
{
	struct ledger_callbacks callbacks = {
		.context = n,
		.window = on_window,
		.event = on_event,
		.caught_up = on_caught_up,
		.fate = on_fate,
		.trouble = on_trouble,
	};
	struct error err = {0};

	memset(n, 0, sizeof *n);
	n->registry = registry_new(hash_key_random());
	n->ledger = local_ledger_new(
		&loop, path, who ? signer_of(who) : NULL, &callbacks, fake_now, &err);
	if (!n->ledger)
		fail_msg("%s", err.text);
	n->inside = true;
	assert_int_equal(n->ledger->methods->start(n->ledger, now_is, &err), 0);
	n->inside = false;
}

static void node_close(struct node *n)
{
	n->inside = true;
	if (n->ledger)
		n->ledger->methods->close(n->ledger);
	n->ledger = NULL;
	n->inside = false;
	registry_free(n->registry);
}

static void on_guard(uv_timer_t *t)
{
	(void)t;
	fail_msg("%s", "the loop waits for something that does not come");
}

/* Turn the loop until *counter reaches n. */
static void run_until(const unsigned *counter, unsigned n)
{
	uv_timer_start(&guard, on_guard, GUARD_MS, 0);
	while (*counter < n)
		uv_run(&loop, UV_RUN_ONCE);
	uv_timer_stop(&guard);
}

static void submit(
	struct node *n, uint64_t ticket, uint16_t member, uint32_t cell, uint16_t number)
{
	struct ledger_batch b = {.ticket = ticket, .member = member};
	struct error err = {0};
	struct one o;

	one(&o, member, cell, number, now_is + 900);
	b.count = 1;
	b.words = o.word;
	memset(b.commitment, 0xee, HASH_SIZE);
	n->inside = true;
	if (n->ledger->methods->submit(n->ledger, &b, &err))
		fail_msg("%s", err.text);
	n->inside = false;
	memset(&o, 0xff, sizeof o); /* it was copied */
}

static int64_t node_support(const struct node *n, uint16_t number)
{
	struct indicator i = {INDICATOR_IP4, 32, {8, 8}};

	be16_store(i.value + 2, number);
	return registry_support(n->registry, &i, now_is);
}

static void test_two_nodes(void **state)
{
	const char *path = in_folder("l");
	struct node a, b;
	struct error err;
	struct tip tip;

	(void)state;
	local_close(begun(path, T0));
	node_open(&a, path, ALICE);
	node_open(&b, path, BOB);
	run_until(&a.caught_up, 1);
	run_until(&b.caught_up, 1);
	assert_string_equal(a.order, "EEEC");
	assert_int_equal(a.windows, 0);
	submit(&a, 77, 1, 0, 5);
	run_until(&a.fates, 1);
	run_until(&a.caught_up, 2);
	assert_int_equal(a.fate.ticket, 77);
	assert_int_equal(a.fate.fate, FATE_FINAL);
	assert_int_equal(a.fate.block, 4);
	assert_string_equal(a.order, "EEECEFC");
	/* The other one hears the bell. */
	run_until(&b.caught_up, 2);
	assert_string_equal(b.order, "EEECEC");
	assert_int_equal(node_support(&b, 5), 1);
	submit(&b, 78, 2, 0, 5);
	run_until(&a.events, 5);
	assert_int_equal(node_support(&a, 5), 2);
	assert_int_equal(a.ledger->methods->tip(a.ledger, CHAIN_MEMBERS, &tip, &err), 0);
	assert_memory_equal(
		tip.hash, registry_tip(a.registry, CHAIN_MEMBERS)->hash, HASH_SIZE);
	assert_int_equal(tip.seq, 2);
	node_close(&a);
	node_close(&b);
}

static void test_many_at_once(void **state)
{
	const char *path = in_folder("l");
	struct node a, b;

	(void)state;
	local_close(begun(path, T0));
	node_open(&a, path, ALICE);
	node_open(&b, path, BOB);
	/* Before the first turn already: they wait for the first reading. */
	for (unsigned k = 0; k < 40; k++) {
		submit(&a, k, 1, k, (uint16_t)k);
		submit(&b, k, 2, k, (uint16_t)(k + 1));
	}
	run_until(&a.events, 83);
	run_until(&b.events, 83);
	run_until(&a.fates, 40);
	run_until(&b.fates, 40);
	assert_int_equal(a.fate.fate, FATE_FINAL);
	assert_int_equal(a.fate.ticket, 39);
	assert_int_equal(node_support(&a, 20), 2);
	assert_memory_equal(registry_tip(a.registry, CHAIN_MEMBERS)->hash,
		registry_tip(b.registry, CHAIN_MEMBERS)->hash, HASH_SIZE);
	node_close(&a);
	node_close(&b);
}

static void test_queue_limit(void **state)
{
	const char *path = in_folder("l");
	struct ledger_batch b = {.member = 1, .count = BATCH_MAX + 1};
	struct error err = {0};
	struct node a;

	(void)state;
	local_close(begun(path, T0));
	node_open(&a, path, ALICE);
	assert_int_equal(a.ledger->methods->submit(a.ledger, &b, &err), -1);
	assert_says(&err, "at most 256");
	for (unsigned k = 0; k < 1024; k++)
		submit(&a, k, 1, 0, 0);
	b.count = 0;
	assert_int_equal(a.ledger->methods->submit(a.ledger, &b, &err), -1);
	assert_says(&err, "1024 batches are waiting");
	node_close(&a); /* with all of them waiting: freed, no fate */
	uv_run(&loop, UV_RUN_NOWAIT);
	assert_int_equal(a.fates, 0);
}

static void test_refused_and_read_only(void **state)
{
	const char *path = in_folder("l");
	struct ledger_batch b = {.member = 1};
	struct error err = {0};
	struct node a, r;

	(void)state;
	local_close(begun(path, T0));
	node_open(&a, path, ALICE);
	node_open(&r, path, 0);
	submit(&a, 1, 2, 0, 5); /* Bob's cell */
	run_until(&a.fates, 1);
	assert_int_equal(a.fate.fate, FATE_REFUSED);
	assert_int_equal(a.fate.refusal.code, REFUSED_NOT_SIGNER);
	assert_int_equal(r.ledger->methods->submit(r.ledger, &b, &err), -1);
	assert_says(&err, "no key");
	node_close(&a);
	node_close(&r);
}

static void test_busy(void **state)
{
	const char *path = in_folder("l");
	struct node a;
	sqlite3 *other;

	(void)state;
	local_close(begun(path, T0));
	node_open(&a, path, ALICE);
	run_until(&a.caught_up, 1);
	assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
	assert_int_equal(
		sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	submit(&a, 9, 1, 0, 5);
	run_until(&a.fates, 1);
	assert_int_equal(a.fate.fate, FATE_FAILED);
	assert_says(&a.fate.error, "write lock");
	sqlite3_close(other);
	submit(&a, 10, 1, 0, 5); /* the caller tries again */
	run_until(&a.fates, 2);
	assert_int_equal(a.fate.fate, FATE_FINAL);
	node_close(&a);
}

static void test_window(void **state)
{
	const char *path = in_folder("l");
	struct local *l = begun(path, T0);
	struct node n;
	struct one o;

	(void)state;
	assert_int_equal(append(l, one(&o, 1, 0, 5, T0 + 100), ALICE, T0), 0);
	now_is = T0 + MAX_TTL + 1000;
	assert_int_equal(append(l, one(&o, 2, 0, 6, now_is + 100), BOB, now_is), 0);
	local_close(l);
	node_open(&n, path, ALICE);
	run_until(&n.caught_up, 1);
	assert_string_equal(n.order, "EEEWEC");
	assert_int_equal(node_support(&n, 6), 1);
	assert_int_equal(registry_tip(n.registry, CHAIN_MEMBERS)->seq, 2);
	submit(&n, 1, 1, 1, 6);
	run_until(&n.fates, 1);
	assert_int_equal(n.fate.fate, FATE_FINAL);
	assert_int_equal(node_support(&n, 6), 2);
	node_close(&n);
}

static void test_a_bad_row(void **state)
{
	const char *path = in_folder("l");
	struct node n;
	struct one o;
	struct local *l = begun(path, T0);
	sqlite3 *db;

	(void)state;
	assert_int_equal(append(l, one(&o, 1, 0, 5, T0 + 900), ALICE, T0), 0);
	assert_int_equal(append(l, one(&o, 2, 0, 5, T0 + 900), BOB, T0), 0);
	local_close(l);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db,
				 "UPDATE operation SET signature = "
				 "zeroblob(65) WHERE row = 5",
				 NULL, NULL, NULL),
		SQLITE_OK);
	sqlite3_close(db);
	node_open(&n, path, ALICE);
	submit(&n, 4, 1, 1, 9);
	run_until(&n.fates, 1);
	/* What was verified before stays; the rest is refused for good. */
	assert_string_equal(n.order, "EEEETF");
	assert_int_equal(n.fate.fate, FATE_FAILED);
	assert_says(&n.fate.error, "row 5");
	assert_non_null(strstr(n.trouble, "row 5: the signature"));
	submit(&n, 5, 1, 1, 9);
	run_until(&n.fates, 2);
	assert_int_equal(n.troubles, 1);
	assert_int_equal(n.fate.fate, FATE_FAILED);
	node_close(&n);
}

static void test_closed_in_a_callback(void **state)
{
	const char *path = in_folder("l");
	struct node n;

	(void)state;
	local_close(begun(path, T0));
	node_open(&n, path, ALICE);
	n.close_at_event = true;
	run_until(&n.events, 1);
	uv_run(&loop, UV_RUN_NOWAIT);
	assert_string_equal(n.order, "E");
	node_close(&n);
}

static void test_bell_removed(void **state)
{
	const char *path = in_folder("l");
	struct local *other;
	struct node n;
	struct one o;

	(void)state;
	other = begun(path, T0);
	local_close(other);
	node_open(&n, path, ALICE);
	run_until(&n.caught_up, 1);
	/* It makes a new one, which others ring. */
	unlink(in_folder("l-bell"));
	uv_timer_start(&guard, on_guard, GUARD_MS, 0);
	while (access(in_folder("l-bell"), F_OK))
		uv_run(&loop, UV_RUN_ONCE);
	other = open_local(path, true, T0);
	assert_int_equal(append(other, one(&o, 2, 0, 5, T0 + 900), BOB, T0), 0);
	run_until(&n.events, 4);
	assert_int_equal(node_support(&n, 5), 1);
	/* Renamed over, as by a restore of the folder. */
	fclose(fopen(in_folder("new"), "w"));
	assert_int_equal(rename(in_folder("new"), in_folder("l-bell")), 0);
	uv_timer_start(&guard, on_guard, GUARD_MS, 0);
	uv_run(&loop, UV_RUN_ONCE);
	local_close(other);
	other = open_local(path, true, T0);
	assert_int_equal(append(other, one(&o, 2, 1, 6, T0 + 900), BOB, T0), 0);
	run_until(&n.events, 5);
	assert_int_equal(n.troubles, 0);
	local_close(other);
	node_close(&n);
}

static void test_new_fails(void **state)
{
	struct ledger_callbacks callbacks = {0};
	struct error err = {0};

	(void)state;
	assert_null(
		local_ledger_new(&loop, in_folder("none"), NULL, &callbacks, NULL, &err));
	assert_says(&err, "create the ledger first");
}

static int begin_loop(void **state)
{
	now_is = T0;
	if (uv_loop_init(&loop) || uv_timer_init(&loop, &guard))
		return -1;
	uv_unref((uv_handle_t *)&guard);
	(void)state;
	return 0;
}

/* Every handle must close: a leak here is a leak in a node. */
static int end_loop(void **state)
{
	uv_close((uv_handle_t *)&guard, NULL);
	uv_run(&loop, UV_RUN_DEFAULT);
	return uv_loop_close(&loop) ? -1 : clean_folder(state);
}

#define ON_LOOP(name) cmocka_unit_test_setup_teardown(name, begin_loop, end_loop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_LOOP(test_two_nodes),
		ON_LOOP(test_many_at_once),
		ON_LOOP(test_queue_limit),
		ON_LOOP(test_refused_and_read_only),
		ON_LOOP(test_busy),
		ON_LOOP(test_window),
		ON_LOOP(test_a_bad_row),
		ON_LOOP(test_closed_in_a_callback),
		ON_LOOP(test_bell_removed),
		ON_LOOP(test_new_fails),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
