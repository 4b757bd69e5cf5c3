/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_ETHEREUM_LOG_SCAN_H
#define TESTS_ETHEREUM_LOG_SCAN_H

#include "../cmocka_all.h"

#include <jansson.h>
#include <stdlib.h>

#include "../prng.h"
#include "base/hex.h"
#include "ledger/ethereum/json_scan.h"
#include "ledger/ethereum/logs.h"

/* What a scan gave, in bytes, to be compared. */
struct result {
	int rc; /* of the end, or -2: of feeding */
	uint64_t count;
	struct buffer logs;
	int64_t code;
	char message[200], data[200];
	struct error err;
	uint64_t stop_at; /* refuse this log; 0: none (they count from 1) */
};

static inline bool take(void *context, const struct log *l)
{
	struct result *r = context;

	buffer_put(&r->logs, l->address, sizeof l->address);
	buffer_put_u8(&r->logs, (uint8_t)l->topic_count);
	buffer_put(&r->logs, l->topics, sizeof l->topics);
	buffer_put_u32(&r->logs, (uint32_t)l->data.n);
	buffer_put(&r->logs, l->data.p, l->data.n);
	buffer_put_u64(&r->logs, l->block);
	buffer_put(&r->logs, l->block_hash, HASH_SIZE);
	buffer_put(&r->logs, l->transaction, HASH_SIZE);
	buffer_put_u32(&r->logs, l->index);
	buffer_put_u8(&r->logs, l->removed);
	r->count++;
	return r->count != r->stop_at;
}

/* Feed text in pieces of the given sizes, in turn (0 ends them: the rest). */
static inline void scan(struct result *r, struct view text, const size_t *sizes)
{
	struct log_scanner *s = log_scanner_new(7, take, r);
	struct view message = {NULL, 0}, data = {NULL, 0};

	assert_non_null(s);
	r->rc = 0;
	while (text.n > 0 && r->rc == 0) {
		size_t n = *sizes ? *sizes++ : text.n;
		/* An exact copy: the sanitizer sees a read past the piece. */
		struct view piece = view_head(text, n);
		uint8_t *copy = malloc(piece.n);

		memcpy(copy, piece.p, piece.n);
		if (log_scanner_feed(s, view_of(copy, piece.n), &r->err))
			r->rc = -2;
		free(copy);
		text = view_from(text, piece.n);
	}
	assert_int_equal(log_scanner_count(s), r->count);
	if (r->rc == 0) {
		r->rc = log_scanner_end(s, &r->code, &message, &data, &r->err);
		view_copy(r->message, sizeof r->message, message);
		view_copy(r->data, sizeof r->data, data);
	} else {
		assert_int_equal(log_scanner_feed(s, view_str(" "), NULL), -1);
		assert_int_equal(log_scanner_end(s, &r->code, &message, &data, NULL), -1);
	}
	log_scanner_free(s);
}

static inline void scan_whole(struct result *r, struct view text)
{
	scan(r, text, (const size_t[]){0});
}

static inline void assert_same(const struct result *a, const struct result *b)
{
	assert_int_equal(a->rc, b->rc);
	assert_int_equal(a->count, b->count);
	assert_int_equal(a->logs.n, b->logs.n);
	if (a->logs.n > 0)
		assert_memory_equal(a->logs.p, b->logs.p, a->logs.n);
	assert_int_equal(a->code, b->code);
	assert_string_equal(a->message, b->message);
	assert_string_equal(a->data, b->data);
	assert_string_equal(a->err.text, b->err.text);
}

/* However it is cut into two, or into single bytes, it is the same. */
static inline void all_splits(struct view text)
{
	struct result whole = {0};
	size_t *ones = calloc(text.n + 1, sizeof *ones);

	scan_whole(&whole, text);
	for (size_t i = 0; i < text.n; i++) {
		struct result r = {0};

		ones[i] = 1;
		scan(&r, text, (const size_t[]){i, 0});
		assert_same(&whole, &r);
		buffer_free(&r.logs);
	}
	if (text.n > 0) {
		struct result r = {0};

		scan(&r, text, ones);
		assert_same(&whole, &r);
		buffer_free(&r.logs);
	}
	free(ones);
	buffer_free(&whole.logs);
}

static inline void refused(const char *text, const char *why)
{
	struct result r = {0};

	scan_whole(&r, view_str(text));
	if (r.rc >= 0 || !strstr(r.err.text, why))
		fail_msg("%s: %d \"%s\" lacks \"%s\"", text, r.rc, r.err.text, why);
	buffer_free(&r.logs);
	all_splits(view_str(text));
}

static inline void accepted(const char *text, uint64_t count)
{
	struct result r = {0};

	scan_whole(&r, view_str(text));
	if (r.rc != 0)
		fail_msg("%s: %s", text, r.err.text);
	assert_int_equal(r.count, count);
	buffer_free(&r.logs);
	all_splits(view_str(text));
}

static inline json_t *load(const char *name, struct buffer *text)
{
	char path[300], chunk[4096];
	size_t n;
	FILE *f;

	snprintf(path, sizeof path, "%s/ethereum/%s.json", TESTS_DATA, name);
	f = fopen(path, "rb");
	assert_non_null(f);
	while ((n = fread(chunk, 1, sizeof chunk, f)) > 0)
		buffer_put(text, chunk, n);
	fclose(f);
	return json_loadb((char *)text->p, text->n, 0, NULL);
}

#endif
