/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DECIDE_URI_PARTS_H
#define DECIDE_URI_PARTS_H

#include "base/bytes.h"
#include "indicator/indicator.h"

/*
 * What a call to a SIP URI is a call to: the URI itself, its domain, and the number
 * that its user part is. A ban of any of them refuses the call. Pure.
 */
enum uri_part {
	URI_ITSELF,
	URI_DOMAIN, /* kind 0: the host is an address */
	URI_NUMBER, /* kind 0: the user is no number */
	URI_PARTS,  /* how many */
};

struct uri_parts {
	struct indicator part[URI_PARTS];
	struct view host; /* the domain's text, inside the URI's */
};

/*
 * Of a URI and its canonical text (indicator_parse()), which must outlive *out; NULL or
 * "": it is not known, then nothing but the URI is. The user part is a number when it is
 * one in E.164 form, "+" (or %2B, as whoever evades a check writes it) and digits, with
 * or without ;user=phone, which few PBXs write; separators and parameters may stand in
 * it (RFC 3966). Digits alone are what somebody dialled: what they mean depends on where.
 */
void uri_parts(struct uri_parts *out, const struct indicator *uri, const char *text);

#endif
