/* SPDX-License-Identifier: Apache-2.0 */
#include "api/event_answer.h"

#include <inttypes.h>
#include <stdlib.h>

json_t *event_json(const struct event *e)
{
	json_t *out = json_pack("{s:I, s:I, s:s, s:s}", "id", (json_int_t)e->id, "time",
		(json_int_t)e->time, "type", e->type, "indicator", e->indicator);
	json_t *body = json_loads(e->body, 0, NULL);

	if (out && body)
		json_object_update_missing(out, body);
	json_decref(body);
	return out;
}

int event_stream_print(struct buffer *out, const struct event *e)
{
	json_t *json = event_json(e);
	/* Compact and ASCII: one line, whatever a text holds. */
	char *text = json ? json_dumps(json, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;
	int rc = -1;

	if (text)
		rc = buffer_printf(out, "id: %" PRIu64 "\nevent: %s\ndata: %s\n\n", e->id,
			e->type, text);
	free(text);
	json_decref(json);
	return rc;
}
