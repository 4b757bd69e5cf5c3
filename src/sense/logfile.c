/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/logfile.h"
#include "base/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHECK_BYTES 64

/*
 *   0 ............. begin ............ begin + fill ........ end of file
 *   lines given out | held, no line break yet | not read yet
 *
 * begin is the position; while an oversize line is skipped, begin stays at its
 * first byte and `skipped` counts what of it was thrown away, so that after a
 * restart its middle is never taken for the beginning of a line: that is what
 * an attacker would write there.
 */
struct logfile {
	int fd;
	struct stat st;
	uint64_t begin, skipped;
	size_t fill;
	bool skipping;
	uint64_t check;
	uint8_t held[LOGFILE_LINE_MAX + 1];
};

/* Hash of the bytes before offset. Returns 0 or -1. */
static int check_at(const struct logfile *f, uint64_t offset, uint64_t *check)
{
	static const struct hash_key fixed = {0x6c6f6766, 0x696c65};
	size_t n = offset < CHECK_BYTES ? (size_t)offset : CHECK_BYTES;
	uint8_t bytes[CHECK_BYTES];

	if (pread(f->fd, bytes, n, (off_t)(offset - n)) != (ssize_t)n)
		return -1;
	*check = hash_bytes(&fixed, bytes, n);
	return 0;
}

struct logfile *logfile_open(int directory, const char *name)
{
	struct logfile *f = malloc(sizeof(*f));
	int saved;

	if (!f)
		return NULL;
	memset(f, 0, offsetof(struct logfile, held));
	/* NONBLOCK: a FIFO of that name must not stop the whole role. */
	f->fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (f->fd < 0 || fstat(f->fd, &f->st))
		goto fail;
	errno = ENXIO;
	if (!S_ISREG(f->st.st_mode) || check_at(f, 0, &f->check))
		goto fail;
	return f;
fail:
	saved = errno;
	logfile_close(f);
	errno = saved;
	return NULL;
}

void logfile_close(struct logfile *f)
{
	if (!f)
		return;
	if (f->fd >= 0)
		close(f->fd);
	free(f);
}

bool logfile_is(const struct logfile *f, uint64_t device, uint64_t inode)
{
	return f->st.st_dev == (dev_t)device && f->st.st_ino == (ino_t)inode;
}

int logfile_resume(struct logfile *f, const struct logfile_position *position)
{
	uint64_t check;

	if (position->offset > (uint64_t)f->st.st_size ||
		check_at(f, position->offset, &check) || check != position->check)
		return -1;
	f->begin = position->offset;
	f->check = check;
	return 0;
}

int logfile_seek_end(struct logfile *f)
{
	uint64_t end = (uint64_t)f->st.st_size;
	uint8_t last = '\n';

	if (end && pread(f->fd, &last, 1, (off_t)(end - 1)) != 1)
		return -1;
	if (check_at(f, end, &f->check))
		return -1;
	f->begin = end;
	f->skipping = last != '\n';
	return 0;
}

/* Whether what was read is still there. */
static bool unchanged(const struct logfile *f)
{
	struct stat st;
	uint64_t check;

	return !fstat(f->fd, &st) &&
		(uint64_t)st.st_size >= f->begin + f->skipped + f->fill &&
		!check_at(f, f->begin, &check) && check == f->check;
}

static void begin_anew(struct logfile *f)
{
	f->begin = f->skipped = 0;
	f->fill = 0;
	f->skipping = false;
	if (check_at(f, 0, &f->check))
		f->check = 0;
}

/* The bytes of rest, whole lines, that nobody needs. */
static size_t skip_lines(struct logfile *f, struct view rest,
	const struct logfile_taker *taker, struct logfile_figures *figures)
{
	uint64_t lines = 0;
	size_t n;

	/* The end of a line too long is no line. */
	if (!taker->skip || f->skipping)
		return 0;
	n = taker->skip(taker->context, rest, &lines);
	figures->lines += lines;
	f->begin += n;
	return n;
}

/* Give out the complete lines held, and move the rest to the front. */
static void give_lines(struct logfile *f, const struct logfile_taker *taker,
	struct logfile_figures *figures)
{
	struct view rest = view_of(f->held, f->fill);
	size_t last = view_rfind(rest, '\n'), whole = last < rest.n ? last + 1 : 0;

	while (whole) {
		size_t n = skip_lines(f, view_head(rest, whole), taker, figures), end;

		rest = view_from(rest, n);
		whole -= n;
		if (!whole)
			break;
		end = view_find(rest, '\n');
		if (!f->skipping) {
			figures->lines++;
			taker->line(taker->context, view_head(rest, end));
		}
		f->begin += f->skipped + end + 1;
		f->skipped = 0;
		f->skipping = false;
		rest = view_from(rest, end + 1);
		whole -= end + 1;
	}
	if (f->skipping || rest.n > LOGFILE_LINE_MAX) {
		figures->oversize += !f->skipping;
		f->skipping = true;
		f->skipped += rest.n;
		rest.n = 0;
	}
	if (rest.n)
		memmove(f->held, rest.p, rest.n);
	f->fill = rest.n;
}

enum logfile_state logfile_read(struct logfile *f, size_t most,
	const struct logfile_taker *taker, struct logfile_figures *figures)
{
	if (!unchanged(f)) {
		figures->truncated++;
		begin_anew(f);
		return LOGFILE_TRUNCATED;
	}
	while (most) {
		size_t room = sizeof(f->held) - f->fill;
		ssize_t n;

		n = pread(f->fd, f->held + f->fill, room < most ? room : most,
			(off_t)(f->begin + f->skipped + f->fill));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return LOGFILE_FAILED;
		if (!n)
			return LOGFILE_END;
		f->fill += (size_t)n;
		most -= (size_t)n;
		give_lines(f, taker, figures);
		if (check_at(f, f->begin, &f->check))
			return LOGFILE_FAILED;
	}
	return LOGFILE_MORE;
}

bool logfile_has_rest(const struct logfile *f)
{
	return f->fill || f->skipping;
}

struct logfile_position logfile_position(const struct logfile *f)
{
	return (struct logfile_position){
		.device = f->st.st_dev,
		.inode = f->st.st_ino,
		.offset = f->begin,
		.check = f->check,
	};
}
