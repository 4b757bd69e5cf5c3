/* SPDX-License-Identifier: Apache-2.0 */
#include "writer_scene.h"

#include <signal.h>
#include <sys/wait.h>

/* kill -9 between any two steps of a batch: each is on the chain once. */
static char self[4096]; /* this program */

static const char *step_to_die_at;

static void die(const char *name)
{
	if (!strcmp(name, step_to_die_at))
		kill(getpid(), SIGKILL);
}

/* This program again, as: child STEP URL JOURNAL. */
static int child(char **argv)
{
	struct stage *st = calloc(1, sizeof *st);
	struct stage_batch b;
	uint64_t begun = clock_monotonic();

	settings(st, argv[4]);
	endpoint(st, argv[3]);
	log_open("writer", LOG_LEVEL_WARNING);
	step_to_die_at = argv[2];
	writer_step = die;
	stage_open(st, key());
	stage_batch(&b, 1, 0, 100, 1800000000);
	stage_submit(st, &b);
	while (clock_monotonic() - begun < 30 * USEC_PER_SEC)
		stage_turn(st);
	return 3;
}

/* Start it and mine for it until it is dead. */
static void run_child(struct scene *s, const char *step)
{
	char url[64];
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (!pid) {
		execl(self, self, "child", step, chain_url(url, s->chain[0]),
			s->stage.settings.journal, (char *)NULL);
		_exit(2);
	}
	/* Blocks for as long as the child has, wherever it is held up. */
	while (!waitpid(pid, &status, WNOHANG)) {
		usleep(100000);
		if (sent_to(s) && s->chain[0]->head <= CHAIN_BLOCKS - 50)
			chain_mine(s->chain[0]);
	}
	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
		fail_msg("step %s: the child ended with %d", step, status);
}

static void kill_at(struct scene *s, const char *step, bool submits)
{
	uint64_t used;

	close_stage(s);
	run_child(s, step);
	/* What was signed and not sent is not known to anybody. */
	reopen(s);
	s->batch[0].batch.ticket = submits ? 7 : 1;
	if (submits)
		stage_submit(&s->stage, &s->batch[0]);
	expect_final(s, 0, s->batch[0].batch.ticket);
	used = s->chain[0]->nonces[s->chain[0]->head];
	if (used != 1 || sent_to(s) != 1)
		fail_msg("step %s: %u transactions, %u nonces", step, sent_to(s),
			(unsigned)used);
	stage_turns(&s->stage, 50);
	assert_int_equal(s->stage.fate_count, 1);
}

static void killed_and_submitted_again(void **state)
{
	static const char *const steps[] = {"preflighted", "signed", "journalled", "sent",
		"answered", "mined", "final", "told"};

	for (unsigned i = 0; i < sizeof steps / sizeof *steps; i++) {
		if (i) {
			teardown(state);
			setup(state);
		}
		kill_at(*state, steps[i], true);
	}
}

/* Whoever submitted it never comes back: it goes on, and its fate is told. */
static void killed_and_left_alone(void **state)
{
	static const char *const steps[] = {
		"journalled", "sent", "answered", "mined", "final", "told"};

	for (unsigned i = 0; i < sizeof steps / sizeof *steps; i++) {
		if (i) {
			teardown(state);
			setup(state);
		}
		kill_at(*state, steps[i], false);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		with(setup, killed_and_submitted_again),
		with(setup, killed_and_left_alone),
	};
	ssize_t n;

	if (argc == 5 && !strcmp(argv[1], "child"))
		return child(argv);
	n = readlink("/proc/self/exe", self, sizeof self - 1);
	if (n <= 0)
		return 2;
	self[n] = '\0';
	log_open("writer", LOG_LEVEL_WARNING);
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
