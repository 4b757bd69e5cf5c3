/* SPDX-License-Identifier: Apache-2.0 */
#ifndef API_HTTP_REPORT_H
#define API_HTTP_REPORT_H

#include <jansson.h>

#include "indicator/indicator.h"
#include "indicator/word.h"

/*
 * The body of POST /v1/reports: one object, or {"reports": [object, ...]}. Pure.
 *
 *   indicator  text as `sipchain report` takes it; or one of
 *   ip, number, uri, domain, agent   the same, when the kind is known: the text
 *              must be of that kind
 *   category   a category's name; "other" when absent
 *   ttl        seconds, 1 .. 366 days; absent: the default
 *   note       at most 79 bytes of clean text, for the audit trail
 *
 * Anything else is refused with its name: who writes "categry" is to hear of it.
 */
#define HTTP_REPORTS_MAX    1000
#define HTTP_REPORT_NOTE    80
#define HTTP_REPORT_TTL_MAX (366 * 86400)
#define HTTP_REPORT_DEPTH   4 /* how deep a body nests at most */
#define HTTP_REPORT_NAME    32

struct http_report {
	struct indicator indicator;
	char canonical[INDICATOR_SOURCE_TEXT + 1];
	uint8_t category;
	uint32_t ttl; /* 0: not given */
	char note[HTTP_REPORT_NOTE];
};

/*
 * The body as JSON (new reference): UTF-8, no name twice, no more than
 * HTTP_REPORT_DEPTH deep. NULL with a text that names the line; name is then the
 * field in whose value the bytes are no UTF-8, or "".
 */
json_t *http_reports_load(
	struct view body, char name[HTTP_REPORT_NAME], struct error *err);

/*
 * The list of entries in it (borrowed; a single object is itself the entry): *count
 * of them, 1 .. HTTP_REPORTS_MAX. 0, or -1 with a text and the field that is wrong.
 */
int http_reports_list(
	const json_t *root, size_t *count, const char **field, struct error *err);

/* The i-th entry of what http_reports_list() counted. */
const json_t *http_reports_at(const json_t *root, size_t i);

/*
 * One entry. 0, or -1 with a text and the field, which is a static string or
 * one of the entry's own names.
 */
int http_report_parse(struct http_report *out, const json_t *entry, const char **field,
	struct error *err);

#endif
