/* SPDX-License-Identifier: Apache-2.0 */
/* How far webhooks have come. */
#include "fixture.h"

#include <sqlite3.h>
#include <string.h>

#include "store/webhook_row.h"

static const struct webhook_row full = {
	.name = "siem",
	.state = WEBHOOK_ROW_GONE,
	.position = 41,
	.first = 43,
	.last = 77,
	.types = "ban unban",
	.node = "Z\xc3\xbcrich edge 1",
	.told = 5,
	.attempts = 6,
	.lost = 7,
	.untold = 8,
	.events = 9,
	.batches = 10,
	.failures = 11,
	.delivered = 12,
	.tried = 13,
	.status = 410,
	.reason = "410 Gone",
	.nonce = {1, 0, 3, 255},
};

static void test_rows(void **state)
{
	struct fixture *f = *state;
	struct webhook_row row;

	assert_int_equal(webhook_row_get(f->store, &row, "siem", &err), 0);
	assert_int_equal(row.position, 0);
	OK(webhook_row_put(f->store, &full, STORE_SYNCED, &err));
	fixture_reopen(f);
	assert_int_equal(webhook_row_get(f->store, &row, "siem", &err), 1);
	assert_memory_equal(&row, &full, sizeof row);
	/* The whole row is the new one. */
	row.first = row.last = 0;
	row.position = 77;
	row.state = WEBHOOK_ROW_RUNNING;
	row.reason[0] = 0;
	memset(row.types, 0, sizeof row.types);
	OK(webhook_row_put(f->store, &row, STORE_SOON, &err));
	assert_int_equal(webhook_row_get(f->store, &row, "siem", &err), 1);
	assert_int_equal(row.position, 77);
	assert_int_equal(row.last, 0);
	assert_string_equal(row.types, "");
	assert_int_equal(webhook_row_get(f->store, &row, "SIEM", &err), 0);
	/* A batch may not begin before what was delivered, or end before it begins. */
	row = full;
	row.first = 41;
	assert_int_equal(webhook_row_put(f->store, &row, STORE_SOON, &err), -1);
	row = full;
	row.last = 42;
	assert_int_equal(webhook_row_put(f->store, &row, STORE_SOON, &err), -1);
}

static void append(void *context, const char *name)
{
	strcat(context, name);
	strcat(context, " ");
}

static void test_names(void **state)
{
	struct fixture *f = *state;
	struct webhook_row row = full;
	char names[64] = "";

	assert_int_equal(webhook_row_each(f->store, append, names, &err), 0);
	OK(webhook_row_put(f->store, &row, STORE_SOON, &err));
	strcpy(row.name, "chat");
	OK(webhook_row_put(f->store, &row, STORE_SOON, &err));
	assert_int_equal(webhook_row_each(f->store, append, names, &err), 2);
	assert_string_equal(names, "chat siem ");
	OK(webhook_row_delete(f->store, "siem", &err));
	OK(webhook_row_delete(f->store, "siem", &err));
	names[0] = 0;
	assert_int_equal(webhook_row_each(f->store, append, names, &err), 1);
	assert_string_equal(names, "chat ");
}

/* In the journal's file, the same for its whole life. */
static void test_journal(void **state)
{
	static const uint8_t zeros[JOURNAL_ID];
	uint8_t id[JOURNAL_ID], again[JOURNAL_ID];
	struct fixture *f = *state;
	sqlite3 *db;

	OK(journal_id(f->store, id, &err));
	assert_memory_not_equal(id, zeros, sizeof id);
	fixture_reopen(f);
	OK(journal_id(f->store, again, &err));
	assert_memory_equal(id, again, sizeof id);
	store_close(f->store);
	assert_int_equal(unlink(f->path), 0);
	f->store = store_open(f->path, &err);
	assert_non_null(f->store);
	OK(journal_id(f->store, again, &err));
	assert_memory_not_equal(id, again, sizeof id);
	store_close(f->store);
	f->store = NULL;
	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	assert_int_equal(
		sqlite3_exec(db, "DELETE FROM journal", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	fixture_reopen(f);
	assert_int_equal(journal_id(f->store, again, &err), -1);
	assert_string_equal(err.text, "the journal of events has no id");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(test_rows),
		STORE_TEST(test_names),
		STORE_TEST(test_journal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
