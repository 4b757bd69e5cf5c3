/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LEDGER_ETHEREUM_JSON_SCAN_H
#define LEDGER_ETHEREUM_JSON_SCAN_H

#include "base/bytes.h"
#include "base/error.h"

/*
 * JSON (RFC 8259) scanned as it arrives, split anywhere, in fixed memory:
 * tokens are handed on, nothing is kept. Strict but for one thing: whether
 * strings are UTF-8 is not asked.
 */
#define JSON_SCAN_DEPTH 32
#define JSON_SCAN_TEXT  64 /* of a key (longer ones are cut) or a number */

enum json_event {
	JSON_EVENT_OBJECT = 1, /* { */
	JSON_EVENT_OBJECT_END,
	JSON_EVENT_ARRAY, /* [ */
	JSON_EVENT_ARRAY_END,
	JSON_EVENT_KEY,    /* text: it, unescaped; cut when last is false */
	JSON_EVENT_STRING, /* text: a piece of it, unescaped; last: it ends here */
	JSON_EVENT_NUMBER, /* text: it */
	JSON_EVENT_TRUE,
	JSON_EVENT_FALSE,
	JSON_EVENT_NULL,
};

/* Return 0, or -1 with a text to end the scan. text is valid during the call. */
typedef int json_event_fn(void *context, enum json_event event, struct view text,
	bool last, struct error *err);

struct json_scan {
	json_event_fn *fn;
	void *context;
	uint64_t offset;  /* of the chunk in the whole, for error texts */
	unsigned depth;   /* containers that are open */
	uint32_t objects; /* bit d: the container at depth d + 1 is an object */
	uint8_t state;
	bool key;       /* the string being read is a key */
	bool key_cut;   /* it was longer than text */
	uint8_t digits; /* of a \u escape so far */
	uint16_t unit;  /* their value */
	uint8_t n;      /* bytes in text */
	char text[JSON_SCAN_TEXT];
};

void json_scan_init(struct json_scan *s, json_event_fn *fn, void *context);

/*
 * Returns 0, or -1 with a text that names the byte (or fn's): the scan is over
 * then, do not feed again.
 */
int json_scan_feed(struct json_scan *s, struct view chunk, struct error *err);

/* The text has ended. Returns 0 when it was one whole value, else -1 with a text. */
int json_scan_end(struct json_scan *s, struct error *err);

#endif
