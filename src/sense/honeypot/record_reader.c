/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/honeypot/record_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/escape.h"
#include "sense/honeypot/record_folder.h"

#define READ_AT_ONCE  (512u << 10)
#define CLOCKS_DIFFER (3600 * USEC_PER_SEC)

struct record_reader {
	int folder, file; /* -1: no segment is open */
	char *path;       /* the folder's, for messages */
	struct record_segment segment;
	uint64_t sequence; /* of the segment that is open or was read last */
	bool begun;        /* its header was read */
	bool lost;         /* the rest of it is no record */
	struct buffer data;
	size_t at; /* what of data was handed out */
	struct record_reader_figures figures;
};

static int failed(const struct record_reader *r, struct error *err)
{
	return error_set(err, "%s: %s", escaped(view_str(r->path)), strerror(errno));
}

/* What the folder's segments amount to. */
struct sum {
	uint64_t bytes;
};

static void add_size(void *context, uint64_t sequence, const struct stat *st)
{
	struct sum *s = context;

	(void)sequence;
	s->bytes += (uint64_t)st->st_size;
}

struct record_reader *record_reader_open(const char *folder, struct error *err)
{
	struct record_reader *r = calloc(1, sizeof *r);
	struct sum sum = {0};

	if (!r || !(r->path = strdup(folder))) {
		free(r);
		error_set(err, "out of memory");
		return NULL;
	}
	r->file = -1;
	r->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (r->folder < 0 || record_folder_list(r->folder, add_size, &sum)) {
		failed(r, err);
		record_reader_close(r);
		return NULL;
	}
	r->figures.total = sum.bytes;
	return r;
}

void record_reader_close(struct record_reader *r)
{
	if (!r)
		return;
	if (r->file >= 0)
		close(r->file);
	if (r->folder >= 0)
		close(r->folder);
	buffer_free(&r->data);
	free(r->path);
	free(r);
}

/* --- which segment --- */

/* The first segment behind one, and the last of all, written to after a time. */
struct search {
	uint64_t behind, found, last;
	usec since;
};

static void consider(void *context, uint64_t sequence, const struct stat *st)
{
	struct search *s = context;
	usec written = (usec)st->st_mtim.tv_sec * USEC_PER_SEC +
		(usec)st->st_mtim.tv_nsec / 1000;

	if (sequence > s->last)
		s->last = sequence;
	if (sequence > s->behind && written >= s->since &&
		(!s->found || sequence < s->found))
		s->found = sequence;
}

int record_reader_since(struct record_reader *r, usec since, struct error *err)
{
	struct search s = {.since = since > CLOCKS_DIFFER ? since - CLOCKS_DIFFER : 0};
	struct record record;
	int rc = 0;

	if (record_folder_list(r->folder, consider, &s))
		return failed(r, err);
	/* Nothing so new: but what comes yet is in the newest, or behind it. */
	if (!s.found)
		s.found = s.last;
	if (s.found)
		r->sequence = s.found - 1;
	if (since != UINT64_MAX)
		return 0;
	while ((rc = record_reader_next(r, &record, err)) > 0)
		;
	return rc;
}

/* Open the next segment behind the one that was read. 1, 0: there is none, -1. */
static int open_next(struct record_reader *r, struct error *err)
{
	struct search s = {.behind = r->sequence};
	char name[RECORD_NAME];

	for (;;) {
		s.found = 0;
		if (record_folder_list(r->folder, consider, &s))
			return failed(r, err);
		if (!s.found)
			return 0;
		r->file = openat(r->folder, record_name(name, s.found),
			O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
		r->sequence = s.behind = s.found;
		if (r->file >= 0)
			break;
		if (errno != ENOENT) /* else it was removed just now */
			return error_set(err, "%s/%s: %s", escaped(view_str(r->path)),
				name, strerror(errno));
	}
	r->begun = r->lost = false;
	r->data.n = r->at = 0;
	return 1;
}

/* Whether there is a segment behind the one that is open: nobody adds to that. */
static int is_followed(struct record_reader *r, struct error *err)
{
	struct search s = {.behind = r->sequence};

	if (record_folder_list(r->folder, consider, &s))
		return failed(r, err);
	return s.found != 0;
}

/* --- its bytes --- */

/* More of the segment. How many bytes, 0 at its end, -1. */
static ssize_t fill(struct record_reader *r, struct error *err)
{
	ssize_t n;

	buffer_consume(&r->data, r->at);
	r->at = 0;
	if (buffer_reserve(&r->data, READ_AT_ONCE))
		return error_set(err, "out of memory");
	do
		n = read(r->file, r->data.p + r->data.n, READ_AT_ONCE);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return failed(r, err);
	r->data.n += (size_t)n;
	r->figures.bytes += (uint64_t)n;
	return n;
}

/* What stands at r->at: a record, or why not. Passes over what is no record. */
static enum record_verdict take(struct record_reader *r, struct record *out)
{
	struct view rest = view_from(view_of(r->data.p, r->data.n), r->at);
	enum record_verdict v = RECORD_SHORT;
	size_t length;

	if (r->lost)
		return RECORD_LOST;
	if (!r->begun) {
		if (rest.n < RECORD_SEGMENT_HEADER)
			return RECORD_SHORT;
		if (record_segment_decode(&r->segment, rest))
			goto lost;
		r->begun = true;
		r->at += RECORD_SEGMENT_HEADER;
		rest = view_from(rest, RECORD_SEGMENT_HEADER);
	}
	v = record_decode(out, &length, rest, &r->segment.key);
	if (v == RECORD_LOST)
		goto lost;
	r->at += length;
	if (v == RECORD_DAMAGED)
		r->figures.damaged++;
	if (v == RECORD_WHOLE)
		r->figures.records++;
	return v;
lost:
	r->lost = true;
	r->figures.torn++;
	return RECORD_LOST;
}

/* Nothing more comes of this segment. */
static void leave(struct record_reader *r)
{
	size_t rest = r->data.n - r->at;

	if (rest && !r->lost)
		r->figures.torn++;
	r->figures.torn_bytes += rest;
	close(r->file);
	r->file = -1;
	r->data.n = r->at = 0;
}

/* At the end of what the segment has. 1: go on, 0: nothing more at present, -1. */
static int at_end(struct record_reader *r, struct error *err)
{
	int followed = is_followed(r, err);
	ssize_t n;

	if (followed <= 0)
		return followed;
	/* What was written between our read and the next segment's making. */
	n = fill(r, err);
	if (n < 0)
		return -1;
	if (!n)
		leave(r);
	return 1;
}

int record_reader_next(struct record_reader *r, struct record *out, struct error *err)
{
	enum record_verdict v;
	ssize_t n;
	int rc;

	for (;;) {
		if (r->file < 0) {
			rc = open_next(r, err);
			if (rc <= 0)
				return rc;
		}
		v = take(r, out);
		if (v == RECORD_WHOLE)
			return 1;
		if (v == RECORD_DAMAGED)
			continue;
		if (v == RECORD_LOST) {
			r->figures.torn_bytes += r->data.n - r->at;
			r->at = r->data.n;
		}
		n = fill(r, err);
		if (n < 0)
			return -1;
		if (n > 0)
			continue;
		rc = at_end(r, err);
		if (rc <= 0)
			return rc;
	}
}

void record_reader_figures(struct record_reader *r, struct record_reader_figures *out)
{
	*out = r->figures;
	if (r->file < 0 || r->lost || r->at == r->data.n || record_folder_in_use(r->file))
		return;
	out->torn++;
	out->torn_bytes += r->data.n - r->at;
}
