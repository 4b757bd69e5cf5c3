/* SPDX-License-Identifier: Apache-2.0 */
/* Many indicators at once in the role `node`: in turns, with others between them. */
#include "node_for_test.h"

#include <stdlib.h>
#include <unistd.h>

#include "remove_tree.h"
#include "store/event.h"

#define MANY 5000

static char folder[64];

/* BOB reports addresses of 20.0.0.0/16 from the first on, not told yet. */
static void report_many(struct node *n, uint32_t first, uint32_t count, uint32_t expiry)
{
	static uint8_t words[BATCH_MAX * WORD_SIZE];

	for (uint32_t end = first + count; first < end;) {
		struct operation op = {.type = OP_BATCH, .member = 2, .words = words};

		memset(op.actor, BOB, ADDRESS20);
		for (; op.count < BATCH_MAX && first < end; op.count++, first++) {
			struct report w = {
				.indicator = {.kind = INDICATOR_IP4, .plen = 32},
				.expiry = expiry,
				.member = 2,
				.cell = first,
				.category = CATEGORY_SCAN,
				.proof = PROOF_TCP};

			be32_store(w.indicator.value, UINT32_C(0x14000000) + first);
			word_encode(words + (size_t)op.count * WORD_SIZE, &w);
		}
		history_fold(n, op);
	}
}

static size_t banned(const struct node *n)
{
	return ban_table_count(n->bans);
}

struct seen {
	uint64_t bans, singly[NODE_CHANGES];
	char text[200];
};

static bool see(void *context, const struct event *e)
{
	static const char *const types[] = {"ban", "unban", "pass", "expired"};
	struct seen *s = context;
	json_t *body;

	for (unsigned i = 0; i < NODE_CHANGES; i++)
		s->singly[i] += !strcmp(e->type, types[i]);
	if (strcmp(e->type, "bans") != 0)
		return true;
	s->bans++;
	body = json_loads(e->body, 0, NULL);
	snprintf(s->text, sizeof s->text, "%s",
		json_string_value(json_object_get(body, "text")));
	json_decref(body);
	return true;
}

/* What the journal got after an id. */
static struct seen seen_after(struct node *n, uint64_t *id)
{
	struct seen s = {0};
	uint64_t oldest;

	assert_true(events_after(n->store, *id, 100000, see, &s, NULL) >= 0);
	assert_int_equal(events_range(n->store, &oldest, id, NULL), 0);
	return s;
}

static void turns_until_done(struct node *n)
{
	for (unsigned i = 0;
		n->deciding.all.now || n->deciding.lifts.now || n->deciding.expiring;
		i++) {
		size_t before = banned(n);
		long long moved;

		assert_true(i < 100);
		/* A turn that comes to the timer, too, is two. */
		uv_run(&n->loop, UV_RUN_NOWAIT);
		moved = (long long)banned(n) - (long long)before;
		assert_true(llabs(moved) <= 2 * NODE_DECISIONS);
	}
}

static struct node *begun(void)
{
	struct node *n = node_begin(folder, false);

	history_begin(100000);
	node_link(n);
	assert_true(n->caught_up);
	return n;
}

/* No turn decides more than so many, and few that come between do not wait. */
static void test_turns(void **state)
{
	struct node *n = begun();
	struct indicator other = of("8.8.8.8");
	size_t before;

	(void)state;
	report_many(n, 0, MANY, T0 + 1000);
	history_caught_up(n);
	assert_int_equal(banned(n), 0);
	uv_run(&n->loop, UV_RUN_NOWAIT);
	assert_int_equal(banned(n), NODE_DECISIONS);
	history_report(n, "8.8.8.8", MANY, T0 + 1000);
	assert_int_equal(banned(n), NODE_DECISIONS + 1);
	assert_non_null(ban_table_get(n->bans, &other, BAN_SIP));
	before = banned(n);
	uv_run(&n->loop, UV_RUN_NOWAIT);
	assert_int_equal(banned(n), before + NODE_DECISIONS);
	turns_until_done(n);
	assert_int_equal(banned(n), MANY + 1);
	node_kill(n);
}

/* More that come while many are being decided: they come after, none is lost. */
static void test_more_come(void **state)
{
	struct node *n = begun();

	(void)state;
	report_many(n, 0, 2000, T0 + 1000);
	history_caught_up(n);
	report_many(n, 2000, 2000, T0 + 1000);
	history_caught_up(n);
	report_many(n, 4000, 2000, T0 + 1000);
	history_caught_up(n);
	assert_int_equal(banned(n), 0);
	turns_until_done(n);
	assert_int_equal(banned(n), 6000);
	/* All of it anew changes nothing, and says nothing. */
	n->all_dirty = true;
	node_decide_dirty(n);
	assert_non_null(n->deciding.all.now);
	turns_until_done(n);
	assert_int_equal(banned(n), 6000);
	node_kill(n);
}

/* The journal: a thousand of many, and the number of the others. */
static void test_journal(void **state)
{
	struct node *n = begun();
	struct allow_entry e = {.indicator = of("20.0.0.0/16"), .origin = ALLOW_OPERATOR};
	uint64_t id = 0;
	struct seen s;

	(void)state;
	seen_after(n, &id);
	report_many(n, 0, MANY, T0 + 1000);
	history_caught_up(n);
	turns_until_done(n);
	s = seen_after(n, &id);
	assert_int_equal(s.singly[NODE_BANNED], NODE_CHANGES_TOLD);
	assert_int_equal(s.bans, 1);
	assert_string_equal(s.text, "at once, and not told one by one: 4000 ban");
	/* Few are told each, before and after. */
	report_many(n, MANY, NODE_DECISIONS, T0 + 1000);
	history_caught_up(n);
	s = seen_after(n, &id);
	assert_int_equal(s.singly[NODE_BANNED], NODE_DECISIONS);
	assert_int_equal(s.bans, 0);
	/* Nothing changed: nothing is told. */
	n->all_dirty = true;
	node_decide_dirty(n);
	turns_until_done(n);
	s = seen_after(n, &id);
	assert_int_equal(s.singly[NODE_BANNED] + s.singly[NODE_PASSED] + s.bans, 0);
	/* All of them are allowed. */
	assert_int_equal(allowlist_add(n->allow, &e), 0);
	n->all_dirty = true;
	node_decide_dirty(n);
	turns_until_done(n);
	assert_int_equal(banned(n), 0);
	s = seen_after(n, &id);
	assert_int_equal(s.singly[NODE_UNBANNED], NODE_CHANGES_TOLD);
	assert_int_equal(s.bans, 1);
	assert_string_equal(s.text, "at once, and not told one by one: 5024 unban");
	node_kill(n);
}

/* What an operator allows is free at once, not after all others. */
static void test_allowed(void **state)
{
	struct node *n = begun();
	struct allow_entry e = {
		.indicator = of("20.0.19.0/24"), .origin = ALLOW_OPERATOR};
	struct indicator inside = of("20.0.19.7"), wide = of("20.0.0.0/9");

	(void)state;
	report_many(n, 0, MANY, T0 + 1000);
	history_caught_up(n);
	turns_until_done(n);
	node_ban(n, &wide, BAN_ALL, BAN_OWN, CATEGORY_SCAN, T0 + 1000);
	assert_int_equal(banned(n), MANY + 1);
	/* 20.0.19.0 to 20.0.19.135 are listed, and it is within another's ban. */
	assert_int_equal(allowlist_add(n->allow, &e), 0);
	node_decide_allowed(n, &e.indicator);
	assert_non_null(n->deciding.all.now);
	assert_null(ban_table_get(n->bans, &inside, BAN_SIP));
	assert_null(ban_table_get(n->bans, &wide, BAN_ALL));
	assert_int_equal(banned(n), MANY - 136);
	turns_until_done(n);
	assert_int_equal(banned(n), MANY - 136);
	node_kill(n);
}

#define PROTECTED 20

/* 20.0.0.7, 20.0.1.7, ... and then this one. */
static void protect(struct node *n, const struct indicator *last)
{
	static uint8_t table[(PROTECTED + 1) * INDICATOR_SIZE];
	struct operation op = {
		.type = OP_PROTECT, .table = table, .table_count = PROTECTED + 1};
	char text[32];

	for (unsigned i = 0; i <= PROTECTED; i++) {
		struct indicator one = *last;

		snprintf(text, sizeof text, "20.0.%u.7", i);
		if (i < PROTECTED)
			one = of(text);
		memcpy(table + (size_t)i * INDICATOR_SIZE, &one, INDICATOR_SIZE);
	}
	memset(op.actor, OWNER, ADDRESS20);
	history_fold(n, op);
}

/* How many of those, of this number and of this URI are banned. */
static unsigned innocents(
	const struct node *n, const struct indicator *number, const struct indicator *uri)
{
	unsigned count = 0;
	char text[32];

	for (unsigned i = 0; i < PROTECTED; i++) {
		struct indicator one;

		snprintf(text, sizeof text, "20.0.%u.7", i);
		one = of(text);
		count += ban_table_get(n->bans, &one, BAN_SIP) != NULL;
	}
	count += ban_table_get(n->bans, number, BAN_ALL) != NULL;
	count += ban_table_get(n->bans, uri, BAN_SIP) != NULL;
	return count;
}

/*
 * What the consortium comes to protect, and what of a domain comes to be allowed, is
 * free before what is decided with it is blocked; and that comes all the same.
 */
static void test_lifts_first(void **state)
{
	struct node *n = begun();
	struct indicator uri = of("sip:a@pbx.example.net"), number = of("+442079460000");
	struct allow_entry e = {
		.indicator = of("domain:pbx.example.net"), .origin = ALLOW_TRUNK};

	(void)state;
	report_many(n, 0, MANY, T0 + 1000);
	history_caught_up(n);
	turns_until_done(n);
	history_report(n, "sip:a@pbx.example.net", MANY, T0 + 1000);
	node_ban(n, &number, BAN_ALL, BAN_OWN, CATEGORY_SCAN, T0 + 1000);
	assert_int_equal(banned(n), MANY + 2);
	assert_int_equal(innocents(n, &number, &uri), PROTECTED + 2);

	report_many(n, MANY + 1, 4 * MANY, T0 + 1000);
	protect(n, &number);
	assert_int_equal(allowlist_add(n->allow, &e), 0);
	history_caught_up(n);
	assert_int_equal(innocents(n, &number, &uri), PROTECTED + 2);
	/* Five turns for 5,002 bans, and one of the others'. */
	for (unsigned i = 0; i < 6; i++) {
		assert_non_null(n->deciding.lifts.now);
		uv_run(&n->loop, UV_RUN_NOWAIT);
	}
	assert_null(n->deciding.lifts.now);
	assert_int_equal(innocents(n, &number, &uri), 0);
	assert_true(banned(n) <= MANY - PROTECTED + NODE_DECISIONS);
	turns_until_done(n);
	assert_int_equal(innocents(n, &number, &uri), 0);
	assert_int_equal(banned(n), 5 * MANY - PROTECTED);
	node_kill(n);
}

/* Changes without end, each of which has all looked at: others come to be blocked. */
static void test_lifts_do_not_starve(void **state)
{
	struct node *n = begun();

	(void)state;
	report_many(n, 0, MANY, T0 + 1000);
	history_caught_up(n);
	turns_until_done(n);
	report_many(n, MANY, MANY, T0 + 1000);
	history_caught_up(n);
	for (unsigned i = 0; banned(n) < 2 * (size_t)MANY; i++) {
		assert_true(i < 200);
		n->all_dirty = true;
		node_decide_dirty(n);
		uv_run(&n->loop, UV_RUN_NOWAIT);
		assert_non_null(n->deciding.lifts.now);
	}
	turns_until_done(n);
	assert_int_equal(banned(n), 2 * MANY);
	node_kill(n);
}

/* Bans that end in one second are taken out in turns, and ordered by nobody. */
static void test_expiry(void **state)
{
	struct node *n = begun();
	struct ban_order o;
	uint64_t id = 0;
	struct seen s;

	(void)state;
	report_many(n, 0, MANY, T0 + 1000);
	history_caught_up(n);
	turns_until_done(n);
	while (ban_table_take(n->bans, &o, 1))
		;
	seen_after(n, &id);
	clock_set(1000);
	node_schedule(n);
	assert_int_equal(banned(n), MANY - NODE_DECISIONS);
	turns_until_done(n);
	assert_int_equal(banned(n), 0);
	assert_int_equal(ban_table_queued(n->bans), 0);
	s = seen_after(n, &id);
	/* What the first turn took was not known to be the first of many. */
	assert_int_equal(s.singly[NODE_EXPIRED], NODE_DECISIONS + NODE_CHANGES_TOLD);
	assert_int_equal(s.singly[NODE_UNBANNED], 0);
	assert_int_equal(s.bans, 1);
	assert_string_equal(s.text, "at once, and not told one by one: 2976 expired");
	node_kill(n);
}

static int make_folder(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/node-decide-XXXXXX");
	clock_set(0);
	return mkdtemp(folder) ? 0 : -1;
}

static int drop_folder(void **state)
{
	(void)state;
	history_cut(0);
	return remove_tree(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_turns, make_folder, drop_folder),
		cmocka_unit_test_setup_teardown(test_more_come, make_folder, drop_folder),
		cmocka_unit_test_setup_teardown(test_journal, make_folder, drop_folder),
		cmocka_unit_test_setup_teardown(test_allowed, make_folder, drop_folder),
		cmocka_unit_test_setup_teardown(
			test_lifts_first, make_folder, drop_folder),
		cmocka_unit_test_setup_teardown(
			test_lifts_do_not_starve, make_folder, drop_folder),
		cmocka_unit_test_setup_teardown(test_expiry, make_folder, drop_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
