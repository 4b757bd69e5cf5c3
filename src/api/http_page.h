/* SPDX-License-Identifier: Apache-2.0 */
#ifndef API_HTTP_PAGE_H
#define API_HTTP_PAGE_H

#include "ledger/registry.h"

/*
 * A page of the indicators that are listed, in the order of indicator_compare().
 * A page begins after a cursor, which is the last indicator of the page before: it
 * stays good whatever comes and goes meanwhile. Whoever follows the pages to their
 * end has seen every indicator that was listed all the while, and none twice. Pure.
 */
#define HTTP_PAGE_MAX 5000
#define HTTP_CURSOR   (2 * INDICATOR_SIZE + 1)

struct http_page_query {
	uint8_t kind;     /* enum indicator_kind; 0: any */
	uint8_t category; /* of a live report about it; 0: any but objections alone */
	bool has_after;
	struct indicator after;
	size_t limit; /* 1 .. HTTP_PAGE_MAX */
};

/*
 * Into out[limit]; returns how many, or -1 when memory is short. *more: another page
 * follows.
 */
long http_page(const struct registry *r, const struct http_page_query *query,
	uint32_t now, struct indicator *out, bool *more);

/* A cursor's text, of HTTP_CURSOR bytes, and back: 0 or -1. */
char *http_cursor_print(char *dst, const struct indicator *last);
int http_cursor_parse(struct indicator *out, const char *text);

#endif
