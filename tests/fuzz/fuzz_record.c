/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Segments of the honeypot's records: whatever a file says, what is read lies within
 * it, is passed over once, and is encoded to what it was. The input is a segment whose
 * checks are made right here, or nothing would get behind them.
 */
#include <stdlib.h>

#include "sense/honeypot/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

static const struct hash_key key = {1, 2};

static void within(struct view part, struct view whole)
{
	if (part.n && (part.p < whole.p || part.p + part.n > whole.p + whole.n))
		abort();
}

/* Decoded and encoded again it is the same, but for flags that say nothing. */
static void again(const struct record *r, struct view was)
{
	struct buffer b = {.max = 0};

	if (record_size(r) != was.n || record_encode(&b, r, &key) || b.n != was.n ||
		memcmp(b.p + 8, was.p + 8, 26) ||
		memcmp(b.p + 35, was.p + 35, was.n - 35))
		abort();
	buffer_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	uint8_t *copy = malloc(size + 1);
	struct view rest = view_of(copy, size);
	struct record_segment segment;
	struct record r;
	size_t length;

	if (!copy)
		return 0;
	memcpy(copy, input, size);
	(void)record_segment_decode(&segment, rest);
	while (rest.n >= 8) {
		uint32_t says = be32_load(rest.p);
		enum record_verdict v;

		if (says >= 8 && says <= rest.n && (rest.p[4] & 3))
			be32_store(copy + (rest.p - copy) + 4,
				(uint32_t)hash_bytes(&key, rest.p + 8, says - 8));
		v = record_decode(&r, &length, rest, &key);
		if ((v == RECORD_WHOLE || v == RECORD_DAMAGED) != (length != 0) ||
			length > rest.n)
			abort();
		if (!length)
			break;
		if (v == RECORD_WHOLE) {
			for (unsigned i = 0; i < RECORD_TEXTS; i++)
				within(r.text[i], view_head(rest, length));
			within(r.bytes, view_head(rest, length));
			if (r.bytes.n <= RECORD_BYTES_MAX)
				again(&r, view_head(rest, length));
		}
		rest = view_from(rest, length);
	}
	free(copy);
	return 0;
}
