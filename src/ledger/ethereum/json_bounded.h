/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LEDGER_ETHEREUM_JSON_BOUNDED_H
#define LEDGER_ETHEREUM_JSON_BOUNDED_H

#include <jansson.h>

#include "base/bytes.h"
#include "base/error.h"

/*
 * A strange peer's JSON into a tree. "[[],[]," costs jansson a hundred times
 * its own length, so what the tree may hold is counted before it is made.
 */
#define JSON_DEPTH_MAX      32
#define JSON_CONTAINERS_MAX 65536  /* objects and arrays */
#define JSON_VALUES_MAX     262144 /* all values, the keys of objects too */

/*
 * Returns a new reference, or NULL with a text, which quotes nothing: not JSON
 * (UTF-8, no key twice in an object), deeper than JSON_DEPTH_MAX or more than the
 * numbers above.
 */
json_t *json_parse_bounded(struct view text, struct error *err);

/* A string's bytes; empty for anything else, NULL included. */
struct view json_text(const json_t *value);

#endif
