/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/filter/date_template.h"

#include <stdlib.h>

void date_template_free(struct date_template *t)
{
	if (!t)
		return;
	date_pattern_free(&t->pattern);
	expression_free(t->expression);
	free(t);
}

struct view date_template_name(const struct date_template *t)
{
	return view_of(t->pattern.name.p, t->pattern.name.n - 1);
}

struct date_template *date_template_new(
	const char *pattern, const char *file, unsigned line, int year, struct error *err)
{
	struct date_template *t = calloc(1, sizeof *t);

	if (!t) {
		error_set(err, "out of memory");
		return NULL;
	}
	t->weight = 1;
	t->distance = DATE_FAR;
	if (date_pattern_make(&t->pattern, pattern, year, err)) {
		error_prefix(err, "%s:%u: datepattern", file ? file : "-", line);
		goto fail;
	}
	buffer_put_u8(&t->pattern.name, 0);
	buffer_put_u8(&t->pattern.regex, 0);
	if (t->pattern.name.failed || t->pattern.regex.failed) {
		error_set(err, "out of memory");
		goto fail;
	}
	t->anchored = t->pattern.line_begin || t->pattern.line_end;
	t->expression = expression_new(
		(char *)t->pattern.regex.p, "datepattern", file, line, false, err);
	if (!t->expression)
		goto fail;
	for (unsigned g = 1; g <= expression_groups(t->expression); g++) {
		const char *name = expression_group_name(t->expression, g);

		if (name && name[0] > 0 && !name[1])
			t->group[(unsigned char)name[0]] = g;
	}
	for (const char *letter = DATE_LETTERS; *letter; letter++)
		if (t->group[(unsigned char)*letter])
			t->letters[strlen(t->letters)] = *letter;
	return t;
fail:
	date_template_free(t);
	return NULL;
}
