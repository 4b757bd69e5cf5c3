/* SPDX-License-Identifier: Apache-2.0 */
#ifndef API_HTTP_TARGET_H
#define API_HTTP_TARGET_H

#include "base/bytes.h"
#include "base/error.h"

/*
 * The target of an HTTP request: "/v1/check?number=%2B97259&x=y". Pure. A path is
 * compared as it is written (none of ours needs an escape). In the query %XX is
 * decoded (RFC 3986) and '+' stays '+', since numbers begin with it; a client that
 * means a blank by it, as forms do, is met where that matters (http_number()).
 */
#define HTTP_TARGET_MAX     2048
#define HTTP_PARAMETERS_MAX 8

struct http_parameter {
	const char *name, *value;
};

struct http_target {
	const char *path;
	unsigned count;
	struct http_parameter parameters[HTTP_PARAMETERS_MAX];
	char text[HTTP_TARGET_MAX + 1]; /* what the pointers point to */
};

/*
 * Returns 0, or the status of the refusal with a text: 414 when it is longer than
 * HTTP_TARGET_MAX, 400 for bytes that no URI has, a bad escape, a value that is not
 * clean UTF-8, a name given twice or too many.
 */
int http_target_parse(struct http_target *out, struct view raw, struct error *err);

/* A parameter's value, or NULL. */
const char *http_parameter(const struct http_target *t, const char *name);

/*
 * The first parameter that is not among names (NULL at their end), or NULL: who
 * writes `limt=5` is to hear of it.
 */
const char *http_parameter_unknown(const struct http_target *t, const char *const *names);

#endif
