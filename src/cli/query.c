/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/query.h"

#include <stdio.h>
#include <string.h>

struct readings {
	struct query *list;
	int n;
};

/* Add "lead text" when it is an indicator. Returns whether it is. */
static bool add(struct readings *r, const char *lead, struct view text, const char *as)
{
	struct query *q = &r->list[r->n];
	struct indicator i;

	if (r->n == QUERY_MAX || strlen(lead) + text.n >= sizeof q->text)
		return false;
	snprintf(q->text, sizeof q->text, "%s%.*s", lead, (int)text.n,
		(const char *)text.p);
	if (indicator_parse(&i, NULL, view_str(q->text), NULL))
		return false;
	q->as = as;
	r->n++;
	return true;
}

/* The host of a canonical SIP URI: RFC 3261 25.1, hostport. */
static struct view uri_host(struct view uri)
{
	struct view host = view_from(uri, view_find(uri, ':') + 1);
	size_t at = view_find(host, '@');

	if (at < host.n)
		host = view_from(host, at + 1);
	host = view_head(host, view_find(host, ';'));
	if (host.n && host.p[0] == '[')
		return view_head(view_from(host, 1), view_find(host, ']') - 1);
	return view_head(host, view_find(host, ':'));
}

/*
 * A URI that is listed by its host is as good as listed; of its domain the answer about
 * the URI tells.
 */
static void add_host(struct readings *r)
{
	char canonical[INDICATOR_SOURCE_TEXT + 1] = "";
	struct indicator i;
	struct view host;

	if (indicator_parse(&i, canonical, view_str(r->list[0].text), NULL) ||
		i.kind != INDICATOR_URI || !canonical[0])
		return;
	host = uri_host(view_str(canonical));
	add(r, "", host, "its host");
}

/* Whether every byte of text is one of set. */
static bool only(struct view text, const char *set)
{
	for (size_t i = 0; i < text.n; i++)
		if (!text.p[i] || !strchr(set, text.p[i]))
			return false;
	return true;
}

static unsigned count(struct view text, uint8_t c)
{
	unsigned n = 0;

	for (size_t i = 0; i < text.n; i++)
		n += text.p[i] == c;
	return n;
}

/* What can only be a misspelt address is no agent's name. */
static bool misspelt_address(struct view text)
{
	return (only(text, "0123456789./") && count(text, '.')) ||
		(only(text, "0123456789abcdefABCDEF:./") && count(text, ':') > 1);
}

/* A bare number: international when it starts with 00 or as it stands. */
static void add_number(struct readings *r, struct view text)
{
	bool prefixed = view_starts(text, "00");

	add(r, "+", prefixed ? view_from(text, 2) : text, "a number");
}

int query_read(struct query readings[QUERY_MAX], const char *text, struct error *err)
{
	struct view v = view_trim(view_str(text));
	struct readings r = {readings, 0};
	struct indicator i;

	if (add(&r, "", v, NULL)) {
		add_host(&r);
		return r.n;
	}
	/* For its text, which says what would be right. */
	indicator_parse(&i, NULL, v, err);
	if (!v.n || misspelt_address(v))
		return -1;
	if (only(v, "0123456789 -().*")) {
		add_number(&r, v);
	} else if (view_find(v, '@') < v.n) {
		if (add(&r, "sip:", v, "a SIP URI"))
			add_host(&r);
	} else if (view_find(v, ':') == v.n || view_find(v, ' ') < v.n) {
		if (view_find(v, '.') < v.n)
			add(&r, "domain:", v, "a domain");
		add(&r, "agent:", v, "a user agent");
	}
	return r.n ? r.n : -1;
}
