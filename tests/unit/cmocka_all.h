/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_CMOCKA_ALL_H
#define TESTS_CMOCKA_ALL_H

/* cmocka.h needs these before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

/*
 * Say why a check is left out on this machine; the test then returns. Not
 * cmocka's skip(): in TAP it prints "not ok # SKIP", which counts as a failure.
 */
static inline void left_out(const char *why)
{
	fprintf(stderr, "left out: %s\n", why);
}

#endif
