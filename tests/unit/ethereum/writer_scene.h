/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_ETHEREUM_WRITER_SCENE_H
#define TESTS_ETHEREUM_WRITER_SCENE_H

#include "writer_stage.h"

#include "base/log.h"
#include "fake_chain.h"

/* A writer, batches for it, and one or two chains of fake_chain.c. */
struct scene {
	struct stage stage;
	struct fake_chain *chain[2];
	unsigned chains;
	struct stage_batch batch[24];
};

static inline struct signer *key(void)
{
	uint8_t secret[32];

	memset(secret, 0x46, sizeof secret); /* EIP-155's example */
	return signer_from_secret(secret);
}

static inline void endpoint(struct stage *st, const char *url)
{
	struct error err;
	char line[128];

	snprintf(line, sizeof line, "%s ws=none", url);
	if (endpoint_parse(&st->settings.endpoints[st->settings.endpoint_count++],
		    view_str(line), &err))
		fail_msg("%s", err.text);
}

static inline void settings(struct stage *st, const char *journal)
{
	st->settings.chain_id = 31337;
	memset(st->settings.contract, 0xc0, ADDRESS20);
	st->settings.finality = FINALITY_DEPTH;
	st->settings.depth = 0;
	st->settings.poll_ms = 100;
	snprintf(st->settings.journal, sizeof st->settings.journal, "%s", journal);
}

static inline void forget_journal(const struct scene *s)
{
	char name[300];

	unlink(s->stage.settings.journal);
	snprintf(name, sizeof name, "%s-wal", s->stage.settings.journal);
	unlink(name);
}

static inline int begin(void **state, unsigned chains)
{
	struct scene *s = calloc(1, sizeof *s);
	char journal[64], url[64];

	snprintf(journal, sizeof journal, "writer-%ld.journal", (long)getpid());
	settings(&s->stage, journal);
	forget_journal(s);
	s->chains = chains;
	for (unsigned i = 0; i < chains; i++) {
		s->chain[i] = chain_start();
		endpoint(&s->stage, chain_url(url, s->chain[i]));
	}
	for (unsigned i = 0; i < 24; i++)
		stage_batch(&s->batch[i], i + 1, i * 300, 100, 1800000000);
	stage_skew = 0;
	stage_open(&s->stage, key());
	*state = s;
	return 0;
}

static inline int setup(void **state)
{
	return begin(state, 1);
}

static inline int setup_two(void **state)
{
	return begin(state, 2);
}

static inline void close_stage(struct scene *s)
{
	stage_close(&s->stage);
	signer_free(s->stage.signer);
}

static inline void reopen(struct scene *s)
{
	s->stage.fate_count = 0;
	stage_open(&s->stage, key());
}

static inline int teardown(void **state)
{
	struct scene *s = *state;

	close_stage(s);
	for (unsigned i = 0; i < s->chains; i++)
		chain_stop(s->chain[i]);
	forget_journal(s);
	free(s);
	return 0;
}

static inline unsigned sent_to(struct scene *s)
{
	return chain_read(s->chain[0], &s->chain[0]->sent_count);
}

/* A block every so many ms. */
static inline void mine_now_and_then(struct scene *s, uint64_t *mined, unsigned ms)
{
	if (clock_monotonic() - *mined < (uint64_t)ms * 1000 ||
		s->chain[0]->head > CHAIN_BLOCKS - 10)
		return;
	*mined = clock_monotonic();
	chain_mine(s->chain[0]);
}

/* The same, while seconds pass by each turn. */
static inline void mine_slowly(struct scene *s, uint64_t *mined)
{
	mine_now_and_then(s, mined, 100);
	stage_skew += 30;
}

/* Mine whatever comes until ticket has a fate. */
static inline const struct ledger_fate *settle(struct scene *s, uint64_t ticket)
{
	struct stage *st = &s->stage;
	uint64_t mined = 0;

	stage_until_doing(
		st, stage_fate_of(st, ticket), mine_now_and_then(s, &mined, 30));
	return stage_fate_of(st, ticket);
}

static inline void expect_final(struct scene *s, unsigned i, uint64_t ticket)
{
	const struct ledger_fate *f = settle(s, ticket);

	if (f->fate != FATE_FINAL)
		fail_msg("batch %u: fate %d: %s", i, f->fate, f->error.text);
	assert_int_equal(chain_holds(s->chain[0], s->batch[i].hash), 1);
}

#define with(s, t) cmocka_unit_test_setup_teardown(t, s, teardown)

#endif
