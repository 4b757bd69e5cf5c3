/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SENSE_FILTER_DATE_TEMPLATE_H
#define SENSE_FILTER_DATE_TEMPLATE_H

#include "sense/filter/date_pattern.h"
#include "sense/filter/expression.h"

/* All that date_value() looks at: the struct is large. */
#define DATE_LETTERS "YymBbdHIpMSAawjUWzZ"

/* One date pattern, compiled, and how a detector got on with it. */
struct date_template {
	struct date_pattern pattern;
	struct expression *expression;
	unsigned group[128]; /* of a field's letter; 0: none */
	/* What date_value() looks at: letters, "" ends them. */
	char letters[sizeof DATE_LETTERS];
	double weight;
	bool anchored;
	uint64_t found; /* times that the expression was found */
	uint64_t hits;  /* times that the date was taken */
	int64_t used;   /* when last */
	size_t distance;
};

#define DATE_FAR 0x7fffffff

/*
 * Compile a pattern; file, line: where it stands, for errors; year: see
 * date_pattern_make(). NULL with a text.
 */
struct date_template *date_template_new(const char *pattern, const char *file,
	unsigned line, int year, struct error *err);
void date_template_free(struct date_template *t);

/* What people read. */
struct view date_template_name(const struct date_template *t);

#endif
