/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_ETHEREUM_JOURNAL_FIXTURE_H
#define TESTS_ETHEREUM_JOURNAL_FIXTURE_H

#include "history.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "ledger/ethereum/journal.h"

static char folder[64], path[96];

static inline struct ethereum_settings settings_of(const char *file)
{
	struct ethereum_settings s = {.chain_id = 1337, .deployed = 5};

	memset(s.contract, 0xc0, ADDRESS20);
	memset(s.genesis, 0x6e, HASH_SIZE);
	memset(s.code_hash, 0xcd, HASH_SIZE);
	snprintf(s.journal, sizeof s.journal, "%s", file);
	return s;
}

static inline struct journal *open_at(const char *file)
{
	struct ethereum_settings s = settings_of(file);
	struct error refused = {""};
	struct journal *j = journal_open(&s, &refused);

	if (!j)
		fail_msg("%s", refused.text);
	return j;
}

static inline void block_hash(uint8_t hash[HASH_SIZE], uint64_t number)
{
	memset(hash, 0xb1, HASH_SIZE);
	be64_store(hash, number);
}

/* What OK() was told; the macro's argument is written with `err`. */
static struct error why;
static struct error *const err = &why;

#define OK(expression)                                                                   \
	do {                                                                             \
		if (expression)                                                          \
			fail_msg("%s: %s", #expression, why.text);                       \
	} while (0)

static inline int add(struct journal *j, const struct history *h, unsigned k)
{
	struct ledger_event e = history_event(h, k);

	return journal_event(j, &e, h->list[k].index, err);
}

/* Events from..to-1 and their block as the head, in one transaction. */
static inline void put_head(struct journal *j, const struct history *h, unsigned from,
	unsigned to, uint64_t head)
{
	uint8_t hash[HASH_SIZE];

	OK(journal_begin(j, err));
	for (unsigned k = from; k < to; k++)
		OK(add(j, h, k));
	block_hash(hash, head);
	OK(journal_set_head(j, head, hash, err));
	OK(journal_commit(j, err));
}

struct seen {
	uint64_t block[64];
	uint64_t seq[64];
	enum chain chain[64];
	unsigned n, stop;
};

static inline bool see(void *context, const struct ledger_event *e)
{
	struct seen *s = context;

	assert_true(s->n < 64);
	s->block[s->n] = e->block;
	s->seq[s->n] = e->operation.seq;
	s->chain[s->n++] = e->chain;
	return s->n != s->stop;
}

static inline unsigned replayed(struct journal *j, struct seen *s)
{
	memset(s, 0, sizeof *s);
	OK(journal_replay(j, see, s, err));
	return s->n;
}

/* Genesis, a member, four batches in blocks 10, 11 (two), 13. */
static inline void small(struct history *h)
{
	history_begin(h);
	history_admin(h, OP_GENESIS, 6, 0, T_START);
	history_admin(h, OP_MEMBER_ADD, 7, 3, T_START + 10);
	history_batch(h, 10, 0, T_START + 100);
	history_batch(h, 11, 0, T_START + 110);
	history_admin(h, OP_MEMBER_SET, 11, 1, T_START + 110);
	history_batch(h, 11, 2, T_START + 110);
	history_batch(h, 13, 7, T_START + 130);
}

/* With a folder of its own, in which path is. */
static inline int run_in_folder(const struct CMUnitTest *tests, size_t count)
{
	int rc;

	snprintf(folder, sizeof folder, "/tmp/sipchain-journal-XXXXXX");
	if (!mkdtemp(folder))
		return 1;
	snprintf(path, sizeof path, "%s/journal", folder);
	rc = _cmocka_run_group_tests("journal", tests, count, NULL, NULL);
	rmdir(folder);
	return rc;
}

#endif
