/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kill -9 at any moment: a process that decides and sends reports is killed
 * again and again; in the end every report that it was told is kept stands on
 * the ledger, in one cell.
 *
 * The ledger is a file of words beside the store. A word is appended by one
 * write(2), as a transaction is handed to a node: the writer may die before,
 * or after and without having noted it.
 */
#include "fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include "../prng.h"
#include "store/outbox_batch.h"

#define REPORTS 400
#define BATCH   7
#define NOW     1000
#define EXPIRY  5000

struct ledger_file {
	int fd;
	uint8_t words[8 * REPORTS][WORD_SIZE];
	size_t n;
};

static struct indicator indicator_number(uint32_t k)
{
	struct address a = {4, {10, 0, (uint8_t)(k >> 8), (uint8_t)k}};

	return indicator_from_address(&a, 32);
}

static int ledger_open(struct ledger_file *l, const char *directory)
{
	char path[96];
	ssize_t n;

	snprintf(path, sizeof(path), "%s/ledger", directory);
	l->fd = open(path, O_RDWR | O_CREAT | O_APPEND, 0600);
	if (l->fd < 0)
		return -1;
	n = read(l->fd, l->words, sizeof(l->words));
	l->n = n > 0 ? (size_t)n / WORD_SIZE : 0;
	return 0;
}

/* The cell in which the ledger has i, or -1. */
static int64_t ledger_cell(const struct ledger_file *l, const struct indicator *i)
{
	struct report r;

	for (size_t k = 0; k < l->n; k++) {
		word_decode(&r, l->words[k]);
		if (memcmp(&r.indicator, i, sizeof(*i)) == 0)
			return r.cell;
	}
	return -1;
}

static bool ledger_has(const struct ledger_file *l, const uint8_t word[WORD_SIZE])
{
	for (size_t k = 0; k < l->n; k++) {
		if (memcmp(l->words[k], word, WORD_SIZE) == 0)
			return true;
	}
	return false;
}

/* Hand words to the ledger, one write each. */
static int ledger_append(struct ledger_file *l, const struct outbox_row *rows, int n)
{
	for (int k = 0; k < n; k++) {
		if (l->n == sizeof(l->words) / sizeof(l->words[0]) ||
			write(l->fd, rows[k].word, WORD_SIZE) != WORD_SIZE)
			return -1;
		memcpy(l->words[l->n++], rows[k].word, WORD_SIZE);
	}
	return 0;
}

/* --- the process that is killed --- */

/* Submit the batch's rows as they are written down. */
static int send_batch(struct store *s, struct ledger_file *l, uint64_t batch)
{
	struct outbox_row rows[BATCH];
	uint8_t commitment[KECCAK_SIZE];
	int n;

	if (outbox_submitted(s, batch, NOW, NULL) != 0)
		return -1;
	n = outbox_batch(s, batch, rows, BATCH, commitment, NULL);
	if (n < 0 || ledger_append(l, rows, n) != 0)
		return -1;
	return outbox_final(s, batch, l->n, NOW, NULL);
}

/* Choose cells for what waits and send it. Returns how many, or -1. */
static int send_waiting(struct store *s, struct ledger_file *l)
{
	struct outbox_assignment entries[BATCH];
	struct outbox_row rows[BATCH];
	uint8_t commitment[KECCAK_SIZE];
	uint64_t batch;
	int n = outbox_next(s, rows, BATCH, NOW, NULL);

	if (n <= 0)
		return n;
	for (int k = 0; k < n; k++) {
		int64_t there = ledger_cell(l, &rows[k].indicator);
		struct report r = {.indicator = rows[k].indicator,
			.expiry = rows[k].expiry,
			.member = 1,
			.generation = 1,
			.category = rows[k].category,
			.proof = rows[k].proof,
			.cell = there >= 0 ? (uint32_t)there : (uint32_t)rows[k].ticket};

		entries[k].ticket = rows[k].ticket;
		word_encode(entries[k].word, &r);
	}
	if (outbox_assign(s, entries, n, NOW, &batch, commitment, NULL) != 0)
		return -1;
	return send_batch(s, l, batch) == 0 ? n : -1;
}

struct flights {
	struct outbox_row rows[4 * BATCH];
	int n;
};

static void collect(void *context, const struct outbox_row *row)
{
	struct flights *all = context;

	if (all->n < 4 * BATCH)
		all->rows[all->n++] = *row;
}

/* After a start: what stands is final, what does not is sent again. */
static int reconcile(struct store *s, struct ledger_file *l)
{
	struct flights *all = calloc(1, sizeof(*all));
	int rc = all == NULL ? -1 : outbox_in_flight(s, collect, all, NULL);

	for (int k = 0; rc >= 0 && k < all->n; k++) {
		if (ledger_has(l, all->rows[k].word))
			rc = outbox_settle(s, all->rows[k].ticket, OUTBOX_FINAL, l->n,
				NULL, NOW, NULL);
	}
	for (int k = 0; rc >= 0 && k < all->n; k++) {
		if (!ledger_has(l, all->rows[k].word))
			rc = send_batch(s, l, all->rows[k].batch);
	}
	free(all);
	return rc;
}

/* Decide reports from number `first` on; tell each one on fd once it is kept. */
static int work(const struct fixture *f, uint32_t first, int fd)
{
	static struct ledger_file l;
	struct store *s = store_open(f->path, NULL);
	int sent = 0;

	if (s == NULL || ledger_open(&l, f->directory) != 0 || reconcile(s, &l) != 0)
		return 1;
	for (uint32_t k = first; k < REPORTS; k++) {
		struct outbox_request r = {.indicator = indicator_number(k),
			.want = OUTBOX_REPORT,
			.category = CATEGORY_PASSWORD,
			.proof = PROOF_NONCE,
			.expiry = EXPIRY};
		uint64_t ticket;

		if (outbox_add(s, &r, NOW, &ticket, NULL, NULL) != 0 ||
			write(fd, &k, sizeof(k)) != sizeof(k))
			return 2;
		if (k % 3 == 0 && send_waiting(s, &l) < 0)
			return 3;
	}
	do {
		sent = send_waiting(s, &l);
	} while (sent > 0);
	store_close(s);
	close(l.fd);
	return sent == 0 ? 0 : 4;
}

/* --- the test --- */

/*
 * Start a worker and kill it when it has told of `quota` reports (0: let it
 * end). *told becomes the number after the last one that it told of.
 */
static void run_worker(const struct fixture *f, uint32_t *told, unsigned quota)
{
	int ends[2], status;
	unsigned heard = 0;
	uint32_t k;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(ends[0]);
		_exit(work(f, *told, ends[1]));
	}
	close(ends[1]);
	while (read(ends[0], &k, sizeof(k)) == sizeof(k)) {
		assert_int_equal(k, *told);
		*told = k + 1;
		if (++heard == quota)
			assert_int_equal(kill(pid, SIGKILL), 0);
	}
	close(ends[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status))
		assert_int_equal(WTERMSIG(status), SIGKILL);
	else
		assert_int_equal(WEXITSTATUS(status), 0);
}

/* Every report that was told of stands on the ledger, in one cell. */
static void check_ledger(const struct fixture *f)
{
	static struct ledger_file l;
	static int64_t cell_of[REPORTS];
	static int32_t owner_of[8 * REPORTS];

	assert_int_equal(ledger_open(&l, f->directory), 0);
	close(l.fd);
	memset(cell_of, -1, sizeof(cell_of));
	memset(owner_of, -1, sizeof(owner_of));
	for (size_t at = 0; at < l.n; at++) {
		struct report r;
		uint32_t k;

		word_decode(&r, l.words[at]);
		k = (uint32_t)r.indicator.value[2] << 8 | r.indicator.value[3];
		assert_true(k < REPORTS);
		assert_int_equal(r.expiry, EXPIRY);
		if (cell_of[k] >= 0)
			assert_int_equal(cell_of[k], r.cell);
		cell_of[k] = r.cell;
		assert_true(r.cell < sizeof(owner_of) / sizeof(owner_of[0]));
		if (owner_of[r.cell] >= 0)
			assert_int_equal(owner_of[r.cell], k);
		owner_of[r.cell] = (int32_t)k;
	}
	for (uint32_t k = 0; k < REPORTS; k++) {
		if (cell_of[k] < 0)
			fail_msg("report %u was kept and is not on the ledger", k);
	}
}

static void remove_ledger(const struct fixture *f)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/ledger", f->directory);
	assert_int_equal(unlink(path), 0);
}

static void test_killed_again_and_again(void **state)
{
	struct fixture *f = *state;
	struct prng random = {0x51bc4a11};
	uint64_t counts[OUTBOX_STATES];
	uint32_t told = 0;

	store_close(f->store);
	f->store = NULL;
	while (told < REPORTS - 30)
		run_worker(f, &told, 1 + prng_below(&random, 25));
	run_worker(f, &told, 0);
	assert_int_equal(told, REPORTS);
	check_ledger(f);
	remove_ledger(f);
	/* And the outbox knows it: one final row for each, nothing open. */
	fixture_reopen(f);
	OK(outbox_counts(f->store, counts, &err));
	assert_int_equal(counts[OUTBOX_WAITING], 0);
	assert_int_equal(counts[OUTBOX_ASSIGNED], 0);
	assert_int_equal(counts[OUTBOX_SUBMITTED], 0);
	assert_int_equal(counts[OUTBOX_REFUSED], 0);
	assert_true(counts[OUTBOX_FINAL] >= REPORTS);
}

/* Killed while it only takes requests in: what it told of is there, once. */
static void test_kept_once(void **state)
{
	struct fixture *f = *state;
	struct outbox_row rows[REPORTS > 200 ? 200 : REPORTS];
	uint32_t told = 0;
	int ends[2], n, status;
	pid_t pid;

	store_close(f->store);
	f->store = NULL;
	assert_int_equal(pipe(ends), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct store *s = store_open(f->path, NULL);

		for (uint32_t k = 0; s != NULL; k++) {
			struct outbox_request r = {.indicator = indicator_number(k),
				.want = OUTBOX_REPORT,
				.category = CATEGORY_SCAN,
				.expiry = EXPIRY + k};
			uint64_t ticket;

			if (outbox_add(s, &r, NOW, &ticket, NULL, NULL) != 0 ||
				write(ends[1], &k, sizeof(k)) != sizeof(k))
				break;
		}
		_exit(1);
	}
	close(ends[1]);
	for (uint32_t k; read(ends[0], &k, sizeof(k)) == sizeof(k);) {
		assert_int_equal(k, told);
		told++;
		if (told == 50)
			assert_int_equal(kill(pid, SIGKILL), 0);
	}
	close(ends[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	fixture_reopen(f);
	n = outbox_next(f->store, rows, 200, NOW, NULL);
	/* One more may have been kept that it had no time to tell of. */
	assert_true(n == (int)told || n == (int)told + 1 || (n == 200 && told > 200));
	for (int k = 0; k < n; k++) {
		struct indicator i = indicator_number((uint32_t)k);

		assert_memory_equal(&rows[k].indicator, &i, sizeof(i));
		assert_int_equal(rows[k].expiry, EXPIRY + k);
		assert_int_equal(rows[k].category, CATEGORY_SCAN);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(test_killed_again_and_again),
		STORE_TEST(test_kept_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
