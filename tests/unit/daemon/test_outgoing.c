/* SPDX-License-Identifier: Apache-2.0 */
/* What leaves the outbox when, as which words, and what follows a refusal. */
#include "../ledger/fixture.h"

#include "daemon/outgoing.h"

/* --- when --- */

#define SEC USEC_PER_SEC

static usec wait_of(const struct outgoing_pace *pace, struct outgoing_moment m)
{
	return outgoing_wait(pace, &m);
}

static void test_at_once(void **state)
{
	const struct outgoing_pace *pace = &outgoing_pace_at_once;

	(void)state;
	assert_true(wait_of(pace, (struct outgoing_moment){.now = 9 * SEC}) ==
		OUTGOING_NEVER);
	/* Also just after another one, and however few they are. */
	assert_int_equal(wait_of(pace,
				 (struct outgoing_moment){.waiting = 1,
					 .since = 9 * SEC,
					 .left = 9 * SEC - 1,
					 .now = 9 * SEC}),
		0);
	/* One at a time: the others gather meanwhile, urgent ones too. */
	assert_true(wait_of(pace,
			    (struct outgoing_moment){.waiting = OUTGOING_ROWS,
				    .urgent = true,
				    .flights = 1,
				    .now = 9 * SEC}) == OUTGOING_NEVER);
}

static void test_blocks(void **state)
{
	const struct outgoing_pace *pace = &outgoing_pace_blocks;
	struct outgoing_moment m = {
		.waiting = 1, .since = 50 * SEC, .left = 0, .now = 50 * SEC};

	(void)state;
	/* The first ever, and the first after a quiet second. */
	assert_int_equal(outgoing_wait(pace, &m), 0);
	m.left = 49 * SEC;
	assert_int_equal(outgoing_wait(pace, &m), 0);
	/* Soon after another: until the oldest has waited a second. */
	m.left = 49 * SEC + 1;
	assert_int_equal(outgoing_wait(pace, &m), SEC);
	m.now = 50 * SEC + 300000;
	m.left = 50 * SEC;
	assert_int_equal(outgoing_wait(pace, &m), 700000);
	m.now = 51 * SEC;
	assert_int_equal(outgoing_wait(pace, &m), 0);
	/* With another in flight it is not quiet, however long ago that left. */
	m.now = 50 * SEC;
	m.left = 10 * SEC;
	m.flights = 1;
	assert_int_equal(outgoing_wait(pace, &m), SEC);
	m.urgent = true;
	assert_int_equal(outgoing_wait(pace, &m), 0);
	m.urgent = false;
	m.waiting = OUTGOING_ROWS - 1;
	assert_int_equal(outgoing_wait(pace, &m), SEC);
	m.waiting = OUTGOING_ROWS;
	assert_int_equal(outgoing_wait(pace, &m), 0);
}

/* The last eighth of the flights is for what is urgent. */
static void test_room(void **state)
{
	const struct outgoing_pace *pace = &outgoing_pace_blocks;
	struct outgoing_moment m = {
		.waiting = OUTGOING_ROWS, .flights = 55, .now = 9 * SEC};

	(void)state;
	assert_int_equal(outgoing_wait(pace, &m), 0);
	m.flights = 56;
	assert_true(outgoing_wait(pace, &m) == OUTGOING_NEVER);
	m.urgent = true;
	assert_int_equal(outgoing_wait(pace, &m), 0);
	m.flights = 63;
	assert_int_equal(outgoing_wait(pace, &m), 0);
	m.flights = OUTGOING_FLIGHTS;
	assert_true(outgoing_wait(pace, &m) == OUTGOING_NEVER);
}

/* --- as which words --- */

static struct outbox_row row_of(const char *text, uint8_t want)
{
	struct outbox_row row = {.ticket = 7,
		.want = want,
		.category = want == OUTBOX_OBJECT ? CATEGORY_OBJECTION : CATEGORY_FRAUD,
		.proof = PROOF_ACK,
		.expiry = want == OUTBOX_SPEND ? 0 : T0 + 5000};

	row.indicator = ind(text);
	return row;
}

/* The same with an earlier word for this cell. */
static struct outbox_row row_before(const char *text, uint16_t member, uint32_t cell)
{
	struct outbox_row row = row_of(text, OUTBOX_REPORT);
	struct report w = word_of(member, cell, text, T0 + 4000);

	word_encode(row.word, &w);
	row.has_word = true;
	return row;
}

/* Alice's next batch as of T0 + 1. */
static struct outgoing *batch_of(
	const struct registry *r, const struct outgoing_pace *pace)
{
	struct outgoing *o = outgoing_new(r, registry_member(r, 1), T0 + 1, pace);

	assert_non_null(o);
	return o;
}

/* The cell that a row's word goes to; the action must be this. */
static uint32_t cell_for(struct outgoing *o, struct outbox_row row, uint8_t action)
{
	struct report w;

	assert_int_equal(outgoing_word(o, &row, &w), OUTGOING_WORD);
	assert_int_equal(w.action, action);
	assert_int_equal(w.member, 1);
	assert_memory_equal(&w.indicator, &row.indicator, sizeof w.indicator);
	return w.cell;
}

static enum outgoing_verdict verdict(struct outgoing *o, struct outbox_row row)
{
	struct report w;

	return outgoing_word(o, &row, &w);
}

static void test_cells(void **state)
{
	struct registry *r = registry_begun();
	struct outgoing *o;

	(void)state;
	assert_int_equal(report(r, ALICE, 1, 0, "45.83.1.1"), 0);
	assert_int_equal(report(r, ALICE, 1, 2, "45.83.1.2"), 0);
	assert_int_equal(report(r, BOB, 2, 0, "45.83.1.9"), 0);
	o = batch_of(r, &outgoing_pace_blocks);
	outgoing_avoid(o, 1); /* a batch in flight fills it */
	/* Where it stands already; then the lowest that are free, each once. */
	assert_int_equal(cell_for(o, row_of("45.83.1.2", OUTBOX_REPORT), 0), 2);
	assert_int_equal(cell_for(o, row_of("45.83.1.3", OUTBOX_REPORT), 0), 3);
	assert_int_equal(cell_for(o, row_of("45.83.1.4", OUTBOX_OBJECT), 0), 4);
	/* Another member's cell is not ours. */
	assert_int_equal(cell_for(o, row_of("45.83.1.9", OUTBOX_REPORT), 0), 5);
	outgoing_free(o);

	/* Its own cell is being given to another report: not there again. */
	o = batch_of(r, &outgoing_pace_blocks);
	outgoing_avoid(o, 2);
	assert_int_equal(cell_for(o, row_of("45.83.1.2", OUTBOX_REPORT), 0), 1);
	outgoing_free(o);
	registry_free(r);
}

static void test_old_cell(void **state)
{
	struct registry *r = registry_begun();
	struct outgoing *o;

	(void)state;
	assert_int_equal(report(r, ALICE, 1, 0, "45.83.1.1"), 0);
	assert_int_equal(report(r, ALICE, 1, 5, "45.83.1.2"), 0);
	assert_int_equal(report(r, ALICE, 1, 6, "45.83.1.2"), 0);
	o = batch_of(r, &outgoing_pace_blocks);
	/* Free: there, so that the old word, should it arrive, is the same report. */
	assert_int_equal(cell_for(o, row_before("45.83.1.7", 1, 4), 0), 4);
	/* It holds the indicator, though another does too. */
	assert_int_equal(cell_for(o, row_before("45.83.1.2", 1, 6), 0), 6);
	/* Taken by another report, by a batch, past the cap, another member's. */
	assert_int_equal(cell_for(o, row_before("45.83.1.8", 1, 0), 0), 1);
	assert_int_equal(cell_for(o, row_before("45.83.1.9", 1, 4), 0), 2);
	assert_int_equal(cell_for(o, row_before("45.83.1.10", 1, 8), 0), 3);
	assert_int_equal(cell_for(o, row_before("45.83.1.11", 2, 7), 0), 7);
	outgoing_free(o);

	/* It stands elsewhere: a refresh there, no second report in the old cell. */
	o = batch_of(r, &outgoing_pace_blocks);
	assert_int_equal(cell_for(o, row_before("45.83.1.1", 1, 3), 0), 0);
	outgoing_free(o);
	registry_free(r);
}

/* The cap was lowered: what had a cell past it gets one within. */
static void test_lowered_cap(void **state)
{
	struct registry *r = registry_begun();
	struct operation op = op_of(OP_MEMBER_SET, OWNER, 1);
	struct outgoing *o;

	(void)state;
	assert_int_equal(report(r, ALICE, 1, 6, "45.83.1.1"), 0);
	op.weight = 1;
	op.cap = 2;
	must(r, op);
	o = batch_of(r, &outgoing_pace_blocks);
	assert_int_equal(cell_for(o, row_before("45.83.1.1", 1, 6), 0), 0);
	assert_int_equal(cell_for(o, row_before("45.83.1.2", 1, 7), 0), 1);
	assert_int_equal(verdict(o, row_of("45.83.1.3", OUTBOX_REPORT)), OUTGOING_LATER);
	/* What stands past it can be spent. */
	assert_int_equal(cell_for(o, row_of("45.83.1.1", OUTBOX_SPEND), ACTION_SPEND), 6);
	outgoing_free(o);
	registry_free(r);
}

/* With every cell live the ones that expire first give way, each once. */
static void test_full(void **state)
{
	static const uint32_t life[8] = {900, 300, 700, 300, 800, 200, 600, 500};
	struct registry *r = registry_begun();
	struct outgoing *o;
	char text[40];

	(void)state;
	for (uint32_t cell = 0; cell < 8; cell++) {
		struct report w;

		snprintf(text, sizeof text, "45.83.1.%u", cell);
		w = word_of(1, cell, text, T0 + life[cell]);
		assert_int_equal(put(r, ALICE, T0, &w), 0);
	}
	o = batch_of(r, &outgoing_pace_blocks);
	outgoing_avoid(o, 7); /* in flight */
	assert_int_equal(
		cell_for(o, row_of("45.83.2.1", OUTBOX_REPORT), ACTION_REPLACE), 5);
	/* A refresh takes no other's place, and keeps its own from being taken. */
	assert_int_equal(cell_for(o, row_of("45.83.1.3", OUTBOX_REPORT), 0), 3);
	assert_int_equal(
		cell_for(o, row_of("45.83.2.2", OUTBOX_REPORT), ACTION_REPLACE), 1);
	assert_int_equal(
		cell_for(o, row_of("45.83.2.3", OUTBOX_REPORT), ACTION_REPLACE), 6);
	assert_int_equal(
		cell_for(o, row_of("45.83.2.4", OUTBOX_REPORT), ACTION_REPLACE), 2);
	assert_int_equal(
		cell_for(o, row_of("45.83.2.5", OUTBOX_REPORT), ACTION_REPLACE), 4);
	assert_int_equal(
		cell_for(o, row_of("45.83.2.6", OUTBOX_REPORT), ACTION_REPLACE), 0);
	assert_int_equal(verdict(o, row_of("45.83.2.7", OUTBOX_REPORT)), OUTGOING_LATER);
	outgoing_free(o);
	registry_free(r);
}

/* Of more live cells than a batch has words, all that expire first are found. */
static void test_full_and_large(void **state)
{
	struct registry *r = registry_begun();
	struct operation op = op_of(OP_MEMBER_SET, OWNER, 1);
	struct outgoing *o;
	char text[40];

	(void)state;
	op.weight = 1;
	op.cap = 250;
	must(r, op);
	for (uint32_t cell = 0; cell < 250; cell++) {
		struct report w;

		snprintf(text, sizeof text, "45.83.1.%u", cell);
		/* The earliest end stands in the last cell. */
		w = word_of(1, cell, text, T0 + 1000 - cell);
		assert_int_equal(put(r, ALICE, T0, &w), 0);
	}
	o = batch_of(r, &outgoing_pace_blocks);
	for (uint32_t k = 0; k < OUTGOING_ROWS; k++) {
		snprintf(text, sizeof text, "45.83.2.%u", k);
		assert_int_equal(cell_for(o, row_of(text, OUTBOX_REPORT), ACTION_REPLACE),
			249 - k);
	}
	outgoing_free(o);
	registry_free(r);
}

static void test_spend(void **state)
{
	struct registry *r = registry_begun();
	struct outgoing *o;

	(void)state;
	assert_int_equal(report(r, ALICE, 1, 3, "45.83.1.1"), 0);
	assert_int_equal(report(r, ALICE, 1, 4, "45.83.1.2"), 0);
	assert_int_equal(report(r, BOB, 2, 0, "45.83.1.3"), 0);
	o = batch_of(r, &outgoing_pace_blocks);
	outgoing_avoid(o, 4);
	assert_int_equal(cell_for(o, row_of("45.83.1.1", OUTBOX_SPEND), ACTION_SPEND), 3);
	/* Replaced by a batch in flight: what comes of that decides. */
	assert_int_equal(verdict(o, row_of("45.83.1.2", OUTBOX_SPEND)), OUTGOING_LATER);
	assert_int_equal(verdict(o, row_of("45.83.1.3", OUTBOX_SPEND)), OUTGOING_DONE);
	/* The cell that a spend empties is not filled by the same batch. */
	assert_int_equal(cell_for(o, row_before("45.83.1.9", 1, 3), 0), 0);
	outgoing_free(o);
	registry_free(r);
}

static void test_paused(void **state)
{
	struct registry *r = registry_begun();
	struct outgoing *o;

	(void)state;
	assert_int_equal(report(r, ALICE, 1, 3, "45.83.1.1"), 0);
	must(r, op_of(OP_PAUSE, GUARDIAN, 0));
	o = batch_of(r, &outgoing_pace_blocks);
	assert_int_equal(verdict(o, row_of("45.83.1.2", OUTBOX_REPORT)), OUTGOING_LATER);
	assert_int_equal(cell_for(o, row_of("45.83.1.1", OUTBOX_SPEND), ACTION_SPEND), 3);
	outgoing_free(o);
	registry_free(r);
}

static uint32_t expiry_of(const struct outgoing_pace *pace, uint32_t wanted)
{
	struct registry *r = registry_begun();
	struct outgoing *o = batch_of(r, pace);
	struct outbox_row row = row_of("45.83.1.1", OUTBOX_REPORT);
	struct report w;

	row.expiry = wanted;
	assert_int_equal(outgoing_word(o, &row, &w), OUTGOING_WORD);
	outgoing_free(o);
	registry_free(r);
	return w.expiry;
}

/* Never later than the ledger takes, whose clock may be behind. */
static void test_expiry(void **state)
{
	(void)state;
	assert_int_equal(expiry_of(&outgoing_pace_blocks, T0 + 5000), T0 + 5000);
	assert_int_equal(
		expiry_of(&outgoing_pace_at_once, T0 + 2 * MAX_TTL), T0 + 1 + MAX_TTL);
	assert_int_equal(expiry_of(&outgoing_pace_blocks, T0 + 2 * MAX_TTL),
		T0 + 1 + MAX_TTL - 60);
}

/* --- after a refusal --- */

static void test_remedies(void **state)
{
	(void)state;
	assert_int_equal(outgoing_remedy(REFUSED_PROTECTED), OUTGOING_DROP);
	assert_int_equal(outgoing_remedy(REFUSED_EXPIRY_PAST), OUTGOING_DROP);
	assert_int_equal(outgoing_remedy(REFUSED_UNROUTABLE), OUTGOING_DROP);
	assert_int_equal(outgoing_remedy(REFUSED_CELL_LIVE), OUTGOING_REBUILD);
	assert_int_equal(outgoing_remedy(REFUSED_CELL_OVER_CAP), OUTGOING_REBUILD);
	assert_int_equal(outgoing_remedy(REFUSED_EXPIRY_TOO_FAR), OUTGOING_REBUILD);
	assert_int_equal(outgoing_remedy(REFUSED_PAUSED), OUTGOING_PAUSE);
	assert_int_equal(outgoing_remedy(REFUSED_MEMBER_NOT_ACTIVE), OUTGOING_PAUSE);
	assert_int_equal(outgoing_remedy(REFUSED_NOT_SIGNER), OUTGOING_PAUSE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_at_once),
		cmocka_unit_test(test_blocks),
		cmocka_unit_test(test_room),
		cmocka_unit_test(test_cells),
		cmocka_unit_test(test_old_cell),
		cmocka_unit_test(test_lowered_cap),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_full_and_large),
		cmocka_unit_test(test_spend),
		cmocka_unit_test(test_paused),
		cmocka_unit_test(test_expiry),
		cmocka_unit_test(test_remedies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
