/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A reply to eth_getLogs in one piece and in pieces whose sizes the first bytes
 * of the input say: both scans must come to the same.
 */
#include <stdlib.h>

#include "ledger/ethereum/logs.h"

#define SIZES 8

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

struct outcome {
	struct buffer logs;
	struct buffer texts;
	struct error err;
	int rc;
};

static bool take(void *context, const struct log *l)
{
	struct outcome *o = context;

	buffer_put(&o->logs, l->address, sizeof l->address);
	buffer_put_u8(&o->logs, (uint8_t)l->topic_count);
	buffer_put(&o->logs, l->topics, sizeof l->topics);
	buffer_put(&o->logs, l->data.p, l->data.n);
	buffer_put_u64(&o->logs, l->block);
	buffer_put(&o->logs, l->block_hash, HASH_SIZE);
	buffer_put(&o->logs, l->transaction, HASH_SIZE);
	buffer_put_u32(&o->logs, l->index);
	buffer_put_u8(&o->logs, l->removed);
	return o->logs.n < 1u << 20;
}

static void scan(struct outcome *o, struct view text, const uint8_t *sizes)
{
	struct log_scanner *s = log_scanner_new(7, take, o);
	struct view message = {NULL, 0}, data = {NULL, 0};
	int64_t code = 0;
	unsigned turn = 0;

	if (!s)
		abort();
	while (text.n > 0 && o->rc == 0) {
		size_t n = sizes ? sizes[turn++ % SIZES] + 1u : text.n;

		o->rc = log_scanner_feed(s, view_head(text, n), &o->err);
		text = view_from(text, n);
	}
	if (o->rc == 0)
		o->rc = log_scanner_end(s, &code, &message, &data, &o->err);
	buffer_put_u64(&o->texts, (uint64_t)code);
	buffer_put(&o->texts, message.p, message.n);
	buffer_put(&o->texts, data.p, data.n);
	log_scanner_free(s);
}

static bool same(const struct buffer *a, const struct buffer *b)
{
	return view_eq(view_of(a->p, a->n), view_of(b->p, b->n));
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	struct outcome whole = {0}, pieces = {0};

	if (size < SIZES)
		return 0;
	scan(&whole, view_of(input + SIZES, size - SIZES), NULL);
	scan(&pieces, view_of(input + SIZES, size - SIZES), input);
	if (whole.rc != pieces.rc || !same(&whole.logs, &pieces.logs) ||
		!same(&whole.texts, &pieces.texts) ||
		strcmp(whole.err.text, pieces.err.text) != 0)
		abort();
	buffer_free(&whole.logs);
	buffer_free(&whole.texts);
	buffer_free(&pieces.logs);
	buffer_free(&pieces.texts);
	return 0;
}
