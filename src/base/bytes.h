/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*
 * A view is somebody else's bytes: not owned, not NUL-terminated, hostile
 * until validated. A view with n == 0 may have p == NULL.
 */
struct view {
	const uint8_t *p;
	size_t n;
};

/* A view of a NUL-terminated string, without the NUL. */
static inline struct view view_str(const char *s)
{
	return (struct view){(const uint8_t *)s, strlen(s)};
}

/* A view of n bytes at p. */
static inline struct view view_of(const void *p, size_t n)
{
	return (struct view){(const uint8_t *)p, n};
}

/* Byte equality. */
bool view_eq(struct view a, struct view b);

/* Whether n bytes are equal, ASCII letters compared without case. */
bool bytes_eq_nocase(const void *a, const void *b, size_t n);

/* Equality with a string, ASCII letters compared without case. */
static inline bool view_eq_nocase(struct view a, const char *s)
{
	/* Here, so that the length of a literal is known before anything is called. */
	return a.n == strlen(s) && bytes_eq_nocase(a.p, s, a.n);
}

/* Whether a begins with the string s (case counts). */
static inline bool view_starts(struct view a, const char *s)
{
	size_t n = strlen(s);

	return a.n >= n && (n == 0 || memcmp(a.p, s, n) == 0);
}

/* Without leading and trailing SP, HTAB, CR, LF. */
struct view view_trim(struct view a);

/* The bytes from offset at on; empty when at is past the end. */
static inline struct view view_from(struct view a, size_t at)
{
	if (at >= a.n)
		return (struct view){NULL, 0};
	return (struct view){a.p + at, a.n - at};
}

/* The first n bytes, or fewer when there are fewer. */
static inline struct view view_head(struct view a, size_t n)
{
	if (n < a.n)
		a.n = n;
	return a;
}

/* Index of byte c, or a.n when it is not there. */
static inline size_t view_find(struct view a, uint8_t c)
{
	const uint8_t *found = a.n ? (const uint8_t *)memchr(a.p, c, a.n) : NULL;

	return found ? (size_t)(found - a.p) : a.n;
}

/* Index of the last byte c, or a.n when it is not there. */
size_t view_rfind(struct view a, uint8_t c);

/* How often byte c is there. */
size_t view_count(struct view a, uint8_t c);

/* Index of string s (case counts), or a.n when it is not there. */
size_t view_find_str(struct view a, const char *s);

/*
 * Parse decimal digits only (no sign, no space) into *out. Returns 0, or -1
 * when a is empty, holds anything else or exceeds max.
 */
int view_decimal(struct view a, uint64_t max, uint64_t *out);

/*
 * Copy a into dst of size bytes, cut to fit, NUL-terminated; NUL bytes inside
 * become '?'. Returns the number of bytes that a has (cut when >= size).
 */
size_t view_copy(char *dst, size_t size, struct view a);

/* Big-endian loads and stores; the pointer needs no alignment. */
static inline uint16_t be16_load(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t be32_load(const uint8_t *p)
{
	return (uint32_t)be16_load(p) << 16 | be16_load(p + 2);
}

static inline uint64_t be64_load(const uint8_t *p)
{
	return (uint64_t)be32_load(p) << 32 | be32_load(p + 4);
}

static inline void be16_store(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void be32_store(uint8_t *p, uint32_t v)
{
	be16_store(p, (uint16_t)(v >> 16));
	be16_store(p + 2, (uint16_t)v);
}

static inline void be64_store(uint8_t *p, uint64_t v)
{
	be32_store(p, (uint32_t)(v >> 32));
	be32_store(p + 4, (uint32_t)v);
}

/* Whether n bytes are all zero. */
bool bytes_zero(const void *p, size_t n);

#endif
