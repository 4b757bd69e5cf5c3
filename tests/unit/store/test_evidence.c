/* SPDX-License-Identifier: Apache-2.0 */
/* Evidence: kept, committed to by a batch, shown with its path. */
#include "fixture.h"

#include "store/evidence.h"
#include "store/outbox_batch.h"
#include "store/sql.h"

#define NOW    1000
#define EXPIRY 5000

/* One record and its waiting report. Returns the record's id. */
static uint64_t record(struct fixture *f, const char *indicator, const char *body,
	uint8_t salt_byte, struct outbox_assignment *entry)
{
	struct outbox_request r = {.indicator = of(indicator),
		.want = OUTBOX_REPORT,
		.category = CATEGORY_SCAN,
		.proof = PROOF_TCP,
		.expiry = 5000};
	struct report word = {.indicator = r.indicator,
		.expiry = 5000,
		.member = 1,
		.category = CATEGORY_SCAN,
		.proof = PROOF_TCP};
	uint8_t salt[EVIDENCE_SALT];

	memset(salt, salt_byte, sizeof(salt));
	if (body != NULL)
		OK(evidence_add(f->store, &r.evidence, &r.indicator, view_str(body), salt,
			NOW, &err));
	OK(outbox_add(f->store, &r, NOW, &entry->ticket, NULL, &err));
	word_encode(entry->word, &word);
	return r.evidence;
}

static void test_leaf(void **state)
{
	struct indicator i = of("192.0.2.7"), other = of("192.0.2.8");
	uint8_t salt[EVIDENCE_SALT] = {9}, got[KECCAK_SIZE], expected[KECCAK_SIZE];
	uint8_t bytes[1 + EVIDENCE_SALT + INDICATOR_SIZE + 4] = {0x00};

	(void)state;
	memcpy(bytes + 1, salt, EVIDENCE_SALT);
	memcpy(bytes + 1 + EVIDENCE_SALT, &i, INDICATOR_SIZE);
	memcpy(bytes + 1 + EVIDENCE_SALT + INDICATOR_SIZE, "body", 4);
	keccak256(expected, bytes, sizeof(bytes));
	evidence_leaf(got, salt, &i, view_str("body"));
	assert_memory_equal(got, expected, KECCAK_SIZE);
	/* It is the tree's own leaf function over the three. */
	merkle_leaf(got, view_of(bytes + 1, sizeof(bytes) - 1));
	assert_memory_equal(got, expected, KECCAK_SIZE);
	evidence_leaf(got, salt, &other, view_str("body"));
	assert_memory_not_equal(got, expected, KECCAK_SIZE);
	salt[31] = 1;
	evidence_leaf(got, salt, &i, view_str("body"));
	assert_memory_not_equal(got, expected, KECCAK_SIZE);
}

static void test_size(void **state)
{
	static char body[EVIDENCE_BODY_MAX + 1];
	struct fixture *f = *state;
	struct indicator i = of("192.0.2.7");
	uint8_t salt[EVIDENCE_SALT] = {0};
	struct evidence e;
	uint64_t id;

	memset(body, 'b', sizeof(body));
	assert_int_equal(evidence_add(f->store, &id, &i, view_of(body, sizeof(body)),
				 salt, NOW, &err),
		-1);
	assert_string_equal(err.text, "evidence of 65537 bytes: 1 to 65536 are kept");
	assert_int_equal(
		evidence_add(f->store, &id, &i, view_of(NULL, 0), salt, NOW, &err), -1);
	OK(evidence_add(
		f->store, &id, &i, view_of(body, EVIDENCE_BODY_MAX), salt, NOW, &err));
	assert_int_equal(evidence_get(f->store, &e, id, NULL), 1);
	assert_int_equal(e.body.n, EVIDENCE_BODY_MAX);
	assert_memory_equal(e.body.p, body, EVIDENCE_BODY_MAX);
	evidence_free(&e);
	assert_int_equal(evidence_get(f->store, &e, id + 1, NULL), 0);
	evidence_free(&e);
}

static void collect(void *context, const struct evidence *e)
{
	strncat(context, (const char *)e->body.p, e->body.n);
}

static void test_by_indicator(void **state)
{
	struct fixture *f = *state;
	struct outbox_assignment entry;
	struct indicator i = of("192.0.2.7");
	char bodies[100] = "";

	record(f, "192.0.2.7", "first;", 1, &entry);
	record(f, "192.0.2.8", "other;", 1, &entry);
	record(f, "192.0.2.7", "second;", 1, &entry);
	record(f, "192.0.2.7", "third;", 1, &entry);
	assert_int_equal(evidence_each(f->store, &i, 10, collect, bodies, NULL), 3);
	assert_string_equal(bodies, "third;second;first;");
	bodies[0] = '\0';
	assert_int_equal(evidence_each(f->store, &i, 2, collect, bodies, NULL), 2);
	assert_string_equal(bodies, "third;second;");
}

/* What anybody does who is shown a record: hash it, follow its path. */
static void verify(struct fixture *f, uint64_t id, const uint8_t commitment[KECCAK_SIZE])
{
	uint8_t leaf[KECCAK_SIZE];
	struct evidence_proof proof;
	struct evidence e;

	assert_int_equal(evidence_get(f->store, &e, id, NULL), 1);
	evidence_leaf(leaf, e.salt, &e.indicator, e.body);
	assert_memory_equal(leaf, e.leaf, KECCAK_SIZE);
	evidence_free(&e);
	assert_int_equal(evidence_prove(f->store, &proof, id, NULL), 1);
	assert_memory_equal(proof.commitment, commitment, KECCAK_SIZE);
	assert_true(merkle_verify(commitment, leaf, &proof.path));
	leaf[0] ^= 1;
	assert_false(merkle_verify(commitment, leaf, &proof.path));
}

/* A batch of five of which one has no evidence: four leaves. */
static void test_commitment(void **state)
{
	static const char *const addresses[] = {
		"192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4", "192.0.2.5"};
	struct fixture *f = *state;
	struct outbox_assignment entries[5];
	uint8_t commitment[KECCAK_SIZE], leaves[4][KECCAK_SIZE], root[KECCAK_SIZE];
	struct evidence_proof proof;
	uint64_t ids[5], batch;
	int n = 0;

	for (int k = 0; k < 5; k++) {
		struct evidence e;

		ids[k] = record(f, addresses[k], k == 2 ? NULL : addresses[k], (uint8_t)k,
			&entries[k]);
		if (k == 2)
			continue;
		assert_int_equal(evidence_get(f->store, &e, ids[k], NULL), 1);
		memcpy(leaves[n++], e.leaf, KECCAK_SIZE);
		evidence_free(&e);
	}
	assert_int_equal(evidence_prove(f->store, &proof, ids[0], NULL), 0);
	OK(outbox_assign(f->store, entries, 5, NOW, &batch, commitment, &err));
	merkle_root(root, (const uint8_t(*)[KECCAK_SIZE])leaves, 4);
	assert_memory_equal(commitment, root, KECCAK_SIZE);
	fixture_reopen(f);
	for (int k = 0; k < 5; k++) {
		if (k != 2)
			verify(f, ids[k], root);
	}
	assert_int_equal(evidence_prove(f->store, &proof, ids[4], NULL), 1);
	assert_int_equal(proof.batch, batch);
	assert_int_equal(proof.block, 0);
	assert_int_equal(proof.path.index, 3);
	assert_int_equal(proof.path.count, 4);
	OK(outbox_final(f->store, batch, 55, NOW, &err));
	assert_int_equal(evidence_prove(f->store, &proof, ids[4], NULL), 1);
	assert_int_equal(proof.block, 55);
}

/* A record that was in two batches is shown in the one that became final. */
static void test_sent_anew(void **state)
{
	struct fixture *f = *state;
	struct outbox_assignment a, b, both[2];
	uint8_t first[KECCAK_SIZE], second[KECCAK_SIZE];
	uint64_t ids[2], batch[2];
	struct evidence_proof proof;

	ids[0] = record(f, "192.0.2.1", "one", 1, &a);
	OK(outbox_assign(f->store, &a, 1, NOW, &batch[0], first, &err));
	OK(outbox_submitted(f->store, batch[0], NOW, &err));
	OK(outbox_failed(f->store, batch[0], "timeout", NOW, NOW, &err));
	ids[1] = record(f, "192.0.2.2", "two", 2, &b);
	both[0] = b;
	both[1] = a;
	OK(outbox_assign(f->store, both, 2, NOW, &batch[1], second, &err));
	assert_memory_not_equal(first, second, KECCAK_SIZE);
	OK(outbox_final(f->store, batch[1], 60, NOW, &err));
	verify(f, ids[0], second);
	verify(f, ids[1], second);
	assert_int_equal(evidence_prove(f->store, &proof, ids[0], NULL), 1);
	assert_int_equal(proof.batch, batch[1]);
	assert_int_equal(proof.path.index, 1);
}

/* Forget at most `most` of what was made before `before`, and says how many. */
static int prune(struct fixture *f, uint64_t now, uint64_t before, uint64_t bytes)
{
	const struct evidence_limits limits = {
		.now = now, .before = before, .bytes = bytes, .most = 3};
	int n = evidence_prune(f->store, &limits, &err);

	if (n < 0)
		fail_msg("%s", err.text);
	return n;
}

static uint64_t bytes_kept(struct fixture *f)
{
	uint64_t bytes;

	OK(evidence_bytes(f->store, &bytes, &err));
	return bytes;
}

static void test_prune(void **state)
{
	struct fixture *f = *state;
	struct outbox_assignment entries[2], waiting;
	uint8_t commitment[KECCAK_SIZE];
	uint64_t sent[2], open, batch;
	struct evidence_proof proof;
	struct evidence e;

	assert_int_equal(bytes_kept(f), 0);
	sent[0] = record(f, "192.0.2.1", "one", 1, &entries[0]);
	sent[1] = record(f, "192.0.2.2", "two", 2, &entries[1]);
	open = record(f, "192.0.2.3", "three", 3, &waiting);
	assert_int_equal(bytes_kept(f), 11);
	OK(outbox_assign(f->store, entries, 2, NOW, &batch, commitment, &err));
	/* All are old, but their reports are open: nothing goes, however much it is. */
	assert_int_equal(prune(f, NOW + 1, NOW + 1, 1), 0);
	verify(f, sent[0], commitment);
	OK(outbox_final(f->store, batch, 60, NOW, &err));
	/* They live on the ledger: still nothing, and their rows stay to tell. */
	OK(outbox_prune(f->store, NOW + 1, &err));
	assert_int_equal(prune(f, EXPIRY - 1, NOW + 1, 1), 0);
	verify(f, sent[1], commitment);
	/* Ended, and younger than what is kept. */
	assert_int_equal(prune(f, EXPIRY, NOW, 0), 0);
	assert_int_equal(prune(f, EXPIRY, NOW + 1, 0), 2);
	assert_int_equal(bytes_kept(f), 5);
	assert_int_equal(evidence_get(f->store, &e, sent[0], NULL), 0);
	assert_int_equal(evidence_get(f->store, &e, open, NULL), 1);
	evidence_free(&e);
	assert_int_equal(evidence_prove(f->store, &proof, sent[0], NULL), 1);
	OK(outbox_prune(f->store, EXPIRY + 1, &err));
	assert_int_equal(evidence_prove(f->store, &proof, sent[0], NULL), 0);
}

/* Too many bytes: the oldest go, as few as are enough, and not all at once. */
static void test_limit(void **state)
{
	static const uint8_t salt[EVIDENCE_SALT];
	struct fixture *f = *state;
	struct indicator i = of("192.0.2.9");
	struct evidence e;
	uint64_t id;

	for (unsigned n = 0; n < 10; n++)
		OK(evidence_add(
			f->store, &id, &i, view_str("0123456789"), salt, NOW + n, &err));
	assert_int_equal(bytes_kept(f), 100);
	assert_int_equal(prune(f, NOW, 0, 100), 0);
	assert_int_equal(prune(f, NOW, 0, 99), 1);
	assert_int_equal(prune(f, NOW, 0, 75), 2);
	assert_int_equal(bytes_kept(f), 70);
	/* Three a step, whatever there is. */
	assert_int_equal(prune(f, NOW, 0, 1), 3);
	assert_int_equal(prune(f, NOW, 0, 1), 3);
	assert_int_equal(evidence_get(f->store, &e, id, NULL), 1);
	evidence_free(&e);
	assert_int_equal(prune(f, NOW, 0, 1), 1);
	assert_int_equal(bytes_kept(f), 0);
	assert_int_equal(prune(f, NOW, 0, 1), 0);
}

struct listed {
	unsigned n;
	struct evidence_summary last;
};

static void count_listed(void *context, const struct evidence_summary *e)
{
	struct listed *l = context;

	l->n++;
	l->last = *e;
}

static void test_list(void **state)
{
	struct fixture *f = *state;
	struct outbox_assignment entry, waiting;
	struct indicator i = of("192.0.2.1");
	uint8_t commitment[KECCAK_SIZE];
	struct listed l = {0};
	uint64_t batch, first = record(f, "192.0.2.1", "one", 1, &entry);

	record(f, "192.0.2.2", "two", 2, &waiting);
	OK(outbox_assign(f->store, &entry, 1, NOW, &batch, commitment, &err));
	OK(outbox_final(f->store, batch, 77, NOW, &err));
	assert_int_equal(evidence_list(f->store, NULL, 0, 9, count_listed, &l, &err), 2);
	assert_int_equal(l.last.evidence.id, first);
	assert_int_equal(l.last.state, OUTBOX_FINAL);
	assert_int_equal(l.last.block, 77);
	assert_int_equal(evidence_list(f->store, NULL, 0, 1, count_listed, &l, &err), 1);
	assert_int_equal(l.last.state, OUTBOX_WAITING);
	assert_int_equal(l.last.block, 0);
	l.n = 0;
	assert_int_equal(evidence_list(f->store, &i, 0, 9, count_listed, &l, &err), 1);
	assert_int_equal(l.last.evidence.id, first);
	assert_int_equal(
		evidence_list(f->store, &i, first, 9, count_listed, &l, &err), 0);
}

/* A full disk: the record is refused with a text, what was there stays whole. */
static void test_full_disk(void **state)
{
	static const uint8_t salt[EVIDENCE_SALT];
	static char body[EVIDENCE_BODY_MAX];
	struct fixture *f = *state;
	struct indicator i = of("192.0.2.9");
	unsigned kept = 0;
	uint64_t id;

	memset(body, 'x', sizeof(body));
	assert_int_equal(sqlite3_exec(f->store->db, "PRAGMA max_page_count = 100", NULL,
				 NULL, NULL),
		SQLITE_OK);
	while (kept < 100 &&
		!evidence_add(
			f->store, &id, &i, view_of(body, sizeof(body)), salt, NOW, &err))
		kept++;
	assert_in_range(kept, 1, 10);
	assert_non_null(strstr(err.text, "full"));
	assert_int_equal(bytes_kept(f), kept * sizeof(body));
	/* What is forgotten makes room. */
	assert_int_equal(prune(f, NOW, NOW + 1, 0), 3);
	OK(evidence_add(f->store, &id, &i, view_of(body, sizeof(body)), salt, NOW, &err));
	assert_int_equal(bytes_kept(f), (kept - 2) * sizeof(body));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_leaf),
		STORE_TEST(test_size),
		STORE_TEST(test_by_indicator),
		STORE_TEST(test_commitment),
		STORE_TEST(test_sent_anew),
		STORE_TEST(test_prune),
		STORE_TEST(test_limit),
		STORE_TEST(test_list),
		STORE_TEST(test_full_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
