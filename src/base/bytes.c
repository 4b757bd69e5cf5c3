/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bytes.h"

/* ASCII only: the C library's tolower() follows the locale. */
static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
}

/* What RFC 3261 calls LWS, byte by byte. */
static bool is_space(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool view_eq(struct view a, struct view b)
{
	/* memcmp() must not see the NULL of an empty view. */
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool bytes_eq_nocase(const void *a, const void *b, size_t n)
{
	const uint8_t *x = a, *y = b;

	for (size_t i = 0; i < n; i++)
		if (x[i] != y[i] && lower(x[i]) != lower(y[i]))
			return false;
	return true;
}

struct view view_trim(struct view a)
{
	while (a.n > 0 && is_space(a.p[0])) {
		a.p++;
		a.n--;
	}
	while (a.n > 0 && is_space(a.p[a.n - 1]))
		a.n--;
	return a;
}

size_t view_rfind(struct view a, uint8_t c)
{
	for (size_t i = a.n; i > 0; i--)
		if (a.p[i - 1] == c)
			return i - 1;
	return a.n;
}

size_t view_count(struct view a, uint8_t c)
{
	size_t count = 0, i = 0;

	/* Compilers add up bytes of one size many at once. */
	for (; i + 128 <= a.n; i += 128) {
		uint8_t some = 0;

		for (size_t k = 0; k < 128; k++)
			some = (uint8_t)(some + (a.p[i + k] == c));
		count += some;
	}
	for (; i < a.n; i++)
		count += a.p[i] == c;
	return count;
}

size_t view_find_str(struct view a, const char *s)
{
	const uint8_t *hit;

	if (a.n == 0)
		return a.n;
	hit = memmem(a.p, a.n, s, strlen(s));
	return hit ? (size_t)(hit - a.p) : a.n;
}

int view_decimal(struct view a, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;

	if (a.n == 0)
		return -1;
	for (size_t i = 0; i < a.n; i++) {
		uint64_t digit;

		if (a.p[i] < '0' || a.p[i] > '9')
			return -1;
		digit = (uint64_t)(a.p[i] - '0');
		/* v * 10 + digit, without overflow */
		if (v > UINT64_MAX / 10 || v * 10 > UINT64_MAX - digit)
			return -1;
		v = v * 10 + digit;
	}
	if (v > max)
		return -1;
	*out = v;
	return 0;
}

size_t view_copy(char *dst, size_t size, struct view a)
{
	size_t n;

	if (size == 0)
		return a.n;
	n = a.n < size - 1 ? a.n : size - 1;
	for (size_t i = 0; i < n; i++)
		dst[i] = a.p[i] ? (char)a.p[i] : '?';
	dst[n] = '\0';
	return a.n;
}

bool bytes_zero(const void *p, size_t n)
{
	const uint8_t *b = p;
	uint8_t any = 0;

	for (size_t i = 0; i < n; i++)
		any |= b[i];
	return any == 0;
}
