/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

/*
 * One error text that travels up by argument. A function that can fail for a
 * reason an operator should read takes a `struct error *` last; it may be
 * NULL when the caller does not care.
 */
struct error {
	char text[320];
};

/*
 * Write a message into err (truncated to fit, always NUL-terminated) and
 * return -1, so that `return error_set(err, ...)` is the failing return.
 * Untrusted text must be passed through escape_view() first.
 */
int error_set(struct error *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Put "prefix: " before the text that err already holds; returns -1. For
 * callers that know the file, the line or the field.
 */
int error_prefix(struct error *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
