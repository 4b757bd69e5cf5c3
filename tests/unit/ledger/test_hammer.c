/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many processes on one file: each member appends from a process of its own,
 * the owner from another, while followers listen to the bell. In the end the
 * file verifies, every accepted batch is there exactly once, and all
 * followers came to the same tips.
 */
#include "local_fixture.h"

#include <signal.h>
#include <sys/wait.h>

#define WRITERS      5
#define BATCHES      30
#define ADMIN        20
#define FOLLOWERS    3
#define TOTAL        (1 + WRITERS + WRITERS * BATCHES + ADMIN)
#define FIRST_SIGNER 10
#define GUARD_S      120 /* a child that hangs is ended; nothing is measured */

/* What a child reports when it is done. */
struct result {
	uint64_t rows, expected_once;
	uint8_t tips[2][HASH_SIZE];
	bool caught_up;
};

static char path[512];

/* --- writers --- */

static int write_batches(unsigned k)
{
	struct error err = {0};
	struct local *l = local_open(path, k % 2, T0, &err);
	struct signer *signer = signer_of(FIRST_SIGNER + k);

	if (!l)
		goto fail;
	for (unsigned n = 0; n < BATCHES;) {
		struct refusal why;
		struct one o;
		int rc;

		/* The word says who and which: 8.8.k.n in cell n. */
		one(&o, (uint16_t)(k + 1), n, (uint16_t)(k << 8 | n), T0 + 1000);
		rc = local_append(l, &o.op, signer, T0 + n, &why, &err);
		if (rc == -1)
			error_set(&err, "refused: %s", refusal_name(why.code));
		if (rc == -2 && strstr(err.text, "write lock"))
			continue; /* as a node would: the batch is still there */
		if (rc)
			goto fail;
		n++;
	}
	local_close(l);
	return 0;
fail:
	fprintf(stderr, "writer %u: %s\n", k, err.text);
	local_close(l);
	return 1;
}

static int write_admin(void)
{
	struct error err = {0};
	struct local *l = local_open(path, true, T0, &err);

	if (!l)
		goto fail;
	for (unsigned n = 0; n < ADMIN;) {
		struct operation op = {.type = OP_MEMBER_SET,
			.cap = 64,
			.member = (uint16_t)(1 + n % WRITERS),
			.weight = (uint16_t)(1 + n)};
		struct refusal why;
		int rc = local_append(l, &op, signer_of(OWNER), T0, &why, &err);

		if (rc == -2 && strstr(err.text, "write lock"))
			continue;
		if (rc)
			goto fail;
		n++;
	}
	local_close(l);
	return 0;
fail:
	fprintf(stderr, "owner: %s\n", err.text);
	local_close(l);
	return 1;
}

/* --- followers --- */

struct follower {
	struct ledger *ledger;
	struct result result;
	uint8_t seen[WRITERS][BATCHES];
	bool bad;
};

static void on_event(void *context, const struct ledger_event *event)
{
	struct follower *f = context;
	struct report w;

	if (memcmp(event->tip_before, f->result.tips[event->chain], HASH_SIZE) ||
		event->block != f->result.rows + 1)
		f->bad = true;
	tip_advance(f->result.tips[event->chain], event->tip_before, event->bytes);
	f->result.rows = event->block;
	if (event->operation.type == OP_BATCH) {
		word_decode(&w, event->operation.words);
		f->seen[w.indicator.value[2]][w.indicator.value[3]]++;
	}
	if (f->result.rows == TOTAL)
		f->ledger->methods->close(f->ledger);
}

static void on_trouble(void *context, bool healthy, const char *text)
{
	struct follower *f = context;

	fprintf(stderr, "follower: %s\n", text);
	f->bad = f->bad || !healthy;
}

static int follow(int out)
{
	static struct follower f;
	struct ledger_callbacks callbacks = {
		.context = &f,
		.event = on_event,
		.trouble = on_trouble,
	};
	struct error err = {0};
	uv_loop_t loop;

	uv_loop_init(&loop);
	f.ledger = local_ledger_new(&loop, path, NULL, &callbacks, NULL, &err);
	if (!f.ledger) {
		fprintf(stderr, "follower: %s\n", err.text);
		return 1;
	}
	f.ledger->methods->start(f.ledger, T0, &err);
	uv_run(&loop, UV_RUN_DEFAULT); /* until on_event() has closed it */
	uv_loop_close(&loop);
	for (unsigned k = 0; k < WRITERS; k++)
		for (unsigned n = 0; n < BATCHES; n++)
			f.result.expected_once += f.seen[k][n] == 1;
	return f.bad ||
		write(out, &f.result, sizeof f.result) != (ssize_t)sizeof f.result;
}

/* --- the parent --- */

static pid_t spawn(int (*run)(unsigned), unsigned k)
{
	pid_t pid = fork();

	if (!pid) {
		alarm(GUARD_S);
		_exit(run(k));
	}
	assert_true(pid > 0);
	return pid;
}

static int pipe_out;

static int run_writer(unsigned k)
{
	return write_batches(k);
}

static int run_admin(unsigned k)
{
	(void)k;
	return write_admin();
}

static int run_follower(unsigned k)
{
	(void)k;
	return follow(pipe_out);
}

static void add_members(void)
{
	struct local *l;

	create(path, T0);
	l = open_local(path, true, T0);
	for (unsigned k = 0; k < WRITERS; k++) {
		struct operation op = op_add((uint16_t)(k + 1), FIRST_SIGNER + k);

		assert_int_equal(append(l, &op, OWNER, T0), 0);
	}
	local_close(l);
}

static void wait_for(const pid_t *pids, unsigned n)
{
	for (unsigned k = 0; k < n; k++) {
		int status;

		assert_int_equal(waitpid(pids[k], &status, 0), pids[k]);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 0);
	}
}

static void test_hammer(void **state)
{
	pid_t pids[FOLLOWERS + WRITERS + 1];
	struct error err = {0};
	struct local *l;
	unsigned n = 0;
	int pipes[2];

	(void)state;
	snprintf(path, sizeof path, "%s", in_folder("l"));
	add_members();
	assert_int_equal(pipe(pipes), 0);
	pipe_out = pipes[1];
	for (unsigned k = 0; k < FOLLOWERS - 1; k++)
		pids[n++] = spawn(run_follower, k);
	for (unsigned k = 0; k < WRITERS; k++)
		pids[n++] = spawn(run_writer, k);
	pids[n++] = spawn(run_admin, 0);
	/* One that comes late reads what was there and then listens. */
	pids[n++] = spawn(run_follower, FOLLOWERS);
	wait_for(pids, n);
	if (local_verify(path, NULL, NULL, &err) != TOTAL)
		fail_msg("%s", err.text);
	l = open_local(path, true, T0);
	for (unsigned k = 0; k < FOLLOWERS; k++) {
		struct result r;

		assert_int_equal(read(pipes[0], &r, sizeof r), sizeof r);
		assert_int_equal(r.rows, TOTAL);
		assert_int_equal(r.expected_once, WRITERS * BATCHES);
		for (int chain = 0; chain < 2; chain++)
			assert_memory_equal(r.tips[chain],
				registry_tip(local_registry(l), chain)->hash, HASH_SIZE);
	}
	for (unsigned k = 0; k < WRITERS; k++)
		for (unsigned b = 0; b < BATCHES; b++)
			assert_true(support_of(l, (uint16_t)(k << 8 | b), T0) > 0);
	assert_int_equal(registry_live_count(local_registry(l)), WRITERS * BATCHES);
	local_close(l);
	close(pipes[0]);
	close(pipes[1]);
}

/* A writer killed at any moment leaves a ledger that verifies and goes on. */
static void test_killed_writers(void **state)
{
	struct error err = {0};
	int64_t rows;

	(void)state;
	snprintf(path, sizeof path, "%s", in_folder("k"));
	add_members();
	for (unsigned round = 0; round < 12; round++) {
		pid_t a = spawn(run_admin, 0);
		int status;

		usleep(2000 + round * 3000);
		kill(a, SIGKILL);
		assert_int_equal(waitpid(a, &status, 0), a);
		rows = local_verify(path, NULL, NULL, &err);
		if (rows < 1 + WRITERS)
			fail_msg("%s", err.text);
	}
	{
		pid_t a = spawn(run_admin, 0);

		wait_for(&a, 1);
	}
	assert_true(local_verify(path, NULL, NULL, &err) >= rows + ADMIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_hammer, clean_folder),
		cmocka_unit_test_teardown(test_killed_writers, clean_folder),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
