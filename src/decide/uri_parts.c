/* SPDX-License-Identifier: Apache-2.0 */
#include "decide/uri_parts.h"

#include <string.h>

#include "indicator/address.h"
#include "indicator/number.h"

/* The end of a host: its port, or the URI's parameters. */
static struct view host_of(struct view rest)
{
	struct view host = view_head(rest, view_find(rest, ';'));

	/* The colons inside the brackets are the address's. */
	return view_head(host,
		host.n && host.p[0] == '[' ? view_find(host, ']') + 1 :
					     view_find(host, ':'));
}

/* The number that a user part is; kind 0: none. number_parse() words its refusal. */
static void number_of(struct indicator *out, struct view user)
{
	bool escaped = view_starts(user, "%2B");
	char text[64];

	user = view_head(user, view_find(user, ';'));
	if ((!escaped && !view_starts(user, "+")) || user.n >= sizeof text)
		return;
	text[0] = '+';
	view_copy(text + 1, sizeof text - 1, view_from(user, escaped ? 3 : 1));
	if (number_parse(out, view_str(text), NULL) || out->plen != 128)
		memset(out, 0, sizeof *out);
}

void uri_parts(struct uri_parts *out, const struct indicator *uri, const char *text)
{
	struct view rest = view_str(text ? text : "");
	struct address address;
	size_t at;

	memset(out, 0, sizeof *out);
	out->part[URI_ITSELF] = *uri;
	rest = view_from(rest, view_find(rest, ':') + 1);
	at = view_find(rest, '@');
	if (at < rest.n) {
		number_of(&out->part[URI_NUMBER], view_head(rest, at));
		rest = view_from(rest, at + 1);
	}
	rest = host_of(rest);
	if (!rest.n || !address_parse(&address, rest, NULL))
		return;
	out->host = rest;
	out->part[URI_DOMAIN] = indicator_from_canonical(INDICATOR_DOMAIN, rest);
}
