/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SENSE_FILTER_EXPRESSION_H
#define SENSE_FILTER_EXPRESSION_H

#include "base/bytes.h"
#include "base/error.h"

/*
 * One compiled expression of a filter. Whatever it is and whatever it is
 * matched with, a line costs a bounded number of steps; one that keeps needing
 * more is switched off, see expression_search().
 */
struct expression;

/* What is searched: valid UTF-8. */
struct subject {
	const uint8_t *p;
	size_t n;
	bool ascii; /* no byte above 0x7f */
};

/*
 * Compile a Python expression (tags put in already). file and line say where it
 * was written (file NULL: nowhere), what what it is ("failregex 3"); all three
 * are for messages, file is copied. multiline: ^ and $ match at every line. NULL
 * with a text.
 */
struct expression *expression_new(const char *text, const char *what, const char *file,
	unsigned line, bool multiline, struct error *err);
void expression_free(struct expression *e);

/*
 * Search the subject from byte `from` on, which anchors and assertions see past.
 * Returns 1 when found, else 0: also when it is switched off, and when its steps
 * were used up, which is counted.
 *
 * An expression with EXPRESSION_STRIKES such lines of up to 4,096 bytes is
 * switched off; each EXPRESSION_FORGIVE lines that it managed take one away, so
 * that one odd line now and then does not blind the filter. Longer lines count as
 * exhausted, and cost at most a tenth of a second, but switch nothing off.
 */
#define EXPRESSION_STRIKES 16
#define EXPRESSION_FORGIVE 10000
int expression_search(struct expression *e, const struct subject *s, size_t from);

/* Where the last found one begins and ends; group 0 is the whole. -1: not set. */
bool expression_group(
	const struct expression *e, unsigned group, size_t *begin, size_t *end);

/* Groups, without group 0; the name of one, or NULL; the group of a name, or 0. */
unsigned expression_groups(const struct expression *e);
const char *expression_group_name(const struct expression *e, unsigned group);
unsigned expression_group_find(const struct expression *e, const char *name);

/* The Python text; lines whose steps were used up; whether it is switched off. */
const char *expression_text(const struct expression *e);
uint64_t expression_exhausted(const struct expression *e);
bool expression_is_off(const struct expression *e);

#endif
