/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_COLUMNS_H
#define CLI_COLUMNS_H

#include <stdio.h>

#include "base/buffer.h"

/*
 * A table on a terminal: every column as wide as its widest cell, so that
 * nothing is ever cut. Cells are ASCII by then (escaped), a byte is a column.
 */
#define COLUMNS_MAX 12

struct columns {
	unsigned count;
	uint32_t right; /* bit i: column i is numbers, set to the right */
	size_t width[COLUMNS_MAX];
	size_t cells;
	struct buffer text; /* each cell and a NUL, row by row */
};

/* heads are the columns' names, apart by '|', at most COLUMNS_MAX. */
void columns_begin(struct columns *c, const char *heads, uint32_t right);

/* The next cell, from left to right, row after row. */
void columns_put(struct columns *c, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Print the whole rows, each line behind indent blanks and without blanks at
 * its end, and release the memory. Returns 0, or -1 when memory was short.
 */
int columns_print(struct columns *c, FILE *out, unsigned indent);

#endif
