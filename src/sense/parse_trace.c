/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/parse_trace.h"

#include <stdarg.h>
#include <stdio.h>

void parse_field(struct parse_trace *t, const char *name, struct view value)
{
	if (t && t->field)
		t->field(t->context, name, value);
}

bool parse_why(struct parse_trace *t, const char *fmt, ...)
{
	va_list args;

	if (!t)
		return false;
	va_start(args, fmt);
	vsnprintf(t->why, sizeof t->why, fmt, args);
	va_end(args);
	return false;
}
