/* SPDX-License-Identifier: Apache-2.0 */
/* The journal of events, and the answers kept under an Idempotency-Key. */
#include "fixture.h"

#include <sqlite3.h>

#include "store/event.h"
#include "store/http_key.h"

static uint64_t put(struct fixture *f, const char *type, const char *body)
{
	struct event e = {
		.time = 100, .type = type, .indicator = "192.0.2.7", .body = body};
	uint64_t id = 0;

	OK(event_put(f->store, &e, &id, &err));
	return id;
}

struct seen {
	uint64_t ids[16];
	char last[EVENT_BODY_MAX + 1];
	unsigned n, stop; /* stop: after so many; 0: never */
};

static bool collect(void *context, const struct event *e)
{
	struct seen *s = context;

	assert_true(s->n < 16);
	assert_int_equal(e->time, 100);
	assert_string_equal(e->indicator, "192.0.2.7");
	s->ids[s->n++] = e->id;
	snprintf(s->last, sizeof s->last, "%s %s", e->type, e->body);
	return s->n != s->stop;
}

static void test_in_order(void **state)
{
	struct fixture *f = *state;
	struct seen s = {.n = 0};
	uint64_t oldest = 9, newest = 9;

	OK(events_range(f->store, &oldest, &newest, &err));
	assert_int_equal(oldest, 1);
	assert_int_equal(newest, 0);
	assert_int_equal(put(f, "ban", "{\"text\":\"a\"}"), 1);
	assert_int_equal(put(f, "unban", "{\"text\":\"b\"}"), 2);
	assert_int_equal(put(f, "report", "{\"text\":\"c\"}"), 3);
	fixture_reopen(f);
	assert_int_equal(events_after(f->store, 1, 10, collect, &s, &err), 2);
	assert_int_equal(s.ids[0], 2);
	assert_int_equal(s.ids[1], 3);
	assert_string_equal(s.last, "report {\"text\":\"c\"}");
	/* At most so many; and as long as it is wanted. */
	s.n = 0;
	assert_int_equal(events_after(f->store, 0, 2, collect, &s, &err), 2);
	assert_int_equal(s.ids[1], 2);
	s = (struct seen){.stop = 1};
	assert_int_equal(events_after(f->store, 0, 10, collect, &s, &err), 1);
	assert_int_equal(s.ids[0], 1);
	s = (struct seen){.n = 0};
	assert_int_equal(events_after(f->store, 3, 10, collect, &s, &err), 0);
	assert_int_equal(events_after(f->store, UINT64_MAX, 10, collect, &s, &err), 0);
	assert_int_equal(s.n, 0);
}

/* In a transaction an event lives and dies with what it tells of. */
static void test_transaction(void **state)
{
	struct fixture *f = *state;
	struct seen s = {.n = 0};
	uint64_t oldest, newest;

	OK(store_begin(f->store, STORE_SYNCED, &err));
	put(f, "ban", "{}");
	store_rollback(f->store);
	assert_int_equal(events_after(f->store, 0, 10, collect, &s, &err), 0);
	OK(store_begin(f->store, STORE_SOON, &err));
	put(f, "ban", "{}");
	OK(store_commit(f->store, &err));
	assert_int_equal(events_after(f->store, 0, 10, collect, &s, &err), 1);
	OK(events_range(f->store, &oldest, &newest, &err));
	assert_int_equal(oldest, newest);
}

/* Do something to the file that would take too long by the calls. */
static void by_hand(struct fixture *f, const char *sql)
{
	sqlite3 *db;

	store_close(f->store);
	f->store = NULL;
	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s", sqlite3_errmsg(db));
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	fixture_reopen(f);
}

/* A hundred thousand are kept; ids go on. */
static void test_bounded(void **state)
{
	struct fixture *f = *state;
	struct seen s = {.n = 0};
	uint64_t oldest, newest;

	put(f, "ban", "{}");
	/* It forgets each 256th time: next at 100608 = 393 x 256. */
	by_hand(f,
		"INSERT INTO event (id, time, type, indicator, body) VALUES"
		" (608, 100, 'ban', '192.0.2.7', '{}'),"
		" (609, 100, 'ban', '192.0.2.7', '{}'),"
		" (100606, 100, 'ban', '192.0.2.7', '{}')");
	assert_int_equal(put(f, "ban", "{}"), EVENTS_MOST + 607);
	OK(events_range(f->store, &oldest, &newest, &err));
	assert_int_equal(oldest, 1);
	assert_int_equal(put(f, "ban", "{}"), EVENTS_MOST + 608);
	OK(events_range(f->store, &oldest, &newest, &err));
	assert_int_equal(oldest, 609);
	assert_int_equal(newest, EVENTS_MOST + 608);
	assert_int_equal(events_after(f->store, 0, 10, collect, &s, &err), 4);
	assert_int_equal(s.ids[0], 609);
}

static void test_too_long(void **state)
{
	struct fixture *f = *state;
	char body[EVENT_BODY_MAX + 2];
	struct event e = {.type = "ban", .indicator = "", .body = body};

	memset(body, 'x', sizeof body - 1);
	body[sizeof body - 1] = 0;
	assert_int_equal(event_put(f->store, &e, NULL, &err), -1);
	assert_string_equal(err.text, "an event of type ban is too long");
	body[EVENT_BODY_MAX] = 0;
	OK(event_put(f->store, &e, NULL, &err));
}

/* --- answers under a key --- */

static const uint8_t one[HTTP_DIGEST] = {1}, two[HTTP_DIGEST] = {2};

static void test_key(void **state)
{
	struct fixture *f = *state;
	unsigned status = 0;
	char *answer = NULL;

	assert_int_equal(
		http_key_get(f->store, "token a", "k", one, 5000, &status, &answer, &err),
		0);
	OK(http_key_put(f->store, "token a", "k", one, 5000, 202, "{\"a\":1}", &err));
	fixture_reopen(f);
	assert_int_equal(
		http_key_get(f->store, "token a", "k", one, 5001, &status, &answer, &err),
		1);
	assert_int_equal(status, 202);
	assert_string_equal(answer, "{\"a\":1}");
	free(answer);
	/* Another request under it; another's key of the same name. */
	assert_int_equal(
		http_key_get(f->store, "token a", "k", two, 5001, &status, &answer, &err),
		2);
	assert_int_equal(
		http_key_get(f->store, "token b", "k", one, 5001, &status, &answer, &err),
		0);
	/* A day later it is as if it had never been. */
	assert_int_equal(http_key_get(f->store, "token a", "k", two,
				 5000 + HTTP_KEY_SECONDS, &status, &answer, &err),
		0);
	OK(http_key_put(
		f->store, "token a", "k", two, 5000 + HTTP_KEY_SECONDS, 207, "x", &err));
	assert_int_equal(http_key_get(f->store, "token a", "k", two,
				 5001 + HTTP_KEY_SECONDS, &status, &answer, &err),
		1);
	assert_int_equal(status, 207);
	free(answer);
}

/* One owner's keys push out his own oldest, nobody else's. */
static void test_key_bounded(void **state)
{
	struct fixture *f = *state;
	char *answer = NULL;
	unsigned status;

	OK(http_key_put(f->store, "b", "mine", one, 5000, 202, "b", &err));
	/* It forgets each 64th time; the ids are 2 .. 10047, then 10048 = 157 x 64. */
	by_hand(f,
		"WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n"
		" WHERE i < 10047) INSERT INTO http_key (id, owner, key, digest,"
		" created, status, answer) SELECT i, 'a', 'k' || i,"
		" CAST(x'01' || zeroblob(31) AS BLOB), 5000, 202, 'a' FROM n");
	OK(http_key_put(f->store, "a", "last", one, 5000, 202, "a", &err));
	assert_int_equal(
		http_key_get(f->store, "a", "k48", one, 5000, &status, &answer, &err), 0);
	assert_int_equal(
		http_key_get(f->store, "a", "k49", one, 5000, &status, &answer, &err), 1);
	free(answer);
	assert_int_equal(
		http_key_get(f->store, "b", "mine", one, 5000, &status, &answer, &err),
		1);
	free(answer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(test_in_order),
		STORE_TEST(test_transaction),
		STORE_TEST(test_bounded),
		STORE_TEST(test_too_long),
		STORE_TEST(test_key),
		STORE_TEST(test_key_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
