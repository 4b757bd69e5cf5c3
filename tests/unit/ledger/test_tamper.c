/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything that somebody with write access to the file, but without the
 * members' keys (or with one of them), may do to it: each is found, and the
 * first bad row is named with the reason.
 */
#include "local_fixture.h"

#define ROWS      12
#define ADMIN_ROW 8 /* a member-set between batches of the same second */

static char original[512], other[512];
static sqlite3 *db;

/*
 * Rows 1..3 genesis and members, 4..12 batches of Alice and Bob in turn, but
 * for row 8. All of one second, so that time tells nothing.
 */
static void make_ledger(const char *path)
{
	struct local *l = begun(path, T0);
	struct one o;

	for (unsigned row = 4; row <= ROWS; row++) {
		struct operation op = {
			.type = OP_MEMBER_SET, .member = 1, .weight = 3, .cap = 64};

		if (row == ADMIN_ROW)
			assert_int_equal(append(l, &op, OWNER, T0), 0);
		else
			assert_int_equal(append(l,
						 one(&o, 1 + row % 2, row, (uint16_t)row,
							 T0 + 900),
						 row % 2 ? BOB : ALICE, T0),
				0);
	}
	local_close(l);
}

static void sql(const char *text)
{
	char *err = NULL;

	if (sqlite3_exec(db, text, NULL, NULL, &err) != SQLITE_OK)
		fail_msg("%s: %s", text, err);
}

/* A copy of the ledger in `copy`, open in db, with the other one attached. */
static int open_copy(void **state)
{
	char text[1200];

	(void)state;
	for (const char *const *s = (const char *const[]){"copy", "copy-wal", "copy-shm",
		     "copy-bell", NULL};
		*s; s++)
		unlink(in_folder(*s));
	if (sqlite3_open(original, &db))
		return -1;
	snprintf(text, sizeof text, "VACUUM INTO '%s'", in_folder("copy"));
	sql(text);
	sqlite3_close(db);
	if (sqlite3_open(in_folder("copy"), &db))
		return -1;
	sql("PRAGMA journal_mode = WAL");
	snprintf(text, sizeof text, "ATTACH '%s' AS other", other);
	sql(text);
	return 0;
}

static int close_copy(void **state)
{
	(void)state;
	sqlite3_close(db);
	return 0;
}

static void assert_verifies(int64_t rows)
{
	struct error err = {0};
	int64_t n = local_verify(in_folder("copy"), NULL, NULL, &err);

	if (n < 0)
		fail_msg("%s", err.text);
	assert_int_equal(n, rows);
}

/* The first bad row and the reason are in the text, with what to do. */
static void assert_found(unsigned row, const char *reason)
{
	struct error err = {0};
	char place[32];

	assert_int_equal(local_verify(in_folder("copy"), NULL, NULL, &err), -1);
	snprintf(place, sizeof place, "copy: row %u: ", row);
	assert_says(&err, place);
	assert_says(&err, reason);
	assert_says(&err, LOCAL_REMEDY);
}

static void test_untouched(void **state)
{
	(void)state;
	assert_verifies(ROWS);
}

/* Flip one bit in one byte of a row's column. */
static void flip(const char *column, unsigned row, unsigned at)
{
	char text[400];

	snprintf(text, sizeof text,
		"UPDATE operation SET %s = "
		"CAST(substr(%s, 1, %u) || CASE hex(substr(%s, %u, 1)) "
		"WHEN 'FF' THEN x'FE' WHEN '00' THEN x'01' ELSE x'00' END "
		"|| substr(%s, %u) AS BLOB) WHERE row = %u",
		column, column, at, column, at + 1, column, at + 2, row);
	sql(text);
}

static void test_flipped_operation(void **state)
{
	static const struct {
		unsigned at;
		const char *reason;
	} flips[] = {
		{0, "unknown type"}, {8, "the column seq"},
		{12, "signature is not its actor's"}, /* time */
		{20, "the column actor"}, {OPERATION_HEAD + 1, "signature"},
		{OPERATION_HEAD + 10, "signature"},          /* commitment */
		{OPERATION_HEAD + 36 + 5, "signature"},      /* the address reported */
		{OPERATION_HEAD + 36 + 20, "signature"},     /* expiry */
		{OPERATION_HEAD + 36 + 32 + 3, "cut short"}, /* length of texts */
	};

	for (size_t k = 0; k < sizeof flips / sizeof *flips; k++) {
		flip("bytes", 6, flips[k].at);
		assert_found(6, flips[k].reason);
		close_copy(state);
		assert_int_equal(open_copy(state), 0);
	}
}

static void test_flipped_signature_and_tip(void **state)
{
	for (unsigned at = 0; at < SIGNATURE_SIZE; at += 8) {
		flip("signature", 5, at);
		assert_found(5, "signature is not its actor's");
		close_copy(state);
		assert_int_equal(open_copy(state), 0);
	}
	for (unsigned at = 0; at < HASH_SIZE; at += 5) {
		flip("tip_before", 7, at);
		assert_found(7, "the tip before it is");
		close_copy(state);
		assert_int_equal(open_copy(state), 0);
	}
}

static void test_columns(void **state)
{
	static const struct {
		const char *set, *reason;
	} columns[] = {
		{"chain = 1, seq = 99", "the column chain"},
		{"chain = 7", "the column chain"},
		{"seq = 99", "the column seq"},
		{"seq = -1", "the column seq"},
		{"actor = x'00'", "the column actor"},
		{"counter = 77", "counter is 77 where 2 is due"},
		{"counter = 0", "counter is 0 where 2 is due"},
		{"tip_before = x''", "wrong length"},
		{"signature = zeroblob(64)", "wrong length"},
		{"signature = zeroblob(65)", "signature is not its actor's"},
		{"bytes = x''", "its head has 33"},
	};

	for (size_t k = 0; k < sizeof columns / sizeof *columns; k++) {
		char text[128];

		snprintf(text, sizeof text, "UPDATE operation SET %s WHERE row = 6",
			columns[k].set);
		sql(text);
		assert_found(6, columns[k].reason);
		close_copy(state);
		assert_int_equal(open_copy(state), 0);
	}
}

static void test_deleted_in_the_middle(void **state)
{
	(void)state;
	sql("DELETE FROM operation WHERE row = 6");
	assert_found(7, "should follow row 5: rows are missing");
	/* The gap closed by moving the others up. */
	sql("UPDATE operation SET row = -row WHERE row > 6;"
	    "UPDATE operation SET row = -row - 1 WHERE row < 0");
	assert_found(6, "the tip before it is");
	/* And the genesis. */
	sql("DELETE FROM operation WHERE row = 1");
	assert_found(2, "should follow row 0");
}

static void test_deleted_admin_row(void **state)
{
	(void)state;
	/* The members' chain is whole without it; the places are signed. */
	sql("DELETE FROM operation WHERE row = 8;"
	    "UPDATE operation SET row = -row WHERE row > 8;"
	    "UPDATE operation SET row = -row - 1 WHERE row < 0");
	assert_found(8, "signature is not its actor's");
}

static void test_cut_at_the_end(void **state)
{
	struct local *l = open_local(in_folder("copy"), true, T0);
	struct error err = {0};

	(void)state;
	sql("DELETE FROM operation WHERE row = 12");
	/* The file alone does not show it: it is an older, true ledger. */
	assert_verifies(ROWS - 1);
	/* Who had read the row knows, and says so from then on. */
	for (int k = 0; k < 2; k++) {
		assert_int_equal(local_read(l, NULL, NULL, &err), -1);
		assert_says(&err, "row 12: it was read before and is gone");
	}
	local_close(l);
}

static void test_rewritten_end(void **state)
{
	struct local *l = open_local(in_folder("copy"), true, T0), *again;
	struct error err = {0};
	struct refusal why;
	struct one o;

	(void)state;
	/* Cut, and another history appended by a member: a fork. */
	sql("DELETE FROM operation WHERE row = 12");
	again = open_local(in_folder("copy"), true, T0);
	assert_int_equal(append(again, one(&o, 2, 60, 60, T0 + 900), BOB, T0), 0);
	assert_int_equal(append(again, one(&o, 2, 61, 61, T0 + 900), BOB, T0), 0);
	assert_verifies(ROWS + 1);
	one(&o, 1, 62, 62, T0 + 900);
	assert_int_equal(local_append(l, &o.op, signer_of(ALICE), T0, &why, &err), -2);
	assert_says(&err, "row 12: it was read before and is gone or another one");
	local_close(again);
	local_close(l);
}

static void swap(unsigned a, unsigned b)
{
	char text[256];

	snprintf(text, sizeof text,
		"UPDATE operation SET row = -1 WHERE row = %u;"
		"UPDATE operation SET row = %u WHERE row = %u;"
		"UPDATE operation SET row = %u WHERE row = -1",
		a, a, b, b);
	sql(text);
}

static void test_swapped(void **state)
{
	swap(5, 6); /* one chain, two authors */
	assert_found(5, "the tip before it is");
	close_copy(state);
	assert_int_equal(open_copy(state), 0);
	swap(4, 6); /* one chain, one author */
	assert_found(4, "the tip before it is");
	close_copy(state);
	assert_int_equal(open_copy(state), 0);
	/* Two chains, two authors, one second: no tip is hurt. Whether a batch
	 * came before or after what the owner did is signed by its author. */
	swap(8, 9);
	assert_found(8, "signature is not its actor's");
}

static void test_row_of_another_ledger(void **state)
{
	(void)state;
	/* The same owner made both, with the same members, operations and
	 * times: the members' tips are even equal, but not what was signed. */
	sql("DELETE FROM operation WHERE row = 6;"
	    "INSERT INTO operation SELECT * FROM other.operation WHERE row = 6");
	assert_found(6, "belongs to another ledger");
	close_copy(state);
	assert_int_equal(open_copy(state), 0);
	sql("DELETE FROM operation WHERE row = 8;"
	    "INSERT INTO operation SELECT * FROM other.operation WHERE row = 8");
	assert_found(8, "the tip before it is");
	/* Another genesis altogether. */
	close_copy(state);
	assert_int_equal(open_copy(state), 0);
	sql("DELETE FROM operation WHERE row = 1;"
	    "INSERT INTO operation SELECT * FROM other.operation WHERE row = 1");
	assert_found(2, "the tip before it is");
}

static void test_replayed(void **state)
{
	/* Row 12 (Alice) is a copy of row 10 (Alice's), made to fit by columns. */
	sql("UPDATE operation SET bytes = (SELECT bytes FROM operation WHERE row = "
	    "10) WHERE row = 12");
	assert_found(12, "the column seq is 7, the operation's 5");
	close_copy(state);
	assert_int_equal(open_copy(state), 0);
	sql("INSERT INTO operation SELECT 13, chain, 8, actor, counter + 9, "
	    "tip_before, bytes, signature FROM operation WHERE row = 12");
	assert_found(13, "the column seq is 8, the operation's 7");
}

/* A row as its author would sign it, whatever the rules say to it. */
static void insert_signed(
	unsigned who, struct operation *op, uint64_t counter, uint64_t claim_row)
{
	struct local *l = open_local(in_folder("copy"), true, T0);
	uint8_t digest[HASH_SIZE], signature[SIGNATURE_SIZE];
	enum chain chain = operation_chain(op->type);
	struct buffer bytes = {0};
	sqlite3_stmt *s;
	struct row row;

	op->seq = registry_tip(l->registry, chain)->seq;
	memcpy(op->actor, signer_address(signer_of(who)), ADDRESS20);
	assert_int_equal(operation_encode(&bytes, op), 0);
	row = (struct row){
		.row = claim_row,
		.counter = counter,
		.tip_before = view_of(registry_tip(l->registry, chain)->hash, HASH_SIZE),
		.bytes = view_of(bytes.p, bytes.n),
	};
	row_digest(digest, registry_id(l->registry), &row);
	signer_sign(signer_of(who), signature, digest);
	assert_int_equal(sqlite3_prepare_v2(db,
				 "INSERT INTO operation VALUES "
				 "(13, ?1, ?2, ?3, ?4, ?5, ?6, ?7)",
				 -1, &s, NULL),
		SQLITE_OK);
	sqlite3_bind_int64(s, 1, chain);
	sqlite3_bind_int64(s, 2, (int64_t)op->seq);
	sqlite3_bind_blob(s, 3, op->actor, ADDRESS20, SQLITE_STATIC);
	sqlite3_bind_int64(s, 4, (int64_t)counter);
	sqlite3_bind_blob(s, 5, row.tip_before.p, HASH_SIZE, SQLITE_STATIC);
	sqlite3_bind_blob(s, 6, bytes.p, (int)bytes.n, SQLITE_STATIC);
	sqlite3_bind_blob(s, 7, signature, SIGNATURE_SIZE, SQLITE_STATIC);
	assert_int_equal(sqlite3_step(s), SQLITE_DONE);
	sqlite3_finalize(s);
	buffer_free(&bytes);
	local_close(l);
}

/* A member who writes to the file himself is bound by the rules all the same. */
static void test_signed_against_the_rules(void **state)
{
	const uint64_t alices = 5; /* she signed rows 4, 6, 10, 12 */
	struct operation op = {.type = OP_PAUSE, .time = T0};
	struct one o;
	struct error err;

	one(&o, 1, 30, 1, T0 + 900)->time = T0;
	insert_signed(ALICE, &o.op, alices, 13);
	assert_verifies(13);
	sql("DELETE FROM operation WHERE row = 13");
	one(&o, 1, 64, 1, T0 + 900)->time = T0;
	insert_signed(ALICE, &o.op, alices, 13);
	assert_found(13, "against the rules: entry 0: the cell lies past");
	sql("DELETE FROM operation WHERE row = 13");
	one(&o, 2, 1, 1, T0 + 900)->time = T0; /* another's cell */
	insert_signed(ALICE, &o.op, alices, 13);
	assert_found(13, "(NotSigner)");
	sql("DELETE FROM operation WHERE row = 13");
	insert_signed(STRANGER, &op, 1, 13);
	assert_found(13, "(NotGuardian)");
	sql("DELETE FROM operation WHERE row = 13");
	one(&o, 1, 30, 1, T0 + 900)->time = T0 - 1; /* back-dated */
	insert_signed(ALICE, &o.op, alices, 13);
	assert_found(13, "its time 1699999999 is before");
	sql("DELETE FROM operation WHERE row = 13");
	one(&o, 1, 30, 1, T0 + 900)->time = T0;
	insert_signed(ALICE, &o.op, alices + 1, 13); /* a counter left out */
	assert_found(13, "counter is 6 where 5 is due");
	sql("DELETE FROM operation WHERE row = 13");
	insert_signed(ALICE, &o.op, alices, 14); /* signed for another place */
	assert_found(13, "signature is not its actor's");
	(void)state;
	assert_int_equal(local_verify("/nonexistent", NULL, NULL, &err), -1);
}

static void test_altered_index(void **state)
{
	struct error err = {0};

	(void)state;
	/* REINDEX on a wrong collation is not to be had: so make the index lie
	 * by editing the schema, as an attacker may. */
	sql("PRAGMA writable_schema = ON;"
	    "UPDATE sqlite_schema SET sql = sql || ' ' WHERE name = 'operation'");
	assert_int_equal(local_verify(in_folder("copy"), NULL, NULL, &err), -1);
	assert_says(&err, "unexpected object \"operation\"");
}

static void test_damaged_pages(void **state)
{
	unsigned found = 0;

	/* Garbage over each page in turn: never a crash, never a lie. */
	for (unsigned page = 0; page < 64; page++) {
		struct error err = {0};
		uint8_t junk[512];
		int64_t rows;
		FILE *f;

		sql("DETACH other");
		sql("PRAGMA wal_checkpoint(TRUNCATE)");
		close_copy(state);
		f = fopen(in_folder("copy"), "r+b");
		assert_int_equal(fseek(f, 0, SEEK_END), 0);
		if (ftell(f) <= (long)page * 512) {
			fclose(f);
			assert_int_equal(open_copy(state), 0);
			break;
		}
		memset(junk, 0x5a + (int)page, sizeof junk);
		fseek(f, (long)page * 512, SEEK_SET);
		fwrite(junk, 1, sizeof junk, f);
		fclose(f);
		rows = local_verify(in_folder("copy"), NULL, NULL, &err);
		if (rows < 0) {
			assert_says(&err, "copy: ");
			found++;
		} else {
			assert_int_equal(rows, ROWS); /* free space was hit */
		}
		assert_int_equal(open_copy(state), 0);
	}
	assert_true(found > 8);
}

/* --- the window's own proof --- */

static void assert_window_found(uint32_t now, const char *text)
{
	struct error err = {0};
	struct local *l = local_open(in_folder("copy"), false, now, &err);

	assert_null(l);
	assert_says(&err, text);
}

/* Batches later than the others, so that a window lies before them. */
static uint32_t make_window(void)
{
	struct local *l = open_local(in_folder("copy"), true, T0);
	uint32_t late = T0 + MAX_TTL + 500;
	struct one o;

	for (uint32_t k = 0; k < 4; k++)
		assert_int_equal(
			append(l, one(&o, 1, k, (uint16_t)k, late + 900), ALICE, late),
			0);
	local_close(l);
	l = open_local(in_folder("copy"), false, late);
	assert_true(l->windowed);
	local_close(l);
	return late;
}

static void test_window_proof(void **state)
{
	uint32_t late = make_window();

	(void)state;
	/* The operation just before the window altered, its tip, gone. */
	flip("bytes", 12, OPERATION_HEAD + 36 + 5);
	assert_window_found(late, "row 12: the signature is not its actor's");
	flip("bytes", 12, OPERATION_HEAD + 36 + 5);
	close_copy(state);
	assert_int_equal(open_copy(state), 0);
	late = make_window();
	flip("tip_before", 13, 3);
	assert_window_found(late, "row 13: the tip before the window");
	close_copy(state);
	assert_int_equal(open_copy(state), 0);
	late = make_window();
	sql("DELETE FROM operation WHERE row = 12");
	assert_window_found(late, "row");
	close_copy(state);
	assert_int_equal(open_copy(state), 0);
	late = make_window();
	/* Inside the window, and in the administrative chain before it. */
	flip("signature", 14, 3);
	assert_window_found(late, "row 14: the signature is not its actor's");
	flip("bytes", 8, OPERATION_HEAD + 3);
	assert_window_found(late, "row 8: the signature is not its actor's");
	sql("DELETE FROM operation WHERE row = 2");
	assert_window_found(late, "row 3: ");
}

/* The last row forged by a stranger, everything being old. */
static void test_window_after_a_forgery(void **state)
{
	uint32_t late = T0 + MAX_TTL + 500;
	struct error err = {0};
	struct one o;
	struct local *l;

	(void)state;
	l = open_local(in_folder("copy"), false, late);
	assert_true(l->windowed);
	local_close(l);
	one(&o, 1, 30, 1, T0 + 900)->time = T0;
	insert_signed(STRANGER, &o.op, 1, 13);
	l = local_open(in_folder("copy"), false, late, &err);
	assert_null(l);
	assert_says(&err, "row 13: its actor was no signer");
}

static int make_both(void **state)
{
	if (make_folder(state))
		return -1;
	snprintf(original, sizeof original, "%s", in_folder("original"));
	snprintf(other, sizeof other, "%s", in_folder("other"));
	make_ledger(original);
	make_ledger(other);
	return 0;
}

#define TAMPER(name) cmocka_unit_test_setup_teardown(name, open_copy, close_copy)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TAMPER(test_untouched),
		TAMPER(test_flipped_operation),
		TAMPER(test_flipped_signature_and_tip),
		TAMPER(test_columns),
		TAMPER(test_deleted_in_the_middle),
		TAMPER(test_deleted_admin_row),
		TAMPER(test_cut_at_the_end),
		TAMPER(test_rewritten_end),
		TAMPER(test_swapped),
		TAMPER(test_row_of_another_ledger),
		TAMPER(test_replayed),
		TAMPER(test_signed_against_the_rules),
		TAMPER(test_altered_index),
		TAMPER(test_damaged_pages),
		TAMPER(test_window_proof),
		TAMPER(test_window_after_a_forgery),
	};

	return cmocka_run_group_tests(tests, make_both, remove_folder);
}
