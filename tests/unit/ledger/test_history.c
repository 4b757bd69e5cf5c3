/* SPDX-License-Identifier: Apache-2.0 */
/* An exported history folds to the ledger's own state, or says why not. */
#include "local_fixture.h"

#include <string.h>

#include "base/hex.h"
#include "ledger/history.h"

#define NOW T0

static char lines[16][1024];
static unsigned n_lines;

static void take(void *context, const struct ledger_event *event)
{
	char bytes[801], tip[2 * HASH_SIZE + 1];

	(void)context;
	assert_true(n_lines < 16 && event->bytes.n <= 400);
	snprintf(lines[n_lines++], sizeof lines[0],
		"{\"block\":%llu,\"bytes\":\"%s\",\"tip_before\":\"%s\"}\n",
		(unsigned long long)event->block,
		hex_encode(bytes, event->bytes.p, event->bytes.n),
		hex_encode(tip, event->tip_before, HASH_SIZE));
}

/* A ledger of three administrative operations and three batches, and its lines. */
static struct local *exported(void)
{
	const char *path = in_folder("ledger.db");
	struct local *l = begun(path, NOW);
	struct error err = {0};
	struct one o;

	for (uint16_t i = 0; i < 3; i++)
		assert_int_equal(append(l, one(&o, 1, i, i, NOW + 60), ALICE, NOW), 0);
	n_lines = 0;
	assert_int_equal(local_export(path, take, NULL, &err), 6);
	return l;
}

/* Write the lines, but for one (16: none), and read them back. */
static struct registry *read_without(
	unsigned left_out, uint64_t *count, struct error *err)
{
	FILE *f = fopen(in_folder("history"), "w");

	assert_non_null(f);
	for (unsigned i = 0; i < n_lines; i++)
		if (i != left_out)
			fputs(lines[i], f);
	fclose(f);
	return history_read(in_folder("history"), NULL, NULL, count, err);
}

static void test_whole(void **state)
{
	struct local *l = exported();
	const struct registry *own = local_registry(l);
	struct error err = {0};
	struct registry *r;
	uint64_t count;

	(void)state;
	r = read_without(16, &count, &err);
	assert_non_null(r);
	assert_int_equal(count, 6);
	assert_memory_equal(registry_id(r), registry_id(own), HASH_SIZE);
	for (int chain = 0; chain < 2; chain++) {
		const struct tip *a = registry_tip(r, (enum chain)chain);
		const struct tip *b = registry_tip(own, (enum chain)chain);

		assert_int_equal(a->seq, b->seq);
		assert_memory_equal(a->hash, b->hash, HASH_SIZE);
	}
	registry_free(r);
	local_close(l);
}

/* Any line left out shows, but the last of a chain: nothing stands on it. */
static void test_left_out(void **state)
{
	struct local *l = exported();
	struct error err = {0};
	struct registry *r;
	uint64_t count;

	(void)state;
	for (unsigned i = 0; i < 5; i++) {
		err.text[0] = 0;
		r = read_without(i, &count, &err);
		if (i == 2) /* member 2 says nothing: only the tip shows it */
			registry_free(r);
		else if (r)
			fail_msg("line %u is not missed", i);
		else
			assert_true(err.text[0]);
	}
	read_without(3, &count, &err);
	assert_says(&err, "history:4: an operation before it was left out or changed");
	local_close(l);
}

static void test_changed(void **state)
{
	struct local *l = exported();
	struct error err = {0};
	uint64_t count;
	char *at, kept;

	(void)state;
	/* The commitment of the first batch, one digit of it. */
	at = strstr(lines[3], "\"bytes\":\"") + 9 + 2 * (OPERATION_HEAD + 2);
	kept = *at;
	*at = kept == '0' ? '1' : '0';
	assert_null(read_without(16, &count, &err));
	assert_says(&err, "history:5: an operation before it was left out or changed");
	*at = 'x';
	assert_null(read_without(16, &count, &err));
	assert_says(&err, "history:4: \"bytes\" are not hex");
	*at = kept;
	local_close(l);
}

static void assert_refused(const void *bytes, size_t n, const char *why)
{
	FILE *f = fopen(in_folder("history"), "w");
	struct error err = {0};
	uint64_t count;

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, n, f), n);
	fclose(f);
	assert_null(history_read(in_folder("history"), NULL, NULL, &count, &err));
	assert_says(&err, why);
}

static void test_foreign(void **state)
{
	static const char old[] = "{\"seq\":1}\n", junk[] = "\xff\xfe\n";
	char *large = malloc(HISTORY_LINE_MAX + 2);
	struct error err = {0};
	uint64_t count;

	(void)state;
	assert_non_null(large);
	assert_refused("", 0, "is empty");
	assert_refused(junk, sizeof junk - 1, ":1: is no JSON object");
	assert_refused("[]\n", 3, ":1: is no JSON object");
	assert_refused(old, sizeof old - 1, ":1: has no \"bytes\"");
	assert_refused("{\"bytes\":\"00\",\"tip_before\":\"00\"}\n", 34, ":1: ");
	memset(large, 'a', HISTORY_LINE_MAX + 2);
	assert_refused(large, HISTORY_LINE_MAX + 2, ":1: is over 1048576 bytes long");
	free(large);
	assert_null(history_read(in_folder("nowhere"), NULL, NULL, &count, &err));
	assert_says(&err, "No such file");
}

#define TEST(f) cmocka_unit_test_teardown(f, clean_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_whole),
		TEST(test_left_out),
		TEST(test_changed),
		TEST(test_foreign),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
