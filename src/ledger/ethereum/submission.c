/* SPDX-License-Identifier: Apache-2.0 */
#include "base/keccak.h"
#include "ledger/ethereum/abi.h"
#include "ledger/ethereum/submission.h"

int submission_encode(struct buffer *out, const struct ledger_batch *batch)
{
	struct operation op = {
		.type = OP_BATCH,
		.member = batch->member,
		.count = batch->count,
		.words = batch->words,
		.texts = batch->texts,
	};

	memcpy(op.commitment, batch->commitment, HASH_SIZE);
	return abi_operation_call(out, &op);
}

/* An ABI word as a number of at most max. */
static int number(uint64_t *out, struct view call, size_t at, uint64_t max)
{
	if (at > call.n || call.n - at < ABI_WORD || !bytes_zero(call.p + at, 24))
		return -1;
	*out = be64_load(call.p + at + 24);
	return *out <= max ? 0 : -1;
}

int submission_decode(struct submission *out, struct view call)
{
	const size_t head = SELECTOR_SIZE + 4 * (size_t)ABI_WORD;
	struct ledger_batch batch = {.ticket = 0};
	struct buffer again = {0};
	uint64_t member, at, count, texts_at, texts;
	int rc = -1;

	if (number(&member, call, SELECTOR_SIZE, UINT16_MAX) ||
		number(&at, call, SELECTOR_SIZE + 2 * ABI_WORD, call.n) ||
		number(&count, call, SELECTOR_SIZE + at, BATCH_MAX) ||
		number(&texts_at, call, SELECTOR_SIZE + 3 * ABI_WORD, call.n) ||
		number(&texts, call, SELECTOR_SIZE + texts_at, TEXTS_MAX) ||
		SELECTOR_SIZE + at + ABI_WORD + count * WORD_SIZE > call.n ||
		SELECTOR_SIZE + texts_at + ABI_WORD + texts > call.n || call.n < head)
		return -1;
	batch.member = (uint16_t)member;
	memcpy(batch.commitment, call.p + SELECTOR_SIZE + ABI_WORD, HASH_SIZE);
	batch.count = (uint16_t)count;
	batch.words = call.p + SELECTOR_SIZE + at + ABI_WORD;
	batch.texts = view_of(call.p + SELECTOR_SIZE + texts_at + ABI_WORD, texts);
	/* One encoding only: the hash of other bytes would be another batch. */
	if (!submission_encode(&again, &batch) &&
		view_eq(view_of(again.p, again.n), call)) {
		out->call = call;
		keccak256(out->hash, call.p, call.n);
		out->member = batch.member;
		out->count = batch.count;
		out->words = batch.words;
		out->texts = texts;
		rc = 0;
	}
	buffer_free(&again);
	return rc;
}

static const uint8_t *cell_of(const struct submission *s, unsigned i)
{
	return s->words + (size_t)i * WORD_SIZE + 26; /* 3 bytes, see word.h */
}

bool submission_overlaps(const struct submission *a, const struct submission *b)
{
	if (a->member != b->member)
		return false;
	for (unsigned i = 0; i < a->count; i++)
		for (unsigned k = 0; k < b->count; k++)
			if (!memcmp(cell_of(a, i), cell_of(b, k), 3))
				return true;
	return false;
}
