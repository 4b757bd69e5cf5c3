/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_PENDING_FIXTURE_H
#define TESTS_PENDING_FIXTURE_H

#include "../cmocka_all.h"

#include <stdlib.h>

#include "ledger/ethereum/abi.h"
#include "ledger/ethereum/pending.h"

#define GWEI UINT64_C(1000000000)

/*
 * The writer's decisions as scenarios: act() performs every action that is due
 * (signing for real, with the key of EIP-155's example, "0x46" 32 times) and
 * gives them back as one line of words:
 *
 *   count final-count@BLOCK quotes preflight:T sign:T#NONCE@MAXFEE send:T look:T
 *   final:T refused:T failed:T large:T forget:T trouble healthy
 *
 * T is the ticket; look:T! is asked everywhere, look:T= to settle. What is
 * asked stays open until the test gives the outcome.
 */
struct world {
	struct ethereum_settings settings;
	struct signer *signer;
	struct pending_set *set;
	uint64_t now;
	uint8_t fork;            /* of which the heads are */
	struct ledger_fate fate; /* the last told */
	struct transaction last; /* the last signed; data is gone */
	uint8_t last_hash[HASH_SIZE];
	char said[400]; /* the last trouble's text */
	char line[1000];
};

static inline void start(struct world *w, int64_t highest)
{
	w->set = pending_new(&w->settings, signer_address(w->signer), highest);
	assert_non_null(w->set);
}

static inline int world_setup(void **state)
{
	static const uint8_t secret[32] = {0x46, 0x46, 0x46, 0x46, 0x46, 0x46, 0x46, 0x46,
		0x46, 0x46, 0x46, 0x46, 0x46, 0x46, 0x46, 0x46, 0x46, 0x46, 0x46, 0x46,
		0x46, 0x46, 0x46, 0x46, 0x46, 0x46, 0x46, 0x46, 0x46, 0x46, 0x46, 0x46};
	struct world *w = calloc(1, sizeof *w);

	w->settings.chain_id = 31337;
	memset(w->settings.contract, 0xc0, ADDRESS20);
	w->signer = signer_from_secret(secret);
	assert_non_null(w->signer);
	w->now = 1000000;
	start(w, -1);
	*state = w;
	return 0;
}

static inline int world_teardown(void **state)
{
	struct world *w = *state;

	pending_free(w->set);
	signer_free(w->signer);
	free(w);
	return 0;
}

/* Call data of a batch of `count` words from cell `cell` on. */
static inline struct buffer call_of(unsigned cell, unsigned count, uint8_t commitment)
{
	uint8_t words[BATCH_MAX * WORD_SIZE];
	struct ledger_batch batch = {
		.member = 1, .count = (uint16_t)count, .words = words};
	struct report r = {
		.indicator = {.kind = INDICATOR_IP4, .plen = 32},
		.expiry = 1800000000,
		.member = 1,
		.category = CATEGORY_SCAN,
		.proof = PROOF_TCP,
	};
	struct buffer call = {0};

	for (unsigned i = 0; i < count; i++) {
		r.cell = cell + i;
		r.indicator.value[0] = 8;
		r.indicator.value[3] = (uint8_t)i;
		word_encode(words + (size_t)i * WORD_SIZE, &r);
	}
	memset(batch.commitment, commitment, HASH_SIZE);
	assert_int_equal(submission_encode(&call, &batch), 0);
	return call;
}

/* Submit a batch of two words about cells of its own. Returns whether fresh. */
static inline bool submit(struct world *w, uint64_t ticket, unsigned cell)
{
	struct buffer call = call_of(cell, 2, 0x77);
	struct error err = {""};
	bool fresh = false;

	if (!pending_submit(w->set, ticket, view_of(call.p, call.n), &fresh, &err))
		fail_msg("%s", err.text);
	buffer_free(&call);
	return fresh;
}

static inline struct pending *by_ticket(struct world *w, uint64_t ticket)
{
	for (struct pending *b = w->set->first; b; b = b->next)
		if (b->ticket == ticket)
			return b;
	fail_msg("no batch %llu", (unsigned long long)ticket);
	return NULL;
}

/* --- performing --- */

static inline void sign_it(struct world *w, const struct action *a)
{
	struct buffer raw = {0};

	assert_int_equal(
		transaction_sign(&raw, w->last_hash, &a->transaction, w->signer), 0);
	w->last = a->transaction;
	pending_signed(w->set, a->batch, &a->transaction, w->last_hash,
		view_of(raw.p, raw.n), w->now);
}

static inline void put(struct world *w, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static inline void put(struct world *w, const char *fmt, ...)
{
	size_t n = strlen(w->line);
	va_list ap;

	if (n)
		w->line[n++] = ' ';
	va_start(ap, fmt);
	vsnprintf(w->line + n, sizeof w->line - n, fmt, ap);
	va_end(ap);
}

static inline void perform(struct world *w, const struct action *a)
{
	static const char *const fates[] = {"?", "final", "refused", "failed", "large"};
	unsigned long long ticket = a->batch ? a->batch->ticket : 0;

	switch (a->kind) {
	case ACTION_TROUBLE:
		put(w, a->healthy ? "healthy" : "trouble");
		snprintf(w->said, sizeof w->said, "%s", a->text);
		break;
	case ACTION_END:
		w->fate = a->batch->fate;
		put(w, "%s:%llu", fates[w->fate.fate], ticket);
		pending_ended(w->set, a->batch, NULL, w->now, 0);
		break;
	case ACTION_FORGET:
		put(w, "forget:%llu", ticket);
		pending_forget(w->set, a->batch);
		break;
	case ACTION_COUNT:
		put(w, "count");
		break;
	case ACTION_FINAL_COUNT:
		put(w, "final-count@%llu", (unsigned long long)a->block);
		break;
	case ACTION_QUOTES:
		put(w, "quotes");
		break;
	case ACTION_PREFLIGHT:
		put(w, "preflight:%llu", ticket);
		break;
	case ACTION_SIGN:
		sign_it(w, a);
		put(w, "sign:%llu#%llu@%llu", ticket, (unsigned long long)w->last.nonce,
			(unsigned long long)(w->last.max_fee / GWEI));
		break;
	case ACTION_SEND:
		put(w, "send:%llu", ticket);
		break;
	case ACTION_LOOK:
		put(w, "look:%llu%s%s", ticket, a->everywhere ? "!" : "",
			a->canonical ? "=" : "");
		break;
	}
}

static inline const char *act_reachable(struct world *w, bool reachable)
{
	struct action a;

	w->line[0] = '\0';
	for (int i = 0; pending_next(w->set, w->now, reachable, &a); i++) {
		if (i > 500)
			fail_msg("it never ends: %s", w->line);
		perform(w, &a);
	}
	return w->line;
}

static inline const char *act(struct world *w)
{
	return act_reachable(w, true);
}

/* --- observations --- */

static inline void block_hash(uint8_t hash[HASH_SIZE], uint64_t number, uint8_t fork)
{
	memset(hash, fork, HASH_SIZE);
	be64_store(hash, number);
}

static inline void head_of(
	struct world *w, uint64_t number, uint64_t final, uint64_t base_fee, bool dynamic)
{
	struct header h = {
		.number = number,
		.timestamp = 1700000000 + number,
		.gas_limit = 30000000,
		.has_base_fee = dynamic,
		.base_fee = base_fee,
	};

	block_hash(h.hash, number, w->fork);
	block_hash(h.parent, number - 1, w->fork);
	pending_head(w->set, &h, final);
}

/* A block of a legacy chain, a second later. */
static inline void head(struct world *w, uint64_t number, uint64_t final)
{
	w->now += 1000;
	head_of(w, number, final, 0, false);
}

static inline void count(struct world *w, uint64_t n)
{
	pending_count(w->set, true, n, w->now, 0);
}

static inline void quotes(struct world *w, uint64_t price, uint64_t priority)
{
	struct fee_quotes q = {.gas_price = price, .priority_fee = priority};

	pending_quotes(w->set, &q, w->now, 0);
}

static inline void passed(struct world *w, uint64_t ticket)
{
	struct preflight p = {.outcome = PREFLIGHT_PASSED, .gas = 120000};

	pending_preflight(w->set, by_ticket(w, ticket), &p, w->now, 0);
}

static inline void answer(struct world *w, uint64_t ticket, enum answer a)
{
	pending_answered(
		w->set, by_ticket(w, ticket), a, "node-1: so it says", w->now, 0);
}

static inline void look_gives(struct world *w, uint64_t ticket, struct sighting s)
{
	pending_looked(w->set, by_ticket(w, ticket), &s, w->now, 0);
}

static inline void absent(struct world *w, uint64_t ticket)
{
	look_gives(w, ticket, (struct sighting){.kind = SIGHTING_ABSENT});
}

static inline void found(struct world *w, uint64_t ticket, uint64_t block, bool succeeded)
{
	struct sighting s = {
		.kind = SIGHTING_FOUND,
		.succeeded = succeeded,
		.block = block,
		.gas_used = 90000,
		.offer = by_ticket(w, ticket)->offer_count - 1,
	};

	block_hash(s.block_hash, block, w->fork);
	look_gives(w, ticket, s);
}

/* From submission to "accepted": the chain at block 10, count n. */
static inline void send_one(struct world *w, uint64_t ticket, unsigned cell, uint64_t n)
{
	if (!w->set->head_known)
		head(w, 10, 5);
	submit(w, ticket, cell);
	act(w);
	passed(w, ticket);
	count(w, n);
	quotes(w, GWEI, GWEI);
	act(w);
	assert_int_equal(by_ticket(w, ticket)->state, PENDING_SENT);
	answer(w, ticket, ANSWER_ACCEPTED);
}

#define expect(w, line) assert_string_equal(act(w), line)
#define with_world(test)                                                                 \
	cmocka_unit_test_setup_teardown(test, world_setup, world_teardown)

#endif
