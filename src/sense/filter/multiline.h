/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SENSE_FILTER_MULTILINE_H
#define SENSE_FILTER_MULTILINE_H

#include "base/buffer.h"
#include "sense/filter/expression.h"

/*
 * The last few lines of a log, for filters whose expressions reach over several
 * (maxlines): what fail2ban keeps as a filter's line buffer.
 */
struct multiline;

/* Most bytes that are kept; the oldest lines go first. */
#define MULTILINE_BYTES (1u << 20)

struct multiline *multiline_new(unsigned maxlines);
void multiline_free(struct multiline *m);

/* Add a line that the date was cut from. Returns 0, or -1 out of memory. */
int multiline_add(
	struct multiline *m, struct view before, struct view date, struct view after);

/* Let the text alone stand for the lines (<F-CONTENT>). Returns 0 or -1. */
int multiline_set(struct multiline *m, struct view text);

/* Append the lines as they are searched, each with a '\n'. */
void multiline_text(const struct multiline *m, struct buffer *out);

/*
 * Work out which lines e, just found in text, took: those that it touches, but
 * for what stands in its <SKIPLINES>. Returns how many.
 */
unsigned multiline_match(
	struct multiline *m, const struct expression *e, const struct subject *text);

/* Append the lines of the last match, as multiline_text(). */
void multiline_matched_text(const struct multiline *m, struct buffer *out);

/* Keep only the lines that the last match did not take. */
void multiline_drop_matched(struct multiline *m);

/*
 * The line is done. Returns how many of those that stood here before it are
 * gone because of it, other than for their age.
 */
unsigned multiline_done(struct multiline *m);

#endif
