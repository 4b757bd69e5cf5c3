/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_CONNECTOR_ROW_H
#define STORE_CONNECTOR_ROW_H

#include "store/store.h"

/*
 * The places in PBXs where entries of this node's may stand. A place whose section was
 * taken out of the configuration stays here, so that somebody hears of it: nobody else
 * knows why calls are refused there.
 */
#define CONNECTOR_ROW_PLACE 512 /* bytes, with NUL */
#define CONNECTOR_ROW_NAME  40

struct connector_row {
	char place[CONNECTOR_ROW_PLACE]; /* the key; for people too; no secret */
	char name[CONNECTOR_ROW_NAME];   /* of the section that had it last */
	uint8_t type;
	uint64_t gone; /* unix seconds: not configured since, as was seen; 0: it is */
};

/* Write the row, new or old. STORE_SOON. Returns 0, or -1 with a text. */
int connector_row_put(
	struct store *s, const struct connector_row *row, struct error *err);

/* Nothing stands there any more. One that is not there is fine. */
int connector_row_delete(struct store *s, const char *place, struct error *err);

/*
 * Each row by name and place; fn must not change the store. Returns how many, or -1 with
 * a text.
 */
typedef void connector_row_fn(void *context, const struct connector_row *row);
int connector_row_each(
	struct store *s, connector_row_fn *fn, void *context, struct error *err);

#endif
