/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_BUFFER_H
#define BASE_BUFFER_H

#include "base/bytes.h"

/*
 * A growable byte string. Zero-initialise, append, read p[0..n), free with
 * buffer_free(). After a failed allocation or past max the buffer is
 * "failed": further appends do nothing and return -1, so that a chain of
 * appends needs one check at its end.
 */
struct buffer {
	uint8_t *p;
	size_t n;
	size_t capacity;
	size_t max; /* 0: no limit */
	bool failed;
};

/* Append n bytes. Returns 0, or -1 when the buffer failed. */
int buffer_put(struct buffer *b, const void *p, size_t n);

/*
 * Room for n more bytes at p + n, without appending them: the caller writes there
 * and adds to b->n what it wrote. Returns as buffer_put().
 */
int buffer_reserve(struct buffer *b, size_t n);

/* Append big-endian integers. Return as buffer_put(). */
int buffer_put_u8(struct buffer *b, uint8_t v);
int buffer_put_u16(struct buffer *b, uint16_t v);
int buffer_put_u32(struct buffer *b, uint32_t v);
int buffer_put_u64(struct buffer *b, uint64_t v);

/* Append formatted text, without its NUL. Returns as buffer_put(). */
int buffer_printf(struct buffer *b, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Drop the first n bytes (n <= b->n). */
void buffer_consume(struct buffer *b, size_t n);

/* Release the memory and zero the struct, keeping max. */
void buffer_free(struct buffer *b);

/* A reader over bytes; failed is set, and zeros are returned, past the end. */
struct reader {
	struct view rest;
	bool failed;
};

uint8_t reader_u8(struct reader *r);
uint16_t reader_u16(struct reader *r);
uint32_t reader_u32(struct reader *r);
uint64_t reader_u64(struct reader *r);

/* Copy n bytes to dst (zeros when too few are left). */
void reader_bytes(struct reader *r, void *dst, size_t n);

/* A view of the next n bytes (empty, and failed set, when too few are left). */
struct view reader_view(struct reader *r, size_t n);

#endif
