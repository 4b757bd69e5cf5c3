/* SPDX-License-Identifier: Apache-2.0 */
#include "sip/field.h"

/* LWS, with the line breaks of a folded value. */
static bool is_space(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void skip_space(struct view *v)
{
	while (v->n && is_space(*v->p)) {
		v->p++;
		v->n--;
	}
}

/* Cut n bytes off the front and return them. */
static struct view take(struct view *v, size_t n)
{
	struct view head = {v->p, n};

	v->p += n;
	v->n -= n;
	return head;
}

static struct view take_token(struct view *v)
{
	size_t n = 0;

	while (n < v->n && sip_token_char(v->p[n]))
		n++;
	return take(v, n);
}

/*
 * The inside of the quoted string that v begins with; v moves past it. A
 * backslash takes the next byte with it (quoted-pair), so that \" does not
 * end the string.
 */
static int take_quoted(struct view *v, struct view *inside)
{
	for (size_t i = 1; i < v->n; i++) {
		if (v->p[i] == '\\') {
			i++;
		} else if (v->p[i] == '"') {
			*inside = (struct view){v->p + 1, i - 1};
			take(v, i + 1);
			return 0;
		}
	}
	return -1;
}

static bool ends_host(uint8_t c)
{
	switch (c) {
	case ' ':
	case '\t':
	case '\r':
	case '\n':
	case ':':
	case ';':
	case '?':
	case ',':
	case '<':
	case '>':
	case '"':
		return true;
	default:
		return false;
	}
}

/* A host, in brackets when it is IPv6; *host comes without them. */
static int take_host(struct view *v, struct view *host)
{
	size_t n = 0;

	if (v->n && v->p[0] == '[') {
		n = sip_find(*v, ']');
		if (n == v->n || n == 1)
			return -1;
		*host = (struct view){v->p + 1, n - 1};
		take(v, n + 1);
		return 0;
	}
	while (n < v->n && !ends_host(v->p[n]))
		n++;
	*host = take(v, n);
	return n ? 0 : -1;
}

/* ":port" when there is one. */
static int take_port(struct view *v, struct view *port)
{
	uint64_t number;
	size_t n = 0;

	*port = (struct view){0};
	skip_space(v);
	if (!v->n || v->p[0] != ':')
		return 0;
	take(v, 1);
	skip_space(v);
	while (n < v->n && v->p[n] >= '0' && v->p[n] <= '9')
		n++;
	*port = take(v, n);
	return view_decimal(*port, 65535, &number);
}

int sip_param_next(
	struct view *rest, uint8_t separator, struct view *name, struct view *value)
{
	size_t n = 0;

	*value = (struct view){0};
	skip_space(rest);
	if (!rest->n)
		return 0;
	*name = take_token(rest);
	if (!name->n)
		return -1;
	skip_space(rest);
	if (rest->n && *rest->p == '=') {
		take(rest, 1);
		skip_space(rest);
		if (rest->n && *rest->p == '"') {
			if (take_quoted(rest, value))
				return -1;
		} else {
			while (n < rest->n && rest->p[n] != separator &&
				rest->p[n] != '"' && !is_space(rest->p[n]))
				n++;
			*value = take(rest, n);
		}
		skip_space(rest);
	}
	if (!rest->n)
		return 1;
	if (*rest->p != separator)
		return -1;
	take(rest, 1);
	return 1;
}

/* The user part: the password goes, and so do a number's parameters. */
static struct view user_only(struct view user)
{
	user = view_head(user, sip_find(user, ':'));
	return view_head(user, sip_find(user, ';'));
}

int sip_uri_parse(struct sip_uri *u, struct view text)
{
	size_t at;

	*u = (struct sip_uri){0};
	u->scheme = take_token(&text);
	if (!u->scheme.n || !text.n || *text.p != ':')
		return -1;
	take(&text, 1);
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] <= ' ' || text.p[i] == '<' || text.p[i] == '>' ||
			text.p[i] == '"' || text.p[i] == 0x7f)
			return -1;
	if (view_eq_nocase(u->scheme, "tel")) {
		u->user = user_only(text);
		return u->user.n ? 0 : -1;
	}
	if (!view_eq_nocase(u->scheme, "sip") && !view_eq_nocase(u->scheme, "sips")) {
		u->host = text;
		return text.n ? 0 : -1;
	}
	at = sip_find(text, '@');
	if (at < text.n) {
		u->user = user_only(take(&text, at));
		take(&text, 1);
	}
	if (take_host(&text, &u->host) || take_port(&text, &u->port))
		return -1;
	if (!text.n)
		return 0;
	if (*text.p != ';' && *text.p != '?')
		return -1;
	if (*text.p == ';')
		u->parameters = view_head(
			view_from(text, 1), sip_find(view_from(text, 1), '?'));
	return 0;
}

/* The parameters behind From, To, Contact: only the tag is wanted. */
static int party_params(struct sip_party *p, struct view rest)
{
	struct view name, value;
	int got;

	while ((got = sip_param_next(&rest, ';', &name, &value)) > 0) {
		if (!view_eq_nocase(name, "tag"))
			continue;
		/* Two tags: one reader believes the first, another the last. */
		if (p->tag.n || !value.n)
			return -1;
		p->tag = value;
	}
	return got;
}

/* Display name of a name-addr, up to the '<'. */
static int take_display(struct sip_party *p, struct view *text)
{
	size_t n;

	if (*text->p == '"') {
		if (take_quoted(text, &p->display))
			return -1;
		skip_space(text);
		return text->n && *text->p == '<' ? 0 : -1;
	}
	n = sip_find(*text, '<');
	p->display = view_trim(take(text, n));
	return 0;
}

int sip_party_parse(struct sip_party *p, struct view text)
{
	size_t end;

	*p = (struct sip_party){0};
	text = view_trim(text);
	if (!text.n)
		return -1;
	if (*text.p == '"' || sip_find(text, '<') < text.n) {
		if (take_display(p, &text))
			return -1;
		take(&text, 1);
		end = sip_find(text, '>');
		if (end == text.n)
			return -1;
		p->uri = take(&text, end);
		take(&text, 1);
	} else {
		/* Without brackets every parameter is the header's (20.10). */
		p->uri = view_trim(take(&text, sip_find(text, ';')));
	}
	if (sip_uri_parse(&p->parts, p->uri))
		return -1;
	skip_space(&text);
	if (!text.n)
		return 0;
	if (*text.p != ';')
		return -1;
	take(&text, 1);
	return party_params(p, text);
}

/* "SIP / 2.0 / UDP", white space allowed around the slashes. */
static int via_protocol(struct sip_via *v, struct view *text)
{
	struct view name, version;

	name = take_token(text);
	skip_space(text);
	if (!view_eq_nocase(name, "SIP") || !text->n || *text->p != '/')
		return -1;
	take(text, 1);
	skip_space(text);
	version = take_token(text);
	skip_space(text);
	if (!view_eq_nocase(version, "2.0") || !text->n || *text->p != '/')
		return -1;
	take(text, 1);
	skip_space(text);
	v->transport = take_token(text);
	return v->transport.n ? 0 : -1;
}

struct view sip_list_first(struct view text)
{
	bool quoted = false, angle = false;

	if (sip_find(text, ',') == text.n)
		return text;
	for (size_t i = 0; i < text.n; i++) {
		if (quoted && text.p[i] == '\\')
			i++;
		else if (text.p[i] == '"')
			quoted = !quoted;
		else if (quoted)
			continue;
		else if (text.p[i] == '<' || text.p[i] == '>')
			angle = text.p[i] == '<';
		else if (text.p[i] == ',' && !angle)
			return view_head(text, i);
	}
	return text;
}

int sip_via_parse(struct sip_via *v, struct view text)
{
	struct view name, value;
	int got;

	*v = (struct sip_via){0};
	text = view_trim(sip_list_first(text));
	if (via_protocol(v, &text))
		return -1;
	if (!text.n || !is_space(*text.p))
		return -1;
	skip_space(&text);
	if (take_host(&text, &v->host) || take_port(&text, &v->port))
		return -1;
	skip_space(&text);
	if (!text.n)
		return 0;
	if (*text.p != ';')
		return -1;
	take(&text, 1);
	while ((got = sip_param_next(&text, ';', &name, &value)) > 0) {
		if (view_eq_nocase(name, "branch")) {
			v->branch = value;
		} else if (view_eq_nocase(name, "received")) {
			v->received = value;
		} else if (view_eq_nocase(name, "rport")) {
			v->rport = value;
			v->wants_rport = true;
		}
	}
	return got;
}

/* Where the value of this digest parameter goes; NULL: not wanted. */
static struct view *digest_slot(struct sip_digest *d, struct view name)
{
	switch (name.n) {
	case 3:
		return view_eq_nocase(name, "uri") ? &d->uri : NULL;
	case 5:
		if (view_eq_nocase(name, "nonce"))
			return &d->nonce;
		return view_eq_nocase(name, "realm") ? &d->realm : NULL;
	case 8:
		if (view_eq_nocase(name, "username"))
			return &d->username;
		return view_eq_nocase(name, "response") ? &d->response : NULL;
	default:
		return NULL;
	}
}

int sip_digest_parse(struct sip_digest *d, struct view text)
{
	struct view name, value, *slot;
	bool proxy = d->proxy;
	int got;

	text = view_trim(text);
	if (!view_eq_nocase(take_token(&text), "Digest"))
		return 1;
	if (!text.n || !is_space(*text.p))
		return -1;
	*d = (struct sip_digest){.proxy = proxy};
	while ((got = sip_param_next(&text, ',', &name, &value)) > 0) {
		if (view_eq_nocase(name, "stale")) {
			d->stale = view_eq_nocase(value, "true");
			continue;
		}
		slot = digest_slot(d, name);
		if (!slot)
			continue;
		if (slot->p)
			return -1;
		/* An empty value counts as given: its pointer is not NULL. */
		*slot = value;
	}
	return got;
}

int sip_cseq_parse(uint32_t *number, struct view *method, struct view text)
{
	uint64_t value;
	size_t n = 0;

	text = view_trim(text);
	while (n < text.n && text.p[n] >= '0' && text.p[n] <= '9')
		n++;
	if (view_decimal(take(&text, n), INT32_MAX, &value))
		return -1;
	if (!text.n || !is_space(*text.p))
		return -1;
	skip_space(&text);
	*method = take_token(&text);
	*number = (uint32_t)value;
	return method->n && !text.n ? 0 : -1;
}
