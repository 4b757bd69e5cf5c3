/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/honeypot/limit.h"

#define ONE          1000u /* thousandths */
#define SOURCE_BURST 10u   /* seconds' worth at once */
#define TOTAL_BURST  2u

/* Add what came due since the last time. */
static void fill(struct limit_bucket *b, uint32_t rate, uint32_t burst, uint32_t now_ms)
{
	uint64_t most = (uint64_t)rate * burst * ONE;
	uint32_t passed = now_ms - b->since;
	uint64_t tokens;

	if (most > UINT32_MAX)
		most = UINT32_MAX;
	/* A clock that was set back looks like half the range passed: start anew. */
	if (passed > INT32_MAX)
		passed = 0;
	tokens = b->tokens + (uint64_t)passed * rate;
	b->tokens = (uint32_t)(tokens < most ? tokens : most);
	b->since = now_ms;
}

void limit_begin(struct limit *l, struct hash_key key, uint32_t per_source,
	uint32_t total, usec now)
{
	uint32_t ms = (uint32_t)(now / 1000);

	l->key = key;
	l->per_source = per_source;
	l->total = total;
	l->all = (struct limit_bucket){0, ms - 1000 * TOTAL_BURST};
	for (size_t i = 0; i < LIMIT_SOURCES; i++)
		l->sources[i] = (struct limit_bucket){0, ms - 1000 * SOURCE_BURST};
}

bool limit_take(struct limit *l, const struct address *to, usec now)
{
	uint32_t ms = (uint32_t)(now / 1000);
	size_t n = to->family == 4 ? 4 : 8;
	uint64_t h = hash_bytes(&l->key, to->bytes, n);
	struct limit_bucket *b = &l->sources[h % LIMIT_SOURCES];

	fill(b, l->per_source, SOURCE_BURST, ms);
	fill(&l->all, l->total, TOTAL_BURST, ms);
	if (b->tokens < ONE || l->all.tokens < ONE)
		return false;
	b->tokens -= ONE;
	l->all.tokens -= ONE;
	return true;
}
