/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Included by lint.sh before each file that clang-tidy reads. The analyzer
 * sees one file at a time and cannot know that error_set() never returns 0: it
 * would follow every failing return as if it had succeeded.
 */
#ifndef SCRIPTS_ANALYZER_H
#define SCRIPTS_ANALYZER_H

#include "base/error.h"

void error_seen(struct error *err, const char *fmt, ...);

#define error_set(...)    (error_seen(__VA_ARGS__), -1)
#define error_prefix(...) (error_seen(__VA_ARGS__), -1)

#endif
