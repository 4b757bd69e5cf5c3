/* SPDX-License-Identifier: Apache-2.0 */
#ifndef API_EVIDENCE_ANSWER_H
#define API_EVIDENCE_ANSWER_H

#include <jansson.h>

#include "store/evidence.h"

/*
 * The store's evidence as JSON: for the control socket, and for the command that
 * reads the store without a daemon. New references; NULL with a text when the
 * store cannot be read.
 */

/*
 * Records, newest first, at most `limit`, with ids below `before` (0: all), of i
 * (NULL: of any indicator):
 * {"evidence": [{"id", "indicator", "created", "bytes", "category", "state",
 *  "block"}], "bytes": of all, "before": to go on with, or 0}
 */
json_t *evidence_answer_list(struct store *s, const struct indicator *i, uint64_t before,
	int limit, struct error *err);

/*
 * One record whole: of this id, or (0) the newest one of i that a batch carries,
 * else the newest. {"id", "indicator", "created", "salt", "record" or "raw",
 * "commitment", "block", "path": {"index", "count", "siblings"}}; the last three
 * are null while no batch carries it. JSON null when there is none.
 */
json_t *evidence_answer_get(
	struct store *s, uint64_t id, const struct indicator *i, struct error *err);

/*
 * A record's bytes as what a person reads: the object that dumps to these very
 * bytes, or NULL. And the bytes of such an object, which the caller frees.
 */
json_t *evidence_record_read(struct view body);
char *evidence_record_write(const json_t *record);

#endif
