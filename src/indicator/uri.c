/* SPDX-License-Identifier: Apache-2.0 */
#include "indicator/uri.h"

#include <stdio.h>

#include "base/escape.h"
#include "base/hex.h"
#include "indicator/address.h"

#define TEXT_MAX   255  /* longest canonical text */
#define INPUT_MAX  2048 /* longest URI looked at */
#define DOMAIN_MAX 253  /* RFC 1035: 255 octets on the wire */
#define LABEL_MAX  63

/* Text under construction, always NUL-terminated; full once cut. */
struct text {
	char *p;
	size_t n, max;
	bool full;
};

static void put(struct text *t, uint8_t c)
{
	if (t->n == t->max) {
		t->full = true;
		return;
	}
	t->p[t->n++] = (char)c;
	t->p[t->n] = '\0';
}

static void put_str(struct text *t, const char *s)
{
	while (*s)
		put(t, (uint8_t)*s++);
}

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool is_alnum(uint8_t c)
{
	return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

/* RFC 3261 25.1 "unreserved": the same with and without escape. */
static bool is_unreserved(uint8_t c)
{
	return is_alnum(c) || (c != '\0' && strchr("-_.!~*'()", c));
}

/* RFC 3261 25.1 "reserved": %2B and + are different. */
static bool is_reserved(uint8_t c)
{
	return c != '\0' && strchr(";/?:@&=+$,", c);
}

static void put_escape(struct text *t, uint8_t c)
{
	static const char digits[] = "0123456789ABCDEF";

	put(t, '%');
	put(t, (uint8_t)digits[c >> 4]);
	put(t, (uint8_t)digits[c & 15]);
}

/*
 * The one spelling of a component that RFC 3261 19.1.4 holds equal: escapes
 * of unreserved characters undone, other escapes in upper-case hex, and what
 * may not stand bare (such as # in a dialled string) escaped. Returns 0, or
 * -1 when a % begins no escape.
 */
static int put_component(struct text *t, struct view in, bool fold_case)
{
	for (size_t i = 0; i < in.n; i++) {
		uint8_t c = in.p[i];
		bool escaped_here = c == '%';

		if (escaped_here) {
			int high = i + 2 < in.n ? hex_digit(in.p[i + 1]) : -1;
			int low = i + 2 < in.n ? hex_digit(in.p[i + 2]) : -1;

			if (high < 0 || low < 0)
				return -1;
			c = (uint8_t)(high << 4 | low);
			i += 2;
		}
		if (is_unreserved(c) || (!escaped_here && is_reserved(c)))
			put(t, fold_case ? lower(c) : c);
		else
			put_escape(t, c);
	}
	return 0;
}

/* One label of a domain. Returns 0, or -1 with a text that quotes all. */
static int check_label(struct view label, struct view all, struct error *err)
{
	if (label.n == 0)
		return error_set(err,
			"\"%s\": an empty label; write a domain "
			"such as example.com",
			escaped(all));
	if (label.n > LABEL_MAX)
		return error_set(err,
			"\"%s\": a label has %zu characters, 63 "
			"are allowed",
			escaped(all), label.n);
	if (label.p[0] == '-' || label.p[label.n - 1] == '-')
		return error_set(err,
			"\"%s\": a label may not begin or end with "
			"a hyphen",
			escaped(all));
	for (size_t i = 0; i < label.n; i++) {
		if (is_alnum(label.p[i]) || label.p[i] == '-')
			continue;
		if (label.p[i] >= 0x80)
			return error_set(err,
				"\"%s\": write an international "
				"name in its xn-- form",
				escaped(all));
		return error_set(err,
			"\"%s\": a domain has letters, digits, "
			"hyphens and dots; \"%s\" is none",
			escaped(all), escaped(view_of(&label.p[i], 1)));
	}
	return 0;
}

/* Whether the last label has digits only, as no top-level domain has. */
static bool ends_in_number(struct view host)
{
	size_t i = host.n;

	while (i > 0 && is_digit(host.p[i - 1]))
		i--;
	return host.n > 0 && i < host.n && (i == 0 || host.p[i - 1] == '.');
}

int domain_canonical(char *dst, struct view text, struct error *err)
{
	struct text out = {.p = dst, .max = DOMAIN_MAX};
	struct view rest = view_trim(text);

	dst[0] = '\0';
	if (rest.n > 1 && rest.p[rest.n - 1] == '.')
		rest.n--; /* the root's empty label */
	text = rest;
	if (rest.n > DOMAIN_MAX)
		return error_set(err,
			"\"%s\": a domain has at most 253 "
			"characters",
			escaped(text));
	for (;;) {
		size_t dot = view_find(rest, '.');

		if (check_label(view_head(rest, dot), text, err) < 0)
			return -1;
		if (dot == rest.n)
			break;
		rest = view_from(rest, dot + 1);
	}
	if (ends_in_number(text))
		return error_set(err,
			"\"%s\": no domain ends in a number; write "
			"an IP address without domain:",
			escaped(text));
	for (size_t i = 0; i < text.n; i++)
		put(&out, lower(text.p[i]));
	return 0;
}

bool domain_within(struct view domain, struct view of)
{
	if (domain.n <= of.n)
		return view_eq(domain, of);
	return of.n && domain.p[domain.n - of.n - 1] == '.' &&
		view_eq(view_from(domain, domain.n - of.n), of);
}

int agent_canonical(char *dst, struct view text, struct error *err)
{
	struct text out = {.p = dst, .max = TEXT_MAX};
	bool gap = false;

	dst[0] = '\0';
	text = view_trim(text);
	for (size_t i = 0; i < text.n; i++) {
		uint8_t c = text.p[i];

		if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
			gap = true;
			continue;
		}
		if (gap)
			put(&out, ' ');
		gap = false;
		put(&out, c);
	}
	if (out.n == 0)
		return error_set(err,
			"empty user agent: write its name, such as "
			"agent:friendly-scanner");
	if (out.full)
		return error_set(
			err, "user agent \"%s\" has more than 255 bytes", escaped(text));
	if (!text_is_clean(view_str(dst)) || strlen(dst) != out.n)
		return error_set(err,
			"user agent \"%s\": control characters and "
			"bytes that are not UTF-8 are refused",
			escaped(text));
	return 0;
}

/* A host in its one spelling. Returns 0, or -1 with a text. */
static int put_host(struct text *out, struct view host, struct error *err)
{
	char domain[TEXT_MAX + 1], text[ADDRESS_TEXT];
	bool bracketed = host.n > 0 && host.p[0] == '[';
	struct address a;

	if (host.n == 0)
		return error_set(err,
			"the host is missing; write sip:HOST or "
			"sip:USER@HOST");
	if (!bracketed && !ends_in_number(host)) {
		if (domain_canonical(domain, host, err) < 0)
			return -1;
		put_str(out, domain);
		return 0;
	}
	if (address_parse(&a, host, err) < 0)
		return -1;
	address_print(text, &a);
	if (a.family == 6)
		put(out, '[');
	put_str(out, text);
	if (a.family == 6)
		put(out, ']');
	return 0;
}

/* host [":" port]. Returns 0, or -1 with a text. */
static int put_hostport(struct text *out, struct view hostport, struct error *err)
{
	bool bracketed = hostport.n > 0 && hostport.p[0] == '[';
	/* The colons inside the brackets are the address's. */
	size_t from = bracketed ? view_find(hostport, ']') : 0;
	size_t colon = from + view_find(view_from(hostport, from), ':');
	char text[8];
	uint64_t port;

	if (put_host(out, view_head(hostport, colon), err) < 0)
		return -1;
	if (colon == hostport.n)
		return 0;
	if (view_decimal(view_from(hostport, colon + 1), 65535, &port) < 0 || port == 0)
		return error_set(
			err, "\"%s\": the port must be 1..65535", escaped(hostport));
	snprintf(text, sizeof(text), ":%u", (unsigned)port);
	put_str(out, text);
	return 0;
}

/* "user[:password]@". Returns 0, or -1 with a text. */
static int put_user(struct text *out, struct view userinfo, struct error *err)
{
	struct view user = view_head(userinfo, view_find(userinfo, ':'));

	if (user.n == 0)
		return error_set(err,
			"the user before @ is empty; write sip:HOST "
			"or sip:USER@HOST");
	if (put_component(out, user, false) < 0)
		return error_set(err,
			"user \"%s\": %% must be followed by two "
			"hex digits; write %%25 for a %% itself",
			escaped(user));
	put(out, '@');
	return 0;
}

/*
 * The parameters that a comparison never ignores (RFC 3261 19.1.4), sorted.
 * The RFC lists user, ttl, method and maddr; transport is the same in effect:
 * it must be in both or in neither, as 19.1.4's examples show.
 */
static const char *const kept[] = {"maddr", "method", "transport", "ttl", "user"};

enum { MADDR, METHOD, TRANSPORT, TTL, USER, KEPT };

/* Which kept parameter name spells, or KEPT. */
static unsigned which_kept(struct view name)
{
	char plain[16];
	struct text t = {.p = plain, .max = sizeof(plain) - 1};
	unsigned i = 0;

	plain[0] = '\0';
	if (put_component(&t, name, true) < 0 || t.full)
		return KEPT;
	while (i < KEPT && strcmp(plain, kept[i]) != 0)
		i++;
	return i;
}

/* Fill values[] from "name=value;...". Returns 0, or -1 with a text. */
static int find_kept(struct view values[KEPT], struct view params, struct error *err)
{
	while (params.n > 0) {
		struct view one = view_head(params, view_find(params, ';'));
		size_t equals = view_find(one, '=');
		unsigned i = which_kept(view_head(one, equals));

		if (equals == 0 || one.n == 0)
			return error_set(err,
				"a parameter of the URI has no name; "
				"write ;NAME or ;NAME=VALUE");
		params = view_from(params, one.n + 1);
		if (i == KEPT)
			continue;
		if (values[i].n > 0)
			return error_set(err,
				"parameter %s stands twice in the "
				"URI; leave one",
				kept[i]);
		values[i] = view_from(one, equals + 1);
		if (values[i].n == 0)
			return error_set(err,
				"parameter %s has no value; write "
				";%s=VALUE",
				kept[i], kept[i]);
	}
	return 0;
}

/* The kept parameters of ";name=value;...". Returns 0, or -1 with a text. */
static int put_params(struct text *out, struct view params, struct error *err)
{
	struct view values[KEPT] = {{NULL, 0}};
	char text[4];
	uint64_t ttl;

	if (find_kept(values, params, err) < 0)
		return -1;
	for (unsigned i = 0; i < KEPT; i++) {
		if (values[i].n == 0)
			continue;
		put(out, ';');
		put_str(out, kept[i]);
		put(out, '=');
		if (i == MADDR) {
			if (put_host(out, values[i], err) < 0)
				return error_prefix(err, "parameter maddr");
		} else if (i == TTL) {
			if (view_decimal(values[i], 255, &ttl) < 0)
				return error_set(err,
					"parameter ttl must be "
					"0..255");
			snprintf(text, sizeof(text), "%u", (unsigned)(ttl & 255));
			put_str(out, text);
		} else if (put_component(out, values[i], true) < 0) {
			return error_set(err,
				"parameter %s: %% must be followed "
				"by two hex digits",
				kept[i]);
		}
	}
	return 0;
}

/* What may stand nowhere in a URI. Returns 0, or -1 with a text. */
static int check_bytes(struct view text, struct error *err)
{
	if (text.n > INPUT_MAX)
		return error_set(err,
			"\"%s\": a URI of %zu bytes, %d are "
			"allowed",
			escaped(text), text.n, INPUT_MAX);
	for (size_t i = 0; i < text.n; i++) {
		uint8_t c = text.p[i];

		if (c == '<' || c == '>' || c == '"')
			return error_set(err,
				"\"%s\": write the URI alone, "
				"without a display name and < >",
				escaped(text));
		if (c <= 0x20 || c == 0x7f)
			return error_set(err,
				"\"%s\": a URI has no white space "
				"or control characters; write them as %%20 and so "
				"on",
				escaped(text));
	}
	return 0;
}

int uri_canonical(char *dst, struct view text, struct error *err)
{
	struct text out = {.p = dst, .max = TEXT_MAX};
	struct view rest = text = view_trim(text);
	struct view scheme = view_head(text, view_find(text, ':'));
	size_t at, end;

	dst[0] = '\0';
	if (check_bytes(text, err) < 0)
		return -1;
	if (scheme.n < text.n && view_eq_nocase(scheme, "sip"))
		put_str(&out, "sip:");
	else if (scheme.n < text.n && view_eq_nocase(scheme, "sips"))
		put_str(&out, "sips:");
	else
		return error_set(
			err, "\"%s\": the scheme must be sip: or sips:", escaped(text));
	rest = view_from(rest, scheme.n + 1);
	/* ; and ? may stand in a user part: the @ ends it, whatever it holds. */
	at = view_find(rest, '@');
	if (at != view_rfind(rest, '@'))
		return error_set(err,
			"\"%s\": more than one @; write %%40 for "
			"one inside a part",
			escaped(text));
	if (at < rest.n) {
		if (put_user(&out, view_head(rest, at), err) < 0)
			return -1;
		rest = view_from(rest, at + 1);
	}
	rest = view_head(rest, view_find(rest, '?'));
	end = view_find(rest, ';');
	if (put_hostport(&out, view_head(rest, end), err) < 0)
		return -1;
	if (end < rest.n && end + 1 == rest.n)
		return error_set(
			err, "\"%s\": nothing follows the last ;", escaped(text));
	if (put_params(&out, view_from(rest, end + 1), err) < 0)
		return -1;
	if (out.full)
		return error_set(err,
			"\"%s\": longer than 255 characters in its "
			"canonical form",
			escaped(text));
	return 0;
}
