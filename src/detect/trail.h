/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_TRAIL_H
#define DETECT_TRAIL_H

#include "base/hash.h"
#include "sense/observation.h"

/*
 * What sources did last, for the evidence of a detection: of each source the
 * first few observations and the last few. Beside the detector, which counts
 * and keeps no observation; pure, and bounded: past bytes_max the source that
 * was silent longest is forgotten, those that nothing proves before the others,
 * so that a flood of forged packets pushes out forged ones.
 */
#define TRAIL_FIRST 8
#define TRAIL_LAST  16
#define TRAIL_MAX   (TRAIL_FIRST + TRAIL_LAST) /* of one source */

/* After such a silence a source's trail begins anew. */
#define TRAIL_PAUSE (3600 * USEC_PER_SEC)

struct trail;

/* NULL when memory is short. */
struct trail *trail_new(size_t bytes_max, struct hash_key key);
void trail_free(struct trail *t);

/* Keep a copy of o. Without memory it is not kept, and nothing else happens. */
void trail_note(struct trail *t, const struct observation *o);

/*
 * What is kept of the sources within source/bits and is not older than since,
 * in the order of time, into out[max]: of more than max the first third and the
 * last of the rest. *seen (may be NULL) is how many observations there were of
 * them, kept or not, since their trails began. Returns how many are in out.
 */
size_t trail_pick(const struct trail *t, const struct address *source, unsigned bits,
	usec since, struct observation *out, size_t max, uint64_t *seen);

size_t trail_memory(const struct trail *t);

#endif
