/* SPDX-License-Identifier: Apache-2.0 */
#ifndef API_HTTP_ACCEPT_H
#define API_HTTP_ACCEPT_H

#include "base/bytes.h"

/* The media types that are spoken here. */
enum http_media {
	HTTP_JSON = 1,   /* application/json */
	HTTP_TEXT = 2,   /* text/plain */
	HTTP_EVENTS = 4, /* text/event-stream */
};

/*
 * Which of the offered types (bits) an Accept header asks for (RFC 9110 12.5.1):
 * the best quality, by the range that names a type most closely; of equals the one
 * that stands first in the enum. No header (p == NULL) accepts all. What is no
 * media range is passed over. Returns 0 when none is acceptable. Pure.
 */
enum http_media http_accept(struct view header, unsigned offered);

/* "application/json", ... */
const char *http_media_name(enum http_media media);

/* Whether a Content-Type says JSON, whatever its parameters but another charset. */
bool http_is_json(struct view content_type);

#endif
