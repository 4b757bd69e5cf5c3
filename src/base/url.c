/* SPDX-License-Identifier: Apache-2.0 */
#include "base/url.h"

#include "base/hex.h"

int url_split(struct url_parts *out, struct view url)
{
	size_t at = view_find_str(url, "://"), end = 0;
	struct view after = view_from(url, at + 3);

	*out = (struct url_parts){.scheme = view_head(url, at)};
	if (at == url.n)
		return -1;
	while (end < after.n && !strchr("/?#", after.p[end]))
		end++;
	out->rest = view_from(after, end);
	out->host = view_head(after, end);
	at = view_rfind(out->host, '@');
	if (at < out->host.n) {
		out->user = view_head(out->host, at);
		out->host = view_from(out->host, at + 1);
	}
	return 0;
}

size_t url_unescape(uint8_t *dst, struct view text)
{
	size_t n = 0;

	for (size_t i = 0; i < text.n; i++) {
		struct view digits = view_head(view_from(text, i + 1), 2);

		/* A "0x" of two digits is none: hex_decode() takes such a prefix. */
		if (text.p[i] == '%' && digits.n == 2 && !hex_decode(&dst[n], 1, digits))
			i += 2;
		else
			dst[n] = text.p[i];
		n++;
	}
	return n;
}
