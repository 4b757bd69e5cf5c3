/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_QUERY_H
#define CLI_QUERY_H

#include "indicator/indicator.h"

/*
 * What a person may mean who asks about a text: `check` takes it as it comes,
 * out of a call record, a log or a trouble ticket.
 */
#define QUERY_MAX  3
#define QUERY_TEXT (INDICATOR_SOURCE_TEXT + 16)

struct query {
	char text[QUERY_TEXT]; /* indicator_parse() takes it */
	const char *as;        /* "a domain"; NULL: just as it was written */
};

/*
 * The readings of text, likeliest first:
 *
 *   what indicator_parse() takes       itself; of a SIP URI its address too
 *   442079460000, 00442079460000       +442079460000
 *   bob@192.0.2.7                      sip:bob@192.0.2.7 and its address
 *   example.com                        a domain, a user agent
 *   friendly-scanner                   a user agent
 *
 * Returns how many, or -1 with a text that says what would be right.
 */
int query_read(struct query readings[QUERY_MAX], const char *text, struct error *err);

#endif
