/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/history.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

#include "base/escape.h"
#include "base/hex.h"

struct history {
	struct registry *registry;
	uint8_t *bytes; /* OPERATION_MAX of them */
	uint64_t lines;
};

static const char *text_of(const json_t *line, const char *key)
{
	const char *s = json_string_value(json_object_get(line, key));

	return s ? s : "";
}

/* The operation of a line into *event. Returns 0, or -1 with a text. */
static int read_event(struct history *h, const json_t *line, struct ledger_event *event,
	struct error *err)
{
	struct view hex = view_str(text_of(line, "bytes"));
	const struct tip *tip;

	if (!hex.n)
		return error_set(err,
			"has no \"bytes\": was it written by `sipchain "
			"ledger export` of this version?");
	if (hex.n % 2 || hex.n / 2 > OPERATION_MAX ||
		hex_decode(h->bytes, hex.n / 2, hex))
		return error_set(err, "\"bytes\" are not hex of an operation");
	event->bytes = view_of(h->bytes, hex.n / 2);
	if (operation_decode(&event->operation, event->bytes, err))
		return -1;
	event->chain = operation_chain(event->operation.type);
	event->block = (uint64_t)json_integer_value(json_object_get(line, "block"));
	if (hex_decode(
		    event->tip_before, HASH_SIZE, view_str(text_of(line, "tip_before"))))
		return error_set(err, "\"tip_before\" is no hash");
	tip = registry_tip(h->registry, event->chain);
	if (memcmp(tip->hash, event->tip_before, HASH_SIZE))
		return error_set(err,
			"an operation before it was left out or changed: the tip that it "
			"names is not the one that those before it give");
	return 0;
}

static int take_line(struct history *h, struct view text,
	void (*event)(void *context, const struct ledger_event *event), void *context,
	struct error *err)
{
	struct ledger_event e = {0};
	struct refusal why = {0};
	char sentence[REFUSAL_TEXT];
	json_error_t wrong;
	json_t *line = json_loadb(
		(const char *)text.p, text.n, JSON_REJECT_DUPLICATES, &wrong);
	int rc = -1;

	if (!json_is_object(line))
		error_set(err, "is no JSON object");
	else if (!read_event(h, line, &e, err))
		rc = registry_apply(h->registry, &e.operation, e.bytes, NULL, NULL, &why);
	if (rc && why.code)
		error_set(err, "cannot follow what stands before it: %s",
			refusal_print(sentence, &why));
	if (!rc && event)
		event(context, &e);
	json_decref(line);
	return rc;
}

struct registry *history_read(const char *path,
	void (*event)(void *context, const struct ledger_event *event), void *context,
	uint64_t *count, struct error *err)
{
	struct history h = {.registry = registry_new(hash_key_random()),
		.bytes = malloc(OPERATION_MAX)};
	char *line = malloc(HISTORY_LINE_MAX);
	FILE *f = fopen(path, "re");
	int rc = 0;

	if (!f)
		rc = error_set(err, "%s", strerror(errno));
	else if (!h.registry || !h.bytes || !line)
		rc = error_set(err, "out of memory");
	while (!rc && fgets(line, HISTORY_LINE_MAX, f)) {
		size_t n = strlen(line);

		h.lines++;
		rc = n && line[n - 1] != '\n' && n == HISTORY_LINE_MAX - 1 ?
			error_set(err, "is over %u bytes long", HISTORY_LINE_MAX) :
			take_line(&h, view_of(line, n), event, context, err);
	}
	if (!rc && ferror(f))
		rc = error_set(err, "%s", strerror(errno));
	if (!rc && !h.lines)
		rc = error_set(err, "is empty");
	if (rc)
		error_prefix(err, "%s:%" PRIu64, escaped(view_str(path)), h.lines);
	if (f)
		fclose(f);
	free(line);
	free(h.bytes);
	*count = h.lines;
	if (!rc)
		return h.registry;
	registry_free(h.registry);
	return NULL;
}
