/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first lines, up to an empty one, are a filter's datepattern; the others are
 * searched for a date by it. A date lies within its line and in the age that it
 * can be of.
 */
#include <stdlib.h>

#include "sense/filter/date_detect.h"
#include "sense/filter/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

#define NOW         (INT64_C(1795305600) * 1000000)
#define PATTERN_MAX 300 /* PCRE2's compiler takes its time */
#define LINES_MAX   32
#define AGE_MOST    (INT64_C(260000000000) * 1000000) /* the year 9999, and some */

static void try_line(struct date_detector *d, struct view line)
{
	size_t begin = 0, end = 0;
	struct subject s = {line.p, line.n, ascii_head(line) == line.n};
	int64_t value = 0;
	bool valid = false;

	if (!utf8_valid(line) || memchr(line.p, 0, line.n) || line.n > 2000)
		return;
	if (!date_detect(d, &s, NOW, &begin, &end, &value, &valid))
		return;
	if (begin > end || end > line.n)
		abort();
	if (valid && (value < -AGE_MOST || value > AGE_MOST))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	struct view all = view_of(input, size), rest;
	size_t n = view_find_str(all, "\n\n");
	char pattern[PATTERN_MAX + 1];
	struct date_detector *d;
	struct error err = {""};

	if (n > PATTERN_MAX || (n && memchr(input, 0, n)))
		return 0;
	view_copy(pattern, sizeof pattern, view_head(all, n));
	setenv("TZ", "UTC", 1);
	d = date_detector_new(pattern, "fuzz.conf", 1, 2026, &err);
	if (!d) {
		if (!err.text[0])
			abort();
		return 0;
	}
	rest = view_from(all, n + 2);
	for (unsigned i = 0; rest.n && i < LINES_MAX; i++) {
		struct view line = view_head(rest, view_find(rest, '\n'));

		if (line.n)
			try_line(d, line);
		rest = view_from(rest, line.n + 1);
	}
	for (size_t i = 0; i < date_detector_count(d); i++)
		if (!date_detector_name(d, i))
			abort();
	date_detector_free(d);
	return 0;
}
