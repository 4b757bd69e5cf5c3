/* SPDX-License-Identifier: Apache-2.0 */
#include "anvil_scene.h"

#include "base/log.h"

/*
 * The writer against a real engine with the real contract: anvil, which mines
 * when the test says. Whatever happens to a batch, the contract holds it once.
 * Left out where there is no anvil: SIPCHAIN_ANVIL, or what
 * tests/chain/fetch-tools.sh has brought.
 */
static char self[4096];

static void twenty_batches_of_a_hundred(void **state)
{
	struct scene *s = *state;

	for (unsigned i = 0; i < 20; i++)
		stage_submit(&s->stage, &s->batch[i]);
	stage_until(&s->stage, waiting(s) == 20);
	for (unsigned i = 0; i < 20; i++)
		expect_final(s, i);
	assert_int_equal(batches(s), 20);
	assert_int_equal(used(s), 20);
	assert_string_equal(s->stage.troubles, "");
}

static void a_reorganisation_drops_them(void **state)
{
	struct scene *s = *state;

	s->stage.settings.depth = 12;
	for (unsigned i = 0; i < 5; i++)
		stage_submit(&s->stage, &s->batch[i]);
	stage_until(&s->stage, waiting(s) == 5);
	for (int i = 0; i < 6; i++)
		mine(s);
	stage_turns(&s->stage, 200);
	assert_int_equal(batches(s), 5);
	tell(s, "anvil_reorg", json_pack("[i, []]", 6));
	assert_int_equal(batches(s), 0);
	assert_int_equal(s->stage.fate_count, 0);
	for (unsigned i = 0; i < 5; i++)
		expect_final(s, i);
	assert_int_equal(batches(s), 5);
	assert_int_equal(used(s), 5);
}

/* Another program outbids ours under its nonce. */
static void a_nonce_is_stolen(void **state)
{
	struct scene *s = *state;
	struct transaction t = {
		.dynamic = true,
		.chain_id = 31337,
		.max_fee = 900000000000,
		.priority_fee = 90000000000,
		.gas_limit = 50000,
	};

	for (unsigned i = 0; i < 3; i++)
		stage_submit(&s->stage, &s->batch[i]);
	stage_until(&s->stage, waiting(s) == 3);
	t.nonce = 1;
	memcpy(t.to, signer_address(s->owner), ADDRESS20);
	send_transaction(s, &t, s->member);
	for (unsigned i = 0; i < 3; i++)
		expect_final(s, i);
	assert_int_equal(batches(s), 3);
	assert_int_equal(used(s), 4);
	assert_non_null(strstr(s->stage.troubles, "was used by another program"));
}

static void a_rule_refuses_before_and_after_signing(void **state)
{
	struct scene *s = *state;
	struct operation suspend = {.type = OP_MEMBER_SUSPEND, .member = 1};
	struct stage_batch over;
	const struct ledger_fate *f;

	stage_batch(&over, 77, CAP - 40, 100, s->expiry);
	stage_submit(&s->stage, &over);
	stage_until(&s->stage, s->stage.fate_count == 1);
	f = stage_fate_of(&s->stage, 77);
	assert_int_equal(f->fate, FATE_REFUSED);
	assert_int_equal(f->refusal.code, REFUSED_CELL_OVER_CAP);
	assert_int_equal(f->refusal.entry, 40);
	assert_int_equal(used(s), 0);
	/* The owner is faster: mined, but reverted. */
	stage_submit(&s->stage, &s->batch[0]);
	stage_until(&s->stage, waiting(s) == 1);
	own_operation(s, &suspend, 50000000000);
	f = settle(s, 1);
	assert_int_equal(f->fate, FATE_REFUSED);
	assert_int_equal(f->refusal.code, REFUSED_MEMBER_NOT_ACTIVE);
	assert_int_equal(used(s), 1);
	assert_int_equal(batches(s), 0);
}

static void an_empty_purse_is_filled(void **state)
{
	struct scene *s = *state;
	json_t *address = hex_json(view_of(signer_address(s->member), ADDRESS20));

	tell(s, "anvil_setBalance", json_pack("[O, s]", address, "0x1"));
	stage_submit(&s->stage, &s->batch[0]);
	stage_until(&s->stage, strstr(s->stage.troubles, "- the purse of 0x"));
	assert_int_equal(used(s), 0);
	tell(s, "anvil_setBalance", json_pack("[o, s]", address, "0xde0b6b3a7640000"));
	stage_skew += RETRY_MOST_MS;
	expect_final(s, 0);
	assert_int_equal(batches(s), 1);
}

/* --- kill -9 --- */

static const char *step_to_die_at;

static void die(const char *name)
{
	if (!strcmp(name, step_to_die_at))
		kill(getpid(), SIGKILL);
}

static int child(char **argv)
{
	struct stage *st = calloc(1, sizeof *st);
	struct stage_batch b;
	uint64_t begun = clock_monotonic();

	log_open("writer", LOG_LEVEL_WARNING);
	settings(st, argv[3], argv[4]);
	step_to_die_at = argv[2];
	writer_step = die;
	stage_open(st, member_key());
	stage_batch(&b, 1, 0, 100, (uint32_t)strtoul(argv[5], NULL, 10));
	stage_submit(st, &b);
	while (clock_monotonic() - begun < 30 * USEC_PER_SEC)
		stage_turn(st);
	return 3;
}

/* The stage's journal is closed meanwhile: it is asked without the writer. */
static void run_child(struct scene *s, const char *step)
{
	char journal[256], expiry[16];
	int status, polls = 0;
	pid_t pid;

	snprintf(journal, sizeof journal, "%s", s->stage.settings.journal);
	snprintf(expiry, sizeof expiry, "%u", s->expiry);
	stage_close(&s->stage);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		execl(self, self, "child", step, s->url, journal, expiry, (char *)NULL);
		_exit(2);
	}
	snprintf(s->stage.settings.journal, sizeof s->stage.settings.journal, ":memory:");
	stage_open(&s->stage, s->member);
	while (!waitpid(pid, &status, WNOHANG)) {
		stage_turns(&s->stage, 30);
		if (waiting(s) || used(s))
			mine(s);
		if (++polls > 600)
			fail_msg("step %s: the child goes on", step);
	}
	stage_close(&s->stage);
	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
		fail_msg("step %s: the child ended with %d", step, status);
	snprintf(s->stage.settings.journal, sizeof s->stage.settings.journal, "%s",
		journal);
	s->stage.fate_count = 0;
	stage_open(&s->stage, s->member);
}

static void killed_between_any_two_steps(void **state)
{
	static const char *const steps[] = {"preflighted", "signed", "journalled", "sent",
		"answered", "mined", "final", "told"};

	for (unsigned i = 0; i < sizeof steps / sizeof *steps; i++) {
		struct scene *s;

		if (i) {
			teardown(state);
			setup(state);
		}
		s = *state;
		run_child(s, steps[i]);
		s->batch[0].batch.ticket = 7;
		stage_submit(&s->stage, &s->batch[0]);
		expect_final(s, 0);
		if (batches(s) != 1 || used(s) != 1)
			fail_msg("step %s: %u batches, %u nonces", steps[i],
				(unsigned)batches(s), (unsigned)used(s));
	}
}

#define with(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

static void no_anvil(void **state)
{
	(void)state;
	left_out("there is no anvil (SIPCHAIN_ANVIL, tests/chain/fetch-tools.sh anvil)");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		with(twenty_batches_of_a_hundred),
		with(a_reorganisation_drops_them),
		with(a_nonce_is_stolen),
		with(a_rule_refuses_before_and_after_signing),
		with(an_empty_purse_is_filled),
		with(killed_between_any_two_steps),
	};
	const struct CMUnitTest without[] = {cmocka_unit_test(no_anvil)};
	ssize_t n;

	if (argc == 6 && !strcmp(argv[1], "child"))
		return child(argv);
	n = readlink("/proc/self/exe", self, sizeof self - 1);
	if (n <= 0)
		return 2;
	self[n] = '\0';
	log_open("writer", LOG_LEVEL_WARNING);
	signal(SIGPIPE, SIG_IGN);
	if (!find_anvil())
		return cmocka_run_group_tests_name("no anvil", without, NULL, NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
