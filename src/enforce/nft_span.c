/* SPDX-License-Identifier: Apache-2.0 */
#include "enforce/nft_span.h"

#include <stdlib.h>

/* The interval of one indicator; false for other kinds than addresses. */
static bool span_of(struct nft_span *s, const struct indicator *i)
{
	unsigned whole = i->plen / 8;

	if (i->kind != INDICATOR_IP4 && i->kind != INDICATOR_IP6)
		return false;
	if (i->plen > (i->kind == INDICATOR_IP4 ? 32 : 128))
		return false;
	s->family = i->kind == INDICATOR_IP4 ? 4 : 6;
	memset(s->lo, 0, sizeof(s->lo));
	memset(s->hi, 0xff, sizeof(s->hi));
	memcpy(s->lo, i->value, whole);
	memcpy(s->hi, i->value, whole);
	if (i->plen % 8 != 0) {
		uint8_t host = (uint8_t)(0xff >> i->plen % 8);

		s->lo[whole] = i->value[whole] & (uint8_t)~host;
		s->hi[whole] = i->value[whole] | host;
	}
	return true;
}

static int compare(const void *a, const void *b)
{
	const struct nft_span *x = a, *y = b;

	if (x->family != y->family)
		return x->family < y->family ? -1 : 1;
	return memcmp(x->lo, y->lo, sizeof(x->lo));
}

/* Whether b begins inside a or right behind it (a->lo <= b->lo). */
static bool touches(const struct nft_span *a, const struct nft_span *b)
{
	uint8_t after[16];
	unsigned at = 16;

	if (a->family != b->family)
		return false;
	if (memcmp(b->lo, a->hi, 16) <= 0)
		return true;
	memcpy(after, a->hi, 16);
	while (at > 0 && ++after[at - 1] == 0)
		at--;
	return at > 0 && memcmp(after, b->lo, 16) == 0;
}

int nft_spans_make(
	struct nft_span **spans, size_t *count, const struct indicator *list, size_t n)
{
	struct nft_span *s;
	size_t kept = 0, merged = 0;

	*spans = NULL;
	*count = 0;
	if (n == 0)
		return 0;
	s = calloc(n, sizeof(*s));
	if (!s)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (span_of(&s[kept], &list[i]))
			kept++;
	if (kept == 0) {
		free(s);
		return 0;
	}
	qsort(s, kept, sizeof(*s), compare);
	for (size_t i = 1; i < kept; i++) {
		if (!touches(&s[merged], &s[i]))
			s[++merged] = s[i];
		else if (memcmp(s[i].hi, s[merged].hi, 16) > 0)
			memcpy(s[merged].hi, s[i].hi, 16);
	}
	*spans = s;
	*count = merged + 1;
	return 0;
}

bool nft_spans_overlap(const struct nft_span *spans, size_t n, const struct indicator *i)
{
	struct nft_span own;
	size_t first = 0, last = n;

	if (!span_of(&own, i))
		return false;
	/* The first span that does not end before own begins. */
	while (first < last) {
		size_t middle = first + (last - first) / 2;
		const struct nft_span *s = &spans[middle];

		if (s->family < own.family ||
			(s->family == own.family && memcmp(s->hi, own.lo, 16) < 0))
			first = middle + 1;
		else
			last = middle;
	}
	return first < n && spans[first].family == own.family &&
		memcmp(spans[first].lo, own.hi, 16) <= 0;
}
