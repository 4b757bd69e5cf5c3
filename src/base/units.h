/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_UNITS_H
#define BASE_UNITS_H

#include "base/error.h"
#include "base/bytes.h"

/*
 * A duration such as "90", "10m", "1h30m", "7d" into seconds; units s, m, h,
 * d, w, a bare number is seconds. Returns 0, or -1 with a text that names the
 * allowed units.
 */
int duration_parse(uint64_t *seconds, struct view text, struct error *err);

/* The shortest exact form ("1h30m") into dst[32]. Returns dst. */
char *duration_print(char *dst, uint64_t seconds);

/*
 * The same into milliseconds: also "500ms"; a bare number is still seconds.
 * Returns 0, or -1 with a text.
 */
int duration_ms_parse(uint64_t *ms, struct view text, struct error *err);

/* "2s", or "1500ms" where seconds would not be exact, into dst[32]. Returns dst. */
char *duration_ms_print(char *dst, uint64_t ms);

/* A count such as "1000", "64k", "1M" (1000s). Returns 0 or -1. */
int count_parse(uint64_t *count, struct view text, struct error *err);

/*
 * v in decimal digits into dst[DECIMAL_MAX], without a NUL, where no format shall be
 * read, for speed. Returns how many.
 */
#define DECIMAL_MAX 20
size_t decimal_put(char dst[DECIMAL_MAX], uint64_t v);

/*
 * Take the next word of a list off *rest; blanks, tabs and commas, however many,
 * stand between words. Empty at the end.
 */
struct view word_next(struct view *rest);

#endif
