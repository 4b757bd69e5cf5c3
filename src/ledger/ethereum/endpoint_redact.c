/* SPDX-License-Identifier: Apache-2.0 */
#include "base/escape.h"
#include "base/hex.h"
#include "base/redact.h"
#include "ledger/ethereum/endpoint.h"

#define JWT_START "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9" /* make_jwt()'s header */

/* Every secret of an endpoint; jwt[] is for the form of one that stands nowhere. */
static void collect(
	struct redaction *r, const struct endpoint *e, char jwt[2 * sizeof e->jwt + 1])
{
	redaction_add(r, view_str(e->bearer));
	if (e->basic[0])
		redaction_add_credentials(r, view_str(e->basic));
	for (unsigned i = 0; i < e->header_count; i++) {
		struct view h = view_str(e->header[i]), value;

		value = view_trim(view_from(h, view_find(h, ':') + 1));
		redaction_add(r, value);
		/* "Bearer TOKEN", "Basic TOKEN": the token alone as well. */
		redaction_add_parts(r, value, " ");
	}
	if (e->has_jwt) {
		hex_encode(jwt, e->jwt, sizeof e->jwt);
		redaction_add(r, view_of(jwt, 2 * sizeof e->jwt));
		redaction_add_start(r, JWT_START);
	}
	redaction_add_url(r, e->url, true);
	redaction_add_url(r, e->ws, true);
	redaction_add_url(r, e->proxy, false);
}

char *endpoint_redact(char *dst, size_t size, const struct endpoint *e, struct view text)
{
	char jwt[2 * sizeof e->jwt + 1];
	struct redaction *r;

	if (!e) {
		escape_view(dst, size, text);
		return dst;
	}
	r = redaction_new();
	if (r)
		collect(r, e, jwt);
	redaction_apply(dst, size, r, text);
	redaction_free(r);
	explicit_bzero(jwt, sizeof jwt);
	return dst;
}
