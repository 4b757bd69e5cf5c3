/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SENSE_FILTER_DATE_DETECT_H
#define SENSE_FILTER_DATE_DETECT_H

#include "sense/filter/expression.h"

/*
 * Finds the date in a line as fail2ban does: among a list of templates, of which
 * those that were found before, and near the line's beginning, come first. The
 * order changes with what was read, so that one log has one detector.
 */
struct date_detector;

/*
 * pattern: a filter's datepattern, one a line; NULL or empty: fail2ban's
 * defaults. file and line say where it stands, for errors. NULL with a text.
 */
struct date_detector *date_detector_new(const char *pattern, const char *file,
	unsigned line, int year, struct error *err);
void date_detector_free(struct date_detector *d);

/*
 * Where the date stands in a line, and when that was. Returns 1 with *begin and
 * *end the bytes of the date's text (which may be empty: a pattern that says
 * that there is none), 0 when there is none. *valid says whether *value
 * (microseconds since 1970) is set: what looks like a date may be none.
 */
int date_detect(struct date_detector *d, const struct subject *line, int64_t now,
	size_t *begin, size_t *end, int64_t *value, bool *valid);

/* The templates in their present order, with the lines that each was used for. */
size_t date_detector_count(const struct date_detector *d);
const char *date_detector_name(const struct date_detector *d, size_t i);
uint64_t date_detector_hits(const struct date_detector *d, size_t i);

/* Lines that were too much for a template's expression; how many are off. */
uint64_t date_detector_exhausted(const struct date_detector *d);

#endif
