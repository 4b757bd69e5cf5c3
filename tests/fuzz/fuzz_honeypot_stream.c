/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stream given whole and in two pieces is the same messages: the first two bytes
 * say where it is cut.
 */
#include <stdio.h>
#include <stdlib.h>

#include "sense/honeypot/stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

struct play {
	uint64_t told; /* a hash over every verdict and its length */
	size_t taken;
	bool broken;
};

static void feed(struct play *p, struct stream_state *s, struct view bytes)
{
	size_t n;

	while (!p->broken) {
		enum stream_verdict v = stream_next(s, &n, view_from(bytes, p->taken));

		if (n > bytes.n - p->taken || (v == STREAM_MESSAGE && !n) ||
			n > STREAM_MESSAGE_MAX)
			abort();
		if (v == STREAM_MORE)
			return;
		p->broken = v == STREAM_BROKEN;
		p->taken += n;
		p->told = (p->told ^ (n * 8 + v)) * UINT64_C(1099511628211);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	struct play whole = {0}, cut = {0};
	struct stream_state s = {0}, t = {0};
	struct view bytes;
	size_t at;

	if (size < 2)
		return 0;
	at = be16_load(input);
	bytes = view_of(input + 2, size - 2);
	at = at > bytes.n ? bytes.n : at;
	feed(&whole, &s, bytes);
	feed(&cut, &t, view_head(bytes, at));
	feed(&cut, &t, bytes);
	if (whole.told != cut.told || whole.taken != cut.taken ||
		whole.broken != cut.broken)
		abort();
	return 0;
}
