/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_EVENT_H
#define STORE_EVENT_H

#include "store/store.h"

/*
 * The journal of events: what happened on this node, in order, for everybody who
 * follows it and may be away for a while: `sipchain watch`, server-sent events,
 * webhooks. An id is never used twice, and grows; whoever remembers the last that
 * he saw goes on after it. The newest EVENTS_MOST are kept.
 */
#define EVENTS_MOST    100000
#define EVENTS_FORGET  256 /* ids that this divides, given out, forget what is too old */
#define EVENT_TYPE_MAX 24
#define EVENT_BODY_MAX 8192
#define EVENT_SUBJECT  64 /* as indicator_print() gives it */

struct event {
	uint64_t id;
	uint64_t time;         /* unix seconds */
	const char *type;      /* "detection", "report", "ban", ...; a word */
	const char *indicator; /* printed, or "" */
	const char *body;      /* JSON: an object of what else is known of it */
};

/*
 * Append; e->id is ignored, *id (may be NULL) is the new one. Every 256th one
 * forgets what is too old. In the open transaction when there is one, else
 * committed as STORE_SOON: an event tells of something that the store holds, or
 * that a power loss would undo as well. Returns 0, or -1 with a text.
 */
int event_put(struct store *s, const struct event *e, uint64_t *id, struct error *err);

/*
 * At most max events with an id above `after`, oldest first; false of fn ends it
 * (that event counts as given). fn must not change the store; texts are gone when
 * it returns. Returns how many were given, or -1 with a text.
 */
typedef bool event_fn(void *context, const struct event *e);
int events_after(struct store *s, uint64_t after, int max, event_fn *fn, void *context,
	struct error *err);

/*
 * The ids that are kept: *oldest .. *newest; with none *newest is the last that was
 * given out (0: none ever) and *oldest the next. Returns 0, or -1 with a text.
 */
int events_range(struct store *s, uint64_t *oldest, uint64_t *newest, struct error *err);

#endif
