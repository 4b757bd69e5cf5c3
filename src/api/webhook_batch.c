/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>

#include "api/event_answer.h"
#include "api/webhook.h"

#define END "]}"

/* A JSON string of text, with its quotes. */
static void put_string(struct buffer *b, const char *text)
{
	json_t *json = json_string(text);
	char *printed = json ? json_dumps(json, JSON_ENCODE_ANY | JSON_ENSURE_ASCII) :
			       NULL;

	if (printed)
		buffer_put(b, printed, strlen(printed));
	else
		b->failed = true;
	free(printed);
	json_decref(json);
}

int webhook_batch_begin(struct webhook_batch *b, const char *webhook, const char *node,
	uint64_t lost, webhook_types types)
{
	*b = (struct webhook_batch){.types = types};
	buffer_printf(&b->body, "{\"webhook\":");
	put_string(&b->body, webhook);
	buffer_printf(&b->body, ",\"node\":");
	put_string(&b->body, node);
	buffer_printf(&b->body, ",\"lost\":%" PRIu64 ",\"events\":[", lost);
	return b->body.failed ? -1 : 0;
}

enum webhook_offer webhook_batch_offer(struct webhook_batch *b, const struct event *e)
{
	enum webhook_offer rc = WEBHOOK_NO_MEMORY;
	json_t *json = NULL;
	char *text = NULL;
	size_t n;

	if (b->body.failed)
		return WEBHOOK_NO_MEMORY;
	if (!webhook_wants(b->types, e->type)) {
		b->seen = e->id;
		return WEBHOOK_PASSED;
	}
	if (b->events == WEBHOOK_EVENTS_MAX)
		return WEBHOOK_FULL;
	json = event_json(e);
	text = json ? json_dumps(json, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;
	if (!text)
		goto done;
	n = strlen(text);
	if (b->events > 0 && b->body.n + 1 + n + strlen(END) > WEBHOOK_BODY_MAX) {
		rc = WEBHOOK_FULL;
		goto done;
	}
	if (b->events > 0)
		buffer_put_u8(&b->body, ',');
	if (buffer_put(&b->body, text, n))
		goto done;
	if (b->events++ == 0)
		b->first = e->id;
	b->last = b->seen = e->id;
	rc = WEBHOOK_TAKEN;
done:
	free(text);
	json_decref(json);
	return rc;
}

int webhook_batch_end(struct webhook_batch *b)
{
	return buffer_put(&b->body, END, strlen(END));
}

void webhook_batch_free(struct webhook_batch *b)
{
	buffer_free(&b->body);
	*b = (struct webhook_batch){0};
}
