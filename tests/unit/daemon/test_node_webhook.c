/* SPDX-License-Identifier: Apache-2.0 */
/* The node's webhooks against a role `deliver` that the test plays, on its clock. */
#include "webhook_rig.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/sql.h"

/* --- the cases --- */

static void test_new(void **state)
{
	struct arrived a = {.json = NULL};

	(void)state;
	begin();
	link_role();
	events(3, "ban");
	turn(1);
	assert_true(take(&a));
	end();
	/* A webhook that comes later begins with what happens from then on. */
	begin();
	strcpy(n->config->webhooks[1].name, "chat");
	node_webhooks_configure(n);
	assert_int_equal(stored("chat").position, 3);
	assert_int_equal(stored("siem").position, 0);
	link_role();
	forget(&a);
	end();
}

/* In order; one batch at a time; a filter passes over, and a test comes through. */
static void test_order(void **state)
{
	struct arrived a = {.json = NULL};

	(void)state;
	begin();
	link_role();
	events(150, "pass");
	events(2, "ban");
	turn(1);
	assert_true(take(&a));
	assert_string_equal(a.header.webhook, "siem");
	assert_int_equal(count_of(&a), 100);
	assert_int_equal(id_of(&a, 0), 1);
	assert_string_equal(json_string_value(json_object_get(a.json, "node")), "edge1");
	assert_int_equal(stored("siem").first, 1);
	assert_int_equal(stored("siem").last, 100);
	answer(&a, WEBHOOK_DELIVERED, 200, 0, "");
	/* Twice, or of another batch: nobody's. */
	answer(&a, WEBHOOK_DELIVERED, 200, 0, "");
	a.header.ticket = 77;
	answer(&a, WEBHOOK_GONE, 410, 0, "x");
	assert_int_equal(stored("siem").position, 100);
	assert_int_equal(stored("siem").events, 100);
	assert_true(take(&a));
	assert_string_equal(a.header.webhook, "bans");
	assert_int_equal(count_of(&a), 2);
	assert_int_equal(id_of(&a, 0), 151);
	answer(&a, WEBHOOK_DELIVERED, 204, 0, "");
	assert_false(take(&a));
	turn(2);
	assert_true(take(&a));
	assert_int_equal(count_of(&a), 52);
	assert_int_equal(id_of(&a, 0), 101);
	events(5, "pass");
	turn(3);
	assert_false(take(&a)); /* the last has not been answered */
	assert_int_equal(stored("bans").position, 157); /* passed over */
	node_event_with(
		n, "test", NULL, json_pack("{s:s, s:s}", "text", "x", "webhook", "bans"));
	turn(4);
	assert_true(take(&a));
	assert_string_equal(a.header.webhook, "bans");
	assert_int_equal(count_of(&a), 1);
	assert_int_equal(id_of(&a, 0), 158);
	forget(&a);
	end();
}

/* A failure: later, and then the same; after the role's death at once. */
static void test_again(void **state)
{
	struct arrived a = {.json = NULL}, b = {.json = NULL};
	double at;

	(void)state;
	begin();
	link_role();
	events(3, "pass");
	turn(1);
	assert_true(take(&a));
	answer(&a, WEBHOOK_LATER, 503, 30, "503: later");
	assert_int_equal(stored("siem").attempts, 1);
	assert_string_equal(stored("siem").reason, "503: later");
	turn(30.9);
	assert_false(take(&b));
	turn(70);
	assert_true(take(&b));
	assert_string_equal(a.header.id, b.header.id);
	assert_true(view_eq(view_of(a.body.p, a.body.n), view_of(b.body.p, b.body.n)));
	assert_true(a.header.ticket != b.header.ticket);
	/* What has happened since, above all that it failed, waits for the next. */
	link_role();
	turn(71);
	assert_true(take(&b));
	assert_string_equal(a.header.id, b.header.id);
	assert_true(view_eq(view_of(a.body.p, a.body.n), view_of(b.body.p, b.body.n)));
	/* The wait grows, and ends by itself. */
	for (at = 71; at < 200000;) {
		answer(&b, WEBHOOK_LATER, 0, 0, "refused");
		if (stored("siem").attempts == 12)
			break;
		at += 901;
		turn(at);
		assert_true(take(&b));
	}
	assert_true(
		n->webhooks->list[0].retry_at > clock_monotonic() + 400 * USEC_PER_SEC);
	assert_true(
		n->webhooks->list[0].retry_at <= clock_monotonic() + 900 * USEC_PER_SEC);
	turn(at + 901);
	assert_true(take(&b));
	answer(&b, WEBHOOK_DELIVERED, 200, 0, "");
	turn(at + 902);
	assert_true(take(&b));
	assert_string_equal(
		json_string_value(json_object_get(
			json_array_get(json_object_get(b.json, "events"), 0), "type")),
		"trouble");
	assert_int_equal(id_of(&b, 0), 4);
	forget(&a);
	forget(&b);
	end();
}

/* How many events of this type the journal has. */
static int64_t told(const char *type)
{
	struct error err = {""};
	int64_t count = -1;
	struct sql q;

	sql_prepare(&q, n->store, "SELECT count(*) FROM event WHERE type = ?");
	sql_text(&q, type);
	if (sql_step(&q, &err) == 1)
		count = (int64_t)sql_get_u64(&q, 0);
	sql_end(&q);
	return count;
}

/* A receiver that stays away is told of again after each start of the node, once. */
static void test_told(void **state)
{
	struct arrived a = {.json = NULL};

	(void)state;
	begin();
	link_role();
	events(1, "pass");
	turn(1);
	assert_true(take(&a));
	answer(&a, WEBHOOK_LATER, 0, 0, "refused");
	assert_int_equal(told("trouble"), 1);
	turn(3);
	assert_true(take(&a));
	answer(&a, WEBHOOK_LATER, 0, 0, "refused");
	assert_int_equal(told("trouble"), 1);
	assert_int_equal(stored("siem").attempts, 2);
	end();
	begin();
	link_role();
	turn(1);
	assert_true(take(&a));
	answer(&a, WEBHOOK_LATER, 0, 0, "refused");
	assert_int_equal(stored("siem").attempts, 3);
	assert_int_equal(told("trouble"), 2);
	turn(30);
	assert_true(take(&a));
	answer(&a, WEBHOOK_LATER, 0, 0, "refused");
	assert_int_equal(told("trouble"), 2);
	forget(&a);
	end();
}

/* The node dies: the same batch, whatever is configured since. */
static void test_restart(void **state)
{
	struct arrived a = {.json = NULL}, b = {.json = NULL};

	(void)state;
	begin();
	link_role();
	events(7, "ban");
	events(7, "unban");
	turn(1);
	assert_true(take(&a));
	end();
	begin();
	strcpy(n->config->node.name, "edge2");
	strcpy(n->config->webhooks[0].events, "unban");
	node_webhooks_configure(n);
	events(7, "ban");
	link_role();
	turn(2);
	assert_true(take(&b));
	assert_string_equal(a.header.id, b.header.id);
	assert_true(view_eq(view_of(a.body.p, a.body.n), view_of(b.body.p, b.body.n)));
	events(1, "unban");
	answer(&b, WEBHOOK_DELIVERED, 200, 0, "");
	turn(3);
	do
		assert_true(take(&b)); /* the other's comes, too */
	while (strcmp(b.header.webhook, "siem") != 0);
	assert_int_equal(count_of(&b), 1);
	assert_int_equal(id_of(&b, 0), 22);
	forget(&a);
	forget(&b);
	end();
}

static void test_gone(void **state)
{
	struct arrived a = {.json = NULL}, b = {.json = NULL};

	(void)state;
	begin();
	link_role();
	events(2, "pass");
	turn(1);
	assert_true(take(&a));
	answer(&a, WEBHOOK_GONE, 410, 0, "410 Gone");
	turn(100000);
	assert_false(take(&b));
	assert_int_equal(stored("siem").state, WEBHOOK_ROW_GONE);
	n->webhooks->list[0].row.state = WEBHOOK_ROW_RUNNING;
	node_webhooks_wake(n);
	turn(100001);
	assert_true(take(&b));
	assert_string_equal(a.header.id, b.header.id);
	forget(&a);
	forget(&b);
	end();
}

/* What the journal forgot is counted, and told once; of what was on its way, too. */
static void test_lost(void **state)
{
	struct arrived a = {.json = NULL};

	(void)state;
	begin();
	link_role();
	events(150, "pass");
	turn(1);
	assert_true(take(&a)); /* 1 .. 100 */
	answer(&a, WEBHOOK_LATER, 500, 0, "500");
	assert_int_equal(sqlite3_exec(n->store->db, "DELETE FROM event WHERE id <= 120",
				 NULL, NULL, NULL),
		SQLITE_OK);
	turn(10);
	assert_true(take(&a));
	assert_int_equal(json_integer_value(json_object_get(a.json, "lost")), 120);
	assert_int_equal(id_of(&a, 0), 121);
	assert_int_equal(stored("siem").lost, 120);
	/* Not taken: told again, until it is. */
	link_role();
	turn(11);
	assert_true(take(&a));
	assert_int_equal(json_integer_value(json_object_get(a.json, "lost")), 120);
	answer(&a, WEBHOOK_DELIVERED, 200, 0, "");
	events(1, "pass");
	turn(12);
	assert_true(take(&a));
	assert_int_equal(json_integer_value(json_object_get(a.json, "lost")), 0);
	assert_int_equal(stored("siem").lost, 120);
	/* A batch on its way of which the journal has only a part: lost as a whole. */
	events(9, "pass");
	answer(&a, WEBHOOK_DELIVERED, 200, 0, "");
	turn(13);
	assert_true(take(&a));
	assert_int_equal(count_of(&a), 9);
	answer(&a, WEBHOOK_LATER, 500, 0, "500");
	assert_int_equal(sqlite3_exec(n->store->db, "DELETE FROM event WHERE id <= 157",
				 NULL, NULL, NULL),
		SQLITE_OK);
	turn(30);
	assert_true(take(&a));
	assert_int_equal(id_of(&a, 0), 158);
	assert_int_equal(json_integer_value(json_object_get(a.json, "lost")), 5);
	assert_int_equal(stored("siem").lost, 125);
	forget(&a);
	end();
}

/* Events first .. last into the journal, as by node_event(): each fourth is a ban. */
static void put_events(unsigned first, unsigned last)
{
	char text[300];

	snprintf(text, sizeof text,
		"WITH RECURSIVE c (id) AS (SELECT %u UNION ALL SELECT id + 1 FROM c"
		" WHERE id < %u) INSERT INTO event SELECT id, 1,"
		" CASE id %% 4 WHEN 0 THEN 'ban' ELSE 'pass' END, '', '{}' FROM c",
		first, last);
	assert_int_equal(sqlite3_exec(n->store->db, text, NULL, NULL, NULL), SQLITE_OK);
}

static json_int_t lost_in(const struct arrived *a)
{
	return json_integer_value(json_object_get(a->json, "lost"));
}

/* What the journal forgets by itself is lost to whom it was for: by type, exactly. */
static void test_lost_by_type(void **state)
{
	struct arrived siem = {.json = NULL}, bans = {.json = NULL};
	const unsigned first = EVENTS_MOST / EVENTS_FORGET * EVENTS_FORGET +
		2 * EVENTS_FORGET; /* forgets up to 352 */
	const unsigned gone = first - EVENTS_MOST;

	(void)state;
	assert_int_equal(gone, 352);
	begin();
	put_events(1, first - 12);
	events(11, "pass");
	assert_int_equal(stored("siem").lost, gone);
	assert_int_equal(stored("siem").position, gone);
	assert_int_equal(stored("bans").lost, gone / 4);
	events(1, "pass");
	link_role();
	turn(1);
	assert_true(take(&siem) && take(&bans));
	assert_string_equal(siem.header.webhook, "siem");
	assert_int_equal(id_of(&siem, 0), gone + 1);
	assert_int_equal(lost_in(&siem), gone);
	assert_int_equal(id_of(&bans, 0), gone + 4);
	assert_int_equal(lost_in(&bans), gone / 4);
	/* .. and while a batch is out: its own part only if it does not arrive. */
	put_events(first + 1, first + EVENTS_FORGET - 8);
	events(8, "pass");
	assert_int_equal(stored("siem").lost, gone);
	answer(&siem, WEBHOOK_DELIVERED, 200, 0, "");
	answer(&bans, WEBHOOK_LATER, 500, 0, "500");
	turn(10);
	assert_true(take(&siem) && take(&bans));
	if (strcmp(siem.header.webhook, "siem") != 0) {
		struct arrived swap = siem;

		siem = bans;
		bans = swap;
	}
	assert_int_equal(id_of(&siem, 0), gone + EVENTS_FORGET + 1);
	assert_int_equal(lost_in(&siem), EVENTS_FORGET - 100);
	assert_int_equal(stored("siem").lost, gone + EVENTS_FORGET - 100);
	assert_int_equal(id_of(&bans, 0), gone + EVENTS_FORGET + 4);
	assert_int_equal(lost_in(&bans), (gone + EVENTS_FORGET) / 4);
	assert_int_equal(stored("bans").lost, (gone + EVENTS_FORGET) / 4);
	forget(&siem);
	forget(&bans);
	end();
}

/* The database is an older copy of itself: it goes on with what happens now. */
static void test_older_copy(void **state)
{
	struct arrived a = {.json = NULL};
	struct webhook_row row;
	struct error err = {""};

	(void)state;
	begin();
	events(5, "pass");
	row = stored("siem");
	row.position = 40;
	row.first = 41;
	row.last = 50;
	assert_int_equal(webhook_row_put(n->store, &row, STORE_SOON, &err), 0);
	end();
	begin();
	link_role();
	turn(1);
	assert_false(take(&a));
	assert_int_equal(stored("siem").position, 5);
	events(1, "pass");
	turn(2);
	assert_true(take(&a));
	assert_int_equal(id_of(&a, 0), 6);
	forget(&a);
	end();
}

/* The folder's node.db, while the node is down: kept, or put back. */
static void copy(const char *from, const char *to)
{
	static const char *const beside[] = {"", "-wal", "-shm"};
	char path[200], bytes[4096];
	FILE *in, *out;
	size_t got;

	for (size_t i = 0; i < sizeof beside / sizeof beside[0]; i++) {
		snprintf(path, sizeof path, "%s/%s%s", folder, to, beside[i]);
		unlink(path);
	}
	snprintf(path, sizeof path, "%s/%s", folder, from);
	in = fopen(path, "rb");
	snprintf(path, sizeof path, "%s/%s", folder, to);
	out = fopen(path, "wb");
	assert_true(in && out);
	while ((got = fread(bytes, 1, sizeof bytes, in)))
		assert_int_equal(fwrite(bytes, 1, got, out), got);
	assert_int_equal(ferror(in), 0);
	fclose(in);
	assert_int_equal(fclose(out), 0);
}

/* .. and what happens then has the same events' ids, but is no batch of before. */
static void test_restored(void **state)
{
	struct arrived a = {.json = NULL}, b = {.json = NULL};

	(void)state;
	begin();
	link_role();
	events(5, "pass");
	turn(1);
	assert_true(take(&a));
	answer(&a, WEBHOOK_DELIVERED, 200, 0, "");
	end();
	copy("node.db", "kept");
	begin();
	link_role();
	events(1, "pass");
	turn(2);
	assert_true(take(&a));
	assert_int_equal(id_of(&a, 0), 6);
	answer(&a, WEBHOOK_DELIVERED, 200, 0, "");
	end();
	copy("kept", "node.db");
	begin();
	link_role();
	events(1, "pass");
	turn(3);
	assert_true(take(&b));
	assert_int_equal(id_of(&b, 0), 6);
	assert_string_equal(strrchr(a.header.id, '_'), "_6");
	assert_string_equal(strrchr(b.header.id, '_'), "_6");
	assert_string_not_equal(a.header.id, b.header.id);
	forget(&a);
	forget(&b);
	end();
}

/* One that was under way when batches had nothing of their own keeps its id. */
static void test_upgraded(void **state)
{
	struct arrived a = {.json = NULL}, b = {.json = NULL};
	char id[WEBHOOK_ID_MAX];

	(void)state;
	begin();
	link_role();
	events(2, "pass");
	turn(1);
	assert_true(take(&a));
	webhook_id(id, view_of(n->webhooks->journal, JOURNAL_ID), "siem", 1, 2);
	assert_string_not_equal(a.header.id, id);
	assert_int_equal(
		sqlite3_exec(n->store->db,
			"ALTER TABLE webhook DROP COLUMN nonce; DROP TABLE connector;"
			"PRAGMA user_version = 6",
			NULL, NULL, NULL),
		SQLITE_OK);
	end();
	begin();
	link_role();
	turn(2);
	assert_true(take(&b));
	assert_string_equal(b.header.id, id);
	forget(&a);
	forget(&b);
	end();
}

static json_t *shown(size_t i)
{
	json_t *all = node_webhooks_json(n), *one = json_incref(json_array_get(all, i));

	json_decref(all);
	return one;
}

static void assert_shown(size_t i, const char *state, const char *trouble)
{
	json_t *one = shown(i);

	assert_string_equal(json_string_value(json_object_get(one, "state")), state);
	assert_string_equal(json_string_value(json_object_get(one, "trouble")), trouble);
	json_decref(one);
}

static void test_status(void **state)
{
	struct arrived a = {.json = NULL};
	json_t *one;

	(void)state;
	begin();
	assert_shown(0, "starting", "the role deliver does not run");
	link_role();
	assert_shown(0, "ready", "");
	say("secret_file: /x: others can read the secret", "");
	assert_shown(0, "trouble", "secret_file: /x: others can read the secret");
	events(1, "ban");
	turn(1);
	assert_true(take(&a));
	assert_string_equal(a.header.webhook, "bans"); /* the other goes on */
	assert_false(take(&a));
	say("\x1b[2J", "");
	assert_shown(0, "trouble", "is in trouble that could not be read");
	say("", "");
	turn(2);
	assert_true(take(&a));
	assert_shown(0, "sending", "");
	answer(&a, WEBHOOK_LATER, 500, 100, "a\nb");
	assert_shown(0, "failing", "failed, for no reason that could be read");
	one = shown(0);
	assert_int_equal(json_integer_value(json_object_get(one, "next")), T0 + 102);
	/* 1: the ban, 2: the trouble that it failed */
	assert_int_equal(json_integer_value(json_object_get(one, "behind")), 2);
	assert_int_equal(json_integer_value(json_object_get(one, "status")), 500);
	json_decref(one);
	n->config->webhooks[0].enabled = false;
	node_webhooks_configure(n);
	assert_shown(0, "off", "");
	turn(500);
	do
		assert_true(!take(&a) || strcmp(a.header.webhook, "bans") == 0);
	while (a.json);
	forget(&a);
	end();
}

/* What a role that was broken into might say. */
static void test_hostile(void **state)
{
	static const uint16_t types[] = {MSG_POSTED, MSG_WEBHOOKS, MSG_POST, 0, 65535};
	struct arrived a = {.json = NULL};
	struct batch_done d;

	(void)state;
	begin();
	link_role();
	events(3, "pass");
	turn(1);
	assert_true(take(&a));
	for (size_t t = 0; t < sizeof types / sizeof types[0]; t++)
		for (size_t size = 0; size < 3 * sizeof(struct webhook_self); size++) {
			uint8_t *bytes = malloc(size + 1);

			assert_non_null(bytes);
			memset(bytes, 0xff, size + 1);
			node_webhooks_message(n, types[t], view_of(bytes, size));
			free(bytes);
		}
	memset(&d, 0xff, sizeof d);
	d.ticket = a.header.ticket;
	memcpy(d.webhook, a.header.webhook, sizeof d.webhook);
	node_webhooks_message(n, MSG_POSTED, view_of(&d, sizeof d));
	d.verdict = 0;
	node_webhooks_message(n, MSG_POSTED, view_of(&d, sizeof d));
	assert_int_equal(stored("siem").position, 0); /* neither is an outcome */
	d.verdict = WEBHOOK_LATER;
	node_webhooks_message(n, MSG_POSTED, view_of(&d, sizeof d));
	assert_int_equal(stored("siem").status, 0);
	/* An hour at most, whatever it says. */
	assert_true(
		n->webhooks->list[0].retry_at <= clock_monotonic() + 3600 * USEC_PER_SEC);
	assert_shown(0, "failing", "failed, for no reason that could be read");
	forget(&a);
	end();
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, make_folder, delete_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_new),
		CASE(test_order),
		CASE(test_again),
		CASE(test_told),
		CASE(test_restart),
		CASE(test_gone),
		CASE(test_lost),
		CASE(test_lost_by_type),
		CASE(test_older_copy),
		CASE(test_restored),
		CASE(test_upgraded),
		CASE(test_status),
		CASE(test_hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
