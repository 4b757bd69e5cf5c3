/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ETHEREUM_HISTORY_H
#define ETHEREUM_HISTORY_H

#include "../cmocka_all.h"

#include <stdlib.h>

#include "ledger/ledger.h"

/* A small history of both chains, as the contract would have emitted it. */
#define T_START UINT32_C(1700000000)
#define MAX_TTL 604800

struct history_entry {
	enum chain chain;
	uint64_t block;
	uint32_t index;
	uint64_t block_before;
	uint8_t tip_before[HASH_SIZE];
	struct buffer bytes;
};

#define HISTORY_MAX 600

struct history {
	struct history_entry *list;
	unsigned n;
	struct tip tip[2];
	uint64_t last_block[2];
};

static inline void history_begin(struct history *h)
{
	memset(h, 0, sizeof *h);
	h->list = calloc(HISTORY_MAX, sizeof *h->list);
	assert_non_null(h->list);
}

static inline void history_end(struct history *h)
{
	for (unsigned k = 0; k < h->n; k++)
		buffer_free(&h->list[k].bytes);
	free(h->list);
}

static inline void history_add(
	struct history *h, struct operation *op, uint64_t block, uint32_t index)
{
	enum chain chain = operation_chain(op->type);
	struct history_entry *e = &h->list[h->n];

	assert_true(h->n < HISTORY_MAX);
	op->seq = h->tip[chain].seq;
	*e = (struct history_entry){.chain = chain,
		.block = block,
		.index = index,
		.block_before = h->last_block[chain]};
	memcpy(e->tip_before, h->tip[chain].hash, HASH_SIZE);
	assert_int_equal(operation_encode(&e->bytes, op), 0);
	tip_advance(
		h->tip[chain].hash, h->tip[chain].hash, view_of(e->bytes.p, e->bytes.n));
	h->tip[chain].seq++;
	h->last_block[chain] = block;
	h->n++;
}

static inline void history_admin(struct history *h, enum operation_type type,
	uint64_t block, uint32_t index, uint32_t time)
{
	struct operation op = {.type = (uint8_t)type,
		.time = time,
		.member = 1,
		.weight = 1,
		.cap = 100,
		.signer_count = 1,
		.name = view_str("Example Bank")};

	memset(op.actor, 0xa1, ADDRESS20);
	memset(op.address, 0xa2, ADDRESS20);
	memset(op.signers[0], 0xa3, ADDRESS20);
	op.config = (struct ledger_config){{16, 32, 5, true}, MAX_TTL, 1};
	history_add(h, &op, block, index);
}

static inline void history_batch(
	struct history *h, uint64_t block, uint32_t index, uint32_t time)
{
	uint8_t word[WORD_SIZE] = {0};
	struct report r = {.expiry = time + 3600,
		.member = 1,
		.cell = h->n % 100,
		.category = CATEGORY_SCAN,
		.proof = PROOF_TCP};
	struct operation op = {
		.type = OP_BATCH, .time = time, .member = 1, .count = 1, .words = word};

	r.indicator.kind = 1;
	r.indicator.plen = 32;
	r.indicator.value[0] = 8;
	r.indicator.value[3] = (uint8_t)h->n;
	memset(op.actor, 0xa3, ADDRESS20);
	word_encode(word, &r);
	history_add(h, &op, block, index);
}

static inline struct ledger_event history_event(const struct history *h, unsigned k)
{
	const struct history_entry *e = &h->list[k];
	struct ledger_event out = {.chain = e->chain,
		.block = e->block,
		.bytes = view_of(e->bytes.p, e->bytes.n)};

	memcpy(out.tip_before, e->tip_before, HASH_SIZE);
	assert_int_equal(operation_decode(&out.operation, out.bytes, NULL), 0);
	return out;
}

#endif
