/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/ethereum/rlp.h"

#define STRING    0x80
#define LIST      0xc0
#define SHORT_MAX 55 /* a payload up to here has its length in the first byte */

/* The bytes that v takes without leading zeros into raw[8]. Returns how many. */
static size_t minimal(uint8_t raw[8], uint64_t v)
{
	uint8_t whole[8];
	size_t zeros = 0;

	be64_store(whole, v);
	while (zeros < 8 && !whole[zeros])
		zeros++;
	memcpy(raw, whole + zeros, 8 - zeros);
	return 8 - zeros;
}

static int put_header(struct buffer *out, uint8_t base, size_t n)
{
	uint8_t raw[8];
	size_t width;

	if (n <= SHORT_MAX)
		return buffer_put_u8(out, (uint8_t)(base + n));
	width = minimal(raw, n);
	buffer_put_u8(out, (uint8_t)(base + SHORT_MAX + width));
	return buffer_put(out, raw, width);
}

int rlp_put_bytes(struct buffer *out, struct view bytes)
{
	if (bytes.n != 1 || bytes.p[0] >= STRING)
		put_header(out, STRING, bytes.n);
	return buffer_put(out, bytes.p, bytes.n);
}

int rlp_put_uint(struct buffer *out, uint64_t value)
{
	uint8_t raw[8];

	return rlp_put_bytes(out, view_of(raw, minimal(raw, value)));
}

int rlp_put_list(struct buffer *out, struct view payload)
{
	put_header(out, LIST, payload.n);
	return buffer_put(out, payload.p, payload.n);
}

/*
 * The payload's length from an item's header. *skip: the header's own bytes.
 * Returns 0, or -1 when the header is cut off or not the shortest one.
 */
static int header(struct view item, uint8_t base, size_t *skip, uint64_t *n)
{
	size_t width;

	*skip = 1;
	*n = (uint64_t)(item.p[0] - base);
	if (*n <= SHORT_MAX)
		return 0;
	width = (size_t)*n - SHORT_MAX; /* 1..8 */
	if (item.n < 1 + width || !item.p[1])
		return -1;
	*n = 0;
	for (size_t k = 1; k <= width; k++)
		*n = *n << 8 | item.p[k];
	*skip = 1 + width;
	return *n > SHORT_MAX ? 0 : -1;
}

int rlp_next(struct view *rest, struct rlp_item *out)
{
	uint64_t n = 1;
	size_t skip = 0;

	if (!rest->n)
		return -1;
	out->list = rest->p[0] >= LIST;
	if (rest->p[0] >= STRING && header(*rest, out->list ? LIST : STRING, &skip, &n))
		return -1;
	if (n > rest->n - skip)
		return -1;
	/* A byte that stands for itself must not have a header as well. */
	if (!out->list && skip && n == 1 && rest->p[skip] < STRING)
		return -1;
	out->whole = view_head(*rest, skip + (size_t)n);
	out->payload = view_from(out->whole, skip);
	*rest = view_from(*rest, out->whole.n);
	return 0;
}

int rlp_uint(const struct rlp_item *item, uint64_t *out)
{
	if (item->list || item->payload.n > 8 || (item->payload.n && !item->payload.p[0]))
		return -1;
	*out = 0;
	for (size_t k = 0; k < item->payload.n; k++)
		*out = *out << 8 | item->payload.p[k];
	return 0;
}
