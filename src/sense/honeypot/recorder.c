/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/honeypot/recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/log.h"
#include "sense/honeypot/record_folder.h"

#define WRITE_AT   (256u << 10) /* bytes that wait before they are written at once */
#define WAIT_MAX   (1u << 20)   /* bytes that wait while the disk does not take them */
#define PARTS      8            /* a segment has at most such a part of all bytes */
#define KEEP_PARTS 16           /* and covers such a part of the time */
/* A daemon that starts again and again makes one segment each time. */
#define SEGMENTS_MAX 4096

struct segment {
	uint64_t sequence, bytes;
	usec last; /* when it was last written to */
};

struct recorder {
	int folder, file; /* file -1: no segment is open */
	char *path;
	uint64_t max, segment_max;
	usec keep;                /* 0: until max */
	struct segment *segments; /* oldest first; with file >= 0 the last is written */
	size_t count, capacity;
	uint64_t sequence; /* the last that was ever used */
	uint64_t bytes;    /* of all segments, what waits included */
	struct hash_key key;
	usec created; /* the segment that is open */
	struct buffer waiting;
	bool failing;    /* no more attempts until the next flush */
	uint64_t missed; /* lost since it fails */
	struct recorder_figures figures;
};

/* --- trouble, which never stops anything --- */

/* Said once; errno says why. Returns -1. */
static int fails(struct recorder *r, const char *what)
{
	if (!r->figures.failing)
		log_error("honeypot: %s: %s: %s; what cannot be recorded is counted, and "
			  "it is tried again each second",
			escaped(view_str(r->path)), what, strerror(errno));
	r->figures.failing = true;
	r->failing = true;
	return -1;
}

static void works(struct recorder *r)
{
	if (!r->figures.failing)
		return;
	log_notice("honeypot: %s: recording goes on; %llu messages were lost",
		escaped(view_str(r->path)), (unsigned long long)r->missed);
	r->figures.failing = false;
	r->missed = 0;
}

/* --- segments --- */

/* The bytes of the segment that is open, what waits for it included. */
static struct segment *newest(struct recorder *r)
{
	return &r->segments[r->count - 1];
}

static int segment_add(struct recorder *r, const struct segment *s)
{
	if (r->count == r->capacity) {
		size_t n = r->capacity ? r->capacity * 2 : 32;
		struct segment *p = realloc(r->segments, n * sizeof *p);

		if (!p)
			return -1;
		r->segments = p;
		r->capacity = n;
	}
	r->segments[r->count++] = *s;
	r->bytes += s->bytes;
	return 0;
}

/* Remove the oldest, which is never the one that is written. 0 or -1. */
static int remove_oldest(struct recorder *r)
{
	char name[RECORD_NAME];

	if (r->count <= (r->file >= 0)) {
		errno = ENOSPC;
		return -1;
	}
	record_name(name, r->segments[0].sequence);
	if (unlinkat(r->folder, name, 0) && errno != ENOENT)
		return fails(r, "an old segment cannot be removed");
	r->bytes -= r->segments[0].bytes;
	r->count--;
	memmove(r->segments, r->segments + 1, r->count * sizeof *r->segments);
	r->figures.removed++;
	return 0;
}

/* Write what waits. 0, or -1 when some of it is left. */
static int write_waiting(struct recorder *r)
{
	if (r->failing)
		return -1;
	if (!r->waiting.n)
		return 0;
	while (r->waiting.n) {
		ssize_t n = write(r->file, r->waiting.p, r->waiting.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fails(r, "cannot write");
		buffer_consume(&r->waiting, (size_t)n);
	}
	works(r);
	return 0;
}

/* End the segment that is open, once all of it is written. 0 or -1. */
static int segment_end(struct recorder *r)
{
	if (r->file < 0)
		return 0;
	if (write_waiting(r))
		return -1;
	close(r->file);
	r->file = -1;
	return 0;
}

static int segment_open(struct recorder *r, usec now)
{
	struct record_segment header = {
		.sequence = r->sequence + 1, .created = now, .key = hash_key_random()};
	struct segment s = {header.sequence, RECORD_SEGMENT_HEADER, now};
	char name[RECORD_NAME];

	if (r->failing)
		return -1;
	record_name(name, header.sequence);
	r->file = openat(r->folder, name,
		O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (r->file < 0)
		return fails(r,
			errno == EEXIST ? "another process records there" :
					  "no new segment can be made");
	r->sequence = header.sequence;
	if (segment_add(r, &s) || record_segment_encode(&r->waiting, &header)) {
		close(r->file);
		r->file = -1;
		unlinkat(r->folder, name, 0);
		errno = ENOMEM;
		return fails(r, "no new segment can be made");
	}
	record_folder_take(r->file); /* readers tell by it what is only half written */
	r->key = header.key;
	r->created = now;
	return 0;
}

/* Whether the segment that is open covers as much time as one may. */
static bool too_old(const struct recorder *r, usec now)
{
	return r->keep && now > r->created && now - r->created > r->keep / KEEP_PARTS;
}

/* A segment that takes size more bytes, and room for them. 0 or -1. */
static int make_room(struct recorder *r, usec now, size_t size)
{
	if (r->file >= 0 &&
		(newest(r)->bytes + size > r->segment_max || too_old(r, now)) &&
		segment_end(r))
		return -1;
	while (r->bytes + size + RECORD_SEGMENT_HEADER > r->max ||
		r->count >= SEGMENTS_MAX)
		if (remove_oldest(r))
			return -1;
	return r->file < 0 ? segment_open(r, now) : 0;
}

void recorder_put(struct recorder *r, const struct record *record)
{
	size_t size = record_size(record);

	if (make_room(r, record->time, size) || r->waiting.n + size > WAIT_MAX ||
		record_encode(&r->waiting, record, &r->key)) {
		r->figures.lost++;
		r->missed++;
		return;
	}
	newest(r)->bytes += size;
	newest(r)->last = record->time;
	r->bytes += size;
	r->figures.recorded++;
	if (r->waiting.n >= WRITE_AT)
		write_waiting(r);
}

/* Let go what is older than it may be. */
static void expire(struct recorder *r, usec now)
{
	if (!r->keep)
		return;
	if (r->file >= 0 && too_old(r, now))
		segment_end(r);
	while (r->count > (r->file >= 0) && now > r->segments[0].last &&
		now - r->segments[0].last > r->keep)
		if (remove_oldest(r))
			return;
}

void recorder_flush(struct recorder *r, usec now)
{
	r->failing = false;
	if (r->file >= 0)
		write_waiting(r);
	expire(r, now);
}

/* --- start and end --- */

static int by_sequence(const void *a, const void *b)
{
	uint64_t x = ((const struct segment *)a)->sequence;
	uint64_t y = ((const struct segment *)b)->sequence;

	return x < y ? -1 : x > y;
}

static void take_segment(void *context, uint64_t sequence, const struct stat *st)
{
	struct segment s = {
		sequence, (uint64_t)st->st_size, (usec)st->st_mtim.tv_sec * USEC_PER_SEC};
	struct recorder *r = context;

	if (segment_add(r, &s))
		r->failing = true;
	if (sequence > r->sequence)
		r->sequence = sequence;
}

/* Make the folder unless it is there; see that it is its user's. */
static int open_folder(
	struct recorder *r, const struct recorder_config *c, struct error *err)
{
	bool made = !mkdir(c->folder, 0750);
	struct stat st;

	r->folder = open(c->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (r->folder < 0 || fstat(r->folder, &st))
		return error_set(err, "%s: %s; make the folder, for the user of [node]",
			escaped(view_str(c->folder)), strerror(errno));
	/* EINVAL: the user is not mapped in this namespace; the role stays root. */
	if (made && c->user != (uid_t)-1 && fchown(r->folder, c->user, c->group) &&
		errno != EINVAL)
		return error_set(
			err, "%s: %s", escaped(view_str(c->folder)), strerror(errno));
	if (made || c->user == (uid_t)-1 || st.st_uid == c->user)
		return 0;
	return error_set(err,
		"%s belongs to user %lu, and the honeypot writes as user %lu: chown it",
		escaped(view_str(c->folder)), (unsigned long)st.st_uid,
		(unsigned long)c->user);
}

/* Nobody else may be writing there. */
static int check_alone(struct recorder *r, struct error *err)
{
	char name[RECORD_NAME];
	bool used = false;
	int fd;

	if (!r->count)
		return 0;
	fd = openat(r->folder, record_name(name, newest(r)->sequence),
		O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd >= 0) {
		used = record_folder_in_use(fd);
		close(fd);
	}
	return used ? error_set(err,
			      "%s: another process records there; each honeypot needs a "
			      "folder of its own",
			      escaped(view_str(r->path))) :
		      0;
}

struct recorder *recorder_open(const struct recorder_config *c, struct error *err)
{
	struct recorder *r = calloc(1, sizeof *r);

	if (!r || !(r->path = strdup(c->folder))) {
		free(r);
		error_set(err, "out of memory");
		return NULL;
	}
	r->folder = r->file = -1;
	r->max = c->max < RECORDER_MAX_LEAST ? RECORDER_MAX_LEAST : c->max;
	r->segment_max = r->max / PARTS;
	r->keep = c->keep * USEC_PER_SEC;
	r->waiting.max = WAIT_MAX + RECORD_MAX;
	if (open_folder(r, c, err))
		goto fail;
	if (record_folder_list(r->folder, take_segment, r) || r->failing) {
		error_set(err, "%s: %s", escaped(view_str(c->folder)),
			r->failing ? "out of memory" : strerror(errno));
		goto fail;
	}
	if (r->count)
		qsort(r->segments, r->count, sizeof *r->segments, by_sequence);
	if (check_alone(r, err))
		goto fail;
	return r;
fail:
	recorder_close(r);
	return NULL;
}

void recorder_close(struct recorder *r)
{
	if (!r)
		return;
	r->failing = false;
	if (r->file >= 0) {
		write_waiting(r);
		close(r->file);
	}
	if (r->folder >= 0)
		close(r->folder);
	buffer_free(&r->waiting);
	free(r->segments);
	free(r->path);
	free(r);
}

const char *recorder_folder(const struct recorder *r)
{
	return r->path;
}

void recorder_figures(const struct recorder *r, struct recorder_figures *out)
{
	*out = r->figures;
	out->bytes = r->bytes;
	out->segments = r->count;
}
