/* SPDX-License-Identifier: Apache-2.0 */
#include "base/escape.h"

static const char digits[] = "0123456789abcdef";

/* One byte's escaped form into unit[4]. Returns its length: 1, 2 or 4. */
static size_t escape_byte(char unit[4], uint8_t c)
{
	if (c == '\\' || c == '"') {
		unit[0] = '\\';
		unit[1] = (char)c;
		return 2;
	}
	if (c >= 0x20 && c < 0x7f) {
		unit[0] = (char)c;
		return 1;
	}
	unit[0] = '\\';
	unit[1] = 'x';
	unit[2] = digits[c >> 4];
	unit[3] = digits[c & 15];
	return 4;
}

const char *escape_view(char *dst, size_t size, struct view text)
{
	size_t at = 0, cut = 0;
	char unit[4];

	for (size_t i = 0; i < text.n; i++) {
		size_t n = escape_byte(unit, text.p[i]);

		if (at + n > size - 1) {
			/* cut: the last whole unit that leaves room for "..." */
			memcpy(dst + cut, "...", 4);
			return dst;
		}
		memcpy(dst + at, unit, n);
		at += n;
		if (at + 3 <= size - 1)
			cut = at;
	}
	dst[at] = '\0';
	return dst;
}

#define ESCAPED_BYTES 60

const char *escaped(struct view text)
{
	static char buffers[8][ESCAPED_BYTES * 4 + 4];
	static unsigned turn;
	char *dst = buffers[turn++ % 8];

	escape_view(dst, ESCAPED_BYTES * 4 + 1, view_head(text, ESCAPED_BYTES));
	if (text.n > ESCAPED_BYTES)
		memcpy(dst + strlen(dst), "...", 4);
	return dst;
}

/*
 * The length of the UTF-8 character at p (RFC 3629 section 4), or 0 when it
 * is malformed, overlong, a surrogate, past U+10FFFF or a control character.
 */
static size_t clean_char(const uint8_t *p, size_t n)
{
	uint8_t low = 0x80, high = 0xbf; /* bounds of the second byte */
	size_t len;

	if (p[0] < 0x80)
		return p[0] >= 0x20 && p[0] != 0x7f;
	if (p[0] >= 0xc2 && p[0] <= 0xdf)
		len = 2;
	else if (p[0] >= 0xe0 && p[0] <= 0xef)
		len = 3;
	else if (p[0] >= 0xf0 && p[0] <= 0xf4)
		len = 4;
	else
		return 0;
	if (p[0] == 0xc2 || p[0] == 0xe0)
		low = 0xa0; /* c2 80..9f is C1; e0 80..9f is overlong */
	else if (p[0] == 0xed)
		high = 0x9f; /* surrogates */
	else if (p[0] == 0xf0)
		low = 0x90;
	else if (p[0] == 0xf4)
		high = 0x8f;
	if (n < len || p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < len; i++)
		if (p[i] < 0x80 || p[i] > 0xbf)
			return 0;
	return len;
}

bool text_is_clean(struct view text)
{
	while (text.n > 0) {
		size_t len = clean_char(text.p, text.n);

		if (len == 0)
			return false;
		text = view_from(text, len);
	}
	return true;
}
