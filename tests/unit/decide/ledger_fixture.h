/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_DECIDE_LEDGER_FIXTURE_H
#define TESTS_DECIDE_LEDGER_FIXTURE_H

#include "../cmocka_all.h"

#include "ledger/registry.h"

/* A registry that is fed by operations, as a ledger would. */
struct ledger {
	struct registry *registry;
	uint64_t seq[2];
	uint32_t now;
};

static const uint8_t ledger_owner[ADDRESS20] = {0x0e};

static inline struct indicator of(const char *text)
{
	struct error err = {""};
	struct indicator i;

	if (indicator_parse(&i, NULL, view_str(text), &err) != 0)
		fail_msg("%s: %s", text, err.text);
	return i;
}

/* Fold one operation; returns what registry_apply() does. */
static inline int ledger_offer(
	struct ledger *l, struct operation *op, struct refusal *why)
{
	enum chain chain = operation_chain(op->type);
	struct buffer bytes = {0};
	int rc;

	op->seq = l->seq[chain];
	op->time = l->now;
	assert_int_equal(operation_encode(&bytes, op), 0);
	rc = registry_apply(l->registry, op, view_of(bytes.p, bytes.n), NULL, NULL, why);
	buffer_free(&bytes);
	if (rc == 0)
		l->seq[chain]++;
	return rc;
}

/* Fold one that must be accepted. */
static inline void ledger_fold(struct ledger *l, struct operation *op)
{
	struct refusal why;
	char text[200];

	if (ledger_offer(l, op, &why) != 0)
		fail_msg("%s: %s", operation_name(op->type), refusal_print(text, &why));
}

static inline void ledger_start(
	struct ledger *l, uint32_t threshold, bool unroutable, uint32_t now)
{
	struct operation op = {.type = OP_GENESIS,
		.salt = {1},
		.config = {indicator_limits_default, 86400, threshold}};

	*l = (struct ledger){
		.now = now, .registry = registry_new((struct hash_key){1, 2})};
	assert_non_null(l->registry);
	op.config.limits.allow_unroutable = unroutable;
	memcpy(op.actor, ledger_owner, ADDRESS20);
	ledger_fold(l, &op);
}

static inline void ledger_stop(struct ledger *l)
{
	registry_free(l->registry);
	l->registry = NULL;
}

static inline void ledger_member(struct ledger *l, uint16_t index, uint16_t weight)
{
	struct operation op = {.type = OP_MEMBER_ADD,
		.member = index,
		.weight = weight,
		.cap = 1000,
		.name = view_str("member"),
		.signer_count = 1};

	memcpy(op.actor, ledger_owner, ADDRESS20);
	op.signers[0][0] = 0x5e;
	be16_store(op.signers[0] + 18, index);
	ledger_fold(l, &op);
}

static inline void ledger_report(struct ledger *l, const struct indicator *i,
	uint16_t member, uint32_t cell, uint32_t expiry, uint8_t category, uint8_t proof)
{
	struct report r = {.indicator = *i,
		.expiry = expiry,
		.member = member,
		.generation = registry_member(l->registry, member)->generation,
		.cell = cell,
		.category = category,
		.proof = proof};
	struct operation op = {.type = OP_BATCH, .member = member, .count = 1};
	uint8_t word[WORD_SIZE];

	word_encode(word, &r);
	op.words = word;
	op.actor[0] = 0x5e;
	be16_store(op.actor + 18, member);
	ledger_fold(l, &op);
}

static inline void ledger_protect(struct ledger *l, const struct indicator *i)
{
	struct operation op = {
		.type = OP_PROTECT, .table = (const uint8_t *)i, .table_count = 1};

	memcpy(op.actor, ledger_owner, ADDRESS20);
	ledger_fold(l, &op);
}

#endif
