/* SPDX-License-Identifier: Apache-2.0 */
#include "base/units.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/escape.h"

/* Largest first: the order in which they are printed and must be written. */
static const struct {
	char letter;
	uint64_t seconds;
} durations[] = {
	{'w', 604800},
	{'d', 86400},
	{'h', 3600},
	{'m', 60},
	{'s', 1},
};

#define DURATIONS (sizeof(durations) / sizeof(durations[0]))

/* How many leading bytes of text are decimal digits. */
static size_t count_digits(struct view text)
{
	size_t n = 0;

	while (n < text.n && text.p[n] >= '0' && text.p[n] <= '9')
		n++;
	return n;
}

/* Index of a unit's letter in durations[] from `from` on, or DURATIONS. */
static size_t find_unit(uint8_t letter, size_t from)
{
	size_t i = from;

	while (i < DURATIONS && (uint8_t)durations[i].letter != letter)
		i++;
	return i;
}

int duration_parse(uint64_t *seconds, struct view text, struct error *err)
{
	struct view rest = text;
	uint64_t total = 0, v;
	size_t unit = 0;

	if (view_decimal(text, UINT64_MAX, seconds) == 0)
		return 0;
	do {
		size_t n = count_digits(rest);

		if (n == 0 || n == rest.n)
			goto bad;
		unit = find_unit(rest.p[n], unit);
		if (unit == DURATIONS ||
			view_decimal(view_head(rest, n), UINT64_MAX, &v) < 0 ||
			__builtin_mul_overflow(v, durations[unit].seconds, &v) ||
			__builtin_add_overflow(total, v, &total))
			goto bad;
		unit++; /* each unit once, the larger ones first */
		rest = view_from(rest, n + 1);
	} while (rest.n > 0);
	*seconds = total;
	return 0;
bad:
	return error_set(err,
		"\"%s\" is no duration: write seconds or numbers "
		"with the units w, d, h, m, s, larger ones first, such as "
		"90, 10m, 1h30m, 7d",
		escaped(text));
}

char *duration_print(char *dst, uint64_t seconds)
{
	size_t at = 0;

	/* 8 days read better than 1w1d: weeks only when they are whole. */
	for (size_t i = seconds % durations[0].seconds ? 1 : 0;
		i < DURATIONS && seconds > 0; i++) {
		uint64_t n = seconds / durations[i].seconds;

		seconds %= durations[i].seconds;
		if (n > 0)
			at += (size_t)snprintf(dst + at, 32 - at, "%" PRIu64 "%c", n,
				durations[i].letter);
	}
	if (at == 0)
		memcpy(dst, "0s", 3);
	return dst;
}

int duration_ms_parse(uint64_t *ms, struct view text, struct error *err)
{
	size_t n = count_digits(text);

	if (n > 0 && view_eq(view_from(text, n), view_str("ms")) &&
		view_decimal(view_head(text, n), UINT64_MAX, ms) == 0)
		return 0;
	if (duration_parse(ms, text, NULL) == 0 &&
		!__builtin_mul_overflow(*ms, UINT64_C(1000), ms))
		return 0;
	return error_set(err,
		"\"%s\" is no duration: write milliseconds such as 500ms, or seconds "
		"and longer such as 2, 2s, 1m30s",
		escaped(text));
}

char *duration_ms_print(char *dst, uint64_t ms)
{
	if (ms % 1000 == 0)
		return duration_print(dst, ms / 1000);
	snprintf(dst, 32, "%" PRIu64 "ms", ms);
	return dst;
}

int count_parse(uint64_t *count, struct view text, struct error *err)
{
	size_t n = count_digits(text);
	struct view unit = view_from(text, n);
	uint64_t v, factor;

	if (unit.n == 0)
		factor = 1;
	else if (view_eq(unit, view_str("k")))
		factor = 1000;
	else if (view_eq(unit, view_str("M")))
		factor = 1000000;
	else if (view_eq(unit, view_str("G")))
		factor = 1000000000;
	else
		goto bad;
	if (view_decimal(view_head(text, n), UINT64_MAX, &v) < 0 ||
		__builtin_mul_overflow(v, factor, count))
		goto bad;
	return 0;
bad:
	return error_set(err,
		"\"%s\" is no count: write digits, or digits with "
		"k, M or G (thousands), such as 1000, 64k, 1M",
		escaped(text));
}

size_t decimal_put(char dst[DECIMAL_MAX], uint64_t v)
{
	char digits[DECIMAL_MAX];
	size_t at = sizeof digits;

	do
		digits[--at] = (char)('0' + v % 10);
	while (v /= 10);
	memcpy(dst, digits + at, sizeof digits - at);
	return sizeof digits - at;
}

struct view word_next(struct view *rest)
{
	struct view word;
	size_t n = 0;

	while (rest->n && strchr(" \t,", rest->p[0]))
		*rest = view_from(*rest, 1);
	while (n < rest->n && !strchr(" \t,", rest->p[n]))
		n++;
	word = view_head(*rest, n);
	*rest = view_from(*rest, n);
	return word;
}
