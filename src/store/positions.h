/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_POSITIONS_H
#define STORE_POSITIONS_H

#include "store/store.h"

/*
 * How far each log file was read, so that a restart goes on there. dev, inode
 * and fingerprint tell whether the path still names the file that was read.
 */
#define POSITION_PATH 256

struct position {
	char path[POSITION_PATH];
	uint64_t dev, inode, offset;
	uint8_t fingerprint[16]; /* the reader's, of the bytes before offset */
};

/* Keep the position of p->path. Returns 0, or -1 with a text. */
int positions_put(struct store *s, const struct position *p, struct error *err);

/* Forget a path that is no longer read. Not being there is success. */
int positions_delete(struct store *s, const char *path, struct error *err);

/* Read one. Returns 1, 0 when there is none, or -1 with a text. */
int positions_get(
	struct store *s, struct position *out, const char *path, struct error *err);

/* All, by path; fn must not change the store. How many, or -1 with a text. */
typedef void position_fn(void *context, const struct position *p);
int positions_each(struct store *s, position_fn *fn, void *context, struct error *err);

#endif
