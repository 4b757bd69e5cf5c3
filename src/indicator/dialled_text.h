/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INDICATOR_DIALLED_TEXT_H
#define INDICATOR_DIALLED_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "indicator/e164.h"

/*
 * More digits than any outside line, international prefix and number have together.
 */
#define DIALLED_TEXT 40

/* What of a dialled string a telephone would send. */
struct dialled_text {
	char text[DIALLED_TEXT + 1]; /* of 0-9 * # alone */
	size_t n;
	bool name;      /* there is something that cannot be dialled: no number */
	bool cut;       /* there was more of it than fits */
	bool plus;      /* a + stood there */
	size_t plus_at; /* in front of this digit */
	size_t zero;    /* where the 0 of a "(0)" is; DIALLED_TEXT + 1: there is none */
	bool context;   /* there is a phone-context; its country code, if it has one: */
	char country[E164_COUNTRY_DIGITS + 1];
};

/*
 * Read a user part, a tel: or sip: URI or what a person typed: escapes (%2B) are
 * undone, visual separators and what follows the number (parameters, host, one #
 * that ends dialling) are dropped. Any text of any length.
 */
void dialled_text_read(struct dialled_text *out, const char *dialled);

#endif
