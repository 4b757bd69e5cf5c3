/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define FIRST_CAPACITY 256

int buffer_reserve(struct buffer *b, size_t extra)
{
	size_t need, capacity;
	uint8_t *p;

	if (b->failed)
		return -1;
	if (extra > SIZE_MAX / 2 - b->n)
		goto fail;
	need = b->n + extra;
	if (b->max != 0 && need > b->max)
		goto fail;
	if (need <= b->capacity)
		return 0;
	capacity = b->capacity ? b->capacity : FIRST_CAPACITY;
	while (capacity < need)
		capacity *= 2; /* need <= SIZE_MAX / 2: cannot overflow */
	p = realloc(b->p, capacity);
	if (!p)
		goto fail;
	b->p = p;
	b->capacity = capacity;
	return 0;
fail:
	b->failed = true;
	return -1;
}

int buffer_put(struct buffer *b, const void *p, size_t n)
{
	if (buffer_reserve(b, n) < 0)
		return -1;
	if (n > 0) {
		memcpy(b->p + b->n, p, n);
		b->n += n;
	}
	return 0;
}

int buffer_put_u8(struct buffer *b, uint8_t v)
{
	return buffer_put(b, &v, 1);
}

int buffer_put_u16(struct buffer *b, uint16_t v)
{
	uint8_t raw[2];

	be16_store(raw, v);
	return buffer_put(b, raw, sizeof(raw));
}

int buffer_put_u32(struct buffer *b, uint32_t v)
{
	uint8_t raw[4];

	be32_store(raw, v);
	return buffer_put(b, raw, sizeof(raw));
}

int buffer_put_u64(struct buffer *b, uint64_t v)
{
	uint8_t raw[8];

	be64_store(raw, v);
	return buffer_put(b, raw, sizeof(raw));
}

int buffer_printf(struct buffer *b, const char *fmt, ...)
{
	char small[256];
	char *text = small;
	va_list ap;
	int n, rc;

	if (b->failed)
		return -1;
	va_start(ap, fmt);
	n = vsnprintf(small, sizeof(small), fmt, ap);
	va_end(ap);
	if (n < 0) {
		b->failed = true;
		return -1;
	}
	if ((size_t)n >= sizeof(small)) {
		/*
		 * vsnprintf() wants room for its NUL, which max does not
		 * count: so it is not printed into the buffer itself.
		 */
		text = malloc((size_t)n + 1);
		if (!text) {
			b->failed = true;
			return -1;
		}
		va_start(ap, fmt);
		vsnprintf(text, (size_t)n + 1, fmt, ap);
		va_end(ap);
	}
	rc = buffer_put(b, text, (size_t)n);
	if (text != small)
		free(text);
	return rc;
}

void buffer_consume(struct buffer *b, size_t n)
{
	if (n == 0)
		return;
	memmove(b->p, b->p + n, b->n - n);
	b->n -= n;
}

void buffer_free(struct buffer *b)
{
	size_t max = b->max;

	free(b->p);
	*b = (struct buffer){.max = max};
}

struct view reader_view(struct reader *r, size_t n)
{
	struct view v;

	if (r->failed || n > r->rest.n) {
		r->failed = true;
		return (struct view){NULL, 0};
	}
	v = view_head(r->rest, n);
	r->rest = view_from(r->rest, n);
	return v;
}

void reader_bytes(struct reader *r, void *dst, size_t n)
{
	struct view v = reader_view(r, n);

	if (n == 0)
		return;
	if (v.n == n)
		memcpy(dst, v.p, n);
	else
		memset(dst, 0, n);
}

uint8_t reader_u8(struct reader *r)
{
	uint8_t v;

	reader_bytes(r, &v, 1);
	return v;
}

uint16_t reader_u16(struct reader *r)
{
	uint8_t raw[2];

	reader_bytes(r, raw, sizeof(raw));
	return be16_load(raw);
}

uint32_t reader_u32(struct reader *r)
{
	uint8_t raw[4];

	reader_bytes(r, raw, sizeof(raw));
	return be32_load(raw);
}

uint64_t reader_u64(struct reader *r)
{
	uint8_t raw[8];

	reader_bytes(r, raw, sizeof(raw));
	return be64_load(raw);
}
