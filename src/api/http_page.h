/* SPDX-License-Identifier: Apache-2.0 */
#ifndef API_HTTP_PAGE_H
#define API_HTTP_PAGE_H

#include "ledger/registry.h"

/*
 * A page of the indicators that are listed, in the registry's own order
 * (registry_after()), found step by step: a step looks at a bounded number, so that
 * whoever waits for the same loop waits for no page. A page begins after a cursor,
 * which is the last indicator of the page before: it stays good whatever comes and
 * goes meanwhile, also between two steps. Whoever follows the pages to their end has
 * seen every indicator that was listed all the while, and none twice. Pure.
 */
#define HTTP_PAGE_MAX  5000
#define HTTP_PAGE_STEP 32   /* most that a step finds */
#define HTTP_PAGE_LOOK 1024 /* most that it looks at, about */
#define HTTP_CURSOR    (2 * INDICATOR_SIZE + 8 + 1)

struct http_page_query {
	uint8_t kind;     /* enum indicator_kind; 0: any */
	uint8_t category; /* of a live report about it; 0: any but objections alone */
	bool has_after;
	struct indicator after;
	size_t limit; /* 1 .. HTTP_PAGE_MAX */
};

/* Begun with the query and zeros; the last four are the answer. */
struct http_page {
	struct http_page_query query;
	bool looked;         /* at anything: .. */
	struct indicator at; /* .. up to this */
	bool done;
	bool more;             /* done, and another page follows .. */
	struct indicator last; /* .. after this, the last that was found */
	size_t count;          /* found in all steps */
};

/*
 * The next step. What it finds into out; returns how many, 0 too while there is more
 * to look at, until p->done.
 */
size_t http_page_step(struct http_page *p, const struct registry *r, uint32_t now,
	struct indicator out[HTTP_PAGE_STEP]);

/*
 * A cursor's text, of HTTP_CURSOR bytes, and back: 0, -1 when it is none, -2 when it
 * was of another order (registry_order()), as before the node's last start.
 */
char *http_cursor_print(char *dst, const struct indicator *last, uint32_t order);
int http_cursor_parse(struct indicator *out, const char *text, uint32_t order);

#endif
