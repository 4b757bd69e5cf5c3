/* SPDX-License-Identifier: Apache-2.0 */
/* From observations to a record that a batch commits to; a full disk; forgetting. */
#include "node_for_test.h"

#include <stdlib.h>

#include "api/evidence_answer.h"
#include "remove_tree.h"
#include "store/outbox.h"
#include "store/sql.h"

static char folder[64];

static int make_folder(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/node-evidence-XXXXXX");
	clock_set(0);
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	(void)state;
	history_cut(0);
	return remove_tree(folder);
}

/* A node that has read a fresh ledger and detects by the defaults. */
static struct node *begun(void)
{
	struct node *n = node_begin(folder, false);

	n->config->detect = detect_config_default;
	n->config->evidence.keep = 86400;
	n->config->evidence.max = 1000000;
	strcpy(n->config->node.name, "edge1");
	strcpy(n->config->member.key, "/key");
	n->own = own_config_default;
	n->own.ttl = 3600;
	n->detector = detector_new(&n->config->detect, n->hash_key);
	n->trail = trail_new(1 << 20, n->hash_key);
	assert_non_null(n->detector);
	assert_non_null(n->trail);
	history_begin(100);
	node_link(n);
	assert_true(n->caught_up);
	return n;
}

static void end(struct node *n)
{
	detector_free(n->detector);
	trail_free(n->trail);
	node_kill(n);
}

/* Three wrong passwords of one source, as the wire shows them. */
static void attack(struct node *n, const char *source)
{
	struct observation list[3];

	memset(list, 0, sizeof list);
	for (unsigned i = 0; i < 3; i++) {
		struct observation *o = &list[i];

		assert_int_equal(address_parse(&o->source, view_str(source), NULL), 0);
		o->time = clock_wall() + i;
		o->kind = OBSERVED_AUTH_FAILED;
		o->proof = PROOF_NONCE;
		o->sensor = SENSOR_HEP;
		o->transport = TRANSPORT_UDP;
		o->attempt = i + 1;
		snprintf(o->account, sizeof o->account, "10%u", i);
		snprintf(o->returned, sizeof o->returned, "nonce-%u", i);
	}
	node_sense_message(n, MSG_OBSERVATIONS, view_of(list, sizeof list));
}

static json_t *record_of(struct node *n, const char *text)
{
	struct indicator i = of(text);
	struct error err = {""};
	json_t *o = evidence_answer_get(n->store, 0, &i, &err);

	if (!o)
		fail_msg("%s", err.text);
	return o;
}

static void test_detection(void **state)
{
	struct node *n = begun();
	struct submitted s;
	uint8_t leaf[KECCAK_SIZE];
	const json_t *list;
	json_t *o;

	(void)state;
	attack(n, "8.8.0.7");
	assert_true(take_submitted(&s));
	assert_int_equal(s.header.count, 1);
	o = record_of(n, "8.8.0.7");
	assert_true(json_is_object(json_object_get(o, "path")));
	assert_int_equal(json_integer_value(json_object_get(o, "block")), 0);
	list = json_object_get(json_object_get(o, "record"), "observations");
	assert_int_equal(json_array_size(list), 3);
	assert_string_equal(
		json_string_value(json_object_get(
			json_object_get(json_array_get(list, 2), "returned"), "nonce")),
		"nonce-2");
	/* Of one record the root is the leaf; and it is what left. */
	{
		struct indicator i = of("8.8.0.7");
		struct evidence e;

		assert_int_equal(evidence_get(n->store, &e, 1, NULL), 1);
		evidence_leaf(leaf, e.salt, &i, e.body);
		evidence_free(&e);
	}
	assert_memory_equal(s.header.commitment, leaf, KECCAK_SIZE);
	json_decref(o);
	include(n, &s);
	tell_fate(n, s.header.ticket, FATE_FINAL, 0, 0);
	o = record_of(n, "8.8.0.7");
	assert_true(json_integer_value(json_object_get(o, "block")) > 0);
	json_decref(o);
	end(n);
}

static uint64_t bytes_kept(struct node *n)
{
	uint64_t bytes;

	assert_int_equal(evidence_bytes(n->store, &bytes, NULL), 0);
	return bytes;
}

/* Nobody is spared for want of room on the disk. */
static void test_full_disk(void **state)
{
	static const uint8_t salt[EVIDENCE_SALT];
	static char body[4000];
	struct node *n = begun();
	struct indicator source = of("8.8.0.7"), other = of("8.8.0.8");
	struct submitted s;
	uint64_t id, kept;

	(void)state;
	memset(body, 'x', sizeof body);
	assert_int_equal(sqlite3_exec(n->store->db, "PRAGMA max_page_count = 200", NULL,
				 NULL, NULL),
		SQLITE_OK);
	for (size_t size = sizeof body; size; size /= 2)
		while (!evidence_add(n->store, &id, &other, view_of(body, size), salt,
			node_now(), NULL))
			;
	kept = bytes_kept(n);
	assert_true(kept > 100000);
	attack(n, "8.8.0.7");
	assert_non_null(ban_table_get(n->bans, &source, BAN_ALL));
	assert_false(take_submitted(&s));
	assert_false(node_outbox_open(n, &source));
	assert_int_equal(bytes_kept(n), kept);
	/* With room again it goes on as ever. */
	assert_int_equal(sqlite3_exec(n->store->db, "PRAGMA max_page_count = 100000",
				 NULL, NULL, NULL),
		SQLITE_OK);
	attack(n, "8.8.0.8");
	assert_true(take_submitted(&s));
	assert_true(bytes_kept(n) > kept);
	end(n);
}

/* Old ones go step by step, none whose report lives. */
static void test_keep(void **state)
{
	static const uint8_t salt[EVIDENCE_SALT];
	struct node *n = begun();
	struct indicator other = of("8.8.0.8");
	struct submitted s;
	uint64_t id, live;
	unsigned steps = 0;

	(void)state;
	attack(n, "8.8.0.7");
	assert_true(take_submitted(&s));
	include(n, &s);
	tell_fate(n, s.header.ticket, FATE_FINAL, 0, 0);
	live = bytes_kept(n);
	assert_int_equal(store_begin(n->store, STORE_SYNCED, NULL), 0);
	for (unsigned i = 0; i < 300; i++)
		assert_int_equal(evidence_add(n->store, &id, &other, view_str("x"), salt,
					 node_now(), NULL),
			0);
	assert_int_equal(store_commit(n->store, NULL), 0);
	node_evidence_keep(n);
	assert_int_equal(bytes_kept(n), live + 300);
	/* A day later all are old; the report has an hour left in this play. */
	assert_int_equal(
		sqlite3_exec(n->store->db, "UPDATE outbox SET expiry = expiry + 86400",
			NULL, NULL, NULL),
		SQLITE_OK);
	for (clock_set(86400 + 60); bytes_kept(n) > live && steps < 10; steps++) {
		clock_set(86400 + 60 + steps);
		node_evidence_keep(n);
	}
	assert_int_equal(steps, 5); /* 64 a step */
	assert_int_equal(bytes_kept(n), live);
	clock_set(2 * 86400 + 3600);
	node_evidence_keep(n);
	assert_int_equal(bytes_kept(n), 0);
	end(n);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_folder, remove_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_detection),
		TEST(test_full_disk),
		TEST(test_keep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
