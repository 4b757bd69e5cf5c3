/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/ethereum/endpoint.h"

#include <openssl/evp.h>
#include <stdlib.h>

#include "base/escape.h"
#include "base/hex.h"
#include "base/url.h"

/* Under this a secret keeps nothing secret, and masking it ruins every text. */
#define SECRET_MIN 3
/* Parts of a path or query under this are words such as "rpc", not keys. */
#define PART_MIN  6
#define SECRETS   700 /* two URLs of short parts, as written and decoded */
#define TEXT_MAX  8192
#define MARGIN    1100                                   /* longer than any secret */
#define JWT_START "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9" /* make_jwt()'s header */

/* Every secret of an endpoint, in each form in which it may come back. */
struct secrets {
	struct view item[SECRETS];
	unsigned n;
	uint8_t made[8192]; /* decoded and encoded forms */
	size_t used;
};

static void add(struct secrets *s, struct view secret, size_t min)
{
	/* decoded() gives back what has nothing to decode: it is there already. */
	if (s->n > 0 && s->item[s->n - 1].p == secret.p &&
		s->item[s->n - 1].n == secret.n)
		return;
	if (secret.n >= min && s->n < SECRETS)
		s->item[s->n++] = secret;
}

/* secret without percent escapes, in s's memory; itself when it has none. */
static struct view decoded(struct secrets *s, struct view secret)
{
	uint8_t *start = s->made + s->used;
	size_t n;

	if (view_find(secret, '%') == secret.n || secret.n > sizeof s->made - s->used)
		return secret;
	n = url_unescape(start, secret);
	s->used += n;
	return view_of(start, n);
}

static void add_base64(struct secrets *s, struct view secret)
{
	uint8_t *start = s->made + s->used;

	if (secret.n < SECRET_MIN ||
		4 * (secret.n / 3 + 1) + 1 > sizeof s->made - s->used)
		return;
	s->used += (size_t)EVP_EncodeBlock(start, secret.p, (int)secret.n) + 1;
	add(s, view_str((const char *)start), SECRET_MIN);
}

/* USER:PASSWORD, its halves, and what a Basic header makes of it. */
static void add_credentials(struct secrets *s, struct view pair)
{
	size_t colon = view_find(pair, ':');

	add(s, pair, SECRET_MIN);
	add(s, view_head(pair, colon), SECRET_MIN);
	add(s, view_from(pair, colon + 1), SECRET_MIN);
	add_base64(s, pair);
}

/* The parts of text between any of the delimiters, as they stand and decoded. */
static void add_parts(struct secrets *s, struct view text, const char *delimiters)
{
	size_t start = 0;

	for (size_t i = 0; i <= text.n; i++) {
		struct view part = view_of(text.p + start, i - start);

		if (i < text.n && !strchr(delimiters, text.p[i]))
			continue;
		add(s, part, PART_MIN);
		add(s, decoded(s, part), PART_MIN);
		start = i + 1;
	}
}

/* A URL's user and password and, when asked, what follows its host. */
static void add_url(struct secrets *s, const char *url, bool path)
{
	struct url_parts parts;

	if (url_split(&parts, view_str(url)))
		return;
	if (parts.user.p) {
		add_credentials(s, parts.user);
		add_credentials(s, decoded(s, parts.user));
	}
	if (!path || parts.rest.n < 2)
		return;
	add(s, parts.rest, SECRET_MIN);
	add(s, decoded(s, parts.rest), SECRET_MIN);
	add_parts(s, parts.rest, "/?&");
	add_parts(s, parts.rest, "/?&=");
}

static void collect(struct secrets *s, const struct endpoint *e)
{
	s->n = 0;
	s->used = 0;
	add(s, view_str(e->bearer), SECRET_MIN);
	if (e->basic[0])
		add_credentials(s, view_str(e->basic));
	for (unsigned i = 0; i < e->header_count; i++) {
		struct view h = view_str(e->header[i]), value;

		value = view_trim(view_from(h, view_find(h, ':') + 1));
		add(s, value, SECRET_MIN);
		/* "Bearer TOKEN", "Basic TOKEN": the token alone as well. */
		add_parts(s, value, " ");
	}
	if (e->has_jwt) {
		hex_encode((char *)s->made, e->jwt, sizeof e->jwt);
		s->used = 2 * sizeof e->jwt;
		add(s, view_of(s->made, s->used), SECRET_MIN);
	}
	add_url(s, e->url, true);
	add_url(s, e->ws, true);
	add_url(s, e->proxy, false);
}

static bool is_token_byte(uint8_t c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
		(c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

/*
 * Mark in hidden[text.n] what belongs to a secret. Marks, not replacements one
 * by one: secrets overlap, and what a short one leaves of a long one must go too.
 */
static void mark(uint8_t *hidden, struct view text, const struct secrets *s,
	const struct endpoint *e)
{
	if (text.n == 0)
		return;
	for (unsigned i = 0; i < s->n; i++) {
		const uint8_t *p = text.p, *hit;

		while ((hit = memmem(p, text.n - (size_t)(p - text.p), s->item[i].p,
				s->item[i].n))) {
			memset(hidden + (hit - text.p), 1, s->item[i].n);
			p = hit + 1;
		}
	}
	if (!e->has_jwt)
		return;
	for (size_t at = 0; at < text.n; at++) {
		struct view rest = view_from(text, at);

		if (!view_starts(rest, JWT_START))
			continue;
		while (at < text.n && is_token_byte(text.p[at]))
			hidden[at++] = 1;
	}
}

char *endpoint_redact(char *dst, size_t size, const struct endpoint *e, struct view text)
{
	struct view all = view_head(text, TEXT_MAX);
	size_t end = text.n > TEXT_MAX ? TEXT_MAX - MARGIN : all.n, n = 0;
	uint8_t hidden[TEXT_MAX] = {0};
	uint8_t out[3 * TEXT_MAX];
	struct secrets *s;

	if (!e) {
		escape_view(dst, size, text);
		return dst;
	}
	s = malloc(sizeof *s);
	if (!s) {
		view_copy(dst, size, view_str("***"));
		return dst;
	}
	collect(s, e);
	mark(hidden, all, s, e);
	for (size_t i = 0; i < end; i++) {
		if (!hidden[i])
			out[n++] = all.p[i];
		else if (i == 0 || !hidden[i - 1]) {
			memcpy(out + n, "***", 3);
			n += 3;
		}
	}
	if (end < all.n) {
		memcpy(out + n, "...", 3);
		n += 3;
	}
	escape_view(dst, size, view_of(out, n));
	explicit_bzero(s, sizeof *s);
	free(s);
	return dst;
}
