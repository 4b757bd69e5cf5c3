/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/honeypot/answer.h"

#include <stdio.h>
#include <time.h>

#define SDP_MAX 1400

/* How short it has to be, each including those before. */
enum shortness {
	SHORT_NOT = 0,
	SHORT_OPTIONAL,
	SHORT_FORMS,
	SHORT_PREFERRED,
	SHORT_NO_TAG,
	SHORT_VIA,
	SHORTNESSES
};

struct writing {
	const struct answer *a;
	struct pen pen;
	enum shortness how;
	unsigned optional; /* so many optional headers stay */
	uint16_t lengths[PROFILE_HEADERS_MAX];
	size_t body;
	char sdp[SDP_MAX];
};

const char *answer_reason(unsigned status)
{
	static const struct {
		uint16_t status;
		const char *reason;
	} reasons[] = {
		{100, "Trying"},
		{180, "Ringing"},
		{200, "OK"},
		{202, "Accepted"},
		{400, "Bad Request"},
		{401, "Unauthorized"},
		{403, "Forbidden"},
		{404, "Not Found"},
		{405, "Method Not Allowed"},
		{406, "Not Acceptable"},
		{415, "Unsupported Media Type"},
		{416, "Unsupported URI Scheme"},
		{420, "Bad Extension"},
		{481, "Call/Transaction Does Not Exist"},
		{486, "Busy Here"},
		{487, "Request Terminated"},
		{501, "Not Implemented"},
		{503, "Service Unavailable"},
		{505, "Version Not Supported"},
	};

	for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return "";
}

void pen_address(struct pen *pen, const struct address *a, uint16_t port)
{
	char text[ADDRESS_TEXT];

	pen_str(pen, a->family == 6 ? "[" : "");
	pen_str(pen, address_print(text, a));
	pen_str(pen, a->family == 6 ? "]:" : ":");
	pen_number(pen, port);
}

static void put_date(struct pen *pen, usec now)
{
	static const char *const days[] = {
		"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
		"Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	time_t t = (time_t)(now / USEC_PER_SEC);
	struct tm tm;

	/* Not strftime(3): its names are the locale's. */
	if (!gmtime_r(&t, &tm))
		return;
	pen_printf(pen, "%s, %02d %s %d %02d:%02d:%02d GMT", days[tm.tm_wday % 7],
		tm.tm_mday, months[tm.tm_mon % 12], tm.tm_year + 1900, tm.tm_hour,
		tm.tm_min, tm.tm_sec);
}

static void put_rport(struct writing *w)
{
	pen_str(&w->pen, ";rport=");
	pen_number(&w->pen, w->a->path->remote_port);
}

static void put_received(struct writing *w, const char *address)
{
	pen_str(&w->pen, ";received=");
	pen_str(&w->pen, address);
}

/*
 * The topmost Via with rport and received (RFC 3261 18.2.1, RFC 3581 4). What a list
 * of several Vias in one header holds behind the first, follows unchanged.
 */
static void put_top_via(struct writing *w, struct view text)
{
	const struct answer *a = w->a;
	struct view first = sip_list_first(text), head, rest, name, value;
	char address[ADDRESS_TEXT];
	size_t semicolon = view_find(first, ';');
	bool rport;

	address_print(address, &a->path->remote);
	if (w->how >= SHORT_VIA || !a->via ||
		(!a->via->wants_rport && view_eq_nocase(a->via->host, address))) {
		pen_unfolded(&w->pen, text);
		return;
	}
	rport = a->via->wants_rport;
	head = view_trim(view_head(first, semicolon));
	pen_unfolded(&w->pen, head);
	if (a->profile->via_first && rport)
		put_rport(w);
	if (a->profile->via_first)
		put_received(w, address);
	rest = view_from(first, semicolon + 1);
	for (;;) {
		struct view before = view_trim(rest);
		int got = sip_param_next(&rest, ';', &name, &value);

		if (got <= 0)
			break;
		if (view_eq_nocase(name, "received"))
			continue;
		if (view_eq_nocase(name, "rport")) {
			if (!a->profile->via_first)
				put_rport(w);
			continue;
		}
		/* As it came, quotes and all. */
		before.n = (size_t)((rest.n ? rest.p : first.p + first.n) - before.p);
		before = view_trim(before);
		if (before.n && before.p[before.n - 1] == ';')
			before.n--;
		pen_str(&w->pen, ";");
		pen_unfolded(&w->pen, view_trim(before));
	}
	if (!a->profile->via_first)
		put_received(w, address);
	pen_unfolded(&w->pen, view_from(text, first.n));
}

static void put_tag(struct writing *w)
{
	pen_str(&w->pen, ";tag=");
	pen_str(&w->pen, w->a->tag);
}

static void put_to(struct writing *w)
{
	pen_unfolded(&w->pen, w->a->echo->to);
	if (w->a->tag[0] && (w->how < SHORT_NO_TAG || w->a->keep_tag))
		put_tag(w);
}

static void put_contact(struct writing *w)
{
	struct view first = sip_list_first(w->a->echo->contact);

	pen_unfolded(&w->pen, view_head(first, view_find(first, '>') + 1));
}

static void put_template(struct writing *w, const char *text);

/* The realm may hold placeholders, but not itself. */
static void put_realm(struct writing *w)
{
	const char *realm = w->a->profile->text + w->a->profile->realm;
	static const char itself[] = {PLACEHOLDER_MARK, PLACEHOLDER_REALM, 0};

	if (!strstr(realm, itself))
		put_template(w, realm);
}

/* What a request is answered with of its own words. */
static bool put_echo(struct writing *w, enum placeholder code)
{
	const struct echo *e = w->a->echo;

	if (code == PLACEHOLDER_FROM)
		pen_unfolded(&w->pen, e->from);
	else if (code == PLACEHOLDER_TO)
		put_to(w);
	else if (code == PLACEHOLDER_CALL_ID)
		pen_unfolded(&w->pen, e->call_id);
	else if (code == PLACEHOLDER_CSEQ)
		pen_unfolded(&w->pen, e->cseq);
	else if (code == PLACEHOLDER_CONTACT)
		put_contact(w);
	else if (code == PLACEHOLDER_DIALLED)
		pen_unfolded(&w->pen, w->a->dialled);
	else if (code == PLACEHOLDER_UNSUPPORTED)
		pen_unfolded(&w->pen, w->a->unsupported);
	else
		return false;
	return true;
}

static void put_placeholder(struct writing *w, enum placeholder code)
{
	const struct answer *a = w->a;
	char text[ADDRESS_TEXT];

	if (put_echo(w, code))
		return;
	if (code == PLACEHOLDER_AGENT)
		pen_str(&w->pen, a->profile->text + a->profile->agent);
	else if (code == PLACEHOLDER_REALM)
		put_realm(w);
	else if (code == PLACEHOLDER_NONCE)
		pen_str(&w->pen, w->how >= SHORT_FORMS ? a->short_nonce : a->nonce);
	else if (code == PLACEHOLDER_STALE)
		pen_str(&w->pen, a->stale ? ",stale=true" : "");
	else if (code == PLACEHOLDER_OPAQUE)
		pen_printf(&w->pen, "%016llx", (unsigned long long)a->opaque);
	else if (code == PLACEHOLDER_LENGTH)
		pen_number(&w->pen, w->body);
	else if (code == PLACEHOLDER_EXPIRES)
		pen_number(&w->pen, (uint64_t)a->expires);
	else if (code == PLACEHOLDER_LOCAL)
		pen_address(&w->pen, &a->shown, a->path->local_port);
	else if (code == PLACEHOLDER_LOCAL_IP)
		pen_str(&w->pen, address_print(text, &a->shown));
	else if (code == PLACEHOLDER_FAMILY)
		pen_str(&w->pen, a->shown.family == 6 ? "IP6" : "IP4");
	else if (code == PLACEHOLDER_DATE)
		put_date(&w->pen, a->now);
	else if (code == PLACEHOLDER_ID)
		pen_number(&w->pen, a->id % 4000000000u);
	else if (code == PLACEHOLDER_PORT)
		pen_number(&w->pen, 10000u + a->id / 7 % 5000u * 2u);
}

/* A profile's text with its placeholders filled in. */
static void put_template(struct writing *w, const char *text)
{
	for (;;) {
		const char *end = strchrnul(text, PLACEHOLDER_MARK);

		pen_put(&w->pen, view_of(text, (size_t)(end - text)));
		if (!*end)
			return;
		put_placeholder(w, (enum placeholder)end[1]);
		text = end + 2;
	}
}

static void put_line(struct writing *w, struct view name, struct view value)
{
	pen_put(&w->pen, name);
	pen_unfolded(&w->pen, value);
	pen_str(&w->pen, "\r\n");
}

static bool stands(const struct writing *w, const struct profile_header *h)
{
	const struct answer *a = w->a;
	bool is_short = w->how >= SHORT_FORMS;

	return h->methods & (1u << a->method) && a->status >= h->low &&
		a->status <= h->high && (is_short ? h->in_short : h->in_long) &&
		(!h->sdp || w->body);
}

static void put_header(struct writing *w, const struct profile_header *h)
{
	const struct honeypot_profile *p = w->a->profile;
	const char *line = p->text + h->line, *value = p->text + h->value;
	struct view name = view_of(line, (size_t)(h->value - h->line));
	const struct echo *e = w->a->echo;

	enum placeholder code = value[0] == PLACEHOLDER_MARK ?
		(enum placeholder)value[1] :
		0;

	if (code == PLACEHOLDER_VIA) {
		for (unsigned i = 0; i < e->n_vias; i++) {
			if (i) {
				put_line(w, name, e->via[i]);
				continue;
			}
			pen_put(&w->pen, name);
			put_top_via(w, e->via[0]);
			pen_str(&w->pen, "\r\n");
		}
		return;
	}
	if (code == PLACEHOLDER_RECORD_ROUTE) {
		for (unsigned i = 0; i < e->n_record_routes; i++)
			put_line(w, name, e->record_route[i]);
		return;
	}
	/* REGISTER without a contact, or with "*": nothing is bound. */
	if (code == PLACEHOLDER_CONTACT && (!e->contact.n || e->contact.p[0] == '*'))
		return;
	put_template(w, line);
}

/* The whole answer; how long each optional header is, goes into w->lengths. */
static void put_answer(struct writing *w)
{
	const struct answer *a = w->a;
	const struct honeypot_profile *p = a->profile;
	unsigned optional = 0;

	pen_str(&w->pen, "SIP/2.0 ");
	pen_number(&w->pen, a->status);
	pen_str(&w->pen, " ");
	pen_str(&w->pen, a->reason);
	pen_str(&w->pen, "\r\n");
	for (unsigned i = 0; i < p->n_headers; i++) {
		const struct profile_header *h = &p->headers[i];
		size_t before = w->pen.n;

		if (!stands(w, h) || (h->preferred && w->how >= SHORT_PREFERRED) ||
			(h->optional && optional >= w->optional))
			continue;
		put_header(w, h);
		if (h->optional)
			w->lengths[optional++] = (uint16_t)(w->pen.n - before);
	}
	w->optional = optional;
	pen_str(&w->pen, "\r\n");
	if (w->body)
		pen_put(&w->pen, view_of(w->sdp, w->body));
}

static void make_sdp(struct writing *w)
{
	w->pen = (struct pen){.p = (uint8_t *)w->sdp, .max = sizeof w->sdp};
	put_template(
		w, w->how >= SHORT_FORMS ? w->a->profile->short_sdp : w->a->profile->sdp);
	w->body = w->pen.full ? 0 : w->pen.n;
}

size_t answer_write(const struct answer *a, uint8_t *dst, size_t size, size_t most)
{
	struct writing w = {.a = a, .optional = PROFILE_HEADERS_MAX};

	for (w.how = SHORT_NOT; w.how < SHORTNESSES; w.how++) {
		size_t n;

		if (a->sdp && (w.how == SHORT_NOT || w.how == SHORT_FORMS))
			make_sdp(&w);
		w.pen = (struct pen){.p = dst, .max = size};
		put_answer(&w);
		n = w.pen.n;
		if (!w.pen.full && n <= most)
			return n;
		/* The last optional ones go until it would fit; it is then written so. */
		while (w.optional && (w.pen.full || n > most))
			n -= w.lengths[--w.optional];
	}
	return 0;
}

void answer_path(struct honeypot_path *to, const struct honeypot_path *path,
	const struct sip_via *via)
{
	uint64_t port = 5060;

	*to = *path;
	if (path->transport != TRANSPORT_UDP || !via || via->wants_rport)
		return;
	if (via->port.n && (view_decimal(via->port, 65535, &port) || !port))
		return;
	to->remote_port = (uint16_t)port;
}

void answer_lines(struct pen *pen, const struct honeypot_profile *p, const char *lines)
{
	for (;;) {
		const char *end = strchrnul(lines, PLACEHOLDER_MARK);

		pen_put(pen, view_of(lines, (size_t)(end - lines)));
		if (!*end)
			return;
		if (end[1] == PLACEHOLDER_AGENT)
			pen_str(pen, p->text + p->agent);
		lines = end + 2;
	}
}
