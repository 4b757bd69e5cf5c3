/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_ESCAPE_H
#define BASE_ESCAPE_H

#include "base/bytes.h"

/*
 * Untrusted bytes made fit for a terminal, a log line or an error text:
 * printable ASCII stays, backslash and double quote get a backslash, every
 * other byte becomes \xHH. At most size-1 bytes are written, NUL-terminated;
 * what does not fit ends in "...". size >= 8. Returns dst.
 */
const char *escape_view(char *dst, size_t size, struct view text);

/*
 * escape_view() of at most 60 bytes of text, in one of eight static buffers
 * used in turn: for log and error arguments only, not for keeping. Not for
 * threads (each role has one).
 */
const char *escaped(struct view text);

/* Whether text is valid UTF-8 without control characters (C0, DEL, C1). */
bool text_is_clean(struct view text);

#endif
