/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SENSE_FILTER_SCAN_H
#define SENSE_FILTER_SCAN_H

#include "sense/filter/literal.h"

/*
 * One pass over a line that says which expressions can match it, by the literal
 * texts that each of them needs. Wu and Manber's algorithm (TR-94-17, 1994):
 * three bytes at a time tell how far the next text can begin, so that most of the
 * line is not even looked at.
 */
#define SCAN_EXPRESSIONS 256

/* A set of expressions, by number. */
struct expression_set {
	uint64_t bits[SCAN_EXPRESSIONS / 64];
};

struct scan;

/*
 * literals[i] are expression i's (count 0: it can match any line). At most
 * SCAN_EXPRESSIONS. NULL when memory is short.
 */
struct scan *scan_new(const struct literals *literals, unsigned count);
void scan_free(struct scan *s);

/*
 * Which expressions can match the line. Returns whether any can. An expression
 * whose texts are compared without case can match any line that is not ASCII
 * (U+212A is a k).
 */
bool scan_line(const struct scan *s, struct view line, struct expression_set *found);

/*
 * How many bytes at the front of text, which is whole lines with their ends, are
 * lines that no expression can match.
 */
size_t scan_skip(const struct scan *s, struct view text);

static inline bool expression_set_has(const struct expression_set *s, unsigned i)
{
	return s->bits[i / 64] >> (i % 64) & 1;
}

#endif
