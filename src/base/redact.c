/* SPDX-License-Identifier: Apache-2.0 */
#include "base/redact.h"

#include <openssl/evp.h>
#include <stdlib.h>

#include "base/escape.h"
#include "base/url.h"

/* Under this a secret keeps nothing secret, and masking it ruins every text. */
#define SECRET_MIN 3
/* Parts of a path or query under this are words such as "rpc", not keys. */
#define PART_MIN 6
#define SECRETS  700 /* two URLs of short parts, as written and decoded */
#define TEXT_MAX 8192
#define MARGIN   1100 /* longer than any secret */

/* The secrets, in each form in which they may come back. */
struct redaction {
	struct view item[SECRETS];
	unsigned n;
	uint8_t made[8192]; /* decoded and encoded forms */
	size_t used;
	const char *start; /* NULL: none */
};

static void add(struct redaction *r, struct view secret, size_t min)
{
	/* decoded() gives back what has nothing to decode: it is there already. */
	if (r->n > 0 && r->item[r->n - 1].p == secret.p &&
		r->item[r->n - 1].n == secret.n)
		return;
	if (secret.n >= min && r->n < SECRETS)
		r->item[r->n++] = secret;
}

/* secret without percent escapes, in r's memory; itself when it has none. */
static struct view decoded(struct redaction *r, struct view secret)
{
	uint8_t *start = r->made + r->used;
	size_t n;

	if (view_find(secret, '%') == secret.n || secret.n > sizeof r->made - r->used)
		return secret;
	n = url_unescape(start, secret);
	r->used += n;
	return view_of(start, n);
}

static void add_base64(struct redaction *r, struct view secret)
{
	uint8_t *start = r->made + r->used;

	if (secret.n < SECRET_MIN ||
		4 * (secret.n / 3 + 1) + 1 > sizeof r->made - r->used)
		return;
	r->used += (size_t)EVP_EncodeBlock(start, secret.p, (int)secret.n) + 1;
	add(r, view_str((const char *)start), SECRET_MIN);
}

void redaction_add_credentials(struct redaction *r, struct view pair)
{
	size_t colon = view_find(pair, ':');

	add(r, pair, SECRET_MIN);
	add(r, view_head(pair, colon), SECRET_MIN);
	add(r, view_from(pair, colon + 1), SECRET_MIN);
	add_base64(r, pair);
}

void redaction_add_parts(struct redaction *r, struct view text, const char *delimiters)
{
	size_t start = 0;

	for (size_t i = 0; i <= text.n; i++) {
		struct view part = view_of(text.p + start, i - start);

		if (i < text.n && !strchr(delimiters, text.p[i]))
			continue;
		add(r, part, PART_MIN);
		add(r, decoded(r, part), PART_MIN);
		start = i + 1;
	}
}

void redaction_add_url(struct redaction *r, const char *url, bool path)
{
	struct url_parts parts;

	if (url_split(&parts, view_str(url)))
		return;
	if (parts.user.p) {
		redaction_add_credentials(r, parts.user);
		redaction_add_credentials(r, decoded(r, parts.user));
	}
	if (!path || parts.rest.n < 2)
		return;
	add(r, parts.rest, SECRET_MIN);
	add(r, decoded(r, parts.rest), SECRET_MIN);
	redaction_add_parts(r, parts.rest, "/?&");
	redaction_add_parts(r, parts.rest, "/?&=");
}

void redaction_add(struct redaction *r, struct view secret)
{
	add(r, secret, SECRET_MIN);
}

void redaction_add_start(struct redaction *r, const char *start)
{
	r->start = start;
}

struct redaction *redaction_new(void)
{
	return calloc(1, sizeof(struct redaction));
}

void redaction_free(struct redaction *r)
{
	if (!r)
		return;
	explicit_bzero(r, sizeof *r);
	free(r);
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
static void mark(uint8_t *hidden, struct view text, const struct redaction *r)
{
	if (text.n == 0)
		return;
	for (unsigned i = 0; i < r->n; i++) {
		const uint8_t *p = text.p, *hit;

		while ((hit = memmem(p, text.n - (size_t)(p - text.p), r->item[i].p,
				r->item[i].n))) {
			memset(hidden + (hit - text.p), 1, r->item[i].n);
			p = hit + 1;
		}
	}
	if (!r->start)
		return;
	for (size_t at = 0; at < text.n; at++) {
		struct view rest = view_from(text, at);

		if (!view_starts(rest, r->start))
			continue;
		while (at < text.n && is_token_byte(text.p[at]))
			hidden[at++] = 1;
	}
}

char *redaction_apply(char *dst, size_t size, const struct redaction *r, struct view text)
{
	struct view all = view_head(text, TEXT_MAX);
	size_t end = text.n > TEXT_MAX ? TEXT_MAX - MARGIN : all.n, n = 0;
	uint8_t hidden[TEXT_MAX] = {0};
	uint8_t out[3 * TEXT_MAX];

	if (!r) {
		view_copy(dst, size, view_str("***"));
		return dst;
	}
	mark(hidden, all, r);
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
	return dst;
}

char *url_redact(char *dst, size_t size, const char *url, struct view text)
{
	struct redaction *r = redaction_new();

	if (r)
		redaction_add_url(r, url, true);
	redaction_apply(dst, size, r, text);
	redaction_free(r);
	return dst;
}
