/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/ethereum/hex_pieces.h"

#define BAD     0xff
#define X16     BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD
#define LETTERS BAD, 10, 11, 12, 13, 14, 15, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD

/* A digit's value, or BAD, which has bits that no value has. */
static const uint8_t value_of[256] = {X16, X16, X16, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, BAD,
	BAD, BAD, BAD, BAD, BAD,    /* 0 */
	LETTERS, X16, LETTERS, X16, /* A a */
	X16, X16, X16, X16, X16, X16, X16, X16};

void hex_begin(struct hex_pieces *h, uint8_t *dst, size_t max)
{
	*h = (struct hex_pieces){.dst = dst, .max = max};
}

/* Takes "0x" from the front. Returns 0, or -1 when something else is there. */
static int take_prefix(struct hex_pieces *h, struct view *piece)
{
	while (h->prefix < 2 && piece->n > 0) {
		if (piece->p[0] != (uint8_t) "0x"[h->prefix])
			return -1;
		h->prefix++;
		*piece = view_from(*piece, 1);
	}
	return 0;
}

/* n whole bytes from 2n digits. Returns whether all were digits. */
static bool decode(uint8_t *dst, const uint8_t *src, size_t n)
{
	unsigned all = 0;

	for (size_t i = 0; i < n; i++) {
		unsigned high = value_of[src[2 * i]], low = value_of[src[2 * i + 1]];

		all |= high | low;
		dst[i] = (uint8_t)(high << 4 | low);
	}
	return all < 16;
}

int hex_feed(struct hex_pieces *h, struct view piece)
{
	size_t n;

	if (take_prefix(h, &piece))
		return -1;
	if (piece.n == 0)
		return 0;
	if (h->odd) {
		uint8_t low = value_of[piece.p[0]];

		if (low == BAD || h->n == h->max)
			return -1;
		h->dst[h->n++] = (uint8_t)(h->high << 4 | low);
		h->odd = false;
		piece = view_from(piece, 1);
	}
	n = piece.n / 2;
	if (n > h->max - h->n)
		return -1;
	if (n > 0 && !decode(h->dst + h->n, piece.p, n))
		return -1;
	h->n += n;
	if (piece.n % 2) {
		h->high = value_of[piece.p[piece.n - 1]];
		h->odd = true;
		if (h->high == BAD)
			return -1;
	}
	return 0;
}

int hex_end(const struct hex_pieces *h)
{
	return h->prefix == 2 && !h->odd ? 0 : -1;
}

int hex_feed_quantity(struct hex_pieces *h, struct view piece)
{
	if (take_prefix(h, &piece))
		return -1;
	for (size_t i = 0; i < piece.n; i++) {
		if (h->n == h->max || value_of[piece.p[i]] == BAD)
			return -1;
		h->dst[h->n++] = value_of[piece.p[i]];
	}
	return 0;
}

int hex_end_quantity(uint64_t *value, const struct hex_pieces *h)
{
	if (h->n == 0 || h->n > 16 || (h->n > 1 && h->dst[0] == 0))
		return -1;
	*value = 0;
	for (size_t i = 0; i < h->n; i++)
		*value = *value << 4 | h->dst[i];
	return 0;
}
