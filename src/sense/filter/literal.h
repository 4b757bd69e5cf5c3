/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SENSE_FILTER_LITERAL_H
#define SENSE_FILTER_LITERAL_H

#include "base/bytes.h"

/*
 * What a line must hold for an expression to match it: at least one of a few
 * literal texts, and of a second few. Looking for them is a hundred times cheaper than the
 * expressions, and nearly every line of a log holds none.
 *
 * The texts hold neither line breaks nor bytes above 0x7f, nor a place from
 * which fail2ban may have cut the date: two blanks, or an opening and a closing
 * bracket or quotation mark side by side.
 */
#define LITERALS_MAX 16
#define LITERAL_SIZE 48

struct literal {
	uint8_t n;
	char text[LITERAL_SIZE];
};

struct literal_set {
	struct literal literal[LITERALS_MAX];
	unsigned count;
};

struct literals {
	struct literal_set first;  /* count 0: nothing is known of the line */
	struct literal_set second; /* elsewhere in the line; count 0: none */
	bool nocase;               /* compared without case; texts are in lower case */
};

/* Find out, from an expression in Python's syntax. */
void literals_find(struct literals *out, const char *regex);

#endif
