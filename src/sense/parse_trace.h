/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SENSE_PARSE_TRACE_H
#define SENSE_PARSE_TRACE_H

#include "base/bytes.h"

/*
 * What a parser of lines or events tells of its work, for `sipchain explain`:
 * each field as it took it, and why it gave no observation. Parsers take NULL
 * where nobody asks.
 */
struct parse_trace {
	/* A field's raw value, hostile, valid during the call. May be NULL. */
	void (*field)(void *context, const char *name, struct view value);
	void *context;
	char why[200]; /* hostile text in it is escaped; "": no reason was given */
};

/* A field was taken. */
void parse_field(struct parse_trace *t, const char *name, struct view value);

/* Why there is no observation. Always returns false. */
bool parse_why(struct parse_trace *t, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
