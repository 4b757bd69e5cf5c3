/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SENSE_FILTER_UTF8_H
#define SENSE_FILTER_UTF8_H

#include "base/bytes.h"

/* The bytes at the beginning that are ASCII: text.n when all are. */
size_t ascii_head(struct view text);

/* Whether text is well-formed UTF-8 (Unicode 15, table 3-7). */
bool utf8_valid(struct view text);

/*
 * Copy text to dst as well-formed UTF-8: each maximal part of an ill-formed
 * sequence becomes one U+FFFD (Unicode 15, 3.9), which is what Python's
 * decoder with errors='replace' does. dst holds UTF8_REPAIRED(text.n) bytes.
 * Returns the bytes written.
 */
#define UTF8_REPAIRED(n) ((n)*3)
size_t utf8_repair(uint8_t *dst, struct view text);

#endif
