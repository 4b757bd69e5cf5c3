/* SPDX-License-Identifier: Apache-2.0 */
#include "enforce/hook_log.h"

#include <stdio.h>

#include "base/escape.h"

static void refill(struct hook_log *l, usec now)
{
	usec steps;

	if (!l->filled) {
		l->filled = now;
		l->room = HOOK_LOG_BURST;
		return;
	}
	steps = (now - l->filled) / HOOK_LOG_EVERY;
	l->filled += steps * HOOK_LOG_EVERY;
	l->room = steps >= HOOK_LOG_BURST - l->room ? HOOK_LOG_BURST :
						      l->room + (unsigned)steps;
}

static void tell(struct hook_log *l, usec now, hook_log_fn *fn, void *context)
{
	char text[4 * HOOK_LOG_LINE + 16];

	refill(l, now);
	if (!l->room) {
		l->untold++;
	} else {
		l->room--;
		if (l->untold) {
			snprintf(text, sizeof text, "(%llu lines left out)",
				(unsigned long long)l->untold);
			l->untold = 0;
			fn(context, text);
		}
		escape_view(text, sizeof text - 8, view_of(l->line, l->n));
		if (l->cut)
			strcat(text, " ...");
		fn(context, text);
	}
	l->n = 0;
	l->cut = false;
}

void hook_log_feed(
	struct hook_log *l, struct view bytes, usec now, hook_log_fn *fn, void *context)
{
	while (bytes.n) {
		size_t n = view_find(bytes, '\n'), room = sizeof l->line - l->n;
		bool whole = n < bytes.n;

		if (n > room)
			l->cut = true;
		if (n && room)
			memcpy(l->line + l->n, bytes.p, n < room ? n : room);
		l->n += n < room ? n : room;
		bytes = view_from(bytes, n + 1);
		if (whole && (l->n || l->cut))
			tell(l, now, fn, context);
	}
}

void hook_log_end(struct hook_log *l, usec now, hook_log_fn *fn, void *context)
{
	if (l->n)
		tell(l, now, fn, context);
}
