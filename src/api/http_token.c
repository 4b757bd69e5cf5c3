/* SPDX-License-Identifier: Apache-2.0 */
#include "api/http_token.h"

#define MINUTE 60.0

void http_secret_digest(uint8_t out[KECCAK_SIZE], struct view secret)
{
	keccak256(out, secret.p, secret.n);
}

struct view http_bearer(struct view header)
{
	if (!view_eq_nocase(view_head(header, 7), "bearer "))
		return (struct view){0};
	return view_trim(view_from(header, 7));
}

/* Whether both hashes are the same; the same steps whatever they hold. */
static unsigned same(const uint8_t *a, const uint8_t *b)
{
	volatile unsigned differ = 0;

	for (size_t i = 0; i < KECCAK_SIZE; i++)
		differ |= (unsigned)(a[i] ^ b[i]);
	return differ == 0;
}

struct http_token *http_token_find(
	struct http_token *tokens, size_t count, struct view secret)
{
	struct http_token *found = NULL;
	uint8_t digest[KECCAK_SIZE];

	http_secret_digest(digest, secret);
	for (size_t i = 0; i < count; i++)
		if (same(digest, tokens[i].digest))
			found = &tokens[i];
	return found;
}

long http_token_spend(struct http_token *t, unsigned reports, usec now)
{
	double rate = t->rate, missing;

	if (!t->rate)
		return 0;
	if (reports > t->rate)
		return -1;
	if (!t->counted)
		t->left = rate;
	else if (now > t->counted)
		t->left += (double)(now - t->counted) / (double)USEC_PER_SEC * rate /
			MINUTE;
	if (t->left > rate)
		t->left = rate;
	t->counted = now;
	missing = (double)reports - t->left;
	if (missing > 0)
		return 1 + (long)(missing * MINUTE / rate);
	t->left -= (double)reports;
	return 0;
}
