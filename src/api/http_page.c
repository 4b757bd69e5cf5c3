/* SPDX-License-Identifier: Apache-2.0 */
#include "api/http_page.h"

#include <stdlib.h>

#include "base/hex.h"

/*
 * The least `limit` + 1 of those after the cursor, out of a walk in no order: what
 * may be among them is gathered in an array four times as long, and when that is
 * full it is sorted and cut. So n indicators cost n steps and a few sorts of a page,
 * and no order has to be kept while nobody asks.
 */
struct gathering {
	const struct http_page_query *query;
	struct indicator *list;
	size_t n, most, wanted;
	bool bounded; /* list[wanted - 1] was the greatest kept: nothing above counts */
	struct indicator bound;
};

static int compare(const void *a, const void *b)
{
	return indicator_compare(a, b);
}

/* Sort, drop what is there twice, keep the wanted. */
static void cut(struct gathering *g)
{
	size_t n = 0;

	qsort(g->list, g->n, sizeof *g->list, compare);
	for (size_t i = 0; i < g->n; i++)
		if (!n || memcmp(&g->list[i], &g->list[n - 1], sizeof *g->list) != 0)
			g->list[n++] = g->list[i];
	g->n = n < g->wanted ? n : g->wanted;
	if (g->n == g->wanted) {
		g->bounded = true;
		g->bound = g->list[g->n - 1];
	}
}

static bool gather(void *context, const struct report *word)
{
	struct gathering *g = context;
	const struct http_page_query *q = g->query;

	if ((q->kind && word->indicator.kind != q->kind) ||
		(q->category ? word->category != q->category :
			       word->category == CATEGORY_OBJECTION) ||
		(q->has_after && indicator_compare(&word->indicator, &q->after) <= 0) ||
		(g->bounded && indicator_compare(&word->indicator, &g->bound) >= 0))
		return true;
	g->list[g->n++] = word->indicator;
	if (g->n == g->most)
		cut(g);
	return true;
}

long http_page(const struct registry *r, const struct http_page_query *query,
	uint32_t now, struct indicator *out, bool *more)
{
	struct gathering g = {.query = query, .wanted = query->limit + 1};
	size_t n;

	g.most = 4 * g.wanted + 64;
	g.list = malloc(g.most * sizeof *g.list);
	if (!g.list)
		return -1;
	registry_each(r, now, gather, &g);
	cut(&g);
	*more = g.n > query->limit;
	n = *more ? query->limit : g.n;
	memcpy(out, g.list, n * sizeof *out);
	free(g.list);
	return (long)n;
}

char *http_cursor_print(char *dst, const struct indicator *last)
{
	return hex_encode(dst, (const uint8_t *)last, sizeof *last);
}

int http_cursor_parse(struct indicator *out, const char *text)
{
	if (strlen(text) != 2 * INDICATOR_SIZE)
		return -1;
	return hex_decode((uint8_t *)out, sizeof *out, view_str(text));
}
