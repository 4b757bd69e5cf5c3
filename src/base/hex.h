/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_HEX_H
#define BASE_HEX_H

#include "base/bytes.h"

/* A hex digit's value, upper or lower case, or -1. */
int hex_digit(uint8_t c);

/* Lower-case hex of n bytes into dst[2*n+1], NUL-terminated. Returns dst. */
char *hex_encode(char *dst, const uint8_t *src, size_t n);

/*
 * Parse exactly 2*n hex digits, with or without a leading 0x. Returns 0, or
 * -1 when the length or a digit is wrong; dst is then unspecified.
 */
int hex_decode(uint8_t *dst, size_t n, struct view text);

#endif
