/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_OUTBOX_ROW_H
#define STORE_OUTBOX_ROW_H

#include "store/outbox.h"
#include "store/sql.h"

/* For the outbox's own files: the columns of a row and their reading. */
#define OUTBOX_COLUMNS                                                                   \
	"o.id, o.indicator, o.text, o.want, o.category, o.proof, o.expiry, o.evidence,"  \
	" o.state, o.word, o.batch, o.position, o.attempts, o.retry_at, o.block,"        \
	" o.created, o.updated, o.error"

/* From the row that q stands on. */
void outbox_row_read(struct outbox_row *out, struct sql *q);

/*
 * Read up to max rows of q into rows[], and release q. Returns how many, or -1
 * with a text.
 */
int outbox_rows_read(struct outbox_row *rows, int max, struct sql *q, struct error *err);

#endif
