/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SENSE_FILTER_POOL_H
#define SENSE_FILTER_POOL_H

#include "base/bytes.h"

/*
 * Memory that is given back all at once: what reading a configuration leaves.
 * Zero-initialise, set max, take, pool_free(). After a failure every further
 * pool_take() fails, so that a caller may look once, at its end.
 */
struct pool_block;
struct pool {
	struct pool_block *blocks;
	size_t used, max; /* bytes */
	bool failed;
};

/* n zeroed bytes, aligned for anything. NULL when past max or out of memory. */
void *pool_take(struct pool *p, size_t n);

/* A NUL-terminated copy. NULL as above. */
char *pool_text(struct pool *p, struct view text);

void pool_free(struct pool *p);

#endif
