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

	pen_printf(pen, a->family == 6 ? "[%s]:%u" : "%s:%u", address_print(text, a), port);
}

static void put_date(struct pen *pen, usec now)
{
	static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul",
		"Aug", "Sep", "Oct", "Nov", "Dec"};
	time_t t = (time_t)(now / USEC_PER_SEC);
	struct tm tm;

	/* Not strftime(3): its names are the locale's. */
	if (!gmtime_r(&t, &tm))
		return;
	pen_printf(pen, "%s, %02d %s %d %02d:%02d:%02d GMT", days[tm.tm_wday % 7],
		tm.tm_mday, months[tm.tm_mon % 12], tm.tm_year + 1900, tm.tm_hour, tm.tm_min,
		tm.tm_sec);
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
		pen_printf(&w->pen, ";rport=%u", a->path->remote_port);
	if (a->profile->via_first)
		pen_printf(&w->pen, ";received=%s", address);
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
				pen_printf(&w->pen, ";rport=%u", a->path->remote_port);
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
		pen_printf(&w->pen, ";received=%s", address);
	pen_unfolded(&w->pen, view_from(text, first.n));
}

static void put_to(struct writing *w)
{
	pen_unfolded(&w->pen, w->a->echo->to);
	if (w->a->tag[0] && (w->how < SHORT_NO_TAG || w->a->keep_tag))
		pen_printf(&w->pen, ";tag=%s", w->a->tag);
}

/* What a placeholder stands for. False: there is no such one. */
static bool put_value(struct writing *w, struct view word)
{
	const struct answer *a = w->a;
	const struct honeypot_profile *p = a->profile;
	char text[ADDRESS_TEXT];

	if (view_eq(word, view_str("from")))
		pen_unfolded(&w->pen, a->echo->from);
	else if (view_eq(word, view_str("to")))
		put_to(w);
	else if (view_eq(word, view_str("call-id")))
		pen_unfolded(&w->pen, a->echo->call_id);
	else if (view_eq(word, view_str("cseq")))
		pen_unfolded(&w->pen, a->echo->cseq);
	else if (view_eq(word, view_str("contact")))
		pen_unfolded(&w->pen, view_head(sip_list_first(a->echo->contact),
					      view_find(sip_list_first(a->echo->contact), '>') + 1));
	else if (view_eq(word, view_str("agent")))
		pen_str(&w->pen, p->text + p->agent);
	else if (view_eq(word, view_str("nonce")))
		pen_str(&w->pen, w->how >= SHORT_FORMS ? a->short_nonce : a->nonce);
	else if (view_eq(word, view_str("stale")))
		pen_str(&w->pen, a->stale ? ",stale=true" : "");
	else if (view_eq(word, view_str("opaque")))
		pen_printf(&w->pen, "%016llx", (unsigned long long)a->opaque);
	else if (view_eq(word, view_str("length")))
		pen_printf(&w->pen, "%zu", w->body);
	else if (view_eq(word, view_str("unsupported")))
		pen_unfolded(&w->pen, a->unsupported);
	else if (view_eq(word, view_str("expires")))
		pen_printf(&w->pen, "%lld", (long long)a->expires);
	else if (view_eq(word, view_str("dialled")))
		pen_unfolded(&w->pen, a->dialled);
	else if (view_eq(word, view_str("local")))
		pen_address(&w->pen, &a->shown, a->path->local_port);
	else if (view_eq(word, view_str("local-ip")))
		pen_str(&w->pen, address_print(text, &a->shown));
	else if (view_eq(word, view_str("family")))
		pen_str(&w->pen, a->shown.family == 6 ? "IP6" : "IP4");
	else if (view_eq(word, view_str("date")))
		put_date(&w->pen, a->now);
	else if (view_eq(word, view_str("id")))
		pen_printf(&w->pen, "%llu", (unsigned long long)(a->id % 4000000000u));
	else if (view_eq(word, view_str("port")))
		pen_printf(&w->pen, "%u", 10000u + (unsigned)(a->id / 7 % 5000u) * 2u);
	else
		return false;
	return true;
}

/* A profile's text with its placeholders filled in. */
static void put_template(struct writing *w, const char *text)
{
	const struct honeypot_profile *p = w->a->profile;

	while (*text) {
		size_t n = strcspn(text, "{");
		const char *end = text[n] ? strchr(text + n, '}') : NULL;
		struct view word;

		pen_put(&w->pen, view_of(text, n));
		text += n;
		if (!*text)
			return;
		if (!end) {
			pen_str(&w->pen, text);
			return;
		}
		word = view_of(text + 1, (size_t)(end - text - 1));
		/* The realm may hold placeholders, but not itself. */
		if (view_eq(word, view_str("realm")) && text != p->text + p->realm) {
			if (!strstr(p->text + p->realm, "{realm}"))
				put_template(w, p->text + p->realm);
		} else if (!put_value(w, word)) {
			pen_put(&w->pen, view_of(text, word.n + 2));
		}
		text = end + 1;
	}
}

static void put_line(struct writing *w, const char *name, struct view value)
{
	pen_str(&w->pen, name);
	pen_str(&w->pen, ": ");
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
	const char *name = p->text + h->name, *value = p->text + h->value;
	const struct echo *e = w->a->echo;

	if (!strcmp(value, "{via}")) {
		for (unsigned i = 0; i < e->n_vias; i++) {
			if (i) {
				put_line(w, name, e->via[i]);
				continue;
			}
			pen_printf(&w->pen, "%s: ", name);
			put_top_via(w, e->via[0]);
			pen_str(&w->pen, "\r\n");
		}
		return;
	}
	if (!strcmp(value, "{record-route}")) {
		for (unsigned i = 0; i < e->n_record_routes; i++)
			put_line(w, name, e->record_route[i]);
		return;
	}
	/* REGISTER without a contact, or with "*": nothing is bound. */
	if (!strncmp(value, "{contact}", 9) && (!e->contact.n || e->contact.p[0] == '*'))
		return;
	pen_printf(&w->pen, "%s: ", name);
	put_template(w, value);
	pen_str(&w->pen, "\r\n");
}

/* The whole answer. Returns how many optional headers it could have. */
static unsigned put_answer(struct writing *w)
{
	const struct answer *a = w->a;
	unsigned optional = 0;

	pen_printf(&w->pen, "SIP/2.0 %u %s\r\n", a->status, a->reason);
	for (unsigned i = 0; i < a->profile->n_headers; i++) {
		const struct profile_header *h = &a->profile->headers[i];

		if (!stands(w, h) || (h->optional && optional++ >= w->optional) ||
			(h->preferred && w->how >= SHORT_PREFERRED))
			continue;
		put_header(w, h);
	}
	pen_str(&w->pen, "\r\n");
	if (w->body)
		pen_put(&w->pen, view_of(w->sdp, w->body));
	return optional;
}

static void make_sdp(struct writing *w)
{
	w->pen = (struct pen){.p = (uint8_t *)w->sdp, .max = sizeof w->sdp};
	put_template(w, w->how >= SHORT_FORMS ? w->a->profile->short_sdp : w->a->profile->sdp);
	w->body = w->pen.full ? 0 : w->pen.n;
}

size_t answer_write(const struct answer *a, uint8_t *dst, size_t most)
{
	struct writing w = {.a = a};
	unsigned optional = UINT32_MAX;

	for (w.how = SHORT_NOT; w.how < SHORTNESSES;) {
		if (a->sdp && (w.how == SHORT_NOT || w.how == SHORT_FORMS))
			make_sdp(&w);
		w.pen = (struct pen){.p = dst, .max = most};
		w.optional = optional;
		if (w.how == SHORT_NOT)
			optional = put_answer(&w);
		else
			(void)put_answer(&w);
		if (!w.pen.full)
			return w.pen.n;
		/* One optional header after the other, the last first. */
		if (optional) {
			w.how = SHORT_OPTIONAL;
			optional--;
		} else {
			w.how = w.how < SHORT_FORMS ? SHORT_FORMS : w.how + 1;
		}
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
	const char *at;

	while ((at = strstr(lines, "{agent}"))) {
		pen_put(pen, view_of(lines, (size_t)(at - lines)));
		pen_str(pen, p->text + p->agent);
		lines = at + 7;
	}
	pen_str(pen, lines);
}
