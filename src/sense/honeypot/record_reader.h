/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SENSE_HONEYPOT_RECORD_READER_H
#define SENSE_HONEYPOT_RECORD_READER_H

#include "base/error.h"
#include "sense/honeypot/record.h"

/*
 * Reads the segments of a folder from the oldest on, also while they are written
 * and while the oldest are removed: such are passed over. Any number may read.
 */
struct record_reader;

/* Returns NULL with a text that names the folder and what is wrong. */
struct record_reader *record_reader_open(const char *folder, struct error *err);
void record_reader_close(struct record_reader *r);

/*
 * Begin with the segments that were written to after `since`, less an hour by which
 * clocks may differ; UINT64_MAX: behind all that is there now. Before the
 * first record_reader_next(). Returns 0, or -1 with a text.
 */
int record_reader_since(struct record_reader *r, usec since, struct error *err);

/*
 * The next record, whose views live until the next call. Returns 1; 0 when there is
 * no more at present, after which there may be more later; -1 with a text when the
 * disk fails.
 */
int record_reader_next(struct record_reader *r, struct record *out, struct error *err);

struct record_reader_figures {
	uint64_t records, bytes; /* bytes read, of all files */
	uint64_t total;          /* bytes of all segments when it was opened */
	uint64_t damaged;        /* records whose check was wrong */
	uint64_t torn;           /* segments whose end is missing or no record */
	uint64_t torn_bytes;     /* what stands there instead */
};

/*
 * What was left out so far. At the end of the newest segment what is half written
 * counts as torn only when no recorder has that segment.
 */
void record_reader_figures(struct record_reader *r, struct record_reader_figures *out);

#endif
