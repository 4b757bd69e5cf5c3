/* SPDX-License-Identifier: Apache-2.0 */
/* Batches in flight: what leaves, what comes back, what a death leaves behind. */
#include "node_for_test.h"

#include <stdlib.h>

#include "remove_tree.h"
#include "store/outbox.h"

static char folder[64];

static int make_folder(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/node-outbox-XXXXXX");
	clock_set(0);
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	(void)state;
	history_cut(0);
	return remove_tree(folder);
}

/* A node that has read a fresh ledger. */
static struct node *begun(bool chain, uint32_t cap)
{
	struct node *n = node_begin(folder, chain);

	history_begin(cap);
	node_link(n);
	assert_true(n->caught_up);
	return n;
}

/* Rows number `first` and on; expiry an hour on. */
static void decide_many(struct node *n, unsigned first, unsigned count)
{
	char text[40];

	/* In one transaction, as with their bans: thousands would wait for the disk. */
	assert_int_equal(store_begin(n->store, STORE_SYNCED, NULL), 0);
	n->bans_open = true;
	for (unsigned i = first; i < first + count; i++) {
		snprintf(text, sizeof text, "10.%u.%u.%u", i >> 16 & 255, i >> 8 & 255,
			i & 255);
		decide_report(n, text, T0 + 3600);
	}
	n->bans_open = false;
	assert_int_equal(store_commit(n->store, NULL), 0);
}

static uint64_t count_of(struct node *n, enum outbox_state state)
{
	uint64_t counts[OUTBOX_STATES];

	assert_int_equal(outbox_counts(n->store, counts, NULL), 0);
	return counts[state];
}

static struct submitted s, t;

static void none(void)
{
	assert_false(take_submitted(&t));
}

/* Submitted, and it is this many words. */
static void batch_of(unsigned words)
{
	assert_true(take_submitted(&s));
	assert_int_equal(s.header.count, words);
	assert_int_equal(s.header.member, 1);
}

static bool listed(struct node *n, const char *text)
{
	struct indicator i = of(text);
	struct report w;

	return !registry_own_word(n->registry, 1, &i, node_now(), &w);
}

/* --- gathering --- */

static void test_gathering(void **state)
{
	struct node *n = begun(true, 1000);

	(void)state;
	clock_set(10);
	decide_many(n, 1, 1);
	node_outbox_submit(n);
	batch_of(1); /* at once: it was quiet */
	clock_set(10.2);
	decide_many(n, 2, 1);
	node_outbox_submit(n);
	none();
	clock_set(10.9);
	decide_many(n, 3, 1);
	node_outbox_submit(n);
	none();
	/* The tick is set to when the older one has waited a second. */
	assert_true(n->gather_at == clock_monotonic() + 300000);
	clock_set(11.1);
	node_schedule(n);
	none();
	clock_set(11.2);
	node_schedule(n);
	batch_of(2);
	none();
	assert_int_equal(node_flights(n), 2);
	/* A hundred do not wait; what is left over does. */
	clock_set(11.3);
	decide_many(n, 100, 230);
	node_outbox_submit(n);
	batch_of(100);
	batch_of(100);
	none();
	/* A spend takes the others along. */
	clock_set(11.4);
	tell_fate(n, 1, FATE_FINAL, 0, 0);
	decide_spend(n, "203.0.113.1");
	node_outbox_submit(n);
	batch_of(30);
	none();
	assert_int_equal(node_flights(n), 4);
	assert_int_equal(count_of(n, OUTBOX_WAITING), 0);
	node_kill(n);
}

/* The local ledger answers at once: one at a time, and nothing is held back. */
static void test_local(void **state)
{
	struct node *n = begun(false, 1000);

	(void)state;
	for (unsigned i = 1; i < 4; i++) {
		decide_many(n, i, 1);
		node_outbox_submit(n);
		batch_of(1);
		decide_many(n, 10 * i, 2);
		node_outbox_submit(n);
		none();
		include(n, &s);
		tell_fate(n, s.header.ticket, FATE_FINAL, 0, 0);
		batch_of(2);
		include(n, &s);
		tell_fate(n, s.header.ticket, FATE_FINAL, 0, 0);
		none();
	}
	assert_int_equal(count_of(n, OUTBOX_FINAL), 9);
	node_kill(n);
}

static void object(struct node *n, uint32_t i)
{
	struct node_report r;
	struct error err;

	memset(&r, 0, sizeof r);
	r.indicator = of("203.0.113.9");
	r.indicator.value[3] = (uint8_t)(100 + i);
	r.category = CATEGORY_OBJECTION;
	r.proof = PROOF_MANUAL;
	r.expiry = T0 + 3600;
	assert_true(node_publish(n, &r, &err) != 0);
}

/* Up to 64 at once, each cell once; the last eighth for what is urgent. */
static void test_many_flights(void **state)
{
	struct node *n = begun(true, 20000);
	static bool used[20000];
	uint64_t ticket;

	(void)state;
	memset(used, 0, sizeof used);
	clock_set(10);
	decide_many(n, 1, 7000);
	node_outbox_submit(n);
	for (unsigned i = 0; i < 56; i++) {
		batch_of(100);
		for (unsigned k = 0; k < 100; k++) {
			assert_true(s.words[k].cell < 20000);
			assert_false(used[s.words[k].cell]);
			used[s.words[k].cell] = true;
		}
	}
	none();
	assert_int_equal(node_flights(n), 56);
	ticket = s.header.ticket;
	/* Objections still leave, before all that waits, each with others. */
	for (uint32_t i = 0; i < 9; i++) {
		object(n, i);
		node_outbox_submit(n);
		assert_int_equal(node_flights(n), i < 8 ? 57 + i : 64);
		if (i == 8)
			break;
		batch_of(100);
		assert_int_equal(s.words[0].category, CATEGORY_OBJECTION);
		assert_int_equal(s.words[1].category, CATEGORY_PASSWORD);
	}
	none();
	/* With one less the next objection goes, but nothing else. */
	tell_fate(n, ticket, FATE_FINAL, 0, 0);
	batch_of(100);
	assert_int_equal(s.words[0].category, CATEGORY_OBJECTION);
	tell_fate(n, s.header.ticket, FATE_FINAL, 0, 0);
	none();
	node_kill(n);
}

/* --- fates --- */

static void test_fates(void **state)
{
	struct operation protect = {.type = OP_PROTECT, .table_count = 1};
	struct indicator entry;
	struct node *n = begun(true, 1000);
	uint64_t a, b, c, d;
	uint32_t cell;

	(void)state;
	clock_set(10);
	a = decide_report(n, "203.0.113.1", T0 + 3600);
	node_outbox_submit(n);
	batch_of(1);
	clock_set(12);
	b = decide_report(n, "203.0.113.2", T0 + 3600);
	c = decide_report(n, "203.0.113.3", T0 + 3600);
	node_outbox_submit(n);
	clock_set(13);
	node_schedule(n);
	assert_true(take_submitted(&t));
	assert_int_equal(t.header.count, 2);
	assert_true(t.words[0].cell != s.words[0].cell);
	/* The later one first; and one that nobody knows. */
	tell_fate(n, 4711, FATE_FINAL, 0, 0);
	tell_fate(n, t.header.ticket, FATE_FINAL, 0, 0);
	assert_string_equal(row_state(n, a), "submitted");
	assert_string_equal(row_state(n, b), "final");
	assert_string_equal(row_state(n, c), "final");
	/* A failure puts it back; what follows is the same word again. */
	cell = s.words[0].cell;
	tell_fate(n, s.header.ticket, FATE_FAILED, 0, 0);
	assert_string_equal(row_state(n, a), "waiting");
	assert_int_equal(node_flights(n), 0);
	d = decide_report(n, "203.0.113.4", T0 + 3600);
	node_outbox_submit(n);
	none(); /* not before a second has passed */
	clock_set(14.1);
	node_schedule(n);
	batch_of(2);
	assert_int_equal(s.words[0].cell, cell);
	assert_true(s.words[1].cell != cell);
	/* Twice as long after the second failure in a row. */
	tell_fate(n, s.header.ticket, FATE_FAILED, 0, 0);
	clock_set(15.9);
	node_schedule(n);
	none();
	clock_set(16.2);
	node_schedule(n);
	batch_of(2);
	/*
	 * A refusal for which the ledger, as read, has no reason: not believed. That
	 * row is tried again later, and the other does not wait for it.
	 */
	tell_fate(n, s.header.ticket, FATE_REFUSED, REFUSED_PROTECTED, 1);
	assert_string_equal(row_state(n, d), "waiting");
	clock_set(17.3);
	node_schedule(n);
	batch_of(1);
	assert_int_equal(s.words[0].cell, cell);
	t = s;
	clock_set(19.9);
	node_schedule(n);
	none();
	clock_set(20.4);
	node_schedule(n);
	clock_set(21.5); /* gathered as any other */
	node_schedule(n);
	batch_of(1);
	assert_true(s.words[0].cell != cell);
	tell_fate(n, t.header.ticket, FATE_FAILED, 0, 0);
	tell_fate(n, s.header.ticket, FATE_FAILED, 0, 0);
	clock_set(32);
	node_schedule(n);
	batch_of(2);
	/* One entry is refused for good; the other leaves again. */
	entry = of("203.0.113.4");
	protect.table = (const uint8_t *)&entry;
	memset(protect.actor, OWNER, ADDRESS20);
	history_tell(n, protect);
	tell_fate(n, s.header.ticket, FATE_REFUSED, REFUSED_PROTECTED, 1);
	assert_string_equal(row_state(n, d), "refused");
	clock_set(34);
	node_schedule(n);
	batch_of(1);
	tell_fate(n, s.header.ticket, FATE_FINAL, 0, 0);
	tell_fate(n, s.header.ticket, FATE_FAILED, 0, 0); /* said twice */
	assert_string_equal(row_state(n, a), "final");
	none();
	node_kill(n);
}

/* A lowered cap: the words are built anew within it, none is refused for ever. */
static void test_over_cap(void **state)
{
	struct node *n = begun(true, 4);
	struct operation op = {.type = OP_MEMBER_SET, .member = 1, .weight = 1, .cap = 1};
	uint64_t rows[3];

	(void)state;
	clock_set(10);
	rows[0] = decide_report(n, "203.0.113.1", T0 + 3600);
	rows[1] = decide_report(n, "203.0.113.2", T0 + 3600);
	rows[2] = decide_report(n, "203.0.113.3", T0 + 3600);
	node_outbox_submit(n);
	batch_of(3);
	memset(op.actor, OWNER, ADDRESS20);
	history_tell(n, op);
	tell_fate(n, s.header.ticket, FATE_REFUSED, REFUSED_CELL_OVER_CAP, 1);
	for (unsigned i = 0; i < 3; i++)
		assert_string_equal(row_state(n, rows[i]), "waiting");
	clock_set(12);
	node_schedule(n);
	batch_of(1);
	assert_int_equal(s.words[0].cell, 0);
	include(n, &s);
	tell_fate(n, s.header.ticket, FATE_FINAL, 0, 0);
	clock_set(14);
	node_schedule(n);
	/* The cap is full: the next takes the place of the first. */
	batch_of(1);
	assert_int_equal(s.words[0].cell, 0);
	assert_int_equal(s.words[0].action, ACTION_REPLACE);
	node_kill(n);
}

static void test_paused(void **state)
{
	struct node *n = begun(true, 4);
	struct operation op = {.type = OP_PAUSE};
	uint64_t row;

	(void)state;
	clock_set(10);
	row = decide_report(n, "203.0.113.1", T0 + 3600);
	node_outbox_submit(n);
	batch_of(1);
	tell_fate(n, s.header.ticket, FATE_REFUSED, REFUSED_PAUSED, 0);
	assert_string_equal(row_state(n, row), "waiting");
	memset(op.actor, OWNER, ADDRESS20);
	history_tell(n, op);
	none();
	op.type = OP_UNPAUSE;
	clock_set(12);
	history_tell(n, op);
	batch_of(1);
	node_kill(n);
}

/* --- deaths --- */

/* The same batch again, word for word, under its number. */
static void assert_same_batch(const struct submitted *a, const struct submitted *b)
{
	assert_memory_equal(&a->header, &b->header, sizeof a->header);
	assert_memory_equal(a->raw, b->raw, (size_t)a->header.count * WORD_SIZE);
}

static void test_node_dies(void **state)
{
	struct node *n = begun(true, 1000);
	struct submitted *first = malloc(sizeof *first), *second = malloc(sizeof *second);

	(void)state;
	assert_true(first && second);
	clock_set(10);
	decide_many(n, 1, 150);
	node_outbox_submit(n);
	assert_true(take_submitted(first));
	clock_set(11);
	node_schedule(n);
	assert_true(take_submitted(second));
	assert_int_equal(second->header.count, 50);
	/* The first was mined, but is not final; nobody knows of the second. */
	include(n, first);
	node_kill(n);
	clock_set(20);
	n = node_begin(folder, true);
	node_link(n);
	assert_int_equal(count_of(n, OUTBOX_SUBMITTED), 150);
	assert_true(take_submitted(&s));
	assert_same_batch(first, &s);
	assert_true(take_submitted(&s));
	assert_same_batch(second, &s);
	none();
	assert_int_equal(node_flights(n), 2);
	tell_fate(n, first->header.ticket, FATE_FINAL, 0, 0);
	assert_int_equal(count_of(n, OUTBOX_FINAL), 100);
	tell_fate(n, second->header.ticket, FATE_FINAL, 0, 0);
	assert_int_equal(count_of(n, OUTBOX_FINAL), 150);
	none();
	node_kill(n);
	free(first);
	free(second);
}

/* A fate that is told to the new node before it has read the ledger counts. */
static void test_fate_of_before(void **state)
{
	struct node *n = begun(true, 1000);
	uint64_t row;

	(void)state;
	clock_set(10);
	row = decide_report(n, "203.0.113.1", T0 + 3600);
	node_outbox_submit(n);
	batch_of(1);
	include(n, &s);
	node_kill(n);
	n = node_begin(folder, true);
	tell_fate(n, s.header.ticket, FATE_FINAL, 0, 0);
	assert_string_equal(row_state(n, row), "final");
	node_link(n);
	none();
	node_kill(n);
}

static void test_local_dies(void **state)
{
	struct node *n = begun(false, 1000);
	uint64_t a, b;

	(void)state;
	clock_set(10);
	a = decide_report(n, "203.0.113.1", T0 + 3600);
	node_outbox_submit(n);
	batch_of(1);
	b = decide_report(n, "203.0.113.2", T0 + 3600);
	/* The ledger role died with it unwritten: it goes again, to its cell. */
	node_link(n);
	assert_string_equal(row_state(n, a), "submitted");
	assert_true(take_submitted(&t));
	assert_int_equal(t.header.count, 2);
	assert_true(t.header.ticket != s.header.ticket);
	assert_int_equal(t.words[0].cell, s.words[0].cell);
	/* This time it was written, but the answer was lost. */
	include(n, &t);
	node_link(n);
	assert_string_equal(row_state(n, a), "final");
	assert_string_equal(row_state(n, b), "final");
	none();
	node_kill(n);
}

/* --- reorganisations, outages --- */

static void test_undo(void **state)
{
	struct node *n = begun(true, 1000);
	size_t fork = history_length();
	struct indicator learnt = of("203.0.113.77"), kept = of("203.0.113.78");
	uint64_t row;

	(void)state;
	clock_set(10);
	history_report(n, "203.0.113.78", 0, T0 + 3000);
	fork = history_length();
	row = decide_report(n, "203.0.113.1", T0 + 3600);
	node_outbox_submit(n);
	batch_of(1);
	include(n, &s);
	history_report(n, "203.0.113.77", 1, T0 + 3000);
	assert_non_null(ban_table_get(n->bans, &learnt, BAN_SIP));
	assert_true(listed(n, "203.0.113.1"));
	/* Both are dropped. Until all is read anew the old state counts. */
	node_ledger_message(n, MSG_UNDO, view_of(&n->delivery, sizeof n->delivery));
	assert_non_null(n->incoming);
	assert_true(n->caught_up);
	assert_non_null(ban_table_get(n->bans, &learnt, BAN_SIP));
	assert_true(listed(n, "203.0.113.1"));
	history_cut(fork);
	history_deliver(n);
	assert_null(ban_table_get(n->bans, &learnt, BAN_SIP));
	assert_non_null(ban_table_get(n->bans, &kept, BAN_SIP));
	assert_false(listed(n, "203.0.113.1"));
	/* The own report is under way still, and not handed over a second time. */
	assert_string_equal(row_state(n, row), "submitted");
	assert_int_equal(node_flights(n), 1);
	none();
	/* Its cell stays its own while it is. */
	decide_report(n, "203.0.113.2", T0 + 3600);
	clock_set(11.5);
	node_outbox_submit(n);
	clock_set(12.5);
	node_schedule(n);
	assert_true(take_submitted(&t));
	assert_true(t.words[0].cell != s.words[0].cell);
	/* It comes back on the other branch. */
	include(n, &s);
	tell_fate(n, s.header.ticket, FATE_FINAL, 0, 0);
	assert_string_equal(row_state(n, row), "final");
	assert_true(listed(n, "203.0.113.1"));
	node_kill(n);
}

/* With no ledger at all a ban ends with its report, not sooner, not later. */
static void test_outage(void **state)
{
	struct node *n = begun(true, 1000);
	struct indicator first = of("203.0.113.77"), second = of("203.0.113.78");

	(void)state;
	clock_set(10);
	history_report(n, "203.0.113.77", 0, T0 + 600);
	history_report(n, "203.0.113.78", 1, T0 + 7200);
	node_unlink(n);
	clock_set(599.5);
	node_schedule(n);
	assert_non_null(ban_table_get(n->bans, &first, BAN_SIP));
	clock_set(600);
	node_schedule(n);
	assert_null(ban_table_get(n->bans, &first, BAN_SIP));
	assert_non_null(ban_table_get(n->bans, &second, BAN_SIP));
	/* Also for a node that starts during the outage: its record knows the end. */
	node_kill(n);
	clock_set(7199);
	n = node_begin(folder, true);
	node_schedule(n);
	assert_non_null(ban_table_get(n->bans, &second, BAN_SIP));
	clock_set(7200);
	node_schedule(n);
	assert_null(ban_table_get(n->bans, &second, BAN_SIP));
	node_kill(n);
}

/* What was decided during an outage leaves when it is over. */
static void test_outage_over(void **state)
{
	struct node *n = begun(true, 1000);

	(void)state;
	clock_set(10);
	node_unlink(n);
	decide_many(n, 1, 250);
	node_outbox_submit(n);
	assert_int_equal(count_of(n, OUTBOX_WAITING), 250);
	clock_set(1000);
	node_link(n);
	batch_of(100);
	batch_of(100);
	none();
	clock_set(1001);
	node_schedule(n);
	batch_of(50);
	none();
	node_kill(n);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_gathering),
		CASE(test_local),
		CASE(test_many_flights),
		CASE(test_fates),
		CASE(test_over_cap),
		CASE(test_paused),
		CASE(test_node_dies),
		CASE(test_fate_of_before),
		CASE(test_local_dies),
		CASE(test_undo),
		CASE(test_outage),
		CASE(test_outage_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
