/* SPDX-License-Identifier: Apache-2.0 */
/* The outbox: taking requests, their order, their way to the ledger. */
#include "fixture.h"

#include "store/evidence.h"
#include "store/ledger_mark.h"
#include "store/outbox_batch.h"

#define NOW 1000

static struct outbox_request request(const char *text, uint8_t want, uint32_t expiry)
{
	return (struct outbox_request){.indicator = of(text),
		.want = want,
		.category = want == OUTBOX_OBJECT ? CATEGORY_OBJECTION :
						    CATEGORY_PASSWORD,
		.proof = PROOF_NONCE,
		.expiry = expiry};
}

/* Add and return the ticket. */
static uint64_t add(struct fixture *f, const char *text, uint8_t want, uint32_t expiry,
	bool expect_fresh)
{
	struct outbox_request r = request(text, want, expiry);
	uint64_t ticket = 0;
	bool fresh;

	OK(outbox_add(f->store, &r, NOW, &ticket, &fresh, &err));
	assert_int_equal(fresh, expect_fresh);
	assert_true(ticket > 0);
	return ticket;
}

static struct outbox_row row_of(struct fixture *f, uint64_t ticket)
{
	struct outbox_row row;

	assert_int_equal(outbox_get(f->store, &row, ticket, NULL), 1);
	return row;
}

/* Assert a row's state, by name so that a failure can be read. */
static void is(struct fixture *f, uint64_t ticket, const char *state)
{
	assert_string_equal(outbox_state_name(row_of(f, ticket).state), state);
}

static struct outbox_assignment assignment(
	struct fixture *f, uint64_t ticket, uint32_t cell)
{
	struct outbox_row row = row_of(f, ticket);
	struct outbox_assignment a = {.ticket = ticket};
	struct report r = {.indicator = row.indicator,
		.expiry = row.expiry,
		.member = 3,
		.generation = 1,
		.cell = cell,
		.category = row.category,
		.proof = row.proof,
		.action = row.want == OUTBOX_SPEND ? ACTION_SPEND : ACTION_REPORT};

	word_encode(a.word, &r);
	return a;
}

/* One batch of these tickets, cell 10, 11, ... Returns its number. */
static uint64_t batch_of(struct fixture *f, const uint64_t *tickets, int n)
{
	struct outbox_assignment entries[8];
	uint8_t commitment[KECCAK_SIZE];
	uint64_t batch = 0;

	for (int k = 0; k < n; k++)
		entries[k] = assignment(f, tickets[k], 10 + (uint32_t)k);
	OK(outbox_assign(f->store, entries, n, NOW, &batch, commitment, &err));
	return batch;
}

/* How many rows may be sent now; the first one's ticket into *first. */
static int next(struct fixture *f, uint64_t now, uint64_t *first)
{
	struct outbox_row rows[16];
	int n = outbox_next(f->store, rows, 16, now, NULL);

	*first = n > 0 ? rows[0].ticket : 0;
	return n;
}

static void test_add_and_read(void **state)
{
	struct fixture *f = *state;
	char canonical[INDICATOR_SOURCE_TEXT + 1];
	struct outbox_request r = {.want = OUTBOX_REPORT,
		.category = CATEGORY_FRAUD,
		.proof = PROOF_RULE,
		.expiry = 5000,
		.text = canonical};
	struct outbox_row row;
	uint64_t ticket;

	OK(indicator_parse(
		&r.indicator, canonical, view_str("sip:Bob@Example.COM"), &err));
	OK(outbox_add(f->store, &r, NOW, &ticket, NULL, &err));
	fixture_reopen(f);
	row = row_of(f, ticket);
	assert_memory_equal(&row.indicator, &r.indicator, INDICATOR_SIZE);
	assert_string_equal(row.text, "sip:Bob@example.com");
	assert_int_equal(row.want, OUTBOX_REPORT);
	assert_int_equal(row.category, CATEGORY_FRAUD);
	assert_int_equal(row.proof, PROOF_RULE);
	assert_int_equal(row.expiry, 5000);
	assert_int_equal(row.evidence, 0);
	assert_int_equal(row.state, OUTBOX_WAITING);
	assert_false(row.has_word);
	assert_int_equal(row.batch, 0);
	assert_int_equal(row.attempts, 0);
	assert_int_equal(row.created, NOW);
	assert_int_equal(outbox_get(f->store, &row, ticket + 1, NULL), 0);
}

/* The two rows that may be open about one indicator. */
static void test_open(void **state)
{
	struct fixture *f = *state;
	struct outbox_row waiting, in_flight;
	struct indicator i = of("192.0.2.7");
	uint64_t first, second;

	OK(outbox_open(f->store, &i, &waiting, &in_flight, &err));
	assert_int_equal(waiting.ticket, 0);
	assert_int_equal(in_flight.ticket, 0);
	add(f, "192.0.2.8", OUTBOX_REPORT, 5000, true);
	first = add(f, "192.0.2.7", OUTBOX_REPORT, 5000, true);
	OK(outbox_open(f->store, &i, &waiting, &in_flight, &err));
	assert_int_equal(waiting.ticket, first);
	assert_int_equal(waiting.expiry, 5000);
	assert_int_equal(in_flight.ticket, 0);
	batch_of(f, &first, 1);
	second = add(f, "192.0.2.7", OUTBOX_SPEND, 0, true);
	OK(outbox_open(f->store, &i, &waiting, &in_flight, &err));
	assert_int_equal(waiting.ticket, second);
	assert_int_equal(waiting.want, OUTBOX_SPEND);
	assert_int_equal(in_flight.ticket, first);
	OK(outbox_settle(f->store, first, OUTBOX_FINAL, 1, NULL, NOW, &err));
	OK(outbox_settle(f->store, second, OUTBOX_REFUSED, 0, "no", NOW, &err));
	OK(outbox_open(f->store, &i, &waiting, &in_flight, &err));
	assert_int_equal(waiting.ticket, 0);
	assert_int_equal(in_flight.ticket, 0);
}

/* What somebody waits for goes first: spends, objections, then reports. */
static void test_wants(void **state)
{
	struct fixture *f = *state;
	struct outbox_row rows[8];
	uint64_t tickets[4];

	tickets[2] = add(f, "192.0.2.1", OUTBOX_REPORT, 5000, true);
	tickets[1] = add(f, "192.0.2.2", OUTBOX_OBJECT, 5000, true);
	tickets[3] = add(f, "192.0.2.3", OUTBOX_REPORT, 5000, true);
	tickets[0] = add(f, "192.0.2.4", OUTBOX_SPEND, 0, true);
	assert_int_equal(outbox_next(f->store, rows, 8, NOW, NULL), 4);
	for (int k = 0; k < 4; k++)
		assert_int_equal(rows[k].ticket, tickets[k]);
}

static void test_bad_requests(void **state)
{
	struct fixture *f = *state;
	struct outbox_request r = request("192.0.2.7", OUTBOX_REPORT, 5000);
	uint64_t counts[OUTBOX_STATES], ticket;

	r.text = "sip:somebody@else.example";
	assert_int_equal(outbox_add(f->store, &r, NOW, &ticket, NULL, &err), -1);
	assert_string_equal(
		err.text, "outbox: the text is not the one that the indicator hashes");
	r = request("domain:example.com", OUTBOX_REPORT, 5000);
	r.text = "example.net";
	assert_int_equal(outbox_add(f->store, &r, NOW, &ticket, NULL, &err), -1);
	r = request("192.0.2.7", OUTBOX_REPORT, 0);
	assert_int_equal(outbox_add(f->store, &r, NOW, &ticket, NULL, &err), -1);
	assert_string_equal(err.text, "outbox: a report must have an expiry");
	r = request("192.0.2.7", OUTBOX_REPORT, 5000);
	r.category = CATEGORY_OBJECTION;
	assert_int_equal(outbox_add(f->store, &r, NOW, &ticket, NULL, &err), -1);
	r = request("192.0.2.7", OUTBOX_OBJECT, 5000);
	r.category = CATEGORY_SCAN;
	assert_int_equal(outbox_add(f->store, &r, NOW, &ticket, NULL, &err), -1);
	r = request("192.0.2.7", 9, 5000);
	assert_int_equal(outbox_add(f->store, &r, NOW, &ticket, NULL, &err), -1);
	assert_string_equal(err.text, "outbox: unknown wish 9");
	r = request("192.0.2.7", OUTBOX_REPORT, 5000);
	r.indicator.value[15] = 1;
	assert_int_equal(outbox_add(f->store, &r, NOW, &ticket, NULL, &err), -1);
	OK(outbox_counts(f->store, counts, &err));
	assert_int_equal(counts[OUTBOX_WAITING], 0);
}

/* The same wish again while the first one waits: one row, the later expiry. */
static void test_waiting_is_merged(void **state)
{
	struct fixture *f = *state;
	uint64_t first = add(f, "192.0.2.7", OUTBOX_REPORT, 5000, true);
	struct outbox_request r = request("192.0.2.7", OUTBOX_REPORT, 4000);
	struct outbox_row row;
	uint64_t ticket;
	bool fresh;

	r.category = CATEGORY_FRAUD;
	r.proof = PROOF_AUTH;
	r.evidence = 12;
	OK(outbox_add(f->store, &r, NOW + 5, &ticket, &fresh, &err));
	assert_false(fresh);
	assert_int_equal(ticket, first);
	row = row_of(f, first);
	assert_int_equal(row.expiry, 5000);
	assert_int_equal(row.category, CATEGORY_FRAUD);
	assert_int_equal(row.proof, PROOF_AUTH);
	assert_int_equal(row.evidence, 12);
	assert_int_equal(row.updated, NOW + 5);
	/* Without evidence of its own a request leaves what was there. */
	assert_int_equal(add(f, "192.0.2.7", OUTBOX_REPORT, 6000, false), first);
	row = row_of(f, first);
	assert_int_equal(row.expiry, 6000);
	assert_int_equal(row.evidence, 12);
	/* Another indicator is another row. */
	assert_int_not_equal(add(f, "192.0.2.8", OUTBOX_REPORT, 5000, true), first);
}

/* A contrary wish takes the place of one that still waits. */
static void test_superseded(void **state)
{
	struct fixture *f = *state;
	uint64_t report = add(f, "192.0.2.7", OUTBOX_REPORT, 5000, true);
	uint64_t spend = add(f, "192.0.2.7", OUTBOX_SPEND, 0, true);
	uint64_t again, first;

	is(f, report, "superseded");
	assert_string_equal(
		row_of(f, report).error, "superseded by a later request to spend");
	is(f, spend, "waiting");
	again = add(f, "192.0.2.7", OUTBOX_REPORT, 5000, true);
	is(f, spend, "superseded");
	assert_int_equal(next(f, NOW, &first), 1);
	assert_int_equal(first, again);
}

static void test_in_flight_serves(void **state)
{
	struct fixture *f = *state;
	uint64_t ticket = add(f, "192.0.2.7", OUTBOX_REPORT, 5000, true);
	uint64_t batch = batch_of(f, &ticket, 1), later, first;

	OK(outbox_submitted(f->store, batch, NOW, &err));
	assert_int_equal(add(f, "192.0.2.7", OUTBOX_REPORT, 5000, false), ticket);
	assert_int_equal(row_of(f, ticket).expiry, 5000);
	/* A later expiry must not be lost: it waits behind the one in flight. */
	later = add(f, "192.0.2.7", OUTBOX_REPORT, 6000, true);
	assert_int_not_equal(later, ticket);
	assert_int_equal(add(f, "192.0.2.7", OUTBOX_REPORT, 5500, false), later);
	assert_int_equal(next(f, NOW, &first), 0);
	OK(outbox_final(f->store, batch, 77, NOW, &err));
	assert_int_equal(next(f, NOW, &first), 1);
	assert_int_equal(first, later);
}

static void test_order(void **state)
{
	struct fixture *f = *state;
	uint64_t a = add(f, "192.0.2.9", OUTBOX_REPORT, 5000, true);
	uint64_t b = add(f, "192.0.2.1", OUTBOX_REPORT, 5000, true);
	uint64_t c = add(f, "2001:db8::/32", OUTBOX_REPORT, 5000, true);
	struct outbox_row rows[2];

	assert_int_equal(outbox_next(f->store, rows, 2, NOW, NULL), 2);
	assert_int_equal(rows[0].ticket, a);
	assert_int_equal(rows[1].ticket, b);
	assert_true(c > b);
}

static void test_assign(void **state)
{
	struct fixture *f = *state;
	uint64_t t[2] = {add(f, "192.0.2.7", OUTBOX_REPORT, 5000, true),
		add(f, "192.0.2.8", OUTBOX_OBJECT, 5000, true)};
	uint8_t commitment[KECCAK_SIZE], zero[KECCAK_SIZE] = {0};
	uint64_t batch = batch_of(f, t, 2);
	struct outbox_row rows[4];
	struct report r;

	fixture_reopen(f);
	assert_int_equal(outbox_batch(f->store, batch, rows, 4, commitment, NULL), 2);
	assert_memory_equal(commitment, zero, KECCAK_SIZE);
	assert_int_equal(rows[1].ticket, t[1]);
	assert_int_equal(rows[1].position, 1);
	assert_int_equal(rows[1].state, OUTBOX_ASSIGNED);
	assert_true(rows[1].has_word);
	word_decode(&r, rows[1].word);
	assert_int_equal(r.member, 3);
	assert_int_equal(r.cell, 11);
	assert_int_equal(r.category, CATEGORY_OBJECTION);
	assert_int_equal(rows[1].attempts, 0);
	OK(outbox_submitted(f->store, batch, NOW, &err));
	OK(outbox_submitted(f->store, batch, NOW + 9, &err));
	assert_int_equal(row_of(f, t[0]).attempts, 2);
	is(f, t[0], "submitted");
	OK(outbox_final(f->store, batch, 77, NOW + 10, &err));
	is(f, t[0], "final");
	is(f, t[1], "final");
	assert_int_equal(row_of(f, t[1]).block, 77);
	/* Nothing of it is in flight any more, and no late fate changes that. */
	assert_int_equal(outbox_batch(f->store, batch, rows, 4, commitment, NULL), 0);
	OK(outbox_failed(f->store, batch, "late", 0, NOW, &err));
	is(f, t[0], "final");
}

/* What an assignment must not be; all or nothing. */
static void test_bad_assignments(void **state)
{
	struct fixture *f = *state;
	uint64_t t[2] = {add(f, "192.0.2.7", OUTBOX_REPORT, 5000, true),
		add(f, "192.0.2.8", OUTBOX_SPEND, 0, true)};
	struct outbox_assignment e[2] = {assignment(f, t[0], 1), assignment(f, t[1], 2)};
	uint8_t commitment[KECCAK_SIZE], word[WORD_SIZE];
	uint64_t batch;

	assert_int_equal(
		outbox_assign(f->store, e, 0, NOW, &batch, commitment, &err), -1);
	assert_string_equal(err.text, "outbox: a batch has 1 to 256 entries");
	/* The second entry's word is about the first one's indicator. */
	memcpy(word, e[1].word, WORD_SIZE);
	memcpy(e[1].word, e[0].word, WORD_SIZE);
	assert_int_equal(
		outbox_assign(f->store, e, 2, NOW, &batch, commitment, &err), -1);
	assert_string_equal(
		err.text, "outbox: the word for ticket 2 is about another indicator");
	is(f, t[0], "waiting");
	/* A spend whose word reports. */
	memcpy(e[1].word, word, WORD_SIZE);
	e[1].word[WORD_SIZE - 1] = ACTION_REPORT;
	assert_int_equal(
		outbox_assign(f->store, e, 2, NOW, &batch, commitment, &err), -1);
	assert_string_equal(err.text,
		"outbox: the word for ticket 2 does not do what was asked (spend)");
	memcpy(e[1].word, word, WORD_SIZE);
	e[1].ticket = 99;
	assert_int_equal(
		outbox_assign(f->store, e, 2, NOW, &batch, commitment, &err), -1);
	assert_string_equal(err.text, "outbox: no ticket 99");
	/* The same row twice. */
	e[1] = e[0];
	assert_int_equal(
		outbox_assign(f->store, e, 2, NOW, &batch, commitment, &err), -1);
	assert_string_equal(err.text, "outbox: ticket 1 is assigned, not waiting");
	is(f, t[0], "waiting");
	assert_false(row_of(f, t[0]).has_word);
	assert_int_equal(outbox_batch(f->store, 1, NULL, 0, commitment, &err), -1);
	assert_string_equal(err.text, "outbox: no batch 1");
}

static void test_refused(void **state)
{
	struct fixture *f = *state;
	uint64_t t[3] = {add(f, "192.0.2.7", OUTBOX_REPORT, 5000, true),
		add(f, "192.0.2.8", OUTBOX_REPORT, 5000, true),
		add(f, "192.0.2.9", OUTBOX_REPORT, 5000, true)};
	uint64_t batch = batch_of(f, t, 3), first;

	OK(outbox_submitted(f->store, batch, NOW, &err));
	OK(outbox_refused(f->store, batch, 1, "overlaps 192.0.2.8/30", NOW, &err));
	is(f, t[0], "waiting");
	is(f, t[1], "refused");
	is(f, t[2], "waiting");
	assert_string_equal(row_of(f, t[1]).error, "overlaps 192.0.2.8/30");
	assert_string_equal(row_of(f, t[0]).error, "");
	assert_int_equal(next(f, NOW, &first), 2);
	assert_int_equal(first, t[0]);
	/* The indicator is free again: a new request is a new row. */
	assert_true(add(f, "192.0.2.8", OUTBOX_REPORT, 5000, true) > t[2]);
}

static void test_failed(void **state)
{
	struct fixture *f = *state;
	uint64_t t = add(f, "192.0.2.7", OUTBOX_REPORT, 5000, true), first;
	uint64_t batch = batch_of(f, &t, 1);
	struct outbox_row row;
	struct report r;

	OK(outbox_submitted(f->store, batch, NOW, &err));
	OK(outbox_failed(f->store, batch, "connection refused", NOW + 60, NOW, &err));
	row = row_of(f, t);
	assert_int_equal(row.state, OUTBOX_WAITING);
	assert_string_equal(row.error, "connection refused");
	assert_int_equal(row.retry_at, NOW + 60);
	assert_int_equal(row.batch, 0);
	/* It may have arrived all the same: the cell stays known. */
	assert_true(row.has_word);
	word_decode(&r, row.word);
	assert_int_equal(r.cell, 10);
	assert_int_equal(next(f, NOW + 59, &first), 0);
	assert_int_equal(next(f, NOW + 60, &first), 1);
}

/* A failure finds a later wish waiting: that one goes on, with the cell. */
static void test_failed_behind(void **state)
{
	struct fixture *f = *state;
	uint64_t t = add(f, "192.0.2.7", OUTBOX_REPORT, 5000, true), spend, first;
	uint64_t batch = batch_of(f, &t, 1);
	struct outbox_row row;
	struct report r;

	spend = add(f, "192.0.2.7", OUTBOX_SPEND, 0, true);
	OK(outbox_failed(f->store, batch, "timeout", NOW + 60, NOW, &err));
	is(f, t, "superseded");
	row = row_of(f, spend);
	assert_int_equal(row.state, OUTBOX_WAITING);
	assert_true(row.has_word);
	word_decode(&r, row.word);
	assert_int_equal(r.cell, 10);
	assert_int_equal(next(f, NOW, &first), 1);
	assert_int_equal(first, spend);
	/* And the one that supersedes it in turn inherits it too. */
	t = add(f, "192.0.2.7", OUTBOX_REPORT, 7000, true);
	row = row_of(f, t);
	assert_true(row.has_word);
	word_decode(&r, row.word);
	assert_int_equal(r.cell, 10);
}

static void collect(void *context, const struct outbox_row *row)
{
	char line[64];

	snprintf(line, sizeof(line), "%llu:%s ", (unsigned long long)row->ticket,
		outbox_state_name(row->state));
	strcat(context, line);
}

static void test_settle(void **state)
{
	struct fixture *f = *state;
	uint64_t t[3] = {add(f, "192.0.2.7", OUTBOX_REPORT, 5000, true),
		add(f, "192.0.2.8", OUTBOX_REPORT, 5000, true),
		add(f, "192.0.2.9", OUTBOX_REPORT, 5000, true)};
	uint64_t w = add(f, "192.0.2.10", OUTBOX_SPEND, 0, true);
	uint64_t batch = batch_of(f, t, 3);
	char lines[400] = "";

	fixture_reopen(f);
	assert_int_equal(outbox_in_flight(f->store, collect, lines, NULL), 3);
	assert_string_equal(lines, "1:assigned 2:assigned 3:assigned ");
	OK(outbox_settle(f->store, t[0], OUTBOX_FINAL, 5, NULL, NOW, &err));
	OK(outbox_settle(f->store, t[1], OUTBOX_WAITING, 0, "again", NOW, &err));
	OK(outbox_settle(f->store, t[2], OUTBOX_REFUSED, 0, "no", NOW, &err));
	OK(outbox_settle(f->store, w, OUTBOX_FINAL, 0, "nothing to spend", NOW, &err));
	lines[0] = '\0';
	assert_int_equal(outbox_list(f->store, 0, 10, false, collect, lines, NULL), 4);
	assert_string_equal(lines, "4:final 3:refused 2:waiting 1:final ");
	lines[0] = '\0';
	assert_int_equal(outbox_list(f->store, 0, 10, true, collect, lines, NULL), 1);
	assert_string_equal(lines, "2:waiting ");
	lines[0] = '\0';
	assert_int_equal(outbox_list(f->store, 4, 2, false, collect, lines, NULL), 2);
	assert_string_equal(lines, "3:refused 2:waiting ");
	/* A finished row stays as it is. */
	OK(outbox_settle(f->store, t[0], OUTBOX_REFUSED, 0, "late", NOW, &err));
	is(f, t[0], "final");
	assert_int_equal(outbox_settle(f->store, 99, OUTBOX_FINAL, 0, "", NOW, &err), -1);
	assert_string_equal(err.text, "outbox: no ticket 99");
	assert_int_equal(
		outbox_settle(f->store, t[1], OUTBOX_SUBMITTED, 0, "", NOW, &err), -1);
	assert_string_equal(err.text, "outbox: no row is settled as submitted");
	(void)batch;
}

static void test_expire_and_prune(void **state)
{
	struct fixture *f = *state;
	uint64_t a = add(f, "192.0.2.7", OUTBOX_REPORT, 1500, true);
	uint64_t b = add(f, "192.0.2.8", OUTBOX_REPORT, 1501, true);
	uint64_t c = add(f, "192.0.2.9", OUTBOX_SPEND, 0, true);
	uint64_t d = add(f, "192.0.2.10", OUTBOX_REPORT, 1400, true);
	uint64_t counts[OUTBOX_STATES], batch = batch_of(f, &d, 1), oldest = 1;
	struct outbox_row row;

	OK(outbox_expire(f->store, 1500, &err));
	is(f, a, "expired");
	is(f, b, "waiting");
	is(f, c, "waiting");
	/* One in flight has been said already. */
	is(f, d, "assigned");
	OK(outbox_final(f->store, batch, 9, 1600, &err));
	OK(outbox_counts(f->store, counts, &err));
	assert_int_equal(counts[OUTBOX_WAITING], 2);
	assert_int_equal(counts[OUTBOX_FINAL], 1);
	assert_int_equal(counts[OUTBOX_EXPIRED], 1);
	assert_int_equal(counts[OUTBOX_ASSIGNED], 0);
	/* What is expired or final is not open: the oldest is b. */
	assert_int_equal(outbox_get(f->store, &row, b, NULL), 1);
	OK(outbox_oldest(f->store, &oldest, &err));
	assert_int_equal(oldest, row.created);
	assert_true(oldest > 0);
	OK(outbox_prune(f->store, 1600, &err));
	assert_int_equal(outbox_get(f->store, &row, a, NULL), 0);
	is(f, d, "final");
	OK(outbox_prune(f->store, 1601, &err));
	assert_int_equal(outbox_get(f->store, &row, d, NULL), 0);
	is(f, b, "waiting");
	/* A ticket is never given out twice. */
	assert_true(add(f, "192.0.2.11", OUTBOX_REPORT, 5000, true) > d);
}

static void test_put_off(void **state)
{
	struct fixture *f = *state;
	uint64_t a = add(f, "192.0.2.7", OUTBOX_REPORT, 5000, true);
	uint64_t b = add(f, "192.0.2.8", OUTBOX_REPORT, 5000, true);
	struct outbox_row rows[4];
	uint64_t first;

	OK(outbox_put_off_until(f->store, &first, 1000, &err));
	assert_int_equal(first, 0);
	OK(outbox_put_off(f->store, a, 1030, &err));
	assert_int_equal(outbox_next(f->store, rows, 4, 1029, &err), 1);
	assert_int_equal(rows[0].ticket, b);
	OK(outbox_put_off_until(f->store, &first, 1029, &err));
	assert_int_equal(first, 1030);
	assert_int_equal(outbox_next(f->store, rows, 4, 1030, &err), 2);
	OK(outbox_put_off_until(f->store, &first, 1030, &err));
	assert_int_equal(first, 0);
	/* By a clock that was an hour ahead. */
	OK(outbox_put_off(f->store, a, 4600, &err));
	OK(outbox_put_off(f->store, b, 990, &err));
	OK(outbox_clock_set_back(f->store, 1000, &err));
	assert_int_equal(outbox_next(f->store, rows, 4, 1000, &err), 2);
	/* What has left is not put off. */
	batch_of(f, &a, 1);
	OK(outbox_put_off(f->store, a, 4600, &err));
	OK(outbox_put_off_until(f->store, &first, 0, &err));
	assert_int_equal(first, 990);
}

/* The request and its evidence go in together or not at all. */
static void test_with_evidence(void **state)
{
	struct fixture *f = *state;
	struct outbox_request r = request("192.0.2.7", OUTBOX_REPORT, 5000);
	uint8_t salt[EVIDENCE_SALT] = {1};
	uint64_t ticket, id;
	struct evidence e;

	OK(store_begin(f->store, STORE_SYNCED, &err));
	OK(evidence_add(f->store, &id, &r.indicator, view_str("{}"), salt, NOW, &err));
	r.evidence = id;
	OK(outbox_add(f->store, &r, NOW, &ticket, NULL, &err));
	store_rollback(f->store);
	assert_int_equal(evidence_get(f->store, &e, id, NULL), 0);
	OK(store_begin(f->store, STORE_SYNCED, &err));
	OK(evidence_add(f->store, &id, &r.indicator, view_str("{}"), salt, NOW, &err));
	r.evidence = id;
	OK(outbox_add(f->store, &r, NOW, &ticket, NULL, &err));
	OK(store_commit(f->store, &err));
	fixture_reopen(f);
	assert_int_equal(row_of(f, ticket).evidence, id);
	assert_int_equal(evidence_get(f->store, &e, id, NULL), 1);
	evidence_free(&e);
}

/* How many rows about this are not finished: what will be said of it yet. */
static unsigned open_rows(struct fixture *f, const char *text)
{
	struct outbox_row waiting, in_flight;
	struct indicator i = of(text);

	OK(outbox_open(f->store, &i, &waiting, &in_flight, &err));
	return (waiting.ticket != 0) + (in_flight.ticket != 0);
}

static uint64_t final_report(struct fixture *f, const char *text)
{
	uint64_t ticket = add(f, text, OUTBOX_REPORT, 5000, true);

	OK(outbox_final(f->store, batch_of(f, &ticket, 1), 77, NOW, &err));
	return ticket;
}

/* What its author took back is not said again on the successor. */
static void test_move_revoked(void **state)
{
	struct fixture *f = *state;
	struct ledger_mark successor = {.id = {2}};
	struct ledger_move m;
	uint64_t spend[3], sent, kept, back, again;

	kept = final_report(f, "192.0.2.1");
	/* The revocation waits; is in flight; waits behind a report in flight. */
	final_report(f, "192.0.2.2");
	spend[0] = add(f, "192.0.2.2", OUTBOX_SPEND, 0, true);
	final_report(f, "192.0.2.3");
	spend[1] = add(f, "192.0.2.3", OUTBOX_SPEND, 0, true);
	OK(outbox_submitted(f->store, batch_of(f, &spend[1], 1), NOW, &err));
	sent = add(f, "192.0.2.4", OUTBOX_REPORT, 5000, true);
	OK(outbox_submitted(f->store, batch_of(f, &sent, 1), NOW, &err));
	spend[2] = add(f, "192.0.2.4", OUTBOX_SPEND, 0, true);
	/* Reported again behind a revocation in flight. */
	final_report(f, "192.0.2.5");
	back = add(f, "192.0.2.5", OUTBOX_SPEND, 0, true);
	batch_of(f, &back, 1);
	again = add(f, "192.0.2.5", OUTBOX_REPORT, 6000, true);

	OK(ledger_mark_move(f->store, &successor, true, NOW, &m, &err));
	assert_int_equal(open_rows(f, "192.0.2.2"), 0);
	assert_int_equal(open_rows(f, "192.0.2.3"), 0);
	assert_int_equal(open_rows(f, "192.0.2.4"), 0);
	for (int k = 0; k < 3; k++)
		is(f, spend[k], "refused");
	is(f, sent, "superseded");
	is(f, back, "refused");
	is(f, again, "waiting");
	assert_int_equal(open_rows(f, "192.0.2.5"), 1);
	is(f, kept, "final");
	assert_int_equal(open_rows(f, "192.0.2.1"), 1);
	assert_int_equal(m.anew, 1);
	assert_int_equal(m.carried, 1);
	assert_int_equal(m.dropped, 4);
}

/* A failed call within a transaction undoes itself and nothing else. */
static void test_nested_failure(void **state)
{
	struct fixture *f = *state;
	uint64_t t = add(f, "192.0.2.7", OUTBOX_REPORT, 5000, true), batch;
	struct outbox_assignment bad[2] = {assignment(f, t, 1), assignment(f, t, 1)};
	uint8_t commitment[KECCAK_SIZE];
	uint64_t other;

	OK(store_begin(f->store, STORE_SYNCED, &err));
	other = add(f, "192.0.2.8", OUTBOX_REPORT, 5000, true);
	assert_int_equal(
		outbox_assign(f->store, bad, 2, NOW, &batch, commitment, NULL), -1);
	is(f, t, "waiting");
	OK(store_commit(f->store, &err));
	fixture_reopen(f);
	is(f, t, "waiting");
	is(f, other, "waiting");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(test_add_and_read),
		STORE_TEST(test_open),
		STORE_TEST(test_wants),
		STORE_TEST(test_bad_requests),
		STORE_TEST(test_waiting_is_merged),
		STORE_TEST(test_superseded),
		STORE_TEST(test_in_flight_serves),
		STORE_TEST(test_order),
		STORE_TEST(test_assign),
		STORE_TEST(test_bad_assignments),
		STORE_TEST(test_refused),
		STORE_TEST(test_failed),
		STORE_TEST(test_failed_behind),
		STORE_TEST(test_settle),
		STORE_TEST(test_expire_and_prune),
		STORE_TEST(test_put_off),
		STORE_TEST(test_with_evidence),
		STORE_TEST(test_move_revoked),
		STORE_TEST(test_nested_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
