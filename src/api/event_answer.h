/* SPDX-License-Identifier: Apache-2.0 */
#ifndef API_EVENT_ANSWER_H
#define API_EVENT_ANSWER_H

#include <jansson.h>

#include "base/buffer.h"
#include "store/event.h"

/*
 * Events of the journal as JSON: {"id", "time", "type", "indicator"} and what else
 * its body says ("text" always). Pure.
 */

/* New reference; NULL when memory is short. */
json_t *event_json(const struct event *e);

/*
 * One event of a stream (HTML, "server-sent events"): id, event, data. Returns as
 * buffer_put().
 */
int event_stream_print(struct buffer *out, const struct event *e);

#endif
