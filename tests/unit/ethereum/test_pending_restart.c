/* SPDX-License-Identifier: Apache-2.0 */
#include "pending_fixture.h"

/* Batches in the journal and back. */

/* Batch 1 has two offers of nonce 0, the head is 12. */
static void raise_one(struct world *w)
{
	send_one(w, 1, 0, 0);
	w->now += 100000;
	expect(w, "send:1");
	answer(w, 1, ANSWER_KNOWN);
	head(w, 11, 5);
	act(w);
	head(w, 12, 5);
	act(w);
	count(w, 0);
	quotes(w, GWEI, GWEI);
	expect(w, "sign:1#0@1 send:1");
	answer(w, 1, ANSWER_ACCEPTED);
	assert_int_equal(by_ticket(w, 1)->offer_count, 2);
}

struct saved {
	uint8_t raw[8192];
	struct sent row;
};

static struct saved save(struct world *w, uint64_t ticket, unsigned offer)
{
	const struct pending *b = by_ticket(w, ticket);
	const struct offer *o = &b->offers[offer];
	struct saved s = {.row = {.id = offer + 1, .ticket = ticket, .nonce = o->nonce}};

	assert_in_range(o->raw.n, 1, sizeof s.raw);
	memcpy(s.raw, o->raw.p, o->raw.n);
	s.row.raw.n = o->raw.n;
	memcpy(s.row.batch, b->submission.hash, HASH_SIZE);
	memcpy(s.row.hash, o->hash, HASH_SIZE);
	memcpy(s.row.sender, w->set->sender, ADDRESS20);
	return s;
}

static void restart(struct world *w, struct saved *saved, int n, int64_t highest)
{
	struct error err;

	pending_free(w->set);
	start(w, highest);
	for (int i = 0; i < n; i++) {
		saved[i].row.raw.p = saved[i].raw;
		if (pending_restore(w->set, &saved[i].row, &err))
			fail_msg("%s", err.text);
	}
}

static void a_restart_goes_on(void **state)
{
	struct world *w = *state;
	struct saved saved[2];

	raise_one(w);
	saved[0] = save(w, 1, 0);
	saved[1] = save(w, 1, 1);
	restart(w, saved, 2, 0);
	/* At once, before any head, and though nobody can be asked. */
	assert_string_equal(act_reachable(w, false), "send:1");
	assert_memory_equal(
		pending_offer(by_ticket(w, 1))->hash, saved[1].row.hash, HASH_SIZE);
	answer(w, 1, ANSWER_KNOWN);
	expect(w, "count look:1");
	absent(w, 1);
	count(w, 0);
	/* Handed over again: the same one. */
	assert_false(submit(w, 55, 0));
	expect(w, "");
	head(w, 13, 13);
	expect(w, "count");
	count(w, 1);
	expect(w, "look:55");
	found(w, 55, 13, true);
	expect(w, "look:55=");
	found(w, 55, 13, true);
	expect(w, "final:55");
}

static void its_submitter_never_comes_back(void **state)
{
	struct world *w = *state;
	struct saved saved[1];

	send_one(w, 8, 0, 3);
	saved[0] = save(w, 8, 0);
	restart(w, saved, 1, 3);
	act(w);
	head(w, 11, 11);
	act(w);
	answer(w, 8, ANSWER_NONCE_LOW);
	count(w, 4);
	absent(w, 8);
	act(w);
	found(w, 8, 11, true);
	act(w);
	found(w, 8, 11, true);
	expect(w, "final:8");
	/* The next one takes the next nonce. */
	send_one(w, 9, 50, 4);
	assert_int_equal(by_ticket(w, 9)->nonce, 4);
}

static void the_settled_are_not_sent_twice(void **state)
{
	struct world *w = *state;
	struct saved saved[1];

	send_one(w, 1, 0, 0);
	saved[0] = save(w, 1, 0);
	saved[0].row.block = 11;
	saved[0].row.settled = 1700000011;
	/* Killed before it was told: told now. */
	restart(w, saved, 1, 0);
	expect(w, "final:1");
	assert_int_equal(w->fate.block, 11);
	saved[0].row.told = true;
	restart(w, saved, 1, 0);
	expect(w, "");
	/* Its submitter did not hear it: at once, whatever he calls it. */
	assert_false(submit(w, 70, 0));
	expect(w, "final:70");
	assert_int_equal(w->fate.ticket, 70);
	assert_int_equal(w->fate.block, 11);
	expect(w, "");
	/* After an hour nobody asks any more. */
	head(w, 3600, 3600);
	expect(w, "");
	head(w, 3612, 3612);
	expect(w, "forget:70");
	assert_null(w->set->first);
}

/* The cells have something else in them since: the same bytes are new work. */
static void a_later_batch_supersedes_a_settled_one(void **state)
{
	struct world *w = *state;
	struct saved saved[1];

	send_one(w, 1, 0, 0);
	saved[0] = save(w, 1, 0);
	saved[0].row.block = 11;
	saved[0].row.settled = 1700000011;
	saved[0].row.told = true;
	restart(w, saved, 1, 0);
	assert_true(submit(w, 2, 1)); /* cells 1 and 2; batch 1 had 0 and 1 */
	assert_string_equal(act_reachable(w, false), "forget:1");
	assert_true(submit(w, 3, 0));
}

static void damaged_rows_are_refused(void **state)
{
	struct world *w = *state;
	struct saved good[1];
	struct sent row;
	struct error err = {""};

	send_one(w, 1, 0, 0);
	good[0] = save(w, 1, 0);
	good[0].row.raw.p = good[0].raw;
	pending_free(w->set);
	start(w, 0);
	row = good[0].row;
	row.nonce++;
	assert_int_equal(pending_restore(w->set, &row, &err), -1);
	assert_non_null(strstr(err.text, "row 1 of the journal's sent transactions"));
	row = good[0].row;
	row.hash[0]++;
	assert_int_equal(pending_restore(w->set, &row, &err), -1);
	row = good[0].row;
	row.batch[0]++;
	assert_int_equal(pending_restore(w->set, &row, &err), -1);
	row = good[0].row;
	row.raw.n--;
	assert_int_equal(pending_restore(w->set, &row, &err), -1);
	/* Another contract's, another chain's. */
	w->settings.contract[0]++;
	assert_int_equal(pending_restore(w->set, &good[0].row, &err), -1);
	w->settings.contract[0]--;
	w->settings.chain_id++;
	assert_int_equal(pending_restore(w->set, &good[0].row, &err), -1);
	w->settings.chain_id--;
	assert_int_equal(pending_restore(w->set, &good[0].row, &err), 0);
}

static void a_journal_that_fails_holds_things_up(void **state)
{
	struct world *w = *state;
	struct action a;
	struct pending *b;

	head(w, 10, 5);
	submit(w, 1, 0);
	act(w);
	passed(w, 1);
	count(w, 0);
	quotes(w, GWEI, 0);
	assert_true(pending_next(w->set, w->now, true, &a));
	assert_int_equal(a.kind, ACTION_SIGN);
	b = a.batch;
	pending_unsigned(w->set, b, "journal x: disk full", w->now, 0);
	expect(w, "trouble");
	assert_string_equal(w->said, "a transaction waits: journal x: disk full");
	assert_int_equal(w->set->highest, -1);
	w->now += 750;
	expect(w, "sign:1#0@1 healthy send:1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_world(a_restart_goes_on),
		with_world(its_submitter_never_comes_back),
		with_world(the_settled_are_not_sent_twice),
		with_world(a_later_batch_supersedes_a_settled_one),
		with_world(damaged_rows_are_refused),
		with_world(a_journal_that_fails_holds_things_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
