/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/honeypot/answer_text.h"

#include <stdarg.h>
#include <stdio.h>

#include "sense/honeypot/secrets.h"

enum known {
	KNOWN_OTHER = 0,
	KNOWN_VIA,
	KNOWN_FROM,
	KNOWN_TO,
	KNOWN_CALL_ID,
	KNOWN_CSEQ,
	KNOWN_CONTACT,
	KNOWN_RECORD_ROUTE,
	KNOWN_REQUIRE,
	KNOWN_CONTENT_TYPE,
	KNOWN_CONTENT_ENCODING,
	KNOWN_ACCEPT,
	KNOWN_EVENT,
	KNOWN_MAX_FORWARDS,
	KNOWN_AUTHORIZATION,
};

static const struct {
	const char *name;
	uint8_t length;
	char compact;
	uint8_t known;
} names[] = {
	{"Via", 3, 'v', KNOWN_VIA},
	{"From", 4, 'f', KNOWN_FROM},
	{"To", 2, 't', KNOWN_TO},
	{"Call-ID", 7, 'i', KNOWN_CALL_ID},
	{"CSeq", 4, 0, KNOWN_CSEQ},
	{"Contact", 7, 'm', KNOWN_CONTACT},
	{"Record-Route", 12, 0, KNOWN_RECORD_ROUTE},
	{"Require", 7, 0, KNOWN_REQUIRE},
	{"Content-Type", 12, 'c', KNOWN_CONTENT_TYPE},
	{"Content-Encoding", 16, 'e', KNOWN_CONTENT_ENCODING},
	{"Accept", 6, 0, KNOWN_ACCEPT},
	{"Event", 5, 'o', KNOWN_EVENT},
	{"Max-Forwards", 12, 0, KNOWN_MAX_FORWARDS},
	{"Authorization", 13, 0, KNOWN_AUTHORIZATION},
	{"Proxy-Authorization", 19, 0, KNOWN_AUTHORIZATION},
};

static enum known known_of(struct view name)
{
	uint8_t first = name.p[0] | 0x20;

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (name.n == 1 && first == (uint8_t)names[i].compact)
			return names[i].known;
		if (name.n == names[i].length &&
			first == (uint8_t)(names[i].name[0] | 0x20) &&
			view_eq_nocase(name, names[i].name))
			return names[i].known;
	}
	return KNOWN_OTHER;
}

/* Take a line off *rest, without CRLF or LF; the last may lack it. */
static bool take_line(struct view *rest, struct view *line)
{
	size_t n = view_find(*rest, '\n');

	if (!rest->n)
		return false;
	*line = view_head(*rest, n);
	if (n < rest->n && n && line->p[n - 1] == '\r')
		line->n--;
	*rest = view_from(*rest, n + 1);
	return true;
}

struct header_walk header_walk_begin(struct view packet)
{
	struct header_walk w = {.rest = packet};
	struct view line;

	while (w.rest.n && (w.rest.p[0] == '\r' || w.rest.p[0] == '\n'))
		w.rest = view_from(w.rest, 1);
	(void)take_line(&w.rest, &line);
	return w;
}

bool header_walk_next(struct header_walk *w, struct view *name, struct view *value)
{
	struct view line, more;
	size_t colon;

	while (take_line(&w->rest, &line)) {
		if (!line.n) {
			w->body = w->rest;
			w->rest = (struct view){0};
			return false;
		}
		while (w->rest.n && (w->rest.p[0] == ' ' || w->rest.p[0] == '\t') &&
			take_line(&w->rest, &more))
			line.n = (size_t)(more.p + more.n - line.p);
		colon = view_find(line, ':');
		*name = view_trim(view_head(line, colon));
		*value = view_trim(view_from(line, colon + 1));
		if (colon < line.n && name->n)
			return true;
	}
	return false;
}

/* The first counts: RFC 3261 lets a message have one only. */
static void set(struct view *at, struct view value)
{
	if (!at->p)
		*at = value.p ? value : view_str("");
}

static void take_header(struct echo *e, enum known known, struct view v)
{
	uint64_t hops;

	switch (known) {
	case KNOWN_VIA:
		if (e->n_vias < ECHO_VIAS_MAX)
			e->via[e->n_vias++] = v;
		else
			e->too_many = true;
		break;
	case KNOWN_RECORD_ROUTE:
		if (e->n_record_routes < ECHO_ROUTES_MAX)
			e->record_route[e->n_record_routes++] = v;
		else
			e->too_many = true;
		break;
	case KNOWN_AUTHORIZATION:
		if (e->n_authorizations < SIP_DIGESTS_MAX)
			e->authorization[e->n_authorizations++] = v;
		break;
	case KNOWN_FROM:
		set(&e->from, v);
		break;
	case KNOWN_TO:
		set(&e->to, v);
		break;
	case KNOWN_CALL_ID:
		set(&e->call_id, v);
		break;
	case KNOWN_CSEQ:
		set(&e->cseq, v);
		break;
	case KNOWN_CONTACT:
		set(&e->contact, v);
		break;
	case KNOWN_REQUIRE:
		set(&e->require, v);
		break;
	case KNOWN_CONTENT_TYPE:
		set(&e->content_type, v);
		break;
	case KNOWN_CONTENT_ENCODING:
		set(&e->content_encoding, v);
		break;
	case KNOWN_ACCEPT:
		e->has_accept = true;
		set(&e->accept, v);
		break;
	case KNOWN_EVENT:
		set(&e->event, v);
		break;
	case KNOWN_MAX_FORWARDS:
		e->has_max_forwards = true;
		e->max_forwards_wrong = view_decimal(v, 255, &hops) != 0;
		break;
	case KNOWN_OTHER:
	default:
		break;
	}
}

void echo_read(struct echo *e, struct view packet)
{
	struct header_walk w = header_walk_begin(packet);
	struct view name, value;

	memset(e, 0, sizeof *e);
	e->secrets = secrets_may_be(view_head(packet, packet.n - w.rest.n));
	while (header_walk_next(&w, &name, &value)) {
		enum known known = known_of(name);

		take_header(e, known, value);
		/* These name no URI, and may have an @. */
		if (known != KNOWN_VIA && known != KNOWN_CALL_ID)
			e->secrets |= secrets_may_be(value);
	}
	e->body = w.body;
	e->secrets |= e->n_authorizations || secrets_may_be(e->body) ||
		secrets_tag_may_be(e->from);
}

void pen_number(struct pen *pen, uint64_t v)
{
	char text[20];
	size_t at = sizeof text;

	do
		text[--at] = (char)('0' + v % 10);
	while (v /= 10);
	pen_put(pen, view_of(text + at, sizeof text - at));
}

void pen_printf(struct pen *pen, const char *fmt, ...)
{
	char text[256];
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	if (n < 0 || (size_t)n >= sizeof text)
		pen->full = true;
	else
		pen_put(pen, view_of(text, (size_t)n));
}

void pen_unfolded(struct pen *pen, struct view text)
{
	size_t start = pen->n;

	pen_put(pen, text);
	for (size_t i = start; i < pen->n; i++)
		if (pen->p[i] == '\r' || pen->p[i] == '\n')
			pen->p[i] = ' ';
}
