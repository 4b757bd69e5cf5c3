/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/honeypot/secrets.h"

#include "base/hex.h"
#include "sense/honeypot/answer_text.h"

/* p is the copy that is masked; views are into it. */
static void blot(uint8_t *p, const uint8_t *whole, struct view what)
{
	if (what.n)
		memset(p + (what.p - whole), '*', what.n);
}

/* Of `Digest k=v, ...`, what a password could be guessed from. */
static void mask_credentials(uint8_t *p, const uint8_t *whole, struct view v)
{
	size_t n = view_find(v, ' ');
	struct view rest, name, value;

	/* Without a scheme, who knows what it is. */
	if (n == v.n) {
		blot(p, whole, v);
		return;
	}
	if (!view_eq_nocase(view_head(v, n), "Digest")) {
		blot(p, whole, view_trim(view_from(v, n)));
		return;
	}
	rest = view_from(v, n + 1);
	for (;;) {
		struct view before = rest;
		int got = sip_param_next(&rest, ',', &name, &value);

		if (!got)
			return;
		if (got < 0) {
			/* Nor here; the rest is not shown. */
			blot(p, whole, before);
			return;
		}
		if (!view_eq_nocase(name, "username") && !view_eq_nocase(name, "realm") &&
			!view_eq_nocase(name, "nonce") && !view_eq_nocase(name, "uri") &&
			!view_eq_nocase(name, "algorithm") &&
			!view_eq_nocase(name, "qop") && !view_eq_nocase(name, "nc") &&
			!view_eq_nocase(name, "opaque"))
			blot(p, whole, value);
	}
}

/* Of a tag that is hex of "user:password\1number", all behind the colon. */
static void mask_tag(uint8_t *p, const uint8_t *whole, struct view from)
{
	struct sip_party party;
	size_t colon = 0;

	if (sip_party_parse(&party, from) || party.tag.n % 2)
		return;
	for (size_t i = 0; i < party.tag.n; i++)
		if (hex_digit(party.tag.p[i]) < 0)
			return;
	for (size_t i = 0; i + 1 < party.tag.n; i += 2) {
		if (!colon && party.tag.p[i] == '3' && (party.tag.p[i + 1] | 32) == 'a')
			colon = i + 2;
		else if (colon && party.tag.p[i] == '0' && party.tag.p[i + 1] == '1') {
			blot(p, whole, view_of(party.tag.p + colon, i - colon));
			return;
		}
	}
}

/* --- URIs --- */

static bool ends_uri(uint8_t c)
{
	return c <= ' ' || c == '<' || c == '>' || c == '"' || c == 0x7f;
}

static bool ends_host(uint8_t c)
{
	return c == ',' || c == ';' || c == '?';
}

/* Behind the scheme: "sip:", "sips:", "http://". Without one, the text itself. */
static struct view without_scheme(struct view text)
{
	size_t slashes = view_find_str(text, "://");

	if (slashes < text.n)
		return view_from(text, slashes + 3);
	if (view_eq_nocase(view_head(text, 4), "sip:"))
		return view_from(text, 4);
	if (view_eq_nocase(view_head(text, 5), "sips:"))
		return view_from(text, 5);
	return text;
}

/*
 * The '@' before the host; text has one. A password may have one, too: the last counts,
 * unless what ends a host stands between.
 */
static size_t host_at(struct view text)
{
	size_t at = view_find(text, '@');

	for (size_t i = at + 1; i < text.n && !ends_host(text.p[i]); i++)
		if (text.p[i] == '@')
			at = i;
	return at;
}

/* All URIs in a text without blanks. */
static void mask_uris(uint8_t *p, const uint8_t *whole, struct view text)
{
	while (view_find(text, '@') < text.n) {
		size_t at = host_at(text);
		struct view user = without_scheme(view_head(text, at));

		blot(p, whole, view_from(user, view_find(user, ':') + 1));
		text = view_from(text, at + 1);
		while (text.n && !ends_host(text.p[0]))
			text = view_from(text, 1);
		text = view_from(text, 1);
	}
}

static bool is_one_of(struct view name, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (view_eq_nocase(name, names[i]))
			return true;
	return false;
}

/* password=... and the like, up to what ends a form's value. */
static void mask_form(uint8_t *p, const uint8_t *whole, struct view text)
{
	static const char *const names[] = {
		"password", "passwd", "pwd", "pass", "secret"};
	size_t equal;

	while ((equal = view_find(text, '=')) < text.n) {
		size_t begin = equal, n = 0;

		while (begin &&
			((text.p[begin - 1] | 0x20) >= 'a' &&
				(text.p[begin - 1] | 0x20) <= 'z'))
			begin--;
		if (!is_one_of(view_of(text.p + begin, equal - begin), names, 5)) {
			text = view_from(text, equal + 1);
			continue;
		}
		text = view_from(text, equal + 1);
		while (n < text.n && text.p[n] != '&' && text.p[n] != ',')
			n++;
		blot(p, whole, view_head(text, n));
		text = view_from(text, n);
	}
}

/* A text of several words, each by itself. */
static void mask_words(uint8_t *p, const uint8_t *whole, struct view text)
{
	while (text.n) {
		size_t n = 0;

		while (n < text.n && !ends_uri(text.p[n]))
			n++;
		mask_uris(p, whole, view_head(text, n));
		mask_form(p, whole, view_head(text, n));
		text = view_from(text, n + 1);
	}
}

/* --- headers --- */

static void mask_header(
	uint8_t *p, const uint8_t *whole, struct view name, struct view value)
{
	static const char *const credentials[] = {"Authorization", "Proxy-Authorization"};
	static const char *const secrets[] = {"Cookie", "Password", "Secret"};
	static const char *const parties[] = {"From", "f", "To", "t"};
	static const char *const no_uri[] = {"Via", "v", "Call-ID", "i"};

	if (is_one_of(name, credentials, 2)) {
		mask_credentials(p, whole, value);
	} else if (is_one_of(name, secrets, 3)) {
		blot(p, whole, value);
		return;
	} else if (is_one_of(name, parties, 4)) {
		mask_tag(p, whole, value);
	}
	if (!is_one_of(name, no_uri, 4))
		mask_words(p, whole, value);
}

/*
 * Line by line, the first not being spared: who sends other things than SIP may begin
 * anywhere, and behind an empty line another request may follow.
 */
void secrets_mask(uint8_t *p, size_t n)
{
	struct view rest = view_of(p, n);

	while (rest.n) {
		size_t length = view_find(rest, '\n');
		struct view line, name;

		/* With what is folded. */
		while (length + 1 < rest.n &&
			(rest.p[length + 1] == ' ' || rest.p[length + 1] == '\t'))
			length += 1 + view_find(view_from(rest, length + 1), '\n');
		line = view_trim(view_head(rest, length));
		name = view_trim(view_head(line, view_find(line, ':')));
		if (name.n < line.n && view_find(name, ' ') == name.n)
			mask_header(p, p, name,
				view_trim(view_from(line, view_find(line, ':') + 1)));
		else
			mask_words(p, p, line);
		rest = view_from(rest, length + 1);
	}
}

/* --- whether there is anything --- */

bool secrets_may_be(struct view value)
{
	size_t at;

	for (; (at = view_find(value, '@')) < value.n; value = view_from(value, at + 1)) {
		struct view before = view_head(value, at);
		size_t colon = view_find(before, ':');

		/* That of the scheme is none. */
		if (colon >= 3 && colon < before.n &&
			(view_eq_nocase(view_of(before.p + colon - 3, 3), "sip") ||
				(colon >= 4 &&
					view_eq_nocase(view_of(before.p + colon - 4, 4),
						"sips")))) {
			before = view_from(before, colon + 1);
			colon = view_find(before, ':');
		}
		if (colon < before.n)
			return true;
	}
	return false;
}

bool secrets_tag_may_be(struct view from)
{
	/* ":" in hex */
	return view_find_str(from, "3a") < from.n || view_find_str(from, "3A") < from.n;
}
