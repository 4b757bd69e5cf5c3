/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/filter/utf8.h"

#define HIGH_BITS UINT64_C(0x8080808080808080)

size_t ascii_head(struct view text)
{
	size_t i = 0;
	uint64_t eight, four[4];

	for (; i + 32 <= text.n; i += 32) {
		memcpy(four, text.p + i, 32);
		if ((four[0] | four[1] | four[2] | four[3]) & HIGH_BITS)
			break;
	}
	for (; i + 8 <= text.n; i += 8) {
		memcpy(&eight, text.p + i, 8);
		if (eight & HIGH_BITS)
			break;
	}
	while (i < text.n && text.p[i] < 0x80)
		i++;
	return i;
}

/* The range that the second byte must lie in; how many bytes follow the first. */
static unsigned follows(uint8_t first, uint8_t *low, uint8_t *high)
{
	*low = 0x80;
	*high = 0xbf;
	if (first >= 0xc2 && first <= 0xdf)
		return 1;
	if (first >= 0xe0 && first <= 0xef) {
		if (first == 0xe0)
			*low = 0xa0;
		if (first == 0xed)
			*high = 0x9f;
		return 2;
	}
	if (first >= 0xf0 && first <= 0xf4) {
		if (first == 0xf0)
			*low = 0x90;
		if (first == 0xf4)
			*high = 0x8f;
		return 3;
	}
	return 0;
}

/*
 * One character, or the maximal part of one, at the front of text (not empty,
 * first byte not ASCII). *whole says which. Returns its bytes, at least 1.
 */
static size_t one(struct view text, bool *whole)
{
	uint8_t low, high;
	unsigned more = follows(text.p[0], &low, &high);
	size_t i;

	for (i = 1; i <= more && i < text.n; i++) {
		if (text.p[i] < low || text.p[i] > high)
			break;
		low = 0x80;
		high = 0xbf;
	}
	*whole = more && i == more + 1;
	return i;
}

bool utf8_valid(struct view text)
{
	bool whole = true;

	while (whole) {
		text = view_from(text, ascii_head(text));
		if (!text.n)
			return true;
		text = view_from(text, one(text, &whole));
	}
	return false;
}

size_t utf8_repair(uint8_t *dst, struct view text)
{
	size_t n = 0, take;
	bool whole;

	while (text.n) {
		take = ascii_head(text);
		if (take) {
			memcpy(dst + n, text.p, take);
			n += take;
			text = view_from(text, take);
			continue;
		}
		take = one(text, &whole);
		if (whole) {
			memcpy(dst + n, text.p, take);
			n += take;
		} else {
			memcpy(dst + n, "\xef\xbf\xbd", 3);
			n += 3;
		}
		text = view_from(text, take);
	}
	return n;
}
