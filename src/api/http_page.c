/* SPDX-License-Identifier: Apache-2.0 */
#include "api/http_page.h"

#include "base/hex.h"

/* Looked at, at once. */
#define PORTION 64

/*
 * One more that belongs to the page. Returns whether the page can take more: the one
 * behind the last only tells that there is another page.
 */
static bool take(struct http_page *p, const struct indicator *i, struct indicator *out)
{
	if (p->count == p->query.limit) {
		p->done = p->more = true;
		return false;
	}
	*out = p->last = *i;
	p->count++;
	return true;
}

size_t http_page_step(struct http_page *p, const struct registry *r, uint32_t now,
	struct indicator out[HTTP_PAGE_STEP])
{
	const struct http_page_query *q = &p->query;
	struct indicator list[PORTION];
	size_t found = 0;

	for (size_t looked = 0;
		!p->done && found < HTTP_PAGE_STEP && looked < HTTP_PAGE_LOOK;
		looked += PORTION) {
		const struct indicator *after = p->looked ? &p->at :
			q->has_after                      ? &q->after :
							    NULL;
		size_t n = registry_after(r, after, list, PORTION);

		for (size_t k = 0; k < n && !p->done && found < HTTP_PAGE_STEP; k++) {
			p->looked = true;
			p->at = list[k];
			if ((!q->kind || list[k].kind == q->kind) &&
				registry_listed(r, &list[k], q->category, now) &&
				take(p, &list[k], &out[found]))
				found++;
		}
		if (n < PORTION && (!n || !memcmp(&p->at, &list[n - 1], sizeof p->at)))
			p->done = true;
	}
	return found;
}

char *http_cursor_print(char *dst, const struct indicator *last, uint32_t order)
{
	uint8_t bytes[4];

	be32_store(bytes, order);
	hex_encode(dst, (const uint8_t *)last, sizeof *last);
	hex_encode(dst + 2 * INDICATOR_SIZE, bytes, sizeof bytes);
	return dst;
}

int http_cursor_parse(struct indicator *out, const char *text, uint32_t order)
{
	uint8_t bytes[4];
	struct view all = view_str(text);

	if (all.n != HTTP_CURSOR - 1 ||
		hex_decode((uint8_t *)out, sizeof *out,
			view_head(all, 2 * INDICATOR_SIZE)) ||
		hex_decode(bytes, sizeof bytes, view_from(all, 2 * INDICATOR_SIZE)))
		return -1;
	return be32_load(bytes) == order ? 0 : -2;
}
