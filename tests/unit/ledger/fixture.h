/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LEDGER_FIXTURE_H
#define LEDGER_FIXTURE_H

#include "../cmocka_all.h"

#include "ledger/registry.h"

/*
 * A registry that was begun by OWNER with GUARDIAN at T0, and operations on it
 * that fill in sequence numbers. Actors are addresses of one repeated byte.
 */
#define OWNER    0xa1
#define GUARDIAN 0xa2
#define ALICE    0xa3 /* signer of member 1 */
#define BOB      0xa4 /* signer of member 2 */
#define CAROL    0xa5
#define T0       UINT32_C(1700000000)
#define MAX_TTL  604800

static inline struct indicator ind(const char *text)
{
	struct indicator i;
	struct error err;

	if (indicator_parse(&i, NULL, view_str(text), &err))
		fail_msg("%s", err.text);
	return i;
}

static inline struct operation op_of(uint8_t type, uint8_t actor, uint16_t member)
{
	struct operation op = {.type = type, .time = T0, .member = member};

	memset(op.actor, actor, ADDRESS20);
	return op;
}

/* Touches, as many as fit. */
struct touches {
	struct indicator at[64];
	unsigned n, all;
};

static inline void on_touch(void *context, const struct indicator *i)
{
	struct touches *t = context;

	if (!i)
		t->all++;
	else if (t->n < 64)
		t->at[t->n++] = *i;
}

static inline bool touched(const struct touches *t, const char *text)
{
	struct indicator i = ind(text);

	for (unsigned k = 0; k < t->n; k++)
		if (!memcmp(&t->at[k], &i, sizeof i))
			return true;
	return false;
}

/* Apply op with its chain's next number; the refusal's code, 0 when accepted. */
static inline struct refusal apply_touch(
	struct registry *r, struct operation *op, struct touches *t)
{
	struct buffer bytes = {0};
	struct refusal check, why;
	int rc;

	op->seq = registry_tip(r, operation_chain(op->type))->seq;
	assert_int_equal(operation_encode(&bytes, op), 0);
	rc = registry_check(r, op, &check);
	assert_int_equal(registry_apply(r, op, view_of(bytes.p, bytes.n),
				 t ? on_touch : NULL, t, &why),
		rc);
	assert_int_equal(check.code, why.code);
	assert_int_equal(check.entry, why.entry);
	buffer_free(&bytes);
	return why;
}

static inline enum refusal_code apply(struct registry *r, struct operation op)
{
	return apply_touch(r, &op, NULL).code;
}

static inline void must(struct registry *r, struct operation op)
{
	enum refusal_code code = apply(r, op);

	if (code)
		fail_msg("%s refused: %s", operation_name(op.type), refusal_name(code));
}

static inline struct operation op_genesis(void)
{
	struct operation op = op_of(OP_GENESIS, OWNER, 0);

	op.config = (struct ledger_config){{16, 32, 5, false}, MAX_TTL, 2};
	memset(op.address, GUARDIAN, ADDRESS20);
	return op;
}

static inline struct operation op_add(
	uint16_t member, uint8_t signer, uint16_t weight, uint32_t cap)
{
	struct operation op = op_of(OP_MEMBER_ADD, OWNER, member);

	op.weight = weight;
	op.cap = cap;
	op.name = view_of("Example Bank", 12);
	op.signer_count = signer ? 1 : 0;
	memset(op.signers[0], signer, ADDRESS20);
	return op;
}

/* Genesis, and members 1 (ALICE, weight 1) and 2 (BOB, weight 2), cap 8. */
static inline struct registry *registry_begun(void)
{
	struct registry *r = registry_new((struct hash_key){11, 12});

	assert_non_null(r);
	must(r, op_genesis());
	must(r, op_add(1, ALICE, 1, 8));
	must(r, op_add(2, BOB, 2, 8));
	return r;
}

/* --- batches --- */

struct batch {
	struct operation op;
	uint8_t words[BATCH_MAX * WORD_SIZE];
};

static inline struct report word_of(
	uint16_t member, uint32_t cell, const char *text, uint32_t expiry)
{
	return (struct report){
		.indicator = ind(text),
		.expiry = expiry,
		.member = member,
		.cell = cell,
		.category = CATEGORY_SCAN,
		.proof = PROOF_TCP,
	};
}

static inline void batch_begin(
	struct batch *b, uint8_t actor, uint16_t member, uint32_t time)
{
	b->op = op_of(OP_BATCH, actor, member);
	b->op.time = time;
	b->op.words = b->words;
}

static inline void batch_add(struct batch *b, const struct report *word)
{
	word_encode(b->words + (size_t)b->op.count++ * WORD_SIZE, word);
}

/* One word as a batch. */
static inline enum refusal_code put(
	struct registry *r, uint8_t actor, uint32_t time, const struct report *word)
{
	static struct batch b;

	batch_begin(&b, actor, word->member, time);
	batch_add(&b, word);
	return apply(r, b.op);
}

/* report, objection, spend of one cell. */
static inline enum refusal_code report(struct registry *r, uint8_t actor, uint16_t member,
	uint32_t cell, const char *text)
{
	struct report w = word_of(member, cell, text, T0 + 1000);

	return put(r, actor, T0, &w);
}

static inline enum refusal_code object(struct registry *r, uint8_t actor, uint16_t member,
	uint32_t cell, const char *text)
{
	struct report w = word_of(member, cell, text, T0 + 1000);

	w.category = CATEGORY_OBJECTION;
	return put(r, actor, T0, &w);
}

static inline enum refusal_code spend(struct registry *r, uint8_t actor, uint16_t member,
	uint32_t cell, const char *text)
{
	struct report w = word_of(member, cell, text, 0);

	w.action = ACTION_SPEND;
	w.category = 0;
	w.proof = 200;
	return put(r, actor, T0, &w);
}

static inline int64_t support(const struct registry *r, const char *text, uint32_t now)
{
	struct indicator i = ind(text);

	return registry_support(r, &i, now);
}

#endif
