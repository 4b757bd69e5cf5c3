/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENFORCE_HOOK_LOG_H
#define ENFORCE_HOOK_LOG_H

#include "base/bytes.h"
#include "base/clock.h"

/*
 * What a hook's program writes to its standard error, as lines for our log: cut,
 * escaped, and so few that a program which floods it fills no disk. Pure.
 */
#define HOOK_LOG_LINE  240 /* bytes of a line; the rest is left out */
#define HOOK_LOG_BURST 20  /* lines at once; then one each HOOK_LOG_EVERY */
#define HOOK_LOG_EVERY USEC_PER_SEC

struct hook_log {
	char line[HOOK_LOG_LINE];
	size_t n;
	bool cut;
	unsigned room;   /* lines that may be told now */
	usec filled;     /* when room last grew; 0: at the first line */
	uint64_t untold; /* lines since the last that was */
};

/* One line, NUL-terminated and escaped. */
typedef void hook_log_fn(void *context, const char *line);

/*
 * Bytes as they came, split anywhere; zero-initialise l. now: monotonic. After
 * lines that were left out the next one is preceded by their number.
 */
void hook_log_feed(
	struct hook_log *l, struct view bytes, usec now, hook_log_fn *fn, void *context);

/* The program has ended: what stands of a line without its break. */
void hook_log_end(struct hook_log *l, usec now, hook_log_fn *fn, void *context);

#endif
