/* SPDX-License-Identifier: Apache-2.0 */
/* Where entries may stand, and how a store of before that comes to know. */
#include "fixture.h"

#include <sqlite3.h>
#include <string.h>

#include "store/connector_row.h"
#include "store/webhook_row.h"

static void append(void *context, const struct connector_row *row)
{
	char *text = context;

	snprintf(text + strlen(text), 300 - strlen(text), "%s|%s|%u|%llu;", row->name,
		row->place, row->type, (unsigned long long)row->gone);
}

static void expect_rows(struct fixture *f, const char *rows)
{
	char text[300] = "";

	assert_true(connector_row_each(f->store, append, text, &err) >= 0);
	assert_string_equal(text, rows);
}

static void test_rows(void **state)
{
	struct connector_row a = {"Asterisk at 192.0.2.1 port 5038", "pbx", 1, 0},
			     b = {"Kamailio at /run/x, tables n", "edge", 2, 7};
	struct fixture *f = *state;

	expect_rows(f, "");
	OK(connector_row_delete(f->store, "nowhere", &err));
	OK(connector_row_put(f->store, &a, &err));
	OK(connector_row_put(f->store, &b, &err));
	fixture_reopen(f);
	expect_rows(f,
		"edge|Kamailio at /run/x, tables n|2|7;"
		"pbx|Asterisk at 192.0.2.1 port 5038|1|0;");
	/* The place is the key: another name and time replace the row's. */
	strcpy(a.name, "a");
	a.gone = INT64_MAX;
	OK(connector_row_put(f->store, &a, &err));
	OK(connector_row_delete(f->store, b.place, &err));
	expect_rows(f, "a|Asterisk at 192.0.2.1 port 5038|1|9223372036854775807;");
}

/* A store of version 6 with a batch under way. */
static void test_upgrade(void **state)
{
	static const uint8_t none[WEBHOOK_ROW_NONCE];
	struct webhook_row row = {.name = "siem",
		.state = WEBHOOK_ROW_RUNNING,
		.position = 3,
		.first = 4,
		.last = 9,
		.reason = "x",
		.nonce = {1, 2, 3}};
	struct fixture *f = *state;
	uint8_t before[JOURNAL_ID], after[JOURNAL_ID];
	sqlite3 *db;

	OK(webhook_row_put(f->store, &row, STORE_SYNCED, &err));
	OK(journal_id(f->store, before, &err));
	store_close(f->store);
	f->store = NULL;
	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db,
				 "ALTER TABLE webhook DROP COLUMN nonce;"
				 "DROP TABLE connector; PRAGMA user_version = 6",
				 NULL, NULL, NULL),
		SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	fixture_reopen(f);
	assert_int_equal(webhook_row_get(f->store, &row, "siem", &err), 1);
	assert_int_equal(row.position, 3);
	assert_int_equal(row.first, 4);
	assert_int_equal(row.last, 9);
	assert_string_equal(row.reason, "x");
	assert_memory_equal(row.nonce, none, sizeof none);
	OK(journal_id(f->store, after, &err));
	assert_memory_equal(before, after, sizeof before);
	expect_rows(f, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(test_rows),
		STORE_TEST(test_upgrade),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
