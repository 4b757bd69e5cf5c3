/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/columns.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* Take one cell's text over and widen its column. */
static void put(struct columns *c, const char *text, size_t n)
{
	size_t at = c->cells++ % c->count;

	if (n > c->width[at])
		c->width[at] = n;
	buffer_put(&c->text, text, n);
	buffer_put_u8(&c->text, 0);
}

void columns_begin(struct columns *c, const char *heads, uint32_t right)
{
	const char *at = heads;

	memset(c, 0, sizeof *c);
	c->right = right;
	for (c->count = 1; (at = strchr(at, '|')); at++)
		c->count++;
	while (*heads) {
		size_t n = strcspn(heads, "|");

		put(c, heads, n);
		heads += n + (heads[n] == '|');
	}
}

void columns_put(struct columns *c, const char *fmt, ...)
{
	char *text;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0) {
		c->text.failed = true;
		return;
	}
	put(c, text, (size_t)n);
	free(text);
}

/* One row; returns where the next one starts. */
static const char *row_print(
	const struct columns *c, const char *cell, FILE *out, unsigned indent)
{
	size_t blanks = indent; /* owed: they come before the next text only */

	for (unsigned i = 0; i < c->count; i++) {
		size_t n = strlen(cell), rest = c->width[i] - n;

		if (c->right >> i & 1)
			blanks += rest;
		if (n)
			fprintf(out, "%*s%s", (int)blanks, "", cell);
		blanks = n ? 0 : blanks + n;
		blanks += (c->right >> i & 1 ? 0 : rest) + 2;
		cell += n + 1;
	}
	fputc('\n', out);
	return cell;
}

int columns_print(struct columns *c, FILE *out, unsigned indent)
{
	const char *cell = (const char *)c->text.p;
	int rc = c->text.failed ? -1 : 0;

	for (size_t row = 0; !rc && row < c->cells / c->count; row++)
		cell = row_print(c, cell, out, indent);
	buffer_free(&c->text);
	return rc;
}
